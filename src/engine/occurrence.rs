//! Which due times of a campaign have come, and what becomes of those that were missed. Pure.

use crate::domain::campaign::Missed;
use crate::domain::schedule::Schedule;
use crate::domain::time::{Span, Timestamp, Zone};
use crate::domain::{calendar, campaign::Campaign};
use std::collections::VecDeque;
use std::time::Duration;

/// An occurrence that is noticed no later than this is on time, whatever the daemon did at it.
pub(crate) const ON_TIME: Duration = Duration::from_mins(1);

/// At most this many missed due times are noted as runs; older ones are only counted. A line that
/// fires each minute would leave half a million of them after a year in a drawer.
const MISSED_RUNS_KEPT: usize = 1_000;

/// The due times that have come, each in one place. Oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Occurrences {
    /// To be run now.
    pub(crate) run: Vec<Timestamp>,
    /// To be noted as missed.
    pub(crate) missed: Vec<Timestamp>,
    /// Missed, and too many to be noted one by one.
    pub(crate) not_noted: u64,
}

/// Sorts the due times in (`after`, `now`].
///
/// One is on time when the daemon was up at it (`up_since` or later) or when it is at most
/// [`ON_TIME`] late. Of several that are not, only the latest is considered for
/// [`Missed::SendWithin`], and not even that when a later one is on time: it would reach
/// everybody twice at one moment.
pub(crate) fn occurrences(
    schedule: &Schedule,
    zone: Zone,
    missed: Missed,
    after: Timestamp,
    now: Timestamp,
    up_since: Timestamp,
) -> Occurrences {
    let mut found = Occurrences::default();
    let mut late = VecDeque::new();
    let mut cursor = after;
    while let Some(due) = schedule.next_after(cursor, zone).filter(|due| *due <= now && *due > cursor) {
        cursor = due;
        if due >= up_since || now.since(due) <= ON_TIME {
            found.run.push(due);
            continue;
        }
        late.push_back(due);
        if late.len() > MISSED_RUNS_KEPT {
            late.pop_front();
            found.not_noted += 1;
        }
    }
    let made_up = late.back().copied().filter(|latest| {
        found.run.is_empty()
            && match missed {
                Missed::Skip => false,
                Missed::SendWithin(span) => now <= later(*latest, span, zone),
            }
    });
    if made_up.is_some() {
        late.pop_back();
    }
    found.run.extend(made_up);
    found.missed = late.into();
    found
}

/// The first due time of a campaign that is later than `after`.
pub(crate) fn next_due(campaign: &Campaign, after: Timestamp) -> Option<Timestamp> {
    campaign.schedule.as_ref()?.next_after(after, campaign.time_zone)
}

/// `at` + `span`: calendar months in the zone, the rest as fixed lengths.
pub(crate) fn later(at: Timestamp, span: Span, zone: Zone) -> Timestamp {
    match span {
        Span::Seconds(seconds) => at.plus(Duration::from_secs(seconds)),
        Span::Months(_) => calendar::step_forward(at, span, zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schedule::CronLine;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(chrono::DateTime::parse_from_rfc3339(text).expect("the test's own instant"))
    }

    /// Due times at 09:00 in Paris each day, noticed at `now` by a daemon that is up since `up`.
    fn check(missed: Missed, after: &str, up: &str, now: &str, run: &[&str], missed_ones: &[&str]) {
        let schedule = Schedule::Cron(CronLine::parse("0 9 * * *").expect("a line"));
        let found = occurrences(&schedule, chrono_tz::Europe::Paris, missed, at(after), at(now), at(up));
        let expected = Occurrences {
            run: run.iter().map(|text| at(text)).collect(),
            missed: missed_ones.iter().map(|text| at(text)).collect(),
            not_noted: 0,
        };
        assert_eq!(found, expected, "after {after}, up {up}, now {now}");
    }

    #[test]
    fn what_is_on_time_runs_and_what_is_late_obeys_the_campaign() {
        let two_hours = Missed::SendWithin(Span::Seconds(7_200));
        let (eve, early) = ("2026-03-27T12:00:00Z", "2026-03-27T11:00:00Z");
        // Up at the due time: on time however late the tick is, over the change to summer time.
        let three = ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"];
        check(Missed::Skip, eve, early, "2026-03-30T20:00:00Z", &three, &[]);
        // Nothing is due twice, nothing before its time.
        check(Missed::Skip, three[2], early, "2026-03-30T20:00:00Z", &[], &[]);
        check(Missed::Skip, eve, early, "2026-03-28T07:59:59Z", &[], &[]);
        // Down at it: a minute is nothing, more is late.
        check(Missed::Skip, eve, "2026-03-28T08:01:00Z", "2026-03-28T08:01:00Z", &three[..1], &[]);
        check(Missed::Skip, eve, "2026-03-28T08:01:01Z", "2026-03-28T08:01:01Z", &[], &three[..1]);
        check(two_hours, eve, "2026-03-28T10:00:00Z", "2026-03-28T10:00:00Z", &three[..1], &[]);
        check(two_hours, eve, "2026-03-28T10:00:01Z", "2026-03-28T10:00:01Z", &[], &three[..1]);
        // Of several only the latest is considered.
        check(two_hours, eve, "2026-03-30T08:00:00Z", "2026-03-30T08:00:00Z", &three[2..], &three[..2]);
        check(two_hours, eve, "2026-03-30T20:00:00Z", "2026-03-30T20:00:00Z", &[], &three);
        // One that is on time makes up for those before it.
        let week = Missed::SendWithin(Span::Seconds(7 * 86_400));
        check(week, eve, "2026-03-30T06:59:00Z", "2026-03-30T07:00:00Z", &three[2..], &three[..2]);
    }

    #[test]
    fn a_long_absence_is_bounded() {
        let schedule = Schedule::Cron(CronLine::parse("* * * * *").expect("a line"));
        let now = at("2026-01-03T00:00:30Z");
        let found =
            occurrences(&schedule, chrono_tz::UTC, Missed::Skip, at("2026-01-01T00:00:00Z"), now, now);
        assert_eq!((found.run.len(), found.missed.len(), found.not_noted), (1, 1_000, 1_879));
    }
}
