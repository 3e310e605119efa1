//! The filter `date`: a day or an instant in the contact's language and zone.
//!
//! | argument | |
//! |---|---|
//! | `format` | `long` (the default), `full`, `day`, `short`, `time`, or a pattern with `%` |
//! | `add` | a length of time to add first: `"7 days"`, `"1 month"` |
//! | `language`, `time_zone` | instead of the contact's |
//!
//! | format | English | French |
//! |---|---|---|
//! | `long` | 1 March 2027 | 1er mars 2027 |
//! | `full` | Monday 1 March 2027 | lundi 1er mars 2027 |
//! | `day` | Monday 1 March | lundi 1er mars |
//! | `short` | 01/03/2027 | 01/03/2027 |
//! | `time` | 09:00 | 09:00 |
//!
//! Patterns know `%A %a %B %b %d %e %-d %m %-m %Y %y %H %-H %I %-I %M %S %p %j %F %R %%`.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use tera::{Error, Kwargs, State, Value};

use super::limits;
use super::locale::Language;
use crate::domain::calendar;
use crate::domain::time::{Span, Zone};
use crate::domain::value;

/// The filter.
#[expect(clippy::needless_pass_by_value, reason = "the signature is Tera's")]
pub(super) fn date(value: Value, arguments: Kwargs, _: &State<'_>) -> Result<String, Error> {
    let text = value.as_str().ok_or_else(|| super::filters::wrong_type("date", &value))?;
    let locale = limits::locale();
    let language = super::filters::language(&arguments)?.unwrap_or(locale.language);
    let zone = match arguments.get::<&str>("time_zone")? {
        Some(name) => name
            .parse::<Zone>()
            .map_err(|_| Error::message(format!("`{name}` is not a time zone such as Europe/Paris")))?,
        None => locale.zone,
    };
    let (mut day, mut time) = read(text, zone)
        .ok_or_else(|| Error::message(format!("`date` needs a date or an instant, not `{}`", short(text))))?;
    if let Some(span) = arguments.get::<&str>("add")? {
        let span = Span::parse(span).map_err(|error| Error::message(error.to_string()))?;
        (day, time) = add(day, time, span, zone);
    }
    let format = arguments.get::<&str>("format")?.unwrap_or("long");
    write(day, time, format, language).map_err(Error::message)
}

/// A day, and the time of day where there is one, on the local clock.
fn read(text: &str, zone: Zone) -> Option<(NaiveDate, Option<NaiveTime>)> {
    let text = text.trim();
    if text.len() == 10 {
        return value::date(text).map(|day| (day, None));
    }
    // A local time without an offset (from `data`) is on the clock of whoever reads it.
    for pattern in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, pattern) {
            return Some((local.date(), Some(local.time())));
        }
    }
    let local = calendar::local(value::by_calendar(text, zone)?, zone);
    Some((local.date(), Some(local.time())))
}

fn add(day: NaiveDate, time: Option<NaiveTime>, span: Span, zone: Zone) -> (NaiveDate, Option<NaiveTime>) {
    match (time, span) {
        (None, _) => (calendar::day_forward(day, span), None),
        // Whole days keep the time of day, also over a change of the clocks.
        (Some(time), Span::Seconds(seconds)) if seconds % 86_400 == 0 => {
            (calendar::day_forward(day, span), Some(time))
        }
        (Some(time), _) => {
            let later = calendar::step_forward(calendar::resolve(day.and_time(time), zone), span, zone);
            let local = calendar::local(later, zone);
            (local.date(), Some(local.time()))
        }
    }
}

fn write(
    day: NaiveDate,
    time: Option<NaiveTime>,
    format: &str,
    language: Language,
) -> Result<String, String> {
    use Language::{AmericanEnglish, Dutch, English, French, German, Italian, Spanish};
    let pattern = match (format, language) {
        ("long", AmericanEnglish) => "%B %-d, %Y",
        ("long", English | Italian | Dutch) => "%-d %B %Y",
        ("long", French) => "%o %B %Y",
        ("long", German) => "%-d. %B %Y",
        ("long", Spanish) => "%-d de %B de %Y",
        ("full", AmericanEnglish) => "%A, %B %-d, %Y",
        ("full", English | Italian | Dutch) => "%A %-d %B %Y",
        ("full", French) => "%A %o %B %Y",
        ("full", German) => "%A, %-d. %B %Y",
        ("full", Spanish) => "%A, %-d de %B de %Y",
        ("day", AmericanEnglish) => "%A, %B %-d",
        ("day", English | Italian | Dutch) => "%A %-d %B",
        ("day", French) => "%A %o %B",
        ("day", German) => "%A, %-d. %B",
        ("day", Spanish) => "%A, %-d de %B",
        ("short", AmericanEnglish) => "%m/%d/%Y",
        ("short", English | French | Spanish | Italian) => "%d/%m/%Y",
        ("short", German) => "%d.%m.%Y",
        ("short", Dutch) => "%d-%m-%Y",
        ("time", AmericanEnglish) => "%-I:%M %p",
        ("time", _) => "%H:%M",
        (pattern, _) if pattern.contains('%') => pattern,
        (other, _) => {
            return Err(format!(
                "`{}` is not a format of `date`; write long, full, day, short, time, or a pattern such as \"%d.%m.\"",
                short(other)
            ));
        }
    };
    let mut text = String::with_capacity(pattern.len() + 16);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let mut next = characters.next();
        let bare = next == Some('-');
        if bare {
            next = characters.next();
        }
        let Some(directive) = next else { return Err(format!("the pattern `{}` ends in %", short(pattern))) };
        let clock =
            || time.ok_or_else(|| format!("`%{directive}` needs a time of day, and this is only a date"));
        let two = |number: u32| if bare { number.to_string() } else { format!("{number:02}") };
        let written = match directive {
            'A' => names(language).weekday(day).to_owned(),
            'a' => shortened(names(language).weekday(day)),
            'B' => names(language).month(day).to_owned(),
            'b' => shortened(names(language).month(day)),
            'd' => two(day.day()),
            'e' => format!("{:2}", day.day()),
            // The first of a month has an ordinal in French.
            'o' if day.day() == 1 => "1er".to_owned(),
            'o' => day.day().to_string(),
            'm' => two(day.month()),
            'Y' => day.year().to_string(),
            'y' => format!("{:02}", day.year().rem_euclid(100)),
            'j' => format!("{:03}", day.ordinal()),
            'F' => day.to_string(),
            'H' => two(clock()?.hour()),
            'I' => two(clock()?.hour12().1),
            'M' => two(clock()?.minute()),
            'S' => two(clock()?.second()),
            'R' => format!("{:02}:{:02}", clock()?.hour(), clock()?.minute()),
            'p' => if clock()?.hour12().0 { "pm" } else { "am" }.to_owned(),
            '%' => "%".to_owned(),
            other => {
                return Err(format!("`%{other}` is not known in a pattern of `date`"));
            }
        };
        text.push_str(&written);
    }
    Ok(text)
}

struct Names {
    months: [&'static str; 12],
    weekdays: [&'static str; 7],
}

impl Names {
    fn month(&self, day: NaiveDate) -> &'static str {
        self.months[day.month0() as usize % 12]
    }

    fn weekday(&self, day: NaiveDate) -> &'static str {
        self.weekdays[day.weekday().num_days_from_monday() as usize % 7]
    }
}

/// The first three characters: enough to tell months and weekdays apart.
fn shortened(name: &str) -> String {
    name.chars().take(3).collect()
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Written as in the middle of a sentence: without capitals where the language has none.
const fn names(language: Language) -> &'static Names {
    match language {
        Language::English | Language::AmericanEnglish => &ENGLISH,
        Language::French => &FRENCH,
        Language::German => &GERMAN,
        Language::Spanish => &SPANISH,
        Language::Italian => &ITALIAN,
        Language::Dutch => &DUTCH,
    }
}

static ENGLISH: Names = Names {
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
};
static FRENCH: Names = Names {
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    weekdays: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
};
static GERMAN: Names = Names {
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    weekdays: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
};
static SPANISH: Names = Names {
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    weekdays: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
};
static ITALIAN: Names = Names {
    months: [
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ],
    weekdays: ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
};
static DUTCH: Names = Names {
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    weekdays: ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
};

#[cfg(test)]
mod tests {
    use super::*;

    const PARIS: Zone = Zone::Europe__Paris;

    #[test]
    fn dates_are_written_as_people_write_them() {
        use Language::{AmericanEnglish, Dutch, English, French, German, Italian, Spanish};
        for (text, format, language, expected) in [
            ("2027-03-01", "long", English, "1 March 2027"),
            ("2027-03-01", "long", AmericanEnglish, "March 1, 2027"),
            ("2027-03-01", "long", French, "1er mars 2027"),
            ("2027-03-02", "long", French, "2 mars 2027"),
            ("2027-03-01", "long", German, "1. März 2027"),
            ("2027-03-01", "long", Spanish, "1 de marzo de 2027"),
            ("2027-03-01", "long", Italian, "1 marzo 2027"),
            ("2027-03-01", "long", Dutch, "1 maart 2027"),
            ("2027-03-01", "full", English, "Monday 1 March 2027"),
            ("2027-03-01", "full", German, "Montag, 1. März 2027"),
            ("2027-03-03", "day", Spanish, "miércoles, 3 de marzo"),
            ("2027-03-01", "day", French, "lundi 1er mars"),
            ("2027-03-01", "short", English, "01/03/2027"),
            ("2027-03-01", "short", AmericanEnglish, "03/01/2027"),
            ("2027-03-01", "short", German, "01.03.2027"),
            ("2027-03-01", "short", Dutch, "01-03-2027"),
            // An instant is read in the zone: 23:30 in UTC is the next day in Paris.
            ("2026-12-31T23:30:00Z", "long", English, "1 January 2027"),
            ("2026-12-31T23:30:00Z", "time", English, "00:30"),
            ("2026-07-01T16:05:00+00:00", "time", AmericanEnglish, "6:05 pm"),
            ("2026-12-24T18:00", "time", French, "18:00"),
            ("2026-12-24 18:00:05", "%-d/%-m %H:%M:%S", French, "24/12 18:00:05"),
            ("2027-03-01", "%a %e %b %y, day %j: 100%%", Italian, "lun  1 mar 27, day 060: 100%"),
            ("2027-03-01", "%F", Italian, "2027-03-01"),
        ] {
            let (day, time) = read(text, PARIS).expect("a date");
            assert_eq!(write(day, time, format, language).as_deref(), Ok(expected), "{text} {format}");
        }
    }

    #[test]
    fn spans_are_added_on_the_local_clock() {
        for (text, span, expected) in [
            ("2027-02-28", "1 day", "2027-03-01"),
            ("2027-01-31", "1 month", "2027-02-28"),
            ("2027-03-27T09:00:00+01:00", "1 day", "2027-03-28 09:00"),
            ("2027-03-27T09:00:00+01:00", "24 hours", "2027-03-28 09:00"),
            ("2027-03-27T09:00:00+01:00", "25 hours", "2027-03-28 11:00"),
            ("2027-03-27T09:00:00+01:00", "2 months", "2027-05-27 09:00"),
        ] {
            let (day, time) = read(text, PARIS).expect("a date");
            let (day, time) = add(day, time, Span::parse(span).expect("a span"), PARIS);
            let format = if time.is_some() { "%F %R" } else { "%F" };
            assert_eq!(
                write(day, time, format, Language::English).as_deref(),
                Ok(expected),
                "{text} + {span}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        let (day, time) = read("2027-03-01", PARIS).expect("a date");
        for (format, expected) in [
            ("time", "`%H` needs a time of day, and this is only a date"),
            ("%Q", "`%Q` is not known in a pattern of `date`"),
            ("%", "the pattern `%` ends in %"),
            (
                "lang",
                "`lang` is not a format of `date`; write long, full, day, short, time, or a pattern such as \"%d.%m.\"",
            ),
        ] {
            assert_eq!(write(day, time, format, Language::English), Err(expected.to_owned()));
        }
        for text in ["", "tomorrow", "2027-13-01", "2027-03-01T25:00", "1.3.2027"] {
            assert_eq!(read(text, PARIS), None, "{text}");
        }
    }
}
