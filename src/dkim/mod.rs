//! DKIM signatures (RFC 6376): a mail's domain vouches for its bytes. Pure: no clock, no file, no network.
//!
//! | file | what |
//! |---|---|
//! | [`key`] | private keys from PEM: Ed25519 (RFC 8463) and RSA |
//! | `canonical` | headers and bodies as they are signed: relaxed, both |
//! | `header` | the `DKIM-Signature` field, folded |
//! | [`record`] | what stands in DNS |
//!
//! A mail is signed by every key whose domain is that of its `From`, or a parent of it: so what DMARC (RFC 7489,
//! 3.1.1) calls aligned holds. Two keys, one of Ed25519 and one of RSA, give two signatures, and a receiver takes
//! the one it understands.
//!
//! The same mail at the same instant has the same signature: both algorithms are deterministic.

mod canonical;
mod header;
pub mod key;
pub mod record;

use std::sync::Arc;

pub use key::{InvalidKey, Key};

use crate::domain::address::EmailAddress;
use crate::domain::time::Timestamp;

/// Signs for a domain.
#[derive(Debug, Clone)]
pub struct Signer {
    domain: String,
    selector: String,
    key: Arc<Key>,
}

/// A text that is no name in DNS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}")]
pub struct InvalidName {
    text: String,
    what: &'static str,
}

impl InvalidName {
    /// Whether it was to be a selector; else a domain.
    pub fn is_of_selector(&self) -> bool {
        self.what == SELECTOR
    }
}

/// What a selector is.
const SELECTOR: &str = "selector: it is made of letters, digits and `-`, in parts parted by dots";

impl Signer {
    /// A signer for `domain`, whose key's record stands at `SELECTOR._domainkey.DOMAIN`.
    pub fn new(domain: &str, selector: &str, key: Key) -> Result<Self, InvalidName> {
        let invalid = |text: &str, what| InvalidName { text: text.to_owned(), what };
        let address = EmailAddress::parse(&format!("x@{domain}"));
        let wire = address.map_err(|_| invalid(domain, "domain"))?.on_the_wire().to_lowercase();
        let domain = wire.strip_prefix("x@").unwrap_or(&wire).to_owned();
        if !is_dotted_name(&domain) {
            return Err(invalid(&domain, "domain"));
        }
        if !is_dotted_name(selector) {
            return Err(invalid(selector, SELECTOR));
        }
        Ok(Self { domain, selector: selector.to_lowercase(), key: Arc::new(key) })
    }

    /// `d=`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `s=`.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Whether it signs mail from an address of this domain: its own, or one below it.
    pub fn signs_for(&self, from: &EmailAddress) -> bool {
        let wire = from.on_the_wire().to_lowercase();
        let domain = wire.rsplit_once('@').map_or("", |(_, domain)| domain);
        domain == self.domain
            || domain.strip_suffix(self.domain.as_str()).is_some_and(|parents| parents.ends_with('.'))
    }
}

/// RFC 6376, 3.1: parts of letters, digits and inner `-`, parted by dots.
fn is_dotted_name(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            (1..=63).contains(&part.len())
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// Puts the signatures of all signers before a message, whose lines end in CRLF. `at` is `t=`, in seconds.
///
/// Where a key does not sign (the arithmetic of RSA is checked each time, and a broken machine fails it), its
/// signature is left out rather than wrong.
pub fn sign(message: &mut Vec<u8>, signers: &[Signer], at: Timestamp) {
    if signers.is_empty() {
        return;
    }
    let fields = {
        let (headers, body) = canonical::split(message);
        let body_hash = canonical::body_hash(body);
        let headers = canonical::fields(headers);
        let one = |signer: &Signer| header::signature(signer, &headers, &body_hash, at);
        signers.iter().filter_map(one).collect::<String>()
    };
    message.splice(0..0, fields.into_bytes());
}
