//! When contacts are to be looked at again without new data, packed by blocks of contacts as
//! memberships are, and written in their transaction; see [`super::memberships::apply`].

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, Value};

use super::dialect::given_numbers;
use super::memberships::{blocks_of, packed_rows, write_blocks};
use super::statement::{backend_of, execute, numbers_json, query, values};
use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::membership::{MemberBlock, pack_reviews, unpack_reviews};
use crate::domain::time::Timestamp;

/// When contacts are to be looked at again although no data came in: the least `until` of all
/// answers, also of those that are no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviews {
    /// They stay as they are.
    Keep,
    /// For all contacts: what is not named has none. In the order of numbers.
    All(Vec<(ContactId, Timestamp)>),
    /// For these contacts only. In the order of numbers.
    Some(Vec<(ContactId, Option<Timestamp>)>),
}

/// Writes what an evaluation found.
pub(super) async fn write(connection: &impl ConnectionTrait, reviews: &Reviews) -> Result<()> {
    match reviews {
        Reviews::Keep => Ok(()),
        Reviews::All(reviews) => replace(connection, None, |_| Ok(reviews_by_block(reviews))).await,
        Reviews::Some(reviews) => {
            let touched = blocks_of(reviews.iter().map(|(contact, _)| *contact));
            replace(connection, Some(touched), |old| merge_reviews(old, reviews)).await
        }
    }
}

/// Reviews of a block as they are stored: the earliest, and all of them packed.
type PackedReviews = BTreeMap<MemberBlock, (Timestamp, Vec<u8>)>;

/// Replaces the reviews of the touched blocks (of all, without `touched`) by what `make` makes of the old.
async fn replace(
    connection: &impl ConnectionTrait,
    touched: Option<Vec<MemberBlock>>,
    make: impl FnOnce(&BTreeMap<MemberBlock, Vec<u8>>) -> Result<PackedReviews>,
) -> Result<()> {
    let operation = "write when contacts are looked at again";
    let filter = match &touched {
        None => String::new(),
        Some(_) => format!("WHERE block IN {}", given_numbers(backend_of(connection), 1, "block")),
    };
    let text = format!("SELECT block, payload FROM review_blocks {filter} ORDER BY block");
    let given = touched.iter().map(|blocks| Value::from(numbers_json(blocks.iter().map(|block| block.0))));
    let old: BTreeMap<_, _> =
        packed_rows(query(connection, operation, &text, given.collect()).await?)?.into_iter().collect();
    let new = make(&old)?;
    let emptied: Vec<i64> =
        old.keys().filter(|block| !new.contains_key(block)).map(|block| block.0).collect();
    let changed = new.into_iter().filter(|(block, (_, payload))| old.get(block) != Some(payload));
    let rows =
        changed.map(|(block, (earliest, payload))| values![block.0, earliest.micros(), payload]).collect();
    let conflict =
        "ON CONFLICT (block) DO UPDATE SET earliest = excluded.earliest, payload = excluded.payload";
    write_blocks(connection, "review_blocks (block, earliest, payload)", conflict, rows).await?;
    if !emptied.is_empty() {
        let given = given_numbers(backend_of(connection), 1, "block");
        let delete = format!("DELETE FROM review_blocks WHERE block IN {given}");
        execute(connection, operation, &delete, values![numbers_json(emptied)]).await?;
    }
    Ok(())
}

/// Packs reviews that come in the order of contacts.
fn reviews_by_block(reviews: &[(ContactId, Timestamp)]) -> PackedReviews {
    let blocks = reviews.chunk_by(|left, right| MemberBlock::of(left.0) == MemberBlock::of(right.0));
    let packed = blocks.filter_map(|reviews| {
        let block = MemberBlock::of(reviews.first()?.0);
        let earliest = reviews.iter().map(|(_, at)| *at).min()?;
        Some((block, (earliest, pack_reviews(block, reviews.iter().copied()))))
    });
    packed.collect()
}

fn merge_reviews(
    old: &BTreeMap<MemberBlock, Vec<u8>>,
    changes: &[(ContactId, Option<Timestamp>)],
) -> Result<PackedReviews> {
    let mut reviews = BTreeMap::new();
    for (block, payload) in old {
        for review in unpack_reviews(*block, payload) {
            let (contact, at) = review?;
            reviews.insert(contact, at);
        }
    }
    for (contact, at) in changes {
        match at {
            Some(at) => reviews.insert(*contact, *at),
            None => reviews.remove(contact),
        };
    }
    Ok(reviews_by_block(&reviews.into_iter().collect::<Vec<_>>()))
}

/// Contacts to be looked at again at `now`, in the order of numbers.
pub async fn due_for_review(store: &Store, now: Timestamp) -> Result<Vec<ContactId>> {
    let operation = "find who is to be looked at again";
    let text = "SELECT block, payload FROM review_blocks WHERE earliest <= $1 ORDER BY block";
    let blocks = packed_rows(query(&store.database, operation, text, values![now.micros()]).await?)?;
    let mut due = Vec::new();
    for (block, payload) in blocks {
        for review in unpack_reviews(block, &payload) {
            let (contact, at) = review?;
            if at <= now {
                due.push(contact);
            }
        }
    }
    Ok(due)
}
