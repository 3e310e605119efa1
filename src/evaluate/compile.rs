//! From a catalogue and what is asked for to a flat program.
//!
//! Segments are put in where they are named, and equal parts are one node, so that what several
//! segments ask is answered once. Parts of `all`, `any` and `none` stand cheapest first: what is
//! certain for good spares the others, and the order changes no answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::answer::NEVER;
use super::check::{Check, NumberTest, Surroundings};
use super::events::{ALWAYS, Measured};
use super::fold::{Amount, Kind, Measure};
use super::follow::Follow;
use super::moment::{MICROSECOND, Spans};
use super::program::{Asked, EventNode, Node, Program, ScoreNode, Stream};
use super::score::{CompiledDecay, CompiledScore, Scored};
use super::slots::{Reader, Wanted};
use crate::domain::calendar;
use crate::domain::catalogue::{Catalogue, EvaluationSettings, EventType};
use crate::domain::condition::{
    AttributeRef, Condition, ConsentTest, DateBound, EventLeaf, EventQuery, Follower, MeasureKind, Operator,
    PropertyName, Test,
};
use crate::domain::event::{BY, EventNameId, HUMAN, READ_BY_MACHINES};
use crate::domain::name::{EventName, ScoreName, SegmentName};
use crate::domain::number::Number;
use crate::domain::score::Decay;
use crate::domain::time::{Span, Timestamp};
use crate::domain::value::{Value, ValueType};

impl Program {
    /// Compiles what is asked for of a valid catalogue. `event_id` knows the number of an
    /// event's name on the wire; an event that it does not know has not happened to anybody.
    pub fn compile(
        catalogue: &Catalogue,
        settings: EvaluationSettings,
        asked: &Asked<'_>,
        event_id: &dyn Fn(&str) -> Option<EventNameId>,
    ) -> Self {
        static PROGRAMS: AtomicU64 = AtomicU64::new(0);
        let program = Self {
            id: PROGRAMS.fetch_add(1, Ordering::Relaxed),
            zone: settings.time_zone,
            nodes: Vec::new(),
            without_events: Vec::new(),
            conditions: Vec::new(),
            traits: Vec::new(),
            scores: Vec::new(),
            asked_scores: Vec::new(),
            attributes: Reader::default(),
            facts: Vec::new(),
            streams: Vec::new(),
            spans: Spans::default(),
            followers: 0,
            uses_zone: false,
        };
        let mut compiler = Compiler {
            catalogue,
            event_id,
            program,
            known: HashMap::new(),
            segments: HashMap::new(),
            scores: HashMap::new(),
        };
        for condition in asked.conditions {
            let node = compiler.condition(condition);
            compiler.program.conditions.push(node);
        }
        for name in asked.traits {
            let measured = catalogue
                .traits
                .get(name)
                .map(|declared| compiler.measured(&declared.events, &declared.measure, false));
            compiler.program.traits.push(measured);
        }
        for name in asked.scores {
            let score = compiler.score(name);
            compiler.program.asked_scores.push(score);
        }
        compiler.finish()
    }
}

struct Compiler<'a> {
    catalogue: &'a Catalogue,
    event_id: &'a dyn Fn(&str) -> Option<EventNameId>,
    program: Program,
    /// The nodes of all conditions so far.
    known: HashMap<Condition, usize>,
    segments: HashMap<SegmentName, usize>,
    /// The places of all scores so far.
    scores: HashMap<ScoreName, usize>,
}

impl Compiler<'_> {
    fn finish(mut self) -> Program {
        // The slots of attributes are only now all known; those of facts come after them.
        let attributes = self.program.attributes.len();
        for node in &mut self.program.nodes {
            if let Node::Attribute(slot @ FIRST_FACT.., _) = node {
                *slot = *slot - FIRST_FACT + attributes;
            }
        }
        for node in &self.program.nodes {
            let answer = node.without_events(&self.program.without_events);
            self.program.without_events.push(answer);
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
            Condition::Bucket(bucket) => self.add(Node::Bucket(bucket.clone())),
        };
        self.known.insert(condition.clone(), node);
        node
    }

    fn add(&mut self, node: Node) -> usize {
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
            Node::Events(_) => 5,
            Node::Score(_) => 7,
            Node::All(parts) | Node::Any(parts) | Node::None(parts) => {
                parts.iter().map(|part| self.cost(*part)).max().unwrap_or(0)
            }
        }
    }

    fn check(&mut self, test: &Test, value_type: ValueType) -> Check {
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

    fn leaf(&mut self, leaf: &EventLeaf) -> usize {
        let nodes: Vec<_> = leaf
            .measures
            .iter()
            .map(|measure| {
                let value_type = match &measure.kind {
                    MeasureKind::FirstAt | MeasureKind::LastAt => ValueType::Datetime,
                    MeasureKind::MostCommon(property) | MeasureKind::Latest(property) => {
                        self.property_type(&leaf.events, property)
                    }
                    _ => ValueType::Number,
                };
                self.events(&leaf.events, &measure.kind, &measure.test, value_type)
            })
            .collect();
        match nodes[..] {
            [single] => single,
            _ => self.add(Node::All(nodes)),
        }
    }

    /// A test of what events amount to.
    fn events(
        &mut self,
        query: &EventQuery,
        kind: &MeasureKind,
        test: &Test,
        value_type: ValueType,
    ) -> usize {
        let check = match kind {
            MeasureKind::DaysSince => {
                self.program.uses_zone = true;
                Check::days_since(test)
            }
            _ => self.check(test, value_type),
        };
        let measured = self.measured(query, kind, !test.exact_case);
        let of_nothing = match measured.measure.of_nothing() {
            Amount::Ratio { total, count } => check.of_ratio(total, count),
            _ => check.of_missing(),
        };
        self.add(Node::Events(Box::new(EventNode { measured, check, of_nothing })))
    }

    /// What events amount to. `folded`: a text that they amount to is folded, to be tested.
    fn measured(&mut self, query: &EventQuery, kind: &MeasureKind, folded: bool) -> Measured {
        let declared = self.catalogue.events.get(&query.event);
        let stream = declared.and_then(|event| (self.event_id)(&event.wire_name)).map(|id| self.stream(id));
        let filter = self.filter(declared, stream, &query.filter);
        let share = match kind {
            MeasureKind::Share(tests) => self.filter(declared, stream, tests),
            _ => Vec::new(),
        };
        let in_days = matches!(kind, MeasureKind::DaysSince);
        self.program.uses_zone |= in_days || matches!(kind, MeasureKind::DistinctDays);
        let then = query.then.as_ref().map(|then| Box::new(self.follow(declared, stream, then)));
        let mut slot = |name: &PropertyName, folded| self.property(declared, stream, name, folded);
        let per = query.per.as_ref().map(|name| slot(name, true));
        let kind = match kind {
            MeasureKind::Times => Kind::Times,
            MeasureKind::FirstAt => Kind::FirstAt,
            MeasureKind::LastAt | MeasureKind::DaysSince => Kind::LastAt,
            MeasureKind::Every => Kind::Gap(1),
            MeasureKind::MeanGap => Kind::Gap(86_400),
            MeasureKind::DistinctDays => Kind::DistinctDays,
            MeasureKind::Share(_) => Kind::Share,
            MeasureKind::Smallest(name) => Kind::Smallest(slot(name, false)),
            MeasureKind::Largest(name) => Kind::Largest(slot(name, false)),
            MeasureKind::Total(name) => Kind::Total(slot(name, false)),
            MeasureKind::Average(name) => Kind::Average(slot(name, false)),
            MeasureKind::Distinct(name) => Kind::Distinct(slot(name, true)),
            MeasureKind::MostCommon(name) => {
                Kind::MostCommon { key: slot(name, true), shown: slot(name, folded) }
            }
            MeasureKind::Latest(name) => Kind::Latest(slot(name, folded)),
        };
        let is_compared = then.as_ref().is_some_and(|then| then.same.is_some());
        let reads_properties = !filter.is_empty() || per.is_some() || is_compared || kind.reads_properties();
        Measured {
            stream,
            within: query.window.within.map(|span| self.program.spans.back(span)),
            older_than: query.window.older_than.map(|span| self.program.spans.back(span)),
            from: query.window.since.map_or(ALWAYS, |since| self.begin(since)),
            to: query.window.until.map_or(NEVER, |until| self.end(until)),
            last: query.last.map(|last| last as usize),
            filter,
            measure: Measure { kind, per },
            share,
            in_days,
            then,
            reads_properties,
        }
    }

    /// The first instant of a bound.
    fn begin(&self, bound: DateBound) -> Timestamp {
        match bound {
            DateBound::Day(day) => calendar::day_start(day, self.program.zone),
            DateBound::Instant(at) => at,
        }
    }

    /// The first instant after a bound.
    fn end(&self, bound: DateBound) -> Timestamp {
        match bound {
            DateBound::Day(day) => calendar::day_end(day, self.program.zone),
            DateBound::Instant(at) => at.plus(MICROSECOND),
        }
    }

    /// Tests of properties of one event's rows.
    fn filter(
        &mut self,
        event: Option<&EventType>,
        stream: Option<usize>,
        tests: &[(PropertyName, Test)],
    ) -> Vec<(usize, Check)> {
        tests
            .iter()
            .map(|(name, test)| {
                let slot = self.property(event, stream, name, !test.exact_case);
                (slot, self.check(test, property_type(event, name)))
            })
            .collect()
    }

    /// What must follow an event whose declaration and stream are given.
    fn follow(&mut self, first: Option<&EventType>, first_stream: Option<usize>, then: &Follower) -> Follow {
        let declared = self.catalogue.events.get(&then.event);
        let stream = declared.and_then(|event| (self.event_id)(&event.wire_name)).map(|id| self.stream(id));
        let same = then.same.as_ref().map(|name| {
            let own = self.property(first, first_stream, name, true);
            (own, self.property(declared, stream, name, true))
        });
        self.program.uses_zone |= matches!(then.within, Some(Span::Months(_)));
        let id = self.program.followers;
        self.program.followers += 1;
        Follow {
            id,
            negated: then.negated,
            stream,
            filter: self.filter(declared, stream, &then.filter),
            within: then.within,
            same,
            then: then.then.as_ref().map(|then| Box::new(self.follow(declared, stream, then))),
        }
    }

    /// The place of a score; `None`: it is not declared.
    fn score(&mut self, name: &ScoreName) -> Option<usize> {
        if let Some(known) = self.scores.get(name) {
            return Some(*known);
        }
        let declared = self.catalogue.scores.get(name)?;
        let parts = declared.points.iter().filter_map(|(event, points)| self.part(event, *points));
        let parts = parts.collect();
        let decay = match declared.decay {
            Decay::HalfLife(length) => CompiledDecay::HalfLife(length.as_micros() as f64),
            Decay::Window(span) => CompiledDecay::Window(self.program.spans.back(span)),
        };
        let levels = declared.levels.iter().map(|level| level.from).collect();
        self.program.scores.push(CompiledScore { parts, decay, range: declared.range, levels });
        let place = self.program.scores.len() - 1;
        self.scores.insert(name.clone(), place);
        Some(place)
    }

    /// What events of a name are worth; `None` where that has not happened to anybody.
    fn part(&mut self, name: &EventName, points: Number) -> Option<Scored> {
        let declared = self.catalogue.events.get(name)?;
        let stream = self.stream((self.event_id)(&declared.wire_name)?);
        let by = READ_BY_MACHINES.contains(&name.as_str()).then(|| {
            let property = PropertyName(BY.to_owned());
            let slot = self.property(Some(declared), Some(stream), &property, true);
            let human = Operator::Is(Value::Text(HUMAN.to_owned()));
            (slot, self.check(&Test { operators: vec![human], exact_case: false }, ValueType::Text))
        });
        Some(Scored { stream, points, by })
    }

    fn stream(&mut self, name: EventNameId) -> usize {
        let streams = &mut self.program.streams;
        streams.iter().position(|stream| stream.name == name).unwrap_or_else(|| {
            streams.push(Stream { name, reader: Reader::default() });
            streams.len() - 1
        })
    }

    /// The slot of a property in the rows of a stream.
    fn property(
        &mut self,
        event: Option<&EventType>,
        stream: Option<usize>,
        name: &PropertyName,
        folded: bool,
    ) -> usize {
        let (Some(stream), Some(event)) = (stream, event) else { return 0 };
        let (wire_name, value_type) = match event.properties.get(name) {
            Some(declared) => (declared.wire_name.as_str(), declared.value_type),
            None => (name.0.as_str(), ValueType::Text),
        };
        self.program.streams[stream].reader.slot(wanted(wire_name, value_type, folded))
    }

    fn property_type(&self, query: &EventQuery, name: &PropertyName) -> ValueType {
        property_type(self.catalogue.events.get(&query.event), name)
    }
}

fn property_type(event: Option<&EventType>, name: &PropertyName) -> ValueType {
    let property = event.and_then(|event| event.properties.get(name));
    property.map_or(ValueType::Text, |property| property.value_type)
}

/// Slots of facts are counted from here until those of attributes are all known.
const FIRST_FACT: usize = usize::MAX / 2;

fn wanted(key: &str, value_type: ValueType, folded: bool) -> Wanted {
    let folded = folded && matches!(value_type, ValueType::Text | ValueType::List);
    Wanted { key: key.to_owned(), value_type, folded }
}
