//! Scores: what events are worth together, and when that passes a bound.
//!
//! With a half-life *h*, all that events up to now are worth fades alike: what they are worth together
//! at the newest one of them, *a* at *t₀*, is a · 2^(−(t − t₀) / h) at any later *t* before another
//! event. So a bound *b* of the same sign is passed at t₀ + h · log₂(a / b), which does not depend on
//! the instant of asking: whether a test holds and when that changes are told by the same number, and
//! agree to the microsecond.
//!
//! In a window, events count in full until they leave it; their sum is exact.

use std::cmp::Ordering;

use super::answer::{Answer, NEVER};
use super::check::{Check, NumberTest};
use super::events::Past;
use super::moment::{Back, Moment};
use crate::domain::number::{Number, ONE};
use crate::domain::score::ScoreValue;
use crate::domain::time::Timestamp;

/// A compiled [`Score`](crate::domain::score::Score).
#[derive(Debug)]
pub(super) struct CompiledScore {
    /// One an event that has happened to anybody, by name.
    pub(super) parts: Vec<Scored>,
    pub(super) decay: CompiledDecay,
    pub(super) range: (Number, Number),
    /// The bounds of the levels, rising.
    pub(super) levels: Vec<Number>,
}

/// What events of one stream are worth.
#[derive(Debug)]
pub(super) struct Scored {
    pub(super) stream: usize,
    pub(super) points: Number,
    /// The slot that tells who did it, where machines may have, and the test of it.
    pub(super) by: Option<(usize, Check)>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum CompiledDecay {
    /// In microseconds.
    HalfLife(f64),
    Window(Back),
}

/// A score of one contact, as far as it does not depend on what is asked of it; used again and again.
#[derive(Debug)]
pub(super) struct Standing {
    /// Whether it is this contact's.
    pub(super) is_known: bool,
    /// What the events are worth together at `newest`, if that fades by half-lives.
    worth: f64,
    newest: Option<Timestamp>,
    /// The events in the window, in order of time, and what they are worth in millionths.
    counted: Vec<(Timestamp, i64)>,
    /// The sum of those.
    total: i128,
    /// When further events come to count, at the earliest.
    changes: Timestamp,
}

impl Default for Standing {
    /// Of nobody's events.
    fn default() -> Self {
        Self { is_known: false, worth: 0.0, newest: None, counted: Vec::new(), total: 0, changes: NEVER }
    }
}

impl Standing {
    /// Begins anew.
    pub(super) fn clear(&mut self) {
        let mut counted = std::mem::take(&mut self.counted);
        counted.clear();
        *self = Self { is_known: true, counted, ..Self::default() };
    }

    /// Takes in what the events of one stream are worth in a window.
    pub(super) fn add_window(&mut self, scored: &Scored, back: Back, past: &mut Past<'_>) {
        let cut = past.moment.cut(back);
        let end = past.up_to(past.moment.now);
        self.note_next(past, end);
        for place in (0..end).rev() {
            let at = past.events[place].at;
            if at <= cut {
                self.changes = self.changes.min(past.moment.sets_back_before(back, at));
                break;
            }
            if past.is_by(scored.by.as_ref(), place) {
                let points = scored.points.millionths();
                self.counted.push((at, points));
                self.total += i128::from(points);
            }
        }
    }

    /// Notes the time of the newest event of one stream that counts.
    pub(super) fn see_newest(&mut self, scored: &Scored, past: &mut Past<'_>) {
        let end = past.up_to(past.moment.now);
        self.note_next(past, end);
        let newest = (0..end).rev().find(|place| past.is_by(scored.by.as_ref(), *place));
        self.newest = self.newest.max(newest.map(|place| past.events[place].at));
    }

    /// Takes in what the events of one stream are worth at the newest of all.
    pub(super) fn add_faded(&mut self, scored: &Scored, half_life: f64, past: &mut Past<'_>) {
        let Some(newest) = self.newest else { return };
        let points = scored.points.to_f64();
        for place in (0..past.up_to(newest)).rev() {
            if past.is_by(scored.by.as_ref(), place) {
                let age = (newest.micros() - past.events[place].at.micros()) as f64;
                self.worth += points * (-age / half_life).exp2();
            }
        }
    }

    /// Events in order of time, once all streams are in.
    pub(super) fn finish(&mut self) {
        self.counted.sort_unstable();
    }

    fn note_next(&mut self, past: &Past<'_>, end: usize) {
        let next = past.events.get(end).map_or(NEVER, |event| event.at);
        self.changes = self.changes.min(next);
    }
}

impl CompiledScore {
    /// What the score is now, and its level.
    pub(super) fn value(&self, standing: &Standing, moment: &Moment) -> ScoreValue {
        let sum = match self.decay {
            CompiledDecay::HalfLife(half_life) => {
                standing.worth * (-elapsed(standing, moment.now) / half_life).exp2()
            }
            CompiledDecay::Window(_) => standing.total as f64 / ONE as f64,
        };
        let (low, high) = self.range;
        let compare = self.compare(standing, moment.now, standing.total);
        let level = self.levels.iter().rposition(|from| compare(*from) != Ordering::Less);
        // A sum that faded away from below is 0, not −0.
        ScoreValue { value: sum.clamp(low.to_f64(), high.to_f64()) + 0.0, level }
    }

    /// Whether the score passes a test, and until when.
    pub(super) fn answer(&self, standing: &Standing, test: &NumberTest, moment: &Moment) -> Answer {
        let holds = test.holds_where(&self.compare(standing, moment.now, standing.total));
        let changes = match self.decay {
            CompiledDecay::HalfLife(half_life) => self.fades(standing, test, half_life, holds, moment.now),
            CompiledDecay::Window(back) => self.empties(standing, test, back, holds, moment),
        };
        Answer::until(holds, changes.min(standing.changes))
    }

    /// When events fade so far that the test has another answer.
    fn fades(
        &self,
        standing: &Standing,
        test: &NumberTest,
        half_life: f64,
        holds: bool,
        now: Timestamp,
    ) -> Timestamp {
        let Some(newest) = standing.newest else { return NEVER };
        let mut instants: Vec<i64> = Vec::new();
        for bound in test.operands() {
            let Some(passes) = passes(standing.worth, bound, half_life) else { continue };
            // The first microsecond at which the bound is met, and the first at which it is passed.
            let met = passes.ceil();
            let over = (passes.floor() + 1.0).max(passes.next_up());
            instants.extend([met, over].map(|after| newest.micros().saturating_add(after as i64)));
        }
        instants.retain(|instant| *instant > now.micros() && *instant < NEVER.micros());
        instants.sort_unstable();
        let mut instants = instants.into_iter().map(Timestamp::from_micros);
        let changes = |at: &Timestamp| test.holds_where(&self.compare(standing, *at, 0)) != holds;
        instants.find(changes).unwrap_or(NEVER)
    }

    /// When so many events have left the window that the test has another answer.
    fn empties(
        &self,
        standing: &Standing,
        test: &NumberTest,
        back: Back,
        holds: bool,
        moment: &Moment,
    ) -> Timestamp {
        let mut total = standing.total;
        for (place, (at, points)) in standing.counted.iter().enumerate() {
            total -= i128::from(*points);
            let leaves_alone = standing.counted.get(place + 1).is_none_or(|(next, _)| next > at);
            if leaves_alone && test.holds_where(&self.compare(standing, moment.now, total)) != holds {
                return moment.reaches(back, *at);
            }
        }
        NEVER
    }

    /// How the score at an instant compares with a number. `total`: of the events in the window then.
    fn compare(
        &self,
        standing: &Standing,
        at: Timestamp,
        total: i128,
    ) -> impl Fn(Number) -> Ordering + use<> {
        let (low, high) = self.range;
        let (worth, elapsed, decay) = (standing.worth, elapsed(standing, at), self.decay);
        move |bound| {
            let order = match decay {
                CompiledDecay::Window(_) => total.cmp(&i128::from(bound.millionths())),
                CompiledDecay::HalfLife(half_life) => compare_faded(worth, elapsed, bound, half_life),
            };
            // The sum is clamped: it meets an end of the range wherever it lies beyond.
            match bound {
                _ if bound < low => Ordering::Greater,
                _ if bound > high => Ordering::Less,
                _ if bound == low => order.max(Ordering::Equal),
                _ if bound == high => order.min(Ordering::Equal),
                _ => order,
            }
        }
    }

    /// The value of nobody's events: 0, clamped.
    pub(super) fn holds_of_nothing(&self, test: &NumberTest) -> bool {
        test.holds_where(&self.compare(&Standing::default(), Timestamp::from_micros(0), 0))
    }
}

/// How long ago the newest event is, in microseconds.
fn elapsed(standing: &Standing, at: Timestamp) -> f64 {
    standing.newest.map_or(0.0, |newest| (at.micros() - newest.micros()) as f64)
}

/// How long after the newest event the faded worth is the bound, in microseconds; `None`: never.
fn passes(worth: f64, bound: Number, half_life: f64) -> Option<f64> {
    let ratio = worth / bound.to_f64();
    (ratio.is_finite() && ratio > 0.0).then(|| half_life * ratio.log2())
}

fn compare_faded(worth: f64, elapsed: f64, bound: Number, half_life: f64) -> Ordering {
    match passes(worth, bound, half_life) {
        // What is positive falls from above to the bound, what is negative rises to it.
        Some(passes) if worth > 0.0 => passes.total_cmp(&elapsed),
        Some(passes) => elapsed.total_cmp(&passes),
        // On different sides of 0, or one of them is 0: what is not 0 never becomes it.
        None => worth.partial_cmp(&bound.to_f64()).unwrap_or(Ordering::Equal),
    }
}
