//! Mails of which nobody knows whether the server took them: held, settled by evidence, sent once more.

use std::collections::BTreeMap;
use std::time::Duration;

use campaignd::clock::Clock;
use campaignd::domain::campaign::Tracking;
use campaignd::domain::delivery::DeliveryId;
use campaignd::links::Subject;
use campaignd::send::Transport;
use campaignd::track;

use super::handover::{request_with, smtp, work};
use super::shop::{ZONE, add, at, ledger, person, runs, start};
use crate::support::database::on_both;
use crate::support::http::{Served, request};
use crate::support::smtp::{Action, SmtpServer, Step};

/// A campaign with a pixel and links.
fn offer(more: &str) -> String {
    format!("\ncampaigns:\n  hello: {{ audience: everyone, template: offer, {more} }}\n")
}

const NOON: &str = "2026-03-02 12:00";

/// A server that takes what goes to names that begin with `taken`, and loses what goes to `lost`, both
/// without an answer; `times` says how often it does so before it answers.
async fn mysterious(times: usize) -> SmtpServer {
    let seen = std::sync::Mutex::new(BTreeMap::<String, usize>::new());
    SmtpServer::scripted(move |step| {
        let Step::Dot(address) = step else { return None };
        let action = if address.starts_with("taken") {
            Action::TakeAndDrop
        } else if address.starts_with("lost") {
            Action::Drop
        } else {
            return None;
        };
        // The server asks twice for each message: what to take, and what to say.
        let mut seen = seen.lock().expect("nobody panics");
        let count = seen.entry(address.to_owned()).or_default();
        *count += 1;
        let calls = if address.starts_with("taken") { 1 } else { 2 };
        (*count <= times * calls).then_some(action)
    })
    .await
}

#[test]
fn an_open_says_that_a_mail_of_which_nobody_knew_was_accepted() {
    on_both(|database| async move {
        let server = mysterious(1).await;
        let people = ["lost", "taken", "well"].map(|name| person(name).agrees_to_tracking("yes"));
        add(&database.store, &people, at(NOON)).await;
        let engine = start(&database.store, &offer("repeat: once"), smtp(server.port(), 1), at(NOON)).await;
        request_with(&database.store, &offer("repeat: once"), at(NOON)).await;
        // After each mail without an answer the lane waits for a second or two.
        let (clock, hand) = Clock::set_at(at(NOON));
        engine.run_until(&hand, at("2026-03-02 12:30")).await.expect("the time passes");
        let of = |lost: &str, taken: &str| {
            [("lost", lost), ("taken", taken), ("well", "accepted")]
                .map(|(who, state)| format!("Mon 2026-03-02 12:00 {who} {state}"))
        };
        assert_eq!(ledger(&database).await, of("uncertain", "uncertain"));
        let sent = "SELECT external_id FROM event_log WHERE name = 'email_sent' ORDER BY 1";
        assert_eq!(database.rows(sent).await, ["well"]);

        // A machine fetches the pixel of the mail that the server had taken, an hour later.
        hand.set(at("2026-03-02 13:00"));
        let pages = Served::start(&database, clock).await;
        let rows = database.rows("SELECT CAST(id AS TEXT), address FROM deliveries").await;
        let number = rows.iter().find_map(|row| row.strip_suffix(" | taken@shop.example")).expect("the row");
        let delivery = DeliveryId(number.parse().expect("a number"));
        let pixel = pages.links.open(Subject::Delivery(delivery));
        let path = pixel.strip_prefix("https://mail.maison.example").expect("an address of ours");
        let headers = "user-agent: LinkScanner/1.0";
        assert_eq!(request(pages.public, "GET", path, headers, b"").await.status, 200);
        let settings =
            track::TrackSettings { ceiling: Tracking::Individual, unknown_is_yes: false, time_zone: ZONE };
        track::take_in(&database.store, &pages.spool, settings, hand.now()).await.expect("hits are taken in");
        assert_eq!(ledger(&database).await, of("uncertain", "accepted"));
        let row = "SELECT settled_by, CAST(settled_at - transmitting_at AS TEXT) FROM deliveries
            WHERE address LIKE 'taken%'";
        assert_eq!(database.rows(row).await, ["opened | 0"], "it was accepted when it went out");
        assert_eq!(database.rows(sent).await, ["taken", "well"]);
        pages.stop().await;
    });
}

#[test]
fn send_again_sends_once_more_and_no_more() {
    on_both(|database| async move {
        // It loses everybody's first copy, and the second of whoever is called so.
        let server = mysterious(1).await;
        let people = ["lost", "taken", "well"].map(person);
        add(&database.store, &people, at(NOON)).await;
        let declared = offer("on_uncertain: send_again");
        let engine = start(&database.store, &declared, smtp(server.port(), 1), at(NOON)).await;
        request_with(&database.store, &declared, at(NOON)).await;
        let (_, clock) = Clock::set_at(at(NOON));
        engine.run_until(&clock, at("2026-03-02 12:00:30")).await.expect("the time passes");
        let rows = ledger(&database).await;
        assert!(rows[0].ends_with("lost planned send_again"), "{rows:?}");
        assert!(rows[1].ends_with("taken planned send_again"), "{rows:?}");
        assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello sending"]);

        engine.run_until(&clock, at("2026-03-02 13:00")).await.expect("the time passes");
        assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello finished"]);
        let rows = database
            .rows("SELECT address, state, CAST(sent_again AS TEXT), CAST(attempts AS TEXT) FROM deliveries ORDER BY 1")
            .await;
        assert_eq!(
            rows,
            [
                "lost@shop.example | accepted | 1 | 2",
                "taken@shop.example | accepted | 1 | 2",
                "well@shop.example | accepted | 0 | 1"
            ]
        );
        // The copies have one name and one date: who gets two can be named, and mail programs show one.
        let mut copies: Vec<_> = server.copies().into_values().collect();
        copies.sort_unstable();
        assert_eq!(copies, [1, 1, 2]);
        let of_taken: Vec<_> =
            server.mails().into_iter().filter(|mail| mail.recipient.starts_with("taken")).collect();
        assert_eq!(of_taken[0].bytes, of_taken[1].bytes);
    });
}

#[test]
fn a_second_copy_of_which_nobody_knows_either_is_the_last() {
    on_both(|database| async move {
        let server = mysterious(2).await;
        add(&database.store, &[person("lost")], at(NOON)).await;
        let declared = offer("on_uncertain: send_again");
        let engine = start(&database.store, &declared, smtp(server.port(), 1), at(NOON)).await;
        request_with(&database.store, &declared, at(NOON)).await;
        let (_, clock) = Clock::set_at(at(NOON));
        engine.run_until(&clock, at("2026-03-03 12:00")).await.expect("the time passes");
        assert_eq!(ledger(&database).await, ["Mon 2026-03-02 12:00 lost uncertain"]);
        assert_eq!(server.mails(), []);
        let tries = server.commands().iter().filter(|command| command.starts_with("MAIL")).count();
        assert_eq!(tries, 2);
    });
}

#[test]
fn what_a_dead_sender_left_is_sent_again_where_the_campaign_says_so() {
    on_both(|database| async move {
        let (transport, mailbox) = Transport::memory();
        add(&database.store, &["anna", "bert"].map(person), at(NOON)).await;
        let declared = offer("on_uncertain: send_again");
        let engine = start(&database.store, &declared, transport.clone(), at(NOON)).await;
        request_with(&database.store, &declared, at(NOON)).await;
        engine.tick(at(NOON)).await.expect("the tick is done");
        engine.stop(at(NOON)).await.expect("it stops");
        // As a sender leaves it that was killed behind the final dot of anna's mail.
        database
            .execute(&format!(
                "UPDATE deliveries SET state = 'transmitting', incarnation = 1, first_claimed_at = {now},
                     transmitting_at = {now}, message_id = '<1@x>' WHERE address = 'anna@shop.example'",
                now = at(NOON).micros()
            ))
            .await;
        let engine = start(&database.store, &declared, transport, at("2026-03-02 12:05")).await;
        work(&engine, "2026-03-02 12:05").await;
        let mut mailed: Vec<String> =
            mailbox.take().iter().map(|mail| mail.recipient.as_str().to_owned()).collect();
        mailed.sort_unstable();
        assert_eq!(mailed, ["anna@shop.example", "bert@shop.example"]);
        let again = "SELECT address FROM deliveries WHERE sent_again = 1";
        assert_eq!(database.rows(again).await, ["anna@shop.example"]);
        engine.stop(at(NOON).plus(Duration::from_hours(1))).await.expect("it stops");
    });
}
