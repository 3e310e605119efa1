//! Until when a sender may let messages out. Whoever shares a database with others holds what it sends for a time only; when
//! it cannot prolong that, the others take its mails over, and it must have stopped before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A lease on sending, shared by who prolongs it and by all lanes. A new one is for ever.
#[derive(Debug, Clone, Default)]
pub struct Lease {
    until: Arc<Mutex<Option<Instant>>>,
}

impl Lease {
    /// From now on it holds until then, and not longer. Told by a clock that nobody sets.
    pub fn hold_until(&self, until: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Whether a message may go out.
    pub fn holds(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| Instant::now() < until)
    }
}
