//! `time_zone: contact`: a run for each zone, each contact once.

use super::shop::{Person, Shop, person};
use crate::support::database::on_both;

fn launch(schedule: &str, more: &str) -> String {
    format!(
        "
campaigns:
  launch:
    audience: everyone
    schedule: {{ {schedule}, time_zone: contact }}
    {more}
    template: letter
"
    )
}

const AT: &str = "at: 2026-03-10T09:00";

fn people() -> Vec<Person> {
    vec![
        person("akira").in_zone("Asia/Tokyo"),
        person("anna").in_zone("Europe/Paris"),
        person("bert").in_zone("America/New_York"),
        person("cleo"),
    ]
}

async fn in_zones(shop: &Shop) -> Vec<String> {
    shop.database
        .rows(
            "SELECT r.zone, c.external_id, d.state FROM deliveries d JOIN runs r ON r.id = d.run
             JOIN contacts c ON c.id = d.contact ORDER BY r.due_at, c.external_id",
        )
        .await
}

#[test]
fn everybody_is_mailed_when_it_is_nine_there() {
    on_both(|database| async move {
        let shop = Shop::open(database, &launch(AT, ""), &people(), "2026-03-09 12:00").await;
        shop.until("2026-03-11 12:00").await;
        assert_eq!(
            shop.ledger().await,
            [
                "Tue 2026-03-10 01:00 akira accepted",
                "Tue 2026-03-10 09:00 anna accepted",
                "Tue 2026-03-10 09:00 cleo accepted",
                "Tue 2026-03-10 14:00 bert accepted"
            ]
        );
        let zones = in_zones(&shop).await;
        assert_eq!(
            zones[2], "Europe/Paris | cleo | accepted",
            "who has no zone is where the installation is"
        );
        assert_eq!(shop.runs().await.len(), 3, "no run for zones in which nobody is");
        let family = shop.database.rows("SELECT DISTINCT CAST(local_due AS TEXT) FROM runs").await;
        assert_eq!(family.len(), 1);
        let shop = shop.restart(&launch(AT, ""), "2026-03-11 13:00").await;
        shop.at("2026-03-11 13:00").await;
        assert_eq!(shop.runs().await.len(), 3, "not again after a restart");
        assert_eq!(shop.mailed().len(), 4);
    });
}

#[test]
fn who_moves_on_the_day_is_mailed_once() {
    on_both(|database| async move {
        let declarations = launch("cron: \"0 9 * * *\"", "repeat: every_run\n    ends: 2026-03-10");
        let shop = Shop::open(database, &declarations, &people(), "2026-03-09 16:00").await;
        shop.until("2026-03-10 02:00").await;
        assert_eq!(shop.mailed(), ["akira"]);
        shop.learns(&[person("akira").in_zone("America/New_York")]).await;
        shop.until("2026-03-12 12:00").await;
        assert_eq!(
            shop.mailed(),
            ["anna", "cleo", "bert"],
            "the last day is inside everywhere, and akira had its mail"
        );
        let rows = in_zones(&shop).await;
        assert_eq!(rows.iter().filter(|row| row.contains("akira") && row.ends_with("accepted")).count(), 1);
    });
}

#[test]
fn due_times_are_missed_by_zone() {
    on_both(|database| async move {
        let declarations =
            launch("cron: \"0 9 * * *\"", "repeat: every_run\n    missed: { send_within: 2 hours }");
        let shop = Shop::open(database, &declarations, &people(), "2026-03-09 20:00").await;
        shop.at("2026-03-09 20:00").await;
        // Down from the evening on, up again at eleven: too late for Tokyo, not for Paris.
        let shop = shop.restart(&declarations, "2026-03-10 11:00").await;
        shop.until("2026-03-10 20:00").await;
        assert_eq!(shop.mailed(), ["anna", "cleo", "bert"]);
        let runs = shop.database.rows("SELECT zone, state FROM runs ORDER BY due_at").await;
        assert_eq!(runs, ["Asia/Tokyo | missed", "Europe/Paris | finished", "America/New_York | finished"]);
    });
}

#[test]
fn a_gap_in_one_zone_is_the_same_local_time_in_all() {
    on_both(|database| async move {
        let declarations = launch("at: 2026-03-29T02:30", "");
        let shop = Shop::open(database, &declarations, &people(), "2026-03-28 12:00").await;
        shop.until("2026-03-30 12:00").await;
        assert_eq!(shop.mailed(), ["akira", "anna", "cleo", "bert"]);
        let family = shop.database.rows("SELECT DISTINCT CAST(local_due AS TEXT) FROM runs").await;
        assert_eq!(family.len(), 1, "02:30, which does not exist in Paris");
    });
}
