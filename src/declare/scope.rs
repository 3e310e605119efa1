//! What is declared, for readers that meet a name: found, unknown, or declared in a way that was
//! reported already.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Problem, did_you_mean, similar::listed};
use crate::domain::catalogue::{Attribute, EventType, Property, Trait};
use crate::domain::condition::PropertyName;
use crate::domain::name::{AttributeName, EventName, ScoreName, TraitName};
use crate::domain::score::Score;
use crate::domain::time::Zone;
use crate::yaml::{Name, Reader};

/// After so many errors no name is compared with all others any more: nobody reads on, and in a
/// large generated project it would take longer than everything else.
const MOST_COMPARED: usize = 200;

/// Declarations of one kind by name; `None` for one that is wrong.
pub(super) type Table<T> = BTreeMap<String, Option<T>>;

/// Everything that names can stand for.
#[derive(Debug)]
pub(super) struct Scope {
    /// The installation's zone, in which absolute times are read.
    pub(super) time_zone: Zone,
    /// Attributes.
    pub(super) attributes: Table<(AttributeName, Attribute)>,
    /// Events, those that the daemon records among them.
    pub(super) events: Table<(EventName, EventType)>,
    /// Traits.
    pub(super) traits: Table<(TraitName, Trait)>,
    /// Scores.
    pub(super) scores: Table<(ScoreName, Score)>,
    /// Segments.
    pub(super) segments: BTreeSet<String>,
    /// Words that may be names in files that could not be read: nothing is said of them.
    pub(super) lost: BTreeSet<String>,
}

impl Scope {
    /// The declaration of a name. An unknown name is reported with the one that was probably meant.
    pub(super) fn find<'t, T>(
        &self,
        reader: &mut Reader,
        kind: Kind,
        table: &'t Table<T>,
        name: &Name,
        built_in: &[&'static str],
    ) -> Option<&'t T> {
        if let Some(declared) = table.get(&name.text) {
            return declared.as_ref();
        }
        let known = table.keys().map(String::as_str).chain(built_in.iter().copied());
        self.unknown(reader, kind, name, known);
        None
    }

    /// Reports a name that is not declared.
    pub(super) fn unknown<'a>(
        &self,
        reader: &mut Reader,
        kind: Kind,
        name: &Name,
        known: impl Iterator<Item = &'a str>,
    ) {
        if self.lost.contains(&name.text) {
            return;
        }
        let known: Vec<_> = known.collect();
        let meant =
            (reader.errors() < MOST_COMPARED).then(|| did_you_mean(&name.text, known.iter().copied()));
        let hint = meant.flatten().or_else(|| match known.len() {
            0 => Some(format!("declare it under `{}:`", kind.section())),
            1..=12 => Some(format!("there are {}", listed(known.iter().copied()))),
            _ => None,
        });
        let message = format!("there is no {} `{}`", kind.word(), name.text);
        reader.report(Problem::error(kind.code(), message, name.place.clone()).maybe_hint(hint));
    }
}

/// A property of an event. An unknown one is reported.
pub(super) fn property<'e>(
    reader: &mut Reader,
    event: &EventName,
    declared: &'e EventType,
    name: &Name,
) -> Option<(PropertyName, &'e Property)> {
    let property = PropertyName(name.text.clone());
    if let Some(found) = declared.properties.get(&property) {
        return Some((property, found));
    }
    let known = || declared.properties.keys().map(|property| property.0.as_str());
    let hint = did_you_mean(&name.text, known()).unwrap_or_else(|| {
        if declared.properties.is_empty() {
            format!("declare it under `events: {{ {event}: {{ properties: … }} }}`")
        } else {
            format!("it has {}", listed(known()))
        }
    });
    let message = format!("the event `{event}` has no property `{}`", name.text);
    reader.report(Problem::error("unknown-property", message, name.place.clone()).hint(hint));
    None
}

/// The kinds of declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An attribute.
    Attribute,
    /// An event.
    Event,
    /// A trait.
    Trait,
    /// A score.
    Score,
    /// A segment.
    Segment,
    /// A campaign.
    Campaign,
}

impl Kind {
    /// All of them, in the order in which they are read: each needs only those before it.
    pub(super) const ALL: [Self; 6] =
        [Self::Attribute, Self::Event, Self::Trait, Self::Score, Self::Segment, Self::Campaign];

    /// The word for one.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Event => "event",
            Self::Trait => "trait",
            Self::Score => "score",
            Self::Segment => "segment",
            Self::Campaign => "campaign",
        }
    }

    /// The top-level key.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::Attribute => "attributes",
            Self::Event => "events",
            Self::Trait => "traits",
            Self::Score => "scores",
            Self::Segment => "segments",
            Self::Campaign => "campaigns",
        }
    }

    /// The code of a name that is not declared.
    const fn code(self) -> &'static str {
        match self {
            Self::Attribute => "unknown-attribute",
            Self::Event => "unknown-event",
            Self::Trait => "unknown-trait",
            Self::Score => "unknown-score",
            Self::Segment => "unknown-segment",
            Self::Campaign => "unknown-campaign",
        }
    }
}
