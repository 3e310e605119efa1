//! `campaignd key`: keys with which other systems write through the API, what was refused of that, and the
//! secret that signs links.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::keys::{self, KeptRefusal, WriteKey};
use crate::app::signing::{self, KNOWN_BEFORE, Rotated};
use crate::cli::arguments::{Key, KeyCommand};
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::terminal::Terminal;
use crate::domain::time::Zone;

use super::{counted, installation_at_once};

pub(super) async fn run(folder: &Path, call: &Key, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation_at_once(folder, terminal).await?;
    let zone = installation.project.settings.time_zone;
    match &call.command {
        KeyCommand::Create(call) => {
            let key = keys::create(&installation, &call.name).await?;
            if call.json {
                terminal.json(&json!({"version": 1, "name": call.name, "key": key}))?;
            } else {
                terminal.result(&format!("{key}\n"))?;
                terminal.message("keep it: it is not stored and cannot be shown again");
            }
        }
        KeyCommand::List(call) => {
            let keys = keys::list(&installation).await?;
            if call.json {
                let keys: Vec<Value> = keys.iter().map(key_as_json).collect();
                terminal.json(&json!({"version": 1, "keys": keys}))?;
            } else if keys.is_empty() {
                terminal.message("there is no key; `campaignd key create NAME` makes one");
            } else {
                terminal.result(&keys_as_text(&keys, zone))?;
            }
        }
        KeyCommand::Revoke(call) => {
            keys::revoke(&installation, &call.name).await?;
            if call.json {
                terminal.json(&json!({"version": 1, "name": call.name, "revoked": true}))?;
            } else {
                terminal.result(&format!("key `{}`: revoked\n", shown::printable(&call.name)))?;
            }
        }
        KeyCommand::Rejects(call) => {
            let rejects = keys::rejects(&installation, call.limit).await?;
            if call.json {
                let rejects: Vec<Value> = rejects.iter().map(reject_as_json).collect();
                terminal.json(&json!({"version": 1, "rejects": rejects}))?;
            } else if rejects.is_empty() {
                terminal.message("no call was refused");
            } else {
                terminal.result(&rejects_as_text(&rejects, zone))?;
            }
        }
        KeyCommand::RotateLinks(call) => {
            let Rotated { secret, signs_from } = signing::rotate(&installation).await?;
            if call.json {
                let signs_from = signs_from.to_string();
                terminal.json(&json!({"version": 1, "secret": secret, "signs_from": signs_from}))?;
            } else {
                terminal.result(&format!("links: signed by secret {secret} in {KNOWN_BEFORE:?}\n"))?;
                terminal.message("links in mails that were sent stay valid");
            }
        }
    }
    installation.close().await?;
    Ok(Exit::Fine)
}

fn keys_as_text(keys: &[WriteKey], zone: Zone) -> String {
    let head = ["name", "begins with", "made", "last used", "#stored", "#refused", "state"];
    shown::table(
        &head,
        keys.iter().map(|key| {
            vec![
                key.name.clone(),
                format!("{}…", key.hint),
                shown::time(key.created_at, zone),
                key.last_used_at.map_or_else(|| "never".to_owned(), |at| shown::time(at, zone)),
                key.accepted.to_string(),
                key.rejected.to_string(),
                key.revoked_at
                    .map_or_else(|| "holds".to_owned(), |at| format!("revoked {}", shown::time(at, zone))),
            ]
        }),
    )
}

fn key_as_json(key: &WriteKey) -> Value {
    json!({
        "name": key.name,
        "begins_with": key.hint,
        "created_at": key.created_at.to_string(),
        "last_used_at": key.last_used_at.map(|at| at.to_string()),
        "stored": key.accepted,
        "refused": key.rejected,
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
    })
}

fn rejects_as_text(rejects: &[KeptRefusal], zone: Zone) -> String {
    let rows = rejects
        .iter()
        .map(|reject| vec![shown::time(reject.at, zone), reject.write_key.clone(), reject.reason.clone()]);
    let table = shown::table(&["at", "key", "reason"], rows);
    format!(
        "{table}\n{}; --json shows the calls\n",
        counted(rejects.len() as u64, "refused call", "refused calls")
    )
}

fn reject_as_json(reject: &KeptRefusal) -> Value {
    json!({
        "at": reject.at.to_string(),
        "key": reject.write_key,
        "kind": reject.kind,
        "reason": reject.reason,
        "call": reject.payload,
    })
}
