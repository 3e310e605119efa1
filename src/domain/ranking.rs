//! Places among contacts: who is in the best tenth, the second quintile, the first hundred by a trait.
//!
//! Ties are in, so that a place is a stretch of values and not a list of contacts: whoever has the value of
//! the last one who is in, is in as well. Values are compared as whole numbers: a number in millionths,
//! an instant in microseconds.

use std::fmt;

use super::name::{SegmentName, TraitName};

/// What contacts are ranked by, and among whom.
///
/// Ranked are those who have a value of the trait; of a trait that is 0 without events, those who have at
/// least one of its events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ranking {
    /// The trait; a number or an instant.
    pub by: TraitName,
    /// Only the members of this segment are ranked.
    pub among: Option<SegmentName>,
}

/// A place in a ranking. Its text (`spend_12m top 10% among buyers`) is its name in the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ranked {
    /// The ranking.
    pub ranking: Ranking,
    /// Which part of it.
    pub place: Place,
    /// The order is turned round: the lowest value is the best.
    pub lowest: bool,
}

/// A part of a ranking, counted from the best value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// So many hundredths of a percent of all who are ranked, rounded up; 1 to 10,000.
    Share(u16),
    /// The first so many; at least 1. Where there are fewer, all who have a value.
    Count(u32),
    /// A fifth, from 1 to 5; the best are in the fifth. Equal values are in one quintile, the better one.
    Quintile(u8),
}

/// A stretch of values, both ends included: millionths of a number, microseconds of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The least value that is in.
    pub from: i64,
    /// The greatest value that is in.
    pub to: i64,
}

/// How many hundredths of a percent there are.
const WHOLE: u64 = 10_000;

const QUINTILES: u64 = 5;

impl Bounds {
    /// Whether a value is in.
    pub const fn hold(self, value: i64) -> bool {
        self.from <= value && value <= self.to
    }

    /// The same stretch in the order that is turned round.
    const fn turned(self) -> Self {
        Self { from: !self.to, to: !self.from }
    }
}

impl Ranked {
    /// The values that are in, given those of all who are ranked, in whatever order; they are put into another.
    /// `None`: nobody is in.
    pub fn bounds(&self, values: &mut [i64]) -> Option<Bounds> {
        let bounds = self.bounds_from_the_best(values)?;
        Some(if self.lowest { bounds.turned() } else { bounds })
    }

    /// Greater is better here.
    fn bounds_from_the_best(&self, values: &mut [i64]) -> Option<Bounds> {
        let all = values.len() as u64;
        let onwards = |from| Bounds { from, to: i64::MAX };
        match self.place {
            Place::Count(count) if all < u64::from(count) => Some(onwards(i64::MIN)),
            Place::Count(count) => self.value_at(values, count.into()).map(onwards),
            Place::Share(share) => {
                self.value_at(values, (all * u64::from(share)).div_ceil(WHOLE)).map(onwards)
            }
            Place::Quintile(quintile) => {
                let quintile = u64::from(quintile).clamp(1, QUINTILES);
                // The last place of a quintile and of all better ones.
                let last = |quintile: u64| (all * (QUINTILES + 1 - quintile)).div_ceil(QUINTILES);
                let to = match quintile {
                    QUINTILES if all > 0 => i64::MAX,
                    _ => self.value_at(values, last(quintile + 1))?.checked_sub(1)?,
                };
                let from = if quintile == 1 { i64::MIN } else { self.value_at(values, last(quintile))? };
                (from <= to).then_some(Bounds { from, to })
            }
        }
    }

    /// The value of the so-manieth best, from 1; greater is better.
    fn value_at(&self, values: &mut [i64], place: u64) -> Option<i64> {
        let place = usize::try_from(place).ok()?.checked_sub(1)?;
        let from_the_least = values.len().checked_sub(1)?.checked_sub(place)?;
        Some(if self.lowest {
            !*values.select_nth_unstable(place).1
        } else {
            *values.select_nth_unstable(from_the_least).1
        })
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.by)?;
        self.among.iter().try_for_each(|among| write!(formatter, " among {among}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => {
                let (whole, rest) = (share / 100, share % 100);
                let rest = if rest == 0 { String::new() } else { format!(".{rest:02}") };
                write!(formatter, "top {whole}{}%", rest.trim_end_matches('0'))
            }
            Self::Count(count) => write!(formatter, "top {count}"),
            Self::Quintile(quintile) => write!(formatter, "quintile {quintile}"),
        }
    }
}

impl fmt::Display for Ranked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ranking { by, among } = &self.ranking;
        write!(formatter, "{by} {}{}", self.place, if self.lowest { " lowest" } else { "" })?;
        among.iter().try_for_each(|among| write!(formatter, " among {among}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(place: Place, lowest: bool) -> Ranked {
        let by = TraitName::parse("spend").expect("a name");
        Ranked { ranking: Ranking { by, among: None }, place, lowest }
    }

    /// Which of the values are in.
    fn members(place: Place, lowest: bool, values: &[i64]) -> Vec<i64> {
        let bounds = ranked(place, lowest).bounds(&mut values.to_vec());
        let mut members: Vec<_> =
            values.iter().copied().filter(|value| bounds.is_some_and(|bounds| bounds.hold(*value))).collect();
        members.sort_unstable();
        members
    }

    #[test]
    fn ties_at_the_bound_are_in() {
        let values = [5, 3, 9, 3, 1, -4, 9, 9, 2, 3];
        for (place, lowest, expected) in [
            (Place::Share(1_000), false, vec![9, 9, 9]),
            (Place::Share(1_001), false, vec![9, 9, 9]),
            (Place::Share(4_000), false, vec![5, 9, 9, 9]),
            (Place::Share(4_001), false, vec![3, 3, 3, 5, 9, 9, 9]),
            (Place::Share(1), false, vec![9, 9, 9]),
            (Place::Share(10_000), false, vec![-4, 1, 2, 3, 3, 3, 5, 9, 9, 9]),
            (Place::Share(1_000), true, vec![-4]),
            (Place::Share(4_000), true, vec![-4, 1, 2, 3, 3, 3]),
            (Place::Count(4), false, vec![5, 9, 9, 9]),
            (Place::Count(5), false, vec![3, 3, 3, 5, 9, 9, 9]),
            (Place::Count(11), false, vec![-4, 1, 2, 3, 3, 3, 5, 9, 9, 9]),
            (Place::Count(2), true, vec![-4, 1]),
            (Place::Quintile(5), false, vec![9, 9, 9]),
            (Place::Quintile(4), false, vec![5]),
            (Place::Quintile(3), false, vec![3, 3, 3]),
            (Place::Quintile(2), false, vec![2]),
            (Place::Quintile(1), false, vec![-4, 1]),
            (Place::Quintile(5), true, vec![-4, 1]),
            // The eighth from the least is a 9 already: its likes are with it.
            (Place::Quintile(2), true, vec![5, 9, 9, 9]),
            (Place::Quintile(1), true, vec![]),
        ] {
            assert_eq!(members(place, lowest, &values), expected, "{place} {lowest}");
        }
    }

    #[test]
    fn everybody_is_in_one_quintile_however_few_there_are() {
        for values in [&[7][..], &[7, 7], &[1, 2], &[1, 2, 3], &[4, 4, 4, 4, 5, 6], &[i64::MIN, 0, i64::MAX]]
        {
            for lowest in [false, true] {
                let mut all: Vec<_> =
                    (1..=5).flat_map(|one| members(Place::Quintile(one), lowest, values)).collect();
                all.sort_unstable();
                assert_eq!(all, values, "{lowest}");
            }
        }
        assert_eq!(members(Place::Quintile(5), false, &[7]), [7]);
    }

    #[test]
    fn without_values_only_a_number_of_contacts_is_open_to_whoever_comes() {
        for (place, expected) in [
            (Place::Share(1_000), None),
            (Place::Quintile(5), None),
            (Place::Quintile(1), None),
            (Place::Count(3), Some(Bounds { from: i64::MIN, to: i64::MAX })),
        ] {
            for lowest in [false, true] {
                assert_eq!(ranked(place, lowest).bounds(&mut []), expected, "{place}");
            }
        }
    }

    #[test]
    fn a_place_has_a_name() {
        let mut place = ranked(Place::Share(1_050), true);
        assert_eq!(place.to_string(), "spend top 10.5% lowest");
        place.ranking.among = SegmentName::parse("buyers").ok();
        place.place = Place::Quintile(2);
        assert_eq!(place.to_string(), "spend quintile 2 lowest among buyers");
        assert_eq!(Place::Share(1_000).to_string(), "top 10%");
        assert_eq!(Place::Share(5).to_string(), "top 0.05%");
    }
}
