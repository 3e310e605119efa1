//! Quiet hours: mails wait for the end of the night where their contact is, and are asked again then.

use campaignd::domain::delivery::WaitReason;
use campaignd::store::figures;
use campaignd::store::runs;

use super::shop::{Shop, at, person};
use crate::support::database::on_both;

const EVENINGS: &str = "
quiet_hours: { from: 21:00, to: 08:00 }
campaigns:
  evening:
    audience: { attribute: { city: Nice } }
    schedule: { cron: \"0 22 * * MON\", time_zone: Europe/Paris }
    repeat: every_run
    ends: 2026-03-31
    template: letter
  alarm:
    audience: { attribute: { city: Nice } }
    schedule: { cron: \"30 22 * * MON\", time_zone: Europe/Paris }
    repeat: every_run
    purpose: transactional
    template: letter
";

fn people() -> Vec<super::shop::Person> {
    vec![
        person("anna").with("city", "Nice").in_zone("Europe/Paris"),
        person("bert").with("city", "Nice").in_zone("America/New_York"),
        person("cleo").with("city", "Nice"),
    ]
}

#[test]
fn mails_wait_for_the_end_of_the_night_where_their_contact_is() {
    on_both(|database| async move {
        let shop = Shop::open(database, EVENINGS, &people(), "2026-03-02 12:00").await;
        shop.at("2026-03-02 12:00").await;
        shop.at("2026-03-02 22:00").await;
        assert_eq!(shop.mailed(), ["bert"], "it is four o'clock in New York");
        assert_eq!(
            shop.ledger().await,
            [
                "Mon 2026-03-02 22:00 anna planned quiet_hours",
                "Mon 2026-03-02 22:00 bert accepted",
                "Mon 2026-03-02 22:00 cleo planned quiet_hours"
            ]
        );
        let waiting = figures::waiting(&shop.database.store, shop.clock.now()).await.expect("figures");
        assert_eq!(waiting[0].wait, Some(WaitReason::QuietHours));
        assert_eq!((waiting[0].count, waiting[0].next_try), (2, at("2026-03-03 08:00")));
        shop.until("2026-03-03 07:59").await;
        assert_eq!(shop.mailed(), ["anna", "bert", "cleo"], "transactional mail does not wait");
        // Anna is not in the audience any more in the morning.
        shop.learns(&[person("anna").with("city", "Metz")]).await;
        shop.until("2026-03-03 09:00").await;
        assert_eq!(shop.mailed(), ["cleo"]);
        let ledger = shop.ledger().await;
        assert_eq!(ledger[0], "Mon 2026-03-02 22:00 anna skipped left_the_audience");
    });
}

#[test]
fn a_campaign_that_ends_at_night_is_over_in_the_morning() {
    on_both(|database| async move {
        let over = EVENINGS.replace("ends: 2026-03-31", "ends: 2026-03-02");
        let shop = Shop::open(database, &over, &people(), "2026-03-02 12:00").await;
        shop.until("2026-03-03 12:00").await;
        let ledger = shop.ledger().await;
        assert_eq!(
            ledger[..3],
            [
                "Mon 2026-03-02 22:00 anna skipped outside_the_dates",
                "Mon 2026-03-02 22:00 bert accepted",
                "Mon 2026-03-02 22:00 cleo skipped outside_the_dates"
            ]
        );
    });
}

#[test]
fn a_run_that_is_let_go_at_night_waits_for_the_morning() {
    on_both(|database| async move {
        let guarded = EVENINGS
            .replace("\"0 22 * * MON\"", "\"0 20 * * MON\"")
            .replace("    ends: 2026-03-31\n", "    limits: { max_recipients: 1 }\n");
        let guarded = guarded.split("  alarm:").next().expect("one campaign").to_owned();
        let shop = Shop::open(database, &guarded, &people(), "2026-03-02 12:00").await;
        shop.at("2026-03-02 12:00").await;
        shop.at("2026-03-02 20:00").await;
        let run = runs::latest(&shop.database.store, None, 1).await.expect("runs")[0].id;
        assert!(runs::approve(&shop.database.store, run, at("2026-03-02 23:00")).await.expect("approved"));
        shop.at("2026-03-02 23:00").await;
        assert_eq!(shop.mailed(), ["bert"]);
        shop.until("2026-03-03 12:00").await;
        assert_eq!(shop.mailed(), ["anna", "cleo"]);
        let sent =
            "SELECT CAST(first_claimed_at AS TEXT) FROM deliveries ORDER BY first_claimed_at DESC LIMIT 1";
        let date = at("2026-03-03 08:00").micros().to_string();
        assert_eq!(shop.database.rows(sent).await, [date], "the mail's `Date` is that of the morning");
    });
}
