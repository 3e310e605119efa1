//! The population: thresholds of rankings. They are read where they stand, and computed where they do not,
//! or where it is time for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::error::AudienceError;
use super::fingerprint::fingerprint;
use super::groups::Group;
use super::ranking::rank;
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::population::{Population, Threshold};
use crate::domain::ranking::Ranked;
use crate::domain::schedule::Cadence;
use crate::domain::time::Timestamp;
use crate::evaluate::Program;
use crate::store::memberships::Kept;
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
    population(store, catalogue, settings, program.ranked().iter().collect(), ranks, at).await
}

async fn population(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    ranked: BTreeSet<&Ranked>,
    ranks: Ranks,
    at: Timestamp,
) -> StoreResult<Population> {
    if ranked.is_empty() {
        return Ok(Population::default());
    }
    if ranks == Ranks::Anew {
        let ranked = rank(store, catalogue, settings, ranked, BTreeMap::new(), at).await?;
        return Ok(ranked.into_iter().collect());
    }
    let keys = keys(catalogue, settings, &ranked);
    let mut known = standing(store, &keys).await?;
    let missing: BTreeSet<_> = ranked.into_iter().filter(|ranked| !known.contains_key(*ranked)).collect();
    if ranks == Ranks::Standing && !missing.is_empty() {
        let ranked = rank(store, catalogue, settings, missing.clone(), known, at).await?;
        let fresh = ranked.into_iter().filter(|(ranked, _)| missing.contains(ranked));
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
) -> Result<KeptRanks, AudienceError> {
    keep(store, catalogue, settings, cadence, now)
        .await
        .map_err(AudienceError::while_doing("rank the contacts"))
}

/// What became of thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptRanks {
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
) -> StoreResult<KeptRanks> {
    let zone = settings.time_zone;
    let segments = catalogue.segments.values().map(|segment| &segment.condition);
    let campaigns = catalogue.campaigns.values().flat_map(Campaign::conditions);
    let ranked = catalogue.ranked_in(segments.chain(campaigns));
    if ranked.is_empty() {
        return Ok(KeptRanks::default());
    }
    let keys = keys(catalogue, settings, &ranked);
    let mut known = standing(store, &keys).await?;
    let is_due =
        |ranked: &Ranked| known.get(ranked).is_none_or(|threshold| cadence.is_due(threshold.at, now, zone));
    let due: BTreeSet<_> = ranked.into_iter().filter(|ranked| is_due(ranked)).collect();
    let (computed, mut changed) = (due.len(), false);
    if !due.is_empty() {
        let before: BTreeMap<_, _> = due.iter().filter_map(|ranked| known.remove_entry(*ranked)).collect();
        known = rank(store, catalogue, settings, due.clone(), known, now).await?;
        let fresh = known.clone().into_iter().filter(|(ranked, _)| due.contains(ranked));
        ranks::write(store, &by_key(&keys, fresh), true).await?;
        let is_other = |(ranked, before): (&Ranked, &Threshold)| {
            known.get(ranked).is_some_and(|threshold| threshold.bounds != before.bounds)
        };
        changed = before.iter().any(is_other);
    }
    let next = known.values().filter_map(|threshold| cadence.next_after(threshold.at, zone)).min();
    Ok(KeptRanks { computed, changed, next })
}

/// What each place is stored by.
fn keys(
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    ranked: &BTreeSet<&Ranked>,
) -> BTreeMap<Ranked, ThresholdKey> {
    let key = |ranked: &Ranked| {
        (ranked.to_string(), fingerprint(catalogue, settings, &Condition::Ranked(ranked.clone())))
    };
    ranked.iter().map(|ranked| ((*ranked).clone(), key(ranked))).collect()
}

fn by_key(
    keys: &BTreeMap<Ranked, ThresholdKey>,
    thresholds: impl Iterator<Item = (Ranked, Threshold)>,
) -> BTreeMap<ThresholdKey, Threshold> {
    thresholds.filter_map(|(ranked, threshold)| Some((keys.get(&ranked)?.clone(), threshold))).collect()
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

/// What the kept answers of each of these conditions rest on but data, as one text a condition: its declaration;
/// behind a space, the thresholds of the places in rankings that it asks for; [`ALONE`] where it is evaluated by
/// itself. And the thresholds of them all.
pub(super) async fn fingerprints(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    conditions: &[(Kept, &Condition)],
    ranks: Ranks,
    now: Timestamp,
) -> StoreResult<(Vec<String>, Population)> {
    let ranked = catalogue.ranked_in(conditions.iter().map(|(_, condition)| *condition));
    let population = population(store, catalogue, settings, ranked, ranks, now).await?;
    let text = |(kept, condition): &(Kept, &Condition)| {
        let mut parts = vec![fingerprint(catalogue, settings, condition)];
        parts.extend(digest(&catalogue.ranked_in([*condition]), &population));
        if Group::of(catalogue, kept) != Group::Shared {
            parts.push(ALONE.to_owned());
        }
        parts.join(" ")
    };
    Ok((conditions.iter().map(text).collect(), population))
}

/// The last part of a text of [`fingerprints`]: when to look again is kept for it alone.
const ALONE: &str = "alone";

/// Of what is stored with an evaluation, the part that is the [`fingerprint`] of the declaration.
pub fn of_declaration(fingerprint: &str) -> &str {
    fingerprint.split(' ').next().unwrap_or_default()
}

/// Of a text of [`fingerprints`], the part of the thresholds.
pub(super) fn of_thresholds(fingerprint: &str) -> Option<&str> {
    fingerprint.split(' ').nth(1).filter(|part| *part != ALONE)
}

/// The bounds of places in rankings, as a short text; `None`: there are no places.
fn digest(ranked: &BTreeSet<&Ranked>, population: &Population) -> Option<String> {
    if ranked.is_empty() {
        return None;
    }
    let mut text = String::new();
    for ranked in ranked {
        let bounds = population.threshold(ranked).and_then(|threshold| threshold.bounds);
        let _ = writeln!(text, "{ranked}: {bounds:?}");
    }
    let digest = Sha256::digest(text);
    Some(digest.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
