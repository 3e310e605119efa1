//! What of contacts and their histories a program reads.

use super::events::{ALWAYS, Measured};
use super::moment::{Back, MOST_SET_BACK};
use super::program::{Node, Program};
use super::score::CompiledDecay;
use crate::domain::calendar;
use crate::domain::condition::AttributeRef;
use crate::domain::history::{ContactPart, EventNeed, Needs};
use crate::domain::time::{Span, Timestamp};

/// Something that reads a stream.
struct Read {
    stream: usize,
    /// Not before this.
    from: Timestamp,
    /// How far back.
    within: Option<Back>,
    properties: bool,
}

impl Program {
    /// What of contacts and their histories an evaluation at `now` looks at; no more need be read.
    pub fn needs(&self, now: Timestamp) -> Needs {
        let reads_contact = |node: &Node| matches!(node, Node::Bucket(_));
        let is_in_part = |(fact, _): &(AttributeRef, bool)| {
            matches!(fact, AttributeRef::TimeZone | AttributeRef::CreatedAt)
        };
        let contact = if !self.facts.iter().all(is_in_part) || self.nodes.iter().any(reads_contact) {
            ContactPart::Whole
        } else if self.attributes.len() > 0 {
            ContactPart::Attributes(self.attributes.names())
        } else {
            ContactPart::Facts
        };
        let mut events: Vec<EventNeed> = Vec::new();
        for (place, stream) in self.streams.iter().enumerate() {
            let reads = || self.reads().filter(|read| read.stream == place);
            let since = |read: &Read| self.earliest(read.within, now).max(read.from);
            let Some(earliest) = reads().map(|read| since(&read)).min() else { continue };
            let properties_since = reads().filter(|read| read.properties).map(|read| since(&read)).min();
            events.push(EventNeed { name: stream.name, since: earliest, properties_since });
        }
        events.sort_unstable_by_key(|need| need.name);
        Needs { contact, events }
    }

    /// Everything that reads a stream.
    fn reads(&self) -> impl Iterator<Item = Read> {
        let measured = self.measured().filter_map(|measured| {
            Some(Read {
                stream: measured.stream?,
                from: measured.from,
                within: measured.within,
                properties: measured.reads_properties,
            })
        });
        let followed = self.measured().flat_map(|measured| {
            std::iter::successors(measured.then.as_deref(), |follow| follow.then.as_deref()).filter_map(
                |follow| {
                    // What follows an event of the window comes after the beginning of the window; what follows it in
                    // turn may be compared with it.
                    let is_compared = follow.then.as_ref().is_some_and(|next| next.same.is_some());
                    let properties = !follow.filter.is_empty() || follow.same.is_some() || is_compared;
                    let (from, within) = (measured.from, measured.within);
                    Some(Read { stream: follow.stream?, from, within, properties })
                },
            )
        });
        let scored = self.scores.iter().flat_map(|score| {
            let within = match score.decay {
                CompiledDecay::HalfLife(_) => None,
                CompiledDecay::Window(back) => Some(back),
            };
            score.parts.iter().map(move |part| Read {
                stream: part.stream,
                from: ALWAYS,
                within,
                properties: part.by.is_some(),
            })
        });
        measured.chain(followed).chain(scored)
    }

    fn measured(&self) -> impl Iterator<Item = &Measured> {
        let in_conditions = self.nodes.iter().filter_map(|node| match node {
            Node::Events(node) => Some(&node.measured),
            Node::Ranked(node) => Some(&node.measured),
            _ => None,
        });
        let in_rankings = self.rankings.iter().flatten().map(|ranking| &ranking.measured);
        in_conditions.chain(self.traits.iter().flatten()).chain(in_rankings)
    }

    /// No window of this length reaches further back, in whatever zone, nor will when it is set back.
    fn earliest(&self, within: Option<Back>, now: Timestamp) -> Timestamp {
        /// The calendar of two zones differs by a day, the steps they take by the length of a month's end.
        const ZONES_APART: std::time::Duration = std::time::Duration::from_hours(5 * 24);
        match within {
            None => Timestamp::from_micros(i64::MIN),
            Some(Back::Fixed(length)) => now.minus(length),
            Some(Back::Calendar { months, .. }) => {
                calendar::step_back(now, Span::Months(months), self.zone).minus(MOST_SET_BACK + ZONES_APART)
            }
        }
    }
}
