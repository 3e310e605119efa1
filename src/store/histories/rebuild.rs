//! Packed histories against the log that they are made from.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::super::bulk::{Bulk, Counter, LogRow};
use super::super::{Result, Store, events, facts, tail};
use super::{ContactVisitor, VisitError, pack, visit_packed};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::facts::Facts;
use crate::domain::history::{ContactPart, EventNeed, History, Needs};
use crate::domain::time::Timestamp;

/// Contacts whose part of the log is in memory at once.
const CONTACTS_AT_ONCE: i64 = 100_000;

/// Makes all packed histories anew from the log, in one transaction, and packed facts from the contacts;
/// says how many events the histories hold.
pub async fn rebuild(store: &Store) -> Result<u64> {
    let mut bulk = Bulk::begin(store, "rebuild the histories").await?;
    // Nobody appends meanwhile.
    let last = bulk.last(Counter::Event).await?;
    bulk.execute("DELETE FROM history_chunks", &[]).await?;
    bulk.execute("DELETE FROM contact_fact_blocks", &[]).await?;
    bulk.execute("UPDATE counters SET value = 0 WHERE name = 'event_packed'", &[]).await?;
    let events = tail::pack_up_to(&mut bulk, last).await?;
    bulk.commit().await?;
    facts::pack(store).await?;
    Ok(events)
}

/// Contacts whose packed history does not hold what the log says, or whose packed facts are not theirs, at
/// most `limit` of them, in the order of their numbers. Nobody can append events while it reads.
pub async fn verify(store: &Store, limit: usize) -> Result<Vec<ContactId>> {
    pack(store).await?;
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
    for (contact, _, of_packed) in look_at_all(store, &needs).await? {
        let of_log = log.entry(contact).or_default();
        *of_log = of_log.wrapping_sub(of_packed);
    }
    let mut different: Vec<_> =
        log.into_iter().filter(|(_, rest)| *rest != 0).map(|(contact, _)| ContactId(contact)).collect();
    different.extend(facts_that_differ(store).await?);
    different.sort_unstable();
    different.dedup();
    different.truncate(limit);
    Ok(different)
}

/// Contacts whose packed facts are not what a pass shows that reads contacts whole.
async fn facts_that_differ(store: &Store) -> Result<Vec<ContactId>> {
    let facts = |contact| Needs { contact, events: Vec::new() };
    let packed = look_at_all(store, &facts(ContactPart::Facts)).await?;
    let mut whole: HashMap<i64, u64> = HashMap::with_capacity(packed.len());
    whole.extend(
        look_at_all(store, &facts(ContactPart::Whole)).await?.iter().map(|(id, facts, _)| (*id, *facts)),
    );
    let mut different = Vec::new();
    for (contact, facts, _) in packed {
        if whole.remove(&contact) != Some(facts) {
            different.push(ContactId(contact));
        }
    }
    different.extend(whole.into_keys().map(ContactId));
    Ok(different)
}

/// What a pass shows: of each contact its number, a digest of its facts, and the sum of the digests of its
/// events.
async fn look_at_all(store: &Store, needs: &Needs) -> Result<Vec<(i64, u64, u64)>> {
    // Packing would wait for the transaction that keeps others from writing.
    match visit_packed(store, needs, vec![Digests::default()]).await {
        Ok(visitors) => Ok(visitors.into_iter().flat_map(|visitor| visitor.by_contact).collect()),
        Err(VisitError::Store(error)) => Err(error),
        Err(VisitError::Visitor(never)) => match never {},
    }
}

#[derive(Debug, Default)]
struct Digests {
    by_contact: Vec<(i64, u64, u64)>,
}

impl ContactVisitor for Digests {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let digests = history.all().iter().map(|event| {
            let name = i64::from(event.name.0);
            digest(event.arrival, name, event.at.micros(), history.properties(event))
        });
        let of_events = digests.fold(0, u64::wrapping_add);
        let mut of_facts = DefaultHasher::new();
        format!("{:?}", Facts::from(contact)).hash(&mut of_facts);
        self.by_contact.push((contact.id.0, of_facts.finish(), of_events));
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
