//! `campaignd check`: all problems of all files.

use std::path::Path;

use crate::app::project::{Checked, environment};
use crate::app::{Failure, check};
use crate::cli::arguments::Check;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::clock::Clock;
use crate::diagnostic::{self, Problem, json, text};

use super::counted;

pub(super) async fn run(folder: &Path, call: &Check, terminal: Terminal) -> Result<Exit, Failure> {
    let mut checked = Checked::read(folder, &environment());
    if let Some(project) = &checked.project {
        let said = check::with_database(project, Clock::System.now()).await;
        checked.problems.extend(said.problems);
        checked.notes.extend(said.notes);
        diagnostic::sort(&mut checked.problems);
    }
    let errors = checked.problems.iter().any(Problem::is_error);
    let wrong = errors || (call.deny_warnings && !checked.problems.is_empty());

    if call.json {
        terminal.json(&json::render(&checked.problems))?;
    } else {
        terminal.result(&text::render(&checked.problems, &checked.sources, terminal.colour_out))?;
        for note in &checked.notes {
            terminal.message(&format!("note: {note}"));
        }
        terminal.result(&format!("{}\n", verdict(&checked)))?;
    }
    Ok(if wrong { Exit::Wrong } else { Exit::Fine })
}

/// `12 files: 3 segments, 2 campaigns: fine`.
fn verdict(checked: &Checked) -> String {
    let files = counted(checked.files as u64, "file of declarations", "files of declarations");
    let summary = text::summary(&checked.problems);
    match (&checked.project, summary) {
        (None, summary) => format!("{files}: {}", summary.unwrap_or_default()),
        (Some(project), summary) => format!(
            "{files}: {}, {}: {}",
            counted(project.catalogue.segments.len() as u64, "segment", "segments"),
            counted(project.catalogue.campaigns.len() as u64, "campaign", "campaigns"),
            summary.unwrap_or_else(|| "fine".to_owned()),
        ),
    }
}
