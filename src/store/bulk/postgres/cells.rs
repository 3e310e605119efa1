//! Statements with values and rows of several kinds.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Column as _, Postgres, Row as _, TypeInfo as _};

use super::super::Cell;
use super::PostgresBulk;
use crate::store::Result;
use crate::store::error::failed;

impl PostgresBulk {
    pub(in crate::store::bulk) async fn execute_with(
        &mut self,
        text: String,
        values: Vec<Cell>,
    ) -> Result<u64> {
        let query = bound(sqlx::query(AssertSqlSafe(text)), values);
        let result = query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(result.rows_affected())
    }

    pub(in crate::store::bulk) async fn rows_with(
        &mut self,
        text: String,
        values: Vec<Cell>,
    ) -> Result<Vec<Vec<Cell>>> {
        let query = bound(sqlx::query(AssertSqlSafe(text)), values);
        let rows = query.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
        rows.iter().map(|row| read(row).map_err(failed(self.operation))).collect()
    }
}

type Asked<'q> = Query<'q, Postgres, PgArguments>;

fn bound(query: Asked<'_>, values: Vec<Cell>) -> Asked<'_> {
    values.into_iter().fold(query, |query, value| match value {
        // The type of a NULL is that of its place.
        Cell::Null => query.bind(None::<i64>),
        Cell::Number(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
    })
}

fn read(row: &PgRow) -> sqlx::Result<Vec<Cell>> {
    let cell = |(index, column): (usize, &sqlx::postgres::PgColumn)| {
        Ok(match column.type_info().name() {
            "INT8" => row.try_get::<Option<i64>, _>(index)?.map_or(Cell::Null, Cell::Number),
            _ => row.try_get::<Option<String>, _>(index)?.map_or(Cell::Null, Cell::Text),
        })
    };
    row.columns().iter().enumerate().map(cell).collect()
}
