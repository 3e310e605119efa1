//! `campaignd approve`, `campaignd cancel`: decisions about a run.

use std::path::Path;

use serde_json::json;

use crate::app::Failure;
use crate::app::decide::{approve, cancel};
use crate::cli::arguments::{Approve, Cancel};
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

use super::{counted, installation, installation_at_once};

pub(super) async fn run_approve(folder: &Path, call: &Approve, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let (run, daemon) = approve(&installation, call.run).await?;
    installation.close().await?;
    if call.json {
        terminal.json(&json!({
            "version": 1, "run": run.id.0, "campaign": run.campaign.as_str(), "state": run.state.word(), "daemon": daemon,
        }))?;
    } else {
        let next = if daemon { "the daemon sends it" } else { "it is sent when `campaignd run` is started" };
        terminal.result(&format!("run {} of {}: approved; {next}\n", run.id.0, run.campaign))?;
    }
    Ok(Exit::Fine)
}

pub(super) async fn run_cancel(folder: &Path, call: &Cancel, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation_at_once(folder, terminal).await?;
    let (run, rows) = cancel(&installation, call.run, call.note.as_deref()).await?;
    installation.close().await?;
    if call.json {
        terminal.json(&json!({
            "version": 1,
            "run": run.id.0,
            "campaign": run.campaign.as_str(),
            "state": run.state.word(),
            "not_mailed": rows,
        }))?;
    } else {
        let mails = counted(rows, "mail is", "mails are");
        terminal.result(&format!("run {} of {}: cancelled; {mails} not sent\n", run.id.0, run.campaign))?;
    }
    Ok(Exit::Fine)
}
