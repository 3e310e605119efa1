//! The nearest number with which a test has the other answer.

use crate::domain::condition::Test;
use crate::domain::number::{Number, ONE};
use crate::evaluate::check::NumberTest;

/// Which numbers there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// From one to the next, in millionths.
    step: i64,
    least: Number,
    most: Number,
}

impl Range {
    /// Whatever has six places.
    pub(super) const ALL: Self = Self { step: 1, least: Number::LEAST, most: Number::GREATEST };

    /// Whole numbers from 0.
    pub(super) const COUNTS: Self = Self { step: ONE, least: Number::ZERO, ..Self::ALL };

    /// From one number to another.
    pub(super) const fn between((least, most): (Number, Number)) -> Self {
        Self { least, most, ..Self::ALL }
    }

    fn has(self, number: Number) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

/// The numbers for which the test does not say what it says now, nearest to `current` (to 0, where there is
/// none) first. Where it changes is beside its bounds.
pub(super) fn nearest_first(test: &Test, holds: bool, current: Option<Number>, range: Range) -> Vec<Number> {
    let compiled = NumberTest::compile(test);
    let turns = |number: Number| compiled.holds(number.millionths().into(), 1) != holds;
    let from = current.unwrap_or_default();
    let mut candidates = vec![Number::ZERO, range.least, range.most];
    for operand in compiled.operands() {
        // The last that is counted before the bound, and those about it.
        let operand = operand.millionths();
        let below = operand.div_euclid(range.step).saturating_mul(range.step);
        let around = [-1, 0, 1, 2].map(|steps: i64| below.saturating_add(steps.saturating_mul(range.step)));
        candidates.extend(around.map(Number::from_millionths));
    }
    candidates.retain(|number| range.has(*number) && Some(*number) != current && turns(*number));
    candidates.sort_by_key(|number| from.millionths().abs_diff(number.millionths()));
    candidates.dedup();
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::condition::Operator;
    use crate::domain::value::Value;

    fn number(text: &str) -> Number {
        Number::parse(text).expect("the test's own number")
    }

    #[test]
    fn the_nearest_is_beside_a_bound() {
        let at_least = |text| Operator::AtLeast(number(text));
        let is = |text| Operator::Is(Value::Number(number(text)));
        for (operators, current, range, expected) in [
            (vec![at_least("1000")], Some("857.5"), Range::ALL, Some("1000")),
            (vec![at_least("1000")], Some("1200"), Range::ALL, Some("999.999999")),
            (vec![at_least("2.5")], Some("1"), Range::COUNTS, Some("3")),
            (vec![Operator::MoreThan(number("3"))], Some("3"), Range::COUNTS, Some("4")),
            (vec![Operator::MoreThan(number("3"))], Some("3"), Range::ALL, Some("3.000001")),
            (vec![Operator::Between(number("2"), number("4"))], Some("7"), Range::COUNTS, Some("4")),
            (vec![Operator::Between(number("2"), number("4"))], Some("3"), Range::COUNTS, Some("1")),
            (vec![is("0")], Some("1"), Range::COUNTS, Some("0")),
            (vec![is("0")], Some("0"), Range::COUNTS, Some("1")),
            (vec![at_least("2"), Operator::AtMost(number("1"))], Some("0"), Range::ALL, None),
            (vec![at_least("18")], None, Range::ALL, Some("18")),
            (vec![at_least("120")], Some("50"), Range::between((Number::ZERO, number("100"))), None),
        ] {
            let current = current.map(number);
            let test = Test { operators, exact_case: false };
            let compiled = NumberTest::compile(&test);
            let holds = current.is_some_and(|now| compiled.holds(now.millionths().into(), 1));
            let found = nearest_first(&test, holds, current, range);
            assert_eq!(found.first().copied(), expected.map(number), "{test:?} from {current:?}");
        }
    }
}
