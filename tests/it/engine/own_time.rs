//! Segments with a `refresh` of their own are evaluated at their own times, and when a run uses them.

use super::ranks::{causes, members};
use super::shop::{Shop, at, person};
use crate::support::database::on_both;

/// The settings of these tests say: each day.
const DECLARATIONS: &str = "
segments:
  quick: { match: { did: purchase, within: 2 hours }, refresh: 1 hour }
  daily: { match: { did: purchase }, refresh: 0 6 * * * }
  usual: { match: { did: purchase } }
campaigns:
  noon:
    audience: { any: [daily] }
    schedule: { cron: \"30 12 3 * *\" }
    repeat: every_run
    template: letter
";

async fn who_is_where(shop: &Shop) -> [String; 3] {
    let store = &shop.database.store;
    [members(store, "quick").await, members(store, "daily").await, members(store, "usual").await]
}

async fn buys_at(shop: &Shop, name: &str, when: &str) {
    shop.clock.set(at(when));
    shop.buys(name).await;
}

#[test]
fn each_has_its_time_and_a_run_brings_those_up_to_date_that_it_uses() {
    on_both(|database| async move {
        let people = ["anna", "bert", "cleo"].map(person);
        let shop = Shop::open(database, DECLARATIONS, &people, "2026-03-02 07:00").await;
        shop.at("2026-03-02 07:00").await;
        buys_at(&shop, "anna", "2026-03-02 07:10").await;
        shop.at("2026-03-02 07:59:59").await;
        assert_eq!(who_is_where(&shop).await, ["", "", ""]);
        // It wakes by itself, an hour after the first time.
        shop.until("2026-03-02 08:00:01").await;
        assert_eq!(who_is_where(&shop).await, ["anna", "", ""]);
        buys_at(&shop, "bert", "2026-03-02 08:30").await;
        shop.until("2026-03-02 09:30").await;
        assert_eq!(who_is_where(&shop).await, ["anna,bert", "", ""], "anna's two hours were over at 9:10");
        shop.until("2026-03-02 10:00:01").await;
        assert_eq!(who_is_where(&shop).await, ["bert", "", ""]);
        // After a restart the times go on from what is stored.
        let shop = shop.restart(DECLARATIONS, "2026-03-02 10:30").await;
        shop.at("2026-03-02 10:30").await;
        assert_eq!(who_is_where(&shop).await, ["bert", "", ""]);
        shop.until("2026-03-02 11:00:01").await;
        assert_eq!(who_is_where(&shop).await, ["", "", ""]);
        shop.until("2026-03-03 06:59").await;
        assert_eq!(who_is_where(&shop).await, ["", "anna,bert", ""], "at six on the clock of Paris");
        shop.until("2026-03-03 07:00:01").await;
        assert_eq!(who_is_where(&shop).await, ["", "anna,bert", "anna,bert"], "a day after the first time");
        // A run evaluates those that it uses, and those without a time of their own.
        shop.until("2026-03-03 12:10").await;
        buys_at(&shop, "cleo", "2026-03-03 12:20").await;
        shop.at("2026-03-03 12:30").await;
        assert_eq!(who_is_where(&shop).await, ["", "anna,bert,cleo", "anna,bert,cleo"]);
        assert_eq!(shop.mailed(), ["anna", "bert", "cleo"]);
        assert_eq!(
            causes(&shop.database, "quick").await,
            ["anna | 1 | data", "bert | 1 | data", "anna | 0 | time", "bert | 0 | time"]
        );
    });
}

#[test]
fn who_gets_a_time_of_its_own_or_loses_it_stays_true() {
    on_both(|database| async move {
        let people = ["anna", "bert"].map(person);
        let shared = "segments: { quick: { match: { did: purchase, within: 2 hours } } }";
        let alone = "segments: { quick: { match: { did: purchase, within: 2 hours }, refresh: 1 hour } }";
        let shop = Shop::open(database, shared, &people, "2026-03-02 07:00").await;
        buys_at(&shop, "anna", "2026-03-02 07:00").await;
        shop.at("2026-03-02 07:00").await;
        assert_eq!(members(&shop.database.store, "quick").await, "anna");
        // When she is to be looked at again was kept for all segments together, and is now for this one.
        shop.declare(alone);
        shop.until("2026-03-02 08:30").await;
        buys_at(&shop, "bert", "2026-03-02 08:40").await;
        shop.until("2026-03-02 09:30").await;
        assert_eq!(members(&shop.database.store, "quick").await, "bert");
        shop.declare(shared);
        shop.at("2026-03-02 10:39:59").await;
        assert_eq!(members(&shop.database.store, "quick").await, "bert");
        shop.until("2026-03-03 10:40").await;
        assert_eq!(members(&shop.database.store, "quick").await, "");
        let names = causes(&shop.database, "quick").await;
        assert_eq!(names, ["anna | 0 | time", "bert | 1 | data", "bert | 0 | time"]);
    });
}
