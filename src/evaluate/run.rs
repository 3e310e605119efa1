//! One contact: from a program's nodes to answers, only those that are needed, each once.

use sha2::{Digest, Sha256};

use super::amount::Amount;
use super::answer::{Answer, Known};
use super::check::Check;
use super::check_day::days_since;
use super::events::{Measured, Past, Rows, Summed};
use super::fold::Fold;
use super::follow::Followed;
use super::moment::Moments;
use super::program::{CompiledRanking, Node, Program};
use super::score::{CompiledDecay, CompiledScore, Scored, Standing};
use super::slots::{Slot, Texts};
use crate::domain::calendar;
use crate::domain::condition::{AttributeRef, Bucket};
use crate::domain::consent::ConsentState;
use crate::domain::contact::ContactView;
use crate::domain::history::History;
use crate::domain::number::Number;
use crate::domain::score::ScoreValue;
use crate::domain::time::Timestamp;
use crate::domain::value::Value;

/// The evaluation of one contact.
pub(super) struct Run<'a> {
    pub(super) program: &'a Program,
    pub(super) contact: &'a ContactView<'a>,
    pub(super) history: &'a History<'a>,
    /// By node, where the kinds of events that the contact has decide.
    pub(super) certain: &'a [Option<bool>],
    /// By stream: the time of the newest event, those that are still to come too.
    pub(super) newest: &'a [Option<Timestamp>],
    pub(super) moments: &'a mut Moments,
    /// The place of the moment in the contact's zone; `None` until it is asked for.
    pub(super) moment: Option<usize>,
    pub(super) texts: &'a mut Texts,
    /// By slot, as far as they are known; empty until one is asked for.
    pub(super) attributes: &'a mut Vec<Option<Slot>>,
    pub(super) rows: &'a mut [Rows],
    pub(super) fold: &'a mut Fold,
    pub(super) followed: &'a mut Followed,
    /// By ranked node: the test of its value; `None`: nobody is in.
    pub(super) places: &'a [Option<Check>],
    /// By node, as far as they are known.
    pub(super) answers: &'a mut Known<Answer>,
    /// By measure, as far as they are known.
    pub(super) amounts: &'a mut Known<Summed>,
    pub(super) standings: &'a mut [Standing],
}

impl Run<'_> {
    pub(super) fn answer(&mut self, node: usize) -> Answer {
        let program = self.program;
        if let Some(holds) = self.certain[node] {
            return Answer::lasting(holds);
        }
        if let Some(known) = self.answers.of(node) {
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
            Node::Events(node) => {
                let answer = self.of_events(&node.measured, &node.check);
                answer.unwrap_or(Answer::lasting(node.of_nothing))
            }
            Node::Ranked(node) => {
                let place = self.places[node.place].as_ref();
                let answer = place.and_then(|check| self.of_events(&node.measured, check));
                answer.unwrap_or(Answer::lasting(false))
            }
            Node::Score(node) => {
                let moment = self.stand(node.score);
                let (score, standing) = (&program.scores[node.score], &self.standings[node.score]);
                score.answer(standing, &node.test, self.moments.at(moment))
            }
        };
        self.answers.keep(node, answer);
        answer
    }

    /// Whether what events amount to passes a check; `None` when no event is in the window, nor ever will be.
    #[inline]
    fn of_events(&mut self, measured: &Measured, check: &Check) -> Option<Answer> {
        let newest = self.newest[measured.stream?]?;
        let moment = self.moment();
        if measured.within.is_some_and(|back| self.moments.at(moment).is_past(back, newest)) {
            return None;
        }
        let Some(Summed { amount, until }) = self.amounts.of(measured.id) else {
            return Some(self.past(measured)?.answer(measured, check));
        };
        Some(amount.passes(check, self.texts, self.moments.at(moment)).at_most(until))
    }

    pub(super) fn value(&mut self, measured: &Measured) -> Option<Value> {
        let mut past = self.past(measured);
        let amount = past.as_mut().map_or(measured.measure.of_nothing(), |past| past.amount(measured));
        match amount {
            Amount::Missing => None,
            Amount::Ratio { total, count } => Some(Value::Number(rounded(total, count))),
            Amount::At(at) if measured.in_days => {
                let moment = self.moment();
                let moment = self.moments.at(moment);
                let days = days_since(calendar::day_of(at, moment.zone), moment.today);
                Number::from_whole(days.into()).map(Value::Number)
            }
            Amount::At(at) => Some(Value::Datetime(at)),
            Amount::Value(slot) => self.texts.value(slot),
        }
    }

    /// The value by which the contact is ranked; `None`: it is not.
    pub(super) fn rank(&mut self, ranking: &CompiledRanking) -> Option<i64> {
        if !ranking.among.is_none_or(|among| self.answer(among).holds) {
            return None;
        }
        match self.value(&ranking.measured)? {
            Value::Number(number) => Some(number.millionths()),
            Value::Datetime(at) => Some(at.micros()),
            _ => None,
        }
    }

    pub(super) fn score(&mut self, score: usize) -> ScoreValue {
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
        let events = self.program.streams[stream].events(self.history);
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
            amounts: self.amounts,
            moment: self.moments.at(moment),
        })
    }

    /// The place of the moment in the contact's zone.
    fn moment(&mut self) -> usize {
        let Self { program, contact, moments, .. } = self;
        *self.moment.get_or_insert_with(|| moments.place(contact.time_zone, &program.spans))
    }

    /// An attribute's or fact's slot; it is read if it was not before.
    fn attribute(&mut self, slot: usize) -> Slot {
        let wanted = &self.program.attributes;
        if self.attributes.is_empty() {
            self.attributes.resize(wanted.len() + self.program.facts.len(), None);
        }
        if let Some(known) = self.attributes[slot] {
            return known;
        }
        let value = match (slot.checked_sub(wanted.len()), &self.contact.named) {
            (Some(fact), _) => self.fact(fact),
            (None, Some(named)) => wanted.read_named(slot, named, self.texts),
            (None, None) => {
                // They stand in one object: one look at it yields all.
                let attributes = &mut self.attributes[..wanted.len()];
                attributes.fill(Some(Slot::Missing));
                wanted
                    .read(self.contact.attributes, self.texts, |slot, value| attributes[slot] = Some(value));
                attributes[slot].unwrap_or_default()
            }
        };
        self.attributes[slot] = Some(value);
        value
    }

    fn fact(&mut self, place: usize) -> Slot {
        let (fact, folded) = &self.program.facts[place];
        let text = match fact {
            AttributeRef::Id => self.contact.external_id,
            AttributeRef::Email => self.contact.email,
            AttributeRef::TimeZone => self.contact.time_zone,
            AttributeRef::Language => self.contact.language,
            AttributeRef::CreatedAt => return Slot::Datetime(self.contact.created_at),
            AttributeRef::Declared(_) => None,
        };
        text.map_or(Slot::Missing, |text| Slot::Text(self.texts.push(text, *folded)))
    }
}

/// Total / count, rounded half to even to the six places of a number; beyond what a number can be, the
/// furthest that it can.
pub(super) fn rounded(total: i128, count: i128) -> Number {
    let (quotient, rest) = (total.div_euclid(count), total.rem_euclid(count));
    let up = match (rest * 2).cmp(&count) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2),
        std::cmp::Ordering::Greater => 1,
    };
    let furthest = i128::from(i64::MIN)..=i128::from(i64::MAX);
    Number::from_millionths((quotient + up).clamp(*furthest.start(), *furthest.end()) as i64)
}

/// The SHA-256 of salt, a zero byte and key, as one number of 256 bits with the most significant byte
/// first, modulo 10,000.
pub(super) fn place_in_buckets(salt: &str, key: &str) -> u32 {
    let hash = Sha256::new().chain_update(salt).chain_update([0]).chain_update(key).finalize();
    hash.iter().fold(0_u32, |rest, byte| (rest * 256 + u32::from(*byte)) % 10_000)
}

fn is_in_bucket(bucket: &Bucket, key: &str) -> bool {
    (u32::from(bucket.from)..u32::from(bucket.to)).contains(&place_in_buckets(&bucket.salt, key))
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
            assert_eq!(rounded(total, count), Number::from_millionths(expected), "{total}/{count}");
        }
        assert_eq!(rounded(i128::from(i64::MAX) + 1, 1), Number::GREATEST);
        assert_eq!(rounded(i128::from(i64::MIN) - 1, 1), Number::LEAST);
    }

    #[test]
    fn buckets_split_by_the_documented_hash() {
        // python3: int.from_bytes(sha256(b"spring\0contact-1").digest(), "big") % 10_000
        let share = |from, to| is_in_bucket(&Bucket { salt: "spring".to_owned(), from, to }, "contact-1");
        assert_eq!((0..10_000).find(|from| share(*from, from + 1)), Some(5_627));
        assert!(share(0, 10_000));
    }
}
