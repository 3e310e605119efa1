//! `campaignd preview`: a mail as it would be sent.

use std::path::Path;

use serde_json::json;

use crate::app::Failure;
use crate::app::preview::{Preview as Mail, preview};
use crate::cli::arguments::Preview;
use crate::cli::exit::Exit;
use crate::cli::shown::{lines, printable};
use crate::cli::terminal::Terminal;

use super::installation;

pub(super) async fn run(folder: &Path, call: &Preview, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let made = preview(&installation, &call.campaign, &call.contact, call.version.as_deref()).await?;
    installation.close().await?;
    if !made.in_audience {
        terminal.message(&format!("note: {} is not in the audience now", call.contact));
    }
    if call.json {
        terminal.json(&json!({
            "version": 1,
            "campaign": call.campaign,
            "campaign_version": made.version,
            "in_audience": made.in_audience,
            "language": made.mail.language,
            "from": made.mail.email.sender.to_string(),
            "to": made.mail.email.recipient.to_string(),
            "subject": made.mail.subject,
            "text": made.mail.text,
            "html": made.mail.html,
        }))?;
    } else if call.eml {
        terminal.bytes(&made.mail.email.bytes)?;
    } else if call.html {
        terminal.result(&made.mail.html)?;
    } else {
        terminal.result(&text(&made))?;
    }
    Ok(Exit::Fine)
}

fn text(made: &Mail) -> String {
    let mail = &made.mail;
    let language = mail.language.as_deref().unwrap_or("default");
    let body = lines(mail.text.lines().map(printable));
    format!(
        "From:     {}\nTo:       {}\nSubject:  {}\nVersion:  {}, language: {language}\n\n{body}",
        mail.email.sender,
        mail.email.recipient,
        printable(&mail.subject),
        made.version,
    )
}
