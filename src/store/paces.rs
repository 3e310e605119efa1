//! How fast the mails of campaigns leave: until when their pace is used up. Kept, so that no restart and no
//! second daemon is a way around it.

use sea_orm::ConnectionTrait;

use super::statement::{backend_of, execute, query_column, values};
use super::{Backend, Result, Store};
use crate::domain::name::CampaignName;
use crate::domain::pace::Pace;
use crate::domain::time::Timestamp;

/// The pace of a campaign, held until the end of the transaction.
pub(super) struct Held<'a> {
    campaign: &'a CampaignName,
    pace: Pace,
    used_until: Timestamp,
    now: Timestamp,
    /// How many may leave now.
    pub(super) granted: u64,
}

/// Asks for room for so many mails; nobody else does until the end of the transaction.
pub(super) async fn hold<'a>(
    connection: &impl ConnectionTrait,
    campaign: &'a CampaignName,
    pace: Pace,
    wanted: u64,
    now: Timestamp,
) -> Result<Held<'a>> {
    let operation = "see how many mails may leave";
    let insert = "INSERT INTO campaign_paces (campaign, used_until, next_at) VALUES ($1, $2, $2)
        ON CONFLICT (campaign) DO NOTHING";
    execute(connection, operation, insert, values![campaign.as_str(), now.micros()]).await?;
    let lock = match backend_of(connection) {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR UPDATE",
    };
    let text = format!("SELECT used_until FROM campaign_paces WHERE campaign = $1{lock}");
    let used: Vec<i64> = query_column(connection, operation, &text, values![campaign.as_str()]).await?;
    let used_until = used.first().map_or(now, |used| Timestamp::from_micros(*used));
    let granted = pace.grant(used_until, wanted, now);
    Ok(Held { campaign, pace, used_until, now, granted })
}

/// When the next mail of a campaign may leave, if its pace was asked before.
pub(super) async fn next_of(store: &Store, campaign: &CampaignName) -> Result<Option<Timestamp>> {
    let text = "SELECT next_at FROM campaign_paces WHERE campaign = $1";
    let operation = "see when mails may leave";
    let next: Vec<i64> = query_column(&store.database, operation, text, values![campaign.as_str()]).await?;
    Ok(next.first().map(|next| Timestamp::from_micros(*next)))
}

impl Held<'_> {
    /// Notes it when the clock was set back: what was used up by the time it showed before holds nothing up
    /// for longer than an hour from now.
    pub(super) async fn keep_to_the_clock(&self, connection: &impl ConnectionTrait) -> Result<()> {
        if self.pace.use_up(self.used_until, 0, self.now) == self.used_until {
            return Ok(());
        }
        self.use_up(connection, 0).await
    }

    /// Notes that so many leave.
    pub(super) async fn use_up(&self, connection: &impl ConnectionTrait, count: u64) -> Result<()> {
        let used_until = self.pace.use_up(self.used_until, count, self.now);
        let update = "UPDATE campaign_paces SET used_until = $2, next_at = $3 WHERE campaign = $1";
        let next_at = self.pace.next(used_until);
        let given = values![self.campaign.as_str(), used_until.micros(), next_at.micros()];
        execute(connection, "note how many mails leave", update, given).await?;
        Ok(())
    }
}
