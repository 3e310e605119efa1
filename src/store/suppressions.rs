//! Suppressions: addresses that get no mail, whoever they belong to.

use super::{Result, Store};
use crate::domain::delivery::{SuppressionCause, SuppressionScope};
use crate::domain::time::Timestamp;

/// An address that gets no mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The folded address.
    pub address: String,
    /// Why.
    pub cause: SuppressionCause,
    /// Which mail.
    pub scope: SuppressionScope,
    /// Since when.
    pub at: Timestamp,
    /// How it came in.
    pub source: String,
}

/// Adds suppressions; one that is there already stays as it is. Says how many are new.
pub async fn add(store: &Store, suppressions: &[Suppression]) -> Result<u64> {
    todo!()
}

/// The suppressions of these folded addresses, by address.
pub async fn among(store: &Store, addresses: &[&str]) -> Result<Vec<Suppression>> {
    todo!()
}

/// All suppressions, by address: for a run that fixes a large audience.
pub async fn all(store: &Store) -> Result<Vec<Suppression>> {
    todo!()
}
