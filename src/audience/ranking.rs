//! Ranks all contacts: one pass over them yields the thresholds of all rankings that do not rest on each
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use super::error::store_error;
use super::program::{VISITORS, compile};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::ContactView;
use crate::domain::history::History;
use crate::domain::population::{Population, Threshold};
use crate::domain::ranking::{Ranked, Ranking};
use crate::domain::time::Timestamp;
use crate::evaluate::{Asked, Program, Scratch};
use crate::store::histories::{self, ContactVisitor};
use crate::store::{Result as StoreResult, Store};

/// The thresholds of these places at `at`, beside those that are known.
pub(super) async fn rank(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    ranked: BTreeSet<&Ranked>,
    mut known: BTreeMap<Ranked, Threshold>,
    at: Timestamp,
) -> StoreResult<BTreeMap<Ranked, Threshold>> {
    let mut left = ranked;
    while !left.is_empty() {
        // First those that rest on nothing that is still to be ranked. There always are some: segments have no
        // cycles.
        let among = |one: &Ranked| one.ranking.among.clone().map(Condition::Segment);
        let waits = |one: &Ranked| {
            among(one).is_some_and(|among| {
                catalogue.ranked_in([&among]).into_iter().any(|below| left.contains(below))
            })
        };
        let (later, now): (BTreeSet<&Ranked>, BTreeSet<&Ranked>) =
            left.iter().copied().partition(|one| waits(one));
        if now.is_empty() {
            break;
        }
        let rankings: BTreeSet<&Ranking> = now.iter().map(|one| &one.ranking).collect();
        let rankings: Vec<Ranking> = rankings.into_iter().cloned().collect();
        let population = known.iter().map(|(ranked, threshold)| (ranked.clone(), *threshold)).collect();
        let mut values = values(store, catalogue, settings, &rankings, population, at).await?;
        for one in now {
            let Ok(place) = rankings.binary_search(&one.ranking) else { continue };
            let values = &mut values[place];
            let threshold = Threshold { at, contacts: values.len() as u64, bounds: one.bounds(values) };
            known.insert(one.clone(), threshold);
        }
        left = later;
    }
    Ok(known)
}

/// What all contacts are ranked by, one list a ranking.
async fn values(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    rankings: &[Ranking],
    population: Population,
    at: Timestamp,
) -> StoreResult<Vec<Vec<i64>>> {
    let program = compile(store, catalogue, settings, Asked { rankings, ..Asked::default() }).await?;
    let visitors = (0..VISITORS).map(|_| Ranker {
        program: Arc::clone(&program),
        scratch: Scratch::default(),
        population: population.clone(),
        at,
        values: vec![Vec::new(); rankings.len()],
    });
    let visitors =
        histories::visit_all(store, &program.needs(at), visitors.collect()).await.map_err(store_error)?;
    let mut visitors = visitors.into_iter().map(|visitor| visitor.values);
    let mut values = visitors.next().unwrap_or_else(|| vec![Vec::new(); rankings.len()]);
    for more in visitors {
        for (values, more) in values.iter_mut().zip(more) {
            values.reserve_exact(more.len());
            values.extend(more);
        }
    }
    Ok(values)
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
