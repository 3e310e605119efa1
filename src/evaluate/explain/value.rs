//! What would turn a test of a value that is not counted: an attribute, the latest of a property.

use super::change::{Situation, data, ratio, told, years};
use super::date::{nearest_day, nearest_instant};
use super::number::{Range, nearest};
use super::tree::{Change, Target};
use crate::domain::condition::{Operator, Test};
use crate::domain::number::Number;
use crate::domain::value::{Value, ValueType};
use crate::domain::written;
use crate::evaluate::check::{Check, NumberTest, Surroundings};
use crate::evaluate::check_text::fold_operand;
use crate::evaluate::moment::{Moment, Moments, Spans};
use crate::evaluate::slots::{Slot, Texts};

impl Situation<'_> {
    /// Of a value of the contact's own, or one that events yield.
    pub(super) fn of_value(&self) -> Option<Change> {
        if let Some(change) = self.presence() {
            return Some(change);
        }
        let subject = self.subject();
        match (self.leaf.value_type, self.value) {
            (ValueType::Number, _) => {
                let to = nearest(&self.leaf.test, self.holds, self.number(), Range::ALL)?;
                let words = format!("{subject} {} {}", told(to), self.instead());
                Some(data(words, Target::Number(to), ratio(self.number(), to)))
            }
            (ValueType::Date, value) => {
                let current = if let Some(Value::Date(day)) = value { Some(*day) } else { None };
                let found =
                    self.with_check(|check, moment| nearest_day(check, self.holds, current, moment))?;
                let years = (found - current.unwrap_or(found)).num_days().unsigned_abs() as f64 / 365.0;
                let words = format!("{subject} {found} {}", self.instead());
                Some(data(words, Target::Value(Value::Date(found)), years))
            }
            (ValueType::Datetime, value) => {
                let current = if let Some(Value::Datetime(at)) = value { Some(*at) } else { None };
                let found =
                    self.with_check(|check, moment| nearest_instant(check, self.holds, current, moment))?;
                let words = format!("{subject} {} {}", self.local(found), self.instead_of_instant());
                Some(data(words, Target::Value(Value::Datetime(found)), years(current, found)))
            }
            (ValueType::Boolean, _) => {
                let found = [true, false].into_iter().find(|value| self.turns(Slot::Boolean(*value)))?;
                let words = format!("{subject} {found} {}", self.instead());
                Some(data(words, Target::Value(Value::Boolean(found)), 1.0))
            }
            (ValueType::Text, _) => Some(self.of_text()),
            (ValueType::List, _) => Some(self.of_list()),
        }
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

    fn of_text(&self) -> Change {
        let subject = self.subject();
        let mut candidates: Vec<&str> = Vec::new();
        for operator in &self.leaf.test.operators {
            match operator {
                Operator::Is(Value::Text(text)) | Operator::IsNot(Value::Text(text)) => {
                    candidates.push(text);
                }
                Operator::In(values) | Operator::NotIn(values) => {
                    candidates.extend(values.iter().filter_map(|value| {
                        if let Value::Text(text) = value { Some(text.as_str()) } else { None }
                    }));
                }
                Operator::Blank(_) => candidates.extend(["", "-"]),
                _ => {}
            }
        }
        let fitting: Vec<&str> = candidates.into_iter().filter(|text| self.text_turns(text)).collect();
        if let [first, rest @ ..] = &fitting[..] {
            let mut names = written::value(&Value::Text((*first).to_owned()));
            for (place, text) in rest.iter().enumerate() {
                names += if place + 1 == rest.len() { " or " } else { ", " };
                names += &written::value(&Value::Text((*text).to_owned()));
            }
            let words = format!("{subject} {names} {}", self.instead());
            return data(words, Target::Value(Value::Text((*first).to_owned())), 1.0);
        }
        let test = written::test(&self.leaf.test);
        let fits = if self.holds { "not fitting" } else { "fitting" };
        data(format!("{subject} {fits} {test}, {}", self.instead()), Target::Other, 1.0)
    }

    fn of_list(&self) -> Change {
        let subject = self.subject();
        let now = if let Some(Value::List(items)) = self.value { items.clone() } else { Vec::new() };
        let with = |more: &[String]| {
            let mut items = now.clone();
            items.extend(more.iter().filter(|item| !now.contains(item)).cloned());
            items
        };
        let same = |one: &str, other: &str| self.folded(one) == self.folded(other);
        let without = |less: &[String]| -> Vec<String> {
            now.iter().filter(|item| !less.iter().any(|gone| same(gone, item))).cloned().collect()
        };
        let mut candidates: Vec<Vec<String>> = Vec::new();
        for operator in &self.leaf.test.operators {
            match operator {
                Operator::ContainsAny(items) => {
                    candidates.extend(items.iter().map(|item| with(std::slice::from_ref(item))));
                    candidates.push(without(items));
                }
                Operator::ContainsAll(items) => {
                    candidates.push(with(items));
                    candidates.extend(items.iter().map(|item| without(std::slice::from_ref(item))));
                }
                Operator::ContainsNone(items) => {
                    candidates.push(without(items));
                    candidates.extend(items.iter().map(|item| with(std::slice::from_ref(item))));
                }
                Operator::Is(Value::List(items)) => candidates.push(items.clone()),
                Operator::IsNot(Value::List(_)) => candidates.push(Vec::new()),
                _ => {}
            }
        }
        let found = candidates.into_iter().find(|items| self.list_turns(items));
        let Some(items) = found else {
            let test = written::test(&self.leaf.test);
            let fits = if self.holds { "not fitting" } else { "fitting" };
            let words = format!("{subject} {fits} {test}, {}", self.instead());
            return data(words, Target::Other, 1.0);
        };
        let listed = |items: Vec<String>| written::value(&Value::List(items));
        let added: Vec<_> = items.iter().filter(|item| !now.contains(item)).cloned().collect();
        let removed: Vec<_> = now.iter().filter(|item| !items.contains(item)).cloned().collect();
        let size = (added.len() + removed.len()) as f64;
        let words = match (added.is_empty(), removed.is_empty()) {
            (false, true) => format!("{subject} with {}, too", listed(added)),
            (true, false) => format!("{subject} without {}", listed(removed)),
            _ => format!("{subject} {} {}", listed(items.clone()), self.instead()),
        };
        data(words, Target::Value(Value::List(items)), size)
    }

    /// The leaf's test, compiled alone.
    pub(super) fn with_check<T>(&self, ask: impl FnOnce(&Check, &Moment) -> T) -> T {
        let (now, own) = (self.moment.now, self.moment.zone);
        // Absolute dates are the installation's.
        let zone = self.installation;
        let mut spans = Spans::default();
        let test =
            Test { operators: self.leaf.test.operators.clone(), exact_case: self.leaf.test.exact_case };
        let mut around = Surroundings { zone, spans: &mut spans };
        let check = Check::compile(&test, self.leaf.value_type, &mut around);
        let mut moments = Moments::default();
        moments.set(now, own, &spans);
        ask(&check, moments.at(Moments::INSTALLATION))
    }

    pub(super) fn turns(&self, slot: Slot) -> bool {
        self.with_check(|check, moment| check.of_slot(slot, &Texts::default(), moment).holds != self.holds)
    }

    pub(super) fn number_turns(&self, number: Number) -> bool {
        let compiled = NumberTest::compile(&self.leaf.test);
        compiled.holds(number.millionths().into(), 1) != self.holds
    }

    fn text_turns(&self, text: &str) -> bool {
        let mut texts = Texts::default();
        let place = texts.push(text, !self.leaf.test.exact_case);
        self.with_check(|check, moment| check.of_slot(Slot::Text(place), &texts, moment).holds != self.holds)
    }

    fn list_turns(&self, items: &[String]) -> bool {
        let mut texts = Texts::default();
        let place = texts.push_list(items, !self.leaf.test.exact_case);
        self.with_check(|check, moment| check.of_slot(Slot::List(place), &texts, moment).holds != self.holds)
    }

    fn folded(&self, text: &str) -> String {
        fold_operand(text, self.leaf.test.exact_case)
    }
}
