//! Opens the two databases with the settings that the rest relies on.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::error::failed;
use super::{Durability, Result, StoreError, StoreOptions};

/// How long a statement waits for the lock of another process before it fails as busy.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// A process that stands still in the middle of a transaction holds up all others by its locks: after a minute (in
/// milliseconds), when its leases are over, the server ends it. No transaction of ours does nothing for so long.
const LONGEST_STANDSTILL: &str = "60000";

/// Pages of WAL after which a bulk writer folds it into the file; ten times fewer checkpoints than by
/// default make imports half as fast again, for a WAL of some 160 MB.
const BULK_CHECKPOINT_PAGES: u32 = 40_000;

/// How much a bulk writer is about to write: the room that it has for pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// What comes in day by day.
    Little,
    /// An import: with more room each page is written once. It is given back by the next writer.
    Much,
}

impl Load {
    /// In KiB, negative: `SQLite`'s way to say so.
    pub(super) const fn cache_size(self) -> i32 {
        match self {
            Self::Little => -32_768,
            Self::Much => -262_144,
        }
    }
}

/// A `SQLite` file.
#[derive(Debug)]
pub(super) struct SqliteFile {
    pub(super) path: PathBuf,
    durability: Durability,
    /// Writers of this process take turns here, and not by busy waiting in `SQLite`. Holds the
    /// connection of the bulk writer, once there was one.
    writer: Arc<Mutex<Option<rusqlite::Connection>>>,
    /// Connections of passes that are over: the pages that they mapped serve the next one.
    readers: std::sync::Mutex<Vec<rusqlite::Connection>>,
}

/// Readers that are kept: as many as a pass over everybody uses.
const KEPT_READERS: usize = 2;

/// The turn to write.
pub(super) type WriteTurn = OwnedMutexGuard<Option<rusqlite::Connection>>;

impl SqliteFile {
    /// Waits for the turn to write.
    pub(super) async fn write_turn(&self) -> WriteTurn {
        Arc::clone(&self.writer).lock_owned().await
    }

    /// A connection that only reads, for a pass on a thread of its own; see [`Self::keep_reader`].
    pub(super) fn reader(&self) -> Result<rusqlite::Connection> {
        if let Some(kept) = self.kept_readers().pop() {
            return Ok(kept);
        }
        let open = || {
            let flags =
                rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = rusqlite::Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // The largest that SQLite is built for; reading mapped pages is about 30 % faster.
            connection.execute_batch("PRAGMA mmap_size = 2147418112; PRAGMA temp_store = MEMORY;")?;
            Ok(connection)
        };
        open().map_err(failed::<rusqlite::Error>("open the database for a pass"))
    }

    /// Takes a reader back whose pass is over; its snapshot ends.
    pub(super) fn keep_reader(&self, reader: rusqlite::Connection) {
        // One whose transaction cannot be ended is of no use: it is closed.
        if reader.execute_batch("ROLLBACK").is_ok() {
            let mut kept = self.kept_readers();
            if kept.len() < KEPT_READERS {
                kept.push(reader);
            }
        }
    }

    /// Closes the readers that are kept.
    pub(super) fn close_readers(&self) {
        self.kept_readers().clear();
    }

    fn kept_readers(&self) -> std::sync::MutexGuard<'_, Vec<rusqlite::Connection>> {
        self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A connection for bulk writing.
    pub(super) fn open_writer(&self) -> Result<rusqlite::Connection> {
        let open = || {
            let connection = rusqlite::Connection::open(&self.path)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(64);
            let synchronous = match self.durability {
                Durability::Process => "NORMAL",
                Durability::Power => "FULL",
            };
            connection.execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA temp_store = MEMORY;
                 PRAGMA wal_autocheckpoint = {BULK_CHECKPOINT_PAGES};"
            ))?;
            Ok(connection)
        };
        open().map_err(failed::<rusqlite::Error>("open the database for writing"))
    }

    /// Folds the WAL into the file, as far as nobody reads it; waits for nobody.
    pub(super) async fn fold_wal(&self) -> Result<()> {
        let mut turn = self.write_turn().await;
        let connection = match turn.take() {
            Some(connection) => connection,
            None => self.open_writer()?,
        };
        let fold = move || {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            Ok(connection)
        };
        let connection = tokio::task::spawn_blocking(fold)
            .await
            .map_err(failed("fold the write-ahead log"))?
            .map_err(failed::<rusqlite::Error>("fold the write-ahead log"))?;
        *turn = Some(connection);
        Ok(())
    }
}

/// The path in `sqlite://PATH`.
pub(super) fn sqlite_path(address: &str) -> Option<Result<PathBuf>> {
    let rest = address.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let invalid =
        |reason: &str| StoreError::InvalidAddress { address: address.to_owned(), reason: reason.to_owned() };
    Some(match path {
        "" => Err(invalid("it names no file")),
        ":memory:" => Err(invalid("a database in memory cannot be shared by connections")),
        path if path.contains('?') => Err(invalid("parameters (`?…`) are not supported")),
        path => Ok(PathBuf::from(path)),
    })
}

pub(super) async fn open_sqlite(path: &Path, options: &StoreOptions) -> Result<(SqlitePool, SqliteFile)> {
    let settings = SqliteConnectOptions::new().filename(path);
    let settings = if options.read_only {
        settings.read_only(true)
    } else {
        settings.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(
            match options.durability {
                Durability::Process => SqliteSynchronous::Normal,
                Durability::Power => SqliteSynchronous::Full,
            },
        )
    };
    let settings = settings.busy_timeout(BUSY_TIMEOUT).foreign_keys(true).statement_cache_capacity(200);
    let pool = SqlitePoolOptions::new()
        .max_connections(options.connections.unwrap_or(4).max(1))
        .acquire_timeout(BUSY_TIMEOUT)
        // Without a task that looks for old connections: it counts idle ones by a number that is one
        // below zero for an instant when two threads give and take, and then counts for ever (sqlx 0.9).
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(settings)
        .await
        .map_err(failed("open the SQLite file"))?;
    let writer = Arc::new(Mutex::new(None));
    let readers = std::sync::Mutex::default();
    Ok((pool, SqliteFile { path: path.to_owned(), durability: options.durability, writer, readers }))
}

pub(super) async fn open_postgres(
    address: &str,
    options: &StoreOptions,
) -> Result<(PgPool, PgConnectOptions)> {
    let invalid = |reason: String| StoreError::InvalidAddress { address: without_password(address), reason };
    let mut settings = PgConnectOptions::from_str(address).map_err(|error| invalid(error.to_string()))?;
    if let Some(password) = &options.password {
        settings = settings.password(password.expose_secret());
    }
    let synchronous_commit = match options.durability {
        Durability::Process => "off",
        Durability::Power => "on",
    };
    // Statements are short or read in key order: compiling them to machine code costs more than it saves.
    let settings = settings.application_name("campaignd").statement_cache_capacity(200).options([
        ("synchronous_commit", synchronous_commit),
        ("jit", "off"),
        ("idle_in_transaction_session_timeout", LONGEST_STANDSTILL),
    ]);
    let settings = if options.read_only {
        settings.options([("default_transaction_read_only", "on")])
    } else {
        settings
    };
    // A pool tries until its time is out and does not say why; one connection by hand says so at once.
    let first = tokio::time::timeout(BUSY_TIMEOUT, PgConnection::connect_with(&settings)).await;
    let first = first.map_err(|_| sqlx::Error::PoolTimedOut).and_then(|first| first);
    first.map_err(failed("connect to PostgreSQL"))?.close().await.map_err(failed("connect to PostgreSQL"))?;
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.unwrap_or(10).max(2))
        .acquire_timeout(BUSY_TIMEOUT)
        .idle_timeout(None) // as for SQLite
        .max_lifetime(None)
        .connect_with(settings.clone())
        .await
        .map_err(failed("connect to PostgreSQL"))?;
    Ok((pool, settings))
}

/// The address with `…` in the place of a password.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let Some((login, host)) = rest.rsplit_once('@') else { return address.to_owned() };
    let user = login.split_once(':').map_or(login, |(user, _)| user);
    let hidden = if login.contains(':') { ":…" } else { "" };
    format!("{scheme}://{user}{hidden}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (address, shown) in [
            ("postgres://u:p@ss@host/name", "postgres://u:…@host/name"),
            ("postgres://u@host/name", "postgres://u@host/name"),
            ("mysql", "mysql"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }
}
