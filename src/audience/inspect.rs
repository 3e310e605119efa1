//! A condition's size and a sample of it; conditions, traits and scores of given contacts.

use std::convert::Infallible;
use std::sync::Arc;

use super::error::{AudienceError, store_error};
use super::population::{self, Ranks};
use super::program::{VISITORS, compile};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::{Contact, ContactId, ContactView};
use crate::domain::history::{ContactPart, History};
use crate::domain::population::Population;
use crate::domain::score::ScoreValue;
use crate::domain::time::Timestamp;
use crate::domain::value::Value;
use crate::evaluate::{Asked, Outcome, Program, Scratch};
use crate::store::Store;
use crate::store::histories::{self, ContactVisitor};

/// How many contacts meet a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// All contacts.
    pub contacts: u64,
    /// Those who meet it.
    pub members: u64,
    /// Some of those who meet it, in the order of their numbers: spread evenly, and the same each
    /// time as long as they stay.
    pub sample: Vec<ContactId>,
    /// The thresholds of the places in rankings that the condition rests on.
    pub population: Population,
}

/// Counts who meets a condition at `at`, with a sample of at most `sample` of them.
pub async fn count_and_sample(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    condition: &Condition,
    sample: usize,
    ranks: Ranks,
    at: Timestamp,
) -> Result<Counted, AudienceError> {
    let failed = AudienceError::while_doing("count who meets a condition");
    let program = compile(store, catalogue, settings, Asked { conditions: &[condition], ..Asked::default() })
        .await
        .map_err(&failed)?;
    let population =
        population::of(store, catalogue, settings, &program, ranks, at).await.map_err(&failed)?;
    let visitors = (0..VISITORS)
        .map(|_| Counter {
            program: Arc::clone(&program),
            scratch: Scratch::default(),
            population: population.clone(),
            at,
            contacts: 0,
            members: 0,
            sample_size: sample,
            sample: Vec::new(),
        })
        .collect();
    let visitors = histories::visit_all(store, &program.needs(at), visitors)
        .await
        .map_err(|error| failed(store_error(error)))?;
    let mut counted = Counted { contacts: 0, members: 0, sample: Vec::new(), population };
    let mut drawn = Vec::new();
    for visitor in visitors {
        counted.contacts += visitor.contacts;
        counted.members += visitor.members;
        drawn.extend(visitor.sample);
    }
    draw(&mut drawn, sample);
    counted.sample.extend(drawn.into_iter().map(|(_, contact)| contact));
    counted.sample.sort_unstable();
    Ok(counted)
}

struct Counter {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    at: Timestamp,
    contacts: u64,
    members: u64,
    sample_size: usize,
    sample: Vec<(u64, ContactId)>,
}

impl ContactVisitor for Counter {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        self.contacts += 1;
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.at);
        if evaluation.outcomes.first().is_some_and(|outcome| outcome.holds) {
            self.members += 1;
            self.sample.push((scattered(contact.id), contact.id));
            if self.sample.len() >= 2 * self.sample_size.max(64) {
                draw(&mut self.sample, self.sample_size);
            }
        }
        Ok(())
    }
}

/// A place in an order that has nothing to do with the contacts: Fibonacci hashing (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4).
const fn scattered(contact: ContactId) -> u64 {
    (contact.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// At most `size` of these contacts, spread evenly, in the order of their numbers; the same each time as long as
/// they stay.
pub fn drawn(contacts: &[ContactId], size: usize) -> Vec<ContactId> {
    let mut sample = Vec::with_capacity(2 * size.max(64));
    for contact in contacts {
        sample.push((scattered(*contact), *contact));
        if sample.len() >= 2 * size.max(64) {
            draw(&mut sample, size);
        }
    }
    draw(&mut sample, size);
    let mut drawn: Vec<_> = sample.into_iter().map(|(_, contact)| contact).collect();
    drawn.sort_unstable();
    drawn
}

/// Keeps the `size` that come first in an order that has nothing to do with the contacts.
fn draw(sample: &mut Vec<(u64, ContactId)>, size: usize) {
    sample.sort_unstable();
    sample.truncate(size);
}

/// A contact with what was asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The contact, whole.
    pub contact: Contact,
    /// One a condition, in the order of asking.
    pub outcomes: Vec<Outcome>,
    /// One a trait, in the order of asking; `None`: missing.
    pub traits: Vec<Option<Value>>,
    /// One a score, in the order of asking; `None`: it is not declared.
    pub scores: Vec<Option<ScoreValue>>,
}

/// Conditions, traits and scores of these contacts at `at`, in the order of their numbers; unknown contacts
/// are left out. Reads histories only if something asks for them.
pub async fn look_at(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    contacts: &[ContactId],
    asked: Asked<'_>,
    ranks: Ranks,
    at: Timestamp,
) -> Result<Vec<Seen>, AudienceError> {
    let failed = AudienceError::while_doing("look at contacts");
    let program = compile(store, catalogue, settings, asked).await.map_err(&failed)?;
    let population =
        population::of(store, catalogue, settings, &program, ranks, at).await.map_err(&failed)?;
    let mut needs = program.needs(at);
    needs.contact = ContactPart::Whole;
    let mut wanted = contacts.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let looker = Looker {
        program,
        scratch: Scratch::default(),
        population,
        at,
        seen: Vec::with_capacity(wanted.len()),
    };
    let looker = histories::visit_some(store, &wanted, &needs, looker)
        .await
        .map_err(|error| failed(store_error(error)))?;
    Ok(looker.seen)
}

/// What a condition says of one contact at `at`; `None`: there is no such contact.
pub async fn evaluate_contact(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    condition: &Condition,
    contact: ContactId,
    at: Timestamp,
) -> Result<Option<Outcome>, AudienceError> {
    let seen = look_at(
        store,
        catalogue,
        settings,
        &[contact],
        Asked { conditions: &[condition], ..Asked::default() },
        Ranks::Standing,
        at,
    )
    .await?;
    Ok(seen.first().and_then(|seen| seen.outcomes.first().copied()))
}

struct Looker {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    at: Timestamp,
    seen: Vec<Seen>,
}

impl ContactVisitor for Looker {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.at);
        self.seen.push(Seen {
            contact: Contact::from(contact),
            outcomes: evaluation.outcomes.to_vec(),
            traits: evaluation.traits.to_vec(),
            scores: evaluation.scores.to_vec(),
        });
        Ok(())
    }
}
