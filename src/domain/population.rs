//! What is not a contact's own: the thresholds that stand between places in rankings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ranking::{Bounds, Ranked};
use super::time::Timestamp;

/// Thresholds by place. They are computed now and then and stand in between, so that everybody who asks
/// meanwhile gets the same answer. A place without threshold is nobody's.
///
/// Clones share it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Population(Arc<BTreeMap<Ranked, Threshold>>);

/// Where a place begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// The instant of the ranking.
    pub at: Timestamp,
    /// How many contacts were ranked.
    pub contacts: u64,
    /// The values that are in; `None`: nobody is.
    pub bounds: Option<Bounds>,
}

impl Population {
    /// The threshold of a place, if it was computed.
    pub fn threshold(&self, ranked: &Ranked) -> Option<&Threshold> {
        self.0.get(ranked)
    }

    /// All thresholds, in the order of places.
    pub fn thresholds(&self) -> impl Iterator<Item = (&Ranked, &Threshold)> {
        self.0.iter()
    }

    /// Whether this is a clone of the other.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl FromIterator<(Ranked, Threshold)> for Population {
    fn from_iter<T: IntoIterator<Item = (Ranked, Threshold)>>(thresholds: T) -> Self {
        Self(Arc::new(thresholds.into_iter().collect()))
    }
}
