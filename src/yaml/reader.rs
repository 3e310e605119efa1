//! Values of the plain types. A reader collects problems and goes on: where a value is not what
//! it must be, that is reported and `None` returned.
//!
//! `subject` is what a message calls the value: `` `within` ``.

use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime};

use super::fields::Field;
use super::keys::Group;
use super::node::{Entry, Kind, Node};
use super::scalar::Scalar;
use crate::diagnostic::{Place, Problem, did_you_mean, similar::listed};
use crate::domain::email::Mailbox;
use crate::domain::number::Number;
use crate::domain::schedule::{Cadence, CronLine};
use crate::domain::time::{Span, Zone};

/// Collects problems.
#[derive(Debug, Default)]
pub struct Reader {
    problems: Vec<Problem>,
    errors: usize,
}

impl Reader {
    /// No problems yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a problem.
    pub fn report(&mut self, problem: Problem) {
        self.errors += usize::from(problem.is_error());
        self.problems.push(problem);
    }

    /// Everything that was noted.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// How many problems were noted, warnings too; see [`Self::has_since`].
    pub const fn noted(&self) -> usize {
        self.problems.len()
    }

    /// Whether a problem of this code was noted since there were `noted`.
    pub fn has_since(&self, noted: usize, code: &str) -> bool {
        self.problems.get(noted..).unwrap_or_default().iter().any(|problem| problem.code == code)
    }

    /// How many errors were noted: whether reading something added any.
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Notes that something of the language is not there yet.
    pub fn not_available(&mut self, subject: &str, place: &Place) {
        let message = format!("{subject} is not available in this version");
        self.report(Problem::error("not-available", message, place.clone()).hint("leave it out"));
    }

    /// Notes that a value is not what it must be.
    pub fn wrong_type(&mut self, node: &Node, subject: &str, expected: &str) {
        if node.kind != Kind::Broken {
            let message = format!("{subject} must be {expected}, not {}", node.describe());
            self.report(Problem::error("wrong-type", message, node.place.clone()));
        }
    }

    /// Notes that a value of the right type makes no sense.
    pub fn wrong_value(&mut self, node: &Node, message: impl Into<String>) {
        self.report(Problem::error("wrong-value", message, node.place.clone()));
    }

    /// The entries of a map.
    pub fn map<'n>(&mut self, node: &'n Node, subject: &str, group: &'static Group) -> Option<&'n [Entry]> {
        match &node.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Broken => None,
            _ => {
                let message = format!("{subject} must be a map, not {}", node.describe());
                let hint = format!("its keys are {}", listed(group.names()));
                self.report(Problem::error("wrong-type", message, node.place.clone()).hint(hint));
                None
            }
        }
    }

    /// The entries of a map of names, which must not be empty.
    pub fn names<'n>(&mut self, field: Field<'n>) -> Option<&'n [Entry]> {
        match &field.value.kind {
            Kind::Map(entries) if !entries.is_empty() => Some(entries),
            Kind::Map(_) => {
                self.empty(field);
                None
            }
            _ => {
                field.wrong_type(self);
                None
            }
        }
    }

    /// The items of a list, which must not be empty.
    pub fn items<'n>(&mut self, field: Field<'n>) -> Option<&'n [Node]> {
        match &field.value.kind {
            Kind::List(items) if !items.is_empty() => Some(items),
            Kind::List(_) => {
                self.empty(field);
                None
            }
            _ => {
                field.wrong_type(self);
                None
            }
        }
    }

    /// Notes that a list or map has nothing in it.
    pub fn empty(&mut self, field: Field<'_>) {
        let what = if matches!(field.value.kind, Kind::List(_)) { "list" } else { "map" };
        let message = format!("{} is an empty {what}", field.subject());
        let problem = Problem::error("empty", message, field.value.place.clone());
        self.report(problem.hint(format!("for example `{}`, or leave it out", field.key.example)));
    }

    /// A scalar.
    pub fn scalar<'n>(&mut self, node: &'n Node, subject: &str, expected: &str) -> Option<&'n Scalar> {
        if let Kind::Scalar(scalar) = &node.kind {
            return Some(scalar);
        }
        self.wrong_type(node, subject, expected);
        None
    }

    /// Text. A number is taken as it is written (a postcode); a boolean needs quotes.
    pub fn text<'n>(&mut self, node: &'n Node, subject: &str) -> Option<&'n str> {
        let scalar = self.scalar(node, subject, "text")?;
        if scalar.boolean().is_some() {
            let message = format!("{subject} must be text, not {}", scalar.describe());
            let problem = Problem::error("wrong-type", message, node.place.clone());
            self.report(
                problem.hint(format!("if the word is meant, write it in quotes: \"{}\"", scalar.text)),
            );
            return None;
        }
        Some(&scalar.text)
    }

    /// Text with something in it.
    pub fn filled<'n>(&mut self, node: &'n Node, subject: &str) -> Option<&'n str> {
        let text = self.text(node, subject)?;
        if text.trim().is_empty() {
            self.wrong_value(node, format!("{subject} is blank"));
            return None;
        }
        Some(text)
    }

    /// A list of texts, not empty.
    pub fn texts(&mut self, field: Field<'_>) -> Option<Vec<String>> {
        let subject = format!("an item of {}", field.subject());
        let items = self.items(field)?;
        let texts: Vec<_> =
            items.iter().filter_map(|item| self.text(item, &subject).map(str::to_owned)).collect();
        (texts.len() == items.len()).then_some(texts)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, subject: &str) -> Option<bool> {
        let expected = "`true` or `false`";
        let scalar = self.scalar(node, subject, expected)?;
        let boolean = scalar.boolean();
        if boolean.is_none() {
            let hint = match scalar.text.to_lowercase().as_str() {
                "yes" | "on" | "true" => Some("write `true`".to_owned()),
                "no" | "off" | "false" => Some("write `false`".to_owned()),
                _ => None,
            };
            let message = format!("{subject} must be {expected}, not {}", scalar.describe());
            self.report(Problem::error("wrong-type", message, node.place.clone()).maybe_hint(hint));
        }
        boolean
    }

    /// A decimal number.
    pub fn number(&mut self, node: &Node, subject: &str) -> Option<Number> {
        let scalar = self.scalar(node, subject, "a number")?;
        if !scalar.is_number() {
            let message = format!("{subject} must be a number, not {}", scalar.describe());
            let quoted = !scalar.plain && Number::parse(&scalar.text).is_ok();
            let hint = quoted.then(|| "write it without quotes".to_owned());
            self.report(Problem::error("wrong-type", message, node.place.clone()).maybe_hint(hint));
            return None;
        }
        match Number::parse(&scalar.text) {
            Ok(number) if is_rounded(&scalar.text) => {
                let message =
                    format!("{subject}: numbers have six places at most, not as many as `{}`", scalar.text);
                let problem = Problem::error("wrong-value", message, node.place.clone());
                let nearest = (number != Number::ZERO).then(|| format!("write `{number}`"));
                self.report(problem.maybe_hint(nearest));
                None
            }
            Ok(number) => Some(number),
            Err(error) => {
                self.wrong_value(node, format!("{subject}: {error}"));
                None
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&mut self, node: &Node, subject: &str, least: u64, most: u64) -> Option<u64> {
        let scalar = self.scalar(node, subject, "a whole number")?;
        if !scalar.is_number() {
            self.wrong_type(node, subject, "a whole number");
            return None;
        }
        match scalar.text.parse() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let bounds = match most {
                    u64::MAX => format!("a whole number of at least {least}"),
                    _ if least == most => format!("`{least}`"),
                    _ => format!("a whole number from {least} to {most}"),
                };
                self.wrong_value(node, format!("{subject} must be {bounds}, not `{}`", scalar.text));
                None
            }
        }
    }

    /// A length of time: `30 days`.
    pub fn span(&mut self, node: &Node, subject: &str) -> Option<Span> {
        let scalar = self.scalar(node, subject, "a length of time like `30 days`")?;
        match Span::parse(&scalar.text) {
            Ok(span) => Some(span),
            Err(error) => {
                let problem = Problem::error("wrong-span", format!("{subject}: {error}"), node.place.clone());
                self.report(problem.maybe_hint(span_hint(&scalar.text)));
                None
            }
        }
    }

    /// A cron line.
    pub fn cron_line(&mut self, node: &Node, subject: &str) -> Option<CronLine> {
        let text = self.filled(node, subject)?;
        match CronLine::parse(text) {
            Ok(line) => Some(line),
            Err(error) => {
                let problem = Problem::error("wrong-cron", error.message, node.place.clone());
                self.report(problem.maybe_hint(error.hint));
                None
            }
        }
    }

    /// How often something is computed anew: `5 minutes`, or a cron line.
    pub fn cadence(&mut self, node: &Node, subject: &str) -> Option<Cadence> {
        let text = &self.scalar(node, subject, "a length of time like `5 minutes`, or a cron line")?.text;
        let is_line = text.starts_with('@') || text.contains('*') || text.split_whitespace().count() == 5;
        if is_line {
            return self.cron_line(node, subject).map(Cadence::Cron);
        }
        match self.span(node, subject)? {
            Span::Seconds(seconds) => Some(Cadence::Every(Duration::from_secs(seconds))),
            Span::Months(_) => {
                let message = format!("{subject} takes weeks at most: months differ in length");
                let problem = Problem::error("wrong-value", message, node.place.clone());
                self.report(problem.hint("a cron line can name days of months: `0 6 1 * *`"));
                None
            }
        }
    }

    /// An IANA zone.
    pub fn zone(&mut self, node: &Node, subject: &str) -> Option<Zone> {
        let name = self.filled(node, subject)?;
        if let Ok(zone) = name.parse() {
            return Some(zone);
        }
        let known = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let is_city =
            |zone: &&str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
        let hint = match known().find(is_city) {
            Some(zone) => format!("did you mean `{zone}`?"),
            None => did_you_mean(name, known())
                .unwrap_or_else(|| "zones have IANA names, for example `Europe/Paris`".to_owned()),
        };
        let message = format!("there is no time zone `{name}`");
        self.report(Problem::error("unknown-zone", message, node.place.clone()).hint(hint));
        None
    }

    /// A day: `2026-12-24`.
    pub fn date(&mut self, node: &Node, subject: &str) -> Option<NaiveDate> {
        let text = &self.scalar(node, subject, "a date like `2026-12-24`")?.text;
        let date = super::dates::date(text);
        if date.is_none() {
            self.wrong_date(node, subject, text, "a date like `2026-12-24`");
        }
        date
    }

    /// Notes that a text is no date or time.
    pub fn wrong_date(&mut self, node: &Node, subject: &str, text: &str, expected: &str) {
        let day = text.trim().get(..10).unwrap_or_default();
        let message = if super::dates::looks_like_date(text) && super::dates::date(day).is_none() {
            format!("{subject}: `{text}` is not in the calendar")
        } else {
            format!("{subject} must be {expected}, not {}", node.describe())
        };
        self.report(Problem::error("wrong-date", message, node.place.clone()));
    }

    /// A local time: `2026-10-01T10:00`.
    pub fn local_time(&mut self, node: &Node, subject: &str) -> Option<NaiveDateTime> {
        let expected = "a local time like `2026-10-01T10:00`";
        let text = &self.scalar(node, subject, expected)?.text;
        let time = super::dates::local_time(text);
        if time.is_none() {
            self.wrong_date(node, subject, text, expected);
        }
        time
    }

    /// A mailbox: `Maison Roland <bonjour@maison.example>`.
    pub fn mailbox(&mut self, node: &Node, subject: &str) -> Option<Mailbox> {
        let text = self.filled(node, subject)?;
        match Mailbox::parse(text) {
            Ok(mailbox) => Some(mailbox),
            Err(error) => {
                let problem =
                    Problem::error("wrong-address", format!("{subject}: {error}"), node.place.clone());
                self.report(problem.hint("for example `Maison Roland <bonjour@maison.example>`"));
                None
            }
        }
    }

    /// One of the words; those that are not in this version are refused as such.
    pub fn word<T: Copy>(&mut self, node: &Node, subject: &str, words: &[(&str, Option<T>)]) -> Option<T> {
        self.word_or(node, subject, words, "")
    }

    /// One of the words, where something else (`or …`) may stand, too.
    pub fn word_or<T: Copy>(
        &mut self,
        node: &Node,
        subject: &str,
        words: &[(&str, Option<T>)],
        or: &str,
    ) -> Option<T> {
        let available = || words.iter().filter(|(_, value)| value.is_some()).map(|(word, _)| *word);
        let one_of = if available().count() > 1 { "one of " } else { "" };
        let space = if or.is_empty() { "" } else { " " };
        let expected = format!("{one_of}{}{space}{or}", listed(available()));
        let text = self.scalar(node, subject, &expected)?.text.as_str();
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, Some(value))) => Some(*value),
            Some((word, None)) => {
                self.not_available(&format!("{subject}: `{word}`").replace("`: `", ": "), &node.place);
                None
            }
            None => {
                let message = format!("{subject} must be {expected}, not {}", node.describe());
                let problem = Problem::error("wrong-value", message, node.place.clone());
                self.report(problem.maybe_hint(did_you_mean(text, available())));
                None
            }
        }
    }
}

/// Whether a decimal number has digits behind its sixth place.
fn is_rounded(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let places = mantissa.split_once('.').map_or(0, |(_, places)| places.trim_end_matches('0').len());
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let zeros = match places {
        0 => mantissa.split('.').next().map_or(0, |whole| whole.len() - whole.trim_end_matches('0').len()),
        _ => 0,
    };
    let is_zero = mantissa.bytes().all(|byte| !(b'1'..=b'9').contains(&byte));
    !is_zero && places as i64 - zeros as i64 - exponent > 6
}

/// What is usually wrong with a length of time.
fn span_hint(text: &str) -> Option<String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Some("a length of time is not negative".to_owned());
    }
    let unit = text.trim_start_matches(|char: char| char.is_ascii_digit()).trim();
    if text.starts_with(|char: char| char.is_ascii_digit()) && unit.starts_with(['.', ',']) {
        return Some("write a whole number of a smaller unit: `36 hours`, not `1.5 days`".to_owned());
    }
    if unit.is_empty() {
        return Some(format!("add a unit: `{text} days`"));
    }
    let units = ["seconds", "minutes", "hours", "days", "weeks", "months", "years"];
    let count = text[..text.len() - unit.len()].trim();
    if !units.contains(&unit) && !units.contains(&format!("{unit}s").as_str()) {
        return did_you_mean(unit, units);
    }
    let is_zero = count.bytes().all(|byte| byte == b'0');
    let hint = if is_zero {
        "leave it out, or write at least 1"
    } else {
        "no length of time is more than 1000 years"
    };
    Some(hint.to_owned())
}
