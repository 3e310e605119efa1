//! An instant as people type it.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::domain::calendar;
use crate::domain::time::{Timestamp, Zone};

use super::Failure;

/// Reads `2026-10-01T09:00:00Z`, `2026-10-01T09:00` (on the clock of `zone`) or `2026-10-01` (its
/// first instant there). Instants are refused that no clock shows with a year of four digits, in whatever zone.
pub fn parse(text: &str, zone: Zone) -> Result<Timestamp, Failure> {
    let at = read(text, zone)?;
    if at < Timestamp::from_seconds(FIRST) || at >= Timestamp::from_seconds(END) {
        return Err(Failure::call_with_hint(
            format!("`{text}` is out of reach"),
            "instants from 0001-01-02 to 9999-12-30 can be asked for",
        ));
    }
    Ok(at)
}

/// 0001-01-02T00:00:00Z: by no clock in the year 0.
const FIRST: i64 = -62_135_510_400;

/// 9999-12-31T00:00:00Z: by every clock before the year 10,000 until then.
const END: i64 = 253_402_214_400;

fn read(text: &str, zone: Zone) -> Result<Timestamp, Failure> {
    let zulu = text.strip_suffix('Z').map(|local| format!("{local}+00:00"));
    let with_offset = zulu.as_deref().unwrap_or(text);
    if let Ok(instant) = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(with_offset, "%Y-%m-%dT%H:%M%:z"))
    {
        return Ok(Timestamp::from(instant));
    }
    for format in ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(calendar::resolve(local, zone));
        }
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| calendar::day_start(day, zone)).map_err(|_| {
        Failure::call_with_hint(
            format!("`{text}` is no instant"),
            "write 2026-10-01, 2026-10-01T09:00 or 2026-10-01T07:00:00Z",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_the_zone() {
        for (text, expected) in [
            ("2026-10-01T09:00:00Z", "2026-10-01T09:00:00Z"),
            ("2026-10-01T09:00:00+02:00", "2026-10-01T07:00:00Z"),
            ("2026-10-01T09:00+02:00", "2026-10-01T07:00:00Z"),
            ("2026-10-01T09:00Z", "2026-10-01T09:00:00Z"),
            ("2026-10-01T09:00", "2026-10-01T07:00:00Z"),
            ("2026-12-01 09:00:30", "2026-12-01T08:00:30Z"),
            ("2026-10-01", "2026-09-30T22:00:00Z"),
            ("9999-12-30", "9999-12-29T23:00:00Z"),
            ("0001-01-03", "0001-01-02T23:50:39Z"),
        ] {
            let instant = parse(text, chrono_tz::Europe::Paris).map(|instant| instant.to_string());
            assert_eq!(instant.ok().as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "yesterday", "2026-02-30", "09:00", "9999-12-31T23:59:59Z", "0001-01-01", "-0044-03-15"]
        {
            assert!(matches!(parse(text, Zone::UTC), Err(Failure::Call { .. })), "{text}");
        }
    }
}
