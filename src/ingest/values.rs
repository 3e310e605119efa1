//! Cells and JSON values to the JSON that is kept, by their declared type. What has no declared type is kept as it
//! is, so that it can be declared later. How a value is read, [`value::read()`] says; it reads what is kept as it
//! would read what it was kept of.
//!
//! | type | kept as |
//! |---|---|
//! | text | text, untouched |
//! | number | number |
//! | boolean | `true`, `false` |
//! | date | text, `2026-03-29` |
//! | datetime | text, RFC 3339 in UTC |
//! | list | array of texts |

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;

use super::reason::Reason;
use crate::domain::json::{self, Token};
use crate::domain::time::Zone;
use crate::domain::value::{self, ValueType};

/// A value may be this long, in bytes of JSON.
pub(super) const LONGEST_VALUE: usize = 10_000;
/// A name on the wire may be this long, in bytes.
pub(super) const LONGEST_NAME: usize = 200;

/// An attribute or property: its name on the wire, and its type where it is declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// Its name on the wire.
    pub(super) wire_name: String,
    /// The same as JSON, with quotes.
    pub(super) key: String,
    /// Its declared type.
    pub(super) value_type: Option<ValueType>,
    /// Its only values, where they are declared.
    pub(super) one_of: Vec<String>,
}

impl Field {
    /// A field; `value_type` is `None` for what is not declared.
    pub(super) fn new(wire_name: &str, value_type: Option<ValueType>, one_of: &[String]) -> Self {
        let key = Value::from(wire_name).to_string();
        Self { wire_name: wire_name.to_owned(), key, value_type, one_of: one_of.to_vec() }
    }
}

/// A value as it stands in a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    /// A cell of a table.
    Cell(&'a str),
    /// A value of a JSON object.
    Json(&'a Value),
}

impl<'a> Given<'a> {
    /// The text, of a cell or of a JSON string.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Cell(text) => Some(text),
            Self::Json(value) => value.as_str(),
        }
    }

    /// The value as text: numbers too, as ids are often written, and booleans.
    pub(super) fn scalar(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Json(value @ (Value::Number(_) | Value::Bool(_))) => Some(Cow::Owned(value.to_string())),
            given => given.text().map(Cow::Borrowed),
        }
    }

    /// Appends the value as it stands in the file, whatever is declared for it: scalars as text, and numbers without
    /// the zeros that a spreadsheet adds or drops.
    pub(super) fn write_plain(self, out: &mut String) {
        let Some(text) = self.scalar() else {
            if let Self::Json(value) = self {
                out.push_str(&value.to_string());
            }
            return;
        };
        let text = text.trim();
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_decimal = text.split_once('.').is_some_and(|(whole, fraction)| {
            is_digits(whole.strip_prefix('-').unwrap_or(whole)) && is_digits(fraction)
        });
        out.push_str(if is_decimal { text.trim_end_matches('0').trim_end_matches('.') } else { text });
    }

    /// The value to be read; what is neither text nor word is written to `json`.
    fn token<'t>(self, json: &'t mut String) -> Option<Token<'t>>
    where
        'a: 't,
    {
        match self {
            Self::Cell(text) => Some(json::plain(text)),
            Self::Json(Value::String(text)) => Some(json::plain(text)),
            Self::Json(value) => {
                write!(json, "{value}").ok()?;
                json::token(json)
            }
        }
    }

    /// Nothing is said: an empty cell. (An empty JSON string is a text, but no number or date.)
    fn is_empty(self, value_type: Option<ValueType>) -> bool {
        let is_blank = |value_type, text| value::says_nothing(value_type, json::plain(text));
        match self {
            Self::Cell("") => true,
            given => {
                value_type.zip(given.text()).is_some_and(|(value_type, text)| is_blank(value_type, text))
            }
        }
    }

    /// A reason with this value.
    pub(super) fn reason(self, kind: String) -> Reason {
        match self.text() {
            Some(text) => Reason::with(kind, text),
            None => match self {
                Self::Json(value) => Reason::with(kind, &value.to_string()),
                Self::Cell(_) => Reason::of(kind),
            },
        }
    }
}

/// Appends the JSON of a value to `out`. `Ok(false)`: nothing is said, and nothing is appended.
/// `column` is what the file calls it.
pub(super) fn write(
    out: &mut String,
    field: &Field,
    given: Given<'_>,
    column: &str,
    zone: Zone,
) -> Result<bool, Reason> {
    if given.is_empty(field.value_type) {
        return Ok(false);
    }
    let start = out.len();
    if write_value(out, field.value_type, given, zone).is_none() {
        out.truncate(start);
        let expected = field.value_type.map_or("a value", expectation);
        return Err(given.reason(format!("`{column}` is not {expected}")));
    }
    if out.len() - start > LONGEST_VALUE {
        out.truncate(start);
        return Err(Reason::of(format!("`{column}` is longer than {LONGEST_VALUE} bytes")));
    }
    let is_another = |value_type| {
        let kept = value::read(value_type, &out[start..], zone);
        kept.is_some_and(|value| !value.is_one_of(&field.one_of))
    };
    if !field.one_of.is_empty() && field.value_type.is_some_and(is_another) {
        out.truncate(start);
        return Err(given.reason(format!("`{column}` is not one of {}", field.one_of.join(", "))));
    }
    Ok(true)
}

fn write_value(out: &mut String, value_type: Option<ValueType>, given: Given<'_>, zone: Zone) -> Option<()> {
    let Some(value_type) = value_type else {
        match given {
            Given::Cell(text) => push_text(out, text),
            Given::Json(value) => write!(out, "{value}").ok()?,
        }
        return Some(());
    };
    let mut json = String::new();
    let token = given.token(&mut json)?;
    if token == Token::Null {
        // `null` takes an attribute away.
        out.push_str("null");
        return Some(());
    }
    match value_type {
        ValueType::Text => push_text(out, &value::token_text(token)?),
        ValueType::Number => write!(out, "{}", value::token_number(token)?).ok()?,
        ValueType::Boolean => write!(out, "{}", value::token_boolean(token)?).ok()?,
        ValueType::Date => write!(out, "\"{}\"", value::token_date(token)?).ok()?,
        ValueType::Datetime => write!(out, "\"{}\"", value::token_datetime(token, zone)?).ok()?,
        ValueType::List => {
            let mut separator = '[';
            value::each_item(token, |item| {
                out.push(separator);
                push_text(out, item);
                separator = ',';
            })?;
            out.push_str(if separator == '[' { "[]" } else { "]" });
        }
    }
    Some(())
}

/// Appends a text as JSON.
pub(super) fn push_text(out: &mut String, text: &str) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

const fn expectation(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Text => "a text",
        ValueType::Number => "a number such as 12.50",
        ValueType::Boolean => "yes or no",
        ValueType::Date => "a date such as 2026-03-29",
        ValueType::Datetime => "a time such as 2026-03-29T09:30:00Z",
        ValueType::List => "a list of texts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value_type: Option<ValueType>, given: Given<'_>) -> String {
        let one_of = if value_type == Some(ValueType::List) {
            ["tennis", "padel", "a"].map(str::to_owned).to_vec()
        } else {
            Vec::new()
        };
        let mut out = String::from("+");
        match write(
            &mut out,
            &Field::new("f", value_type, &one_of),
            given,
            "column",
            chrono_tz::Europe::Paris,
        ) {
            Ok(true) => out[1..].to_owned(),
            Ok(false) => "nothing".to_owned(),
            Err(reason) => {
                assert_eq!(out, "+", "nothing is left of a value that is refused");
                reason.to_string()
            }
        }
    }

    #[test]
    fn cells_are_read_by_their_type() {
        use ValueType::{Boolean, Date, Datetime, List, Text};
        for (value_type, cell, expected) in [
            (None, "007", "\"007\""),
            (None, "", "nothing"),
            (Some(Text), " a\"b\n ", "\" a\\\"b\\n \""),
            (Some(Text), " ", "\" \""),
            (Some(ValueType::Number), "-12.50", "-12.5"),
            (Some(ValueType::Number), " ", "nothing"),
            (Some(ValueType::Number), "12,50", "`column` is not a number such as 12.50: `12,50`"),
            (Some(Boolean), "Yes", "true"),
            (Some(Boolean), "0", "false"),
            (Some(Boolean), "maybe", "`column` is not yes or no: `maybe`"),
            (Some(Date), "1990-02-28", "\"1990-02-28\""),
            (Some(Date), "2026-06-30T22:30:00Z", "\"2026-06-30\""),
            (Some(Date), "28/02/1990", "`column` is not a date such as 2026-03-29: `28/02/1990`"),
            (Some(Datetime), "2026-07-01 12:00", "\"2026-07-01T10:00:00Z\""),
            (Some(List), "tennis; Padel|", "[\"tennis\",\"Padel\"]"),
            (Some(List), r#"["tennis", "padel"]"#, "[\"tennis\",\"padel\"]"),
            (Some(List), "tennis;golf", "`column` is not one of tennis, padel, a: `tennis;golf`"),
            (Some(List), "[tennis", "`column` is not a list of texts: `[tennis`"),
        ] {
            assert_eq!(kept(value_type, Given::Cell(cell)), expected, "{cell}");
        }
        let long = "x".repeat(LONGEST_VALUE);
        assert_eq!(kept(None, Given::Cell(&long)), "`column` is longer than 10000 bytes");
    }

    #[test]
    fn json_values_are_read_by_their_type() {
        use ValueType::{Boolean, Date, List, Number, Text};
        for (value_type, json, expected) in [
            (None, r#"{"a":[1.50,null]}"#, r#"{"a":[1.5,null]}"#),
            (None, "\"\"", "\"\""),
            (Some(Text), "7", "\"7\""),
            (Some(Text), "null", "null"),
            (Some(Text), "[]", "`column` is not a text: `[]`"),
            (Some(Number), "0.30000000000000004", "0.3"),
            (Some(Number), "\"12.5\"", "12.5"),
            (Some(Number), "\"\"", "nothing"),
            (Some(Number), "true", "`column` is not a number such as 12.50: `true`"),
            (Some(Boolean), "true", "true"),
            (Some(Date), "1990", "`column` is not a date such as 2026-03-29: `1990`"),
            (Some(List), r#"["a",5]"#, "`column` is not one of tennis, padel, a: `[\"a\",5]`"),
            (Some(List), "[]", "[]"),
        ] {
            let value: Value = serde_json::from_str(json).expect("JSON");
            assert_eq!(kept(value_type, Given::Json(&value)), expected, "{json}");
        }
    }

    #[test]
    fn what_is_kept_is_read_as_what_it_was_kept_of() {
        let zone = chrono_tz::Europe::Paris;
        for value_type in ValueType::ALL {
            for cell in [
                "1",
                "-0.5",
                "yes",
                "on",
                "2026-03-29",
                "2026-03-29 02:30",
                "1774776600",
                "a;b",
                "[]",
                "é",
                "0.5\n",
                "a\"; \\",
                "[\"a;b\"]",
                "2016-12-31T23:59:60.25Z",
                "-300000000",
                " ;",
                "9999-12-31T23:59:59-01:00",
            ] {
                let (mut declared, mut undeclared) = (String::new(), String::new());
                let keep = |json: &mut String, value_type| {
                    let field = Field::new("f", value_type, &[]);
                    write(json, &field, Given::Cell(cell), "column", zone).is_ok_and(|said| said)
                };
                let is_kept = keep(&mut declared, Some(value_type));
                assert!(keep(&mut undeclared, None), "all is kept that is not declared");
                let later = value::read(value_type, &undeclared, zone);
                assert_eq!(is_kept, later.is_some(), "{value_type:?} {cell}");
                // What is typed is read alike in any zone.
                assert_eq!(
                    value::read(value_type, &declared, chrono_tz::UTC),
                    later,
                    "{value_type:?} {cell}"
                );
            }
        }
    }
}
