//! What can go wrong with a database.

use crate::domain::history::DamagedChunk;

/// What store calls return.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A failed operation of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An address that names no database.
    #[error("`{address}` is no database address: {reason}; write sqlite://PATH or postgres://USER@HOST/NAME")]
    InvalidAddress {
        /// The address, without its password.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The tables are not there, or older than this program.
    #[error("the database lacks {missing} migration(s); run `campaignd migrate`")]
    NotMigrated {
        /// How many.
        missing: usize,
    },
    /// The tables are newer than this program.
    #[error(
        "the database was migrated by a newer campaignd (`{migration}`); use that version or a copy made before"
    )]
    NewerSchema {
        /// The first migration that this program does not know.
        migration: String,
    },
    /// Another daemon has this `SQLite` file.
    #[error("another campaignd daemon works on this database ({lock} is locked); stop it first")]
    Locked {
        /// The lock file.
        lock: String,
    },
    /// A packed history cannot be read.
    #[error("cannot read a packed history")]
    Damaged(#[from] DamagedChunk),
    /// A row says what this program does not know.
    #[error("table {table} holds `{value}` as {column}, which this campaignd does not know")]
    UnknownWord {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The word.
        value: String,
    },
    /// The database failed or refused a statement.
    #[error("cannot {operation}")]
    Failed {
        /// What was tried: `claim deliveries`.
        operation: &'static str,
        /// Whether it may work later: no connection, a full disk, a busy database.
        unavailable: bool,
        /// What the database said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the same call may work later without a change of the program or the data.
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Failed { unavailable: true, .. } | Self::Locked { .. })
    }
}
