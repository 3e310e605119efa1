//! Memberships: who is in which segment, since when, and until when without new data.
//!
//! Members are packed by blocks of contacts, see [`crate::domain::membership`]:
//! only blocks whose bytes change are written.

use std::collections::BTreeMap;
use std::fmt;

use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::contacts::ChangeMark;
use super::dialect::{given_numbers, given_texts};
use super::error::{failed, unknown_word};
pub use super::passages::{Passage, Passed, count_passages, lately, lately_entered, lately_left};
use super::reviews::{self, Reviews};
use super::statement::{backend_of, execute, numbers_json, query, query_value, values};
use super::{Result, Store, StoreError, passages};
use crate::domain::contact::ContactId;
pub use crate::domain::membership::{EntryCause, Member};
use crate::domain::membership::{MemberBlock, pack_members, unpack_members};
use crate::domain::name::{CampaignName, SegmentName};
use crate::domain::time::Timestamp;

/// The number under which the database knows a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub i64);

/// What memberships are kept of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// A segment.
    Segment(SegmentName),
    /// The audience of a campaign that asks who entered.
    Audience(CampaignName),
}

impl Kept {
    fn from_text(text: &str) -> Option<Self> {
        match text.strip_prefix(AUDIENCE) {
            Some(campaign) => CampaignName::parse(campaign).ok().map(Self::Audience),
            None => SegmentName::parse(text).ok().map(Self::Segment),
        }
    }
}

const AUDIENCE: &str = "campaign:";

impl fmt::Display for Kept {
    /// The name in the database. No name of a segment has a colon.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(name) => write!(formatter, "{name}"),
            Self::Audience(campaign) => write!(formatter, "{AUDIENCE}{campaign}"),
        }
    }
}

/// A segment as the database knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownSegment {
    /// Its number.
    pub id: SegmentId,
    /// What it is.
    pub kept: Kept,
    /// When it was evaluated last, with which declaration and up to which data.
    pub evaluated: Option<Evaluated>,
}

/// An evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The instant of the evaluation.
    pub at: Timestamp,
    /// Fingerprint of the declaration and of all that it names.
    pub fingerprint: String,
    /// The data that it saw.
    pub mark: ChangeMark,
}

/// What an evaluation changed in one segment. Contacts are in the order of their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentChange {
    /// Which.
    pub segment: SegmentId,
    /// New members with their `until`.
    pub entered: Vec<(ContactId, Option<Timestamp>)>,
    /// Why they entered …
    pub cause: EntryCause,
    /// … but for these, in the order of their numbers.
    pub other_causes: Vec<(ContactId, EntryCause)>,
    /// Former members.
    pub left: Vec<ContactId>,
    /// Members that stay, whose `until` is another.
    pub until: Vec<(ContactId, Option<Timestamp>)>,
    /// How it was evaluated.
    pub evaluated: Evaluated,
}

/// Packed rows a statement: each binds up to four values, far below what the databases take.
const BLOCKS_PER_STATEMENT: usize = 200;

/// The numbers of segments, given to those that have none yet; in the order of the names.
pub async fn ensure_segments(store: &Store, names: &[SegmentName]) -> Result<Vec<KnownSegment>> {
    let kept: Vec<_> = names.iter().cloned().map(Kept::Segment).collect();
    ensure(store, &kept).await
}

/// See [`ensure_segments`]; audiences of campaigns, too.
pub async fn ensure(store: &Store, names: &[Kept]) -> Result<Vec<KnownSegment>> {
    let operation = "list segments";
    let listed = serde_json::json!(names.iter().map(Kept::to_string).collect::<Vec<_>>()).to_string();
    let given = given_texts(store.backend(), 1, "name");
    let select = format!(
        "SELECT s.id, s.name, s.evaluated_at, s.fingerprint, s.contacts_mark, s.events_mark
         FROM segments s WHERE s.name IN {given}"
    );
    let mut rows = query(&store.database, operation, &select, values![listed.clone()]).await?;
    if rows.len() < names.len() {
        let transaction = store.begin_write(operation).await?;
        // `WHERE true` keeps SQLite from reading `ON` as part of a join.
        let insert = format!(
            "INSERT INTO segments (name) SELECT name FROM {given} AS given WHERE true ON CONFLICT (name) DO NOTHING"
        );
        execute(&*transaction, operation, &insert, values![listed.clone()]).await?;
        rows = query(&*transaction, operation, &select, values![listed]).await?;
        transaction.commit().await?;
    }
    let mut known = BTreeMap::new();
    for row in &rows {
        let segment = known_segment(row)?;
        known.insert(segment.kept.clone(), segment);
    }
    let missing = |kept: &Kept| unknown_word("segments", "name", &kept.to_string());
    names.iter().map(|name| known.get(name).cloned().ok_or_else(|| missing(name))).collect()
}

fn known_segment(row: &QueryResult) -> Result<KnownSegment> {
    let read = || -> Result<_, sea_orm::DbErr> {
        let at: Option<i64> = row.try_get_by_index(2)?;
        let fingerprint: Option<String> = row.try_get_by_index(3)?;
        let mark = ChangeMark { contacts: row.try_get_by_index(4)?, events: row.try_get_by_index(5)? };
        let evaluated = at.zip(fingerprint).map(|(at, fingerprint)| Evaluated {
            at: Timestamp::from_micros(at),
            fingerprint,
            mark,
        });
        Ok((SegmentId(row.try_get_by_index(0)?), row.try_get_by_index::<String>(1)?, evaluated))
    };
    let (id, name, evaluated) = read().map_err(failed("read a segment"))?;
    let kept = Kept::from_text(&name).ok_or_else(|| unknown_word("segments", "name", &name))?;
    Ok(KnownSegment { id, kept, evaluated })
}

/// The members of a segment, in the order of their numbers.
pub async fn members(store: &Store, segment: SegmentId) -> Result<Vec<Member>> {
    let blocks = member_blocks(&store.database, segment, None).await?;
    blocks
        .into_iter()
        .map(|(block, payload)| unpacked(block, &payload))
        .collect::<Result<Vec<_>>>()
        .map(|blocks| blocks.concat())
}

/// Which of these contacts are members, in the order of their numbers.
pub async fn members_among(store: &Store, segment: SegmentId, contacts: &[ContactId]) -> Result<Vec<Member>> {
    let mut contacts = contacts.to_vec();
    contacts.sort_unstable();
    let blocks = member_blocks(&store.database, segment, Some(blocks_of(contacts.iter().copied()))).await?;
    let mut found = Vec::new();
    for (block, payload) in blocks {
        let members = unpacked(block, &payload)?;
        found.extend(members.into_iter().filter(|member| contacts.binary_search(&member.contact).is_ok()));
    }
    Ok(found)
}

/// Writes what evaluations changed, in one transaction: who entered and who left is logged, but not
/// at a segment's first evaluation, which says nothing of when they came.
pub async fn apply(
    store: &Store,
    changes: &[SegmentChange],
    reviews: &Reviews,
    now: Timestamp,
) -> Result<()> {
    let transaction = store.begin_write("write memberships").await?;
    for change in changes {
        apply_change(&*transaction, change, now).await?;
    }
    reviews::write(&*transaction, reviews).await?;
    transaction.commit().await
}

async fn apply_change(
    connection: &impl ConnectionTrait,
    change: &SegmentChange,
    now: Timestamp,
) -> Result<()> {
    let operation = "write memberships";
    let SegmentId(segment) = change.segment;
    let first = "SELECT COUNT(*) FROM segments WHERE id = $1 AND evaluated_at IS NULL";
    let is_first = query_value::<i64>(connection, operation, first, values![segment]).await? > 0;
    let Evaluated { at, fingerprint, mark } = &change.evaluated;
    // Also the row lock behind which other writers of this segment wait.
    let update =
        "UPDATE segments SET evaluated_at = $2, fingerprint = $3, contacts_mark = $4, events_mark = $5
        WHERE id = $1";
    let noted = values![segment, at.micros(), fingerprint.clone(), mark.contacts, mark.events];
    execute(connection, operation, update, noted).await?;

    let touched = change.entered.iter().chain(&change.until).map(|(contact, _)| *contact);
    let mut touched = blocks_of(touched.chain(change.left.iter().copied()));
    touched.sort_unstable();
    touched.dedup();
    let old = member_blocks(connection, change.segment, Some(touched.clone())).await?;
    let old: BTreeMap<_, _> = old.into_iter().collect();
    let (mut entered, mut left, mut until) = (&change.entered[..], &change.left[..], &change.until[..]);
    let mut emptied = Vec::new();
    let mut written = Vec::with_capacity(touched.len());
    for block in touched {
        let present = old.get(&block).map_or(Ok(Vec::new()), |payload| unpacked(block, payload))?;
        let in_block = |contact: ContactId| MemberBlock::of(contact) == block;
        let members = merge_members(
            present,
            split_while(&mut entered, |(contact, _)| in_block(*contact)),
            split_while(&mut left, |contact| in_block(*contact)),
            split_while(&mut until, |(contact, _)| in_block(*contact)),
            now,
        );
        if members.is_empty() {
            emptied.push(block.0);
        } else {
            let count = members.len() as i64;
            let payload = pack_members(block, members);
            if old.get(&block) != Some(&payload) {
                written.push(values![segment, block.0, count, payload]);
            }
        }
    }
    let conflict =
        "ON CONFLICT (segment, block) DO UPDATE SET members = excluded.members, payload = excluded.payload";
    write_blocks(connection, "membership_blocks (segment, block, members, payload)", conflict, written)
        .await?;
    if !emptied.is_empty() {
        let given = given_numbers(backend_of(connection), 2, "block");
        let delete = format!("DELETE FROM membership_blocks WHERE segment = $1 AND block IN {given}");
        execute(connection, operation, &delete, values![segment, numbers_json(emptied)]).await?;
    }
    if !is_first {
        passages::log(connection, change, now).await?;
    }
    Ok(())
}

/// The leading items for which `belongs` holds; they are taken from `rest`.
fn split_while<'a, T>(rest: &mut &'a [T], belongs: impl Fn(&T) -> bool) -> &'a [T] {
    let length = rest.iter().position(|item| !belongs(item)).unwrap_or(rest.len());
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

/// A block's members after a change. Somebody who entered although present stays since when they came.
fn merge_members(
    present: Vec<Member>,
    entered: &[(ContactId, Option<Timestamp>)],
    left: &[ContactId],
    until: &[(ContactId, Option<Timestamp>)],
    now: Timestamp,
) -> Vec<Member> {
    let mut members: BTreeMap<ContactId, Member> =
        present.into_iter().map(|member| (member.contact, member)).collect();
    if members.is_empty() {
        let new = entered.iter();
        return new
            .map(|(contact, until)| Member { contact: *contact, entered_at: now, until: *until })
            .collect();
    }
    for contact in left {
        members.remove(contact);
    }
    for (contact, until) in until {
        if let Some(member) = members.get_mut(contact) {
            member.until = *until;
        }
    }
    for (contact, until) in entered {
        let new = Member { contact: *contact, entered_at: now, until: *until };
        members.entry(*contact).or_insert(new).until = *until;
    }
    members.into_values().collect()
}

/// Packed members of a segment by block, in order: of all blocks, or of some.
async fn member_blocks(
    connection: &impl ConnectionTrait,
    segment: SegmentId,
    blocks: Option<Vec<MemberBlock>>,
) -> Result<Vec<(MemberBlock, Vec<u8>)>> {
    let filter = match &blocks {
        None => String::new(),
        Some(_) => format!("AND block IN {}", given_numbers(backend_of(connection), 2, "block")),
    };
    let text =
        format!("SELECT block, payload FROM membership_blocks WHERE segment = $1 {filter} ORDER BY block");
    let mut given = values![segment.0];
    given.extend(blocks.map(|blocks| Value::from(numbers_json(blocks.iter().map(|block| block.0)))));
    packed_rows(query(connection, "read memberships", &text, given).await?)
}

pub(super) fn packed_rows(rows: Vec<QueryResult>) -> Result<Vec<(MemberBlock, Vec<u8>)>> {
    let read = |row: QueryResult| -> Result<_, sea_orm::DbErr> {
        Ok((MemberBlock(row.try_get_by_index(0)?), row.try_get_by_index(1)?))
    };
    rows.into_iter().map(|row| read(row).map_err(failed("read memberships"))).collect()
}

fn unpacked(block: MemberBlock, payload: &[u8]) -> Result<Vec<Member>> {
    unpack_members(block, payload).collect::<Result<_, _>>().map_err(StoreError::from)
}

/// The blocks of contacts that come in order.
pub(super) fn blocks_of(contacts: impl Iterator<Item = ContactId>) -> Vec<MemberBlock> {
    let mut blocks: Vec<_> = contacts.map(MemberBlock::of).collect();
    blocks.dedup();
    blocks
}

/// Inserts packed rows, many a statement.
pub(super) async fn write_blocks(
    connection: &impl ConnectionTrait,
    table: &str,
    conflict: &str,
    rows: Vec<Vec<Value>>,
) -> Result<()> {
    for rows in rows.chunks(BLOCKS_PER_STATEMENT) {
        let mut next = 0;
        let tuples: Vec<String> = rows
            .iter()
            .map(|row| {
                let places: Vec<_> = row
                    .iter()
                    .map(|_| {
                        next += 1;
                        format!("${next}")
                    })
                    .collect();
                format!("({})", places.join(", "))
            })
            .collect();
        let insert = format!("INSERT INTO {table} VALUES {} {conflict}", tuples.join(", "));
        execute(connection, "write memberships", &insert, rows.concat()).await?;
    }
    Ok(())
}

/// How many members a segment has.
pub async fn count(store: &Store, segment: SegmentId) -> Result<u64> {
    let text = "SELECT CAST(COALESCE(SUM(members), 0) AS BIGINT) FROM membership_blocks WHERE segment = $1";
    let count = query_value::<i64>(&store.database, "count members", text, values![segment.0]).await?;
    Ok(count.max(0) as u64)
}

/// Some members, the first by number.
pub async fn sample(store: &Store, segment: SegmentId, limit: u32) -> Result<Vec<Member>> {
    // A block that is stored has at least one member.
    let text = "SELECT block, payload FROM membership_blocks WHERE segment = $1 ORDER BY block LIMIT $2";
    let rows = query(&store.database, "read memberships", text, values![segment.0, i64::from(limit)]).await?;
    let mut sample = Vec::new();
    for (block, payload) in packed_rows(rows)? {
        sample.extend(unpacked(block, &payload)?);
        if sample.len() >= limit as usize {
            break;
        }
    }
    sample.truncate(limit as usize);
    Ok(sample)
}

/// Takes contacts that were erased out of all segments, out of what is known of their coming and going, and
/// out of what is to be looked at again.
pub(super) async fn forget(store: &Store, contacts: &[ContactId]) -> Result<()> {
    let operation = "take an erased contact out of segments";
    let transaction = store.begin_write(operation).await?;
    for contact in contacts {
        let block = MemberBlock::of(*contact);
        let text = "SELECT segment, payload FROM membership_blocks WHERE block = $1";
        for row in query(&*transaction, operation, text, values![block.0]).await? {
            let segment: i64 = row.try_get_by_index(0).map_err(failed(operation))?;
            let payload: Vec<u8> = row.try_get_by_index(1).map_err(failed(operation))?;
            let mut members = unpacked(block, &payload)?;
            let before = members.len();
            members.retain(|member| member.contact != *contact);
            if members.is_empty() {
                let delete = "DELETE FROM membership_blocks WHERE segment = $1 AND block = $2";
                execute(&*transaction, operation, delete, values![segment, block.0]).await?;
            } else if members.len() < before {
                let update = "UPDATE membership_blocks SET members = $3, payload = $4 WHERE segment = $1 AND block = $2";
                let count = members.len() as i64;
                let given = values![segment, block.0, count, pack_members(block, members)];
                execute(&*transaction, operation, update, given).await?;
            }
        }
        let delete = "DELETE FROM membership_changes WHERE contact = $1";
        execute(&*transaction, operation, delete, values![contact.0]).await?;
        reviews::write(&*transaction, &Reviews::Some(vec![(*contact, None)])).await?;
    }
    transaction.commit().await
}
