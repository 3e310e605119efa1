//! From hits to engagements: what the rules say of a mail's hits becomes rows and events.
//!
//! A mail was opened by its first hit that is a person's; without one, by its first unknown; without one, by
//! its first machine. So each later hit may change the reading, and a newer edition of the rules may: then
//! row and event are written anew.

use std::collections::BTreeMap;

use super::rules::{self, Circumstances};
use crate::domain::delivery::DeliveryId;
use crate::domain::engagement::{EngagementKind, Hit, Reading};
use crate::domain::time::Timestamp;
use crate::store::engagements::{self, Changed, Engagement, MailHits, Settled};
use crate::store::{Result, Store, deliveries};

/// Mails that are read in one transaction.
const AT_ONCE: u32 = 1_000;

/// What a reading changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Read {
    /// Hits that were looked at.
    pub hits: u64,
    /// Hits that were read before, and otherwise.
    pub changed_hits: u64,
    /// Engagements that are new.
    pub new: u64,
    /// Engagements that were there, and are others now.
    pub changed: u64,
}

impl Read {
    pub(super) fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.changed_hits += other.changed_hits;
        self.new += other.new;
        self.changed += other.changed;
    }
}

/// Reads the hits that were not read when they came in: their mails were being handed over.
pub(super) async fn read_waiting(store: &Store, now: Timestamp, read: &mut Read) -> Result<()> {
    loop {
        let deliveries = engagements::unread(store, AT_ONCE).await?;
        if deliveries.is_empty() {
            return Ok(());
        }
        settle(store, &deliveries, now, read).await?;
    }
}

/// Applies the rules of this edition to all hits that are kept. `progress` hears how many mails were read.
pub async fn reclassify(
    store: &Store,
    now: Timestamp,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Read> {
    let mut read = Read::default();
    let (mut after, mut mails) = (None, 0);
    loop {
        let deliveries = engagements::with_hits(store, after, AT_ONCE).await?;
        let Some(last) = deliveries.last() else { return Ok(read) };
        after = Some(*last);
        settle(store, &deliveries, now, &mut read).await?;
        mails += deliveries.len() as u64;
        progress(mails);
    }
}

async fn settle(store: &Store, mails: &[DeliveryId], now: Timestamp, read: &mut Read) -> Result<()> {
    let purged_until = engagements::purged_until(store).await?;
    let confirmed =
        engagements::settle(store, mails, rules::EDITION, now, |mails| readings(mails, purged_until, read))
            .await?;
    record_confirmed(store, confirmed, now).await
}

/// Uncertain mails that were accepted after all get their events.
pub(super) async fn record_confirmed(store: &Store, confirmed: u64, now: Timestamp) -> Result<()> {
    if confirmed > 0 {
        tracing::info!(deliveries.confirmed = confirmed, "uncertain mails were accepted: somebody has them");
        deliveries::record_sent(store, now).await?;
    }
    Ok(())
}

/// What the rules change of mails; of which they change nothing are left out.
pub(super) fn readings<'m>(
    mails: &'m [MailHits],
    purged_until: Timestamp,
    read: &mut Read,
) -> Vec<Settled<'m>> {
    mails.iter().filter_map(|mail| reading(mail, purged_until, read)).collect()
}

/// What the rules change of a mail; `None`: nothing.
fn reading<'m>(mail: &'m MailHits, purged_until: Timestamp, read: &mut Read) -> Option<Settled<'m>> {
    let hits: Vec<Hit> = mail.hits.iter().map(|kept| kept.hit.clone()).collect();
    let mut readings = rules::read(&Circumstances { accepted_at: mail.mail.accepted_at }, &hits);
    for (kept, reading) in mail.hits.iter().zip(&mut readings) {
        // Of an erased person nothing is left to read from: the old reading stands.
        let request = &kept.hit.request;
        if let (None, None, Some(before)) = (&request.user_agent, &request.network, kept.reading) {
            *reading = before;
        }
    }
    read.hits += hits.len() as u64;
    let changed: Vec<_> = mail
        .hits
        .iter()
        .zip(&readings)
        .filter(|(kept, reading)| kept.reading != Some(**reading))
        .map(|(kept, reading)| {
            read.changed_hits += u64::from(kept.reading.is_some());
            (kept.key, *reading)
        })
        .collect();
    let mut engagements = Vec::new();
    for engagement in deciding(&hits, &readings) {
        let known = mail.known.iter().find(|known| known.engagement.is_about(&engagement));
        match known.map(|known| &known.engagement) {
            None => read.new += 1,
            Some(known) if *known == engagement || stands(known, &engagement, purged_until) => continue,
            Some(_) => read.changed += 1,
        }
        engagements.push(Changed { engagement, event_before: known.and_then(|known| known.event) });
    }
    let is_crowded = mail.hits.len() as i64 >= engagements::HITS_AT_ONCE;
    let is_nothing = changed.is_empty() && engagements.is_empty() && !is_crowded;
    (!is_nothing).then_some(Settled { of: mail, hits: changed, engagements })
}

/// Whether an older reading stays: its evidence was purged, and what is left says no more.
fn stands(known: &Engagement, now: &Engagement, purged_until: Timestamp) -> bool {
    known.at < purged_until && known.reading.agent.weight() >= now.reading.agent.weight()
}

/// The hits that decide, by kind and link.
fn deciding(hits: &[Hit], readings: &[Reading]) -> Vec<Engagement> {
    let mut best: BTreeMap<(EngagementKind, i64), Engagement> = BTreeMap::new();
    for (hit, reading) in hits.iter().zip(readings) {
        let engagement = Engagement { kind: hit.kind, link: hit.link, at: hit.at, reading: *reading };
        let entry = best.entry((hit.kind, hit.link)).or_insert(engagement);
        // Hits are in the order of their times: an earlier one of the same weight stays.
        if reading.agent.weight() > entry.reading.agent.weight() {
            *entry = engagement;
        }
    }
    best.into_values().collect()
}
