//! Languages: how dates and amounts in mails are written, and in which words pages speak.

/// The languages that mails and pages are written in. Others are written as English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// As in Britain.
    English,
    /// Months before days, and a twelve-hour clock.
    AmericanEnglish,
    /// French.
    French,
    /// German.
    German,
    /// Spanish.
    Spanish,
    /// Italian.
    Italian,
    /// Dutch.
    Dutch,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::English,
        Self::AmericanEnglish,
        Self::French,
        Self::German,
        Self::Spanish,
        Self::Italian,
        Self::Dutch,
    ];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::AmericanEnglish => "en-US",
            Self::French => "fr",
            Self::German => "de",
            Self::Spanish => "es",
            Self::Italian => "it",
            Self::Dutch => "nl",
        }
    }

    /// The language of a tag such as `fr`, `fr-CA` or `de_AT`; `None` when it is not known.
    pub fn of(tag: &str) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_read_back() {
        for language in Language::ALL {
            assert_eq!(Language::of(language.tag()), Some(language));
        }
        assert_eq!(Language::of("de_AT"), Some(Language::German));
        assert_eq!(Language::of("pt"), None);
    }
}
