//! Contacts: who they are, by the identity rules of the product contract, section 4.

use super::{Result, Store};
use crate::domain::contact::{Contact, ContactId, ContactUpdate};
use crate::domain::time::Timestamp;

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactOutcome {
    /// A new contact.
    Created(ContactId),
    /// A known contact with something new.
    Updated(ContactId),
    /// A known contact; the row says nothing new.
    Unchanged(ContactId),
    /// The row was not applied.
    Rejected(ContactRejection),
}

/// Why a row names no contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContactRejection {
    /// Neither id nor address.
    #[error("it has neither an id nor an e-mail address")]
    NoIdentity,
    /// The address belongs to a contact with another id.
    #[error("address taken: `{email}` belongs to the contact with the id `{owner}`")]
    AddressTaken {
        /// The address.
        email: String,
        /// The id of its contact.
        owner: String,
    },
    /// A text that `PostgreSQL` cannot keep.
    #[error("{field} holds the character U+0000")]
    Nul {
        /// Which.
        field: &'static str,
    },
}

/// Applies rows in their order, in one transaction; the outcomes are in the same order. The same
/// rows twice change nothing the second time. Thousands of rows a call are best.
pub async fn apply(store: &Store, updates: &[ContactUpdate], now: Timestamp) -> Result<Vec<ContactOutcome>> {
    todo!()
}

/// The contact with this number.
pub async fn by_number(store: &Store, contact: ContactId) -> Result<Option<Contact>> {
    todo!()
}

/// The contact with this id of the user's system, else the one with this address.
pub async fn find(store: &Store, id_or_email: &str) -> Result<Option<Contact>> {
    todo!()
}

/// The contacts with these numbers, in the order of the numbers; unknown ones are left out.
pub async fn by_numbers(store: &Store, contacts: &[ContactId]) -> Result<Vec<Contact>> {
    todo!()
}

/// The first `limit` contacts after `after`, by number.
pub async fn page(store: &Store, after: Option<ContactId>, limit: u32) -> Result<Vec<Contact>> {
    todo!()
}

/// How many there are.
pub async fn count(store: &Store) -> Result<u64> {
    todo!()
}

/// A place in the stream of changes: what was before it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeMark {
    /// Number of the last batch of contacts.
    pub contacts: i64,
    /// Number of the last event.
    pub events: i64,
}

/// Contacts with new facts or events after a mark, and the mark behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// In the order of their numbers; `None` when they are more than `limit`: look at all.
    pub contacts: Option<Vec<ContactId>>,
    /// To be given the next time.
    pub mark: ChangeMark,
}

/// The present mark. Take it before a full pass; what comes in during the pass is behind it.
pub async fn mark(store: &Store) -> Result<ChangeMark> {
    todo!()
}

/// Who changed since `mark`.
pub async fn changed_since(store: &Store, mark: ChangeMark, limit: usize) -> Result<Changes> {
    todo!()
}
