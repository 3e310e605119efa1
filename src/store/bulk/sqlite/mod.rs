//! Bulk writing on `SQLite`: a connection of its own, and prepared statements, row by row. Calls of
//! [`run`](SqliteBulk::run) leave the asynchronous threads alone. Values are `?1`, `?2` …: here `$1` would be a
//! name, numbered by where it stands.

mod cells;
mod facts;
mod kept;
mod log;
mod people;

use rusqlite::{Connection, params, params_from_iter};

use crate::domain::history::DamagedChunk;
use crate::store::connection::{Load, SqliteFile, WriteTurn};
use crate::store::error::failed;
use crate::store::{Result, StoreError};

/// See the module.
pub(in crate::store) struct SqliteBulk {
    /// Taken while a call runs; when that call is abandoned, the transaction is rolled back with it.
    connection: Option<Connection>,
    turn: WriteTurn,
    pub(super) operation: &'static str,
}

impl SqliteBulk {
    pub(super) async fn begin(file: &SqliteFile, load: Load, operation: &'static str) -> Result<Self> {
        let mut turn = file.write_turn().await;
        let connection = match turn.take() {
            Some(connection) => connection,
            None => file.open_writer()?,
        };
        let mut bulk = Self { connection: Some(connection), turn, operation };
        let begin = format!("PRAGMA cache_size = {}; BEGIN IMMEDIATE", load.cache_size());
        bulk.run(move |connection| connection.execute_batch(&begin)).await?;
        Ok(bulk)
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        self.run(|connection| connection.execute_batch("COMMIT")).await?;
        *self.turn = self.connection.take();
        Ok(())
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_whole(move |connection| work(connection).map_err(Stop::Sqlite)).await
    }

    async fn run_whole<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T> {
        // Without a connection an earlier call failed to give it back.
        let connection =
            self.connection.take().ok_or_else(|| failed(self.operation)(sqlx::Error::WorkerCrashed))?;
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&connection);
            (connection, result)
        });
        let (connection, result) = task.await.map_err(failed(self.operation))?;
        self.connection = Some(connection);
        result.map_err(|stop| match stop {
            Stop::Sqlite(error) => failed(self.operation)(error),
            Stop::Damaged(damaged) => StoreError::Damaged(damaged),
        })
    }

    pub(super) async fn draw(&mut self, counter: &'static str, count: i64) -> Result<i64> {
        let text = "UPDATE counters SET value = value + ?2 WHERE name = ?1 RETURNING value";
        self.run(move |connection| {
            connection.prepare_cached(text)?.query_row(params![counter, count], |row| row.get(0))
        })
        .await
    }

    pub(super) async fn execute(&mut self, text: &'static str, values: Vec<i64>) -> Result<u64> {
        // `?1` is the first value; `$1` would be a name, numbered by where it stands.
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let changed = connection.prepare_cached(&text)?.execute(params_from_iter(values))?;
            Ok(changed as u64)
        })
        .await
    }

    pub(super) async fn change(&mut self, text: &str, values: Vec<String>) -> Result<u64> {
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let changed = connection.prepare_cached(&text)?.execute(params_from_iter(values))?;
            Ok(changed as u64)
        })
        .await
    }

    pub(super) async fn ask(&mut self, text: &str, values: Vec<String>) -> Result<Vec<Vec<Option<String>>>> {
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let mut query = connection.prepare_cached(&text)?;
            let columns = query.column_count();
            let rows = query.query_map(params_from_iter(values), |row| {
                (0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<Vec<_>>>()
            })?;
            rows.collect()
        })
        .await
    }

    pub(super) async fn numbers(&mut self, text: &'static str, values: Vec<i64>) -> Result<Vec<i64>> {
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let mut list = connection.prepare_cached(&text)?;
            list.query_map(params_from_iter(values), |row| row.get(0))?.collect()
        })
        .await
    }
}

/// Why work on the connection stopped.
enum Stop {
    Sqlite(rusqlite::Error),
    Damaged(DamagedChunk),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<DamagedChunk> for Stop {
    fn from(damaged: DamagedChunk) -> Self {
        Self::Damaged(damaged)
    }
}
