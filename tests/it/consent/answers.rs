//! What people answer by what stands in their mails: contact, history, suppression, event, in one.

use std::collections::HashMap;

use campaignd::domain::consent::{ConsentState, OwnAnswer, Purpose};
use campaignd::domain::contact::{ContactId, ContactUpdate};
use campaignd::domain::delivery::{DeliveryId, SuppressionCause, SuppressionScope};
use campaignd::domain::suppression::SuppressionTarget;
use campaignd::store::consents::{self, Answer};
use campaignd::store::engagements::{self, TrackedMail};
use campaignd::store::hits::{FilePart, Sorted};
use campaignd::store::suppressions::{self, Suppression};
use campaignd::store::{contacts, dossier};

use crate::engine::shop::{Shop, person};
use crate::support::database::{TestDatabase, on_both};

const SALE: &str = "campaigns: { sale: { audience: everyone, template: letter, repeat: every_run } }";

/// Anna, who was mailed by delivery 1.
async fn mailed(database: TestDatabase) -> Shop {
    let shop = Shop::open(database, SALE, &[person("anna")], "2026-03-02 09:00").await;
    shop.send("sale").await;
    shop.at("2026-03-02 09:00").await;
    assert_eq!(shop.mailed(), ["anna"]);
    shop
}

async fn standing(shop: &Shop) -> Vec<String> {
    shop.database
        .rows(
            "SELECT 'contact', CAST(marketing AS TEXT), CAST(tracking AS TEXT) FROM contacts
             UNION ALL SELECT 'suppressed', address, cause || ' ' || scope || ' ' || source FROM suppressions
             UNION ALL SELECT 'event', n.name, e.properties FROM events e JOIN event_names n ON n.id = e.name
               WHERE n.name = 'email_unsubscribed'
             UNION ALL SELECT 'unsubscribed', CAST(delivery AS TEXT), source FROM unsubscribes",
        )
        .await
}

#[test]
fn unsubscribing_twice_is_unsubscribing_once() {
    on_both(|database: TestDatabase| async move {
        let shop = mailed(database).await;
        let (store, now) = (&shop.database.store, shop.clock.now());
        for how in [OwnAnswer::OneClick, OwnAnswer::UnsubscribePage] {
            let done = consents::unsubscribe(store, DeliveryId(1), how, Some("No more?"), now).await;
            assert!(done.expect("it is written"));
            assert_eq!(
                standing(&shop).await,
                [
                    "contact | 2 | 0",
                    "suppressed | anna@shop.example | unsubscribe marketing one-click",
                    r#"event | email_unsubscribed | {"campaign":"sale","run":"1","delivery":"1","version":"default","by":"human"}"#,
                    "unsubscribed | 1 | one-click",
                ]
            );
        }
        let known = shop.database.store.clone();
        let addressee = consents::addressee(&known, DeliveryId(1)).await.expect("it is read").expect("anna");
        assert_eq!((addressee.campaign.as_str(), addressee.held_back), ("sale", false));
        let contact = addressee.contact.expect("she is a contact");
        assert_eq!(contact.marketing.state, ConsentState::No);
        let history = consents::history(store, contact.id).await.expect("it is read");
        let last = history.last().expect("an answer");
        assert_eq!(
            (last.state, last.source.as_str(), last.words.as_deref()),
            (ConsentState::No, "one-click", Some("No more?"))
        );
        assert_eq!(history.len(), 2);

        // Neither the next run mails her, nor a mail by another delivery number is known.
        shop.at("2026-03-02 09:05").await;
        shop.send("sale").await;
        shop.at("2026-03-02 09:10").await;
        assert_eq!(shop.mailed(), [""; 0]);
        let last = shop.ledger().await.pop();
        assert_eq!(last.as_deref(), Some("Mon 2026-03-02 09:05 anna skipped suppressed_unsubscribe"));
        let unknown = consents::unsubscribe(store, DeliveryId(99), OwnAnswer::OneClick, None, now).await;
        assert!(!unknown.expect("it is asked"));
        assert_eq!(consents::addressee(store, DeliveryId(99)).await.expect("it is asked"), None);
    });
}

#[test]
fn who_refuses_again_refuses_from_then_on() {
    on_both(|database: TestDatabase| async move {
        let shop = mailed(database).await;
        let (store, now) = (&shop.database.store, shop.clock.now());
        let later = now.plus(std::time::Duration::from_hours(1));
        let contact = async || {
            let addressee = consents::addressee(store, DeliveryId(1)).await.expect("it is read");
            addressee.expect("anna").contact.expect("she is a contact")
        };
        for at in [now, later, later, now] {
            let done = consents::unsubscribe(store, DeliveryId(1), OwnAnswer::OneClick, None, at).await;
            assert!(done.expect("it is written"));
            let refuses = Answer { purpose: Purpose::Tracking, state: ConsentState::No, words: None };
            assert!(consents::answer(store, DeliveryId(1), &[refuses], at).await.expect("it is kept"));
        }
        let contact = contact().await;
        assert_eq!((contact.marketing.since, contact.tracking.since), (Some(later), Some(later)));
        assert_eq!(consents::history(store, contact.id).await.expect("it is read").len(), 5);
        assert_eq!(standing(&shop).await.len(), 4);
    });
}

#[test]
fn who_became_another_after_both_were_mailed_is_heard_by_either_mail() {
    on_both(|database: TestDatabase| async move {
        let people = [person("anna"), person("ann").without_id().agrees_to_tracking("yes")];
        let shop = Shop::open(database, SALE, &people, "2026-03-02 09:00").await;
        shop.send("sale").await;
        shop.at("2026-03-02 09:00").await;
        assert_eq!(shop.mailed(), ["anna", "ann"]);
        let (store, now) = (&shop.database.store, shop.clock.now());
        let number = async |column: &str, text: &str| -> i64 {
            let rows = shop.database.rows(&format!("SELECT CAST({column} AS TEXT) {text}")).await;
            rows[0].parse().expect("a number")
        };
        let former = number("id", "FROM contacts WHERE external_id IS NULL").await;
        let anna = number("id", "FROM contacts WHERE external_id = 'anna'").await;
        let delivery = DeliveryId(number("id", &format!("FROM deliveries WHERE contact = {former}")).await);
        let one = ContactUpdate {
            external_id: Some("anna".to_owned()),
            email: Some("ann@shop.example".to_owned()),
            ..ContactUpdate::default()
        };
        contacts::apply(store, &[one], now).await.expect("they become one");
        assert_eq!(number("COUNT(*)", "FROM contacts").await, 1);
        assert_eq!(number("COUNT(*)", &format!("FROM deliveries WHERE contact = {former}")).await, 1);

        let addressee = consents::addressee(store, delivery).await.expect("it is read").expect("a mail");
        assert_eq!(addressee.contact.expect("she is a contact").id.0, anna);
        let mut tracked = None;
        let part = FilePart { file: 1, from: 0, until: 1 };
        let look = |mails: &HashMap<_, TrackedMail>| {
            tracked = mails.get(&delivery).map(|mail| mail.consent);
            Sorted::default()
        };
        let taken_in = engagements::take_in(store, part, &[delivery], 1, now, look, |_| Vec::new()).await;
        assert!(taken_in.expect("they are taken in").is_some());
        assert_eq!(tracked, Some(ConsentState::Yes));
        assert_eq!(dossier::mails(store, ContactId(anna)).await.expect("they are read").len(), 2);
        assert!(dossier::engagements(store, ContactId(anna)).await.expect("they are read").is_empty());
        assert!(dossier::hits(store, ContactId(anna)).await.expect("they are read").is_empty());

        let done = consents::unsubscribe(store, delivery, OwnAnswer::OneClick, None, now).await;
        assert!(done.expect("it is written"));
        let rows = standing(&shop).await;
        assert_eq!(
            rows[..2],
            ["contact | 2 | 1", "suppressed | ann@shop.example | unsubscribe marketing one-click"]
        );
        assert!(rows.iter().any(|row| row.starts_with("event | email_unsubscribed")), "{rows:?}");
    });
}

#[test]
fn preferences_are_kept_and_taken_back() {
    on_both(|database: TestDatabase| async move {
        use ConsentState::{No, Yes};
        let shop = mailed(database).await;
        let (store, now) = (&shop.database.store, shop.clock.now());
        let answer = async |marketing, tracking| {
            let one = |purpose, state| Answer { purpose, state, words: Some(format!("{purpose:?}?")) };
            let answers = [one(Purpose::Marketing, marketing), one(Purpose::Tracking, tracking)];
            assert!(consents::answer(store, DeliveryId(1), &answers, now).await.expect("they are kept"));
        };
        // What is known already changes nothing of marketing.
        answer(Yes, No).await;
        assert_eq!(standing(&shop).await, ["contact | 1 | 2"]);
        answer(No, No).await;
        let rows = standing(&shop).await;
        assert_eq!(rows.len(), 4, "{rows:?}");
        assert!(
            rows.contains(
                &"suppressed | anna@shop.example | unsubscribe marketing preferences page".to_owned()
            )
        );
        // She comes back: her own suppression goes, that of the sender's list stays and is told.
        let listed = Suppression {
            target: SuppressionTarget::address("anna@shop.example"),
            cause: SuppressionCause::Import,
            scope: SuppressionScope::Marketing,
            at: now,
            source: "by hand".to_owned(),
        };
        suppressions::add(store, std::slice::from_ref(&listed)).await.expect("it is added");
        answer(Yes, Yes).await;
        assert_eq!(suppressions::all(store).await.expect("they are listed"), [listed]);
        assert_eq!(standing(&shop).await[0], "contact | 1 | 1");
        let addressee = consents::addressee(store, DeliveryId(1)).await.expect("it is read").expect("anna");
        assert!(addressee.held_back);
        let history =
            consents::history(store, addressee.contact.expect("anna").id).await.expect("it is read");
        let sources: Vec<_> = history.iter().map(|change| change.source.as_str()).collect();
        assert_eq!(
            sources,
            ["test", "preferences page", "preferences page", "preferences page", "preferences page"]
        );
    });
}
