//! Runs that are held, cancelled, paused, or whose campaign vanishes.

use campaignd::domain::delivery::{RunId, RunState};
use campaignd::store::runs;

use super::shop::{Shop, person};
use crate::support::database::{TestDatabase, on_both};

const MONDAYS: &str = "
campaigns:
  sale:
    audience: everyone
    schedule: { cron: \"0 9 * * MON\", time_zone: Europe/Paris }
    repeat: every_run
    template: letter
    limits: { max_recipients: 2 }
";

async fn held(database: TestDatabase) -> (Shop, RunId) {
    let people = ["anna", "bert", "cleo"].map(person);
    let shop = Shop::open(database, MONDAYS, &people, "2026-03-01 12:00").await;
    shop.at("2026-03-01 12:00").await;
    shop.at("2026-03-02 09:00").await;
    assert_eq!(shop.runs().await, ["Mon 2026-03-02 09:00 sale held"]);
    assert_eq!(shop.mailed(), [""; 0], "held before its first mail");
    let held = runs::in_states(&shop.database.store, &[RunState::Held]).await.expect("runs are read");
    let note = held[0].note.clone().expect("it says why");
    assert!(note.starts_with("3 mails are planned, max_recipients allows 2: `campaignd approve"), "{note}");
    (shop, held[0].id)
}

#[test]
fn a_held_run_is_sent_when_it_is_approved() {
    on_both(|database: TestDatabase| async move {
        let (shop, run) = held(database).await;
        let now = shop.clock.now();
        assert!(runs::approve(&shop.database.store, run, now).await.expect("it is approved"));
        assert!(!runs::approve(&shop.database.store, run, now).await.expect("it is asked"), "only once");
        shop.at("2026-03-02 09:05").await;
        assert_eq!(shop.runs().await, ["Mon 2026-03-02 09:00 sale finished"]);
        assert_eq!(shop.mailed(), ["anna", "bert", "cleo"]);
    });
}

#[test]
fn a_held_run_is_not_sent_when_it_is_cancelled() {
    on_both(|database: TestDatabase| async move {
        let (shop, run) = held(database).await;
        let now = shop.clock.now();
        let skipped = runs::cancel(&shop.database.store, run, Some("a wrong filter"), now).await;
        assert_eq!(skipped.expect("it is cancelled"), Some(3));
        shop.at("2026-03-02 09:05").await;
        assert_eq!(
            shop.ledger().await,
            [
                "Mon 2026-03-02 09:00 anna skipped run_cancelled",
                "Mon 2026-03-02 09:00 bert skipped run_cancelled",
                "Mon 2026-03-02 09:00 cleo skipped run_cancelled"
            ]
        );
        assert_eq!(shop.runs().await, ["Mon 2026-03-02 09:00 sale cancelled"]);
        assert_eq!(shop.mailed(), [""; 0]);
    });
}

#[test]
fn who_waits_in_a_held_run_is_not_planned_again() {
    on_both(|database: TestDatabase| async move {
        let (shop, run) = held(database).await;
        shop.at("2026-03-09 09:00").await;
        assert_eq!(
            shop.ledger().await,
            [
                "Mon 2026-03-02 09:00 anna planned",
                "Mon 2026-03-02 09:00 bert planned",
                "Mon 2026-03-02 09:00 cleo planned",
                "Mon 2026-03-09 09:00 anna skipped waiting_in_earlier_run",
                "Mon 2026-03-09 09:00 bert skipped waiting_in_earlier_run",
                "Mon 2026-03-09 09:00 cleo skipped waiting_in_earlier_run"
            ]
        );
        assert_eq!(
            shop.runs().await,
            ["Mon 2026-03-02 09:00 sale held", "Mon 2026-03-09 09:00 sale finished"]
        );
        let now = shop.clock.now();
        runs::approve(&shop.database.store, run, now).await.expect("it is approved");
        shop.at("2026-03-09 09:05").await;
        assert_eq!(shop.mailed(), ["anna", "bert", "cleo"]);
    });
}

#[test]
fn a_paused_run_goes_on_when_it_is_resumed() {
    on_both(|database: TestDatabase| async move {
        let people = ["anna", "bert"].map(person);
        let shop = Shop::open(database, MONDAYS, &people, "2026-03-01 12:00").await;
        shop.send("sale").await;
        shop.engine.tick(shop.clock.now()).await.expect("recipients are fixed");
        let sending =
            runs::in_states(&shop.database.store, &[RunState::Sending]).await.expect("runs are read");
        runs::pause(&shop.database.store, sending[0].id).await.expect("it is paused");
        shop.at("2026-03-01 12:01").await;
        assert_eq!(shop.mailed(), [""; 0]);
        assert_eq!(shop.runs().await, ["Sun 2026-03-01 12:00 sale paused"]);
        runs::resume(&shop.database.store, sending[0].id, shop.clock.now()).await.expect("it is resumed");
        shop.at("2026-03-01 12:02").await;
        assert_eq!(shop.mailed(), ["anna", "bert"]);
        assert_eq!(shop.runs().await, ["Sun 2026-03-01 12:00 sale finished"]);
    });
}

#[test]
fn rows_of_a_campaign_that_vanishes_wait_and_say_so() {
    on_both(|database: TestDatabase| async move {
        let people = ["anna", "bert"].map(person);
        let shop = Shop::open(database, MONDAYS, &people, "2026-03-01 12:00").await;
        shop.send("sale").await;
        shop.engine.tick(shop.clock.now()).await.expect("recipients are fixed");
        shop.declare("");
        shop.at("2026-03-01 12:01").await;
        assert_eq!(shop.mailed(), [""; 0]);
        assert_eq!(
            shop.ledger().await,
            ["Sun 2026-03-01 12:00 anna planned undeclared", "Sun 2026-03-01 12:00 bert planned undeclared"]
        );
        shop.declare(MONDAYS);
        shop.at("2026-03-01 12:02").await;
        assert_eq!(shop.mailed(), ["anna", "bert"]);
        assert_eq!(shop.runs().await, ["Sun 2026-03-01 12:00 sale finished"]);
    });
}

#[test]
fn an_empty_audience_is_finished_at_once() {
    on_both(|database: TestDatabase| async move {
        let shop = Shop::open(database, MONDAYS, &[], "2026-03-01 12:00").await;
        shop.until("2026-03-02 10:00").await;
        assert_eq!(shop.runs().await, ["Mon 2026-03-02 09:00 sale finished"]);
    });
}
