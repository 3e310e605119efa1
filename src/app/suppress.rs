//! Addresses, hashes and domains that get no mail: put on the list, taken off, shown.

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::consent::OwnAnswer;
use crate::domain::delivery::{SuppressionCause, SuppressionScope};
use crate::domain::suppression::{SuppressionTarget, TargetKind};
use crate::store::suppressions;

use super::{Failure, Installation};

pub use crate::store::suppressions::{Suppression, SuppressionFilter};

/// What was named, and what of it names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// Without repetitions, in order.
    pub targets: Vec<SuppressionTarget>,
    /// Where, and why.
    pub problems: Vec<String>,
}

/// Reads targets as they were typed, and those of a file: one a line; what stands behind a `#`, and empty
/// lines, do not count. `-` is standard input.
pub fn read(typed: &[String], file: Option<&Path>) -> Result<Targets, Failure> {
    let mut targets = BTreeSet::new();
    let mut problems = Vec::new();
    let mut take = |text: &str, place: String| match SuppressionTarget::parse(text) {
        Ok(target) => drop(targets.insert(target)),
        Err(error) => problems.push(format!("{place}{error}")),
    };
    for text in typed {
        take(text.trim(), String::new());
    }
    if let Some(file) = file {
        let text = if file.as_os_str() == "-" {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(file)
        };
        let shown = file.display();
        let text = text.map_err(|error| Failure::call(format!("cannot read `{shown}`: {error}")))?;
        // Windows writes a mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                take(line, format!("{shown}:{}: ", index + 1));
            }
        }
    }
    Ok(Targets { targets: targets.into_iter().collect(), problems })
}

/// Suppresses targets from now on; says how many suppressions are new.
pub async fn add(
    installation: &Installation,
    targets: &[SuppressionTarget],
    cause: SuppressionCause,
    scope: Option<SuppressionScope>,
    source: &str,
) -> Result<u64, Failure> {
    let at = installation.clock.now();
    let suppression = |target: &SuppressionTarget| Suppression {
        target: target.clone(),
        cause,
        scope: scope.unwrap_or_else(|| cause.scope()),
        at,
        source: source.to_owned(),
    };
    let rows: Vec<_> = targets.iter().map(suppression).collect();
    suppressions::add(&installation.store, &rows).await.map_err(|error| installation.failed(error))
}

/// Takes targets off the list, as far as `filter` means them; gives what they were.
pub async fn remove(
    installation: &Installation,
    targets: &[SuppressionTarget],
    filter: SuppressionFilter,
) -> Result<Vec<Suppression>, Failure> {
    suppressions::remove(&installation.store, targets, filter)
        .await
        .map_err(|error| installation.failed(error))
}

/// The list, by target, as far as `filter` means it; of some targets, if any are named.
pub async fn list(
    installation: &Installation,
    targets: &[SuppressionTarget],
    filter: SuppressionFilter,
) -> Result<Vec<Suppression>, Failure> {
    let mut all = suppressions::all(&installation.store).await.map_err(|error| installation.failed(error))?;
    // Whoever asks for an address wants to know what holds its mail back: also its domain and its hash.
    let named: BTreeSet<SuppressionTarget> =
        targets.iter().cloned().chain(targets.iter().flat_map(|target| naming(target.as_str()))).collect();
    all.retain(|row| {
        (named.is_empty() || named.contains(&row.target))
            && filter.cause.is_none_or(|cause| cause == row.cause)
            && filter.scope.is_none_or(|scope| scope == row.scope)
    });
    Ok(all)
}

fn naming(text: &str) -> Vec<SuppressionTarget> {
    let is_address = SuppressionTarget::stored(text.to_owned()).kind() == TargetKind::Address;
    if is_address { SuppressionTarget::all_of(text).to_vec() } else { Vec::new() }
}

/// Whether the person whom it names made it themselves.
pub fn is_own(suppression: &Suppression) -> bool {
    OwnAnswer::is_source(&suppression.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_belongs_to_no_address() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list.txt");
        std::fs::write(&file, "\u{feff}ada@x.example\r\nben@x.example\r\n").unwrap();
        let read = read(&[], Some(&file)).unwrap();
        assert_eq!(read.problems, [""; 0]);
        let expected = ["ada@x.example", "ben@x.example"].map(|text| SuppressionTarget::parse(text).unwrap());
        assert_eq!(read.targets, expected);
    }
}
