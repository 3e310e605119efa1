//! Mints and verifies signed addresses. Pure: no clock, no database, no settings.
//!
//! A token names a purpose, a delivery or a run, and a link of its mails, and nothing else: no address,
//! no name. It cannot be guessed, altered, or used for another purpose.
//!
//! ```text
//! token   := base64url( version: 1 byte | key: 1 | purpose: 1 | subject: 8 | link: 5 | tag: 16 )
//! subject := the number of a delivery, or of a run where the purpose says so
//! tag     := first 16 bytes of HMAC-SHA256(key of the purpose, the 16 bytes before it)
//! key of the purpose := HMAC-SHA256(signing secret, "campaignd link" 0 purpose)
//! ```
//!
//! 32 bytes are 43 characters, of whose last two bits nothing is left: they must be zero, so that no
//! character can be altered unseen.
//!
//! | file | what |
//! |---|---|
//! | `token` | what a token says, as bytes |
//! | `signer` | secrets; minting and verifying |
//! | [`bounce`] | the sender of an envelope |

pub mod bounce;
mod signer;
mod token;

pub use signer::{InvalidToken, Signer, SigningKey};
pub use token::{Claims, LinkPurpose, Subject};

use crate::domain::delivery::DeliveryId;
use crate::domain::link::LinkNumber;

/// The addresses that stand in mails.
#[derive(Debug, Clone)]
pub struct Links {
    signer: Signer,
    public_url: String,
}

impl Links {
    /// Addresses below `public_url` (a slash at its end does not matter).
    pub fn new(signer: Signer, public_url: &str) -> Self {
        Self { signer, public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// The signer behind them.
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// `{public_url}/u/{token}`: the page that asks, and the address of the one-click POST.
    pub fn unsubscribe(&self, delivery: DeliveryId) -> String {
        self.address(Claims::Unsubscribe(delivery))
    }

    /// `{public_url}/p/{token}`.
    pub fn preferences(&self, delivery: DeliveryId) -> String {
        self.address(Claims::Preferences(delivery))
    }

    /// `{public_url}/o/{token}`: the pixel.
    pub fn open(&self, subject: Subject) -> String {
        self.address(Claims::Open(subject))
    }

    /// `{public_url}/c/{token}`: leads to the address that has this number.
    pub fn click(&self, subject: Subject, link: LinkNumber) -> String {
        self.address(Claims::Click(subject, link))
    }

    /// `unsubscribe+{token}@{domain}`: where a mail program sends an unsubscription by mail.
    /// `domain` is that of the sender.
    pub fn unsubscribe_mailbox(&self, delivery: DeliveryId, domain: &str) -> String {
        format!("unsubscribe+{}@{domain}", self.signer.mint(Claims::Unsubscribe(delivery)))
    }

    /// `bounces+{token}@{domain}`, where `address` is `bounces@{domain}`: the sender of this delivery's envelope.
    pub fn bounce_mailbox(&self, delivery: DeliveryId, address: &str) -> String {
        let (name, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        format!("{name}+{}@{domain}", self.signer.bounce(delivery))
    }

    /// Whether an address is one of those that are minted here.
    pub fn is_own(&self, address: &str) -> bool {
        let path = address.strip_prefix(&self.public_url).and_then(|path| path.strip_prefix('/'));
        path.and_then(|path| path.split_once('/'))
            .is_some_and(|(first, _)| LinkPurpose::ALL.iter().any(|purpose| purpose.path() == first))
    }

    fn address(&self, claims: Claims) -> String {
        let path = claims.purpose().path();
        let mut address = String::with_capacity(self.public_url.len() + path.len() + 45);
        for part in [&self.public_url, "/", path, "/"] {
            address.push_str(part);
        }
        self.signer.mint_into(claims, &mut address);
        address
    }
}
