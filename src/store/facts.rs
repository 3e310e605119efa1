//! Packed facts and attributes of contacts, see [`crate::domain::facts`] and [`crate::domain::attributes`]: for
//! passes over everybody.
//!
//! Who writes contacts does not write these: they are made from the contacts when a pass begins, block by
//! block, where contacts changed since the last time (`contact_packed` in `counters` says up to which
//! change) or where there is no block. A pass asks once more in its own snapshot and, should somebody have
//! come in between, reads the contacts themselves. So it never shows what is not true.

use super::bulk::{Bulk, Counter};
use super::statement::query_value;
use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::membership::MemberBlock;

/// 1 if a block is missing or not what the contacts are, else 0.
pub(super) const IS_STALE: &str = "SELECT CAST(CASE
    WHEN EXISTS (SELECT 1 FROM contacts
        WHERE change > (SELECT value FROM counters WHERE name = 'contact_packed')) THEN 1
    WHEN EXISTS (SELECT 1 FROM contact_merges
        WHERE change > (SELECT value FROM counters WHERE name = 'contact_packed')) THEN 1
    WHEN (SELECT COUNT(*) FROM contact_fact_blocks)
        <= (SELECT value / 4096 FROM counters WHERE name = 'contact') THEN 1
    ELSE 0 END AS BIGINT)";

/// Contacts that changed, or are no more, since a change.
const CHANGED: &str = "SELECT id FROM contacts WHERE change > $1
    UNION ALL SELECT former FROM contact_merges WHERE change > $1";

/// With more changed contacts than this, all contacts of a block are read again.
const FEW: usize = 400;

/// A block that is to be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StaleBlock {
    pub(super) block: MemberBlock,
    /// Who changed, in the order of numbers; `None`: read all of them.
    pub(super) changed: Option<Vec<i64>>,
}

/// Packs what is not packed.
pub(super) async fn pack(store: &Store) -> Result<()> {
    let operation = "look for contacts that are not packed";
    if query_value::<i64>(&store.database, operation, IS_STALE, vec![]).await? == 0 {
        return Ok(());
    }
    let mut bulk = Bulk::begin(store, "pack facts of contacts").await?;
    // Nobody changes contacts meanwhile.
    let change = bulk.last(Counter::ContactChange).await?;
    let MemberBlock(last) = MemberBlock::of(ContactId(bulk.last(Counter::Contact).await?));
    let packed = bulk.last(Counter::ContactPacked).await?;
    let there = bulk.numbers("SELECT block FROM contact_fact_blocks ORDER BY block", &[]).await?;
    let mut changed = bulk.numbers(CHANGED, &[packed]).await?;
    changed.sort_unstable();
    changed.dedup();
    let block_of = |contact: i64| MemberBlock::of(ContactId(contact));
    let mut stale: Vec<_> = changed
        .chunk_by(|left, right| block_of(*left) == block_of(*right))
        .map(|changed| StaleBlock {
            block: block_of(changed[0]),
            changed: (changed.len() <= FEW).then(|| changed.to_vec()),
        })
        .filter(|stale| there.binary_search(&stale.block.0).is_ok())
        .collect();
    let missing = (0..=last).filter(|block| there.binary_search(block).is_err());
    stale.extend(missing.map(|block| StaleBlock { block: MemberBlock(block), changed: None }));
    bulk.pack_facts(stale).await?;
    bulk.draw(Counter::ContactPacked, (change - packed) as usize).await?;
    bulk.commit().await
}
