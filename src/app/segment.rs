//! Who is in a segment: how many, which share, some of them, and who came and went lately.

use crate::audience;
use crate::domain::catalogue::Segment;
use crate::domain::condition::Condition;
use crate::domain::contact::{Contact, ContactId};
use crate::domain::name::SegmentName;
use crate::domain::number::Number;
use crate::domain::population::Population;
use crate::domain::time::Timestamp;
use crate::domain::value::ValueType;
use crate::store::{contacts, memberships};

use super::installation::unknown;
use super::{Failure, Installation};

pub use crate::audience::Ranks;

/// The segment that is built in.
const EVERYONE: &str = "everyone";

/// A segment's size at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSize {
    /// Which.
    pub name: String,
    /// What it means, for people.
    pub description: Option<String>,
    /// All contacts.
    pub contacts: u64,
    /// Those in it.
    pub members: u64,
    /// The places in rankings that it rests on.
    pub ranks: Vec<RankView>,
}

/// A place in a ranking: who is in, by the last ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankView {
    /// What it is: `spend_12m top 10%`.
    pub place: String,
    /// The instant of the ranking.
    pub ranked_at: Timestamp,
    /// How many contacts were ranked.
    pub contacts: u64,
    /// The values that are in; `None`: nobody is.
    pub bounds: Option<RankBounds>,
}

/// The values that a place in a ranking has, both included; `None`: without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankBounds {
    /// The least.
    pub from: Option<RankValue>,
    /// The greatest.
    pub to: Option<RankValue>,
}

/// A value by which contacts are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankValue {
    /// A number.
    Number(Number),
    /// An instant.
    Instant(Timestamp),
}

/// A segment, looked at closely.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentView {
    /// Its size.
    pub size: SegmentSize,
    /// When it was looked at.
    pub at: Timestamp,
    /// Some members, spread evenly; the same each time.
    pub sample: Vec<Contact>,
    /// Who entered last, latest first; as the daemon saw it.
    pub entered: Vec<(Timestamp, Contact)>,
    /// Who left last, latest first; as the daemon saw it.
    pub left: Vec<(Timestamp, Contact)>,
}

/// The sizes of all segments at `at`, by name.
pub async fn sizes(
    installation: &Installation,
    ranks: Ranks,
    at: Timestamp,
) -> Result<Vec<SegmentSize>, Failure> {
    let mut sizes = Vec::new();
    for (name, segment) in &installation.project.catalogue.segments {
        sizes.push(counted(installation, name, Some(segment), 0, (ranks, at)).await?.0);
    }
    Ok(sizes)
}

/// One segment at `at`, with at most `sample` members of it and as many who came and went.
pub async fn view(
    installation: &Installation,
    name: &str,
    sample: u32,
    ranks: Ranks,
    at: Timestamp,
) -> Result<SegmentView, Failure> {
    let segments = &installation.project.catalogue.segments;
    let parsed = SegmentName::parse(name).ok();
    let segment = parsed.as_ref().and_then(|name| segments.get(name));
    let known = || segments.keys().map(SegmentName::as_str).chain([EVERYONE]);
    let name = parsed
        .filter(|name| segment.is_some() || name.as_str() == EVERYONE)
        .ok_or_else(|| unknown("segment", name, known()))?;

    let (size, members) = counted(installation, &name, segment, sample, (ranks, at)).await?;
    let store = &installation.store;
    let failed = |error| installation.failed(error);
    let (mut entered, mut left) = (Vec::new(), Vec::new());
    // Of everyone nobody keeps who came and went.
    let kept: &[_] = if segment.is_some() { std::slice::from_ref(&name) } else { &[] };
    if let Some(known) = memberships::ensure_segments(store, kept).await.map_err(failed)?.first() {
        entered = memberships::lately_entered(store, known.id, sample).await.map_err(failed)?;
        left = memberships::lately_left(store, known.id, sample).await.map_err(failed)?;
    }
    Ok(SegmentView {
        size,
        at,
        sample: contacts::by_numbers(store, &members).await.map_err(failed)?,
        entered: passages(installation, entered).await?,
        left: passages(installation, left).await?,
    })
}

async fn counted(
    installation: &Installation,
    name: &SegmentName,
    segment: Option<&Segment>,
    sample: u32,
    (ranks, at): (Ranks, Timestamp),
) -> Result<(SegmentSize, Vec<ContactId>), Failure> {
    let condition = segment.map_or(Condition::Everyone, |_| Condition::Segment(name.clone()));
    let counted = audience::count_and_sample(
        &installation.store,
        &installation.project.catalogue,
        installation.project.evaluation_settings(),
        &condition,
        sample as usize,
        ranks,
        at,
    )
    .await
    .map_err(|error| installation.audience_failed(error))?;
    let size = SegmentSize {
        name: name.to_string(),
        description: segment.and_then(|segment| segment.description.clone()),
        contacts: counted.contacts,
        members: counted.members,
        ranks: rank_views(installation, &counted.population),
    };
    Ok((size, counted.sample))
}

fn rank_views(installation: &Installation, population: &Population) -> Vec<RankView> {
    let traits = &installation.project.catalogue.traits;
    let views = population.thresholds().map(|(ranked, threshold)| {
        let is_instant =
            traits.get(&ranked.ranking.by).is_some_and(|declared| declared.value_type == ValueType::Datetime);
        let value = |number| {
            if is_instant {
                RankValue::Instant(Timestamp::from_micros(number))
            } else {
                RankValue::Number(Number::from_millionths(number))
            }
        };
        let bounds = threshold.bounds.map(|bounds| RankBounds {
            from: (bounds.from > i64::MIN).then(|| value(bounds.from)),
            to: (bounds.to < i64::MAX).then(|| value(bounds.to)),
        });
        RankView { place: ranked.to_string(), ranked_at: threshold.at, contacts: threshold.contacts, bounds }
    });
    views.collect()
}

async fn passages(
    installation: &Installation,
    passages: Vec<memberships::Passage>,
) -> Result<Vec<(Timestamp, Contact)>, Failure> {
    let numbers: Vec<ContactId> = passages.iter().map(|passage| passage.contact).collect();
    let found = contacts::by_numbers(&installation.store, &numbers)
        .await
        .map_err(|error| installation.failed(error))?;
    let contact = |number| found.iter().find(|contact| contact.id == number).cloned();
    Ok(passages.iter().filter_map(|passage| Some((passage.at, contact(passage.contact)?))).collect())
}
