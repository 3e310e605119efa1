//! How many contacts meet each of some conditions: one pass that writes nothing, for those who only look.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::AudienceError;
use super::population::{self, Ranks};
use super::program::{VISITORS, compile};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::ContactView;
use crate::domain::history::History;
use crate::domain::population::Population;
use crate::domain::time::Timestamp;
use crate::evaluate::{Asked, Program, Scratch};
use crate::store::Store;
use crate::store::histories::{self, ContactVisitor, VisitError};

/// What a pass over everybody counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// All contacts.
    pub contacts: u64,
    /// Those who meet each condition, in the order of asking.
    pub members: Vec<u64>,
}

/// Counts who meets each of some conditions at `at`, of places in rankings
/// by the thresholds that stand. `None`: `stop` was set before it came to an end.
pub async fn tally(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    conditions: &[&Condition],
    stop: &Arc<AtomicBool>,
    at: Timestamp,
) -> Result<Option<Tally>, AudienceError> {
    let failed = AudienceError::while_doing("count who meets conditions");
    let asked = Asked { conditions, ..Asked::default() };
    let program = compile(store, catalogue, settings, asked).await.map_err(&failed)?;
    let population =
        population::of(store, catalogue, settings, &program, Ranks::Known, at).await.map_err(&failed)?;
    let visitor = || Counter {
        program: Arc::clone(&program),
        scratch: Scratch::default(),
        population: population.clone(),
        at,
        stop: Arc::clone(stop),
        contacts: 0,
        members: vec![0; conditions.len()],
    };
    let visitors = (0..VISITORS).map(|_| visitor()).collect();
    let visitors = match histories::visit_as_stored(store, &program.needs(at), visitors).await {
        Ok(visitors) => visitors,
        Err(VisitError::Visitor(Stopped)) => return Ok(None),
        Err(VisitError::Store(error)) => return Err(failed(error)),
    };
    let mut tally = Tally { contacts: 0, members: vec![0; conditions.len()] };
    for visitor in visitors {
        tally.contacts += visitor.contacts;
        for (sum, members) in tally.members.iter_mut().zip(visitor.members) {
            *sum += members;
        }
    }
    Ok(Some(tally))
}

struct Counter {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    at: Timestamp,
    stop: Arc<AtomicBool>,
    contacts: u64,
    members: Vec<u64>,
}

/// Nobody waits for the count any more.
#[derive(Debug, thiserror::Error)]
#[error("the count was stopped")]
struct Stopped;

impl ContactVisitor for Counter {
    type Error = Stopped;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        self.contacts += 1;
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.at);
        for (members, outcome) in self.members.iter_mut().zip(evaluation.outcomes) {
            *members += u64::from(outcome.holds);
        }
        Ok(())
    }
}
