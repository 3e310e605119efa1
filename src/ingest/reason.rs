//! Why a row was rejected, in words for the person who has to mend it.

use std::borrow::Cow;
use std::fmt;

/// Values are shown up to this many characters.
const SHOWN: usize = 60;

/// Why a row was rejected. Its kind holds no data of the row, so that equal ones can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// `` `amount` is not a number ``.
    pub(super) kind: Cow<'static, str>,
    value: Option<String>,
}

impl Reason {
    /// A reason that needs no value.
    pub(super) fn of(kind: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), value: None }
    }

    /// A reason with the value that gave rise to it.
    pub(super) fn with(kind: impl Into<Cow<'static, str>>, value: &str) -> Self {
        Self { kind: kind.into(), value: Some(shown(value)) }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(formatter, "{}: `{value}`", self.kind),
            None => formatter.write_str(&self.kind),
        }
    }
}

/// A text as it may be shown on a terminal: cut, and without control characters.
fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
