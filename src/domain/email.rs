//! An e-mail as it is handed from `render` to `send`: bytes and an envelope.

use std::fmt;

use super::address::{EmailAddress, InvalidAddress};

/// A sender or recipient with a display name: `Maison Roland <bonjour@maison.example>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name.
    pub name: Option<String>,
    /// The address.
    pub address: EmailAddress,
}

impl Mailbox {
    /// Reads `address`, `Name <address>` or `"Name" <address>`.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = |reason| InvalidAddress { text: text.chars().take(80).collect(), reason };
        let trimmed = text.trim();
        let Some(inner) = trimmed.strip_suffix('>') else {
            return Ok(Self { name: None, address: EmailAddress::parse(trimmed)? });
        };
        let (name, address) =
            inner.rsplit_once('<').ok_or_else(|| invalid("there is no `<` before the `>`"))?;
        let name = name.trim();
        let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let name = match quoted {
            Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
            None if name.contains(['<', '>', '"']) => {
                return Err(invalid("its name has `<`, `>` or `\"` in it"));
            }
            None => name.to_owned(),
        };
        if name.chars().any(char::is_control) {
            return Err(invalid("its name has a control character in it"));
        }
        let name = Some(name).filter(|name| !name.trim().is_empty());
        Ok(Self { name, address: EmailAddress::parse(address)? })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "{name} <{}>", self.address),
            None => write!(formatter, "{}", self.address),
        }
    }
}

/// A message ready for the wire: one recipient, an envelope, and bytes that do not change between
/// tries of one delivery except for what the contact's data change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Envelope sender.
    pub sender: EmailAddress,
    /// Envelope recipient.
    pub recipient: EmailAddress,
    /// The value of `Message-ID`, with its angle brackets.
    pub message_id: String,
    /// The message: headers and body, lines ended by CRLF.
    pub bytes: Vec<u8>,
}
