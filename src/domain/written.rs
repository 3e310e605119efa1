//! Conditions in the words of the YAML in which people write them, on one line: what an explanation
//! quotes. Read again, the words mean the same.
//!
//! `did_not: X` and `did: X, times: 0` are one condition, and so are other pairs: the shorter is written.

use std::fmt::Write as _;

use chrono::Weekday;

use super::condition::{
    Ago, AttributeRef, Bucket, CalendarUnit, Condition, ConsentTest, DateBound, EventLeaf, EventQuery,
    Follower, Measure, MeasureKind, Operator, Period, PropertyName, Test, TextMatch, Window,
};
use super::number::{Number, ONE};
use super::ranking::{Place, Ranked, Ranking};
use super::time::Span;
use super::value::Value;

/// A condition: `attribute: { country: [FR, BE] }`, `all: [ … ]`, or the name of a segment.
pub fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Everyone => "everyone".to_owned(),
        Condition::Segment(name) => name.to_string(),
        Condition::All(parts) => format!("all: {}", list(parts)),
        Condition::Any(parts) => format!("any: {}", list(parts)),
        Condition::None(parts) => format!("none: {}", list(parts)),
        Condition::Attribute(attribute, test) => leaf("attribute", attribute_name(attribute), test),
        Condition::Trait(name, test) => leaf("trait", name.as_str(), test),
        Condition::Score(name, test) => leaf("score", name.as_str(), test),
        Condition::Consent(purpose, ConsentTest::Is(state)) => {
            format!("consent: {{ {}: {} }}", purpose.word(), state.word())
        }
        Condition::Consent(purpose, ConsentTest::Since(bound)) => {
            format!("consent: {{ {}: {{ since: {} }} }}", purpose.word(), date_bound(*bound))
        }
        Condition::Did(leaf) => did(leaf),
        Condition::Ranked(ranked) => format!("ranked: {{ {} }}", self::ranked(ranked)),
        Condition::Bucket(Bucket { salt, from, to }) => {
            format!("bucket: {{ salt: {}, from: {}, to: {} }}", text(salt), percent(*from), percent(*to))
        }
    }
}

fn ranked(ranked: &Ranked) -> String {
    let Ranked { ranking: Ranking { by, among }, place, lowest } = ranked;
    let place = match place {
        Place::Share(share) => format!("top: {}%", percent(*share)),
        Place::Count(count) => format!("top: {count}"),
        Place::Quintile(quintile) => format!("quintile: {quintile}"),
    };
    let lowest = if *lowest { ", lowest: true" } else { "" };
    let among = among.as_ref().map(|among| format!(", among: {among}")).unwrap_or_default();
    format!("trait: {by}, {place}{lowest}{among}")
}

/// What an attribute leaf reads, by its name.
pub fn attribute_name(attribute: &AttributeRef) -> &str {
    match attribute {
        AttributeRef::Declared(name) => name.as_str(),
        AttributeRef::Id => "id",
        AttributeRef::Email => "email",
        AttributeRef::TimeZone => "time_zone",
        AttributeRef::Language => "language",
        AttributeRef::CreatedAt => "created_at",
    }
}

/// Events and what must hold of them: `did: purchase, within: 30 days, times: { at_least: 3 }`.
pub fn did(leaf: &EventLeaf) -> String {
    if is_did_not(leaf) {
        return format!("did_not: {}", query(&leaf.events));
    }
    let mut written = format!("did: {}", query(&leaf.events));
    if !is_at_least_once(leaf) {
        for measure in measures(&leaf.measures) {
            let _ = write!(written, ", {measure}");
        }
    }
    written
}

/// Whether a leaf is what `did_not` means.
pub fn is_did_not(leaf: &EventLeaf) -> bool {
    let zero = Operator::Is(Value::Number(Number::ZERO));
    matches!(&leaf.measures[..], [Measure { kind: MeasureKind::Times, test }] if test.operators == [zero])
}

fn is_at_least_once(leaf: &EventLeaf) -> bool {
    let once = Operator::AtLeast(Number::from_millionths(ONE));
    matches!(&leaf.measures[..], [Measure { kind: MeasureKind::Times, test }] if test.operators == [once])
}

/// Which events: `purchase, where: { category: tennis }, within: 30 days`.
pub fn query(query: &EventQuery) -> String {
    let EventQuery { event, window, last, filter, per, then } = query;
    let mut written = event.to_string();
    if !filter.is_empty() {
        let _ = write!(written, ", where: {}", tests(filter));
    }
    if let Some(per) = per {
        let _ = write!(written, ", per: {}", text(&per.0));
    }
    for part in window_parts(window) {
        let _ = write!(written, ", {part}");
    }
    if let Some(last) = last {
        let _ = write!(written, ", last: {last}");
    }
    if let Some(then) = then {
        let _ = write!(written, ", {}", follower(then));
    }
    written
}

fn window_parts(window: &Window) -> impl Iterator<Item = String> {
    let span = |word: &str, given: Option<Span>| given.map(|given| format!("{word}: {}", span(given)));
    let bound =
        |word: &str, bound: Option<DateBound>| bound.map(|bound| format!("{word}: {}", date_bound(bound)));
    let parts = [
        span("within", window.within),
        span("older_than", window.older_than),
        bound("since", window.since),
        bound("until", window.until),
    ];
    parts.into_iter().flatten()
}

fn follower(then: &Follower) -> String {
    let word = if then.negated { "then_not" } else { "then" };
    let mut written = format!("{word}: {{ did: {}", then.event);
    if !then.filter.is_empty() {
        let _ = write!(written, ", where: {}", tests(&then.filter));
    }
    if let Some(within) = then.within {
        let _ = write!(written, ", within: {}", span(within));
    }
    if let Some(same) = &then.same {
        let _ = write!(written, ", same: {}", text(&same.0));
    }
    if let Some(then) = &then.then {
        let _ = write!(written, ", {}", follower(then));
    }
    written + " }"
}

/// What must hold of events, one an entry: `total: { amount: { at_least: 50 } }`.
pub fn measure(measure: &Measure) -> String {
    let (word, property) = measure_words(&measure.kind);
    let test = match measure.kind {
        MeasureKind::Every => gap(&measure.test),
        _ => test(&measure.test),
    };
    match property {
        Some(property) => format!("{word}: {{ {}: {test} }}", text(&property.0)),
        None => format!("{word}: {test}"),
    }
}

/// What is measured, and of which property.
pub const fn measure_words(kind: &MeasureKind) -> (&'static str, Option<&PropertyName>) {
    match kind {
        MeasureKind::Times => ("times", None),
        MeasureKind::Total(property) => ("total", Some(property)),
        MeasureKind::Average(property) => ("average", Some(property)),
        MeasureKind::Smallest(property) => ("smallest", Some(property)),
        MeasureKind::Largest(property) => ("largest", Some(property)),
        MeasureKind::Distinct(property) => ("distinct", Some(property)),
        MeasureKind::FirstAt => ("first_at", None),
        MeasureKind::LastAt => ("last_at", None),
        MeasureKind::Every => ("every", None),
        MeasureKind::MeanGap => ("mean_gap", None),
        MeasureKind::DaysSince => ("days_since", None),
        MeasureKind::DistinctDays => ("distinct_days", None),
        MeasureKind::Share(_) => ("share", None),
        MeasureKind::MostCommon(property) => ("most_common", Some(property)),
        MeasureKind::Latest(property) => ("latest", Some(property)),
    }
}

/// What a trait measures: `of: purchase, within: 12 months, total: amount`.
pub fn of_trait(events: &EventQuery, kind: &MeasureKind) -> String {
    let events = query(events);
    let measured = match (kind, measure_words(kind)) {
        (MeasureKind::Share(belongs), _) => format!("share: {{ where: {} }}", tests(belongs)),
        (_, (word, Some(property))) => format!("{word}: {}", text(&property.0)),
        (_, (word, None)) => format!("{word}: true"),
    };
    format!("of: {events}, {measured}")
}

/// Several of one kind stand in one map: `total: { amount: …, discount: … }`.
fn measures(all: &[Measure]) -> Vec<String> {
    let mut written: Vec<String> = Vec::new();
    let mut last_word = "";
    for one in all {
        let (word, property) = measure_words(&one.kind);
        match (written.last_mut(), property) {
            (Some(before), Some(property)) if word == last_word => {
                before.truncate(before.len() - " }".len());
                let _ = write!(before, ", {}: {} }}", text(&property.0), test(&one.test));
            }
            _ => written.push(measure(one)),
        }
        last_word = word;
    }
    written
}

fn list(parts: &[Condition]) -> String {
    // What begins with a key is a map of its own within a list.
    let part = |part: &Condition| match part {
        Condition::Everyone | Condition::Segment(_) => condition(part),
        _ => format!("{{ {} }}", condition(part)),
    };
    format!("[{}]", parts.iter().map(part).collect::<Vec<_>>().join(", "))
}

fn leaf(kind: &str, name: &str, of: &Test) -> String {
    format!("{kind}: {{ {name}: {} }}", test(of))
}

fn tests(tests: &[(PropertyName, Test)]) -> String {
    let all = tests.iter().map(|(property, of)| format!("{}: {}", text(&property.0), test(of)));
    format!("{{ {} }}", all.collect::<Vec<_>>().join(", "))
}

/// A test: a value for `is`, a list for `in`, else a map of operators.
pub fn test(test: &Test) -> String {
    match (&test.operators[..], test.exact_case) {
        ([Operator::Is(value)], false) if !matches!(value, Value::List(_) | Value::Datetime(_)) => {
            self::value(value)
        }
        ([Operator::In(values)], false) => values_of(values),
        ([Operator::ContainsAny(items)], false) => texts(items),
        ([Operator::On(bound)], false) => date_bound(*bound),
        (operators, exact_case) => {
            let mut all: Vec<String> = operators.iter().map(operator).collect();
            if exact_case {
                all.push("exact_case: true".to_owned());
            }
            format!("{{ {} }}", all.join(", "))
        }
    }
}

fn operator(operator: &Operator) -> String {
    let not = |negated: &bool| if *negated { "not_" } else { "" };
    match operator {
        Operator::Exists(wanted) => format!("exists: {wanted}"),
        Operator::Is(value) => format!("is: {}", self::value(value)),
        Operator::IsNot(value) => format!("is_not: {}", self::value(value)),
        Operator::In(values) => format!("in: {}", values_of(values)),
        Operator::NotIn(values) => format!("not_in: {}", values_of(values)),
        Operator::AtLeast(number) => format!("at_least: {number}"),
        Operator::AtMost(number) => format!("at_most: {number}"),
        Operator::MoreThan(number) => format!("more_than: {number}"),
        Operator::LessThan(number) => format!("less_than: {number}"),
        Operator::Between(low, high) => format!("between: [{low}, {high}]"),
        Operator::Matches(TextMatch::Contains(part), negated) => {
            format!("{}contains: {}", not(negated), text(part))
        }
        Operator::Matches(TextMatch::StartsWith(part), negated) => {
            format!("{}starts_with: {}", not(negated), text(part))
        }
        Operator::Matches(TextMatch::EndsWith(part), negated) => {
            format!("{}ends_with: {}", not(negated), text(part))
        }
        Operator::Matches(TextMatch::Like(pattern), negated) => {
            format!("{}like: {}", not(negated), text(pattern))
        }
        Operator::Blank(wanted) => format!("blank: {wanted}"),
        Operator::ContainsAny(items) => format!("contains_any: {}", texts(items)),
        Operator::ContainsAll(items) => format!("contains_all: {}", texts(items)),
        Operator::ContainsNone(items) => format!("contains_none: {}", texts(items)),
        Operator::Size(of) => format!("size: {}", test(of)),
        Operator::On(bound) => format!("is: {}", date_bound(*bound)),
        Operator::Before(bound) => format!("before: {}", date_bound(*bound)),
        Operator::After(bound) => format!("after: {}", date_bound(*bound)),
        Operator::BetweenDates(first, last) => {
            format!("between: [{}, {}]", date_bound(*first), date_bound(*last))
        }
        Operator::Within(span) => format!("within: {}", self::span(*span)),
        Operator::OlderThan(span) => format!("older_than: {}", self::span(*span)),
        Operator::WithinNext(span) => format!("within_next: {}", self::span(*span)),
        Operator::Ago(bounds) => {
            format!("ago: {{ {} }}", bounds.iter().map(ago).collect::<Vec<_>>().join(", "))
        }
        Operator::Age(of) => format!("age: {}", test(of)),
        Operator::During(period) => format!("during: {}", period_words(*period)),
        Operator::Month(months) => format!("month: {}", one_or_list(months.iter().map(u32::to_string))),
        Operator::Weekday(days) => {
            format!("weekday: {}", one_or_list(days.iter().map(|day| weekday(*day).to_owned())))
        }
        Operator::Anniversary(Span::Seconds(86_400)) => "anniversary: today".to_owned(),
        Operator::Anniversary(span) => format!("anniversary: {{ within_next: {} }}", self::span(*span)),
    }
}

/// A test of a length of time in seconds, as lengths are written.
fn gap(test: &Test) -> String {
    let length = |number: &Number| {
        let seconds = u64::try_from(number.millionths() / ONE).unwrap_or_default();
        Span::Seconds(seconds).to_string()
    };
    let bound = |operator: &Operator| match operator {
        Operator::AtLeast(number) => format!("at_least: {}", length(number)),
        Operator::AtMost(number) => format!("at_most: {}", length(number)),
        Operator::MoreThan(number) => format!("more_than: {}", length(number)),
        Operator::LessThan(number) => format!("less_than: {}", length(number)),
        other => self::operator(other),
    };
    format!("{{ {} }}", test.operators.iter().map(bound).collect::<Vec<_>>().join(", "))
}

fn ago(bound: &Ago) -> String {
    match bound {
        Ago::AtLeast(span) => format!("at_least: {}", self::span(*span)),
        Ago::AtMost(span) => format!("at_most: {}", self::span(*span)),
        Ago::MoreThan(span) => format!("more_than: {}", self::span(*span)),
        Ago::LessThan(span) => format!("less_than: {}", self::span(*span)),
    }
}

/// A length of time. A year is mostly meant, and written, as twelve months.
fn span(span: Span) -> String {
    match span {
        Span::Months(12) => "12 months".to_owned(),
        other => other.to_string(),
    }
}

fn period_words(period: Period) -> String {
    let unit = match (period.unit, period.offset) {
        (CalendarUnit::Day, 0) => return "today".to_owned(),
        (CalendarUnit::Day, 1) => return "tomorrow".to_owned(),
        (CalendarUnit::Day, _) => return "yesterday".to_owned(),
        (CalendarUnit::Week, _) => "week",
        (CalendarUnit::Month, _) => "month",
        (CalendarUnit::Quarter, _) => "quarter",
        (CalendarUnit::Year, _) => "year",
    };
    let which = match period.offset {
        0 => "this",
        1 => "next",
        _ => "last",
    };
    format!("{which} {unit}")
}

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}

fn one_or_list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match &items[..] {
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    }
}

fn percent(hundredths: u16) -> String {
    Number::from_millionths(i64::from(hundredths) * (ONE / 100)).to_string()
}

/// A day or an instant.
pub fn date_bound(bound: DateBound) -> String {
    match bound {
        DateBound::Day(day) => day.to_string(),
        DateBound::Instant(at) => at.to_string(),
    }
}

/// A value; texts are quoted only where they would be read as something else.
pub fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => self::text(text),
        Value::Number(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Date(day) => day.to_string(),
        Value::Datetime(at) => at.to_string(),
        Value::List(items) => texts(items),
    }
}

fn values_of(values: &[Value]) -> String {
    format!("[{}]", values.iter().map(value).collect::<Vec<_>>().join(", "))
}

fn texts(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| text(item)).collect::<Vec<_>>().join(", "))
}

/// A text as a YAML scalar: plain where nothing in it means anything else.
fn text(text: &str) -> String {
    let is_plain =
        |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '/' | '+' | ' ' | '@');
    let edges = [text.chars().next(), text.chars().next_back()];
    let begins = edges.iter().all(|edge| edge.is_some_and(|edge| edge.is_alphanumeric() || edge == '_'));
    let is_null = text.eq_ignore_ascii_case("null");
    if begins && !is_null && text.chars().all(is_plain) {
        return text.to_owned();
    }
    // YAML's double quotes have JSON's escapes.
    serde_json::Value::from(text).to_string()
}
