//! Values with which a test has the one answer or the other, found by asking the evaluator's own test.

use super::date::{nearest_day, nearest_instant};
use super::number::{Range, nearest_first};
use super::{lists, texts};
use crate::domain::condition::Test;
use crate::domain::number::Number;
use crate::domain::time::Zone;
use crate::domain::value::{Value, ValueType};
use crate::evaluate::check::{Check, Surroundings};
use crate::evaluate::moment::{Moment, Moments, Spans};
use crate::evaluate::slots::{Slot, Texts};

/// A test of a value, compiled alone for one instant and one zone.
pub(super) struct Tested<'a> {
    test: &'a Test,
    value_type: ValueType,
    check: Check,
    moments: Moments,
    installation: Zone,
}

impl<'a> Tested<'a> {
    /// Of values of a type; absolute dates are the installation's, the calendar is that of the moment's zone.
    pub(super) fn new(test: &'a Test, value_type: ValueType, moment: &Moment, installation: Zone) -> Self {
        let mut spans = Spans::default();
        let mut around = Surroundings { zone: installation, spans: &mut spans };
        let check = Check::compile(test, value_type, &mut around);
        let mut moments = Moments::default();
        moments.set(moment.now, moment.zone, &spans);
        Self { test, value_type, check, moments, installation }
    }

    /// The answer for a value, or for none.
    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        let mut texts = Texts::default();
        let folded = !self.test.exact_case;
        let slot = match value {
            None => Slot::Missing,
            Some(Value::Number(number)) => Slot::Number(*number),
            Some(Value::Boolean(value)) => Slot::Boolean(*value),
            Some(Value::Date(day)) => Slot::Date(*day),
            Some(Value::Datetime(at)) => Slot::Datetime(*at),
            Some(Value::Text(text)) => Slot::Text(texts.push(text, folded)),
            Some(Value::List(items)) => Slot::List(texts.push_list(items, folded)),
        };
        self.check.of_slot(slot, &texts, self.moment()).holds
    }

    /// Values that have the answer that is wanted, nearest to the current one first; a text that it names
    /// before others.
    pub(super) fn values(&self, wanted: bool, current: Option<&Value>) -> Vec<Value> {
        let fits = |value: &Value| self.holds(Some(value)) == wanted;
        let candidates: Vec<Value> = match (self.value_type, current) {
            (ValueType::Number, current) => {
                let current = if let Some(Value::Number(number)) = current { Some(*number) } else { None };
                self.numbers(wanted, current, Range::ALL).into_iter().map(Value::Number).collect()
            }
            (ValueType::Boolean, _) => [true, false].map(Value::Boolean).to_vec(),
            (ValueType::Date, current) => {
                let current = if let Some(Value::Date(day)) = current { Some(*day) } else { None };
                nearest_day(self.test, &fits, current, self.moment(), self.installation)
                    .map(Value::Date)
                    .into_iter()
                    .collect()
            }
            (ValueType::Datetime, current) => {
                let current = if let Some(Value::Datetime(at)) = current { Some(*at) } else { None };
                nearest_instant(self.test, &fits, current, self.moment(), self.installation)
                    .map(Value::Datetime)
                    .into_iter()
                    .collect()
            }
            (ValueType::Text, _) => {
                let named = texts::named(self.test).into_iter();
                named.chain(texts::made(self.test)).map(Value::Text).collect()
            }
            (ValueType::List, current) => {
                let now = if let Some(Value::List(items)) = current { items.as_slice() } else { &[] };
                lists::candidates(self.test, now).into_iter().map(Value::List).collect()
            }
        };
        candidates.into_iter().filter(|value| Some(value) != current && fits(value)).collect()
    }

    /// As [`values`](Self::values), of numbers of a range.
    pub(super) fn numbers(&self, wanted: bool, current: Option<Number>, range: Range) -> Vec<Number> {
        nearest_first(self.test, !wanted, current, range)
    }

    fn moment(&self) -> &Moment {
        self.moments.at(Moments::INSTALLATION)
    }
}
