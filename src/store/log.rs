//! The event log: one row an event, never changed. Its packed copy is written later, see
//! [`tail`].

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::bulk::{Bulk, Cell, Counter, LogRow};
use super::{Result, tail};
use crate::domain::event::EventNameId;
use crate::domain::time::Timestamp;

/// Batches of so many events are an import: others follow, and all are packed together by whoever reads.
pub(super) const IMPORT: usize = 10_000;

/// An event whose contact is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arriving<'a> {
    pub(super) contact: i64,
    pub(super) name: &'a str,
    pub(super) at: i64,
    pub(super) message_id: Option<&'a str>,
    /// Whoever brings it sees to it that it comes once: its message id is neither looked up nor noted, only kept.
    pub(super) comes_once: bool,
    pub(super) properties: &'a str,
}

/// Writes events to the log; those whose message id is known are passed over. Gives the number of each that was
/// written. `names` remembers numbers of names; throw it away when this fails.
pub(super) async fn write(
    bulk: &mut Bulk,
    names: &mut HashMap<String, EventNameId>,
    mut events: Vec<Arriving<'_>>,
    source: &str,
    now: Timestamp,
) -> Result<Vec<Option<i64>>> {
    // Whoever writes to the log waits here for those before; see `Counter`.
    bulk.last(Counter::Event).await?;
    follow_merges(bulk, &mut events).await?;
    let (mut seen, hashes) = find_seen(bulk, &events).await?;
    pass_over_the_forgotten(bulk, &events, &mut seen).await?;

    let mut unknown: Vec<String> = Vec::new();
    for event in &events {
        if !names.contains_key(event.name) && !unknown.iter().any(|name| name == event.name) {
            unknown.push(event.name.to_owned());
        }
    }
    if !unknown.is_empty() {
        names.extend(bulk.event_names(unknown).await?);
    }

    let fresh = seen.iter().filter(|seen| !**seen).count();
    if fresh == 0 {
        return Ok(vec![None; events.len()]);
    }
    let mut number = bulk.draw(Counter::Event, fresh).await?;
    let mut rows = Vec::with_capacity(fresh);
    let mut messages = Vec::with_capacity(fresh);
    let mut numbers = Vec::with_capacity(events.len());
    for ((event, seen), hash) in events.iter().zip(&seen).zip(&hashes) {
        numbers.push((!*seen).then_some(number));
        if *seen {
            continue;
        }
        rows.push(LogRow {
            id: number,
            contact: event.contact,
            name: names.get(event.name).map_or(0, |name| i64::from(name.0)),
            at: event.at,
            message_id: event.message_id.map(str::to_owned),
            properties: event.properties.to_owned(),
        });
        messages.extend(hash.map(|hash| (hash, number)));
        number += 1;
    }
    messages.sort_unstable();
    bulk.append_log(rows, messages, source.replace('\0', ""), now.micros()).await?;
    if fresh < IMPORT && number - 1 - bulk.last(Counter::EventPacked).await? > tail::LONG {
        tail::pack_up_to(bulk, number - 1).await?;
    }
    Ok(numbers)
}

/// Events of contacts that became others go to these.
async fn follow_merges(bulk: &mut Bulk, events: &mut [Arriving<'_>]) -> Result<()> {
    if bulk.last(Counter::ContactMerge).await? == 0 {
        return Ok(());
    }
    let mut contacts: Vec<i64> = events.iter().map(|event| event.contact).collect();
    contacts.sort_unstable();
    contacts.dedup();
    let successors = bulk.successors(contacts).await?;
    for event in events {
        event.contact = successors.get(&event.contact).copied().unwrap_or(event.contact);
    }
    Ok(())
}

/// Events of contacts that were erased meanwhile count as seen: whoever brings them still remembers a number
/// that nobody has any more.
async fn pass_over_the_forgotten(bulk: &mut Bulk, events: &[Arriving<'_>], seen: &mut [bool]) -> Result<()> {
    if bulk.last(Counter::ContactForgotten).await? == 0 {
        return Ok(());
    }
    let forgotten: HashSet<i64> = bulk
        .rows_with("SELECT contact FROM forgotten_contacts", vec![])
        .await?
        .iter()
        .filter_map(|row| row.first().and_then(Cell::number))
        .collect();
    for (event, seen) in events.iter().zip(seen) {
        *seen |= forgotten.contains(&event.contact);
    }
    Ok(())
}

/// Which events were seen before, in the log or earlier in this batch; and the hashes of all message
/// ids.
async fn find_seen(bulk: &mut Bulk, events: &[Arriving<'_>]) -> Result<(Vec<bool>, Vec<Option<i64>>)> {
    let mut seen = vec![false; events.len()];
    let mut hashes = vec![None; events.len()];
    let mut here = HashSet::new();
    let mut asked = Vec::new();
    let mut places = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let Some(message_id) = event.message_id.filter(|_| !event.comes_once) else { continue };
        if !here.insert(message_id) {
            seen[place] = true;
            continue;
        }
        let hash = hash(message_id);
        hashes[place] = Some(hash);
        asked.push((hash, message_id.to_owned()));
        places.push(place);
    }
    if !asked.is_empty() {
        for (place, was_seen) in places.into_iter().zip(bulk.seen(asked).await?) {
            seen[place] = was_seen;
        }
    }
    Ok((seen, hashes))
}

/// Which of these message ids, each given once, are in the log.
pub(super) async fn seen(bulk: &mut Bulk, message_ids: &[&str]) -> Result<HashSet<String>> {
    let asked = message_ids.iter().map(|id| (hash(id), (*id).to_owned())).collect();
    let seen = bulk.seen(asked).await?;
    Ok(message_ids.iter().zip(seen).filter(|(_, seen)| *seen).map(|(id, _)| (*id).to_owned()).collect())
}

/// The first eight bytes of the SHA-256.
pub(super) fn hash(message_id: &str) -> i64 {
    let digest = Sha256::digest(message_id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
