//! Histories from SQLite: a connection of its own that only reads, synchronous. One statement for each
//! name of events, walked side by side with the contacts, or with the blocks of their facts. Rows are
//! looked at where SQLite holds them; nothing is copied but the properties that are asked for.

use std::ops::Range;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{Connection, Row, Rows, Statement, params};

use super::recent::{Recent, TAIL};
use super::{ContactVisitor, OPERATION, Shown, VisitError, consent, contact_columns};
use crate::domain::attributes::{AttributesReader, NamedAttributes};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::event::EventNameId;
use crate::domain::facts::FactsReader;
use crate::domain::history::{BlockHistory, BlockId, ChunkKey, ContactPart, EventNeed, Needs};
use crate::domain::membership::MemberBlock;
use crate::domain::time::Timestamp;
use crate::store::connection::SqliteFile;
use crate::store::error::{Result, StoreError, failed};
use crate::store::facts;

/// Shows the contacts of a range, which begins and ends with a block of members.
pub(super) fn pass<V: ContactVisitor>(
    file: &SqliteFile,
    range: Range<i64>,
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let connection = file.reader()?;
    if !range.is_empty() {
        let mut streams = begin(&connection, needs).map_err(error)?;
        let blocks = BlockId::of(ContactId(range.start)).0.0..BlockId::of(ContactId(range.end)).0.0;
        let mut history = BlockHistory::default();
        let recent = tail(&connection, needs, |block| blocks.contains(&block.0))?;
        let mut chunks =
            Chunks::open(&mut streams, needs, |_| true, &recent, &mut history, blocks).map_err(error)?;
        if needs.contact != ContactPart::Whole && are_facts_true(&connection).map_err(error)? {
            show_facts(&connection, &range, &needs.contact, &mut chunks, &mut visitor)?;
        } else {
            let columns = contact_columns(&needs.contact);
            let text = format!("SELECT {columns} FROM contacts WHERE id >= ?1 AND id < ?2 ORDER BY id");
            let mut contacts = connection.prepare(&text).map_err(error)?;
            let mut rows = contacts.query(params![range.start, range.end]).map_err(error)?;
            while let Some(row) = rows.next().map_err(error)? {
                chunks.show(&contact(row, &needs.contact).map_err(error)?, &mut visitor)?;
            }
        }
    }
    file.keep_reader(connection);
    Ok(visitor)
}

/// Shows some contacts, given in order.
pub(super) fn visit_some<V: ContactVisitor>(
    file: &SqliteFile,
    shown: &Shown,
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let connection = file.reader()?;
    {
        let mut streams = begin(&connection, needs).map_err(error)?;
        let columns = contact_columns(&needs.contact);
        let text = format!("SELECT {columns} FROM contacts WHERE id = ?1");
        let mut find = connection.prepare(&text).map_err(error)?;
        let mut history = BlockHistory::default();
        let recent = tail(&connection, needs, |block| shown.has(block))?;
        for group in shown.blocks() {
            let BlockId(block) = group.block;
            let is_read = |need: &EventNeed| group.reads(need);
            let mut chunks =
                Chunks::open(&mut streams, needs, is_read, &recent, &mut history, block..block + 1)
                    .map_err(error)?;
            chunks.slots = group.slots();
            for id in group.numbers() {
                let mut rows = find.query([id]).map_err(error)?;
                if let Some(row) = rows.next().map_err(error)? {
                    chunks.show(&contact(row, &needs.contact).map_err(error)?, &mut visitor)?;
                }
            }
        }
    }
    file.keep_reader(connection);
    Ok(visitor)
}

fn error(source: rusqlite::Error) -> StoreError {
    failed::<rusqlite::Error>(OPERATION)(source)
}

/// Begins a snapshot, which all statements see until the connection is given back; prepares one for the
/// chunks of each name that is needed.
fn begin<'c>(connection: &'c Connection, needs: &Needs) -> rusqlite::Result<Vec<Statement<'c>>> {
    connection.execute_batch("BEGIN")?;
    let prepare = |need: &EventNeed| {
        let properties = if need.properties_since.is_some() { "properties" } else { "NULL" };
        connection.prepare(&format!(
            "SELECT id, heads, {properties} FROM history_chunks
             WHERE id >= ?1 AND id < ?2 AND latest >= ?3 ORDER BY id"
        ))
    };
    needs.events.iter().map(prepare).collect()
}

/// What is needed of some blocks and is not packed yet.
fn tail(connection: &Connection, needs: &Needs, is_asked: impl Fn(BlockId) -> bool) -> Result<Recent> {
    let mut tail = Recent::default();
    if !needs.events.is_empty() {
        let mut read = connection.prepare(TAIL).map_err(error)?;
        let mut rows = read.query([]).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            let whose = (row.get(1).map_err(error)?, row.get(2).map_err(error)?);
            let read = |with_properties| {
                let properties = if with_properties { row.get(4)? } else { String::new() };
                Ok((row.get(0)?, row.get(3)?, properties))
            };
            tail.take(needs, &is_asked, whose, read).map_err(error)?;
        }
    }
    tail.finish()
}

fn are_facts_true(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(facts::IS_STALE, [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

fn show_facts<V: ContactVisitor>(
    connection: &Connection,
    range: &Range<i64>,
    part: &ContactPart,
    chunks: &mut Chunks<'_>,
    visitor: &mut V,
) -> Result<(), VisitError<V::Error>> {
    let (names, column) = match part {
        ContactPart::Attributes(names) => (&names[..], "attributes"),
        ContactPart::Facts | ContactPart::Whole => (&[][..], "NULL"),
    };
    let mut blocks = connection
        .prepare(&format!(
            "SELECT block, payload, {column} FROM contact_fact_blocks
             WHERE block >= ?1 AND block < ?2 ORDER BY block"
        ))
        .map_err(error)?;
    let block = |contact| MemberBlock::of(ContactId(contact)).0;
    let mut rows = blocks.query(params![block(range.start), block(range.end)]).map_err(error)?;
    while let Some(row) = rows.next().map_err(error)? {
        let block = MemberBlock(row.get(0).map_err(error)?);
        let (facts, attributes) = (bytes(row, 1).unwrap_or_default(), bytes(row, 2).unwrap_or_default());
        let mut attributes = AttributesReader::new(block, attributes, names).map_err(StoreError::from)?;
        for facts in FactsReader::new(block, facts).map_err(StoreError::from)? {
            let mut contact = facts.map_err(StoreError::from)?.view();
            if !names.is_empty() {
                let values = attributes.next_contact().map_err(StoreError::from)?;
                contact.named = Some(NamedAttributes { names, values });
            }
            chunks.show(&contact, visitor)?;
        }
    }
    Ok(())
}

/// Chunks in the order of their keys, a stream for each name; the block that is shown.
struct Chunks<'s> {
    streams: Vec<Stream<'s>>,
    needs: &'s Needs,
    recent: &'s Recent,
    /// Of the contacts that are shown, a bit each.
    slots: u64,
    loaded: Option<BlockId>,
    history: &'s mut BlockHistory,
}

struct Stream<'s> {
    name: EventNameId,
    rows: Rows<'s>,
    /// Of the row at which `rows` stand: the first that is not passed.
    next: Option<ChunkKey>,
}

impl<'s> Chunks<'s> {
    /// Begins to read the chunks of some blocks, but for names that are not read.
    fn open(
        statements: &'s mut [Statement<'_>],
        needs: &'s Needs,
        is_read: impl Fn(&EventNeed) -> bool,
        recent: &'s Recent,
        history: &'s mut BlockHistory,
        blocks: Range<i64>,
    ) -> rusqlite::Result<Self> {
        let mut streams = Vec::with_capacity(statements.len());
        for (statement, need) in statements.iter_mut().zip(&needs.events).filter(|(_, need)| is_read(need)) {
            let first = ChunkKey::first(need.name, BlockId(blocks.start));
            let end = ChunkKey::first(need.name, BlockId(blocks.end));
            let rows = statement.query(params![first, end, need.since.micros()])?;
            let mut stream = Stream { name: need.name, rows, next: None };
            stream.advance()?;
            streams.push(stream);
        }
        Ok(Self { streams, needs, recent, slots: u64::MAX, loaded: None, history })
    }

    /// Shows a contact with its history; contacts come in the order of their numbers.
    #[inline]
    fn show<V: ContactVisitor>(
        &mut self,
        contact: &ContactView<'_>,
        visitor: &mut V,
    ) -> Result<(), VisitError<V::Error>> {
        let (block, slot) = BlockId::of(contact.id);
        if self.loaded != Some(block) {
            self.load(block)?;
        }
        visitor.visit(contact, &self.history.contact(slot)).map_err(VisitError::Visitor)
    }

    fn load(&mut self, block: BlockId) -> Result<()> {
        self.history.begin_with(self.needs, self.slots);
        for stream in &mut self.streams {
            while let Some(key) = stream.next.filter(|key| key.block <= block) {
                if key.block == block
                    && let Some(row) = stream.rows.get()
                {
                    let heads = bytes(row, 1).unwrap_or_default();
                    self.history.add_lazily(block, key.name, heads, || bytes(row, 2), self.needs)?;
                }
                stream.advance().map_err(error)?;
            }
            self.recent.add_to(self.history, block, stream.name, self.needs)?;
        }
        self.history.finish();
        self.loaded = Some(block);
        Ok(())
    }
}

impl Stream<'_> {
    fn advance(&mut self) -> rusqlite::Result<()> {
        self.rows.advance()?;
        self.next = match self.rows.get() {
            Some(row) => Some(ChunkKey::of(row.get(0)?)),
            None => None,
        };
        Ok(())
    }
}

fn bytes<'a>(row: &'a Row<'_>, column: usize) -> Option<&'a [u8]> {
    row.get_ref(column).ok()?.as_blob().ok()
}

fn contact<'a>(row: &'a Row<'_>, part: &ContactPart) -> rusqlite::Result<ContactView<'a>> {
    let text = |column| -> rusqlite::Result<Option<&'a str>> { Ok(row.get_ref(column)?.as_str_or_null()?) };
    let facts = ContactView {
        id: ContactId(row.get(0)?),
        key: "",
        external_id: None,
        email: None,
        time_zone: text(6)?,
        language: None,
        created_at: Timestamp::from_micros(row.get(5)?),
        marketing: consent(row.get(1)?, row.get(2)?),
        tracking: consent(row.get(3)?, row.get(4)?),
        attributes: "{}",
        named: None,
    };
    Ok(match part {
        ContactPart::Facts => facts,
        ContactPart::Attributes(_) | ContactPart::Whole => ContactView {
            key: text(7)?.unwrap_or(""),
            external_id: text(8)?,
            email: text(9)?,
            language: text(10)?,
            attributes: text(11)?.unwrap_or("{}"),
            ..facts
        },
    })
}
