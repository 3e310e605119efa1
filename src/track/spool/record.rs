//! A hit as bytes, and bytes as a hit.
//!
//! ```text
//! file    := "campaignd-hits 1" | number of the file: 8 bytes | record …
//! record  := length of the payload: 4 bytes | CRC-32 of the payload: 4 | payload
//! payload := kind: 1 | subject's kind: 1 | subject: 8 | link: 8 | time: 8 | flags: 1 | text …
//! text    := its length: 2 bytes, 65535 for none | UTF-8
//! ```
//!
//! Numbers are little-endian. Records are written whole, several by one call of the system, so that only the
//! last one of a process that died can be torn.

use crate::domain::delivery::{DeliveryId, RunId};
use crate::domain::engagement::{EngagementKind, Hit, HitSubject, RequestFacts};
use crate::domain::time::Timestamp;

/// How a file begins.
pub(super) const MAGIC: [u8; 16] = *b"campaignd-hits 1";
/// Where its first record is.
pub(super) const FIRST: u64 = 24;
/// Bytes before a payload.
const FRAME: usize = 8;
/// No payload is longer: texts of a request are shortened before.
const LONGEST: usize = 8 * 1024;
/// No text is longer; a request's are shortened to much less.
const LONGEST_TEXT: usize = 1_024;
/// The length that stands for no text.
const NO_TEXT: u16 = u16::MAX;

const HEAD: u8 = 1;
const ACCEPT_ENCODING: u8 = 2;

/// The beginning of a file.
pub(super) fn header(file: i64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&file.to_le_bytes());
    bytes
}

/// The number of the file with this beginning; `None` where it is none of ours.
pub(super) fn file_number(header: &[u8]) -> Option<i64> {
    let number = header.strip_prefix(&MAGIC)?;
    Some(i64::from_le_bytes(number.get(..8)?.try_into().ok()?))
}

/// Appends a hit as a record.
pub(super) fn encode<Text: AsRef<str>>(hit: &Hit<Text>, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; FRAME]);
    bytes.push(match hit.kind {
        EngagementKind::Opened => 0,
        EngagementKind::Clicked => 1,
    });
    let (kind, subject) = match hit.subject {
        HitSubject::Delivery(DeliveryId(number)) => (0, number),
        HitSubject::Run(RunId(number)) => (1, number),
    };
    bytes.push(kind);
    for number in [subject, hit.link, hit.at.micros()] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let RequestFacts { head, user_agent, network, accept, accept_language, accept_encoding, fetch, purpose } =
        &hit.request;
    bytes.push(u8::from(*head) * HEAD + u8::from(*accept_encoding) * ACCEPT_ENCODING);
    for text in [user_agent, network, accept, accept_language, fetch, purpose] {
        let Some(text) = text else {
            bytes.extend_from_slice(&NO_TEXT.to_le_bytes());
            continue;
        };
        let text = text.as_ref();
        let text = &text.as_bytes()[..text.floor_char_boundary(LONGEST_TEXT)];
        bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
        bytes.extend_from_slice(text);
    }
    let (frame, payload) = bytes[start..].split_at_mut(FRAME);
    frame[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    frame[4..].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
}

/// What stands at the beginning of some bytes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A hit, in so many bytes.
    Hit(Box<Hit>, usize),
    /// A record whose bytes are not those that were written; so many.
    Damaged(usize),
    /// The beginning of a record; the rest is not among the bytes.
    Incomplete,
    /// No record begins here: from here on nothing can be read.
    Unreadable,
}

/// Reads one record.
pub(super) fn next(bytes: &[u8]) -> Next {
    let Some((frame, rest)) = bytes.split_at_checked(FRAME) else { return Next::Incomplete };
    let length = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
    let sum = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
    if length == 0 || length > LONGEST {
        return Next::Unreadable;
    }
    let Some(payload) = rest.get(..length) else { return Next::Incomplete };
    let hit = if crc32fast::hash(payload) == sum { decode(payload) } else { None };
    match hit {
        Some(hit) => Next::Hit(Box::new(hit), FRAME + length),
        None => Next::Damaged(FRAME + length),
    }
}

fn decode(payload: &[u8]) -> Option<Hit> {
    let mut rest = payload;
    let kind = match take::<1>(&mut rest)? {
        [0] => EngagementKind::Opened,
        [1] => EngagementKind::Clicked,
        _ => return None,
    };
    let subject_kind = take::<1>(&mut rest)?;
    let number = i64::from_le_bytes(take(&mut rest)?);
    let subject = match subject_kind {
        [0] => HitSubject::Delivery(DeliveryId(number)),
        [1] => HitSubject::Run(RunId(number)),
        _ => return None,
    };
    let link = i64::from_le_bytes(take(&mut rest)?);
    let at = Timestamp::from_micros(i64::from_le_bytes(take(&mut rest)?));
    let [flags] = take::<1>(&mut rest)?;
    let mut text = || -> Option<Option<String>> {
        let length = u16::from_le_bytes(take(&mut rest)?);
        if length == NO_TEXT {
            return Some(None);
        }
        let (text, after) = rest.split_at_checked(usize::from(length))?;
        rest = after;
        Some(Some(String::from_utf8(text.to_vec()).ok()?))
    };
    let request = RequestFacts {
        head: flags & HEAD != 0,
        accept_encoding: flags & ACCEPT_ENCODING != 0,
        user_agent: text()?,
        network: text()?,
        accept: text()?,
        accept_language: text()?,
        fetch: text()?,
        purpose: text()?,
    };
    rest.is_empty().then_some(Hit { kind, subject, link, at, request })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(hit: &Hit) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(hit, &mut bytes);
        bytes
    }

    fn hit() -> Hit {
        Hit {
            kind: EngagementKind::Clicked,
            subject: HitSubject::Delivery(DeliveryId(42)),
            link: 7,
            at: Timestamp::from_seconds(1_800_000_000),
            request: RequestFacts {
                accept_encoding: true,
                user_agent: Some("Mozilla/5.0 (é)".to_owned()),
                network: Some("203.0.113.0/24".to_owned()),
                accept: Some(String::new()),
                ..RequestFacts::default()
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let open = Hit { kind: EngagementKind::Opened, subject: HitSubject::Run(RunId(i64::MAX)), ..hit() };
        for hit in [hit(), open] {
            let mut bytes = encoded(&hit);
            let length = bytes.len();
            bytes.extend_from_slice(b"more");
            assert_eq!(next(&bytes), Next::Hit(Box::new(hit), length));
        }
        let long = "é".repeat(10_000);
        let request = RequestFacts { user_agent: Some(long), ..RequestFacts::default() };
        let bytes = encoded(&Hit { request, ..hit() });
        assert!(
            matches!(next(&bytes), Next::Hit(hit, _) if hit.request.user_agent.as_ref().is_some_and(|text| text.len() == 1_024))
        );
    }

    #[test]
    fn every_cut_and_every_altered_byte_is_noticed() {
        let bytes = encoded(&hit());
        for cut in 0..bytes.len() {
            assert_eq!(next(&bytes[..cut]), Next::Incomplete, "cut at {cut}");
        }
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 0x10;
            assert!(!matches!(next(&altered), Next::Hit(..)), "byte {place}");
        }
        assert_eq!(next(&[0; 100]), Next::Unreadable);
        assert_eq!(file_number(&header(77)), Some(77));
        assert_eq!(file_number(b"campaignd-hits 2\0\0\0\0\0\0\0\0"), None);
        assert_eq!(file_number(&header(77)[..20]), None);
    }
}
