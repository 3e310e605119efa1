//! What `campaignd doctor` finds: everything that is altered behind the program's back, and nothing else.

use campaignd::audience::{self, Difference, ValueOf};
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::contact::ContactId;
use campaignd::domain::name::AttributeName;
use campaignd::store::{Store, checkup, histories, memberships};

use super::shop::{Shop, ZONE, add, at, declared, person};
use crate::support::database::{TestDatabase, on_both};

const SEGMENTS: &str = "
segments:
  buyers: { match: { did: purchase, within: 30 days } }
  locals: { match: { attribute: { city: Lyon } } }
";

const SETTINGS: EvaluationSettings = EvaluationSettings { time_zone: ZONE };

async fn refresh(store: &Store, now: &str) {
    let catalogue = declared(SEGMENTS).catalogue;
    audience::refresh(store, &catalogue, SETTINGS, at(now)).await.expect("segments are refreshed");
}

/// What differs from a full pass, as `sign segment contact`.
async fn differences(store: &Store) -> Vec<String> {
    let catalogue = declared(SEGMENTS).catalogue;
    let compared = audience::verify(store, &catalogue, SETTINGS).await.expect("it is compared");
    let differences = compared.differences.iter().map(|difference| match difference {
        Difference::Extra(kept, contact) => format!("extra {kept} {}", contact.0),
        Difference::Missing(kept, contact) => format!("missing {kept} {}", contact.0),
        Difference::Passage(kept, contact) => format!("passage {kept} {}", contact.0),
        Difference::Review(contact, at) => format!("review {} {at}", contact.0),
    });
    differences.collect()
}

async fn broken(store: &Store) -> Vec<String> {
    let broken = checkup::broken(store).await.expect("rows are read");
    broken.iter().map(|one| format!("{}: {}: {}", one.code, one.what, one.examples.join(","))).collect()
}

#[test]
fn altered_memberships_are_found_and_mended() {
    on_both(|database: TestDatabase| async move {
        let people = [person("anna").with("city", "Lyon"), person("bert"), person("cleo")];
        let shop = Shop::open(database, SEGMENTS, &people, "2026-03-01 12:00").await;
        shop.buys("anna").await;
        refresh(&shop.database.store, "2026-03-01 12:05").await;
        shop.clock.set(at("2026-03-01 12:06"));
        shop.buys("bert").await;
        let store = &shop.database.store;
        let nothing: [&str; 0] = [];
        assert_eq!(differences(store).await, nothing, "bert is news: the next refresh looks at him");
        refresh(store, "2026-03-01 12:10").await;
        assert_eq!(differences(store).await, nothing);
        assert_eq!(broken(store).await, nothing);

        // Behind everybody's back: cleo lives in Lyon.
        let moves = "UPDATE contacts SET attributes = '{\"city\":\"Lyon\"}' WHERE id = 3; DELETE FROM contact_fact_blocks";
        shop.database.execute(moves).await;
        assert_eq!(differences(store).await, ["missing locals 3"]);
        shop.database.execute("DELETE FROM review_blocks").await;
        assert_eq!(
            differences(store).await,
            ["missing locals 3", "review 1 2026-03-31T11:00:00Z", "review 2 2026-03-31T11:06:00Z"]
        );
        histories::pack(store).await.expect("they are packed");
        let verified = || async { histories::verify(store).await.expect("it is verified") };
        assert_eq!(verified().await, []);
        shop.database.execute("UPDATE contacts SET attributes = '{\"city\":\"Nice\"}' WHERE id = 2").await;
        assert_eq!(verified().await, [ContactId(2)], "a pass would not see that bert moved");
        shop.database.execute("DELETE FROM contact_fact_blocks; DELETE FROM history_chunks").await;
        assert_eq!(histories::verify(store).await.expect("it is verified").len(), 2);
        histories::rebuild(store).await.expect("they are made anew");
        shop.database.execute("UPDATE membership_changes SET at = at + 1 WHERE contact = 2").await;
        shop.database.execute("UPDATE membership_blocks SET members = members + 1").await;
        assert!(differences(store).await.contains(&"passage buyers 2".to_owned()));
        assert!(broken(store).await[0].starts_with("damaged: rows of packed members"));
        shop.database.execute("UPDATE membership_changes SET at = at - 1 WHERE contact = 2").await;

        assert_eq!(memberships::reset(store).await.expect("it is noted"), 2);
        refresh(store, "2026-03-01 12:15").await;
        assert_eq!(differences(store).await, nothing);
        assert_eq!(broken(store).await, nothing);
        let causes = "SELECT CAST(contact AS TEXT), cause FROM membership_changes ORDER BY at, contact";
        assert_eq!(
            shop.database.rows(causes).await,
            ["2 | data", "3 | declaration"],
            "cleo enters by no news"
        );
    });
}

#[test]
fn rows_that_cannot_be_are_found() {
    on_both(|database: TestDatabase| async move {
        let declarations = "
campaigns:
  news: { audience: everyone, schedule: { at: 2026-03-01T12:00 }, template: letter, purpose: transactional }
";
        let people = [person("anna"), person("bert")];
        let shop = Shop::open(database, declarations, &people, "2026-03-01 11:00").await;
        shop.at("2026-03-01 12:00").await;
        let store = &shop.database.store;
        assert_eq!(broken(store).await, [""; 0]);
        for (change, expected) in [
            (
                "UPDATE deliveries SET state = 'planned' WHERE contact = 1",
                "ledger: deliveries are open although their run is over: 1",
            ),
            (
                "UPDATE deliveries SET state = 'claimed', incarnation = NULL WHERE contact = 1",
                "ledger: deliveries are open although their run is over: 1\n\
                 ledger: deliveries are in the hands of a sender that ended: 1",
            ),
            (
                "UPDATE deliveries SET state = 'skipped', reason = 'tired' WHERE contact = 1",
                "ledger: deliveries were skipped for no known reason: 1",
            ),
            (
                "UPDATE deliveries SET state = 'lost' WHERE contact = 1",
                "ledger: deliveries are in a state that this version does not know: 1",
            ),
            (
                "UPDATE deliveries SET state = 'accepted', reason = NULL WHERE contact = 1;
                 UPDATE counters SET value = 1 WHERE name = 'contact'",
                "counter: counters are behind the numbers that were given: contact",
            ),
            (
                "UPDATE counters SET value = 2 WHERE name = 'contact';
                 INSERT INTO contact_merges (former, contact, change, at) VALUES (1, 9, 1, 1)",
                "merge: contacts became others and are still there: 1\n\
                 merge: contacts became others who are not there: 1",
            ),
            (
                "DELETE FROM contact_merges;
                 INSERT INTO membership_changes (segment, at, contact, entered) VALUES (1, 1, 99, 1)",
                "orphan: passages are of contacts who are not there: 99",
            ),
        ] {
            shop.database.execute(change).await;
            assert_eq!(broken(store).await.join("\n"), expected, "after {change}");
        }
    });
}

#[test]
fn values_that_do_not_fit_are_counted() {
    on_both(|database: TestDatabase| async move {
        let declarations = "
attributes:
  income: number
events:
  look: { properties: { seconds: number } }
";
        let store = &database.store;
        let people: Vec<_> = ["1200", "much", "rather much", "", "-"]
            .iter()
            .enumerate()
            .map(|(number, income)| person(&format!("p{number}")).with("income", income))
            .collect();
        add(store, &people, at("2026-03-01 12:00")).await;
        let catalogue = declared(declarations).catalogue;
        let misfits = audience::misfits(store, &catalogue, SETTINGS).await.expect("values are read");
        let found: Vec<_> = misfits.iter().map(|one| (&one.of, one.count, one.examples.len())).collect();
        let income = ValueOf::Attribute(AttributeName::parse("income").expect("a name"));
        assert_eq!(found, [(&income, 3, 3)], "an empty text says nothing");
    });
}
