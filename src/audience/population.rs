//! The population: thresholds of rankings. They are read where they stand, and computed where they do not,
//! or where it is time for it: one pass over all contacts yields those of all rankings that do not rest
//! on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::{AudienceError, store_error};
use super::fingerprint::fingerprint;
use super::program::{VISITORS, compile};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::ContactView;
use crate::domain::history::History;
use crate::domain::population::{Population, Threshold};
use crate::domain::ranking::{Ranked, Ranking};
use crate::domain::schedule::Cadence;
use crate::domain::time::Timestamp;
use crate::evaluate::{Asked, Program, Scratch};
use crate::store::histories::{self, ContactVisitor};
use crate::store::ranks::{self, ThresholdKey};
use crate::store::{Result as StoreResult, Store};

/// By which thresholds places in rankings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranks {
    /// By those that stand; what was never ranked is ranked now, and stands from then on.
    Standing,
    /// By those that stand; in what was never ranked nobody has a place.
    Known,
    /// By those of the asked instant, which are kept nowhere.
    Anew,
}

/// The thresholds of a program.
pub(super) async fn of(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    program: &Program,
    ranks: Ranks,
    at: Timestamp,
) -> StoreResult<Population> {
    if program.ranked().is_empty() {
        return Ok(Population::default());
    }
    if ranks == Ranks::Anew {
        return rank(store, catalogue, settings, program.ranked(), BTreeMap::new(), at).await;
    }
    let keys = keys(catalogue, settings, program.ranked());
    let mut known = standing(store, &keys).await?;
    if known.len() < keys.len() && ranks == Ranks::Standing {
        let missing: Vec<_> =
            program.ranked().iter().filter(|ranked| !known.contains_key(*ranked)).cloned().collect();
        let ranked = rank(store, catalogue, settings, &missing, known, at).await?;
        let fresh = ranked.thresholds().filter(|(ranked, _)| missing.contains(ranked));
        ranks::write(store, &by_key(&keys, fresh), false).await?;
        // Somebody else may have been faster: all go by what stands.
        known = standing(store, &keys).await?;
    }
    Ok(known.into_iter().collect())
}

/// Ranks what is asked of the catalogue's segments and campaigns and was ranked so long ago that it is to be
/// ranked anew, or never. Returns whether a threshold became another, and when the next one is due.
pub async fn keep_ranks(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    cadence: &Cadence,
    now: Timestamp,
) -> Result<Kept, AudienceError> {
    keep(store, catalogue, settings, cadence, now)
        .await
        .map_err(AudienceError::while_doing("rank the contacts"))
}

/// What became of thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// How many were computed.
    pub computed: usize,
    /// Whether one of those that stood became another.
    pub changed: bool,
    /// When the next one is due.
    pub next: Option<Timestamp>,
}

async fn keep(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    cadence: &Cadence,
    now: Timestamp,
) -> StoreResult<Kept> {
    let zone = settings.time_zone;
    let program = compile(
        store,
        catalogue,
        settings,
        Asked { conditions: &all_conditions(catalogue), ..Asked::default() },
    )
    .await?;
    if program.ranked().is_empty() {
        return Ok(Kept::default());
    }
    let keys = keys(catalogue, settings, program.ranked());
    let mut known = standing(store, &keys).await?;
    let is_due =
        |ranked: &Ranked| known.get(ranked).is_none_or(|threshold| cadence.is_due(threshold.at, now, zone));
    let due: Vec<_> = program.ranked().iter().filter(|ranked| is_due(ranked)).cloned().collect();
    let mut changed = false;
    if !due.is_empty() {
        let before: BTreeMap<_, _> = due.iter().filter_map(|ranked| known.remove_entry(ranked)).collect();
        let all = rank(store, catalogue, settings, &due, known, now).await?;
        let fresh = || all.thresholds().filter(|(ranked, _)| due.contains(ranked));
        ranks::write(store, &by_key(&keys, fresh()), true).await?;
        changed = fresh().any(|(ranked, threshold)| {
            before.get(ranked).is_some_and(|before| before.bounds != threshold.bounds)
        });
        known = all.thresholds().map(|(ranked, threshold)| (ranked.clone(), *threshold)).collect();
    }
    let next = known.values().filter_map(|threshold| cadence.next_after(threshold.at, zone)).min();
    Ok(Kept { computed: due.len(), changed, next })
}

/// All conditions whose places in rankings are kept: segments, and whom campaigns ask for.
fn all_conditions(catalogue: &Catalogue) -> Vec<&Condition> {
    let segments = catalogue.segments.values().map(|segment| &segment.condition);
    let campaigns = catalogue.campaigns.values().flat_map(|campaign| {
        campaign.versions.iter().map(|version| &version.condition).chain([&campaign.audience])
    });
    segments.chain(campaigns).collect()
}

/// What each place is stored by.
fn keys(
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    ranked: &[Ranked],
) -> BTreeMap<Ranked, ThresholdKey> {
    let key = |ranked: &Ranked| {
        (ranked.to_string(), fingerprint(catalogue, settings, &Condition::Ranked(ranked.clone())))
    };
    ranked.iter().map(|ranked| (ranked.clone(), key(ranked))).collect()
}

fn by_key<'t>(
    keys: &BTreeMap<Ranked, ThresholdKey>,
    thresholds: impl Iterator<Item = (&'t Ranked, &'t Threshold)>,
) -> BTreeMap<ThresholdKey, Threshold> {
    thresholds.filter_map(|(ranked, threshold)| Some((keys.get(ranked)?.clone(), *threshold))).collect()
}

/// Those that stand.
async fn standing(
    store: &Store,
    keys: &BTreeMap<Ranked, ThresholdKey>,
) -> StoreResult<BTreeMap<Ranked, Threshold>> {
    let stored = ranks::all(store).await?;
    let threshold = |(ranked, key): (&Ranked, &ThresholdKey)| Some((ranked.clone(), *stored.get(key)?));
    Ok(keys.iter().filter_map(threshold).collect())
}

/// Ranks the contacts at `at`: the thresholds of these places, beside those that are known. `ranked` is in
/// such an order that what a place rests on comes before it.
async fn rank(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    ranked: &[Ranked],
    mut known: BTreeMap<Ranked, Threshold>,
    at: Timestamp,
) -> StoreResult<Population> {
    let mut left: Vec<&Ranked> = ranked.iter().collect();
    while !left.is_empty() {
        // Those that rest on nothing that is still to be ranked: one pass for them all.
        let mut rankings: Vec<Ranking> = Vec::new();
        for one in &left {
            let asked = Asked { rankings: std::slice::from_ref(&one.ranking), ..Asked::default() };
            let program = compile(store, catalogue, settings, asked).await?;
            if program.ranked().iter().all(|below| !left.contains(&below)) && !rankings.contains(&one.ranking)
            {
                rankings.push(one.ranking.clone());
            }
        }
        // A valid catalogue has no circle; of another one nobody is asked twice.
        let (now, later): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|one| rankings.is_empty() || rankings.contains(&one.ranking));
        let population: Population =
            known.iter().map(|(ranked, threshold)| (ranked.clone(), *threshold)).collect();
        let asked = Asked { rankings: &rankings, ..Asked::default() };
        let program = compile(store, catalogue, settings, asked).await?;
        let visitors = (0..VISITORS).map(|_| Ranker {
            program: Arc::clone(&program),
            scratch: Scratch::default(),
            population: population.clone(),
            at,
            values: vec![Vec::new(); rankings.len()],
        });
        let visitors =
            histories::visit_all(store, &program.needs(at), visitors.collect()).await.map_err(store_error)?;
        let mut values: Vec<Vec<i64>> = vec![Vec::new(); rankings.len()];
        for visitor in visitors {
            for (all, more) in values.iter_mut().zip(visitor.values) {
                if all.is_empty() {
                    *all = more;
                } else {
                    all.reserve_exact(more.len());
                    all.extend(more);
                }
            }
        }
        for one in now {
            let place = rankings.iter().position(|ranking| *ranking == one.ranking);
            let values = place.and_then(|place| values.get_mut(place)).map_or(&mut [][..], Vec::as_mut_slice);
            let threshold = Threshold { at, contacts: values.len() as u64, bounds: one.bounds(values) };
            known.insert(one.clone(), threshold);
        }
        left = later;
    }
    Ok(known.into_iter().collect())
}

/// Notes what contacts are ranked by: 8 bytes a contact and ranking.
struct Ranker {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    at: Timestamp,
    values: Vec<Vec<i64>>,
}

impl ContactVisitor for Ranker {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.at);
        for (values, rank) in self.values.iter_mut().zip(evaluation.ranks) {
            values.extend(*rank);
        }
        Ok(())
    }
}

/// What the answers of each of these conditions rest on but data, as one text a condition: its declaration and,
/// behind a space, the thresholds of the places in rankings that it asks for. And the thresholds of them all.
pub(super) async fn fingerprints(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    conditions: &[&Condition],
    ranks: Ranks,
    now: Timestamp,
) -> StoreResult<(Vec<String>, Population)> {
    let program = compile(store, catalogue, settings, Asked { conditions, ..Asked::default() }).await?;
    let population = of(store, catalogue, settings, &program, ranks, now).await?;
    let rests_on_ranks = !program.ranked().is_empty();
    let mut fingerprints = Vec::with_capacity(conditions.len());
    for condition in conditions {
        let mut text = fingerprint(catalogue, settings, condition);
        if rests_on_ranks {
            let asked = Asked { conditions: &[condition], ..Asked::default() };
            let program = compile(store, catalogue, settings, asked).await?;
            if let Some(digest) = digest(program.ranked(), &population) {
                text += " ";
                text += &digest;
            }
        }
        fingerprints.push(text);
    }
    Ok((fingerprints, population))
}

/// Of a text of [`fingerprints`], the part of the declaration.
pub(super) fn of_declaration(fingerprint: &str) -> &str {
    fingerprint.split(' ').next().unwrap_or_default()
}

/// The bounds of places in rankings, as a short text; `None`: there are no places.
fn digest(ranked: &[Ranked], population: &Population) -> Option<String> {
    if ranked.is_empty() {
        return None;
    }
    let distinct: BTreeSet<&Ranked> = ranked.iter().collect();
    let mut text = String::new();
    for ranked in distinct {
        let bounds = population.threshold(ranked).and_then(|threshold| threshold.bounds);
        let _ = writeln!(text, "{ranked}: {bounds:?}");
    }
    let digest = Sha256::digest(text);
    Some(digest.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
