//! What an engine is made of: plain values, so that the composition root alone reads settings.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::campaign::{OnUncertain, Tracking};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::contact::Contact;
use crate::domain::name::CampaignName;
use crate::domain::provider::TransportLimits;
use crate::domain::schedule::Cadence;
use crate::domain::time::Zone;
use crate::render::Renderer;
use crate::send::Transport;
use crate::store::Store;
use crate::store::caps::CapRules;
use crate::store::deliveries::Source;
use crate::store::runs::Run;

/// What an engine is made of.
#[derive(Debug)]
pub struct EngineParts {
    /// The database, migrated.
    pub store: Store,
    /// Where mails go.
    pub transport: Transport,
    /// What is declared, and how it is rendered.
    pub declared: Declared,
    /// The installation's choices.
    pub settings: EngineSettings,
}

/// What is declared, as one: it is replaced as one when the files change.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The declarations.
    pub catalogue: Arc<Catalogue>,
    /// Made from the same declarations.
    pub renderer: Renderer,
}

impl Declared {
    /// What goes first of what is due at one instant: greater priorities, then names.
    pub(super) fn rank(&self, campaign: &CampaignName) -> (i64, CampaignName) {
        let priority = self.catalogue.campaigns.get(campaign).map_or(0, |campaign| campaign.priority);
        (priority.saturating_neg(), campaign.clone())
    }

    /// A run as rows are claimed from it.
    pub(super) fn source<'r>(&self, run: &'r Run) -> Source<'r> {
        let campaign = self.catalogue.campaigns.get(&run.campaign);
        let pace = campaign.and_then(|campaign| campaign.pace).map(|pace| (&run.campaign, pace));
        Source { run: run.id, pace }
    }

    /// Campaigns whose uncertain mails are sent once more.
    pub(super) fn sent_again(&self) -> Vec<CampaignName> {
        let campaigns = self.catalogue.campaigns.values();
        let again = campaigns.filter(|campaign| campaign.on_uncertain == OnUncertain::SendAgain);
        again.map(|campaign| campaign.name.clone()).collect()
    }

    /// What holds for marketing mail of all campaigns.
    pub(super) fn cap_rules(&self, zone: Zone) -> CapRules {
        cap_rules(&self.catalogue, zone)
    }
}

/// What holds for marketing mail of all campaigns.
pub(super) fn cap_rules(catalogue: &Catalogue, zone: Zone) -> CapRules {
    if catalogue.caps.is_empty() {
        return CapRules::default();
    }
    CapRules {
        caps: catalogue.caps.clone(),
        zone: Some(zone),
        priorities: catalogue
            .campaigns
            .values()
            .map(|campaign| (campaign.name.clone(), campaign.priority))
            .collect(),
    }
}

/// The installation's choices that concern the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// What conditions need to know.
    pub evaluation: EvaluationSettings,
    /// How often segments are evaluated anew, beside the instants of runs.
    pub refresh: Cadence,
    /// How often contacts are ranked anew.
    pub refresh_ranks: Cadence,
    /// Whether an unknown consent to marketing counts as yes.
    pub unknown_marketing_is_yes: bool,
    /// Whether an unknown consent to tracking counts as yes.
    pub unknown_tracking_is_yes: bool,
    /// The most that is recorded of opens and clicks.
    pub tracking: Tracking,
    /// How fast mails leave by the transport, and to whom.
    pub limits: Arc<TransportLimits>,
    /// How long a clean stop waits for mails that are being handed over.
    pub stop_within: Duration,
}

impl EngineSettings {
    /// The defaults of the product: every 5 minutes, ranks every day, unknown is no, tracking up to
    /// individual, no limits, half a minute.
    pub fn new(evaluation: EvaluationSettings) -> Self {
        Self {
            evaluation,
            refresh: Cadence::Every(Duration::from_mins(5)),
            refresh_ranks: Cadence::Every(Duration::from_hours(24)),
            unknown_marketing_is_yes: false,
            unknown_tracking_is_yes: false,
            tracking: Tracking::Individual,
            limits: Arc::default(),
            stop_within: Duration::from_secs(30),
        }
    }

    /// The zone of a contact, else the installation's.
    pub(super) fn zone_of(&self, contact: &Contact) -> Zone {
        let own = contact.time_zone.as_deref().and_then(|name| name.parse().ok());
        own.unwrap_or(self.evaluation.time_zone)
    }
}
