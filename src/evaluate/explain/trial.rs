//! What if: a leaf, compiled alone, of a contact to whom more happens.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::tree::Doing;
use crate::domain::catalogue::EventType;
use crate::domain::contact::ContactView;
use crate::domain::event::EventNameId;
use crate::domain::history::{BlockHistory, History, Supposed};
use crate::domain::name::EventName;
use crate::domain::number::Number;
use crate::domain::population::Population;
use crate::domain::time::Timestamp;
use crate::domain::value::{Value, ValueType};
use crate::evaluate::program::{Program, Scratch};

/// What can happen: the number of each event's name, and what is declared of it.
pub(super) type Acts = BTreeMap<EventName, (EventNameId, EventType)>;

/// So many events are looked at for one attempt, about.
const AFFORDABLE: usize = 2_000_000;

/// A leaf of one contact.
pub(super) struct Trial<'a> {
    /// The leaf, and what it tests as a trait, a score or a ranking.
    pub(super) program: &'a Program,
    pub(super) value_type: ValueType,
    pub(super) acts: &'a Acts,
    pub(super) contact: &'a ContactView<'a>,
    pub(super) history: &'a History<'a>,
    pub(super) population: &'a Population,
    pub(super) scratch: RefCell<Scratch>,
}

/// What came of it.
pub(super) struct Tried {
    pub(super) holds: bool,
    pub(super) until: Option<Timestamp>,
    pub(super) value: Option<Value>,
}

impl Trial<'_> {
    /// What the leaf says at an instant, had all this happened.
    pub(super) fn ask(&self, doings: &[Doing], at: Timestamp) -> Tried {
        let supposed: Vec<Supposed> = doings.iter().filter_map(|doing| self.supposed(doing)).collect();
        let block;
        let history = if supposed.is_empty() {
            *self.history
        } else {
            block = BlockHistory::supposing(self.history, &supposed);
            block.contact(0)
        };
        let mut scratch = self.scratch.borrow_mut();
        let evaluation = self.program.evaluate(&mut scratch, self.contact, &history, self.population, at);
        let outcome = evaluation.outcomes.first().copied();
        let rank = |rank: i64| match self.value_type {
            ValueType::Datetime => Value::Datetime(Timestamp::from_micros(rank)),
            _ => Value::Number(Number::from_millionths(rank)),
        };
        let value = evaluation.traits.first().cloned().flatten();
        let value = value.or_else(|| evaluation.ranks.first().copied().flatten().map(rank));
        Tried {
            holds: outcome.is_some_and(|outcome| outcome.holds),
            until: outcome.and_then(|outcome| outcome.until),
            value,
        }
    }

    /// How often it may be asked for one attempt: each time all that the contact did is looked at.
    pub(super) fn affordable(&self) -> usize {
        AFFORDABLE / (self.history.all().len() + 1)
    }

    /// The values of a property that the contact's events have so far, of the newest ones first, each once.
    pub(super) fn known_values(&self, event: &EventName, wire_name: &str, most: usize) -> Vec<Value> {
        let Some((id, declared)) = self.acts.get(event) else { return Vec::new() };
        let declared = declared.properties.values().find(|property| property.wire_name == wire_name);
        let value_type = declared.map_or(ValueType::Text, |property| property.value_type);
        let mut values = Vec::new();
        for event in self.history.of(*id).iter().rev().take(most) {
            let value = super::answer::member(
                self.history.properties(event),
                wire_name,
                value_type,
                self.program.zone,
            );
            if let Some(value) = value.filter(|value| !values.contains(value)) {
                values.push(value);
            }
        }
        values
    }

    fn supposed(&self, doing: &Doing) -> Option<Supposed> {
        let (name, _) = self.acts.get(&doing.event)?;
        let properties: serde_json::Map<String, serde_json::Value> =
            doing.properties.iter().map(|(name, value)| (name.clone(), as_json(value))).collect();
        let properties = serde_json::Value::Object(properties).to_string();
        Some(Supposed { name: *name, at: doing.at, properties })
    }
}

/// A value as it would come.
fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => text.as_str().into(),
        // As text it is exact.
        Value::Number(number) => number.to_string().into(),
        Value::Boolean(value) => (*value).into(),
        Value::Date(day) => day.to_string().into(),
        Value::Datetime(at) => at.to_string().into(),
        Value::List(items) => items.as_slice().into(),
    }
}
