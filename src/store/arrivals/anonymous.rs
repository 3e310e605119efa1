//! Anonymous ids and their events, as rows.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::facts::Facts;
use super::settle::Item;
use super::{Arrival, Name};
use crate::domain::contact::ContactId;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::bulk::Bulk;
use crate::store::dialect::Column::{Number, Text};
use crate::store::dialect::{given_numbers, given_rows, given_texts};
use crate::store::statement::numbers_json;

/// An event of an anonymous id, kept until somebody is behind it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) id: i64,
    anonymous_id: String,
    name: String,
    at: Timestamp,
    message_id: Option<String>,
    properties: String,
    facts: Option<Facts>,
}

impl Waiting {
    /// On its way to its contact.
    pub(super) fn item<'a>(&'a self, owners: &HashMap<String, Name>) -> Item<'a> {
        let owner = owners.get(&self.anonymous_id).cloned();
        // The call that joins them says the address, if there is anything to say: once is enough.
        let contact = owner.map(|name| match name.external_id {
            Some(_) => Name { email: None, ..name },
            None => name,
        });
        Item {
            contact,
            name: &self.name,
            at: self.at,
            message_id: self.message_id.as_deref(),
            properties: &self.properties,
            facts: self.facts.as_ref(),
        }
    }
}

/// Which of these message ids are kept here.
pub(super) async fn seen(bulk: &mut Bulk, message_ids: &[&str]) -> Result<HashSet<String>> {
    if message_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let given = given_texts(bulk.backend(), 1, "message_id");
    let text = format!(
        "SELECT message_id FROM anonymous_events WHERE message_id IN (SELECT message_id FROM {given} AS given)"
    );
    let rows = bulk.ask(&text, vec![json!(message_ids).to_string()]).await?;
    Ok(rows.into_iter().flatten().flatten().collect())
}

/// Whose these anonymous ids are; those that are nobody's are left out.
pub(super) async fn owners(bulk: &mut Bulk, ids: Vec<String>) -> Result<HashMap<String, Name>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let given = given_texts(bulk.backend(), 1, "anonymous_id");
    let text = format!(
        "SELECT a.anonymous_id, c.external_id, c.email FROM anonymous_ids a JOIN contacts c ON c.id = a.contact
         WHERE a.anonymous_id IN (SELECT anonymous_id FROM {given} AS given)"
    );
    let rows = bulk.ask(&text, vec![json!(ids).to_string()]).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter();
            let anonymous_id = cells.next()??;
            let (external_id, email) = (cells.next()?, cells.next()?);
            // By one of the two: the address of a contact with an id is not said again.
            let email = if external_id.is_some() { None } else { email };
            Some((anonymous_id, Name { external_id, email }))
        })
        .collect())
}

/// The events of these anonymous ids that wait for somebody, in the order of their arrival.
pub(super) async fn waiting_of(bulk: &mut Bulk, ids: Vec<String>) -> Result<Vec<Waiting>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let given = given_texts(bulk.backend(), 1, "anonymous_id");
    let text = format!(
        "SELECT CAST(e.id AS TEXT), e.anonymous_id, e.name, CAST(e.at AS TEXT), e.message_id, e.properties, e.facts
         FROM anonymous_events e WHERE e.anonymous_id IN (SELECT anonymous_id FROM {given} AS given) ORDER BY e.id"
    );
    let rows = bulk.ask(&text, vec![json!(ids).to_string()]).await?;
    let read = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        Some(Waiting {
            id: cells.next()??.parse().ok()?,
            anonymous_id: cells.next()??,
            name: cells.next()??,
            at: Timestamp::from_micros(cells.next()??.parse().ok()?),
            message_id: cells.next()?,
            properties: cells.next()??,
            facts: cells.next()?.as_deref().map(Facts::from_json),
        })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// These events are in the log now.
pub(super) async fn moved(bulk: &mut Bulk, events: impl Iterator<Item = i64>) -> Result<()> {
    let numbers = numbers_json(events);
    if numbers != "[]" {
        let given = given_numbers(bulk.backend(), 1, "id");
        let text = format!("DELETE FROM anonymous_events WHERE id IN (SELECT id FROM {given} AS given)");
        bulk.change(&text, vec![numbers]).await?;
    }
    Ok(())
}

/// Notes whose anonymous ids are.
pub(super) async fn note_owners(
    bulk: &mut Bulk,
    joined: impl Iterator<Item = (&str, ContactId)>,
    now: Timestamp,
) -> Result<()> {
    let rows: Vec<_> = joined.map(|(id, contact)| json!([id, contact.0, now.micros()])).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let columns = [("anonymous_id", Text), ("contact", Number), ("joined_at", Number)];
    let given = given_rows(bulk.backend(), 1, &columns);
    // One whose contact is no more may be joined again.
    let text = format!(
        "INSERT INTO anonymous_ids (anonymous_id, contact, joined_at)
         SELECT anonymous_id, contact, joined_at FROM {given} AS given WHERE TRUE
         ON CONFLICT (anonymous_id) DO UPDATE SET contact = excluded.contact, joined_at = excluded.joined_at"
    );
    bulk.change(&text, vec![json!(rows).to_string()]).await?;
    Ok(())
}

/// Keeps calls of anonymous ids that are nobody's.
pub(super) async fn keep(bulk: &mut Bulk, arrivals: &[&Arrival], source: &str, now: Timestamp) -> Result<()> {
    if arrivals.is_empty() {
        return Ok(());
    }
    let columns = [
        ("anonymous_id", Text),
        ("name", Text),
        ("at", Number),
        ("received_at", Number),
        ("message_id", Text),
        ("source", Text),
        ("properties", Text),
        ("facts", Text),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let given = given_rows(bulk.backend(), 1, &columns);
    let text = format!("INSERT INTO anonymous_events ({names}) SELECT {names} FROM {given} AS given");
    let rows: Vec<_> = arrivals
        .iter()
        .map(|arrival| {
            json!([
                arrival.anonymous_id.as_deref().unwrap_or_default(),
                arrival.name,
                arrival.at.micros(),
                now.micros(),
                arrival.message_id,
                source,
                arrival.properties,
                arrival.facts.as_ref().map(Facts::to_json),
            ])
        })
        .collect();
    bulk.change(&text, vec![json!(rows).to_string()]).await?;
    Ok(())
}
