//! When contacts are to be looked at again without new data, packed by blocks of contacts as
//! memberships are, and written in their transaction; see [`super::memberships::apply`].
//!
//! Rows are numbered as those of members, too: by a group and a block.

use super::bulk::Bulk;
use super::kept::{self, KeptRow, KeptTable, Wanted};
use super::memberships::SegmentId;
use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::membership::{
    AmendedReviews, Amendment, KeptBlock, amend_reviews, pack_reviews, unpack_reviews,
};
use crate::domain::time::Timestamp;

/// Whose answers the times of review are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReviewGroup(SegmentId);

impl ReviewGroup {
    /// Of all that is evaluated together. No segment has this number.
    pub const SHARED: Self = Self(SegmentId(0));

    /// Of a segment that is evaluated by itself.
    pub const fn of(segment: SegmentId) -> Self {
        Self(segment)
    }

    /// The group and the block of a row.
    pub(super) const fn of_row(row: i64) -> (Self, KeptBlock) {
        (Self(SegmentId::of_row(row)), SegmentId::block_of(row))
    }
}

/// When contacts are to be looked at again although no data came in: the least `until` of all
/// answers, also of those that are no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviews {
    /// They stay as they are.
    Keep,
    /// For all contacts: what is not named has none. In the order of numbers.
    All(Vec<(ContactId, Timestamp)>),
    /// For some contacts. Both in the order of numbers.
    Some {
        /// Of those all of whose answers are known.
        exactly: Vec<(ContactId, Option<Timestamp>)>,
        /// Of those some of whose answers are new: no later than this.
        at_latest: Vec<(ContactId, Timestamp)>,
    },
}

/// Writes what an evaluation found.
pub(super) async fn write(bulk: &mut Bulk, group: ReviewGroup, reviews: &Reviews) -> Result<()> {
    match reviews {
        Reviews::Keep => Ok(()),
        Reviews::All(reviews) => {
            let old = bulk.read_kept(KeptTable::Reviews, group.0.rows()).await?;
            let blocks = reviews.chunk_by(|left, right| KeptBlock::of(left.0) == KeptBlock::of(right.0));
            let packed = |reviews: &[(ContactId, Timestamp)]| {
                Some(row(group, KeptBlock::of(reviews.first()?.0), reviews))
            };
            let new: Vec<_> = blocks.filter_map(packed).collect();
            let find = |rows: &[KeptRow], id: i64| rows.binary_search_by_key(&id, |row| row.id).ok();
            let emptied = old.iter().map(|row| row.id).filter(|id| find(&new, *id).is_none()).collect();
            let is_new = |row: &KeptRow| find(&old, row.id).is_none_or(|place| old[place] != *row);
            let changed = new.into_iter().filter(is_new).collect();
            bulk.write_kept(KeptTable::Reviews, changed, emptied).await
        }
        Reviews::Some { exactly, at_latest } => write_some(bulk, group, exactly, at_latest).await,
    }
}

async fn write_some(
    bulk: &mut Bulk,
    group: ReviewGroup,
    exactly: &[(ContactId, Option<Timestamp>)],
    at_latest: &[(ContactId, Timestamp)],
) -> Result<()> {
    let exactly = exactly.iter().map(|(contact, at)| (*contact, Amendment::Exactly(*at)));
    let at_latest = at_latest.iter().map(|(contact, at)| (*contact, Amendment::AtLatest(*at)));
    let mut amendments: Vec<_> = exactly.chain(at_latest).collect();
    // What is known exactly stays before what is known in part.
    amendments.sort_by_key(|(contact, _)| *contact);
    let by_block: Vec<_> =
        amendments.chunk_by(|left, right| KeptBlock::of(left.0) == KeptBlock::of(right.0)).collect();
    let touched: Vec<_> = by_block
        .iter()
        .filter_map(|amendments| amendments.first())
        .map(|(contact, _)| KeptBlock::of(*contact))
        .collect();
    let numbers = touched.iter().map(|block| group.0.row(*block)).collect();
    let old = bulk.read_kept(KeptTable::Reviews, Wanted::These(numbers)).await?;
    let mut old = old.into_iter().peekable();
    let (mut written, mut emptied) = (Vec::new(), Vec::new());
    for (block, amendments) in touched.into_iter().zip(by_block) {
        let id = group.0.row(block);
        let payload = old.next_if(|row| row.id == id).map(|row| row.payload).unwrap_or_default();
        match amend_reviews(block, &payload, amendments)? {
            None => {}
            Some(after) if after.payload.is_empty() => emptied.push(id),
            Some(AmendedReviews { payload, earliest }) => {
                written.push(KeptRow { id, number: earliest.micros(), payload });
            }
        }
    }
    bulk.write_kept(KeptTable::Reviews, written, emptied).await
}

/// A row of reviews, of which there is at least one.
fn row(group: ReviewGroup, block: KeptBlock, reviews: &[(ContactId, Timestamp)]) -> KeptRow {
    let earliest = reviews.iter().map(|(_, at)| at.micros()).min().unwrap_or(i64::MAX);
    KeptRow {
        id: group.0.row(block),
        number: earliest,
        payload: pack_reviews(block, reviews.iter().copied()),
    }
}

/// Contacts of whom answers of this group are to be asked again at `now`, in the order of numbers.
pub async fn due_for_review(store: &Store, group: ReviewGroup, now: Timestamp) -> Result<Vec<ContactId>> {
    let mut due = Vec::new();
    for row in kept::read(store, KeptTable::Reviews, Wanted::AtMost(now.micros())).await? {
        let (of, block) = ReviewGroup::of_row(row.id);
        if of != group {
            continue;
        }
        for review in unpack_reviews(block, &row.payload) {
            let (contact, at) = review?;
            if at <= now {
                due.push(contact);
            }
        }
    }
    Ok(due)
}

/// Contacts that were erased are not to be looked at again.
pub(super) async fn forget(bulk: &mut Bulk, contact: ContactId, segments: &[SegmentId]) -> Result<()> {
    let block = KeptBlock::of(contact);
    let mut numbers: Vec<_> = segments.iter().map(|segment| segment.row(block)).collect();
    numbers.push(ReviewGroup::SHARED.0.row(block));
    numbers.sort_unstable();
    for row in bulk.read_kept(KeptTable::Reviews, Wanted::These(numbers)).await? {
        let nothing = Reviews::Some { exactly: vec![(contact, None)], at_latest: Vec::new() };
        write(bulk, ReviewGroup::of_row(row.id).0, &nothing).await?;
    }
    Ok(())
}
