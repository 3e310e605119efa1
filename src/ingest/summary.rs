//! What became of an import.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::options::Content;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that were read (of the compressed file, where it is one).
    pub bytes_done: u64,
    /// Bytes in all; `None` for standard input.
    pub bytes_total: Option<u64>,
    /// Rows that are in the database or rejected.
    pub rows: u64,
}

/// What became of the rows of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What the rows were; `None` for a file without rows.
    pub content: Option<Content>,
    /// Rows, rejected ones included; the header is none.
    pub rows: u64,
    /// Contacts that were not known.
    pub contacts_created: u64,
    /// Contacts of whom something is new.
    pub contacts_updated: u64,
    /// Contacts of whom all was known.
    pub contacts_unchanged: u64,
    /// Events that were added.
    pub events_added: u64,
    /// Events that were there already.
    pub events_known: u64,
    /// Rejected rows by kind of reason.
    pub rejected: BTreeMap<RejectedKind, u64>,
    /// Where the rejected rows are, if there are any.
    pub rejects: Option<PathBuf>,
}

/// A reason without the value that gave rise to it, so that equal ones can be counted:
/// `` `amount` is not a number ``.
pub type RejectedKind = String;

impl Summary {
    /// Of a file without rows.
    pub const fn empty() -> Self {
        Self {
            content: None,
            rows: 0,
            contacts_created: 0,
            contacts_updated: 0,
            contacts_unchanged: 0,
            events_added: 0,
            events_known: 0,
            rejected: BTreeMap::new(),
            rejects: None,
        }
    }

    /// How many rows were rejected.
    pub fn rejected_rows(&self) -> u64 {
        self.rejected.values().sum()
    }
}
