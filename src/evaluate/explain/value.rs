//! What would turn a test of a value that is not counted: an attribute, the latest of a property.

use std::collections::HashSet;

use super::change::{Situation, data, ratio, told, years};
use super::reading::Reading;
use super::tree::{Change, Target};
use super::{lists, texts};
use crate::domain::calendar;
use crate::domain::condition::Operator;
use crate::domain::time::Timestamp;
use crate::domain::value::{Value, ValueType};
use crate::domain::written;

impl Situation<'_> {
    /// Of a value of the contact's own.
    pub(super) fn of_value(&self) -> Option<Change> {
        if let Some(change) = self.presence() {
            return Some(change);
        }
        let subject = self.subject();
        let tested = self.tested(&self.leaf.test, self.leaf.value_type);
        let values = tested.values(!self.holds, self.value);
        let Some(found) = values.first() else {
            // Having none may do.
            let is_turned = self.value.is_some() && tested.holds(None) != self.holds;
            return is_turned.then(|| data(format!("no {subject} {}", self.instead()), Target::Absent, 1.0));
        };
        let distance = match (found, self.value) {
            (Value::Number(to), _) => ratio(self.number(), *to),
            (Value::Date(found), Some(Value::Date(day))) => {
                (*found - *day).num_days().unsigned_abs() as f64 / 365.0
            }
            (Value::Date(_), _) => 0.0,
            (Value::Datetime(found), Some(Value::Datetime(at))) => years(Some(*at), *found),
            _ => 1.0,
        };
        let words = match found {
            Value::Text(_) => return Some(self.of_text(&values)),
            Value::List(items) => return Some(self.of_list(items)),
            Value::Number(to) => format!("{subject} {} {}", told(*to), self.instead()),
            Value::Date(_) | Value::Boolean(_) => {
                format!("{subject} {} {}", written::value(found), self.instead())
            }
            Value::Datetime(at) => self.of_instant(*at),
        };
        let to = match found {
            Value::Number(number) => Target::Number(*number),
            other => Target::Value(other.clone()),
        };
        Some(data(words, to, distance))
    }

    /// To the minute where that tells the one from the other.
    fn of_instant(&self, found: Timestamp) -> String {
        let (to, instead) = (self.local(found), self.instead_of_instant());
        if !instead.ends_with(&to) && self.turns_to_the_minute(found) {
            return format!("{} {to} {instead}", self.subject());
        }
        let exactly =
            |at: Timestamp| calendar::local(at, self.moment.zone).format("%Y-%m-%d %H:%M:%S%.f").to_string();
        let instead = match self.value {
            Some(Value::Datetime(at)) => format!("instead of {}", exactly(*at)),
            _ => instead,
        };
        format!("{} {} {instead}", self.subject(), exactly(found))
    }

    /// Whether the minute that is shown does what the instant does.
    fn turns_to_the_minute(&self, at: Timestamp) -> bool {
        const A_MINUTE: i64 = 60_000_000;
        let minute = Timestamp::from_micros(at.micros() - at.micros().rem_euclid(A_MINUTE));
        let tested = self.tested(&self.leaf.test, ValueType::Datetime);
        tested.holds(Some(&Value::Datetime(minute))) != self.holds
    }

    /// Of a leaf that only asks whether there is a value.
    fn presence(&self) -> Option<Change> {
        let [Operator::Exists(wanted)] = self.leaf.test.operators[..] else { return None };
        let subject = self.subject();
        // What asks for a value and fails, and what asks for none and holds, is turned by one.
        Some(if wanted == self.holds {
            data(format!("no {subject} {}", self.instead()), Target::Absent, 1.0)
        } else {
            data(format!("any {subject}"), Target::Present, 1.0)
        })
    }

    /// All those that the test names, or what it looks for.
    fn of_text(&self, values: &[Value]) -> Change {
        let subject = self.subject();
        let named: HashSet<String> = texts::named(&self.leaf.test).into_iter().collect();
        let is_named = |value: &&Value| matches!(value, Value::Text(text) if named.contains(text));
        let named: Vec<String> = values.iter().filter(is_named).map(written::value).collect();
        let to = values.first().cloned().map_or(Target::Other, Target::Value);
        let [first, rest @ ..] = &named[..] else {
            let test = written::test(&self.leaf.test);
            let fits = if self.holds { "not fitting" } else { "fitting" };
            // An address or a zone is not made up.
            let to = if matches!(self.leaf.reading, Reading::Fact(_)) { Target::Other } else { to };
            return data(format!("{subject} {fits} {test}, {}", self.instead()), to, 1.0);
        };
        let mut listed = first.clone();
        for (place, text) in rest.iter().enumerate() {
            listed += if place + 1 == rest.len() { " or " } else { ", " };
            listed += text;
        }
        data(format!("{subject} {listed} {}", self.instead()), to, 1.0)
    }

    /// A value as it is told: one that nobody named stands for all that fit.
    pub(super) fn named(&self, value: &Value) -> String {
        match value {
            Value::Text(_) if !self.is_named(value) => {
                let fits = if self.holds { "not fitting" } else { "fitting" };
                format!("{fits} {}", written::test(&self.leaf.test))
            }
            Value::Datetime(at) => self.local(*at),
            other => written::value(other),
        }
    }

    fn is_named(&self, value: &Value) -> bool {
        matches!(value, Value::Text(text) if texts::named(&self.leaf.test).contains(text))
    }

    fn of_list(&self, items: &[String]) -> Change {
        let subject = self.subject();
        let now = if let Some(Value::List(items)) = self.value { items.clone() } else { Vec::new() };
        let to = Target::Value(Value::List(items.to_vec()));
        let size = lists::changes(&now, items) as f64;
        if lists::is_made_up(items, &now, &self.leaf.test) {
            let test = written::test(&self.leaf.test);
            let fits = if self.holds { "not fitting" } else { "fitting" };
            return data(format!("{subject} {fits} {test}, {}", self.instead()), to, size);
        }
        let listed = |items: Vec<String>| written::value(&Value::List(items));
        let added: Vec<_> = items.iter().filter(|item| !now.contains(item)).cloned().collect();
        let removed: Vec<_> = now.iter().filter(|item| !items.contains(item)).cloned().collect();
        let words = match (added.is_empty(), removed.is_empty()) {
            (false, true) => format!("{subject} with {}, too", listed(added)),
            (true, false) => format!("{subject} without {}", listed(removed)),
            _ => format!("{subject} {} {}", listed(items.to_vec()), self.instead()),
        };
        data(words, to, size)
    }
}
