//! What is evaluated together: segments that say nothing of how often, and audiences that are kept; and by
//! itself each segment that has a time of its own.

use std::collections::BTreeSet;

use crate::domain::campaign::Campaign;
use crate::domain::catalogue::Catalogue;
use crate::domain::condition::Condition;
use crate::domain::name::SegmentName;
use crate::domain::schedule::Cadence;
use crate::store::memberships::Kept;

use super::refresh::kept;

/// What is evaluated when the settings say so.
pub fn shared(catalogue: &Catalogue) -> Vec<Kept> {
    let is_shared = |kept: &Kept| match kept {
        Kept::Segment(name) => catalogue.segments.get(name).is_some_and(|segment| segment.refresh.is_none()),
        Kept::Audience(_) => true,
    };
    kept(catalogue).into_iter().filter(is_shared).collect()
}

/// The segments with a time of their own, in the order of names.
pub fn with_own_time(catalogue: &Catalogue) -> impl Iterator<Item = (&SegmentName, &Cadence)> {
    catalogue.segments.iter().filter_map(|(name, segment)| Some((name, segment.refresh.as_ref()?)))
}

/// The segments that a campaign's audience and versions name, directly or by way of others.
pub fn segments_of(catalogue: &Catalogue, campaign: &Campaign) -> BTreeSet<SegmentName> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Condition> = campaign.versions.iter().map(|version| &version.condition).collect();
    open.push(&campaign.audience);
    while let Some(condition) = open.pop() {
        let mut named = Vec::new();
        match condition {
            Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => open.extend(parts),
            Condition::Segment(name) => named.push(name),
            Condition::Ranked(ranked) => named.extend(&ranked.ranking.among),
            Condition::Everyone
            | Condition::Attribute(..)
            | Condition::Trait(..)
            | Condition::Score(..)
            | Condition::Consent(..)
            | Condition::Did(_)
            | Condition::Bucket(_) => {}
        }
        for name in named {
            if found.insert(name.clone()) {
                open.extend(catalogue.segments.get(name).map(|segment| &segment.condition));
            }
        }
    }
    found
}
