//! What the contacts of the made-up shop do, day by day: orders of one or more lines, the pages they look
//! at, baskets that they fill and leave; and what they did with the mails of the shop's former program.

use std::time::Duration;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::domain::calendar;
use crate::domain::consent::ConsentState;
use crate::domain::time::{Timestamp, Zone};

use super::assortment::{CHANNELS, DELIVERIES, PAYMENT_METHODS, PRODUCTS, Product};
use super::people::{Habit, Person, one_of};
use super::readers::Reader;

/// An order's line.
pub(super) const PURCHASE: &str = "purchase";
/// A page that was looked at.
pub(super) const PAGE_VIEW: &str = "page_view";

/// Something that was put into a basket.
pub(super) const ADD_TO_BASKET: &str = "add_to_basket";
/// How many monthly letters of the shop's former program are known.
const FORMER_LETTERS: u32 = 12;

/// Something that a person did.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deed {
    pub(super) at: Timestamp,
    pub(super) name: &'static str,
    /// Unique over the whole shop.
    pub(super) message_id: String,
    pub(super) properties: Map<String, Value>,
}

/// All that a person does from the day of registration until `end` (excluded), in order of time.
pub(super) fn story(person: &Person, today: NaiveDate, end: NaiveDate) -> Vec<Deed> {
    Story::of(person).tell(today, end)
}

/// An order of one thing that the person likes.
pub(super) fn bought_after_a_mail(person: &Person, order: u64, at: Timestamp) -> Deed {
    let mut story = Story::of(person);
    story.chance = StdRng::seed_from_u64(person.seed.wrapping_add(order));
    let product = story.product();
    let order = format!("{}-M{order:04}", person.id.to_uppercase());
    let properties = json!({
        "order": order,
        "amount": cents(product.price),
        "product": product.name,
        "category": product.category,
        "payment_method": "card",
        "delivery": "home",
        "channel": "web",
    });
    let properties = match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    };
    Deed { at, name: PURCHASE, message_id: format!("{order}-1"), properties }
}

struct Story<'a> {
    person: &'a Person,
    zone: Zone,
    chance: StdRng,
    deeds: Vec<Deed>,
    orders: u32,
    views: u32,
    baskets: u32,
}

impl<'a> Story<'a> {
    fn of(person: &'a Person) -> Self {
        Self {
            person,
            zone: person.region.zone.parse().unwrap_or(Zone::UTC),
            chance: StdRng::seed_from_u64(person.seed),
            deeds: Vec::new(),
            orders: 0,
            views: 0,
            baskets: 0,
        }
    }

    fn tell(mut self, today: NaiveDate, end: NaiveDate) -> Vec<Deed> {
        self.former_letters(today);
        let last = self.last_day(today, end);
        // Most buy soon after they register.
        let mut day = later(self.person.joined, self.chance.random_range(0..12));
        while day < last {
            if self.person.habit == Habit::Browser {
                self.look_around(day, None);
            } else {
                self.order(day);
                if self.person.habit == Habit::Single {
                    break;
                }
            }
            // Between orders people look around once.
            let gap = self.gap(day);
            let between = later(day, gap / 2);
            if between < last && self.chance.random_bool(0.4) {
                self.look_around(between, None);
            }
            day = later(day, gap);
        }
        self.deeds.sort_by_key(|deed| deed.at);
        self.deeds
    }

    /// The first day on which nothing happens any more.
    fn last_day(&mut self, today: NaiveDate, end: NaiveDate) -> NaiveDate {
        if self.person.habit != Habit::Lapsed {
            return end;
        }
        let stayed = today.signed_duration_since(self.person.joined).num_days().unsigned_abs();
        let quiet = self.chance.random_range(95..(stayed * 8 / 10).max(96));
        today.checked_sub_days(Days::new(quiet)).unwrap_or(today)
    }

    /// Days until the next order; shorter before Christmas.
    fn gap(&mut self, day: NaiveDate) -> u64 {
        let (shortest, longest) = match self.person.habit {
            Habit::Best => (10, 45),
            Habit::Regular => (25, 95),
            Habit::Lapsed => (20, 120),
            Habit::Occasional => (45, 170),
            Habit::Single | Habit::Browser => (20, 90),
        };
        let gap = self.chance.random_range(shortest..longest);
        if matches!(day.month(), 11 | 12) { gap * 3 / 4 } else { gap }
    }

    /// A local time of that day at which people shop: mostly in the evening.
    fn moment(&mut self, day: NaiveDate) -> Timestamp {
        let hour = 8 + self.chance.random_range(0..8).max(self.chance.random_range(0..15));
        let (minute, second) = (self.chance.random_range(0..60), self.chance.random_range(0..60));
        let time = NaiveTime::from_hms_opt(hour, minute, second).unwrap_or(NaiveTime::MIN);
        calendar::resolve(day.and_time(time), self.zone)
    }

    fn order(&mut self, day: NaiveDate) {
        let at = self.moment(day);
        self.orders += 1;
        let order = format!("{}-{:03}", self.person.id.to_uppercase(), self.orders);
        let lines = match self.person.habit {
            Habit::Best => self.chance.random_range(1..=4),
            _ => 1 + self.chance.random_range(0..3) * self.chance.random_range(0..2),
        };
        let payment_method = one_of(&mut self.chance, PAYMENT_METHODS);
        let delivery = one_of(&mut self.chance, DELIVERIES);
        let channel = one_of(&mut self.chance, CHANNELS);
        for line in 1..=lines {
            let product = self.product();
            if line == 1 && self.chance.random_bool(0.5) {
                self.look_around(day, Some((product, at)));
            }
            if line == 1 && self.chance.random_bool(0.4) {
                let before = Duration::from_secs(self.chance.random_range(60..1_200));
                self.fill_basket(at.minus(before), product);
            }
            let most = match (self.person.company.is_some(), product.price < 3_000) {
                (true, true) => 12,
                (true, false) => 4,
                (false, true) => 3,
                (false, false) => 1,
            };
            let quantity = self.chance.random_range(1..=most);
            self.deed(
                at,
                PURCHASE,
                format!("{order}-{line}"),
                json!({
                    "order": order,
                    "amount": cents(product.price * quantity),
                    "product": product.name,
                    "category": product.category,
                    "payment_method": payment_method,
                    "delivery": delivery,
                    "channel": channel,
                }),
            );
        }
    }

    /// Something to buy: mostly of what the person is interested in; the best customers choose the
    /// dearer of two.
    fn product(&mut self) -> Product {
        let person = self.person;
        let liked: Vec<Product> =
            PRODUCTS.iter().copied().filter(|product| person.interests.contains(&product.category)).collect();
        let choice = if liked.is_empty() || self.chance.random_bool(0.25) { PRODUCTS } else { &liked };
        let first = one_of(&mut self.chance, choice);
        let second = one_of(&mut self.chance, choice);
        if person.habit == Habit::Best && second.price > first.price { second } else { first }
    }

    /// A few pages: before a purchase, or for no reason.
    fn look_around(&mut self, day: NaiveDate, before: Option<(Product, Timestamp)>) {
        let start = match before {
            Some((_, at)) => at.minus(Duration::from_secs(self.chance.random_range(300..3_000))),
            None => self.moment(day),
        };
        let mut at = start;
        for _ in 0..self.chance.random_range(1..=3) {
            let product = before.map_or_else(|| self.product(), |(product, _)| product);
            let seconds: u64 = self.chance.random_range(5..90);
            self.views += 1;
            let id = format!("{}-v{:03}", self.person.id.to_uppercase(), self.views);
            let page = product.name.to_lowercase().replace([',', ' '], "-").replace("--", "-");
            let url = format!("/{}/{page}", product.category);
            self.deed(
                at,
                PAGE_VIEW,
                id,
                json!({ "url": url, "category": product.category, "seconds": seconds }),
            );
            at = at.plus(Duration::from_secs(seconds));
        }
        if before.is_none() && self.chance.random_bool(0.2) {
            let product = self.product();
            self.fill_basket(at, product);
        }
    }

    fn fill_basket(&mut self, at: Timestamp, product: Product) {
        self.baskets += 1;
        let id = format!("{}-b{:03}", self.person.id.to_uppercase(), self.baskets);
        let amount = cents(product.price);
        let properties = json!({ "product": product.name, "category": product.category, "amount": amount });
        self.deed(at, ADD_TO_BASKET, id, properties);
    }

    /// A letter on the 20th of each month, to those who wanted it, with what the former program knew.
    fn former_letters(&mut self, today: NaiveDate) {
        let person = self.person;
        let agreed = [person.marketing, person.tracking].iter().all(|state| *state == ConsentState::Yes);
        if !agreed || person.email.is_none() {
            return;
        }
        let reader = Reader::of(person);
        for back in (1..=FORMER_LETTERS).rev() {
            let month = today.checked_sub_months(Months::new(back)).unwrap_or(today);
            let day = month.with_day(20).unwrap_or(month);
            if day < person.joined || day >= today {
                continue;
            }
            let time = NaiveTime::from_hms_opt(10, 0, 0).unwrap_or(NaiveTime::MIN);
            let sent = calendar::resolve(day.and_time(time), self.zone);
            let run = day.format("letter-%Y-%m").to_string();
            let delivery = format!("{run}-{}", person.id);
            let about = |more: Value| {
                let mut properties =
                    json!({ "campaign": "letter", "run": run, "delivery": delivery, "version": "default" });
                if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
                    properties.extend(more);
                }
                properties
            };
            self.deed(sent, "email_sent", format!("{delivery}-sent"), about(json!({ "tracked": true })));
            if reader.opened_before(&mut self.chance) {
                let at = sent.plus(Duration::from_secs(self.chance.random_range(300..90_000)));
                self.deed(at, "email_opened", format!("{delivery}-opened"), about(json!({ "by": "human" })));
            }
        }
    }

    fn deed(&mut self, at: Timestamp, name: &'static str, message_id: String, properties: Value) {
        let Value::Object(properties) = properties else { return };
        self.deeds.push(Deed { at, name, message_id, properties });
    }
}

fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// `12.90` as a JSON number that keeps its places.
fn cents(amount: u32) -> Value {
    serde_json::from_str(&format!("{}.{:02}", amount / 100, amount % 100)).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::super::people::people;
    use super::*;

    #[test]
    fn stories_are_plausible() {
        let today = NaiveDate::from_ymd_opt(2026, 10, 1).expect("a day");
        let end = later(today, 60);
        let everybody = people(1, 2_000, today, 730);
        let stories: Vec<_> = everybody.iter().map(|person| (person, story(person, today, end))).collect();

        let midnight = calendar::day_start(today, Zone::UTC);
        let count = |deeds: &[Deed], name| deeds.iter().filter(|deed| deed.name == name).count();
        let all: usize = stories.iter().map(|(_, deeds)| deeds.len()).sum();
        assert!((20_000..90_000).contains(&all), "{all} events");
        for (person, deeds) in &stories {
            assert!(deeds.is_sorted_by_key(|deed| deed.at));
            match person.habit {
                Habit::Browser => assert_eq!(count(deeds, PURCHASE), 0),
                Habit::Lapsed => {
                    let shops = deeds.iter().filter(|deed| !deed.name.starts_with("email_"));
                    let newest = shops.map(|deed| deed.at).max();
                    let limit = midnight.minus(std::time::Duration::from_hours(90 * 24));
                    assert!(newest.is_none_or(|newest| newest < limit));
                }
                _ => {}
            }
        }
        let coming = stories.iter().flat_map(|(_, deeds)| deeds).filter(|deed| deed.at >= midnight).count();
        assert!(coming > 1_000, "{coming} events in the 60 days");
        let mut ids: Vec<_> =
            stories.iter().flat_map(|(_, deeds)| deeds).map(|deed| deed.message_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "message ids are unique");
    }
}
