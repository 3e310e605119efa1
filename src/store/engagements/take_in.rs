//! Hits come in and are read in the same transaction: most are the first of their mail, and are written once.

use std::collections::HashMap;

use super::{HITS_AT_ONCE, KeptHit, MailHits, Settled, TrackedMail, evidence, load, write};
use crate::domain::delivery::DeliveryId;
use crate::domain::engagement::{Hit, Reading};
use crate::domain::time::Timestamp;
use crate::store::bulk::{Bulk, Counter};
use crate::store::hits::{self, FilePart, Sorted};
use crate::store::{Result, Store, uncertain};

/// What a part of a spool's file did beside its hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenIn {
    /// Uncertain mails that its hits show to be accepted.
    pub confirmed: u64,
}

/// Takes in a part of a file in one transaction: `sort` is told which mails its deliveries are, and says what becomes
/// of the hits; `read` says what those that are kept mean, by the rules of this `edition`. Hits of mails that are just
/// being handed over are kept unread. `None`: the database was elsewhere in the file, and is as it was.
pub async fn take_in<'h>(
    store: &Store,
    part: FilePart,
    deliveries: &[DeliveryId],
    edition: i64,
    now: Timestamp,
    sort: impl FnOnce(&HashMap<DeliveryId, TrackedMail>) -> Sorted<'h>,
    read: impl FnOnce(&[MailHits]) -> Vec<Settled<'_>>,
) -> Result<Option<TakenIn>> {
    let mut bulk = Bulk::begin(store, "write hits").await?;
    if !hits::note_drained(&mut bulk, part, now).await? {
        return Ok(None);
    }
    if !deliveries.is_empty() {
        bulk.last(Counter::Event).await?;
    }
    let mails = load::tracked(&mut bulk, deliveries).await?;
    let mut mails: HashMap<_, _> = mails.into_iter().map(|mail| (mail.delivery, mail)).collect();
    let Sorted { kept, counted } = sort(&mails);
    hits::add_counts(&mut bulk, &counted).await?;

    mails.retain(|_, mail| !mail.is_in_transit);
    let mails = with_hits(&mut bulk, mails, part.file, &kept).await?;
    let settled = read(&mails);
    let is_new = |(file, place): (i64, i64)| file == part.file && place >= part.from;
    let readings: HashMap<i64, Reading> = settled
        .iter()
        .flat_map(|settled| &settled.hits)
        .filter(|(key, _)| is_new(*key))
        .map(|((_, place), reading)| (*place, *reading))
        .collect();
    hits::keep(&mut bulk, part.file, &kept, |place| readings.get(&place).copied()).await?;
    write::settled(&mut bulk, &settled, |key| !is_new(key), edition, now).await?;
    let confirmed = uncertain::confirm(&mut bulk, &evidence(&mails)).await?;
    bulk.commit().await?;
    Ok(Some(TakenIn { confirmed }))
}

/// Mails that have new hits, with these and with their earlier ones.
async fn with_hits(
    bulk: &mut Bulk,
    mut mails: HashMap<DeliveryId, TrackedMail>,
    file: i64,
    kept: &[(i64, DeliveryId, &Hit)],
) -> Result<Vec<MailHits>> {
    let mut new: HashMap<DeliveryId, Vec<KeptHit>> = HashMap::new();
    for (place, delivery, hit) in kept {
        let hit = KeptHit { key: (file, *place), hit: (*hit).clone(), reading: None };
        new.entry(*delivery).or_default().push(hit);
    }
    let mut with_new: Vec<TrackedMail> = new.keys().filter_map(|delivery| mails.remove(delivery)).collect();
    with_new.sort_unstable_by_key(|mail| mail.delivery);
    let mut with_hits = load::with_hits(bulk, with_new).await?;
    for MailHits { mail, hits, .. } in &mut with_hits {
        hits.extend(new.remove(&mail.delivery).unwrap_or_default());
        hits.sort_by_key(|kept| (kept.hit.at, kept.key));
        hits.truncate(HITS_AT_ONCE as usize);
    }
    Ok(with_hits)
}
