//! Statements with values and rows of several kinds, for what is not bulk but belongs into the same
//! transaction.

use super::postgres::PostgresBulk;
use super::sqlite::SqliteBulk;
use super::{Bulk, Result};

/// A value that is given to a statement, or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Cell {
    /// None.
    Null,
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

impl Cell {
    /// The number, if it is one.
    pub(in crate::store) const fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub(in crate::store) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<i64>> for Cell {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

impl Bulk {
    /// Runs a statement; says how many rows it changed. Values are `$1`, `$2` …
    pub(in crate::store) async fn execute_with(&mut self, text: &str, values: Vec<Cell>) -> Result<u64> {
        match self {
            Self::Sqlite(bulk) => SqliteBulk::execute_with(bulk, text.to_owned(), values).await,
            Self::Postgres(bulk) => PostgresBulk::execute_with(bulk, text.to_owned(), values).await,
        }
    }

    /// The rows of a query whose columns are whole numbers and texts.
    pub(in crate::store) async fn rows_with(
        &mut self,
        text: &str,
        values: Vec<Cell>,
    ) -> Result<Vec<Vec<Cell>>> {
        match self {
            Self::Sqlite(bulk) => SqliteBulk::rows_with(bulk, text.to_owned(), values).await,
            Self::Postgres(bulk) => PostgresBulk::rows_with(bulk, text.to_owned(), values).await,
        }
    }
}
