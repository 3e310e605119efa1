//! From the spool to the database: hits become evidence, or counts where nobody may be named.
//!
//! What is true now decides, not what was true when the mail left: whoever withdrew their consent to
//! tracking, or was erased, leaves no trace by mails they had before.

use std::collections::HashMap;

use chrono::Datelike as _;

use super::reading::{Read, readings, record_confirmed};
use super::rules;
use super::spool::{Spool, SpoolError, SpoolFile, Spooled};
use crate::domain::campaign::Tracking;
use crate::domain::consent::ConsentState;
use crate::domain::delivery::{DeliveryId, RunId};
use crate::domain::engagement::{Hit, HitSubject};
use crate::domain::time::{Timestamp, Zone};
use crate::store::engagements::{self, TakenIn, TrackedMail};
use crate::store::hits::{self, Count, FilePart, Sorted};
use crate::store::{Store, StoreError};

/// Hits that become rows in one transaction.
const AT_ONCE: usize = 4_000;

/// The installation's choices that concern what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackSettings {
    /// The most that is recorded.
    pub ceiling: Tracking,
    /// Whether an unknown consent to tracking counts as yes.
    pub unknown_is_yes: bool,
    /// The zone of the days by which hits are counted that name nobody.
    pub time_zone: Zone,
}

/// What became of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Kept as evidence.
    pub kept: u64,
    /// Counted only.
    pub counted: u64,
    /// Of mails that do not exist, or of persons who do not agree.
    pub dropped: u64,
}

impl Drained {
    fn add(&mut self, other: Self) {
        self.kept += other.kept;
        self.counted += other.counted;
        self.dropped += other.dropped;
    }
}

/// Why hits stay in the spool for now. They are tried again.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A task panicked.
    #[error("cannot read the spool")]
    Task(#[from] tokio::task::JoinError),
}

/// Reads all that waits in the spool, writes it to the database, and removes its files. What was read is added to
/// `read`.
pub(super) async fn drain(
    store: &Store,
    spool: &Spool,
    settings: TrackSettings,
    now: Timestamp,
    read: &mut Read,
) -> Result<Drained, TrackError> {
    let mut drained = Drained::default();
    let taken = spool.clone();
    let mut failure = None;
    for file in tokio::task::spawn_blocking(move || taken.take()).await?? {
        match drain_file(store, file, settings, now, &mut drained, read).await {
            Ok(()) => {}
            // One file that cannot be read does not stop the others; a store that is away does.
            Err(error @ TrackError::Spool(_)) => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    failure.map_or(Ok(drained), Err)
}

async fn drain_file(
    store: &Store,
    mut file: SpoolFile,
    settings: TrackSettings,
    now: Timestamp,
    drained: &mut Drained,
    read: &mut Read,
) -> Result<(), TrackError> {
    let mut damaged = 0;
    let purged_until = engagements::purged_until(store).await?;
    let mut from = hits::drained(store, file.number()).await?;
    loop {
        let batch = tokio::task::spawn_blocking(move || {
            let batch = file.read(from as u64, AT_ONCE);
            (file, batch)
        });
        let (same, batch) = batch.await?;
        file = same;
        let batch = batch?;
        damaged += batch.damaged;
        let part = FilePart { file: file.number(), from, until: batch.until as i64 };
        if part.until > from {
            let (mut drained_here, mut read_here) = (Drained::default(), Read::default());
            let deliveries = deliveries(&batch.hits);
            let sort = |mails: &_| sort(&batch.hits, mails, settings, &mut drained_here);
            let taken_in =
                engagements::take_in(store, part, &deliveries, rules::EDITION, now, sort, |mails| {
                    readings(mails, purged_until, &mut read_here)
                });
            let Some(TakenIn { confirmed }) = taken_in.await? else {
                // Another process had the file meanwhile: what it wrote counts.
                from = hits::drained(store, file.number()).await?;
                continue;
            };
            drained.add(drained_here);
            read.add(read_here);
            record_confirmed(store, confirmed, now).await?;
        }
        from = part.until;
        if batch.is_last {
            break;
        }
    }
    if file.is_left() {
        tracing::info!(file = file.number(), "hits that a process left behind were taken from the spool");
    }
    Ok(tokio::task::spawn_blocking(move || file.finish(damaged)).await??)
}

fn deliveries(hits: &[Spooled]) -> Vec<DeliveryId> {
    let mut deliveries: Vec<DeliveryId> = hits
        .iter()
        .filter_map(|spooled| match spooled.hit.subject {
            HitSubject::Delivery(delivery) => Some(delivery),
            HitSubject::Run(_) => None,
        })
        .collect();
    deliveries.sort_unstable();
    deliveries.dedup();
    deliveries
}

/// What becomes of the hits of a batch.
fn sort<'h>(
    hits: &'h [Spooled],
    mails: &HashMap<DeliveryId, TrackedMail>,
    settings: TrackSettings,
    drained: &mut Drained,
) -> Sorted<'h> {
    let mut sorted = Sorted::default();
    for Spooled { place, hit, .. } in hits {
        match fate(hit, mails, settings) {
            Fate::Kept(delivery) => {
                drained.kept += 1;
                sorted.kept.push((*place, delivery, hit));
            }
            Fate::Counted(run) => {
                drained.counted += 1;
                *sorted.counted.entry(count(run, hit, settings.time_zone)).or_default() += 1;
            }
            Fate::Dropped => drained.dropped += 1,
        }
    }
    sorted
}

/// What becomes of a hit.
enum Fate {
    Kept(DeliveryId),
    Counted(RunId),
    Dropped,
}

fn fate(hit: &Hit, mails: &HashMap<DeliveryId, TrackedMail>, settings: TrackSettings) -> Fate {
    let (mail, allowed, run) = match hit.subject {
        HitSubject::Run(run) => (None, settings.ceiling.min(Tracking::Aggregate), run),
        HitSubject::Delivery(delivery) => {
            // Of an erased person nothing is kept.
            let Some(mail) = mails.get(&delivery).filter(|mail| mail.contact.is_some()) else {
                return Fate::Dropped;
            };
            let agrees = match mail.consent {
                ConsentState::Yes => true,
                ConsentState::No => false,
                ConsentState::Unknown => settings.unknown_is_yes,
            };
            let as_sent = mail.tracking.unwrap_or(Tracking::Individual);
            let allowed = if agrees { settings.ceiling.min(as_sent) } else { Tracking::None };
            (Some(delivery), allowed, mail.run)
        }
    };
    match (allowed, mail) {
        (Tracking::None, _) => Fate::Dropped,
        (Tracking::Individual, Some(delivery)) => Fate::Kept(delivery),
        _ => Fate::Counted(run),
    }
}

/// A hit that names nobody is read alone.
fn count(run: RunId, hit: &Hit, time_zone: Zone) -> Count {
    let agent = rules::read_alone(hit).agent;
    // Days since 1970-01-01, of which the calendar's first day is 719,163 days before.
    let day = i64::from(hit.at.to_utc().with_timezone(&time_zone).date_naive().num_days_from_ce()) - 719_163;
    Count { run, kind: hit.kind, link: hit.link, day, agent }
}
