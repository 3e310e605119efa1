//! The sender of an envelope names the delivery, so that whatever comes back to it does (VERP: D. J. Bernstein,
//! "Variable Envelope Return Paths", 1997).
//!
//! ```text
//! bounces+{token}@{domain}
//! token := base32( delivery: 8 bytes | tag: 12 ), in lower case
//! tag   := first 12 bytes of HMAC-SHA256(key of bounces, the 8 bytes before it)
//! ```
//!
//! Base32 (RFC 4648 section 6), because some servers write what stands before the `@` in lower case. 32
//! characters leave 31 for the name before the `+`: RFC 5321 section 4.5.3.1.1 allows 64.

use hmac::Mac as _;

use super::InvalidToken;
use super::signer::HmacSha256;
use crate::domain::delivery::DeliveryId;

/// Characters of a token.
pub const TOKEN: usize = 32;

/// Bytes of a token.
const BYTES: usize = TOKEN * 5 / 8;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

pub(super) fn mint(key: &HmacSha256, delivery: DeliveryId) -> String {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&delivery.0.to_be_bytes());
    let mut mac = key.clone();
    mac.update(&bytes[..8]);
    bytes[8..].copy_from_slice(&mac.finalize().into_bytes()[..BYTES - 8]);
    let letters = bytes.chunks(5).flat_map(|five| {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8).rev().map(move |place| char::from(ALPHABET[(bits >> (place * 5) & 31) as usize]))
    });
    letters.collect()
}

pub(super) fn verify(key: &HmacSha256, token: &str) -> Result<DeliveryId, InvalidToken> {
    if token.len() != TOKEN {
        return Err(InvalidToken);
    }
    let mut bytes = Vec::with_capacity(BYTES);
    for eight in token.as_bytes().chunks(8) {
        let mut bits = 0_u64;
        for letter in eight {
            let letter = letter.to_ascii_lowercase();
            let value = ALPHABET.iter().position(|known| *known == letter).ok_or(InvalidToken)?;
            bits = bits << 5 | value as u64;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[3..]);
    }
    let (said, tag) = bytes.split_first_chunk::<8>().ok_or(InvalidToken)?;
    let mut mac = key.clone();
    mac.update(said);
    mac.verify_truncated_left(tag).map_err(|_| InvalidToken)?;
    Ok(DeliveryId(i64::from_be_bytes(*said)))
}
