//! The bytes of a request to the calls in it.
//!
//! The limits are those of the Segment API
//! (<https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/>, "Max request size").

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::value::RawValue;

use super::call::scalar;
use crate::domain::json;
use crate::domain::time::Timestamp;
use crate::domain::value;

/// The bytes of a request, unpacked: 500 KB.
pub const LARGEST_REQUEST: usize = 500 * 1024;
/// The calls of a request.
pub const MOST_CALLS: usize = 2_500;
/// The bytes of a call: 32 KB.
pub const LARGEST_CALL: usize = 32 * 1024;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Facts of a contact.
    Identify,
    /// Something a contact did.
    Track,
    /// A page that was looked at.
    Page,
    /// A screen of an app that was looked at.
    Screen,
    /// The contact belongs to a group.
    Group,
    /// Two ids are one person.
    Alias,
    /// Any of these, many at once.
    Batch,
}

impl Kind {
    /// The kind by its word, as in the path and in `type`.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "identify" => Self::Identify,
            "track" => Self::Track,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            // `import` is what Segment calls a batch of the past.
            "batch" | "import" => Self::Batch,
            _ => return None,
        })
    }
}

/// Why a request is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Larger than [`LARGEST_REQUEST`], packed or unpacked.
    #[error("the request is larger than 500 KB")]
    TooLarge,
    /// More than [`MOST_CALLS`].
    #[error("the batch has more than 2,500 calls")]
    TooMany,
    /// It looks packed and cannot be unpacked.
    #[error("the request is no whole gzip")]
    Gzip,
    /// It is no JSON.
    #[error("the request is no JSON")]
    Json,
    /// It is JSON, but no call, or has no list `batch`.
    #[error("the request is no object, or a batch without `batch`")]
    Shape,
    /// All of its calls are beyond a limit, so that nothing of it could be kept.
    #[error("the call is larger than 32 KB, or its `messageId` has 100 characters or more")]
    CallTooLarge,
}

/// The calls of a request, as they came.
#[derive(Debug)]
pub struct Request {
    /// The key, where it is in the body.
    pub write_key: Option<String>,
    /// When the client says that it sent them, by its own clock.
    pub(super) sent_at: Option<Timestamp>,
    /// What is said of the circumstances of all calls.
    pub(super) context: Option<Box<RawValue>>,
    /// The calls; of a batch, each with its own kind.
    pub(super) calls: Vec<Box<RawValue>>,
    pub(super) kind: Kind,
}

impl Request {
    /// Reads the body of a request. It may be packed with gzip: its first bytes tell, whatever the
    /// headers say, because proxies unpack and forget to say so.
    pub fn read(kind: Kind, body: &[u8]) -> Result<Self, Malformed> {
        let unpacked;
        let body = if body.starts_with(&GZIP) {
            unpacked = unpack(body)?;
            unpacked.as_slice()
        } else {
            body
        };
        if body.len() > LARGEST_REQUEST {
            return Err(Malformed::TooLarge);
        }
        let body = body.strip_prefix(UTF8_MARK).unwrap_or(body);
        let body = std::str::from_utf8(body).map_err(|_| Malformed::Json)?;
        let body = json::without_half_pairs(body);
        let raw: &RawValue = serde_json::from_str(&body).map_err(|_| Malformed::Json)?;
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| Malformed::Shape)?;
        let text = |name: &str| members.get(name).and_then(|raw| scalar(raw));
        let calls = match kind {
            Kind::Batch => {
                let batch = members.get("batch").ok_or(Malformed::Shape)?;
                serde_json::from_str(batch.get()).map_err(|_| Malformed::Shape)?
            }
            _ => vec![raw.to_owned()],
        };
        if calls.len() > MOST_CALLS {
            return Err(Malformed::TooMany);
        }
        Ok(Self {
            write_key: text("writeKey"),
            sent_at: text("sentAt").and_then(|text| instant(&text)),
            context: members.get("context").filter(|_| kind == Kind::Batch).map(|raw| (*raw).to_owned()),
            calls,
            kind,
        })
    }
}

/// What gzip begins with (RFC 1952, section 2.3.1); no JSON does.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Stops as soon as there is too much: a small body may unpack to gigabytes.
fn unpack(body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut unpacked = Vec::new();
    let bound = LARGEST_REQUEST as u64 + 1;
    MultiGzDecoder::new(body).take(bound).read_to_end(&mut unpacked).map_err(|_| Malformed::Gzip)?;
    if unpacked.len() > LARGEST_REQUEST {
        return Err(Malformed::TooLarge);
    }
    Ok(unpacked)
}

/// A time of a client; without a zone it is UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    value::instant(text, chrono_tz::UTC)
}
