//! `campaignd report`: what became of the deliveries.

use std::path::Path;

use crate::app::Failure;
use crate::app::report::report;
use crate::cli::arguments::Report;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

use super::installation;

pub(super) async fn run(folder: &Path, call: &Report, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let report = report(&installation, call.campaign.as_deref()).await?;
    let time_zone = installation.project.settings.time_zone;
    installation.close().await?;
    if call.json {
        terminal.json(&report.to_json())?;
    } else if call.csv {
        terminal.result(&report.to_csv())?;
    } else {
        terminal.result(&report.to_text(terminal.text_style(time_zone)))?;
    }
    Ok(Exit::Fine)
}
