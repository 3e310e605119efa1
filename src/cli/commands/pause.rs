//! `campaignd pause`, `campaignd resume`: a campaign or a run, for a while.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::pause::{Target, pause, resume};
use crate::cli::arguments::{Pause, Resume};
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

use super::{installation, installation_at_once};

pub(super) async fn run_pause(folder: &Path, call: &Pause, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation_at_once(folder, terminal).await?;
    let target = pause(&installation, &call.target).await?;
    installation.close().await?;
    if call.json {
        terminal.json(&as_json(&target, true))?;
    } else {
        let said = match &target {
            Target::Run(run) => {
                format!(
                    "run {id} of {}: paused; `campaignd resume {id}` lets it go on\n",
                    run.campaign,
                    id = run.id.0
                )
            }
            Target::Campaign(name) => format!(
                "{name}: paused; its mails wait, and runs that come due meanwhile are missed; `campaignd resume {name}` lets it go on\n"
            ),
        };
        terminal.result(&said)?;
    }
    Ok(Exit::Fine)
}

pub(super) async fn run_resume(folder: &Path, call: &Resume, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let (target, daemon) = resume(&installation, &call.target).await?;
    installation.close().await?;
    if call.json {
        let mut said = as_json(&target, false);
        said["daemon"] = json!(daemon);
        terminal.json(&said)?;
    } else {
        let what = match &target {
            Target::Run(run) => format!("run {} of {}", run.id.0, run.campaign),
            Target::Campaign(name) => name.to_string(),
        };
        let next = if daemon { "the daemon goes on" } else { "it goes on when `campaignd run` is started" };
        terminal.result(&format!("{what}: resumed; {next}\n"))?;
    }
    Ok(Exit::Fine)
}

fn as_json(target: &Target, paused: bool) -> Value {
    match target {
        Target::Run(run) => json!({
            "version": 1, "run": run.id.0, "campaign": run.campaign.as_str(), "paused": paused,
            "state": run.state.word(),
        }),
        Target::Campaign(name) => json!({ "version": 1, "campaign": name.as_str(), "paused": paused }),
    }
}
