//! Tests of dates by the calendar: `ago`, `during`, `month`, `weekday`, `anniversary`; and of lengths of
//! time.

use chrono::Weekday;

use super::keys::{AGO, ANNIVERSARY};
use super::lint::{longest, shortest};
use super::test::{all, pair, swapped};
use crate::diagnostic::{Problem, did_you_mean, similar::listed};
use crate::domain::condition::{Ago, CalendarUnit, Operator, Period, Test};
use crate::domain::number::Number;
use crate::domain::time::Span;
use crate::yaml::{Field, Fields, Kind, Node, Reader};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

const PERIODS: [(&str, CalendarUnit, i8); 15] = [
    ("today", CalendarUnit::Day, 0),
    ("yesterday", CalendarUnit::Day, -1),
    ("tomorrow", CalendarUnit::Day, 1),
    ("this week", CalendarUnit::Week, 0),
    ("last week", CalendarUnit::Week, -1),
    ("next week", CalendarUnit::Week, 1),
    ("this month", CalendarUnit::Month, 0),
    ("last month", CalendarUnit::Month, -1),
    ("next month", CalendarUnit::Month, 1),
    ("this quarter", CalendarUnit::Quarter, 0),
    ("last quarter", CalendarUnit::Quarter, -1),
    ("next quarter", CalendarUnit::Quarter, 1),
    ("this year", CalendarUnit::Year, 0),
    ("last year", CalendarUnit::Year, -1),
    ("next year", CalendarUnit::Year, 1),
];

/// How long ago: one bound or more.
pub(super) fn ago(reader: &mut Reader, field: Field<'_>) -> Option<Vec<Ago>> {
    lengths(reader, field, Reader::span)
}

/// A mean gap, in seconds.
pub(super) fn gap(reader: &mut Reader, field: Field<'_>) -> Option<Test> {
    let bounds = lengths(reader, field, |reader, node, called| {
        let span = reader.span(node, called)?;
        if let Span::Months(_) = span {
            let message = format!("{called}: a gap is a fixed length, and months and years are not");
            let problem = Problem::error("wrong-span", message, node.place.clone());
            reader.report(problem.hint("write it in days"));
            return None;
        }
        Some(span)
    })?;
    let operators = bounds.into_iter().map(|bound| {
        let (Ago::AtLeast(span) | Ago::AtMost(span) | Ago::MoreThan(span) | Ago::LessThan(span)) = bound;
        let Span::Seconds(seconds) = span else { return None };
        let seconds = Number::from_whole(i64::try_from(seconds).ok()?)?;
        Some(match bound {
            Ago::AtLeast(_) => Operator::AtLeast(seconds),
            Ago::AtMost(_) => Operator::AtMost(seconds),
            Ago::MoreThan(_) => Operator::MoreThan(seconds),
            Ago::LessThan(_) => Operator::LessThan(seconds),
        })
    });
    Some(Test { operators: operators.collect::<Option<_>>()?, exact_case: false })
}

/// Bounds of a length of time, one or more.
fn lengths(
    reader: &mut Reader,
    field: Field<'_>,
    span: impl Fn(&mut Reader, &Node, &str) -> Option<Span>,
) -> Option<Vec<Ago>> {
    let errors = reader.errors();
    let fields = Fields::read(reader, field.value, &field.subject(), &field.name.place, &AGO)?;
    let mut bounds = Vec::new();
    for bound in fields.iter() {
        let called = bound.subject();
        match bound.key.name {
            "between" => {
                let Some([near, far]) = pair(reader, bound) else { continue };
                let (near, far) = (span(reader, near, &called), span(reader, far, &called));
                let Some((near, far)) = near.zip(far) else { continue };
                if shortest(near) > longest(far) {
                    swapped(reader, bound.value, &near.to_string(), &far.to_string());
                }
                bounds.extend([Ago::AtLeast(near), Ago::AtMost(far)]);
            }
            name => {
                let Some(span) = span(reader, bound.value, &called) else { continue };
                bounds.push(match name {
                    "at_least" => Ago::AtLeast(span),
                    "at_most" => Ago::AtMost(span),
                    "more_than" => Ago::MoreThan(span),
                    _ => Ago::LessThan(span),
                });
            }
        }
    }
    if bounds.is_empty() && reader.errors() == errors {
        reader.empty(field);
    }
    (reader.errors() == errors).then_some(bounds)
}

/// A period of the calendar, seen from today.
pub(super) fn during(reader: &mut Reader, field: Field<'_>) -> Option<Period> {
    let words = PERIODS.map(|(word, unit, offset)| (word, Some(Period { unit, offset })));
    reader.word(field.value, "`during`", &words)
}

/// Months by number or name, one or a list.
pub(super) fn months(reader: &mut Reader, field: Field<'_>) -> Option<Vec<u32>> {
    one_or_list(reader, field, |reader, node| {
        let Kind::Scalar(scalar) = &node.kind else {
            reader.wrong_type(node, "`month`", "a month from 1 to 12");
            return None;
        };
        let by_name = MONTHS.iter().position(|month| scalar.text.eq_ignore_ascii_case(month));
        let month = by_name.map_or_else(|| scalar.text.parse().ok(), |month| Some(month as u32 + 1));
        let month = month.filter(|month| (1..=12).contains(month));
        if month.is_none() {
            let message = format!("`month` is a number from 1 to 12 or a name, not {}", node.describe());
            let problem = Problem::error("wrong-value", message, node.place.clone());
            reader.report(problem.maybe_hint(did_you_mean(&scalar.text.to_lowercase(), MONTHS)));
        }
        month
    })
}

/// Days of the week, one or a list.
pub(super) fn weekdays(reader: &mut Reader, field: Field<'_>) -> Option<Vec<Weekday>> {
    one_or_list(reader, field, |reader, node| {
        reader.word(node, "`weekday`", &WEEKDAYS.map(|(word, day)| (word, Some(day))))
    })
}

fn one_or_list<T>(
    reader: &mut Reader,
    field: Field<'_>,
    mut read: impl FnMut(&mut Reader, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    if matches!(field.value.kind, Kind::List(_)) {
        let items = reader.items(field)?;
        return all(items, |item| read(reader, item));
    }
    read(reader, field.value).map(|one| vec![one])
}

/// In which days from today on an anniversary must lie.
pub(super) fn anniversary(reader: &mut Reader, field: Field<'_>) -> Option<Span> {
    const TODAY: Span = Span::Seconds(86_400);
    if matches!(field.value.kind, Kind::Map(_)) {
        let fields = Fields::read(reader, field.value, "`anniversary`", &field.name.place, &ANNIVERSARY)?;
        let within_next = fields.require(reader, "within_next")?;
        return reader.span(within_next.value, "`within_next`");
    }
    let or = format!("or a map with {}", listed(ANNIVERSARY.names()));
    reader.word_or(field.value, "`anniversary`", &[("today", Some(TODAY))], &or)
}
