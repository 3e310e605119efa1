//! Times as systems export them, to instants.
//!
//! | written | meaning |
//! |---|---|
//! | `2026-03-29T09:30:00Z`, `…+02:00`, `2026-03-29 09:30:00.123+00` | that instant (RFC 3339, and how databases print it) |
//! | `2026-03-29 09:30[:00]`, `2026-03-29T09:30` | local, in the zone of the import |
//! | `2026-03-29` | the first instant of that day, in the zone of the import |
//! | `1774776600`, `1774776600.5`, `1774776600123` | seconds or milliseconds (from 10¹¹ on; microseconds from 10¹⁴) since 1970 |
//!
//! `03/04/2026` is refused: nobody can tell the month. So are numbers of fewer than nine digits,
//! which are more likely `20260329` than a moment in 1970.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::calendar;
use crate::domain::time::{Timestamp, Zone};

/// A time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// With an offset, or as a number.
    Instant(Timestamp),
    /// A local time.
    Local(NaiveDateTime),
    /// A day.
    Day(NaiveDate),
}

impl Written {
    /// The instant, with local times read in `zone`.
    pub(super) fn instant(self, zone: Zone) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Local(local) => calendar::resolve(local, zone),
            Self::Day(day) => calendar::day_start(day, zone),
        }
    }
}

/// Reads a time.
pub(super) fn read(text: &str) -> Option<Written> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' {
        return read_number(text).map(Written::Instant);
    }
    let day = read_day(&bytes[..10])?;
    let Some(separator) = bytes.get(10) else { return Some(Written::Day(day)) };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (time, zone) = read_clock(&text[11..])?;
    let local = NaiveDateTime::new(day, time);
    match read_offset(zone.trim_start())? {
        None => Some(Written::Local(local)),
        Some(offset_minutes) => {
            let micros = local.and_utc().timestamp_micros().checked_sub(offset_minutes * 60_000_000)?;
            Some(Written::Instant(Timestamp::from_micros(micros)))
        }
    }
}

/// `YYYY-MM-DD`, and nothing else.
pub(super) fn read_day(bytes: &[u8]) -> Option<NaiveDate> {
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    NaiveDate::from_ymd_opt(
        i32::try_from(digits(&bytes[..4])?).ok()?,
        digits(&bytes[5..7])?,
        digits(&bytes[8..10])?,
    )
}

/// `HH:MM[:SS[.fraction]]`, and what follows it.
fn read_clock(text: &str) -> Option<(NaiveTime, &str)> {
    let bytes = text.as_bytes();
    let hour = digits(bytes.get(..2)?)?;
    let minute = (bytes.get(2) == Some(&b':')).then(|| digits(bytes.get(3..5)?)).flatten()?;
    if bytes.get(5) != Some(&b':') {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, text.get(5..)?));
    }
    // A leap second (RFC 3339, section 5.7) is the last of its minute.
    let second = match digits(bytes.get(6..8)?)? {
        60 if minute == 59 => 59,
        second => second,
    };
    let mut end = 8;
    let mut micros = 0;
    if matches!(bytes.get(8), Some(b'.' | b',')) {
        let places = bytes[9..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if places == 0 {
            return None;
        }
        let kept = places.min(6);
        micros = digits(&bytes[9..9 + kept])? * 10_u32.pow(6 - kept as u32);
        end = 9 + places;
    }
    Some((NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?, text.get(end..)?))
}

/// Minutes east of UTC; `None` inside for no offset at all.
#[expect(clippy::option_option, reason = "no offset and a wrong one are two things")]
fn read_offset(text: &str) -> Option<Option<i64>> {
    let sign = match text.as_bytes().first() {
        None => return Some(None),
        Some(b'Z' | b'z') if text.len() == 1 => return Some(Some(0)),
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ if matches!(text, "UTC" | "GMT") => return Some(Some(0)),
        _ => return None,
    };
    let rest = &text.as_bytes()[1..];
    let (hours, minutes) = match rest.len() {
        2 => (digits(rest)?, 0),
        4 => (digits(&rest[..2])?, digits(&rest[2..])?),
        5 if rest[2] == b':' => (digits(&rest[..2])?, digits(&rest[3..])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| Some(sign * i64::from(hours * 60 + minutes)))
}

/// Seconds, milliseconds or microseconds since 1970.
fn read_number(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
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
    Some(Timestamp::from_micros(if whole < 100_000_000_000 {
        whole * 1_000_000 + micros
    } else if whole < 100_000_000_000_000 {
        whole * 1_000 + micros / 1_000
    } else {
        whole
    }))
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |value, byte| {
        byte.is_ascii_digit().then(|| value.wrapping_mul(10).wrapping_add(u32::from(byte - b'0')))
    })
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
            ("2026-03-29 09:30:00 UTC", "2026-03-29T09:30:00Z"),
            ("2026-03-29 09:30-03:30", "2026-03-29T13:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            // local: summer, winter, the hour that is skipped, the hour that is repeated
            ("2026-07-01 12:00", "2026-07-01T10:00:00Z"),
            ("2026-01-01T12:00:01", "2026-01-01T11:00:01Z"),
            ("2026-03-29 02:30:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("1774776600", "2026-03-29T09:30:00Z"),
            ("1774776600.25", "2026-03-29T09:30:00.250Z"),
            ("1774776600123", "2026-03-29T09:30:00.123Z"),
            ("1774776600123456", "2026-03-29T09:30:00.123456Z"),
        ] {
            let read = read(text).map(|written| written.instant(zone).to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "03/04/2026",
            "20260329",
            "2026-3-29",
            "2026-02-30",
            "2026-03-29 25:00",
            "2026-03-29 09:61",
            "2026-03-29 09:59:61",
            "2026-03-29 09:30:00+25",
            "2026-03-29 09:30:00 CEST",
            "2026-03-29T",
            "2026-03-29T9:30",
            "2026-03-29x09:30",
            "-1774776600",
            "1e9",
            "177477660012345678",
            "2026-03-29 09:30:00.",
            "éééééééééé",
            "2026-03-29 é9:30",
            "2026-03-29 09:30é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
