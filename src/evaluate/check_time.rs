//! Tests of days and instants, and when their answers change.
//!
//! A `date` is compared by days of the contact's zone; absolute bounds are days or instants in the
//! installation's zone, which are known when the program is compiled.

use chrono::{Datelike, NaiveDate};

use super::answer::{Answer, NEVER};
use super::check::{NumberTest, Surroundings};
use super::moment::{Back, Moment};
use crate::domain::calendar;
use crate::domain::condition::{DateBound, Operator, Test};
use crate::domain::time::{Span, Timestamp, Zone};
use crate::domain::value::Value;

/// A compiled test of a day: all operators hold.
#[derive(Debug)]
pub(super) struct DateTest(Vec<DateOperator>);

#[derive(Debug)]
enum DateOperator {
    Always(bool),
    OneOf(Vec<NaiveDate>),
    NoneOf(Vec<NaiveDate>),
    /// Both included.
    Between(NaiveDate, NaiveDate),
    Within(Span),
    OlderThan(Span),
    Age(AgeTest),
}

impl DateTest {
    pub(super) fn compile(test: &Test, around: &Surroundings<'_>) -> Self {
        Self(test.operators.iter().map(|operator| DateOperator::compile(operator, around.zone)).collect())
    }

    pub(super) fn depends_on_time(&self) -> bool {
        let depends = |operator: &DateOperator| {
            matches!(operator, DateOperator::Within(_) | DateOperator::OlderThan(_) | DateOperator::Age(_))
        };
        self.0.iter().any(depends)
    }

    pub(super) fn answer(&self, day: NaiveDate, moment: &Moment) -> Answer {
        Answer::all(self.0.iter().map(|operator| operator.answer(day, moment)))
    }
}

impl DateOperator {
    fn compile(operator: &Operator, zone: Zone) -> Self {
        let date = |value: &Value| if let Value::Date(day) = value { Some(*day) } else { None };
        let day = |bound: &DateBound| match bound {
            DateBound::Day(day) => *day,
            DateBound::Instant(at) => calendar::day_of(*at, zone),
        };
        match operator {
            Operator::Exists(wanted) => Self::Always(*wanted),
            Operator::Is(value) => Self::OneOf(date(value).into_iter().collect()),
            Operator::IsNot(value) => Self::NoneOf(date(value).into_iter().collect()),
            Operator::In(values) => Self::OneOf(values.iter().filter_map(date).collect()),
            Operator::NotIn(values) => Self::NoneOf(values.iter().filter_map(date).collect()),
            Operator::On(bound) => Self::Between(day(bound), day(bound)),
            Operator::Before(bound) => {
                day(bound).pred_opt().map_or(Self::Always(false), |last| Self::Between(NaiveDate::MIN, last))
            }
            Operator::After(bound) => day(bound)
                .succ_opt()
                .map_or(Self::Always(false), |first| Self::Between(first, NaiveDate::MAX)),
            Operator::BetweenDates(first, last) => Self::Between(day(first), day(last)),
            Operator::Within(span) => Self::Within(*span),
            Operator::OlderThan(span) => Self::OlderThan(*span),
            Operator::Age(test) => Self::Age(AgeTest::compile(test)),
            _ => Self::Always(false),
        }
    }

    fn answer(&self, day: NaiveDate, moment: &Moment) -> Answer {
        let begins = |day: Option<NaiveDate>| day.map_or(NEVER, |day| moment.begins(day));
        let (holds, until) = match self {
            Self::Always(answer) => return Answer::lasting(*answer),
            Self::OneOf(days) => return Answer::lasting(days.contains(&day)),
            Self::NoneOf(days) => return Answer::lasting(!days.contains(&day)),
            Self::Between(first, last) => return Answer::lasting((*first..=*last).contains(&day)),
            Self::Within(_) if day > moment.today => (false, moment.begins(day)),
            Self::Within(span) => {
                let within = day > calendar::day_back(moment.today, *span);
                (within, if within { begins(Moment::day_reaching(*span, day)) } else { NEVER })
            }
            Self::OlderThan(span) => {
                let older = day <= calendar::day_back(moment.today, *span);
                (older, if older { NEVER } else { begins(Moment::day_reaching(*span, day)) })
            }
            Self::Age(test) => {
                let (holds, birthday) = test.answer(day, moment.today);
                (holds, begins(birthday))
            }
        };
        Answer::until(holds, until).at_most(moment.day_returns)
    }
}

/// A compiled test of an instant: all operators hold.
#[derive(Debug)]
pub(super) struct DatetimeTest(Vec<DatetimeOperator>);

#[derive(Debug)]
enum DatetimeOperator {
    Always(bool),
    OneOf(Vec<Timestamp>),
    NoneOf(Vec<Timestamp>),
    /// The first included, the second not.
    Between(Timestamp, Timestamp),
    Within(Back),
    OlderThan(Back),
    Age(AgeTest),
}

impl DatetimeTest {
    pub(super) fn compile(test: &Test, around: &mut Surroundings<'_>) -> Self {
        Self(test.operators.iter().map(|operator| DatetimeOperator::compile(operator, around)).collect())
    }

    pub(super) fn depends_on_time(&self) -> bool {
        let depends = |operator: &DatetimeOperator| {
            use DatetimeOperator::{Age, OlderThan, Within};
            matches!(operator, Within(_) | OlderThan(_) | Age(_))
        };
        self.0.iter().any(depends)
    }

    pub(super) fn uses_zone(&self) -> bool {
        self.0.iter().any(|operator| matches!(operator, DatetimeOperator::Age(_)))
    }

    pub(super) fn answer(&self, at: Timestamp, moment: &Moment) -> Answer {
        Answer::all(self.0.iter().map(|operator| operator.answer(at, moment)))
    }
}

impl DatetimeOperator {
    fn compile(operator: &Operator, around: &mut Surroundings<'_>) -> Self {
        let instant = |value: &Value| if let Value::Datetime(at) = value { Some(*at) } else { None };
        let zone = around.zone;
        // A bound stands for a stretch of time: the whole day, or one microsecond.
        let begin = |bound: &DateBound| match bound {
            DateBound::Day(day) => calendar::day_start(*day, zone),
            DateBound::Instant(at) => *at,
        };
        let end = |bound: &DateBound| match bound {
            DateBound::Day(day) => calendar::day_end(*day, zone),
            DateBound::Instant(at) => at.plus(std::time::Duration::from_micros(1)),
        };
        match operator {
            Operator::Exists(wanted) => Self::Always(*wanted),
            Operator::Is(value) => Self::OneOf(instant(value).into_iter().collect()),
            Operator::IsNot(value) => Self::NoneOf(instant(value).into_iter().collect()),
            Operator::In(values) => Self::OneOf(values.iter().filter_map(instant).collect()),
            Operator::NotIn(values) => Self::NoneOf(values.iter().filter_map(instant).collect()),
            Operator::On(bound) => Self::Between(begin(bound), end(bound)),
            Operator::Before(bound) => Self::Between(Timestamp::from_micros(i64::MIN), begin(bound)),
            Operator::After(bound) => Self::Between(end(bound), NEVER),
            Operator::BetweenDates(first, last) => Self::Between(begin(first), end(last)),
            Operator::Within(span) => Self::Within(around.spans.back(*span)),
            Operator::OlderThan(span) => Self::OlderThan(around.spans.back(*span)),
            Operator::Age(test) => Self::Age(AgeTest::compile(test)),
            _ => Self::Always(false),
        }
    }

    fn answer(&self, at: Timestamp, moment: &Moment) -> Answer {
        match self {
            Self::Always(answer) => Answer::lasting(*answer),
            Self::OneOf(instants) => Answer::lasting(instants.contains(&at)),
            Self::NoneOf(instants) => Answer::lasting(!instants.contains(&at)),
            Self::Between(begin, end) => Answer::lasting((*begin..*end).contains(&at)),
            Self::Within(_) if at > moment.now => Answer::until(false, at),
            Self::Within(back) => older_than(*back, at, moment).negated(),
            Self::OlderThan(back) => older_than(*back, at, moment),
            Self::Age(test) => {
                let (holds, birthday) = test.answer(calendar::day_of(at, moment.zone), moment.today);
                let until = birthday.map_or(NEVER, |birthday| moment.begins(birthday));
                Answer::until(holds, until).at_most(moment.day_returns)
            }
        }
    }
}

/// Whether `at` is at or before the cut.
fn older_than(back: Back, at: Timestamp, moment: &Moment) -> Answer {
    if at <= moment.cut(back) {
        Answer::until(true, moment.sets_back_before(back, at))
    } else {
        Answer::until(false, moment.reaches(back, at))
    }
}

/// A test of completed years. A day that is still to come has no age.
#[derive(Debug)]
struct AgeTest {
    test: NumberTest,
    /// Ages at which the answer may change.
    edges: Vec<i32>,
}

impl AgeTest {
    fn compile(test: &Test) -> Self {
        let test = NumberTest::compile(test);
        let mut edges = test.edges();
        edges.retain(|age| *age > 0);
        edges.insert(0, 0);
        Self { test, edges }
    }

    /// Whether it holds today, and the first birthday on which that changes.
    fn answer(&self, born: NaiveDate, today: NaiveDate) -> (bool, Option<NaiveDate>) {
        let completed = today.year() - born.year() - i32::from(birthday(born, today.year()) > Some(today));
        let age = if born <= today { completed } else { -1 };
        let holds = age >= 0 && self.test.holds_for(age);
        let changes = self.edges.iter().find(|edge| **edge > age && self.test.holds_for(**edge) != holds);
        (holds, changes.and_then(|age| birthday(born, born.year().checked_add(*age)?)))
    }
}

/// The birthday in a year; of those born on 29 February it is 1 March in common years.
fn birthday(born: NaiveDate, year: i32) -> Option<NaiveDate> {
    born.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_in_completed_years() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let at_least = |years| Test {
            operators: vec![Operator::AtLeast(
                crate::domain::number::Number::from_whole(years).expect("a number"),
            )],
            exact_case: false,
        };
        for (born, today, years, holds, changes) in [
            ("2000-03-01", "2018-02-28", 18, false, Some("2018-03-01")),
            ("2000-03-01", "2018-03-01", 18, true, None),
            ("2000-02-29", "2018-02-28", 18, false, Some("2018-03-01")),
            ("2000-02-29", "2020-02-29", 20, true, None),
            ("2000-02-29", "2020-02-28", 20, false, Some("2020-02-29")),
            ("2030-01-01", "2026-01-01", 0, false, Some("2030-01-01")),
            ("1900-01-01", "2026-01-01", 200, false, Some("2100-01-01")),
        ] {
            let answer = AgeTest::compile(&at_least(years)).answer(day(born), day(today));
            assert_eq!(answer, (holds, changes.map(day)), "{born} on {today}, {years}");
        }
    }
}
