//! The `email_sent` events of accepted deliveries: noted behind the sending, many at a time.

use sea_orm::FromQueryResult;
use serde_json::json;

use super::bulk::{Bulk, Counter};
use super::events::append_within;
use super::statement::{query_as, values};
use super::{Result, Store};
use crate::domain::campaign::Tracking;
use crate::domain::contact::ContactId;
use crate::domain::event::NewEvent;
use crate::domain::time::Timestamp;

/// An accepted delivery without its event.
#[derive(Debug, FromQueryResult)]
struct Sent {
    id: i64,
    run: i64,
    contact: i64,
    version: Option<String>,
    tracking: Option<String>,
    campaign: String,
    settled_at: Option<i64>,
}

/// In the order of the index `deliveries_unrecorded`.
pub(super) const UNRECORDED: &str =
    "SELECT d.id, d.run, d.contact, d.version, d.tracking, r.campaign, d.settled_at
    FROM deliveries d JOIN runs r ON r.id = d.run
    WHERE d.state = 'accepted' AND d.recorded_at IS NULL ORDER BY d.id LIMIT $1";

/// See [`deliveries::record_sent`](super::deliveries::record_sent). A delivery that two senders record at
/// once has one event: of whoever notes first that it is recorded.
pub(super) async fn record(store: &Store, limit: u32, now: Timestamp) -> Result<u64> {
    let operation = "record sent mail as events";
    let sent: Vec<Sent> = query_as(&store.database, operation, UNRECORDED, values![i64::from(limit)]).await?;
    if sent.is_empty() {
        return Ok(0);
    }
    let event = |row: &Sent| NewEvent {
        contact: ContactId(row.contact),
        name: "email_sent".to_owned(),
        at: row.settled_at.map_or(now, Timestamp::from_micros),
        message_id: Some(format!("email_sent:{}", row.id)),
        properties: json!({
            "campaign": row.campaign,
            "run": row.run.to_string(),
            "delivery": row.id.to_string(),
            "version": row.version,
            "tracked": row.tracking.as_deref() == Some(Tracking::Individual.word()),
        })
        .to_string(),
    };
    let mut bulk = Bulk::begin(store, operation).await?;
    // In the order of `Counter`.
    bulk.last(Counter::Event).await?;
    let marked = bulk.mark_recorded(sent.iter().map(|row| row.id).collect(), now.micros()).await?;
    let events: Vec<NewEvent> = sent.iter().filter(|row| marked.contains(&row.id)).map(event).collect();
    append_within(&mut bulk, &events, true, "campaignd", now).await?;
    bulk.commit().await?;
    Ok(sent.len() as u64)
}
