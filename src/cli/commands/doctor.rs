//! `campaignd doctor`: whether what is kept is what it should be.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::doctor::{Checkup, doctor};
use crate::cli::arguments::Doctor;
use crate::cli::exit::Exit;
use crate::cli::shown::{self, printable};
use crate::cli::terminal::Terminal;
use crate::clock::Clock;
use crate::domain::time::Zone;

use super::{counted, number, project};

pub(super) async fn run(folder: &Path, call: &Doctor, terminal: Terminal) -> Result<Exit, Failure> {
    let project = project(folder)?;
    let checkup = doctor(&project, &Clock::System).await?;
    if call.json {
        terminal.json(&as_json(&checkup))?;
    } else {
        terminal.result(&text(&checkup, project.settings.time_zone))?;
    }
    Ok(if checkup.findings.is_empty() { Exit::Fine } else { Exit::No })
}

fn text(checkup: &Checkup, zone: Zone) -> String {
    let mut lines = vec![format!(
        "{} at {}: {}, {}",
        checkup.database,
        shown::time(checkup.at, zone),
        counted(checkup.contacts, "contact", "contacts"),
        counted(checkup.events, "event", "events"),
    )];
    lines.push(match checkup.evaluated_at {
        Some(at) => format!(
            "{} as evaluated at {}, held against a full pass; the next refresh looks at {} with news since then",
            counted(checkup.segments, "segment", "segments"),
            shown::time(at, zone),
            counted(checkup.waiting, "contact", "contacts"),
        ),
        None => "no segment was compared: none was evaluated as it is declared".to_owned(),
    });
    if !checkup.not_compared.is_empty() {
        let names = checkup.not_compared.join(", ");
        lines.push(format!("not compared, since the next refresh asks everybody: {names}"));
    }
    if checkup.findings.is_empty() {
        lines.push("nothing is wrong".to_owned());
    }
    for finding in &checkup.findings {
        let examples: Vec<_> = finding.examples.iter().map(|example| printable(example)).collect();
        let more = if finding.count > examples.len() as u64 { ", …" } else { "" };
        lines.push(format!("\nwrong[{}]: {}", finding.code, finding.what));
        lines.push(format!("  {}: {}{more}", number(finding.count), examples.join(", ")));
        lines.push(format!("  {}", finding.remedy));
    }
    shown::lines(lines)
}

fn as_json(checkup: &Checkup) -> Value {
    json!({
        "version": 1,
        "at": checkup.at.to_string(),
        "database": checkup.database,
        "evaluated_at": checkup.evaluated_at.map(|at| at.to_string()),
        "segments": checkup.segments,
        "contacts": checkup.contacts,
        "events": checkup.events,
        "waiting": checkup.waiting,
        "not_compared": checkup.not_compared,
        "findings": checkup.findings.iter().map(|finding| json!({
            "code": finding.code,
            "what": finding.what,
            "count": finding.count,
            "examples": finding.examples,
            "remedy": finding.remedy,
        })).collect::<Vec<_>>(),
    })
}
