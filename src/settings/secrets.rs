//! Secrets in the file: an error each, and never shown.

use super::database::Address;
use crate::diagnostic::Problem;
use crate::yaml::{Entry, Kind, Node, Reader};

/// Keys that hold a secret, wherever they stand.
const SECRET_KEYS: [&str; 10] = [
    "password",
    "passwd",
    "pass",
    "smtp_password",
    "database_password",
    "secret",
    "signing_secret",
    "token",
    "api_key",
    "private_key",
];

/// Reports secrets and takes them out of the tree. Returns the text with asterisks in their place.
pub(super) fn conceal(reader: &mut Reader, root: &mut Node, text: &str) -> String {
    let mut secrets = Vec::new();
    walk(reader, root, &mut secrets);
    secrets.sort_by_key(|secret: &String| std::cmp::Reverse(secret.len()));
    secrets.iter().filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, secret| {
        if text.contains(secret.as_str()) {
            text.replace(secret.as_str(), &"*".repeat(secret.chars().count()))
        } else {
            // Written with escapes or over several lines: no line can be shown.
            String::new()
        }
    })
}

fn walk(reader: &mut Reader, node: &mut Node, secrets: &mut Vec<String>) {
    match &mut node.kind {
        Kind::Map(entries) => {
            entries.retain(|entry| !is_secret(reader, entry, secrets));
            for entry in entries {
                if entry.key.text == "database" {
                    database(reader, &mut entry.value, secrets);
                }
                walk(reader, &mut entry.value, secrets);
            }
        }
        Kind::List(items) => items.iter_mut().for_each(|item| walk(reader, item, secrets)),
        _ => {}
    }
}

fn is_secret(reader: &mut Reader, entry: &Entry, secrets: &mut Vec<String>) -> bool {
    let key = entry.key.text.to_lowercase().replace('-', "_");
    if !SECRET_KEYS.contains(&key.as_str()) {
        return false;
    }
    if let Kind::Scalar(scalar) = &entry.value.kind {
        secrets.push(scalar.text.clone());
    }
    let message = format!("`{}` is a secret: it must not stand in this file", entry.key.text);
    let hint = "write it into a file of its own and name that: `password_file`, `database_password_file`; \
                or set CAMPAIGND_TRANSPORT_SMTP_PASSWORD, CAMPAIGND_DATABASE_PASSWORD";
    reader.report(Problem::error("secret-in-file", message, entry.key.place.clone()).hint(hint));
    true
}

/// A password inside the database's address.
fn database(reader: &mut Reader, node: &mut Node, secrets: &mut Vec<String>) {
    let Kind::Scalar(scalar) = &mut node.kind else { return };
    let Some(password) = Address::split(&scalar.text).and_then(|address| address.password) else { return };
    let message = "the address of the database holds a password: it must not stand in this file";
    let hint = "name a file: `database_password_file: secrets/database`; or set CAMPAIGND_DATABASE_PASSWORD";
    reader.report(Problem::error("secret-in-file", message, node.place.clone()).hint(hint));
    secrets.push(password.to_owned());
    node.kind = Kind::Broken;
}
