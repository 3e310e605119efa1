//! From a catalogue and what is asked for to a flat program.
//!
//! Segments are put in where they are named, and equal parts are one node, so that what several
//! segments ask is answered once. Parts of `all`, `any` and `none` stand cheapest first: what is
//! certain for good spares the others, and the order changes no answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::check::{Check, NumberTest, Surroundings};
use super::moment::Spans;
use super::program::{Asked, CompiledRanking, Node, Program, RankedNode, ScoreNode};
use super::slots::{Reader, Wanted};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::{
    AttributeRef, Condition, ConsentTest, EventQuery, Follower, MeasureKind, Test,
};
use crate::domain::event::EventNameId;
use crate::domain::name::{EventName, ScoreName, SegmentName};
use crate::domain::ranking::{Ranked, Ranking};
use crate::domain::value::ValueType;

impl Program {
    /// Compiles what is asked for of a valid catalogue. `event_id` knows the number of an
    /// event's name on the wire; an event that it does not know has not happened to anybody.
    pub fn compile(
        catalogue: &Catalogue,
        settings: EvaluationSettings,
        asked: &Asked<'_>,
        event_id: &dyn Fn(&str) -> Option<EventNameId>,
    ) -> Self {
        let mut compiler = Compiler::new(catalogue, settings, event_id);
        for condition in asked.conditions {
            compiler.ask(condition);
        }
        for name in asked.traits {
            let measured = catalogue
                .traits
                .get(name)
                .map(|declared| compiler.measured(&declared.events, &declared.measure, Yields::Value));
            compiler.program.traits.push(measured);
        }
        for name in asked.scores {
            let score = compiler.score(name);
            compiler.program.asked_scores.push(score);
        }
        for ranking in asked.rankings {
            let ranking = compiler.ranking(ranking);
            compiler.program.rankings.push(ranking);
        }
        compiler.finish()
    }
}

pub(super) struct Compiler<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) event_id: &'a dyn Fn(&str) -> Option<EventNameId>,
    pub(super) program: Program,
    /// The nodes of all conditions so far.
    known: HashMap<Condition, usize>,
    segments: HashMap<SegmentName, usize>,
    /// The places of all scores so far.
    pub(super) scores: HashMap<ScoreName, usize>,
    /// The places of all measures so far.
    pub(super) measures: HashMap<(EventQuery, MeasureKind, Yields), usize>,
    /// The places of all followers so far, by what they follow.
    pub(super) followers: HashMap<(EventName, Follower), usize>,
}

/// What a measure of events is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Yields {
    /// Its value.
    Value,
    /// Its value; a text is folded, to be compared.
    Folded,
    /// What contacts are ranked by: of no event at all, nothing.
    Rank,
}

impl<'a> Compiler<'a> {
    /// With nothing asked yet.
    pub(super) fn new(
        catalogue: &'a Catalogue,
        settings: EvaluationSettings,
        event_id: &'a dyn Fn(&str) -> Option<EventNameId>,
    ) -> Self {
        static PROGRAMS: AtomicU64 = AtomicU64::new(0);
        let program = Program {
            id: PROGRAMS.fetch_add(1, Ordering::Relaxed),
            zone: settings.time_zone,
            nodes: Vec::new(),
            conditions: Vec::new(),
            traits: Vec::new(),
            scores: Vec::new(),
            asked_scores: Vec::new(),
            ranked: Vec::new(),
            rankings: Vec::new(),
            attributes: Reader::new(settings.time_zone),
            facts: Vec::new(),
            streams: Vec::new(),
            spans: Spans::default(),
            followers: 0,
            measures: 0,
            uses_zone: false,
        };
        Self {
            catalogue,
            event_id,
            program,
            known: HashMap::new(),
            segments: HashMap::new(),
            scores: HashMap::new(),
            measures: HashMap::new(),
            followers: HashMap::new(),
        }
    }

    /// Asks for a condition; the place of its answer.
    pub(super) fn ask(&mut self, condition: &Condition) -> usize {
        let node = self.condition(condition);
        self.program.conditions.push(node);
        self.program.conditions.len() - 1
    }
}

impl Compiler<'_> {
    pub(super) fn finish(mut self) -> Program {
        // The slots of attributes are only now all known; those of facts come after them.
        let attributes = self.program.attributes.len();
        for node in &mut self.program.nodes {
            if let Node::Attribute(slot @ FIRST_FACT.., _) = node {
                *slot = *slot - FIRST_FACT + attributes;
            }
        }
        let mut names: Vec<_> = self.program.streams.iter().map(|stream| stream.name).collect();
        names.sort_unstable();
        for stream in &mut self.program.streams {
            stream.position = names.partition_point(|name| *name < stream.name);
        }
        self.program.uses_zone |= !self.program.spans.is_empty();
        self.program
    }

    fn condition(&mut self, condition: &Condition) -> usize {
        if let Some(known) = self.known.get(condition) {
            return *known;
        }
        let node = match condition {
            Condition::Everyone => self.add(Node::Constant(true)),
            Condition::Segment(name) => self.segment(name),
            Condition::All(parts) => {
                let parts = self.parts(parts);
                self.add(Node::All(parts))
            }
            Condition::Any(parts) => {
                let parts = self.parts(parts);
                self.add(Node::Any(parts))
            }
            Condition::None(parts) => {
                let parts = self.parts(parts);
                self.add(Node::None(parts))
            }
            Condition::Attribute(attribute, test) => self.attribute(attribute, test),
            Condition::Trait(name, test) => match self.catalogue.traits.get(name) {
                Some(declared) => self.events(&declared.events, &declared.measure, test, declared.value_type),
                None => self.add(Node::Constant(false)),
            },
            Condition::Score(name, test) => match self.score(name) {
                Some(score) => {
                    let test = NumberTest::compile(test);
                    let of_nothing = self.program.scores[score].holds_of_nothing(&test);
                    self.add(Node::Score(Box::new(ScoreNode { score, test, of_nothing })))
                }
                None => self.add(Node::Constant(false)),
            },
            Condition::Consent(purpose, ConsentTest::Is(state)) => self.add(Node::Consent(*purpose, *state)),
            Condition::Consent(purpose, ConsentTest::Since(bound)) => {
                let since = self.begin(*bound);
                self.add(Node::ConsentSince(*purpose, since))
            }
            Condition::Did(leaf) => self.leaf(leaf),
            Condition::Ranked(ranked) => self.ranked(ranked),
            Condition::Bucket(bucket) => self.add(Node::Bucket(bucket.clone())),
        };
        self.known.insert(condition.clone(), node);
        node
    }

    pub(super) fn add(&mut self, node: Node) -> usize {
        self.program.nodes.push(node);
        self.program.nodes.len() - 1
    }

    fn segment(&mut self, name: &SegmentName) -> usize {
        if let Some(known) = self.segments.get(name) {
            return *known;
        }
        // Stands for the segment in itself; a valid catalogue has no cycle.
        let nobody = self.add(Node::Constant(false));
        self.segments.insert(name.clone(), nobody);
        let Some(segment) = self.catalogue.segments.get(name) else { return nobody };
        let node = self.condition(&segment.condition);
        self.segments.insert(name.clone(), node);
        node
    }

    /// A place in a ranking and, where it is among a segment, being a member of that.
    fn ranked(&mut self, ranked: &Ranked) -> usize {
        let Some(CompiledRanking { measured, among }) = self.ranking(&ranked.ranking) else {
            return self.add(Node::Constant(false));
        };
        let known = &mut self.program.ranked;
        let place = known.iter().position(|known| known == ranked).unwrap_or_else(|| {
            known.push(ranked.clone());
            known.len() - 1
        });
        let node = self.add(Node::Ranked(Box::new(RankedNode { measured, place })));
        let Some(among) = among else { return node };
        let mut parts = vec![among, node];
        parts.sort_by_key(|node| self.cost(*node));
        self.add(Node::All(parts))
    }

    /// Asks for a place in a ranking alone, whoever is ranked; the place of its answer.
    pub(super) fn ask_place(&mut self, ranked: &Ranked) -> usize {
        let node = self.ranked(ranked);
        let place = match &self.program.nodes[node] {
            Node::All(parts) => {
                let is_place = |part: &&usize| matches!(self.program.nodes[**part], Node::Ranked(_));
                parts.iter().find(is_place).copied().unwrap_or(node)
            }
            _ => node,
        };
        self.program.conditions.push(place);
        self.program.conditions.len() - 1
    }

    pub(super) fn ranking(&mut self, ranking: &Ranking) -> Option<CompiledRanking> {
        let declared = self.catalogue.traits.get(&ranking.by)?;
        let measured = self.measured(&declared.events, &declared.measure, Yields::Rank);
        let among = ranking.among.as_ref().map(|name| self.segment(name));
        Some(CompiledRanking { measured, among })
    }

    fn parts(&mut self, parts: &[Condition]) -> Vec<usize> {
        let mut nodes: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        nodes.sort_by_key(|node| self.cost(*node));
        nodes.dedup();
        nodes
    }

    /// What answering a node costs, roughly; parts of parts as their dearest.
    fn cost(&self, node: usize) -> u8 {
        match &self.program.nodes[node] {
            Node::Constant(_) => 0,
            Node::Consent(..) | Node::ConsentSince(..) => 1,
            Node::Bucket(_) => 3,
            Node::Attribute(FIRST_FACT.., _) => 2,
            Node::Attribute(..) => 4,
            Node::Events(node) if node.measured.reads_properties => 6,
            Node::Ranked(node) if node.measured.reads_properties => 6,
            Node::Events(_) | Node::Ranked(_) => 5,
            Node::Score(_) => 7,
            Node::All(parts) | Node::Any(parts) | Node::None(parts) => {
                parts.iter().map(|part| self.cost(*part)).max().unwrap_or(0)
            }
        }
    }

    pub(super) fn check(&mut self, test: &Test, value_type: ValueType) -> Check {
        let mut around = Surroundings { zone: self.program.zone, spans: &mut self.program.spans };
        let check = Check::compile(test, value_type, &mut around);
        self.program.uses_zone |= check.uses_zone();
        check
    }

    fn attribute(&mut self, attribute: &AttributeRef, test: &Test) -> usize {
        let (slot, value_type) = match attribute {
            AttributeRef::Declared(name) => {
                let Some(declared) = self.catalogue.attributes.get(name) else {
                    return self.add(Node::Constant(false));
                };
                let wanted = wanted(&declared.wire_name, declared.value_type, !test.exact_case);
                (self.program.attributes.slot(wanted), declared.value_type)
            }
            AttributeRef::CreatedAt => (self.fact(attribute, false), ValueType::Datetime),
            _ => (self.fact(attribute, !test.exact_case), ValueType::Text),
        };
        let check = self.check(test, value_type);
        self.add(Node::Attribute(slot, check))
    }

    fn fact(&mut self, attribute: &AttributeRef, folded: bool) -> usize {
        let facts = &mut self.program.facts;
        let fact = (attribute.clone(), folded);
        let place = facts.iter().position(|known| *known == fact).unwrap_or_else(|| {
            facts.push(fact);
            facts.len() - 1
        });
        FIRST_FACT + place
    }
}

/// Slots of facts are counted from here until those of attributes are all known.
const FIRST_FACT: usize = usize::MAX / 2;

pub(super) fn wanted(key: &str, value_type: ValueType, folded: bool) -> Wanted {
    let folded = folded && matches!(value_type, ValueType::Text | ValueType::List);
    Wanted { key: key.to_owned(), value_type, folded }
}
