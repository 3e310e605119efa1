//! Schedules: cron lines and single instants in IANA zones, exact over daylight saving.
//!
//! A schedule speaks in local times. Each local time becomes an instant by
//! [`calendar::resolve`]: one that daylight saving skips fires at the next valid instant, one that
//! it repeats fires once, the first time; due times that resolve to one instant are one.
//!
//! | file | what it does |
//! |---|---|
//! | `mod.rs` | due instants of a schedule in a zone |
//! | [`cadence`] | how often something is computed anew |
//! | [`cron_line`] | a line of five fields: what it is, what is wrong with it |
//! | `field` | one field of it |

pub mod cadence;
pub mod cron_line;
mod field;

use chrono::{NaiveDateTime, TimeDelta};

use super::calendar;
use super::time::{Timestamp, Zone};

pub use cadence::Cadence;
pub use cron_line::{CronLine, InvalidCronLine};

/// When a campaign runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Again and again.
    Cron(CronLine),
    /// Once, at a local time.
    At(NaiveDateTime),
    /// Whenever an evaluation sees that contacts entered the audience. It has no due times.
    OnEntry {
        /// Those who are in already, too, and those whom a changed declaration or an import of old
        /// facts brought in.
        include_current: bool,
    },
}

impl Schedule {
    /// The first due instant later than `after`, with the schedule read in `zone`.
    pub fn next_after(&self, after: Timestamp, zone: Zone) -> Option<Timestamp> {
        self.next_local_after(after, zone).map(|(_, due)| due)
    }

    /// See [`next_after`](Self::next_after), with the local time that it comes from: the one that
    /// the schedule names, also where clocks jump over it.
    pub fn next_local_after(&self, after: Timestamp, zone: Zone) -> Option<(NaiveDateTime, Timestamp)> {
        match self {
            Self::OnEntry { .. } => None,
            Self::At(at) => Some((*at, calendar::resolve(*at, zone))).filter(|(_, due)| *due > after),
            // `resolve` never falls as local times rise, so the local times up to `after`'s own
            // resolve to nothing later than it. Those behind it may still (in the second round of
            // a repeated hour), and are passed over.
            Self::Cron(line) => {
                let mut wall = calendar::local(after, zone);
                loop {
                    wall = line.first_later_than(wall)?;
                    let due = calendar::resolve(wall, zone);
                    if due > after {
                        return Some((wall, due));
                    }
                }
            }
        }
    }

    /// The last due instant that is not later than `at`.
    pub fn previous_at_or_before(&self, at: Timestamp, zone: Zone) -> Option<Timestamp> {
        match self {
            Self::OnEntry { .. } => None,
            Self::At(local) => Some(calendar::resolve(*local, zone)).filter(|due| *due <= at),
            Self::Cron(line) => {
                let local = calendar::local(at, zone);
                // In the second round of a repeated hour the whole first round has passed.
                let repeated = at.since(calendar::resolve(local, zone));
                let mut wall = TimeDelta::from_std(repeated)
                    .ok()
                    .and_then(|repeated| local.checked_add_signed(repeated))
                    .unwrap_or(NaiveDateTime::MAX);
                wall = line.last_not_later_than(wall)?;
                loop {
                    let due = calendar::resolve(wall, zone);
                    if due <= at {
                        return Some(due);
                    }
                    wall = line.last_not_later_than(wall.checked_sub_signed(TimeDelta::seconds(1))?)?;
                }
            }
        }
    }

    /// The due instants later than `after` and not later than `until`, in order.
    pub fn due_between(
        &self,
        after: Timestamp,
        until: Timestamp,
        zone: Zone,
    ) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.next_after(after, zone), move |due| self.next_after(*due, zone))
            .take_while(move |due| *due <= until)
    }
}
