//! How many mails a campaign may send: in a run, in an hour, and before too many of them are refused.

use super::keys::LIMITS;
use crate::yaml::{Field, Fields, Reader};

/// What `limits` say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) max_recipients: Option<u64>,
    pub(super) per_hour: Option<u32>,
    /// In percent.
    pub(super) max_refused: Option<u8>,
}

impl Limits {
    /// What these say, else what `others` say.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            max_recipients: self.max_recipients.or(others.max_recipients),
            per_hour: self.per_hour.or(others.per_hour),
            max_refused: self.max_refused.or(others.max_refused),
        }
    }
}

pub(super) fn read(reader: &mut Reader, field: Field<'_>) -> Option<Limits> {
    let fields = Fields::read(reader, field.value, "`limits`", &field.name.place, &LIMITS)?;
    let mut whole = |name: &'static str, most: u64| {
        fields.get(name).and_then(|field| reader.whole(field.value, &field.subject(), 1, most))
    };
    Some(Limits {
        max_recipients: whole("max_recipients", u64::MAX),
        per_hour: whole("per_hour", u32::MAX.into()).and_then(|count| count.try_into().ok()),
        max_refused: whole("max_refused", 100).and_then(|percent| percent.try_into().ok()),
    })
}
