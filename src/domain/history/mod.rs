//! Packed histories: the events of neighbouring contacts in few rows, so that a full pass reads
//! little. The event log is the truth; what is here can be made anew from it.
//!
//! A *block* is [`CONTACTS_PER_BLOCK`] contacts with consecutive numbers. A *chunk* holds events of
//! one block and one name in the order of their arrival, as two byte strings that the database keeps
//! in two columns: a pass that needs no properties never touches theirs.
//!
//! ```text
//! heads      := (slot: varint | at − previous at: zigzag varint, µs
//!                | arrival − previous arrival: varint | length of properties: varint)*
//! properties := the JSON objects of these events, one after the other; an empty one is left out
//! ```
//!
//! The slot is the contact's place in its block; the arrival is the event's number in the log. A late
//! event has a negative step in time; [`BlockHistory`] puts each contact's events in order of time,
//! and of two at one instant the later to arrive comes later.

use super::contact::ContactId;
use super::event::EventNameId;
use super::time::Timestamp;
use super::varint;

/// How many contacts share a block. More make a full pass cheaper and a point read dearer.
pub const CONTACTS_PER_BLOCK: i64 = 16;

/// Chunks do not grow past this many bytes, heads and properties together: below one page of
/// SQLite (4,096), far below the 8 kB of a PLAIN bytea in PostgreSQL. An event that alone is larger
/// has a chunk of its own.
pub const CHUNK_CAPACITY: usize = 3_900;

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

/// Bytes that are no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the packed history of block {block} is damaged; `campaignd migrate --rebuild-histories` makes it anew from the event log"
)]
pub struct DamagedChunk {
    /// Which block.
    pub block: i64,
}

/// A chunk as it is read from a row.
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChunkBuffer {
    /// The heads.
    pub heads: Vec<u8>,
    /// The properties.
    pub properties: Vec<u8>,
    previous_at: i64,
    previous_arrival: i64,
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
        let mut buffer = Self {
            heads: chunk.heads.to_vec(),
            properties: chunk.properties.to_vec(),
            previous_at: 0,
            previous_arrival: 0,
        };
        for head in Heads::new(chunk) {
            let head = head?;
            (buffer.previous_at, buffer.previous_arrival) = (head.at, head.arrival);
        }
        Ok(buffer)
    }

    /// Whether an event with properties of this length still fits. Any event fits an empty chunk.
    pub fn has_room_for(&self, properties: usize) -> bool {
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
    }
}

/// Which contact columns a reader needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContactPart {
    /// Number, zone, time of creation, consents. All else may be left empty.
    #[default]
    Facts,
    /// Everything, attributes too.
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

/// One event of a contact's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: EventNameId,
    /// When it happened.
    pub at: Timestamp,
    /// Its number in the log.
    pub arrival: i64,
    start: u32,
    length: u32,
}

/// The events of a block's contacts, as far as they are needed; a buffer that is used again and again.
#[derive(Debug, Default)]
pub struct BlockHistory {
    gathered: Vec<(u8, Event)>,
    events: Vec<Event>,
    ends: [u32; CONTACTS_PER_BLOCK as usize],
    properties: String,
}

/// One contact's events, each name's together and in order of time.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    events: &'a [Event],
    properties: &'a str,
}

impl BlockHistory {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.gathered.clear();
        self.events.clear();
        self.ends = [0; CONTACTS_PER_BLOCK as usize];
        self.properties.clear();
    }

    /// Takes in a chunk. The chunks of one name come in order of their sequence.
    pub fn add(&mut self, chunk: Chunk<'_>, needs: &Needs) -> Result<(), DamagedChunk> {
        self.add_lazily(chunk.block, chunk.name, chunk.heads, || Some(chunk.properties), needs)
    }

    /// As [`add`](Self::add); asks for the properties only if an event's are needed. `None`: they cannot
    /// be read.
    pub fn add_lazily<'a>(
        &mut self,
        block: BlockId,
        name: EventNameId,
        heads: &[u8],
        properties: impl FnOnce() -> Option<&'a [u8]>,
        needs: &Needs,
    ) -> Result<(), DamagedChunk> {
        let Ok(position) = needs.events.binary_search_by_key(&name, |need| need.name) else {
            return Ok(());
        };
        let need = needs.events[position];
        let damaged = DamagedChunk { block: block.0 };
        let mut unread = Some(properties);
        let mut properties: &[u8] = &[];
        let mut offset = 0;
        for head in Heads::new(Chunk { block, name, heads, properties: &[] }) {
            let head = head?;
            let at = Timestamp::from_micros(head.at);
            let end = offset + head.length;
            if at >= need.since {
                let start = self.properties.len();
                let mut length = 0;
                if head.length > 0 && need.properties_since.is_some_and(|since| at >= since) {
                    if let Some(read) = unread.take() {
                        properties = read().ok_or(damaged)?;
                    }
                    let bytes = properties.get(offset..end).ok_or(damaged)?;
                    self.properties.push_str(std::str::from_utf8(bytes).map_err(|_| damaged)?);
                    length = head.length;
                }
                let (start, length) = (start as u32, length as u32);
                let event = Event { name, at, arrival: head.arrival, start, length };
                self.gathered.push((head.slot, event));
            }
            offset = end;
        }
        Ok(())
    }

    /// Puts every contact's events in order, once all chunks are in.
    pub fn finish(&mut self) {
        let mut counts = [0_u32; CONTACTS_PER_BLOCK as usize];
        for (slot, _) in &self.gathered {
            counts[usize::from(*slot)] += 1;
        }
        let mut next = [0_u32; CONTACTS_PER_BLOCK as usize];
        let mut sum = 0;
        for (slot, count) in counts.iter().enumerate() {
            next[slot] = sum;
            sum += count;
            self.ends[slot] = sum;
        }
        if let Some((_, first)) = self.gathered.first() {
            self.events.resize(self.gathered.len(), *first);
        }
        for (slot, event) in &self.gathered {
            let place = &mut next[usize::from(*slot)];
            self.events[*place as usize] = *event;
            *place += 1;
        }
        // Chunks come by name and in order of arrival; only late events are out of place.
        let order = |event: &Event| (event.name, event.at, event.arrival);
        let mut start = 0;
        for end in self.ends {
            let events = &mut self.events[start..end as usize];
            if !events.is_sorted_by_key(order) {
                events.sort_unstable_by_key(order);
            }
            start = end as usize;
        }
    }

    /// The history of the contact in a slot.
    pub fn contact(&self, slot: u8) -> History<'_> {
        let slot = usize::from(slot);
        let start = if slot == 0 { 0 } else { self.ends[slot - 1] as usize };
        History { events: &self.events[start..self.ends[slot] as usize], properties: &self.properties }
    }
}

impl<'a> History<'a> {
    /// A contact without events.
    pub const EMPTY: Self = Self { events: &[], properties: "" };

    /// The events of one name, in order of time.
    pub fn of(&self, name: EventNameId) -> &'a [Event] {
        let start = self.events.partition_point(|event| event.name < name);
        let rest = &self.events[start..];
        &rest[..rest.partition_point(|event| event.name == name)]
    }

    /// All events, by name and in order of time.
    pub const fn all(&self) -> &'a [Event] {
        self.events
    }

    /// The properties of one of this history's events: a JSON object, or empty for none.
    pub fn properties(&self, event: &Event) -> &'a str {
        let start = event.start as usize;
        self.properties.get(start..start + event.length as usize).unwrap_or("")
    }
}

struct Head {
    slot: u8,
    at: i64,
    arrival: i64,
    length: usize,
}

struct Heads<'a> {
    block: BlockId,
    bytes: &'a [u8],
    position: usize,
    at: i64,
    arrival: i64,
}

impl<'a> Heads<'a> {
    const fn new(chunk: Chunk<'a>) -> Self {
        Self { block: chunk.block, bytes: chunk.heads, position: 0, at: 0, arrival: 0 }
    }

    #[inline]
    fn read(&mut self) -> Option<Head> {
        let slot = self.varint()?;
        self.at = self.at.wrapping_add(self.zigzag()?);
        self.arrival = self.arrival.wrapping_add(self.zigzag()?);
        let length = usize::try_from(self.varint()?).ok()?;
        let slot = u8::try_from(slot).ok().filter(|slot| i64::from(*slot) < CONTACTS_PER_BLOCK)?;
        Some(Head { slot, at: self.at, arrival: self.arrival, length })
    }

    #[inline]
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

    #[inline]
    fn zigzag(&mut self) -> Option<i64> {
        Some(varint::unzigzag(self.varint()?))
    }
}

impl Iterator for Heads<'_> {
    type Item = Result<Head, DamagedChunk>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.bytes.len() {
            return None;
        }
        let head = self.read();
        if head.is_none() {
            self.position = self.bytes.len();
        }
        Some(head.ok_or(DamagedChunk { block: self.block.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: BlockId = BlockId(3);

    fn chunk(name: u32, buffer: &ChunkBuffer) -> Chunk<'_> {
        let name = EventNameId(name);
        Chunk { block: BLOCK, name, heads: &buffer.heads, properties: &buffer.properties }
    }

    fn packed(slot: u8, at: i64, arrival: i64, properties: &str) -> PackedEvent<'_> {
        PackedEvent { slot, at: Timestamp::from_micros(at), arrival, properties }
    }

    fn need(name: u32, since: i64, properties_since: Option<i64>) -> EventNeed {
        let since = Timestamp::from_micros(since);
        let properties_since = properties_since.map(Timestamp::from_micros);
        EventNeed { name: EventNameId(name), since, properties_since }
    }

    #[test]
    fn histories_come_back_in_order_of_time() {
        let mut purchases = ChunkBuffer::default();
        purchases.push(packed(2, 500, 10, r#"{"a":1}"#));
        purchases.push(packed(0, 600, 11, "{}"));
        let mut purchases = ChunkBuffer::resume(chunk(1, &purchases)).expect("the chunk is whole");
        purchases.push(packed(2, 100, 14, r#"{"a":"é"}"#)); // late
        purchases.push(packed(2, 500, 15, r#"{"a":2}"#)); // at one instant with the first
        let mut views = ChunkBuffer::default();
        views.push(packed(2, -7, 12, "{}"));
        let needs = Needs {
            contact: ContactPart::Facts,
            events: vec![need(1, 0, Some(200)), need(2, i64::MIN, None)],
        };
        let mut block = BlockHistory::default();
        for _ in 0..2 {
            block.clear();
            block.add(chunk(1, &purchases), &needs).expect("the chunk is whole");
            block.add(chunk(2, &views), &needs).expect("the chunk is whole");
            block.add(chunk(9, &views), &needs).expect("a name that nothing mentions is skipped");
            block.finish();
        }
        let history = block.contact(2);
        let read: Vec<_> = history
            .all()
            .iter()
            .map(|event| (event.name.0, event.at.micros(), event.arrival, history.properties(event)))
            .collect();
        assert_eq!(
            read,
            [(1, 100, 14, ""), (1, 500, 10, r#"{"a":1}"#), (1, 500, 15, r#"{"a":2}"#), (2, -7, 12, "")]
        );
        assert_eq!(history.of(EventNameId(2)).len(), 1);
        assert_eq!(history.of(EventNameId(7)).len(), 0);
        assert_eq!(block.contact(0).all().len(), 1);
        assert_eq!(block.contact(15).all().len(), 0);
    }

    #[test]
    fn a_cut_or_altered_chunk_neither_panics_nor_hangs() {
        let mut buffer = ChunkBuffer::default();
        buffer.push(packed(15, 1_793_491_200_000_000, 9, r#"{"a":1}"#));
        buffer.push(packed(3, 5, 10, ""));
        let needs = Needs { contact: ContactPart::Facts, events: vec![need(1, i64::MIN, Some(i64::MIN))] };
        for position in 0..buffer.heads.len() {
            for altered in [0x00, 0x7f, 0x80, 0xff] {
                let mut heads = buffer.heads.clone();
                heads[position] = altered;
                let mut block = BlockHistory::default();
                let damaged = Chunk { heads: &heads, ..chunk(1, &buffer) };
                let _ = block.add(damaged, &needs);
                block.finish();
                let cut = Chunk { heads: &buffer.heads[..position], ..chunk(1, &buffer) };
                let _ = block.add(cut, &needs);
            }
        }
    }

    #[test]
    fn blocks_hold_neighbours() {
        for number in [0, 1, 15, 16, 17, 1_000_003] {
            let (block, slot) = BlockId::of(ContactId(number));
            assert_eq!(block.contact(slot), ContactId(number));
        }
    }
}
