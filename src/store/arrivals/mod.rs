//! Calls of the API, many at a time: what they say of contacts, what these did, whose device it was.
//!
//! One transaction: a call is in the database as a whole or not at all, and one that is repeated
//! changes nothing. It is known by its message id, wherever it ended up: in the log, or among the
//! events of an anonymous id that is nobody's yet.
//!
//! An anonymous id belongs to the first contact that a call names together with it; then its earlier
//! events, and its later ones, are that contact's. Until then they make no contact.
//!
//! | file | what |
//! |---|---|
//! | [`facts`] | what an identify call says, and what of that still holds when it arrives late |
//! | `settle` | whom each call names, and what it changes; in memory |
//! | `anonymous` | anonymous ids and their events, as rows |

mod anonymous;
pub mod facts;
mod settle;

use std::collections::{HashMap, HashSet};

pub use self::facts::{Facts, SaidConsent};
use self::settle::{Item, Settled, settle};
use super::bulk::{Bulk, Counter};
use super::contacts;
use super::identity::{Book, fold};
use super::log::{self, Arriving};
use super::refusals::{self, Refusal};
use super::write_keys::{self, WriteKeyId};
use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::time::Timestamp;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The `id` of the user's system.
    pub external_id: Option<String>,
    /// The address that an identify call gives.
    pub email: Option<String>,
    /// The id of a device or visit.
    pub anonymous_id: Option<String>,
    /// The id that an alias call says is the same person.
    pub previous_id: Option<String>,
    /// The event's name on the wire.
    pub name: String,
    /// When it happened.
    pub at: Timestamp,
    /// One that was seen before is ignored.
    pub message_id: Option<String>,
    /// A JSON object, or empty.
    pub properties: String,
    /// What an identify call says of the contact.
    pub facts: Option<Facts>,
    /// The call as it came, for when it is refused.
    pub payload: String,
}

/// Calls that came with one key.
#[derive(Debug, Clone, Default)]
pub struct Parcel {
    /// In the order in which they came.
    pub arrivals: Vec<Arrival>,
    /// Calls that cannot be stored.
    pub refusals: Vec<Refusal>,
}

/// What became of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Events of contacts, new in the log.
    pub logged: u64,
    /// Events of anonymous ids that are nobody's yet.
    pub waiting: u64,
    /// Earlier events of anonymous ids that were joined.
    pub joined: u64,
    /// Calls that were there already.
    pub repeated: u64,
    /// Calls of which something was refused.
    pub refused: u64,
}

/// How a contact is named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Name {
    external_id: Option<String>,
    email: Option<String>,
}

const OPERATION: &str = "store calls of the API";

/// Stores a parcel. `source` says in the log where its events came from.
pub async fn store(
    store: &Store,
    parcel: &Parcel,
    key: WriteKeyId,
    source: &str,
    now: Timestamp,
) -> Result<Tally> {
    let mut bulk = Bulk::begin(store, OPERATION).await?;
    // Drawn first: on PostgreSQL it puts those who write contacts in a row.
    let change = bulk.draw(Counter::ContactChange, 1).await?;
    let fresh = fresh(&mut bulk, &parcel.arrivals).await?;
    let mut tally = Tally { repeated: (parcel.arrivals.len() - fresh.len()) as u64, ..Tally::default() };
    let mut refusals = parcel.refusals.clone();
    if !fresh.is_empty() {
        store_fresh(&mut bulk, &fresh, &mut refusals, &mut tally, (change, source, now)).await?;
    }
    tally.refused = refusals::keep_within(&mut bulk, key, &refusals, now).await?;
    let accepted = tally.logged.saturating_sub(tally.joined) + tally.waiting;
    write_keys::count_within(&mut bulk, key, accepted, tally.refused, now).await?;
    bulk.commit().await?;
    Ok(tally)
}

async fn store_fresh(
    bulk: &mut Bulk,
    fresh: &[&Arrival],
    refusals: &mut Vec<Refusal>,
    tally: &mut Tally,
    (change, source, now): (i64, &str, Timestamp),
) -> Result<()> {
    let mut owners = anonymous::owners(bulk, anonymous_ids(fresh)).await?;
    let (ids, emails) = names(fresh, &owners);
    let mut book = Book::new(bulk.contacts(ids, emails).await?);
    let joins = settle::join(&book, fresh, &mut owners, refusals);
    let earlier =
        anonymous::waiting_of(bulk, joins.iter().map(|join| join.anonymous_id.clone()).collect()).await?;

    let mut items: Vec<Item<'_>> = Vec::with_capacity(earlier.len() + fresh.len());
    items.extend(earlier.iter().map(|event| event.item(&owners)));
    items.extend(fresh.iter().map(|arrival| Item::of(arrival, &owners)));
    let mut said = HashMap::new();
    if items.iter().any(|item| item.facts.is_some()) {
        said = facts::read(bulk, &book.stored()).await?;
    }
    let Settled { rows, rejections, said } = settle(&mut book, &items, said, now);
    for (index, rejection) in rejections {
        if let Some(arrival) = index.checked_sub(earlier.len()).and_then(|index| fresh.get(index)) {
            refusals.push(settle::refusal(arrival, &rejection));
        }
    }

    let outcomes = contacts::write(bulk, book, change, now).await?;
    let contact_of = |row: usize| outcomes.get(row).and_then(contacts::ContactOutcome::contact);
    let contacts: Vec<Option<ContactId>> = rows.iter().map(|row| row.and_then(contact_of)).collect();
    let arriving = items.iter().zip(&contacts).filter_map(|(item, contact)| {
        contact.map(|contact| Arriving {
            contact: contact.0,
            name: item.name,
            at: item.at.micros(),
            message_id: item.message_id,
            comes_once: false,
            properties: item.properties,
        })
    });
    let arriving: Vec<Arriving<'_>> = arriving.collect();
    if !arriving.is_empty() {
        let written = log::write(bulk, &mut HashMap::new(), arriving, source, now).await?;
        tally.logged = written.iter().flatten().count() as u64;
    }
    tally.joined = earlier.len() as u64;
    let (of_earlier, of_fresh) = contacts.split_at(earlier.len());
    anonymous::moved(
        bulk,
        earlier.iter().zip(of_earlier).filter(|(_, to)| to.is_some()).map(|(event, _)| event.id),
    )
    .await?;
    let joined = joins.iter().filter_map(|join| Some((&*join.anonymous_id, of_fresh[join.by]?)));
    anonymous::note_owners(bulk, joined, now).await?;
    let waiting: Vec<&Arrival> = fresh
        .iter()
        .zip(of_fresh)
        .filter(|(arrival, contact)| contact.is_none() && arrival.names_nobody())
        .map(|(arrival, _)| *arrival)
        .collect();
    tally.waiting = waiting.len() as u64;
    anonymous::keep(bulk, &waiting, source, now).await?;
    let said = said.iter().filter_map(|(row, said)| Some((contact_of(*row)?, said)));
    facts::write(bulk, said).await
}

/// Erases what is kept of a contact beside the log: its devices, what was said of it and refused.
pub(super) async fn forget_within(
    bulk: &mut Bulk,
    contact: ContactId,
    external_id: Option<&str>,
    email: Option<&str>,
) -> Result<()> {
    for text in [
        "DELETE FROM anonymous_events WHERE anonymous_id IN (SELECT anonymous_id FROM anonymous_ids WHERE contact = $1)",
        "DELETE FROM ingest_rejects WHERE anonymous_id IN (SELECT anonymous_id FROM anonymous_ids WHERE contact = $1)",
        "DELETE FROM anonymous_ids WHERE contact = $1",
        "DELETE FROM contact_said WHERE contact = $1",
    ] {
        bulk.execute(text, &[contact.0]).await?;
    }
    let names = [("external_id", external_id.map(str::to_owned)), ("email_folded", email.map(fold))];
    for (column, text) in names {
        if let Some(text) = text {
            bulk.change(&format!("DELETE FROM ingest_rejects WHERE {column} = $1"), vec![text]).await?;
        }
    }
    Ok(())
}

/// Those that were not seen before, in the database or earlier in the parcel.
async fn fresh<'a>(bulk: &mut Bulk, arrivals: &'a [Arrival]) -> Result<Vec<&'a Arrival>> {
    let mut here = HashSet::new();
    let mut fresh: Vec<&Arrival> = arrivals
        .iter()
        .filter(|arrival| arrival.message_id.as_deref().is_none_or(|message_id| here.insert(message_id)))
        .collect();
    let ids: Vec<&str> = fresh.iter().filter_map(|arrival| arrival.message_id.as_deref()).collect();
    let mut seen: HashSet<String> = log::seen(bulk, &ids).await?;
    seen.extend(anonymous::seen(bulk, &ids).await?);
    fresh.retain(|arrival| arrival.message_id.as_ref().is_none_or(|message_id| !seen.contains(message_id)));
    Ok(fresh)
}

fn anonymous_ids(arrivals: &[&Arrival]) -> Vec<String> {
    let mut ids: Vec<String> = arrivals
        .iter()
        .flat_map(|arrival| [&arrival.anonymous_id, &arrival.previous_id])
        .flatten()
        .cloned()
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The ids and folded addresses of all contacts that these calls may touch.
fn names(arrivals: &[&Arrival], owners: &HashMap<String, Name>) -> (Vec<String>, Vec<String>) {
    let mut ids: Vec<String> = Vec::new();
    let mut emails: Vec<String> = Vec::new();
    for arrival in arrivals {
        ids.extend([&arrival.external_id, &arrival.previous_id].into_iter().flatten().cloned());
        emails.extend(arrival.email.as_deref().map(fold));
    }
    for name in owners.values() {
        ids.extend(name.external_id.clone());
        emails.extend(name.email.as_deref().map(fold));
    }
    for texts in [&mut ids, &mut emails] {
        texts.sort_unstable();
        texts.dedup();
    }
    (ids, emails)
}

impl Arrival {
    /// Neither an id nor an address: at most an anonymous id.
    const fn names_nobody(&self) -> bool {
        self.external_id.is_none() && self.email.is_none()
    }

    /// How it names its contact.
    fn contact_name(&self) -> Name {
        Name { external_id: self.external_id.clone(), email: self.email.clone() }
    }
}
