//! What the events of one name amount to, and when that changes.
//!
//! As time passes, events leave a window at its old end and enter it at its new one. Mostly nothing
//! can enter: then one walk from the newest event to the oldest yields both the answer and the last
//! event that made it what it is, with whose leaving it changes. Otherwise the window is moved on,
//! event by event, until the answer changes.

use std::collections::HashSet;

use super::answer::{Answer, NEVER};
use super::check::Check;
use super::fold::{Amount, Fold, Kind, Measure};
use super::follow::{Follow, Followed};
use super::moment::{Back, Moment};
use super::program::Stream;
use super::slots::{Slot, Texts};
use crate::domain::calendar;
use crate::domain::history::{Event, History};
use crate::domain::time::Timestamp;

/// Before every instant.
pub(super) const ALWAYS: Timestamp = Timestamp::from_micros(i64::MIN);

/// What events of one stream are taken, and what is measured of them.
#[derive(Debug)]
pub(super) struct Measured {
    /// The place of the stream; `None`: an event that has not happened to anybody.
    pub(super) stream: Option<usize>,
    pub(super) within: Option<Back>,
    pub(super) older_than: Option<Back>,
    /// From here on …
    pub(super) from: Timestamp,
    /// … up to here, which is not in.
    pub(super) to: Timestamp,
    /// Only the last so many of the window.
    pub(super) last: Option<usize>,
    /// Tests of slots of an event's row, all of which hold.
    pub(super) filter: Vec<(usize, Check)>,
    pub(super) measure: Measure,
    /// What of the events is the part that [`Kind::Share`] measures.
    pub(super) share: Vec<(usize, Check)>,
    /// Of an instant, how many days ago it was is the amount.
    pub(super) in_days: bool,
    pub(super) then: Option<Box<Follow>>,
    /// Whether properties are looked at.
    pub(super) reads_properties: bool,
}

impl Measured {
    /// Whether the passage of time alone can make a filter, or what follows, pass or stop an event.
    fn filter_depends_on_time(&self) -> bool {
        let depends = |(_, check): &(usize, Check)| check.depends_on_time();
        self.then.is_some() || self.filter.iter().any(depends) || self.share.iter().any(depends)
    }

    /// Whether events count as groups, by what follows them: then no event counts by itself.
    fn follows_groups(&self) -> bool {
        self.then.is_some() && self.measure.per.is_some()
    }

    /// Whether further events can't change the answer that this amount has.
    fn is_settled(&self, check: &Check, amount: Amount) -> bool {
        match amount {
            Amount::Ratio { total, .. } if self.measure.only_grows() => check.is_settled_from(total),
            _ => false,
        }
    }
}

/// The properties of one stream's events, read when something asks for them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// For each event where its row begins in `slots`, plus one; 0: not read yet.
    starts: Vec<u32>,
    slots: Vec<Slot>,
}

impl Rows {
    pub(super) fn clear(&mut self) {
        self.starts.clear();
        self.slots.clear();
    }
}

/// The events of one stream that happened to one contact, and what is needed to look at them.
pub(super) struct Past<'a> {
    /// In the order of time, those that are still to come too.
    pub(super) events: &'a [Event],
    pub(super) history: &'a History<'a>,
    /// All streams of the program, and which of them these events are of.
    pub(super) streams: &'a [Stream],
    pub(super) stream: usize,
    /// Of all streams.
    pub(super) rows: &'a mut [Rows],
    pub(super) texts: &'a mut Texts,
    pub(super) fold: &'a mut Fold,
    pub(super) followed: &'a mut Followed,
    pub(super) moment: &'a Moment,
}

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
    /// What the events amount to now.
    pub(super) fn amount(&mut self, measured: &Measured) -> Amount {
        let (start, end) = self.window(measured);
        self.amount_of(measured, start, end, &mut NEVER.clone())
    }

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

    /// The answer where so few events can ever be in the window that however many of them count, it is the
    /// same as of none: then neither their properties nor what follows them are looked at.
    fn answer_of_few(&self, measured: &Measured, check: &Check, start: usize, end: usize) -> Option<Answer> {
        if !measured.measure.is_count() {
            return None;
        }
        let (first, last) = self.bounds(measured);
        let none_enter = end == last;
        let most = if none_enter { end - start } else { last - first };
        if !check.is_settled_up_to(most.min(measured.last.unwrap_or(usize::MAX))) {
            return None;
        }
        let answer = Answer::lasting(check.of_ratio(0, 1));
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
        let look_each_time = cut.is_some() || may_stop && measure.only_grows();
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
            if look_each_time && exactly {
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

    fn amount_of(&mut self, measured: &Measured, start: usize, end: usize, until: &mut Timestamp) -> Amount {
        let start = measured.last.map_or(start, |last| start.max(end.saturating_sub(last)));
        self.fold.clear();
        if let (Some(then), Some(per)) = (&measured.then, measured.measure.per) {
            let mut places: Vec<usize> = (start..end).collect();
            places.retain(|place| {
                let passes = self.passes(&measured.filter, *place);
                *until = passes.until.min(*until);
                passes.holds
            });
            for place in self.followed_groups(then, per, &places, until) {
                self.add(measured, place, until);
            }
        } else {
            for place in start..end {
                self.take(measured, place, until);
            }
        }
        self.folded(measured)
    }

    /// Folds the event at `place` if the filter lets it pass; notes until when the filter does so.
    fn take(&mut self, measured: &Measured, place: usize, until: &mut Timestamp) -> bool {
        let mut passes = self.passes(&measured.filter, place);
        if let (true, Some(then)) = (passes.holds, &measured.then) {
            passes = Answer::all([passes, self.is_followed(then, place)].into_iter());
        }
        *until = passes.until.min(*until);
        if passes.holds {
            self.add(measured, place, until);
        }
        passes.holds
    }

    /// What is folded so far.
    #[inline]
    fn folded(&mut self, measured: &Measured) -> Amount {
        if measured.measure.needs_one && self.fold.is_empty() {
            return Amount::Missing;
        }
        if !matches!(measured.measure.kind, Kind::DistinctDays) {
            return self.fold.amount(measured.measure, self.texts);
        }
        let places = self.fold.places(measured.measure).into_iter();
        let day = |place: usize| calendar::day_of(self.events[place].at, self.moment.zone);
        Amount::whole(places.map(day).collect::<HashSet<_>>().len())
    }

    /// Folds the event at `place`.
    #[inline]
    fn add(&mut self, measured: &Measured, place: usize, until: &mut Timestamp) {
        if matches!(measured.measure.kind, Kind::Share) {
            let belongs = self.passes(&measured.share, place);
            *until = belongs.until.min(*until);
            let start = self.read(place);
            let row = &self.rows[self.stream].slots[start..];
            self.fold.add_share(measured.measure, row, belongs.holds, self.texts);
        } else if measured.reads_properties {
            let start = self.read(place);
            let row = &self.rows[self.stream].slots[start..];
            self.fold.add(measured.measure, place, row, self.texts);
        } else {
            self.fold.add(measured.measure, place, &[], self.texts);
        }
    }

    /// Whether the event at `place` passes the tests of its slots.
    #[inline]
    pub(super) fn passes(&mut self, filter: &[(usize, Check)], place: usize) -> Answer {
        if filter.is_empty() {
            return Answer::lasting(true);
        }
        let start = self.read(place);
        let row = &self.rows[self.stream].slots[start..];
        Answer::all(filter.iter().map(|(slot, check)| check.of_slot(row[*slot], self.texts, self.moment)))
    }

    /// A property of the event at `place`.
    pub(super) fn slot(&mut self, place: usize, slot: usize) -> Slot {
        let start = self.read(place);
        self.rows[self.stream].slots[start + slot]
    }

    /// The same contact's events of another stream; `None` when there are none.
    pub(super) fn another(&mut self, stream: usize) -> Option<Past<'_>> {
        let events = self.history.of(self.streams[stream].name);
        (!events.is_empty()).then_some(Past {
            events,
            history: self.history,
            streams: self.streams,
            stream,
            rows: &mut *self.rows,
            texts: &mut *self.texts,
            fold: &mut *self.fold,
            followed: &mut *self.followed,
            moment: self.moment,
        })
    }

    /// Whether the event at `place` was done by those whom the test of its slot lets pass, if there is one.
    pub(super) fn is_by(&mut self, by: Option<&(usize, Check)>, place: usize) -> bool {
        let Some((slot, check)) = by else { return true };
        let value = self.slot(place, *slot);
        check.of_slot(value, self.texts, self.moment).holds
    }

    /// Where the row of the event at `place` begins; it is read if it was not before.
    fn read(&mut self, place: usize) -> usize {
        let (reader, rows) = (&self.streams[self.stream].reader, &mut self.rows[self.stream]);
        rows.starts.resize(self.events.len(), 0);
        if let Some(start) = (rows.starts[place] as usize).checked_sub(1) {
            return start;
        }
        let start = rows.slots.len();
        rows.slots.resize(start + reader.len(), Slot::Missing);
        let properties = self.history.properties(&self.events[place]);
        let row = &mut rows.slots[start..];
        reader.read(properties, self.texts, |slot, value| row[slot] = value);
        rows.starts[place] = start as u32 + 1;
        start
    }

    fn check(&self, check: &Check, amount: Amount) -> Answer {
        match amount {
            Amount::Missing => Answer::lasting(check.of_missing()),
            Amount::Ratio { total, count } => Answer::lasting(check.of_ratio(total, count)),
            Amount::At(place) => check.of_instant(self.events[place].at, self.moment),
            Amount::Gap { first, last, units } => {
                Answer::lasting(check.of_ratio(self.micros_between(first, last), units))
            }
            Amount::Value(slot) => check.of_slot(slot, self.texts, self.moment),
        }
    }

    /// The time from one event to a later one, in microseconds: millionths of a second.
    pub(super) fn micros_between(&self, first: usize, last: usize) -> i128 {
        i128::from(self.events[last].at.micros()) - i128::from(self.events[first].at.micros())
    }

    fn stage(&self, check: &Check, amount: Amount) -> Stage {
        if check.depends_on_time() {
            Stage::Amount(amount)
        } else {
            Stage::Holds(self.check(check, amount).holds)
        }
    }
}
