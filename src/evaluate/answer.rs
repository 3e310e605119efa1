//! Answers that know how long they are good for, and how they combine.

use crate::domain::time::Timestamp;

/// Later than every instant: an answer that only new data can change.
pub(super) const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// Whether a condition holds, and how long that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it holds now.
    pub holds: bool,
    /// The earliest instant at which that may change without new data; `None`: never. Always
    /// later than the instant of the evaluation, and never later than the first change.
    pub until: Option<Timestamp>,
}

/// An [`Outcome`] as it is computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) holds: bool,
    /// [`NEVER`] when only new data can change it.
    pub(super) until: Timestamp,
}

impl Default for Answer {
    fn default() -> Self {
        Self::lasting(false)
    }
}

impl Answer {
    /// An answer that only new data can change.
    pub(super) const fn lasting(holds: bool) -> Self {
        Self { holds, until: NEVER }
    }

    pub(super) const fn until(holds: bool, until: Timestamp) -> Self {
        Self { holds, until }
    }

    /// The opposite, for as long.
    pub(super) const fn negated(self) -> Self {
        Self { holds: !self.holds, until: self.until }
    }

    /// Good until `until` at most.
    pub(super) fn at_most(self, until: Timestamp) -> Self {
        Self { holds: self.holds, until: self.until.min(until) }
    }

    /// Whether this or another one holds.
    pub(super) fn or(self, other: Self) -> Self {
        Self::any([self, other].into_iter())
    }

    /// Whether all hold.
    pub(super) fn all(answers: impl Iterator<Item = Self>) -> Self {
        Self::decided_by(false, answers)
    }

    /// Whether at least one holds.
    pub(super) fn any(answers: impl Iterator<Item = Self>) -> Self {
        Self::decided_by(true, answers)
    }

    /// `decisive` if one of the answers is, else its opposite. A decision stands for as long as
    /// *one* of the decisive answers does, the opposite only for as long as all of them do. Once a
    /// lasting answer decides, the others are not asked.
    fn decided_by(decisive: bool, answers: impl Iterator<Item = Self>) -> Self {
        let mut decided = None;
        let mut undecided = NEVER;
        for answer in answers {
            if answer.holds != decisive {
                undecided = undecided.min(answer.until);
            } else if answer.until == NEVER {
                return answer;
            } else {
                decided = decided.max(Some(answer.until));
            }
        }
        match decided {
            Some(until) => Self::until(decisive, until),
            None => Self::until(!decisive, undecided),
        }
    }
}

/// Values by place as far as they are known, for one contact after the other. Each says to which of them it
/// belongs, so that they need not be wiped.
#[derive(Debug)]
pub(super) struct Known<T> {
    contact: u64,
    known: Vec<(u64, T)>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { contact: 0, known: Vec::new() }
    }
}

impl<T: Copy + Default> Known<T> {
    /// Forgets the contact before. `places`: how many there are.
    pub(super) fn begin(&mut self, places: usize) {
        self.contact += 1;
        self.known.resize(places, (0, T::default()));
    }

    #[inline]
    pub(super) fn of(&self, place: usize) -> Option<T> {
        let (contact, value) = self.known[place];
        (contact == self.contact).then_some(value)
    }

    #[inline]
    pub(super) fn keep(&mut self, place: usize, value: T) {
        self.known[place] = (self.contact, value);
    }
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self { holds: answer.holds, until: (answer.until != NEVER).then_some(answer.until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(holds: bool, until: i64) -> Answer {
        Answer::until(holds, Timestamp::from_micros(until))
    }

    #[test]
    fn a_decision_stands_as_long_as_one_that_makes_it() {
        let lasting = Answer::lasting;
        for (answers, all, any) in [
            (vec![], lasting(true), lasting(false)),
            (vec![answer(true, 5), answer(true, 3)], answer(true, 3), answer(true, 5)),
            (vec![answer(false, 5), answer(false, 3)], answer(false, 5), answer(false, 3)),
            (vec![answer(true, 5), answer(false, 3)], answer(false, 3), answer(true, 5)),
            (vec![lasting(false), answer(false, 3)], lasting(false), answer(false, 3)),
            (vec![lasting(true), answer(true, 3)], answer(true, 3), lasting(true)),
        ] {
            assert_eq!(Answer::all(answers.iter().copied()), all, "all of {answers:?}");
            assert_eq!(Answer::any(answers.iter().copied()), any, "any of {answers:?}");
        }
    }
}
