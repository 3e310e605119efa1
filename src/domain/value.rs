//! Values of attributes, properties and traits, and the types that users declare for them.

use chrono::NaiveDate;

use super::number::Number;
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
#[derive(Debug, Clone, PartialEq)]
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

/// Reads one JSON value (any valid JSON text) as the declared type; `None` when it does not fit,
/// which counts as missing. See [`from_text`] for what is understood beside the obvious.
pub fn read(_value_type: ValueType, _json: &str) -> Option<Value> {
    todo!()
}

/// Reads a bare text (a CSV cell, the content of a JSON string) as the declared type.
pub fn from_text(_value_type: ValueType, _text: &str) -> Option<Value> {
    todo!()
}
