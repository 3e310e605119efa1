//! Who of an audience is mailed, and why others are not: every contact has one row and one reason.

use campaignd::domain::delivery::{SuppressionCause, SuppressionScope};
use campaignd::domain::suppression::SuppressionTarget;
use campaignd::store::suppressions::{self, Suppression};

use super::shop::{Shop, add, at, person};
use crate::support::database::{TestDatabase, on_both};

const SALE: &str = "
campaigns:
  sale:
    audience: { none: [{ attribute: { city: Elsewhere } }] }
    schedule: { cron: \"0 9 * * MON\", time_zone: Europe/Paris }
    versions:
      - { for: { attribute: { city: Lyon } }, template: poem }
      - { for: { attribute: { city: { exists: true } } }, template: letter }
    repeat: every_run
    starts: 2026-03-01
    ends: 2026-03-31
";

fn suppressed(name: &str, cause: SuppressionCause, scope: SuppressionScope) -> Suppression {
    let target = SuppressionTarget::address(&format!("{name}@shop.example"));
    Suppression { target, cause, scope, at: at("2026-01-01 00:00"), source: "test".to_owned() }
}

#[test]
fn every_contact_of_the_audience_has_one_row_and_one_reason() {
    on_both(|database: TestDatabase| async move {
        use SuppressionCause::{Bounce, Complaint, Import, Unsubscribe};
        let paris = |name| person(name).with("city", "Paris");
        let people = [
            paris("anna"),
            person("bert").with("city", "Lyon").with("first_name", "Bert"),
            person("cleo").with("city", "Lyon"), // the poem needs a first name
            person("dora"),                      // no version
            person("emil").with("city", "Elsewhere"),
            paris("finn").without_address(),
            paris("gina").consents("no"),
            paris("hugo").consents("unknown"),
            paris("iris"),
            paris("jack"),
            paris("kate"),
            paris("liam"),
            paris("mona").consents("no"), // suppressed first
        ];
        let shop = Shop::open(database, SALE, &people, "2026-03-01 12:00").await;
        let rows = [
            suppressed("iris", Bounce, SuppressionScope::All),
            suppressed("jack", Complaint, SuppressionScope::All),
            suppressed("kate", Unsubscribe, SuppressionScope::Marketing),
            suppressed("liam", Import, SuppressionScope::Marketing),
            suppressed("liam", Bounce, SuppressionScope::All),
            suppressed("mona", Import, SuppressionScope::All),
        ];
        suppressions::add(&shop.database.store, &rows).await.expect("suppressions are stored");
        shop.at("2026-03-01 12:00").await;
        assert_eq!(shop.ledger().await, [""; 0], "nothing is due");
        shop.at("2026-03-02 09:00").await;
        assert_eq!(
            shop.ledger().await,
            [
                "Mon 2026-03-02 09:00 anna accepted",
                "Mon 2026-03-02 09:00 bert accepted",
                "Mon 2026-03-02 09:00 cleo skipped template_failed",
                "Mon 2026-03-02 09:00 dora skipped no_version_matches",
                "Mon 2026-03-02 09:00 finn skipped no_address",
                "Mon 2026-03-02 09:00 gina skipped not_consented",
                "Mon 2026-03-02 09:00 hugo skipped not_consented",
                "Mon 2026-03-02 09:00 iris skipped suppressed_bounce",
                "Mon 2026-03-02 09:00 jack skipped suppressed_complaint",
                "Mon 2026-03-02 09:00 kate skipped suppressed_unsubscribe",
                "Mon 2026-03-02 09:00 liam skipped suppressed_bounce",
                "Mon 2026-03-02 09:00 mona skipped suppressed_import"
            ]
        );
        assert_eq!(shop.mailed(), ["anna", "bert"]);
        assert_eq!(shop.runs().await, ["Mon 2026-03-02 09:00 sale finished"]);
        // After the campaign's last day everybody is outside the dates, but for those without a version.
        shop.at("2026-04-06 09:00").await;
        let later: Vec<_> = shop
            .ledger()
            .await
            .into_iter()
            .filter(|row| row.contains("04-06") && !row.contains("dora"))
            .collect();
        assert_eq!(later.len(), 11);
        assert!(later.iter().all(|row| row.ends_with("skipped outside_the_dates")), "{later:#?}");
    });
}

#[test]
fn what_changes_before_the_claim_counts() {
    on_both(|database: TestDatabase| async move {
        let declarations = "
campaigns:
  hello:
    audience: { none: [{ attribute: { city: Elsewhere } }] }
    template: letter
    ends: 2026-03-10
";
        let names = ["anna", "bert", "cleo", "dora", "emil"];
        let people = names.map(person);
        let shop = Shop::open(database, declarations, &people, "2026-03-02 09:00").await;
        let now = shop.clock.now();
        shop.send("hello").await;
        shop.engine.tick(now).await.expect("recipients are fixed");
        // Between the plan and the mail: bert withdraws, cleo complains, dora moves.
        add(
            &shop.database.store,
            &[person("bert").consents("no"), person("dora").with("city", "Elsewhere")],
            now,
        )
        .await;
        let complaint = [suppressed("cleo", SuppressionCause::Complaint, SuppressionScope::All)];
        suppressions::add(&shop.database.store, &complaint).await.expect("the complaint is stored");
        // Who left the audience a moment after it was fixed is mailed; after more than an hour not.
        let half_past_ten = "2026-03-02 10:30";
        shop.at(half_past_ten).await;
        assert_eq!(
            shop.ledger().await,
            [
                "Mon 2026-03-02 09:00 anna accepted",
                "Mon 2026-03-02 09:00 bert skipped not_consented",
                "Mon 2026-03-02 09:00 cleo skipped suppressed_complaint",
                "Mon 2026-03-02 09:00 dora skipped left_the_audience",
                "Mon 2026-03-02 09:00 emil accepted"
            ]
        );
        assert_eq!(shop.mailed(), ["anna", "emil"]);

        // A run that is sent only after the campaign's end.
        let people = [person("finn")];
        add(&shop.database.store, &people, now).await;
        shop.send("hello").await;
        shop.engine.tick(shop.clock.now()).await.expect("recipients are fixed");
        shop.at("2026-03-11 00:00").await;
        let last = shop.ledger().await.pop();
        assert_eq!(last.as_deref(), Some("Mon 2026-03-02 10:30 finn skipped outside_the_dates"));
        assert_eq!(shop.mailed(), [""; 0]);
    });
}
