//! Puts events into chunks: which go together, and what is rewritten. Pure.

use super::{ChunkRow, LogRow, place};
use crate::domain::contact::ContactId;
use crate::domain::event::EventNameId;
use crate::domain::history::{
    BlockHistory, BlockId, Chunk, ChunkBuffer, ChunkKey, ContactPart, DamagedChunk, EventNeed, Needs,
    PackedEvent,
};
use crate::domain::time::Timestamp;

/// Events of one block and name, in the order of their arrival: places in a list of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct PackedGroup {
    pub(in crate::store) block: i64,
    pub(in crate::store) name: i64,
    /// Where it begins in the sorted list.
    pub(in crate::store) start: usize,
    /// Where it ends.
    pub(in crate::store) end: usize,
}

/// The last chunk of a block and name, as it is stored.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct StoredChunk {
    pub(in crate::store) sequence: u32,
    pub(in crate::store) heads: Vec<u8>,
    pub(in crate::store) properties: Vec<u8>,
}

/// Sorts rows by name, block and arrival, as chunks lie, and says where each group is.
pub(in crate::store) fn regroup(rows: &mut [LogRow]) -> Vec<PackedGroup> {
    rows.sort_unstable_by_key(|row| (row.name, place(row.contact).0, row.id));
    let mut groups: Vec<PackedGroup> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let block = place(row.contact).0;
        match groups.last_mut() {
            Some(group) if group.block == block && group.name == row.name => group.end = index + 1,
            _ => groups.push(PackedGroup { block, name: row.name, start: index, end: index + 1 }),
        }
    }
    groups
}

/// Appends events of one block and name behind the last chunk; gives the chunks to write: that one, if
/// it grew, and new ones.
pub(in crate::store) fn pack(
    block: i64,
    name: i64,
    last: Option<&StoredChunk>,
    events: &[LogRow],
) -> Result<Vec<ChunkRow>, DamagedChunk> {
    let mut chunks = Vec::with_capacity(1);
    let mut sequence = last.map_or(0, |last| last.sequence);
    let mut buffer = match last {
        None => ChunkBuffer::default(),
        Some(last) => ChunkBuffer::resume(Chunk {
            block: BlockId(block),
            name: EventNameId(name as u32),
            heads: &last.heads,
            properties: &last.properties,
        })?,
    };
    let mut grew = false;
    let row = |sequence, buffer: ChunkBuffer| ChunkRow {
        key: ChunkKey { name: EventNameId(name as u32), block: BlockId(block), sequence },
        latest: buffer.latest.micros(),
        heads: buffer.heads,
        properties: buffer.properties,
    };
    for event in events {
        if !buffer.has_room_for(event.properties.len()) && sequence < ChunkKey::LAST_SEQUENCE {
            let full = std::mem::take(&mut buffer);
            if grew {
                chunks.push(row(sequence, full));
            }
            sequence += 1;
        }
        buffer.push(PackedEvent {
            slot: place(event.contact).1,
            at: Timestamp::from_micros(event.at),
            arrival: event.id,
            properties: &event.properties,
        });
        grew = true;
    }
    if grew {
        chunks.push(row(sequence, buffer));
    }
    Ok(chunks)
}

/// All events of whole blocks, as rows again.
pub(in crate::store) fn unpack(chunks: &[ChunkRow]) -> Result<Vec<LogRow>, DamagedChunk> {
    let mut chunks: Vec<&ChunkRow> = chunks.iter().collect();
    chunks.sort_unstable_by_key(|chunk| (chunk.key.block, chunk.key));
    let mut names: Vec<EventNameId> = chunks.iter().map(|chunk| chunk.key.name).collect();
    names.sort_unstable();
    names.dedup();
    let everything = |name: &EventNameId| EventNeed {
        name: *name,
        since: Timestamp::from_micros(i64::MIN),
        properties_since: Some(Timestamp::from_micros(i64::MIN)),
    };
    let needs = Needs { contact: ContactPart::Facts, events: names.iter().map(everything).collect() };
    let mut rows = Vec::new();
    let mut history = BlockHistory::default();
    for block in chunks.chunk_by(|left, right| left.key.block == right.key.block) {
        history.begin(&needs);
        let number = block[0].key.block;
        for ChunkRow { key, heads, properties, .. } in block {
            history.add(Chunk { block: number, name: key.name, heads, properties }, &needs)?;
        }
        history.finish();
        for slot in 0..crate::domain::history::CONTACTS_PER_BLOCK as u8 {
            let ContactId(contact) = number.contact(slot);
            let of_contact = history.contact(slot);
            rows.extend(of_contact.all().iter().map(|event| LogRow {
                id: event.arrival,
                contact,
                name: i64::from(event.name.0),
                at: event.at.micros(),
                message_id: None,
                properties: of_contact.properties(event).to_owned(),
            }));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: i64, contact: i64, name: i64, properties: &str) -> LogRow {
        LogRow { id, contact, name, at: 1_000 - id, message_id: None, properties: properties.to_owned() }
    }

    #[test]
    fn what_is_packed_in_two_goes_is_unpacked_whole() {
        let large = format!("\"{}\"", "x".repeat(9_000));
        let mut rows: Vec<_> = (1..400)
            .map(|id| event(id, id % 137, id % 3, if id % 50 == 0 { &large } else { r#"{"a":1}"# }))
            .collect();
        let expected = rows.clone();
        let mut late = rows.split_off(200);
        let mut chunks: Vec<ChunkRow> = Vec::new();
        for part in [&mut rows, &mut late] {
            for group in regroup(part) {
                let last = chunks
                    .iter()
                    .filter(|chunk| {
                        chunk.key.block.0 == group.block && i64::from(chunk.key.name.0) == group.name
                    })
                    .max_by_key(|chunk| chunk.key.sequence)
                    .map(|chunk| StoredChunk {
                        sequence: chunk.key.sequence,
                        heads: chunk.heads.clone(),
                        properties: chunk.properties.clone(),
                    });
                let events = &part[group.start..group.end];
                for chunk in pack(group.block, group.name, last.as_ref(), events).expect("it is whole") {
                    chunks.retain(|other| other.key != chunk.key);
                    chunks.push(chunk);
                }
            }
        }
        let mut unpacked = unpack(&chunks).expect("it is whole");
        unpacked.sort_by_key(|row| row.id);
        let plain = |rows: &[LogRow]| -> Vec<_> {
            rows.iter().map(|row| (row.id, row.contact, row.name, row.at, row.properties.clone())).collect()
        };
        assert_eq!(plain(&unpacked), plain(&expected));
    }
}
