//! A condition to its parts: segments are unfolded where they are named, each part is compiled, and
//! each leaf knows how to read its value.

use std::collections::HashMap;

use super::reading::{AskedLeaf, ReadEvents, ReadRanked, Reading};
use super::tree::PartKind;
use super::trial::Acts;
use crate::domain::catalogue::{Catalogue, EvaluationSettings, EventType};
use crate::domain::condition::{
    AttributeRef, Condition, EventLeaf, EventQuery, Measure, MeasureKind, PropertyName, Test,
};
use crate::domain::event::EventNameId;
use crate::domain::history::{ChunkKey, ContactPart, Needs};
use crate::domain::name::{EventName, ScoreName, SegmentName};
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
    /// What can happen.
    pub(super) acts: Acts,
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
        // What has not happened to anybody can still happen.
        let number = |place: usize| EventNameId((ChunkKey::NAMES - 1).saturating_sub(place as u32));
        let numbers: HashMap<&str, EventNameId> = catalogue
            .events
            .values()
            .enumerate()
            .map(|(place, event)| {
                (event.wire_name.as_str(), event_id(&event.wire_name).unwrap_or(number(place)))
            })
            .collect();
        let event_id = |name: &str| numbers.get(name).copied().or_else(|| event_id(name));
        let compiler = Compiler::new(catalogue, settings, &event_id);
        let event_id = &event_id;
        let mut asking = Asking { compiler, catalogue, settings, event_id, within: Vec::new(), parts: 0 };
        let root = asking.part(condition);
        let act = |(name, event): (&EventName, &EventType)| {
            Some((name.clone(), (*numbers.get(event.wire_name.as_str())?, event.clone())))
        };
        let acts = catalogue.events.iter().filter_map(act).collect();
        Self { program: asking.compiler.finish(), root, acts }
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
    settings: EvaluationSettings,
    event_id: &'a dyn Fn(&str) -> Option<EventNameId>,
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
            alone: Some(self.alone(|compiler| {
                compiler.ask_place(ranked);
                let ranking = compiler.ranking(&Ranking { by: by.clone(), among: None });
                compiler.program.rankings.push(ranking);
            })),
        })
    }

    /// A leaf, compiled by itself.
    fn alone(&self, ask: impl FnOnce(&mut Compiler<'_>)) -> Box<Program> {
        let mut compiler = Compiler::new(self.catalogue, self.settings, self.event_id);
        ask(&mut compiler);
        Box::new(compiler.finish())
    }

    /// As [`alone`](Self::alone), of what events amount to.
    fn alone_of(&self, condition: &Condition, query: &EventQuery, kind: &MeasureKind) -> Box<Program> {
        self.alone(|compiler| {
            compiler.ask(condition);
            let measured = compiler.measured(query, kind, Yields::Value);
            compiler.program.traits.push(Some(measured));
        })
    }

    fn leaf(&mut self, condition: &Condition) -> Option<AskedLeaf> {
        let leaf = |subject: &str, reading, value_type, test: &Test| AskedLeaf {
            subject: subject.to_owned(),
            reading,
            value_type,
            test: test.clone(),
            defined: None,
            alone: None,
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
                    alone: Some(self.alone_of(condition, &declared.events, &declared.measure)),
                    ..leaf(name.as_str(), reading, declared.value_type, test)
                }
            }
            Condition::Score(name, test) => {
                let alone = self.alone(|compiler| {
                    compiler.ask(condition);
                });
                let reading = self.score(name)?;
                AskedLeaf { alone: Some(alone), ..leaf(name.as_str(), reading, ValueType::Number, test) }
            }
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
        let leaf = EventLeaf { events: events.clone(), measures: vec![measure.clone()] };
        let alone = Some(self.alone_of(&Condition::Did(leaf), events, &measure.kind));
        AskedLeaf { subject, reading, value_type, test: measure.test.clone(), defined: None, alone }
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
        let points = declared.points.iter().map(|(event, points)| (event.clone(), *points)).collect();
        Some(Reading::Score { name: name.clone(), points, place, levels, range: declared.range })
    }
}
