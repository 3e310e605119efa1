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

/// What is evaluated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group<'a> {
    /// Everything that has no time of its own.
    Shared,
    /// This segment, which has one.
    Alone(&'a SegmentName),
}

impl<'a> Group<'a> {
    /// The group of something that is kept.
    pub(super) fn of(catalogue: &Catalogue, kept: &'a Kept) -> Self {
        match kept {
            Kept::Segment(name) if catalogue.segments.get(name).is_some_and(|one| one.refresh.is_some()) => {
                Self::Alone(name)
            }
            Kept::Segment(_) | Kept::Audience(_) => Self::Shared,
        }
    }
}

/// What is evaluated when the settings say so.
pub fn shared(catalogue: &Catalogue) -> Vec<Kept> {
    kept(catalogue).into_iter().filter(|kept| Group::of(catalogue, kept) == Group::Shared).collect()
}

/// The segments with a time of their own, in the order of names.
pub fn with_own_time(catalogue: &Catalogue) -> impl Iterator<Item = (&SegmentName, &Cadence)> {
    catalogue.segments.iter().filter_map(|(name, segment)| Some((name, segment.refresh.as_ref()?)))
}

/// The segments that a campaign's audience and versions name, directly or by way of others.
pub fn segments_of(catalogue: &Catalogue, campaign: &Campaign) -> BTreeSet<SegmentName> {
    let named = |part: &Condition| match part {
        Condition::Segment(name) => Some(name.clone()),
        Condition::Ranked(ranked) => ranked.ranking.among.clone(),
        _ => None,
    };
    catalogue.parts_of(campaign.conditions()).into_iter().filter_map(named).collect()
}
