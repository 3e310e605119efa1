//! What the two databases spell differently. Everything else is one text for both, with `$1`, `$2` …
//! for its values.

use super::Backend;

/// The type of a column of [`given_rows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// A whole number.
    Number,
    /// Text.
    Text,
}

/// A table of rows that are given as one value: `$n`, the text of a JSON array of arrays. So one
/// statement takes any number of rows, and is prepared once.
///
/// ```text
/// (WITH given_rows AS MATERIALIZED (SELECT value AS cells FROM json_each($1))
///  SELECT cells ->> 0 AS id, cells ->> 1 AS word FROM given_rows)
/// (SELECT (value ->> 0)::bigint AS id, value ->> 1 AS word FROM json_array_elements($1::json))
/// ```
pub(super) fn given_rows(backend: Backend, placeholder: usize, columns: &[(&str, Column)]) -> String {
    let cells: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, (name, column))| match (backend, column) {
            (Backend::Postgres, Column::Number) => format!("(value ->> {index})::bigint AS {name}"),
            (Backend::Postgres, Column::Text) => format!("value ->> {index} AS {name}"),
            (Backend::Sqlite, _) => format!("cells ->> {index} AS {name}"),
        })
        .collect();
    let cells = cells.join(", ");
    match backend {
        // Else each row would be written as a text anew for each of its cells.
        Backend::Sqlite => format!(
            "(WITH given_rows AS MATERIALIZED (SELECT value AS cells FROM json_each(${placeholder}))
              SELECT {cells} FROM given_rows)"
        ),
        Backend::Postgres => format!("(SELECT {cells} FROM json_array_elements(${placeholder}::json))"),
    }
}

/// A table with one column of numbers, given as one value: `$n`, the text of a JSON array.
pub(super) fn given_numbers(backend: Backend, placeholder: usize, name: &str) -> String {
    match backend {
        Backend::Sqlite => format!("(SELECT value AS {name} FROM json_each(${placeholder}))"),
        Backend::Postgres => {
            format!("(SELECT value::bigint AS {name} FROM json_array_elements_text(${placeholder}::json))")
        }
    }
}

/// A table with one column of texts, given as one value: `$n`, the text of a JSON array.
pub(super) fn given_texts(backend: Backend, placeholder: usize, name: &str) -> String {
    match backend {
        Backend::Sqlite => format!("(SELECT value AS {name} FROM json_each(${placeholder}))"),
        Backend::Postgres => {
            format!("(SELECT value AS {name} FROM json_array_elements_text(${placeholder}::json))")
        }
    }
}

/// At the end of a `SELECT` whose rows are about to be changed: rows that somebody else is changing
/// are passed over. `SQLite` has one writer at a time anyway.
pub(super) const fn passing_over_locked_rows(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR UPDATE SKIP LOCKED",
    }
}

/// A join whose left side is read first. `SQLite` takes `CROSS JOIN` as an order; `PostgreSQL` has
/// statistics of its own.
pub(super) const fn join_in_this_order(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "CROSS JOIN",
        Backend::Postgres => "JOIN",
    }
}

/// At the end of a `SELECT` of a row that must stay as it is until the end of the transaction.
pub(super) const fn kept_as_it_is(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR SHARE",
    }
}

/// Now, in microseconds, by the clock by which leases run: on `PostgreSQL`, where several machines share the work, the
/// database's; on `SQLite`, where there is one sender, what is `given` ($n).
pub(super) fn lease_clock(backend: Backend, given: &str) -> String {
    match backend {
        Backend::Sqlite => given.to_owned(),
        Backend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)".to_owned(),
    }
}
