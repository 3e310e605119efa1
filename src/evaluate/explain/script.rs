//! Events that could happen to a contact, made to measure: such that a filter lets them pass or not, that
//! are followed as they must be, with values that nothing has had before.

use std::cell::RefCell;

use chrono::Days;

use super::solve::Tested;
use super::tree::Doing;
use super::trial::Acts;
use crate::domain::condition::{EventQuery, Follower, PropertyName, Test};
use crate::domain::event::{BY, HUMAN, READ_BY_MACHINES};
use crate::domain::name::EventName;
use crate::domain::number::Number;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{Value, ValueType};
use crate::evaluate::moment::Moment;

/// So many values are tried for one property.
const MOST_VALUES: usize = 200;

/// Makes events for one query.
pub(super) struct Maker<'a> {
    acts: &'a Acts,
    moment: &'a Moment,
    /// The installation's zone.
    installation: Zone,
    query: &'a EventQuery,
    /// Days and instants that were found to meet demands.
    found: RefCell<Vec<(Asked, Option<Value>)>>,
}

/// A property of an event, and all that is demanded of it.
type Asked = (EventName, PropertyName, Vec<(Test, bool)>);

/// A value that a property should have.
pub(super) type Wish = (PropertyName, Value);

/// A test of a property, and what it should say.
pub(super) type Demand<'t> = (&'t PropertyName, &'t Test, bool);

impl<'a> Maker<'a> {
    pub(super) fn new(acts: &'a Acts, moment: &'a Moment, installation: Zone, query: &'a EventQuery) -> Self {
        Self { acts, moment, installation, query, found: RefCell::default() }
    }

    /// Another one for the same.
    pub(super) fn again(&self) -> Self {
        Self::new(self.acts, self.moment, self.installation, self.query)
    }
}

impl Maker<'_> {
    /// An event that the filter lets pass, with what must follow it. `number` tells it from others where they
    /// must differ. `None`: there can be none.
    pub(super) fn one(
        &self,
        at: Timestamp,
        number: usize,
        wishes: &[Wish],
        demands: &[Demand<'_>],
    ) -> Option<Vec<Doing>> {
        let EventQuery { event, filter, per, then, .. } = self.query;
        let mut demands = demands.to_vec();
        demands.extend(filter.iter().map(|(name, test)| (name, test, true)));
        let mut wishes = wishes.to_vec();
        let follower = then.as_deref().filter(|then| !then.negated);
        let same = follower.and_then(|then| then.same.as_ref());
        let is_wished = |wishes: &[Wish], name: &PropertyName| wishes.iter().any(|(known, _)| known == name);
        for name in per.iter().chain(same) {
            if !is_wished(&wishes, name) {
                wishes.push((name.clone(), self.fresh(self.type_of(event, name), number)));
            }
        }
        // What both must have is made so that the filter of what follows lets it pass, too.
        let of_both = follower.into_iter().filter(|then| then.event == *event || same.is_some());
        demands.extend(of_both.flat_map(|then| {
            then.filter.iter().filter(|(name, _)| Some(name) == same).map(|(name, test)| (name, test, true))
        }));
        let properties = self.properties(event, &demands, &wishes)?;
        let value = |name: &PropertyName| {
            properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let shared = same.and_then(value);
        let mut doings = vec![self.doing(event, at, properties.clone())];
        if let Some(then) = follower {
            doings.extend(self.following(then, at, shared)?);
        }
        Some(doings)
    }

    /// An event that the filter stops, or that is not followed as it must be, or in no group: it takes a place
    /// among the last ones and does not count. One way of it an entry.
    pub(super) fn none(&self, at: Timestamp) -> Vec<Doing> {
        let EventQuery { event, filter, per, then, .. } = self.query;
        let mut ways = Vec::new();
        for (name, test) in filter {
            if let Some(properties) = self.properties(event, &[(name, test, false)], &[]) {
                ways.push(self.doing(event, at, properties));
            }
        }
        if per.is_some() || then.as_ref().is_some_and(|then| !then.negated) {
            ways.push(self.doing(event, at, Vec::new()));
        }
        ways
    }

    /// What follows, and what must follow that in turn.
    pub(super) fn following(
        &self,
        then: &Follower,
        at: Timestamp,
        shared: Option<Value>,
    ) -> Option<Vec<Doing>> {
        let mut demands: Vec<Demand<'_>> =
            then.filter.iter().map(|(name, test)| (name, test, true)).collect();
        let next = then.then.as_deref().filter(|next| !next.negated);
        let next_same = next.and_then(|next| next.same.as_ref());
        let of_next = next.into_iter().flat_map(|next| next.filter.iter());
        demands.extend(
            of_next.filter(|(name, _)| Some(name) == next_same).map(|(name, test)| (name, test, true)),
        );
        let mut wishes: Vec<Wish> = then.same.iter().cloned().zip(shared).collect();
        if let Some(name) = next_same.filter(|name| !wishes.iter().any(|(known, _)| known == *name)) {
            wishes.push((name.clone(), self.fresh(self.type_of(&then.event, name), 0)));
        }
        let properties = self.properties(&then.event, &demands, &wishes)?;
        let shared = next_same.and_then(|name| {
            properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        });
        let mut doings = vec![self.doing(&then.event, at, properties)];
        if let Some(next) = next {
            doings.extend(self.following(next, at, shared)?);
        }
        Some(doings)
    }

    /// An event of a name with nothing but what tells that a person did it.
    pub(super) fn plain(&self, event: &EventName) -> Doing {
        let by = PropertyName(BY.to_owned());
        let human = READ_BY_MACHINES.contains(&event.as_str());
        let properties = human.then(|| (by, Value::Text(HUMAN.to_owned())));
        self.doing(event, self.moment.now, properties.into_iter().collect())
    }

    /// Values of a property, all different, that the filter lets pass; as many as are asked for, or as there are.
    pub(super) fn different(&self, name: &PropertyName, count: usize) -> Vec<Value> {
        let event = &self.query.event;
        let value_type = self.type_of(event, name);
        let tests: Vec<Demand<'_>> = self
            .query
            .filter
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(name, test)| (name, test, true))
            .collect();
        let fresh = (0..count).map(|number| self.fresh(value_type, number));
        let mut values: Vec<Value> = Vec::new();
        let named = tests.iter().flat_map(|(_, test, _)| self.tested(test, value_type).values(true, None));
        for value in fresh.chain(named) {
            if values.len() < count
                && !values.contains(&value)
                && self.meets(&tests, value_type, Some(&value))
            {
                values.push(value);
            }
        }
        values
    }

    pub(super) fn type_of(&self, event: &EventName, name: &PropertyName) -> ValueType {
        let declared = self.acts.get(event).and_then(|(_, declared)| declared.properties.get(name));
        declared.map_or(ValueType::Text, |property| property.value_type)
    }

    pub(super) fn wire_name<'n>(&'n self, event: &EventName, name: &'n PropertyName) -> &'n str {
        let declared = self.acts.get(event).and_then(|(_, declared)| declared.properties.get(name));
        declared.map_or(name.0.as_str(), |property| property.wire_name.as_str())
    }

    pub(super) fn tested<'t>(&self, test: &'t Test, value_type: ValueType) -> Tested<'t> {
        Tested::new(test, value_type, self.moment, self.installation)
    }

    /// Properties that meet all demands; what is wished for as far as they allow it.
    fn properties(&self, event: &EventName, demands: &[Demand<'_>], wishes: &[Wish]) -> Option<Vec<Wish>> {
        let mut names: Vec<&PropertyName> = wishes.iter().map(|(name, _)| name).collect();
        names.extend(demands.iter().map(|(name, ..)| *name));
        names.sort_unstable();
        names.dedup();
        let mut properties = Vec::new();
        for name in names {
            let own: Vec<Demand<'_>> = demands.iter().filter(|(known, ..)| *known == name).copied().collect();
            let wish = wishes.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            if let Some(value) = self.value(event, name, &own, wish)? {
                properties.push((name.clone(), value));
            }
        }
        Some(properties)
    }

    /// A value that meets all demands; `Some(None)`: having none does.
    #[expect(clippy::option_option, reason = "none found, and that none is needed, are two answers")]
    fn value(
        &self,
        event: &EventName,
        name: &PropertyName,
        demands: &[Demand<'_>],
        wish: Option<&Value>,
    ) -> Option<Option<Value>> {
        let value_type = self.type_of(event, name);
        let meets = |value: Option<&Value>| self.meets(demands, value_type, value);
        if wish.is_some() && meets(wish) {
            return Some(wish.cloned());
        }
        if wish.is_none() && meets(None) {
            return Some(None);
        }
        // Days are looked for one by one: what was found is found again.
        let is_slow = matches!(value_type, ValueType::Date | ValueType::Datetime);
        let key = || {
            (
                event.clone(),
                name.clone(),
                demands.iter().map(|(_, test, wanted)| ((*test).clone(), *wanted)).collect(),
            )
        };
        if is_slow && let Some((_, known)) = self.found.borrow().iter().find(|(known, _)| *known == key()) {
            return known.clone().map(Some);
        }
        let candidates = demands.iter().flat_map(|(_, test, wanted)| {
            let tested = self.tested(test, value_type);
            tested.values(*wanted, wish).into_iter().chain(tested.values(*wanted, None)).take(MOST_VALUES)
        });
        let found = candidates.into_iter().find(|value| meets(Some(value)));
        if is_slow {
            self.found.borrow_mut().push((key(), found.clone()));
        }
        found.map(Some)
    }

    fn meets(&self, demands: &[Demand<'_>], value_type: ValueType, value: Option<&Value>) -> bool {
        demands.iter().all(|(_, test, wanted)| self.tested(test, value_type).holds(value) == *wanted)
    }

    /// A value that is not likely to have been there, another one for each number.
    pub(super) fn fresh(&self, value_type: ValueType, number: usize) -> Value {
        let whole = i64::try_from(number).unwrap_or_default();
        match value_type {
            ValueType::Text => Value::Text(format!("new {}", number + 1)),
            ValueType::Number => Value::Number(Number::from_whole(900_001 + whole).unwrap_or_default()),
            ValueType::Boolean => Value::Boolean(number.is_multiple_of(2)),
            ValueType::Date => {
                let day = self.moment.today.checked_add_days(Days::new(40_000 + number as u64));
                Value::Date(day.unwrap_or(self.moment.today))
            }
            ValueType::Datetime => Value::Datetime(
                self.moment.now.plus(std::time::Duration::from_hours(900_000 + number as u64)),
            ),
            ValueType::List => Value::List(vec![format!("new {}", number + 1)]),
        }
    }

    fn doing(&self, event: &EventName, at: Timestamp, properties: Vec<Wish>) -> Doing {
        let on_the_wire = |(name, value): Wish| (self.wire_name(event, &name).to_owned(), value);
        Doing { event: event.clone(), at, properties: properties.into_iter().map(on_the_wire).collect() }
    }
}
