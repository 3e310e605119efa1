//! Histories from PostgreSQL: pages of contacts, each two queries in one snapshot; ranges are read side
//! by side on connections of their own.

use std::ops::Range;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row as _};

use super::recent::{Recent, TAIL};
use super::{ContactVisitor, OPERATION, Shown, VisitError, consent, contact_columns};
use crate::domain::attributes::{AttributesReader, NamedAttributes};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::facts::FactsReader;
use crate::domain::history::{BlockHistory, BlockId, Chunk, ChunkKey, ContactPart, EventNeed, Needs};
use crate::domain::membership::{CONTACTS_PER_MEMBER_BLOCK, MemberBlock};
use crate::domain::time::Timestamp;
use crate::store::error::{Result, StoreError, failed};
use crate::store::facts;

/// Contacts a page, one block of members: enough that the queries' own cost vanishes, and a few
/// megabytes at most.
const PAGE: i64 = CONTACTS_PER_MEMBER_BLOCK;

/// Blocks a page where some contacts are shown, mostly few of each block.
const BLOCKS: usize = 1_024;

/// Shows the contacts of a range, which begins and ends with a block of members.
pub(super) async fn pass<V: ContactVisitor>(
    pool: &PgPool,
    range: Range<i64>,
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let mut snapshot = begin(pool).await?;
    let blocks = BlockId::of(ContactId(range.start)).0..BlockId::of(ContactId(range.end)).0;
    let recent = tail(&mut snapshot, needs, |block| blocks.contains(&block)).await?;
    let mut page = Page::new(needs, recent);
    let stale: i64 = sqlx::query_scalar(facts::IS_STALE).fetch_one(&mut *snapshot).await.map_err(error)?;
    let from_facts = needs.contact != ContactPart::Whole && stale == 0;
    let (names, column) = match &needs.contact {
        ContactPart::Attributes(names) => (&names[..], "attributes"),
        ContactPart::Facts | ContactPart::Whole => (&[][..], "NULL::bytea"),
    };
    let fact_text = format!("SELECT payload, {column} FROM contact_fact_blocks WHERE block = $1");
    let columns = contact_columns(&needs.contact);
    let text = format!("SELECT {columns} FROM contacts WHERE id >= $1 AND id < $2 ORDER BY id");
    for start in range.step_by(PAGE as usize) {
        let blocks = BlockId::of(ContactId(start)).0.0..BlockId::of(ContactId(start + PAGE)).0.0;
        let all = needs.events.iter().map(|need| (need, blocks.clone()));
        page.load(&mut snapshot, all).await?;
        if from_facts {
            let block = MemberBlock::of(ContactId(start));
            let row = sqlx::query(sqlx::AssertSqlSafe(fact_text.clone())).bind(block.0);
            let row = row.fetch_optional(&mut *snapshot).await.map_err(error)?;
            if let Some(row) = &row {
                let read = |column| row.try_get::<Option<&[u8]>, usize>(column).map_err(error);
                let (facts, attributes) = (read(0)?.unwrap_or_default(), read(1)?.unwrap_or_default());
                let mut attributes =
                    AttributesReader::new(block, attributes, names).map_err(StoreError::from)?;
                for facts in FactsReader::new(block, facts).map_err(StoreError::from)? {
                    let mut contact = facts.map_err(StoreError::from)?.view();
                    if !names.is_empty() {
                        let values = attributes.next_contact().map_err(StoreError::from)?;
                        contact.named = Some(NamedAttributes { names, values });
                    }
                    page.show(&contact, &mut visitor)?;
                }
            }
        } else {
            let contacts = sqlx::query(sqlx::AssertSqlSafe(text.clone())).bind(start).bind(start + PAGE);
            for row in contacts.fetch_all(&mut *snapshot).await.map_err(error)? {
                page.show(&contact(&row, &needs.contact).map_err(error)?, &mut visitor)?;
            }
        }
    }
    snapshot.rollback().await.map_err(error)?;
    Ok(visitor)
}

/// Shows some contacts, given in order.
pub(super) async fn visit_some<V: ContactVisitor>(
    pool: &PgPool,
    shown: &Shown,
    needs: &Needs,
    mut visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let mut snapshot = begin(pool).await?;
    let recent = tail(&mut snapshot, needs, |block| shown.has(block)).await?;
    let mut page = Page::new(needs, recent);
    let columns = contact_columns(&needs.contact);
    let text = format!("SELECT {columns} FROM contacts WHERE id = ANY($1) ORDER BY id");
    let blocks: Vec<_> = shown.blocks().collect();
    for some in blocks.chunks(BLOCKS) {
        let mut stretches = Vec::new();
        for need in &needs.events {
            let read = some.iter().filter(|group| group.reads(need));
            stretches.extend(read.map(|group| (need, group.block.0..group.block.0 + 1)));
        }
        page.slots = some.iter().map(|group| (group.block, group.slots())).collect();
        page.load(&mut snapshot, stretches).await?;
        let numbers: Vec<i64> = some.iter().flat_map(|group| group.numbers()).collect();
        let contacts = sqlx::query(sqlx::AssertSqlSafe(text.clone())).bind(numbers);
        for row in contacts.fetch_all(&mut *snapshot).await.map_err(error)? {
            page.show(&contact(&row, &needs.contact).map_err(error)?, &mut visitor)?;
        }
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

/// What is needed of some blocks and is not packed yet.
async fn tail(
    connection: &mut PgConnection,
    needs: &Needs,
    is_asked: impl Fn(BlockId) -> bool,
) -> Result<Recent> {
    let mut tail = Recent::default();
    if !needs.events.is_empty() {
        let mut rows = sqlx::query(TAIL).fetch(connection);
        while let Some(row) = rows.try_next().await.map_err(error)? {
            let whose = (row.try_get(1).map_err(error)?, row.try_get(2).map_err(error)?);
            let read = |with_properties| {
                let properties = if with_properties { row.try_get(4)? } else { String::new() };
                Ok((row.try_get(0)?, row.try_get(3)?, properties))
            };
            tail.take(needs, &is_asked, whose, read).map_err(error)?;
        }
    }
    tail.finish()
}

/// Chunks from stretches of the table, each with the earliest instant that is needed of it; their
/// properties only where they are.
const CHUNKS: &str = "SELECT h.id, h.heads, h.properties
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bool[]) AS given (first, next, since, properties)
    CROSS JOIN LATERAL (
        SELECT id, heads, CASE WHEN given.properties THEN properties ELSE ''::bytea END AS properties
        FROM history_chunks
        WHERE id >= given.first AND id < given.next AND latest >= given.since ORDER BY id
    ) AS h";

/// The chunks of some blocks, and the block that is shown.
struct Page<'n> {
    needs: &'n Needs,
    /// In the order of blocks, then of keys.
    chunks: Vec<(ChunkKey, PgRow)>,
    /// The first chunk that is not passed.
    next: usize,
    recent: Recent,
    /// The slots that are shown of each block, in order; of others all are.
    slots: Vec<(BlockId, u64)>,
    loaded: Option<BlockId>,
    history: BlockHistory,
}

impl<'n> Page<'n> {
    fn new(needs: &'n Needs, recent: Recent) -> Self {
        Self {
            needs,
            chunks: Vec::new(),
            next: 0,
            recent,
            slots: Vec::new(),
            loaded: None,
            history: BlockHistory::default(),
        }
    }

    /// Reads what is needed, each of a range of blocks.
    async fn load(
        &mut self,
        connection: &mut PgConnection,
        stretches: impl IntoIterator<Item = (&EventNeed, Range<i64>)>,
    ) -> Result<()> {
        let (mut first, mut next, mut since, mut properties) = (vec![], vec![], vec![], vec![]);
        for (need, range) in stretches {
            first.push(ChunkKey::first(need.name, BlockId(range.start)));
            next.push(ChunkKey::first(need.name, BlockId(range.end)));
            since.push(need.since.micros());
            properties.push(need.properties_since.is_some());
        }
        self.chunks.clear();
        (self.next, self.loaded) = (0, None);
        // Without needed events there is nothing to ask for.
        if !first.is_empty() {
            let query = sqlx::query(CHUNKS).bind(first).bind(next).bind(since).bind(properties);
            for row in query.fetch_all(connection).await.map_err(error)? {
                self.chunks.push((ChunkKey::of(row.try_get(0).map_err(error)?), row));
            }
            self.chunks.sort_by_key(|(key, _)| (key.block, *key));
        }
        Ok(())
    }

    /// Shows a contact with its history; contacts come in the order of their numbers.
    fn show<V: ContactVisitor>(
        &mut self,
        contact: &ContactView<'_>,
        visitor: &mut V,
    ) -> Result<(), VisitError<V::Error>> {
        let (block, slot) = BlockId::of(contact.id);
        if self.loaded != Some(block) {
            self.gather(block)?;
        }
        visitor.visit(contact, &self.history.contact(slot)).map_err(VisitError::Visitor)
    }

    fn gather(&mut self, block: BlockId) -> Result<()> {
        let place = self.slots.binary_search_by_key(&block, |(block, _)| *block);
        let slots = place.map_or(u64::MAX, |place| self.slots[place].1);
        self.history.begin_with(self.needs, slots);
        let behind = self.chunks[self.next..].iter().take_while(|(key, _)| key.block < block).count();
        self.next += behind;
        for EventNeed { name, .. } in &self.needs.events {
            let is_next = |(key, _): &&(ChunkKey, PgRow)| (key.block, key.name) == (block, *name);
            while let Some((_, row)) = self.chunks.get(self.next).filter(is_next) {
                let heads = row.try_get(1).map_err(error)?;
                let properties = row.try_get(2).map_err(error)?;
                self.history.add(Chunk { block, name: *name, heads, properties }, self.needs)?;
                self.next += 1;
            }
            self.recent.add_to(&mut self.history, block, *name, self.needs)?;
        }
        self.history.finish();
        self.loaded = Some(block);
        Ok(())
    }
}

fn contact<'r>(row: &'r PgRow, part: &ContactPart) -> sqlx::Result<ContactView<'r>> {
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
        named: None,
    };
    Ok(match part {
        ContactPart::Facts => facts,
        ContactPart::Attributes(_) | ContactPart::Whole => ContactView {
            key: row.try_get(7)?,
            external_id: row.try_get(8)?,
            email: row.try_get(9)?,
            language: row.try_get(10)?,
            attributes: row.try_get(11)?,
            ..facts
        },
    })
}
