//! Counts how handovers ended, over all lanes.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Drained;

/// Counts how handovers ended.
#[derive(Debug, Default)]
pub(super) struct Tally {
    accepted: AtomicU64,
    deferred: AtomicU64,
    refused: AtomicU64,
    uncertain: AtomicU64,
    skipped: AtomicU64,
    waiting: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Tally {
    pub(super) fn accepted(&self) {
        count(&self.accepted);
    }

    pub(super) fn deferred(&self) {
        count(&self.deferred);
    }

    pub(super) fn refused(&self) {
        count(&self.refused);
    }

    pub(super) fn uncertain(&self) {
        count(&self.uncertain);
    }

    pub(super) fn skipped(&self) {
        count(&self.skipped);
    }

    /// Rows that were claimed and are not to be sent now: skipped under a cap, or to wait.
    pub(super) fn held_back(&self, skipped: u64, waiting: u64) {
        self.skipped.fetch_add(skipped, Ordering::Relaxed);
        self.waiting(waiting);
    }

    pub(super) fn waiting(&self, rows: u64) {
        self.waiting.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn totals(&self) -> Drained {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Drained {
            accepted: read(&self.accepted),
            deferred: read(&self.deferred),
            refused: read(&self.refused),
            uncertain: read(&self.uncertain),
            skipped: read(&self.skipped),
            waiting: read(&self.waiting),
        }
    }
}
