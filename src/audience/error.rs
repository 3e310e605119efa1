//! What can go wrong with an audience.

use std::convert::Infallible;

use crate::store::StoreError;
use crate::store::histories::VisitError;

/// A failed operation over contacts.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation}")]
pub struct AudienceError {
    /// What was tried: `evaluate the segments`.
    pub operation: &'static str,
    /// What the store said.
    pub source: StoreError,
}

impl AudienceError {
    /// Whether the same may work later without a change of the program or the data.
    pub const fn is_unavailable(&self) -> bool {
        self.source.is_unavailable()
    }

    /// For `map_err`: what was being done.
    pub(super) const fn while_doing(operation: &'static str) -> impl Fn(StoreError) -> Self {
        move |source| Self { operation, source }
    }
}

/// Visitors of this module never stop on their own.
pub(super) fn store_error(error: VisitError<Infallible>) -> StoreError {
    match error {
        VisitError::Store(error) => error,
        VisitError::Visitor(never) => match never {},
    }
}
