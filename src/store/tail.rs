//! The tail of the log: events that are stored, but not packed yet.
//!
//! Who packed each batch of events at once would write each chunk again and again. So events are only logged, and
//! packed together, when the tail is long. What is read is always the whole log: the
//! packed histories up to the number in the counter `event_packed`, and the tail as it is in the log.

use super::bulk::{Bulk, Counter};
use super::connection::Load;
use super::statement::query_value;
use super::{Result, Store};
use crate::domain::history::CONTACTS_PER_BLOCK;

/// Events that are packed at once: some 200 MB. A longer tail is packed in ranges of contacts, so that
/// each chunk is written once.
const AT_ONCE: i64 = 1_000_000;

/// A tail that is longer is packed, by whoever makes it so long, or else by the next reader; each reader reads it from
/// the log as it is till then, which for these few takes about a millisecond.
pub(super) const LONG: i64 = 5_000;

/// Packs the tail, if there is one.
pub(super) async fn pack(store: &Store) -> Result<()> {
    pack_from(store, 1).await
}

/// Packs the tail, if it is long.
pub(super) async fn pack_if_long(store: &Store) -> Result<()> {
    pack_from(store, LONG + 1).await
}

/// Packs the tail, if it is at least so long.
async fn pack_from(store: &Store, length: i64) -> Result<()> {
    let operation = "look for events that are not packed";
    let text = "SELECT CAST(SUM(CASE name WHEN 'event' THEN value ELSE -value END) AS BIGINT) FROM counters
        WHERE name IN ('event', 'event_packed')";
    if query_value::<i64>(&store.database, operation, text, vec![]).await? < length {
        return Ok(());
    }
    let mut bulk = Bulk::begin_with(store, Load::Much, "pack events").await?;
    let last = bulk.last(Counter::Event).await?;
    pack_up_to(&mut bulk, last).await?;
    bulk.commit().await
}

/// Packs the events up to number `last`; says how many. The caller has drawn from [`Counter::Event`].
pub(super) async fn pack_up_to(bulk: &mut Bulk, last: i64) -> Result<u64> {
    let packed = bulk.last(Counter::EventPacked).await?;
    let count = last - packed;
    if count <= 0 {
        return Ok(0);
    }
    let contacts = bulk.last(Counter::Contact).await? + 1;
    let blocks = contacts / CONTACTS_PER_BLOCK + 1;
    let parts = count / AT_ONCE + 1;
    let cut = |part| if part == parts { i64::MAX } else { blocks * part / parts * CONTACTS_PER_BLOCK };
    for part in 0..parts {
        let rows = bulk.read_log(packed + 1..last + 1, cut(part)..cut(part + 1)).await?;
        bulk.append_chunks(rows).await?;
    }
    bulk.draw(Counter::EventPacked, count as usize).await?;
    Ok(count as u64)
}
