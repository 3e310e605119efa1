//! Whom a suppression names: an address, the hash of one, or a whole domain.
//!
//! A suppression outlives the contact. So that it can do so for a person who was erased, it may hold
//! the hash of their address instead: SHA-256 of the folded address, in hexadecimal digits. From a hash
//! nobody can be mailed; that it belongs to an address can be seen by whoever has that address.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::address::{self, EmailAddress};
use super::campaign::MailPurpose;
use super::delivery::{SuppressionCause, SuppressionScope};

/// How the text of a hash begins; no address begins so, for it has an `@`.
const HASH: &str = "sha256:";

/// Whom a suppression names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SuppressionTarget {
    text: String,
}

/// Which of the three a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// One address.
    Address,
    /// The hash of an address.
    Hash,
    /// All addresses of a domain; those of domains below it are not meant.
    Domain,
}

/// A text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTarget(String);

impl SuppressionTarget {
    /// Reads `ada@shop.example`, `@shop.example` or `sha256:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        if let Some(digits) = text.strip_prefix(HASH) {
            if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message =
                    "behind `sha256:` stand 64 hexadecimal digits: the hash of the address in lower case";
                return Err(InvalidTarget(message.to_owned()));
            }
            return Ok(Self { text: text.to_ascii_lowercase() });
        }
        if let Some(domain) = text.strip_prefix('@') {
            // A domain is right if an address of it is.
            let address = EmailAddress::parse(&format!("a@{domain}"))
                .map_err(|error| InvalidTarget(format!("`{text}` is not a domain: {}", error.reason)))?;
            return Ok(Self { text: domain_of(&address.folded()) });
        }
        let address = EmailAddress::parse(text).map_err(|error| InvalidTarget(error.to_string()))?;
        Ok(Self { text: address.folded() })
    }

    /// An address that is known to be one, however it is written.
    pub fn address(text: &str) -> Self {
        Self { text: address::fold(text) }
    }

    /// The hash of an address.
    pub fn hash_of(text: &str) -> Self {
        Self { text: hash(&address::fold(text)) }
    }

    /// What the database holds.
    pub fn stored(text: String) -> Self {
        Self { text }
    }

    /// All targets that name this address: itself, its hash, its domain.
    pub fn all_of(text: &str) -> [Self; 3] {
        let folded = address::fold(text);
        [hash(&folded), domain_of(&folded), folded].map(|text| Self { text })
    }

    /// Which of the three it is.
    pub fn kind(&self) -> TargetKind {
        if self.text.starts_with(HASH) {
            TargetKind::Hash
        } else if self.text.starts_with('@') {
            TargetKind::Domain
        } else {
            TargetKind::Address
        }
    }

    /// As it is written and stored.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for SuppressionTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn domain_of(folded: &str) -> String {
    let domain = folded.rsplit_once('@').map_or("", |(_, domain)| domain);
    format!("@{domain}")
}

fn hash(folded: &str) -> String {
    let digest = Sha256::digest(folded.as_bytes());
    digest.iter().fold(HASH.to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

impl SuppressionCause {
    /// Whether it holds back mail of this purpose: marketing by any cause; transactional mail only where
    /// the address is of no use (a bounce) or its owner called the sender's mail unwanted (a complaint).
    pub const fn holds_back(self, purpose: MailPurpose) -> bool {
        match purpose {
            MailPurpose::Marketing => true,
            MailPurpose::Transactional => matches!(self, Self::Bounce | Self::Complaint),
        }
    }

    /// The scope that says what [`holds_back`](Self::holds_back) does.
    pub const fn scope(self) -> SuppressionScope {
        match self {
            Self::Bounce | Self::Complaint => SuppressionScope::All,
            Self::Unsubscribe | Self::Import => SuppressionScope::Marketing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_normalised() {
        for (text, expected, kind) in [
            ("Ada@Shop.Example", "ada@shop.example", TargetKind::Address),
            ("anna@MÜLLER.example", "anna@xn--mller-kva.example", TargetKind::Address),
            ("@Shop.Example", "@shop.example", TargetKind::Domain),
            ("@müller.example", "@xn--mller-kva.example", TargetKind::Domain),
        ] {
            let target = SuppressionTarget::parse(text).expect(text);
            assert_eq!((target.as_str(), target.kind()), (expected, kind));
        }
        let hash = SuppressionTarget::hash_of("ADA@shop.example");
        // printf ada@shop.example | sha256sum
        assert_eq!(hash.as_str(), "sha256:a4c14f1b068bf2c602e289b5dfcd89085692c73c63daf5a90a0b481b7328ee35");
        assert_eq!(hash.kind(), TargetKind::Hash);
        assert_eq!(
            SuppressionTarget::parse(&hash.as_str().to_uppercase().replace("SHA", "sha")),
            Ok(hash.clone())
        );
        let all = SuppressionTarget::all_of("Ada@Shop.Example");
        assert!(all.contains(&hash) && all.iter().any(|target| target.as_str() == "@shop.example"));
        for text in ["", "@", "ada", "@shop", "sha256:12", "a b@shop.example", "ada@shop.example\n"] {
            assert!(SuppressionTarget::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn transactional_mail_is_held_back_by_bounces_and_complaints_only() {
        for cause in SuppressionCause::ALL {
            assert!(cause.holds_back(MailPurpose::Marketing));
            let all = cause.scope() == SuppressionScope::All;
            assert_eq!(cause.holds_back(MailPurpose::Transactional), all, "{cause:?}");
        }
    }
}
