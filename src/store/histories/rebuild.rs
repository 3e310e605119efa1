//! Packed histories against the log that they are made from.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::super::bulk::{Bulk, Counter, LogRow};
use super::super::{Result, Store, events, tail};
use super::{ContactVisitor, VisitError, visit_all};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::{ContactPart, EventNeed, History, Needs};
use crate::domain::time::Timestamp;

/// Contacts whose part of the log is in memory at once.
const CONTACTS_AT_ONCE: i64 = 100_000;

/// Makes all packed histories anew from the log, in one transaction; says how many events they hold.
pub async fn rebuild(store: &Store) -> Result<u64> {
    let mut bulk = Bulk::begin(store, "rebuild the histories").await?;
    // Nobody appends meanwhile.
    let last = bulk.last(Counter::Event).await?;
    bulk.execute("DELETE FROM history_chunks", &[]).await?;
    bulk.execute("UPDATE counters SET value = 0 WHERE name = 'event_packed'", &[]).await?;
    let events = tail::pack_up_to(&mut bulk, last).await?;
    bulk.commit().await?;
    Ok(events)
}

/// Contacts whose packed history does not hold what the log says, at most `limit` of them, in the order
/// of their numbers. Nobody can append events while it reads.
pub async fn verify(store: &Store, limit: usize) -> Result<Vec<ContactId>> {
    tail::pack(store).await?;
    let mut bulk = Bulk::begin(store, "verify the histories").await?;
    let last = bulk.last(Counter::Event).await?;
    let contacts = bulk.last(Counter::Contact).await? + 1;
    let mut log: HashMap<i64, u64> = HashMap::new();
    for from in (0..contacts).step_by(CONTACTS_AT_ONCE as usize) {
        for row in bulk.read_log(1..last + 1, from..from + CONTACTS_AT_ONCE).await? {
            let digest = log.entry(row.contact).or_default();
            *digest = digest.wrapping_add(digest_of_row(&row));
        }
    }
    let everything = |name| EventNeed {
        name,
        since: Timestamp::from_micros(i64::MIN),
        properties_since: Some(Timestamp::from_micros(i64::MIN)),
    };
    let mut needs = Needs {
        contact: ContactPart::Facts,
        events: events::names(store).await?.into_values().map(everything).collect(),
    };
    needs.events.sort_unstable_by_key(|need| need.name);
    let visitors = visit_all(store, &needs, vec![Digests::default()]).await.map_err(|error| match error {
        VisitError::Store(error) => error,
        VisitError::Visitor(never) => match never {},
    })?;
    for (contact, digest) in visitors.into_iter().flat_map(|visitor| visitor.by_contact) {
        let of_log = log.entry(contact).or_default();
        *of_log = of_log.wrapping_sub(digest);
    }
    let mut different: Vec<_> =
        log.into_iter().filter(|(_, rest)| *rest != 0).map(|(contact, _)| ContactId(contact)).collect();
    different.sort_unstable();
    different.truncate(limit);
    Ok(different)
}

/// What the packed histories hold: per contact the sum of the digests of its events.
#[derive(Debug, Default)]
struct Digests {
    by_contact: Vec<(i64, u64)>,
}

impl ContactVisitor for Digests {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let digests = history.all().iter().map(|event| {
            let name = i64::from(event.name.0);
            digest(event.arrival, name, event.at.micros(), history.properties(event))
        });
        self.by_contact.push((contact.id.0, digests.fold(0, u64::wrapping_add)));
        Ok(())
    }
}

fn digest_of_row(row: &LogRow) -> u64 {
    digest(row.id, row.name, row.at, if row.properties == "{}" { "" } else { &row.properties })
}

fn digest(arrival: i64, name: i64, at: i64, properties: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (arrival, name, at, properties).hash(&mut hasher);
    hasher.finish()
}
