//! `campaignd import`: files into the database.

use std::fmt::Write as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::import::{ImportCall, can_open, import, undeclared};
use crate::cli::arguments::Import;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::ingest::{Content, Progress, Summary};

use super::{counted, installation};

pub(super) async fn run(folder: &Path, call: &Import, terminal: Terminal) -> Result<Exit, Failure> {
    if call.rejects.is_some() && call.files.len() > 1 {
        return Err(Failure::call_with_hint(
            "--rejects takes the rows of one file, and several are to be imported",
            "without it each file has its own NAME.rejects.csv",
        ));
    }
    can_open(&call.files)?;
    let installation = installation(folder).await?;
    if let Some(note) = call.event.as_ref().and_then(|event| undeclared(&installation, event)) {
        terminal.message(&format!("note: {note}"));
    }
    let how = ImportCall {
        content: match (call.contacts, call.events) {
            (true, _) => Some(Content::Contacts),
            (_, true) => Some(Content::Events),
            _ => None,
        },
        event: call.event.clone(),
        map: call.map.clone(),
        reject_where: call.reject_where.clone(),
        consent: call.consent.clone(),
        source: call.source.clone(),
        rejects: call.rejects.clone(),
        delimiter: call.delimiter.clone(),
        time_zone: call.time_zone.clone(),
        live: call.live,
    };
    let mut summaries = Vec::new();
    for file in &call.files {
        let bar = bar(terminal, file);
        let mut advance = |progress: Progress| {
            bar.set_length(progress.bytes_total.unwrap_or(progress.bytes_done));
            bar.set_position(progress.bytes_done);
            bar.set_message(counted(progress.rows, "row", "rows"));
        };
        let summary = import(&installation, file, &how, &mut advance).await;
        bar.finish_and_clear();
        let summary = summary?;
        if !call.json {
            terminal.result(&text(file, &summary))?;
        }
        summaries.push((file, summary));
    }
    installation.close().await?;

    if call.json {
        let files: Vec<Value> = summaries.iter().map(|(file, summary)| as_json(file, summary)).collect();
        terminal.json(&json!({ "version": 1, "files": files }))?;
    }
    let rejected = summaries.iter().any(|(_, summary)| summary.rejected_rows() > 0);
    Ok(if rejected && !call.allow_rejects { Exit::No } else { Exit::Fine })
}

fn bar(terminal: Terminal, file: &Path) -> ProgressBar {
    let target = if terminal.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {bytes}/{total_bytes} {msg} {eta}") {
        bar.set_style(style);
    }
    bar.set_prefix(file.display().to_string());
    bar
}

fn text(file: &Path, summary: &Summary) -> String {
    let file = file.display();
    let mut text = format!("{file}: {}", counted(summary.rows, "row", "rows"));
    match summary.content {
        None => {}
        Some(Content::Contacts) => {
            let _ = write!(
                text,
                ": {}, {} changed, {} as known",
                counted(summary.contacts_created, "new contact", "new contacts"),
                summary.contacts_updated,
                summary.contacts_unchanged,
            );
        }
        Some(Content::Events) => {
            let _ = write!(
                text,
                ": {}, {} known already; {}",
                counted(summary.events_added, "new event", "new events"),
                summary.events_known,
                counted(summary.contacts_created, "new contact", "new contacts"),
            );
        }
    }
    text.push('\n');
    if summary.rejected_rows() > 0 {
        let _ = writeln!(text, "  {} rejected:", counted(summary.rejected_rows(), "row", "rows"));
        for (kind, count) in &summary.rejected {
            let _ = writeln!(text, "  {count:>9}  {kind}");
        }
        if let Some(rejects) = &summary.rejects {
            let _ = writeln!(text, "  each with its line and reason in {}", rejects.display());
        }
    }
    text
}

fn as_json(file: &Path, summary: &Summary) -> Value {
    json!({
        "file": file.display().to_string(),
        "content": summary.content.map(Content::word),
        "rows": summary.rows,
        "contacts": {
            "created": summary.contacts_created,
            "updated": summary.contacts_updated,
            "unchanged": summary.contacts_unchanged,
        },
        "events": { "added": summary.events_added, "known": summary.events_known },
        "rejected": {
            "rows": summary.rejected_rows(),
            "reasons": summary.rejected,
            "file": summary.rejects.as_ref().map(|path| path.display().to_string()),
        },
    })
}
