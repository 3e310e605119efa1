//! What events amount to: a fold that takes events one by one, in any order, and can say after each
//! what they amount to so far.

use std::collections::HashSet;

use super::amount::{Amount, Kind, Measure};
use super::slots::{Slot, Texts};
use super::table::Table;
use crate::domain::history::Event;
use crate::domain::number::Number;

/// The state of a fold, used again and again.
#[derive(Debug, Default)]
pub(super) struct Fold {
    /// Whether there was an event, or a group, at all.
    is_begun: bool,
    /// Events, or those with the number that is averaged, or groups with it.
    count: usize,
    total: i128,
    /// The smallest or largest number so far.
    extreme: Option<i128>,
    /// Of the first event so far.
    first: Option<usize>,
    /// Of all events so far, where their days are counted.
    places: Vec<usize>,
    /// The newest event so far that has what is asked for, and its value.
    newest: Option<(usize, Slot)>,
    /// Where in `values` the commonest is.
    commonest: Option<usize>,
    groups: Table<Group>,
    values: Table<Tally>,
    seen: HashSet<(usize, usize)>,
}

/// Events with an equal value of `per`, which count as one.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    /// The place of its first event: its time.
    first: Option<usize>,
    /// The sum of the property's numbers.
    sum: Option<i128>,
    /// Its newest event that has the property, and the value there.
    newest: Option<(usize, Slot)>,
}

/// How often a value was seen, where last, and how it was written there.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: usize,
    last: usize,
    shown: Slot,
}

impl Fold {
    #[inline]
    pub(super) fn clear(&mut self) {
        self.is_begun = false;
        self.count = 0;
        self.total = 0;
        self.extreme = None;
        self.first = None;
        self.places.clear();
        self.newest = None;
        self.commonest = None;
        self.groups.clear();
        self.values.clear();
        if !self.seen.is_empty() {
            self.seen.clear();
        }
    }

    /// Takes in the event at `place` in the order of time, whose properties are `row`.
    #[inline]
    pub(super) fn add(&mut self, measure: Measure, place: usize, row: &[Slot], texts: &Texts) {
        match measure.per {
            Some(per) if row[per] == Slot::Missing => return,
            Some(per) => self.add_to_group(measure.kind, row[per], place, row, texts),
            None => self.add_alone(measure.kind, place, row, texts),
        }
        self.is_begun = true;
    }

    #[inline]
    fn add_alone(&mut self, kind: Kind, place: usize, row: &[Slot], texts: &Texts) {
        match kind {
            Kind::Times => self.count += 1,
            Kind::Total(slot) | Kind::Average(slot) => {
                if let Slot::Number(number) = row[slot] {
                    self.total += i128::from(number.millionths());
                    self.count += 1;
                }
            }
            Kind::Smallest(slot) | Kind::Largest(slot) => {
                if let Slot::Number(number) = row[slot] {
                    self.extreme = Some(kind.further(self.extreme, number.millionths().into()));
                }
            }
            Kind::FirstAt => self.first = Some(self.first.map_or(place, |first| first.min(place))),
            Kind::Gap(_) => {
                self.count += 1;
                self.first = Some(self.first.map_or(place, |first| first.min(place)));
                keep_newest(&mut self.newest, place, Slot::Missing);
            }
            Kind::DistinctDays => self.places.push(place),
            // See `add_share`.
            Kind::Share => {}
            Kind::Distinct(slot) => self.tally(row[slot], row[slot], place, texts),
            Kind::MostCommon { key, shown } => self.tally(row[key], row[shown], place, texts),
            Kind::LastAt => keep_newest(&mut self.newest, place, Slot::Missing),
            Kind::Latest(slot) if row[slot] == Slot::Missing => {}
            Kind::Latest(slot) => keep_newest(&mut self.newest, place, row[slot]),
        }
    }

    fn add_to_group(&mut self, kind: Kind, key: Slot, place: usize, row: &[Slot], texts: &Texts) {
        let (index, group) = self.groups.entry(key, texts);
        group.first = Some(group.first.map_or(place, |first| first.min(place)));
        let slot = match kind {
            Kind::Times | Kind::FirstAt | Kind::LastAt | Kind::Gap(_) | Kind::DistinctDays | Kind::Share => {
                return;
            }
            Kind::Total(slot)
            | Kind::Average(slot)
            | Kind::Smallest(slot)
            | Kind::Largest(slot)
            | Kind::Distinct(slot)
            | Kind::Latest(slot) => slot,
            Kind::MostCommon { key, .. } => key,
        };
        match row[slot] {
            Slot::Missing => {}
            Slot::Number(number) => {
                let amount = i128::from(number.millionths());
                self.count += usize::from(group.sum.is_none());
                self.total += amount;
                group.sum = Some(group.sum.unwrap_or_default() + amount);
            }
            value => {
                keep_newest(&mut group.newest, place, value);
                if let Kind::MostCommon { key, shown } = kind {
                    // Within one group a value counts once, however often it is seen.
                    let (value, tally) = self.values.entry(row[key], texts);
                    tally.count += usize::from(self.seen.insert((index, value)));
                    tally.see(place, row[shown]);
                } else if matches!(kind, Kind::Distinct(_)) {
                    self.values.entry(value, texts);
                }
            }
        }
    }

    /// Takes in an event of which it is known whether it belongs to the part that is measured.
    pub(super) fn add_share(&mut self, measure: Measure, row: &[Slot], belongs: bool, texts: &Texts) {
        let counts_anew = match measure.per {
            Some(per) if row[per] == Slot::Missing => return,
            Some(per) => {
                let (_, group) = self.groups.entry(row[per], texts);
                let anew = belongs && group.sum.is_none();
                if belongs {
                    group.sum = Some(0);
                }
                anew
            }
            None => {
                self.count += 1;
                belongs
            }
        };
        self.is_begun = true;
        self.total += i128::from(counts_anew);
    }

    /// The places of all events, or of the first ones of groups.
    pub(super) fn places(&self, measure: Measure) -> Vec<usize> {
        match measure.per {
            Some(_) => self.groups.rows.iter().filter_map(|(_, group)| group.first).collect(),
            None => self.places.clone(),
        }
    }

    /// Counts a value that was seen at `place`.
    fn tally(&mut self, key: Slot, shown: Slot, place: usize, texts: &Texts) {
        if key == Slot::Missing {
            return;
        }
        let (index, tally) = self.values.entry(key, texts);
        tally.count += 1;
        tally.see(place, shown);
        let rank = tally.rank();
        if self.commonest.is_none_or(|commonest| self.values.rows[commonest].1.rank() <= rank) {
            self.commonest = Some(index);
        }
    }

    /// Whether there was nothing at all.
    pub(super) const fn is_empty(&self) -> bool {
        !self.is_begun
    }

    /// Whether there was an event that has what is asked for; of a measure of the newest.
    pub(super) const fn has_newest(&self) -> bool {
        self.newest.is_some()
    }

    /// What those of the events that were taken in so far amount to.
    #[inline]
    pub(super) fn amount(&mut self, measure: Measure, events: &[Event], texts: &Texts) -> Amount {
        if measure.per.is_some() {
            return self.amount_of_groups(measure, events, texts);
        }
        let at = |place: usize| events[place].at;
        match measure.kind {
            Kind::Times => Amount::whole(self.count),
            Kind::Total(_) => Amount::number(self.total),
            Kind::Average(_) if self.count == 0 => Amount::Missing,
            Kind::Average(_) => Amount::Ratio { total: self.total, count: self.count as i128 },
            Kind::Smallest(_) | Kind::Largest(_) => self.extreme.map_or(Amount::Missing, Amount::number),
            Kind::FirstAt => self.first.map_or(Amount::Missing, |place| Amount::At(at(place))),
            Kind::Gap(unit) => {
                let last = self.newest.map(|(place, _)| place);
                Amount::gap(self.first.map(at), last.map(at), self.count, unit)
            }
            Kind::DistinctDays => Amount::whole(self.places.len()),
            Kind::Share => Amount::share(self.total, self.count),
            Kind::Distinct(_) => Amount::whole(self.values.rows.len()),
            Kind::MostCommon { .. } => {
                self.commonest.map_or(Amount::Missing, |index| Amount::Value(self.values.rows[index].1.shown))
            }
            Kind::LastAt => self.newest.map_or(Amount::Missing, |(place, _)| Amount::At(at(place))),
            Kind::Latest(_) => self.newest.map_or(Amount::Missing, |(_, value)| Amount::Value(value)),
        }
    }

    fn amount_of_groups(&mut self, measure: Measure, events: &[Event], texts: &Texts) -> Amount {
        let groups = self.groups.rows.iter().map(|(_, group)| group);
        let firsts = || groups.clone().filter_map(|group| Some(events[group.first?].at));
        match measure.kind {
            // Of days, how many there can be at most; see `places`.
            Kind::Times | Kind::DistinctDays => Amount::whole(self.groups.rows.len()),
            Kind::Total(_) => Amount::number(self.total),
            Kind::Average(_) if self.count == 0 => Amount::Missing,
            Kind::Average(_) => Amount::Ratio { total: self.total, count: self.count as i128 },
            Kind::Smallest(_) | Kind::Largest(_) => {
                let sums = groups.filter_map(|group| group.sum);
                let extreme = if matches!(measure.kind, Kind::Smallest(_)) { sums.min() } else { sums.max() };
                extreme.map_or(Amount::Missing, Amount::number)
            }
            Kind::FirstAt => firsts().min().map_or(Amount::Missing, Amount::At),
            Kind::LastAt => firsts().max().map_or(Amount::Missing, Amount::At),
            Kind::Gap(unit) => Amount::gap(firsts().min(), firsts().max(), self.groups.rows.len(), unit),
            Kind::Share => Amount::share(self.total, self.groups.rows.len()),
            Kind::Latest(_) => {
                let valued = groups.filter(|group| group.sum.is_some() || group.newest.is_some());
                match valued.max_by_key(|group| group.first) {
                    Some(Group { sum: Some(sum), .. }) => Amount::number(*sum),
                    Some(Group { newest: Some((_, value)), .. }) => Amount::Value(*value),
                    _ => Amount::Missing,
                }
            }
            Kind::Distinct(_) if self.count == 0 => Amount::whole(self.values.rows.len()),
            Kind::MostCommon { .. } if self.count == 0 => {
                let commonest =
                    self.values.rows.iter().map(|(_, tally)| tally).max_by_key(|tally| tally.rank());
                commonest.map_or(Amount::Missing, |tally| Amount::Value(tally.shown))
            }
            Kind::Distinct(_) => Amount::whole(self.tally_sums(texts)),
            Kind::MostCommon { .. } => {
                self.tally_sums(texts);
                self.commonest.map_or(Amount::Missing, |index| Amount::Value(self.values.rows[index].1.shown))
            }
        }
    }

    /// Counts the sums of the groups; how many different ones there are.
    fn tally_sums(&mut self, texts: &Texts) -> usize {
        self.values.clear();
        self.commonest = None;
        for index in 0..self.groups.rows.len() {
            if let Group { first: Some(first), sum: Some(sum), .. } = self.groups.rows[index].1 {
                let sum = sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                let sum = Slot::Number(Number::from_millionths(sum));
                self.tally(sum, sum, first, texts);
            }
        }
        self.values.rows.len()
    }
}

impl Tally {
    fn see(&mut self, place: usize, shown: Slot) {
        if self.shown == Slot::Missing || place >= self.last {
            (self.last, self.shown) = (place, shown);
        }
    }

    /// The greatest is the commonest; a tie goes to the one seen last.
    const fn rank(&self) -> (usize, usize) {
        (self.count, self.last)
    }
}

/// Keeps the newer of what is known and what is at `place`.
fn keep_newest(newest: &mut Option<(usize, Slot)>, place: usize, value: Slot) {
    if newest.is_none_or(|(known, _)| known < place) {
        *newest = Some((place, value));
    }
}
