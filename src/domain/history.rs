//! Packed histories: one contact's events in few bytes, so that a full pass reads few rows.
//!
//! A chunk is a sequence of events in the order of their arrival:
//!
//! ```text
//! event := name: varint | at − previous at: zigzag varint (micros) | length: varint | properties
//! ```
//!
//! Properties are a JSON object, or nothing for none. A late event has a negative step; readers
//! sort by time, stably, so that of two events at one instant the later to arrive comes later.

use super::event::EventNameId;
use super::time::Timestamp;

/// Chunks do not grow past this many bytes: below one page of `SQLite` (4,096), larger payloads
/// spill to overflow pages; far below the 8 kB of a PLAIN bytea in `PostgreSQL`.
pub const CHUNK_CAPACITY: usize = 3_900;

/// One event of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// Its name on the wire.
    pub name: EventNameId,
    /// When it happened.
    pub at: Timestamp,
    /// A JSON object, or empty.
    pub properties: &'a str,
}

/// Bytes that are no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "packed history is damaged at byte {position}; `campaignd migrate --rebuild-histories` makes it anew from the event log"
)]
pub struct DamagedChunk {
    /// Where.
    pub position: usize,
}

/// Appends an event to a chunk whose last event (in order of arrival) was at `previous`
/// (1970-01-01 for an empty one).
pub fn append(chunk: &mut Vec<u8>, previous: Timestamp, event: EventRef<'_>) {
    push_varint(chunk, u64::from(event.name.0));
    let step = event.at.micros().wrapping_sub(previous.micros());
    push_varint(chunk, ((step << 1) ^ (step >> 63)) as u64);
    push_varint(chunk, event.properties.len() as u64);
    chunk.extend_from_slice(event.properties.as_bytes());
}

/// The events of one chunk, in order of arrival.
#[derive(Debug, Clone)]
pub struct Events<'a> {
    bytes: &'a [u8],
    position: usize,
    previous: i64,
}

impl<'a> Events<'a> {
    /// Reads a chunk.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, previous: 0 }
    }

    fn read(&mut self) -> Option<EventRef<'a>> {
        let name = u32::try_from(self.varint()?).ok()?;
        let step = self.varint()?;
        let step = ((step >> 1) as i64) ^ -((step & 1) as i64);
        let at = self.previous.wrapping_add(step);
        let length = usize::try_from(self.varint()?).ok()?;
        let end = self.position.checked_add(length)?;
        let properties = std::str::from_utf8(self.bytes.get(self.position..end)?).ok()?;
        self.position = end;
        self.previous = at;
        Some(EventRef { name: EventNameId(name), at: Timestamp::from_micros(at), properties })
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.position)?;
            self.position += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<EventRef<'a>, DamagedChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.bytes.len() {
            return None;
        }
        let start = self.position;
        let event = self.read();
        if event.is_none() {
            self.position = self.bytes.len();
        }
        Some(event.ok_or(DamagedChunk { position: start }))
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read() {
        let events = [(1, 5, "{}"), (300, 1_793_491_200_000_000, r#"{"a":"é"}"#), (2, -7, "")];
        let mut chunk = Vec::new();
        let mut previous = Timestamp::from_micros(0);
        for (name, at, properties) in events {
            let at = Timestamp::from_micros(at);
            append(&mut chunk, previous, EventRef { name: EventNameId(name), at, properties });
            previous = at;
        }
        let read: Vec<_> = Events::new(&chunk)
            .map(|event| event.map(|event| (event.name.0, event.at.micros(), event.properties)))
            .collect::<Result<_, _>>()
            .expect("the chunk is whole");
        assert_eq!(read, events);
        for length in 1..chunk.len() {
            let events: Vec<_> = Events::new(&chunk[..length]).collect();
            assert!(events.len() <= 3, "a cut chunk neither panics nor hangs");
        }
    }
}
