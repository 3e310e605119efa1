//! The contacts of the made-up shop: who they are, and how they shop.

use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use unicode_normalization::UnicodeNormalization;

use crate::domain::consent::ConsentState;

use super::assortment::{COMPANIES, INTERESTS, OWN_DOMAIN, REGIONS, Region, names};

/// How somebody shops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Often, and dear.
    Best,
    /// Every month or two.
    Regular,
    /// A few times a year.
    Occasional,
    /// Once.
    Single,
    /// Used to, and stopped.
    Lapsed,
    /// Looks and does not buy.
    Browser,
}

/// A contact.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    /// Some gave none.
    pub(super) email: Option<String>,
    pub(super) region: Region,
    pub(super) birth_date: Option<NaiveDate>,
    /// The club or school that a business customer buys for.
    pub(super) company: Option<String>,
    pub(super) interests: Vec<&'static str>,
    pub(super) marketing: ConsentState,
    pub(super) tracking: ConsentState,
    /// The day of registration.
    pub(super) joined: NaiveDate,
    pub(super) habit: Habit,
    /// What this person will do is drawn from a stream of their own.
    pub(super) seed: u64,
}

impl Person {
    pub(super) const fn status(&self) -> &'static str {
        if self.company.is_some() { "b2b" } else { "b2c" }
    }
}

/// Shares of habits, in percent.
const HABITS: [(Habit, u32); 6] = [
    (Habit::Best, 6),
    (Habit::Regular, 34),
    (Habit::Occasional, 28),
    (Habit::Single, 8),
    (Habit::Lapsed, 12),
    (Habit::Browser, 12),
];

/// One contact in so many works for the shop.
const EMPLOYEE_EVERY: u32 = 150;

/// Makes `count` people who registered in the `days` days before `today`.
pub(super) fn people(seed: u64, count: u32, today: NaiveDate, days: u64) -> Vec<Person> {
    let mut chance = StdRng::seed_from_u64(seed);
    (1..=count).map(|number| person(&mut chance, number, today, days)).collect()
}

fn person(chance: &mut StdRng, number: u32, today: NaiveDate, days: u64) -> Person {
    let region = *weighted(chance, REGIONS.iter().map(|region| (region, region.weight)));
    let (firsts, lasts) = names(region.language);
    let first_name = one_of(chance, firsts);
    let last_name = one_of(chance, lasts);
    let habit = weighted(chance, HABITS);
    let company = chance.random_bool(0.15).then(|| format!("{} {}", one_of(chance, COMPANIES), region.city));
    let age = 18 + chance.random_range(0..27) + chance.random_range(0..27);
    let birth_date = chance
        .random_bool(0.8)
        .then(|| today.checked_sub_days(Days::new(age * 365 + chance.random_range(0..365))))
        .flatten();
    let email = chance.random_bool(0.985).then(|| address(chance, first_name, last_name, number));
    // Registered evenly over the two years; people who stopped buying have been here for long.
    let ago = match habit {
        Habit::Lapsed => chance.random_range(days * 6 / 10..days),
        _ => chance.random_range(1..days),
    };
    Person {
        id: format!("c{number:05}"),
        first_name,
        last_name,
        email,
        region,
        birth_date,
        company,
        interests: INTERESTS.iter().copied().filter(|_| chance.random_bool(0.35)).collect(),
        marketing: weighted(
            chance,
            [(ConsentState::Yes, 78), (ConsentState::No, 9), (ConsentState::Unknown, 13)],
        ),
        tracking: weighted(
            chance,
            [(ConsentState::Yes, 55), (ConsentState::No, 20), (ConsentState::Unknown, 25)],
        ),
        joined: today.checked_sub_days(Days::new(ago)).unwrap_or(today),
        habit,
        seed: chance.random(),
    }
}

/// `zoe.o-brien.17@example.com`: in domains that nobody can own (RFC 2606).
fn address(chance: &mut StdRng, first: &str, last: &str, number: u32) -> String {
    let domain = match number % EMPLOYEE_EVERY {
        0 => OWN_DOMAIN,
        _ => one_of(chance, &["example.com", "example.net", "example.org"]),
    };
    format!("{}.{}.{number}@{domain}", plain(first), plain(last))
}

/// Letters without their accents, in lower case; anything else is a hyphen.
fn plain(name: &str) -> String {
    name.nfd()
        .filter(|letter| !unicode_normalization::char::is_combining_mark(*letter))
        .map(|letter| match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_lowercase() => letter,
            'ı' => 'i',
            _ => '-',
        })
        .collect()
}

/// One of a list that is not empty.
pub(super) fn one_of<T: Copy>(chance: &mut StdRng, list: &[T]) -> T {
    list.choose(chance).copied().unwrap_or(list[0])
}

/// One of a few, by weight.
pub(super) fn weighted<T: Copy>(chance: &mut StdRng, choices: impl IntoIterator<Item = (T, u32)>) -> T {
    let choices: Vec<(T, u32)> = choices.into_iter().collect();
    let mut left = chance.random_range(0..choices.iter().map(|(_, weight)| weight).sum());
    for (choice, weight) in &choices {
        if left < *weight {
            return *choice;
        }
        left -= weight;
    }
    choices[0].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_the_same_for_the_same_seed_and_their_addresses_differ() {
        let today = NaiveDate::from_ymd_opt(2026, 10, 1).expect("a day");
        let first = people(7, 300, today, 730);
        assert_eq!(format!("{first:?}"), format!("{:?}", people(7, 300, today, 730)));
        assert_ne!(format!("{first:?}"), format!("{:?}", people(8, 300, today, 730)));
        let mut addresses: Vec<_> = first.iter().filter_map(|person| person.email.as_deref()).collect();
        assert!(
            addresses.iter().all(|address| address.is_ascii() && !address.contains(' ')),
            "{addresses:?}"
        );
        let count = addresses.len();
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), count);
        assert_eq!(REGIONS.iter().map(|region| region.weight).sum::<u32>(), 1_000);
    }
}
