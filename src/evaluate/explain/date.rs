//! The nearest day or instant with which a test has another answer. What is tested of days (ages,
//! anniversaries, months) has no order: they are looked at one by one, for a good year about now, about
//! the value, and about each bound of an operator, beyond which nothing new comes.

use chrono::{Days, Months, NaiveDate};

use crate::domain::calendar;
use crate::domain::condition::{Ago, DateBound, Operator, Test};
use crate::domain::number::ONE;
use crate::domain::time::{Span, Timestamp, Zone};
use crate::domain::value::Value;
use crate::evaluate::check::NumberTest;
use crate::evaluate::moment::Moment;

/// So many days about each bound are looked at.
const DAYS_ABOUT: i64 = 400;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// The day nearest to `current` (to today, where there is none) that fits.
pub(super) fn nearest_day(
    test: &Test,
    fits: &impl Fn(&Value) -> bool,
    current: Option<NaiveDate>,
    moment: &Moment,
    installation: Zone,
) -> Option<NaiveDate> {
    let fits = |day: NaiveDate| fits(&Value::Date(day));
    let from = current.unwrap_or(moment.today);
    if current.is_none() && fits(from) {
        return Some(from);
    }
    let edges = edges(test, moment, installation);
    // A bound is one zone's day, the calendar is another's.
    let days =
        edges.iter().flat_map(|at| [installation, moment.zone].map(|zone| calendar::day_of(*at, zone)));
    let mut bases: Vec<NaiveDate> = days.chain([from, moment.today]).collect();
    bases.sort_unstable();
    bases.dedup();
    let mut found: Option<(i64, NaiveDate)> = None;
    // Bases are in order: what was looked at about one is not looked at again about the next.
    let mut last: Option<NaiveDate> = None;
    for base in bases {
        for days in -DAYS_ABOUT..=DAYS_ABOUT {
            let length = Days::new(days.unsigned_abs());
            let day = if days < 0 { base.checked_sub_days(length) } else { base.checked_add_days(length) };
            let Some(day) = day.filter(|day| last.is_none_or(|last| *day > last)) else { continue };
            last = Some(day);
            if Some(day) == current {
                continue;
            }
            let distance = (day - from).num_days().abs();
            if found.is_none_or(|(known, _)| distance < known) && fits(day) {
                found = Some((distance, day));
            }
        }
    }
    found.map(|(_, day)| day)
}

/// As [`nearest_day`], of an instant, to the microsecond.
pub(super) fn nearest_instant(
    test: &Test,
    fits: &impl Fn(&Value) -> bool,
    current: Option<Timestamp>,
    moment: &Moment,
    installation: Zone,
) -> Option<Timestamp> {
    let fits = |micros: i64| fits(&Value::Datetime(Timestamp::from_micros(micros)));
    let from = current.unwrap_or(moment.now).micros();
    if current.is_none() && fits(from) {
        return Some(Timestamp::from_micros(from));
    }
    let edges: Vec<i64> = edges(test, moment, installation).into_iter().map(Timestamp::micros).collect();
    let about = edges.iter().flat_map(|at| [at.saturating_sub(1), *at, at.saturating_add(1)]);
    let mut found: Option<i64> = None;
    let mut offer = |at: i64| {
        let is_nearer = found.is_none_or(|known: i64| at.abs_diff(from) < known.abs_diff(from));
        if is_nearer && current.map(Timestamp::micros) != Some(at) && fits(at) {
            found = Some(at);
        }
    };
    about.for_each(&mut offer);
    let mut bases = edges.clone();
    bases.push(from);
    for base in bases {
        for days in -DAYS_ABOUT..=DAYS_ABOUT {
            offer(base.saturating_add(days.saturating_mul(MICROS_A_DAY)));
        }
    }
    // Where the answer changes on the way.
    let (mut found, step) = (found?, MICROS_A_DAY);
    let mut before = found.saturating_add(if found > from { -step } else { step });
    before = if found > from { before.max(from) } else { before.min(from) };
    while !fits(before) && before.abs_diff(found) > 1 {
        let middle = before.midpoint(found);
        if fits(middle) {
            found = middle;
        } else {
            before = middle;
        }
    }
    Some(Timestamp::from_micros(found))
}

/// The instants at which an operator's answer may change.
fn edges(test: &Test, moment: &Moment, installation: Zone) -> Vec<Timestamp> {
    let mut edges = vec![moment.now];
    for operator in &test.operators {
        let mut bound = |bound: &DateBound| match bound {
            DateBound::Day(day) => {
                edges
                    .extend([calendar::day_start(*day, installation), calendar::day_end(*day, installation)]);
            }
            DateBound::Instant(at) => edges.push(*at),
        };
        match operator {
            Operator::On(one) | Operator::Before(one) | Operator::After(one) => bound(one),
            Operator::BetweenDates(first, last) => [first, last].into_iter().for_each(&mut bound),
            Operator::Is(value) | Operator::IsNot(value) => of_value(value).iter().for_each(&mut bound),
            Operator::In(values) | Operator::NotIn(values) => {
                values.iter().filter_map(of_value).for_each(|one| bound(&one));
            }
            Operator::Within(span) | Operator::OlderThan(span) => edges.push(ago(*span, moment)),
            Operator::Ago(bounds) => edges.extend(bounds.iter().map(|bound| {
                let (Ago::AtLeast(span) | Ago::AtMost(span) | Ago::MoreThan(span) | Ago::LessThan(span)) =
                    bound;
                ago(*span, moment)
            })),
            Operator::Age(test) => {
                let years = NumberTest::compile(test);
                let years = years.operands().map(|years| years.millionths().div_euclid(ONE));
                let months = years
                    .flat_map(|years| [years, years + 1])
                    .filter_map(|years| u32::try_from(years * 12).ok());
                let days = months.filter_map(|months| moment.today.checked_sub_months(Months::new(months)));
                edges.extend(days.map(|day| calendar::day_start(day, moment.zone)));
            }
            Operator::WithinNext(span) => edges.push(calendar::step_forward(moment.now, *span, moment.zone)),
            _ => {}
        }
    }
    edges
}

fn of_value(value: &Value) -> Option<DateBound> {
    match value {
        Value::Date(day) => Some(DateBound::Day(*day)),
        Value::Datetime(at) => Some(DateBound::Instant(*at)),
        _ => None,
    }
}

fn ago(span: Span, moment: &Moment) -> Timestamp {
    match span {
        Span::Seconds(seconds) => moment.now.minus(std::time::Duration::from_secs(seconds)),
        Span::Months(_) => calendar::step_back(moment.now, span, moment.zone),
    }
}
