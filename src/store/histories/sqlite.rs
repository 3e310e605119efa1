//! Histories from SQLite: a connection of its own that only reads, synchronous, two statements that
//! are walked side by side. Rows are looked at where SQLite holds them; nothing is copied but the
//! properties that are asked for.

use std::ops::Range;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{Connection, Row, Rows, params};

use super::{ContactVisitor, OPERATION, VisitError, consent, contact_columns, needed_names};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::event::EventNameId;
use crate::domain::history::{BlockHistory, BlockId, ContactPart, Needs};
use crate::domain::time::Timestamp;
use crate::store::connection::SqliteFile;
use crate::store::error::{Result, StoreError, failed};

/// Shows the contacts of a range.
pub(super) fn pass<V: ContactVisitor>(
    file: &SqliteFile,
    range: Range<i64>,
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let connection = file.reader()?;
    let mut reader = Reader::begin(&connection, needs).map_err(error)?;
    reader.visit(range, None, &mut visitor)?;
    drop(reader);
    file.keep_reader(connection);
    Ok(visitor)
}

/// Shows some contacts, given in order.
pub(super) fn visit_some<V: ContactVisitor>(
    file: &SqliteFile,
    contacts: &[ContactId],
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let connection = file.reader()?;
    let mut reader = Reader::begin(&connection, needs).map_err(error)?;
    for group in contacts.chunk_by(|left, right| BlockId::of(*left).0 == BlockId::of(*right).0) {
        reader.visit(group[0].0..group[group.len() - 1].0 + 1, Some(group), &mut visitor)?;
    }
    drop(reader);
    file.keep_reader(connection);
    Ok(visitor)
}

fn error(source: rusqlite::Error) -> StoreError {
    failed::<rusqlite::Error>(OPERATION)(source)
}

/// Two prepared statements over one snapshot of the database.
struct Reader<'c> {
    contacts: rusqlite::Statement<'c>,
    chunks: Option<rusqlite::Statement<'c>>,
    needs: &'c Needs,
    history: BlockHistory,
}

impl<'c> Reader<'c> {
    fn begin(connection: &'c Connection, needs: &'c Needs) -> rusqlite::Result<Self> {
        // Both statements see the same state, until the connection is given back.
        connection.execute_batch("BEGIN")?;
        let columns = contact_columns(needs.contact);
        let index = match needs.contact {
            ContactPart::Facts => "INDEXED BY contacts_facts",
            ContactPart::Whole => "NOT INDEXED",
        };
        let contacts = connection.prepare(&format!(
            "SELECT {columns} FROM contacts {index} WHERE id >= ?1 AND id < ?2 ORDER BY id"
        ))?;
        // The plus keeps SQLite from seeking each name: one walk over the range is cheaper.
        let chunks = (!needs.events.is_empty()).then(|| {
            connection.prepare(&format!(
                "SELECT block, name, heads, properties FROM history_chunks
                 WHERE block >= ?1 AND block < ?2 AND +name IN ({}) ORDER BY block, name, sequence",
                needed_names(needs, false)
            ))
        });
        Ok(Self { contacts, chunks: chunks.transpose()?, needs, history: BlockHistory::default() })
    }

    /// Shows the contacts of a range: all of them, or those that are named.
    fn visit<V: ContactVisitor>(
        &mut self,
        range: Range<i64>,
        named: Option<&[ContactId]>,
        visitor: &mut V,
    ) -> Result<(), VisitError<V::Error>> {
        if range.is_empty() {
            return Ok(());
        }
        let mut contacts = self.contacts.query(params![range.start, range.end]).map_err(error)?;
        let blocks = BlockId::of(ContactId(range.start)).0.0..BlockId::of(ContactId(range.end - 1)).0.0 + 1;
        let mut chunks = match &mut self.chunks {
            None => None,
            Some(statement) => {
                let mut rows = statement.query(params![blocks.start, blocks.end]).map_err(error)?;
                rows.advance().map_err(error)?;
                Some(rows)
            }
        };
        let mut loaded = None;
        while let Some(row) = contacts.next().map_err(error)? {
            let contact = contact(row, self.needs.contact).map_err(error)?;
            if named.is_some_and(|named| named.binary_search(&contact.id).is_err()) {
                continue;
            }
            let (BlockId(block), slot) = BlockId::of(contact.id);
            if loaded != Some(block) {
                self.history.clear();
                if let Some(chunks) = &mut chunks {
                    load(chunks, block, &mut self.history, self.needs)?;
                }
                self.history.finish();
                loaded = Some(block);
            }
            visitor.visit(&contact, &self.history.contact(slot)).map_err(VisitError::Visitor)?;
        }
        Ok(())
    }
}

/// Takes in the chunks of a block; the row that `chunks` stands at is the first that is not passed.
fn load(chunks: &mut Rows<'_>, block: i64, history: &mut BlockHistory, needs: &Needs) -> Result<()> {
    while let Some(row) = chunks.get() {
        let at: i64 = row.get(0).map_err(error)?;
        if at > block {
            break;
        }
        if at == block {
            let name = EventNameId(row.get(1).map_err(error)?);
            let heads = bytes(row, 2).unwrap_or_default();
            history.add_lazily(BlockId(block), name, heads, || bytes(row, 3), needs)?;
        }
        chunks.advance().map_err(error)?;
    }
    Ok(())
}

fn bytes<'a>(row: &'a Row<'_>, column: usize) -> Option<&'a [u8]> {
    row.get_ref(column).ok()?.as_blob().ok()
}

fn contact<'a>(row: &'a Row<'_>, part: ContactPart) -> rusqlite::Result<ContactView<'a>> {
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
    };
    Ok(match part {
        ContactPart::Facts => facts,
        ContactPart::Whole => ContactView {
            key: text(7)?.unwrap_or(""),
            external_id: text(8)?,
            email: text(9)?,
            language: text(10)?,
            attributes: text(11)?.unwrap_or("{}"),
            ..facts
        },
    })
}
