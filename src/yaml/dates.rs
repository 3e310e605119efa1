//! Dates and local times, as ISO 8601 writes them: `2026-12-24`, `2026-12-24T10:00`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::time::Timestamp;

/// A day: four, two and two digits.
pub fn date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    if !looks_like_date(text) || text.len() != 10 {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)
}

/// A day and a time of day without a zone: `2026-12-24T10:00`, `2026-12-24 10:00:30`.
pub fn local_time(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let day = date(text.get(..10)?)?;
    let time = text.get(10..)?.strip_prefix(['T', 't', ' '])?;
    let digits = time.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let time = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(time, format).ok())
        .filter(|_| digits)?;
    Some(day.and_time(time))
}

/// An instant: a local time, with or without seconds, with `Z` or an offset.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    date(text.get(..10)?)?;
    let without_seconds = || {
        let text = text.strip_suffix(['Z', 'z']).map_or(text.to_owned(), |local| format!("{local}+00:00"));
        DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M%:z").ok()
    };
    DateTime::parse_from_rfc3339(text).ok().or_else(without_seconds).map(Timestamp::from)
}

/// Whether a text begins with digits as a date has them.
pub fn looks_like_date(text: &str) -> bool {
    let mut bytes = text.trim().bytes();
    b"dddd-dd-dd".iter().all(|pattern| {
        bytes.next().is_some_and(|byte| if *pattern == b'd' { byte.is_ascii_digit() } else { byte == b'-' })
    })
}

#[cfg(test)]
mod tests {
    use super::{date, instant, local_time};

    fn check(text: &str, is_date: bool, is_local: bool, is_instant: bool) {
        assert_eq!(
            (date(text).is_some(), local_time(text).is_some(), instant(text).is_some()),
            (is_date, is_local, is_instant),
            "{text}"
        );
    }

    #[test]
    fn dates_are_strict() {
        check("2026-12-24", true, false, false);
        check("2024-02-29", true, false, false);
        check("2026-10-01T10:00", false, true, false);
        check("2026-10-01 10:00:30", false, true, false);
        check("2026-10-01T10:00:00Z", false, false, true);
        check("2026-10-01T10:00:00+02:00", false, false, true);
        check("2026-10-01T10:00+02:00", false, false, true);
        check("2026-10-01T10:00Z", false, false, true);
        for text in [
            "2026-02-30",
            "2026-13-01",
            "26-01-01",
            "2026-1-1",
            "2026-10-01T25:00",
            "2026-10-01T",
            "é2026-10-0",
            "",
        ] {
            check(text, false, false, false);
        }
    }
}
