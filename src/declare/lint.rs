//! What is legal but cannot be meant: operators that contradict each other, windows without time; which
//! events are among others.

use chrono::NaiveDate;

use crate::domain::condition::{Ago, DateBound, EventQuery, Operator, TextMatch, Window};
use crate::domain::number::{Number, ONE};
use crate::domain::text::{compose, fold};
use crate::domain::time::Span;
use crate::domain::value::Value;

/// Why no value can meet all of these operators, if that is certain.
pub(super) fn contradiction(operators: &[Operator], exact_case: bool) -> Option<String> {
    let missing = operators.iter().any(|operator| matches!(operator, Operator::Exists(false)));
    if missing && !operators.iter().all(holds_of_nothing) {
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
    let ages: Vec<_> = operators.iter().filter_map(|operator| nested(operator, true)).flatten().collect();
    let sizes: Vec<_> = operators.iter().filter_map(|operator| nested(operator, false)).flatten().collect();
    if contradiction_of(ages) || contradiction_of(sizes) {
        return Some("its bounds leave no number".to_owned());
    }
    no_value_left(operators, exact_case)
        .or_else(|| no_item_left(operators, exact_case))
        .or_else(|| no_time_left(operators))
}

/// Whether a missing value meets it.
pub(super) const fn holds_of_nothing(operator: &Operator) -> bool {
    matches!(operator, Operator::Exists(false) | Operator::Blank(true))
}

/// Whether every event that `query` finds is found by `other`, too, if that is certain.
pub(super) fn is_among(query: &EventQuery, other: &EventQuery) -> bool {
    if query == other {
        return true;
    }
    let plain = other.last.is_none() && other.per.is_none() && other.then.is_none();
    let filter = other.filter.iter().all(|test| query.filter.contains(test));
    let (inner, outer) = (&query.window, &other.window);
    let within = outer.within.is_none_or(|outer| {
        inner.within.is_some_and(|inner| inner == outer || longest(inner) <= shortest(outer))
    });
    let older = outer.older_than.is_none_or(|outer| {
        inner.older_than.is_some_and(|inner| inner == outer || shortest(inner) >= longest(outer))
    });
    let since = outer.since.is_none() || inner.since == outer.since;
    let until = outer.until.is_none() || inner.until == outer.until;
    query.event == other.event && plain && filter && within && older && since && until
}

/// The operators of a test of the age, or of a list's size.
fn nested(operator: &Operator, age: bool) -> Option<&[Operator]> {
    match operator {
        Operator::Age(test) if age => Some(&test.operators),
        Operator::Size(test) if !age => Some(&test.operators),
        _ => None,
    }
}

fn contradiction_of(operators: Vec<&Operator>) -> bool {
    let operators: Vec<_> = operators.into_iter().cloned().collect();
    !operators.is_empty() && contradiction(&operators, false).is_some()
}

/// Why none of the values that are named is left: each is one of a few, and no other.
fn no_value_left(operators: &[Operator], exact_case: bool) -> Option<String> {
    let same = |one: &Value, other: &Value| match (one, other) {
        (Value::Text(one), Value::Text(other)) => is_same(one, other, exact_case),
        _ => one == other,
    };
    let has = |values: &[Value], value: &Value| values.iter().any(|one| same(one, value));
    let passes = |value: &Value| {
        operators.iter().all(|operator| match operator {
            Operator::Is(other) => same(value, other),
            Operator::In(others) => has(others, value),
            Operator::IsNot(other) => !same(value, other),
            Operator::NotIn(others) => !has(others, value),
            other => match value {
                Value::Number(number) => !is_beyond(*number, other),
                Value::Text(text) => looks_so(text, other, exact_case),
                _ => true,
            },
        })
    };
    let is_list = |operator: &Operator| matches!(operator, Operator::Is(Value::List(_)));
    let none_left = operators.iter().filter(|operator| !is_list(operator)).any(|operator| match operator {
        Operator::Is(value) => !passes(value),
        Operator::In(values) => !values.iter().any(passes),
        _ => false,
    });
    none_left.then(|| "no value is all of these at once".to_owned())
}

/// Whether a text may pass a test of what is in it; of `like` it is not asked.
fn looks_so(text: &str, operator: &Operator, exact_case: bool) -> bool {
    let form = |text: &str| if exact_case { compose(text).into_owned() } else { fold(text).into_owned() };
    let text = form(text);
    match operator {
        Operator::Matches(TextMatch::Contains(part), not) => text.contains(&form(part)) != *not,
        Operator::Matches(TextMatch::StartsWith(part), not) => text.starts_with(&form(part)) != *not,
        Operator::Matches(TextMatch::EndsWith(part), not) => text.ends_with(&form(part)) != *not,
        Operator::Blank(wanted) => text.chars().all(char::is_whitespace) == *wanted,
        _ => true,
    }
}

fn is_beyond(number: Number, bound: &Operator) -> bool {
    match bound {
        Operator::AtLeast(bound) => number < *bound,
        Operator::AtMost(bound) => number > *bound,
        Operator::MoreThan(bound) => number <= *bound,
        Operator::LessThan(bound) => number >= *bound,
        Operator::Between(low, high) => number < *low || number > *high,
        _ => false,
    }
}

/// Why no list has and lacks what it must.
fn no_item_left(operators: &[Operator], exact_case: bool) -> Option<String> {
    let banned: Vec<&String> = operators
        .iter()
        .filter_map(|operator| if let Operator::ContainsNone(items) = operator { Some(items) } else { None })
        .flatten()
        .collect();
    let is_banned = |item: &String| banned.iter().any(|other| is_same(item, other, exact_case));
    let excluded = operators.iter().any(|operator| match operator {
        Operator::ContainsAll(items) => items.iter().any(is_banned),
        Operator::ContainsAny(items) => items.iter().all(is_banned),
        _ => false,
    });
    if excluded {
        return Some("no list has an item and has it not".to_owned());
    }
    let sizes = operators.iter().filter_map(|operator| nested(operator, false)).flatten().cloned();
    let (_, most) = number_bounds(&sizes.collect::<Vec<_>>());
    let mut wanted: Vec<&String> = Vec::new();
    for operator in operators {
        let Operator::ContainsAll(items) = operator else { continue };
        for item in items {
            if !wanted.iter().any(|known| is_same(known, item, exact_case)) {
                wanted.push(item);
            }
        }
    }
    let count = i64::try_from(wanted.len()).ok().and_then(Number::from_whole)?;
    (most? < count.millionths()).then(|| format!("a list with {} items has no smaller size", wanted.len()))
}

fn is_same(one: &str, other: &str, exact_case: bool) -> bool {
    if exact_case { compose(one) == compose(other) } else { fold(one) == fold(other) }
}

/// Why no instant lies so long ago, and no longer.
fn no_time_left(operators: &[Operator]) -> Option<String> {
    // Less than so many seconds ago, and at least so many.
    let mut latest: Option<(u64, Span)> = None;
    let mut earliest: Option<(u64, Span)> = None;
    let mut at_most = |seconds: u64, span: Span| {
        latest = Some(latest.filter(|(known, _)| *known <= seconds).unwrap_or((seconds, span)));
    };
    let mut at_least = |seconds: u64, span: Span| {
        earliest = Some(earliest.filter(|(known, _)| *known >= seconds).unwrap_or((seconds, span)));
    };
    for operator in operators {
        match operator {
            Operator::Within(span) => at_most(longest(*span), *span),
            Operator::OlderThan(span) => at_least(shortest(*span), *span),
            Operator::Age(test) => {
                let (low, high) = number_bounds(&test.operators);
                // Who is five is less than six years old.
                let years = |millionths: i64, more: i64| {
                    let months = millionths.div_euclid(ONE).checked_add(more)?.checked_mul(12)?;
                    u32::try_from(months).ok().filter(|months| *months > 0).map(Span::Months)
                };
                if let Some(span) = high.and_then(|high| years(high, 1)) {
                    at_most(longest(span), span);
                }
                if let Some(span) = low.and_then(|low| years(low.saturating_add(ONE - 1), 0)) {
                    at_least(shortest(span), span);
                }
            }
            Operator::Ago(bounds) => {
                for bound in bounds {
                    match bound {
                        Ago::LessThan(span) => at_most(longest(*span), *span),
                        // An instant exactly so long ago is meant, too.
                        Ago::AtMost(span) => at_most(longest(*span) + DAY, *span),
                        Ago::AtLeast(span) | Ago::MoreThan(span) => at_least(shortest(*span), *span),
                    }
                }
            }
            _ => {}
        }
    }
    let ((latest, within), (earliest, older_than)) = (latest?, earliest?);
    (latest <= earliest).then(|| format!("what is older than {older_than} is not within {within}"))
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

/// A length of time in a test of days that is no whole number of them.
pub(super) fn part_of_a_day(operator: &Operator) -> Option<Span> {
    let of_bound = |bound: &Ago| match bound {
        Ago::AtLeast(span) | Ago::AtMost(span) | Ago::MoreThan(span) | Ago::LessThan(span) => *span,
    };
    let spans = match operator {
        Operator::Within(span)
        | Operator::OlderThan(span)
        | Operator::WithinNext(span)
        | Operator::Anniversary(span) => vec![*span],
        Operator::Ago(bounds) => bounds.iter().map(of_bound).collect(),
        _ => Vec::new(),
    };
    spans.into_iter().find(|span| matches!(span, Span::Seconds(seconds) if seconds % DAY != 0))
}
