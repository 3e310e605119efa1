//! Files to contacts and events: CSV and JSON lines, in batches, the good rows in and the bad rows
//! in a file of their own with line and reason.
//!
//! ```text
//! bytes ── table | lines ──▶ rows ── columns ──▶ meanings ── contact | event ──▶ batches ──▶ store
//!          (one thread reads)                    (declared types)      (the other writes)
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | [`options`] | what the user asked for |
//! | [`summary`] | what became of it |
//!
//! A file that is imported twice changes nothing the second time: contacts are found by `id` or
//! address, and an event without a message id is given one that is computed from the event.
//!
//! It judges rows, one by one; whether two contacts are one person is the store's to say.

pub mod error;
pub mod import;
pub mod options;
pub mod summary;

pub use error::ImportError;
pub use import::import_file;
pub use options::{ConsentFlag, Content, Delimiter, ImportOptions, InvalidOption, Mapping, RejectPattern};
pub use summary::{Progress, RejectedKind, Summary};
