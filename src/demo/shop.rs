//! The made-up shop's data on their way into the database: people first, then what they do, as far as
//! the clock is.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::app::{Failure, Installation};
use crate::domain::calendar;
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::contact::{ConsentUpdate, ContactUpdate};
use crate::domain::delivery::{SuppressionCause, SuppressionScope};
use crate::domain::suppression::SuppressionTarget;
use crate::domain::time::{Timestamp, Zone};
use crate::store::contacts::{self, ContactOutcome};
use crate::store::events::{Appender, EventOutcome, IncomingEvent};
use crate::store::suppressions::{self, Suppression};

use super::people::{self, Person};
use super::readers::Reader;
use super::story::{Deed, bought_after_a_mail, story};

/// How many contacts there are.
const PEOPLE: u32 = 1_200;
/// How long the shop has been open before the demo begins.
const DAYS_BEFORE: u64 = 730;
/// One address in so many is dead, and was before.
const BOUNCED_EVERY: usize = 90;
/// Events that are appended at once.
const BATCH: usize = 50_000;

/// The shop: its people, and what they will have done.
#[derive(Debug)]
pub(super) struct Shop {
    people: Vec<Person>,
    /// In order of time.
    deeds: Vec<(usize, Deed)>,
    /// How many of them are in the database.
    done: usize,
}

impl Shop {
    /// A shop as it will be at the end of the day before `end`, seen from `today`.
    pub(super) fn new(seed: u64, today: NaiveDate, end: NaiveDate) -> Self {
        let people = people::people(seed, PEOPLE, today, DAYS_BEFORE);
        let mut deeds: Vec<(usize, Deed)> = people
            .iter()
            .enumerate()
            .flat_map(|(index, person)| story(person, today, end).into_iter().map(move |deed| (index, deed)))
            .collect();
        deeds.sort_by(|(_, one), (_, other)| (one.at, &one.message_id).cmp(&(other.at, &other.message_id)));
        Self { people, deeds, done: 0 }
    }

    /// Stores the people, and the addresses that are known to be dead.
    pub(super) async fn open(&self, installation: &Installation) -> Result<(), Failure> {
        let now = installation.clock.now();
        let updates: Vec<ContactUpdate> = self.people.iter().map(update).collect();
        let outcomes = contacts::apply(&installation.store, &updates, now)
            .await
            .map_err(|error| installation.failed(error))?;
        for outcome in outcomes {
            if let ContactOutcome::Rejected(reason) = outcome {
                return Err(Failure::outside("the shop's own people are no contacts", reason));
            }
        }
        let bounced: Vec<Suppression> = self
            .people
            .iter()
            .skip(BOUNCED_EVERY / 2)
            .step_by(BOUNCED_EVERY)
            .filter_map(|person| person.email.as_ref())
            .map(|address| Suppression {
                target: SuppressionTarget::address(address),
                cause: SuppressionCause::Bounce,
                scope: SuppressionScope::All,
                at: now,
                source: "demo".to_owned(),
            })
            .collect();
        suppressions::add(&installation.store, &bounced).await.map_err(|error| installation.failed(error))?;
        Ok(())
    }

    /// Those who read mail, by their address.
    pub(super) fn readers(&self) -> HashMap<String, (usize, Reader)> {
        let readers = self.people.iter().enumerate();
        readers
            .filter_map(|(index, person)| Some((person.email.clone()?, (index, Reader::of(person)))))
            .collect()
    }

    /// Somebody buys what a mail made them look at: number `order` of such orders.
    pub(super) async fn buy(
        &self,
        installation: &Installation,
        appender: &mut Appender,
        person: usize,
        order: u64,
    ) -> Result<(), Failure> {
        let now = installation.clock.now();
        let bought = bought_after_a_mail(&self.people[person], order, now);
        let event = self.event(person, &bought);
        appender.append(&[event], "demo", now).await.map_err(|error| installation.failed(error))?;
        Ok(())
    }

    /// Stores what was done up to now. Keep `appender` for the whole demo.
    pub(super) async fn live(
        &mut self,
        installation: &Installation,
        appender: &mut Appender,
    ) -> Result<(), Failure> {
        let now = installation.clock.now();
        let until = self.deeds.partition_point(|(_, deed)| deed.at <= now);
        while self.done < until {
            let batch = self.done..until.min(self.done + BATCH);
            let events: Vec<IncomingEvent> =
                self.deeds[batch.clone()].iter().map(|(index, deed)| self.event(*index, deed)).collect();
            let outcomes =
                appender.append(&events, "demo", now).await.map_err(|error| installation.failed(error))?;
            for outcome in outcomes {
                if let EventOutcome::Rejected(reason) = outcome {
                    return Err(Failure::outside("what the shop's own people did is no event", reason));
                }
            }
            self.done = batch.end;
        }
        Ok(())
    }

    fn event(&self, index: usize, deed: &Deed) -> IncomingEvent {
        IncomingEvent {
            external_id: Some(self.people[index].id.clone()),
            email: None,
            name: deed.name.to_owned(),
            at: Some(deed.at),
            message_id: Some(deed.message_id.clone()),
            properties: Value::Object(deed.properties.clone()).to_string(),
        }
    }
}

fn update(person: &Person) -> ContactUpdate {
    let joined = registered(person);
    let consent = |purpose, state| ConsentUpdate {
        purpose,
        state,
        at: joined,
        source: "registration".to_owned(),
        words: None,
        gives_way: false,
    };
    ContactUpdate {
        external_id: Some(person.id.clone()),
        email: person.email.clone(),
        time_zone: Some(person.region.zone.to_owned()),
        language: Some(person.region.language.to_owned()),
        created_at: Some(joined),
        attributes: attributes(person),
        consents: [(Purpose::Marketing, person.marketing), (Purpose::Tracking, person.tracking)]
            .into_iter()
            .filter(|(_, state)| *state != ConsentState::Unknown)
            .map(|(purpose, state)| consent(purpose, state))
            .collect(),
    }
}

fn registered(person: &Person) -> Timestamp {
    calendar::day_start(person.joined, person.region.zone.parse().unwrap_or(Zone::UTC))
}

/// Attributes by their declared names.
fn attributes(person: &Person) -> Map<String, Value> {
    let mut attributes = Map::new();
    let mut note = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
    note("first_name", json!(person.first_name));
    note("last_name", json!(person.last_name)); // not declared: kept all the same
    note("country", json!(person.region.country));
    note("status", json!(person.status()));
    note("interests", json!(person.interests));
    if let Some(day) = person.birth_date {
        note("birth_date", json!(day.to_string()));
    }
    if let Some(company) = &person.company {
        note("company", json!(company));
    }
    attributes
}
