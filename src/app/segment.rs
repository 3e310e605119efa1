//! Who is in a segment: how many, which share, some of them, and who came and went lately.

use std::time::Duration;

use crate::audience::{self, Surveyed};
use crate::domain::condition::Condition;
use crate::domain::contact::{Contact, ContactId};
use crate::domain::membership::EntryCause;
use crate::domain::name::SegmentName;
use crate::domain::number::Number;
use crate::domain::population::Threshold;
use crate::domain::ranking::{Place, Ranked};
use crate::domain::time::Timestamp;
use crate::domain::value::ValueType;
use crate::evaluate::{Asked, Program};
use crate::store::{contacts, memberships};

use super::installation::unknown;
use super::{Failure, Installation};

pub use crate::audience::{Ranks, Values};

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
    /// Whether contacts should have been ranked anew since then: no daemon did, and nothing was sent.
    pub is_overdue: bool,
    /// How many contacts were ranked.
    pub contacts: u64,
    /// The values that are in; `None`: nobody is.
    pub bounds: Option<RankBounds>,
}

/// The values that a place in a ranking has; `None`: without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankBounds {
    /// Where they begin.
    pub from: Option<RankEdge>,
    /// Where they end.
    pub to: Option<RankEdge>,
}

/// The first or the last value of a place in a ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankEdge {
    /// The value.
    pub value: RankValue,
    /// Whether it is in, and not the first one of the next place.
    pub is_in: bool,
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
    /// Some members, spread evenly, with the values that the condition asks for; the same each time.
    pub sample: Values,
    /// The other segments, by name.
    pub overlaps: Vec<Overlap>,
    /// Who entered, as the daemon saw it; of everyone nobody keeps it.
    pub entered: Option<Passages>,
    /// Who left, as the daemon saw it.
    pub left: Option<Passages>,
}

/// Another segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Which.
    pub name: SegmentName,
    /// Who is in it.
    pub members: u64,
    /// Who is in both.
    pub both: u64,
}

/// Who came or went lately.
#[derive(Debug, Clone, PartialEq)]
pub struct Passages {
    /// How many within 24 hours, 7 days and 30 days before the asked instant; [`LATELY`].
    pub counts: [u64; 3],
    /// The latest, latest first, with why they entered.
    pub latest: Vec<(Timestamp, Contact, Option<EntryCause>)>,
}

/// In how much time passages are counted.
pub const LATELY: [Duration; 3] =
    [Duration::from_hours(24), Duration::from_hours(7 * 24), Duration::from_hours(30 * 24)];

/// The sizes of all segments at `at`, by name; from one pass over all contacts.
pub async fn sizes(
    installation: &Installation,
    ranks: Ranks,
    at: Timestamp,
) -> Result<Vec<SegmentSize>, Failure> {
    let segments = &installation.project.catalogue.segments;
    let others: Vec<&Condition> = segments.values().map(|segment| &segment.condition).collect();
    let surveyed = surveyed(installation, &Condition::Everyone, &others, ranks, at).await?;
    let sizes = segments.iter().zip(&surveyed.others).map(|((name, segment), other)| {
        let thresholds = surveyed.population.thresholds();
        let own = thresholds.filter(|(ranked, _)| other.ranked.contains(ranked));
        SegmentSize {
            name: name.to_string(),
            description: segment.description.clone(),
            contacts: surveyed.contacts,
            members: other.members,
            ranks: rank_views(installation, own),
        }
    });
    Ok(sizes.collect())
}

/// As [`sizes`], and at last everyone.
pub async fn all_sizes(
    installation: &Installation,
    ranks: Ranks,
    at: Timestamp,
) -> Result<Vec<SegmentSize>, Failure> {
    let mut all = sizes(installation, ranks, at).await?;
    let contacts = match all.first() {
        Some(size) => size.contacts,
        None => contacts::count(&installation.store).await.map_err(|error| installation.failed(error))?,
    };
    let (name, members) = (EVERYONE.to_owned(), contacts);
    all.push(SegmentSize { name, description: None, contacts, members, ranks: Vec::new() });
    Ok(all)
}

/// A segment of the catalogue by its name, or `everyone`.
fn named(installation: &Installation, name: &str) -> Result<(SegmentName, Condition), Failure> {
    let segments = &installation.project.catalogue.segments;
    let known = segments.keys().map(SegmentName::as_str).chain([EVERYONE]);
    let parsed = SegmentName::parse(name).map_err(|_| unknown("segment", name, known.clone()))?;
    match segments.get(&parsed) {
        Some(_) => Ok((parsed.clone(), Condition::Segment(parsed))),
        None if name == EVERYONE => Ok((parsed, Condition::Everyone)),
        None => Err(unknown("segment", name, known)),
    }
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
    let (name, condition) = named(installation, name)?;
    let others: Vec<_> = segments.iter().filter(|(other, _)| **other != name).collect();
    let conditions: Vec<&Condition> = others.iter().map(|(_, segment)| &segment.condition).collect();
    let surveyed = surveyed(installation, &condition, &conditions, ranks, at).await?;
    let drawn = audience::drawn(&surveyed.members, sample as usize);
    let asked = segments.get(&name).map_or(&condition, |segment| &segment.condition);
    let own = places(installation, asked);
    let thresholds = surveyed.population.thresholds();
    Ok(SegmentView {
        size: SegmentSize {
            description: segments.get(&name).and_then(|segment| segment.description.clone()),
            contacts: surveyed.contacts,
            members: surveyed.members.len() as u64,
            ranks: rank_views(installation, thresholds.filter(|(ranked, _)| own.contains(ranked))),
            name: name.to_string(),
        },
        at,
        sample: values(installation, asked, &drawn, at).await?,
        overlaps: others
            .iter()
            .zip(&surveyed.others)
            .map(|((name, _), other)| Overlap {
                name: (*name).clone(),
                members: other.members,
                both: other.both,
            })
            .collect(),
        entered: passages(installation, &name, true, sample, at).await?,
        left: passages(installation, &name, false, sample, at).await?,
    })
}

/// All members of a segment, to be read some at a time.
#[derive(Debug)]
pub struct Members<'a> {
    installation: &'a Installation,
    condition: Condition,
    at: Timestamp,
    left: std::vec::IntoIter<ContactId>,
}

/// So many members are held in memory at once, whole.
const SOME: usize = 2_000;

impl<'a> Members<'a> {
    /// The members of a segment at `at`.
    pub async fn of(
        installation: &'a Installation,
        name: &str,
        ranks: Ranks,
        at: Timestamp,
    ) -> Result<Self, Failure> {
        let (name, condition) = named(installation, name)?;
        let surveyed = surveyed(installation, &condition, &[], ranks, at).await?;
        let segment = installation.project.catalogue.segments.get(&name);
        let condition = segment.map_or(condition, |segment| segment.condition.clone());
        Ok(Self { installation, condition, at, left: surveyed.members.into_iter() })
    }

    /// The next of them, with the values that the condition asks for; at the end nobody.
    pub async fn take_some(&mut self) -> Result<Values, Failure> {
        let some: Vec<ContactId> = self.left.by_ref().take(SOME).collect();
        values(self.installation, &self.condition, &some, self.at).await
    }
}

async fn surveyed(
    installation: &Installation,
    condition: &Condition,
    others: &[&Condition],
    ranks: Ranks,
    at: Timestamp,
) -> Result<Surveyed, Failure> {
    let (catalogue, settings) = (&installation.project.catalogue, installation.project.evaluation_settings());
    audience::survey(&installation.store, catalogue, settings, (condition, others), ranks, at)
        .await
        .map_err(|error| installation.audience_failed(error))
}

async fn values(
    installation: &Installation,
    condition: &Condition,
    contacts: &[ContactId],
    at: Timestamp,
) -> Result<Values, Failure> {
    let (catalogue, settings) = (&installation.project.catalogue, installation.project.evaluation_settings());
    audience::values(&installation.store, catalogue, settings, condition, contacts, at)
        .await
        .map_err(|error| installation.audience_failed(error))
}

/// The places in rankings that a condition rests on.
fn places(installation: &Installation, condition: &Condition) -> Vec<Ranked> {
    let (catalogue, settings) = (&installation.project.catalogue, installation.project.evaluation_settings());
    let asked = Asked { conditions: &[condition], ..Asked::default() };
    Program::compile(catalogue, settings, &asked, &|_| None).ranked().to_vec()
}

fn rank_views<'p>(
    installation: &Installation,
    thresholds: impl Iterator<Item = (&'p Ranked, &'p Threshold)>,
) -> Vec<RankView> {
    let traits = &installation.project.catalogue.traits;
    let views = thresholds.map(|(ranked, threshold)| {
        let is_instant =
            traits.get(&ranked.ranking.by).is_some_and(|declared| declared.value_type == ValueType::Datetime);
        let value = |number| {
            if is_instant {
                RankValue::Instant(Timestamp::from_micros(number))
            } else {
                RankValue::Number(Number::from_millionths(number))
            }
        };
        // A quintile ends where the next better one begins, with a value that somebody had.
        let is_quintile = matches!(ranked.place, Place::Quintile(_));
        let edge = |number: i64, towards_better: i64| RankEdge {
            value: value(number.saturating_add(if is_quintile { towards_better } else { 0 })),
            is_in: !is_quintile || towards_better == 0,
        };
        let (down, up) = if ranked.lowest { (-1, 0) } else { (0, 1) };
        let bounds = threshold.bounds.map(|bounds| RankBounds {
            from: (bounds.from > i64::MIN).then(|| edge(bounds.from, down)),
            to: (bounds.to < i64::MAX).then(|| edge(bounds.to, up)),
        });
        let settings = &installation.project.settings;
        let is_overdue =
            settings.refresh_ranks.is_due(threshold.at, installation.clock.now(), settings.time_zone);
        let (place, ranked_at) = (ranked.to_string(), threshold.at);
        RankView { place, ranked_at, is_overdue, contacts: threshold.contacts, bounds }
    });
    views.collect()
}

/// Who came, or who went; of everyone nobody keeps it.
async fn passages(
    installation: &Installation,
    name: &SegmentName,
    entered: bool,
    most: u32,
    at: Timestamp,
) -> Result<Option<Passages>, Failure> {
    let (store, failed) = (&installation.store, |error| installation.failed(error));
    if !installation.project.catalogue.segments.contains_key(name) {
        return Ok(None);
    }
    let known = memberships::ensure_segments(store, std::slice::from_ref(name)).await.map_err(failed)?;
    let Some(known) = known.first() else { return Ok(None) };
    let latest = memberships::lately(store, known.id, entered, most, at).await.map_err(failed)?;
    let mut counts = [0; 3];
    for (count, lately) in counts.iter_mut().zip(LATELY) {
        let stretch = (at.minus(lately), at);
        *count = memberships::count_passages(store, known.id, entered, stretch).await.map_err(failed)?;
    }
    let numbers: Vec<ContactId> = latest.iter().map(|passage| passage.contact).collect();
    let found = contacts::by_numbers(store, &numbers).await.map_err(failed)?;
    let contact = |number| found.iter().find(|contact| contact.id == number).cloned();
    let latest = latest
        .iter()
        .filter_map(|passage| Some((passage.at, contact(passage.contact)?, passage.cause)))
        .collect();
    Ok(Some(Passages { counts, latest }))
}
