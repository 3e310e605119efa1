//! What can go wrong with a database.

use sea_orm::{DbErr, RuntimeErr};

use crate::domain::facts::DamagedFacts;
use crate::domain::history::DamagedChunk;
use crate::domain::membership::DamagedMembers;

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
        reason: String,
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
    /// A segment was evaluated by somebody else, after the evaluation that was to be written had begun.
    #[error(
        "the segments were evaluated by another process meanwhile: nothing was written, the next evaluation goes on from there"
    )]
    EvaluatedMeanwhile,
    /// A packed history cannot be read.
    #[error("cannot read a packed history")]
    Damaged(#[from] DamagedChunk),
    /// Packed facts cannot be read.
    #[error("cannot read the packed facts of contacts")]
    DamagedFacts(#[from] DamagedFacts),
    /// Packed memberships cannot be read.
    #[error("cannot read packed memberships")]
    DamagedMembers(#[from] DamagedMembers),
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
        matches!(
            self,
            Self::Failed { unavailable: true, .. } | Self::Locked { .. } | Self::EvaluatedMeanwhile
        )
    }
}

/// For `map_err`: names the operation that an error stopped.
pub(super) fn failed<E: Cause>(operation: &'static str) -> impl FnOnce(E) -> StoreError {
    move |error| StoreError::Failed {
        operation,
        unavailable: error.is_unavailable(),
        source: Box::new(error),
    }
}

/// A word in a row that this program does not know.
pub(super) fn unknown_word(table: &'static str, column: &'static str, value: &str) -> StoreError {
    StoreError::UnknownWord { table, column, value: value.chars().take(80).collect() }
}

/// What the libraries below report, and whether it may pass.
pub(super) trait Cause: std::error::Error + Send + Sync + Sized + 'static {
    fn is_unavailable(&self) -> bool;
}

impl Cause for DbErr {
    fn is_unavailable(&self) -> bool {
        match self {
            Self::ConnectionAcquire(_) => true,
            Self::Conn(error) | Self::Exec(error) | Self::Query(error) => match error {
                RuntimeErr::SqlxError(error) => error.is_unavailable(),
                RuntimeErr::Internal(_) => false,
            },
            _ => false,
        }
    }
}

impl Cause for std::sync::Arc<sqlx::Error> {
    fn is_unavailable(&self) -> bool {
        self.as_ref().is_unavailable()
    }
}

impl Cause for sqlx::Error {
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Io(_)
            | Self::Tls(_)
            | Self::Protocol(_)
            | Self::PoolTimedOut
            | Self::PoolClosed
            | Self::WorkerCrashed => true,
            Self::Database(error) => error.code().is_some_and(|code| is_passing_code(&code)),
            _ => false,
        }
    }
}

impl Cause for rusqlite::Error {
    fn is_unavailable(&self) -> bool {
        matches!(self, Self::SqliteFailure(error, _) if is_passing_sqlite_code(error.extended_code))
    }
}

impl Cause for std::io::Error {
    fn is_unavailable(&self) -> bool {
        true
    }
}

impl Cause for tokio::task::JoinError {
    fn is_unavailable(&self) -> bool {
        false
    }
}

/// `SQLite` answers with a number (<https://sqlite.org/rescode.html>), `PostgreSQL` with five
/// characters, of which the first two are the class (PostgreSQL manual, appendix A).
fn is_passing_code(code: &str) -> bool {
    if code.len() == 5 {
        // Connection, resources, intervention of an operator, system error; conflicts of transactions; a session that was
        // ended because it stood still in one.
        return matches!(&code[..2], "08" | "53" | "57" | "58")
            || matches!(code, "40001" | "40P01" | "55P03" | "25P03");
    }
    code.parse().is_ok_and(is_passing_sqlite_code)
}

/// Busy, locked, read-only, I/O error, full disk, cannot open: the low byte of an extended code.
const fn is_passing_sqlite_code(code: i32) -> bool {
    matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_may_not() {
        for (code, passes) in [
            ("5", true),      // busy
            ("517", true),    // busy snapshot
            ("13", true),     // full
            ("2067", false),  // unique
            ("1", false),     // error in the statement
            ("57P01", true),  // the server is shut down
            ("53100", true),  // full
            ("40P01", true),  // deadlock
            ("25P03", true),  // stood still in a transaction
            ("23505", false), // unique
            ("42703", false), // no such column
        ] {
            assert_eq!(is_passing_code(code), passes, "{code}");
        }
    }
}
