//! Whether the store can be written: what this process saw when it last tried, and a try of its own.

use std::sync::{Mutex, PoisonError};

use super::statement::execute;
use super::{Result, Store, StoreError};
use crate::domain::time::Timestamp;

/// What a process knows of its writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Writing {
    /// When a sign of life was last written; `None`: not yet.
    pub succeeded_at: Option<Timestamp>,
    /// Since when none can be written, if none can.
    pub failing: Option<Failing>,
}

/// Why nothing can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// When a try failed for the first time since the last that did not.
    pub since: Timestamp,
    /// What the database said to the latest try.
    pub cause: String,
}

/// See [`Store::writing`]. All clones of a store share one.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<Writing>);

impl Noted {
    fn with<T>(&self, look: impl FnOnce(&mut Writing) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// Whether this process could write when it last gave a sign of life: a daemon does so every few seconds, so that
    /// a store that is full or read-only is known soon, also where nothing is sent.
    pub fn writing(&self) -> Writing {
        self.noted.with(|writing| writing.clone())
    }

    /// Notes how a try to write came out.
    pub fn note_writing(&self, now: Timestamp, outcome: std::result::Result<(), String>) {
        self.noted.with(|writing| match outcome {
            Ok(()) => *writing = Writing { succeeded_at: Some(now), failing: None },
            Err(cause) => {
                let since = writing.failing.as_ref().map_or(now, |failing| failing.since);
                writing.failing = Some(Failing { since, cause });
            }
        });
    }

    /// Writes, and changes nothing. `Some`: it cannot be done, and why.
    pub async fn refuses_to_write(&self) -> Option<String> {
        self.write_nothing().await.err().as_ref().map(cause)
    }

    async fn write_nothing(&self) -> Result<()> {
        let operation = "see whether the database can be written";
        let transaction = self.begin_write(operation).await?;
        // A row that nobody waits for.
        let touch = "UPDATE counters SET value = value WHERE name = 'hits_purged_until'";
        execute(&*transaction, operation, touch, vec![]).await?;
        transaction.commit().await
    }
}

/// What a failed write says, with all that caused it.
pub(super) fn cause(error: &StoreError) -> String {
    let mut said = error.to_string();
    let mut inner = std::error::Error::source(error);
    while let Some(error) = inner {
        let more = error.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        inner = error.source();
    }
    said
}
