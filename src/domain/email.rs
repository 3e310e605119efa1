//! An e-mail as it is handed from `render` to `send`: bytes and an envelope.

use std::fmt;

use super::address::EmailAddress;

/// A sender or recipient with a display name: `Maison Roland <bonjour@maison.example>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name.
    pub name: Option<String>,
    /// The address.
    pub address: EmailAddress,
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
