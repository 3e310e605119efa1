//! Caps: never more than they allow, the right campaign first, a row with its reason for who gets none.

use std::collections::BTreeMap;

use campaignd::domain::caps::{Cap, is_over};
use campaignd::domain::time::{Span, Timestamp};
use campaignd::send::Transport;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::shop::{Shop, ZONE, at, person, start};
use crate::support::database::{TestDatabase, on_both, on_postgres};

#[test]
fn the_greater_priority_goes_first_and_transactional_mail_is_not_counted() {
    on_both(|database| async move {
        let declarations = "
caps: [{ at_most: 1, per: 1 day }]
campaigns:
  aria: { audience: everyone, schedule: { cron: \"0 9 * * *\" }, repeat: every_run, template: letter }
  bass: { audience: everyone, schedule: { cron: \"0 9 * * *\" }, repeat: every_run, template: letter, priority: 5 }
  choir: { audience: everyone, schedule: { cron: \"0 9 * * *\" }, repeat: every_run, template: letter, priority: -5 }
  bill: { audience: everyone, schedule: { cron: \"0 9 * * *\" }, repeat: every_run, template: letter, purpose: transactional }
";
        let shop = Shop::open(database, declarations, &[person("anna")], "2026-03-01 12:00").await;
        shop.until("2026-03-03 12:00").await;
        let rows = shop
            .database
            .rows(
                "SELECT r.campaign, d.state, d.reason FROM deliveries d JOIN runs r ON r.id = d.run
                 ORDER BY r.due_at, r.campaign",
            )
            .await;
        let day = [
            "aria | skipped | frequency_cap",
            "bass | accepted | -",
            "bill | accepted | -",
            "choir | skipped | frequency_cap",
        ];
        assert_eq!(rows, [day, day].concat(), "a day later there is room again");
    });
}

#[test]
fn a_lower_priority_waits_until_it_is_sure() {
    on_both(|database| async move {
        let declarations = "
caps: [{ at_most: 1, per: 1 day }]
campaigns:
  aria: { audience: everyone, schedule: { cron: \"0 9 * * *\" }, template: letter }
  bass: { audience: everyone, schedule: { cron: \"0 9 * * *\" }, template: letter, priority: 5 }
";
        let people = ["anna", "bert"].map(person);
        let shop = Shop::open(database, declarations, &people, "2026-03-01 12:00").await;
        shop.at("2026-03-01 12:00").await;
        shop.clock.set(at("2026-03-02 09:00"));
        shop.engine.tick(at("2026-03-02 09:00")).await.expect("recipients are fixed");
        // The server said "later" to anna's mail of `bass`.
        let later = at("2026-03-02 10:00").micros();
        shop.database
            .execute(&format!(
                "UPDATE deliveries SET state = 'deferred', not_before = {later}, attempts = 1
                 WHERE run = (SELECT id FROM runs WHERE campaign = 'bass')
                   AND contact = (SELECT id FROM contacts WHERE external_id = 'anna')"
            ))
            .await;
        shop.at("2026-03-02 09:00").await;
        assert_eq!(shop.mailed(), ["bert"]);
        let of_aria = "SELECT c.external_id, d.state, COALESCE(d.wait, d.reason) FROM deliveries d
            JOIN runs r ON r.id = d.run JOIN contacts c ON c.id = d.contact
            WHERE r.campaign = 'aria' ORDER BY c.external_id";
        assert_eq!(
            shop.database.rows(of_aria).await,
            ["anna | planned | priority", "bert | skipped | frequency_cap"]
        );
        shop.until("2026-03-02 11:00").await;
        assert_eq!(shop.mailed(), ["anna"], "of `bass`, at its second try");
        assert_eq!(
            shop.database.rows(of_aria).await,
            ["anna | skipped | frequency_cap", "bert | skipped | frequency_cap"]
        );
    });
}

/// A campaign of the random shop.
#[derive(Debug, Clone)]
struct Random {
    name: String,
    every: u32,
    priority: i64,
    marketing: bool,
    cities: Vec<&'static str>,
}

const CITIES: [&str; 3] = ["Nice", "Metz", "Lyon"];

fn random_campaigns(random: &mut StdRng) -> Vec<Random> {
    (0..5)
        .map(|number| Random {
            name: format!("c{number}"),
            every: random.random_range(1..8),
            priority: random.random_range(-1..2),
            marketing: random.random_bool(0.8),
            cities: CITIES.into_iter().filter(|_| random.random_bool(0.7)).collect(),
        })
        .filter(|campaign| !campaign.cities.is_empty())
        .collect()
}

/// The rule, said plainly: one due time after the other, the greater priority first; a mail goes out when
/// after it no stretch of time has too many.
fn plain(
    campaigns: &[Random],
    caps: &[Cap],
    city: &str,
    hours: u32,
    hour: &dyn Fn(u32) -> Timestamp,
) -> Vec<(u32, String)> {
    let mut order: Vec<&Random> =
        campaigns.iter().filter(|campaign| campaign.cities.contains(&city)).collect();
    order.sort_by_key(|campaign| (-campaign.priority, campaign.name.clone()));
    let mut mails = Vec::new();
    let mut counted: Vec<Timestamp> = Vec::new();
    for now in 0..hours {
        for campaign in order.iter().filter(|campaign| now % 24 % campaign.every == 0) {
            let mut with = counted.clone();
            with.push(hour(now));
            let is_kept = |cap: &Cap| {
                with.iter().all(|end| {
                    let held =
                        with.iter().filter(|one| **one <= *end && !is_over(**one, *end, cap.per, ZONE));
                    held.count() <= cap.at_most as usize
                })
            };
            if !campaign.marketing {
                mails.push((now, campaign.name.clone()));
            } else if caps.iter().all(is_kept) {
                counted = with;
                mails.push((now, campaign.name.clone()));
            }
        }
    }
    mails
}

async fn random_shop(database: TestDatabase, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let campaigns = random_campaigns(&mut random);
    let caps: Vec<Cap> = (0..random.random_range(1..3))
        .map(|_| Cap {
            at_most: random.random_range(1..4),
            per: Span::Seconds(3_600 * random.random_range(2..20)),
        })
        .collect();
    let mut declarations = String::from("caps:\n");
    for cap in &caps {
        let line = format!("  - {{ at_most: {}, per: {} }}\n", cap.at_most, cap.per);
        declarations.push_str(&line);
    }
    declarations += "campaigns:\n";
    for campaign in &campaigns {
        let line = format!(
            "  {}: {{ audience: {{ attribute: {{ city: [{}] }} }}, schedule: {{ cron: \"0 */{} * * *\", time_zone: UTC }}, \
             repeat: every_run, template: letter, priority: {}, purpose: {} }}\n",
            campaign.name,
            campaign.cities.join(", "),
            campaign.every,
            campaign.priority,
            if campaign.marketing { "marketing" } else { "transactional" },
        );
        declarations.push_str(&line);
    }
    let people: Vec<_> = CITIES.iter().map(|city| person(&city.to_lowercase()).with("city", city)).collect();
    let shop = Shop::open(database, &declarations, &people, "2026-03-28 00:30").await;
    shop.at("2026-03-28 00:30").await;
    // Over the change to summer time.
    let first =
        Timestamp::from(chrono::DateTime::parse_from_rfc3339("2026-03-28T00:00:00Z").expect("an instant"));
    let hours = 40;
    let hour = |number: u32| first.plus(std::time::Duration::from_secs(u64::from(number) * 3_600));
    for number in 0..hours {
        shop.clock.set(hour(number));
        shop.engine.tick(hour(number)).await.expect("the tick is done");
        shop.engine.drain(hour(number)).await.expect("the mails are handed over");
    }
    let rows = shop
        .database
        .rows(
            "SELECT c.external_id, CAST(r.due_at AS TEXT), r.campaign, d.state, COALESCE(d.reason, '')
             FROM deliveries d JOIN runs r ON r.id = d.run JOIN contacts c ON c.id = d.contact",
        )
        .await;
    let mut got: BTreeMap<&str, Vec<(u32, String)>> = BTreeMap::new();
    for row in &rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        match cells[3..] {
            ["accepted", ""] => {
                let due = Timestamp::from_micros(cells[1].parse().expect("a number"));
                let number = (due.since(first).as_secs() / 3_600) as u32;
                got.entry(cells[0]).or_default().push((number, cells[2].to_owned()));
            }
            ["skipped", "frequency_cap"] => {}
            _ => panic!("seed {seed}: {row}"),
        }
    }
    for city in CITIES {
        let mut expected = plain(&campaigns, &caps, city, hours, &hour);
        let mut got = got.remove(city.to_lowercase().as_str()).unwrap_or_default();
        expected.sort();
        got.sort();
        assert_eq!(got, expected, "seed {seed}, {city}: {declarations}");
    }
}

#[test]
fn random_campaigns_keep_random_caps_as_the_plain_rule_says() {
    for seed in 1..5 {
        on_both(move |database| random_shop(database, seed));
    }
}

#[test]
fn two_daemons_never_give_one_place_twice() {
    on_postgres(|database: TestDatabase| async move {
        let mut declarations = String::from("caps: [{ at_most: 2, per: 1 day }]\ncampaigns:\n");
        for number in 0..6 {
            let line = format!(
                "  c{number}: {{ audience: everyone, schedule: {{ cron: \"0 9 * * *\" }}, template: letter, priority: {} }}\n",
                number % 3
            );
            declarations.push_str(&line);
        }
        let people: Vec<_> = (0..150).map(|number| person(&format!("p{number:03}"))).collect();
        let shop = Shop::open(database, &declarations, &people, "2026-03-01 12:00").await;
        shop.at("2026-03-01 12:00").await;
        let now = at("2026-03-02 09:00");
        let other_store = shop.database.open_again().await;
        let transport = Transport::Memory(shop.mailbox.clone());
        let other = start(&other_store, &declarations, transport, now).await;
        shop.engine.tick(now).await.expect("recipients are fixed");
        let (one, two) = tokio::join!(shop.engine.drain(now), other.drain(now));
        let (one, two) = (one.expect("mails are handed over"), two.expect("mails are handed over"));
        // What let others go first is looked at again.
        let later = at("2026-03-02 09:10");
        let three = shop.engine.drain(later).await.expect("mails are handed over");
        assert_eq!(one.accepted + two.accepted + three.accepted, 300, "{one:?} {two:?}");
        let counts =
            "SELECT CAST(COUNT(*) AS TEXT) FROM deliveries WHERE state = 'accepted' GROUP BY contact";
        let counts = shop.database.rows(counts).await;
        assert!(counts.len() == 150 && counts.iter().all(|count| count == "2"), "{counts:?}");
        let others = "SELECT DISTINCT d.state, d.reason FROM deliveries d WHERE d.state <> 'accepted'";
        assert_eq!(shop.database.rows(others).await, ["skipped | frequency_cap"]);
        let of = "SELECT DISTINCT r.campaign FROM deliveries d JOIN runs r ON r.id = d.run
            WHERE d.state = 'accepted' ORDER BY r.campaign";
        assert_eq!(shop.database.rows(of).await, ["c2", "c5"], "those with the highest priority");
    });
}
