//! Chunks: events of one name and one block as bytes.

use super::{BlockId, CONTACTS_PER_BLOCK};
use crate::domain::event::EventNameId;
use crate::domain::time::Timestamp;
use crate::domain::varint;

/// Chunks do not grow past this many bytes, heads and properties together: below one page of
/// SQLite (4,096), far below the 8 kB of a PLAIN bytea in PostgreSQL. An event that alone is larger
/// has a chunk of its own.
pub const CHUNK_CAPACITY: usize = 3_900;

/// Where a chunk lies among all: by name, then by block, then by its place among those of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// The events' name.
    pub name: EventNameId,
    /// The block.
    pub block: BlockId,
    /// 0 for the first chunk of this name and block.
    pub sequence: u32,
}

impl ChunkKey {
    const BLOCK_BITS: u32 = 27;
    const SEQUENCE_BITS: u32 = 14;

    /// The greatest sequence: the last chunk takes in what comes, however large it becomes.
    pub const LAST_SEQUENCE: u32 = (1 << Self::SEQUENCE_BITS) - 1;
    /// As many names have a place: 4 million. (And 8 thousand million contacts.)
    pub const NAMES: u32 = 1 << (63 - Self::BLOCK_BITS - Self::SEQUENCE_BITS);

    /// The key as one number, in the same order.
    pub const fn number(self) -> i64 {
        (((self.name.0 as i64) << Self::BLOCK_BITS) + self.block.0) << Self::SEQUENCE_BITS
            | self.sequence as i64
    }

    /// The key that is this number.
    pub const fn of(number: i64) -> Self {
        let before = number >> Self::SEQUENCE_BITS;
        Self {
            name: EventNameId((before >> Self::BLOCK_BITS) as u32),
            block: BlockId(before & ((1 << Self::BLOCK_BITS) - 1)),
            sequence: number as u32 & Self::LAST_SEQUENCE,
        }
    }

    /// The first number that a chunk of this name and block, or a later one, can have.
    pub const fn first(name: EventNameId, block: BlockId) -> i64 {
        Self { name, block, sequence: 0 }.number()
    }
}

/// Bytes that are no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the packed history of block {block} is damaged; `campaignd migrate --rebuild-histories` makes it anew from the event log"
)]
pub struct DamagedChunk {
    /// Which block.
    pub block: i64,
}

/// A chunk as it is read from a row. Two byte strings, which the database keeps in two columns: a pass
/// that needs no properties never touches theirs.
///
/// ```text
/// heads      := (slot: varint | at − previous at: zigzag varint, µs
///                | arrival − previous arrival: zigzag varint | length of properties: varint)*
/// properties := the JSON objects of these events, one after the other; an empty one is left out
/// ```
///
/// The slot is the contact's place in its block; the arrival is the event's number in the log. A late
/// event has a negative step in time; [`super::BlockHistory`] puts each contact's events in order of time,
/// and of two at one instant the later to arrive comes later.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// The block.
    pub block: BlockId,
    /// The events' name.
    pub name: EventNameId,
    /// The heads.
    pub heads: &'a [u8],
    /// The properties; may be left empty when nothing asks for them.
    pub properties: &'a [u8],
}

/// A chunk that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkBuffer {
    /// The heads.
    pub heads: Vec<u8>,
    /// The properties.
    pub properties: Vec<u8>,
    /// When the latest of its events happened.
    pub latest: Timestamp,
    previous_at: i64,
    previous_arrival: i64,
}

impl Default for ChunkBuffer {
    fn default() -> Self {
        Self {
            heads: Vec::new(),
            properties: Vec::new(),
            latest: Timestamp::from_micros(i64::MIN),
            previous_at: 0,
            previous_arrival: 0,
        }
    }
}

/// An event on its way into a chunk.
#[derive(Debug, Clone, Copy)]
pub struct PackedEvent<'a> {
    /// The contact's slot in the block.
    pub slot: u8,
    /// When it happened.
    pub at: Timestamp,
    /// Its number in the log; later arrivals have greater ones.
    pub arrival: i64,
    /// A JSON object, or empty.
    pub properties: &'a str,
}

impl ChunkBuffer {
    /// Goes on with a stored chunk.
    pub fn resume(chunk: Chunk<'_>) -> Result<Self, DamagedChunk> {
        let mut buffer =
            Self { heads: chunk.heads.to_vec(), properties: chunk.properties.to_vec(), ..Self::default() };
        for head in Heads::new(chunk.block, chunk.heads) {
            let head = head?;
            (buffer.previous_at, buffer.previous_arrival) = (head.at, head.arrival);
            buffer.latest = buffer.latest.max(Timestamp::from_micros(head.at));
        }
        Ok(buffer)
    }

    /// Whether an event with properties of this length still fits. Any event fits an empty chunk.
    pub const fn has_room_for(&self, properties: usize) -> bool {
        // A head is at most 1 + 10 + 10 + 5 bytes long.
        self.heads.is_empty() || self.heads.len() + self.properties.len() + properties + 26 <= CHUNK_CAPACITY
    }

    /// Appends an event.
    pub fn push(&mut self, event: PackedEvent<'_>) {
        let properties = if event.properties == "{}" { "" } else { event.properties };
        varint::push(&mut self.heads, u64::from(event.slot));
        varint::push(&mut self.heads, varint::zigzag(event.at.micros().wrapping_sub(self.previous_at)));
        varint::push(&mut self.heads, varint::zigzag(event.arrival.wrapping_sub(self.previous_arrival)));
        varint::push(&mut self.heads, properties.len() as u64);
        self.properties.extend_from_slice(properties.as_bytes());
        (self.previous_at, self.previous_arrival) = (event.at.micros(), event.arrival);
        self.latest = self.latest.max(event.at);
    }
}

/// All of an event but its properties.
pub(super) struct Head {
    pub(super) slot: u8,
    pub(super) at: i64,
    pub(super) arrival: i64,
    /// Of its properties.
    pub(super) length: usize,
}

/// The heads of a chunk, in the order of arrival.
pub(super) struct Heads<'a> {
    block: BlockId,
    bytes: &'a [u8],
    at: i64,
    arrival: i64,
}

impl<'a> Heads<'a> {
    pub(super) const fn new(block: BlockId, heads: &'a [u8]) -> Self {
        Self { block, bytes: heads, at: 0, arrival: 0 }
    }

    #[inline]
    fn read(&mut self) -> Option<Head> {
        let slot = varint::take(&mut self.bytes)?;
        self.at = self.at.wrapping_add(varint::take_signed(&mut self.bytes)?);
        self.arrival = self.arrival.wrapping_add(varint::take_signed(&mut self.bytes)?);
        let length = usize::try_from(varint::take(&mut self.bytes)?).ok()?;
        let slot = u8::try_from(slot).ok().filter(|slot| i64::from(*slot) < CONTACTS_PER_BLOCK)?;
        Some(Head { slot, at: self.at, arrival: self.arrival, length })
    }
}

impl Iterator for Heads<'_> {
    type Item = Result<Head, DamagedChunk>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let head = self.read();
        if head.is_none() {
            self.bytes = &[];
        }
        Some(head.ok_or(DamagedChunk { block: self.block.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_numbers_in_their_order() {
        let mut keys = Vec::new();
        for name in [0, 1, 2, ChunkKey::NAMES - 1] {
            for block in [0, 1, (1 << 27) - 1] {
                for sequence in [0, 1, ChunkKey::LAST_SEQUENCE] {
                    keys.push(ChunkKey { name: EventNameId(name), block: BlockId(block), sequence });
                }
            }
        }
        assert!(keys.is_sorted());
        let numbers: Vec<_> = keys.iter().map(|key| key.number()).collect();
        assert!(numbers.is_sorted() && numbers[0] == 0, "{numbers:?}");
        assert_eq!(numbers.into_iter().map(ChunkKey::of).collect::<Vec<_>>(), keys);
        // The end of a name's stretch is the beginning of the next one's.
        assert_eq!(
            ChunkKey::first(EventNameId(4), BlockId(1 << 27)),
            ChunkKey::first(EventNameId(5), BlockId(0))
        );
    }
}
