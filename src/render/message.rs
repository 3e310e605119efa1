//! A message for the wire: headers and two parts, byte for byte the same for the same input.

use std::fmt::Write as _;

use super::encode;
use crate::domain::address::EmailAddress;
use crate::domain::campaign::MailPurpose;
use crate::domain::delivery::DeliveryId;
use crate::domain::email::{Email, Mailbox};
use crate::domain::time::Timestamp;
use crate::links::Links;

/// What a message is made of.
pub(super) struct Parts<'a> {
    pub(super) campaign: &'a str,
    pub(super) version: &'a str,
    pub(super) purpose: MailPurpose,
    pub(super) from: &'a Mailbox,
    pub(super) reply_to: Option<&'a Mailbox>,
    pub(super) bounces: Option<&'a EmailAddress>,
    pub(super) recipient: &'a EmailAddress,
    pub(super) delivery: DeliveryId,
    pub(super) date: Timestamp,
    pub(super) subject: &'a str,
    pub(super) text: &'a str,
    pub(super) html: &'a str,
}

/// Writes the message.
pub(super) fn write(parts: &Parts<'_>, links: &Links) -> Email {
    // International domains are written in ASCII, so that servers without SMTPUTF8 take the mail.
    let from = parts.from.address.on_the_wire();
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let message_id = links.signer().message_id(parts.delivery, domain);
    let mut message = Vec::with_capacity(2_048 + parts.html.len() + parts.text.len() * 9 / 8);
    plain(&mut message, "Date", &parts.date.to_utc().to_rfc2822());
    plain(&mut message, "Message-ID", &message_id);
    encode::mailbox("From", parts.from.name.as_deref(), &from, &mut message);
    if let Some(reply_to) = parts.reply_to {
        encode::mailbox("Reply-To", reply_to.name.as_deref(), &reply_to.address.on_the_wire(), &mut message);
    }
    encode::mailbox("To", None, &parts.recipient.on_the_wire(), &mut message);
    encode::unstructured("Subject", parts.subject, &mut message);
    match parts.purpose {
        MailPurpose::Marketing => marketing_headers(parts, links, domain, &mut message),
        // RFC 3834: nobody's holiday should answer it.
        MailPurpose::Transactional => plain(&mut message, "Auto-Submitted", "auto-generated"),
    }
    plain(&mut message, "MIME-Version", "1.0");

    // Neither encoding of a body can hold `=_`, so no part can hold the boundary.
    let boundary = format!("=_{}", message_id.get(1..25).unwrap_or("campaignd"));
    plain(&mut message, "Content-Type", &format!("multipart/alternative;\r\n boundary=\"{boundary}\""));
    for (subtype, body) in [("plain", parts.text), ("html", parts.html)] {
        let _ =
            write!(Text(&mut message), "\r\n--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n");
        encode::body(body, &mut message);
    }
    let _ = write!(Text(&mut message), "\r\n--{boundary}--\r\n");
    Email {
        sender: envelope_sender(parts, links),
        recipient: parts.recipient.clone(),
        message_id,
        bytes: message,
    }
}

/// RFC 2919, RFC 2369, RFC 8058, and the feedback loop's identifier of the large mailbox providers.
fn marketing_headers(parts: &Parts<'_>, links: &Links, domain: &str, message: &mut Vec<u8>) {
    // Leaving is leaving all marketing mail of the sender, so that is the list.
    let list = format!("<marketing.{domain}>");
    plain(message, "List-Id", &list);
    let page = links.unsubscribe(parts.delivery);
    let mailbox = percent_encoded(&links.unsubscribe_mailbox(parts.delivery, domain));
    let unsubscribe = format!("<{page}>,\r\n <mailto:{mailbox}?subject=unsubscribe>");
    plain(message, "List-Unsubscribe", &unsubscribe);
    plain(message, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
    let feedback = format!(
        "{}:{}:{}:{}",
        parts.campaign,
        identifier(parts.version),
        parts.purpose.word(),
        sender_identifier(domain)
    );
    plain(message, "Feedback-ID", &feedback);
}

/// A header whose value was made here and needs no encoding.
fn plain(message: &mut Vec<u8>, name: &str, value: &str) {
    for text in [name, ": ", value, "\r\n"] {
        message.extend_from_slice(text.as_bytes());
    }
}

/// Letters, digits, `_`, `-` and `.` of a label; others become `_`.
fn identifier(label: &str) -> String {
    let known = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    label.chars().take(60).map(|character| if known(character) { character } else { '_' }).collect()
}

/// The sender in a Feedback-ID: 5 to 15 characters, the same for all mail of a domain.
fn sender_identifier(domain: &str) -> String {
    let mut name: String = domain.chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    while name.len() < 5 {
        name.push('0');
    }
    name
}

/// Who hears of what cannot be delivered: an address that names the delivery, where there is one.
fn envelope_sender(parts: &Parts<'_>, links: &Links) -> EmailAddress {
    let named = parts.bounces.and_then(|address| {
        EmailAddress::parse(&links.bounce_mailbox(parts.delivery, address.as_str())).ok()
    });
    named.unwrap_or_else(|| parts.from.address.clone())
}

/// An address as part of a URL: what is no part of one is percent-encoded.
fn percent_encoded(address: &str) -> String {
    let mut text = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~+@".contains(&byte) {
            text.push(byte as char);
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Bytes that text is written to.
struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
