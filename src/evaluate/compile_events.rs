//! Events of conditions, traits and scores: names to streams, properties to slots, windows to instants.

use super::amount::{Amount, Kind, Measure};
use super::answer::NEVER;
use super::check::Check;
use super::compile::{Compiler, Yields, wanted};
use super::events::{ALWAYS, Measured};
use super::follow::Follow;
use super::moment::MICROSECOND;
use super::program::{EventNode, Node, Stream};
use super::score::{CompiledDecay, CompiledScore, Scored};
use super::slots::Reader;
use crate::domain::calendar;
use crate::domain::catalogue::EventType;
use crate::domain::condition::{
    DateBound, EventLeaf, EventQuery, Follower, MeasureKind, Operator, PropertyName, Test,
};
use crate::domain::event::{BY, EventNameId, HUMAN, READ_BY_MACHINES};
use crate::domain::name::{EventName, ScoreName};
use crate::domain::number::Number;
use crate::domain::score::Decay;
use crate::domain::time::{Span, Timestamp};
use crate::domain::value::{Value, ValueType};

impl Compiler<'_> {
    pub(super) fn leaf(&mut self, leaf: &EventLeaf) -> usize {
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
    pub(super) fn events(
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
        let yields = if test.exact_case { Yields::Value } else { Yields::Folded };
        let measured = self.measured(query, kind, yields);
        let of_nothing = match measured.measure.of_nothing() {
            Amount::Ratio { total, count } => check.of_ratio(total, count),
            _ => check.of_missing(),
        };
        self.add(Node::Events(Box::new(EventNode { measured, check, of_nothing })))
    }

    /// What events amount to.
    pub(super) fn measured(&mut self, query: &EventQuery, kind: &MeasureKind, yields: Yields) -> Measured {
        let new = self.program.measures;
        let id = *self.measures.entry((query.clone(), kind.clone(), yields)).or_insert(new);
        self.program.measures = new.max(id + 1);
        let declared = self.catalogue.events.get(&query.event);
        let stream = declared.and_then(|event| (self.event_id)(&event.wire_name)).map(|id| self.stream(id));
        let filter = self.filter(declared, stream, &query.filter);
        let share = match kind {
            MeasureKind::Share(tests) => self.filter(declared, stream, tests),
            _ => Vec::new(),
        };
        let in_days = matches!(kind, MeasureKind::DaysSince);
        self.program.uses_zone |= in_days || matches!(kind, MeasureKind::DistinctDays);
        let then = query.then.as_ref().map(|then| Box::new(self.follow(&query.event, stream, then)));
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
                Kind::MostCommon { key: slot(name, true), shown: slot(name, yields == Yields::Folded) }
            }
            MeasureKind::Latest(name) => Kind::Latest(slot(name, yields == Yields::Folded)),
        };
        let is_compared = then.as_ref().is_some_and(|then| then.same.is_some());
        let reads_properties = !filter.is_empty() || per.is_some() || is_compared || kind.reads_properties();
        Measured {
            id,
            stream,
            within: query.window.within.map(|span| self.program.spans.back(span)),
            older_than: query.window.older_than.map(|span| self.program.spans.back(span)),
            from: query.window.since.map_or(ALWAYS, |since| self.begin(since)),
            to: query.window.until.map_or(NEVER, |until| self.end(until)),
            last: query.last.map(|last| last as usize),
            filter,
            measure: Measure { kind, per, needs_one: yields == Yields::Rank },
            share,
            in_days,
            then,
            reads_properties,
        }
    }

    /// The first instant of a bound.
    pub(super) fn begin(&self, bound: DateBound) -> Timestamp {
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

    /// What must follow an event whose name and stream are given.
    fn follow(&mut self, first: &EventName, first_stream: Option<usize>, then: &Follower) -> Follow {
        let declared = self.catalogue.events.get(&then.event);
        let stream = declared.and_then(|event| (self.event_id)(&event.wire_name)).map(|id| self.stream(id));
        let same = then.same.as_ref().map(|name| {
            let own = self.property(self.catalogue.events.get(first), first_stream, name, true);
            (own, self.property(declared, stream, name, true))
        });
        self.program.uses_zone |= matches!(then.within, Some(Span::Months(_)));
        let new = self.program.followers;
        let id = *self.followers.entry((first.clone(), then.clone())).or_insert(new);
        self.program.followers = new.max(id + 1);
        Follow {
            id,
            negated: then.negated,
            stream,
            filter: self.filter(declared, stream, &then.filter),
            within: then.within,
            same,
            then: then.then.as_ref().map(|next| Box::new(self.follow(&then.event, stream, next))),
        }
    }

    /// The place of a score; `None`: it is not declared.
    pub(super) fn score(&mut self, name: &ScoreName) -> Option<usize> {
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
        let (streams, zone) = (&mut self.program.streams, self.program.zone);
        streams.iter().position(|stream| stream.name == name).unwrap_or_else(|| {
            streams.push(Stream { name, position: 0, reader: Reader::new(zone) });
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

    /// The slot of a property as it is written, in the rows of the events that are asked for.
    pub(super) fn shown_property(&mut self, query: &EventQuery, name: &PropertyName) -> usize {
        let declared = self.catalogue.events.get(&query.event);
        let stream = declared.and_then(|event| (self.event_id)(&event.wire_name)).map(|id| self.stream(id));
        self.property(declared, stream, name, false)
    }

    pub(super) fn property_type(&self, query: &EventQuery, name: &PropertyName) -> ValueType {
        property_type(self.catalogue.events.get(&query.event), name)
    }
}

fn property_type(event: Option<&EventType>, name: &PropertyName) -> ValueType {
    let property = event.and_then(|event| event.properties.get(name));
    property.map_or(ValueType::Text, |property| property.value_type)
}
