//! Reads values by their declared type: what an import finds in a cell or a line, what is kept of a call, and
//! what was kept before anybody declared it.
//!
//! | type | from |
//! |---|---|
//! | text | a text; a number or boolean as it is written |
//! | number | a number, or a text that is one: `12`, `-12.50`, `1e3` |
//! | boolean | `true`, `false`; as text or number: [`boolean`] |
//! | date | a text: [`date`] |
//! | datetime | a text or number: [`instant`](super::instant()), local times in a zone that the reader says |
//! | list | an array of texts, numbers and booleans (`null` in it is left out), also as a text; one of these; a text of items that `\|` or `;` separate |
//!
//! A blank text is no value of any type but text: nothing is said.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde_json::value::RawValue;

use super::instant::{day_of_calendar, instant, of_number};
use super::{Value, ValueType};
use crate::domain::json::{self, Token};
use crate::domain::number::Number;
use crate::domain::time::{Timestamp, Zone};

/// Reads one JSON value as the declared type; `None` when it does not fit, which counts as missing. Local
/// times are in `zone`.
pub fn read(value_type: ValueType, json: &str, zone: Zone) -> Option<Value> {
    of_token(value_type, json::token(json)?, zone)
}

/// As [`read`], of a value that is found already.
pub fn of_token(value_type: ValueType, token: Token<'_>, zone: Zone) -> Option<Value> {
    Some(match value_type {
        ValueType::Text => Value::Text(token_text(token)?.into_owned()),
        ValueType::Number => Value::Number(token_number(token)?),
        ValueType::Boolean => Value::Boolean(token_boolean(token)?),
        ValueType::Date => Value::Date(token_date(token)?),
        ValueType::Datetime => Value::Datetime(token_datetime(token, zone)?),
        ValueType::List => {
            let mut items = Vec::new();
            each_item(token, |item| items.push(item.to_owned()))?;
            Value::List(items)
        }
    })
}

/// Whether [`read`] makes a value of it.
pub fn fits(value_type: ValueType, token: Token<'_>, zone: Zone) -> bool {
    match value_type {
        ValueType::Text => token_text(token).is_some(),
        ValueType::Number => token_number(token).is_some(),
        ValueType::Boolean => token_boolean(token).is_some(),
        ValueType::Date => token_date(token).is_some(),
        ValueType::Datetime => token_datetime(token, zone).is_some(),
        ValueType::List => each_item(token, |_| ()).is_some(),
    }
}

/// Whether there is nothing to read: null, or a blank text that is none of the type `text`.
pub fn says_nothing(value_type: ValueType, token: Token<'_>) -> bool {
    match token {
        Token::Null => true,
        Token::Text(text) => value_type != ValueType::Text && text.decode().trim().is_empty(),
        _ => false,
    }
}

/// A JSON value as a text.
pub(crate) fn token_text(token: Token<'_>) -> Option<Cow<'_, str>> {
    match token {
        Token::Text(text) => Some(text.decode()),
        Token::Number(raw) => Some(Cow::Borrowed(raw)),
        Token::Boolean(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
        Token::Null | Token::Array(_) | Token::Object(_) => None,
    }
}

/// A JSON value as a number.
pub(crate) fn token_number(token: Token<'_>) -> Option<Number> {
    match token {
        Token::Number(raw) => Number::parse(raw).ok(),
        Token::Text(text) => Number::parse(&text.decode()).ok(),
        _ => None,
    }
}

/// A JSON value as a boolean.
pub(crate) fn token_boolean(token: Token<'_>) -> Option<bool> {
    match token {
        Token::Boolean(value) => Some(value),
        Token::Number(raw) => boolean(raw),
        Token::Text(text) => boolean(&text.decode()),
        _ => None,
    }
}

/// A JSON value as a day.
pub(crate) fn token_date(token: Token<'_>) -> Option<NaiveDate> {
    match token {
        Token::Text(text) => date(&text.decode()),
        _ => None,
    }
}

/// A JSON value as an instant.
pub(crate) fn token_datetime(token: Token<'_>, zone: Zone) -> Option<Timestamp> {
    match token {
        Token::Text(text) => instant(&text.decode(), zone),
        Token::Number(raw) => of_number(raw),
        _ => None,
    }
}

/// A JSON value as a list, item by item. `None`: it is none, though `take` may have got some items.
pub(crate) fn each_item(token: Token<'_>, mut take: impl FnMut(&str)) -> Option<()> {
    match token {
        Token::Array(array) => items_of_array(array, take),
        Token::Text(text) => items_of_text(&text.decode(), take),
        single => {
            take(&token_text(single)?);
            Some(())
        }
    }
}

fn items_of_array(array: &str, mut take: impl FnMut(&str)) -> Option<()> {
    let mut items = json::items(array).filter(|item| *item != Token::Null);
    items.try_for_each(|item| {
        take(&token_text(item)?);
        Some(())
    })
}

fn items_of_text(text: &str, take: impl FnMut(&str)) -> Option<()> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.starts_with('[') {
        serde_json::from_str::<Vec<&RawValue>>(text).ok()?;
        return items_of_array(text, take);
    }
    text.split(['|', ';']).map(str::trim).filter(|item| !item.is_empty()).for_each(take);
    Some(())
}

/// Reads `true`, `yes`, `y`, `t`, `on`, `1` and `false`, `no`, `n`, `f`, `off`, `0`, in any case of
/// letters.
pub fn boolean(text: &str) -> Option<bool> {
    let text = text.trim();
    let one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if one_of(&["true", "yes", "y", "t", "on", "1"]) {
        return Some(true);
    }
    one_of(&["false", "no", "n", "f", "off", "0"]).then_some(false)
}

/// Reads `2026-03-29`, also where a time of day follows, which is not looked at.
pub fn date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let rest = text.get(10..)?.as_bytes();
    match rest {
        [] | [b'T' | b't' | b' ', b'0'..=b'9', ..] => day_of_calendar(&text.as_bytes()[..10]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads and says what came out; `-` for nothing.
    fn check(value_type: ValueType, cases: &[(&str, &str)]) {
        for (json, expected) in cases {
            let read = match read(value_type, json, chrono_tz::Europe::Paris) {
                None => "-".to_owned(),
                Some(Value::Text(text)) => text,
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Boolean(value)) => value.to_string(),
                Some(Value::Date(day)) => day.to_string(),
                Some(Value::Datetime(at)) => at.to_string(),
                Some(Value::List(items)) => items.join("|"),
            };
            assert_eq!(read, *expected, "{value_type:?} {json}");
        }
    }

    #[test]
    fn values_are_read_leniently_by_their_declared_type() {
        check(
            ValueType::Text,
            &[
                (r#""a\u00e9""#, "aé"),
                ("75016", "75016"),
                ("1.50", "1.50"),
                ("true", "true"),
                ("null", "-"),
                ("[]", "-"),
            ],
        );
        check(
            ValueType::Number,
            &[
                ("1.50", "1.5"),
                (r#"" 12 ""#, "12"),
                (r#""12 €""#, "-"),
                ("1e3", "1000"),
                ("true", "-"),
                ("{}", "-"),
            ],
        );
        check(
            ValueType::Boolean,
            &[
                ("true", "true"),
                (r#""Yes""#, "true"),
                ("1", "true"),
                (r#""off""#, "false"),
                ("0", "false"),
                ("2", "-"),
                (r#""""#, "-"),
            ],
        );
        check(
            ValueType::Date,
            &[
                (r#""2026-02-28""#, "2026-02-28"),
                (r#"" 2024-02-29T23:59:59Z""#, "2024-02-29"),
                (r#""2026-02-29""#, "-"),
                (r#""2026-02-28x""#, "-"),
                (r#""28.02.2026""#, "-"),
                ("20260228", "-"),
                (r#""2026-2-3""#, "-"),
                (r#""é026-02-28""#, "-"),
            ],
        );
        check(
            ValueType::Datetime,
            &[
                (r#""2026-03-29T01:30:00+02:00""#, "2026-03-28T23:30:00Z"),
                (r#""2026-07-01 12:00""#, "2026-07-01T10:00:00Z"),
                (r#""2026-07-01""#, "2026-06-30T22:00:00Z"),
                (r#""2016-12-31T23:59:60Z""#, "2017-01-01T00:00:00Z"),
                ("1473889200", "2016-09-14T21:40:00Z"),
                ("1473889200.5", "2016-09-14T21:40:00.500Z"),
                ("1473889200000", "2016-09-14T21:40:00Z"),
                ("1.4738892e9", "2016-09-14T21:40:00Z"),
                (r#""1473889200""#, "2016-09-14T21:40:00Z"),
                ("20260329", "-"),
                (r#""2026-03-29T24:00:00Z""#, "-"),
                ("true", "-"),
            ],
        );
        check(
            ValueType::List,
            &[
                (r#"["a", 1, true, null, "a"]"#, "a|1|true|a"),
                (r#""tennis""#, "tennis"),
                ("7", "7"),
                (r#"" tennis; Padel|""#, "tennis|Padel"),
                (r#"["a;b", " c "]"#, "a;b| c "),
                (r#""[\"a\", 1, null]""#, "a|1"),
                (r#"" [ ] ""#, ""),
                (r#"";""#, ""),
                (r#"" ""#, "-"),
                (r#""[tennis""#, "-"),
                (r#""[[\"a\"]]""#, "-"),
                ("{}", "-"),
                (r#"["a", ["b"]]"#, "-"),
                ("null", "-"),
                ("[]", ""),
            ],
        );
    }

    #[test]
    fn what_says_nothing_is_no_misfit() {
        for value_type in ValueType::ALL {
            for (json, silent) in [("null", true), (r#"" \t""#, value_type != ValueType::Text), ("0", false)]
            {
                let token = json::token(json).expect("JSON");
                assert_eq!(says_nothing(value_type, token), silent, "{value_type:?} {json}");
                let read = of_token(value_type, token, chrono_tz::UTC);
                assert_eq!(fits(value_type, token, chrono_tz::UTC), read.is_some(), "{value_type:?} {json}");
            }
        }
    }
}
