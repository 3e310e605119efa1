//! Values of ours as templates find them.
//!
//! | ours | in a template |
//! |---|---|
//! | text, boolean, list | the same |
//! | number | a number; as text where a binary fraction would not show it exactly |
//! | score | a number with two places |
//! | date | `2026-12-24` |
//! | datetime | RFC 3339 in the contact's zone: `2026-12-24T09:00:00+01:00` |
//! | missing | undefined |

use tera::Value as TeraValue;

use crate::domain::number::{Number, ONE};
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value;

/// A value of ours; instants are shown in `zone`.
pub(super) fn of_value(value: &Value, zone: Zone) -> TeraValue {
    match value {
        Value::Text(text) => TeraValue::from(text.as_str()),
        Value::Number(number) => of_number(*number),
        Value::Boolean(boolean) => TeraValue::from(*boolean),
        Value::Date(date) => TeraValue::from(date.to_string()),
        Value::Datetime(at) => of_instant(*at, zone),
        Value::List(items) => {
            TeraValue::from(items.iter().map(|item| TeraValue::from(item.as_str())).collect::<Vec<_>>())
        }
    }
}

/// A score, with two places: nobody reads more.
pub(super) fn of_score(value: f64) -> TeraValue {
    let number = Number::parse(&format!("{value:.2}"));
    number.map_or_else(|_| TeraValue::from(value), of_number)
}

fn of_number(number: Number) -> TeraValue {
    if number.millionths() % ONE == 0 {
        return TeraValue::from(number.millionths() / ONE);
    }
    // Up to 15 digits a binary fraction shows as the decimal that it stands for; beyond, and below
    // 0.00001, Tera would show something else.
    let float = TeraValue::from(number.to_f64());
    let text = number.to_string();
    if float.to_string() == text { float } else { TeraValue::from(text) }
}

/// An instant in a zone, to the second.
pub(super) fn of_instant(at: Timestamp, zone: Zone) -> TeraValue {
    let local = at.to_utc().with_timezone(&zone);
    TeraValue::from(local.to_rfc3339_opts(chrono::SecondsFormat::Secs, false))
}

/// The number in a template's value; `None` when it is none.
pub(super) fn to_number(value: &TeraValue) -> Option<Number> {
    if let Some(text) = value.as_str() {
        return Number::parse(text).ok();
    }
    if let Some(float) = value.as_number().filter(tera::Number::is_float) {
        return Number::parse(&float.as_float().to_string()).ok();
    }
    Number::from_whole(i64::try_from(value.as_i128()?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::value::{ValueType, read};

    #[test]
    fn numbers_come_through_exactly() {
        for text in ["0", "-3", "1234.5", "0.1", "999999999.999999", "9223372036854.775807", "-0.000001"] {
            let number = Number::parse(text).expect("a number");
            let value = of_number(number);
            assert_eq!(value.to_string(), text);
            assert_eq!(to_number(&value), Some(number), "{text}");
        }
        assert_eq!(to_number(&TeraValue::from(0.1 + 0.2)), Number::parse("0.3").ok());
        for value in
            [TeraValue::from("ten"), TeraValue::from(true), TeraValue::from(f64::NAN), TeraValue::none()]
        {
            assert_eq!(to_number(&value), None, "{value}");
        }
    }

    #[test]
    fn raw_attributes_are_read_by_their_type() {
        let zone = Zone::Europe__Paris;
        for (value_type, json, expected) in [
            (ValueType::Text, r#""Zo\u00eb""#, Some("Zoë")),
            (ValueType::Text, "12", Some("12")),
            (ValueType::Number, "12.50", Some("12.5")),
            (ValueType::Number, r#""many""#, None),
            (ValueType::Boolean, "true", Some("true")),
            (ValueType::Date, r#""1990-02-28""#, Some("1990-02-28")),
            (ValueType::Datetime, r#""2026-07-01T07:00:00Z""#, Some("2026-07-01T09:00:00+02:00")),
            (ValueType::Datetime, r#""2026-07-01 07:00""#, Some("2026-07-01T09:00:00+02:00")),
            (ValueType::List, r#"["a", "b"]"#, Some(r#"["a", "b"]"#)),
            (ValueType::List, r#""a; b""#, Some(r#"["a", "b"]"#)),
            (ValueType::Text, "null", None),
        ] {
            let value = read(value_type, json, Zone::UTC).map(|value| of_value(&value, zone).to_string());
            assert_eq!(value.as_deref(), expected, "{json}");
        }
    }
}
