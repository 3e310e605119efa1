//! What an answer rests on but data: declarations, settings, this version of the program. Where that is
//! another than the last time, whoever enters was brought in by it and not by what they did.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;

/// A fingerprint of a condition and of all that it names, directly or by way of others.
pub fn fingerprint(catalogue: &Catalogue, settings: EvaluationSettings, condition: &Condition) -> String {
    // Names are read off what `Debug` writes, where each stands in its type: so a new kind of condition
    // cannot be forgotten here. A kind of name that is new itself makes everything count.
    let mut rests_on = format!("{} {settings:?} {condition:?}", env!("CARGO_PKG_VERSION"));
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    let mut read = 0;
    while read < rests_on.len() {
        let fresh = names(&rests_on[read..]).into_iter().filter(|name| known.insert(name.clone()));
        let fresh: Vec<_> = fresh.collect();
        read = rests_on.len();
        for (kind, name) in fresh {
            let _ = write!(rests_on, " {}", declared(catalogue, &kind, &name));
        }
    }
    let digest = Sha256::digest(rests_on);
    digest.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The declaration behind a name, as `Debug` writes it.
fn declared(catalogue: &Catalogue, kind: &str, name: &str) -> String {
    macro_rules! find {
        ($table:expr) => {
            format!("{:?}", $table.iter().find(|(key, _)| key.as_str() == name))
        };
    }
    match kind {
        // How often it is evaluated, and its description, change no answer.
        "SegmentName" => {
            let segment = catalogue.segments.iter().find(|(key, _)| key.as_str() == name);
            format!("{:?}", segment.map(|(_, segment)| &segment.condition))
        }
        "TraitName" => find!(catalogue.traits),
        "ScoreName" => find!(catalogue.scores),
        "AttributeName" => find!(catalogue.attributes),
        "EventName" => find!(catalogue.events),
        // It belongs to the event that is named beside it.
        "PropertyName" => String::new(),
        _ => format!("{catalogue:?}"),
    }
}

/// All `SomethingName("…")` in a text: kind and name.
fn names(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (place, _) in text.match_indices("Name(\"") {
        let before = &text[..place];
        let start = before.rfind(|char: char| !char.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let kind = &text[start..place + "Name".len()];
        let name = text[place + "Name(\"".len()..].split('"').next().unwrap_or_default();
        found.push((kind.to_owned(), name.to_owned()));
    }
    found
}
