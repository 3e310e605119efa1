//! `campaignd run`: the daemon.

use std::path::Path;

use tracing_subscriber::EnvFilter;

use crate::app::Failure;
use crate::app::daemon::{Daemon, News};
use crate::app::status::status;
use crate::cli::arguments::{LogFormat, Run};
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::signals::shutdown;
use crate::cli::terminal::Terminal;
use crate::diagnostic::text;

use super::{counted, installation};

pub(super) async fn run(folder: &Path, call: &Run, terminal: Terminal) -> Result<Exit, Failure> {
    log_to_stderr(call.log, terminal);
    // Signals count from here on: one that comes during the start stops it clean, too.
    let (shutdown, stopped) = shutdown()?;
    let installation = installation(folder).await?;
    let standing = status(&installation).await?;
    let daemon = Daemon::build(installation).await?;

    terminal.message(&format!("campaignd {}: {}", env!("CARGO_PKG_VERSION"), standing.transport));
    let campaigns = counted(standing.upcoming.len() as u64, "campaign", "campaigns");
    let next = standing.upcoming.first().and_then(|first| Some((first, first.next?)));
    let next =
        next.map(|(first, at)| format!("; next: {} at {}", first.campaign, shown::time(at, first.time_zone)));
    for (what, address) in
        [("pages", daemon.server().public_address()), ("the report", daemon.server().report_address())]
    {
        terminal.message(&match address {
            Some(address) => format!("{what}: http://{address}"),
            None => format!("{what}: not served (`off`)"),
        });
    }
    terminal.message(&format!("ready: {campaigns}{}", next.unwrap_or_default()));

    daemon.run(shutdown, &|news| tell(terminal, &news)).await?;
    terminal.message("stopped");
    Ok(stopped.exit())
}

fn tell(terminal: Terminal, news: &News) {
    match news {
        News::Reloaded { segments, campaigns } => {
            let segments = counted(*segments as u64, "segment", "segments");
            let campaigns = counted(*campaigns as u64, "campaign", "campaigns");
            terminal.message(&format!("the files changed: {segments} and {campaigns} hold from now on"));
        }
        News::Kept { problems, sources } => {
            terminal.message(text::render(problems, sources, terminal.colour_err).trim_end());
            let summary = text::summary(problems).unwrap_or_default();
            terminal
                .message(&format!("the files changed and are wrong ({summary}): the old ones still hold"));
        }
        News::SettingsChanged => {
            terminal.message(
                "campaignd.yaml changed: all settings but `dkim` are read at the start only; restart to apply them",
            );
        }
    }
}

/// Log lines go to standard error; `CAMPAIGND_LOG` chooses which (`debug`, `campaignd=debug,warn`).
fn log_to_stderr(format: LogFormat, terminal: Terminal) {
    let filter =
        EnvFilter::try_from_env("CAMPAIGND_LOG").unwrap_or_else(|_| EnvFilter::new("campaignd=info,warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal.colour_err);
    // A second subscriber in one process is no reason to stop.
    let _ = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
}
