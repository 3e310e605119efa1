//! Instants, spans of time, and the zones in which they are read.

use std::fmt;

use chrono::{DateTime, TimeZone, Utc};

/// A zone of the IANA time zone database.
pub type Zone = chrono_tz::Tz;

/// An instant, in microseconds since 1970-01-01T00:00:00Z. Both databases keep it so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant this many microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant this many seconds after 1970-01-01T00:00:00Z.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same instant for `chrono`; instants beyond what it can hold are its nearest.
    pub fn to_utc(self) -> DateTime<Utc> {
        Utc.timestamp_micros(self.0).single().unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// The instant `span` later; saturating.
    #[must_use]
    pub const fn plus(self, span: std::time::Duration) -> Self {
        let micros = span.as_micros();
        Self(self.0.saturating_add(if micros > i64::MAX as u128 { i64::MAX } else { micros as i64 }))
    }

    /// The instant `span` earlier; saturating.
    #[must_use]
    pub const fn minus(self, span: std::time::Duration) -> Self {
        let micros = span.as_micros();
        Self(self.0.saturating_sub(if micros > i64::MAX as u128 { i64::MAX } else { micros as i64 }))
    }

    /// From `earlier` to this instant; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_micros(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

impl<Z: TimeZone> From<DateTime<Z>> for Timestamp {
    fn from(instant: DateTime<Z>) -> Self {
        Self(instant.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many places as are needed: `2026-03-29T01:00:00Z`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        formatter.write_str(&text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A length of time as users write it: `30 days`, `12 months`.
///
/// Weeks, days and shorter units are fixed lengths. Months and years are steps of the local
/// calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    /// A fixed number of seconds.
    Seconds(u64),
    /// A number of calendar months; a year is twelve.
    Months(u32),
}

/// Why a text is no [`Span`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time; write a whole number and a unit: `30 days`, `12 months`")]
pub struct InvalidSpan(pub String);

/// No span is longer than this: 1,000 years.
const LONGEST_YEARS: u64 = 1_000;

impl Span {
    /// Reads `<whole number> <unit>`; units are `seconds`, `minutes`, `hours`, `days`, `weeks`,
    /// `months`, `years`, in singular or plural, and `s`, `m`, `h`, `d`, `w` at a number without space.
    /// Zero and more than 1,000 years are refused.
    pub fn parse(text: &str) -> Result<Self, InvalidSpan> {
        let invalid = || InvalidSpan(text.chars().take(60).collect());
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = trimmed[..digits].parse().map_err(|_| invalid())?;
        let day = 86_400;
        let (unit, months) = match trimmed[digits..].trim() {
            "s" | "second" | "seconds" => (1, false),
            "m" | "minute" | "minutes" => (60, false),
            "h" | "hour" | "hours" => (3_600, false),
            "d" | "day" | "days" => (day, false),
            "w" | "week" | "weeks" => (7 * day, false),
            "month" | "months" => (1, true),
            "year" | "years" => (12, true),
            _ => return Err(invalid()),
        };
        let total = count.checked_mul(unit).filter(|total| *total > 0).ok_or_else(invalid)?;
        let longest = if months { LONGEST_YEARS * 12 } else { LONGEST_YEARS * 366 * day };
        match (total <= longest, months) {
            (false, _) => Err(invalid()),
            (true, true) => Ok(Self::Months(total as u32)),
            (true, false) => Ok(Self::Seconds(total)),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match *self {
            Self::Months(months) if months % 12 == 0 => (u64::from(months / 12), "year"),
            Self::Months(months) => (u64::from(months), "month"),
            Self::Seconds(seconds) if seconds % 86_400 == 0 => (seconds / 86_400, "day"),
            Self::Seconds(seconds) if seconds % 3_600 == 0 => (seconds / 3_600, "hour"),
            Self::Seconds(seconds) if seconds % 60 == 0 => (seconds / 60, "minute"),
            Self::Seconds(seconds) => (seconds, "second"),
        };
        write!(formatter, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}
