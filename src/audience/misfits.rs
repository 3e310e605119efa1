//! Values that do not fit what is declared for them: those that are not of the type count as missing, those that are
//! none of the values that there should be are read all the same. An import would have refused both, so somebody
//! should know.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::error::{AudienceError, store_error};
use super::program::VISITORS;
use crate::domain::catalogue::{Attribute, Catalogue, EvaluationSettings};
use crate::domain::condition::PropertyName;
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::event::EventNameId;
use crate::domain::history::{ContactPart, EventNeed, History, Needs};
use crate::domain::json::{self, Token};
use crate::domain::name::{AttributeName, EventName};
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{self, ValueType};
use crate::store::histories::{self, ContactVisitor};
use crate::store::{Result as StoreResult, Store, events};

/// Values of one attribute or property that do not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What they are of.
    pub of: ValueOf,
    /// What is wrong with them.
    pub fault: Unfit,
    /// How many there are.
    pub count: u64,
    /// Some of those who have them, in the order of numbers.
    pub examples: Vec<ContactId>,
}

/// How values do not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// They are not of this type.
    NoneOfType(ValueType),
    /// They are of this type, and not among the declared values.
    NotAmong(ValueType, Vec<String>),
}

/// What has values of a declared type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueOf {
    /// An attribute.
    Attribute(AttributeName),
    /// A property of an event.
    Property(EventName, PropertyName),
}

/// How many contacts are named.
const EXAMPLES: usize = 3;

/// Values that do not fit, by attribute and property. Only reads.
pub async fn misfits(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
) -> Result<Vec<Misfit>, AudienceError> {
    find(store, catalogue, settings.time_zone)
        .await
        .map_err(AudienceError::while_doing("look for values that do not fit their type"))
}

async fn find(store: &Store, catalogue: &Catalogue, zone: Zone) -> StoreResult<Vec<Misfit>> {
    let names = events::names(store).await?;
    let mut wanted = Wanted::default();
    for (name, attribute) in &catalogue.attributes {
        let Attribute { wire_name, value_type, one_of, .. } = attribute;
        let mut faults = vec![Unfit::NoneOfType(*value_type)];
        if !one_of.is_empty() {
            faults.push(Unfit::NotAmong(*value_type, one_of.clone()));
        }
        for fault in faults {
            let place = wanted.place(ValueOf::Attribute(name.clone()), fault);
            wanted.attributes.entry(wire_name.clone()).or_default().push(place);
        }
    }
    for (name, event) in &catalogue.events {
        let Some(id) = names.get(&event.wire_name).copied() else { continue };
        for (property, declared) in &event.properties {
            let of = ValueOf::Property(name.clone(), property.clone());
            let place = wanted.place(of, Unfit::NoneOfType(declared.value_type));
            let properties = wanted.properties.entry(id).or_default();
            properties.entry(declared.wire_name.clone()).or_default().push(place);
        }
    }
    let always = Timestamp::from_micros(i64::MIN);
    let need = |name: &EventNameId| EventNeed { name: *name, since: always, properties_since: Some(always) };
    let mut needs = Needs {
        contact: if wanted.attributes.is_empty() { ContactPart::Facts } else { ContactPart::Whole },
        events: wanted.properties.keys().map(need).collect(),
    };
    needs.events.sort_unstable_by_key(|need| need.name);
    let wanted = Arc::new(wanted);
    let looker =
        || Looker { found: vec![(0, Vec::new()); wanted.values.len()], wanted: Arc::clone(&wanted), zone };
    let visitors = (0..VISITORS).map(|_| looker()).collect();
    let visitors = histories::visit_as_stored(store, &needs, visitors).await.map_err(store_error)?;
    let mut sums = vec![(0, Vec::new()); wanted.values.len()];
    for visitor in visitors {
        for ((sum, examples), (count, more)) in sums.iter_mut().zip(visitor.found) {
            *sum += count;
            examples.extend(more);
        }
    }
    let found = wanted.values.iter().zip(sums).filter(|(_, (count, _))| *count > 0);
    let misfit = |((of, fault), (count, mut examples)): (&(ValueOf, Unfit), (u64, Vec<ContactId>))| {
        examples.truncate(EXAMPLES);
        Misfit { of: of.clone(), fault: fault.clone(), count, examples }
    };
    Ok(found.map(misfit).collect())
}

/// What is declared, by its name on the wire.
#[derive(Default)]
struct Wanted {
    values: Vec<(ValueOf, Unfit)>,
    attributes: HashMap<String, Vec<usize>>,
    properties: HashMap<EventNameId, HashMap<String, Vec<usize>>>,
}

impl Wanted {
    fn place(&mut self, of: ValueOf, fault: Unfit) -> usize {
        self.values.push((of, fault));
        self.values.len() - 1
    }
}

impl Unfit {
    /// Whether a value has it.
    fn is_in(&self, token: Token<'_>, zone: Zone) -> bool {
        match self {
            Self::NoneOfType(of) => !value::says_nothing(*of, token) && !value::fits(*of, token, zone),
            Self::NotAmong(of, allowed) => {
                value::of_token(*of, token, zone).is_some_and(|value| !value.is_one_of(allowed))
            }
        }
    }
}

struct Looker {
    wanted: Arc<Wanted>,
    /// The zone of local times.
    zone: Zone,
    /// How many, and of whom.
    found: Vec<(u64, Vec<ContactId>)>,
}

impl Looker {
    fn look(&mut self, contact: ContactId, object: &str, wanted: &HashMap<String, Vec<usize>>) {
        for (key, token) in json::members(object) {
            let Some(places) = wanted.get(key.decode().as_ref()) else { continue };
            for place in places {
                if !self.wanted.values[*place].1.is_in(token, self.zone) {
                    continue;
                }
                let (count, examples) = &mut self.found[*place];
                *count += 1;
                if examples.len() < EXAMPLES && examples.last() != Some(&contact) {
                    examples.push(contact);
                }
            }
        }
    }
}

impl ContactVisitor for Looker {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let wanted = Arc::clone(&self.wanted);
        self.look(contact.id, contact.attributes, &wanted.attributes);
        for event in history.all() {
            if let Some(properties) = wanted.properties.get(&event.name) {
                self.look(contact.id, history.properties(event), properties);
            }
        }
        Ok(())
    }
}
