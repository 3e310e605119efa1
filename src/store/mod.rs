//! The only module that talks to the database: connections, transactions, statements.
//!
//! Knows `SQLite` (WAL) and `PostgreSQL`; both keep the same tables (crate `migrations`) and answer the
//! same calls with the same results. What differs between them stands in `dialect`. It decides
//! nothing: what a condition, a campaign or a state means is said in [`domain`](crate::domain).
//!
//! | file | what it keeps |
//! |---|---|
//! | [`contacts`] [`events`] | people and the log of what they did, in bulk |
//! | [`histories`] | the same events packed by contact, for a full pass |
//! | [`memberships`] | who is in which segment, since when, until when |
//! | [`campaigns`] [`runs`] [`deliveries`] [`ledger`] | the send ledger |
//! | [`incarnations`] | which sender is alive |
//! | [`suppressions`] [`secrets`] [`figures`] | as they say |

#![allow(
    unused_variables,
    dead_code,
    clippy::unused_async,
    clippy::todo,
    reason = "signatures first; the bodies follow"
)]

pub mod campaigns;
pub mod contacts;
pub mod deliveries;
mod error;
pub mod events;
pub mod figures;
pub mod histories;
pub mod incarnations;
pub mod ledger;
pub mod memberships;
pub mod runs;
pub mod secrets;
pub mod suppressions;

pub use error::{Result, StoreError};

/// A database with its connections. Clones share them.
#[derive(Debug, Clone)]
pub struct Store {}

/// How a store is opened.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// What a commit survives.
    pub durability: Durability,
    /// How many connections are kept at most; `None`: 4 on `SQLite`, 10 on `PostgreSQL`.
    pub connections: Option<u32>,
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

impl Store {
    /// Opens `sqlite://PATH` (the file is created when it is not there) or `postgres://…`.
    pub async fn connect(address: &str, options: &StoreOptions) -> Result<Self> {
        todo!()
    }

    /// Brings the tables to the form that this program knows; says how many steps that took.
    /// Refuses a database that a newer program has migrated.
    pub async fn migrate(&self) -> Result<usize> {
        todo!()
    }

    /// Fails with a message that says what to do when [`migrate`](Self::migrate) is still to be done.
    pub async fn require_migrated(&self) -> Result<()> {
        todo!()
    }

    /// Which kind it is.
    pub fn backend(&self) -> Backend {
        todo!()
    }

    /// Closes all connections; on `SQLite` folds the WAL into the file.
    pub async fn close(self) -> Result<()> {
        todo!()
    }
}
