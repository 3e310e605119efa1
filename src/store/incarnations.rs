//! Incarnations: each start of a sender is one, and holds a lock that proves it is alive.

use super::{Result, Store};
use crate::domain::delivery::IncarnationId;
use crate::domain::time::Timestamp;

/// A living sender. Its lock is free when this is dropped, or when the process ends in any way.
#[derive(Debug)]
pub struct Incarnation {
    id: IncarnationId,
}

impl Incarnation {
    /// Registers this process. On `SQLite` there is one at a time: a second is refused with
    /// [`StoreError::Locked`](super::StoreError::Locked).
    pub async fn begin(store: &Store, now: Timestamp) -> Result<Self> {
        todo!()
    }

    /// Its number: the fencing number of its leases.
    pub const fn id(&self) -> IncarnationId {
        self.id
    }

    /// Whether the lock is still held; on `PostgreSQL` it is lost with its connection.
    pub async fn is_alive(&self) -> bool {
        todo!()
    }

    /// Whether this sender leads: of several on one `PostgreSQL` one does, and it alone makes runs and
    /// evaluates segments. Takes the lead when it is free (a session lock on this sender's own
    /// connection); keeps it until the end. On `SQLite` always.
    pub async fn lead(&self) -> Result<bool> {
        todo!()
    }

    /// Notes the end and gives the lock back.
    pub async fn end(self, store: &Store, now: Timestamp) -> Result<()> {
        todo!()
    }
}

/// Whether a daemon is running on this database, and since when.
pub async fn running(store: &Store, now: Timestamp) -> Result<Option<Timestamp>> {
    todo!()
}

/// The last sign of life of any sender before `before`: what was due after it was due while no
/// daemon was up.
pub async fn last_alive(store: &Store, before: Option<IncarnationId>) -> Result<Option<Timestamp>> {
    todo!()
}
