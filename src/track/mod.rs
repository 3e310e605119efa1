//! What comes back from mails: requests of pixels and links, kept as evidence and read with care.
//!
//! ```text
//! http ─► spool (a file) ─► drain ─► hits (evidence) ─► rules ─► engagements, events
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`spool`] | where hits wait for the database; one that was answered survives a kill |
//! | [`rules`] | who made them: human, machine or unknown |

pub mod rules;
pub mod spool;

pub use spool::{Spool, SpoolError};
