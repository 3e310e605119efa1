//! Campaigns that are paused: what is planned of them waits, and what comes due is not made up for. A
//! pause outlives the declaration: a file that was moved by mistake ends none.

use std::collections::BTreeMap;

use super::campaigns::campaign_name;
use super::error::failed;
use super::statement::{execute, query, values};
use super::{Result, Store};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// In a `WHERE` over `runs r`: the campaign is not paused.
pub(super) const NOT_PAUSED: &str =
    "NOT EXISTS (SELECT 1 FROM campaign_pauses p WHERE p.campaign = r.campaign)";

/// Pauses a campaign. False: it was paused already.
pub async fn pause(store: &Store, campaign: &CampaignName, now: Timestamp) -> Result<bool> {
    let operation = "pause a campaign";
    let insert =
        "INSERT INTO campaign_pauses (campaign, at) VALUES ($1, $2) ON CONFLICT (campaign) DO NOTHING";
    let transaction = store.begin_write(operation).await?;
    let is_new =
        execute(&*transaction, operation, insert, values![campaign.as_str(), now.micros()]).await? > 0;
    transaction.commit().await?;
    Ok(is_new)
}

/// Ends the pause of a campaign; its open runs ask their audience again. False: it was not paused.
pub async fn resume(store: &Store, campaign: &CampaignName, now: Timestamp) -> Result<bool> {
    let operation = "resume a campaign";
    let delete = "DELETE FROM campaign_pauses WHERE campaign = $1";
    let note = "UPDATE runs SET resumed_at = $2
        WHERE campaign = $1 AND state IN ('sending', 'held', 'paused')";
    let transaction = store.begin_write(operation).await?;
    let was_paused = execute(&*transaction, operation, delete, values![campaign.as_str()]).await? > 0;
    if was_paused {
        execute(&*transaction, operation, note, values![campaign.as_str(), now.micros()]).await?;
    }
    transaction.commit().await?;
    Ok(was_paused)
}

/// All pauses: since when, by campaign.
pub async fn all(store: &Store) -> Result<BTreeMap<CampaignName, Timestamp>> {
    let operation = "list paused campaigns";
    let rows = query(&store.database, operation, "SELECT campaign, at FROM campaign_pauses", vec![]).await?;
    let mut pauses = BTreeMap::new();
    for row in &rows {
        let name: String = row.try_get_by_index(0).map_err(failed(operation))?;
        let at: i64 = row.try_get_by_index(1).map_err(failed(operation))?;
        pauses.insert(campaign_name("campaign_pauses", &name)?, Timestamp::from_micros(at));
    }
    Ok(pauses)
}
