//! Values that do not fit the type that is declared for them: they count as missing, so somebody should know.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::error::{AudienceError, store_error};
use super::program::VISITORS;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::PropertyName;
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::event::EventNameId;
use crate::domain::history::{ContactPart, EventNeed, History, Needs};
use crate::domain::json;
use crate::domain::name::{AttributeName, EventName};
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{self, ValueType};
use crate::store::histories::{self, ContactVisitor};
use crate::store::{Result as StoreResult, Store, events};

/// Values of one attribute or property that do not fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What they are of.
    pub of: ValueOf,
    /// The declared type.
    pub value_type: ValueType,
    /// How many there are.
    pub count: u64,
    /// Some of those who have them, in the order of numbers.
    pub examples: Vec<ContactId>,
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

/// Values that do not fit, by attribute and property. Only reads; events that are not packed yet are not looked
/// at.
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
        let place = wanted.place(ValueOf::Attribute(name.clone()), attribute.value_type);
        wanted.attributes.entry(attribute.wire_name.clone()).or_default().push(place);
    }
    for (name, event) in &catalogue.events {
        let Some(id) = names.get(&event.wire_name).copied() else { continue };
        for (property, declared) in &event.properties {
            let of = ValueOf::Property(name.clone(), property.clone());
            let place = wanted.place(of, declared.value_type);
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
    let visitors = histories::visit_as_packed(store, &needs, visitors).await.map_err(store_error)?;
    let mut sums = vec![(0, Vec::new()); wanted.values.len()];
    for visitor in visitors {
        for ((sum, examples), (count, more)) in sums.iter_mut().zip(visitor.found) {
            *sum += count;
            examples.extend(more);
        }
    }
    let found = wanted.values.iter().zip(sums).filter(|(_, (count, _))| *count > 0);
    let misfit =
        |((of, value_type), (count, mut examples)): (&(ValueOf, ValueType), (u64, Vec<ContactId>))| {
            examples.truncate(EXAMPLES);
            Misfit { of: of.clone(), value_type: *value_type, count, examples }
        };
    Ok(found.map(misfit).collect())
}

/// What is declared, by its name on the wire.
#[derive(Default)]
struct Wanted {
    values: Vec<(ValueOf, ValueType)>,
    attributes: HashMap<String, Vec<usize>>,
    properties: HashMap<EventNameId, HashMap<String, Vec<usize>>>,
}

impl Wanted {
    fn place(&mut self, of: ValueOf, value_type: ValueType) -> usize {
        self.values.push((of, value_type));
        self.values.len() - 1
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
                let value_type = self.wanted.values[*place].1;
                if value::says_nothing(value_type, token) || value::fits(value_type, token, self.zone) {
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
