//! Scores of contacts at past instants, and how they are spread over levels.
//!
//! At a past instant the events are those of then. A report looks at [`SAMPLE`] contacts at most, drawn
//! evenly and the same ones each time: with as many, a share is known to within one percent.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::levels::{DAYS_AFTER, LevelCount, LevelHistory, LevelMoment, LevelShift};
use super::outcome::{CampaignReport, Report};
use crate::domain::calendar;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::delivery::RunId;
use crate::domain::history::History;
use crate::domain::name::ScoreName;
use crate::domain::population::Population;
use crate::domain::score::{Score, ScoreValue};
use crate::domain::time::{Timestamp, Zone};
use crate::evaluate::{Asked, Program, Scratch};
use crate::store::figures::recipients;
use crate::store::histories::{self, ContactVisitor, VisitError};
use crate::store::{Result, Store, events};

/// At most so many contacts are looked at for one figure.
pub const SAMPLE: u64 = 20_000;
/// At so many instants everybody is looked at.
const MOMENTS: u64 = 7;

/// What is declared, and as of when.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'a> {
    /// The scores, and what campaigns are for.
    pub catalogue: &'a Catalogue,
    /// The installation's choices.
    pub settings: EvaluationSettings,
    /// Now. A report on runs of a clock that is ahead looks from their last one.
    pub now: Timestamp,
}

impl Report {
    /// Says of every campaign what it is for.
    pub fn describe(&mut self, catalogue: &Catalogue) {
        for campaign in &mut self.campaigns {
            let declared = catalogue.campaigns.get(&campaign.name);
            campaign.description = declared.and_then(|declared| declared.description.clone());
        }
    }

    /// Adds to every campaign how its recipients are spread over the levels of each score.
    pub async fn add_shifts(&mut self, store: &Store, declared: Declared<'_>) -> Result<()> {
        let now = self.as_of(declared.now);
        for campaign in &mut self.campaigns {
            campaign.levels = shifts(store, campaign, declared, now).await?;
        }
        Ok(())
    }

    /// Adds how all contacts are spread over the levels of each score, from the first run on.
    pub async fn add_history(&mut self, store: &Store, declared: Declared<'_>) -> Result<()> {
        let now = self.as_of(declared.now);
        let first = self.runs().map(|report| report.run.due_at).min();
        self.levels = match first {
            Some(first) => history(store, first, now, declared).await?,
            None => Vec::new(),
        };
        Ok(())
    }

    fn as_of(&self, now: Timestamp) -> Timestamp {
        self.runs().map(|report| report.run.due_at).fold(now, Timestamp::max)
    }
}

/// Whose campaigns they are: the name in the sender of the first that has one.
pub fn sender(catalogue: &Catalogue) -> Option<&str> {
    catalogue.campaigns.values().find_map(|campaign| campaign.from.name.as_deref())
}

async fn shifts(
    store: &Store,
    campaign: &CampaignReport,
    declared: Declared<'_>,
    now: Timestamp,
) -> Result<Vec<LevelShift>> {
    let scores = levelled(declared.catalogue);
    if scores.is_empty() {
        return Ok(Vec::new());
    }
    let runs: Vec<RunId> = campaign.runs.iter().map(|report| report.run.id).collect();
    let drawn = recipients::first_mails(store, &runs, SAMPLE).await?;
    let after = |due: Timestamp| now.min(due.plus(Duration::from_hours(DAYS_AFTER * 24)));
    let instants = drawn.contacts.iter().map(|(contact, due)| (*contact, vec![*due, after(*due)])).collect();
    let seen = look(store, declared, &scores, instants).await?;
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    let shift = |(index, (name, score)): (usize, &(ScoreName, &Score))| {
        let mut shift = LevelShift {
            score: name.as_str().to_owned(),
            levels: names(score).map(|level| LevelCount { level, before: 0, after: 0 }).collect(),
            contacts: 0,
            recipients: drawn.all,
            rose: 0,
            fell: 0,
            mean_before: 0.0,
            mean_after: 0.0,
        };
        for values in &seen {
            let (Some(before), Some(after)) = (values[0][index], values[1][index]) else { continue };
            let (from, to) = (place(before), place(after));
            shift.levels[from].before += 1;
            shift.levels[to].after += 1;
            shift.contacts += 1;
            shift.rose += u64::from(to > from);
            shift.fell += u64::from(to < from);
            shift.mean_before += before.value;
            shift.mean_after += after.value;
        }
        let contacts = shift.contacts.max(1) as f64;
        shift.mean_before /= contacts;
        shift.mean_after /= contacts;
        without_an_empty_bottom(&mut shift.levels, |level| level.before + level.after);
        shift
    };
    Ok(scores.iter().enumerate().map(shift).collect())
}

async fn history(
    store: &Store,
    first: Timestamp,
    now: Timestamp,
    declared: Declared<'_>,
) -> Result<Vec<LevelHistory>> {
    let scores = levelled(declared.catalogue);
    let moments = moments(first, now, declared.settings.time_zone);
    if scores.is_empty() || moments.len() < 2 {
        return Ok(Vec::new());
    }
    let drawn = recipients::anybody(store, SAMPLE).await?;
    let instants = drawn.contacts.iter().map(|contact| (*contact, moments.clone())).collect();
    let seen = look(store, declared, &scores, instants).await?;
    let history = |(index, (name, score)): (usize, &(ScoreName, &Score))| {
        let mut rows: Vec<(String, Vec<u64>)> =
            names(score).map(|level| (level, vec![0; moments.len()])).collect();
        let mut means = vec![0.0; moments.len()];
        let (mut rose, mut fell) = (vec![0; moments.len()], vec![0; moments.len()]);
        for values in &seen {
            let mut last = None;
            for (moment, values) in values.iter().enumerate() {
                let Some(value) = values[index] else { continue };
                rows[place(value)].1[moment] += 1;
                means[moment] += value.value;
                rose[moment] += u64::from(last.is_some_and(|last| place(value) > last));
                fell[moment] += u64::from(last.is_some_and(|last| place(value) < last));
                last = Some(place(value));
            }
        }
        without_an_empty_bottom(&mut rows, |(_, counts)| counts.iter().sum());
        let contacts = seen.len() as u64;
        let moment = |(index, at): (usize, &Timestamp)| LevelMoment {
            at: *at,
            contacts: rows.iter().map(|(_, counts)| counts[index]).collect(),
            mean: means[index] / contacts.max(1) as f64,
            rose: rose[index],
            fell: fell[index],
        };
        LevelHistory {
            score: name.as_str().to_owned(),
            moments: moments.iter().enumerate().map(moment).collect(),
            levels: rows.into_iter().map(|(level, _)| level).collect(),
            contacts,
            of: drawn.all,
        }
    };
    Ok(scores.iter().enumerate().map(history).collect())
}

/// The scores that have levels.
fn levelled(catalogue: &Catalogue) -> Vec<(ScoreName, &Score)> {
    let scores = catalogue.scores.iter().filter(|(_, score)| !score.levels.is_empty());
    scores.map(|(name, score)| (name.clone(), score)).collect()
}

/// The names of a score's levels; before them an empty one, for values below the lowest.
fn names(score: &Score) -> impl Iterator<Item = String> {
    std::iter::once(String::new()).chain(score.levels.iter().map(|level| level.name.clone()))
}

/// The place of a value among [`names`].
fn place(value: ScoreValue) -> usize {
    value.level.map_or(0, |level| level + 1)
}

fn without_an_empty_bottom<T>(levels: &mut Vec<T>, count: impl Fn(&T) -> u64) {
    if levels.first().is_some_and(|below| count(below) == 0) {
        levels.remove(0);
    }
}

/// Days from the first run until now, as many apart as it takes; the last is now.
fn moments(first: Timestamp, now: Timestamp, zone: Zone) -> Vec<Timestamp> {
    let (first, last) = (calendar::day_of(first, zone), calendar::day_of(now, zone));
    let days = last.signed_duration_since(first).num_days().unsigned_abs();
    let step = days.div_ceil(MOMENTS - 1).max(1);
    let mut moments: Vec<Timestamp> = (0..MOMENTS)
        .filter_map(|moment| first.checked_add_days(chrono::Days::new(moment * step)))
        .map(|day| calendar::day_start(day, zone))
        .take_while(|moment| *moment < now)
        .collect();
    moments.push(now);
    moments
}

/// The values of scores by instant and score.
type Values = Vec<Vec<Option<ScoreValue>>>;

/// The scores of contacts, each at its own instants, in the order of the contacts' numbers.
async fn look(
    store: &Store,
    declared: Declared<'_>,
    scores: &[(ScoreName, &Score)],
    instants: HashMap<ContactId, Vec<Timestamp>>,
) -> Result<Vec<Values>> {
    let Some(earliest) = instants.values().flatten().min().copied() else { return Ok(Vec::new()) };
    let names = events::names(store).await?;
    let asked: Vec<ScoreName> = scores.iter().map(|(name, _)| name.clone()).collect();
    let asked = Asked { scores: &asked, ..Asked::default() };
    let program = Program::compile(declared.catalogue, declared.settings, &asked, &|name: &str| {
        names.get(name).copied()
    });
    // What is needed at the earliest instant is enough for all later ones.
    let needs = program.needs(earliest);
    let mut contacts: Vec<ContactId> = instants.keys().copied().collect();
    contacts.sort_unstable();
    let looker =
        Looker { program: Arc::new(program), scratch: Scratch::default(), instants, seen: Vec::new() };
    match histories::visit_some(store, &contacts, &needs, looker).await {
        Ok(looker) => Ok(looker.seen),
        Err(VisitError::Store(error)) => Err(error),
        Err(VisitError::Visitor(never)) => match never {},
    }
}

struct Looker {
    program: Arc<Program>,
    scratch: Scratch,
    instants: HashMap<ContactId, Vec<Timestamp>>,
    seen: Vec<Values>,
}

impl ContactVisitor for Looker {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let Some(instants) = self.instants.get(&contact.id) else { return Ok(()) };
        // Scores rest on nobody else.
        let population = Population::default();
        let values = instants.iter().map(|at| {
            self.program.evaluate(&mut self.scratch, contact, history, &population, *at).scores.to_vec()
        });
        self.seen.push(values.collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_whole_days_apart_and_end_now() {
        let zone = chrono_tz::Europe::Paris;
        let at = |text: &str| calendar::resolve(text.parse().expect("a local time"), zone);
        let shown = |first: &str, now: &str| {
            let moments = moments(at(first), at(now), zone);
            let local = |at: &Timestamp| calendar::local(*at, zone).format("%m-%d %H:%M").to_string();
            moments.iter().map(local).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(
            shown("2027-02-01T09:00:00", "2027-04-02T00:00:00"),
            "02-01 00:00, 02-11 00:00, 02-21 00:00, 03-03 00:00, 03-13 00:00, 03-23 00:00, 04-02 00:00"
        );
        assert_eq!(shown("2027-02-01T09:00:00", "2027-02-01T09:30:00"), "02-01 00:00, 02-01 09:30");
        assert_eq!(
            shown("2027-02-01T09:00:00", "2027-02-02T12:00:00"),
            "02-01 00:00, 02-02 00:00, 02-02 12:00"
        );
    }
}
