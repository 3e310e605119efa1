//! Opens and clicks: from the spool to engagements while the daemon runs, purged after their retention, and
//! read anew by hand.

use std::error::Error;
use std::time::Duration;

use crate::domain::calendar::step_back;
use crate::domain::consent::ConsentState;
use crate::domain::time::Timestamp;
use crate::store::hits;
use crate::track::{self, Read, Spool, TrackSettings};

use super::{Failure, Installation};

pub use crate::track::rules::EDITION;

/// How often the spool is looked at: reports and segments are never further behind.
const EVERY: Duration = Duration::from_secs(1);
/// A second with more hits than this is a burst: readers are answered first, and it is taken in when it is
/// over.
const BURST: u64 = 5_000;
/// How long a burst waits for its end, at most.
const BURST_WAITS: Duration = Duration::from_secs(10);
/// How often old hits are looked for.
const PURGE_EVERY: Duration = Duration::from_hours(1);
/// Hits that are purged in one transaction.
const PURGE_AT_ONCE: u32 = 5_000;
/// For so long it is remembered how far a spool file that is gone was drained: somebody may put it back.
const REMEMBER_FILES: Duration = Duration::from_hours(24 * 7);

/// So long a clean stop takes in what is left, at most. The next start goes on where it ended.
const REST_WITHIN: Duration = Duration::from_secs(5);

/// What an installation wants to have recorded.
pub fn track_settings(installation: &Installation) -> TrackSettings {
    let settings = &installation.project.settings;
    TrackSettings {
        ceiling: settings.tracking,
        unknown_is_yes: settings.consent_unknown.tracking == ConsentState::Yes,
        time_zone: settings.time_zone,
    }
}

/// Takes hits in each second, and purges old ones.
pub(super) async fn keep_tracking(installation: Installation, spool: Spool) -> std::convert::Infallible {
    let mut failing = false;
    let mut purge_at = installation.clock.now();
    let mut written = spool.written();
    let mut waits_since = None;
    loop {
        let now = installation.clock.now();
        let is_burst = spool.written() - written > BURST;
        written = spool.written();
        if is_burst && now < waits_since.get_or_insert(now).plus(BURST_WAITS) {
            tokio::time::sleep(EVERY).await;
            continue;
        }
        waits_since = None;
        take_in(&installation, &spool, &mut failing).await;
        if now >= purge_at && !failing {
            match purge(&installation, now).await {
                Ok(more) => purge_at = if more { now } else { now.plus(PURGE_EVERY) },
                Err(error) => {
                    purge_at = now.plus(PURGE_EVERY);
                    tracing::error!(error = &error as &dyn Error, "old hits could not be purged");
                }
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Takes in what is left when the last answer was given, as far as a clean stop can wait for it.
pub(super) async fn take_in_the_rest(installation: &Installation, spool: &Spool) {
    // Cut off, at most a transaction is undone: its hits are where they were.
    if tokio::time::timeout(REST_WITHIN, take_in(installation, spool, &mut false)).await.is_err() {
        tracing::info!("not all opens and clicks are taken in yet: the next start goes on with them");
    }
}

async fn take_in(installation: &Installation, spool: &Spool, failing: &mut bool) {
    let settings = track_settings(installation);
    match track::take_in(&installation.store, spool, settings, installation.clock.now()).await {
        Ok(_) if std::mem::take(failing) => tracing::info!("opens and clicks are taken in again"),
        Ok(_) => {}
        Err(error) if *failing => {
            tracing::debug!(error = &error as &dyn Error, "opens and clicks could not be taken in again");
        }
        Err(error) => {
            *failing = true;
            tracing::error!(
                error = &error as &dyn Error,
                "opens and clicks wait in the spool; it is tried again"
            );
        }
    }
}

/// Purges some of the hits that are older than the settings say. Whether there may be more.
async fn purge(installation: &Installation, now: Timestamp) -> Result<bool, crate::store::StoreError> {
    let settings = &installation.project.settings;
    hits::forget_files(&installation.store, now.minus(REMEMBER_FILES)).await?;
    let Some(retention) = settings.retention_hits else { return Ok(false) };
    let before = step_back(now, retention, settings.time_zone);
    let purged = hits::purge(&installation.store, before, PURGE_AT_ONCE).await?;
    Ok(purged == u64::from(PURGE_AT_ONCE))
}

/// Applies the rules of this program to all hits that are kept. `progress` hears how many mails were read.
pub async fn reclassify(
    installation: &Installation,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Read, Failure> {
    track::reclassify(&installation.store, installation.clock.now(), progress)
        .await
        .map_err(|error| installation.failed(error))
}
