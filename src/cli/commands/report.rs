//! `campaignd report`: what became of the deliveries, and what came back.

use std::path::Path;

use crate::app::Failure;
use crate::app::report::{html_style, report};
use crate::cli::arguments::Report;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

use super::installation;

pub(super) async fn run(folder: &Path, call: &Report, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let report = report(&installation, call.campaign.as_deref()).await?;
    let style = html_style(&installation);
    installation.close().await?;
    if call.json {
        terminal.json(&report.to_json())?;
    } else if call.csv {
        terminal.result(&report.to_csv())?;
    } else if let Some(file) = &call.html {
        let html = report.to_html(&style);
        if file == Path::new("-") {
            terminal.result(&html)?;
        } else {
            std::fs::write(file, html)
                .map_err(|error| Failure::outside(format!("could not write {}", file.display()), error))?;
            terminal.message(&format!("wrote {}", file.display()));
        }
    } else {
        terminal.result(&report.to_text(terminal.text_style(style.time_zone)))?;
    }
    Ok(Exit::Fine)
}
