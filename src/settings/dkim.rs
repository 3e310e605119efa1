//! Keys that sign mails, each from a file of its own.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::keys::DKIM;
use super::{DkimKey, read, read_bounded};
use crate::diagnostic::Problem;
use crate::dkim::key::Algorithm;
use crate::dkim::{Key, Signer};
use crate::yaml::{Field, Fields, Reader};

/// Reads all keys; `None`: something is wrong with one.
pub(super) fn keys(reader: &mut Reader, project: &Path, field: Field<'_>) -> Option<Vec<DkimKey>> {
    let items = reader.items(field)?;
    let mut keys: Vec<DkimKey> = Vec::with_capacity(items.len());
    for item in items {
        let Some(fields) = Fields::read(reader, item, "a key of `dkim`", &item.place, &DKIM) else {
            continue;
        };
        let Some(key) = one(reader, project, &fields) else { continue };
        let name = |key: &DkimKey| (key.signer.domain().to_owned(), key.signer.selector().to_owned());
        if keys.iter().any(|other| name(other) == name(&key)) {
            let (domain, selector) = name(&key);
            let message = format!("`{selector}` of `{domain}` is there twice: a selector names one key");
            let problem = Problem::error("duplicate", message, item.place.clone());
            reader.report(problem.hint("give the second key a selector of its own"));
            continue;
        }
        keys.push(key);
    }
    if keys.len() < items.len() {
        return None;
    }
    let domains_by = |wanted: Algorithm| {
        let of = keys.iter().filter(move |key| key.signer.key().algorithm() == wanted);
        of.map(|key| key.signer.domain()).collect::<BTreeSet<_>>()
    };
    for domain in domains_by(Algorithm::Ed25519).difference(&domains_by(Algorithm::Rsa)) {
        let message =
            format!("mails of `{domain}` are signed by Ed25519 only, which many receivers cannot verify");
        let problem = Problem::warning("only-ed25519", message, field.name.place.clone());
        reader.report(problem.hint("add an RSA key beside it; `campaignd dkim --help` says how to make one"));
    }
    Some(keys)
}

fn one(reader: &mut Reader, project: &Path, fields: &Fields<'_>) -> Option<DkimKey> {
    let domain = fields.require(reader, "domain");
    let selector = fields.require(reader, "selector");
    let file = fields.require(reader, "key_file");
    let key =
        file.and_then(|field| Some((key(reader, project, field)?, read::path(reader, project, field)?)));
    let (domain, selector) = (domain?, selector?);
    let names = (reader.filled(domain.value, "`domain`"), reader.filled(selector.value, "`selector`"));
    let ((Some(domain_text), Some(selector_text)), (key, file)) = (names, key?) else { return None };
    match Signer::new(domain_text.trim(), selector_text.trim(), key) {
        Ok(signer) => Some(DkimKey { signer, file }),
        Err(error) => {
            let field = if error.is_of_selector() { selector } else { domain };
            let problem = Problem::error("wrong-value", error.to_string(), field.value.place.clone());
            reader.report(problem.hint(format!("for example `{}`", field.key.example)));
            None
        }
    }
}

fn key(reader: &mut Reader, project: &Path, field: Field<'_>) -> Option<Key> {
    let path = read::path(reader, project, field)?;
    let bytes =
        match read_bounded(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let message = format!("there is no key in `{}`", path.display());
                let problem = Problem::error("unreadable-file", message, field.value.place.clone());
                reader.report(problem.hint(
                    "paths are relative to the project folder; `campaignd dkim --make FILE` makes a key",
                ));
                return None;
            }
            Err(error) => {
                read::unreadable(reader, field, &path, &error);
                return None;
            }
        };
    match Key::from_pem(&String::from_utf8_lossy(&bytes)) {
        Ok(key) => {
            let mode = std::fs::metadata(&path).map_or(0, |file| file.permissions().mode());
            if mode & 0o007 != 0 {
                let message = format!("everybody on this machine may use the key in `{}`", path.display());
                let problem = Problem::warning("open-secret", message, field.value.place.clone());
                reader.report(problem.hint(format!("`chmod 600 {}`", path.display())));
            }
            Some(key)
        }
        Err(error) => {
            let message = format!("`{}` cannot sign: {error}", path.display());
            let problem = Problem::error("wrong-key", message, field.value.place.clone());
            reader.report(problem.hint("`campaignd dkim --help` says how to make a key"));
            None
        }
    }
}
