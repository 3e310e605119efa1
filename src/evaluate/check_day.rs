//! Tests of a day by the calendar: completed years, anniversaries, months, weeks. They look at today's
//! date only, so that their answers change where a day begins.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::check::NumberTest;
use crate::domain::calendar;
use crate::domain::condition::{CalendarUnit, Operator, Period, Test};
use crate::domain::time::Span;

/// A compiled test of a day.
#[derive(Debug)]
pub(super) enum DayTest {
    Age(AgeTest),
    During(Period),
    Month(Vec<u32>),
    Weekday(Vec<Weekday>),
    /// An anniversary in [today, today + span).
    Anniversary(Span),
}

/// Whether a test holds today, and the first later day on which that may change; `None`: never.
pub(super) type Today = (bool, Option<NaiveDate>);

impl DayTest {
    /// The test that an operator is; `None`: it is another kind.
    pub(super) fn compile(operator: &Operator) -> Option<Self> {
        Some(match operator {
            Operator::Age(test) => Self::Age(AgeTest::compile(test)),
            Operator::During(period) => Self::During(*period),
            Operator::Month(months) => Self::Month(months.clone()),
            Operator::Weekday(days) => Self::Weekday(days.clone()),
            Operator::Anniversary(span) => Self::Anniversary(*span),
            _ => return None,
        })
    }

    pub(super) const fn depends_on_time(&self) -> bool {
        !matches!(self, Self::Month(_) | Self::Weekday(_))
    }

    pub(super) fn answer(&self, day: NaiveDate, today: NaiveDate) -> Today {
        match self {
            Self::Age(test) => test.answer(day, today),
            Self::During(period) => during(*period, day, today),
            Self::Month(months) => (months.contains(&day.month()), None),
            Self::Weekday(days) => (days.contains(&day.weekday()), None),
            Self::Anniversary(span) => match next_anniversary(day, today) {
                Some(next) => within_next(next, *span, today),
                None => (false, None),
            },
        }
    }
}

/// Whether a day lies in [today, today + span).
pub(super) fn within_next(day: NaiveDate, span: Span, today: NaiveDate) -> Today {
    /// So much steps of the calendar and back can differ.
    const ENDS_OF_MONTHS: Days = Days::new(4);
    if day < today {
        return (false, None);
    }
    if day < calendar::day_forward(today, span) {
        return (true, day.succ_opt());
    }
    // The first day that is so near. Steps of the calendar are not reversible at the ends of months.
    let mut first = calendar::day_back(day, span);
    first = first.checked_sub_days(ENDS_OF_MONTHS).unwrap_or(first);
    while calendar::day_forward(first, span) <= day {
        let Some(next) = first.succ_opt() else { return (false, None) };
        first = next;
    }
    (false, Some(first))
}

/// Whether a day lies in the period as it is today.
fn during(period: Period, day: NaiveDate, today: NaiveDate) -> Today {
    let number = |day| number_of(period.unit, day);
    let holds = number(day) == number(today) + i64::from(period.offset);
    // The unit in which today must lie.
    let unit = number(day) - i64::from(period.offset);
    let changes = match unit - number(today) {
        0 => first_of(period.unit, unit + 1),
        1.. => first_of(period.unit, unit),
        _ => None,
    };
    (holds, changes)
}

/// Days, weeks, months … counted.
fn number_of(unit: CalendarUnit, day: NaiveDate) -> i64 {
    let months = i64::from(day.year()) * 12 + i64::from(day.month0());
    match unit {
        CalendarUnit::Day => i64::from(day.num_days_from_ce()),
        // 1 January of the year 1 is a Monday.
        CalendarUnit::Week => (i64::from(day.num_days_from_ce()) - 1).div_euclid(7),
        CalendarUnit::Month => months,
        CalendarUnit::Quarter => months.div_euclid(3),
        CalendarUnit::Year => i64::from(day.year()),
    }
}

/// The first day of a unit, counted as by [`number_of`].
fn first_of(unit: CalendarUnit, number: i64) -> Option<NaiveDate> {
    let day = |days: i64| NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?);
    let month = |months: i64| {
        let year = i32::try_from(months.div_euclid(12)).ok()?;
        NaiveDate::from_ymd_opt(year, months.rem_euclid(12) as u32 + 1, 1)
    };
    match unit {
        CalendarUnit::Day => day(number),
        CalendarUnit::Week => day(number * 7 + 1),
        CalendarUnit::Month => month(number),
        CalendarUnit::Quarter => month(number * 3),
        CalendarUnit::Year => month(number * 12),
    }
}

/// The next anniversary of a day, which may be today. The day itself is none.
fn next_anniversary(day: NaiveDate, today: NaiveDate) -> Option<NaiveDate> {
    let first = day.year().checked_add(1)?;
    let this_year = anniversary(day, today.year().max(first))?;
    if this_year >= today { Some(this_year) } else { anniversary(day, this_year.year() + 1) }
}

/// The anniversary in a year; of 29 February it is 1 March in common years.
fn anniversary(day: NaiveDate, year: i32) -> Option<NaiveDate> {
    day.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

/// A test of completed years. A day that is still to come has no age.
#[derive(Debug)]
pub(super) struct AgeTest {
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

    fn answer(&self, born: NaiveDate, today: NaiveDate) -> Today {
        let age = age(born, today).unwrap_or(-1);
        let holds = age >= 0 && self.test.holds_for(age);
        let changes = self.edges.iter().find(|edge| **edge > age && self.test.holds_for(**edge) != holds);
        (holds, changes.and_then(|age| anniversary(born, born.year().checked_add(*age)?)))
    }
}

/// The completed years since a day; `None`: it is still to come.
pub(super) fn age(born: NaiveDate, today: NaiveDate) -> Option<i32> {
    let had_birthday = anniversary(born, today.year()) <= Some(today);
    (born <= today).then(|| today.year() - born.year() - i32::from(!had_birthday))
}

/// A test of how many days ago a day was.
#[derive(Debug)]
pub(super) struct DaysSinceTest {
    test: NumberTest,
    /// Numbers of days at which the answer may change.
    edges: Vec<i32>,
}

impl DaysSinceTest {
    pub(super) fn compile(test: &Test) -> Self {
        let test = NumberTest::compile(test);
        let edges = test.edges();
        Self { test, edges }
    }

    pub(super) fn answer(&self, day: NaiveDate, today: NaiveDate) -> Today {
        let days = days_since(day, today);
        let holds = self.test.holds_for(days);
        let changes = self.edges.iter().find(|edge| **edge > days && self.test.holds_for(**edge) != holds);
        let on = |edge: &i32| day.checked_add_days(Days::new(u64::try_from(*edge).ok()?));
        (holds, changes.and_then(on))
    }
}

/// How many days ago a day was. One that a clock that is set back made a later one is today.
pub(super) fn days_since(day: NaiveDate, today: NaiveDate) -> i32 {
    i32::try_from((today - day).num_days().max(0)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::number::Number;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn age_is_in_completed_years() {
        let at_least = |years| Test {
            operators: vec![Operator::AtLeast(Number::from_whole(years).expect("a number"))],
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

    #[test]
    fn periods_follow_each_other_without_gap() {
        use CalendarUnit::{Day, Month, Quarter, Week, Year};
        for (unit, offset, of, today, holds, changes) in [
            (Day, -1, "2026-03-01", "2026-03-02", true, Some("2026-03-03")),
            (Day, 1, "2026-03-01", "2026-02-10", false, Some("2026-02-28")),
            (Week, 0, "2026-11-23", "2026-11-22", false, Some("2026-11-23")),
            (Week, 0, "2026-11-29", "2026-11-23", true, Some("2026-11-30")),
            (Week, -1, "2026-01-01", "2026-01-05", true, Some("2026-01-12")),
            (Month, -1, "2025-12-31", "2026-01-01", true, Some("2026-02-01")),
            (Month, 1, "2026-01-01", "2025-11-30", false, Some("2025-12-01")),
            (Quarter, 0, "2026-03-31", "2026-04-01", false, None),
            (Quarter, 1, "2027-01-31", "2026-10-01", true, Some("2027-01-01")),
            (Year, -1, "2026-06-15", "2026-12-31", false, Some("2027-01-01")),
        ] {
            let answer = during(Period { unit, offset }, day(of), day(today));
            assert_eq!(answer, (holds, changes.map(day)), "{unit:?} {offset}: {of} on {today}");
        }
    }

    #[test]
    fn an_anniversary_is_of_another_year() {
        for (of, today, next) in [
            ("2000-02-29", "2027-02-28", "2027-03-01"),
            ("2000-02-29", "2028-02-28", "2028-02-29"),
            ("2000-02-29", "2028-03-01", "2029-03-01"),
            ("2026-06-15", "2026-06-15", "2027-06-15"),
            ("2026-06-15", "2020-01-01", "2027-06-15"),
            ("1999-01-01", "2026-12-31", "2027-01-01"),
        ] {
            assert_eq!(next_anniversary(day(of), day(today)), Some(day(next)), "{of} on {today}");
        }
    }
}
