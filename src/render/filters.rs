//! The filters that templates have beside Tera's own: `date` and `money`.

use tera::{Error, ErrorKind, Kwargs, Tera, Value};

use super::locale::Language;
use super::{dates, money};

/// Makes the filters known.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("date", dates::date);
    tera.register_filter("money", money::money);
}

/// The argument `language` of a filter.
pub(super) fn language(arguments: &Kwargs) -> Result<Option<Language>, Error> {
    match arguments.get::<&str>("language")? {
        None => Ok(None),
        Some(tag) => Language::of(tag).map(Some).ok_or_else(|| {
            Error::message(format!(
                "`{tag}` is not a language whose dates and amounts are known: en, en-US, fr, de, es, it, nl"
            ))
        }),
    }
}

/// Tera reports this one at the value, and not at the filter.
pub(super) fn wrong_type(expected: &str, value: &Value) -> Error {
    Error::new(ErrorKind::InvalidArgument {
        expected_type: expected.to_owned(),
        actual_type: value.name().to_owned(),
    })
}

/// The filters of Tera and ours, for "did you mean".
pub(super) const NAMES: [&str; 39] = [
    "abs",
    "capitalize",
    "date",
    "default",
    "escape",
    "escape_html",
    "escape_xml",
    "first",
    "float",
    "get",
    "group_by",
    "indent",
    "int",
    "join",
    "keys",
    "last",
    "length",
    "lower",
    "money",
    "newlines_to_br",
    "nth",
    "pairs",
    "pluralize",
    "replace",
    "reverse",
    "round",
    "safe",
    "sort",
    "split",
    "str",
    "title",
    "trim",
    "trim_end",
    "trim_start",
    "truncate",
    "unique",
    "upper",
    "values",
    "wordcount",
];
