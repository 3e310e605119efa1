//! The one exception to a log that is only appended to: events that are a reading of evidence are read
//! anew. The old row is taken out of the log and of the packed history, the new one appended under a new
//! number, so that whoever looks for what changed since a mark sees its contact.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::json;

use super::bulk::{Bulk, Cell, Counter, LogRow, pack, place, regroup, unpack};
use super::dialect::Column::Number;
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::log::{self, Arriving};
use super::statement::numbers_json;
use super::{ROWS, Result, tail};
use crate::domain::event::NewEvent;
use crate::domain::time::Timestamp;

/// An event that is read anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Anew {
    /// As it is read now. Its message id is kept, and not looked up.
    pub event: NewEvent,
    /// The number of the event in whose place it comes.
    pub before: Option<i64>,
}

/// An event of the log that is read anew.
struct Logged {
    name: String,
    row: LogRow,
}

/// Writes events in the place of others; gives their numbers, and none for those of contacts that were erased.
pub(super) async fn replace(
    bulk: &mut Bulk,
    events: &[Anew],
    source: &str,
    now: Timestamp,
) -> Result<Vec<Option<i64>>> {
    // Whoever writes to the log waits here for those before; see `Counter`.
    let last = bulk.last(Counter::Event).await?;
    let mut logged = find(bulk, events).await?;
    let mut numbers = Vec::with_capacity(events.len());
    let mut arriving = Vec::with_capacity(events.len());
    let mut outdated = Vec::new();
    for Anew { event, before } in events {
        match before.and_then(|number| logged.remove(&number)) {
            Some(found) if is_as(&found, event) => {
                numbers.push(*before);
                continue;
            }
            found => outdated.extend(found),
        }
        numbers.push(None);
        arriving.push(Arriving {
            contact: event.contact.0,
            name: &event.name,
            at: event.at.micros(),
            message_id: event.message_id.as_deref(),
            comes_once: true,
            properties: &event.properties,
        });
    }
    if !outdated.is_empty() {
        // What is not packed yet is packed first, so that all of them are found in the same way.
        tail::pack_up_to(bulk, last).await?;
        remove(bulk, outdated).await?;
    }
    if !arriving.is_empty() {
        let written = log::write(bulk, &mut HashMap::new(), arriving, source, now).await?;
        let places = numbers.iter_mut().filter(|number| number.is_none());
        places.zip(written).for_each(|(place, number)| *place = number);
    }
    Ok(numbers)
}

fn is_as(found: &Logged, event: &NewEvent) -> bool {
    found.name == event.name && found.row.at == event.at.micros() && found.row.properties == event.properties
}

/// The events of the log that are to be read anew, by their numbers.
async fn find(bulk: &mut Bulk, events: &[Anew]) -> Result<HashMap<i64, Logged>> {
    let (given, join) = (given_numbers(bulk.backend(), 1, "id"), join_in_this_order(bulk.backend()));
    let text = format!(
        "SELECT e.id, n.name, e.contact, e.name, e.at, e.message_id, e.properties
         FROM {given} AS g {join} events e ON e.id = g.id {join} event_names n ON n.id = e.name"
    );
    let numbers: Vec<i64> = events.iter().filter_map(|event| event.before).collect();
    let mut found = HashMap::with_capacity(numbers.len());
    for part in numbers.chunks(ROWS) {
        for row in bulk.rows_with(&text, vec![Cell::from(numbers_json(part.iter().copied()))]).await? {
            let number = |index: usize| row.get(index).and_then(Cell::number).unwrap_or_default();
            let text = |index: usize| row.get(index).and_then(Cell::text);
            let logged = LogRow {
                id: number(0),
                contact: number(2),
                name: number(3),
                at: number(4),
                message_id: text(5).map(str::to_owned),
                properties: text(6).unwrap_or_default().to_owned(),
            };
            let name = text(1).unwrap_or_default().to_owned();
            found.insert(logged.id, Logged { name, row: logged });
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
    // Those of older versions are among them.
    let messages = events.iter().map(|event| &event.row);
    let messages: Vec<_> =
        messages.filter_map(|row| Some(json!([log::hash(row.message_id.as_ref()?), row.id]))).collect();
    bulk.execute_with(&text, vec![Cell::from(json!(messages).to_string())]).await?;
    bulk.draw(Counter::EventRemoved, events.len()).await?;
    Ok(())
}
