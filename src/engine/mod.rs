//! Ticks to runs, runs to deliveries, deliveries through `render` and `send`; on any clock.
//!
//! ```text
//! tick(now)   dead senders' rows → due times → runs → recipients fixed → segments refreshed → finished
//! lanes       claim → ask again → render → MAIL RCPT DATA → note `transmitting` → body → settle
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `parts` | what an engine is made of |
//! | `occurrence` `gates` `pause` | the rules, pure: due times, who is mailed, how long to wait |
//! | `tick` `fix` | one look at the clock: what is due becomes rows |
//! | `claim` `lane` `ledger` | rows become mails; every step stands in the store first |
//! | `daemon` | all of it by the clock until it is told to stop |
//!
//! The daemon calls [`Engine::run`]. A demo or a test holds the clock itself: [`Engine::tick`],
//! [`Engine::drain`], set the clock to the wake that `tick` told, again.
//!
//! **A campaign whose declaration vanishes** while rows of it are open keeps them: they wait with
//! the reason `undeclared`, which `status` shows, until the declaration is back or the run is
//! cancelled. A file that was moved by mistake must not cost anybody a mail, and must not be a
//! silent loss.
#![allow(
    dead_code,
    unused_variables,
    clippy::unused_async,
    clippy::todo,
    clippy::needless_pass_by_value,
    reason = "signatures first; the bodies follow"
)]

mod error;
mod gates;
mod occurrence;
mod parts;
mod pause;

use crate::clock::Clock;
use crate::domain::delivery::RunId;
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

pub use error::EngineError;
pub use parts::{Declared, EngineParts, EngineSettings};

/// A sender with a schedule: one incarnation. On `SQLite` there is one at a time; on `PostgreSQL`
/// several share the work, and one of them leads: it alone makes runs.
#[derive(Debug)]
pub struct Engine {}

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
        todo!()
    }

    /// From now on these declarations hold. Mails that are being handed over are not touched.
    pub fn replace_declared(&self, declared: Declared) {
        todo!()
    }

    /// Notes a run of a campaign that is due now, whatever its schedule says; the next [`tick`](Self::tick)
    /// fixes its recipients by the same rules. [`request_run`] does it without an engine.
    pub async fn request_run(&self, campaign: &CampaignName, now: Timestamp) -> Result<RunId, EngineError> {
        todo!()
    }

    /// One look at the clock: makes what is due, fixes recipients, refreshes segments, finishes runs.
    /// Sends nothing.
    pub async fn tick(&self, now: Timestamp) -> Result<Tick, EngineError> {
        todo!()
    }

    /// Hands over everything that may be handed over at `now`, and settles it.
    pub async fn drain(&self, now: Timestamp) -> Result<Drained, EngineError> {
        todo!()
    }

    /// Runs one run by hand (`campaignd send` without a daemon): fixes its recipients and hands over
    /// what may be handed over, of this run alone. The run may be left held, or with rows that wait.
    pub async fn send_run(&self, run: RunId, clock: &Clock) -> Result<Drained, EngineError> {
        todo!()
    }

    /// The daemon: ticks and sends by the clock until `shutdown`, then stops clean: nothing new is
    /// claimed, mails that are being handed over come to their end, the rest is given back. Failures
    /// of the store are waited out.
    pub async fn run(self, clock: Clock, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
        todo!()
    }

    /// Gives claimed rows back and the lock of the sender free; for those who do not call [`run`](Self::run).
    pub async fn stop(self, now: Timestamp) -> Result<(), EngineError> {
        todo!()
    }
}

/// Notes a run of a campaign that is due now; the daemon that works on this database takes it up.
pub async fn request_run(
    store: &crate::store::Store,
    catalogue: &crate::domain::catalogue::Catalogue,
    campaign: &CampaignName,
    now: Timestamp,
) -> Result<RunId, EngineError> {
    todo!()
}
