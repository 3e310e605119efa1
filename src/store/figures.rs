//! Figures for `status` and `report`: counts over the ledger, each by one query.

use super::runs::Run;
use super::{Result, Store};
use crate::domain::delivery::{DeliveryState, RunId, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// A number of deliveries of one run that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryCount {
    /// Of which run.
    pub run: RunId,
    /// Their version, where one matched.
    pub version: Option<String>,
    /// Their state.
    pub state: DeliveryState,
    /// The word of the `SkipReason` or `RefusalReason`.
    pub reason: Option<String>,
    /// How many.
    pub count: u64,
}

/// Rows of one run that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The run.
    pub run: RunId,
    /// What for; `None`: only for their turn.
    pub wait: Option<WaitReason>,
    /// How many.
    pub count: u64,
    /// The earliest next try.
    pub next_try: Timestamp,
    /// What the server said to one of them.
    pub last_reply: Option<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Contacts.
    pub contacts: u64,
    /// Events in the log.
    pub events: u64,
    /// Runs.
    pub runs: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Suppressed addresses.
    pub suppressions: u64,
}

/// A run with its counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFigures {
    /// The run.
    pub run: Run,
    /// By version, state and reason, in this order of words.
    pub deliveries: Vec<DeliveryCount>,
}

/// The runs of a campaign (or of all) by campaign and due instant, with their counts.
pub async fn runs(store: &Store, campaign: Option<&CampaignName>) -> Result<Vec<RunFigures>> {
    todo!()
}

/// What waits in open runs, and for what.
pub async fn waiting(store: &Store) -> Result<Vec<Waiting>> {
    todo!()
}

/// How much there is.
pub async fn totals(store: &Store) -> Result<Totals> {
    todo!()
}
