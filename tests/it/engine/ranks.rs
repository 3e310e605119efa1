//! Places in rankings: who has one, by thresholds that stand until contacts are ranked anew.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use campaignd::audience::{self, Ranks};
use campaignd::clock::Clock;
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::condition::Condition;
use campaignd::domain::contact::ContactId;
use campaignd::domain::event::NewEvent;
use campaignd::domain::name::{SegmentName, TraitName};
use campaignd::domain::population::Population;
use campaignd::domain::schedule::Cadence;
use campaignd::store::{self, Store, contacts, events, memberships};
use serde_json::json;

use super::shop::{Shop, ZONE, add, at, declared, person};
use crate::evaluate::plain::{Happening, World};
use crate::support::database::{TestDatabase, on_both};

const SETTINGS: EvaluationSettings = EvaluationSettings { time_zone: ZONE };

const DAILY: Cadence = Cadence::Every(std::time::Duration::from_hours(24));

/// Buys for so much.
async fn spends(store: &Store, name: &str, amount: &str, when: &str) {
    let contact = contacts::find(store, name).await.expect("people are read").expect("somebody").id;
    let event = NewEvent {
        contact,
        name: "purchase".to_owned(),
        at: at(when),
        message_id: None,
        properties: format!("{{\"amount\":{amount}}}"),
    };
    events::append(store, &[event], "test", at(when)).await.expect("the purchase is stored");
}

/// Who is in a segment by what is kept.
pub(super) async fn members(store: &Store, segment: &str) -> String {
    let names = [SegmentName::parse(segment).expect("a name")];
    let known = memberships::ensure_segments(store, &names).await.expect("segments are known");
    let members = memberships::members(store, known[0].id).await.expect("members are read");
    let members: Vec<ContactId> = members.iter().map(|member| member.contact).collect();
    let people = contacts::by_numbers(store, &members).await.expect("people are read");
    people.into_iter().filter_map(|one| one.external_id).collect::<Vec<_>>().join(",")
}

async fn refresh(store: &Store, catalogue: &Catalogue, now: &str) {
    audience::refresh(store, catalogue, SETTINGS, at(now)).await.expect("segments are refreshed");
}

async fn rank(store: &Store, catalogue: &Catalogue, now: &str) -> bool {
    let kept = audience::keep_ranks(store, catalogue, SETTINGS, &DAILY, at(now)).await;
    kept.expect("contacts are ranked").changed
}

/// Who entered (1) and left (0) a segment, and why, in the order of time.
pub(super) async fn causes(database: &TestDatabase, segment: &str) -> Vec<String> {
    let text = format!(
        "SELECT c.external_id, CAST(m.entered AS TEXT), COALESCE(m.cause, '') FROM membership_changes m
         JOIN contacts c ON c.id = m.contact JOIN segments s ON s.id = m.segment
         WHERE s.name = '{segment}' ORDER BY m.at, c.external_id"
    );
    database.rows(&text).await
}

const SPENDERS: &str = "
traits: { spend: { of: purchase, total: amount, within: 12 months } }
segments:
  best: { match: { ranked: { trait: spend, top: 2 } } }
  buyers: { match: { did: purchase } }
";

#[test]
fn thresholds_stand_until_contacts_are_ranked_anew() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let people = ["anna", "bert", "cleo", "dora", "emil"];
        add(store, &people.map(person), at("2026-03-01 12:00")).await;
        for (name, amount) in [("anna", "100"), ("bert", "80"), ("cleo", "60"), ("dora", "-5")] {
            spends(store, name, amount, "2026-03-01 12:30").await;
        }
        let catalogue = declared(SPENDERS).catalogue;
        refresh(store, &catalogue, "2026-03-01 13:00").await;
        assert_eq!(members(store, "best").await, "anna,bert", "ranked at the first need");
        // The bound of 80 stands: whoever reaches it is in, though there are three now, and nobody is pushed out.
        spends(store, "cleo", "20", "2026-03-01 14:00").await;
        spends(store, "emil", "79.999999", "2026-03-01 14:00").await;
        refresh(store, &catalogue, "2026-03-01 15:00").await;
        assert_eq!(members(store, "best").await, "anna,bert,cleo");
        assert!(!rank(store, &catalogue, "2026-03-02 12:59:59").await, "a day is not over");
        spends(store, "dora", "300", "2026-03-02 12:59:59").await;
        refresh(store, &catalogue, "2026-03-02 12:59:59").await;
        assert_eq!(members(store, "best").await, "anna,bert,cleo,dora");
        // A day after the ranking there is another.
        assert!(rank(store, &catalogue, "2026-03-02 13:00").await);
        refresh(store, &catalogue, "2026-03-02 13:00").await;
        assert_eq!(members(store, "best").await, "anna,dora");
        assert!(!rank(store, &catalogue, "2026-03-02 13:05").await);
        // A year after the first purchases only what came later counts: emil's 79.999999 is the second best.
        assert!(rank(store, &catalogue, "2027-03-01 12:30").await);
        refresh(store, &catalogue, "2027-03-01 12:30").await;
        assert_eq!(members(store, "best").await, "dora,emil");
        assert_eq!(
            causes(&database, "best").await,
            [
                "cleo | 1 | data",
                "dora | 1 | data",
                "bert | 0 | population",
                "cleo | 0 | population",
                "anna | 0 | population",
                "emil | 1 | population"
            ]
        );
    });
}

#[test]
fn others_who_ask_meanwhile_get_the_same_answer_and_a_past_instant_gets_its_own() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        add(store, &["anna", "bert", "cleo"].map(person), at("2026-03-01 12:00")).await;
        for (name, amount) in [("anna", "100"), ("bert", "80"), ("cleo", "60")] {
            spends(store, name, amount, "2026-03-01 12:30").await;
        }
        let catalogue = declared(SPENDERS).catalogue;
        let best = Condition::Segment(SegmentName::parse("best").expect("a name"));
        let count = async |ranks, now: &str| {
            let counted =
                audience::count_and_sample(store, &catalogue, SETTINGS, &best, 9, ranks, at(now)).await;
            let counted = counted.expect("they are counted");
            let (_, threshold) = counted.population.thresholds().next().expect("it was ranked");
            (counted.members, threshold.at, threshold.contacts)
        };
        assert_eq!(count(Ranks::Standing, "2026-03-01 13:00").await, (2, at("2026-03-01 13:00"), 3));
        spends(store, "cleo", "50", "2026-03-01 14:00").await;
        assert_eq!(count(Ranks::Standing, "2026-03-01 15:00").await, (3, at("2026-03-01 13:00"), 3));
        assert_eq!(count(Ranks::Anew, "2026-03-01 15:00").await, (2, at("2026-03-01 15:00"), 3));
        assert_eq!(count(Ranks::Anew, "2026-03-01 12:00").await, (0, at("2026-03-01 12:00"), 0));
        assert_eq!(count(Ranks::Standing, "2026-03-01 15:00").await, (3, at("2026-03-01 13:00"), 3));
        // Another meaning of the trait is another ranking; the former is there for who still declares it.
        let other = declared(&SPENDERS.replace("12 months", "30 days")).catalogue;
        let counted = audience::count_and_sample(
            store,
            &other,
            SETTINGS,
            &best,
            9,
            Ranks::Standing,
            at("2026-03-01 16:00"),
        )
        .await
        .expect("they are counted");
        assert_eq!(counted.members, 2);
        assert_eq!(count(Ranks::Standing, "2026-03-01 16:00").await, (3, at("2026-03-01 13:00"), 3));
    });
}

/// Segments by all kinds of places; the names say what is expected of them.
const PLACES: &str = "
traits:
  spend: { of: purchase, total: amount, within: 12 months }
  mean: { of: purchase, average: amount }
  orders: { of: purchase, count: true }
  last: { of: purchase, last_at: true }
  gone: { of: purchase, days_since: true }
segments:
  locals: { match: { attribute: { city: Lyon } } }
  frequent: { match: { ranked: { trait: orders, quintile: 5 } } }
";

/// The places that are asked for: trait, part, lowest, among.
fn places() -> Vec<(&'static str, Part, bool, Option<&'static str>)> {
    let mut places = Vec::new();
    for by in ["spend", "mean", "orders", "last", "gone"] {
        for part in [
            Part::Percent(10),
            Part::Percent(34),
            Part::Count(1),
            Part::Count(7),
            Part::Count(400),
            Part::Quintile(1),
            Part::Quintile(3),
            Part::Quintile(5),
        ] {
            places.extend([
                (by, part, false, None),
                (by, part, true, None),
                (by, part, false, Some("locals")),
                (by, part, true, Some("frequent")),
            ]);
        }
    }
    places
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Percent(u64),
    Count(u64),
    Quintile(u64),
}

impl Part {
    /// Whether somebody is in of whom so many of all are better, counted by hand.
    fn has(self, better: u64, all: u64) -> bool {
        match self {
            Self::Percent(percent) => better * 100 < all * percent,
            Self::Count(count) => better < count,
            Self::Quintile(quintile) => {
                // From the best: the first fifth that is not full when the better ones are in.
                let from_the_best = (1..=5).find(|fifth| better * 5 < all * fifth);
                from_the_best == Some(6 - quintile)
            }
        }
    }

    fn yaml(self) -> String {
        match self {
            Self::Percent(percent) => format!("top: {percent}%"),
            Self::Count(count) => format!("top: {count}"),
            Self::Quintile(quintile) => format!("quintile: {quintile}"),
        }
    }
}

#[test]
fn everybody_has_the_place_that_counting_by_hand_gives() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let now = at("2026-03-20 12:00");
        // Numbers by a simple generator (Lehmer's), so that there are ties, gaps, and people without any.
        let mut state = 20_261_u64;
        let mut next = |below: u64| {
            state = state * 48_271 % 2_147_483_647;
            state % below
        };
        let mut crowd: BTreeMap<String, (bool, Vec<Happening>)> = BTreeMap::new();
        for number in 0..60 {
            let events = (0..next(5)).map(|_| {
                let back = std::time::Duration::from_hours(next(500) * 24);
                let amount = ["10", "10.5", "0", "-3", "25", "100"][next(6) as usize];
                let amount: serde_json::Value = serde_json::from_str(amount).expect("a number");
                let properties = if next(6) == 0 { json!({}) } else { json!({ "amount": amount }) };
                Happening { name: "purchase".to_owned(), at: now.minus(back), properties }
            });
            let events = events.collect();
            crowd.insert(format!("p{number:02}"), (next(3) == 0, events));
        }
        let people: Vec<_> = crowd
            .iter()
            .map(|(name, (local, _))| if *local { person(name).with("city", "Lyon") } else { person(name) })
            .collect();
        add(store, &people, at("2020-01-01 12:00")).await;
        for (name, (_, happened)) in &crowd {
            let contact = contacts::find(store, name).await.expect("people are read").expect("somebody").id;
            let happened: Vec<_> = happened
                .iter()
                .map(|event| NewEvent {
                    contact,
                    name: event.name.clone(),
                    at: event.at,
                    message_id: None,
                    properties: event.properties.to_string(),
                })
                .collect();
            events::append(store, &happened, "test", now).await.expect("the purchases are stored");
        }
        let mut declarations = PLACES.to_owned();
        for (index, (by, part, lowest, among)) in places().into_iter().enumerate() {
            let among = among.map(|among| format!(", among: {among}")).unwrap_or_default();
            let ranked = format!("trait: {by}, {}, lowest: {lowest}{among}", part.yaml());
            writeln!(declarations, "  place_{index}: {{ match: {{ ranked: {{ {ranked} }} }} }}")
                .expect("a text");
        }
        let catalogue = declared(&declarations).catalogue;
        audience::refresh(store, &catalogue, SETTINGS, now).await.expect("segments are refreshed");

        let nobody = Population::default();
        let contact = crate::evaluate::person::nobody();
        let ranked_by = |by: &str, happened: &[Happening]| {
            let world = World {
                catalogue: &catalogue,
                contact: &contact,
                events: happened,
                installation: ZONE,
                population: &nobody,
                now,
            };
            world.ranked_by(&TraitName::parse(by).expect("a name"))
        };
        let places_of = |by: &str, part: Part, lowest: bool, among: &dyn Fn(&str) -> bool| -> String {
            let ranked: Vec<(&str, i64)> = crowd
                .iter()
                .filter(|(who, _)| among(who))
                .filter_map(|(who, (_, happened))| Some((who.as_str(), ranked_by(by, happened)?)))
                .collect();
            let is_in = |value: i64| {
                let is_better = |other: i64| if lowest { other < value } else { other > value };
                let better = ranked.iter().filter(|(_, other)| is_better(*other)).count() as u64;
                part.has(better, ranked.len() as u64)
            };
            let found: Vec<_> =
                ranked.iter().filter(|(_, value)| is_in(*value)).map(|(who, _)| *who).collect();
            found.join(",")
        };
        let frequent = places_of("orders", Part::Quintile(5), false, &|_| true);
        assert!(!frequent.is_empty());
        for (index, (by, part, lowest, among)) in places().into_iter().enumerate() {
            let is_among = |who: &str| match among {
                Some("locals") => crowd[who].0,
                Some(_) => frequent.split(',').any(|one| one == who),
                None => true,
            };
            assert_eq!(
                members(store, &format!("place_{index}")).await,
                places_of(by, part, lowest, &is_among),
                "{by} {part:?} lowest {lowest} among {among:?}"
            );
        }
    });
}

/// Spends, now.
async fn spends_now(shop: &Shop, name: &str, amount: &str, when: &str) {
    shop.clock.set(at(when));
    spends(&shop.database.store, name, amount, when).await;
}

const WELCOME: &str = "
traits: { spend: { of: purchase, total: amount, within: 12 months } }
segments:
  best: { match: { ranked: { trait: spend, top: 2 } } }
campaigns:
  hourly:
    audience: { none: [everyone] }
    schedule: { cron: \"0 * * * *\" }
    repeat: every_run
    template: letter
  welcome:
    audience: best
    schedule: { on_entry: true }
    repeat: every_entry
    template: letter
  monthly:
    audience: best
    schedule: { cron: \"30 9 4 * *\" }
    repeat: every_run
    template: letter
";

#[test]
fn the_daemon_ranks_each_day_and_nobody_is_mailed_because_others_spent_less() {
    on_both(|database| async move {
        let people = ["anna", "bert", "cleo", "dora"].map(person);
        let shop = Shop::open(database, WELCOME, &people, "2026-03-02 12:00").await;
        for (name, amount, when) in [
            ("anna", "100", "2025-03-03 10:00"),
            ("bert", "80", "2026-03-02 11:00"),
            ("cleo", "60", "2026-03-02 11:00"),
        ] {
            spends(&shop.database.store, name, amount, when).await;
        }
        shop.at("2026-03-02 12:00").await;
        spends_now(&shop, "dora", "90", "2026-03-02 12:30").await;
        shop.at("2026-03-02 13:00").await;
        assert_eq!(members(&shop.database.store, "best").await, "anna,bert,dora");
        assert_eq!(shop.mailed(), ["dora"], "she reached the bound by what she did");
        // A year after her purchase anna has no value; the bound stands until noon.
        shop.until("2026-03-03 11:59").await;
        assert_eq!(members(&shop.database.store, "best").await, "bert,dora");
        shop.until("2026-03-03 12:01").await;
        assert_eq!(members(&shop.database.store, "best").await, "bert,dora");
        spends_now(&shop, "anna", "85", "2026-03-03 12:10").await;
        shop.at("2026-03-03 13:00").await;
        assert_eq!(members(&shop.database.store, "best").await, "anna,bert,dora");
        assert_eq!(shop.mailed(), ["anna"]);
        // By the next ranking anna and dora are the best two; dora leaves them as her purchase is forgotten.
        shop.until("2026-03-04 12:01").await;
        assert_eq!(members(&shop.database.store, "best").await, "anna,dora");
        assert_eq!(shop.mailed(), ["anna", "bert", "dora"], "the monthly one, before noon");
        forget(&shop, "dora").await;
        shop.until("2026-03-05 12:01").await;
        assert_eq!(members(&shop.database.store, "best").await, "anna,bert");
        assert_eq!(shop.mailed(), [""; 0], "bert came in because dora is gone");
    });
}

/// Erases somebody.
async fn forget(shop: &Shop, name: &str) {
    let store = &shop.database.store;
    let contact = contacts::find(store, name).await.expect("people are read").expect("somebody").id;
    store::forget::forget(store, contact, shop.clock.now()).await.expect("somebody is erased");
}

#[test]
fn who_sends_by_hand_without_a_daemon_goes_by_a_ranking_that_is_not_older_than_it_may_be() {
    on_both(|database| async move {
        let people = ["anna", "bert", "cleo"].map(person);
        let shop = Shop::open(database, WELCOME, &people, "2026-03-02 12:00").await;
        for (name, amount) in [("anna", "100"), ("bert", "80"), ("cleo", "60")] {
            spends_now(&shop, name, amount, "2026-03-02 12:00").await;
        }
        let sends = async |when: &str| {
            shop.clock.set(at(when));
            let run = shop.send("monthly").await;
            let (clock, _) = Clock::set_at(at(when));
            shop.engine.send_run(run, &clock, std::future::pending()).await.expect("it is sent");
            let mut mailed = shop.mailed();
            mailed.sort_unstable();
            mailed.join(",")
        };
        assert_eq!(sends("2026-03-02 12:10").await, "anna,bert");
        spends_now(&shop, "cleo", "100", "2026-03-02 12:20").await;
        assert_eq!(sends("2026-03-03 12:09").await, "anna,bert,cleo", "she reached 80");
        assert_eq!(sends("2026-03-03 12:10").await, "anna,cleo", "a day later 100 is the bound");
    });
}
