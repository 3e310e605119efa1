//! Absolute dates and times: days, local times, instants.

use crate::diagnostic::Problem;
use crate::domain::calendar;
use crate::domain::condition::DateBound;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::ValueType;
use crate::yaml::{Node, Reader, dates};

/// A bound for values of a type: a date has days, a datetime also times. Local times are read in `zone`.
pub(super) fn read(
    reader: &mut Reader,
    node: &Node,
    called: &str,
    value_type: ValueType,
    zone: Zone,
) -> Option<DateBound> {
    let expected = match value_type {
        ValueType::Date => "a date like `2026-12-24`",
        _ => "a date like `2026-12-24`, or a time like `2026-12-24T10:00`",
    };
    let text = &reader.scalar(node, called, expected)?.text;
    if let Some(day) = dates::date(text) {
        return Some(DateBound::Day(day));
    }
    let instant = time(text, zone);
    if let (Some(_), ValueType::Date) = (instant, value_type) {
        let message = format!("{called} must be a date, not the time `{text}`");
        let day = text.trim().get(..10).unwrap_or_default();
        reader
            .report(Problem::error("wrong-date", message, node.place.clone()).hint(format!("write `{day}`")));
        return None;
    }
    if instant.is_none() {
        reader.wrong_date(node, called, text, expected);
    }
    instant.map(DateBound::Instant)
}

/// An instant: what can't be a whole day.
pub(super) fn instant(reader: &mut Reader, node: &Node, called: &str, zone: Zone) -> Option<Timestamp> {
    let expected = "a time like `2026-12-24T10:00`";
    let text = &reader.scalar(node, called, expected)?.text;
    let instant = time(text, zone);
    if instant.is_none() && dates::date(text).is_some() {
        let message = format!("{called} must be {expected}, not a whole day");
        let problem = Problem::error("wrong-date", message, node.place.clone());
        reader.report(
            problem.hint("for whole days use `is`, `before`, `after` or `between`, and `none` around it"),
        );
    } else if instant.is_none() {
        reader.wrong_date(node, called, text, expected);
    }
    instant
}

fn time(text: &str, zone: Zone) -> Option<Timestamp> {
    dates::local_time(text).map(|local| calendar::resolve(local, zone)).or_else(|| dates::instant(text))
}

/// The first instant of a bound.
pub(super) fn start(bound: DateBound, zone: Zone) -> Timestamp {
    match bound {
        DateBound::Day(day) => calendar::day_start(day, zone),
        DateBound::Instant(instant) => instant,
    }
}
