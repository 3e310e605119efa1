//! Between what numbers lie by themselves, and what tests of them say beside that: a count is never below
//! 0, and one that is at least 1 says that something happened.

use super::lint::{self, contradiction};
use crate::domain::condition::{EventQuery, MeasureKind, Operator, Test};
use crate::domain::number::{Number, ONE};
use crate::domain::value::Value;

/// What a test asks for, if it can be said: of what is always there, also what its opposite does.
pub(super) fn asked_of(test: &Test, wanted: bool, reach: Option<&Reach>) -> Option<Vec<Operator>> {
    if wanted {
        return Some(test.operators.clone());
    }
    match test.operators.as_slice() {
        [only] if reach.is_some_and(|reach| reach.always) => Some(vec![opposite(only)?]),
        _ => None,
    }
}

fn opposite(operator: &Operator) -> Option<Operator> {
    Some(match operator {
        Operator::AtLeast(bound) => Operator::LessThan(*bound),
        Operator::LessThan(bound) => Operator::AtLeast(*bound),
        Operator::AtMost(bound) => Operator::MoreThan(*bound),
        Operator::MoreThan(bound) => Operator::AtMost(*bound),
        Operator::Is(value) => Operator::IsNot(value.clone()),
        Operator::IsNot(value) => Operator::Is(value.clone()),
        _ => return None,
    })
}

/// Whether a measure that passes a test means that there is an event, or that there is none.
pub(super) fn says(kind: &MeasureKind, test: &Test, happened: bool) -> bool {
    let reach = Reach::of_kind(kind);
    let excludes = |other: Operator| {
        let operators: Vec<_> = test.operators.iter().cloned().chain([other]).collect();
        contradiction(&operators, test.exact_case).is_some()
    };
    let zero = Operator::Is(Value::Number(Number::ZERO));
    match (reach.always, happened) {
        (true, true) => excludes(zero),
        (true, false) => {
            *kind == MeasureKind::Times && excludes(Operator::AtLeast(Number::from_millionths(ONE)))
        }
        // What is missing of no events passes one test only.
        (false, true) => !test.operators.iter().any(lint::holds_of_nothing),
        (false, false) => false,
    }
}

/// Whether a count that does *not* pass a test means that there is an event, or that there is none.
pub(super) fn denies(kind: &MeasureKind, test: &Test, happened: bool) -> bool {
    let [only] = test.operators.as_slice() else { return false };
    let opposite =
        opposite(only).map(|operator| Test { operators: vec![operator], exact_case: test.exact_case });
    *kind == MeasureKind::Times && opposite.is_some_and(|test| says(kind, &test, happened))
}

/// Between what a number lies by itself.
#[derive(Debug)]
pub(super) struct Reach {
    /// Not less than this.
    pub(super) low: Option<Number>,
    /// Not more than this.
    pub(super) high: Option<Number>,
    /// It is never missing.
    pub(super) always: bool,
}

impl Reach {
    /// Of a measure over events.
    pub(super) fn of(events: &EventQuery, kind: &MeasureKind) -> Self {
        let reach = Self::of_kind(kind);
        match (kind, events.last) {
            (MeasureKind::Times | MeasureKind::Distinct(_), Some(last)) => {
                Self { high: Number::from_whole(i64::from(last)), ..reach }
            }
            _ => reach,
        }
    }

    fn of_kind(kind: &MeasureKind) -> Self {
        let one = Number::from_millionths(ONE);
        let (low, high, always) = match kind {
            MeasureKind::Times | MeasureKind::Distinct(_) | MeasureKind::DistinctDays => {
                (Some(Number::ZERO), None, true)
            }
            MeasureKind::Total(_) => (None, None, true),
            MeasureKind::DaysSince | MeasureKind::MeanGap | MeasureKind::Every => {
                (Some(Number::ZERO), None, false)
            }
            MeasureKind::Share(_) => (Some(Number::ZERO), Some(one), false),
            _ => (None, None, false),
        };
        Self { low, high, always }
    }

    /// Whether whatever lies in it passes.
    pub(super) fn implies(&self, operator: &Operator) -> bool {
        let low = |bound: &Number| self.low.is_some_and(|low| low >= *bound);
        let high = |bound: &Number| self.high.is_some_and(|high| high <= *bound);
        match operator {
            Operator::Exists(wanted) => *wanted,
            Operator::AtLeast(bound) => low(bound),
            Operator::AtMost(bound) => high(bound),
            Operator::Between(from, to) => low(from) && high(to),
            Operator::MoreThan(bound) => self.low.is_some_and(|low| low > *bound),
            Operator::LessThan(bound) => self.high.is_some_and(|high| high < *bound),
            _ => false,
        }
    }

    /// As tests that every value passes.
    pub(super) fn operators(&self) -> Vec<Operator> {
        self.low.map(Operator::AtLeast).into_iter().chain(self.high.map(Operator::AtMost)).collect()
    }
}
