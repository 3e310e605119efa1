//! The tail of the log as a reader takes it in: events that are not packed yet become chunks of its own, which
//! stand behind those of the table.

use std::collections::HashMap;

use crate::domain::contact::ContactId;
use crate::domain::event::EventNameId;
use crate::domain::history::{BlockHistory, BlockId, Chunk, DamagedChunk, EventNeed, Needs};
use crate::store::Result;
use crate::store::bulk::{ChunkRow, LogRow, pack, regroup};

/// The tail, within a reader's snapshot: of contacts that became others, as events of these.
pub(super) const TAIL: &str = "SELECT e.id, COALESCE(m.contact, e.contact), e.name, e.at, e.properties
    FROM events e LEFT JOIN contact_merges m ON m.former = e.contact
    WHERE e.id > (SELECT value FROM counters WHERE name = 'event_packed') ORDER BY e.id";

/// What a reader needs of the tail.
#[derive(Debug, Default)]
pub(super) struct Recent {
    rows: Vec<LogRow>,
    chunks: HashMap<(BlockId, EventNameId), Vec<ChunkRow>>,
}

impl Recent {
    /// The need that an event is of, if it is of any.
    pub(super) fn need(needs: &Needs, name: i64) -> Option<&EventNeed> {
        let name = EventNameId(u32::try_from(name).ok()?);
        let place = needs.events.binary_search_by_key(&name, |need| need.name).ok()?;
        needs.events.get(place)
    }

    /// Takes in an event; they come in the order of their numbers.
    pub(super) fn push(&mut self, row: LogRow) {
        self.rows.push(row);
    }

    /// All are in.
    pub(super) fn finish(mut self) -> Result<Self> {
        for group in regroup(&mut self.rows) {
            let (block, name) = (BlockId(group.block), EventNameId(group.name as u32));
            let chunks = pack(group.block, group.name, None, &self.rows[group.start..group.end])?;
            self.chunks.insert((block, name), chunks);
        }
        self.rows = Vec::new();
        Ok(self)
    }

    /// Gives a history the events of a block and a name, once it has those that are packed.
    pub(super) fn add_to(
        &self,
        history: &mut BlockHistory,
        block: BlockId,
        name: EventNameId,
        needs: &Needs,
    ) -> Result<(), DamagedChunk> {
        for ChunkRow { heads, properties, .. } in self.chunks.get(&(block, name)).into_iter().flatten() {
            history.add(Chunk { block, name, heads, properties }, needs)?;
        }
        Ok(())
    }
}

/// The block of a contact.
pub(super) fn block(contact: i64) -> BlockId {
    BlockId::of(ContactId(contact)).0
}
