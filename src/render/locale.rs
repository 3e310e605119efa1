//! The language and zone in which dates and amounts are written.

use chrono_tz::Tz;

use crate::domain::time::Zone;

/// Languages whose dates and amounts are known. Others are written as in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    /// Months before days, and a twelve-hour clock.
    AmericanEnglish,
    French,
    German,
    Spanish,
    Italian,
    Dutch,
}

impl Language {
    /// The language of a tag such as `fr`, `fr-CA` or `de_AT`; `None` when it is not known.
    pub(super) fn of(tag: &str) -> Option<Self> {
        let mut subtags = tag.split(['-', '_']);
        let language = subtags.next()?.to_ascii_lowercase();
        Some(match language.as_str() {
            "en" if subtags.any(|subtag| subtag.eq_ignore_ascii_case("us")) => Self::AmericanEnglish,
            "en" => Self::English,
            "fr" => Self::French,
            "de" => Self::German,
            "es" => Self::Spanish,
            "it" => Self::Italian,
            "nl" => Self::Dutch,
            _ => return None,
        })
    }
}

/// The language and zone of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locale {
    pub(super) language: Language,
    pub(super) zone: Zone,
}

impl Locale {
    /// Where nothing is known.
    pub(super) const PLAIN: Self = Self { language: Language::English, zone: Tz::UTC };
}
