//! Caps: how much marketing mail of all campaigns one contact gets.
//!
//! Due instants are compared, not moments of sending, and on the wall clock: with fixed lengths over
//! daylight saving a Monday campaign under a cap of one in 7 days would leave a week out.

use chrono::{Months, NaiveDateTime, TimeDelta};

use super::calendar;
use super::time::{Span, Timestamp, Zone};

/// At most so many mails to one contact in so much time, wherever that time begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// How many.
    pub at_most: u32,
    /// In how much time.
    pub per: Span,
}

impl Cap {
    /// Whether a mail due at `due` leaves the cap kept beside those of `others`, in whatever order these
    /// are: no stretch of time that holds it has more than the cap allows.
    pub fn has_room(&self, due: Timestamp, others: &[Timestamp], zone: Zone) -> bool {
        let together = |earlier, later| !is_over(earlier, later, self.per, zone);
        // A stretch that holds too many can be moved until its last mail is at its end.
        let ends = others.iter().copied().filter(|end| *end > due && together(due, *end)).chain([due]);
        for end in ends {
            let held = others.iter().filter(|other| **other <= end && together(**other, end)).count();
            if held >= self.at_most as usize {
                return false;
            }
        }
        true
    }
}

/// How far from a mail others can be that share a stretch of `per` with it: no further than this, with
/// room for what clocks are changed by.
pub fn reach(per: Span) -> std::time::Duration {
    let day = 86_400;
    let seconds = match per {
        Span::Seconds(seconds) => seconds,
        Span::Months(months) => u64::from(months) * 31 * day,
    };
    std::time::Duration::from_secs(seconds.saturating_add(2 * day))
}

/// Whether `span` has passed between two due times on the wall clock of `zone`. What is not later has
/// not: the same, and earlier ones.
pub fn is_over(earlier: Timestamp, later: Timestamp, span: Span, zone: Zone) -> bool {
    let (from, later) = (earliest_local(earlier, zone), calendar::local(later, zone));
    let end = match span {
        Span::Seconds(seconds) => i64::try_from(seconds)
            .ok()
            .and_then(TimeDelta::try_seconds)
            .and_then(|length| from.checked_add_signed(length)),
        Span::Months(months) => from.checked_add_months(Months::new(months)),
    };
    end.is_some_and(|end| later >= end)
}

/// The earliest local time that means `at`: where clocks jump to it, the first of those they jump over.
/// A mail of 02:30 on the Sunday without a 02:30 was due at 03:00; the one a week later is not early.
fn earliest_local(at: Timestamp, zone: Zone) -> NaiveDateTime {
    let microsecond = std::time::Duration::from_micros(1);
    let before = calendar::local(at.minus(microsecond), zone).checked_add_signed(TimeDelta::microseconds(1));
    let shown = calendar::local(at, zone);
    before.map_or(shown, |before| before.min(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(chrono::DateTime::parse_from_rfc3339(text).expect("the test's own instant"))
    }

    fn check(at_most: u32, per: &str, others: &[&str], due: &str, room: bool) {
        let cap = Cap { at_most, per: Span::parse(per).expect("the test's own span") };
        let others: Vec<_> = others.iter().map(|other| at(other)).collect();
        let zone = chrono_tz::Europe::Paris;
        assert_eq!(cap.has_room(at(due), &others, zone), room, "{at_most} per {per}: {others:?}, then {due}");
    }

    #[test]
    fn no_stretch_of_time_has_more() {
        let monday = "2026-03-23T08:00:00Z";
        check(1, "7 days", &[], monday, true);
        check(1, "7 days", &[monday], monday, false);
        // Mondays at 09:00 over the change to summer time are a week apart.
        check(1, "7 days", &[monday], "2026-03-30T07:00:00Z", true);
        check(1, "7 days", &[monday], "2026-03-30T06:59:59Z", false);
        // One that is late for its time counts those behind it, too.
        check(1, "7 days", &["2026-03-30T07:00:00Z"], monday, true);
        check(1, "7 days", &["2026-03-30T06:59:59Z"], monday, false);
        let around = ["2026-03-20T08:00:00Z", "2026-03-25T08:00:00Z"];
        check(2, "7 days", &around, monday, false);
        check(2, "7 days", &["2026-03-16T08:00:00Z", "2026-03-30T08:00:00Z"], monday, true);
        check(2, "7 days", &["2026-03-17T08:00:00Z", "2026-03-29T08:00:00Z"], monday, true);
        check(3, "7 days", &around, monday, true);
        check(1, "1 month", &["2026-01-31T08:00:00Z"], "2026-02-28T08:00:00Z", true);
        check(1, "1 month", &["2026-01-31T08:00:00Z"], "2026-02-28T07:00:00Z", false);
    }

    #[test]
    fn what_shares_a_stretch_is_within_reach() {
        let zone = chrono_tz::America::New_York;
        for per in ["1 hour", "1 day", "7 days", "1 month", "12 months"] {
            let per = Span::parse(per).expect("the test's own span");
            let due = at("2026-11-01T06:30:00Z");
            assert!(is_over(due.minus(reach(per)), due, per, zone), "{per}");
            assert!(is_over(due, due.plus(reach(per)), per, zone), "{per}");
        }
    }
}
