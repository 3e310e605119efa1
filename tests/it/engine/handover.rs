//! Mails over a real conversation: what servers answer, servers that are away, senders that die.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use campaignd::clock::Clock;
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::engine::{self, Engine, EngineError};
use campaignd::send::{SmtpOptions, SmtpTimeouts, SmtpTls, Transport};
use campaignd::store::{Store, StoreError};

use super::shop::{Person, add, at, declared, ledger, person, runs, start, try_start};
use crate::support::database::{TestDatabase, on_both, on_postgres, on_sqlite};
use crate::support::smtp::{Action, SmtpServer, SmtpServerOptions, Step, say};

const HELLO: &str = "
campaigns:
  hello:
    audience: everyone
    template: letter
    retry: { for: 4 hours }
";

const NOON: &str = "2026-03-02 12:00";

pub(crate) fn smtp(port: u16, connections: usize) -> Transport {
    let options = SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        credentials: None,
        connections,
        ca_file: None,
        hello_name: None,
        timeouts: SmtpTimeouts::default(),
    };
    Transport::smtp(options).expect("a usable server")
}

pub(crate) fn people(count: usize) -> Vec<Person> {
    (0..count).map(|number| person(&format!("p{number:03}"))).collect()
}

/// A run of `hello` that is due now.
async fn request(store: &Store, now: Timestamp) {
    request_with(store, HELLO, now).await;
}

/// A run of `hello` as these declarations have it.
pub(crate) async fn request_with(store: &Store, declarations: &str, now: Timestamp) {
    let hello = CampaignName::parse("hello").expect("a name");
    engine::request_run(store, &declared(declarations).catalogue, &hello, now)
        .await
        .expect("the run is noted");
}

/// Ticks, hands over, finishes.
pub(crate) async fn work(engine: &Engine, now: &str) {
    engine.tick(at(now)).await.expect("the tick is done");
    engine.drain(at(now)).await.expect("the mails are handed over");
    engine.finish(at(now)).await.expect("runs are finished");
}

/// Waits for something that another task does.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// How many rows there are in each state.
async fn states(database: &TestDatabase) -> BTreeMap<String, usize> {
    let rows = database
        .rows("SELECT state, CAST(COUNT(*) AS TEXT) FROM deliveries GROUP BY state ORDER BY state")
        .await;
    let row = |row: &String| {
        let (state, count) = row.split_once(" | ").expect("two columns");
        (state.to_owned(), count.parse().expect("a number"))
    };
    rows.iter().map(row).collect()
}

/// That the server took exactly the mails that the ledger calls accepted or uncertain, each once.
async fn server_and_ledger_agree(server: &SmtpServer, database: &TestDatabase) {
    let noted = database
        .rows("SELECT message_id, state FROM deliveries WHERE state IN ('accepted', 'uncertain') ORDER BY message_id")
        .await;
    let noted: BTreeMap<_, _> = noted.iter().filter_map(|row| row.split_once(" | ")).collect();
    let copies = server.copies();
    for (message_id, count) in &copies {
        assert_eq!(*count, 1, "{message_id} was sent {count} times");
        let message_id = message_id.as_str();
        assert!(noted.contains_key(message_id), "{message_id} was taken, but the ledger does not say so");
    }
    for (message_id, state) in noted {
        assert!(
            state == "uncertain" || copies.contains_key(message_id),
            "{message_id} is {state}, but was not taken"
        );
    }
}

#[test]
fn answers_of_the_server_decide() {
    on_both(|database: TestDatabase| async move {
        let tries = AtomicUsize::new(0);
        let server = SmtpServer::scripted(move |step| match step {
            Step::Rcpt(address) if address.starts_with("gone") => Some(say("550 5.1.1 no such user")),
            Step::Dot(address) if address.starts_with("spam") => Some(say("554 5.7.1 not wanted")),
            Step::Rcpt(address)
                if address.starts_with("grey") && tries.fetch_add(1, Ordering::SeqCst) == 0 =>
            {
                Some(say("451 4.7.1 greylisted"))
            }
            Step::Rcpt(address) if address.starts_with("full") => Some(say("452 4.2.2 mailbox full")),
            Step::Dot(address) if address.starts_with("mystery") => Some(Action::TakeAndDrop),
            _ => None,
        })
        .await;
        let names = ["anna", "full", "gone", "grey", "mystery", "spam"];
        add(&database.store, &names.map(person), at(NOON)).await;
        let engine = start(&database.store, HELLO, smtp(server.port(), 2), at(NOON)).await;
        request(&database.store, at(NOON)).await;
        work(&engine, NOON).await;
        assert_eq!(
            ledger(&database).await,
            [
                "Mon 2026-03-02 12:00 anna accepted",
                "Mon 2026-03-02 12:00 full deferred server",
                "Mon 2026-03-02 12:00 gone refused rejected",
                "Mon 2026-03-02 12:00 grey deferred server",
                "Mon 2026-03-02 12:00 mystery uncertain",
                "Mon 2026-03-02 12:00 spam refused rejected"
            ]
        );

        let (_, clock) = Clock::set_at(at(NOON));
        engine.run_until(&clock, at("2026-03-02 20:00")).await.expect("the time passes");
        assert_eq!(
            ledger(&database).await,
            [
                "Mon 2026-03-02 12:00 anna accepted",
                "Mon 2026-03-02 12:00 full refused gave_up",
                "Mon 2026-03-02 12:00 gone refused rejected",
                "Mon 2026-03-02 12:00 grey accepted",
                "Mon 2026-03-02 12:00 mystery uncertain",
                "Mon 2026-03-02 12:00 spam refused rejected"
            ]
        );
        assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello finished"]);
        let tries = database
            .rows(
                "SELECT c.external_id, CAST(d.attempts AS TEXT), d.reply_text FROM deliveries d
                 JOIN contacts c ON c.id = d.contact ORDER BY c.external_id",
            )
            .await;
        assert_eq!(
            tries,
            [
                "anna | 1 | 2.0.0 queued",
                "full | 10 | 4.2.2 mailbox full",
                "gone | 1 | 5.1.1 no such user",
                "grey | 2 | 2.0.0 queued",
                "mystery | 1 | no clear answer to the message, which was sent whole: the server closed the connection",
                "spam | 1 | 5.7.1 not wanted"
            ]
        );
        server_and_ledger_agree(&server, &database).await;
    });
}

#[test]
fn a_server_that_is_away_costs_nobody_a_mail() {
    on_both(|database: TestDatabase| async move {
        let port = {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
            listener.local_addr().expect("an address").port()
        };
        add(&database.store, &people(20), at(NOON)).await;
        let engine = start(&database.store, HELLO, smtp(port, 2), at(NOON)).await;
        request(&database.store, at(NOON)).await;
        for minute in 0..10 {
            work(&engine, &format!("2026-03-02 12:{minute:02}")).await;
        }
        assert_eq!(states(&database).await, BTreeMap::from([("planned".to_owned(), 20)]));
        let waits = database
            .rows("SELECT DISTINCT wait, CAST(attempts AS TEXT), reply_text FROM deliveries WHERE wait IS NOT NULL")
            .await;
        assert!(
            waits.len() == 1 && waits[0].starts_with("server | 0 | ") && waits[0].contains("refused"),
            "{waits:#?}"
        );
        assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello sending"]);
        // The campaign's patience, and the mails' `Date`, begin with the first try.
        let begun = "SELECT address FROM deliveries WHERE first_claimed_at IS NOT NULL";
        assert_eq!(database.rows(begun).await, Vec::<String>::new());

        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the same port");
        let server = SmtpServer::start_on(listener, SmtpServerOptions::default());
        let (_, clock) = Clock::set_at(at("2026-03-02 12:10"));
        engine.run_until(&clock, at("2026-03-02 12:15")).await.expect("the time passes");
        assert_eq!(states(&database).await, BTreeMap::from([("accepted".to_owned(), 20)]));
        assert_eq!(server.mails().len(), 20);
        server_and_ledger_agree(&server, &database).await;
    });
}

#[test]
fn what_a_dead_sender_had_in_hand_is_found_at_once() {
    on_both(|database: TestDatabase| async move {
        // The fifth message is never answered; the sender dies while it waits.
        let server = SmtpServer::scripted(|step| match step {
            Step::Dot(address) if address.starts_with("p004") => Some(Action::BeSilent),
            _ => None,
        })
        .await;
        add(&database.store, &people(12), at(NOON)).await;
        let engine = start(&database.store, HELLO, smtp(server.port(), 1), at(NOON)).await;
        request(&database.store, at(NOON)).await;
        engine.tick(at(NOON)).await.expect("recipients are fixed");
        let sending = tokio::spawn(async move { engine.drain(at(NOON)).await.map(|_| engine) });
        until("the fifth message hangs", async || {
            let states = states(&database).await;
            states.get("accepted") == Some(&4) && states.get("transmitting") == Some(&1)
        })
        .await;
        assert!(states(&database).await.contains_key("claimed"), "it had more in hand");
        sending.abort();
        assert!(sending.await.is_err(), "the sender is dead");

        let store = database.open_again().await;
        let engine = start(&store, HELLO, smtp(server.port(), 1), at(NOON)).await;
        let expected = [("accepted", 4), ("planned", 7), ("uncertain", 1)];
        let expected = BTreeMap::from(expected.map(|(state, count)| (state.to_owned(), count)));
        assert_eq!(states(&database).await, expected, "at once, before any tick");
        work(&engine, NOON).await;
        let expected = BTreeMap::from([("accepted".to_owned(), 11), ("uncertain".to_owned(), 1)]);
        assert_eq!(states(&database).await, expected);
        assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello finished"]);
        server_and_ledger_agree(&server, &database).await;
    });
}

#[test]
fn a_clean_stop_leaves_nothing_in_hand() {
    on_both(|database: TestDatabase| async move {
        let options =
            SmtpServerOptions { a_message_takes: Duration::from_millis(3), ..SmtpServerOptions::default() };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let server = Arc::new(SmtpServer::start_on(listener, options));
        let now = Clock::System.now();
        add(&database.store, &people(120), now).await;
        request(&database.store, now).await;
        for stop in 1..=4 {
            let engine = start(&database.store, HELLO, smtp(server.port(), 3), Clock::System.now()).await;
            let enough = server.mails().len() + 20;
            let watched = Arc::clone(&server);
            let shutdown =
                async move { until("20 more mails", async || watched.mails().len() >= enough).await };
            engine.run(Clock::System, shutdown).await.expect("the daemon stops");
            let states = states(&database).await;
            let known = states.keys().all(|state| state == "accepted" || state == "planned");
            assert!(known && states.len() == 2, "stop {stop}: {states:?}");
            assert_eq!(states.get("accepted"), Some(&server.mails().len()), "stop {stop}");
        }
        let engine = start(&database.store, HELLO, smtp(server.port(), 3), Clock::System.now()).await;
        let done = async || runs(&database).await.iter().all(|run| run.ends_with("finished"));
        Box::pin(engine.run(Clock::System, until("the run is finished", done)))
            .await
            .expect("the daemon stops");
        assert_eq!(states(&database).await, BTreeMap::from([("accepted".to_owned(), 120)]));
        server_and_ledger_agree(&server, &database).await;
    });
}

#[test]
fn two_daemons_on_one_postgres_share_the_work() {
    on_postgres(|database: TestDatabase| async move {
        // The first alone would need four seconds; the second looks for work every second.
        let options =
            SmtpServerOptions { a_message_takes: Duration::from_millis(20), ..SmtpServerOptions::default() };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let server = SmtpServer::start_on(listener, options);
        let now = Clock::System.now();
        add(&database.store, &people(400), now).await;
        request(&database.store, now).await;
        let other = database.open_again().await;
        let one = start(&database.store, HELLO, smtp(server.port(), 2), now).await;
        let two = start(&other, HELLO, smtp(server.port(), 2), now).await;
        let done = async || runs(&database).await.iter().all(|run| run.ends_with("finished"));
        let finished = || until("the run is finished", done);
        let (one, two) = tokio::join!(one.run(Clock::System, finished()), two.run(Clock::System, finished()));
        one.expect("the first stops");
        two.expect("the second stops");
        assert_eq!(runs(&database).await.len(), 1, "one of them made the run");
        assert_eq!(states(&database).await, BTreeMap::from([("accepted".to_owned(), 400)]));
        let senders = database.rows("SELECT DISTINCT CAST(incarnation AS TEXT) FROM deliveries").await;
        assert_eq!(senders.len(), 2, "both sent");
        server_and_ledger_agree(&server, &database).await;
    });
}

#[test]
fn a_daemon_whose_sessions_are_cut_begins_anew() {
    on_postgres(|database: TestDatabase| async move {
        let options =
            SmtpServerOptions { a_message_takes: Duration::from_millis(3), ..SmtpServerOptions::default() };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let server = SmtpServer::start_on(listener, options);
        let now = Clock::System.now();
        add(&database.store, &people(300), now).await;
        request(&database.store, now).await;
        let engine = start(&database.store, HELLO, smtp(server.port(), 3), now).await;
        let finished = async {
            for cut in 1..=2 {
                until("100 more mails", async || server.mails().len() >= 100 * cut).await;
                database
                    .execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid()",
                    )
                    .await;
            }
            until("the run is finished", async || {
                runs(&database).await.iter().all(|run| run.ends_with("finished"))
            })
            .await;
        };
        Box::pin(engine.run(Clock::System, finished)).await.expect("the daemon stops");
        let states = states(&database).await;
        let uncertain = states.get("uncertain").copied().unwrap_or_default();
        assert_eq!(states.get("accepted").copied().unwrap_or_default() + uncertain, 300, "{states:?}");
        assert!(uncertain <= 6, "at most one a connection and cut: {states:?}");
        server_and_ledger_agree(&server, &database).await;
    });
}

#[test]
fn a_second_daemon_on_one_file_is_refused() {
    on_sqlite(|database: TestDatabase| async move {
        let (transport, _) = Transport::memory();
        let first = start(&database.store, HELLO, transport.clone(), at(NOON)).await;
        let other = database.open_again().await;
        let second = try_start(&other, HELLO, transport.clone(), at(NOON)).await;
        let refused = matches!(&second, Err(EngineError::Store { source: StoreError::Locked { .. }, .. }));
        assert!(refused, "{second:?}");
        first.stop(at(NOON)).await.expect("the first stops");
        try_start(&other, HELLO, transport, at(NOON)).await.expect("the lock is free");
    });
}
