//! Tests of values, compiled for the type that they are applied to.
//!
//! Of a missing value every operator is false, the negative ones too, but `exists: false` and
//! `blank: true`. An operator that the type does not have never holds.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::answer::{Answer, NEVER};
use super::check_day::DaysSinceTest;
use super::check_text::{TextTest, fold_operand};
use super::check_time::{DateTest, DatetimeTest};
use super::moment::{Moment, Spans};
use super::run::rounded;
use super::slots::{Slot, Texts};
use crate::domain::calendar;
use crate::domain::condition::{Operator, Test};
use crate::domain::number::{Number, ONE};
use crate::domain::ranking::Bounds;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{Value, ValueType};

/// A compiled [`Test`].
#[derive(Debug)]
pub(super) struct Check {
    of_missing: bool,
    of_present: Present,
}

/// What is tested of a value that is there: all of it.
#[derive(Debug)]
enum Present {
    Number(NumberTest),
    Text(TextTest),
    Boolean(Vec<BooleanOperator>),
    List(Vec<ListOperator>),
    Date(DateTest),
    Datetime(DatetimeTest),
    /// Of an instant: how many days ago it was.
    DaysSince(DaysSinceTest),
    /// Of a number or an instant: whether it is in a place of a ranking.
    Place(Bounds),
}

/// What compiling a test needs to know of its surroundings.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    /// The installation's zone.
    pub(super) zone: Zone,
    /// The program's calendar spans.
    pub(super) spans: &'a mut Spans,
}

impl Check {
    pub(super) fn compile(test: &Test, value_type: ValueType, around: &mut Surroundings<'_>) -> Self {
        let operators = &test.operators;
        let of_missing = is_of_missing(operators);
        let of_present = match value_type {
            ValueType::Number => Present::Number(NumberTest::compile(test)),
            ValueType::Text => Present::Text(TextTest::compile(test)),
            ValueType::Boolean => Present::Boolean(operators.iter().map(boolean_operator).collect()),
            ValueType::List => Present::List(
                operators.iter().map(|operator| list_operator(operator, test.exact_case)).collect(),
            ),
            ValueType::Date => Present::Date(DateTest::compile(test, around)),
            ValueType::Datetime => Present::Datetime(DatetimeTest::compile(test, around)),
        };
        Self { of_missing, of_present }
    }

    /// A test of how many days ago an instant was.
    pub(super) fn days_since(test: &Test) -> Self {
        let of_missing = is_of_missing(&test.operators);
        Self { of_missing, of_present: Present::DaysSince(DaysSinceTest::compile(test)) }
    }

    /// A test of a value by which contacts are ranked. `in_days`: of an instant, by how many days ago it was.
    pub(super) fn of_place(bounds: Bounds, in_days: bool) -> Self {
        if !in_days {
            return Self { of_missing: false, of_present: Present::Place(bounds) };
        }
        let Bounds { from, to } = bounds;
        let mut operators = vec![Operator::AtLeast(Number::from_millionths(from))];
        if to < i64::MAX {
            operators.push(Operator::AtMost(Number::from_millionths(to)));
        }
        Self::days_since(&Test { operators, exact_case: false })
    }

    /// Whether the answer for one value may change by the passage of time.
    pub(super) fn depends_on_time(&self) -> bool {
        match &self.of_present {
            Present::Date(test) => test.depends_on_time(),
            Present::Datetime(test) => test.depends_on_time(),
            Present::DaysSince(_) => true,
            _ => false,
        }
    }

    /// Whether it looks at the local calendar.
    pub(super) fn uses_zone(&self) -> bool {
        match &self.of_present {
            Present::Date(test) => test.depends_on_time(),
            Present::Datetime(test) => test.uses_zone(),
            Present::DaysSince(_) => true,
            _ => false,
        }
    }

    /// The answer where there is no value.
    pub(super) const fn of_missing(&self) -> bool {
        self.of_missing
    }

    /// The answer for the exact number total / count, in millionths.
    pub(super) fn of_ratio(&self, total: i128, count: i128) -> bool {
        match &self.of_present {
            Present::Number(test) => test.holds(total, count),
            Present::Place(bounds) => bounds.hold(rounded(total, count).millionths()),
            _ => false,
        }
    }

    /// Whether no number greater than this one, in millionths, has another answer.
    pub(super) fn is_settled_from(&self, millionths: i128) -> bool {
        match &self.of_present {
            Present::Number(test) => millionths >= test.settled_from,
            Present::Place(Bounds { from, to: i64::MAX }) => millionths >= i128::from(*from),
            Present::Place(bounds) => millionths > i128::from(bounds.to),
            _ => false,
        }
    }

    /// Whether all counts from 0 up to this one have the same answer.
    pub(super) fn is_settled_up_to(&self, count: usize) -> bool {
        match &self.of_present {
            Present::Number(test) => test.differs_at.is_none_or(|other| count < other),
            _ => false,
        }
    }

    /// The answer for an instant.
    pub(super) fn of_instant(&self, at: Timestamp, moment: &Moment) -> Answer {
        match &self.of_present {
            Present::Datetime(test) => test.answer(at, moment),
            Present::Place(bounds) => Answer::lasting(bounds.hold(at.micros())),
            Present::DaysSince(test) => {
                let (holds, changes) = test.answer(calendar::day_of(at, moment.zone), moment.today);
                let until = changes.map_or(NEVER, |day| moment.begins(day));
                Answer::until(holds, until).at_most(moment.day_returns)
            }
            _ => Answer::lasting(false),
        }
    }

    /// The answer for a slot's value, whose texts are folded unless the test is of exact case.
    pub(super) fn of_slot(&self, slot: Slot, texts: &Texts, moment: &Moment) -> Answer {
        Answer::lasting(match (&self.of_present, slot) {
            (_, Slot::Missing) => self.of_missing,
            (Present::Place(bounds), Slot::Number(number)) => bounds.hold(number.millionths()),
            (Present::Place(bounds), Slot::Datetime(at)) => bounds.hold(at.micros()),
            (Present::Number(test), Slot::Number(number)) => test.holds(number.millionths().into(), 1),
            (Present::Text(test), Slot::Text(place)) => test.holds(texts.text(place)),
            (Present::Boolean(operators), Slot::Boolean(value)) => {
                operators.iter().all(|operator| operator.holds(value))
            }
            (Present::List(operators), Slot::List(place)) => {
                operators.iter().all(|operator| operator.holds(texts.list(place)))
            }
            (Present::Date(test), Slot::Date(day)) => return test.answer(day, moment),
            (Present::Datetime(test), Slot::Datetime(at)) => return test.answer(at, moment),
            _ => false,
        })
    }
}

/// Whether a value that is missing passes.
fn is_of_missing(operators: &[Operator]) -> bool {
    operators.iter().all(|operator| matches!(operator, Operator::Exists(false) | Operator::Blank(true)))
}

/// A test of an exact number.
#[derive(Debug)]
pub(super) struct NumberTest {
    operators: Vec<NumberOperator>,
    /// From this many millionths on the answer is the same.
    settled_from: i128,
    /// The least count that has another answer than 0.
    differs_at: Option<usize>,
}

#[derive(Debug)]
enum NumberOperator {
    Always(bool),
    AtLeast(Number),
    AtMost(Number),
    MoreThan(Number),
    LessThan(Number),
    Between(Number, Number),
    OneOf(Vec<Number>),
    NoneOf(Vec<Number>),
}

impl NumberTest {
    pub(super) fn compile(test: &Test) -> Self {
        let operators: Vec<_> = test.operators.iter().map(NumberOperator::compile).collect();
        let settled_from = operators.iter().map(NumberOperator::settled_from).max().unwrap_or(i128::MIN);
        let mut test = Self { operators, settled_from, differs_at: None };
        let of_none = test.holds_for(0);
        let counts = test.edges().into_iter().filter(|edge| *edge > 0);
        let mut differing = counts.filter(|count| test.holds_for(*count) != of_none);
        test.differs_at = differing.next().map(|count| count as usize);
        test
    }

    /// Whether it holds for total / count, in millionths; compared without dividing.
    #[inline]
    pub(super) fn holds(&self, total: i128, count: i128) -> bool {
        self.operators.iter().all(|operator| operator.holds(total, count))
    }

    /// Whether it holds for a number of which it is known how it compares with others.
    pub(super) fn holds_where(&self, compare: &impl Fn(Number) -> Ordering) -> bool {
        self.operators.iter().all(|operator| operator.holds_where(compare))
    }

    /// The numbers that it compares with.
    pub(super) fn operands(&self) -> impl Iterator<Item = Number> {
        self.operators.iter().flat_map(NumberOperator::operands)
    }

    /// Whether it holds for a whole number.
    pub(super) fn holds_for(&self, whole: i32) -> bool {
        self.holds(i128::from(whole) * i128::from(ONE), 1)
    }

    /// The whole numbers at which the answer may differ from the one for the number before, ascending.
    pub(super) fn edges(&self) -> Vec<i32> {
        let mut edges: Vec<i32> = self
            .operators
            .iter()
            .flat_map(NumberOperator::operands)
            .map(|operand| operand.millionths().div_euclid(ONE))
            .flat_map(|whole| [whole, whole.saturating_add(1)])
            .filter_map(|whole| i32::try_from(whole).ok())
            .collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

impl NumberOperator {
    fn compile(operator: &Operator) -> Self {
        match operator {
            Operator::Exists(wanted) => Self::Always(*wanted),
            Operator::Is(Value::Number(number)) => Self::OneOf(vec![*number]),
            Operator::IsNot(Value::Number(number)) => Self::NoneOf(vec![*number]),
            Operator::In(values) => Self::OneOf(numbers(values)),
            Operator::NotIn(values) => Self::NoneOf(numbers(values)),
            Operator::AtLeast(bound) => Self::AtLeast(*bound),
            Operator::AtMost(bound) => Self::AtMost(*bound),
            Operator::MoreThan(bound) => Self::MoreThan(*bound),
            Operator::LessThan(bound) => Self::LessThan(*bound),
            Operator::Between(low, high) => Self::Between(*low, *high),
            _ => Self::Always(false),
        }
    }

    #[inline]
    fn holds(&self, total: i128, count: i128) -> bool {
        let times = |bound: &Number| i128::from(bound.millionths()) * count;
        match self {
            Self::Always(answer) => *answer,
            Self::AtLeast(bound) => total >= times(bound),
            Self::AtMost(bound) => total <= times(bound),
            Self::MoreThan(bound) => total > times(bound),
            Self::LessThan(bound) => total < times(bound),
            Self::Between(low, high) => total >= times(low) && total <= times(high),
            Self::OneOf(numbers) => numbers.iter().any(|number| total == times(number)),
            Self::NoneOf(numbers) => numbers.iter().all(|number| total != times(number)),
        }
    }

    fn holds_where(&self, compare: &impl Fn(Number) -> Ordering) -> bool {
        match self {
            Self::Always(answer) => *answer,
            Self::AtLeast(bound) => compare(*bound).is_ge(),
            Self::AtMost(bound) => compare(*bound).is_le(),
            Self::MoreThan(bound) => compare(*bound).is_gt(),
            Self::LessThan(bound) => compare(*bound).is_lt(),
            Self::Between(low, high) => compare(*low).is_ge() && compare(*high).is_le(),
            Self::OneOf(numbers) => numbers.iter().any(|number| compare(*number).is_eq()),
            Self::NoneOf(numbers) => numbers.iter().all(|number| compare(*number).is_ne()),
        }
    }

    fn operands(&self) -> Vec<Number> {
        match self {
            Self::Always(_) => Vec::new(),
            Self::AtLeast(bound) | Self::AtMost(bound) | Self::MoreThan(bound) | Self::LessThan(bound) => {
                vec![*bound]
            }
            Self::Between(low, high) => vec![*low, *high],
            Self::OneOf(numbers) | Self::NoneOf(numbers) => numbers.clone(),
        }
    }

    fn settled_from(&self) -> i128 {
        let greatest = self.operands().into_iter().max().map(|bound| i128::from(bound.millionths()));
        match (self, greatest) {
            (_, None) => i128::MIN,
            (Self::AtLeast(_) | Self::LessThan(_), Some(bound)) => bound,
            (_, Some(bound)) => bound + 1,
        }
    }
}

fn numbers(values: &[Value]) -> Vec<Number> {
    let number = |value: &Value| if let Value::Number(number) = value { Some(*number) } else { None };
    values.iter().filter_map(number).collect()
}

#[derive(Debug)]
enum BooleanOperator {
    Always(bool),
    OneOf(Vec<bool>),
    NoneOf(Vec<bool>),
}

fn boolean_operator(operator: &Operator) -> BooleanOperator {
    let boolean = |value: &Value| if let Value::Boolean(value) = value { Some(*value) } else { None };
    match operator {
        Operator::Exists(wanted) => BooleanOperator::Always(*wanted),
        Operator::Is(value) => BooleanOperator::OneOf(boolean(value).into_iter().collect()),
        Operator::IsNot(value) => BooleanOperator::NoneOf(boolean(value).into_iter().collect()),
        Operator::In(values) => BooleanOperator::OneOf(values.iter().filter_map(boolean).collect()),
        Operator::NotIn(values) => BooleanOperator::NoneOf(values.iter().filter_map(boolean).collect()),
        _ => BooleanOperator::Always(false),
    }
}

impl BooleanOperator {
    fn holds(&self, value: bool) -> bool {
        match self {
            Self::Always(answer) => *answer,
            Self::OneOf(values) => values.contains(&value),
            Self::NoneOf(values) => !values.contains(&value),
        }
    }
}

#[derive(Debug)]
enum ListOperator {
    Always(bool),
    ContainsAny(Vec<String>),
    ContainsAll(Vec<String>),
    ContainsNone(Vec<String>),
    /// Whether its items are these, in whatever order; each counts once.
    Same(Vec<String>, bool),
    Size(NumberTest),
}

fn list_operator(operator: &Operator, exact_case: bool) -> ListOperator {
    let operands = |items: &[String]| items.iter().map(|item| fold_operand(item, exact_case)).collect();
    match operator {
        Operator::Exists(wanted) => ListOperator::Always(*wanted),
        Operator::ContainsAny(items) => ListOperator::ContainsAny(operands(items)),
        Operator::ContainsAll(items) => ListOperator::ContainsAll(operands(items)),
        Operator::ContainsNone(items) => ListOperator::ContainsNone(operands(items)),
        Operator::Is(Value::List(items)) => ListOperator::Same(operands(items), true),
        Operator::IsNot(Value::List(items)) => ListOperator::Same(operands(items), false),
        Operator::Size(test) => ListOperator::Size(NumberTest::compile(test)),
        _ => ListOperator::Always(false),
    }
}

impl ListOperator {
    fn holds<'t>(&self, mut items: impl Iterator<Item = &'t str> + Clone) -> bool {
        match self {
            Self::Always(answer) => *answer,
            Self::ContainsAny(wanted) => items.any(|item| wanted.iter().any(|wanted| wanted == item)),
            Self::ContainsNone(wanted) => !items.any(|item| wanted.iter().any(|wanted| wanted == item)),
            Self::Same(wanted, same) => {
                let all_wanted = items.clone().all(|item| wanted.iter().any(|wanted| wanted == item));
                let all_there = || wanted.iter().all(|wanted| items.clone().any(|item| item == wanted));
                (all_wanted && all_there()) == *same
            }
            Self::ContainsAll(wanted) => wanted.iter().all(|wanted| items.clone().any(|item| item == wanted)),
            Self::Size(test) => test.holds_for(different(items)),
        }
    }
}

/// How many different items there are.
fn different<'t>(mut items: impl Iterator<Item = &'t str> + Clone) -> i32 {
    /// Up to here comparing each with each is cheaper than a set.
    const FEW: usize = 16;
    if items.clone().nth(FEW).is_some() {
        return items.collect::<HashSet<_>>().len() as i32;
    }
    let mut different = 0;
    while let Some(item) = items.next() {
        different += i32::from(items.clone().all(|later| later != item));
    }
    different
}
