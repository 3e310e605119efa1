//! `campaignd uncertain`: mails of which nobody knows whether the server took them.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::uncertain::{Doubted, Resolved, Verdict, Which, list, resolve, which};
use crate::app::{Failure, Installation};
use crate::cli::arguments::Uncertain;
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::terminal::Terminal;
use crate::domain::delivery::DeliveryId;

use super::{counted, installation_at_once};

pub(super) async fn run(folder: &Path, call: &Uncertain, terminal: Terminal) -> Result<Exit, Failure> {
    let (verdict, numbers) = match (&call.accepted, &call.refused) {
        (Some(numbers), _) => (Some(Verdict::Accepted), numbers.as_slice()),
        (None, Some(numbers)) => (Some(Verdict::Refused), numbers.as_slice()),
        (None, None) => (None, &[][..]),
    };
    let by_place = call.run.is_some() || call.campaign.is_some();
    if verdict.is_some() && numbers.is_empty() != by_place {
        return Err(Failure::call_with_hint(
            if by_place { "deliveries are named twice" } else { "no delivery is named" },
            "name their numbers, or --run, or --campaign; without --accepted and --refused they are listed",
        ));
    }
    let installation = installation_at_once(folder, terminal).await?;
    let meant = which(&installation, numbers, call.run, call.campaign.as_deref()).await?;
    let exit = match verdict {
        None => show(&installation, &meant, call.json, terminal).await?,
        Some(verdict) => {
            let resolved = resolve(&installation, &meant, verdict).await?;
            tell(&resolved, verdict, call.json, terminal)?
        }
    };
    installation.close().await?;
    Ok(exit)
}

async fn show(
    installation: &Installation,
    meant: &Which,
    as_json: bool,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let rows = list(installation, meant).await?;
    if as_json {
        let rows: Vec<Value> = rows.iter().map(json_of).collect();
        terminal.json(&json!({ "version": 1, "uncertain": rows }))?;
        return Ok(Exit::Fine);
    }
    if rows.is_empty() {
        terminal.message("no delivery is uncertain");
        return Ok(Exit::Fine);
    }
    let zone = installation.project.settings.time_zone;
    let dash = || "-".to_owned();
    let row = |row: &Doubted| {
        vec![
            row.delivery.0.to_string(),
            row.run.0.to_string(),
            row.campaign.to_string(),
            row.address.clone().or_else(|| row.contact.clone()).unwrap_or_else(dash),
            row.handed_over_at.map_or_else(dash, |at| shown::time(at, zone)),
            if row.sent_again { "second" } else { "first" }.to_owned(),
            row.message_id.clone().unwrap_or_else(dash),
        ]
    };
    let head = ["#delivery", "#run", "campaign", "to", "handed over", "copy", "Message-ID"];
    let mut text = shown::table(&head, rows.iter().map(row));
    text += "\nThe mail server's log knows each by its Message-ID. `campaignd uncertain --accepted DELIVERY…` or \
             `--refused DELIVERY…` settles them.\n";
    terminal.result(&text)?;
    Ok(Exit::Fine)
}

fn tell(resolved: &Resolved, verdict: Verdict, as_json: bool, terminal: Terminal) -> Result<Exit, Failure> {
    let word = match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused => "refused",
    };
    let numbers = |deliveries: &[DeliveryId]| deliveries.iter().map(|id| id.0).collect::<Vec<_>>();
    if as_json {
        terminal.json(&json!({
            "version": 1, "state": word, "settled": numbers(&resolved.settled),
            "not_uncertain": numbers(&resolved.others),
        }))?;
    } else {
        let what = counted(resolved.settled.len() as u64, "delivery is", "deliveries are");
        terminal.result(&format!("{what} {word} now\n"))?;
        if !resolved.others.is_empty() {
            let named: Vec<String> = resolved.others.iter().map(|id| id.0.to_string()).collect();
            terminal.message(&format!("error: not uncertain, and left as it is: {}", named.join(", ")));
        }
    }
    Ok(if resolved.others.is_empty() { Exit::Fine } else { Exit::No })
}

fn json_of(row: &Doubted) -> Value {
    json!({
        "delivery": row.delivery.0,
        "run": row.run.0,
        "campaign": row.campaign.as_str(),
        "contact": row.contact,
        "address": row.address,
        "message_id": row.message_id,
        "handed_over_at": row.handed_over_at.map(|at| at.to_string()),
        "sent_again": row.sent_again,
        "reply": row.reply,
    })
}
