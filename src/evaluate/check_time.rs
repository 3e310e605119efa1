//! Tests of days and instants, and when their answers change.
//!
//! A `date` is compared by days of the contact's zone; absolute bounds are days or instants in the
//! installation's zone, which are known when the program is compiled.

use chrono::NaiveDate;

use super::answer::{Answer, NEVER};
use super::check::Surroundings;
use super::check_day::{self, DayTest};
use super::moment::{Back, MICROSECOND, Moment};
use crate::domain::calendar;
use crate::domain::condition::{Ago, DateBound, Operator, Test};
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
    /// Whether the day at the far end is in, too.
    Within(Span, bool),
    /// Whether the day at the near end is out.
    OlderThan(Span, bool),
    WithinNext(Span),
    Day(DayTest),
}

impl DateTest {
    pub(super) fn compile(test: &Test, around: &Surroundings<'_>) -> Self {
        Self(
            test.operators.iter().flat_map(|operator| DateOperator::compile(operator, around.zone)).collect(),
        )
    }

    pub(super) fn depends_on_time(&self) -> bool {
        let depends = |operator: &DateOperator| match operator {
            DateOperator::Within(..) | DateOperator::OlderThan(..) | DateOperator::WithinNext(_) => true,
            DateOperator::Day(test) => test.depends_on_time(),
            _ => false,
        };
        self.0.iter().any(depends)
    }

    pub(super) fn answer(&self, day: NaiveDate, moment: &Moment) -> Answer {
        Answer::all(self.0.iter().map(|operator| operator.answer(day, moment)))
    }
}

impl DateOperator {
    fn compile(operator: &Operator, zone: Zone) -> Vec<Self> {
        match operator {
            Operator::Ago(bounds) => bounds
                .iter()
                .map(|bound| match *bound {
                    Ago::AtLeast(span) => Self::OlderThan(span, false),
                    Ago::MoreThan(span) => Self::OlderThan(span, true),
                    Ago::AtMost(span) => Self::Within(span, true),
                    Ago::LessThan(span) => Self::Within(span, false),
                })
                .collect(),
            single => vec![Self::single(single, zone)],
        }
    }

    fn single(operator: &Operator, zone: Zone) -> Self {
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
            Operator::Within(span) => Self::Within(*span, false),
            Operator::OlderThan(span) => Self::OlderThan(*span, false),
            Operator::WithinNext(span) => Self::WithinNext(*span),
            other => DayTest::compile(other).map_or(Self::Always(false), Self::Day),
        }
    }

    fn answer(&self, day: NaiveDate, moment: &Moment) -> Answer {
        // A bound that is in (or out) beside those beyond it: the next day stands for the day.
        let shift = |day: NaiveDate, by_one| if by_one { day.succ_opt().unwrap_or(day) } else { day };
        let begins = |day: Option<NaiveDate>| day.map_or(NEVER, |day| moment.begins(day));
        let (holds, until) = match self {
            Self::Always(answer) => return Answer::lasting(*answer),
            Self::OneOf(days) => return Answer::lasting(days.contains(&day)),
            Self::NoneOf(days) => return Answer::lasting(!days.contains(&day)),
            Self::Between(first, last) => return Answer::lasting((*first..=*last).contains(&day)),
            Self::Within(..) if day > moment.today => (false, moment.begins(day)),
            Self::Within(span, shifted) => {
                let day = shift(day, *shifted);
                let within = day > calendar::day_back(moment.today, *span);
                (within, if within { begins(Moment::day_reaching(*span, day)) } else { NEVER })
            }
            Self::OlderThan(span, shifted) => {
                let day = shift(day, *shifted);
                let older = day <= calendar::day_back(moment.today, *span);
                (older, if older { NEVER } else { begins(Moment::day_reaching(*span, day)) })
            }
            Self::WithinNext(span) => {
                let (holds, changes) = check_day::within_next(day, *span, moment.today);
                (holds, begins(changes))
            }
            Self::Day(test) if !test.depends_on_time() => {
                return Answer::lasting(test.answer(day, moment.today).0);
            }
            Self::Day(test) => {
                let (holds, changes) = test.answer(day, moment.today);
                (holds, begins(changes))
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
    /// Whether the instant at the far end is in, too.
    Within(Back, bool),
    /// Whether the instant at the near end is out.
    OlderThan(Back, bool),
    WithinNext(Span),
    Day(DayTest),
}

impl DatetimeTest {
    pub(super) fn compile(test: &Test, around: &mut Surroundings<'_>) -> Self {
        Self(test.operators.iter().flat_map(|operator| DatetimeOperator::compile(operator, around)).collect())
    }

    pub(super) fn depends_on_time(&self) -> bool {
        let depends = |operator: &DatetimeOperator| {
            use DatetimeOperator::{Day, OlderThan, Within, WithinNext};
            match operator {
                Within(..) | OlderThan(..) | WithinNext(_) => true,
                Day(test) => test.depends_on_time(),
                _ => false,
            }
        };
        self.0.iter().any(depends)
    }

    pub(super) fn uses_zone(&self) -> bool {
        use DatetimeOperator::{Day, WithinNext};
        self.0.iter().any(|operator| matches!(operator, Day(_) | WithinNext(Span::Months(_))))
    }

    pub(super) fn answer(&self, at: Timestamp, moment: &Moment) -> Answer {
        Answer::all(self.0.iter().map(|operator| operator.answer(at, moment)))
    }
}

impl DatetimeOperator {
    fn compile(operator: &Operator, around: &mut Surroundings<'_>) -> Vec<Self> {
        match operator {
            Operator::Ago(bounds) => bounds
                .iter()
                .map(|bound| match *bound {
                    Ago::AtLeast(span) => Self::OlderThan(around.spans.back(span), false),
                    Ago::MoreThan(span) => Self::OlderThan(around.spans.back(span), true),
                    Ago::AtMost(span) => Self::Within(around.spans.back(span), true),
                    Ago::LessThan(span) => Self::Within(around.spans.back(span), false),
                })
                .collect(),
            single => vec![Self::single(single, around)],
        }
    }

    fn single(operator: &Operator, around: &mut Surroundings<'_>) -> Self {
        let instant = |value: &Value| if let Value::Datetime(at) = value { Some(*at) } else { None };
        let zone = around.zone;
        // A bound stands for a stretch of time: the whole day, or one microsecond.
        let begin = |bound: &DateBound| match bound {
            DateBound::Day(day) => calendar::day_start(*day, zone),
            DateBound::Instant(at) => *at,
        };
        let end = |bound: &DateBound| match bound {
            DateBound::Day(day) => calendar::day_end(*day, zone),
            DateBound::Instant(at) => at.plus(MICROSECOND),
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
            Operator::Within(span) => Self::Within(around.spans.back(*span), false),
            Operator::OlderThan(span) => Self::OlderThan(around.spans.back(*span), false),
            Operator::WithinNext(span) => Self::WithinNext(*span),
            other => DayTest::compile(other).map_or(Self::Always(false), Self::Day),
        }
    }

    fn answer(&self, at: Timestamp, moment: &Moment) -> Answer {
        let shift = |at: Timestamp, by_one| if by_one { at.plus(MICROSECOND) } else { at };
        match self {
            Self::Always(answer) => Answer::lasting(*answer),
            Self::OneOf(instants) => Answer::lasting(instants.contains(&at)),
            Self::NoneOf(instants) => Answer::lasting(!instants.contains(&at)),
            Self::Between(begin, end) => Answer::lasting((*begin..*end).contains(&at)),
            Self::Within(..) if at > moment.now => Answer::until(false, at),
            Self::Within(back, shifted) => older_than(*back, shift(at, *shifted), moment).negated(),
            Self::OlderThan(back, shifted) => older_than(*back, shift(at, *shifted), moment),
            Self::WithinNext(span) => moment.within_next(*span, at),
            Self::Day(test) => {
                let (holds, changes) = test.answer(calendar::day_of(at, moment.zone), moment.today);
                if !test.depends_on_time() {
                    return Answer::lasting(holds);
                }
                let until = changes.map_or(NEVER, |day| moment.begins(day));
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
