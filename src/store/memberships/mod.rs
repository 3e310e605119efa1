//! Memberships: who is in which segment, since when.
//!
//! Members are packed by blocks of contacts, see [`crate::domain::membership`]: only blocks whose bytes change
//! are written. When contacts are to be looked at again is kept beside them: [`super::reviews`].
//!
//! | file | what it does |
//! |---|---|
//! | this one | segments and their members are read |
//! | `standing` | all that is kept, as of one moment; and it is forgotten, to be made anew |
//! | `write` | what evaluations changed is written; erased contacts are taken out |

mod standing;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sea_orm::QueryResult;

use super::contacts::ChangeMark;
use super::dialect::given_texts;
use super::error::{failed, unknown_word};
use super::kept::{self, KeptRow, KeptTable, Wanted};
pub use super::passages::{Passage, Passed, count_passages, lately, lately_entered, lately_left};
use super::statement::{execute, query, query_column, query_value, values};
use super::{Result, Store, StoreError};
use crate::domain::contact::ContactId;
pub use crate::domain::membership::{EntryCause, Member};
use crate::domain::membership::{KeptBlock, unpack_members};
use crate::domain::name::{CampaignName, SegmentName};
use crate::domain::time::Timestamp;
pub use standing::{Standing, newest_passages, reset, standing};
pub(super) use write::forget;
pub use write::{SegmentChange, apply};

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

/// What was evaluated at some time and is not among `names`: nobody evaluates it any more.
pub async fn undeclared(store: &Store, names: &[Kept]) -> Result<Vec<SegmentId>> {
    let operation = "list segments";
    let listed = serde_json::json!(names.iter().map(Kept::to_string).collect::<Vec<_>>()).to_string();
    let given = given_texts(store.backend(), 1, "name");
    let text = format!("SELECT id FROM segments WHERE fingerprint <> '' AND name NOT IN {given} ORDER BY id");
    let numbers: Vec<i64> = query_column(&store.database, operation, &text, values![listed]).await?;
    Ok(numbers.into_iter().map(SegmentId).collect())
}

/// The members of a segment, in the order of their numbers.
pub async fn members(store: &Store, segment: SegmentId) -> Result<Vec<Member>> {
    let rows = kept::read(store, KeptTable::Members, segment.rows()).await?;
    rows.iter().map(unpacked).collect::<Result<Vec<_>>>().map(|blocks| blocks.concat())
}

/// Which of these contacts, given in order, are members of each of these segments; in the order of their numbers.
pub async fn members_among(
    store: &Store,
    segments: &[SegmentId],
    contacts: &[ContactId],
) -> Result<Vec<Vec<Member>>> {
    let contacts: Arc<[ContactId]> = contacts.into();
    members_of(store, segments.iter().map(|segment| (*segment, Arc::clone(&contacts))).collect()).await
}

/// Of each of these segments: which of some contacts, given in order, are members; in the order of their numbers.
/// Of many segments parts are read side by side.
pub async fn members_of(
    store: &Store,
    mut asked: Vec<(SegmentId, Arc<[ContactId]>)>,
) -> Result<Vec<Vec<Member>>> {
    let mut all = Vec::with_capacity(asked.len());
    let mut parts = Vec::with_capacity(SIDE_BY_SIDE);
    for parts_left in (1..=SIDE_BY_SIDE).rev() {
        let part: Vec<_> = asked.drain(..asked.len().div_ceil(parts_left)).collect();
        let store = store.clone();
        parts.push(tokio::spawn(async move { among(&store, &part).await }));
    }
    for part in parts {
        all.extend(part.await.map_err(failed("read memberships"))??);
    }
    Ok(all)
}

/// So many parts are read at the same time.
const SIDE_BY_SIDE: usize = 2;

async fn among(store: &Store, asked: &[(SegmentId, Arc<[ContactId]>)]) -> Result<Vec<Vec<Member>>> {
    let numbers = asked.iter().flat_map(|(segment, contacts)| {
        blocks_of(contacts.iter().copied()).into_iter().map(|block| segment.row(block))
    });
    // In the order of numbers also where segments are not.
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    let rows = if numbers.is_empty() {
        Vec::new()
    } else {
        kept::read(store, KeptTable::Members, Wanted::These(numbers)).await?
    };
    let among = |(segment, contacts): &(SegmentId, Arc<[ContactId]>)| {
        let (first, end) = (rows.partition_point(|row| row.id < segment.first()), segment.end());
        let mut found = Vec::new();
        let mut contacts = &contacts[..];
        for row in rows[first..].iter().take_while(|row| row.id < end) {
            let block = segment.block(row.id);
            contacts = &contacts[contacts.partition_point(|contact| KeptBlock::of(*contact) < block)..];
            let here = contacts.iter().take_while(|contact| KeptBlock::of(**contact) == block).count();
            let mut wanted = contacts[..here].iter().copied().peekable();
            for member in unpack_members(block, &row.payload) {
                let member = member?;
                while wanted.next_if(|contact| *contact < member.contact).is_some() {}
                match wanted.peek() {
                    Some(contact) if *contact == member.contact => found.push(member),
                    Some(_) => {}
                    None => break,
                }
            }
        }
        Ok(found)
    };
    asked.iter().map(among).collect()
}

impl SegmentId {
    /// Rows of a segment have numbers of their own: 2³² blocks.
    const BLOCK_BITS: u32 = 32;

    const fn first(self) -> i64 {
        self.0 << Self::BLOCK_BITS
    }

    const fn end(self) -> i64 {
        (self.0 + 1) << Self::BLOCK_BITS
    }

    pub(super) const fn rows(self) -> Wanted {
        Wanted::Between(self.first(), self.end())
    }

    pub(super) const fn row(self, block: KeptBlock) -> i64 {
        self.first() + block.0
    }

    const fn block(self, row: i64) -> KeptBlock {
        KeptBlock(row - self.first())
    }

    /// Whose a row is.
    pub(super) const fn of_row(row: i64) -> Self {
        Self(row >> Self::BLOCK_BITS)
    }

    /// Which contacts a row of whatever segment is about.
    pub(super) const fn block_of(row: i64) -> KeptBlock {
        Self(row >> Self::BLOCK_BITS).block(row)
    }
}

fn unpacked(row: &KeptRow) -> Result<Vec<Member>> {
    let block = SegmentId::block_of(row.id);
    unpack_members(block, &row.payload).collect::<Result<_, _>>().map_err(StoreError::from)
}

/// The blocks of contacts that come in order.
pub(super) fn blocks_of(contacts: impl Iterator<Item = ContactId>) -> Vec<KeptBlock> {
    let mut blocks = Vec::new();
    for block in contacts.map(KeptBlock::of) {
        if blocks.last() != Some(&block) {
            blocks.push(block);
        }
    }
    blocks
}

/// How many members a segment has.
pub async fn count(store: &Store, segment: SegmentId) -> Result<u64> {
    let text =
        "SELECT CAST(COALESCE(SUM(members), 0) AS BIGINT) FROM membership_blocks WHERE id >= $1 AND id < $2";
    let given = values![segment.first(), segment.end()];
    let count = query_value::<i64>(&store.database, "count members", text, given).await?;
    Ok(count.max(0) as u64)
}
