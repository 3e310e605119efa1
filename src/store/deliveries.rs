//! Deliveries: claims by a living sender, and what becomes of the rows of a dead one.

use std::time::Duration;

use super::{Result, Store};
use crate::domain::consent::Consent;
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryId, IncarnationId, RunId, SuppressionCause};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// A row that a sender works on, with what is asked again before it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// Its number.
    pub id: DeliveryId,
    /// Of which run.
    pub run: RunId,
    /// Of which campaign.
    pub campaign: CampaignName,
    /// When the run was due.
    pub due_at: Timestamp,
    /// Who.
    pub contact: ContactId,
    /// The address that was fixed, in lower case.
    pub address: String,
    /// The address as the contact gives it now.
    pub email: Option<String>,
    /// The label of its version.
    pub version: String,
    /// How many tries there were before.
    pub attempts: u32,
    /// When it was first claimed: the mail's `Date`, the same at every try.
    pub first_claimed_at: Timestamp,
    /// Whether it waited: it was deferred, or its `not_before` was after the run's due instant.
    pub waited: bool,
    /// Consent to marketing, as of now.
    pub marketing: Consent,
    /// Consent to tracking, as of now.
    pub tracking: Consent,
    /// A suppression of all mail to the address, the gravest.
    pub suppressed_all: Option<SuppressionCause>,
    /// A suppression of marketing mail (or of all) to the address, the gravest.
    pub suppressed_marketing: Option<SuppressionCause>,
}

/// What was found of dead senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Rows that were claimed: planned again.
    pub planned: u64,
    /// Rows that were being handed over: uncertain.
    pub uncertain: u64,
}

/// Claims up to `limit` rows of these runs, as far as they are in sending: run by run in the order that
/// is given, in each those that may be sent first first.
pub async fn claim(
    store: &Store,
    incarnation: IncarnationId,
    runs: &[RunId],
    limit: u32,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Claimed>> {
    todo!()
}

/// Prolongs the leases of a sender. False: it was taken for dead and must close its connections.
pub async fn renew(
    store: &Store,
    incarnation: IncarnationId,
    lease: Duration,
    now: Timestamp,
) -> Result<bool> {
    todo!()
}

/// Takes back the rows of senders that are dead: whose lock is free, or whose lease ran out before
/// `now`. `living` keeps its rows.
pub async fn recover(store: &Store, living: IncarnationId, now: Timestamp) -> Result<Recovered> {
    todo!()
}

/// The next instant at which a row of these runs may be claimed, as far as they are in sending; `None`
/// when there is none.
pub async fn next_not_before(store: &Store, runs: &[RunId]) -> Result<Option<Timestamp>> {
    todo!()
}

/// Writes an `email_sent` event for accepted rows that have none yet, at most `limit`; rows and
/// events in one transaction. Says how many; fewer than `limit` means that none is left.
pub async fn record_sent(store: &Store, limit: u32, now: Timestamp) -> Result<u64> {
    super::sent::record(store, limit, now).await
}
