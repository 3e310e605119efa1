//! Values of attributes, properties and traits, and the types that users declare for them.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::json::{self, Token};
use super::number::{self, Number};
use super::time::Timestamp;

/// The declared type of an attribute or property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text, compared after NFC and simple case folding.
    Text,
    /// A decimal number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A day of the calendar, without a zone.
    Date,
    /// An instant.
    Datetime,
    /// A list of texts.
    List,
}

impl ValueType {
    /// All types, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Number, Self::Boolean, Self::Date, Self::Datetime, Self::List];

    /// The word for it in a declaration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::List => "list",
        }
    }
}

/// A value that fits its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// See [`ValueType::Text`].
    Text(String),
    /// See [`ValueType::Number`].
    Number(Number),
    /// See [`ValueType::Boolean`].
    Boolean(bool),
    /// See [`ValueType::Date`].
    Date(NaiveDate),
    /// See [`ValueType::Datetime`].
    Datetime(Timestamp),
    /// See [`ValueType::List`].
    List(Vec<String>),
}

impl Value {
    /// The type it fits.
    pub const fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Number(_) => ValueType::Number,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Date(_) => ValueType::Date,
            Self::Datetime(_) => ValueType::Datetime,
            Self::List(_) => ValueType::List,
        }
    }
}

/// Reads one JSON value as the declared type; `None` when it does not fit, which counts as missing.
///
/// | type | from |
/// |---|---|
/// | text | a text; a number or boolean as it is written |
/// | number | a number, or a text that is one |
/// | boolean | `true`, `false`; as text or number: [`boolean`] |
/// | date | a text: [`date`] |
/// | datetime | a text: [`datetime`]; a number: seconds since 1970, from 10¹¹ on milliseconds |
/// | list | an array of texts, numbers and booleans (`null` in it is left out), or one of these |
pub fn read(value_type: ValueType, json: &str) -> Option<Value> {
    of_token(value_type, json::token(json)?)
}

/// As [`read`], of a value that is found already.
pub(crate) fn of_token(value_type: ValueType, token: Token<'_>) -> Option<Value> {
    Some(match value_type {
        ValueType::Text => Value::Text(token_text(token)?.into_owned()),
        ValueType::Number => Value::Number(token_number(token)?),
        ValueType::Boolean => Value::Boolean(token_boolean(token)?),
        ValueType::Date => Value::Date(token_date(token)?),
        ValueType::Datetime => Value::Datetime(token_datetime(token)?),
        ValueType::List => {
            Value::List(token_list(token).map(|item| item.map(Cow::into_owned)).collect::<Option<_>>()?)
        }
    })
}

/// Whether [`read`] makes a value of it.
pub fn fits(value_type: ValueType, token: Token<'_>) -> bool {
    match value_type {
        ValueType::Text => token_text(token).is_some(),
        ValueType::Number => token_number(token).is_some(),
        ValueType::Boolean => token_boolean(token).is_some(),
        ValueType::Date => token_date(token).is_some(),
        ValueType::Datetime => token_datetime(token).is_some(),
        ValueType::List => token_list(token).all(|item| item.is_some()),
    }
}

/// Reads a bare text (a CSV cell, the content of a JSON text) as the declared type.
pub fn from_text(value_type: ValueType, text: &str) -> Option<Value> {
    Some(match value_type {
        ValueType::Text => Value::Text(text.to_owned()),
        ValueType::Number => Value::Number(Number::parse(text).ok()?),
        ValueType::Boolean => Value::Boolean(boolean(text)?),
        ValueType::Date => Value::Date(date(text)?),
        ValueType::Datetime => Value::Datetime(datetime(text)?),
        ValueType::List => Value::List(vec![text.to_owned()]),
    })
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
pub(crate) fn token_datetime(token: Token<'_>) -> Option<Timestamp> {
    /// 10¹¹ seconds are the year 5138, 10¹¹ milliseconds are 1973.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    match token {
        Token::Text(text) => datetime(&text.decode()),
        Token::Number(raw) => {
            let micros = Number::parse(raw).ok()?.millionths();
            let milliseconds = (micros / number::ONE).abs() >= MILLISECONDS_FROM;
            Some(Timestamp::from_micros(if milliseconds { micros / 1_000 } else { micros }))
        }
        _ => None,
    }
}

/// A JSON value as a list; `None` among the items: it is none.
pub(crate) fn token_list(token: Token<'_>) -> impl Iterator<Item = Option<Cow<'_, str>>> {
    let (array, single) = match token {
        Token::Array(array) => (array, None),
        single => ("[]", Some(single)),
    };
    json::items(array).filter(|item| *item != Token::Null).chain(single).map(token_text)
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

/// Reads an instant of RFC 3339, as far as it is written: `T` may be a space; seconds, their fraction
/// and the whole time of day may be absent; without an offset it is UTC. An offset is `Z`, `UTC`,
/// `+02:00`, `+0200` or `+02`. What is finer than microseconds is cut off.
pub fn datetime(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let day = day_of_calendar(text.as_bytes().get(..10)?)?;
    let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    let rest = text.get(10..)?;
    let Some(time) = rest.strip_prefix(['T', 't', ' ']) else {
        return rest.is_empty().then(|| Timestamp::from_seconds(midnight));
    };
    let clock_ends = time.find(|character: char| !matches!(character, '0'..='9' | ':' | '.'));
    let (clock, offset) = time.split_at(clock_ends.unwrap_or(time.len()));
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let (hours, minutes, seconds) = match whole.as_bytes() {
        [h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?, 0),
        [h1, h2, b':', m1, m2, b':', s1, s2] => (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?),
        _ => return None,
    };
    // A leap second (60) is the first of the next minute.
    if hours > 23 || minutes > 59 || seconds > 60 || clock.ends_with('.') || fraction.contains([':', '.']) {
        return None;
    }
    let micros =
        fraction.bytes().chain([b'0'; 6]).take(6).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let second = midnight + hours * 3_600 + minutes * 60 + seconds - seconds_east(offset.trim_start())?;
    Some(Timestamp::from_micros(second * 1_000_000 + micros))
}

/// `Z`, `UTC`, nothing, `±hh`, `±hhmm`, `±hh:mm`.
fn seconds_east(offset: &str) -> Option<i64> {
    let (sign, digits) = match offset.as_bytes() {
        [] | [b'Z' | b'z'] | [b'U', b'T', b'C'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h1, h2] => (two(*h1, *h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn day_of_calendar(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    NaiveDate::from_ymd_opt(year as i32, two(*m1, *m2)? as u32, two(*d1, *d2)? as u32)
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads and says what came out; `-` for nothing.
    fn check(value_type: ValueType, cases: &[(&str, &str)]) {
        for (json, expected) in cases {
            let read = match read(value_type, json) {
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
                (r#""2026-03-29 01:30""#, "2026-03-29T01:30:00Z"),
                (r#""2026-03-29t01:30:00.1234567z""#, "2026-03-29T01:30:00.123456Z"),
                (r#""2026-03-29 01:30:00 UTC""#, "2026-03-29T01:30:00Z"),
                (r#""2026-03-29 01:30:00-0530""#, "2026-03-29T07:00:00Z"),
                (r#""2026-03-29 01:30:00+02""#, "2026-03-28T23:30:00Z"),
                (r#""2026-03-29""#, "2026-03-29T00:00:00Z"),
                (r#""2016-12-31T23:59:60Z""#, "2017-01-01T00:00:00Z"),
                ("1473889200", "2016-09-14T21:40:00Z"),
                ("1473889200.5", "2016-09-14T21:40:00.500Z"),
                ("1473889200000", "2016-09-14T21:40:00Z"),
                (r#""1473889200""#, "-"),
                (r#""2026-03-29T24:00:00Z""#, "-"),
                (r#""2026-03-29T01:30:00.""#, "-"),
                (r#""2026-03-29T01:30:00+2""#, "-"),
                (r#""2026-03-29T""#, "-"),
                (r#""2026-03-29T1:30""#, "-"),
            ],
        );
        check(
            ValueType::List,
            &[
                (r#"["a", 1, true, null, "a"]"#, "a|1|true|a"),
                (r#""tennis""#, "tennis"),
                (r#"["a", ["b"]]"#, "-"),
                ("null", "-"),
                ("[]", ""),
            ],
        );
    }

    #[test]
    fn bare_texts_are_read_like_json_texts() {
        assert_eq!(from_text(ValueType::Text, "007"), Some(Value::Text("007".to_owned())));
        assert_eq!(from_text(ValueType::Boolean, "no"), Some(Value::Boolean(false)));
        assert_eq!(from_text(ValueType::Number, "n/a"), None);
    }
}
