//! Runs statements and says which operation failed.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement, TryGetable, Value};

use super::error::failed;
use super::{Backend, Result};

/// The values of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(sea_orm::Value::from($value)),*] };
}
pub(super) use values;

fn statement(connection: &impl ConnectionTrait, text: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(connection.get_database_backend(), text, values)
}

/// Runs a statement; says how many rows it changed.
pub(super) async fn execute(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    text: &str,
    values: Vec<Value>,
) -> Result<u64> {
    let result = connection.execute_raw(statement(connection, text, values)).await;
    Ok(result.map_err(failed(operation))?.rows_affected())
}

/// All rows of a query.
pub(super) async fn query(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    text: &str,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>> {
    connection.query_all_raw(statement(connection, text, values)).await.map_err(failed(operation))
}

/// All rows of a query, each as a `T`, column by column name.
pub(super) async fn query_as<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    text: &str,
    values: Vec<Value>,
) -> Result<Vec<T>> {
    let rows = query(connection, operation, text, values).await?;
    rows.iter().map(|row| T::from_query_result(row, "").map_err(failed(operation))).collect()
}

/// The first column of the first row of a query that always has one.
pub(super) async fn query_value<T: TryGetable>(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    text: &str,
    values: Vec<Value>,
) -> Result<T> {
    let row =
        connection.query_one_raw(statement(connection, text, values)).await.map_err(failed(operation))?;
    let row = row.ok_or_else(|| failed(operation)(sea_orm::DbErr::RecordNotFound("no row".to_owned())))?;
    row.try_get_by_index(0).map_err(failed(operation))
}

/// The first column of all rows of a query.
pub(super) async fn query_column<T: TryGetable>(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    text: &str,
    values: Vec<Value>,
) -> Result<Vec<T>> {
    let rows = query(connection, operation, text, values).await?;
    rows.iter().map(|row| row.try_get_by_index(0).map_err(failed(operation))).collect()
}

/// The kind of database behind a connection.
pub(super) fn backend_of(connection: &impl ConnectionTrait) -> Backend {
    match connection.get_database_backend() {
        DbBackend::Sqlite => Backend::Sqlite,
        _ => Backend::Postgres,
    }
}

/// Numbers as the JSON array that [`given_numbers`](super::dialect::given_numbers) reads.
pub(super) fn numbers_json(numbers: impl IntoIterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for (index, number) in numbers.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}
