//! Campaigns that are renamed: the ledger goes with them, or a warning says that it does not.

use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::engine::lookalikes;

use super::shop::{Shop, ZONE, declared, person};
use crate::support::database::on_both;

fn sale(name: &str, more: &str) -> String {
    format!(
        "
caps: [{{ at_most: 1, per: 2 days }}]
campaigns:
  {name}:
    audience: everyone
    schedule: {{ cron: \"0 9 * * *\" }}
    {more}
    template: letter
"
    )
}

#[test]
fn a_renamed_campaign_carries_its_ledger_on() {
    on_both(|database| async move {
        let people = ["anna", "bert"].map(person);
        let shop = Shop::open(database, &sale("sale", ""), &people, "2026-03-01 12:00").await;
        shop.at("2026-03-01 12:00").await;
        shop.engine.tick(super::shop::at("2026-03-02 09:00")).await.expect("recipients are fixed");
        // Renamed while its rows are open: they are sent under the new name, and nobody is mailed again.
        shop.declare(&sale("spring_sale", "renamed_from: sale"));
        shop.learns(&[person("cleo")]).await;
        shop.until("2026-03-05 12:00").await;
        assert_eq!(shop.mailed(), ["anna", "bert", "cleo"]);
        let names = shop.database.rows("SELECT DISTINCT campaign FROM runs").await;
        assert_eq!(names, ["spring_sale"]);
        // Once more, by way of a second new name.
        shop.declare(&sale("summer_sale", "renamed_from: spring_sale"));
        shop.until("2026-03-08 12:00").await;
        assert_eq!(shop.mailed(), [""; 0]);
        let names = shop.database.rows("SELECT DISTINCT campaign FROM runs").await;
        assert_eq!(names, ["summer_sale"]);
    });
}

#[test]
fn a_new_name_without_the_former_one_is_noticed() {
    on_both(|database| async move {
        let shop = Shop::open(database, &sale("sale", ""), &[person("anna")], "2026-03-01 12:00").await;
        shop.until("2026-03-02 12:00").await;
        assert_eq!(shop.mailed(), ["anna"]);
        let settings = EvaluationSettings { time_zone: ZONE };
        let check = async |declarations: &str| {
            let catalogue = declared(declarations).catalogue;
            let found =
                lookalikes(&shop.database.store, &catalogue, settings).await.expect("campaigns are read");
            found.iter().map(|one| format!("{} {} {}", one.former, one.name, one.shares)).collect::<Vec<_>>()
        };
        assert_eq!(check(&sale("sale", "")).await, [""; 0]);
        assert_eq!(check(&sale("spring_sale", "")).await, ["sale spring_sale template"]);
        assert_eq!(check(&sale("spring_sale", "renamed_from: sale")).await, [""; 0]);
        let other = sale("spring_sale", "").replace("template: letter", "template: poem");
        assert_eq!(check(&other).await, [""; 0], "an audience of everyone is no likeness");
        // It is another campaign then: everybody is mailed anew, as soon as the cap has room.
        shop.declare(&sale("spring_sale", ""));
        shop.until("2026-03-05 12:00").await;
        assert_eq!(shop.mailed(), ["anna"]);
        let rows = shop.ledger().await;
        assert_eq!(rows[1], "Tue 2026-03-03 09:00 anna skipped frequency_cap", "{rows:#?}");
    });
}
