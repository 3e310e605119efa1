//! Packed histories made anew from the log, and packed facts from the contacts.

use super::super::bulk::{Bulk, Counter};
use super::super::connection::Load;
use super::super::{Result, Store, facts, tail};

/// Makes all packed histories anew from the log, in one transaction, and packed facts from the contacts;
/// says how many events the histories hold.
pub async fn rebuild(store: &Store) -> Result<u64> {
    let mut bulk = Bulk::begin_with(store, Load::Much, "rebuild the histories").await?;
    // Nobody appends meanwhile.
    let last = bulk.last(Counter::Event).await?;
    bulk.execute("DELETE FROM history_chunks", &[]).await?;
    bulk.execute("DELETE FROM contact_fact_blocks", &[]).await?;
    bulk.execute("UPDATE counters SET value = 0 WHERE name = 'event_packed'", &[]).await?;
    let events = tail::pack_up_to(&mut bulk, last).await?;
    bulk.commit().await?;
    facts::pack(store).await?;
    Ok(events)
}
