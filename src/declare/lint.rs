//! What is legal but cannot be meant: operators that contradict each other, windows without time.

use chrono::NaiveDate;

use crate::domain::condition::{DateBound, Operator, Window};
use crate::domain::time::Span;
use crate::domain::value::Value;

/// Why no value can meet all of these operators, if that is certain.
pub(super) fn contradiction(operators: &[Operator]) -> Option<String> {
    let missing = operators.iter().any(|operator| matches!(operator, Operator::Exists(false)));
    let present = |operator: &Operator| !matches!(operator, Operator::Exists(false) | Operator::Blank(true));
    if missing && operators.iter().any(present) {
        return Some("a missing value meets nothing but `exists: false`".to_owned());
    }
    if let (Some(low), Some(high)) = number_bounds(operators)
        && low > high
    {
        return Some("its bounds leave no number".to_owned());
    }
    if let (Some(first), Some(last)) = day_bounds(operators)
        && first > last
    {
        return Some("its bounds leave no day".to_owned());
    }
    let within = operators.iter().filter_map(|operator| match operator {
        Operator::Within(span) => Some(*span),
        _ => None,
    });
    let older = operators.iter().filter_map(|operator| match operator {
        Operator::OlderThan(span) => Some(*span),
        _ => None,
    });
    let window = Window {
        within: within.min_by_key(|span| longest(*span)),
        older_than: older.max_by_key(|span| shortest(*span)),
        ..Window::default()
    };
    empty_window(&window)
}

/// Why a window holds no time, if that is certain.
pub(super) fn empty_window(window: &Window) -> Option<String> {
    let (within, older_than) = (window.within?, window.older_than?);
    (longest(within) <= shortest(older_than))
        .then(|| format!("what is older than {older_than} is not within {within}"))
}

/// Lower and upper bound in millionths, both included.
fn number_bounds(operators: &[Operator]) -> (Option<i64>, Option<i64>) {
    let (mut low, mut high): (Option<i64>, Option<i64>) = (None, None);
    let mut above = |bound: i64| low = Some(low.map_or(bound, |low| low.max(bound)));
    let mut below = |bound: i64| high = Some(high.map_or(bound, |high| high.min(bound)));
    for operator in operators {
        match operator {
            Operator::AtLeast(number) => above(number.millionths()),
            Operator::MoreThan(number) => above(number.millionths().saturating_add(1)),
            Operator::AtMost(number) => below(number.millionths()),
            Operator::LessThan(number) => below(number.millionths().saturating_sub(1)),
            Operator::Between(first, second) => {
                above(first.millionths());
                below(second.millionths());
            }
            Operator::Is(Value::Number(number)) => {
                above(number.millionths());
                below(number.millionths());
            }
            _ => {}
        }
    }
    (low, high)
}

/// First and last day, both included. Instants are left out: days are what people write.
fn day_bounds(operators: &[Operator]) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let (mut first, mut last): (Option<NaiveDate>, Option<NaiveDate>) = (None, None);
    let mut from = |day: Option<NaiveDate>| first = first.max(day);
    let mut until =
        |day: Option<NaiveDate>| last = last.map_or(day, |last| day.map(|day| day.min(last)).or(Some(last)));
    for operator in operators {
        match operator {
            Operator::After(DateBound::Day(day)) => from(day.succ_opt()),
            Operator::Before(DateBound::Day(day)) => until(day.pred_opt()),
            Operator::BetweenDates(DateBound::Day(start), DateBound::Day(end)) => {
                from(Some(*start));
                until(Some(*end));
            }
            Operator::On(DateBound::Day(day)) | Operator::Is(Value::Date(day)) => {
                from(Some(*day));
                until(Some(*day));
            }
            _ => {}
        }
    }
    (first, last)
}

const DAY: u64 = 86_400;

/// The most seconds that a span can be.
pub(super) const fn longest(span: Span) -> u64 {
    match span {
        Span::Seconds(seconds) => seconds,
        Span::Months(months) => months as u64 * 31 * DAY,
    }
}

/// The fewest seconds that a span can be.
pub(super) const fn shortest(span: Span) -> u64 {
    match span {
        Span::Seconds(seconds) => seconds,
        Span::Months(months) => months as u64 * 28 * DAY,
    }
}
