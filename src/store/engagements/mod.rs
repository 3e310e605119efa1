//! What was read from hits: one row for a mail that was opened, one for each of its links that was followed,
//! and the events that say so.
//!
//! Several daemons, and `campaignd reclassify`, may read at the same time: whoever reads a mail holds the
//! lock of the event log from looking at its hits until their reading is written.

mod load;
mod take_in;
mod write;

pub use take_in::{TakenIn, take_in};

use super::bulk::{Bulk, Counter};
use super::statement::{query_column, query_value, values};
use super::{Result, Store, uncertain};
use crate::domain::campaign::Tracking;
use crate::domain::consent::ConsentState;
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryId, Evidence, RunId};
use crate::domain::engagement::{EngagementKind, Hit, Reading};
use crate::domain::time::Timestamp;

/// The mail that hits are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedMail {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its run.
    pub run: RunId,
    /// The run's campaign.
    pub campaign: String,
    /// Whose it is; `None`: the person was erased.
    pub contact: Option<ContactId>,
    /// The label of its version.
    pub version: Option<String>,
    /// Whether it is being handed over just now: what its hits mean is not known yet.
    pub is_in_transit: bool,
    /// When it was handed over, if that is known.
    pub accepted_at: Option<Timestamp>,
    /// How it was tracked when it was handed over; `None`: not known.
    pub tracking: Option<Tracking>,
    /// Whether its contact agrees to tracking now.
    pub consent: ConsentState,
}

/// One mail with the hits of it that are looked at together.
#[derive(Debug, Clone, PartialEq)]
pub struct MailHits {
    /// The mail.
    pub mail: TrackedMail,
    /// The hits, by time.
    pub hits: Vec<KeptHit>,
    /// How they were read before.
    pub known: Vec<Known>,
}

/// A hit of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptHit {
    /// Its file and place: its key.
    pub key: (i64, i64),
    /// The hit.
    pub hit: Hit,
    /// How it was read before; `None`: not yet.
    pub reading: Option<Reading>,
}

/// What is read of a mail or of one of its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engagement {
    /// Opened or clicked.
    pub kind: EngagementKind,
    /// The number of the link; 0 for an open.
    pub link: i64,
    /// When the hit came that decides.
    pub at: Timestamp,
    /// How it is read.
    pub reading: Reading,
}

impl Engagement {
    /// Whether both are about the same: the mail, or one link of it.
    pub fn is_about(&self, other: &Self) -> bool {
        (self.kind, self.link) == (other.kind, other.link)
    }
}

/// What was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What.
    pub engagement: Engagement,
    /// The number of its event; `None`: nobody's.
    pub event: Option<i64>,
}

/// What a reading of a mail's hits changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled<'m> {
    /// The mail and its hits.
    pub of: &'m MailHits,
    /// Hits that are read otherwise than before, or for the first time.
    pub hits: Vec<((i64, i64), Reading)>,
    /// Engagements that are new or have changed.
    pub engagements: Vec<Changed>,
}

/// An engagement that is new or has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// What it is now.
    pub engagement: Engagement,
    /// The number of the event that said what it was before.
    pub event_before: Option<i64>,
}

/// So many hits of one mail are looked at together; the rest is evidence only. People make a few, programs
/// that went mad make millions.
pub const HITS_AT_ONCE: i64 = 1_000;

/// Deliveries with hits that were not read yet, in order; those that are being handed over wait.
pub async fn unread(store: &Store, limit: u32) -> Result<Vec<DeliveryId>> {
    let text = "SELECT DISTINCT h.delivery FROM hits h JOIN deliveries d ON d.id = h.delivery
        WHERE h.agent IS NULL AND d.state NOT IN ('claimed', 'transmitting') ORDER BY h.delivery LIMIT $1";
    let operation = "look for hits that were not read";
    let found: Vec<i64> = query_column(&store.database, operation, text, values![i64::from(limit)]).await?;
    Ok(found.into_iter().map(DeliveryId).collect())
}

/// Deliveries with hits, in order, behind one.
pub async fn with_hits(store: &Store, after: Option<DeliveryId>, limit: u32) -> Result<Vec<DeliveryId>> {
    let text = "SELECT DISTINCT delivery FROM hits WHERE delivery > $1 ORDER BY delivery LIMIT $2";
    let after = after.map_or(i64::MIN, |delivery| delivery.0);
    let operation = "list deliveries with hits";
    let found: Vec<i64> =
        query_column(&store.database, operation, text, values![after, i64::from(limit)]).await?;
    Ok(found.into_iter().map(DeliveryId).collect())
}

/// Until when hits were purged: what was read from them cannot be read again.
pub async fn purged_until(store: &Store) -> Result<Timestamp> {
    let text = "SELECT value FROM counters WHERE name = 'hits_purged_until'";
    let until = query_value(&store.database, "look up which hits were purged", text, vec![]).await?;
    Ok(Timestamp::from_micros(until))
}

/// Reads these deliveries with their first [`HITS_AT_ONCE`] hits and writes what `read` makes of them, in
/// one transaction; a hit says that an uncertain mail was accepted, and how many were is given. `edition` is that of the rules. Hits beyond the first of a mail count as read.
pub async fn settle(
    store: &Store,
    deliveries: &[DeliveryId],
    edition: i64,
    now: Timestamp,
    read: impl FnOnce(&[MailHits]) -> Vec<Settled<'_>>,
) -> Result<u64> {
    let mut bulk = Bulk::begin(store, "write what hits mean").await?;
    bulk.last(Counter::Event).await?;
    let mails = load::tracked(&mut bulk, deliveries).await?;
    let mails = load::with_hits(&mut bulk, mails).await?;
    let settled = read(&mails);
    write::settled(&mut bulk, &settled, |_| true, edition, now).await?;
    let confirmed = uncertain::confirm(&mut bulk, &evidence(&mails)).await?;
    bulk.commit().await?;
    Ok(confirmed)
}

/// Whoever has an address that is signed for one mail has that mail: a person, or a machine before them.
fn evidence(mails: &[MailHits]) -> Vec<(DeliveryId, Evidence)> {
    let with_hits = mails.iter().filter(|mail| !mail.hits.is_empty());
    with_hits
        .map(|MailHits { mail, hits, .. }| {
            let clicked = hits.iter().any(|kept| kept.hit.kind == EngagementKind::Clicked);
            (mail.delivery, if clicked { Evidence::Clicked } else { Evidence::Opened })
        })
        .collect()
}
