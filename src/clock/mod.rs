//! What time it is: the system's, or one that is set. The only place that reads the wall.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// A clock. Clones show the same time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's.
    System,
    /// One that stands still until it is set.
    Set(SetClock),
}

impl Clock {
    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Set(clock) => clock.now(),
        }
    }

    /// A clock that stands at `now` until it is set.
    pub fn set_at(now: Timestamp) -> (Self, SetClock) {
        let clock = SetClock { micros: Arc::new(AtomicI64::new(now.micros())) };
        (Self::Set(clock.clone()), clock)
    }
}

/// A clock that stands still until it is set.
#[derive(Debug, Clone)]
pub struct SetClock {
    micros: Arc<AtomicI64>,
}

impl SetClock {
    /// What time it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }

    /// Sets it.
    pub fn set(&self, now: Timestamp) {
        self.micros.store(now.micros(), Ordering::SeqCst);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn system_now() -> Timestamp {
    // Not by way of a date: it is asked at every request.
    let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    })
}
