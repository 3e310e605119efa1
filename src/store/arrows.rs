//! The arrows of the ledger ([`domain::arrow`](crate::domain::arrow)) as parts of statements. Every statement that
//! changes the state of a delivery is put together from these, so that none can take a step that has no name;
//! a test reads all sources of the store for others.

use crate::domain::arrow::Arrow;
use crate::domain::delivery::DeliveryState;

/// In a `SET`: the state to which an arrow leads.
pub(super) fn becomes(arrow: Arrow) -> String {
    format!("state = '{}'", arrow.end().word())
}

/// In a `WHERE`: rows at which an arrow begins; `state` is the column's name.
pub(super) fn begins(arrow: Arrow, state: &str) -> String {
    match arrow.origins() {
        [only] => format!("{state} = '{}'", only.word()),
        several => format!("{state} IN ({})", words(several)),
    }
}

fn words(states: &[DeliveryState]) -> String {
    let quoted: Vec<String> = states.iter().map(|state| format!("'{}'", state.word())).collect();
    quoted.join(", ")
}

/// The state that follows, where each row names its step: a step is one arrow, or several that begin in
/// different states, and goes by the name of its first. NULL where no arrow of the step begins at the row.
pub(super) fn following(steps: &[&[Arrow]], step: &str, state: &str) -> String {
    let named = steps.iter().filter_map(|arrows| {
        let from = |arrow: &Arrow| {
            format!("WHEN {state} IN ({}) THEN '{}'", words(arrow.origins()), arrow.end().word())
        };
        let ends: Vec<String> = arrows.iter().map(from).collect();
        Some(format!("WHEN '{}' THEN CASE {} END", arrows.first()?.word(), ends.join(" ")))
    });
    format!("CASE {step} {} END", named.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn arrows_are_spelled_as_parts_of_statements() {
        assert_eq!(becomes(Arrow::Claim), "state = 'claimed'");
        assert_eq!(begins(Arrow::Claim, "d.state"), "d.state IN ('planned', 'deferred')");
        assert_eq!(begins(Arrow::Accept, "state"), "state = 'transmitting'");
        let release: &[Arrow] = &[Arrow::Release, Arrow::TakeBack];
        insta::assert_snapshot!(
            following(&[&[Arrow::Accept], release], "given.step", "d.state"),
            @"CASE given.step WHEN 'accept' THEN CASE WHEN d.state IN ('transmitting') THEN 'accepted' END WHEN 'release' THEN CASE WHEN d.state IN ('claimed') THEN 'planned' WHEN d.state IN ('transmitting') THEN 'deferred' END END"
        );
    }

    /// A state that a statement spells out itself would be a step without a name.
    #[test]
    fn no_statement_sets_a_state_by_itself() {
        let mut statements = 0;
        look_into(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut statements);
        assert!(statements >= 10, "only {statements} were found");
    }

    fn look_into(folder: &Path, statements: &mut usize) {
        for entry in std::fs::read_dir(folder).expect("sources are there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                look_into(&path, statements);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("sources are text");
                // This file speaks of the words that it looks for.
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                for update in text.split("UPDATE deliveries").skip(1) {
                    *statements += 1;
                    let set = update.split("WHERE").next().unwrap_or_default();
                    let by_itself = DeliveryState::ALL.iter().find(|state| {
                        let word = state.word();
                        set.contains(&format!("state = '{word}'"))
                            || set.contains(&format!("THEN '{word}'"))
                            || set.contains(&format!("ELSE '{word}'"))
                    });
                    assert_eq!(by_itself, None, "{} spells a state: {set}", path.display());
                }
            }
        }
    }
}
