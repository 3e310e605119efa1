//! Secrets; minting and verifying.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::bounce;
use super::token::{CLAIMS, Claims, LinkPurpose};
use crate::domain::delivery::DeliveryId;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// Bytes of the tag.
const TAG: usize = 16;
/// Bytes of a token before it becomes text …
const TOKEN: usize = CLAIMS + TAG;
/// … and its characters.
const CHARACTERS: usize = 43;

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

/// Mints tokens with one key and verifies those of every key it knows. Clones share the keys: who
/// [replaces](Self::replace) them does so for all.
#[derive(Clone)]
pub struct Signer {
    keys: Arc<RwLock<Arc<Keys>>>,
}

struct Keys {
    signing: Key,
    others: Vec<Key>,
    message_ids: HmacSha256,
    bounces: HmacSha256,
}

/// What is derived from one [`SigningKey`].
#[derive(Clone)]
struct Key {
    id: u8,
    purposes: [HmacSha256; LinkPurpose::ALL.len()],
}

impl Signer {
    /// A signer whose tokens are signed by `signing`; those of the `others` are valid too.
    pub fn new(signing: &SigningKey, others: &[SigningKey]) -> Self {
        Self { keys: Arc::new(RwLock::new(Arc::new(Keys::derive(signing, others)))) }
    }

    /// From now on these keys hold. Keys of one number are the same, so often nothing is to be done.
    pub fn replace(&self, signing: &SigningKey, others: &[SigningKey]) {
        let now = self.keys();
        let same = now.signing.id == signing.id
            && now.others.iter().map(|key| key.id).eq(others.iter().map(|key| key.id));
        if same {
            return;
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys::derive(signing, others));
    }

    /// The token that says this. The same question has the same answer, until the key is replaced.
    pub fn mint(&self, claims: Claims) -> String {
        let mut token = String::with_capacity(CHARACTERS);
        self.mint_into(claims, &mut token);
        token
    }

    /// Appends the token that says this.
    pub(super) fn mint_into(&self, claims: Claims, text: &mut String) {
        let keys = self.keys();
        let mut token = [0; TOKEN];
        token[..CLAIMS].copy_from_slice(&claims.to_bytes(keys.signing.id));
        let mut mac = keys.signing.mac(claims.purpose()).clone();
        mac.update(&token[..CLAIMS]);
        token[CLAIMS..].copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        URL_SAFE_NO_PAD.encode_string(token, text);
    }

    /// What a token says, if one of our keys signed it. The comparison takes the same time
    /// wherever the tags differ. Who asks also asks whether the purpose is that of the path.
    pub fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let mut bytes = [0; TOKEN];
        // Refuses spare bits, padding and other alphabets.
        if URL_SAFE_NO_PAD.decode_slice(token, &mut bytes) != Ok(TOKEN) {
            return Err(InvalidToken);
        }
        let (said, tag) = bytes.split_first_chunk::<CLAIMS>().ok_or(InvalidToken)?;
        let (id, claims) = Claims::from_bytes(said).ok_or(InvalidToken)?;
        let keys = self.keys();
        let mut all = std::iter::once(&keys.signing).chain(&keys.others);
        let key = all.find(|key| key.id == id).ok_or(InvalidToken)?;
        let mut mac = key.mac(claims.purpose()).clone();
        mac.update(said);
        mac.verify_truncated_left(tag).map_err(|_| InvalidToken)?;
        Ok(claims)
    }

    /// The `Message-ID` of a delivery, with its angle brackets: the same at every try, also after a
    /// new key was made, because it is made with the first. `domain` is that of the sender.
    pub fn message_id(&self, delivery: DeliveryId, domain: &str) -> String {
        let mut mac = self.keys().message_ids.clone();
        mac.update(delivery.0.to_string().as_bytes());
        format!("<{}@{domain}>", hex(&mac.finalize().into_bytes()[..16]))
    }

    /// The token in the sender of a delivery's envelope; made, as a `Message-ID` is, with the first key.
    pub fn bounce(&self, delivery: DeliveryId) -> String {
        bounce::mint(&self.keys().bounces, delivery)
    }

    /// The delivery that a token of [`bounce`](Self::bounce) names, in whatever case it came back.
    pub fn bounced(&self, token: &str) -> Result<DeliveryId, InvalidToken> {
        bounce::verify(&self.keys().bounces, token)
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signer").field("signing", &self.keys().signing.id).finish_non_exhaustive()
    }
}

impl Keys {
    fn derive(signing: &SigningKey, others: &[SigningKey]) -> Self {
        let first = others.iter().fold(signing, |first, key| if key.id < first.id { key } else { first });
        let mut message_ids = keyed(&first.secret);
        message_ids.update(b"message-id\0");
        let mut bounces = keyed(&first.secret);
        bounces.update(b"bounce\0");
        let others = others.iter().map(Key::derive).collect();
        Self { signing: Key::derive(signing), others, message_ids, bounces }
    }
}

impl Key {
    fn derive(key: &SigningKey) -> Self {
        let mac = keyed(&key.secret);
        let purposes = LinkPurpose::ALL.map(|purpose| {
            let mut derived = mac.clone();
            derived.update(b"campaignd link\0");
            derived.update(purpose.word().as_bytes());
            keyed(&derived.finalize().into_bytes())
        });
        Self { id: key.id, purposes }
    }

    fn mac(&self, purpose: LinkPurpose) -> &HmacSha256 {
        // A purpose's code is its place in `ALL`, from 1.
        &self.purposes[usize::from(purpose.code() - 1)]
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

fn keyed(secret: &[u8]) -> HmacSha256 {
    // RFC 2104: a key longer than a block is hashed first, a shorter one padded with zeros. Done
    // here because the constructor that takes any length answers with a `Result`.
    let mut block = [0; 64];
    if secret.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    HmacSha256::new(&block.into())
}

#[cfg(test)]
mod tests;
