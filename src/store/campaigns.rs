//! What the database remembers of campaigns between runs.

use sea_orm::{EntityTrait as _, QueryOrder as _};

use super::entity::campaign;
use super::error::{failed, unknown_word};
use super::statement::{execute, values};
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
    let operation = "activate a campaign";
    if let Some(known) =
        campaign::Entity::find_by_id(name.as_str()).one(&store.database).await.map_err(failed(operation))?
    {
        return known_campaign(&known);
    }
    let insert = "INSERT INTO campaigns (name, activated_at, considered_until) VALUES ($1, $2, $2)
        ON CONFLICT (name) DO NOTHING";
    let transaction = store.begin_write(operation).await?;
    execute(&*transaction, operation, insert, values![name.as_str(), now.micros()]).await?;
    let known = campaign::Entity::find_by_id(name.as_str()).one(&*transaction).await;
    let known = known.map_err(failed(operation))?;
    transaction.commit().await?;
    match known {
        Some(known) => known_campaign(&known),
        None => Err(unknown_word("campaigns", "name", name.as_str())),
    }
}

/// Notes that due times up to `until` are dealt with; never goes back.
pub async fn considered(store: &Store, name: &CampaignName, until: Timestamp) -> Result<()> {
    let operation = "note the due times of a campaign";
    let update = "UPDATE campaigns SET considered_until = $2 WHERE name = $1 AND considered_until < $2";
    let transaction = store.begin_write(operation).await?;
    execute(&*transaction, operation, update, values![name.as_str(), until.micros()]).await?;
    transaction.commit().await
}

/// Forgets campaigns that are not among `declared`: one that comes back is activated anew, without the
/// due times of the time between. Gives the names that were forgotten.
pub async fn forget_others(store: &Store, declared: &[CampaignName]) -> Result<Vec<CampaignName>> {
    let operation = "forget campaigns that are not declared";
    let mut others = all(store).await?;
    others.retain(|known| !declared.contains(&known.name));
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let transaction = store.begin_write(operation).await?;
    for other in &others {
        let delete = "DELETE FROM campaigns WHERE name = $1";
        execute(&*transaction, operation, delete, values![other.name.as_str()]).await?;
    }
    transaction.commit().await?;
    Ok(others.into_iter().map(|other| other.name).collect())
}

/// All of them, by name.
pub async fn all(store: &Store) -> Result<Vec<KnownCampaign>> {
    let query = campaign::Entity::find().order_by_asc(campaign::Column::Name);
    let known = query.all(&store.database).await.map_err(failed("list campaigns"))?;
    known.iter().map(known_campaign).collect()
}

fn known_campaign(row: &campaign::Model) -> Result<KnownCampaign> {
    Ok(KnownCampaign {
        name: campaign_name("campaigns", &row.name)?,
        activated_at: Timestamp::from_micros(row.activated_at),
        considered_until: Timestamp::from_micros(row.considered_until),
    })
}

/// The name of a campaign in a column of `table`.
pub(super) fn campaign_name(table: &'static str, name: &str) -> Result<CampaignName> {
    CampaignName::parse(name).map_err(|_| unknown_word(table, "the name of a campaign", name))
}
