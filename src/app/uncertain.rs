//! Deliveries of which nobody knows whether the server took them: shown, and settled by hand.

use crate::domain::delivery::{DeliveryId, RunId};
use crate::store::{campaigns, deliveries, runs, uncertain};

use super::installation::unknown;
use super::{Failure, Installation};

pub use crate::store::uncertain::{Doubted, Verdict, Which};

/// What somebody's word settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// These were uncertain, and are not any more.
    pub settled: Vec<DeliveryId>,
    /// These were named, and were not uncertain.
    pub others: Vec<DeliveryId>,
}

/// The deliveries that were named: by their numbers, by a run, by a campaign, or all.
pub async fn which(
    installation: &Installation,
    numbers: &[i64],
    run: Option<i64>,
    campaign: Option<&str>,
) -> Result<Which, Failure> {
    let failed = |error| installation.failed(error);
    if let Some(run) = run {
        let found = runs::by_number(&installation.store, RunId(run)).await.map_err(failed)?;
        return found.map(|run| Which::Run(run.id)).ok_or_else(|| {
            Failure::call_with_hint(format!("there is no run {run}"), "`campaignd status` lists the runs")
        });
    }
    if let Some(campaign) = campaign {
        let before = campaigns::all(&installation.store).await.map_err(failed)?;
        let declared = installation.project.catalogue.campaigns.keys();
        let mut known: Vec<_> = declared.chain(before.iter().map(|campaign| &campaign.name)).collect();
        known.sort_unstable();
        known.dedup();
        return match known.iter().find(|name| name.as_str() == campaign) {
            Some(name) => Ok(Which::Campaign((*name).clone())),
            None => Err(unknown("campaign", campaign, known.iter().map(|name| name.as_str()))),
        };
    }
    if numbers.is_empty() {
        return Ok(Which::All);
    }
    Ok(Which::Deliveries(numbers.iter().copied().map(DeliveryId).collect()))
}

/// Those of them that are uncertain.
pub async fn list(installation: &Installation, which: &Which) -> Result<Vec<Doubted>, Failure> {
    uncertain::list(&installation.store, which).await.map_err(|error| installation.failed(error))
}

/// Settles them. What was accepted is an `email_sent` event when this returns.
pub async fn resolve(
    installation: &Installation,
    which: &Which,
    verdict: Verdict,
) -> Result<Resolved, Failure> {
    let failed = |error| installation.failed(error);
    let settled = uncertain::resolve(&installation.store, which, verdict).await.map_err(failed)?;
    let now = installation.clock.now();
    if verdict == Verdict::Accepted {
        deliveries::record_sent(&installation.store, now).await.map_err(failed)?;
    }
    let mut others = match which {
        Which::Deliveries(named) => named.clone(),
        Which::All | Which::Run(_) | Which::Campaign(_) => Vec::new(),
    };
    others.retain(|delivery| !settled.contains(delivery));
    Ok(Resolved { settled, others })
}
