//! Campaigns that are paused: what is planned of them waits, and what comes due is not made up for. A
//! pause outlives the declaration: a file that was moved by mistake ends none.

use std::collections::BTreeMap;
use std::time::Duration;

use sea_orm::FromQueryResult;

use super::campaigns::campaign_name;
use super::error::failed;
use super::statement::{execute, query, query_as, values};
use super::{Result, Store};
use crate::domain::name::CampaignName;
use crate::domain::stop::Results;
use crate::domain::time::Timestamp;

/// In a `WHERE` over `runs r`: the campaign is not paused.
pub(super) const NOT_PAUSED: &str =
    "NOT EXISTS (SELECT 1 FROM campaign_pauses p WHERE p.campaign = r.campaign)";

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// What stopped it; `None`: somebody did.
    pub reason: Option<String>,
}

/// Pauses a campaign; `reason` is given where nobody asked for it. False: it was paused already.
pub async fn pause(
    store: &Store,
    campaign: &CampaignName,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let operation = "pause a campaign";
    let insert = "INSERT INTO campaign_pauses (campaign, at, reason) VALUES ($1, $2, $3)
        ON CONFLICT (campaign) DO NOTHING";
    let transaction = store.begin_write(operation).await?;
    let given = values![campaign.as_str(), now.micros(), reason.map(str::to_owned)];
    let is_new = execute(&*transaction, operation, insert, given).await? > 0;
    transaction.commit().await?;
    Ok(is_new)
}

/// Ends the pause of a campaign; its open runs ask their audience again, and what its mails came to before counts
/// no more for another stop. False: it was not paused.
pub async fn resume(store: &Store, campaign: &CampaignName, now: Timestamp) -> Result<bool> {
    let operation = "resume a campaign";
    let delete = "DELETE FROM campaign_pauses WHERE campaign = $1";
    let note = "UPDATE runs SET resumed_at = $2
        WHERE campaign = $1 AND (state IN ('sending', 'held', 'paused') OR finished_at > $3)";
    let transaction = store.begin_write(operation).await?;
    let was_paused = execute(&*transaction, operation, delete, values![campaign.as_str()]).await? > 0;
    if was_paused {
        let lately = now.minus(COUNTED).micros();
        execute(&*transaction, operation, note, values![campaign.as_str(), now.micros(), lately]).await?;
    }
    transaction.commit().await?;
    Ok(was_paused)
}

/// All pauses, by campaign.
pub async fn all(store: &Store) -> Result<BTreeMap<CampaignName, Pause>> {
    let operation = "list paused campaigns";
    let text = "SELECT campaign, at, reason FROM campaign_pauses";
    let rows = query(&store.database, operation, text, vec![]).await?;
    let mut pauses = BTreeMap::new();
    for row in &rows {
        let name: String = row.try_get_by_index(0).map_err(failed(operation))?;
        let at: i64 = row.try_get_by_index(1).map_err(failed(operation))?;
        let reason = row.try_get_by_index(2).map_err(failed(operation))?;
        let pause = Pause { since: Timestamp::from_micros(at), reason };
        pauses.insert(campaign_name("campaign_pauses", &name)?, pause);
    }
    Ok(pauses)
}

/// How far back results count for a stop.
const COUNTED: Duration = Duration::from_hours(24);

#[derive(Debug, FromQueryResult)]
struct ResultsRow {
    accepted: Option<i64>,
    refused: Option<i64>,
}

/// How the mails of a campaign ended in the last 24 hours, and since it was resumed.
pub async fn results(store: &Store, campaign: &CampaignName, now: Timestamp) -> Result<Results> {
    let text = "SELECT CAST(SUM(CASE WHEN d.state = 'accepted' THEN 1 ELSE 0 END) AS BIGINT) AS accepted,
            CAST(SUM(CASE WHEN d.state = 'refused' AND d.reason = 'rejected' AND d.settled_by IS NULL
                THEN 1 ELSE 0 END) AS BIGINT) AS refused
        FROM runs r JOIN deliveries d ON d.run = r.id
        WHERE r.campaign = $1 AND (r.state = 'sending' OR r.finished_at > $2)
          AND d.settled_at > $2 AND d.settled_at > COALESCE(r.resumed_at, $2)";
    let given = values![campaign.as_str(), now.minus(COUNTED).micros()];
    let operation = "count how the mails of a campaign ended";
    let rows: Vec<ResultsRow> = query_as(&store.database, operation, text, given).await?;
    let count = |count: Option<i64>| count.unwrap_or_default().max(0) as u64;
    Ok(rows.first().map_or_else(Results::default, |row| Results {
        accepted: count(row.accepted),
        refused: count(row.refused),
    }))
}
