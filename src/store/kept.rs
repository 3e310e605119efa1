//! Rows of packed members and reviews, see [`crate::domain::membership`]: by number, many at once.
//!
//! Read outside of transactions by those who evaluate, and inside of one by who writes. Row by row on a
//! connection that is this thread's own where the database is a file; as arrays where it is a server.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::error::failed;
use super::{Engine, ROWS, Result, Store};

/// Which rows are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeptTable {
    /// Members: the number beside the payload is how many.
    Members,
    /// Reviews: the number beside the payload is the earliest instant.
    Reviews,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptRow {
    /// Where it stands.
    pub(super) id: i64,
    /// What is known of it without unpacking.
    pub(super) number: i64,
    /// The packed bytes.
    pub(super) payload: Vec<u8>,
}

/// Rows that are asked for; they come in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// From the first number up to the second, without that.
    Between(i64, i64),
    /// With these numbers, given in order.
    These(Vec<i64>),
    /// Whose number beside the payload is at most this.
    AtMost(i64),
}

impl KeptTable {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Members => ("membership_blocks", "members"),
            Self::Reviews => ("review_blocks", "earliest"),
        }
    }

    /// The query for rows that meet a condition.
    pub(super) fn select(self, condition: &str) -> String {
        let (table, number) = self.names();
        format!("SELECT id, {number}, payload FROM {table} WHERE {condition} ORDER BY id")
    }

    fn upsert(self, rows: &str) -> String {
        let (table, number) = self.names();
        format!(
            "INSERT INTO {table} (id, {number}, payload) {rows}
             ON CONFLICT (id) DO UPDATE SET {number} = excluded.{number}, payload = excluded.payload"
        )
    }
}

/// Reads rows as they are now.
pub(super) async fn read(store: &Store, table: KeptTable, wanted: Wanted) -> Result<Vec<KeptRow>> {
    let operation = "read memberships";
    match &store.engine {
        Engine::Sqlite(file) => {
            let file = file.clone();
            let read = move || {
                let connection = file.reader()?;
                let failed = failed::<rusqlite::Error>;
                connection.execute_batch("BEGIN").map_err(failed(operation))?;
                let rows = sqlite::read(&connection, table, &wanted).map_err(failed(operation))?;
                file.keep_reader(connection);
                Ok(rows)
            };
            tokio::task::spawn_blocking(read).await.map_err(failed(operation))?
        }
        Engine::Postgres(pool, _) => {
            let mut connection = pool.acquire().await.map_err(failed(operation))?;
            postgres::read(&mut connection, table, wanted).await.map_err(failed(operation))
        }
    }
}

/// On a connection to a file.
pub(super) mod sqlite {
    use rusqlite::{Connection, params};

    use super::{KeptRow, KeptTable, Wanted};

    pub(in crate::store) fn read(
        connection: &Connection,
        table: KeptTable,
        wanted: &Wanted,
    ) -> rusqlite::Result<Vec<KeptRow>> {
        let row = |row: &rusqlite::Row<'_>| {
            Ok(KeptRow { id: row.get(0)?, number: row.get(1)?, payload: row.get(2)? })
        };
        match wanted {
            Wanted::Between(first, end) => {
                let mut select = connection.prepare_cached(&table.select("id >= ?1 AND id < ?2"))?;
                select.query_map([first, end], row)?.collect()
            }
            Wanted::AtMost(bound) => {
                let condition = format!("{} <= ?1", table.names().1);
                connection.prepare_cached(&table.select(&condition))?.query_map([bound], row)?.collect()
            }
            Wanted::These(numbers) => {
                let mut select = connection.prepare_cached(&table.select("id = ?1"))?;
                let mut rows = Vec::new();
                for number in numbers {
                    match select.query_row([number], row) {
                        Err(rusqlite::Error::QueryReturnedNoRows) => {}
                        found => rows.push(found?),
                    }
                }
                Ok(rows)
            }
        }
    }

    pub(in crate::store) fn write(
        connection: &Connection,
        table: KeptTable,
        rows: &[KeptRow],
        emptied: &[i64],
    ) -> rusqlite::Result<()> {
        let mut write = connection.prepare_cached(&table.upsert("VALUES (?1, ?2, ?3)"))?;
        for row in rows {
            write.execute(params![row.id, row.number, row.payload])?;
        }
        let mut remove =
            connection.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", table.names().0))?;
        emptied.iter().try_for_each(|id| remove.execute([id]).map(drop))
    }
}

/// On a connection to a server.
pub(super) mod postgres {
    use sqlx::{AssertSqlSafe, PgConnection};

    use super::{KeptRow, KeptTable, PgRow, ROWS, Wanted, row};

    pub(in crate::store) async fn read(
        connection: &mut PgConnection,
        table: KeptTable,
        wanted: Wanted,
    ) -> sqlx::Result<Vec<KeptRow>> {
        let rows: Vec<PgRow> = match wanted {
            Wanted::Between(first, end) => {
                let text = table.select("id >= $1 AND id < $2");
                sqlx::query(AssertSqlSafe(text)).bind(first).bind(end).fetch_all(connection).await?
            }
            Wanted::AtMost(bound) => {
                let text = table.select(&format!("{} <= $1", table.names().1));
                sqlx::query(AssertSqlSafe(text)).bind(bound).fetch_all(connection).await?
            }
            Wanted::These(numbers) => {
                let text = table.select("id = ANY($1)");
                sqlx::query(AssertSqlSafe(text)).bind(numbers).fetch_all(connection).await?
            }
        };
        rows.iter().map(row).collect()
    }

    pub(in crate::store) async fn write(
        connection: &mut PgConnection,
        table: KeptTable,
        rows: &[KeptRow],
        emptied: &[i64],
    ) -> sqlx::Result<()> {
        let text = table.upsert("SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])");
        for some in rows.chunks(ROWS) {
            sqlx::query(AssertSqlSafe(text.clone()))
                .bind(some.iter().map(|row| row.id).collect::<Vec<_>>())
                .bind(some.iter().map(|row| row.number).collect::<Vec<_>>())
                .bind(some.iter().map(|row| row.payload.as_slice()).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await?;
        }
        if !emptied.is_empty() {
            let text = format!("DELETE FROM {} WHERE id = ANY($1)", table.names().0);
            sqlx::query(AssertSqlSafe(text)).bind(emptied.to_vec()).execute(connection).await?;
        }
        Ok(())
    }
}

fn row(row: &PgRow) -> sqlx::Result<KeptRow> {
    Ok(KeptRow { id: row.try_get(0)?, number: row.try_get(1)?, payload: row.try_get(2)? })
}
