//! When contacts are to be looked at again without new data, packed by blocks of contacts as
//! memberships are, and written in their transaction; see [`super::memberships::apply`].

use std::collections::BTreeMap;

use super::bulk::Bulk;
use super::kept::{self, KeptRow, KeptTable, Wanted};
use super::memberships::blocks_of;
use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::membership::{KeptBlock, pack_reviews, unpack_reviews};
use crate::domain::time::Timestamp;

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
pub(super) async fn write(bulk: &mut Bulk, reviews: &Reviews) -> Result<()> {
    match reviews {
        Reviews::Keep => Ok(()),
        Reviews::All(reviews) => {
            let old = bulk.read_kept(KeptTable::Reviews, Wanted::Between(i64::MIN, i64::MAX)).await?;
            replace(bulk, &old, rows(reviews)).await
        }
        Reviews::Some { exactly, at_latest } => {
            let touched = exactly.iter().map(|(contact, _)| *contact);
            let mut touched = blocks_of(touched.chain(at_latest.iter().map(|(contact, _)| *contact)));
            touched.sort_unstable();
            touched.dedup();
            let numbers = touched.iter().map(|block| block.0).collect();
            let old = bulk.read_kept(KeptTable::Reviews, Wanted::These(numbers)).await?;
            let new = merged(&old, exactly, at_latest)?;
            replace(bulk, &old, rows(&new)).await
        }
    }
}

/// Puts new rows into the place of these.
async fn replace(bulk: &mut Bulk, old: &[KeptRow], new: Vec<KeptRow>) -> Result<()> {
    let find = |rows: &[KeptRow], id: i64| rows.binary_search_by_key(&id, |row| row.id).ok();
    let emptied = old.iter().map(|row| row.id).filter(|id| find(&new, *id).is_none()).collect();
    let changed = new.into_iter().filter(|row| find(old, row.id).is_none_or(|place| old[place] != *row));
    bulk.write_kept(KeptTable::Reviews, changed.collect(), emptied).await
}

/// Packs reviews that come in the order of contacts.
fn rows(reviews: &[(ContactId, Timestamp)]) -> Vec<KeptRow> {
    let blocks = reviews.chunk_by(|left, right| KeptBlock::of(left.0) == KeptBlock::of(right.0));
    let packed = blocks.filter_map(|reviews| {
        let block = KeptBlock::of(reviews.first()?.0);
        let earliest = reviews.iter().map(|(_, at)| *at).min()?;
        let payload = pack_reviews(block, reviews.iter().copied());
        Some(KeptRow { id: block.0, number: earliest.micros(), payload })
    });
    packed.collect()
}

fn merged(
    old: &[KeptRow],
    exactly: &[(ContactId, Option<Timestamp>)],
    at_latest: &[(ContactId, Timestamp)],
) -> Result<Vec<(ContactId, Timestamp)>> {
    let mut reviews = BTreeMap::new();
    for row in old {
        for review in unpack_reviews(KeptBlock(row.id), &row.payload) {
            let (contact, at) = review?;
            reviews.insert(contact, at);
        }
    }
    for (contact, at) in exactly {
        match at {
            Some(at) => reviews.insert(*contact, *at),
            None => reviews.remove(contact),
        };
    }
    for (contact, at) in at_latest {
        reviews.entry(*contact).and_modify(|known| *known = (*known).min(*at)).or_insert(*at);
    }
    Ok(reviews.into_iter().collect())
}

/// Contacts to be looked at again at `now`, in the order of numbers.
pub async fn due_for_review(store: &Store, now: Timestamp) -> Result<Vec<ContactId>> {
    let mut due = Vec::new();
    for row in kept::read(store, KeptTable::Reviews, Wanted::AtMost(now.micros())).await? {
        for review in unpack_reviews(KeptBlock(row.id), &row.payload) {
            let (contact, at) = review?;
            if at <= now {
                due.push(contact);
            }
        }
    }
    Ok(due)
}
