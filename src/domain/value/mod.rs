//! Values of attributes, properties and traits, and the types that users declare for them.
//!
//! There is one reader of values ([`read`](read())): what an import, a call of the API and a declaration that
//! comes later make of the same data is the same.
//!
//! | file | what it does |
//! |---|---|
//! | `read` | JSON and texts to values of a declared type |
//! | `instant` | times as systems write them |

mod instant;
mod read;

use chrono::NaiveDate;

use super::number::Number;
use super::text::fold;
use super::time::Timestamp;

pub(crate) use instant::by_calendar;
pub use instant::instant;
pub use read::{boolean, date, fits, of_token, read, says_nothing};
pub(crate) use read::{each_item, token_boolean, token_date, token_datetime, token_number, token_text};

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
    /// Whether all that it says is among these texts, compared as conditions compare. Only texts and lists are
    /// declared so; what is neither is not among them.
    pub fn is_one_of(&self, allowed: &[String]) -> bool {
        let is_allowed = |text: &String| allowed.iter().any(|one| one == text || fold(one) == fold(text));
        match self {
            Self::Text(text) => is_allowed(text),
            Self::List(items) => items.iter().all(is_allowed),
            _ => false,
        }
    }

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
