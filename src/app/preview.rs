//! A campaign's mail to one contact, as it would be sent now. Sends nothing, notes nothing.

use crate::audience::{self, Ranks};
use crate::domain::address::EmailAddress;
use crate::domain::campaign::{Campaign, Version};
use crate::domain::condition::Condition;
use crate::domain::consent::ConsentState;
use crate::domain::delivery::{DeliveryId, RunId};
use crate::evaluate::Asked;
use crate::render::{RenderInput, Rendered};
use crate::store::contacts;

use super::{Failure, Installation};

/// The number that links of a preview carry: no delivery has it, so they lead nowhere.
const NO_DELIVERY: DeliveryId = DeliveryId(0);
/// Likewise.
const NO_RUN: RunId = RunId(0);

/// A mail that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The mail.
    pub mail: Rendered,
    /// The label of its version.
    pub version: String,
    /// Whether the contact is in the campaign's audience now.
    pub in_audience: bool,
}

/// Makes the mail of `campaign` for a contact, named by id or address. `version` is chosen by the
/// campaign's conditions unless it is given.
pub async fn preview(
    installation: &Installation,
    campaign: &str,
    contact: &str,
    version: Option<&str>,
) -> Result<Preview, Failure> {
    let campaign = installation.campaign(campaign)?;
    let store = &installation.store;
    let found = contacts::find(store, contact).await.map_err(|error| installation.failed(error))?;
    let found = found.ok_or_else(|| {
        Failure::call_with_hint(
            format!("no contact has the id or address `{contact}`"),
            "`campaignd segment NAME` shows some contacts",
        )
    })?;
    let address = found
        .email
        .as_deref()
        .ok_or_else(|| Failure::call(format!("the contact `{contact}` has no address")))
        .and_then(|email| EmailAddress::parse(email).map_err(|error| Failure::call(error.to_string())))?;

    let renderer = installation.renderer().await?;
    let conditions: Vec<&Condition> = std::iter::once(&campaign.audience)
        .chain(campaign.versions.iter().map(|version| &version.condition))
        .collect();
    let needs = renderer.needs(&campaign.name);
    let traits: Vec<_> = needs.traits.into_iter().collect();
    let scores: Vec<_> = needs.scores.into_iter().collect();
    let now = installation.clock.now();
    let seen = audience::look_at(
        store,
        &installation.project.catalogue,
        installation.project.evaluation_settings(),
        &[found.id],
        Asked { conditions: &conditions, traits: &traits, scores: &scores, ..Asked::default() },
        Ranks::Standing,
        now,
    )
    .await
    .map_err(|error| installation.audience_failed(error))?;
    let seen = seen.first().ok_or_else(|| Failure::call(format!("the contact `{contact}` is gone")))?;
    let holds = |index: usize| seen.outcomes.get(index).is_some_and(|outcome| outcome.holds);
    let version = choose(campaign, version, &|index| holds(index + 1))?;

    let settings = &installation.project.settings;
    let unknown_is_yes = settings.consent_unknown.tracking == ConsentState::Yes;
    let mail = renderer
        .render(&RenderInput {
            campaign: &campaign.name,
            version: &version.label,
            delivery: NO_DELIVERY,
            run: NO_RUN,
            tracking: campaign.tracking_of(settings.tracking, found.tracking.state, unknown_is_yes),
            contact: &found.view(),
            recipient: &address,
            trait_names: &traits,
            trait_values: &seen.traits,
            score_names: &scores,
            score_values: &seen.scores,
            date: now,
            now,
        })
        .map_err(|error| Failure::call(error.to_string()))?;
    Ok(Preview { mail, version: version.label.clone(), in_audience: holds(0) })
}

/// The version of this label, else the first whose condition holds.
fn choose<'c>(
    campaign: &'c Campaign,
    label: Option<&str>,
    holds: &dyn Fn(usize) -> bool,
) -> Result<&'c Version, Failure> {
    let labels = || campaign.versions.iter().map(|version| version.label.as_str());
    if let Some(label) = label {
        let found = campaign.versions.iter().find(|version| version.label == label);
        return found.ok_or_else(|| super::installation::unknown("version", label, labels()));
    }
    let mut chosen = campaign.versions.iter().enumerate().filter(|(index, _)| holds(*index));
    chosen.next().map(|(_, version)| version).ok_or_else(|| {
        let all: Vec<&str> = labels().collect();
        Failure::call_with_hint(
            format!("the contact meets the condition of no version of `{}`", campaign.name),
            format!("choose one with --version: {}", all.join(", ")),
        )
    })
}
