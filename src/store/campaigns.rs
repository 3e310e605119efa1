//! What the database remembers of campaigns between runs.

use sea_orm::{EntityTrait as _, QueryOrder as _};

use super::entity::campaign;
use super::error::{failed, unknown_word};
use super::memberships::Kept;
use super::statement::{execute, query_value, values};
use super::{Result, Store};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// A campaign as the database knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownCampaign {
    /// Its name.
    pub name: CampaignName,
    /// When a daemon, or a run by hand, saw it first; due times of cron lines before it do not exist.
    pub activated_at: Timestamp,
    /// Due times up to this instant have their run (or were passed over).
    pub considered_until: Timestamp,
    /// What it is like, as far as it was noted.
    pub likeness: Option<Likeness>,
    /// When `include_current` had its run.
    pub current_included_at: Option<Timestamp>,
}

/// What a campaign is like: to find one again that comes under another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// Its templates.
    pub templates: String,
    /// Fingerprint of its audience; empty where that is everyone.
    pub audience: String,
}

/// What was carried over to a new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarriedOver {
    /// How many runs.
    pub runs: u64,
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

/// Notes what a campaign is like.
pub async fn note_likeness(store: &Store, name: &CampaignName, likeness: &Likeness) -> Result<()> {
    let operation = "note what a campaign is like";
    let update = "UPDATE campaigns SET templates = $2, audience = $3 WHERE name = $1";
    let transaction = store.begin_write(operation).await?;
    let given = values![name.as_str(), likeness.templates.as_str(), likeness.audience.as_str()];
    execute(&*transaction, operation, update, given).await?;
    transaction.commit().await
}

/// Makes the run of `include_current`, and notes that it is made. False: it was.
pub async fn include_current(
    store: &Store,
    name: &CampaignName,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let operation = "make a run for those who are in the audience";
    let note =
        "UPDATE campaigns SET current_included_at = $2 WHERE name = $1 AND current_included_at IS NULL";
    let insert = "INSERT INTO runs (campaign, due_at, state, made_by, created_at)
        VALUES ($1, $2, 'due', 'current', $3) ON CONFLICT (campaign, due_at, zone) DO NOTHING";
    let transaction = store.begin_write(operation).await?;
    if execute(&*transaction, operation, note, values![name.as_str(), due_at.micros()]).await? == 0 {
        return Ok(false);
    }
    let given = values![name.as_str(), due_at.micros(), now.micros()];
    execute(&*transaction, operation, insert, given).await?;
    transaction.commit().await?;
    Ok(true)
}

/// `include_current` is not declared any more: the next time that it is, it has its run again.
pub async fn forget_current(store: &Store, name: &CampaignName) -> Result<()> {
    let operation = "note that those who are in the audience are not meant";
    let update =
        "UPDATE campaigns SET current_included_at = NULL WHERE name = $1 AND current_included_at IS NOT NULL";
    let transaction = store.begin_write(operation).await?;
    execute(&*transaction, operation, update, values![name.as_str()]).await?;
    transaction.commit().await
}

/// Carries everything that is kept under a former name over to the new one: runs with their deliveries,
/// what is known of due times, entries, a pause, a used pace. What the new name has itself already it keeps, too.
/// `None`: nothing is kept under the former name.
pub async fn carry_over(
    store: &Store,
    former: &CampaignName,
    name: &CampaignName,
) -> Result<Option<CarriedOver>> {
    let operation = "carry a campaign over to its new name";
    let count = "SELECT (SELECT COUNT(*) FROM runs WHERE campaign = $1)
        + (SELECT COUNT(*) FROM campaigns WHERE name = $1) + (SELECT COUNT(*) FROM segments WHERE name = $2)
        + (SELECT COUNT(*) FROM campaign_pauses WHERE campaign = $1)";
    let audience = |name: &CampaignName| Kept::Audience(name.clone()).to_string();
    let kept: i64 =
        query_value(&store.database, operation, count, values![former.as_str(), audience(former)]).await?;
    if kept == 0 {
        return Ok(None);
    }
    let transaction = store.begin_write(operation).await?;
    let connection = &*transaction;
    let both = || values![former.as_str(), name.as_str()];
    // Two runs of one instant cannot have one name; a microsecond keeps both.
    let apart = "UPDATE runs SET due_at = due_at + 1 WHERE campaign = $1 AND EXISTS (
        SELECT 1 FROM runs o WHERE o.campaign = $2 AND o.due_at = runs.due_at AND o.zone = runs.zone)";
    while execute(connection, operation, apart, both()).await? > 0 {}
    let runs =
        execute(connection, operation, "UPDATE runs SET campaign = $2 WHERE campaign = $1", both()).await?;
    let merge = "UPDATE campaigns SET
            activated_at = (SELECT MIN(c.activated_at) FROM campaigns c WHERE c.name IN ($1, $2)),
            considered_until = (SELECT MAX(c.considered_until) FROM campaigns c WHERE c.name IN ($1, $2)),
            current_included_at = (SELECT MIN(c.current_included_at) FROM campaigns c WHERE c.name IN ($1, $2))
        WHERE name = $2";
    if execute(connection, operation, merge, both()).await? > 0 {
        execute(connection, operation, "DELETE FROM campaigns WHERE name = $1", values![former.as_str()])
            .await?;
    } else {
        execute(connection, operation, "UPDATE campaigns SET name = $2 WHERE name = $1", both()).await?;
    }
    let pause = "INSERT INTO campaign_pauses (campaign, at, reason)
        SELECT $2, at, reason FROM campaign_pauses WHERE campaign = $1 ON CONFLICT (campaign) DO NOTHING";
    let pace = "INSERT INTO campaign_paces (campaign, used_until, next_at)
        SELECT $2, used_until, next_at FROM campaign_paces WHERE campaign = $1 ON CONFLICT (campaign) DO NOTHING";
    for carry in [pause, pace] {
        execute(connection, operation, carry, both()).await?;
    }
    for drop in
        ["DELETE FROM campaign_pauses WHERE campaign = $1", "DELETE FROM campaign_paces WHERE campaign = $1"]
    {
        execute(connection, operation, drop, values![former.as_str()]).await?;
    }
    carry_audience(connection, operation, &audience(former), &audience(name)).await?;
    transaction.commit().await?;
    Ok(Some(CarriedOver { runs }))
}

/// Entries under the former name go on; those that the new name has itself are of a shorter memory.
async fn carry_audience(
    connection: &impl sea_orm::ConnectionTrait,
    operation: &'static str,
    former: &str,
    name: &str,
) -> Result<()> {
    let known = "SELECT COUNT(*) FROM segments WHERE name = $1";
    if query_value::<i64>(connection, operation, known, values![former]).await? == 0 {
        return Ok(());
    }
    for delete in [
        "DELETE FROM membership_blocks WHERE id / 4294967296 IN (SELECT id FROM segments WHERE name = $1)",
        "DELETE FROM membership_changes WHERE segment IN (SELECT id FROM segments WHERE name = $1)",
    ] {
        execute(connection, operation, delete, values![name]).await?;
    }
    execute(connection, operation, "DELETE FROM segments WHERE name = $1", values![name]).await?;
    let rename = "UPDATE segments SET name = $2 WHERE name = $1";
    execute(connection, operation, rename, values![former, name]).await?;
    Ok(())
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
        likeness: row
            .templates
            .clone()
            .zip(row.audience.clone())
            .map(|(templates, audience)| Likeness { templates, audience }),
        current_included_at: row.current_included_at.map(Timestamp::from_micros),
    })
}

/// The name of a campaign in a column of `table`.
pub(super) fn campaign_name(table: &'static str, name: &str) -> Result<CampaignName> {
    CampaignName::parse(name).map_err(|_| unknown_word(table, "the name of a campaign", name))
}
