//! Events: an append-only log, and each contact's packed history, written in one transaction.

use std::collections::HashMap;

use super::backfills;
use super::bulk::{Bulk, Cell, Counter};
use super::connection::Load;
use super::contacts::{self, Arrival, ContactOutcome, ContactRejection};
use super::error::failed;
use super::identity::fold;
use super::log::{self, Arriving};
pub use super::replace::Anew;
pub(super) use super::replace::replace as replace_within;
use super::statement::{query, query_value};
use super::{Result, Store};
use crate::domain::contact::ContactUpdate;
use crate::domain::event::{EventNameId, NewEvent};
use crate::domain::time::Timestamp;

/// An event that names its contact as the user's system does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncomingEvent {
    /// The `id` of the user's system.
    pub external_id: Option<String>,
    /// The address. With both, the two become one contact by the identity rules.
    pub email: Option<String>,
    /// Its name on the wire.
    pub name: String,
    /// When it happened, in microseconds since 1970.
    pub at: Option<Timestamp>,
    /// One that was seen before is ignored.
    pub message_id: Option<String>,
    /// A JSON object, or empty.
    pub properties: String,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOutcome {
    /// It is in the log and in the contact's history.
    Appended,
    /// Its `message_id` was there already.
    SeenBefore,
    /// It names no contact.
    Rejected(ContactRejection),
}

/// How many events went in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// New.
    pub appended: u64,
    /// Their `message_id` was there already.
    pub seen_before: u64,
}

/// Appends events of known contacts in one transaction.
pub async fn append(store: &Store, events: &[NewEvent], source: &str, now: Timestamp) -> Result<Appended> {
    let mut bulk = Bulk::begin(store, "append events").await?;
    let appended = append_within(&mut bulk, events, false, source, now).await?;
    bulk.commit().await?;
    Ok(appended)
}

/// Writes events of known contacts in the place of others, in one transaction: for events that are a reading of
/// evidence, such as opens and clicks. Those that are there as they are stay. Gives their numbers; none for those of
/// contacts that were erased.
pub async fn replace(
    store: &Store,
    events: &[Anew],
    source: &str,
    now: Timestamp,
) -> Result<Vec<Option<i64>>> {
    let mut bulk = Bulk::begin(store, "write events anew").await?;
    let numbers = replace_within(&mut bulk, events, source, now).await?;
    bulk.commit().await?;
    Ok(numbers)
}

/// See [`append`]. Of events that come once the message ids are not looked up: their caller makes sure of it.
pub(super) async fn append_within(
    bulk: &mut Bulk,
    events: &[NewEvent],
    comes_once: bool,
    source: &str,
    now: Timestamp,
) -> Result<Appended> {
    let arriving = events
        .iter()
        .map(|event| Arriving {
            contact: event.contact.0,
            name: &event.name,
            at: event.at.micros(),
            message_id: event.message_id.as_deref(),
            comes_once,
            properties: &event.properties,
        })
        .collect();
    let mut names = HashMap::new();
    let written = log::write(bulk, &mut names, arriving, source, now).await?;
    let appended = written.iter().flatten().count() as u64;
    Ok(Appended { appended, seen_before: written.len() as u64 - appended })
}

/// Appends events that arrive from outside, in their order, creating contacts that do not exist.
/// Remembers contacts between calls: keep one for a whole import.
#[derive(Debug)]
pub struct Appender {
    store: Store,
    memory: Memory,
    arrival: Arrival,
}

/// What an appender remembers of committed batches.
#[derive(Debug, Default)]
struct Memory {
    by_id: HashMap<String, i64>,
    /// Addresses move between contacts; these hold while nobody else changes contacts.
    by_email: HashMap<String, i64>,
    next_change: i64,
    /// How many contacts were erased when these were remembered.
    forgotten: i64,
    names: HashMap<String, EventNameId>,
    contacts_created: u64,
}

/// A memory of more contacts than this is begun anew: some 100 MB.
const REMEMBERED: usize = 1_000_000;

impl Appender {
    /// An appender that remembers nobody yet.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), memory: Memory::default(), arrival: Arrival::News }
    }

    /// From now on events come in so.
    #[must_use]
    pub fn arriving_as(self, arrival: Arrival) -> Self {
        Self { arrival, ..self }
    }

    /// How many contacts did not exist before, in all batches together.
    pub const fn contacts_created(&self) -> u64 {
        self.memory.contacts_created
    }

    /// Appends a batch in one transaction; outcomes are in the order of the events. An event
    /// without `at` happened `now`. Large batches (10,000 and more) are much faster: they are
    /// packed together, when histories are read next.
    pub async fn append(
        &mut self,
        events: &[IncomingEvent],
        source: &str,
        now: Timestamp,
    ) -> Result<Vec<EventOutcome>> {
        // Taken out and put back at the end: what a failed batch learned is forgotten.
        let mut memory = std::mem::take(&mut self.memory);
        let load = if events.len() < log::IMPORT { Load::Little } else { Load::Much };
        let mut bulk = Bulk::begin_with(&self.store, load, "append events").await?;
        memory.drop_the_forgotten(&mut bulk).await?;
        let contacts = memory.resolve(&mut bulk, events, now).await?;
        let mut arriving = Vec::with_capacity(events.len());
        for (event, contact) in events.iter().zip(&contacts) {
            if let Ok(contact) = contact {
                arriving.push(Arriving {
                    contact: *contact,
                    name: &event.name,
                    at: event.at.unwrap_or(now).micros(),
                    message_id: event.message_id.as_deref(),
                    comes_once: false,
                    properties: &event.properties,
                });
            }
        }
        let before = bulk.last(Counter::Event).await?;
        let written = log::write(&mut bulk, &mut memory.names, arriving, source, now).await?;
        if self.arrival == Arrival::BackFill {
            // Drawn in the order of `Counter`; these two rows are nobody else's.
            let change = memory.next_change - 1;
            backfills::note(&mut bulk, backfills::Kind::Contacts, change, change).await?;
            let last = bulk.last(Counter::Event).await?;
            backfills::note(&mut bulk, backfills::Kind::Events, before + 1, last).await?;
        }
        bulk.commit().await?;
        if memory.by_id.len() + memory.by_email.len() > REMEMBERED {
            memory.by_id.clear();
            memory.by_email.clear();
        }
        self.memory = memory;
        let mut written = written.into_iter();
        let outcome = |contact: Result<i64, ContactRejection>| match contact {
            Err(rejection) => EventOutcome::Rejected(rejection),
            Ok(_) if written.next() == Some(None) => EventOutcome::SeenBefore,
            Ok(_) => EventOutcome::Appended,
        };
        Ok(contacts.into_iter().map(outcome).collect())
    }
}

impl Memory {
    /// Begins anew when somebody was erased: whoever comes back gets another number.
    async fn drop_the_forgotten(&mut self, bulk: &mut Bulk) -> Result<()> {
        // Read without its lock, which is drawn later: what is erased in between is passed over by the log.
        let text = "SELECT value FROM counters WHERE name = 'contact_forgotten'";
        let rows = bulk.rows_with(text, vec![]).await?;
        let forgotten = rows.first().and_then(|row| row.first()).and_then(Cell::number).unwrap_or(0);
        if forgotten != self.forgotten {
            self.by_id.clear();
            self.by_email.clear();
            self.forgotten = forgotten;
        }
        Ok(())
    }

    /// The contact of each event; those that do not exist are created.
    async fn resolve(
        &mut self,
        bulk: &mut Bulk,
        events: &[IncomingEvent],
        now: Timestamp,
    ) -> Result<Vec<Result<i64, ContactRejection>>> {
        let change = bulk.draw(Counter::ContactChange, 1).await?;
        if change != self.next_change {
            self.by_email.clear();
        }
        self.next_change = change + 1;
        self.look_up(bulk, events).await?;

        let mut contacts: Vec<Option<Result<i64, ContactRejection>>> = Vec::with_capacity(events.len());
        let mut unknown: Vec<ContactUpdate> = Vec::new();
        let mut place_of = HashMap::new();
        let mut places = Vec::new();
        for event in events {
            let contact = check_texts(event)
                .map_or_else(|rejection| Some(Err(rejection)), |()| self.find(event).map(Ok));
            if contact.is_none() {
                let key = (event.external_id.as_deref(), event.email.as_deref().map(fold));
                let place = *place_of.entry(key).or_insert_with(|| {
                    let (external_id, email) = (event.external_id.clone(), event.email.clone());
                    unknown.push(ContactUpdate { external_id, email, ..ContactUpdate::default() });
                    unknown.len() - 1
                });
                places.push(place);
            }
            contacts.push(contact);
        }
        if !unknown.is_empty() {
            let outcomes = contacts::apply_within(bulk, &unknown, change, now).await?;
            let created = |outcome: &&ContactOutcome| matches!(outcome, ContactOutcome::Created(_));
            self.contacts_created += outcomes.iter().filter(created).count() as u64;
            self.learn(&unknown, &outcomes);
            let mut places = places.into_iter();
            for contact in contacts.iter_mut().filter(|contact| contact.is_none()) {
                *contact = places.next().map(|place| match &outcomes[place] {
                    ContactOutcome::Created(id)
                    | ContactOutcome::Updated(id)
                    | ContactOutcome::Unchanged(id) => Ok(id.0),
                    ContactOutcome::Rejected(rejection) => Err(rejection.clone()),
                });
            }
        }
        Ok(contacts.into_iter().map(|contact| contact.unwrap_or(Err(ContactRejection::NoIdentity))).collect())
    }

    /// Asks the database for those who are not remembered.
    async fn look_up(&mut self, bulk: &mut Bulk, events: &[IncomingEvent]) -> Result<()> {
        let mut ids: Vec<&str> = Vec::new();
        let mut emails: Vec<String> = Vec::new();
        for event in events {
            match (&event.external_id, &event.email) {
                (Some(id), _) if self.by_id.contains_key(id) => {}
                (Some(id), _) => ids.push(id),
                (None, Some(email)) => {
                    let email = fold(email);
                    if !self.by_email.contains_key(&email) {
                        emails.push(email);
                    }
                }
                (None, None) => {}
            }
        }
        ids.retain(|id| !id.contains('\0'));
        ids.sort_unstable();
        ids.dedup();
        emails.retain(|email| !email.contains('\0'));
        emails.sort_unstable();
        emails.dedup();
        if ids.is_empty() && emails.is_empty() {
            return Ok(());
        }
        for found in bulk.identities(ids.into_iter().map(str::to_owned).collect(), emails).await? {
            if let Some(email) = found.email_folded {
                self.by_email.insert(email, found.id.0);
            }
            if let Some(id) = found.external_id {
                self.by_id.insert(id, found.id.0);
            }
        }
        Ok(())
    }

    /// The contact that an event names, if that asks for no change of contacts.
    fn find(&self, event: &IncomingEvent) -> Option<i64> {
        let by_id = event.external_id.as_ref().map(|id| self.by_id.get(id).copied());
        let by_email = event.email.as_deref().map(|email| self.by_email.get(&fold(email)).copied());
        match (by_id, by_email) {
            (Some(by_id), None) => by_id,
            (None, Some(by_email)) => by_email,
            (Some(by_id), Some(by_email)) => by_id.filter(|_| by_id == by_email),
            (None, None) => None,
        }
    }

    fn learn(&mut self, updates: &[ContactUpdate], outcomes: &[ContactOutcome]) {
        if outcomes.iter().any(|outcome| matches!(outcome, ContactOutcome::Updated(_))) {
            self.by_email.clear(); // addresses have moved
        }
        for (update, outcome) in updates.iter().zip(outcomes) {
            if let (Some(external_id), Some(contact)) = (&update.external_id, outcome.contact()) {
                self.by_id.insert(external_id.clone(), contact.0);
            }
        }
    }
}

fn check_texts(event: &IncomingEvent) -> Result<(), ContactRejection> {
    let message_id = event.message_id.as_deref().unwrap_or_default();
    let fields =
        [("event name", event.name.as_str()), ("message_id", message_id), ("properties", &event.properties)];
    match fields.into_iter().find(|(_, text)| text.contains('\0')) {
        Some((field, _)) => Err(ContactRejection::Nul { field }),
        None => Ok(()),
    }
}

/// All names on the wire, with their numbers.
pub async fn names(store: &Store) -> Result<HashMap<String, EventNameId>> {
    let operation = "list the names of events";
    let rows = query(&store.database, operation, "SELECT name, id FROM event_names", vec![]).await?;
    let read = |row: &sea_orm::QueryResult| {
        let number: i64 = row.try_get_by_index(1)?;
        Ok((row.try_get_by_index(0)?, EventNameId(number as u32)))
    };
    rows.iter().map(read).collect::<Result<_, sea_orm::DbErr>>().map_err(failed(operation))
}

/// How many are in the log: its numbers are drawn without a gap, and what is taken out is counted.
pub async fn count(store: &Store) -> Result<u64> {
    let text = "SELECT CAST(SUM(CASE name WHEN 'event' THEN value ELSE -value END) AS BIGINT) FROM counters
        WHERE name IN ('event', 'event_removed')";
    let count: i64 = query_value(&store.database, "count events", text, vec![]).await?;
    Ok(count as u64)
}
