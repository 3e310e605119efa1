//! Campaigns that are paused, from whichever process.

use campaignd::domain::delivery::WaitReason;
use campaignd::domain::name::CampaignName;
use campaignd::store::{figures, pauses};

use super::entries::HOURLY;
use super::shop::{Shop, at, person};
use crate::support::database::on_both;

fn declarations() -> String {
    format!(
        "
segments: {{ buyers: {{ match: {{ did: purchase }} }} }}
campaigns:
{HOURLY}
  sale:
    audience: {{ attribute: {{ city: Nice }} }}
    schedule: {{ cron: \"0 9 * * *\" }}
    repeat: every_run
    template: letter
  welcome:
    audience: buyers
    schedule: {{ on_entry: true }}
    template: letter
"
    )
}

#[test]
fn a_paused_campaign_sends_nothing_and_goes_on_when_it_is_resumed() {
    on_both(|database| async move {
        let people = [person("anna").with("city", "Nice"), person("bert").with("city", "Nice")];
        let shop = Shop::open(database, &declarations(), &people, "2026-03-02 07:00").await;
        shop.at("2026-03-02 07:00").await;
        shop.engine.tick(at("2026-03-02 09:00")).await.expect("recipients are fixed");
        let elsewhere = shop.database.open_again().await;
        let (sale, welcome) = (name("sale"), name("welcome"));
        let now = at("2026-03-02 09:00");
        assert!(pauses::pause(&elsewhere, &sale, None, now).await.expect("paused"));
        assert!(!pauses::pause(&elsewhere, &sale, None, now).await.expect("asked"), "only once");
        assert!(pauses::pause(&elsewhere, &welcome, None, now).await.expect("paused"));
        shop.at("2026-03-02 09:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        let waiting = figures::waiting(&shop.database.store, shop.clock.now()).await.expect("figures");
        let shown: Vec<_> = waiting.iter().map(|waiting| (waiting.wait, waiting.count)).collect();
        assert_eq!(shown, [(Some(WaitReason::Paused), 2)]);

        // What comes due meanwhile is missed, entries too, and a restart ends no pause.
        let shop = shop.restart(&declarations(), "2026-03-02 10:30").await;
        shop.buys("anna").await;
        shop.until("2026-03-03 12:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        let missed = "SELECT campaign, note FROM runs WHERE state = 'missed' ORDER BY due_at";
        assert_eq!(
            shop.database.rows(missed).await,
            [
                "hourly | no daemon was up when it was due",
                "welcome | the campaign was paused when it was due",
                "sale | the campaign was paused when it was due"
            ]
        );
        // Whoever is not in the audience any more is not mailed when it goes on.
        shop.learns(&[person("bert").with("city", "Metz")]).await;
        assert!(pauses::resume(&elsewhere, &sale, shop.clock.now()).await.expect("resumed"));
        assert!(pauses::resume(&elsewhere, &welcome, shop.clock.now()).await.expect("resumed"));
        assert!(!pauses::resume(&elsewhere, &sale, shop.clock.now()).await.expect("asked"), "only once");
        shop.at("2026-03-03 12:10").await;
        assert_eq!(shop.mailed(), ["anna"]);
        assert_eq!(
            shop.ledger().await,
            ["Mon 2026-03-02 09:00 anna accepted", "Mon 2026-03-02 09:00 bert skipped left_the_audience"]
        );
        shop.buys("bert").await;
        shop.until("2026-03-03 14:00").await;
        assert_eq!(shop.mailed(), ["bert"], "entries count again");
    });
}

fn name(text: &str) -> CampaignName {
    CampaignName::parse(text).expect("a name")
}
