//! When contacts are to be looked at again without new data, packed by blocks of contacts as
//! memberships are, and written in their transaction; see [`super::memberships::apply`].
//!
//! Rows are numbered as those of members, too: by a group and a block.

use super::bulk::Bulk;
use super::kept::{self, KeptRow, KeptTable, Wanted};
use super::memberships::{SegmentId, blocks_of};
use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::membership::{KeptBlock, pack_reviews, unpack_reviews};
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
    mut exactly: &[(ContactId, Option<Timestamp>)],
    mut at_latest: &[(ContactId, Timestamp)],
) -> Result<()> {
    let touched = exactly.iter().map(|(contact, _)| *contact);
    let mut touched = blocks_of(touched.chain(at_latest.iter().map(|(contact, _)| *contact)));
    touched.sort_unstable();
    touched.dedup();
    let numbers = touched.iter().map(|block| group.0.row(*block)).collect();
    let old = bulk.read_kept(KeptTable::Reviews, Wanted::These(numbers)).await?;
    let mut old = old.into_iter().peekable();
    let (mut written, mut emptied) = (Vec::new(), Vec::new());
    for block in touched {
        let id = group.0.row(block);
        let payload = old.next_if(|row| row.id == id).map(|row| row.payload).unwrap_or_default();
        let before = unpack_reviews(block, &payload).collect::<Result<Vec<_>, _>>()?;
        let exactly = of_block(&mut exactly, block, |(contact, _)| *contact);
        let at_latest = of_block(&mut at_latest, block, |(contact, _)| *contact);
        let after = merged(before.clone(), exactly, at_latest);
        if after == before {
            continue;
        }
        if after.is_empty() {
            emptied.push(id);
        } else {
            written.push(row(group, block, &after));
        }
    }
    bulk.write_kept(KeptTable::Reviews, written, emptied).await
}

/// The leading items that are of this block; they are taken from `rest`.
fn of_block<'a, T>(rest: &mut &'a [T], block: KeptBlock, contact: impl Fn(&T) -> ContactId) -> &'a [T] {
    let length = rest.iter().position(|item| KeptBlock::of(contact(item)) != block).unwrap_or(rest.len());
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
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

fn merged(
    mut reviews: Vec<(ContactId, Timestamp)>,
    exactly: &[(ContactId, Option<Timestamp>)],
    at_latest: &[(ContactId, Timestamp)],
) -> Vec<(ContactId, Timestamp)> {
    let find = |reviews: &[(ContactId, Timestamp)], contact: ContactId| {
        reviews.binary_search_by_key(&contact, |(contact, _)| *contact)
    };
    for (contact, at) in exactly {
        match (find(&reviews, *contact), at) {
            (Ok(place), Some(at)) => reviews[place].1 = *at,
            (Ok(place), None) => drop(reviews.remove(place)),
            (Err(place), Some(at)) => reviews.insert(place, (*contact, *at)),
            (Err(_), None) => {}
        }
    }
    for (contact, at) in at_latest {
        match find(&reviews, *contact) {
            Ok(place) => reviews[place].1 = reviews[place].1.min(*at),
            Err(place) => reviews.insert(place, (*contact, *at)),
        }
    }
    reviews
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
