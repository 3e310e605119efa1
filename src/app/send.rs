//! `campaignd send`: a run now, by the same rules as one of the schedule.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::audience::{self, Ranks};
use crate::domain::delivery::{RunId, RunState};
use crate::domain::time::Timestamp;
use crate::engine::{self, Engine};
use crate::store::figures::{self, RunFigures};
use crate::store::{incarnations, pauses, runs};

use super::daemon::start_engine;
use super::{Failure, Installation};

/// Who takes care of the run.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// A daemon runs on this database: it sends.
    ByDaemon(RunId),
    /// This process did; the run as it is now.
    Here(RunFigures),
}

/// How many contacts are in a campaign's audience now; some of them may be skipped.
pub async fn audience_size(installation: &Installation, campaign: &str) -> Result<u64, Failure> {
    let campaign = installation.campaign(campaign)?;
    audience::count_and_sample(
        &installation.store,
        &installation.project.catalogue,
        installation.project.evaluation_settings(),
        &campaign.audience,
        0,
        Ranks::Standing,
        installation.clock.now(),
    )
    .await
    .map(|counted| counted.members)
    .map_err(|error| installation.audience_failed(error))
}

/// Makes a run that is due now. A daemon that is running takes it up; without one this process sends
/// until the run is over or held, or `shutdown`: then what is not being handed over is left to a daemon.
/// `tell` hears when rows wait, until when, and what the server said last.
pub async fn send(
    installation: &Installation,
    campaign: &str,
    shutdown: impl Future<Output = ()> + Send,
    tell: &(dyn Fn(u64, Timestamp, Option<&str>) + Send + Sync),
) -> Result<Sent, Failure> {
    let campaign = installation.campaign(campaign)?;
    let store = &installation.store;
    let now = installation.clock.now();
    let paused = pauses::all(store).await.map_err(|error| installation.failed(error))?;
    // A pause under the former name is one of this campaign, whoever carries it over.
    let names = [Some(&campaign.name), campaign.renamed_from.as_ref()];
    if let Some(name) = names.into_iter().flatten().find(|name| paused.contains_key(*name)) {
        let hint = format!("`campaignd resume {name}` ends the pause");
        return Err(Failure::call_with_hint(format!("{name} is paused"), hint));
    }
    let campaign = &campaign.name;
    let failed = |error| installation.engine_failed(error);
    let daemon = incarnations::running(store, now).await.map_err(|error| installation.failed(error))?;
    // Without a daemon the lock comes first: whoever cannot send notes no run.
    let engine = if daemon.is_none() { Some(start_engine(installation).await?) } else { None };
    if let Some(engine) = &engine {
        engine.keep_names(campaign, now).await.map_err(failed)?;
    }
    let catalogue = &installation.project.catalogue;
    let run = engine::request_run(store, catalogue, campaign, now).await.map_err(failed)?;
    let Some(engine) = engine else { return Ok(Sent::ByDaemon(run)) };
    let sent = until_over(installation, &engine, run, shutdown, tell).await;
    engine.stop(installation.clock.now()).await.map_err(failed)?;
    sent?;
    let all = figures::runs(store, Some(campaign)).await.map_err(|error| installation.failed(error))?;
    let figures = all.into_iter().find(|figures| figures.run.id == run);
    figures.map(Sent::Here).ok_or_else(|| Failure::call(format!("run {} is gone", run.0)))
}

async fn until_over(
    installation: &Installation,
    engine: &Engine,
    run: RunId,
    shutdown: impl Future<Output = ()> + Send,
    tell: &(dyn Fn(u64, Timestamp, Option<&str>) + Send + Sync),
) -> Result<(), Failure> {
    let store = &installation.store;
    let shutdown = shutdown.shared();
    loop {
        engine
            .send_run(run, &installation.clock, shutdown.clone())
            .await
            .map_err(|error| installation.engine_failed(error))?;
        let failed = |error| installation.failed(error);
        let state = runs::by_number(store, run).await.map_err(failed)?.map(|run| run.state);
        let is_open = matches!(state, Some(RunState::Due | RunState::Fixing | RunState::Sending));
        if !is_open || shutdown.peek().is_some() {
            return Ok(());
        }
        let waiting = figures::waiting(store, installation.clock.now()).await.map_err(failed)?;
        let waiting = || waiting.iter().filter(|waiting| waiting.run == run);
        let now = installation.clock.now();
        let soon = now.plus(Duration::from_secs(1));
        let next = waiting().map(|waiting| waiting.next_try).min().unwrap_or(soon);
        let said = waiting().find_map(|waiting| waiting.last_reply.as_deref());
        tell(waiting().map(|waiting| waiting.count).sum(), next, said);
        // Not too long at once, so that a run that was cancelled elsewhere is noticed.
        let pause = next.since(now).clamp(Duration::from_millis(200), Duration::from_secs(10));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.clone() => {}
        }
    }
}
