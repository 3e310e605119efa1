//! Times as systems export them, to instants.
//!
//! | written | meaning |
//! |---|---|
//! | `2026-03-29T09:30:00Z`, `…+02:00`, `2026-03-29 09:30:00.123+00` | that instant (RFC 3339, and how databases print it) |
//! | `2026-03-29 09:30[:00]`, `2026-03-29T09:30` | local, in a zone that the reader says |
//! | `2026-03-29` | the first instant of that day, in the same zone |
//! | `1774776600`, `1774776600.5`, `1774776600123`, `-300000000` | seconds or milliseconds (from 10¹¹ on; microseconds from 10¹⁴) since 1970 |
//!
//! `03/04/2026` is refused: nobody can tell the month. So are numbers of fewer than nine digits,
//! which are more likely `20260329` than a moment in 1970; and what is not in the years 0 to 9999 in UTC,
//! since it could not be written as it is read. What is finer than microseconds is cut off.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use crate::domain::calendar;
use crate::domain::number::Number;
use crate::domain::time::{Timestamp, Zone};

/// 0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z, in seconds since 1970.
const READABLE: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;

/// Reads a time. `zone` is that of local times and of days.
pub fn instant(text: &str, zone: Zone) -> Option<Timestamp> {
    let text = text.trim();
    match text.as_bytes().get(4) {
        Some(b'-') => by_calendar(text, zone),
        _ => since_1970(text),
    }
}

/// As [`instant`], but no number.
pub(crate) fn by_calendar(text: &str, zone: Zone) -> Option<Timestamp> {
    let text = text.trim();
    let day = day_of_calendar(text.as_bytes().get(..10)?)?;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return readable(calendar::day_start(day, zone));
    }
    let Clock { seconds, micros, offset } = clock(rest.strip_prefix(['T', 't', ' '])?)?;
    let midnight = day.and_time(NaiveTime::MIN);
    if offset.is_empty() {
        let since_midnight = TimeDelta::seconds(seconds) + TimeDelta::microseconds(micros);
        return readable(calendar::resolve(midnight.checked_add_signed(since_midnight)?, zone));
    }
    let second = midnight.and_utc().timestamp() + seconds - seconds_east(offset)?;
    readable(Timestamp::from_micros(second * 1_000_000 + micros))
}

/// A JSON number as [`instant`] reads it; unlike texts it may have an exponent.
pub(super) fn of_number(json: &str) -> Option<Timestamp> {
    if json.contains(['e', 'E']) {
        return since_1970(&Number::parse(json).ok()?.to_string());
    }
    since_1970(json)
}

/// `YYYY-MM-DD`, and nothing else.
pub(super) fn day_of_calendar(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    NaiveDate::from_ymd_opt(year as i32, two(*m1, *m2)? as u32, two(*d1, *d2)? as u32)
}

/// A time of day.
struct Clock<'a> {
    /// Since midnight, as if no hour were skipped or repeated.
    seconds: i64,
    micros: i64,
    /// What follows; empty for a local time.
    offset: &'a str,
}

/// `HH:MM[:SS[.fraction]]`, and what follows it.
fn clock(text: &str) -> Option<Clock<'_>> {
    let (minutes, mut rest) = match text.as_bytes() {
        [h1, h2, b':', m1, m2, ..] => {
            (60 * below(24, two(*h1, *h2)?)? + below(60, two(*m1, *m2)?)?, &text[5..])
        }
        _ => return None,
    };
    let (mut seconds, mut micros) = (60 * minutes, 0);
    if let [b':', s1, s2, ..] = rest.as_bytes() {
        // A leap second (60; RFC 3339, section 5.7) is the first of the next minute, as POSIX counts.
        seconds += below(61, two(*s1, *s2)?)?;
        rest = &rest[3..];
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let places = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let digits = fraction.bytes().take(places.min(6));
            micros = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            micros *= 10_i64.pow(6 - places.min(6) as u32);
            rest = if places == 0 { return None } else { &fraction[places..] };
        }
    }
    Some(Clock { seconds, micros, offset: rest.trim_start() })
}

/// `Z`, `UTC`, `GMT`, `±hh`, `±hhmm`, `±hh:mm`.
fn seconds_east(offset: &str) -> Option<i64> {
    let (sign, digits) = match offset.as_bytes() {
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h1, h2] => (two(*h1, *h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?),
        _ => return None,
    };
    Some(sign * (below(24, hours)? * 3_600 + below(60, minutes)? * 60))
}

/// Seconds, milliseconds or microseconds since 1970.
fn since_1970(text: &str) -> Option<Timestamp> {
    let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |unsigned| (-1, unsigned));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if !(9..=16).contains(&whole.len())
        || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let places = &fraction[..fraction.len().min(6)];
    let micros = match places.len() {
        0 => 0,
        length => places.parse::<i64>().ok()? * 10_i64.pow(6 - length as u32),
    };
    readable(Timestamp::from_micros(
        sign * if whole < 100_000_000_000 {
            whole * 1_000_000 + micros
        } else if whole < 100_000_000_000_000 {
            whole * 1_000 + micros / 1_000
        } else {
            whole
        },
    ))
}

fn readable(at: Timestamp) -> Option<Timestamp> {
    READABLE.contains(&at.micros().div_euclid(1_000_000)).then_some(at)
}

fn below(bound: i64, number: i64) -> Option<i64> {
    (number < bound).then_some(number)
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_what_they_say() {
        let zone = chrono_tz::Europe::Paris;
        for (text, expected) in [
            ("2026-03-29T09:30:00Z", "2026-03-29T09:30:00Z"),
            (" 2026-03-29t09:30:00z ", "2026-03-29T09:30:00Z"),
            ("2026-03-29T09:30:00.123456789+02:00", "2026-03-29T07:30:00.123456Z"),
            ("2026-03-29 09:30:00+00", "2026-03-29T09:30:00Z"),
            ("2026-03-29 09:30:00.5 +0530", "2026-03-29T04:00:00.500Z"),
            ("2026-03-29 09:30:00,25 GMT", "2026-03-29T09:30:00.250Z"),
            ("2026-03-29 09:30:00 UTC", "2026-03-29T09:30:00Z"),
            ("2026-03-29 09:30-03:30", "2026-03-29T13:00:00Z"),
            ("2026-03-29T01:30:00+02:00", "2026-03-28T23:30:00Z"),
            // leap seconds, also where minutes are not those of UTC, and on the local clock
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z"),
            ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"),
            ("2017-01-01 00:59:60", "2017-01-01T00:00:00Z"),
            // local: summer, winter, the hour that is skipped, the hour that is repeated
            ("2026-07-01 12:00", "2026-07-01T10:00:00Z"),
            ("2026-01-01T12:00:01", "2026-01-01T11:00:01Z"),
            ("2026-01-01T12:00:01.000001", "2026-01-01T11:00:01.000001Z"),
            ("2026-03-29 02:30:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("1774776600", "2026-03-29T09:30:00Z"),
            ("1774776600.25", "2026-03-29T09:30:00.250Z"),
            ("1774776600123", "2026-03-29T09:30:00.123Z"),
            ("1774776600123456", "2026-03-29T09:30:00.123456Z"),
            ("-300000000", "1960-06-29T18:40:00Z"),
            ("-300000000.25", "1960-06-29T18:39:59.750Z"),
        ] {
            let read = instant(text, zone).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
            let again = instant(expected, zone).map(|at| at.to_string());
            assert_eq!(again.as_deref(), Some(expected), "what is kept of {text}");
        }
        for text in [
            "",
            "yesterday",
            "03/04/2026",
            "20260329",
            "2026-3-29",
            "2026-02-30",
            "2026-03-29 24:00",
            "2026-03-29 25:00",
            "2026-03-29 09:61",
            "2026-03-29 09:59:61",
            "2026-03-29 09:30:00+25",
            "2026-03-29 09:30:00+2",
            "2026-03-29 09:30:00 CEST",
            "2026-03-29T",
            "2026-03-29T9:30",
            "2026-03-29T09:30.5",
            "2026-03-29T09:30:5",
            "2026-03-29x09:30",
            "--1774776600",
            "1e9",
            "177477660012345678",
            "2026-03-29 09:30:00.",
            "éééééééééé",
            "2026-03-29 é9:30",
            "2026-03-29 09:30é",
            // before the year 0 and after 9999
            "0000-01-01",
            "9999-12-31T23:59:59-14:00",
            "-99999999999",
        ] {
            assert_eq!(instant(text, zone), None, "{text}");
        }
        let numbers = ["1.7747766e9", "1774776600.0", "1774776600"];
        assert!(numbers.iter().all(|number| of_number(number) == instant("1774776600", zone)));
        assert_eq!(by_calendar("1774776600", zone), None);
    }
}
