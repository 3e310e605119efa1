//! An instant as people type it.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::domain::calendar;
use crate::domain::time::{Timestamp, Zone};

use super::Failure;

/// Reads `2026-10-01T09:00:00Z`, `2026-10-01T09:00` (on the clock of `zone`) or `2026-10-01` (its
/// first instant there).
pub fn parse(text: &str, zone: Zone) -> Result<Timestamp, Failure> {
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
        ] {
            let instant = parse(text, chrono_tz::Europe::Paris).map(|instant| instant.to_string());
            assert_eq!(instant.ok().as_deref(), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "2026-02-30", "09:00"] {
            assert!(matches!(parse(text, Zone::UTC), Err(Failure::Call { .. })), "{text}");
        }
    }
}
