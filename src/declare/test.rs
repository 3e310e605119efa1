//! Tests of values: a scalar means `is`, a list `in`, else a map of operators that fit the type.

use super::keys::TEST;
use super::lint;
use super::{bounds, dates};
use crate::diagnostic::{Place, Problem, did_you_mean, similar::listed};
use crate::domain::condition::{Operator, Test, TextMatch};
use crate::domain::number::Number;
use crate::domain::text::fold;
use crate::domain::time::Zone;
use crate::domain::value::{Value, ValueType};
use crate::yaml::{Field, Fields, Kind, Node, Reader};

/// What is tested.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// What messages call it: `country`.
    pub(super) name: &'a str,
    /// Its type.
    pub(super) value_type: ValueType,
    /// The only values it may have, where they are declared.
    pub(super) one_of: &'a [String],
    /// Whether it counts something: whole numbers from 0.
    pub(super) counts: bool,
    /// The zone in which absolute times are read.
    pub(super) time_zone: Zone,
}

/// The operators that fit a type, beside those of every type.
const fn fitting(value_type: ValueType) -> &'static [&'static str] {
    match value_type {
        ValueType::Boolean => &[],
        ValueType::Number => &["at_least", "at_most", "more_than", "less_than", "between"],
        ValueType::Text => &[
            "contains",
            "not_contains",
            "starts_with",
            "not_starts_with",
            "ends_with",
            "not_ends_with",
            "like",
            "not_like",
            "blank",
            "exact_case",
        ],
        ValueType::List => {
            &["contains", "contains_any", "contains_all", "contains_none", "size", "exact_case"]
        }
        ValueType::Date | ValueType::Datetime => &[
            "before",
            "after",
            "between",
            "within",
            "within_next",
            "older_than",
            "ago",
            "age",
            "during",
            "month",
            "weekday",
            "anniversary",
        ],
    }
}

/// The operators of every type.
const ANY_TYPE: [&str; 5] = ["is", "is_not", "in", "not_in", "exists"];

/// Reads a test. `at` is where the name of what is tested is written.
pub(super) fn read(reader: &mut Reader, node: &Node, at: &Place, subject: Subject<'_>) -> Option<Test> {
    let plain = |operator| Test { operators: vec![operator], exact_case: false };
    match &node.kind {
        Kind::Broken => None,
        Kind::Null => {
            let message = format!("`{}` has no test", subject.name);
            let problem = Problem::error("wrong-type", message, node.place.clone());
            reader.report(problem.hint("`exists: false` finds contacts without a value"));
            None
        }
        Kind::Scalar(_) => is(reader, node, &format!("`{}`", subject.name), subject).map(plain),
        Kind::List(_) => {
            let values = values(reader, node, &format!("`{}`", subject.name), subject)?;
            Some(plain(match subject.value_type {
                ValueType::List => Operator::ContainsAny(texts(values)),
                _ => Operator::In(values),
            }))
        }
        Kind::Map(_) => operators(reader, node, at, subject),
    }
}

fn operators(reader: &mut Reader, node: &Node, at: &Place, subject: Subject<'_>) -> Option<Test> {
    let problems = reader.errors();
    let fields = Fields::read(reader, node, &format!("the test of `{}`", subject.name), at, &TEST)?;
    let mut test = Test { operators: Vec::new(), exact_case: false };
    for field in fields.iter() {
        let name = field.key.name;
        let fits = fitting(subject.value_type);
        if !ANY_TYPE.contains(&name) && !fits.contains(&name) {
            let kind = subject.value_type.word();
            let message = format!("`{name}` does not fit `{}`, which is a {kind}", subject.name);
            let hint = format!("these fit a {kind}: {}", listed(ANY_TYPE.iter().chain(fits).copied()));
            reader.report(Problem::error("wrong-operator", message, field.name.place.clone()).hint(hint));
        } else if name == "exact_case" {
            test.exact_case = reader.boolean(field.value, "`exact_case`").unwrap_or_default();
        } else if let Some(operator) = operator(reader, field, subject) {
            test.operators.push(operator);
        }
    }
    if reader.errors() > problems {
        return None;
    }
    if test.operators.is_empty() {
        let message = format!("the test of `{}` has no operator", subject.name);
        let hint = format!("for example `{}`", TEST.keys.first().map_or("", |key| key.example));
        reader.report(Problem::error("empty", message, node.place.clone()).hint(hint));
        return None;
    }
    let by_days = |operator: &&Operator| {
        subject.value_type == ValueType::Date || matches!(operator, Operator::Anniversary(_))
    };
    if let Some(span) = test.operators.iter().filter(by_days).find_map(lint::part_of_a_day) {
        let message = format!("`{}` is compared by whole days: {span} is rounded up to them", subject.name);
        let problem = Problem::warning("whole-days", message, at.clone());
        reader.report(problem.hint("write a number of days; today alone is `1 day`"));
    }
    if let Some(reason) = lint::contradiction(&test.operators, test.exact_case) {
        let message = format!("nothing can meet this test of `{}`: {reason}", subject.name);
        reader.report(Problem::warning("matches-nobody", message, at.clone()));
    }
    Some(test)
}

fn operator(reader: &mut Reader, field: Field<'_>, subject: Subject<'_>) -> Option<Operator> {
    let called = field.subject();
    let node = field.value;
    let dated = matches!(subject.value_type, ValueType::Date | ValueType::Datetime);
    let is_list = subject.value_type == ValueType::List;
    Some(match field.key.name {
        "is" => is_exactly(reader, node, &called, subject)?,
        "is_not" => Operator::IsNot(value(reader, node, &called, subject)?),
        // A list has many values: it is `in` others where it shares one with them.
        "in" if is_list => Operator::ContainsAny(texts(values(reader, node, &called, subject)?)),
        "not_in" if is_list => Operator::ContainsNone(texts(values(reader, node, &called, subject)?)),
        "in" => Operator::In(values(reader, node, &called, subject)?),
        "not_in" => Operator::NotIn(values(reader, node, &called, subject)?),
        "exists" => Operator::Exists(reader.boolean(node, &called)?),
        "at_least" => Operator::AtLeast(number(reader, node, &called, subject)?),
        "at_most" => Operator::AtMost(number(reader, node, &called, subject)?),
        "more_than" => Operator::MoreThan(number(reader, node, &called, subject)?),
        "less_than" => Operator::LessThan(number(reader, node, &called, subject)?),
        "between" if dated => {
            let [from, to] = pair(reader, field)?;
            let (from_bound, to_bound) =
                (date_bound(reader, from, &called, subject), date_bound(reader, to, &called, subject));
            let (from_bound, to_bound) = (from_bound?, to_bound?);
            if bounds::start(from_bound, subject.time_zone) > bounds::start(to_bound, subject.time_zone) {
                swapped(reader, node, "a later day", "an earlier one");
                return None;
            }
            Operator::BetweenDates(from_bound, to_bound)
        }
        "between" => {
            let [low, high] = pair(reader, field)?;
            let (low, high) = (number(reader, low, &called, subject), number(reader, high, &called, subject));
            let (low, high) = (low?, high?);
            if low > high {
                swapped(reader, node, &low.to_string(), &high.to_string());
                return None;
            }
            Operator::Between(low, high)
        }
        "contains" if is_list => Operator::ContainsAny(vec![item(reader, node, &called, subject)?]),
        "contains_any" => Operator::ContainsAny(items(reader, field, subject)?),
        "contains_all" => Operator::ContainsAll(items(reader, field, subject)?),
        "contains_none" => Operator::ContainsNone(items(reader, field, subject)?),
        "contains" => Operator::Matches(TextMatch::Contains(part(reader, node, &called)?), false),
        "not_contains" => Operator::Matches(TextMatch::Contains(part(reader, node, &called)?), true),
        "starts_with" => Operator::Matches(TextMatch::StartsWith(part(reader, node, &called)?), false),
        "not_starts_with" => Operator::Matches(TextMatch::StartsWith(part(reader, node, &called)?), true),
        "ends_with" => Operator::Matches(TextMatch::EndsWith(part(reader, node, &called)?), false),
        "not_ends_with" => Operator::Matches(TextMatch::EndsWith(part(reader, node, &called)?), true),
        "like" => Operator::Matches(TextMatch::Like(pattern(reader, node, &called)?), false),
        "not_like" => Operator::Matches(TextMatch::Like(pattern(reader, node, &called)?), true),
        "blank" => Operator::Blank(reader.boolean(node, &called)?),
        "size" => Operator::Size(Box::new(count_test(reader, field, subject)?)),
        "age" => Operator::Age(Box::new(count_test(reader, field, subject)?)),
        "before" => Operator::Before(date_bound(reader, node, &called, subject)?),
        "after" => Operator::After(date_bound(reader, node, &called, subject)?),
        "within" => Operator::Within(reader.span(node, &called)?),
        "older_than" => Operator::OlderThan(reader.span(node, &called)?),
        "within_next" => Operator::WithinNext(reader.span(node, &called)?),
        "ago" => Operator::Ago(dates::ago(reader, field)?),
        "during" => Operator::During(dates::during(reader, field)?),
        "month" => Operator::Month(dates::months(reader, field)?),
        "weekday" => Operator::Weekday(dates::weekdays(reader, field)?),
        "anniversary" => Operator::Anniversary(dates::anniversary(reader, field)?),
        _ => return None,
    })
}

/// What a scalar means.
fn is(reader: &mut Reader, node: &Node, called: &str, subject: Subject<'_>) -> Option<Operator> {
    match subject.value_type {
        ValueType::List => Some(Operator::ContainsAny(vec![item(reader, node, called, subject)?])),
        _ => is_exactly(reader, node, called, subject),
    }
}

fn is_exactly(reader: &mut Reader, node: &Node, called: &str, subject: Subject<'_>) -> Option<Operator> {
    match subject.value_type {
        ValueType::Datetime => Some(Operator::On(date_bound(reader, node, called, subject)?)),
        _ => Some(Operator::Is(value(reader, node, called, subject)?)),
    }
}

/// A value of the subject's type.
fn value(reader: &mut Reader, node: &Node, called: &str, subject: Subject<'_>) -> Option<Value> {
    Some(match subject.value_type {
        ValueType::Text => Value::Text(item(reader, node, called, subject)?),
        ValueType::Number => Value::Number(number(reader, node, called, subject)?),
        ValueType::Boolean => Value::Boolean(reader.boolean(node, called)?),
        ValueType::Date => Value::Date(reader.date(node, called)?),
        ValueType::Datetime => Value::Datetime(bounds::instant(reader, node, called, subject.time_zone)?),
        ValueType::List => {
            let Kind::List(nodes) = &node.kind else {
                reader.wrong_type(node, called, "a list of texts");
                return None;
            };
            Value::List(all(nodes, |node| item(reader, node, called, subject))?)
        }
    })
}

/// A list of values of the subject's type; for a list, of its items.
fn values(reader: &mut Reader, node: &Node, called: &str, subject: Subject<'_>) -> Option<Vec<Value>> {
    let Kind::List(nodes) = &node.kind else {
        let problem = format!("{called} must be a list of values, not {}", node.describe());
        if node.kind != Kind::Broken {
            reader.report(
                Problem::error("wrong-type", problem, node.place.clone()).hint("write `[…]` around it"),
            );
        }
        return None;
    };
    if nodes.is_empty() {
        let problem = Problem::error("empty", format!("{called} is an empty list"), node.place.clone());
        reader.report(problem.hint("no value is in it: leave the test out, or name the values"));
        return None;
    }
    if subject.value_type == ValueType::List {
        return all(nodes, |node| item(reader, node, called, subject).map(Value::Text));
    }
    all(nodes, |node| value(reader, node, called, subject))
}

/// A text that the subject may have, or have in it.
fn item(reader: &mut Reader, node: &Node, called: &str, subject: Subject<'_>) -> Option<String> {
    let text = reader.text(node, called)?;
    let allowed = subject.one_of;
    if !allowed.is_empty() && !allowed.iter().any(|one| fold(one) == fold(text)) {
        let known = || allowed.iter().map(String::as_str);
        let hint = did_you_mean(text, known()).unwrap_or_else(|| format!("it may be {}", listed(known())));
        let message = format!("`{}` is never `{text}`", subject.name);
        reader.report(Problem::error("unknown-value", message, node.place.clone()).hint(hint));
        return None;
    }
    Some(text.to_owned())
}

fn items(reader: &mut Reader, field: Field<'_>, subject: Subject<'_>) -> Option<Vec<String>> {
    let nodes = reader.items(field)?;
    all(nodes, |node| item(reader, node, &field.subject(), subject))
}

/// A text to look for: an empty one is in every text.
fn part(reader: &mut Reader, node: &Node, called: &str) -> Option<String> {
    let text = reader.text(node, called)?;
    if text.is_empty() {
        reader.wrong_value(node, format!("{called} is an empty text, which every text has in it"));
        return None;
    }
    Some(text.to_owned())
}

/// What the whole of a text must look like: as an empty one looks only the empty text.
fn pattern(reader: &mut Reader, node: &Node, called: &str) -> Option<String> {
    let text = reader.text(node, called)?;
    if text.is_empty() {
        let message = format!("{called} is an empty pattern, which matches only the empty text");
        let problem = Problem::error("wrong-value", message, node.place.clone());
        let hint = "`%` stands for anything: `%tennis%`; empty texts are found by `blank: true`";
        reader.report(problem.hint(hint));
        return None;
    }
    Some(text.to_owned())
}

fn number(reader: &mut Reader, node: &Node, called: &str, subject: Subject<'_>) -> Option<Number> {
    let number = reader.number(node, called)?;
    if subject.counts && (number < Number::ZERO || number.millionths() % crate::domain::number::ONE != 0) {
        reader.wrong_value(
            node,
            format!("`{}` is counted: `{number}` is not a whole number from 0", subject.name),
        );
        return None;
    }
    Some(number)
}

fn count_test(reader: &mut Reader, field: Field<'_>, subject: Subject<'_>) -> Option<Test> {
    let counted =
        Subject { name: field.key.name, value_type: ValueType::Number, one_of: &[], counts: true, ..subject };
    read(reader, field.value, &field.name.place, counted)
}

fn date_bound(
    reader: &mut Reader,
    node: &Node,
    called: &str,
    subject: Subject<'_>,
) -> Option<crate::domain::condition::DateBound> {
    bounds::read(reader, node, called, subject.value_type, subject.time_zone)
}

pub(super) fn pair<'n>(reader: &mut Reader, field: Field<'n>) -> Option<[&'n Node; 2]> {
    let items = reader.items(field)?;
    if let [low, high] = items {
        return Some([low, high]);
    }
    let message = format!("`between` takes two bounds, not {}", items.len());
    let problem = Problem::error("wrong-value", message, field.value.place.clone());
    reader.report(problem.hint(format!("for example `{}`", field.key.example)));
    None
}

pub(super) fn swapped(reader: &mut Reader, node: &Node, low: &str, high: &str) {
    let message = format!("`between` goes from {low} to {high}: nothing lies there");
    reader.report(
        Problem::error("wrong-bounds", message, node.place.clone()).hint("write the lower bound first"),
    );
}

fn texts(values: Vec<Value>) -> Vec<String> {
    let text = |value| if let Value::Text(text) = value { Some(text) } else { None };
    values.into_iter().filter_map(text).collect()
}

/// Reads every node, also after one that is wrong; `None` if any was.
pub(super) fn all<T>(nodes: &[Node], mut read: impl FnMut(&Node) -> Option<T>) -> Option<Vec<T>> {
    let values: Vec<_> = nodes.iter().filter_map(&mut read).collect();
    (values.len() == nodes.len()).then_some(values)
}
