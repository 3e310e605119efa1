//! The one exception to a log that is only appended to: events that are a reading of evidence are read
//! anew. The old row is taken out of the log and of the packed history, the new one appended under a new
//! number, so that whoever looks for what changed since a mark sees its contact.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::json;

use super::bulk::{Bulk, Cell, Counter, LogRow, pack, place, regroup, unpack};
use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::log::{self, Arriving};
use super::statement::numbers_json;
use super::{ROWS, Result, tail};
use crate::domain::event::NewEvent;
use crate::domain::time::Timestamp;

/// What became of events that were written over others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replaced {
    /// There was none with their message id.
    pub appended: u64,
    /// They stand in the place of others.
    pub replaced: u64,
    /// They were there as they are.
    pub unchanged: u64,
}

/// An event of the log that has the message id of a new one.
struct Logged {
    hash: i64,
    name: String,
    row: LogRow,
}

/// Writes events, each with a message id, in the place of those that have it.
pub(super) async fn replace(
    bulk: &mut Bulk,
    events: &[NewEvent],
    source: &str,
    now: Timestamp,
) -> Result<Replaced> {
    // Whoever writes to the log waits here for those before; see `Counter`.
    let last = bulk.last(Counter::Event).await?;
    let mut logged = find(bulk, events).await?;
    let mut replaced = Replaced::default();
    let mut arriving = Vec::with_capacity(events.len());
    let mut outdated = Vec::new();
    for event in events {
        let found = event.message_id.as_ref().and_then(|message_id| logged.remove(message_id));
        match found {
            Some(found) if is_as(&found, event) => {
                replaced.unchanged += 1;
                continue;
            }
            Some(found) => {
                replaced.replaced += 1;
                outdated.push(found);
            }
            None => replaced.appended += 1,
        }
        arriving.push(Arriving {
            contact: event.contact.0,
            name: &event.name,
            at: event.at.micros(),
            message_id: event.message_id.as_deref(),
            properties: &event.properties,
        });
    }
    if !outdated.is_empty() {
        // What is not packed yet is packed first, so that all of them are found in the same way.
        tail::pack_up_to(bulk, last).await?;
        remove(bulk, outdated).await?;
    }
    if !arriving.is_empty() {
        log::write(bulk, &mut HashMap::new(), arriving, source, now).await?;
    }
    Ok(replaced)
}

fn is_as(found: &Logged, event: &NewEvent) -> bool {
    found.name == event.name && found.row.at == event.at.micros() && found.row.properties == event.properties
}

/// The events of the log with the message ids of these.
async fn find(bulk: &mut Bulk, events: &[NewEvent]) -> Result<HashMap<String, Logged>> {
    let given = given_rows(bulk.backend(), 1, &[("hash", Number), ("message", Text)]);
    let join = join_in_this_order(bulk.backend());
    let text = format!(
        "SELECT g.hash, n.name, e.id, e.contact, e.name, e.at, e.message_id, e.properties
         FROM {given} AS g {join} event_messages m ON m.hash = g.hash
         {join} events e ON e.id = m.event AND e.message_id = g.message
         {join} event_names n ON n.id = e.name"
    );
    let mut found = HashMap::new();
    for part in events.chunks(ROWS) {
        let messages: Vec<_> = part.iter().filter_map(|event| event.message_id.as_deref()).collect();
        let rows: Vec<_> = messages.iter().map(|message| json!([log::hash(message), message])).collect();
        for row in bulk.rows_with(&text, vec![Cell::from(json!(rows).to_string())]).await? {
            let number = |index: usize| row.get(index).and_then(Cell::number).unwrap_or_default();
            let text = |index: usize| row.get(index).and_then(Cell::text).unwrap_or_default().to_owned();
            let logged = LogRow {
                id: number(2),
                contact: number(3),
                name: number(4),
                at: number(5),
                message_id: Some(text(6)),
                properties: text(7),
            };
            found.insert(text(6), Logged { hash: number(0), name: text(1), row: logged });
        }
    }
    Ok(found)
}

/// Takes events out of the log and of the packed histories.
async fn remove(bulk: &mut Bulk, mut events: Vec<Logged>) -> Result<()> {
    if bulk.last(Counter::ContactMerge).await? > 0 {
        let successors = bulk.successors(events.iter().map(|event| event.row.contact).collect()).await?;
        for event in &mut events {
            event.row.contact = successors.get(&event.row.contact).copied().unwrap_or(event.row.contact);
        }
    }
    let numbers: HashSet<i64> = events.iter().map(|event| event.row.id).collect();
    let places: BTreeSet<(i64, i64)> =
        events.iter().map(|event| (event.row.name, place(event.row.contact).0)).collect();
    let places: Vec<_> = places.into_iter().collect();
    let mut rows = unpack(&bulk.read_stretches(&places).await?)?;
    rows.retain(|row| !numbers.contains(&row.id));
    rows.sort_unstable_by_key(|row| row.id);
    let mut chunks = Vec::new();
    for group in regroup(&mut rows) {
        chunks.extend(pack(group.block, group.name, None, &rows[group.start..group.end])?);
    }
    bulk.replace_stretches(&places, chunks).await?;

    let backend = bulk.backend();
    let text =
        format!("DELETE FROM events WHERE id IN (SELECT id FROM {} AS g)", given_numbers(backend, 1, "id"));
    bulk.execute_with(&text, vec![Cell::from(numbers_json(numbers))]).await?;
    let given = given_rows(backend, 1, &[("hash", Number), ("event", Number)]);
    let text =
        format!("DELETE FROM event_messages WHERE (hash, event) IN (SELECT hash, event FROM {given} AS g)");
    let messages: Vec<_> = events.iter().map(|event| json!([event.hash, event.row.id])).collect();
    bulk.execute_with(&text, vec![Cell::from(json!(messages).to_string())]).await?;
    bulk.draw(Counter::EventRemoved, events.len()).await?;
    Ok(())
}
