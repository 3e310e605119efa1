//! When runs come due, how often one contact is mailed, and what becomes of missed due times.

use super::shop::{Shop, at, person, start};
use crate::support::database::{TestDatabase, on_both};

fn weekly(repeat: &str, missed: &str) -> String {
    format!(
        "
campaigns:
  weekly:
    audience: everyone
    schedule: {{ cron: \"0 9 * * MON\", time_zone: Europe/Paris }}
    repeat: {repeat}
    missed: {missed}
    template: letter
"
    )
}

/// How often anna is mailed in five weeks over the change to summer time.
fn check_repeat(repeat: &'static str, mails: &'static [&'static str]) {
    on_both(move |database: TestDatabase| async move {
        let people = [person("anna")];
        let shop = Shop::open(database, &weekly(repeat, "skip"), &people, "2026-03-14 12:00").await;
        shop.until("2026-04-14 12:00").await;
        let mailed: Vec<_> =
            shop.ledger().await.into_iter().filter(|row| row.ends_with("accepted")).collect();
        assert_eq!(mailed, mails, "{repeat}");
        assert_eq!(shop.mailed().len(), mails.len());
        assert_eq!(shop.runs().await.len(), 5, "every Monday has a run");
        let ledger = shop.ledger().await;
        assert_eq!(ledger.len(), 5, "every contact has a row in every run: {ledger:#?}");
    });
}

#[test]
fn once_is_once() {
    check_repeat("once", &["Mon 2026-03-16 09:00 anna accepted"]);
}

#[test]
fn every_run_is_every_run() {
    check_repeat(
        "every_run",
        &[
            "Mon 2026-03-16 09:00 anna accepted",
            "Mon 2026-03-23 09:00 anna accepted",
            "Mon 2026-03-30 09:00 anna accepted",
            "Mon 2026-04-06 09:00 anna accepted",
            "Mon 2026-04-13 09:00 anna accepted",
        ],
    );
}

#[test]
fn at_most_every_week_leaves_no_week_out() {
    check_repeat(
        "{ at_most_every: 7 days }",
        &[
            "Mon 2026-03-16 09:00 anna accepted",
            "Mon 2026-03-23 09:00 anna accepted",
            "Mon 2026-03-30 09:00 anna accepted",
            "Mon 2026-04-06 09:00 anna accepted",
            "Mon 2026-04-13 09:00 anna accepted",
        ],
    );
}

#[test]
fn at_most_every_eight_days_leaves_every_second_week_out() {
    check_repeat(
        "{ at_most_every: 8 days }",
        &[
            "Mon 2026-03-16 09:00 anna accepted",
            "Mon 2026-03-30 09:00 anna accepted",
            "Mon 2026-04-13 09:00 anna accepted",
        ],
    );
}

/// A daemon that is up on Saturday and then again from `back` on: the runs there are then.
fn check_missed(missed: &'static str, back: &'static str, runs: &'static [&'static str]) {
    on_both(move |database: TestDatabase| async move {
        let declarations = weekly("every_run", missed);
        let people = [person("anna")];
        let shop = Shop::open(database, &declarations, &people, "2026-03-14 12:00").await;
        shop.at("2026-03-14 12:00").await;
        let Shop { database, engine, mailbox, clock } = shop;
        engine.stop(at("2026-03-14 12:00")).await.expect("the engine stops");
        let transport = campaignd::send::Transport::Memory(mailbox.clone());
        let engine = start(&database.store, &declarations, transport, at(back)).await;
        let shop = Shop { database, engine, clock, mailbox };
        shop.at(back).await;
        assert_eq!(shop.runs().await, runs, "{missed}, back at {back}");
        shop.at(back).await;
        assert_eq!(shop.runs().await, runs, "nothing is due twice");
        let due = runs.iter().filter(|run| run.ends_with("finished")).count();
        assert_eq!(shop.mailed().len(), due);
    });
}

#[test]
fn a_minute_late_is_on_time() {
    check_missed("skip", "2026-03-16 09:01", &["Mon 2026-03-16 09:00 weekly finished"]);
}

#[test]
fn missed_due_times_are_skipped_and_seen() {
    check_missed("skip", "2026-03-16 09:02", &["Mon 2026-03-16 09:00 weekly missed"]);
}

#[test]
fn a_missed_due_time_is_made_up_for_while_it_is_not_too_late() {
    let two_hours = "{ send_within: 2 hours }";
    check_missed(two_hours, "2026-03-16 11:00", &["Mon 2026-03-16 09:00 weekly finished"]);
    check_missed(two_hours, "2026-03-16 11:01", &["Mon 2026-03-16 09:00 weekly missed"]);
}

#[test]
fn of_several_missed_due_times_only_the_latest_counts() {
    check_missed(
        "{ send_within: 30 days }",
        "2026-03-31 12:00",
        &[
            "Mon 2026-03-16 09:00 weekly missed",
            "Mon 2026-03-23 09:00 weekly missed",
            "Mon 2026-03-30 09:00 weekly finished",
        ],
    );
}

/// Declarations that change while the daemon is up.
#[test]
fn what_is_declared_later_has_no_past() {
    on_both(|database: TestDatabase| async move {
        let single = "
campaigns:
  launch:
    audience: everyone
    schedule: { at: 2026-03-10T10:00, time_zone: Europe/Paris }
    template: letter
";
        let people = [person("anna")];
        let shop = Shop::open(database, "", &people, "2026-03-09 12:00").await;
        shop.until("2026-03-12 12:00").await;
        // The instant is past when the campaign is first seen: missed, and no mail.
        shop.declare(single);
        shop.at("2026-03-12 12:00").await;
        assert_eq!(shop.runs().await, ["Tue 2026-03-10 10:00 launch missed"]);
        // Moved into the future it runs; moved into the past again it does not.
        shop.declare(&single.replace("03-10T10:00", "03-13T10:00"));
        shop.until("2026-03-14 12:00").await;
        shop.declare(&single.replace("03-10T10:00", "03-14T11:00"));
        shop.at("2026-03-14 12:00").await;
        assert_eq!(
            shop.runs().await,
            [
                "Tue 2026-03-10 10:00 launch missed",
                "Fri 2026-03-13 10:00 launch finished",
                "Sat 2026-03-14 11:00 launch missed"
            ]
        );
        assert_eq!(shop.mailed(), ["anna"]);
        // A cron line that is seen first on Thursday has no Monday before, nor has one that was away.
        shop.declare(&weekly("every_run", "{ send_within: 30 days }"));
        shop.at("2026-03-19 12:00").await;
        shop.declare("");
        shop.at("2026-03-20 12:00").await;
        shop.at("2026-03-25 12:00").await;
        shop.declare(&weekly("every_run", "{ send_within: 30 days }"));
        shop.until("2026-03-31 12:00").await;
        let weekly: Vec<_> = shop.runs().await.into_iter().filter(|run| run.contains("weekly")).collect();
        assert_eq!(weekly, ["Mon 2026-03-30 09:00 weekly finished"]);
    });
}
