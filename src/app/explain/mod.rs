//! Why one contact is in a segment or not, is mailed by a campaign or not. Reads that contact, and nobody
//! else.

mod campaign;
mod overview;

use crate::audience::{self, Ranks};
use crate::domain::campaign::Campaign;
use crate::domain::condition::Condition;
use crate::domain::contact::Contact;
use crate::domain::membership::Member;
use crate::domain::name::{CampaignName, SegmentName};
use crate::domain::time::Timestamp;
use crate::evaluate::explain::Explanation;
use crate::store::memberships;

use super::installation::unknown;
use super::{Failure, Installation, contact};

pub use crate::store::dossier::LedgerRow;
pub use campaign::{OfCampaign, OfVersion};
use overview::overview;
pub use overview::{Overview, Standing, Upcoming};

/// The segment that is built in.
const EVERYONE: &str = "everyone";

/// What was asked about a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Who.
    pub contact: Contact,
    /// When.
    pub at: Timestamp,
    /// Whether that is past: events are as of then, all else as of today.
    pub is_past: bool,
    /// Whether no other instant was asked about.
    pub is_now: bool,
    /// What of them.
    pub of: Subject,
}

impl Explained {
    /// Whether it was said of another instant than now where somebody has a place in a ranking.
    pub fn goes_by_last_ranking(&self) -> bool {
        let explanation = match &self.of {
            Subject::Segment(of) => &of.explanation,
            Subject::Campaign(of) => &of.audience,
            Subject::Overview(_) => return false,
        };
        !self.is_now && explanation.has_places()
    }
}

/// What an explanation is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A segment.
    Segment(Box<OfSegment>),
    /// A campaign.
    Campaign(Box<OfCampaign>),
    /// All of them, and all campaigns, in short.
    Overview(Overview),
}

/// Whether a contact is in a segment, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct OfSegment {
    /// Which.
    pub name: SegmentName,
    /// What it means, for people.
    pub description: Option<String>,
    /// Why it is in, or not.
    pub explanation: Explanation,
    /// Since when it is a member, as the daemon saw it; said of now only.
    pub member: Option<Member>,
}

/// Explains a contact, named by id or address, at an instant: the segment of this name, else the campaign,
/// or all of them in short.
pub async fn explain(
    installation: &Installation,
    id_or_address: &str,
    name: Option<&str>,
    at: Option<Timestamp>,
) -> Result<Explained, Failure> {
    let contact = contact::find(installation, id_or_address).await?;
    let now = installation.clock.now();
    let at = at.unwrap_or(now);
    let when = When { at, is_past: at < now, is_now: at == now };
    let of = match name.map(|name| named(installation, name)).transpose()? {
        None => Subject::Overview(overview(installation, &contact, when).await?),
        Some(Named::Segment(name)) => {
            Subject::Segment(Box::new(of_segment(installation, &contact, name, when).await?))
        }
        Some(Named::Campaign(campaign)) => {
            Subject::Campaign(Box::new(campaign::of_campaign(installation, &contact, campaign, when).await?))
        }
    };
    Ok(Explained { contact, at, is_past: when.is_past, is_now: when.is_now, of })
}

/// Which instant was asked about.
#[derive(Debug, Clone, Copy)]
struct When {
    at: Timestamp,
    is_past: bool,
    is_now: bool,
}

/// What a name means.
enum Named<'a> {
    Segment(SegmentName),
    Campaign(&'a Campaign),
}

/// A segment's name goes first; `campaign:NAME` is always a campaign's.
fn named<'a>(installation: &'a Installation, name: &str) -> Result<Named<'a>, Failure> {
    let catalogue = &installation.project.catalogue;
    if let Some(campaign) = name.strip_prefix("campaign:") {
        return installation.campaign(campaign).map(Named::Campaign);
    }
    let segment = SegmentName::parse(name).ok();
    let segment = segment.filter(|name| name.as_str() == EVERYONE || catalogue.segments.contains_key(name));
    if let Some(segment) = segment {
        return Ok(Named::Segment(segment));
    }
    let campaign = CampaignName::parse(name).ok().and_then(|name| catalogue.campaigns.get(&name));
    campaign.map(Named::Campaign).ok_or_else(|| {
        let segments = catalogue.segments.keys().map(SegmentName::as_str).chain([EVERYONE]);
        let campaigns = catalogue.campaigns.keys().map(CampaignName::as_str);
        unknown("segment or campaign", name, segments.chain(campaigns))
    })
}

async fn of_segment(
    installation: &Installation,
    contact: &Contact,
    name: SegmentName,
    when: When,
) -> Result<OfSegment, Failure> {
    let segments = &installation.project.catalogue.segments;
    let segment = segments.get(&name);
    let condition = segment.map_or(&Condition::Everyone, |segment| &segment.condition);
    let explanations = explanations(installation, contact, &[condition], when).await?;
    let explanation = explanations.into_iter().next().ok_or_else(gone)?;
    let kept = segment.map(|_| vec![name.clone()]).unwrap_or_default();
    let member = members(installation, contact, &kept).await?.into_iter().next().flatten();
    Ok(OfSegment {
        description: segment.and_then(|segment| segment.description.clone()),
        member: member.filter(|member| member.entered_at <= when.at && explanation.holds()),
        explanation,
        name,
    })
}

/// Conditions of one contact, each explained.
async fn explanations(
    installation: &Installation,
    contact: &Contact,
    conditions: &[&Condition],
    when: When,
) -> Result<Vec<Explanation>, Failure> {
    let (catalogue, settings) = (&installation.project.catalogue, installation.project.evaluation_settings());
    // What was never ranked is ranked once, as for everybody else who asks; of another instant nobody is.
    let ranks = if when.is_now { Ranks::Standing } else { Ranks::Known };
    audience::explain(&installation.store, catalogue, settings, conditions, contact.id, (ranks, when.at))
        .await
        .map_err(|error| installation.audience_failed(error))?
        .ok_or_else(gone)
}

/// Of which of these segments the contact is a member, as the daemon saw it.
async fn members(
    installation: &Installation,
    contact: &Contact,
    names: &[SegmentName],
) -> Result<Vec<Option<Member>>, Failure> {
    let (store, failed) = (&installation.store, |error| installation.failed(error));
    let known = memberships::ensure_segments(store, names).await.map_err(failed)?;
    let known: Vec<_> = known.into_iter().map(|segment| segment.id).collect();
    let members = memberships::members_among(store, &known, &[contact.id]).await.map_err(failed)?;
    Ok(members.into_iter().map(|members| members.first().copied()).collect())
}

fn gone() -> Failure {
    Failure::call("the contact was erased meanwhile")
}
