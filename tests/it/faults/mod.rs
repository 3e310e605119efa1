//! The fault rig: a mail server that writes down durably what it took before it answers, and misbehaves once, by
//! rule; and a checker that holds what it wrote down against the ledger. Nobody is lost, nobody has two copies
//! without a name, nothing was taken that the ledger does not know, nothing else than what was rendered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::database::{TestDatabase, on_postgres, on_sqlite};

mod checker;
mod daemon;
#[cfg(debug_assertions)] // in a release there are no edges to stand at
mod disk;
#[cfg(debug_assertions)] // in a release there are no edges to die at
mod edges;
mod kills;
#[cfg(debug_assertions)]
mod lanes;
mod pairs;
mod phases;
mod poison;
mod server;
mod talk;

/// How often something is done that chance has a part in: ten times as often where `tests/run --long` says so.
fn times(usually: usize) -> usize {
    let is_long = std::env::var_os("CAMPAIGND_TEST_LONG").is_some_and(|value| !value.is_empty());
    if is_long { 10 * usually } else { usually }
}

/// The two databases, where tests on both run beside each other.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    fn on<Fut: Future<Output = ()>>(self, body: impl Fn(TestDatabase) -> Fut) {
        match self {
            Self::Sqlite => on_sqlite(body),
            Self::Postgres => on_postgres(body),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
