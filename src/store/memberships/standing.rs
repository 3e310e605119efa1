//! All that is kept of memberships, as of one moment: for those who hold it against a full pass.

use std::collections::BTreeMap;

use sea_orm::QueryResult;

use super::super::bulk::Bulk;
use super::super::error::failed;
use super::super::kept::{KeptRow, KeptTable, Wanted};
use super::super::reviews::ReviewGroup;
use super::super::statement::{query, values};
use super::super::{Result, Store};
use super::{Kept, KnownSegment, Member, Passed, SegmentId, known_segment, unpack_members};
use crate::domain::contact::ContactId;
use crate::domain::membership::unpack_reviews;
use crate::domain::time::Timestamp;

/// What is kept at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// All segments that were ever evaluated, declared or not, with their members in the order of numbers.
    pub segments: BTreeMap<Kept, (KnownSegment, Vec<Member>)>,
    /// When contacts are to be looked at again, by whose answers, in the order of numbers.
    pub reviews: BTreeMap<ReviewGroup, Vec<(ContactId, Timestamp)>>,
}

/// Reads all of it. Rows that cannot be read are passed over: [`super::super::checkup`] names them.
pub async fn standing(store: &Store) -> Result<Standing> {
    let operation = "read all memberships";
    let snapshot = store.begin_read(operation).await?;
    let read = |row: &QueryResult| -> Result<(i64, Vec<u8>)> {
        let id = row.try_get_by_index(0).map_err(failed(operation))?;
        Ok((id, row.try_get_by_index(2).map_err(failed(operation))?))
    };
    let mut standing = Standing::default();
    let text = "SELECT id, name, evaluated_at, fingerprint, contacts_mark, events_mark FROM segments";
    for row in query(&snapshot, operation, text, vec![]).await? {
        let known = known_segment(&row)?;
        let SegmentId(segment) = known.id;
        let text = KeptTable::Members.select("id >= $1 AND id < $2");
        let given = values![SegmentId(segment).first(), SegmentId(segment).end()];
        let mut members = Vec::new();
        for row in query(&snapshot, operation, &text, given).await? {
            let (id, payload) = read(&row)?;
            members.extend(unpack_members(SegmentId::block_of(id), &payload).flatten());
        }
        standing.segments.insert(known.kept.clone(), (known, members));
    }
    for row in query(&snapshot, operation, &KeptTable::Reviews.select("true"), vec![]).await? {
        let (id, payload) = read(&row)?;
        let (group, block) = ReviewGroup::of_row(id);
        standing.reviews.entry(group).or_default().extend(unpack_reviews(block, &payload).flatten());
    }
    snapshot.rollback().await.map_err(failed(operation))?;
    Ok(standing)
}

/// Who entered or left a segment last, at most `limit` of each, latest first; but for contacts that others
/// became, whose passages are those of several.
pub async fn newest_passages(store: &Store, segment: SegmentId, limit: u32) -> Result<Vec<Passed>> {
    let operation = "read who entered and left";
    let text = "SELECT contact, at FROM membership_changes p WHERE segment = $1 AND entered = $2
          AND NOT EXISTS (SELECT 1 FROM contact_merges m WHERE m.contact = p.contact OR m.former = p.contact)
        ORDER BY at DESC, contact LIMIT $3";
    let mut passages = Vec::new();
    for entered in [true, false] {
        let given = values![segment.0, i64::from(entered), i64::from(limit)];
        for row in query(&store.database, operation, text, given).await? {
            let number = |index| row.try_get_by_index::<i64>(index).map_err(failed(operation));
            let (contact, at) = (ContactId(number(0)?), Timestamp::from_micros(number(1)?));
            passages.push(Passed { contact, at, entered });
        }
    }
    Ok(passages)
}

/// Has all segments evaluated anew when they are refreshed the next time, without forgetting since when members
/// are in; times of review, and rows of members that cannot be read, are removed. Says how many segments.
pub async fn reset(store: &Store) -> Result<u64> {
    let mut bulk = Bulk::begin(store, "have the segments evaluated anew").await?;
    let all = Wanted::Between(i64::MIN, i64::MAX);
    let (mut miscounted, mut damaged) = (Vec::new(), Vec::new());
    for row in bulk.read_kept(KeptTable::Members, all).await? {
        let block = SegmentId::block_of(row.id);
        match unpack_members(block, &row.payload).collect::<Result<Vec<_>, _>>() {
            Err(_) => damaged.push(row.id),
            Ok(members) if members.len() as i64 == row.number => {}
            Ok(members) => miscounted.push(KeptRow { number: members.len() as i64, ..row }),
        }
    }
    bulk.write_kept(KeptTable::Members, miscounted, damaged).await?;
    bulk.execute("DELETE FROM review_blocks", &[]).await?;
    let segments =
        bulk.execute("UPDATE segments SET fingerprint = '' WHERE evaluated_at IS NOT NULL", &[]).await?;
    bulk.commit().await?;
    Ok(segments)
}
