//! The program: conditions, traits and scores that are evaluated together over one read of a history.

use sha2::{Digest, Sha256};

use super::answer::{Answer, Outcome};
use super::check::{Check, NumberTest};
use super::check_day::days_since;
use super::events::{ALWAYS, Measured, Past, Rows};
use super::fold::{Amount, Fold};
use super::follow::Followed;
use super::moment::{Back, MOST_SET_BACK, Moments, Spans};
use super::score::{CompiledDecay, CompiledScore, Scored, Standing};
use super::slots::{Reader, Slot, Texts};
use crate::domain::calendar;
use crate::domain::condition::{AttributeRef, Bucket, Condition};
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::contact::ContactView;
use crate::domain::event::EventNameId;
use crate::domain::history::{ContactPart, EventNeed, History, Needs};
use crate::domain::name::{ScoreName, TraitName};
use crate::domain::number::Number;
use crate::domain::score::ScoreValue;
use crate::domain::time::{Span, Timestamp, Zone};
use crate::domain::value::Value;

/// What a program is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Conditions.
    pub conditions: &'a [&'a Condition],
    /// Traits.
    pub traits: &'a [TraitName],
    /// Scores.
    pub scores: &'a [ScoreName],
}

/// Conditions, traits and scores, compiled to be evaluated together over one read of a history. Made by
/// [`Program::compile`].
#[derive(Debug)]
pub struct Program {
    /// No two programs have the same; a [`Scratch`] knows by it whose memory it holds.
    pub(super) id: u64,
    pub(super) zone: Zone,
    /// Every part once; parts come before what they are part of.
    pub(super) nodes: Vec<Node>,
    /// The answer of each node for contacts without any event, where that decides it for good: mostly
    /// most contacts, who then cost next to nothing.
    pub(super) without_events: Vec<Option<bool>>,
    /// The node of each condition that was asked for.
    pub(super) conditions: Vec<usize>,
    pub(super) traits: Vec<Option<Measured>>,
    /// Every score that matters, once.
    pub(super) scores: Vec<CompiledScore>,
    /// The place of each score that was asked for.
    pub(super) asked_scores: Vec<Option<usize>>,
    /// What is wanted of the attributes.
    pub(super) attributes: Reader,
    /// Built-in facts, whose slots come after those of the attributes; folded or not.
    pub(super) facts: Vec<(AttributeRef, bool)>,
    pub(super) streams: Vec<Stream>,
    pub(super) spans: Spans,
    /// How many followers there are ([`Follow::id`](super::follow::Follow)).
    pub(super) followers: usize,
    /// Whether the contact's zone matters.
    pub(super) uses_zone: bool,
}

/// A part of a condition.
#[derive(Debug)]
pub(super) enum Node {
    Constant(bool),
    All(Vec<usize>),
    Any(Vec<usize>),
    None(Vec<usize>),
    /// A test of an attribute's or fact's slot.
    Attribute(usize, Check),
    Consent(Purpose, ConsentState),
    /// A consent that was given at this instant or later.
    ConsentSince(Purpose, Timestamp),
    Bucket(Bucket),
    Events(Box<EventNode>),
    Score(Box<ScoreNode>),
}

/// A test of what events amount to.
#[derive(Debug)]
pub(super) struct EventNode {
    pub(super) measured: Measured,
    pub(super) check: Check,
    /// The answer for a contact without such events.
    pub(super) of_nothing: bool,
}

/// A test of a score.
#[derive(Debug)]
pub(super) struct ScoreNode {
    /// Its place in [`Program::scores`].
    pub(super) score: usize,
    pub(super) test: NumberTest,
    /// The answer for a contact without events.
    pub(super) of_nothing: bool,
}

/// The events of one name on the wire, and what is wanted of their properties.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: EventNameId,
    pub(super) reader: Reader,
}

/// Something that reads a stream.
struct Read {
    stream: usize,
    /// Not before this.
    from: Timestamp,
    /// How far back.
    within: Option<Back>,
    properties: bool,
}

/// Memory that evaluations use again and again; one a thread.
#[derive(Debug, Default)]
pub struct Scratch(Box<Memory>);

#[derive(Debug, Default)]
struct Memory {
    program: Option<u64>,
    moments: Moments,
    texts: Texts,
    attributes: Vec<Slot>,
    rows: Vec<Rows>,
    fold: Fold,
    followed: Followed,
    answers: Vec<Option<Answer>>,
    standings: Vec<Standing>,
    outcomes: Vec<Outcome>,
    traits: Vec<Option<Value>>,
    scores: Vec<Option<ScoreValue>>,
}

/// What one contact's evaluation yields, in the order in which the program was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation<'s> {
    /// One a condition.
    pub outcomes: &'s [Outcome],
    /// One a trait; `None`: missing.
    pub traits: &'s [Option<Value>],
    /// One a score; `None`: not declared.
    pub scores: &'s [Option<ScoreValue>],
}

impl Node {
    /// The answer for contacts without any event, if that decides it; `known` are those of the nodes
    /// before.
    pub(super) fn without_events(&self, known: &[Option<bool>]) -> Option<bool> {
        // As the nodes' answers combine: one part decides, or all parts are known not to.
        let any = |parts: &[usize], decisive: bool| {
            let answers = || parts.iter().map(|part| known[*part]);
            let decided = answers().any(|answer| answer == Some(decisive));
            (decided || answers().all(|answer| answer.is_some())).then_some(decided)
        };
        match self {
            Self::Constant(holds) => Some(*holds),
            Self::All(parts) => any(parts, false).map(|decided| !decided),
            Self::Any(parts) => any(parts, true),
            Self::None(parts) => any(parts, true).map(|decided| !decided),
            Self::Events(node) => Some(node.of_nothing),
            Self::Score(node) => Some(node.of_nothing),
            Self::Attribute(..) | Self::Consent(..) | Self::ConsentSince(..) | Self::Bucket(_) => None,
        }
    }
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
            ContactPart::Attributes
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
                    // What follows an event of the window comes after the beginning of the window.
                    let properties = !follow.filter.is_empty() || follow.same.is_some();
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
            _ => None,
        });
        in_conditions.chain(self.traits.iter().flatten())
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

    /// Evaluates one contact at `now`. `history` holds what [`needs`](Self::needs) names, or more.
    pub fn evaluate<'s>(
        &self,
        scratch: &'s mut Scratch,
        contact: &ContactView<'_>,
        history: &History<'_>,
        now: Timestamp,
    ) -> Evaluation<'s> {
        let scratch = &mut *scratch.0;
        scratch.begin(self, now);
        let mut run = Run {
            program: self,
            contact,
            history,
            has_no_events: history.all().is_empty(),
            moments: &mut scratch.moments,
            moment: if self.uses_zone { None } else { Some(Moments::INSTALLATION) },
            texts: &mut scratch.texts,
            attributes: &mut scratch.attributes,
            rows: &mut scratch.rows,
            fold: &mut scratch.fold,
            followed: &mut scratch.followed,
            answers: &mut scratch.answers,
            standings: &mut scratch.standings,
        };
        scratch.outcomes.extend(self.conditions.iter().map(|node| Outcome::from(run.answer(*node))));
        scratch.traits.extend(self.traits.iter().map(|measured| run.value(measured.as_ref()?)));
        scratch.scores.extend(self.asked_scores.iter().map(|score| score.map(|score| run.score(score))));
        Evaluation { outcomes: &scratch.outcomes, traits: &scratch.traits, scores: &scratch.scores }
    }
}

impl Memory {
    /// Forgets the contact before.
    fn begin(&mut self, program: &Program, now: Timestamp) {
        if self.program != Some(program.id) {
            self.program = Some(program.id);
            self.rows.resize_with(program.streams.len(), Rows::default);
            self.standings.resize_with(program.scores.len(), Standing::default);
            self.moments.set(now, program.zone, &program.spans);
        } else if self.moments.now() != Some(now) {
            self.moments.set(now, program.zone, &program.spans);
        }
        self.texts.clear();
        self.attributes.clear();
        self.rows.iter_mut().for_each(Rows::clear);
        self.followed.clear(program.followers);
        self.answers.clear();
        self.answers.resize(program.nodes.len(), None);
        self.outcomes.clear();
        self.standings.iter_mut().for_each(|standing| standing.is_known = false);
        self.traits.clear();
        self.scores.clear();
    }
}

/// The evaluation of one contact.
struct Run<'a> {
    program: &'a Program,
    contact: &'a ContactView<'a>,
    history: &'a History<'a>,
    has_no_events: bool,
    moments: &'a mut Moments,
    /// The place of the moment in the contact's zone; `None` until it is asked for.
    moment: Option<usize>,
    texts: &'a mut Texts,
    /// Empty until they are asked for.
    attributes: &'a mut Vec<Slot>,
    rows: &'a mut [Rows],
    fold: &'a mut Fold,
    followed: &'a mut Followed,
    /// By node, as far as they are known.
    answers: &'a mut [Option<Answer>],
    standings: &'a mut [Standing],
}

impl Run<'_> {
    fn answer(&mut self, node: usize) -> Answer {
        let program = self.program;
        if self.has_no_events
            && let Some(holds) = program.without_events[node]
        {
            return Answer::lasting(holds);
        }
        if let Some(known) = self.answers[node] {
            return known;
        }
        let answer = match &program.nodes[node] {
            Node::Constant(holds) => Answer::lasting(*holds),
            Node::All(parts) => Answer::all(parts.iter().map(|part| self.answer(*part))),
            Node::Any(parts) => Answer::any(parts.iter().map(|part| self.answer(*part))),
            Node::None(parts) => Answer::any(parts.iter().map(|part| self.answer(*part))).negated(),
            Node::Attribute(slot, check) => {
                let value = self.attribute(*slot);
                let moment = self.moment();
                check.of_slot(value, self.texts, self.moments.at(moment))
            }
            Node::Consent(purpose, state) => Answer::lasting(self.contact.consent(*purpose).state == *state),
            Node::ConsentSince(purpose, bound) => {
                let consent = self.contact.consent(*purpose);
                let since = consent.since.is_some_and(|since| since >= *bound);
                Answer::lasting(consent.state == ConsentState::Yes && since)
            }
            Node::Bucket(bucket) => Answer::lasting(is_in_bucket(bucket, self.contact.key)),
            Node::Events(node) => match self.past(&node.measured) {
                Some(mut past) => past.answer(&node.measured, &node.check),
                None => Answer::lasting(node.of_nothing),
            },
            Node::Score(node) => {
                let moment = self.stand(node.score);
                let (score, standing) = (&program.scores[node.score], &self.standings[node.score]);
                score.answer(standing, &node.test, self.moments.at(moment))
            }
        };
        self.answers[node] = Some(answer);
        answer
    }

    fn value(&mut self, measured: &Measured) -> Option<Value> {
        let mut past = self.past(measured);
        let amount = past.as_mut().map_or(measured.measure.of_nothing(), |past| past.amount(measured));
        match amount {
            Amount::Missing => None,
            Amount::Ratio { total, count } => rounded(total, count).map(Value::Number),
            Amount::At(place) => {
                let past = past?;
                let at = past.events[place].at;
                if !measured.in_days {
                    return Some(Value::Datetime(at));
                }
                let day = calendar::day_of(at, past.moment.zone);
                Number::from_whole(days_since(day, past.moment.today).into()).map(Value::Number)
            }
            Amount::Gap { first, last, units } => {
                rounded(past?.micros_between(first, last), units).map(Value::Number)
            }
            Amount::Value(slot) => self.texts.value(slot),
        }
    }

    fn score(&mut self, score: usize) -> ScoreValue {
        let moment = self.stand(score);
        self.program.scores[score].value(&self.standings[score], self.moments.at(moment))
    }

    /// Sees to it that the standing of a score is known; the place of the moment in the contact's zone.
    fn stand(&mut self, score: usize) -> usize {
        let moment = self.moment();
        if self.standings[score].is_known {
            return moment;
        }
        let mut standing = std::mem::take(&mut self.standings[score]);
        standing.clear();
        let CompiledScore { parts, decay, .. } = &self.program.scores[score];
        let mut each = |add: &mut dyn FnMut(&Scored, &mut Past<'_>)| {
            for part in parts {
                if let Some(mut past) = self.stream(part.stream) {
                    add(part, &mut past);
                }
            }
        };
        match *decay {
            CompiledDecay::HalfLife(half_life) => {
                each(&mut |scored, past| standing.see_newest(scored, past));
                each(&mut |scored, past| standing.add_faded(scored, half_life, past));
            }
            CompiledDecay::Window(back) => each(&mut |scored, past| standing.add_window(scored, back, past)),
        }
        standing.finish();
        self.standings[score] = standing;
        moment
    }

    /// The events that are measured; `None` when there are none.
    fn past(&mut self, measured: &Measured) -> Option<Past<'_>> {
        self.stream(measured.stream?)
    }

    /// The contact's events of a stream; `None` when there are none.
    fn stream(&mut self, stream: usize) -> Option<Past<'_>> {
        let events = self.history.of(self.program.streams[stream].name);
        if events.is_empty() {
            return None;
        }
        let moment = self.moment();
        Some(Past {
            events,
            history: self.history,
            streams: &self.program.streams,
            stream,
            rows: self.rows,
            texts: self.texts,
            fold: self.fold,
            followed: self.followed,
            moment: self.moments.at(moment),
        })
    }

    /// The place of the moment in the contact's zone.
    fn moment(&mut self) -> usize {
        let Self { program, contact, moments, .. } = self;
        *self.moment.get_or_insert_with(|| moments.place(contact.time_zone, &program.spans))
    }

    fn attribute(&mut self, slot: usize) -> Slot {
        if self.attributes.is_empty() {
            self.read_attributes();
        }
        self.attributes[slot]
    }

    fn read_attributes(&mut self) {
        let wanted = &self.program.attributes;
        self.attributes.resize(wanted.len(), Slot::Missing);
        if wanted.len() > 0 {
            wanted.read(self.contact.attributes, self.attributes, self.texts);
        }
        for (fact, folded) in &self.program.facts {
            let text = match fact {
                AttributeRef::Id => self.contact.external_id,
                AttributeRef::Email => self.contact.email,
                AttributeRef::TimeZone => self.contact.time_zone,
                AttributeRef::Language => self.contact.language,
                AttributeRef::CreatedAt | AttributeRef::Declared(_) => None,
            };
            self.attributes.push(match (fact, text) {
                (AttributeRef::CreatedAt, _) => Slot::Datetime(self.contact.created_at),
                (_, Some(text)) => Slot::Text(self.texts.push(text, *folded)),
                (_, None) => Slot::Missing,
            });
        }
    }
}

/// Total / count, rounded half to even to the six places of a number; `None` when it is out of range.
fn rounded(total: i128, count: i128) -> Option<Number> {
    let (quotient, rest) = (total.div_euclid(count), total.rem_euclid(count));
    let up = match (rest * 2).cmp(&count) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2),
        std::cmp::Ordering::Greater => 1,
    };
    i64::try_from(quotient + up).ok().map(Number::from_millionths)
}

/// The SHA-256 of salt, a zero byte and key, as one number of 256 bits with the most significant byte
/// first, modulo 10,000.
fn is_in_bucket(bucket: &Bucket, key: &str) -> bool {
    let hash = Sha256::new().chain_update(&bucket.salt).chain_update([0]).chain_update(key).finalize();
    let share = hash.iter().fold(0_u32, |rest, byte| (rest * 256 + u32::from(*byte)) % 10_000);
    (u32::from(bucket.from)..u32::from(bucket.to)).contains(&share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_rounded_half_to_even() {
        for (total, count, expected) in [
            (1, 2, 0),
            (3, 2, 2),
            (5, 2, 2),
            (-1, 2, 0),
            (-3, 2, -2),
            (2, 3, 1),
            (-2, 3, -1),
            (7, 1, 7),
            (1, 3, 0),
        ] {
            assert_eq!(rounded(total, count), Some(Number::from_millionths(expected)), "{total}/{count}");
        }
        assert_eq!(rounded(i128::from(i64::MAX) + 1, 1), None);
    }

    #[test]
    fn buckets_split_by_the_documented_hash() {
        // python3: int.from_bytes(sha256(b"spring\0contact-1").digest(), "big") % 10_000
        let share = |from, to| is_in_bucket(&Bucket { salt: "spring".to_owned(), from, to }, "contact-1");
        assert_eq!((0..10_000).find(|from| share(*from, from + 1)), Some(5_627));
        assert!(share(0, 10_000));
    }
}
