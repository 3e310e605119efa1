//! The program: what is evaluated together over one read of a history.

use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::ContactView;
use crate::domain::event::EventNameId;
use crate::domain::history::{History, Needs};
use crate::domain::name::TraitName;
use crate::domain::time::Timestamp;
use crate::domain::value::Value;

/// Whether a condition holds, and how long that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it holds now.
    pub holds: bool,
    /// The earliest instant at which that may change without new data; `None`: never. Always
    /// later than the instant of the evaluation, and never later than the first change.
    pub until: Option<Timestamp>,
}

/// What one contact's evaluation yields, in the order in which the program was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation<'s> {
    /// One a condition.
    pub outcomes: &'s [Outcome],
    /// One a trait; `None`: missing.
    pub traits: &'s [Option<Value>],
}

/// Memory that evaluations use again and again; one a thread.
#[derive(Debug, Default)]
pub struct Scratch {}

/// Conditions and traits, compiled to be evaluated together over one read of a history.
#[derive(Debug)]
pub struct Program {}

impl Program {
    /// Compiles conditions and traits of a valid catalogue. `event_id` knows the number of an
    /// event's name on the wire; an event that it does not know has not happened to anybody.
    pub fn compile(
        _catalogue: &Catalogue,
        _settings: EvaluationSettings,
        _conditions: &[&Condition],
        _traits: &[TraitName],
        _event_id: &dyn Fn(&str) -> Option<EventNameId>,
    ) -> Self {
        todo!()
    }

    /// What of contacts and their histories an evaluation at `now` looks at; no more need be read.
    pub fn needs(&self, _now: Timestamp) -> Needs {
        todo!()
    }

    /// Evaluates one contact at `now`. `history` holds what [`needs`](Self::needs) names, or more.
    pub fn evaluate<'s>(
        &self,
        _scratch: &'s mut Scratch,
        _contact: &ContactView<'_>,
        _history: &History<'_>,
        _now: Timestamp,
    ) -> Evaluation<'s> {
        todo!()
    }
}
