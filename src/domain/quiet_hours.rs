//! Quiet hours: a stretch of each day in which no marketing mail goes out.

use chrono::{Days, NaiveTime};

use super::calendar;
use super::time::{Timestamp, Zone};

/// From `from` up to `to`, exclusive; over midnight where `to` is earlier. The two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// When it becomes quiet.
    pub from: NaiveTime,
    /// When it is over.
    pub to: NaiveTime,
    /// The zone of both; `None`: each contact's own.
    pub zone: Option<Zone>,
}

impl QuietHours {
    /// The first instant from `at` on at which a contact in this zone is mailed: `at` itself outside the
    /// quiet hours. What the clocks show counts: where they are set back into the quiet hours, it is
    /// quiet again; an end that they jump over is where they jump to.
    pub fn first_after(&self, at: Timestamp, zone: Zone) -> Timestamp {
        let zone = self.zone.unwrap_or(zone);
        let local = calendar::local(at, zone);
        let time = local.time();
        let wraps = self.to < self.from;
        let is_quiet =
            if wraps { time >= self.from || time < self.to } else { (self.from..self.to).contains(&time) };
        if !is_quiet {
            return at;
        }
        let day = local.date();
        let ends_tomorrow = wraps && time >= self.from;
        let day = if ends_tomorrow { day.checked_add_days(Days::new(1)).unwrap_or(day) } else { day };
        let end = day.and_time(self.to);
        let resolved = calendar::resolve(end, zone);
        if resolved > at {
            return resolved;
        }
        // The end comes twice, and the first time is over.
        at.plus(end.signed_duration_since(local).to_std().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hours: (&str, &str), at: &str, expected: &str) {
        let time = |text| NaiveTime::parse_from_str(text, "%H:%M").expect("the test's own time");
        let instant = |text: &str| {
            Timestamp::from(chrono::DateTime::parse_from_rfc3339(text).expect("the test's own instant"))
        };
        let quiet = QuietHours { from: time(hours.0), to: time(hours.1), zone: None };
        let first = quiet.first_after(instant(at), chrono_tz::Europe::Paris);
        assert_eq!(first, instant(expected), "{hours:?} at {at}");
        assert_eq!(
            quiet.first_after(first, chrono_tz::Europe::Paris),
            first,
            "it stays so: {hours:?} at {at}"
        );
    }

    #[test]
    fn mails_wait_for_the_end_of_the_night() {
        let night = ("21:00", "08:00");
        check(night, "2026-01-10T19:59:59Z", "2026-01-10T19:59:59Z");
        check(night, "2026-01-10T20:00:00Z", "2026-01-11T07:00:00Z");
        check(night, "2026-01-11T02:00:00Z", "2026-01-11T07:00:00Z");
        check(night, "2026-01-11T06:59:59Z", "2026-01-11T07:00:00Z");
        check(night, "2026-01-11T07:00:00Z", "2026-01-11T07:00:00Z");
        let noon = ("12:00", "14:00");
        check(noon, "2026-01-10T11:30:00Z", "2026-01-10T13:00:00Z");
        check(noon, "2026-01-10T13:00:00Z", "2026-01-10T13:00:00Z");
        // Over the changes of daylight saving: an hour less, an hour more.
        check(night, "2026-03-28T20:00:00Z", "2026-03-29T06:00:00Z");
        check(night, "2026-10-24T19:00:00Z", "2026-10-25T07:00:00Z");
    }

    #[test]
    fn an_end_that_is_skipped_or_comes_twice_is_an_end() {
        let night = ("21:00", "02:30");
        // 02:30 on 29 March is 03:00; 02:30 on 25 October is there twice, and so is 02:10.
        check(night, "2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z");
        check(night, "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z");
        check(night, "2026-10-25T00:40:00Z", "2026-10-25T00:40:00Z");
        check(night, "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z");
        // Quiet hours that are skipped altogether are none.
        check(("02:10", "02:50"), "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z");
        check(("02:10", "03:20"), "2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z");
    }
}
