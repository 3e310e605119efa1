//! `campaignd send`: a run now.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::app::send::{Sent, audience_size, send};
use crate::app::transport::TransportShown;
use crate::app::{Failure, Installation};
use crate::cli::arguments::Send;
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::signals::shutdown;
use crate::cli::terminal::Terminal;
use crate::domain::delivery::RunState;

use super::status::by_state;
use super::{counted, installation};

pub(super) async fn run(folder: &Path, call: &Send, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    if !call.yes && !agreed(&installation, call, terminal).await? {
        terminal.message("nothing was sent");
        return Ok(Exit::No);
    }
    let zone = installation.project.settings.time_zone;
    let told = Mutex::new(String::new());
    let wait = |waiting: u64, next, said: Option<&str>| {
        let mails = counted(waiting, "mail waits", "mails wait");
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        let message = format!("{mails}; next try at {}{said}", shown::time(next, zone));
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting > 0 && *told != message {
            terminal.message(&message);
            *told = message;
        }
    };
    let (shutdown, stopped) = shutdown()?;
    let sent = send(&installation, &call.campaign, shutdown, &wait).await?;
    installation.close().await?;

    let (run, state, states) = match &sent {
        Sent::ByDaemon(run) => (run.0, RunState::Due, Vec::new()),
        Sent::Here(figures) => (figures.run.id.0, figures.run.state, by_state(figures)),
    };
    let by_daemon = matches!(sent, Sent::ByDaemon(_));
    if call.json {
        terminal.json(&json!({
            "version": 1,
            "campaign": call.campaign,
            "run": run,
            "by_daemon": by_daemon,
            "state": state.word(),
            "deliveries": states.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
        }))?;
    } else if by_daemon {
        terminal.result(&format!("run {run} of {}: the daemon sends it\n", call.campaign))?;
    } else {
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let states =
            if states.is_empty() { "nobody is in its audience".to_owned() } else { states.join(", ") };
        terminal.result(&format!("run {run} of {}: {}: {states}\n", call.campaign, state.word()))?;
    }
    if state == RunState::Held {
        terminal.message(&format!(
            "hint: `campaignd approve {run}` lets it go, `campaignd cancel {run}` ends it"
        ));
        return Ok(Exit::No);
    }
    if stopped.is_stopped() && state == RunState::Sending {
        terminal
            .message(&format!("hint: `campaignd run` sends the rest, `campaignd cancel {run}` ends the run"));
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::Fine)
}

async fn agreed(installation: &Installation, call: &Send, terminal: Terminal) -> Result<bool, Failure> {
    let size = audience_size(installation, &call.campaign).await?;
    if !terminal.can_ask() {
        return Err(Failure::call_with_hint(
            format!("`{}` would be sent now, and there is no terminal to ask on", call.campaign),
            "add --yes if that is meant",
        ));
    }
    let transport = TransportShown::of(&installation.project.settings);
    let contacts = counted(size, "contact is", "contacts are");
    terminal.message(&format!("{contacts} in the audience of {}; {transport}", call.campaign));
    terminal.ask("send it now?")
}
