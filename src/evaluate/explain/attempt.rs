//! The fewest events that turn a leaf: looked for by letting them happen and asking again. They happen now;
//! where they come to count later, or must be some time apart, it is told from when on the leaf is turned.

use std::time::Duration;

use super::change::Situation;
use super::number::Range;
use super::reading::ReadEvents;
use super::script::{Demand, Maker, Wish};
use super::tree::{Doing, Evidence};
use super::trial::Trial;
use crate::domain::condition::{Follower, MeasureKind, Test};
use crate::domain::number::{Number, ONE};
use crate::domain::time::Timestamp;
use crate::domain::value::{Value, ValueType};

/// No more events are tried at once.
pub(super) const MOST: usize = 512;

/// Where there is no number to aim at, no more than so many.
pub(super) const PLENTY: usize = 128;

/// Up to here each number of events is tried.
pub(super) const FEW: usize = 8;

/// Until an answer is turned by what happened, at most so many instants are waited for.
const MOST_INSTANTS: usize = 24;

/// Nobody waits longer for what events turn: a hundred years.
const FOR_LONG: Duration = Duration::from_hours(876_600);

/// So many numbers are aimed at.
pub(super) const MOST_AIMS: usize = 6;

/// What turns a leaf.
pub(super) struct Found {
    pub(super) doings: Vec<Doing>,
    /// From when on it is turned.
    pub(super) from: Timestamp,
    /// What the events amount to then.
    pub(super) value: Option<Value>,
}

/// A leaf, and what could happen.
pub(super) struct Attempts<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) trial: &'a Trial<'a>,
    pub(super) maker: Maker<'a>,
    pub(super) read: &'a ReadEvents,
    /// What is asked of what events amount to.
    pub(super) goal: &'a Test,
    pub(super) evidence: Option<&'a Evidence>,
    /// What happens before all that is tried.
    pub(super) before: Vec<Doing>,
}

impl Attempts<'_> {
    /// What turns it soonest, with the fewest events.
    pub(super) fn best(&self) -> Option<Found> {
        let ways = [
            self.by_measure(),
            self.by_one(),
            self.by_following(),
            self.by_pushing_out(),
            self.by_one_tail(),
        ];
        let in_time = |found: &Found| found.from.since(self.situation.moment.now) <= FOR_LONG;
        ways.into_iter().flatten().min_by_key(Found::order).or_else(|| self.anew()).filter(in_time)
    }

    /// By what is measured.
    fn by_measure(&self) -> Option<Found> {
        match &self.read.kind {
            MeasureKind::Times => self.by_number(&|_| Vec::new()),
            MeasureKind::Distinct(name) => {
                let values = self.maker.different(name, self.most_needed().saturating_add(FEW).min(MOST));
                let wish = |number: usize| {
                    let value = values.get(number).or(values.last());
                    value.map(|value| (name.clone(), value.clone())).into_iter().collect()
                };
                self.by_number(&wish)
            }
            MeasureKind::Total(name) | MeasureKind::Average(name) => self.by_amount(name),
            MeasureKind::Smallest(name) | MeasureKind::Largest(name) | MeasureKind::Latest(name) => {
                self.by_value(name, 1)
            }
            MeasureKind::MostCommon(name) => self.by_value(name, self.counted() + 1),
            MeasureKind::FirstAt | MeasureKind::LastAt | MeasureKind::DaysSince => self.by_one(),
            MeasureKind::DistinctDays => self.by_days(),
            MeasureKind::Every | MeasureKind::MeanGap => self.by_gap(),
            MeasureKind::Share(tests) => self.by_share(tests),
        }
    }

    /// With nothing of what was: where it counts for what nothing has followed, something follows all of it.
    fn anew(&self) -> Option<Found> {
        let then = self.read.query.then.as_deref().filter(|then| then.negated && self.before.is_empty())?;
        let each = self.shared(then).into_iter();
        let each = each.filter_map(|one| self.maker.following(then, self.situation.moment.now, one));
        let before: Vec<Doing> = each.flatten().collect();
        let maker = self.maker.again();
        let Self { situation, trial, read, goal, evidence, .. } = *self;
        let evidence = evidence.filter(|_| before.is_empty());
        Attempts { situation, trial, maker, read, goal, evidence, before }.by_measure()
    }

    /// Several that one and the same event follows.
    fn by_one_tail(&self) -> Option<Found> {
        let then = self.read.query.then.as_deref().filter(|then| !then.negated && then.same.is_none())?;
        let now = self.situation.moment.now;
        let (first, tail) = (self.maker.one(now, 0, &[], &[])?, self.maker.following(then, now, None)?);
        let first = first.first()?;
        let most = self.most_needed().saturating_add(FEW).min(PLENTY);
        self.fewest(most, &[], &|size| {
            let firsts = std::iter::repeat_n(first.clone(), size);
            Some(firsts.chain(tail.iter().cloned()).collect())
        })
    }

    pub(super) fn by_one(&self) -> Option<Found> {
        self.fewest(1, &[], &|size| self.several(size, &|_| Vec::new(), &[]))
    }

    /// What follows those that are there.
    fn by_following(&self) -> Option<Found> {
        let then = self.read.query.then.as_deref()?;
        let now = self.situation.moment.now;
        let shared = self.shared(then);
        let script = |size: usize| {
            let each =
                shared.iter().take(size).filter_map(|one| self.maker.following(then, now, one.clone()));
            Some(each.collect::<Vec<_>>().concat()).filter(|doings| !doings.is_empty())
        };
        let alone = shared
            .iter()
            .filter_map(|one| self.attempt(self.maker.following(then, now, one.clone())?, false));
        let one = alone.take(1).next();
        one.or_else(|| self.fewest(shared.len(), &[], &script))
    }

    /// The values by which something can follow what is there.
    fn shared(&self, then: &Follower) -> Vec<Option<Value>> {
        let Some(name) = &then.same else { return vec![None] };
        let event = &self.read.query.event;
        let most = self.trial.affordable().clamp(FEW, MOST);
        let known = self.trial.known_values(event, self.maker.wire_name(event, name), most);
        known.into_iter().map(Some).collect()
    }

    /// Others that push out those that count among the last ones: they do not count themselves, or have not what
    /// is measured, or have what was there before.
    fn by_pushing_out(&self) -> Option<Found> {
        let last = self.read.query.last? as usize;
        let hints = [last.min(MOST)];
        let ways = self.maker.none(self.situation.moment.now).into_iter();
        let of_none = ways.filter_map(|one| {
            self.fewest(last, &hints, &|size| Some(std::iter::repeat_n(one.clone(), size).collect()))
        });
        let plain = self.fewest(last, &hints, &|size| self.several(size, &|_| Vec::new(), &[]));
        let of_known = match &self.read.kind {
            MeasureKind::Distinct(name) => {
                let event = &self.read.query.event;
                let known = self.trial.known_values(event, self.maker.wire_name(event, name), last.min(MOST));
                let fresh = self.maker.different(name, 1);
                known.into_iter().chain(fresh).map(|value| (name.clone(), value)).collect()
            }
            _ => Vec::new(),
        };
        let of_known = of_known.into_iter().filter_map(|wish: Wish| {
            self.fewest(last, &hints, &|size| self.several(size, &|_| vec![wish.clone()], &[]))
        });
        of_none.chain(plain).chain(of_known).min_by_key(Found::order)
    }

    /// So many events now.
    pub(super) fn several(
        &self,
        size: usize,
        wishes: &dyn Fn(usize) -> Vec<Wish>,
        demands: &[Demand<'_>],
    ) -> Option<Vec<Doing>> {
        let one = |number| self.maker.one(self.situation.moment.now, number, &wishes(number), demands);
        let all = (0..size).map(one).collect::<Option<Vec<_>>>()?.concat();
        Some(self.before.iter().cloned().chain(all).collect())
    }

    /// Numbers that would turn the leaf.
    pub(super) fn aims(&self, range: Range) -> Vec<Number> {
        let tested = self.maker.tested(self.goal, ValueType::Number);
        let mut aims = tested.numbers(!self.situation.holds, self.situation.number(), range);
        aims.truncate(MOST_AIMS);
        aims
    }

    /// How many are missing.
    pub(super) fn missing(&self, aim: Number) -> Option<usize> {
        let now = self.situation.number().unwrap_or_default();
        let missing = aim.millionths().checked_sub(now.millionths())?;
        usize::try_from(missing / ONE).ok().filter(|missing| *missing > 0)
    }

    pub(super) fn most_needed(&self) -> usize {
        self.aims(Range::COUNTS).into_iter().filter_map(|aim| self.missing(aim)).max().unwrap_or(1)
    }

    /// Among the last ones, as many as these are can matter.
    pub(super) fn most(&self, otherwise: usize) -> usize {
        self.read.query.last.map_or(otherwise, |last| last as usize).max(otherwise.min(FEW)).min(MOST)
    }

    pub(super) fn counted(&self) -> usize {
        self.evidence.map_or(0, |evidence| evidence.counted as usize)
    }

    /// The fewest of these scripts that turns the leaf.
    pub(super) fn fewest(
        &self,
        most: usize,
        hints: &[usize],
        script: &dyn Fn(usize) -> Option<Vec<Doing>>,
    ) -> Option<Found> {
        let doubled =
            std::iter::successors(Some(2 * FEW), |size| Some(size * 2)).take_while(|size| *size <= most);
        let mut sizes: Vec<usize> =
            (1..=FEW.min(most)).chain(hints.iter().copied()).chain(doubled.take(8)).collect();
        sizes.retain(|size| (1..=MOST.min(most)).contains(size));
        sizes.sort_unstable();
        sizes.dedup();
        let mut failed = 0;
        for size in sizes {
            let patient = size == 1 || hints.contains(&size);
            if let Some(mut found) = self.attempt(script(size)?, patient) {
                let mut enough = size;
                while enough - failed > 1 {
                    let middle = enough.midpoint(failed);
                    match self.attempt(script(middle)?, false) {
                        Some(fewer) => (enough, found) = (middle, fewer),
                        None => failed = middle,
                    }
                }
                return Some(found);
            }
            failed = size;
        }
        None
    }

    /// Lets it happen; waits, if need be, for its consequences, unless the leaf turns by itself before.
    pub(super) fn attempt(&self, doings: Vec<Doing>, patient: bool) -> Option<Found> {
        let last = doings.iter().map(|doing| doing.at).max()?;
        let mut at = last.max(self.situation.moment.now);
        for _ in 0..if patient { MOST_INSTANTS } else { 1 } {
            if self.situation.turns.is_some_and(|turn| turn.at <= at) {
                return None;
            }
            let tried = self.trial.ask(&doings, at);
            if tried.holds != self.situation.holds {
                return Some(Found { doings, from: at, value: tried.value });
            }
            at = tried.until?;
        }
        None
    }
}

impl Found {
    /// Sooner comes first, then fewer.
    pub(super) fn order(&self) -> (Timestamp, usize) {
        (self.from, self.doings.len())
    }
}
