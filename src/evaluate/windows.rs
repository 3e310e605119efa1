//! Whether what events amount to passes a test, and when that changes.
//!
//! As time passes, events leave a window at its old end and enter it at its new one. Mostly nothing
//! can enter: then one walk from the newest event to the oldest yields both the answer and the last
//! event that made it what it is, with whose leaving it changes. Otherwise the window is moved on,
//! event by event, until the answer changes.

use super::amount::Amount;
use super::answer::{Answer, NEVER};
use super::check::Check;
use super::events::{ALWAYS, Measured, Past, Summed};
use super::moment::Back;
use crate::domain::time::Timestamp;

/// A window's answer as it is compared while events come and go: where the check depends on time, two
/// amounts with the same answer now may have different ones later.
#[derive(PartialEq)]
enum Stage {
    Holds(bool),
    Amount(Amount),
}

/// With more events than this, costly amounts are not computed after each of them.
const COSTLY_EVENTS: usize = 256;

/// How many events are folded at most to find the change of a window that events enter.
const MOST_FOLDED: usize = 1_024;

impl Past<'_> {
    /// Whether what the events amount to passes the check.
    pub(super) fn answer(&mut self, measured: &Measured, check: &Check) -> Answer {
        let (start, end) = self.window(measured);
        if let Some(answer) = self.answer_of_few(measured, check, start, end) {
            return answer;
        }
        let answer = if end == self.bounds(measured).1 && !measured.follows_groups() {
            self.answer_while_none_enter(measured, check)
        } else {
            self.answer_while_some_enter(measured, check)
        };
        match measured.older_than {
            Some(back) if start < end => {
                answer.at_most(self.moment.sets_back_before(back, self.events[end - 1].at))
            }
            _ => answer,
        }
    }

    /// The answer where no event can ever be in the window, or so few that however many of them count, it is
    /// the same: then neither their properties nor what follows them are looked at.
    fn answer_of_few(&self, measured: &Measured, check: &Check, start: usize, end: usize) -> Option<Answer> {
        let (first, last) = self.bounds(measured);
        let none_enter = end == last;
        let most = if none_enter { end - start } else { last - first };
        let most = most.min(measured.last.unwrap_or(usize::MAX));
        if most > 0 && !(measured.measure.is_count() && check.is_settled_up_to(most)) {
            return None;
        }
        let answer = self.check(check, measured.measure.of_nothing());
        Some(match measured.within {
            Some(back) if none_enter && start > first => {
                answer.at_most(self.moment.sets_back_before(back, self.events[start - 1].at))
            }
            _ => answer,
        })
    }

    fn answer_while_none_enter(&mut self, measured: &Measured, check: &Check) -> Answer {
        let measure = measured.measure;
        let cut = measured.within.map(|back| self.moment.cut(back));
        let exactly = !measure.is_costly() || self.events.len() <= COSTLY_EVENTS;
        let may_stop = !measured.filter_depends_on_time();
        if measured.within.is_none() && !(may_stop && measure.only_grows()) {
            let Summed { amount, until } = self.sum(measured);
            return self.check(check, amount).at_most(until);
        }
        let mut stage = self.stage(check, measure.of_nothing());
        let mut decisive = None;
        let mut before_window = None;
        let mut filter_until = NEVER;
        self.fold.clear();
        let (begin, end) = self.bounds(measured);
        let oldest = measured.last.map_or(begin, |last| begin.max(end.saturating_sub(last)));
        for place in (oldest..end).rev() {
            let at = self.events[place].at;
            if cut.is_some_and(|cut| at <= cut) {
                before_window = Some(at);
                break;
            }
            if !self.take(measured, place, &mut filter_until) {
                continue;
            }
            if exactly {
                let amount = self.folded(measured);
                let next = self.stage(check, amount);
                if next != stage {
                    (stage, decisive) = (next, Some(at));
                }
                if may_stop && measured.is_settled(check, amount) {
                    break;
                }
            } else {
                decisive = Some(at);
            }
            if may_stop && measure.is_of_the_newest() && self.fold.has_newest() {
                break;
            }
        }
        let amount = self.folded(measured);
        let mut answer = self.check(check, amount).at_most(filter_until);
        if let Some(back) = measured.within {
            if let Some(at) = decisive {
                let leaves = self.moment.reaches(back, at);
                let same_without = measure.is_of_the_newest() && check.of_missing() == answer.holds;
                if !same_without {
                    answer = answer.at_most(leaves);
                } else if answer.until >= leaves {
                    answer.until = filter_until;
                }
            }
            if let Some(at) = before_window {
                answer = answer.at_most(self.moment.sets_back_before(back, at));
            }
        }
        answer
    }

    /// What all events up to the end of a window without a beginning amount to; kept, since several tests may
    /// ask for it.
    fn sum(&mut self, measured: &Measured) -> Summed {
        let only_the_newest = !measured.filter_depends_on_time() && measured.measure.is_of_the_newest();
        let (start, end) = self.window(measured);
        let oldest = measured.last.map_or(start, |last| start.max(end.saturating_sub(last)));
        let mut until = match measured.older_than {
            Some(back) if start < end => self.moment.sets_back_before(back, self.events[end - 1].at),
            _ => NEVER,
        };
        self.fold.clear();
        for place in (oldest..end).rev() {
            self.take(measured, place, &mut until);
            if only_the_newest && self.fold.has_newest() {
                break;
            }
        }
        let summed = Summed { amount: self.folded(measured), until };
        self.amounts.keep(measured.id, summed);
        summed
    }

    fn answer_while_some_enter(&mut self, measured: &Measured, check: &Check) -> Answer {
        let (mut start, mut end) = self.window(measured);
        let mut filter_until = NEVER;
        let amount = self.amount_of(measured, start, end, &mut filter_until);
        let mut answer = self.check(check, amount).at_most(filter_until);
        if let (Some(back), Some(before)) =
            (measured.within, (start > self.bounds(measured).0).then(|| start - 1))
        {
            answer = answer.at_most(self.moment.sets_back_before(back, self.events[before].at));
        }
        let filter_stays = !measured.filter_depends_on_time();
        if measured.within.is_none()
            && measured.last.is_none()
            && filter_stays
            && measured.is_settled(check, amount)
        {
            return answer;
        }
        // A window of which both ends move, one of them by the calendar, can be set back to a state that
        // it was not in before.
        let is_calendar = |back: Option<Back>| matches!(back, Some(Back::Calendar { .. }));
        let moves_evenly =
            measured.within.is_none() || !is_calendar(measured.within) && !is_calendar(measured.older_than);
        let exactly = moves_evenly && filter_stays && !check.depends_on_time();
        let mut folded = 0;
        loop {
            let change = self.leaves(measured, start).min(self.enters(measured, end));
            if !exactly || change >= answer.until || folded > MOST_FOLDED {
                return answer.at_most(change);
            }
            while end < self.bounds(measured).1 && self.enters(measured, end) <= change {
                end += 1;
            }
            while start < self.bounds(measured).1 && self.leaves(measured, start) <= change {
                start += 1;
            }
            let amount = self.amount_of(measured, start, end, &mut filter_until);
            if self.check(check, amount).holds != answer.holds {
                return answer.at_most(change);
            }
            end = end.max(start);
            folded += end - start + 1;
        }
    }

    /// The places of the first event in the window and of the first that is yet to enter it. An event
    /// that leaves before it could enter never does.
    pub(super) fn window(&self, measured: &Measured) -> (usize, usize) {
        let (first, last) = self.bounds(measured);
        let start = measured.within.map_or(0, |back| self.up_to(self.moment.cut(back)));
        let start = start.clamp(first, last);
        let end = measured.older_than.map_or(self.moment.now, |back| self.moment.cut(back));
        (start, self.up_to(end).clamp(start, last))
    }

    /// The places of the first event that can ever be in the window, and of the one after the last.
    fn bounds(&self, measured: &Measured) -> (usize, usize) {
        let before = |instant| self.events.partition_point(|event| event.at < instant);
        let first = if measured.from == ALWAYS { 0 } else { before(measured.from) };
        let last = if measured.to == NEVER { self.events.len() } else { before(measured.to) };
        (first, last.max(first))
    }

    /// How many events there are up to an instant.
    pub(super) fn up_to(&self, at: Timestamp) -> usize {
        match self.events.last() {
            Some(last) if last.at > at => self.events.partition_point(|event| event.at <= at),
            _ => self.events.len(),
        }
    }

    /// When the event at `place`, now after the window, enters it.
    fn enters(&self, measured: &Measured, place: usize) -> Timestamp {
        let Some(event) = self.events.get(place).filter(|event| event.at < measured.to) else { return NEVER };
        measured.older_than.map_or(event.at, |back| self.moment.reaches(back, event.at))
    }

    /// When the event at `place`, now in or after the window, leaves it.
    fn leaves(&self, measured: &Measured, place: usize) -> Timestamp {
        let Some(event) = self.events.get(place).filter(|event| event.at < measured.to) else { return NEVER };
        measured.within.map_or(NEVER, |back| self.moment.reaches(back, event.at))
    }

    fn check(&self, check: &Check, amount: Amount) -> Answer {
        amount.passes(check, self.texts, self.moment)
    }

    fn stage(&self, check: &Check, amount: Amount) -> Stage {
        if check.depends_on_time() {
            Stage::Amount(amount)
        } else {
            Stage::Holds(self.check(check, amount).holds)
        }
    }
}
