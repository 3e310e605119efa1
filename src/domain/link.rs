//! Addresses that stood in mails, and the numbers under which rewritten links name them.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::delivery::RunId;

/// The number of an address within all addresses of all runs: 1 to 2^40 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkNumber(pub i64);

impl LinkNumber {
    /// How many bits a number has: five bytes of a token.
    pub const BITS: u32 = 40;

    /// The number that an address of a run gets unless another address has it: the first 40 bits of
    /// SHA-256(run, in decimal digits ‖ a zero byte ‖ address). So it does not depend on which mail of
    /// the run was rendered first, and a preview shows the number that the mail will have.
    pub fn first_choice(run: RunId, url: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(run.0.to_string().as_bytes());
        hash.update([0]);
        hash.update(url.as_bytes());
        let digest = hash.finalize();
        let bits = digest[..5].iter().fold(0, |bits, byte| bits << 8 | i64::from(*byte));
        // 0 stands for no link.
        Self(bits.max(1))
    }

    /// The number to try where this one belongs to another address.
    #[must_use]
    pub const fn next(self) -> Self {
        let next = self.0 + 1;
        Self(if next >> Self::BITS == 0 { next } else { 1 })
    }
}

/// An address that stands in mails of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The run.
    pub run: RunId,
    /// The address as the mail had it before rewriting, entities decoded.
    pub url: String,
}

impl Link {
    /// The address for a `Location` header: what is not visible ASCII is percent-encoded as UTF-8, as
    /// browsers do it themselves (WHATWG URL, percent-encoding of paths and queries).
    pub fn location(&self) -> String {
        let mut location = String::with_capacity(self.url.len());
        for byte in self.url.bytes() {
            if byte.is_ascii_graphic() {
                location.push(char::from(byte));
            } else {
                // Writing to a `String` does not fail.
                let _ = write!(location, "%{byte:02X}");
            }
        }
        location
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_run_and_address_alone() {
        let number = LinkNumber::first_choice(RunId(7), "https://maison.example/a?b=1&c=2");
        assert_eq!(number, LinkNumber(406_776_380_612));
        assert_ne!(number, LinkNumber::first_choice(RunId(8), "https://maison.example/a?b=1&c=2"));
        assert_eq!(LinkNumber((1 << 40) - 1).next(), LinkNumber(1));
        assert_eq!(LinkNumber(5).next(), LinkNumber(6));
    }

    #[test]
    fn a_location_is_visible_ascii() {
        let location = |url: &str| Link { run: RunId(1), url: url.to_owned() }.location();
        assert_eq!(location("https://a.example/x?y=1&z=%20#é"), "https://a.example/x?y=1&z=%20#%C3%A9");
        assert_eq!(
            location("https://a.example/a b\r\nSet-Cookie: x"),
            "https://a.example/a%20b%0D%0ASet-Cookie:%20x"
        );
    }
}
