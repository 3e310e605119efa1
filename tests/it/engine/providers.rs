//! Providers, told apart by the domain of addresses: one that is slow, dead, or asks for less holds up its own rows only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use campaignd::clock::Clock;
use campaignd::domain::delivery::WaitReason;
use campaignd::domain::pace::Pace;
use campaignd::domain::provider::{ProviderLimits, TransportLimits};
use campaignd::domain::time::Timestamp;
use campaignd::engine::Engine;
use campaignd::store::figures;

use super::handover::{request_with, smtp, until, work};
use super::shop::{Person, add, at, person, runs, start, start_within};
use crate::support::database::{TestDatabase, on_both};
use crate::support::smtp::{Action, SmtpServer, Step, say};

const HELLO: &str = "
campaigns:
  hello: { audience: everyone, template: letter, retry: { for: 4 hours } }
";

const NOON: &str = "2026-03-02 12:00";

fn people_of(domain: &str, count: usize) -> Vec<Person> {
    let name = domain.split('.').next().unwrap_or_default();
    (0..count).map(|number| person(&format!("{name}{number:03}")).of_domain(domain)).collect()
}

/// How many rows of each provider are in a state, `provider state: count`.
async fn states(database: &TestDatabase) -> BTreeMap<String, usize> {
    let rows = database.rows("SELECT address, state FROM deliveries").await;
    let mut states = BTreeMap::new();
    for row in &rows {
        let (address, state) = row.split_once(" | ").expect("two columns");
        let (_, domain) = address.split_once('@').expect("an address");
        *states.entry(format!("{domain} {state}")).or_default() += 1;
    }
    states
}

/// What waits, in the words of `status`: for what, how many, what was said.
async fn waiting(database: &TestDatabase, now: Timestamp) -> Vec<(Option<WaitReason>, u64, Option<String>)> {
    let waiting = figures::waiting(&database.store, now).await.expect("figures");
    waiting.into_iter().map(|row| (row.wait, row.count, row.last_reply)).collect()
}

#[test]
fn a_black_hole_swallows_one_connection_and_everybody_else_has_their_mail() {
    on_both(|database| async move {
        let server = SmtpServer::scripted(|step| {
            matches!(step, Step::Rcpt(address) if address.ends_with("@black.example"))
                .then_some(Action::BeSilent)
        })
        .await;
        // Its rows are the first and the most.
        for (domain, count) in [("black.example", 300), ("one.example", 40), ("two.example", 40)] {
            add(&database.store, &people_of(domain, count), at(NOON)).await;
        }
        let engine = start(&database.store, HELLO, smtp(server.port(), 4), at(NOON)).await;
        request_with(&database.store, HELLO, at(NOON)).await;
        engine.tick(at(NOON)).await.expect("recipients are fixed");
        let engine = Arc::new(engine);
        let sender = Arc::clone(&engine);
        let sending = tokio::spawn(async move { sender.drain(at(NOON)).await });
        until("the others have their mail", async || server.mails().len() == 80).await;
        let to_black = |command: &String| command.starts_with("RCPT") && command.contains("@black.example");
        assert_eq!(server.commands().iter().filter(|command| to_black(command)).count(), 1);
        until("it is noted", async || {
            let states = states(&database).await;
            states.get("one.example accepted") == Some(&40) && states.get("two.example accepted") == Some(&40)
        })
        .await;
        // All of its mails say what they wait for, but for the few that are in hand.
        until("`status` has the reason", async || {
            engine.tick(at(NOON)).await.expect("the clock is looked at");
            let shown = waiting(&database, at(NOON)).await;
            matches!(shown.as_slice(), [(Some(WaitReason::Provider), count, None)] if *count >= 284)
        })
        .await;
        sending.abort();
        assert!(sending.await.is_err());
        let open = "SELECT CAST(COUNT(*) AS TEXT) FROM deliveries WHERE state IN ('planned', 'claimed')";
        assert_eq!(database.rows(open).await, ["300"], "its mails wait");
    });
}

#[test]
fn a_provider_that_asks_for_less_gets_less_and_no_other_does() {
    on_both(|database| async move {
        for answer in ["421 4.7.0 too many", "451 4.7.650 too fast"] {
            database.execute("DELETE FROM deliveries; DELETE FROM runs").await;
            let tries = Arc::new(AtomicUsize::new(0));
            let seen = Arc::clone(&tries);
            // It is content after four demands.
            let server = SmtpServer::scripted(move |step| match step {
                Step::Rcpt(address) if address.ends_with("@busy.example") => {
                    (seen.fetch_add(1, Ordering::SeqCst) < 4).then(|| say(answer))
                }
                _ => None,
            })
            .await;
            for domain in ["busy.example", "well.example"] {
                add(&database.store, &people_of(domain, 20), at(NOON)).await;
            }
            let engine = start(&database.store, HELLO, smtp(server.port(), 2), at(NOON)).await;
            request_with(&database.store, HELLO, at(NOON)).await;
            let (_, clock) = Clock::set_at(at(NOON));
            engine.run_until(&clock, at("2026-03-02 12:00:03")).await.expect("the time passes");
            assert_eq!(states(&database).await.get("well.example accepted"), Some(&20), "{answer}");
            assert_eq!(tries.load(Ordering::SeqCst), 2, "{answer}: it rests");
            let shown = waiting(&database, clock.now()).await;
            let rests = shown.iter().find(|(wait, ..)| *wait == Some(WaitReason::Provider));
            let (_, count, said) = rests.unwrap_or_else(|| panic!("{answer}: {shown:?}"));
            let code = answer.split(' ').take(2).collect::<Vec<_>>().join(" ");
            let expected = format!("the provider asked for less ({code})");
            assert_eq!((*count, said.as_deref()), (18, Some(expected.as_str())), "{shown:?}");

            engine.run_until(&clock, at("2026-03-02 13:00")).await.expect("the time passes");
            assert_eq!(states(&database).await.get("busy.example accepted"), Some(&20), "{answer}");
            assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello finished"]);
            assert!(server.copies().into_values().all(|copies| copies == 1));
            engine.stop(clock.now()).await.expect("it stops");
        }
    });
}

/// Limits for one domain and for all.
fn limits(domain: ProviderLimits, all: Option<Pace>) -> Arc<TransportLimits> {
    let domains = BTreeMap::from([("limited.example".to_owned(), domain)]);
    Arc::new(TransportLimits { pace: all, domains, others: ProviderLimits::default() })
}

/// When the mails of a domain left, in seconds after noon.
async fn left(database: &TestDatabase, domain: &str) -> Vec<String> {
    let noon = at(NOON).micros();
    let left = format!(
        "SELECT CAST((transmitting_at - {noon}) / 1000000 AS TEXT) FROM deliveries
         WHERE state = 'accepted' AND address LIKE '%@{domain}' ORDER BY transmitting_at"
    );
    database.rows(&left).await
}

async fn started(database: &TestDatabase, limits: &Arc<TransportLimits>, port: u16, now: &str) -> Engine {
    start_within(&database.store, HELLO, smtp(port, 4), Arc::clone(limits), at(now)).await
}

#[test]
fn limits_of_a_domain_and_of_the_server_hold_over_restarts() {
    on_both(|database| async move {
        for domain in ["limited.example", "well.example"] {
            add(&database.store, &people_of(domain, 6), at(NOON)).await;
        }
        let server = SmtpServer::start().await;
        let one_a_minute = ProviderLimits { pace: Some(Pace::per_hour(60)), connections: None };
        let own = limits(one_a_minute, None);
        let engine = started(&database, &own, server.port(), NOON).await;
        request_with(&database.store, HELLO, at(NOON)).await;
        let (_, clock) = Clock::set_at(at(NOON));
        engine.run_until(&clock, at("2026-03-02 12:01:30")).await.expect("the time passes");
        assert_eq!(left(&database, "limited.example").await, ["0", "60"]);
        assert_eq!(left(&database, "well.example").await, ["0"; 6], "the others leave at once");
        assert_eq!(waiting(&database, clock.now()).await, [(Some(WaitReason::Provider), 4, None)]);
        engine.stop(clock.now()).await.expect("it stops");

        let engine = started(&database, &own, server.port(), "2026-03-02 12:01:40").await;
        engine.run_until(&clock, at("2026-03-02 12:03:30")).await.expect("the time passes");
        assert_eq!(left(&database, "limited.example").await, ["0", "60", "120", "180"]);
        engine.stop(clock.now()).await.expect("it stops");

        // All together, beside their own.
        database.execute("DELETE FROM deliveries; DELETE FROM runs; DELETE FROM campaign_paces").await;
        let all = limits(ProviderLimits::default(), Some(Pace::per_hour(120)));
        let engine = started(&database, &all, server.port(), NOON).await;
        request_with(&database.store, HELLO, at(NOON)).await;
        let (_, clock) = Clock::set_at(at(NOON));
        engine.run_until(&clock, at("2026-03-02 12:01:10")).await.expect("the time passes");
        let [limited, well] =
            [left(&database, "limited.example").await, left(&database, "well.example").await];
        let mut together = [limited, well].concat();
        together.sort_by_key(String::len);
        assert_eq!(together, ["0", "0", "30", "60"], "two at once, and one each 30 seconds");
        assert_eq!(waiting(&database, clock.now()).await, [(Some(WaitReason::Rate), 8, None)]);
    });
}

#[test]
fn a_domain_has_no_more_connections_than_it_may() {
    on_both(|database| async move {
        add(&database.store, &people_of("limited.example", 40), at(NOON)).await;
        let open = Mutex::new(BTreeSet::<String>::new());
        let most = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&most);
        let server = SmtpServer::scripted(move |step| {
            let mut open = open.lock().expect("nobody panics");
            match step {
                Step::Rcpt(address) => {
                    open.insert(address.to_owned());
                }
                Step::Dot(address) => {
                    open.remove(address);
                }
                _ => {}
            }
            seen.fetch_max(open.len(), Ordering::SeqCst);
            None
        })
        .await;
        let two = ProviderLimits { connections: Some(2), pace: None };
        let engine = started(&database, &limits(two, None), server.port(), NOON).await;
        request_with(&database.store, HELLO, at(NOON)).await;
        work(&engine, NOON).await;
        assert_eq!(server.mails().len(), 40);
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    });
}
