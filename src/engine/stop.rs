//! Campaigns that stop by themselves: too much of them is refused, or their sender is.
//!
//! How mails ended is counted in the store, so that restarts and several daemons make no difference; counting is
//! dear with many rows, so it is done when so many more were claimed that the share can have changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::parts::Declared;
use crate::domain::delivery::{Fault, Reply};
use crate::domain::name::CampaignName;
use crate::domain::stop::Results;
use crate::domain::time::Timestamp;
use crate::store::pauses;
use crate::store::runs::Run;

/// Counted anew after this many more mails …
const FEW_MORE: u64 = 20;

/// … or after this part of all, where that is more: so all counting together costs about twenty looks at each row.
const PART_OF_ALL: u64 = 20;

/// When results of campaigns are counted again.
#[derive(Debug, Default)]
pub(super) struct Stops {
    /// How many more mails may be claimed before. A campaign that is not in it is counted at once: after a start, too.
    left: Mutex<HashMap<CampaignName, u64>>,
}

impl Stops {
    /// Rows of these campaigns were claimed.
    pub(super) fn claimed<'a>(&self, campaigns: impl Iterator<Item = &'a CampaignName>) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        for campaign in campaigns {
            if let Some(left) = left.get_mut(campaign) {
                *left = left.saturating_sub(1);
            }
        }
    }

    fn is_due(&self, campaign: &CampaignName) -> bool {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.get(campaign).is_none_or(|left| *left == 0)
    }

    fn counted(&self, campaign: &CampaignName, results: Results) {
        let next = FEW_MORE.max(results.all() / PART_OF_ALL);
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(campaign.clone(), next);
    }
}

impl Core {
    /// Pauses campaigns of which too much is refused, before more of them is claimed.
    pub(super) async fn stop_what_is_refused(
        &self,
        declared: &Declared,
        runs: &[Run],
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let mut names: Vec<&CampaignName> = runs.iter().map(|run| &run.campaign).collect();
        names.sort_unstable();
        names.dedup();
        for name in names.into_iter().filter(|name| self.claims.stops.is_due(name)) {
            let Some(campaign) = declared.catalogue.campaigns.get(name) else { continue };
            let results = pauses::results(&self.store, name, now)
                .await
                .doing(|| format!("count how the mails of campaign `{name}` ended"))?;
            self.claims.stops.counted(name, results);
            if results.are_too_bad(campaign.max_refused) {
                let (refused, all, most) = (results.refused, results.all(), campaign.max_refused);
                let reason = format!(
                    "the server refused {refused} of the last {all} mails, more than {most} % (limits: max_refused)"
                );
                self.stop(name, &reason, now).await?;
            }
        }
        Ok(())
    }

    /// Pauses a campaign of which one mail was refused as all would be: for its sender's sake, or because it is
    /// not such as the server takes.
    pub(super) async fn stop_for(&self, campaign: &CampaignName, reply: &Reply, now: Timestamp) {
        let code = reply.enhanced.as_deref().unwrap_or_default();
        let reason = match (reply.fault, reply.code) {
            (Fault::Campaign, None) => reply.text.clone(),
            (Fault::Campaign, Some(_)) => format!("the server takes no message that is so large ({code})"),
            _ => format!("a server refuses its sender, whoever it is for ({code}: SPF, DKIM or DMARC)"),
        };
        if let Err(error) = self.stop(campaign, &reason, now).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                campaign.name = %campaign,
                "a campaign whose mails would all be refused could not be paused"
            );
        }
    }

    async fn stop(&self, campaign: &CampaignName, reason: &str, now: Timestamp) -> Result<(), EngineError> {
        let is_new = pauses::pause(&self.store, campaign, Some(reason), now)
            .await
            .doing(|| format!("pause campaign `{campaign}`"))?;
        if is_new {
            tracing::error!(campaign.name = %campaign, campaign.stopped = reason, "a campaign was paused by itself");
        }
        Ok(())
    }
}
