//! What the events of one name amount to.

use std::collections::HashSet;

use super::amount::{Amount, Kind, Measure};
use super::answer::{Answer, Known, NEVER};
use super::check::Check;
use super::fold::Fold;
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
    /// Its place among the different ones of a program, under which what events amount to is kept.
    pub(super) id: usize,
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
    pub(super) fn filter_depends_on_time(&self) -> bool {
        let depends = |(_, check): &(usize, Check)| check.depends_on_time();
        self.then.is_some() || self.filter.iter().any(depends) || self.share.iter().any(depends)
    }

    /// Whether events count as groups, by what follows them: then no event counts by itself.
    pub(super) fn follows_groups(&self) -> bool {
        self.then.is_some() && self.measure.per.is_some()
    }

    /// Whether further events can't change the answer that this amount has.
    pub(super) fn is_settled(&self, check: &Check, amount: Amount) -> bool {
        match amount {
            Amount::Ratio { total, .. } if self.measure.only_grows() => check.is_settled_from(total),
            _ => false,
        }
    }
}

/// What all events of a window amount to, and until when a filter lets the same ones pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summed {
    pub(super) amount: Amount,
    pub(super) until: Timestamp,
}

impl Default for Summed {
    fn default() -> Self {
        Self { amount: Amount::Missing, until: NEVER }
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
    /// By [`Measured::id`], as far as they are known.
    pub(super) amounts: &'a mut Known<Summed>,
    pub(super) moment: &'a Moment,
}

impl Past<'_> {
    /// What the events amount to now.
    pub(super) fn amount(&mut self, measured: &Measured) -> Amount {
        let (start, end) = self.window(measured);
        self.amount_of(measured, start, end, &mut NEVER.clone())
    }

    pub(super) fn amount_of(
        &mut self,
        measured: &Measured,
        start: usize,
        end: usize,
        until: &mut Timestamp,
    ) -> Amount {
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
    pub(super) fn take(&mut self, measured: &Measured, place: usize, until: &mut Timestamp) -> bool {
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
    pub(super) fn folded(&mut self, measured: &Measured) -> Amount {
        if measured.measure.needs_one && self.fold.is_empty() {
            return Amount::Missing;
        }
        if !matches!(measured.measure.kind, Kind::DistinctDays) {
            return self.fold.amount(measured.measure, self.events, self.texts);
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
        let events = self.streams[stream].events(self.history);
        (!events.is_empty()).then_some(Past {
            events,
            history: self.history,
            streams: self.streams,
            stream,
            rows: &mut *self.rows,
            texts: &mut *self.texts,
            fold: &mut *self.fold,
            followed: &mut *self.followed,
            amounts: &mut *self.amounts,
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
}
