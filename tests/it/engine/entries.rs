//! `on_entry`: who is mailed for entering an audience, and above all who is not. A mistake here mails a
//! whole segment.

use campaignd::ingest::{self, ImportOptions};
use campaignd::store::contacts::Arrival;

use super::shop::{Shop, ZONE, at, person};
use crate::support::database::{TestDatabase, on_both};

/// Comes due each hour for nobody, so that audiences are evaluated then.
pub(super) const HOURLY: &str = "
  hourly:
    audience: { none: [everyone] }
    schedule: { cron: \"0 * * * *\" }
    repeat: every_run
    template: letter
";

fn welcome(segments: &str, schedule: &str, more: &str) -> String {
    format!(
        "
{segments}
campaigns:
{HOURLY}
  welcome:
    audience: wanted
    schedule: {{ {schedule} }}
    {more}
    template: letter
"
    )
}

const BUYERS: &str = "segments: { wanted: { match: { did: purchase } } }";
const ON_ENTRY: &str = "on_entry: true";

/// A shop in which anna and bert bought something long ago, cleo and dora did not; seen at noon and at one.
async fn shop(database: TestDatabase, declarations: &str) -> Shop {
    let people = ["anna", "bert", "cleo", "dora"].map(person);
    let shop = Shop::open(database, declarations, &people, "2026-03-02 12:00").await;
    for name in ["anna", "bert"] {
        shop.bought(name, at("2025-01-01 10:00"), Arrival::News).await;
    }
    shop.at("2026-03-02 12:00").await;
    shop.at("2026-03-02 13:00").await;
    shop
}

async fn buys_at(shop: &Shop, name: &str, when: &str) {
    shop.clock.set(at(when));
    shop.buys(name).await;
}

#[test]
fn who_is_in_already_is_not_mailed_and_who_enters_is() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "")).await;
        assert_eq!(shop.mailed(), [""; 0], "a first evaluation mails nobody");
        buys_at(&shop, "cleo", "2026-03-02 13:30").await;
        shop.at("2026-03-02 14:00").await;
        assert_eq!(shop.mailed(), ["cleo"]);
        assert_eq!(
            shop.ledger().await,
            ["Mon 2026-03-02 14:00 cleo accepted"],
            "one run of those who entered"
        );
        buys_at(&shop, "dora", "2026-03-02 14:10").await;
        buys_at(&shop, "cleo", "2026-03-02 14:20").await;
        shop.until("2026-03-04 12:00").await;
        assert_eq!(shop.mailed(), ["dora"], "and nobody twice");
        let made: Vec<_> = shop.runs().await.into_iter().filter(|run| run.contains("welcome")).collect();
        assert_eq!(made, ["Mon 2026-03-02 14:00 welcome finished", "Mon 2026-03-02 15:00 welcome finished"]);
    });
}

#[test]
fn who_enters_as_time_passes_is_mailed() {
    let long_ago = "segments: { wanted: { match: { did: purchase, older_than: 2 hours } } }";
    on_both(move |database| async move {
        let shop = shop(database, &welcome(long_ago, ON_ENTRY, "")).await;
        buys_at(&shop, "cleo", "2026-03-02 13:30").await;
        shop.at("2026-03-02 14:00").await;
        shop.at("2026-03-02 15:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        shop.at("2026-03-02 16:00").await;
        assert_eq!(shop.mailed(), ["cleo"]);
        let causes =
            shop.database.rows("SELECT DISTINCT cause FROM membership_changes WHERE entered = 1").await;
        assert_eq!(causes, ["time"]);
    });
}

/// The declarations change between two evaluations: nobody is mailed whom that brings in, somebody is
/// who did something before it, and later entries count as ever.
fn check_edit(before: &'static str, after: &'static str) {
    on_both(move |database| async move {
        let shop = shop(database, &welcome(before, ON_ENTRY, "")).await;
        buys_at(&shop, "cleo", "2026-03-02 13:10").await;
        shop.declare(&welcome(after, ON_ENTRY, ""));
        shop.at("2026-03-02 13:20").await;
        assert_eq!(shop.mailed(), ["cleo"], "entered before the edit: {after}");
        shop.until("2026-03-03 12:00").await;
        assert_eq!(shop.mailed(), [""; 0], "brought in by the edit: {after}");
        let newcomer = person("emil").with("city", "Nice");
        shop.learns(&[newcomer]).await;
        shop.clock.set(at("2026-03-03 12:10"));
        for _ in 0..5 {
            shop.buys("emil").await;
        }
        shop.at("2026-03-03 13:00").await;
        assert_eq!(shop.mailed(), ["emil"], "entered after the edit: {after}");
    });
}

#[test]
fn an_edited_segment_mails_nobody() {
    check_edit(BUYERS, "segments: { wanted: { match: everyone } }");
}

#[test]
fn an_edited_segment_behind_the_segment_mails_nobody() {
    check_edit(
        "segments: { wanted: { match: all_buyers }, all_buyers: { match: { did: purchase } } }",
        "segments: { wanted: { match: all_buyers }, all_buyers: { match: everyone } }",
    );
}

#[test]
fn an_edited_trait_mails_nobody() {
    check_edit(
        "traits: { spend: { of: purchase, total: amount, within: 1 month } }\n\
         segments: { wanted: { match: { trait: { spend: { at_least: 1 } } } } }",
        "traits: { spend: { of: purchase, total: amount } }\n\
         segments: { wanted: { match: { trait: { spend: { at_least: 1 } } } } }",
    );
}

#[test]
fn an_edited_score_mails_nobody() {
    check_edit(
        "scores: { fame: { points: { purchase: 1 }, half_life: 1 day, range: [0, 100], levels: { low: 0, high: 0.5 } } }\n\
         segments: { wanted: { match: { score: { fame: high } } } }",
        "scores: { fame: { points: { purchase: 1 }, within: 10 years, range: [0, 100], levels: { low: 0, high: 0.5 } } }\n\
         segments: { wanted: { match: { score: { fame: high } } } }",
    );
}

#[test]
fn an_edit_of_something_else_holds_back_nobody() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "")).await;
        let other = "segments: { wanted: { match: { did: purchase } }, other: { match: everyone } }";
        buys_at(&shop, "cleo", "2026-03-02 13:10").await;
        // While nobody was there to see the former declarations.
        let shop = shop.restart(&welcome(other, ON_ENTRY, ""), "2026-03-02 13:20").await;
        shop.at("2026-03-02 14:00").await;
        assert_eq!(shop.mailed(), ["cleo"]);
    });
}

#[test]
fn an_import_of_old_facts_mails_nobody() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "")).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("orders.csv");
        let rows = "id,at,amount\ncleo,2024-05-01T10:00:00Z,5\nfrank,2026-03-02T10:00:00Z,7\n";
        std::fs::write(&file, rows).expect("a file");
        let catalogue = shop.engine.declarations().current().catalogue;
        let options = ImportOptions {
            event: Some("purchase".to_owned()),
            ..ImportOptions::new(ZONE, shop.clock.now())
        };
        let summary =
            ingest::import_file(&shop.database.store, &catalogue, &file, &options, &mut |_| {}).await;
        assert_eq!(summary.expect("it is imported").events_added, 2);
        // People by file, too, and one by news in between.
        buys_at(&shop, "dora", "2026-03-02 13:30").await;
        shop.at("2026-03-02 14:00").await;
        assert_eq!(shop.mailed(), ["dora"]);
        let causes = "SELECT DISTINCT cause FROM membership_changes WHERE entered = 1 ORDER BY cause";
        assert_eq!(shop.database.rows(causes).await, ["data", "import"]);
        shop.until("2026-03-05 12:00").await;
        assert_eq!(shop.mailed(), [""; 0], "not later either");

        // A file of news is news.
        std::fs::write(&file, "id,at,amount\ngina,2026-03-05T10:30:00Z,5\n").expect("a file");
        shop.learns(&[person("gina")]).await;
        let live = ImportOptions { arrival: Arrival::News, now: shop.clock.now(), ..options };
        ingest::import_file(&shop.database.store, &catalogue, &file, &live, &mut |_| {})
            .await
            .expect("it is imported");
        shop.at("2026-03-05 13:00").await;
        assert_eq!(shop.mailed(), ["gina"]);
    });
}

#[test]
fn a_restart_mails_nobody_twice_and_loses_nobody() {
    on_both(|database| async move {
        let declarations = welcome(BUYERS, ON_ENTRY, "repeat: every_entry");
        let shop = shop(database, &declarations).await;
        buys_at(&shop, "cleo", "2026-03-02 13:30").await;
        shop.at("2026-03-02 14:00").await;
        assert_eq!(shop.mailed(), ["cleo"]);
        let shop = shop.restart(&declarations, "2026-03-02 14:30").await;
        buys_at(&shop, "dora", "2026-03-02 14:40").await;
        let shop = shop.restart(&declarations, "2026-03-05 09:00").await;
        shop.at("2026-03-05 09:00").await;
        assert_eq!(shop.mailed(), ["dora"], "what happened while nobody looked is seen now");
        let shop = shop.restart(&declarations, "2026-03-05 10:00").await;
        shop.until("2026-03-06 09:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
    });
}

#[test]
fn other_declarations_at_the_start_mail_nobody() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "")).await;
        let everyone = "segments: { wanted: { match: everyone } }";
        let shop = shop.restart(&welcome(everyone, ON_ENTRY, ""), "2026-03-02 13:30").await;
        shop.until("2026-03-04 12:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
    });
}

#[test]
fn a_campaign_that_was_away_begins_anew() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "")).await;
        shop.declare(BUYERS);
        shop.at("2026-03-02 14:00").await;
        buys_at(&shop, "cleo", "2026-03-02 14:10").await;
        shop.declare(&welcome(BUYERS, ON_ENTRY, ""));
        shop.until("2026-03-03 12:00").await;
        assert_eq!(shop.mailed(), [""; 0], "it entered while the campaign was not active");
        buys_at(&shop, "dora", "2026-03-03 12:10").await;
        shop.at("2026-03-03 13:00").await;
        assert_eq!(shop.mailed(), ["dora"]);
    });
}

#[test]
fn a_renamed_campaign_mails_nobody_for_its_name() {
    on_both(|database| async move {
        let declarations = welcome(BUYERS, ON_ENTRY, "repeat: every_run");
        let shop = shop(database, &declarations).await;
        buys_at(&shop, "cleo", "2026-03-02 13:10").await;
        let renamed = declarations.replace("  welcome:", "  hello:");
        shop.declare(&renamed.replace("audience: wanted", "audience: wanted\n    renamed_from: welcome"));
        shop.at("2026-03-02 13:20").await;
        assert_eq!(shop.mailed(), ["cleo"], "an entry under the old name is mailed once");
        shop.until("2026-03-03 12:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        let names = shop.database.rows("SELECT DISTINCT campaign FROM runs ORDER BY campaign").await;
        assert_eq!(names, ["hello", "hourly"]);
        // Without `renamed_from` it is another campaign, with a first evaluation of its own.
        shop.declare(&renamed.replace("  hello:", "  good_day:"));
        shop.until("2026-03-04 12:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        buys_at(&shop, "dora", "2026-03-04 12:10").await;
        shop.at("2026-03-04 13:00").await;
        assert_eq!(shop.mailed(), ["dora"]);
    });
}

#[test]
fn include_current_mails_those_who_are_in_once() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "repeat: every_entry")).await;
        let current = welcome(BUYERS, "on_entry: true, include_current: true", "repeat: every_entry");
        shop.declare(&current);
        shop.at("2026-03-02 14:00").await;
        assert_eq!(shop.mailed(), ["anna", "bert"]);
        let shop = shop.restart(&current, "2026-03-02 14:30").await;
        shop.until("2026-03-03 12:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        let all = "segments: { wanted: { match: everyone } }";
        shop.declare(&welcome(all, "on_entry: true, include_current: true", "repeat: every_entry"));
        shop.at("2026-03-03 13:00").await;
        assert_eq!(shop.mailed(), ["cleo", "dora"], "those whom the edit brings in count, too");
    });
}

#[test]
fn max_recipients_counts_a_day() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "limits: { max_recipients: 1 }")).await;
        buys_at(&shop, "cleo", "2026-03-02 13:10").await;
        shop.at("2026-03-02 14:00").await;
        assert_eq!(shop.mailed(), ["cleo"]);
        buys_at(&shop, "dora", "2026-03-03 12:10").await;
        shop.at("2026-03-03 13:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        let notes = "SELECT note FROM runs WHERE state = 'held'";
        let note = shop.database.rows(notes).await;
        assert!(
            note[0].starts_with("1 mails are planned, after 1 within 24 hours, max_recipients allows 1"),
            "{note:?}"
        );
        shop.learns(&[person("emil")]).await;
        buys_at(&shop, "emil", "2026-03-04 13:10").await;
        shop.at("2026-03-04 14:00").await;
        assert_eq!(shop.mailed(), ["emil"], "a day later there is room again");
    });
}

#[test]
fn a_clock_that_is_set_back_a_little_brings_nobody_in_again() {
    on_both(|database| async move {
        let shop = shop(database, &welcome(BUYERS, ON_ENTRY, "repeat: every_entry")).await;
        buys_at(&shop, "cleo", "2026-03-02 13:59").await;
        shop.at("2026-03-02 14:00").await;
        assert_eq!(shop.mailed(), ["cleo"]);
        for now in ["2026-03-02 13:58", "2026-03-02 13:59", "2026-03-02 14:00", "2026-03-02 15:00"] {
            shop.at(now).await;
        }
        assert_eq!(shop.mailed(), [""; 0]);
        let left = "SELECT CAST(COUNT(*) AS TEXT) FROM membership_changes WHERE entered = 0";
        assert_eq!(shop.database.rows(left).await, ["0"]);
    });
}
