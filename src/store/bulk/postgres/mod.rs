//! Bulk writing on `PostgreSQL`: columns travel as arrays, thousands of rows a statement.

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{AssertSqlSafe, Postgres, Row as _, Transaction};

use crate::store::Result;
use crate::store::error::failed;

/// One array per field of some rows.
macro_rules! columns {
    ($query:expr, $rows:expr, $($field:expr),* $(,)?) => {
        $query$(.bind($rows.iter().map($field).collect::<Vec<_>>()))*
    };
}

mod cells;
mod facts;
mod kept;
mod log;
mod people;

/// See the module.
pub(in crate::store) struct PostgresBulk {
    transaction: Transaction<'static, Postgres>,
    pub(super) operation: &'static str,
}

impl PostgresBulk {
    pub(super) async fn begin(pool: &PgPool, operation: &'static str) -> Result<Self> {
        Ok(Self { transaction: pool.begin().await.map_err(failed(operation))?, operation })
    }

    pub(super) async fn commit(self) -> Result<()> {
        self.transaction.commit().await.map_err(failed(self.operation))
    }

    pub(super) async fn draw(&mut self, counter: &'static str, count: i64) -> Result<i64> {
        let text = "UPDATE counters SET value = value + $2 WHERE name = $1 RETURNING value";
        let query = sqlx::query_scalar(text).bind(counter).bind(count);
        query.fetch_one(&mut *self.transaction).await.map_err(failed(self.operation))
    }

    pub(super) async fn execute(&mut self, text: &'static str, values: Vec<i64>) -> Result<u64> {
        let mut query = sqlx::query(text);
        for value in values {
            query = query.bind(value);
        }
        let result = query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(result.rows_affected())
    }

    pub(super) async fn change(&mut self, text: &str, values: Vec<String>) -> Result<u64> {
        let mut query = sqlx::query(AssertSqlSafe(text.to_owned()));
        for value in values {
            query = query.bind(value);
        }
        let result = query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(result.rows_affected())
    }

    pub(super) async fn ask(&mut self, text: &str, values: Vec<String>) -> Result<Vec<Vec<Option<String>>>> {
        let mut query = sqlx::query(AssertSqlSafe(text.to_owned()));
        for value in values {
            query = query.bind(value);
        }
        let rows = query.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
        let read = |row: &PgRow| (0..row.len()).map(|column| row.try_get(column)).collect();
        rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(failed(self.operation))
    }

    pub(super) async fn numbers(&mut self, text: &'static str, values: Vec<i64>) -> Result<Vec<i64>> {
        let mut query = sqlx::query_scalar(text);
        for value in values {
            query = query.bind(value);
        }
        query.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))
    }
}
