//! Ticks to runs, runs to deliveries, deliveries through `render` and `send`; on any clock.
//!
//! ```text
//! tick(now)   dead senders' rows → due times → runs → recipients fixed → segments refreshed → finished
//! lanes       claim → ask again → render → MAIL RCPT DATA → note `transmitting` → body → settle
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `parts` `core` | what an engine is made of, and what its parts share |
//! | `gatekeeper` [`prospect`] | contacts before the gates: all of a run's audience, one to be explained |
//! | `occurrence` `gates` `pause` | the rules, pure: due times, who is mailed, how long to wait |
//! | `tick` `due` `fix` | one look at the clock: what is due becomes runs, runs become rows |
//! | `refresh` | when segments are evaluated, and contacts ranked |
//! | `names` | campaigns that are renamed, or vanish |
//! | `stop` | campaigns that stop by themselves |
//! | `providers` | to whom a mail may go now: who is slow or asks for less holds up nobody else |
//! | `claim` `queue` `give_back` `lane` `slot` `tally` `when_idle` `numbers` `ledger` | rows become mails; every step and every link stands in the store first |
//! | `daemon` | all of it by the clock until it is told to stop |
//!
//! The daemon calls [`Engine::run`]. A demo or a test holds the clock itself: [`Engine::tick`],
//! [`Engine::drain`], set the clock to the wake that `tick` told, again.
//!
//! **A campaign whose declaration vanishes** while rows of it are open keeps them: they wait with
//! the reason `undeclared`, which `status` shows, until the declaration is back or the run is
//! cancelled. A file that was moved by mistake must not cost anybody a mail, and must not be a
//! silent loss.

mod claim;
mod core;
mod daemon;
mod due;
mod error;
mod fix;
mod gatekeeper;
mod gates;
mod give_back;
mod lane;
mod ledger;
mod names;
mod numbers;
mod occurrence;
mod parts;
mod pause;
pub mod prospect;
mod providers;
mod queue;
mod refresh;
mod slot;
mod stop;
mod tally;
mod tick;
mod when_idle;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::{Clock, SetClock};
use crate::domain::catalogue::Catalogue;
use crate::domain::delivery::{RunId, RunState, RunTrigger};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;
use crate::store::Store;
use crate::store::runs::{self, NewRun};

use self::core::{Core, Memory};
use self::error::Doing as _;

pub use self::core::Declarations;
pub use error::EngineError;
pub use names::{Lookalike, lookalikes};
pub use parts::{Declared, EngineParts, EngineSettings};

/// A sender with a schedule: one incarnation. On `SQLite` there is one at a time; on `PostgreSQL`
/// several share the work, and one of them leads: it alone makes runs.
#[derive(Debug)]
pub struct Engine {
    core: Arc<Core>,
}

/// What one look at the clock did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tick {
    /// Runs that were made, those that are only noted as missed included.
    pub runs_made: Vec<RunId>,
    /// Runs that are held by `max_recipients` since this tick.
    pub runs_held: Vec<RunId>,
    /// Runs that this tick found finished.
    pub runs_finished: Vec<RunId>,
    /// Whether segments were evaluated anew.
    pub refreshed: bool,
    /// When there is something to do again, as far as is known: a due time, a row that may be tried
    /// again, a refresh. `None`: only when something comes from outside.
    pub next_wake: Option<Timestamp>,
}

/// What [`Engine::drain`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Messages that were taken.
    pub accepted: u64,
    /// Messages to be tried again later.
    pub deferred: u64,
    /// Messages that were refused for good, or given up.
    pub refused: u64,
    /// Messages of which nobody can know.
    pub uncertain: u64,
    /// Rows that were skipped when they were claimed.
    pub skipped: u64,
    /// Rows that went back because the server failed.
    pub waiting: u64,
}

impl Engine {
    /// Takes the lock of a sender and recovers the rows of dead ones. Sends nothing yet.
    pub async fn start(parts: EngineParts, now: Timestamp) -> Result<Self, EngineError> {
        let EngineParts { store, transport, declared, settings } = parts;
        let declarations = Declarations::new(declared);
        let memory = Memory::new(now);
        let core = Core::start(store, transport, settings, declarations, memory, now).await?;
        Ok(Self { core: Arc::new(core) })
    }

    /// What is declared, to be replaced when the files change; also while [`run`](Self::run) runs.
    pub fn declarations(&self) -> Declarations {
        self.core.declarations.clone()
    }

    /// One look at the clock: makes what is due, fixes recipients, refreshes segments, finishes runs.
    /// Sends nothing.
    pub async fn tick(&self, now: Timestamp) -> Result<Tick, EngineError> {
        self.core.tick(now).await
    }

    /// Hands over everything that may be handed over at `now`, and settles it.
    pub async fn drain(&self, now: Timestamp) -> Result<Drained, EngineError> {
        let (clock, _) = Clock::set_at(now);
        let (_nobody_tells, never) = watch::channel(false);
        daemon::drain(&self.core, None, &clock, never).await
    }

    /// Finishes runs without open rows; gives their numbers. A [`tick`](Self::tick) does it too.
    pub async fn finish(&self, now: Timestamp) -> Result<Vec<RunId>, EngineError> {
        self.core.finish(now).await
    }

    /// When there is something to do again, as far as is known: a due time, a row that may be tried
    /// again, a refresh. `None`: only when something comes from outside.
    pub async fn next_wake(&self, now: Timestamp) -> Result<Option<Timestamp>, EngineError> {
        self.core.next_wake(now).await
    }

    /// Lives on a set clock up to `end`: does all that is due, then sets the clock to the next thing to
    /// do. For demonstrations and tests; the same data give the same mails.
    pub async fn run_until(&self, clock: &SetClock, end: Timestamp) -> Result<Drained, EngineError> {
        let mut all = Drained::default();
        loop {
            let now = clock.now();
            self.tick(now).await?;
            let drained = self.drain(now).await?;
            all.add(drained);
            self.finish(now).await?;
            // At least a millisecond on: what waits for something from outside must not stop the clock.
            let soonest = now.plus(std::time::Duration::from_millis(1));
            match self.next_wake(now).await?.map(|wake| wake.max(soonest)) {
                Some(wake) if wake <= end => clock.set(wake),
                _ if now < end => clock.set(end),
                _ => return Ok(all),
            }
        }
    }

    /// Before a run by hand is noted, what a [`tick`](Self::tick) does first: what is kept under former
    /// names goes to the new ones, and the campaign is known from now on.
    pub async fn keep_names(&self, campaign: &CampaignName, now: Timestamp) -> Result<(), EngineError> {
        let edition = self.core.declarations.edition();
        let declared = self.core.declarations.current();
        self.core.keep_names(&declared, edition).await?;
        if let Some(campaign) = declared.catalogue.campaigns.get(campaign) {
            self.core.considered(campaign, now).await?;
        }
        self.core.note_likenesses(&declared, edition).await
    }

    /// Runs one run by hand (`campaignd send` where no daemon is): fixes its recipients and hands over
    /// what may be handed over, of this run alone, until `shutdown`. The run may be left held, or with rows
    /// that wait.
    pub async fn send_run(
        &self,
        run: RunId,
        clock: &Clock,
        shutdown: impl Future<Output = ()>,
    ) -> Result<Drained, EngineError> {
        let now = clock.now();
        let found = runs::by_number(&self.core.store, run).await.doing(|| format!("read run {}", run.0))?;
        if let Some(found) = found.filter(|run| matches!(run.state, RunState::Due | RunState::Fixing)) {
            let declared = self.core.declarations.current();
            let campaign = declared
                .catalogue
                .campaigns
                .get(&found.campaign)
                .ok_or_else(|| EngineError::UnknownCampaign(found.campaign.clone()))?;
            self.core.keep_ranks(&declared, self.core.declarations.edition(), now).await?;
            self.core.record_sent(now).await?;
            if campaign.keeps_audience() {
                self.core.refresh(&declared, self.core.declarations.edition(), now).await?;
            }
            self.core.fix(&found, &declared, campaign, now).await?;
        }
        let (stop, told_to_stop) = watch::channel(false);
        let mut signs = JoinSet::new();
        signs.spawn(daemon::signs_of_life(Arc::clone(&self.core), clock.clone()));
        let mut draining = std::pin::pin!(daemon::drain(&self.core, Some(run), clock, told_to_stop));
        let drained = tokio::select! {
            drained = &mut draining => drained,
            () = shutdown => {
                // Lanes that ended already need not be told.
                let _ = stop.send(true);
                draining.await
            }
        };
        signs.shutdown().await;
        let drained = drained?;
        self.core.finish(clock.now()).await?;
        Ok(drained)
    }

    /// Gives the lock of the sender free; for those who do not call [`run`](Self::run).
    pub async fn stop(self, now: Timestamp) -> Result<(), EngineError> {
        let lanes: Vec<_> = self.core.lanes.lock().await.drain(..).collect();
        daemon::close(lanes).await;
        daemon::end(self.core, now).await
    }
}

impl Drained {
    fn add(&mut self, more: Self) {
        self.accepted += more.accepted;
        self.deferred += more.deferred;
        self.refused += more.refused;
        self.uncertain += more.uncertain;
        self.skipped += more.skipped;
        self.waiting += more.waiting;
    }
}

/// Notes a run of a campaign that is due now, whatever its schedule says. The daemon that works on this
/// database takes it up by the same rules as any other; where none is, see [`Engine::send_run`].
pub async fn request_run(
    store: &Store,
    catalogue: &Catalogue,
    campaign: &CampaignName,
    now: Timestamp,
) -> Result<RunId, EngineError> {
    if !catalogue.campaigns.contains_key(campaign) {
        return Err(EngineError::UnknownCampaign(campaign.clone()));
    }
    let trigger = RunTrigger::Manual;
    let new = NewRun {
        campaign: campaign.clone(),
        due_at: now,
        zone: None,
        state: RunState::Due,
        trigger,
        note: None,
    };
    let (run, _) =
        runs::create(store, &new, now).await.doing(|| format!("note a run of campaign `{campaign}`"))?;
    Ok(run.id)
}
