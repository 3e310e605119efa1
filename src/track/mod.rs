//! What comes back from mails: requests of pixels and links, kept as evidence and read with care.
//!
//! ```text
//! http ─► spool (a file) ─► drain ─► hits (evidence) ─► rules ─► engagements, events
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`spool`] | where hits wait for the database; one that was answered survives a kill |
//! | [`mod@drain`] | from the spool to the database |
//! | [`rules`] | who made them: human, machine or unknown |
//! | [`reading`] | from hits to engagements and their events |
//!
//! The daemon calls [`take_in`] each second. A demo or a test does so when its clock says.

pub mod drain;
pub mod reading;
pub mod rules;
pub mod spool;

pub use drain::{Drained, TrackError, TrackSettings, drain};
pub use reading::{Read, reclassify};
pub use spool::{Spool, SpoolError};

use crate::domain::time::Timestamp;
use crate::store::Store;

/// Writes what waits in the spool to the database, and reads what was not read yet.
pub async fn take_in(
    store: &Store,
    spool: &Spool,
    settings: TrackSettings,
    now: Timestamp,
) -> Result<(Drained, Read), TrackError> {
    let drained = match drain(store, spool, settings, now).await {
        // A file that cannot be read does not keep what came in from being read.
        drained @ (Ok(_) | Err(TrackError::Spool(_))) => drained,
        Err(error) => return Err(error),
    };
    let read = reading::read_new(store, now).await?;
    Ok((drained?, read))
}
