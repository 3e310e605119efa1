//! Whether a campaign mails a contact: its audience, every gate after it, and what the ledger has of them.

use crate::app::daemon::engine_settings;
use crate::app::{Failure, Installation};
use crate::audience::{self, Ranks};
use crate::domain::campaign::Campaign;
use crate::domain::condition::Condition;
use crate::domain::contact::Contact;
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;
use crate::domain::written;
use crate::engine::prospect::{self, Next, Prospect};
use crate::evaluate::Asked;
use crate::evaluate::explain::Explanation;
use crate::store::dossier::{self, LedgerRow};
use crate::store::runs::{self, Run};

use super::{When, explanations, gone};

/// Whether a campaign mails a contact, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct OfCampaign {
    /// Which.
    pub name: CampaignName,
    /// What it means, for people.
    pub description: Option<String>,
    /// Why the contact is in its audience at the asked instant, or not.
    pub audience: Explanation,
    /// Its versions, in order.
    pub versions: Vec<OfVersion>,
    /// What becomes of the contact at the next due time; not said of the past.
    pub prospect: Option<Prospect>,
    /// What the ledger has of contact and campaign, latest first.
    pub rows: Vec<LedgerRow>,
    /// The latest run, where the ledger has no row of the contact in it: it was not in the audience then.
    pub without: Option<Run>,
}

/// A version of a campaign's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfVersion {
    /// What reports call it.
    pub label: String,
    /// The folder under `templates/`.
    pub template: String,
    /// Its condition, in the words of the YAML.
    pub words: String,
    /// Whether the contact meets it at the asked instant.
    pub holds: bool,
}

/// Explains a campaign for a contact.
pub(super) async fn of_campaign(
    installation: &Installation,
    contact: &Contact,
    campaign: &Campaign,
    when: When,
) -> Result<OfCampaign, Failure> {
    let (store, failed) = (&installation.store, |error| installation.failed(error));
    let conditions = conditions(campaign);
    let mut explanations = explanations(installation, contact, &conditions, when).await?.into_iter();
    let audience = explanations.next().ok_or_else(gone)?;
    let versions = campaign.versions.iter().zip(explanations).map(|(version, explanation)| OfVersion {
        label: version.label.clone(),
        template: version.template.clone(),
        words: written::condition(&version.condition),
        holds: explanation.holds(),
    });
    let prospect =
        if when.is_past { None } else { Some(prospect(installation, contact, campaign, when.at).await?) };
    let rows = dossier::ledger_rows(store, contact.id, &campaign.name).await.map_err(failed)?;
    let latest = runs::latest(store, Some(&campaign.name), 1).await.map_err(failed)?.pop();
    Ok(OfCampaign {
        name: campaign.name.clone(),
        description: campaign.description.clone(),
        audience,
        versions: versions.collect(),
        prospect,
        without: latest.filter(|run| run.fixed_at.is_some() && !rows.iter().any(|row| row.run == run.id.0)),
        rows,
    })
}

/// What becomes of a contact at a campaign's next due time after `at`.
pub(super) async fn prospect(
    installation: &Installation,
    contact: &Contact,
    campaign: &Campaign,
    at: Timestamp,
) -> Result<Prospect, Failure> {
    let (store, catalogue) = (&installation.store, &installation.project.catalogue);
    let settings = engine_settings(installation);
    let (next, zone) = prospect::next_for(campaign, contact, &settings, at);
    let due = if let Next::Due(due) = next { due } else { at };
    let conditions = conditions(campaign);
    let asked = Asked { conditions: &conditions, ..Asked::default() };
    let seen =
        audience::look_at(store, catalogue, settings.evaluation, &[contact.id], asked, Ranks::Known, due)
            .await
            .map_err(|error| installation.audience_failed(error))?;
    let seen = seen.first().ok_or_else(gone)?;
    let coming = prospect::Coming { next, zone, due, outcomes: &seen.outcomes };
    prospect::prospect(store, &settings, catalogue, campaign, contact, coming)
        .await
        .map_err(|error| installation.failed(error))?
        .ok_or_else(gone)
}

/// The audience's, then those of the versions.
pub(super) fn conditions(campaign: &Campaign) -> Vec<&Condition> {
    let versions = campaign.versions.iter().map(|version| &version.condition);
    std::iter::once(&campaign.audience).chain(versions).collect()
}
