//! What may be measured of events, and what they amount to.

use super::answer::Answer;
use super::check::Check;
use super::moment::Moment;
use super::slots::{Slot, Texts};
use crate::domain::number::ONE;
use crate::domain::time::Timestamp;

/// What is measured, and of which slots of an event's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) kind: Kind,
    /// Events with an equal value of this slot are one; those without it are left out.
    pub(super) per: Option<usize>,
    /// Nothing at all is no value, where it would be 0: who has no event is not ranked.
    pub(super) needs_one: bool,
}

/// A compiled [`MeasureKind`](crate::domain::condition::MeasureKind).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Times,
    Total(usize),
    Average(usize),
    Smallest(usize),
    Largest(usize),
    Distinct(usize),
    FirstAt,
    LastAt,
    /// The mean gap between events, in units of so many seconds.
    Gap(i128),
    DistinctDays,
    /// Which part passes [`Measured::share`](super::events::Measured).
    Share,
    /// The commonest value of `key`, as `shown` has it: once folded, once as it is.
    MostCommon {
        key: usize,
        shown: usize,
    },
    Latest(usize),
}

/// What events amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    Missing,
    /// The exact number total / count, in millionths.
    Ratio {
        total: i128,
        count: i128,
    },
    At(Timestamp),
    Value(Slot),
}

impl Amount {
    pub(super) const ZERO: Self = Self::whole(0);

    pub(super) const fn whole(count: usize) -> Self {
        Self::Ratio { total: count as i128 * ONE as i128, count: 1 }
    }

    /// The mean gap between so many events, from the first to the last one, in units of so many seconds.
    pub(super) fn gap(first: Option<Timestamp>, last: Option<Timestamp>, count: usize, unit: i128) -> Self {
        match (first, last) {
            (Some(first), Some(last)) if count >= 2 => {
                // Microseconds are millionths of a second.
                let total = i128::from(last.micros()) - i128::from(first.micros());
                Self::Ratio { total, count: unit * (count as i128 - 1) }
            }
            _ => Self::Missing,
        }
    }

    /// Whether it passes a check.
    #[inline]
    pub(super) fn passes(self, check: &Check, texts: &Texts, moment: &Moment) -> Answer {
        match self {
            Self::Missing => Answer::lasting(check.of_missing()),
            Self::Ratio { total, count } => Answer::lasting(check.of_ratio(total, count)),
            Self::At(at) => check.of_instant(at, moment),
            Self::Value(slot) => check.of_slot(slot, texts, moment),
        }
    }

    /// So many of all.
    pub(super) const fn share(part: i128, all: usize) -> Self {
        match all {
            0 => Self::Missing,
            _ => Self::Ratio { total: part * ONE as i128, count: all as i128 },
        }
    }

    pub(super) const fn number(total: i128) -> Self {
        Self::Ratio { total, count: 1 }
    }
}

impl Kind {
    /// Whether it looks at properties.
    pub(super) const fn reads_properties(self) -> bool {
        !matches!(self, Self::Times | Self::FirstAt | Self::LastAt | Self::Gap(_) | Self::DistinctDays)
    }

    /// The smaller or larger of two.
    pub(super) fn further(self, known: Option<i128>, number: i128) -> i128 {
        known.map_or(number, |known| match self {
            Self::Smallest(_) => known.min(number),
            _ => known.max(number),
        })
    }
}

impl Measure {
    /// What no event at all amounts to.
    pub(super) const fn of_nothing(&self) -> Amount {
        match self.kind {
            _ if self.needs_one => Amount::Missing,
            Kind::Times | Kind::Total(_) | Kind::Distinct(_) | Kind::DistinctDays => Amount::ZERO,
            _ => Amount::Missing,
        }
    }

    /// Whether more events never make it less.
    pub(super) const fn only_grows(&self) -> bool {
        // The sums of a property per group may become equal, or another number.
        matches!(self.kind, Kind::Times) || matches!((self.kind, self.per), (Kind::Distinct(_), None))
    }

    /// Whether it is the number of events, or less.
    pub(super) const fn is_count(&self) -> bool {
        matches!(self.kind, Kind::Times | Kind::Distinct(_) | Kind::DistinctDays)
    }

    /// Whether older events do not change it, once there is a value.
    pub(super) const fn is_of_the_newest(&self) -> bool {
        matches!((self.kind, self.per), (Kind::LastAt | Kind::Latest(_), None))
    }

    /// Whether `Fold::amount` looks at all groups.
    pub(super) const fn is_costly(&self) -> bool {
        let is_counted_along =
            matches!(self.kind, Kind::Times | Kind::Total(_) | Kind::Average(_) | Kind::Share);
        self.per.is_some() && !is_counted_along || matches!(self.kind, Kind::DistinctDays)
    }
}
