//! Local calendars: local times to instants over daylight saving, calendar steps, days.
//!
//! Two rules hold everywhere: a local time that a zone skips means the next valid instant, and
//! one that it repeats means the first. Dates beyond what can be held are its nearest.

use chrono::{Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};

use super::time::{Span, Timestamp, Zone};

/// No zone was ever further from UTC than this (Manila's mean time: −15:56:08).
const LARGEST_OFFSET_HOURS: i64 = 16;

/// The instant of a local time: in a gap the next valid instant, in a fold the first.
pub fn resolve(local: NaiveDateTime, zone: Zone) -> Timestamp {
    use chrono::offset::LocalResult;
    let at = |offset: i64| micros_at(local, offset);
    match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) => at(seconds_east(&offset)),
        LocalResult::Ambiguous(one, other) => at(seconds_east(&one)).min(at(seconds_east(&other))),
        LocalResult::None => end_of_gap(local, zone),
    }
}

/// The local time of an instant.
pub fn local(at: Timestamp, zone: Zone) -> NaiveDateTime {
    let utc = at.to_utc().naive_utc();
    let offset = TimeDelta::seconds(seconds_east(&zone.offset_from_utc_datetime(&utc)));
    utc.checked_add_signed(offset).unwrap_or(if offset < TimeDelta::zero() {
        NaiveDateTime::MIN
    } else {
        NaiveDateTime::MAX
    })
}

/// The day of an instant in a zone.
pub fn day_of(at: Timestamp, zone: Zone) -> NaiveDate {
    local(at, zone).date()
}

/// The first instant of a day in a zone. A day that the zone skipped (Samoa, 30 December 2011)
/// begins where the next one does.
pub fn day_start(day: NaiveDate, zone: Zone) -> Timestamp {
    resolve(day.and_time(NaiveTime::MIN), zone)
}

/// The first instant after a day in a zone: where the next day begins.
pub fn day_end(day: NaiveDate, zone: Zone) -> Timestamp {
    day_start(day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX), zone)
}

/// `at` − `span`: months on the local clock (clamped to the month's end), the rest as fixed lengths.
pub fn step_back(at: Timestamp, span: Span, zone: Zone) -> Timestamp {
    match span {
        Span::Seconds(seconds) => at.minus(std::time::Duration::from_secs(seconds)),
        Span::Months(months) => {
            let earlier = local(at, zone).checked_sub_months(Months::new(months));
            resolve(earlier.unwrap_or(NaiveDateTime::MIN), zone)
        }
    }
}

/// `at` + `span`, as [`step_back`].
pub fn step_forward(at: Timestamp, span: Span, zone: Zone) -> Timestamp {
    match span {
        Span::Seconds(seconds) => at.plus(std::time::Duration::from_secs(seconds)),
        Span::Months(months) => {
            let later = local(at, zone).checked_add_months(Months::new(months));
            resolve(later.unwrap_or(NaiveDateTime::MAX), zone)
        }
    }
}

/// `day` − `span`: whole days; spans that are no whole days count as the days they touch.
pub fn day_back(day: NaiveDate, span: Span) -> NaiveDate {
    match span {
        Span::Seconds(seconds) => day.checked_sub_days(Days::new(seconds.div_ceil(SECONDS_A_DAY))),
        Span::Months(months) => day.checked_sub_months(Months::new(months)),
    }
    .unwrap_or(NaiveDate::MIN)
}

/// `day` + `span`, as [`day_back`].
pub fn day_forward(day: NaiveDate, span: Span) -> NaiveDate {
    match span {
        Span::Seconds(seconds) => day.checked_add_days(Days::new(seconds.div_ceil(SECONDS_A_DAY))),
        Span::Months(months) => day.checked_add_months(Months::new(months)),
    }
    .unwrap_or(NaiveDate::MAX)
}

const SECONDS_A_DAY: u64 = 86_400;

fn seconds_east(offset: &impl Offset) -> i64 {
    i64::from(offset.fix().local_minus_utc())
}

/// The instant at which clocks that are `offset` seconds east of UTC show `local`.
fn micros_at(local: NaiveDateTime, offset: i64) -> Timestamp {
    Timestamp::from_micros(local.and_utc().timestamp_micros().saturating_sub(offset * 1_000_000))
}

/// The instant at which the zone's clocks jump over `local`. Transitions fall on whole seconds.
fn end_of_gap(skipped: NaiveDateTime, zone: Zone) -> Timestamp {
    let second = skipped.and_utc().timestamp();
    let shows_later = |second: i64| local(Timestamp::from_seconds(second), zone) > skipped;
    let (mut before, mut after) =
        (second - LARGEST_OFFSET_HOURS * 3_600, second + LARGEST_OFFSET_HOURS * 3_600);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if shows_later(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    Timestamp::from_seconds(after)
}
