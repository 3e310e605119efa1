//! One pass over all contacts that counts who meets a condition, and who of these meets others; members and
//! their values, some at a time.

use std::convert::Infallible;
use std::sync::Arc;

use super::error::{AudienceError, store_error};
use super::population::{self, Ranks};
use super::program::{VISITORS, compile};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::{Contact, ContactId, ContactView};
use crate::domain::history::History;
use crate::domain::population::Population;
use crate::domain::ranking::Ranked;
use crate::domain::time::Timestamp;
use crate::domain::value::Value;
use crate::evaluate::explain::Question;
use crate::evaluate::{Asked, Program, Scratch};
use crate::store::histories::{self, ContactVisitor};
use crate::store::{Store, events};

/// Who meets a condition, and who of these meets others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    /// All contacts.
    pub contacts: u64,
    /// Those who meet the condition, in the order of their numbers.
    pub members: Vec<ContactId>,
    /// One for each of the other conditions.
    pub others: Vec<Overlap>,
    /// The thresholds of the places in rankings that the conditions rest on.
    pub population: Population,
}

/// Another condition beside the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlap {
    /// Who meets it.
    pub members: u64,
    /// Who meets both.
    pub both: u64,
    /// The places in rankings that it rests on.
    pub ranked: Vec<Ranked>,
}

/// Counts who meets `condition` at `at`, and how that overlaps with `others`; in one pass.
pub async fn survey(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    (condition, others): (&Condition, &[&Condition]),
    ranks: Ranks,
    at: Timestamp,
) -> Result<Surveyed, AudienceError> {
    let failed = AudienceError::while_doing("count who meets a condition");
    let conditions: Vec<&Condition> = std::iter::once(condition).chain(others.iter().copied()).collect();
    let asked = Asked { conditions: &conditions, ..Asked::default() };
    let program = compile(store, catalogue, settings, asked).await.map_err(&failed)?;
    let population =
        population::of(store, catalogue, settings, &program, ranks, at).await.map_err(&failed)?;
    let visitor = || Counter {
        program: Arc::clone(&program),
        scratch: Scratch::default(),
        population: population.clone(),
        at,
        contacts: 0,
        members: Vec::new(),
        others: vec![Overlap::default(); others.len()],
    };
    let visitors = (0..VISITORS).map(|_| visitor()).collect();
    let visitors = histories::visit_all(store, &program.needs(at), visitors)
        .await
        .map_err(|error| failed(store_error(error)))?;
    let ranked = |condition: &&Condition| {
        let asked = Asked { conditions: &[*condition], ..Asked::default() };
        Program::compile(catalogue, settings, &asked, &|_| None).ranked().to_vec()
    };
    let mut surveyed = Surveyed {
        contacts: 0,
        members: Vec::new(),
        others: others.iter().map(|other| Overlap { ranked: ranked(other), ..Overlap::default() }).collect(),
        population: population.clone(),
    };
    for visitor in visitors {
        surveyed.contacts += visitor.contacts;
        surveyed.members.extend(visitor.members);
        for (sum, more) in surveyed.others.iter_mut().zip(visitor.others) {
            sum.members += more.members;
            sum.both += more.both;
        }
    }
    surveyed.members.sort_unstable();
    Ok(surveyed)
}

struct Counter {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    at: Timestamp,
    contacts: u64,
    members: Vec<ContactId>,
    others: Vec<Overlap>,
}

impl ContactVisitor for Counter {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        self.contacts += 1;
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.at);
        let Some((own, others)) = evaluation.outcomes.split_first() else { return Ok(()) };
        if own.holds {
            self.members.push(contact.id);
        }
        for (sum, other) in self.others.iter_mut().zip(others) {
            sum.members += u64::from(other.holds);
            sum.both += u64::from(own.holds && other.holds);
        }
        Ok(())
    }
}

/// What a condition asks of contacts: names, and the contacts with their values.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// What is asked, each once.
    pub names: Vec<String>,
    /// The contacts in the order of their numbers, each with a value a name; `None`: missing.
    pub contacts: Vec<(Contact, Vec<Option<Value>>)>,
}

/// The values of these contacts that a condition asks for, at `at`; unknown contacts are left out.
pub async fn values(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    condition: &Condition,
    contacts: &[ContactId],
    at: Timestamp,
) -> Result<Values, AudienceError> {
    let failed = AudienceError::while_doing("look at contacts");
    let names = events::names(store).await.map_err(&failed)?;
    let event_id = |name: &str| names.get(name).copied();
    let question = Question::compile(catalogue, settings, condition, &event_id);
    let population = population::of(store, catalogue, settings, question.program(), Ranks::Known, at)
        .await
        .map_err(&failed)?;
    let needs = question.needs(at);
    let values = Values { names: question.names(), contacts: Vec::with_capacity(contacts.len()) };
    let reader = Reader { question, population, at, values };
    let reader = histories::visit_some(store, contacts, &needs, reader)
        .await
        .map_err(|error| failed(store_error(error)))?;
    Ok(reader.values)
}

struct Reader {
    question: Question,
    population: Population,
    at: Timestamp,
    values: Values,
}

impl ContactVisitor for Reader {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let values = self.question.values(contact, history, &self.population, self.at);
        self.values.contacts.push((Contact::from(contact), values));
        Ok(())
    }
}
