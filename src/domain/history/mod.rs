//! Packed histories: the events of neighbouring contacts in few rows, so that a full pass reads
//! little. The event log is the truth; what is here can be made anew from it.
//!
//! A *block* is [`CONTACTS_PER_BLOCK`] contacts with consecutive numbers. A *chunk* holds events of
//! one name and one block in the order of their arrival; see [`Chunk`] for its bytes. Chunks lie in the
//! order of their [`ChunkKey`]s, by name first: a pass walks one stretch for each name that it needs and
//! never meets the others.
//!
//! | file | what it does |
//! |---|---|
//! | `chunk` | packs events and unpacks them |
//! | `block` | what a pass gathers of one block's chunks: each contact's events in order |

mod block;
mod chunk;

pub use block::{BlockHistory, Event, History, Supposed};
pub use chunk::{CHUNK_CAPACITY, Chunk, ChunkBuffer, ChunkKey, DamagedChunk, PackedEvent};

use super::contact::ContactId;
use super::event::EventNameId;
use super::time::Timestamp;

/// How many contacts share a block. More make a full pass cheaper and a point read dearer.
pub const CONTACTS_PER_BLOCK: i64 = 64;

/// The number of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub i64);

impl BlockId {
    /// The block of a contact, and the contact's slot in it.
    pub const fn of(contact: ContactId) -> (Self, u8) {
        (Self(contact.0.div_euclid(CONTACTS_PER_BLOCK)), contact.0.rem_euclid(CONTACTS_PER_BLOCK) as u8)
    }

    /// The contact in a slot.
    pub const fn contact(self, slot: u8) -> ContactId {
        ContactId(self.0 * CONTACTS_PER_BLOCK + slot as i64)
    }
}

/// Which contact columns a reader needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ContactPart {
    /// Number, zone, time of creation, consents. All else may be left empty.
    #[default]
    Facts,
    /// These and the attributes with these names on the wire.
    Attributes(Vec<String>),
    /// Everything.
    Whole,
}

/// What a reader of histories needs; the rest is not read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Of contacts.
    pub contact: ContactPart,
    /// Of events, sorted by name, each name once; other names are skipped.
    pub events: Vec<EventNeed>,
}

/// What a reader needs of the events of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNeed {
    /// The name.
    pub name: EventNameId,
    /// Earlier events are not needed.
    pub since: Timestamp,
    /// Properties are needed of events from here on; `None`: of none.
    pub properties_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_neighbours() {
        for number in [0, 1, 63, 64, 65, 1_000_003] {
            let (block, slot) = BlockId::of(ContactId(number));
            assert_eq!(block.contact(slot), ContactId(number));
        }
    }
}
