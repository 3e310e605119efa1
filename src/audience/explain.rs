//! Why one contact is in, or is not: the contact is read by its number, its history with it, and nothing
//! else, unless contacts are to be ranked for it.

use std::convert::Infallible;

use super::error::{AudienceError, store_error};
use super::population::{self, Ranks};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::{History, Needs};
use crate::domain::population::Population;
use crate::domain::time::Timestamp;
use crate::evaluate::explain::{Explanation, Question};
use crate::store::histories::{self, ContactVisitor};
use crate::store::{Store, events};

/// Why each of these conditions holds for a contact at `at`, or does not, in their order; `None`: there is
/// no such contact.
pub async fn explain(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    conditions: &[&Condition],
    contact: ContactId,
    (ranks, at): (Ranks, Timestamp),
) -> Result<Option<Vec<Explanation>>, AudienceError> {
    let failed = AudienceError::while_doing("explain a contact's answers");
    let names = events::names(store).await.map_err(&failed)?;
    let event_id = |name: &str| names.get(name).copied();
    let compile = |condition: &&Condition| Question::compile(catalogue, settings, condition, &event_id);
    let mut questions = Vec::with_capacity(conditions.len());
    for question in conditions.iter().map(compile) {
        let population = population::of(store, catalogue, settings, question.program(), ranks, at)
            .await
            .map_err(&failed)?;
        questions.push((question, population));
    }
    let needs = together(questions.iter().map(|(question, _)| question.needs(at)));
    let visitor = Explainer { questions, at, explanations: None };
    let visitor = histories::visit_some(store, &[contact], &needs, visitor)
        .await
        .map_err(|error| failed(store_error(error)))?;
    Ok(visitor.explanations)
}

/// What must be read so that each has what it needs.
fn together(all: impl Iterator<Item = Needs>) -> Needs {
    let mut sum = Needs::default();
    for needs in all {
        sum.contact = needs.contact;
        for need in needs.events {
            match sum.events.iter_mut().find(|known| known.name == need.name) {
                Some(known) => {
                    known.since = known.since.min(need.since);
                    let both = [known.properties_since, need.properties_since];
                    known.properties_since = both.into_iter().flatten().min();
                }
                None => sum.events.push(need),
            }
        }
    }
    sum.events.sort_unstable_by_key(|need| need.name);
    sum
}

struct Explainer {
    questions: Vec<(Question, Population)>,
    at: Timestamp,
    explanations: Option<Vec<Explanation>>,
}

impl ContactVisitor for Explainer {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let explain = |(question, population): &(Question, Population)| {
            question.explain(contact, history, population, self.at)
        };
        self.explanations = Some(self.questions.iter().map(explain).collect());
        Ok(())
    }
}
