//! Files, and calls of the API, to contacts and events. Files are CSV and JSON lines: they go in in
//! batches, the good rows into the store and the bad rows into a file of their own with line and reason.
//!
//! ```text
//! bytes ── table | lines ──▶ rows ── columns ──▶ meanings ── contact | event ──▶ batches ──▶ store
//!          (one thread reads)                    (declared types)      (the other writes)
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | [`options`] [`summary`] [`error`] | what the user asked for, what became of it |
//! | [`import`] | one file from its first byte to the summary; the side that stores |
//! | `reading` `from_table` `from_lines` | the side that reads |
//! | `source` `table` `lines` | bytes to records |
//! | `recognise` `vocabulary` | what a file is, what its names mean |
//! | `contact_row` `event_row` `values` | what a row says |
//! | [`api`] | calls of the Segment tracking API |
//! | `batch` `rejects` `reason` | rows on their way, and those that go no further |
//!
//! A file that is imported twice changes nothing the second time: contacts are found by `id` or
//! address, and an event without a message id is given one that is computed from the event.
//!
//! It judges rows, one by one; whether two contacts are one person is the store's to say.

pub mod api;
mod batch;
mod contact_row;
pub mod error;
mod event_row;
mod from_lines;
mod from_table;
pub mod import;
mod lines;
pub mod options;
mod reading;
mod reason;
mod recognise;
mod rejects;
mod source;
pub mod summary;
mod table;
mod values;
mod vocabulary;

pub use error::ImportError;
pub use import::import_file;
pub use options::{ConsentFlag, Content, Delimiter, ImportOptions, InvalidOption, Mapping, RejectPattern};
pub use summary::{Progress, RejectedKind, Summary};

#[cfg(test)]
mod tests;
