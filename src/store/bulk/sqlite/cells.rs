//! Statements with values and rows of several kinds.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ToSql, params_from_iter};

use super::super::Cell;
use super::SqliteBulk;
use crate::store::Result;

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl SqliteBulk {
    pub(in crate::store::bulk) async fn execute_with(
        &mut self,
        text: String,
        values: Vec<Cell>,
    ) -> Result<u64> {
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let changed = connection.prepare_cached(&text)?.execute(params_from_iter(values))?;
            Ok(changed as u64)
        })
        .await
    }

    pub(in crate::store::bulk) async fn rows_with(
        &mut self,
        text: String,
        values: Vec<Cell>,
    ) -> Result<Vec<Vec<Cell>>> {
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let mut query = connection.prepare_cached(&text)?;
            let columns = query.column_count();
            let rows = query.query_map(params_from_iter(values), |row| {
                (0..columns)
                    .map(|column| {
                        Ok(match row.get_ref(column)? {
                            ValueRef::Integer(number) => Cell::Number(number),
                            ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
                            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Cell::Null,
                        })
                    })
                    .collect()
            })?;
            rows.collect()
        })
        .await
    }
}
