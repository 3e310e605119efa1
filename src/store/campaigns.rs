//! What the database remembers of campaigns between runs.

use super::{Result, Store};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// A campaign as the database knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownCampaign {
    /// Its name.
    pub name: CampaignName,
    /// When a daemon saw it first; due times of cron lines before it do not exist.
    pub activated_at: Timestamp,
    /// Due times up to this instant have their run (or were passed over).
    pub considered_until: Timestamp,
}

/// The campaign, activated `now` if it was never seen.
pub async fn activate(store: &Store, name: &CampaignName, now: Timestamp) -> Result<KnownCampaign> {
    todo!()
}

/// Notes that due times up to `until` are dealt with; never goes back.
pub async fn considered(store: &Store, name: &CampaignName, until: Timestamp) -> Result<()> {
    todo!()
}

/// All of them, by name.
pub async fn all(store: &Store) -> Result<Vec<KnownCampaign>> {
    todo!()
}
