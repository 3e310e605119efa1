//! What a contact agreed to.

use super::time::Timestamp;

/// What a consent is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To be sent marketing mail.
    Marketing,
    /// To have opens and clicks recorded.
    Tracking,
}

impl Purpose {
    /// The word for it in declarations and columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Tracking => "tracking",
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ConsentState {
    /// Agreed.
    Yes,
    /// Refused or withdrawn.
    No,
    /// Never asked, or the answer is not known.
    #[default]
    Unknown,
}

impl ConsentState {
    /// The word for it in declarations and columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// Reads `yes`, `no`, `unknown`, and what systems export for them (`true`, `1`, `false`, `0`,
    /// `y`, `n`; nothing at all is unknown); in any case of letters.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" | "y" => Some(Self::Yes),
            "no" | "false" | "0" | "n" => Some(Self::No),
            "unknown" | "" => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The number under which the database keeps it.
    pub const fn code(self) -> i16 {
        match self {
            Self::Unknown => 0,
            Self::Yes => 1,
            Self::No => 2,
        }
    }

    /// The state of a [`code`](Self::code); what is no code is unknown.
    pub const fn from_code(code: i16) -> Self {
        match code {
            1 => Self::Yes,
            2 => Self::No,
            _ => Self::Unknown,
        }
    }
}

/// How a person answered for themselves, by what stands in their mails. It is the source of the answer in
/// the history, and of the suppression that it makes; only such a suppression they can take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnAnswer {
    /// The page behind the unsubscribe link.
    UnsubscribePage,
    /// The button of a mail program (RFC 8058).
    OneClick,
    /// The page of preferences.
    PreferencesPage,
}

impl OwnAnswer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::UnsubscribePage, Self::OneClick, Self::PreferencesPage];

    /// The word for it, as a source.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnsubscribePage => "unsubscribe page",
            Self::OneClick => "one-click",
            Self::PreferencesPage => "preferences page",
        }
    }

    /// Whether a source is one of these.
    pub fn is_source(source: &str) -> bool {
        Self::ALL.iter().any(|own| own.word() == source)
    }
}

/// A consent as it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consent {
    /// The answer.
    pub state: ConsentState,
    /// Since when; `None` while it is unknown.
    pub since: Option<Timestamp>,
}
