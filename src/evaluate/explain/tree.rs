//! The explanation, as a value: what is said of it for people and programs is written by others.

use crate::domain::consent::ConsentState;
use crate::domain::name::EventName;
use crate::domain::number::Number;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value;

/// Why a condition holds for a contact at an instant, or does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The instant that was asked about.
    pub at: Timestamp,
    /// The contact's zone, in which its calendar is read.
    pub zone: Zone,
    /// The condition.
    pub root: Part,
    /// The numbers of the leaves that, changed together, turn the answer: as few as can be. `None`: nothing
    /// that is known of turns it.
    pub smallest: Option<Vec<usize>>,
    /// The numbers of other leaves that rest on what changes then (the same events, the same attribute): whether
    /// they turn as well was not asked.
    pub touched: Vec<usize>,
}

/// A part of a condition, with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its place in the order of reading, from 0.
    pub number: usize,
    /// What it is.
    pub kind: PartKind,
    /// The words of the YAML: of a group its key, of a leaf all of it.
    pub words: String,
    /// Its answer.
    pub holds: bool,
    /// Whether the whole answer rests on this one: of a failing `all` the failing parts, of an `any` that
    /// holds those that hold, else all of them.
    pub decides: bool,
    /// When its answer becomes another, if nothing new happens; `None`: never.
    pub turns: Option<Turn>,
    /// What it is made of, in the order of writing.
    pub parts: Vec<Self>,
    /// What was found, where it is a leaf.
    pub leaf: Option<Leaf>,
}

/// What a part of a condition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// All parts hold.
    All,
    /// At least one does.
    Any,
    /// None does.
    None,
    /// A segment; its one part is its condition. Without a part: the page would be too long.
    Segment,
    /// `did` with several measures, all of which hold: its parts.
    Did,
    /// A place among the members of a segment: being one, and the place.
    Ranked,
    /// Everyone.
    Everyone,
    /// A test of one value.
    Leaf,
}

/// When an answer becomes another by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The instant.
    pub at: Timestamp,
    /// Whether it does become another then; `false`: not earlier, and no more is known.
    pub is_certain: bool,
}

/// What a leaf found.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// What is tested: `country`, `spend_12m`, `times`.
    pub subject: String,
    /// The contact's value; `None`: missing.
    pub value: Option<Value>,
    /// Why there is no value.
    pub absence: Option<Absence>,
    /// What goes with the value: a score's level, since when a consent is given.
    pub note: Option<String>,
    /// What a trait measures.
    pub defined: Option<String>,
    /// The events that it is made of.
    pub events: Option<Evidence>,
    /// Of a place in a ranking, where it lies.
    pub place: Option<Placed>,
    /// What would turn this leaf; `None`: nothing that is known of.
    pub change: Option<Change>,
    /// What it rests on: `event purchase`, `attribute country`. Leaves that share one change together.
    pub rests_on: Vec<String>,
}

/// Where a place in a ranking lies, by the thresholds of the last ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The instant of the ranking; `None`: there was none yet.
    pub at: Option<Timestamp>,
    /// How many contacts were ranked.
    pub contacts: u64,
    /// The least and the greatest value that is in, where there is one; `None`: nobody is in.
    pub bounds: Option<(Option<Value>, Option<Value>)>,
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// None is known of the contact.
    Unknown,
    /// There is one that does not fit its type.
    Unreadable(String),
    /// There is no event to compute it from.
    NoEvents,
    /// Fewer than the two events that a gap lies between.
    TooFew,
    /// There are events, without the property.
    NoProperty,
}

/// The events that a leaf rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Their name.
    pub event: EventName,
    /// How many counted; of events that `per` makes one, each.
    pub counted: u64,
    /// Where the window begins; `None`: with the first event.
    pub from: Option<WindowEnd>,
    /// Where it ends.
    pub to: WindowEnd,
    /// The last of those that counted, latest first.
    pub latest: Vec<Counted>,
}

/// An end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowEnd {
    /// The instant.
    pub at: Timestamp,
    /// Whether an event at that very instant is in the window.
    pub is_in: bool,
}

/// An event that counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// When it happened.
    pub at: Timestamp,
    /// Its properties that were asked for, where it has them.
    pub properties: Vec<(String, Value)>,
}

/// What would turn a leaf, if nothing else changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `142.5 more amount of purchase, within: 12 months`.
    pub words: String,
    /// The value with which the leaf has the other answer.
    pub to: Target,
    /// Whose doing it is.
    pub means: Means,
    /// How far it is from what is, against the size of it; to choose the nearest by.
    pub distance: f64,
    /// What need only happen, where it is of events: tried, it turned the leaf.
    pub example: Vec<Doing>,
    /// From when on the leaf is turned by it; `None`: at once.
    pub from: Option<Timestamp>,
}

/// An event that would happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Doing {
    /// Its name.
    pub event: EventName,
    /// When it would happen: now or later.
    pub at: Timestamp,
    /// Its properties by their names on the wire.
    pub properties: Vec<(String, Value)>,
}

/// A value with which a leaf has the other answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// This number is the nearest.
    Number(Number),
    /// This value.
    Value(Value),
    /// Whatever value the test does not name.
    Other,
    /// Whatever value there is.
    Present,
    /// No value.
    Absent,
    /// This consent, given now.
    Consent(ConsentState),
}

/// By what a value comes to be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Means {
    /// Something is done, or becomes known.
    Data,
    /// What happened leaves the window: nobody can do it.
    Time,
}

impl Explanation {
    /// Whether the condition holds.
    pub const fn holds(&self) -> bool {
        self.root.holds
    }

    /// All parts in the order of reading.
    pub fn parts(&self) -> Vec<&Part> {
        let mut all = Vec::new();
        collect(&self.root, &mut all);
        all
    }

    /// The leaves that the smallest change touches, too.
    pub fn touched_parts(&self) -> Vec<&Part> {
        self.parts().into_iter().filter(|part| self.touched.contains(&part.number)).collect()
    }

    /// Whether a part is a place in a ranking.
    pub fn has_places(&self) -> bool {
        self.parts().iter().any(|part| part.leaf.as_ref().is_some_and(|leaf| leaf.place.is_some()))
    }

    /// The leaves whose changes, together, turn the answer.
    pub fn smallest_changes(&self) -> Vec<&Part> {
        let Some(numbers) = &self.smallest else { return Vec::new() };
        self.parts().into_iter().filter(|part| numbers.contains(&part.number)).collect()
    }
}

fn collect<'p>(part: &'p Part, all: &mut Vec<&'p Part>) {
    all.push(part);
    for part in &part.parts {
        collect(part, all);
    }
}
