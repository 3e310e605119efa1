//! Local calendars: local times to instants over daylight saving, calendar steps, days.

use chrono::{NaiveDate, NaiveDateTime};

use super::time::{Span, Timestamp, Zone};

/// The instant of a local time: in a gap the next valid instant, in a fold the first.
pub fn resolve(_local: NaiveDateTime, _zone: Zone) -> Timestamp {
    Timestamp::from_micros(0)
}

/// The local time of an instant.
pub fn local(at: Timestamp, zone: Zone) -> NaiveDateTime {
    at.to_utc().with_timezone(&zone).naive_local()
}

/// The first instant of a day in a zone.
pub fn day_start(_day: NaiveDate, _zone: Zone) -> Timestamp {
    Timestamp::from_micros(0)
}

/// `at` − `span`: months on the local clock (clamped to the month's end), the rest as fixed lengths.
pub fn step_back(_at: Timestamp, _span: Span, _zone: Zone) -> Timestamp {
    Timestamp::from_micros(0)
}

/// `at` + `span`, as [`step_back`].
pub fn step_forward(_at: Timestamp, _span: Span, _zone: Zone) -> Timestamp {
    Timestamp::from_micros(0)
}

/// `day` − `span`: whole days; spans shorter than a day count as the days they touch.
pub fn day_back(day: NaiveDate, _span: Span) -> NaiveDate {
    day
}
