//! Private keys, from PEM files as openssl writes them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use sha2::{Digest as _, Sha256};

/// PKCS#8 of an Ed25519 key (RFC 8410, 7), up to its 32 bytes.
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// The algorithm's object identifier, 1.3.101.112.
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
/// 1.2.840.113549.1.1.1.
const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// A private key. It is not shown.
pub struct Key {
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// Which algorithm a key is for: its word in `a=` and in `k=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `ed25519` (RFC 8463): short and quick; many receivers do not know it yet.
    Ed25519,
    /// `rsa`: every receiver knows it.
    Rsa,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        })
    }
}

/// Why a text is no key that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Nothing in it begins as keys do.
    #[error("it has no `-----BEGIN PRIVATE KEY-----`")]
    NoKey,
    /// A public key.
    #[error("it is a public key: the private one signs")]
    Public,
    /// It has a password.
    #[error("it is encrypted: `openssl pkey -in FILE -out NEW` writes it without a password")]
    Encrypted,
    /// Neither Ed25519 nor RSA.
    #[error("it is neither an Ed25519 nor an RSA key")]
    OtherAlgorithm,
    /// RFC 8301, 3.2, wants 2048 bits.
    #[error("its RSA key is shorter than 2048 bits, which receivers refuse or soon will (RFC 8301)")]
    TooSmall,
    /// Longer than any receiver must take.
    #[error("its RSA key is longer than 4096 bits, which receivers need not take (RFC 8301)")]
    TooLarge,
    /// It is cut off or altered.
    #[error("its key is damaged")]
    Damaged,
}

impl Key {
    /// Reads a key from PEM: PKCS#8 (`PRIVATE KEY`) or, for RSA, PKCS#1 (`RSA PRIVATE KEY`).
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        let (_, rest) = text.split_once("-----BEGIN ").ok_or(InvalidKey::NoKey)?;
        let (label, rest) = rest.split_once("-----").ok_or(InvalidKey::NoKey)?;
        let (body, _) = rest.split_once("-----END ").ok_or(InvalidKey::Damaged)?;
        // Old encrypted files say so in a header.
        if label == "ENCRYPTED PRIVATE KEY" || body.contains("ENCRYPTED") {
            return Err(InvalidKey::Encrypted);
        }
        let digits: String = body.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(digits).map_err(|_| InvalidKey::Damaged);
        let has = |bytes: &[u8], part: &[u8]| memchr::memmem::find(bytes, part).is_some_and(|at| at < 16);
        let pair = match label {
            "RSA PRIVATE KEY" => rsa(RsaKeyPair::from_der(&bytes?))?,
            "PRIVATE KEY" => {
                let bytes = bytes?;
                if has(&bytes, &ED25519) {
                    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes);
                    Pair::Ed25519(pair.map_err(|_| InvalidKey::Damaged)?)
                } else if has(&bytes, &RSA) {
                    rsa(RsaKeyPair::from_pkcs8(&bytes))?
                } else {
                    return Err(InvalidKey::OtherAlgorithm);
                }
            }
            label if label.ends_with("PUBLIC KEY") || label == "CERTIFICATE" => {
                return Err(InvalidKey::Public);
            }
            label if label.ends_with("PRIVATE KEY") => return Err(InvalidKey::OtherAlgorithm),
            _ => return Err(InvalidKey::NoKey),
        };
        Ok(Self { pair })
    }

    /// An Ed25519 key as PEM (PKCS#8), made from 32 random bytes.
    pub fn ed25519_pem(seed: &[u8; 32]) -> String {
        let bytes = [&ED25519_PKCS8[..], seed].concat();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(bytes))
    }

    /// What it is for.
    pub const fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Ed25519(_) => Algorithm::Ed25519,
            Pair::Rsa(_) => Algorithm::Rsa,
        }
    }

    /// The public key as `p=` has it, before base64: the bare 32 bytes of Ed25519 (RFC 8463, 4.2), a
    /// `SubjectPublicKeyInfo` of RSA (RFC 6376, 3.6.1, as its errata and all receivers read it).
    pub fn public(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let algorithm = der(0x30, &[&RSA, &[0x05, 0x00]]);
                let key = der(0x03, &[&[0x00], pair.public_key().as_ref()]);
                der(0x30, &[&algorithm, &key])
            }
        }
    }

    /// Signs; `None`: RSA's own check of its result failed.
    pub(super) fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            // RFC 8463, 3: what is signed is the hash.
            Pair::Ed25519(pair) => Some(pair.sign(&Sha256::digest(text)).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({}, [REDACTED])", self.algorithm())
    }
}

fn rsa(pair: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Pair, InvalidKey> {
    pair.map(|pair| Pair::Rsa(Box::new(pair))).map_err(|error| match error.to_string().as_str() {
        "TooSmall" => InvalidKey::TooSmall,
        "TooLarge" => InvalidKey::TooLarge,
        _ => InvalidKey::Damaged,
    })
}

/// A value in DER: tag, length, contents. No more than 64 KiB.
fn der(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let length = contents.len();
    let mut value = vec![tag];
    match length {
        0..=0x7f => value.push(length as u8),
        0x80..=0xff => value.extend([0x81, length as u8]),
        _ => value.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    value.extend(contents);
    value
}
