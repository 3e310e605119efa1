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
    /// Takes in an event of this contact and name, if it is needed; they come in the order of their numbers. `read` gives
    /// its number, its instant, and its properties if it is told that these are needed.
    pub(super) fn take<E>(
        &mut self,
        needs: &Needs,
        is_asked: impl Fn(BlockId) -> bool,
        (contact, name): (i64, i64),
        read: impl FnOnce(bool) -> Result<(i64, i64, String), E>,
    ) -> Result<(), E> {
        let is_of = |need: &EventNeed| i64::from(need.name.0).cmp(&name);
        let Ok(place) = needs.events.binary_search_by(is_of) else { return Ok(()) };
        if is_asked(BlockId::of(ContactId(contact)).0) {
            let (id, at, properties) = read(needs.events[place].properties_since.is_some())?;
            self.rows.push(LogRow { id, contact, name, at, message_id: None, properties });
        }
        Ok(())
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
