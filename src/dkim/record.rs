//! What stands in DNS, so that receivers find the public key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Signer;

/// A string of a TXT record is no longer (RFC 1035, 3.3).
const STRING: usize = 255;

/// A TXT record. Its text is a line of a zone file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands, without a dot at its end.
    pub name: String,
    /// What it says (RFC 6376, 3.6.1).
    pub value: String,
}

impl Record {
    /// The record of a signer's key.
    pub fn of(signer: &Signer) -> Self {
        let (algorithm, public) = (signer.key().algorithm(), STANDARD.encode(signer.key().public()));
        Self {
            name: format!("{}._domainkey.{}", signer.selector(), signer.domain()),
            value: format!("v=DKIM1; k={algorithm}; p={public}"),
        }
    }

    /// The value in strings that are not too long.
    pub fn strings(&self) -> Vec<&str> {
        // It is all ASCII.
        (0..self.value.len())
            .step_by(STRING)
            .filter_map(|from| self.value.get(from..self.value.len().min(from + STRING)))
            .collect()
    }
}

impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strings: Vec<_> = self.strings().iter().map(|string| format!("\"{string}\"")).collect();
        match strings.as_slice() {
            [one] => write!(formatter, "{}. IN TXT {one}", self.name),
            more => write!(formatter, "{}. IN TXT ( {} )", self.name, more.join(" ")),
        }
    }
}
