//! Variables of the environment, laid over the file's tree: they are then read as if they had been
//! written there.

use std::collections::BTreeMap;

use super::keys::{DATABASE_PASSWORD, SMTP_PASSWORD, VARIABLES};
use crate::diagnostic::{Place, Problem, Severity, did_you_mean};
use crate::yaml::scalar::Scalar;
use crate::yaml::{Entry, Kind, Name, Node, Reader};

/// The prefix of our variables.
const PREFIX: &str = "CAMPAIGND_";

/// Secrets that only the environment can hold.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// The database's password.
    pub(super) database: Option<String>,
    /// The mail server's password.
    pub(super) smtp: Option<String>,
}

/// Replaces values of the tree by those of the environment. An empty variable counts as unset.
pub(super) fn overlay(
    reader: &mut Reader,
    root: &mut Node,
    environment: &BTreeMap<String, String>,
) -> Secrets {
    let value = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    for (variable, path) in VARIABLES {
        let Some(value) = value(variable) else { continue };
        let place = Place::file(variable);
        if let ["transport", chosen, _] = path {
            let other = if *chosen == "smtp" { "folder" } else { "smtp" };
            remove(root, "transport", other);
        }
        put(root, path, &place, value);
    }
    for name in VARIABLES.iter().map(|(name, _)| *name).chain([DATABASE_PASSWORD, SMTP_PASSWORD]) {
        if value(name).is_some_and(|value| value.contains(char::REPLACEMENT_CHARACTER)) {
            let message = format!("the environment variable {name} is not UTF-8");
            reader.report(Problem::placeless("not-utf8", message));
        }
    }
    let known = || VARIABLES.iter().map(|(name, _)| *name).chain([DATABASE_PASSWORD, SMTP_PASSWORD]);
    for name in environment.keys().filter(|name| name.starts_with(PREFIX)) {
        if known().all(|known| known != name)
            && let Some(hint) = did_you_mean(name, known())
        {
            let message = format!("the environment variable {name} has no meaning");
            let mut problem = Problem::placeless("unknown-variable", message).hint(hint);
            problem.severity = Severity::Warning;
            reader.report(problem);
        }
    }
    Secrets { database: value(DATABASE_PASSWORD).cloned(), smtp: value(SMTP_PASSWORD).cloned() }
}

/// Problems with the value of a variable have no place in a file: the variable is named instead.
pub(super) fn place(mut problem: Problem) -> Problem {
    if let Some(place) = problem.place.take_if(|place| place.file.starts_with(PREFIX)) {
        problem.message = format!("environment variable {}: {}", place.file, problem.message);
    }
    problem.related.retain(|related| !related.place.file.starts_with(PREFIX));
    problem
}

fn put(node: &mut Node, path: &[&str], place: &Place, value: &str) {
    let Some((key, rest)) = path.split_first() else {
        let scalar = Scalar { text: value.to_owned(), plain: true };
        *node = Node { place: place.clone(), kind: Kind::Scalar(scalar) };
        return;
    };
    if !matches!(node.kind, Kind::Map(_)) {
        *node = Node { place: place.clone(), kind: Kind::Map(Vec::new()) };
    }
    let Kind::Map(entries) = &mut node.kind else { return };
    let index = entries.iter().position(|entry| entry.key.text == *key).unwrap_or_else(|| {
        entries.push(Entry {
            key: Name { text: (*key).to_owned(), place: place.clone() },
            value: Node { place: place.clone(), kind: Kind::Null },
        });
        entries.len() - 1
    });
    put(&mut entries[index].value, rest, place, value);
}

fn remove(root: &mut Node, parent: &str, key: &str) {
    if let Kind::Map(entries) = &mut root.kind
        && let Some(parent) = entries.iter_mut().find(|entry| entry.key.text == parent)
        && let Kind::Map(entries) = &mut parent.value.kind
    {
        // What another variable put there stays, so that the contradiction is reported.
        entries.retain(|entry| entry.key.text != key || entry.key.place.file.starts_with(PREFIX));
    }
}
