//! How often something is computed anew that stands in between.

use std::fmt;
use std::time::Duration;

use super::{CronLine, Schedule};
use crate::domain::time::{Span, Timestamp, Zone};

/// How often something is computed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cadence {
    /// So long after the last time.
    Every(Duration),
    /// At the times of a cron line, read in the installation's zone.
    Cron(CronLine),
}

impl Cadence {
    /// When it is due after it was computed at `last`; `None`: never again.
    pub fn next_after(&self, last: Timestamp, zone: Zone) -> Option<Timestamp> {
        match self {
            Self::Every(length) => Some(last.plus(*length)),
            Self::Cron(line) => Schedule::Cron(line.clone()).next_after(last, zone),
        }
    }

    /// Whether what was computed at `last` is to be computed anew. It is, too, where the clock was set back
    /// behind `last`.
    pub fn is_due(&self, last: Timestamp, now: Timestamp, zone: Zone) -> bool {
        now < last || self.next_after(last, zone).is_some_and(|next| next <= now)
    }
}

impl fmt::Display for Cadence {
    /// As it is written: `5 minutes`, `0 6 * * *`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(length) => write!(formatter, "{}", Span::Seconds(length.as_secs())),
            Self::Cron(line) => formatter.write_str(line.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant"))
    }

    #[test]
    fn it_is_due_by_the_length_or_by_the_line() {
        let zone = Zone::Europe__Paris;
        let line = |text| Cadence::Cron(CronLine::parse(text).expect("a cron line"));
        for (cadence, last, now, is_due) in [
            (Cadence::Every(Duration::from_mins(5)), "2026-11-02T08:00:00Z", "2026-11-02T08:04:59Z", false),
            (Cadence::Every(Duration::from_mins(5)), "2026-11-02T08:00:00Z", "2026-11-02T08:05:00Z", true),
            (Cadence::Every(Duration::from_mins(5)), "2026-11-02T08:00:00Z", "2026-11-02T07:59:00Z", true),
            (line("0 6 * * *"), "2026-11-02T05:00:00Z", "2026-11-03T04:59:59Z", false),
            (line("0 6 * * *"), "2026-11-02T05:00:00Z", "2026-11-03T05:00:00Z", true),
            (line("0 6 * * *"), "2026-11-02T04:30:00Z", "2026-11-02T05:00:00Z", true),
        ] {
            assert_eq!(cadence.is_due(at(last), at(now), zone), is_due, "{cadence} {last} {now}");
        }
        assert_eq!(Cadence::Every(Duration::from_hours(36)).to_string(), "36 hours");
    }
}
