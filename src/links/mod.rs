//! Mints and verifies signed addresses. Pure: no clock, no database, no settings.
//!
//! A token names a purpose, a delivery and a link of that delivery's mail, and nothing else: no
//! address, no name. It cannot be guessed, altered, or used for another purpose.
//!
//! ```text
//! token := base64url( version: 1 byte | key: 1 | purpose: 1 | delivery: 8 | link: 2 | tag: 17 )
//! tag   := first 17 bytes of HMAC-SHA256(key of the purpose, the 13 bytes before it)
//! key of the purpose := HMAC-SHA256(signing secret, "campaignd link" 0 purpose)
//! ```
//!
//! 17 bytes (136 bits; 128 would do) make 30 bytes, which are exactly 40 characters: no character
//! has spare bits that could be altered unseen.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::delivery::DeliveryId;

type HmacSha256 = Hmac<Sha256>;

/// The first byte of every token.
const VERSION: u8 = 1;
/// Bytes before the tag.
const CLAIMS: usize = 13;
/// Bytes of the tag.
const TAG: usize = 17;
/// Bytes of a token before it becomes text.
const TOKEN: usize = CLAIMS + TAG;

/// What a signed address is for. Each purpose has a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkPurpose {
    /// `/u/…`: to leave the marketing mail.
    Unsubscribe,
    /// `/p/…`: to see and change what one agreed to.
    Preferences,
}

impl LinkPurpose {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Unsubscribe, Self::Preferences];

    const fn code(self) -> u8 {
        match self {
            Self::Unsubscribe => 1,
            Self::Preferences => 2,
        }
    }

    /// The segment of the path that stands before the token.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Unsubscribe => "u",
            Self::Preferences => "p",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Unsubscribe => "unsubscribe",
            Self::Preferences => "preferences",
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// The delivery in whose mail it stood.
    pub delivery: DeliveryId,
    /// The number of the link in that mail; 0 where there is only one.
    pub link: u16,
}

/// A text that is no token, or none of ours. It does not say which, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("verify a signed address: it was not minted here, or was altered")]
pub struct InvalidToken;

/// A secret to sign with, and the number under which tokens name it.
#[derive(Clone)]
pub struct SigningKey {
    /// Its number; tokens carry it, so it never changes and is never used again.
    pub id: u8,
    /// At least 32 random bytes.
    pub secret: Vec<u8>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Mints tokens with the newest key and verifies those of every key it knows.
#[derive(Clone)]
pub struct Signer {
    newest: Key,
    older: Vec<Key>,
}

/// What is derived from one [`SigningKey`].
#[derive(Clone)]
struct Key {
    id: u8,
    message_ids: HmacSha256,
    purposes: [HmacSha256; LinkPurpose::ALL.len()],
}

impl Signer {
    /// A signer whose tokens are signed by `newest`; those of `older` keys stay valid.
    pub fn new(newest: &SigningKey, older: &[SigningKey]) -> Self {
        Self { newest: Key::derive(newest), older: older.iter().map(Key::derive).collect() }
    }

    /// The token for a link of a delivery's mail. The same question has the same answer.
    pub fn mint(&self, claims: Claims) -> String {
        let mut token = [0; TOKEN];
        token[0] = VERSION;
        token[1] = self.newest.id;
        token[2] = claims.purpose.code();
        token[3..11].copy_from_slice(&claims.delivery.0.to_be_bytes());
        token[11..13].copy_from_slice(&claims.link.to_be_bytes());
        let mut mac = self.newest.mac(claims.purpose).clone();
        mac.update(&token[..CLAIMS]);
        token[CLAIMS..].copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// What a token says, if one of our keys signed it. The comparison takes the same time
    /// wherever the tags differ.
    pub fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let mut bytes = [0; TOKEN];
        match URL_SAFE_NO_PAD.decode_slice(token, &mut bytes) {
            Ok(TOKEN) if bytes[0] == VERSION => {}
            _ => return Err(InvalidToken),
        }
        let purpose = LinkPurpose::ALL.into_iter().find(|purpose| purpose.code() == bytes[2]);
        let key = std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == bytes[1]);
        let (Some(purpose), Some(key)) = (purpose, key) else { return Err(InvalidToken) };
        let mut mac = key.mac(purpose).clone();
        mac.update(&bytes[..CLAIMS]);
        mac.verify_truncated_left(&bytes[CLAIMS..]).map_err(|_| InvalidToken)?;
        let mut delivery = [0; 8];
        delivery.copy_from_slice(&bytes[3..11]);
        Ok(Claims {
            purpose,
            delivery: DeliveryId(i64::from_be_bytes(delivery)),
            link: u16::from_be_bytes([bytes[11], bytes[12]]),
        })
    }

    /// The `Message-ID` of a delivery, with its angle brackets: the same at every try. `domain` is
    /// that of the sender.
    pub fn message_id(&self, delivery: DeliveryId, domain: &str) -> String {
        let mut mac = self.newest.message_ids.clone();
        mac.update(delivery.0.to_string().as_bytes());
        format!("<{}@{domain}>", hex(&mac.finalize().into_bytes()[..16]))
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)] as char)
        .collect()
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signer").field("newest", &self.newest.id).finish_non_exhaustive()
    }
}

impl Key {
    fn derive(key: &SigningKey) -> Self {
        let mac = keyed(&key.secret);
        let mut message_ids = mac.clone();
        message_ids.update(b"message-id\0");
        let purposes = LinkPurpose::ALL.map(|purpose| {
            let mut derived = mac.clone();
            derived.update(b"campaignd link\0");
            derived.update(purpose.word().as_bytes());
            keyed(&derived.finalize().into_bytes())
        });
        Self { id: key.id, message_ids, purposes }
    }

    fn mac(&self, purpose: LinkPurpose) -> &HmacSha256 {
        match purpose {
            LinkPurpose::Unsubscribe => &self.purposes[0],
            LinkPurpose::Preferences => &self.purposes[1],
        }
    }
}

fn keyed(secret: &[u8]) -> HmacSha256 {
    // RFC 2104: a key longer than a block is hashed first, a shorter one padded with zeros. Done
    // here because the constructor that takes any length answers with a `Result`.
    use sha2::Digest as _;

    let mut block = [0; 64];
    if secret.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    HmacSha256::new(&block.into())
}

/// The addresses of one delivery's mail.
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
        self.address(LinkPurpose::Unsubscribe, delivery)
    }

    /// `{public_url}/p/{token}`.
    pub fn preferences(&self, delivery: DeliveryId) -> String {
        self.address(LinkPurpose::Preferences, delivery)
    }

    /// `unsubscribe+{token}@{domain}`: where a mail program sends an unsubscription by mail.
    /// `domain` is that of the sender.
    pub fn unsubscribe_mailbox(&self, delivery: DeliveryId, domain: &str) -> String {
        let claims = Claims { purpose: LinkPurpose::Unsubscribe, delivery, link: 0 };
        format!("unsubscribe+{}@{domain}", self.signer.mint(claims))
    }

    fn address(&self, purpose: LinkPurpose, delivery: DeliveryId) -> String {
        let token = self.signer.mint(Claims { purpose, delivery, link: 0 });
        format!("{}/{}/{token}", self.public_url, purpose.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u8) -> SigningKey {
        SigningKey { id, secret: vec![id; 32] }
    }

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    #[test]
    fn what_is_minted_is_verified() {
        let signer = Signer::new(&key(1), &[]);
        for purpose in LinkPurpose::ALL {
            for (delivery, link) in [(1, 0), (i64::MAX, u16::MAX), (0, 7)] {
                let claims = Claims { purpose, delivery: DeliveryId(delivery), link };
                let token = signer.mint(claims);
                assert_eq!(token.len(), 40);
                assert_eq!(signer.verify(&token), Ok(claims));
            }
        }
    }

    #[test]
    fn any_altered_character_is_refused() {
        let signer = Signer::new(&key(1), &[]);
        let claims = Claims { purpose: LinkPurpose::Unsubscribe, delivery: DeliveryId(42), link: 3 };
        let token = signer.mint(claims);
        for position in 0..token.len() {
            for character in ALPHABET.iter().chain(b"=+/ %.") {
                let mut altered = token.clone().into_bytes();
                if altered[position] == *character {
                    continue;
                }
                altered[position] = *character;
                let altered = String::from_utf8(altered).expect("ASCII");
                assert_eq!(signer.verify(&altered), Err(InvalidToken), "{altered}");
            }
        }
        for cut in [&token[..39], &token[1..], "", "A", &format!("{token}A"), &format!("{token}="), "é"] {
            assert_eq!(signer.verify(cut), Err(InvalidToken), "{cut}");
        }
    }

    #[test]
    fn tokens_of_older_keys_stay_valid_and_of_strangers_do_not() {
        let claims = Claims { purpose: LinkPurpose::Preferences, delivery: DeliveryId(5), link: 0 };
        let old = Signer::new(&key(1), &[]).mint(claims);
        let rotated = Signer::new(&key(2), &[key(1)]);
        assert_eq!(rotated.verify(&old), Ok(claims));
        assert_eq!(rotated.verify(&rotated.mint(claims)), Ok(claims));
        assert_ne!(old, rotated.mint(claims));
        let stranger = Signer::new(&SigningKey { id: 1, secret: vec![9; 32] }, &[]);
        assert_eq!(stranger.verify(&old), Err(InvalidToken));
        assert_eq!(Signer::new(&key(3), &[]).verify(&old), Err(InvalidToken));
    }

    #[test]
    fn addresses_hold_no_secret_and_no_person() {
        let links = Links::new(Signer::new(&key(1), &[]), "https://mail.maison.example/");
        let delivery = DeliveryId(77);
        insta::assert_snapshot!(links.unsubscribe(delivery), @"https://mail.maison.example/u/AQEBAAAAAAAAAE0AACrrV0CoxhXDtzSVd-aCetlh");
        insta::assert_snapshot!(links.preferences(delivery), @"https://mail.maison.example/p/AQECAAAAAAAAAE0AAEKKQ4y93pA05PZUz6VN6FX4");
        insta::assert_snapshot!(links.unsubscribe_mailbox(delivery, "maison.example"), @"unsubscribe+AQEBAAAAAAAAAE0AACrrV0CoxhXDtzSVd-aCetlh@maison.example");
        insta::assert_snapshot!(links.signer().message_id(delivery, "maison.example"), @"<f6543472eea538cae348012fa300eae7@maison.example>");
        assert_eq!(format!("{:?}", key(1)), "SigningKey { id: 1, .. }");
    }

    #[test]
    fn the_mac_is_the_one_of_rfc_4231() {
        // Test cases 1 and 6 (a key longer than a block).
        for (secret, text, expected) in [
            (vec![0x0b; 20], "Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
            (
                vec![0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f",
            ),
        ] {
            let mut mac = keyed(&secret);
            mac.update(text.as_bytes());
            assert_eq!(hex(&mac.finalize().into_bytes()[..16]), expected);
        }
    }
}
