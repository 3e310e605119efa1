//! What comes back from mails: requests of pixels and links, kept as evidence and read with care.
//!
//! ```text
//! http ─► spool (a file) ─► drain ─► rules ─► hits (evidence), engagements, events
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`spool`] | where hits wait for the database; one that was answered survives a kill |
//! | [`mod@drain`] | from the spool to the database, read on the way |
//! | [`rules`] | who made them: human, machine or unknown |
//! | [`reading`] | from hits to engagements and their events |
//!
//! The daemon calls [`take_in`] each second. A demo or a test does so when its clock says.

pub mod drain;
pub mod reading;
pub mod rules;
pub mod spool;

use drain::drain;
pub use drain::{Drained, TrackError, TrackSettings};
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
    let mut read = Read::default();
    let drained = match drain(store, spool, settings, now, &mut read).await {
        // A file that cannot be read does not keep what came in from being read.
        drained @ (Ok(_) | Err(TrackError::Spool(_))) => drained,
        Err(error) => return Err(error),
    };
    reading::read_waiting(store, now, &mut read).await?;
    Ok((drained?, read))
}
