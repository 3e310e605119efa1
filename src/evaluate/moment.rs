//! `now` as one zone's clocks show it, and how far back spans of time reach from it.
//!
//! Months are steps of the local calendar, so that their *cut* (now − span) does not always move
//! forward with time: from 28 to 31 March, minus one month, every midnight sets it back to the
//! beginning of 28 February; and where clocks are set back, it goes back with them. Between two such
//! instants, in a *steady* stretch, it only moves forward.

use std::collections::HashMap;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta};

use super::answer::{Answer, NEVER};
use crate::domain::calendar;
use crate::domain::time::{Span, Timestamp, Zone};

/// No cut is ever set back by more: it is a day at month ends, and a day at most where clocks change.
pub(super) const MOST_SET_BACK: std::time::Duration =
    std::time::Duration::from_hours(MOST_SET_BACK_DAYS * 24);

const MOST_SET_BACK_DAYS: u64 = 3;

const MICROS_A_DAY: i64 = 86_400_000_000;

pub(super) const MICROSECOND: std::time::Duration = std::time::Duration::from_micros(1);

/// A span before now, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    /// A fixed length.
    Fixed(std::time::Duration),
    /// Steps of the calendar; `cut` is its place in [`Moment::cuts`].
    Calendar { months: u32, cut: usize },
}

/// The different calendar spans of a program, in months.
#[derive(Debug, Default)]
pub(super) struct Spans(Vec<u32>);

impl Spans {
    pub(super) fn back(&mut self, span: Span) -> Back {
        match span {
            Span::Seconds(seconds) => Back::Fixed(std::time::Duration::from_secs(seconds)),
            Span::Months(months) => {
                let known = self.0.iter().position(|known| *known == months);
                let cut = known.unwrap_or_else(|| {
                    self.0.push(months);
                    self.0.len() - 1
                });
                Back::Calendar { months, cut }
            }
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `now` in one zone.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) zone: Zone,
    pub(super) today: NaiveDate,
    /// When the local day becomes an earlier one again, where clocks are about to be set back over
    /// midnight; [`NEVER`] otherwise.
    pub(super) day_returns: Timestamp,
    cuts: Vec<Timestamp>,
}

impl Moment {
    fn new(now: Timestamp, zone: Zone, spans: &Spans) -> Self {
        let today = calendar::day_of(now, zone);
        let next = steady_until(now, zone);
        let day_returns = if calendar::day_of(next, zone) < today { next } else { NEVER };
        let cuts =
            spans.0.iter().map(|months| calendar::step_back(now, Span::Months(*months), zone)).collect();
        Self { now, zone, today, day_returns, cuts }
    }

    /// Now − span: a window `within` the span begins after it, one `older_than` the span ends at it.
    #[inline]
    pub(super) fn cut(&self, back: Back) -> Timestamp {
        match back {
            Back::Fixed(length) => self.now.minus(length),
            Back::Calendar { cut, .. } => self.cuts[cut],
        }
    }

    /// Whether the cut is past `at` for good.
    #[inline]
    pub(super) fn is_past(&self, back: Back, at: Timestamp) -> bool {
        match back {
            Back::Fixed(_) => at <= self.cut(back),
            Back::Calendar { .. } => at <= self.cut(back).minus(MOST_SET_BACK),
        }
    }

    /// The first instant after now at which the cut is at or past `at`; now it is before.
    pub(super) fn reaches(&self, back: Back, at: Timestamp) -> Timestamp {
        let months = match back {
            Back::Fixed(length) => return at.plus(length),
            Back::Calendar { months, .. } => months,
        };
        // The earliest local time that means `at` or later: the beginning of a gap that ends there.
        let earliest = calendar::local(at.minus(MICROSECOND), self.zone) + TimeDelta::microseconds(1);
        let Some(first_local) = months_after(earliest, months) else { return NEVER };
        let first = calendar::resolve(first_local, self.zone);
        if first > self.now {
            return first;
        }
        // `at` is in an hour that is repeated, and means the second one.
        let end = steady_until(self.now, self.zone);
        let reached = |instant| calendar::step_back(instant, Span::Months(months), self.zone) >= at;
        if !reached(end.minus(MICROSECOND)) {
            return end;
        }
        first_instant(self.now, end, reached)
    }

    /// The first instant after now at which the cut is before `at` again, now being at or past it;
    /// [`NEVER`] almost always.
    pub(super) fn sets_back_before(&self, back: Back, at: Timestamp) -> Timestamp {
        let Back::Calendar { months, .. } = back else { return NEVER };
        let cut = |instant| calendar::step_back(instant, Span::Months(months), self.zone);
        let mut instant = self.now;
        let mut current = self.cut(back);
        // A cut moves on by about a day with each stretch; the bound is never met.
        for _ in 0..5 * MOST_SET_BACK_DAYS {
            if current.minus(MOST_SET_BACK) >= at {
                return NEVER;
            }
            instant = steady_until(instant, self.zone);
            current = cut(instant);
            if current < at {
                break;
            }
        }
        instant
    }

    /// Whether `at` lies in [now, now + span).
    pub(super) fn within_next(&self, span: Span, at: Timestamp) -> Answer {
        /// As [`MOST_SET_BACK`], and what a step back and one forward differ by at the ends of months.
        const MOST_APART: std::time::Duration = std::time::Duration::from_hours(2 * MOST_SET_BACK_DAYS * 24);
        if at < self.now {
            return Answer::lasting(false);
        }
        let ends = |instant| calendar::step_forward(instant, span, self.zone);
        let (holds, passed) = (at < ends(self.now), at.plus(MICROSECOND));
        if let Span::Seconds(seconds) = span {
            let enters = passed.minus(std::time::Duration::from_secs(seconds));
            return Answer::until(holds, if holds { passed } else { enters });
        }
        // Far from the end, where nothing is set back over it.
        if holds && at < ends(self.now).minus(MOST_SET_BACK) {
            return Answer::until(true, passed);
        }
        let soonest = calendar::step_back(at, span, self.zone).minus(MOST_APART);
        if !holds && soonest > self.now {
            return Answer::until(false, soonest);
        }
        let steady = steady_until(self.now, self.zone);
        let reached = |instant| ends(instant) > at;
        let until = match holds {
            true => passed.min(steady),
            false if reached(steady.minus(MICROSECOND)) => first_instant(self.now, steady, reached),
            false => steady,
        };
        Answer::until(holds, until)
    }

    /// The first instant after now of a day after today.
    pub(super) fn begins(&self, day: NaiveDate) -> Timestamp {
        let start = calendar::day_start(day, self.zone);
        // Where clocks were just set back over midnight, the day has begun before and will again.
        if start > self.now { start } else { steady_until(self.now, self.zone) }
    }

    /// The first day from which on `span` before it is `day` or later.
    pub(super) fn day_reaching(span: Span, day: NaiveDate) -> Option<NaiveDate> {
        match span {
            Span::Seconds(_) => Some(calendar::day_forward(day, span)),
            Span::Months(months) => {
                months_after(day.and_time(chrono::NaiveTime::MIN), months).map(|local| local.date())
            }
        }
    }
}

/// The earliest local time whose step back by `months` is `local` or later: the same day and time so
/// many months later or, where that month is too short, the beginning of the next.
fn months_after(local: NaiveDateTime, months: u32) -> Option<NaiveDateTime> {
    let clamped = local.checked_add_months(Months::new(months))?;
    if clamped.day() == local.day() {
        return Some(clamped);
    }
    Some(clamped.date().checked_add_days(Days::new(1))?.and_time(chrono::NaiveTime::MIN))
}

/// How long the zone's clocks run on from `at` without a jump and on the same day.
fn steady_until(at: Timestamp, zone: Zone) -> Timestamp {
    let ahead = |instant| calendar::local(instant, zone).and_utc().timestamp_micros() - instant.micros();
    let ahead_now = ahead(at);
    let since_midnight = (at.micros() + ahead_now).rem_euclid(MICROS_A_DAY);
    let midnight = Timestamp::from_micros(at.micros() + MICROS_A_DAY - since_midnight);
    if ahead(midnight.minus(MICROSECOND)) == ahead_now {
        return midnight;
    }
    first_instant(at, midnight, |instant| ahead(instant) != ahead_now)
}

/// The first instant in (from, to) at which `reached` holds, which it then does up to `to`.
fn first_instant(from: Timestamp, to: Timestamp, reached: impl Fn(Timestamp) -> bool) -> Timestamp {
    let (mut before, mut after) = (from.micros(), to.micros());
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if reached(Timestamp::from_micros(middle)) {
            after = middle;
        } else {
            before = middle;
        }
    }
    Timestamp::from_micros(after)
}

/// The moments of one instant, one a zone; the first is the installation's.
#[derive(Debug, Default)]
pub(super) struct Moments {
    list: Vec<Moment>,
    by_name: HashMap<String, usize>,
    last_name: String,
    last: usize,
}

impl Moments {
    /// The place of the moment in the installation's zone.
    pub(super) const INSTALLATION: usize = 0;

    /// Turns to another instant, or another program's spans.
    pub(super) fn set(&mut self, now: Timestamp, installation: Zone, spans: &Spans) {
        self.list.clear();
        self.by_name.clear();
        self.last_name.clear();
        self.last = 0;
        self.list.push(Moment::new(now, installation, spans));
    }

    /// The instant that was set.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.list.first().map(|moment| moment.now)
    }

    /// Where the moment in a contact's zone is; the installation's for one without or an unknown one.
    pub(super) fn place(&mut self, zone: Option<&str>, spans: &Spans) -> usize {
        let Some(name) = zone else { return Self::INSTALLATION };
        if name == self.last_name {
            return self.last;
        }
        let place = if let Some(known) = self.by_name.get(name) {
            *known
        } else {
            let Ok(zone) = name.parse::<Zone>() else { return Self::INSTALLATION };
            self.list.push(Moment::new(self.list[Self::INSTALLATION].now, zone, spans));
            self.by_name.insert(name.to_owned(), self.list.len() - 1);
            self.list.len() - 1
        };
        self.last_name.clear();
        self.last_name.push_str(name);
        self.last = place;
        place
    }

    /// The moment at a place.
    pub(super) fn at(&self, place: usize) -> &Moment {
        &self.list[place]
    }
}
