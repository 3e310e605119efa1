//! The one door to histories: each contact with its packed events, in order of numbers.

use super::{Result, Store, StoreError};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::{History, Needs};

/// Somebody who looks at contacts, one after the other.
pub trait ContactVisitor: Send + 'static {
    /// Why it stops.
    type Error: std::error::Error + Send + 'static;

    /// Looks at one contact.
    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Self::Error>;
}

/// A visit that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum VisitError<E: std::error::Error + 'static> {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The visitor stopped.
    #[error(transparent)]
    Visitor(E),
}

/// Shows all contacts: visitor i gets the i-th contiguous range of numbers, in order, all at the same
/// time, each range on a connection (and on `SQLite` a thread) of its own. Gives the visitors back.
pub async fn visit_all<V: ContactVisitor>(
    store: &Store,
    needs: &Needs,
    visitors: Vec<V>,
) -> Result<Vec<V>, VisitError<V::Error>> {
    todo!()
}

/// Shows some contacts, in the order of their numbers; unknown ones are left out.
pub async fn visit_some<V: ContactVisitor>(
    store: &Store,
    contacts: &[ContactId],
    needs: &Needs,
    visitor: V,
) -> Result<V, VisitError<V::Error>> {
    todo!()
}

/// Makes all packed histories anew from the log; says how many events they hold.
pub async fn rebuild(store: &Store) -> Result<u64> {
    todo!()
}

/// Contacts whose packed history does not hold what the log says, at most `limit` of them.
pub async fn verify(store: &Store, limit: usize) -> Result<Vec<ContactId>> {
    todo!()
}
