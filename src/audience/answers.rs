//! The answers of a pass: who is in which segment, and when to look again.

use std::convert::Infallible;
use std::sync::Arc;

use super::concerns::Concerns;
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::History;
use crate::domain::population::Population;
use crate::domain::roster::Roster;
use crate::domain::time::Timestamp;
use crate::evaluate::{Outcome, Program, Scratch};
use crate::store::histories::ContactVisitor;

/// Notes who is in which segment, in the order of numbers.
pub(super) struct Answers {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    now: Timestamp,
    looked_at: u64,
    /// What of contacts is asked; `None`: everything of everybody.
    concerns: Option<Arc<Concerns>>,
    members: Vec<Roster>,
    reviews: Vec<(ContactId, Timestamp)>,
    /// Of those who were asked some of the conditions.
    some_reviews: Vec<(ContactId, Timestamp)>,
}

/// What was found of some contacts.
#[derive(Default)]
pub(super) struct Few {
    /// How many there are; of those who are no more, nothing was found.
    pub(super) looked_at: u64,
    /// By segment, in the order of asking.
    pub(super) members: Vec<Roster>,
    /// For all that were asked everything.
    pub(super) reviews: Vec<(ContactId, Option<Timestamp>)>,
    /// For those that were asked some of it, by these answers.
    pub(super) some_reviews: Vec<(ContactId, Timestamp)>,
}

/// What was found of all contacts.
#[derive(Default)]
pub(super) struct Everybody {
    /// How many there are.
    pub(super) looked_at: u64,
    /// By segment, in the order of asking.
    pub(super) members: Vec<Roster>,
    /// Who is to be looked at again.
    pub(super) reviews: Vec<(ContactId, Timestamp)>,
}

impl Answers {
    pub(super) fn new(
        program: &Arc<Program>,
        population: &Population,
        segments: usize,
        now: Timestamp,
    ) -> Self {
        Self {
            program: Arc::clone(program),
            scratch: Scratch::default(),
            population: population.clone(),
            now,
            looked_at: 0,
            concerns: None,
            members: vec![Roster::default(); segments],
            reviews: Vec::new(),
            some_reviews: Vec::new(),
        }
    }

    /// Of these alone, and of each what concerns it.
    pub(super) fn of(self, concerns: &Arc<Concerns>) -> Self {
        Self { concerns: Some(Arc::clone(concerns)), ..self }
    }

    /// The answers of these contacts, who were asked for.
    pub(super) fn of_few(mut visitors: Vec<Self>, concerns: &Concerns) -> Few {
        let some_reviews =
            visitors.iter_mut().flat_map(|one| std::mem::take(&mut one.some_reviews)).collect();
        let Everybody { members, reviews, .. } = Self::of_everybody(visitors);
        let mut found = reviews.into_iter().peekable();
        let review =
            |contact: ContactId| (contact, found.next_if(|(of, _)| *of == contact).map(|(_, at)| at));
        let reviews = concerns.asked_everything().map(review).collect();
        Few { looked_at: concerns.len() as u64, members, reviews, some_reviews }
    }

    /// The answers of all contacts, each visitor's range behind that of the one before.
    pub(super) fn of_everybody(visitors: Vec<Self>) -> Everybody {
        let mut everybody = Everybody::default();
        for visitor in visitors {
            everybody.looked_at += visitor.looked_at;
            if everybody.members.is_empty() {
                (everybody.members, everybody.reviews) = (visitor.members, visitor.reviews);
            } else {
                for (members, more) in everybody.members.iter_mut().zip(visitor.members) {
                    members.append(more);
                }
                everybody.reviews.extend(visitor.reviews);
            }
        }
        everybody
    }
}

impl ContactVisitor for Answers {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        self.looked_at += 1;
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.now);
        let concerns = self.concerns.as_ref().and_then(|concerns| concerns.asked_of(contact.id));
        let mut review: Option<Timestamp> = None;
        let mut take = |members: &mut Roster, Outcome { holds, until }: Outcome| {
            if holds {
                members.push(contact.id);
            }
            review = match (review, until) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        };
        match concerns {
            None => {
                for (members, outcome) in self.members.iter_mut().zip(evaluation.outcomes) {
                    take(members, *outcome);
                }
                self.reviews.extend(review.map(|at| (contact.id, at)));
            }
            Some(places) => {
                for place in places {
                    take(&mut self.members[*place], evaluation.outcomes[*place]);
                }
                self.some_reviews.extend(review.map(|at| (contact.id, at)));
            }
        }
        Ok(())
    }
}
