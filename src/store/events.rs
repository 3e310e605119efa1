//! Events: an append-only log, and each contact's packed history, written in one transaction.

use std::collections::HashMap;

use super::contacts::ContactRejection;
use super::{Result, Store};
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
    todo!()
}

/// Appends events that arrive from outside, in their order, creating contacts that do not exist.
/// Remembers contacts between calls: keep one for a whole import.
#[derive(Debug)]
pub struct Appender {
    store: Store,
}

impl Appender {
    /// An appender that remembers nobody yet.
    pub fn new(store: &Store) -> Self {
        todo!()
    }

    /// Appends a batch in one transaction; outcomes are in the order of the events. An event
    /// without `at` happened `now`. Large batches (50,000 and more) are much faster: each rewrites
    /// the last chunk of each of its contacts once.
    pub async fn append(
        &mut self,
        events: &[IncomingEvent],
        source: &str,
        now: Timestamp,
    ) -> Result<Vec<EventOutcome>> {
        todo!()
    }
}

/// All names on the wire, with their numbers.
pub async fn names(store: &Store) -> Result<HashMap<String, EventNameId>> {
    todo!()
}

/// How many are in the log.
pub async fn count(store: &Store) -> Result<u64> {
    todo!()
}
