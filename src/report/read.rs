//! Reads the report out of the database.

use super::outcome::Report;
use super::spread::Declared;
use crate::domain::name::CampaignName;
use crate::domain::time::Zone;
use crate::store::figures::{self, engagement};
use crate::store::{Result, Store};

/// Which parts of a report are read, beside what became of the deliveries and what came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Everything.
    All,
    /// What is said of all campaigns together.
    Overview,
    /// What is said of a campaign.
    Campaigns,
}

/// What became of the deliveries of a campaign, or of all, and what came back. Days are those of
/// `time_zone`.
pub async fn read(store: &Store, campaign: Option<&CampaignName>, time_zone: Zone) -> Result<Report> {
    let runs = figures::runs(store, campaign).await?;
    let numbers: Vec<_> = runs.iter().map(|figures| figures.run.id).collect();
    let engagement = engagement::of_runs(store, &numbers).await?;
    Ok(Report::of(runs, engagement, time_zone))
}

/// The same, with what the declarations know: what campaigns are for, and levels of scores.
pub async fn read_declared(
    store: &Store,
    campaign: Option<&CampaignName>,
    declared: Declared<'_>,
    parts: Parts,
) -> Result<Report> {
    let mut report = read(store, campaign, declared.settings.time_zone).await?;
    report.describe(declared.catalogue);
    if parts != Parts::Overview {
        report.add_shifts(store, declared).await?;
    }
    if parts != Parts::Campaigns {
        report.add_history(store, declared).await?;
    }
    Ok(report)
}
