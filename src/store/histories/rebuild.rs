//! Packed histories against the log that they are made from.

use super::super::{Result, Store};
use crate::domain::contact::ContactId;

/// Makes all packed histories anew from the log; says how many events they hold.
pub async fn rebuild(store: &Store) -> Result<u64> {
    todo!()
}

/// Contacts whose packed history does not hold what the log says, at most `limit` of them.
pub async fn verify(store: &Store, limit: usize) -> Result<Vec<ContactId>> {
    todo!()
}
