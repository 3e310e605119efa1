//! All of it by the clock: ticks, lanes and signs of life, until it is told to stop.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::claim::LEASE;
use super::core::{Core, HEARTBEAT, Memory};
use super::error::EngineError;
use super::slot::LaneSlot;
use super::tally::Tally;
use super::when_idle::WhenIdle;
use super::{Drained, Engine};
use crate::clock::Clock;
use crate::domain::delivery::RunId;
use crate::domain::time::Timestamp;
use crate::store::deliveries;

/// Between two looks at the clock and at what people asked for by hand, at most.
const LOOK: Duration = Duration::from_secs(1);

/// Between two tries to come back after the lock was lost, at most.
const LONGEST_RESTART_PAUSE: Duration = Duration::from_secs(30);

/// How long the store may take to note a sign of life.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between a sign of life that was not noted and the next.
const BETWEEN_TRIES: Duration = Duration::from_secs(3);

/// So long before others may take its mails a daemon lets nothing out any more: a look at the clock and the write that
/// follows take no longer.
const MARGIN: Duration = Duration::from_secs(10);

/// Why an incarnation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    ToldToStop,
    LockLost,
}

impl Engine {
    /// The daemon: ticks and sends by the clock until `shutdown`, then stops clean: nothing new is
    /// claimed, mails that are being handed over come to their end, the rest is given back. Failures of
    /// the store are waited out; when another daemon took this one for dead, it begins anew.
    pub async fn run(self, clock: Clock, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
        let mut shutdown = pin!(shutdown);
        let mut core = self.core;
        loop {
            let ended = serve(&core, &clock, shutdown.as_mut()).await;
            if ended == Ended::ToldToStop {
                return end(core, clock.now()).await;
            }
            tracing::error!("this daemon's lock on the database was lost: it begins anew");
            let Some(next) = restart(&core, &clock, shutdown.as_mut()).await else { return Ok(()) };
            core = Arc::new(next);
        }
    }
}

/// Gives the sender's lock free.
pub(super) async fn end(core: Arc<Core>, now: Timestamp) -> Result<(), EngineError> {
    match Arc::try_unwrap(core) {
        Ok(core) => core.end(now).await,
        // Some task holds on: the lock is free when the process ends, and the rows are found then.
        Err(_) => Ok(()),
    }
}

/// A new incarnation with the memory of the old one; `None`: told to stop before it came to be.
async fn restart(
    core: &Core,
    clock: &Clock,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Option<Core> {
    let mut pause = LOOK;
    loop {
        let memory = std::mem::replace(&mut *core.memory(), Memory::new(clock.now()));
        let kept = memory.clone();
        let (store, transport) = (core.store.clone(), core.transport.clone());
        let (settings, declarations) = (core.settings.clone(), core.declarations.clone());
        match Core::start(store, transport, settings, declarations, memory, clock.now()).await {
            Ok(core) => return Some(core),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    retry.seconds = pause.as_secs(),
                    "this daemon cannot begin anew yet"
                );
                *core.memory() = kept;
            }
        }
        tokio::select! {
            () = shutdown.as_mut() => return None,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_RESTART_PAUSE),
        }
    }
}

/// One incarnation's life.
async fn serve(core: &Arc<Core>, clock: &Clock, mut shutdown: Pin<&mut impl Future<Output = ()>>) -> Ended {
    let (stop, told_to_stop) = watch::channel(false);
    let when_idle = WhenIdle::Wait(told_to_stop);
    let tally = Arc::default();
    let mut lanes = start_lanes(core, None, clock, &when_idle, &tally).await;
    let mut signs = JoinSet::new();
    signs.spawn(signs_of_life(Arc::clone(core), clock.clone()));
    let mut looks = Box::pin(look_at_the_clock(core, clock));
    let ended = loop {
        let lane = tokio::select! {
            () = shutdown.as_mut() => break Ended::ToldToStop,
            // It ends when the lock is lost.
            _ = signs.join_next() => break Ended::LockLost,
            Some(ended) = lanes.join_next() => match ended {
                Ok((lane, _)) => lane,
                Err(error) => in_place_of_a_broken_one(core, &error, clock.now()).await,
            },
            never = looks.as_mut() => match never {},
        };
        put_to_work(&mut lanes, lane, core, None, clock, &when_idle, &tally);
    };
    // A look that is in the middle of a transaction, and that nobody goes on with, would hold up the notes of how mails
    // ended.
    drop(looks);
    if ended == Ended::LockLost {
        // Others take over what is in hand: nothing of it goes out any more.
        core.lease.hold_until(Instant::now());
    }

    tracing::info!("no more deliveries are taken in hand; those that are being handed over are finished");
    // Lanes that ended already need not be told.
    let _ = stop.send(true);
    let finished = tokio::time::timeout(core.settings.stop_within, async {
        let mut slots = Vec::new();
        while let Some(slot) = lanes.join_next().await {
            slots.extend(slot.ok().map(|(slot, _)| slot));
        }
        core.give_back(None, None, clock.now(), clock.now()).await;
        core.ledger.flush(clock.now()).await;
        if let Err(error) = core.finish(clock.now()).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the next start looks for finished runs"
            );
        }
        // Good manners come last: a server that does not answer them costs nobody's outcome.
        close(slots).await;
    });
    if finished.await.is_err() {
        tracing::warn!(
            waited.seconds = core.settings.stop_within.as_secs(),
            "not all mails that were being handed over came to their end: the next start finds their deliveries"
        );
        lanes.shutdown().await;
    }
    signs.shutdown().await;
    ended
}

/// Says goodbye on all connections at once.
pub(super) async fn close(slots: Vec<LaneSlot>) {
    let closing: JoinSet<()> = slots.into_iter().map(LaneSlot::close).collect();
    closing.join_all().await;
}

type Lanes = JoinSet<(LaneSlot, Result<(), EngineError>)>;

/// Puts all lanes to work, each as a task of its own.
async fn start_lanes(
    core: &Arc<Core>,
    only: Option<RunId>,
    clock: &Clock,
    when_idle: &WhenIdle,
    tally: &Arc<Tally>,
) -> Lanes {
    core.claims.look_again();
    let mut lanes = JoinSet::new();
    for slot in core.lanes.lock().await.drain(..) {
        put_to_work(&mut lanes, slot, core, only, clock, when_idle, tally);
    }
    lanes
}

fn put_to_work(
    lanes: &mut Lanes,
    mut slot: LaneSlot,
    core: &Arc<Core>,
    only: Option<RunId>,
    clock: &Clock,
    when_idle: &WhenIdle,
    tally: &Arc<Tally>,
) {
    let (core, clock, tally) = (Arc::clone(core), clock.clone(), Arc::clone(tally));
    let when_idle = when_idle.clone();
    lanes.spawn(async move {
        let result = core.work(&mut slot, only, &clock, when_idle, &tally).await;
        (slot, result)
    });
}

/// A lane breaks by a mistake of ours. Its mail is taken back, all others go on, and so does it with a new connection.
async fn in_place_of_a_broken_one(core: &Core, error: &JoinError, now: Timestamp) -> LaneSlot {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a lane broke: please report this; its delivery is taken back, and a new lane goes on"
    );
    if let Err(error) = core.take_back_what_was_lost(now).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the delivery of a lane that broke could not be taken back; tried again"
        );
    }
    core.new_lane()
}

/// Hands over everything that may be handed over now (of one run, if it is given), and settles it. Told
/// to stop, it takes no more in hand and gives back what is not being handed over.
pub(super) async fn drain(
    core: &Arc<Core>,
    only: Option<RunId>,
    clock: &Clock,
    stop: watch::Receiver<bool>,
) -> Result<Drained, EngineError> {
    let tally = Arc::default();
    let mut lanes = start_lanes(core, only, clock, &WhenIdle::End(stop), &tally).await;
    let mut result = Ok(());
    let mut slots = Vec::new();
    while let Some(ended) = lanes.join_next().await {
        match ended {
            Ok((slot, ended)) => {
                result = result.and(ended);
                slots.push(slot);
            }
            Err(error) => {
                slots.push(in_place_of_a_broken_one(core, &error, clock.now()).await);
                result = result.and(Err(EngineError::LaneFailed { source: error }));
            }
        }
    }
    // Rows that no lane took: all servers failed.
    let failed = slots.iter().find(|slot| slot.resume_at().is_some());
    let not_before = failed.and_then(LaneSlot::resume_at).unwrap_or_else(|| clock.now());
    let wait = failed.map(|_| crate::domain::delivery::WaitReason::Server);
    let reply = failed.and_then(LaneSlot::last_failure);
    tally.waiting(core.give_back(wait, reply, not_before, clock.now()).await);
    core.ledger.flush(clock.now()).await;
    core.lanes.lock().await.extend(slots);
    result.map(|()| tally.totals())
}

/// Ticks, again and again.
async fn look_at_the_clock(core: &Core, clock: &Clock) -> std::convert::Infallible {
    let mut failing = false;
    loop {
        let mut pause = LOOK;
        // Before the tick: a machine that slept is to notice that before it looks for what is due.
        core.memory().beat(clock.now());
        match core.tick(clock.now()).await {
            Ok(tick) => {
                if std::mem::take(&mut failing) {
                    tracing::info!("the store answers again");
                }
                core.claims.look_again();
                let until_wake = tick.next_wake.map(|wake| wake.since(clock.now()));
                pause = until_wake.filter(|wait| !wait.is_zero()).map_or(LOOK, |wait| wait.min(LOOK));
            }
            Err(error) if failing => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a look at the clock failed again");
            }
            Err(error) => {
                failing = true;
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a look at the clock failed; it is tried again each second"
                );
            }
        }
        tokio::time::sleep(pause).await;
    }
}

/// Renews leases until the lock is lost. Whoever cannot renew its own lets nothing out before others may take its mails:
/// what it has in hand goes out when it can again, unless somebody took it.
pub(super) async fn signs_of_life(core: Arc<Core>, clock: Clock) {
    loop {
        let asked_at = Instant::now();
        core.memory().beat(clock.now());
        if !core.incarnation.is_alive().await {
            return;
        }
        let renewal = deliveries::renew(&core.store, core.incarnation.id(), LEASE, clock.now());
        let pause = match tokio::time::timeout(PATIENCE, renewal).await {
            Ok(Ok(true)) => {
                if core.store.is_shared() {
                    core.lease.hold_until(asked_at + LEASE.saturating_sub(MARGIN));
                }
                HEARTBEAT
            }
            Ok(Ok(false)) => return,
            Ok(Err(error)) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "this daemon could not give a sign of life; nothing is handed over without the store"
                );
                BETWEEN_TRIES
            }
            Err(_) => {
                let waited = format!("it did not answer within {} seconds", PATIENCE.as_secs());
                core.store.note_writing(clock.now(), Err(waited));
                tracing::error!(
                    waited.seconds = PATIENCE.as_secs(),
                    "this daemon could not give a sign of life: the store does not answer"
                );
                BETWEEN_TRIES
            }
        };
        if core.incarnation.leads()
            && let Err(error) = core.incarnation.lead().await
        {
            tracing::error!(error = &error as &dyn std::error::Error, "this daemon could not keep the lead");
        }
        tokio::time::sleep(pause).await;
    }
}
