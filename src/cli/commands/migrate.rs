//! `campaignd migrate`: the database's tables, brought up to date.

use std::path::Path;

use serde_json::json;

use crate::app::Failure;
use crate::app::migrate::{Anew, migrate};
use crate::cli::arguments::Migrate;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

use super::{counted, project};

pub(super) async fn run(folder: &Path, call: &Migrate, terminal: Terminal) -> Result<Exit, Failure> {
    let project = project(folder)?;
    let migrated =
        migrate(&project, Anew { histories: call.rebuild_histories, memberships: call.reevaluate }).await?;
    let shown = &project.settings.database_shown;
    if call.json {
        terminal.json(&json!({
            "version": 1,
            "database": shown,
            "steps": migrated.steps,
            "rebuilt_events": migrated.rebuilt,
            "segments_to_be_evaluated": migrated.to_be_evaluated,
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.result(&match migrated.steps {
        0 => format!("{shown}: up to date\n"),
        steps => format!("{shown}: {} applied\n", counted(steps as u64, "migration", "migrations")),
    })?;
    if let Some(events) = migrated.rebuilt {
        terminal.result(&format!("packed histories made anew: {}\n", counted(events, "event", "events")))?;
    }
    if let Some(segments) = migrated.to_be_evaluated {
        let segments = counted(segments, "segment", "segments");
        terminal.result(&format!("evaluated anew by the next refresh: {segments}\n"))?;
    }
    Ok(Exit::Fine)
}
