//! What a leaf reads, and what is asked of it.

use crate::domain::condition::{AttributeRef, Bucket, ConsentTest, EventQuery, MeasureKind, Test};
use crate::domain::consent::Purpose;
use crate::domain::name::{EventName, ScoreName};
use crate::domain::number::Number;
use crate::domain::ranking::Ranked;
use crate::domain::value::ValueType;
use crate::evaluate::program::Program;

/// A test of one value.
#[derive(Debug)]
pub(super) struct AskedLeaf {
    /// What messages call what is tested.
    pub(super) subject: String,
    pub(super) reading: Reading,
    pub(super) value_type: ValueType,
    pub(super) test: Test,
    /// What a trait measures.
    pub(super) defined: Option<String>,
    /// Of events: the leaf by itself with its value, to be tried with more of them.
    pub(super) alone: Option<Box<Program>>,
}

/// Where a leaf's value comes from.
#[derive(Debug)]
pub(super) enum Reading {
    /// An attribute, by its name on the wire.
    Attribute(String),
    /// A built-in fact.
    Fact(AttributeRef),
    Events(Box<ReadEvents>),
    Score {
        name: ScoreName,
        /// What gives it points.
        points: Vec<(EventName, Number)>,
        place: usize,
        levels: Vec<String>,
        range: (Number, Number),
    },
    Consent(Purpose, ConsentTest),
    Bucket(Bucket),
    Ranked(Box<ReadRanked>),
}

/// A place in a ranking.
#[derive(Debug)]
pub(super) struct ReadRanked {
    /// The place of the value among the program's rankings.
    pub(super) rank: usize,
    pub(super) ranked: Ranked,
    /// The events that the value is made of.
    pub(super) events: ReadEvents,
}

impl AskedLeaf {
    /// What changes the value, by name.
    pub(super) fn rests_on(&self) -> Vec<String> {
        let of_query = |query: &EventQuery| {
            let followers = std::iter::successors(query.then.as_deref(), |then| then.then.as_deref());
            std::iter::once(&query.event).chain(followers.map(|then| &then.event)).map(of_event).collect()
        };
        match &self.reading {
            Reading::Attribute(_) | Reading::Fact(_) => vec![format!("attribute {}", self.subject)],
            Reading::Events(read) => of_query(&read.query),
            Reading::Ranked(read) => of_query(&read.events.query),
            Reading::Score { points, .. } => points.iter().map(|(event, _)| of_event(event)).collect(),
            Reading::Consent(purpose, _) => vec![format!("consent {}", purpose.word())],
            Reading::Bucket(_) => Vec::new(),
        }
    }
}

fn of_event(event: &EventName) -> String {
    format!("event {event}")
}

impl Reading {
    /// Whether another reads the same value.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Attribute(one), Self::Attribute(other)) => one == other,
            (Self::Fact(one), Self::Fact(other)) => one == other,
            (Self::Events(one), Self::Events(other)) => one.query == other.query && one.kind == other.kind,
            (Self::Score { name: one, .. }, Self::Score { name: other, .. }) => one == other,
            (Self::Consent(one, _), Self::Consent(other, _)) => one == other,
            (Self::Ranked(one), Self::Ranked(other)) => one.ranked.ranking.by == other.ranked.ranking.by,
            _ => false,
        }
    }
}

/// What events amount to.
#[derive(Debug)]
pub(super) struct ReadEvents {
    /// The place of the amount among the program's traits.
    pub(super) place: usize,
    pub(super) query: EventQuery,
    pub(super) kind: MeasureKind,
    /// Properties that are shown of events, and their slots.
    pub(super) shown: Vec<(String, usize)>,
}
