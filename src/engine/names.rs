//! Campaigns whose names come and go: carried over, forgotten, and told apart.

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::parts::Declared;
use crate::audience;
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::name::CampaignName;
use crate::store::Store;
use crate::store::campaigns::{self, KnownCampaign, Likeness};

/// A campaign that vanished while one came that is like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookalike {
    /// The name that is not declared any more.
    pub former: CampaignName,
    /// The new one.
    pub name: CampaignName,
    /// What they share: `template` or `audience`.
    pub shares: &'static str,
}

/// Campaigns that seem to have been renamed without `renamed_from`: then `repeat: once` mails everybody
/// again. Only before a daemon has seen the new declarations.
pub async fn lookalikes(
    store: &Store,
    catalogue: &Catalogue,
    evaluation: EvaluationSettings,
) -> Result<Vec<Lookalike>, EngineError> {
    let known = campaigns::all(store).await.doing(|| "list the campaigns of before".to_owned())?;
    Ok(compare(&known, catalogue, evaluation))
}

fn compare(known: &[KnownCampaign], catalogue: &Catalogue, evaluation: EvaluationSettings) -> Vec<Lookalike> {
    let gone = known.iter().filter(|known| !catalogue.campaigns.contains_key(&known.name));
    let is_new = |campaign: &&Campaign| known.iter().all(|known| known.name != campaign.name);
    let new: Vec<_> = catalogue.campaigns.values().filter(is_new).collect();
    let mut found = Vec::new();
    for former in gone {
        let Some(was) = &former.likeness else { continue };
        for campaign in new.iter().filter(|campaign| campaign.renamed_from.is_none()) {
            let is = likeness(campaign, catalogue, evaluation);
            let shares = if is.templates == was.templates {
                "template"
            } else if is.audience == was.audience && !is.audience.is_empty() {
                "audience"
            } else {
                continue;
            };
            found.push(Lookalike { former: former.name.clone(), name: campaign.name.clone(), shares });
        }
    }
    found
}

/// What a campaign is like.
fn likeness(campaign: &Campaign, catalogue: &Catalogue, evaluation: EvaluationSettings) -> Likeness {
    let templates: Vec<_> = campaign.versions.iter().map(|version| version.template.as_str()).collect();
    let audience = match &campaign.audience {
        Condition::Everyone => String::new(),
        condition => audience::fingerprint(catalogue, evaluation, condition),
    };
    Likeness { templates: templates.join(" "), audience }
}

impl Core {
    /// Once after each change of the declarations: what is kept under former names goes to the new ones,
    /// and when campaigns that vanished were activated is forgotten.
    pub(super) async fn keep_names(&self, declared: &Declared, edition: u64) -> Result<(), EngineError> {
        if self.memory().edition == Some(edition) {
            return Ok(());
        }
        for campaign in declared.catalogue.campaigns.values() {
            let Some(former) = &campaign.renamed_from else { continue };
            let carried = campaigns::carry_over(&self.store, former, &campaign.name)
                .await
                .doing(|| format!("carry campaign `{former}` over to `{}`", campaign.name))?;
            if let Some(carried) = carried {
                tracing::info!(
                    campaign.former = %former, campaign.name = %campaign.name, runs.carried = carried.runs,
                    "a campaign was renamed: its runs and deliveries are carried over"
                );
                let mut memory = self.memory();
                memory.considered.remove(&campaign.name);
                memory.current_included.remove(&campaign.name);
            }
        }
        let evaluation = self.settings.evaluation;
        for found in lookalikes(&self.store, &declared.catalogue, evaluation).await? {
            tracing::warn!(
                campaign.former = %found.former, campaign.name = %found.name, shares = found.shares,
                "a campaign vanished, and a new one is like it: if it was renamed, declare `renamed_from`, else it mails its audience anew"
            );
        }
        let names: Vec<_> = declared.catalogue.campaigns.keys().cloned().collect();
        let gone = campaigns::forget_others(&self.store, &names)
            .await
            .doing(|| "forget campaigns that are not declared any more".to_owned())?;
        for name in &gone {
            tracing::info!(campaign.name = %name, "a campaign is not declared any more");
        }
        let mut memory = self.memory();
        memory.considered.retain(|name, _| names.contains(name));
        memory.current_included.retain(|name| names.contains(name));
        memory.zones.retain(|name, _| names.contains(name));
        memory.edition = Some(edition);
        memory.alike = None;
        Ok(())
    }

    /// Notes what campaigns are like, once after each change of the declarations and behind their
    /// activation.
    pub(super) async fn note_likenesses(&self, declared: &Declared, edition: u64) -> Result<(), EngineError> {
        if self.memory().alike == Some(edition) {
            return Ok(());
        }
        let known = campaigns::all(&self.store).await.doing(|| "list the campaigns of before".to_owned())?;
        for campaign in declared.catalogue.campaigns.values() {
            let is = likeness(campaign, &declared.catalogue, self.settings.evaluation);
            let was = known.iter().find(|known| known.name == campaign.name);
            if was.is_some_and(|was| was.likeness.as_ref() != Some(&is)) {
                campaigns::note_likeness(&self.store, &campaign.name, &is)
                    .await
                    .doing(|| format!("note what campaign `{}` is like", campaign.name))?;
            }
        }
        self.memory().alike = Some(edition);
        Ok(())
    }
}
