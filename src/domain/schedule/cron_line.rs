//! A cron line of five fields: minute, hour, day of month, month, weekday.
//!
//! The language is that of Debian's cron, with steps from a single number (`5/15`) and Sunday at
//! the end of a range (`FRI-SUN`): numbers, three-letter names, ranges, steps, lists. When day of
//! month and weekday are both given, a day that meets either is due. A field that begins with `*`
//! is not given, so that in `0 9 */2 * MON` both must be met. What other dialects add (seconds,
//! `@daily`, `L`, `W`, `#`, `?`) is refused by name.
//!
//! The `cron` crate finds the times, under an adapter: it reads weekdays by other numbers, takes
//! six fields, wants day of month *and* weekday, and loses or doubles times around daylight
//! saving. So it is given plain lists of what our own reader understood, one schedule for each
//! side of an "either", and walks over local times as if they were UTC.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::field::{self, Field};

/// A cron line of five fields.
#[derive(Debug, Clone)]
pub struct CronLine {
    text: String,
    /// One, or two of which either is due.
    plans: Arc<[cron::Schedule]>,
}

impl PartialEq for CronLine {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CronLine {}

/// Why a text is no cron line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidCronLine {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl InvalidCronLine {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

/// What `@…` stands for in other crons.
const NICKNAMES: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * SUN"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

const FIVE_FIELDS: &str = "write five fields: minute, hour, day of month, month, weekday, \
                           as in `0 9 * * MON` (Mondays at nine)";

impl CronLine {
    /// Reads a cron line.
    pub fn parse(text: &str) -> Result<Self, InvalidCronLine> {
        let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        refuse_other_dialects(&words)?;
        let [minute, hour, day, month, weekday] = words.as_slice() else {
            return Err(wrong_number_of_fields(&words));
        };
        let minute = Field::read(minute, &field::MINUTE)?;
        let hour = Field::read(hour, &field::HOUR)?;
        let day = Field::read(day, &field::DAY)?;
        let month = Field::read(month, &field::MONTH)?;
        let weekday = Field::read(weekday, &field::WEEKDAY)?;

        let plan = |day: &str, weekday: &str| {
            let line = format!("0 {} {} {day} {} {weekday}", minute.list(), hour.list(), month.list());
            line.parse::<cron::Schedule>().map_err(|error| InvalidCronLine {
                message: format!("`{text}` cannot be planned: {error}"),
                hint: None,
            })
        };
        let both_given = !day.starred && !weekday.starred;
        let plans = if both_given {
            vec![plan(&day.list(), "*")?, plan("*", &weekday.list())?]
        } else {
            vec![plan(&day.list(), &weekday.list())?]
        };
        let line = Self { text: words.join(" "), plans: plans.into() };
        if line.first_later_than(NaiveDateTime::MIN).is_none() {
            return Err(InvalidCronLine::new(
                format!("`{}` never fires: no year has such a day", line.text),
                "the longest months have 31 days; April, June, September and November have 30, \
                 February 28 or 29",
            ));
        }
        Ok(line)
    }

    /// The line as it was written, with single spaces.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first local time of the line that is later than `wall`. Nothing is due after the year 2100.
    pub(super) fn first_later_than(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        // The crate knows the years 1970 to 2100, and adds a second to where it starts.
        let start = wall.max(first_second() - TimeDelta::seconds(1));
        if start >= last_second() {
            return None;
        }
        let start = without_fraction(start).and_utc();
        self.plans.iter().filter_map(|plan| plan.after(&start).next()).map(wall_of).min()
    }

    /// The last local time of the line that is not later than `wall`.
    pub(super) fn last_not_later_than(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let end = wall.min(last_second() - TimeDelta::seconds(1));
        if end < first_second() {
            return None;
        }
        // The crate's own bound is exclusive.
        let end = (without_fraction(end) + TimeDelta::seconds(1)).and_utc();
        self.plans.iter().filter_map(|plan| plan.after(&end).next_back()).map(wall_of).max()
    }
}

fn first_second() -> NaiveDateTime {
    DateTime::UNIX_EPOCH.naive_utc()
}

/// The last second that the crate plans for.
fn last_second() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2100, 12, 31)
        .map_or(NaiveDateTime::MAX, |day| day.and_time(NaiveTime::MIN) + TimeDelta::seconds(86_399))
}

fn wall_of(dressed_as_utc: DateTime<Utc>) -> NaiveDateTime {
    dressed_as_utc.naive_utc()
}

fn without_fraction(wall: NaiveDateTime) -> NaiveDateTime {
    use chrono::Timelike as _;
    wall.with_nanosecond(0).unwrap_or(wall)
}

fn refuse_other_dialects(words: &[&str]) -> Result<(), InvalidCronLine> {
    let Some(first) = words.first() else {
        return Err(InvalidCronLine::new("the cron line is empty", FIVE_FIELDS));
    };
    if first.starts_with('@') {
        let nickname = first.to_ascii_lowercase();
        let known = NICKNAMES.iter().find(|(name, _)| *name == nickname);
        return Err(InvalidCronLine::new(
            format!("`{}` is not known here", words.join(" ")),
            known.map_or_else(|| FIVE_FIELDS.to_owned(), |(_, line)| format!("write `{line}`")),
        ));
    }
    if first.starts_with("TZ=") || first.starts_with("CRON_TZ=") {
        return Err(InvalidCronLine::new(
            format!("a cron line cannot begin with `{first}`"),
            "give the zone beside the line: `time_zone: Europe/Paris`",
        ));
    }
    Ok(())
}

fn wrong_number_of_fields(words: &[&str]) -> InvalidCronLine {
    let count = words.len();
    let message =
        format!("a cron line has five fields; this one has {count}: `{}`", field::shown(&words.join(" ")));
    // Six fields nearly always begin with seconds.
    let without_seconds = words.get(1..).unwrap_or_default().join(" ");
    if count == 6 && CronLine::parse(&without_seconds).is_ok() {
        return InvalidCronLine::new(message, format!("leave the seconds out: `{without_seconds}`"));
    }
    InvalidCronLine::new(message, FIVE_FIELDS)
}
