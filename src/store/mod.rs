//! The only module that talks to the database: connections, transactions, statements.
//!
//! Knows `SQLite` (WAL) and `PostgreSQL`; both keep the same tables (crate `migrations`) and answer the
//! same calls with the same results. What differs between them stands in `dialect`. It decides
//! nothing: what a condition, a campaign or a state means is said in [`domain`](crate::domain).
//!
//! | file | what it keeps |
//! |---|---|
//! | [`contacts`] [`consents`] [`events`] | people and the log of what they did, in bulk |
//! | [`histories`] | the same events packed by blocks of contacts, for a full pass; so are facts of contacts (`facts`) |
//! | [`memberships`] [`entries`] [`reviews`] | who is in which segment, since when, until when; when to look again |
//! | [`campaigns`] [`runs`] [`recipients`] [`deliveries`] [`ledger`] [`uncertain`] | the send ledger; its arrows as SQL: `arrows` |
//! | [`caps`] [`pauses`] [`backfills`] [`providers`] `paces` | what holds mails back |
//! | [`links`] | the addresses that stand in mails |
//! | [`hits`] [`engagements`] | what mails caused: the evidence, and what is read from it |
//! | [`incarnations`] `leases` | which sender is alive, and what becomes of what it has in hand |
//! | [`arrivals`] [`write_keys`] [`refusals`] | calls of the API, who may make them, what was refused |
//! | [`checkup`] | what rows say that cannot be |
//! | [`suppressions`] [`secrets`] [`figures`] | as they say |
//! | [`dossier`] [`forget`] | all that is held on one contact; erasing it |
//! | `connection` `dialect` `statement` `error` | how the two databases are talked to |

use std::sync::Arc;

use migrations::MigratorTrait as _;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, IsolationLevel, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use sqlx::postgres::{PgConnectOptions, PgPool};

pub mod arrivals;
mod arrows;
pub mod backfills;
mod bulk;
pub mod campaigns;
pub mod caps;
pub mod checkup;
mod connection;
pub mod consents;
pub mod contacts;
pub mod deliveries;
mod dialect;
pub mod dossier;
pub mod engagements;
mod entity;
pub mod entries;
mod error;
pub mod events;
mod facts;
pub mod figures;
pub mod forget;
pub mod histories;
pub mod hits;
mod identity;
pub mod incarnations;
mod kept;
mod leases;
pub mod ledger;
pub mod links;
mod log;
pub mod memberships;
mod merges;
mod paces;
mod passages;
pub mod pauses;
#[cfg(test)]
mod plans;
pub mod providers;
pub mod ranks;
pub mod recipients;
pub mod refusals;
mod replace;
pub mod reviews;
pub mod runs;
pub mod secrets;
mod sent;
mod statement;
pub mod suppressions;
mod tail;
pub mod uncertain;
pub mod write_keys;
mod writing;

use connection::{SqliteFile, WriteTurn};
use error::failed;
use writing::Noted;

use crate::edge;
pub use error::{Result, StoreError};
pub use writing::{Failing, Writing};

/// A database with its connections. Clones share them.
#[derive(Debug, Clone)]
pub struct Store {
    /// For statements that both databases understand.
    database: DatabaseConnection,
    engine: Engine,
    noted: Arc<Noted>,
}

/// What only one of the databases has.
#[derive(Debug, Clone)]
enum Engine {
    Sqlite(Arc<SqliteFile>),
    Postgres(PgPool, Box<PgConnectOptions>),
}

/// How a store is opened.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// What a commit survives.
    pub durability: Durability,
    /// How many connections are kept at most; `None`: 4 on `SQLite`, 10 on `PostgreSQL`.
    pub connections: Option<u32>,
    /// Nothing can be written, and no file is made.
    pub read_only: bool,
    /// The password of `PostgreSQL`, where it is not in the address.
    pub password: Option<secrecy::SecretString>,
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The end of the process, also by kill -9.
    Process,
    /// A power failure: every commit waits for the disk.
    #[default]
    Power,
}

/// The kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// The key of the lock under which one process at a time migrates a `PostgreSQL` database: any
/// number that no one else uses there.
const MIGRATION_LOCK: i64 = 0x6361_6d70_6169_676e;

/// How many rows are given to one statement: enough that its own cost vanishes, few enough that its
/// text of JSON stays below a few megabytes.
const ROWS: usize = 5_000;

impl Store {
    /// Opens `sqlite://PATH` (the file is created when it is not there) or `postgres://…`.
    pub async fn connect(address: &str, options: &StoreOptions) -> Result<Self> {
        if let Some(path) = connection::sqlite_path(address) {
            let (pool, file) = connection::open_sqlite(&path?, options).await?;
            let (database, engine) = (pool.into(), Engine::Sqlite(Arc::new(file)));
            return Ok(Self { database, engine, noted: Arc::default() });
        }
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let (pool, settings) = connection::open_postgres(address, options).await?;
            return Ok(Self {
                database: pool.clone().into(),
                engine: Engine::Postgres(pool, Box::new(settings)),
                noted: Arc::default(),
            });
        }
        let reason = "it begins with neither sqlite:// nor postgres://".to_owned();
        Err(StoreError::InvalidAddress { address: address.to_owned(), reason })
    }

    /// Brings the tables to the form that this program knows; says how many steps that took.
    /// Refuses a database that a newer program has migrated.
    pub async fn migrate(&self) -> Result<usize> {
        const OPERATION: &str = "migrate the database";
        match &self.engine {
            Engine::Sqlite(file) => {
                let _turn = file.write_turn().await;
                self.take_missing_steps().await
            }
            Engine::Postgres(pool, _) => {
                // A connection that is dropped in mid-way gives its lock back with it.
                let mut guard = pool.acquire().await.map_err(failed(OPERATION))?.detach();
                let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK);
                lock.execute(&mut guard).await.map_err(failed(OPERATION))?;
                let steps = self.take_missing_steps().await;
                sqlx::Connection::close(guard).await.map_err(failed(OPERATION))?;
                steps
            }
        }
    }

    async fn take_missing_steps(&self) -> Result<usize> {
        let missing = self.missing_steps().await?;
        if missing > 0 {
            let steps = migrations::Migrator::up(&self.database, None).await;
            steps.map_err(failed("migrate the database"))?;
        }
        Ok(missing)
    }

    /// Fails with a message that says what to do when [`migrate`](Self::migrate) is still to be done.
    pub async fn require_migrated(&self) -> Result<()> {
        match self.missing_steps().await? {
            0 => Ok(()),
            missing => Err(StoreError::NotMigrated { missing }),
        }
    }

    /// How many steps the database lacks; fails when it knows one that this program does not.
    async fn missing_steps(&self) -> Result<usize> {
        let operation = "read which migrations were made";
        let known: Vec<String> =
            migrations::Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
        let table = match self.backend() {
            Backend::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'seaql_migrations'",
            Backend::Postgres => {
                "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'seaql_migrations' AND schemaname = current_schema()"
            }
        };
        if statement::query_value::<i64>(&self.database, operation, table, vec![]).await? == 0 {
            return Ok(known.len());
        }
        let text = "SELECT version FROM seaql_migrations ORDER BY version";
        let made: Vec<String> = statement::query_column(&self.database, operation, text, vec![]).await?;
        match made.iter().find(|name| !known.contains(name)) {
            Some(newer) => Err(StoreError::NewerSchema { migration: newer.clone() }),
            None => Ok(known.iter().filter(|name| !made.contains(name)).count()),
        }
    }

    /// Which kind it is.
    pub const fn backend(&self) -> Backend {
        match self.engine {
            Engine::Sqlite(_) => Backend::Sqlite,
            Engine::Postgres(..) => Backend::Postgres,
        }
    }

    /// Whether several daemons can work on it.
    pub const fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(..))
    }

    /// Packs what was imported and lets the database put its statistics and files in order: good after
    /// an import.
    pub async fn tidy(&self) -> Result<()> {
        let operation = "tidy the database";
        histories::pack(self).await?;
        match &self.engine {
            Engine::Sqlite(file) => {
                statement::execute(&self.database, operation, "PRAGMA optimize", vec![]).await?;
                file.fold_wal().await
            }
            Engine::Postgres(pool, _) => {
                sqlx::query("VACUUM (ANALYZE)").execute(pool).await.map_err(failed(operation))?;
                Ok(())
            }
        }
    }

    /// Closes all connections; on `SQLite` folds the WAL into the file.
    pub async fn close(self) -> Result<()> {
        if let Engine::Sqlite(file) = &self.engine {
            file.write_turn().await.take();
            file.close_readers();
        }
        self.database.close().await.map_err(failed("close the database"))
    }

    /// A transaction that only reads: all of it as of one moment.
    async fn begin_read(&self, operation: &'static str) -> Result<DatabaseTransaction> {
        let isolation_level = match &self.engine {
            // Every transaction there has a snapshot.
            Engine::Sqlite(_) => None,
            Engine::Postgres(..) => Some(IsolationLevel::RepeatableRead),
        };
        let options = TransactionOptions { isolation_level, ..TransactionOptions::default() };
        self.database.begin_with_options(options).await.map_err(failed(operation))
    }

    /// A transaction that writes. On `SQLite` it waits for its turn and takes the write lock at once:
    /// one that read first and wrote later could fail in between.
    async fn begin_write(&self, operation: &'static str) -> Result<WriteTransaction> {
        let turn = match &self.engine {
            Engine::Sqlite(file) => Some(file.write_turn().await),
            Engine::Postgres(..) => None,
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.database.begin_with_options(options).await.map_err(failed(operation))?;
        Ok(WriteTransaction { transaction, operation, _turn: turn })
    }
}

/// See [`Store::begin_write`]. Dropped without [`commit`](Self::commit), it changes nothing.
struct WriteTransaction {
    transaction: DatabaseTransaction,
    operation: &'static str,
    _turn: Option<WriteTurn>,
}

impl WriteTransaction {
    async fn commit(self) -> Result<()> {
        edge::before_commit(self.operation);
        self.transaction.commit().await.map_err(failed(self.operation))?;
        edge::behind_commit(self.operation);
        Ok(())
    }
}

impl std::ops::Deref for WriteTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}
