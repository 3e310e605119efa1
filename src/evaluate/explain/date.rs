//! The nearest day or instant with which a test has the other answer: looked for day by day, since what is
//! tested of dates (ages, anniversaries, months) has no order.

use chrono::{Days, NaiveDate};

use crate::domain::time::Timestamp;
use crate::evaluate::check::Check;
use crate::evaluate::moment::Moment;
use crate::evaluate::slots::{Slot, Texts};

/// So many days off are looked at: 150 years.
const MOST_DAYS: u64 = 150 * 366;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// The day nearest to `current` (to today, where there is none) for which the check does not say what it
/// says now; of two the later.
pub(super) fn nearest_day(
    check: &Check,
    holds: bool,
    current: Option<NaiveDate>,
    moment: &Moment,
) -> Option<NaiveDate> {
    let texts = Texts::default();
    let turns = |day: &NaiveDate| check.of_slot(Slot::Date(*day), &texts, moment).holds != holds;
    let from = current.unwrap_or(moment.today);
    if current.is_none() && turns(&from) {
        return Some(from);
    }
    (1..=MOST_DAYS).find_map(|days| {
        let later = from.checked_add_days(Days::new(days)).filter(&turns);
        later.or_else(|| from.checked_sub_days(Days::new(days)).filter(&turns))
    })
}

/// As [`nearest_day`], of an instant: where the answer changes within the day that was found, to the
/// microsecond.
pub(super) fn nearest_instant(
    check: &Check,
    holds: bool,
    current: Option<Timestamp>,
    moment: &Moment,
) -> Option<Timestamp> {
    let texts = Texts::default();
    let turns = |micros: i64| {
        let slot = Slot::Datetime(Timestamp::from_micros(micros));
        check.of_slot(slot, &texts, moment).holds != holds
    };
    let from = current.unwrap_or(moment.now).micros();
    if current.is_none() && turns(from) {
        return Some(Timestamp::from_micros(from));
    }
    let at = |days: i64| from.saturating_add(days.saturating_mul(MICROS_A_DAY));
    let days =
        (1..=MOST_DAYS as i64).find_map(|days| [days, -days].into_iter().find(|days| turns(at(*days))))?;
    let (mut before, mut found) = (at(days - days.signum()), at(days));
    while before.abs_diff(found) > 1 {
        let middle = before.midpoint(found);
        if turns(middle) {
            found = middle;
        } else {
            before = middle;
        }
    }
    Some(Timestamp::from_micros(found))
}
