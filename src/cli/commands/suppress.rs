//! `campaignd suppress`: who gets no mail.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::suppress::{self, Suppression, SuppressionFilter};
use crate::app::{Failure, Installation};
use crate::cli::arguments::Suppress;
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::terminal::Terminal;
use crate::domain::delivery::{SuppressionCause, SuppressionScope};

use super::{counted, installation_at_once};

pub(super) async fn run(folder: &Path, call: &Suppress, terminal: Terminal) -> Result<Exit, Failure> {
    let filter = SuppressionFilter {
        cause: call.cause.as_deref().map(cause).transpose()?,
        scope: call.scope.as_deref().map(scope).transpose()?,
    };
    let named = suppress::read(&call.targets, call.file.as_deref())?;
    if named.targets.is_empty() && named.problems.is_empty() && !call.list {
        return Err(Failure::call_with_hint(
            "nobody is named",
            "name addresses, @domains or a --file; --list shows who is suppressed",
        ));
    }
    for problem in &named.problems {
        terminal.message(&format!("error: {}", shown::printable(problem)));
    }
    let installation = installation_at_once(folder, terminal).await?;
    if call.list {
        let rows = suppress::list(&installation, &named.targets, filter).await?;
        show(&installation, &rows, call, terminal)?;
    } else if call.remove {
        let removed = suppress::remove(&installation, &named.targets, filter).await?;
        if removed.iter().any(suppress::is_own) {
            terminal.message(
                "note: some had unsubscribed themselves; their consent stays no until they say otherwise",
            );
        }
        if call.json {
            terminal
                .json(&json!({"version": 1, "removed": removed.iter().map(as_json).collect::<Vec<_>>()}))?;
        } else {
            let what = counted(removed.len() as u64, "suppression", "suppressions");
            terminal.result(&format!("{what} removed\n"))?;
        }
    } else {
        let cause = filter.cause.unwrap_or(SuppressionCause::Import);
        if filter.scope.is_some_and(|scope| scope != cause.scope()) {
            let held = match cause.scope() {
                SuppressionScope::All => "a bounce or complaint holds back transactional mail, too",
                SuppressionScope::Marketing => {
                    "only a bounce or complaint holds back transactional mail, too"
                }
            };
            terminal.message(&format!("note: {held}, whatever the scope"));
        }
        let source = call.source.as_deref().unwrap_or("by hand");
        let added = suppress::add(&installation, &named.targets, cause, filter.scope, source).await?;
        let known = named.targets.len() as u64 - added;
        if call.json {
            terminal.json(&json!({
                "version": 1, "added": added, "known": known, "refused": named.problems,
            }))?;
        } else {
            let what = counted(added, "suppression", "suppressions");
            terminal.result(&format!("{what} added, {known} known already\n"))?;
        }
    }
    installation.close().await?;
    Ok(if named.problems.is_empty() { Exit::Fine } else { Exit::No })
}

fn show(
    installation: &Installation,
    rows: &[Suppression],
    call: &Suppress,
    terminal: Terminal,
) -> Result<(), Failure> {
    if call.json {
        let rows: Vec<Value> = rows.iter().map(as_json).collect();
        return terminal.json(&json!({"version": 1, "suppressions": rows}));
    }
    if rows.is_empty() {
        terminal.message("nobody is suppressed");
        return Ok(());
    }
    let zone = installation.project.settings.time_zone;
    let row = |row: &Suppression| {
        let (cause, scope) = (row.cause.word().to_owned(), row.scope.word().to_owned());
        vec![row.target.to_string(), cause, scope, shown::time(row.at, zone), row.source.clone()]
    };
    terminal.result(&shown::table(&["address", "cause", "scope", "since", "source"], rows.iter().map(row)))
}

pub(super) fn as_json(row: &Suppression) -> Value {
    json!({
        "address": row.target.as_str(),
        "cause": row.cause.word(),
        "scope": row.scope.word(),
        "since": row.at.to_string(),
        "source": row.source,
    })
}

fn cause(word: &str) -> Result<SuppressionCause, Failure> {
    let all = SuppressionCause::ALL.iter().map(|cause| cause.word());
    SuppressionCause::from_word(word).ok_or_else(|| unknown("cause", word, all))
}

fn scope(word: &str) -> Result<SuppressionScope, Failure> {
    let all = SuppressionScope::ALL.iter().map(|scope| scope.word());
    SuppressionScope::from_word(word).ok_or_else(|| unknown("scope", word, all))
}

fn unknown<'a>(what: &str, word: &str, all: impl Iterator<Item = &'a str>) -> Failure {
    let all: Vec<&str> = all.collect();
    Failure::call_with_hint(format!("no {what} is called `{word}`"), format!("there are: {}", all.join(", ")))
}
