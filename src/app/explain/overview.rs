//! All segments and campaigns of one contact, in short.

use crate::app::{Failure, Installation};
use crate::domain::condition::Condition;
use crate::domain::contact::Contact;
use crate::domain::membership::Member;
use crate::domain::name::{CampaignName, SegmentName};
use crate::domain::time::Timestamp;
use crate::engine::prospect::Prospect;
use crate::evaluate::explain::Turn;

use super::{When, campaign, explanations, members};

/// Where a contact stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// In which segments it is, and in which not, by name.
    pub segments: Vec<Standing>,
    /// What becomes of it at the next due time of each campaign, by name; not said of the past.
    pub campaigns: Vec<Upcoming>,
}

/// One campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Upcoming {
    /// Which.
    pub name: CampaignName,
    /// What becomes of the contact.
    pub prospect: Prospect,
}

/// One segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Which.
    pub name: SegmentName,
    /// Whether the contact is in.
    pub holds: bool,
    /// Since when, as the daemon saw it.
    pub since: Option<Timestamp>,
    /// When that changes, if nothing new happens.
    pub turns: Option<Turn>,
}

/// Where a contact stands.
pub(super) async fn overview(
    installation: &Installation,
    contact: &Contact,
    when: When,
) -> Result<Overview, Failure> {
    let (segments, all) =
        (&installation.project.catalogue.segments, &installation.project.catalogue.campaigns);
    let mut conditions: Vec<&Condition> = segments.values().map(|segment| &segment.condition).collect();
    // Whatever of these was never ranked is ranked with the segments.
    conditions.extend(all.values().flat_map(campaign::conditions));
    let explanations = explanations(installation, contact, &conditions, when).await?;
    let mut campaigns = Vec::new();
    for campaign in all.values().filter(|_| !when.is_past) {
        let prospect = campaign::prospect(installation, contact, campaign, when.at).await?;
        campaigns.push(Upcoming { name: campaign.name.clone(), prospect });
    }
    let names: Vec<SegmentName> = segments.keys().cloned().collect();
    let members = members(installation, contact, &names).await?;
    let since = |member: Member| Some(member.entered_at).filter(|since| *since <= when.at);
    let segments =
        names.into_iter().zip(explanations).zip(members).map(|((name, explanation), member)| Standing {
            name,
            holds: explanation.holds(),
            since: member.filter(|_| explanation.holds()).and_then(since),
            turns: explanation.root.turns,
        });
    Ok(Overview { segments: segments.collect(), campaigns })
}
