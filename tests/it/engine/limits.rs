//! How fast mails leave, and when none leaves any more: limits of campaigns, and stops.

use campaignd::domain::delivery::WaitReason;
use campaignd::domain::name::CampaignName;
use campaignd::store::{figures, pauses};

use super::handover::{people, request_with, smtp, work};
use super::shop::{Shop, add, at, ledger, person, runs, start};
use crate::support::database::{TestDatabase, on_both};
use crate::support::smtp::{SmtpServer, SmtpServerOptions, Step, say};

const NOON: &str = "2026-03-02 12:00";

fn hello(limits: &str) -> String {
    format!("\ncampaigns:\n  hello: {{ audience: everyone, template: letter{limits} }}\n")
}

/// When mails left, in seconds after noon.
async fn left(database: &TestDatabase) -> Vec<String> {
    let noon = at(NOON).micros();
    let left = format!(
        "SELECT CAST((transmitting_at - {noon}) / 1000000 AS TEXT) FROM deliveries WHERE state = 'accepted'
         ORDER BY transmitting_at"
    );
    database.rows(&left).await
}

#[test]
fn a_limit_per_hour_spreads_a_run_and_holds_over_restarts() {
    on_both(|database| async move {
        let limited = hello(", limits: { per_hour: 60 }");
        let shop = Shop::open(database, &limited, &people(7), NOON).await;
        shop.send("hello").await;
        shop.until("2026-03-02 12:02:30").await;
        assert_eq!(left(&shop.database).await, ["0", "60", "120"]);
        let waiting = figures::waiting(&shop.database.store, shop.clock.now()).await.expect("figures");
        let shown: Vec<_> = waiting.iter().map(|row| (row.wait, row.count, row.next_try)).collect();
        assert_eq!(shown, [(Some(WaitReason::Rate), 4, at("2026-03-02 12:03"))]);

        // A restart is no way around it.
        let shop = shop.restart(&limited, "2026-03-02 12:02:40").await;
        shop.until("2026-03-02 12:04:30").await;
        assert_eq!(left(&shop.database).await, ["0", "60", "120", "180", "240"]);
        // Without the limit the rest leaves at once.
        shop.declare(&hello(""));
        shop.until("2026-03-02 12:04:40").await;
        assert_eq!(left(&shop.database).await.len(), 7);
        assert_eq!(shop.runs().await, ["Mon 2026-03-02 12:00 hello finished"]);
    });
}

#[test]
fn the_limit_of_one_campaign_holds_up_no_other() {
    on_both(|database| async move {
        let two =
            hello(", limits: { per_hour: 120 }") + "  other: { audience: everyone, template: letter }\n";
        let shop = Shop::open(database, &two, &people(5), NOON).await;
        shop.send("hello").await;
        shop.send("other").await;
        shop.at(NOON).await;
        let counts = "SELECT r.campaign, CAST(COUNT(*) AS TEXT) FROM deliveries d JOIN runs r ON r.id = d.run
            WHERE d.state = 'accepted' GROUP BY r.campaign ORDER BY 1";
        assert_eq!(shop.database.rows(counts).await, ["hello | 2", "other | 5"]);
    });
}

/// A server that refuses one in so many, by the number in their address.
async fn picky(one_in: usize, answer: &'static str) -> SmtpServer {
    SmtpServer::scripted(move |step| match step {
        Step::Rcpt(address) => {
            let number: Option<usize> = address.get(1..4).and_then(|number| number.parse().ok());
            number.is_some_and(|number| number % one_in == 1).then(|| say(answer))
        }
        _ => None,
    })
    .await
}

async fn reason(database: &TestDatabase) -> Option<String> {
    let hello = CampaignName::parse("hello").expect("a name");
    pauses::all(&database.store).await.expect("pauses").remove(&hello).and_then(|pause| pause.reason)
}

async fn states(database: &TestDatabase, state: &str) -> usize {
    database.rows(&format!("SELECT address FROM deliveries WHERE state = '{state}'")).await.len()
}

#[test]
fn too_many_refusals_pause_a_campaign_by_itself() {
    on_both(|database| async move {
        let server = picky(10, "550 5.1.1 no such user").await;
        add(&database.store, &people(900), at(NOON)).await;
        let engine = start(&database.store, &hello(""), smtp(server.port(), 2), at(NOON)).await;
        request_with(&database.store, &hello(""), at(NOON)).await;
        work(&engine, NOON).await;
        let said = reason(&database).await.expect("it was paused");
        assert!(said.starts_with("the server refused ") && said.contains("more than 5 %"), "{said}");
        let (accepted, refused) = (states(&database, "accepted").await, states(&database, "refused").await);
        // At 200 results, and what was in hand by then.
        assert!((200..=460).contains(&(accepted + refused)), "{accepted} accepted, {refused} refused");
        assert_eq!(states(&database, "planned").await, 900 - accepted - refused, "the others wait");

        // Resumed, it goes on, and is stopped again by new refusals only.
        let hello_name = CampaignName::parse("hello").expect("a name");
        let now = at("2026-03-02 12:10");
        assert!(pauses::resume(&database.store, &hello_name, now).await.expect("it is resumed"));
        engine.drain(at("2026-03-02 12:11")).await.expect("mails are handed over");
        let more =
            states(&database, "accepted").await + states(&database, "refused").await - accepted - refused;
        assert!((200..=460).contains(&more), "{more} more");
        assert!(reason(&database).await.is_some());
    });
}

#[test]
fn few_refusals_and_a_campaign_that_says_so_go_on() {
    on_both(|database| async move {
        for (limits, one_in) in [("", 25), (", limits: { max_refused: 100 }", 2)] {
            database.execute("DELETE FROM deliveries; DELETE FROM runs").await;
            let server = picky(one_in, "550 5.1.1 no such user").await;
            add(&database.store, &people(400), at(NOON)).await;
            let engine = start(&database.store, &hello(limits), smtp(server.port(), 2), at(NOON)).await;
            request_with(&database.store, &hello(limits), at(NOON)).await;
            work(&engine, NOON).await;
            assert_eq!(reason(&database).await, None);
            assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello finished"]);
            engine.stop(at(NOON)).await.expect("it stops");
        }
    });
}

#[test]
fn a_refused_sender_pauses_the_campaign_and_counts_against_nobody() {
    on_both(|database| async move {
        for answer in ["550 5.7.26 unauthenticated", "550-5.7.515 Access denied\n550 5.7.515 see our rules"] {
            database.execute("DELETE FROM deliveries; DELETE FROM runs; DELETE FROM campaign_pauses").await;
            let is_wrong = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
            let wrong = std::sync::Arc::clone(&is_wrong);
            let server = SmtpServer::scripted(move |step| {
                let refuses = wrong.load(std::sync::atomic::Ordering::SeqCst);
                matches!(step, Step::Dot(_)).then(|| refuses.then(|| say(answer))).flatten()
            })
            .await;
            add(&database.store, &people(3), at(NOON)).await;
            let engine = start(&database.store, &hello(""), smtp(server.port(), 1), at(NOON)).await;
            request_with(&database.store, &hello(""), at(NOON)).await;
            work(&engine, NOON).await;
            let said = reason(&database).await.expect("it was paused");
            assert!(said.contains("5.7."), "{said}");
            assert_eq!(
                server.commands().iter().filter(|command| *command == "DATA").count(),
                1,
                "one was tried"
            );
            let rows =
                database.rows("SELECT state, CAST(attempts AS TEXT) FROM deliveries ORDER BY id").await;
            assert!(rows.iter().all(|row| row == "planned | 0" || row == "deferred | 0"), "{rows:?}");

            // SPF and DKIM are mended, somebody resumes it.
            is_wrong.store(false, std::sync::atomic::Ordering::SeqCst);
            let hello_name = CampaignName::parse("hello").expect("a name");
            let now = at("2026-03-02 15:00");
            assert!(pauses::resume(&database.store, &hello_name, now).await.expect("it is resumed"));
            work(&engine, "2026-03-02 15:00").await;
            let rows = ledger(&database).await;
            assert!(rows.iter().all(|row| row.ends_with("accepted")), "{rows:?}");
            assert_eq!(server.copies().into_values().collect::<Vec<_>>(), [1, 1, 1]);
            engine.stop(now).await.expect("it stops");
        }
    });
}

#[test]
fn mails_too_large_for_the_server_pause_their_campaign_and_count_against_nobody() {
    on_both(|database| async move {
        let small = SmtpServerOptions { extensions: vec!["SIZE 100"], ..SmtpServerOptions::default() };
        let says_so = SmtpServer::start_with(small).await;
        let finds_out = SmtpServer::scripted(|step| {
            matches!(step, Step::Dot(_)).then(|| say("552 5.3.4 message too big for system"))
        })
        .await;
        for (server, expected) in [(says_so, "the server takes at most 100"), (finds_out, "so large (5.3.4)")]
        {
            database.execute("DELETE FROM deliveries; DELETE FROM runs; DELETE FROM campaign_pauses").await;
            add(&database.store, &people(3), at(NOON)).await;
            let engine = start(&database.store, &hello(""), smtp(server.port(), 1), at(NOON)).await;
            request_with(&database.store, &hello(""), at(NOON)).await;
            work(&engine, NOON).await;
            let said = reason(&database).await.expect("it was paused");
            assert!(said.contains(expected), "{said}");
            let rows =
                database.rows("SELECT state, CAST(attempts AS TEXT) FROM deliveries ORDER BY id").await;
            assert!(rows.iter().all(|row| row == "planned | 0" || row == "deferred | 0"), "{rows:?}");
            engine.stop(at(NOON)).await.expect("it stops");
        }
    });
}

#[test]
fn who_is_skipped_when_their_turn_comes_uses_nothing_of_the_pace_up() {
    on_both(|database| async move {
        let limited = hello(", limits: { per_hour: 60 }");
        let shop = Shop::open(database, &limited, &people(6), NOON).await;
        shop.send("hello").await;
        shop.engine.tick(at(NOON)).await.expect("recipients are fixed");
        let withdrawn = ["p000", "p001", "p003", "p004"]
            .map(|name| person(name).consents("no").consented_at("2026-03-02 11:59"));
        shop.learns(&withdrawn).await;
        shop.until("2026-03-02 12:01:30").await;
        assert_eq!(left(&shop.database).await, ["0", "60"]);
        assert_eq!(shop.mailed(), ["p002", "p005"]);
    });
}
