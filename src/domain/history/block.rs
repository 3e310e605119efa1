//! What a pass gathers of one block's chunks.

use super::chunk::{Chunk, DamagedChunk, Heads};
use super::{BlockId, CONTACTS_PER_BLOCK, Needs};
use crate::domain::event::EventNameId;
use crate::domain::time::Timestamp;

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
    /// The names that are needed, in order.
    names: Vec<EventNameId>,
    /// Events with their cells: a cell holds the events of one contact and one name, and cells stand
    /// in the order of contacts, then of names.
    gathered: Vec<(u32, Event)>,
    /// How many events each cell has; once they are in order, where it ends.
    ends: Vec<u32>,
    events: Vec<Event>,
    /// Whether an event came behind a later one of its name.
    late: bool,
    properties: String,
    /// The slots of the contacts that are asked for, a bit each.
    slots: u64,
}

/// One contact's events, each name's together and in order of time.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    events: &'a [Event],
    names: &'a [EventNameId],
    /// Where in the block's events these begin, and where those of each name end.
    start: u32,
    ends: &'a [u32],
    properties: &'a str,
}

impl BlockHistory {
    /// Forgets everything, and gathers what is needed of another block.
    pub fn begin(&mut self, needs: &Needs) {
        self.begin_with(needs, u64::MAX);
    }

    /// As [`begin`](Self::begin), of the contacts in some slots, a bit each: the others will have no events.
    pub fn begin_with(&mut self, needs: &Needs, slots: u64) {
        self.slots = slots;
        self.gathered.clear();
        self.events.clear();
        self.properties.clear();
        self.late = false;
        if !self.names.iter().eq(needs.events.iter().map(|need| &need.name)) {
            self.names.clear();
            self.names.extend(needs.events.iter().map(|need| need.name));
        }
        self.ends.clear();
        self.ends.resize(self.names.len() * CONTACTS_PER_BLOCK as usize, 0);
    }

    /// Takes in a chunk. The chunks of one name come in order of their sequence; needs are those that it
    /// began with.
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
        let Some(need) = needs.events.get(position).filter(|_| self.names.get(position) == Some(&name))
        else {
            return Ok(());
        };
        // The chunks of one name follow each other.
        let mut previous = match self.gathered.last() {
            Some((_, last)) if last.name == name => (last.at.micros(), last.arrival),
            _ => (i64::MIN, i64::MIN),
        };
        let damaged = DamagedChunk { block: block.0 };
        // A chunk's properties are taken in together, once an event asks for its own.
        let mut unread = Some(properties);
        let mut base = self.properties.len();
        let mut offset = 0;
        for head in Heads::new(block, heads) {
            let head = head?;
            let at = Timestamp::from_micros(head.at);
            let end: usize = head.length.saturating_add(offset);
            if at >= need.since && self.slots & (1 << head.slot) != 0 {
                let (mut start, mut length) = (0, 0);
                if head.length > 0 && need.properties_since.is_some_and(|since| at >= since) {
                    if let Some(read) = unread.take() {
                        base = self.properties.len();
                        let bytes = read().ok_or(damaged)?;
                        self.properties.push_str(std::str::from_utf8(bytes).map_err(|_| damaged)?);
                    }
                    start = base.saturating_add(offset);
                    length = self.properties.get(start..base.saturating_add(end)).ok_or(damaged)?.len();
                }
                let (start, length) = (start as u32, length as u32);
                let event = Event { name, at, arrival: head.arrival, start, length };
                let cell = usize::from(head.slot) * self.names.len() + position;
                self.gathered.push((cell as u32, event));
                self.ends[cell] += 1;
                self.late |= (head.at, head.arrival) < previous;
                previous = (head.at, head.arrival);
            }
            offset = end;
        }
        Ok(())
    }

    /// Puts every contact's events in order, once all chunks are in.
    pub fn finish(&mut self) {
        // First where each cell begins; each event that is put there moves it on, so that it ends as the end.
        let mut sum = 0;
        for end in &mut self.ends {
            let count = std::mem::replace(end, sum);
            sum += count;
        }
        let Some((_, first)) = self.gathered.first() else { return };
        self.events.resize(self.gathered.len(), *first);
        for (cell, event) in &self.gathered {
            let place = &mut self.ends[*cell as usize];
            self.events[*place as usize] = *event;
            *place += 1;
        }
        if self.late {
            let mut start = 0;
            for end in &self.ends {
                self.events[start..*end as usize].sort_unstable_by_key(|event| (event.at, event.arrival));
                start = *end as usize;
            }
        }
    }

    /// The history of the contact in a slot.
    pub fn contact(&self, slot: u8) -> History<'_> {
        let first = usize::from(slot) * self.names.len();
        let start = if first == 0 { 0 } else { self.ends[first - 1] };
        let ends = &self.ends[first..first + self.names.len()];
        let end = ends.last().map_or(start, |end| *end);
        History {
            events: &self.events[start as usize..end as usize],
            names: &self.names,
            start,
            ends,
            properties: &self.properties,
        }
    }
}

/// An event as it would be, did it happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supposed {
    /// Its name.
    pub name: EventNameId,
    /// When it would happen.
    pub at: Timestamp,
    /// A JSON object.
    pub properties: String,
}

impl BlockHistory {
    /// A contact's history as it would be with more events, the last ones to become known: that of slot 0.
    pub fn supposing(history: &History<'_>, more: &[Supposed]) -> Self {
        let mut block = Self { names: history.names.to_vec(), ..Self::default() };
        block.names.extend(more.iter().map(|event| event.name));
        block.names.sort_unstable();
        block.names.dedup();
        let mut arrival = history.events.iter().map(|event| event.arrival).max().unwrap_or_default();
        for event in history.events {
            block.suppose(*event, history.properties(event));
        }
        for Supposed { name, at, properties } in more {
            arrival += 1;
            block.suppose(Event { name: *name, at: *at, arrival, start: 0, length: 0 }, properties);
        }
        block.events.sort_unstable_by_key(|event| (event.name, event.at, event.arrival));
        let ends = block.names.iter().map(|name| block.events.partition_point(|event| event.name <= *name));
        block.ends = ends.map(|end| end as u32).collect();
        let slots = block.names.len() * CONTACTS_PER_BLOCK as usize;
        block.ends.resize(slots, block.events.len() as u32);
        block
    }

    fn suppose(&mut self, event: Event, properties: &str) {
        let (start, length) = (self.properties.len() as u32, properties.len() as u32);
        self.properties.push_str(properties);
        self.events.push(Event { start, length, ..event });
    }
}

impl<'a> History<'a> {
    /// The events of one name, in order of time.
    #[inline]
    pub fn of(&self, name: EventNameId) -> &'a [Event] {
        match self.names.iter().position(|known| *known == name) {
            Some(position) => self.at(position),
            None => &[],
        }
    }

    /// As [`of`](Self::of); at once if the name stands at `position` of those that the history holds.
    #[inline]
    pub fn of_name_at(&self, name: EventNameId, position: usize) -> &'a [Event] {
        if self.names.get(position) == Some(&name) { self.at(position) } else { self.of(name) }
    }

    fn at(&self, position: usize) -> &'a [Event] {
        let start = if position == 0 { self.start } else { self.ends[position - 1] };
        &self.events[(start - self.start) as usize..(self.ends[position] - self.start) as usize]
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

#[cfg(test)]
mod tests {
    use super::super::{ChunkBuffer, ContactPart, EventNeed, PackedEvent};
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
            block.begin(&needs);
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
        assert_eq!(block.contact(63).all().len(), 0);
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
                block.begin(&needs);
                let damaged = Chunk { heads: &heads, ..chunk(1, &buffer) };
                let _ = block.add(damaged, &needs);
                block.finish();
                let cut = Chunk { heads: &buffer.heads[..position], ..chunk(1, &buffer) };
                let _ = block.add(cut, &needs);
            }
        }
    }
}
