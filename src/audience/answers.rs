//! The answers of a pass: who is in which segment, and when to look again.

use std::convert::Infallible;
use std::sync::Arc;

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
    members: Vec<Roster>,
    reviews: Vec<(ContactId, Timestamp)>,
}

/// What was found of some contacts.
#[derive(Default)]
pub(super) struct Few {
    /// How many there are; of those who are no more, nothing was found.
    pub(super) looked_at: u64,
    /// By segment, in the order of asking.
    pub(super) members: Vec<Roster>,
    /// For all that were asked for.
    pub(super) reviews: Vec<(ContactId, Option<Timestamp>)>,
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
            members: vec![Roster::default(); segments],
            reviews: Vec::new(),
        }
    }

    /// The answers of these contacts, who were asked for.
    pub(super) fn of_few(visitors: Vec<Self>, contacts: &[ContactId]) -> Few {
        let Everybody { members, reviews, .. } = Self::of_everybody(visitors);
        let mut found = reviews.into_iter().peekable();
        let review =
            |contact: &ContactId| (*contact, found.next_if(|(of, _)| of == contact).map(|(_, at)| at));
        let reviews = contacts.iter().map(review).collect();
        Few { looked_at: contacts.len() as u64, members, reviews }
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
        let mut review: Option<Timestamp> = None;
        for (members, Outcome { holds, until }) in self.members.iter_mut().zip(evaluation.outcomes) {
            if *holds {
                members.push(contact.id);
            }
            review = match (review, *until) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        self.reviews.extend(review.map(|at| (contact.id, at)));
        Ok(())
    }
}
