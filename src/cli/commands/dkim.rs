//! `campaignd dkim`: the keys that sign mails, and their records in DNS.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::dkim::{self, DkimKey};
use crate::cli::arguments::Dkim;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::dkim::record::Record;

pub(super) fn run(folder: &Path, call: &Dkim, terminal: Terminal) -> Result<Exit, Failure> {
    let made = match (&call.make, &call.domain, &call.selector) {
        (Some(file), Some(domain), Some(selector)) => {
            Some((file, dkim::make(folder, file, domain, selector)?))
        }
        _ => None,
    };
    let keys = match &made {
        Some((_, key)) => vec![key.clone()],
        None => dkim::keys(folder)?,
    };
    if call.json {
        let keys: Vec<Value> = keys.iter().map(as_json).collect();
        terminal.json(&json!({"version": 1, "keys": keys}))?;
        return Ok(Exit::Fine);
    }
    for key in &keys {
        terminal.result(&format!("{}\n", Record::of(&key.signer)))?;
    }
    if let Some((file, key)) = made {
        terminal.message(&format!(
            "wrote {}: keep it out of git; publish the record above, then write into campaignd.yaml\n  \
             dkim: [{{ domain: {}, selector: {}, key_file: {} }}]",
            key.file.display(),
            scalar(key.signer.domain()),
            scalar(key.signer.selector()),
            scalar(&file.display().to_string())
        ));
    } else if keys.is_empty() {
        terminal.message("no key signs mails; `campaignd dkim --help` says how to make one");
    }
    Ok(Exit::Fine)
}

/// A text as it stands in YAML: in quotes where it would be read as something else.
fn scalar(text: &str) -> String {
    let is_word =
        ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    if is_plain && !is_word { text.to_owned() } else { json!(text).to_string() }
}

fn as_json(key: &DkimKey) -> Value {
    let record = Record::of(&key.signer);
    json!({
        "domain": key.signer.domain(),
        "selector": key.signer.selector(),
        "algorithm": key.signer.key().algorithm().to_string(),
        "file": key.file.display().to_string(),
        "name": record.name,
        "value": record.value,
        "strings": record.strings(),
    })
}
