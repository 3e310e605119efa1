//! Runs: one occurrence of a campaign, from due to finished.

use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::delivery::{RunId, RunState, RunTrigger, SkipReason, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// Of which campaign.
    pub campaign: CampaignName,
    /// When it was due.
    pub due_at: Timestamp,
    /// Its state.
    pub state: RunState,
    /// What made it.
    pub trigger: RunTrigger,
    /// When it was noted.
    pub created_at: Timestamp,
    /// When its recipients were fixed.
    pub fixed_at: Option<Timestamp>,
    /// When it was finished, cancelled or missed.
    pub finished_at: Option<Timestamp>,
    /// For people: why it is held, missed or cancelled.
    pub note: Option<String>,
}

/// A run to be noted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Of which campaign.
    pub campaign: CampaignName,
    /// When it is due.
    pub due_at: Timestamp,
    /// `Due` or `Missed`.
    pub state: RunState,
    /// What made it.
    pub trigger: RunTrigger,
    /// For people.
    pub note: Option<String>,
}

/// One contact of a run's audience.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    /// Who.
    pub contact: ContactId,
    /// The folded address, where there is one.
    pub address: Option<String>,
    /// The label of the version, where one matches.
    pub version: Option<String>,
    /// What is to become of it.
    pub plan: RecipientPlan,
}

/// What is to become of a contact of the audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientPlan {
    /// A mail, not before this instant.
    Mail {
        /// Not before.
        not_before: Timestamp,
    },
    /// None.
    Skip(SkipReason),
}

/// A mail of this campaign that a contact had, or may still have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorMail {
    /// Who.
    pub contact: ContactId,
    /// The latest due instant of a row that counts as mailed.
    pub mailed_due_at: Option<Timestamp>,
    /// Whether a row of another run is planned or deferred.
    pub waits: bool,
}

/// Notes a run; one of the same campaign and due instant that is there already is left as it is.
/// Says whether it is new.
pub async fn create(store: &Store, run: &NewRun, now: Timestamp) -> Result<(Run, bool)> {
    todo!()
}

/// The run with this number.
pub async fn by_number(store: &Store, run: RunId) -> Result<Option<Run>> {
    todo!()
}

/// Runs in these states, by due instant and number.
pub async fn in_states(store: &Store, states: &[RunState]) -> Result<Vec<Run>> {
    todo!()
}

/// The latest runs of a campaign (or of all), latest due instant first.
pub async fn latest(store: &Store, campaign: Option<&CampaignName>, limit: u32) -> Result<Vec<Run>> {
    todo!()
}

/// Moves a run from due (or from a fixing that was interrupted, whose rows are removed) to fixing.
/// False: it is in another state.
pub async fn begin_fixing(store: &Store, run: RunId) -> Result<bool> {
    todo!()
}

/// Adds recipients to a run in fixing, in one transaction; thousands a call are best. Every contact
/// gets its row: one whose address is in the run already is skipped as already sent.
pub async fn add_recipients(
    store: &Store,
    run: RunId,
    recipients: &[Recipient],
    now: Timestamp,
) -> Result<()> {
    todo!()
}

/// Moves a run from fixing to `into`: sending, held or finished. False: it is in another state.
pub async fn complete_fixing(
    store: &Store,
    run: RunId,
    into: RunState,
    note: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    todo!()
}

/// What these contacts had of a campaign by runs other than `except`; those who had nothing are left
/// out. In the order of numbers.
pub async fn prior_mail(
    store: &Store,
    campaign: &CampaignName,
    except: RunId,
    contacts: &[ContactId],
) -> Result<Vec<PriorMail>> {
    todo!()
}

/// Held to sending. False: it is in another state.
pub async fn approve(store: &Store, run: RunId, now: Timestamp) -> Result<bool> {
    todo!()
}

/// Sending to paused. False: it is in another state.
pub async fn pause(store: &Store, run: RunId) -> Result<bool> {
    todo!()
}

/// Paused to sending. False: it is in another state.
pub async fn resume(store: &Store, run: RunId) -> Result<bool> {
    todo!()
}

/// Due, fixing, sending, held or paused to cancelled; what is not being handed over is skipped.
/// Says how many rows that were, `None` when the run is in another state.
pub async fn cancel(store: &Store, run: RunId, note: Option<&str>, now: Timestamp) -> Result<Option<u64>> {
    todo!()
}

/// Notes on all planned and deferred rows of a run what they wait for, to be shown.
pub async fn set_wait(store: &Store, run: RunId, wait: Option<WaitReason>) -> Result<()> {
    todo!()
}

/// Finishes runs in sending of which no row is open, and skips rows of cancelled runs that came
/// back from a sender. Gives the runs that it finished.
pub async fn finish_settled(store: &Store, now: Timestamp) -> Result<Vec<RunId>> {
    todo!()
}
