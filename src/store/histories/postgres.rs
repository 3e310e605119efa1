//! Histories from PostgreSQL: pages of blocks, each two queries in one snapshot; ranges are read side by
//! side on connections of their own.

use std::ops::Range;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row as _};

use super::{ContactVisitor, OPERATION, VisitError, consent, contact_columns, needed_names};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::event::EventNameId;
use crate::domain::history::{BlockHistory, BlockId, CONTACTS_PER_BLOCK, Chunk, ContactPart, Needs};
use crate::domain::time::Timestamp;
use crate::store::error::{Result, StoreError, failed};

/// Contacts a page: enough that the two queries' own cost vanishes, and a few megabytes at most.
const PAGE: i64 = 4_096;

/// Shows the contacts of a range.
pub(super) async fn pass<V: ContactVisitor>(
    pool: &PgPool,
    range: Range<i64>,
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let mut reader = Reader::new(needs);
    let mut snapshot = begin(pool).await?;
    let mut start = range.start;
    while start < range.end {
        let end = (start + PAGE).min(range.end);
        let blocks = start.div_euclid(CONTACTS_PER_BLOCK)..(end - 1).div_euclid(CONTACTS_PER_BLOCK) + 1;
        let contacts =
            sqlx::query(sqlx::AssertSqlSafe(reader.contacts_of_range.clone())).bind(start).bind(end);
        let contacts = contacts.fetch_all(&mut *snapshot).await.map_err(error)?;
        let chunks = (blocks.start, blocks.end);
        reader.show(&mut snapshot, &contacts, Chunks::Range(chunks), needs, &mut visitor).await?;
        start = end;
    }
    snapshot.rollback().await.map_err(error)?;
    Ok(visitor)
}

/// Shows some contacts, given in order.
pub(super) async fn visit_some<V: ContactVisitor>(
    pool: &PgPool,
    contacts: &[ContactId],
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let mut reader = Reader::new(needs);
    let mut snapshot = begin(pool).await?;
    for page in contacts.chunks(PAGE as usize) {
        let numbers: Vec<i64> = page.iter().map(|contact| contact.0).collect();
        let mut blocks: Vec<i64> = page.iter().map(|contact| BlockId::of(*contact).0.0).collect();
        blocks.dedup();
        let contacts = sqlx::query(sqlx::AssertSqlSafe(reader.contacts_by_number.clone())).bind(numbers);
        let contacts = contacts.fetch_all(&mut *snapshot).await.map_err(error)?;
        reader.show(&mut snapshot, &contacts, Chunks::Blocks(blocks), needs, &mut visitor).await?;
    }
    snapshot.rollback().await.map_err(error)?;
    Ok(visitor)
}

fn error(source: sqlx::Error) -> StoreError {
    failed::<sqlx::Error>(OPERATION)(source)
}

async fn begin(pool: &PgPool) -> Result<sqlx::Transaction<'static, sqlx::Postgres>> {
    let mut snapshot = pool.begin().await.map_err(error)?;
    let isolation = sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    isolation.execute(&mut *snapshot).await.map_err(error)?;
    Ok(snapshot)
}

/// Which chunks belong to a page.
enum Chunks {
    Range((i64, i64)),
    Blocks(Vec<i64>),
}

/// The statements of a pass, and the block that is being shown.
struct Reader {
    contacts_of_range: String,
    contacts_by_number: String,
    chunks_of_range: String,
    chunks_of_blocks: String,
    history: BlockHistory,
}

impl Reader {
    fn new(needs: &Needs) -> Self {
        let columns = contact_columns(needs.contact);
        let names = needed_names(needs, false);
        let properties = match needed_names(needs, true) {
            with if with.is_empty() => "''::bytea".to_owned(),
            with => format!("CASE WHEN name IN ({with}) THEN properties ELSE ''::bytea END"),
        };
        let chunks = |filter: &str| {
            format!(
                "SELECT block, name, heads, {properties} FROM history_chunks
                 WHERE {filter} AND name IN ({names}) ORDER BY block, name, sequence"
            )
        };
        Self {
            contacts_of_range: format!(
                "SELECT {columns} FROM contacts WHERE id >= $1 AND id < $2 ORDER BY id"
            ),
            contacts_by_number: format!("SELECT {columns} FROM contacts WHERE id = ANY($1) ORDER BY id"),
            chunks_of_range: chunks("block >= $1 AND block < $2"),
            chunks_of_blocks: chunks("block = ANY($1)"),
            history: BlockHistory::default(),
        }
    }

    /// Shows the contacts of a page, with the chunks of their blocks.
    async fn show<V: ContactVisitor>(
        &mut self,
        connection: &mut PgConnection,
        contacts: &[PgRow],
        blocks: Chunks,
        needs: &Needs,
        visitor: &mut V,
    ) -> Result<(), VisitError<V::Error>> {
        let statement = match &blocks {
            Chunks::Range(_) => self.chunks_of_range.clone(),
            Chunks::Blocks(_) => self.chunks_of_blocks.clone(),
        };
        let query = sqlx::query(sqlx::AssertSqlSafe(statement));
        let query = match blocks {
            Chunks::Range((start, end)) => query.bind(start).bind(end),
            Chunks::Blocks(blocks) => query.bind(blocks),
        };
        // Without needed events there is nothing to ask for.
        let mut chunks = (!needs.events.is_empty()).then(|| query.fetch(connection));
        let mut next = None;
        if let Some(chunks) = &mut chunks {
            next = chunks.try_next().await.map_err(error)?;
        }
        let mut loaded = None;
        for row in contacts {
            let contact = contact(row, needs.contact).map_err(error)?;
            let (block, slot) = BlockId::of(contact.id);
            if loaded != Some(block) {
                self.history.clear();
                while let Some(row) = &next {
                    let at = row.try_get::<i64, _>(0).map_err(error)?;
                    if at > block.0 {
                        break;
                    }
                    if at == block.0 {
                        let name = row.try_get::<i64, _>(1).map_err(error)? as u32;
                        let chunk = Chunk {
                            block,
                            name: EventNameId(name),
                            heads: row.try_get(2).map_err(error)?,
                            properties: row.try_get(3).map_err(error)?,
                        };
                        self.history.add(chunk, needs).map_err(StoreError::from)?;
                    }
                    next = match &mut chunks {
                        Some(chunks) => chunks.try_next().await.map_err(error)?,
                        None => None,
                    };
                }
                self.history.finish();
                loaded = Some(block);
            }
            visitor.visit(&contact, &self.history.contact(slot)).map_err(VisitError::Visitor)?;
        }
        Ok(())
    }
}

fn contact(row: &PgRow, part: ContactPart) -> sqlx::Result<ContactView<'_>> {
    let facts = ContactView {
        id: ContactId(row.try_get(0)?),
        key: "",
        external_id: None,
        email: None,
        time_zone: row.try_get(6)?,
        language: None,
        created_at: Timestamp::from_micros(row.try_get(5)?),
        marketing: consent(row.try_get(1)?, row.try_get(2)?),
        tracking: consent(row.try_get(3)?, row.try_get(4)?),
        attributes: "{}",
    };
    Ok(match part {
        ContactPart::Facts => facts,
        ContactPart::Whole => ContactView {
            key: row.try_get(7)?,
            external_id: row.try_get(8)?,
            email: row.try_get(9)?,
            language: row.try_get(10)?,
            attributes: row.try_get(11)?,
            ..facts
        },
    })
}
