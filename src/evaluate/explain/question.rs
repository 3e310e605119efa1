//! A condition to its parts: segments are unfolded where they are named, each part is compiled, and
//! each leaf knows how to read its value.

use super::tree::PartKind;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::{
    AttributeRef, Bucket, Condition, ConsentTest, EventLeaf, EventQuery, Measure, MeasureKind, PropertyName,
    Test,
};
use crate::domain::consent::Purpose;
use crate::domain::event::EventNameId;
use crate::domain::history::{ContactPart, Needs};
use crate::domain::name::{EventName, ScoreName, SegmentName};
use crate::domain::number::Number;
use crate::domain::ranking::{Ranked, Ranking};
use crate::domain::time::Timestamp;
use crate::domain::value::ValueType;
use crate::domain::written;
use crate::evaluate::compile::{Compiler, Yields};
use crate::evaluate::program::Program;

/// A condition of which one contact's answer is to be explained.
#[derive(Debug)]
pub struct Question {
    pub(super) program: Program,
    pub(super) root: Asked,
}

/// A part of the condition, compiled.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) kind: PartKind,
    pub(super) words: String,
    /// The place of its answer among the program's outcomes.
    pub(super) outcome: usize,
    pub(super) parts: Vec<Self>,
    pub(super) leaf: Option<AskedLeaf>,
}

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
        events: Vec<EventName>,
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
            Reading::Score { events, .. } => events.iter().map(of_event).collect(),
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

/// More parts than this nobody reads: what a segment asks is not unfolded any more.
const MOST_PARTS: usize = 2_000;

/// So many properties of an event are shown.
const MOST_SHOWN: usize = 4;

impl Question {
    /// Compiles a condition of a valid catalogue, part by part. `event_id` as for
    /// [`Program::compile`].
    pub fn compile(
        catalogue: &Catalogue,
        settings: EvaluationSettings,
        condition: &Condition,
        event_id: &dyn Fn(&str) -> Option<EventNameId>,
    ) -> Self {
        let compiler = Compiler::new(catalogue, settings, event_id);
        let mut asking = Asking { compiler, catalogue, within: Vec::new(), parts: 0 };
        let root = asking.part(condition);
        Self { program: asking.compiler.finish(), root }
    }

    /// What is evaluated; its rankings are those of which the population must know the thresholds.
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// What must be read of the contact and its history for an explanation at `now`.
    pub fn needs(&self, now: Timestamp) -> Needs {
        let mut needs = self.program.needs(now);
        needs.contact = ContactPart::Whole;
        needs
    }
}

struct Asking<'a> {
    compiler: Compiler<'a>,
    catalogue: &'a Catalogue,
    /// The segments that are being unfolded.
    within: Vec<SegmentName>,
    parts: usize,
}

impl Asking<'_> {
    fn part(&mut self, condition: &Condition) -> Asked {
        self.parts += 1;
        let outcome = self.compiler.ask(condition);
        let group =
            |kind, words: &str, parts| Asked { kind, words: words.to_owned(), outcome, parts, leaf: None };
        match condition {
            Condition::Everyone => group(PartKind::Everyone, "everyone", Vec::new()),
            Condition::All(parts) => group(PartKind::All, "all", self.each(parts)),
            Condition::Any(parts) => group(PartKind::Any, "any", self.each(parts)),
            Condition::None(parts) => group(PartKind::None, "none", self.each(parts)),
            Condition::Segment(name) => {
                let parts = self.segment(name);
                group(PartKind::Segment, name.as_str(), parts)
            }
            Condition::Did(EventLeaf { events, measures }) if measures.len() != 1 => {
                let parts = measures.iter().map(|measure| self.measure(events, measure)).collect();
                group(PartKind::Did, &format!("did: {}", written::query(events)), parts)
            }
            Condition::Ranked(ranked) => self.ranked(ranked, outcome),
            leaf => Asked {
                kind: PartKind::Leaf,
                words: written::condition(leaf),
                outcome,
                parts: Vec::new(),
                leaf: self.leaf(leaf),
            },
        }
    }

    fn each(&mut self, parts: &[Condition]) -> Vec<Asked> {
        parts.iter().map(|part| self.part(part)).collect()
    }

    /// The condition of a segment, as its one part.
    fn segment(&mut self, name: &SegmentName) -> Vec<Asked> {
        if self.parts > MOST_PARTS || self.within.contains(name) {
            return Vec::new();
        }
        let Some(segment) = self.catalogue.segments.get(name) else { return Vec::new() };
        self.within.push(name.clone());
        let part = self.part(&segment.condition);
        self.within.pop();
        vec![part]
    }

    /// One of several measures of the same events.
    fn measure(&mut self, events: &EventQuery, measure: &Measure) -> Asked {
        self.parts += 1;
        let alone = EventLeaf { events: events.clone(), measures: vec![measure.clone()] };
        let outcome = self.compiler.ask(&Condition::Did(alone));
        let words = written::measure(measure);
        let leaf = Some(self.did(events, measure));
        Asked { kind: PartKind::Leaf, words, outcome, parts: Vec::new(), leaf }
    }

    /// A place; where it is among a segment, being a member of that is a part of its own.
    fn ranked(&mut self, ranked: &Ranked, whole: usize) -> Asked {
        let words = written::condition(&Condition::Ranked(ranked.clone()));
        let Some(among) = &ranked.ranking.among else {
            let leaf = self.place(ranked);
            return Asked { kind: PartKind::Leaf, words, outcome: whole, parts: Vec::new(), leaf };
        };
        self.parts += 1;
        let outcome = self.compiler.ask_place(ranked);
        let leaf = self.place(ranked);
        let alone =
            Asked { kind: PartKind::Leaf, words: "the place".to_owned(), outcome, parts: Vec::new(), leaf };
        let parts = vec![self.part(&Condition::Segment(among.clone())), alone];
        Asked { kind: PartKind::Ranked, words, outcome: whole, parts, leaf: None }
    }

    fn place(&mut self, ranked: &Ranked) -> Option<AskedLeaf> {
        let by = &ranked.ranking.by;
        let declared = self.catalogue.traits.get(by)?;
        let ranking = self.compiler.ranking(&Ranking { by: by.clone(), among: None });
        let rank = self.compiler.program.rankings.len();
        self.compiler.program.rankings.push(ranking);
        let events = self.read(&declared.events, &declared.measure);
        Some(AskedLeaf {
            subject: by.to_string(),
            reading: Reading::Ranked(Box::new(ReadRanked { rank, ranked: ranked.clone(), events })),
            value_type: declared.value_type,
            test: Test { operators: Vec::new(), exact_case: false },
            defined: Some(written::of_trait(&declared.events, &declared.measure)),
        })
    }

    fn leaf(&mut self, condition: &Condition) -> Option<AskedLeaf> {
        let leaf = |subject: &str, reading, value_type, test: &Test| AskedLeaf {
            subject: subject.to_owned(),
            reading,
            value_type,
            test: test.clone(),
            defined: None,
        };
        let untested = Test { operators: Vec::new(), exact_case: false };
        Some(match condition {
            Condition::Attribute(AttributeRef::Declared(name), test) => {
                let declared = self.catalogue.attributes.get(name)?;
                let reading = Reading::Attribute(declared.wire_name.clone());
                leaf(name.as_str(), reading, declared.value_type, test)
            }
            Condition::Attribute(fact, test) => {
                let value_type = match fact {
                    AttributeRef::CreatedAt => ValueType::Datetime,
                    _ => ValueType::Text,
                };
                leaf(written::attribute_name(fact), Reading::Fact(fact.clone()), value_type, test)
            }
            Condition::Trait(name, test) => {
                let declared = self.catalogue.traits.get(name)?;
                let reading = Reading::Events(Box::new(self.read(&declared.events, &declared.measure)));
                AskedLeaf {
                    defined: Some(written::of_trait(&declared.events, &declared.measure)),
                    ..leaf(name.as_str(), reading, declared.value_type, test)
                }
            }
            Condition::Score(name, test) => leaf(name.as_str(), self.score(name)?, ValueType::Number, test),
            Condition::Consent(purpose, test) => {
                let subject = format!("consent to {}", purpose.word());
                leaf(&subject, Reading::Consent(*purpose, *test), ValueType::Text, &untested)
            }
            Condition::Bucket(bucket) => {
                leaf("bucket", Reading::Bucket(bucket.clone()), ValueType::Number, &untested)
            }
            Condition::Did(EventLeaf { events, measures }) => {
                return Some(self.did(events, measures.first()?));
            }
            _ => return None,
        })
    }

    fn did(&mut self, events: &EventQuery, measure: &Measure) -> AskedLeaf {
        let (word, property) = written::measure_words(&measure.kind);
        let subject = match property {
            Some(property) => format!("{word} of {}", property.0),
            None => word.to_owned(),
        };
        let value_type = match &measure.kind {
            MeasureKind::FirstAt | MeasureKind::LastAt => ValueType::Datetime,
            MeasureKind::MostCommon(property) | MeasureKind::Latest(property) => {
                self.compiler.property_type(events, property)
            }
            _ => ValueType::Number,
        };
        let reading = Reading::Events(Box::new(self.read(events, &measure.kind)));
        AskedLeaf { subject, reading, value_type, test: measure.test.clone(), defined: None }
    }

    fn read(&mut self, query: &EventQuery, kind: &MeasureKind) -> ReadEvents {
        let mut measured = self.compiler.measured(query, kind, Yields::Value);
        let mut properties: Vec<&PropertyName> = Vec::new();
        let of_share = match kind {
            MeasureKind::Share(tests) => tests.iter().map(|(property, _)| property).collect(),
            _ => Vec::new(),
        };
        let measured_property = written::measure_words(kind).1;
        let filtered = query.filter.iter().map(|(property, _)| property);
        for property in measured_property.into_iter().chain(&query.per).chain(of_share).chain(filtered) {
            if !properties.contains(&property) && properties.len() < MOST_SHOWN {
                properties.push(property);
            }
        }
        let shown: Vec<_> = properties
            .into_iter()
            .map(|property| (property.0.clone(), self.compiler.shown_property(query, property)))
            .collect();
        measured.reads_properties |= !shown.is_empty();
        let place = self.compiler.program.traits.len();
        self.compiler.program.traits.push(Some(measured));
        ReadEvents { place, query: query.clone(), kind: kind.clone(), shown }
    }

    fn score(&mut self, name: &ScoreName) -> Option<Reading> {
        let declared = self.catalogue.scores.get(name)?;
        let score = self.compiler.score(name);
        let place = self.compiler.program.asked_scores.len();
        self.compiler.program.asked_scores.push(score);
        let levels = declared.levels.iter().map(|level| level.name.clone()).collect();
        let events = declared.points.keys().cloned().collect();
        Some(Reading::Score { name: name.clone(), events, place, levels, range: declared.range })
    }
}
