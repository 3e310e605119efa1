//! Whom suppressions hold back, by cause, purpose and target; and the last look before a mail goes out.

use campaignd::domain::campaign::{MailPurpose, Tracking};
use campaignd::domain::consent::ConsentState;
use campaignd::domain::delivery::{DeliveryId, SuppressionCause, SuppressionScope};
use campaignd::domain::suppression::SuppressionTarget;
use campaignd::store::deliveries;
use campaignd::store::ledger::{self, LastLook, LedgerStep, Step};
use campaignd::store::suppressions::{self, Suppression};
use std::time::Duration;

use crate::engine::shop::{Shop, add, at, person};
use crate::support::database::{TestDatabase, on_both};

fn suppression(target: &str, cause: SuppressionCause, scope: SuppressionScope) -> Suppression {
    let target = SuppressionTarget::parse(target).expect("it is a target");
    Suppression { target, cause, scope, at: at("2026-01-01 00:00"), source: "test".to_owned() }
}

#[test]
fn transactional_mail_is_held_back_by_bounces_and_complaints_only() {
    on_both(|database: TestDatabase| async move {
        use SuppressionCause::{Bounce, Complaint, Import, Unsubscribe};
        use SuppressionScope::{All, Marketing};
        let declarations = "
campaigns:
  receipt:
    audience: everyone
    purpose: transactional
    template: letter
  sale:
    audience: everyone
    template: letter
";
        let names = ["anna", "bert", "cleo", "dora", "emil", "finn"];
        let people = names.map(person);
        let shop = Shop::open(database, declarations, &people, "2026-03-02 09:00").await;
        let store = &shop.database.store;
        let rows = [
            suppression("anna@shop.example", Unsubscribe, All),
            suppression("bert@shop.example", Import, All),
            suppression("cleo@shop.example", Bounce, Marketing),
            suppression("dora@shop.example", Complaint, Marketing),
            suppression("emil@shop.example", Unsubscribe, Marketing),
        ];
        // One that was planned before it was suppressed, at the claim; and one that is suppressed before.
        suppressions::add(store, &rows[..2]).await.expect("suppressions are stored");
        for campaign in ["receipt", "sale"] {
            shop.send(campaign).await;
        }
        shop.engine.tick(shop.clock.now()).await.expect("recipients are fixed");
        suppressions::add(store, &rows[2..]).await.expect("suppressions are stored");
        shop.at("2026-03-02 09:00").await;
        let rows = shop
            .database
            .rows(
                "SELECT r.campaign, d.address, d.state, d.reason FROM deliveries d JOIN runs r ON r.id = d.run
                 WHERE d.state <> 'accepted' ORDER BY r.campaign, d.address",
            )
            .await;
        assert_eq!(
            rows,
            [
                "receipt | cleo@shop.example | skipped | suppressed_bounce",
                "receipt | dora@shop.example | skipped | suppressed_complaint",
                "sale | anna@shop.example | skipped | suppressed_unsubscribe",
                "sale | bert@shop.example | skipped | suppressed_import",
                "sale | cleo@shop.example | skipped | suppressed_bounce",
                "sale | dora@shop.example | skipped | suppressed_complaint",
                "sale | emil@shop.example | skipped | suppressed_unsubscribe",
            ]
        );
        assert_eq!(shop.mailed(), ["anna", "bert", "emil", "finn", "finn"]);
    });
}

#[test]
fn an_address_is_found_by_its_hash_and_by_its_domain() {
    on_both(|database: TestDatabase| async move {
        use SuppressionCause::{Bounce, Import};
        let hash = SuppressionTarget::hash_of("Ada@Shop.example");
        let rows = [
            suppression(hash.as_str(), Import, SuppressionScope::Marketing),
            suppression("@müller.example", Bounce, SuppressionScope::All),
            suppression("@shop.example.org", Import, SuppressionScope::Marketing),
        ];
        let store = &database.store;
        assert_eq!(suppressions::add(store, &rows).await.expect("they are added"), 3);
        let asked =
            ["ADA@shop.example", "bo@xn--mller-kva.example", "cy@shop.example", "cy@a.müller.example"];
        let found = suppressions::among(store, &asked).await.expect("they are asked");
        let mut hit: Vec<_> = found
            .iter()
            .map(|(address, rows)| (*address, rows.iter().map(|row| row.cause).collect()))
            .collect();
        hit.sort_unstable();
        assert_eq!(hit, [("ADA@shop.example", vec![Import]), ("bo@xn--mller-kva.example", vec![Bounce])]);
        let removed = suppressions::remove(store, &[hash], suppressions::SuppressionFilter::default()).await;
        assert_eq!(removed.expect("it is removed").len(), 1);
        assert_eq!(suppressions::all(store).await.expect("they are listed").len(), 2);
    });
}

#[test]
fn who_withdraws_while_a_mail_is_being_handed_over_is_not_mailed() {
    on_both(|database: TestDatabase| async move {
        let declarations = "campaigns: { sale: { audience: everyone, template: letter } }";
        let people = ["anna", "bert", "cleo", "dora"].map(person);
        let shop = Shop::open(database, declarations, &people, "2026-03-02 09:00").await;
        let (store, now) = (&shop.database.store, shop.clock.now());
        let run = shop.send("sale").await;
        shop.engine.tick(now).await.expect("recipients are fixed");
        let sender = shop.database.rows("SELECT CAST(MAX(id) AS TEXT) FROM incarnations").await;
        let sender = campaignd::domain::delivery::IncarnationId(sender[0].parse().expect("a number"));
        let rows = deliveries::claim(store, sender, &[run], 10, Duration::from_mins(1), now).await;
        let rows = rows.expect("they are claimed");
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| row.suppressed.is_empty()));
        // All passed the gates. Then bert withdraws, and dora's domain complains.
        add(store, &[person("bert").consents("no")], now).await;
        let hash = SuppressionTarget::hash_of("dora@shop.example");
        let complaint = [suppression(hash.as_str(), SuppressionCause::Complaint, SuppressionScope::All)];
        suppressions::add(store, &complaint).await.expect("the complaint is stored");
        let refused = async |purpose, consents| {
            let transmit = |delivery| LedgerStep {
                delivery,
                step: Step::Transmit {
                    message_id: "<a@b>".to_owned(),
                    content_hash: "00".to_owned(),
                    tracking: Tracking::None,
                    last_look: Some(LastLook { purpose, consents }),
                },
            };
            let steps: Vec<_> = rows.iter().map(|row| transmit(row.id)).collect();
            let refused = ledger::write(store, sender, &steps, now).await.expect("the steps are tried");
            let name = |id: DeliveryId| {
                let row = rows.iter().find(|row| row.id == id).expect("a row");
                row.address.split('@').next().unwrap_or_default().to_owned()
            };
            let mut names: Vec<String> = refused.into_iter().map(name).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(refused(MailPurpose::Marketing, &[ConsentState::Yes]).await, ["bert", "dora"]);
        let states = shop.database.rows("SELECT state FROM deliveries ORDER BY address").await;
        assert_eq!(states, ["transmitting", "claimed", "transmitting", "claimed"]);
        // The same rows for a receipt; those that are being handed over are refused as ever.
        let everybody = &[ConsentState::Yes, ConsentState::No, ConsentState::Unknown];
        assert_eq!(refused(MailPurpose::Transactional, everybody).await, ["anna", "cleo", "dora"]);
    });
}
