//! The language and zone in which dates and amounts are written.

use chrono_tz::Tz;

use crate::domain::time::Zone;

pub(super) use crate::domain::language::Language;

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
