//! Days put together into weeks or months where they are many.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, Months, NaiveDate};

use super::engagement::Day;

/// How long one row or column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A calendar month.
    Month,
}

impl Step {
    /// The first day of the step in which a day is.
    fn start(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week => {
                let back = Days::new(u64::from(day.weekday().num_days_from_monday()));
                day.checked_sub_days(back).unwrap_or(day)
            }
            Self::Month => day.with_day(1).unwrap_or(day),
        }
    }

    fn next(self, start: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Day => start.checked_add_days(Days::new(1)),
            Self::Week => start.checked_add_days(Days::new(7)),
            Self::Month => start.checked_add_months(Months::new(1)),
        };
        next.unwrap_or(NaiveDate::MAX)
    }
}

/// Days without a gap, in the finest steps of which there are at most `most`: else months, however many.
pub(super) fn steps(days: &BTreeMap<NaiveDate, Day>, most: usize) -> (Step, Vec<(NaiveDate, Day)>) {
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return (Step::Day, Vec::new());
    };
    let long = last.signed_duration_since(*first).num_days() as usize;
    let step = match () {
        () if long < most => Step::Day,
        () if long / 7 + 1 < most => Step::Week,
        () => Step::Month,
    };
    let mut rows: BTreeMap<NaiveDate, Day> = BTreeMap::new();
    let (mut start, end) = (step.start(*first), step.start(*last));
    while start <= end && start < NaiveDate::MAX {
        rows.insert(start, Day::default());
        start = step.next(start);
    }
    for (day, figures) in days {
        rows.entry(step.start(*day)).or_default().add_all(figures);
    }
    (step, rows.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_days_become_weeks_and_then_months() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let of = |texts: &[&str]| {
            let one = Day { unsubscribed: 1, ..Day::default() };
            texts.iter().map(|text| (day(text), one)).collect::<BTreeMap<_, _>>()
        };
        let shown = |days, most| {
            let (step, rows) = steps(&of(days), most);
            let rows: Vec<String> =
                rows.iter().map(|(start, day)| format!("{start}: {}", day.unsubscribed)).collect();
            format!("{step:?} {}", rows.join(", "))
        };
        assert_eq!(
            shown(&["2027-03-30", "2027-04-01"], 14),
            "Day 2027-03-30: 1, 2027-03-31: 0, 2027-04-01: 1"
        );
        assert_eq!(
            shown(&["2027-03-05", "2027-03-08", "2027-03-19"], 14),
            "Week 2027-03-01: 1, 2027-03-08: 1, 2027-03-15: 1"
        );
        assert_eq!(
            shown(&["2026-12-31", "2027-02-01"], 3),
            "Month 2026-12-01: 1, 2027-01-01: 0, 2027-02-01: 1"
        );
        assert_eq!(shown(&[], 3), "Day ");
    }
}
