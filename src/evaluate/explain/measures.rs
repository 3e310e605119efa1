//! Events by which what is measured becomes another: so many more, of such an amount, on so many days.

use super::attempt::{Attempts, FEW, Found, MOST, MOST_AIMS, PLENTY};
use super::number::Range;
use super::script::{Demand, Wish};
use super::tree::Doing;
use crate::domain::condition::{MeasureKind, PropertyName, Test};
use crate::domain::number::{Number, ONE};
use crate::domain::time::Timestamp;
use crate::domain::value::{Value, ValueType};

/// Whoever asks for more does not ask a contact.
const MOST_COUNTED: usize = 1_000_000;

/// On so many days to come something may happen.
const MOST_DAYS: usize = 400;

impl Attempts<'_> {
    /// So many more as are missing, or so many that they are too many.
    pub(super) fn by_number(&self, wishes: &dyn Fn(usize) -> Vec<Wish>) -> Option<Found> {
        let hints: Vec<usize> =
            self.aims(Range::COUNTS).into_iter().filter_map(|aim| self.missing(aim)).collect();
        let most = hints.iter().copied().max()?;
        let script = |size| self.several(size, wishes, &[]);
        if most > MOST && hints.iter().all(|hint| *hint > MOST) {
            return self.by_far_too_many(hints.iter().copied().min()?, &script);
        }
        self.fewest(most.saturating_add(FEW), &hints, &script)
    }

    /// Where thousands are missing, each one counts if the first one does.
    pub(super) fn by_far_too_many(
        &self,
        missing: usize,
        script: &dyn Fn(usize) -> Option<Vec<Doing>>,
    ) -> Option<Found> {
        if missing > MOST_COUNTED || self.read.query.last.is_some_and(|last| (last as usize) < missing) {
            return None;
        }
        let now = self.situation.moment.now;
        let Some(Value::Number(after)) = self.trial.ask(&script(1)?, now).value else { return None };
        let one = Number::from_millionths(ONE);
        let before = self.situation.number().unwrap_or_default();
        let value = i64::try_from(missing).ok().and_then(Number::from_whole);
        let value =
            value.map(|more| Number::from_millionths(before.millionths().saturating_add(more.millionths())));
        (after.millionths() - before.millionths() == one.millionths()).then(|| Found {
            doings: Vec::new(),
            from: now,
            value: value.map(Value::Number),
        })
    }

    /// An amount with which the sum or the mean is what is aimed at, or several where the filter has them small.
    pub(super) fn by_amount(&self, name: &PropertyName) -> Option<Found> {
        let now = self.situation.moment.now;
        let with = |size: usize, amount: i64| {
            let wish = (name.clone(), Value::Number(Number::from_millionths(amount)));
            self.several(size, &|_| vec![wish.clone()], &[])
        };
        let yields = |doings: &[Doing]| match self.trial.ask(doings, now).value {
            Some(Value::Number(number)) => Some(i128::from(number.millionths())),
            _ => None,
        };
        let aims = self.aims(Range::ALL);
        let mut found: Vec<Found> = Vec::new();
        for size in 1..=self.most(1).min(FEW) {
            // Both are linear in the amount, which is then known by two of them.
            const SPREAD: i64 = 1_000 * ONE;
            let Some((low, high)) = yields(&with(size, 0)?).zip(yields(&with(size, SPREAD)?)) else { break };
            if low == high {
                break;
            }
            let counted = self.counted() as i128 + 1;
            for aim in &aims {
                let amount = (i128::from(aim.millionths()) - low) * i128::from(SPREAD) / (high - low);
                let about = [0, 1, -1, counted, -counted].map(|offset| amount.saturating_add(offset));
                let about = about.into_iter().filter_map(|amount| i64::try_from(amount).ok());
                let mut tried = about.filter_map(|amount| self.attempt(with(size, amount)?, false));
                found.extend(tried.next());
            }
            if !found.is_empty() {
                break;
            }
        }
        if found.is_empty() {
            let current = self.situation.number().unwrap_or_default().millionths();
            for aim in &aims {
                let missing = aim.millionths().saturating_sub(current);
                let fitting = self.fitting(name, Number::from_millionths(missing));
                for amount in fitting.into_iter().take(MOST_AIMS) {
                    let each = amount.millionths();
                    let size = (missing.unsigned_abs()).div_ceil(each.unsigned_abs().max(1)) as usize;
                    let size = size.clamp(1, MOST);
                    found.extend(self.fewest(self.most(size), &[size], &|size| with(size, each)));
                }
            }
        }
        found.into_iter().min_by_key(Found::order)
    }

    /// Amounts that the filter lets pass, near to one.
    pub(super) fn fitting(&self, name: &PropertyName, near: Number) -> Vec<Number> {
        let tests = self.read.query.filter.iter().filter(|(known, _)| known == name);
        let mut numbers: Vec<Number> = tests
            .flat_map(|(_, test)| {
                let tested = self.maker.tested(test, ValueType::Number);
                let mut numbers = tested.numbers(true, Some(near), Range::ALL);
                // Far from its bounds, too.
                numbers.extend([ONE, -ONE].map(Number::from_millionths));
                numbers
            })
            .collect();
        numbers.retain(|number| *number != Number::ZERO);
        numbers
    }

    /// A value of a property that turns the test, at the newest event, or at the most.
    pub(super) fn by_value(&self, name: &PropertyName, most: usize) -> Option<Found> {
        let tested = self.maker.tested(self.goal, self.situation.leaf.value_type);
        let values = tested.values(!self.situation.holds, self.situation.value);
        let mut found = values.into_iter().take(MOST_AIMS).filter_map(|value| {
            let wish = (name.clone(), value);
            self.fewest(self.most(most), &[most], &|size| self.several(size, &|_| vec![wish.clone()], &[]))
        });
        let others = [self.by_one(), self.by_more_of_a_group(name)].into_iter().flatten();
        found.next().into_iter().chain(others).min_by_key(Found::order)
    }

    /// More for one that several events are: what it has is added to.
    pub(super) fn by_more_of_a_group(&self, name: &PropertyName) -> Option<Found> {
        let per = self.read.query.per.as_ref().filter(|per| *per != name)?;
        let event = &self.read.query.event;
        let known = self.trial.known_values(event, self.maker.wire_name(event, per), FEW);
        let current = self.situation.number()?.millionths();
        let missing: Vec<i64> =
            self.aims(Range::ALL).iter().filter_map(|aim| aim.millionths().checked_sub(current)).collect();
        let found =
            known.into_iter().flat_map(|group| missing.iter().map(move |missing| (group.clone(), *missing)));
        let found = found.filter_map(|(group, missing)| {
            let amount = Value::Number(Number::from_millionths(missing));
            let wishes = vec![(per.clone(), group), (name.clone(), amount)];
            self.attempt(self.several(1, &|_| wishes.clone(), &[])?, false)
        });
        found.min_by_key(Found::order)
    }

    /// One today, or one on each of some days.
    pub(super) fn by_days(&self) -> Option<Found> {
        let aims = self.aims(Range::COUNTS);
        let needed = aims.into_iter().filter_map(|aim| self.missing(aim)).min().unwrap_or(1);
        let now = self.situation.moment.now;
        let script = |size: usize| {
            let day = |number: usize| {
                let days = std::time::Duration::from_hours(24 * number as u64);
                self.maker.one(now.plus(days), number, &[], &[])
            };
            (0..size).map(day).collect::<Option<Vec<_>>>().map(|days| days.concat())
        };
        let about = [needed, needed + 1, needed + 2];
        self.fewest(needed.saturating_mul(2).clamp(FEW, MOST_DAYS), &about, &script)
    }

    /// Some now make the gaps smaller, one at the right time makes them larger.
    pub(super) fn by_gap(&self) -> Option<Found> {
        let now = self.situation.moment.now;
        let unit = if self.read.kind == MeasureKind::Every { 1 } else { 86_400 };
        let latest = self.evidence.and_then(|evidence| Some(evidence.latest.first()?.at));
        let counted = self.counted() as i128;
        let gap = i128::from(self.situation.number().unwrap_or_default().millionths()) * unit;
        let soon = self.fewest(self.most(PLENTY), &[2], &|size| self.several(size, &|_| Vec::new(), &[]));
        let aims = self.aims(Range::ALL).into_iter().filter(|aim| *aim >= Number::ZERO);
        let later = aims.filter_map(|aim| {
            let aim = i128::from(aim.millionths()) * unit;
            let (first, last) = match latest {
                Some(latest) => (Vec::new(), i128::from(latest.micros())),
                None => (self.maker.one(now, 0, &[], &[])?, i128::from(now.micros())),
            };
            let at = match counted {
                0 | 1 => last + aim,
                _ => last + counted * aim - (counted - 1) * gap,
            };
            // What a mean is rounded by grows with the number of its parts.
            let about = [0, 1, counted, -1, -counted, 1_000_000 * counted];
            let at = about.map(|offset| i64::try_from(at + offset).ok().map(Timestamp::from_micros));
            at.into_iter().flatten().filter(|at| *at >= now).find_map(|at| {
                let more = self.maker.one(at, 1, &[], &[])?;
                self.attempt(first.iter().cloned().chain(more).collect(), false)
            })
        });
        soon.into_iter().chain(later).min_by_key(Found::order)
    }

    /// More that belong to the part, or that do not.
    pub(super) fn by_share(&self, tests: &[(PropertyName, Test)]) -> Option<Found> {
        let all: Vec<Demand<'_>> = tests.iter().map(|(name, test)| (name, test, true)).collect();
        let ways = tests.iter().map(|(name, test)| vec![(name, test, false)]);
        let ways = ways.chain([all]);
        let found = ways.filter_map(|demands| {
            self.fewest(self.most(PLENTY), &[], &|size| self.several(size, &|_| Vec::new(), &demands))
        });
        found.min_by_key(Found::order)
    }
}
