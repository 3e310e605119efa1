//! Scores: what events are worth, how that fades, and the levels.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::{description, wrong_name};
use super::keys::SCORE;
use super::scope::{Kind, Scope};
use crate::diagnostic::{Problem, did_you_mean, similar::listed};
use crate::domain::name::{EventName, is_name};
use crate::domain::number::Number;
use crate::domain::score::{Decay, Level, Score};
use crate::domain::time::Span;
use crate::yaml::scalar::Scalar;
use crate::yaml::{Entry, Field, Fields, Kind as NodeKind, Node, Reader};

/// The range of a score that says nothing of it.
const RANGE: (i64, i64) = (0, 100);

/// Operators that take a level for its lower bound.
const TAKE_LEVELS: [&str; 2] = ["at_least", "less_than"];

/// A score.
pub(super) fn score(reader: &mut Reader, scope: &Scope, entry: &Entry) -> Option<Score> {
    let errors = reader.errors();
    let name = &entry.key;
    let fields = Fields::read(reader, &entry.value, &format!("`{}`", name.text), &name.place, &SCORE)?;
    let points = fields.require(reader, "points").map(|field| points(reader, scope, field));
    let decay = decay(reader, &fields);
    let range = match fields.get("range") {
        Some(field) => range(reader, field),
        None => Number::from_whole(RANGE.0).zip(Number::from_whole(RANGE.1)),
    };
    let levels = fields.get("levels").map(|field| levels(reader, field, range)).unwrap_or_default();
    let description = description(reader, &fields);
    let (points, decay, range) = (points?, decay?, range?);
    (reader.errors() == errors).then_some(Score { points, decay, range, levels, description })
}

fn points(reader: &mut Reader, scope: &Scope, field: Field<'_>) -> BTreeMap<EventName, Number> {
    let mut points = BTreeMap::new();
    for entry in reader.names(field).unwrap_or_default() {
        let event = scope.find(reader, Kind::Event, &scope.events, &entry.key, &[]);
        let number = reader.number(&entry.value, &format!("`{}`", entry.key.text));
        if number == Some(Number::ZERO) {
            let message = format!("`{}` is worth nothing", entry.key.text);
            let problem = Problem::error("wrong-value", message, entry.value.place.clone());
            reader.report(problem.hint("leave it out"));
        } else if let (Some((event, _)), Some(number)) = (event, number) {
            points.insert(event.clone(), number);
        }
    }
    points
}

fn decay(reader: &mut Reader, fields: &Fields<'_>) -> Option<Decay> {
    match (fields.get("half_life"), fields.get("within")) {
        (Some(half_life), None) => match reader.span(half_life.value, "`half_life`")? {
            Span::Seconds(seconds) => Some(Decay::HalfLife(Duration::from_secs(seconds))),
            Span::Months(months) => {
                let message = "`half_life` is a fixed length, and months and years are not".to_owned();
                let problem = Problem::error("wrong-span", message, half_life.value.place.clone());
                // A year of the Gregorian calendar has 365.2425 days on average.
                let days = (u64::from(months) * 3_652_425 + 60_000) / 120_000;
                reader.report(problem.hint(format!("write `{days} days`")));
                None
            }
        },
        (None, Some(within)) => reader.span(within.value, "`within`").map(Decay::Window),
        (Some(first), Some(second)) => {
            let message = "a score fades by `half_life` or counts `within` a window, not both".to_owned();
            let problem = Problem::error("ambiguous", message, second.name.place.clone());
            let problem = problem.related("`half_life` is here", first.name.place.clone());
            reader.report(problem.hint("make two scores of it"));
            None
        }
        (None, None) => {
            if !fields.is_misspelt("half_life") && !fields.is_misspelt("within") {
                let message = "a score needs `half_life` or `within`: how long events count".to_owned();
                let problem = Problem::error("missing-key", message, fields.place().clone());
                reader.report(problem.hint("for example `half_life: 30 days`"));
            }
            None
        }
    }
}

fn range(reader: &mut Reader, field: Field<'_>) -> Option<(Number, Number)> {
    let items = reader.items(field)?;
    let [low, high] = items else {
        let message = format!("`range` takes a lowest and a highest value, not {}", items.len());
        let problem = Problem::error("wrong-value", message, field.value.place.clone());
        reader.report(problem.hint(format!("for example `{}`", field.key.example)));
        return None;
    };
    let (low, high) = (reader.number(low, "`range`"), reader.number(high, "`range`"));
    let (low, high) = (low?, high?);
    if low >= high {
        let message = format!("`range` goes from {low} to {high}: nothing lies there");
        let problem = Problem::error("wrong-bounds", message, field.value.place.clone());
        reader.report(problem.hint("write the lower bound first"));
        return None;
    }
    Some((low, high))
}

/// The levels by rising bound.
fn levels(reader: &mut Reader, field: Field<'_>, range: Option<(Number, Number)>) -> Vec<Level> {
    let mut levels: Vec<(Level, &Entry)> = Vec::new();
    for entry in reader.names(field).unwrap_or_default() {
        let name = &entry.key.text;
        if !is_name(name) {
            wrong_name(reader, entry);
            continue;
        }
        let Some(from) = reader.number(&entry.value, &format!("`{name}`")) else { continue };
        if let Some((low, high)) = range.filter(|(low, high)| from < *low || from > *high) {
            let message = format!("`{name}` begins at {from}, outside of the range from {low} to {high}");
            reader.report(Problem::error("wrong-bounds", message, entry.value.place.clone()));
        }
        if let Some((same, first)) = levels.iter().find(|(level, _)| level.from == from) {
            let message = format!("`{name}` begins where `{}` does", same.name);
            let problem = Problem::error("wrong-bounds", message, entry.value.place.clone());
            let problem = problem.related(format!("`{}` is here", same.name), first.value.place.clone());
            reader.report(problem.hint("a value has one level: give them different bounds"));
            continue;
        }
        levels.push((Level { name: name.clone(), from }, entry));
    }
    levels.sort_by_key(|(level, _)| level.from);
    levels.into_iter().map(|(level, _)| level).collect()
}

/// A test of a score with its levels' names replaced by what they mean: `warm` is `{ at_least: 20 }`.
/// `None` where a name is none of them, which is reported.
pub(super) fn levels_as_numbers<'n>(
    reader: &mut Reader,
    node: &'n Node,
    score: &Score,
    called: &str,
) -> Option<Cow<'n, Node>> {
    match &node.kind {
        NodeKind::Scalar(scalar) if !scalar.is_number() => {
            let bound = bound(reader, node, scalar, score, called)?;
            let name = crate::yaml::Name { text: "at_least".to_owned(), place: node.place.clone() };
            let entry = Entry { key: name, value: bound };
            Some(Cow::Owned(Node { place: node.place.clone(), kind: NodeKind::Map(vec![entry]) }))
        }
        NodeKind::Map(entries) => {
            let errors = reader.errors();
            let mut entries = Cow::Borrowed(entries);
            for place in 0..entries.len() {
                let Entry { key, value } = &entries[place];
                if let NodeKind::Scalar(scalar) = &value.kind
                    && TAKE_LEVELS.contains(&key.text.as_str())
                    && !scalar.is_number()
                    && let Some(bound) = bound(reader, value, scalar, score, called)
                {
                    entries.to_mut()[place].value = bound;
                }
            }
            (reader.errors() == errors).then(|| match entries {
                Cow::Borrowed(_) => Cow::Borrowed(node),
                Cow::Owned(entries) => {
                    Cow::Owned(Node { place: node.place.clone(), kind: NodeKind::Map(entries) })
                }
            })
        }
        _ => Some(Cow::Borrowed(node)),
    }
}

fn bound(reader: &mut Reader, node: &Node, scalar: &Scalar, score: &Score, called: &str) -> Option<Node> {
    let Some(level) = score.level(&scalar.text) else {
        let known = || score.levels.iter().map(|level| level.name.as_str());
        let hint = did_you_mean(&scalar.text, known()).unwrap_or_else(|| match known().count() {
            0 => format!("`{called}` has no levels: compare it with a number"),
            _ => format!("it has {}", listed(known())),
        });
        let message = format!("`{called}` has no level `{}`", scalar.text);
        reader.report(Problem::error("unknown-level", message, node.place.clone()).hint(hint));
        return None;
    };
    let number = Scalar { text: level.from.to_string(), plain: true };
    Some(Node { place: node.place.clone(), kind: NodeKind::Scalar(number) })
}

/// What stands in a draft for a score that is wrong.
pub(super) fn guessed() -> Score {
    Score {
        points: BTreeMap::new(),
        decay: Decay::HalfLife(Duration::from_secs(1)),
        range: (Number::ZERO, Number::from_millionths(crate::domain::number::ONE)),
        levels: Vec::new(),
        description: None,
    }
}
