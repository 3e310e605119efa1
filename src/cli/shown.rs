//! How times, shares and tables look.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use serde_json::{Value as Json, json};

use crate::domain::calendar;
use crate::domain::number::Number;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value;

pub(super) use crate::report::printable;

/// `2026-10-01 09:00 Europe/Paris`.
pub(super) fn time(at: Timestamp, zone: Zone) -> String {
    format!("{} {zone}", calendar::local(at, zone).format("%Y-%m-%d %H:%M"))
}

/// `12.5 %` of a whole; `0 %` of nothing.
pub(super) fn share(part: u64, whole: u64) -> String {
    format!("{:.1} %", ratio(part, whole) * 100.0)
}

/// A part of a whole as a number from 0 to 1; 0 of nothing.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A table without lines: columns whose head begins with `#` are numbers. Ends in a line break.
pub(super) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.iter().map(|name| aligned(name.trim_start_matches('#'), name)));
    for row in rows {
        table.add_row(row.iter().zip(head).map(|(text, name)| aligned(text, name)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    lines(table.lines().map(|line| line.trim_end().to_owned()))
}

/// A value as programs read it.
pub(super) fn value_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => number_json(*number),
        Value::Boolean(answer) => json!(answer),
        Value::Date(day) => json!(day.to_string()),
        Value::Datetime(at) => json!(at.to_string()),
        Value::List(items) => json!(items),
    }
}

/// As a number where a double holds it, so that programs can count with it.
pub(super) fn number_json(number: Number) -> Json {
    serde_json::from_str(&number.to_string()).unwrap_or_else(|_| json!(number.to_string()))
}

/// Lines as one text; each ends in a line break.
pub(super) fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + &line + "\n")
}

fn aligned(text: &str, head: &str) -> Cell {
    let alignment = if head.starts_with('#') { CellAlignment::Right } else { CellAlignment::Left };
    Cell::new(printable(text)).set_alignment(alignment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_plain_and_harmless() {
        let table = table(
            &["name", "#members"],
            [vec!["vip".to_owned(), "12".to_owned()], vec!["\u{1b}[2Jé".to_owned(), "3400".to_owned()]],
        );
        insta::assert_snapshot!(table, @r"
        name   members
        vip         12
        �[2Jé     3400
        ");
        assert_eq!((share(1, 8), share(0, 0)), ("12.5 %".to_owned(), "0.0 %".to_owned()));
    }
}
