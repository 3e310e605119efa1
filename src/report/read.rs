//! Reads the report out of the database.

use super::outcome::Report;
use crate::domain::name::CampaignName;
use crate::domain::time::Zone;
use crate::store::figures::{self, engagement};
use crate::store::{Result, Store};

/// What became of the deliveries of a campaign, or of all, and what came back. Days are those of
/// `time_zone`.
pub async fn read(store: &Store, campaign: Option<&CampaignName>, time_zone: Zone) -> Result<Report> {
    let runs = figures::runs(store, campaign).await?;
    let numbers: Vec<_> = runs.iter().map(|figures| figures.run.id).collect();
    let engagement = engagement::of_runs(store, &numbers).await?;
    Ok(Report::of(runs, engagement, time_zone))
}
