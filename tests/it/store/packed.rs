//! What is packed is what is stored, after whatever was written, and on databases of an earlier version.

use std::convert::Infallible;

use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactId, ContactUpdate, ContactView};
use campaignd::domain::facts::Facts;
use campaignd::domain::history::{ContactPart, History, Needs};
use campaignd::domain::time::Timestamp;
use campaignd::store::events::{Appender, IncomingEvent};
use campaignd::store::histories::{self, ContactVisitor};
use campaignd::store::{Store, StoreOptions, contacts};
use migrations::MigratorTrait as _;

use crate::support::database::{TestDatabase, on_both};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// More contacts than a block of facts holds.
const PEOPLE: u64 = 4_300;

/// Numbers from a fixed seed (the generator `SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn is_lucky(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    fn zone(&mut self) -> Option<String> {
        let zones = ["Europe/Paris", "America/New_York", "Asia/Kathmandu", "no zone"];
        zones.get(self.below(6) as usize).map(|zone| (*zone).to_owned())
    }

    /// Somebody known or new; every seventh by id, by address or by both, so that some become others.
    fn person(&mut self) -> ContactUpdate {
        let number = self.below(PEOPLE + 200);
        let named = if number.is_multiple_of(7) { self.below(3) } else { 0 };
        let state = [ConsentState::Yes, ConsentState::No, ConsentState::Unknown][self.below(3) as usize];
        let purpose = [Purpose::Marketing, Purpose::Tracking][self.below(2) as usize];
        let consent = ConsentUpdate {
            purpose,
            state,
            at: Timestamp::from_seconds(1_700_000_000 + self.below(1_000) as i64),
            source: "test".to_owned(),
            gives_way: false,
            words: None,
        };
        ContactUpdate {
            external_id: (named != 1).then(|| format!("p{number}")),
            email: (named != 0).then(|| format!("p{number}@x.example")),
            time_zone: self.zone(),
            created_at: self.is_lucky(2).then(|| Timestamp::from_micros(self.below(1 << 51) as i64)),
            consents: if self.is_lucky(2) { vec![consent] } else { Vec::new() },
            attributes: [("lucky".to_owned(), self.below(9).into())].into_iter().collect(),
            ..ContactUpdate::default()
        }
    }

    fn event(&mut self) -> IncomingEvent {
        let by = self.person();
        IncomingEvent {
            external_id: by.external_id,
            email: by.email,
            name: ["order", "view", "click", "open"][self.below(4) as usize].to_owned(),
            at: Some(Timestamp::from_seconds(1_700_000_000 + self.below(100_000_000) as i64)),
            message_id: None,
            properties: format!(r#"{{"n":{}}}"#, self.below(1_000)),
        }
    }
}

#[test]
fn after_any_writes_what_is_packed_is_what_is_stored() {
    on_both(|database| async move {
        let mut dice = Dice(20_261_123);
        let store = &database.store;
        let people: Vec<_> = (0..PEOPLE).map(|_| dice.person()).collect();
        contacts::apply(store, &people, NOW).await.expect("they are stored");
        let mut appender = Appender::new(store);
        for round in 0..30 {
            for _ in 0..=dice.below(3) {
                if dice.is_lucky(2) {
                    let people: Vec<_> = (0..dice.below(20)).map(|_| dice.person()).collect();
                    contacts::apply(store, &people, NOW).await.expect("they are stored");
                } else {
                    // Every tenth batch is so large that it is packed later.
                    let size = if dice.is_lucky(10) { 10_000 } else { dice.below(50) };
                    let events: Vec<_> = (0..size).map(|_| dice.event()).collect();
                    appender.append(&events, "test", NOW).await.expect("they are appended");
                }
            }
            if dice.is_lucky(3) {
                let different = histories::verify(store).await.expect("it is verified");
                assert_eq!(different, [], "in round {round}");
                let whole = notes(store, ContactPart::Whole).await;
                let named = ContactPart::Attributes(vec!["nobody_has_it".to_owned(), "lucky".to_owned()]);
                assert!(notes(store, named).await == whole, "in round {round}");
            }
        }
        let merged = database.rows("SELECT CAST(COUNT(*) AS TEXT) FROM contact_merges").await;
        assert_ne!(merged, ["0"], "some became others");
        assert_eq!(histories::verify(store).await.expect("it is verified"), []);
        histories::rebuild(store).await.expect("it is rebuilt");
        assert_eq!(histories::verify(store).await.expect("it is verified"), []);
    });
}

/// Shows facts and attributes as text.
#[derive(Default)]
struct Notes(Vec<String>);

impl ContactVisitor for Notes {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let Facts { id, marketing, tracking, created_at, time_zone } = Facts::from(contact);
        let (marketing, tracking) = (marketing.state.word(), tracking.state.word());
        let (created_at, events) = (created_at.micros(), history.all().len());
        let attributes = match contact.named {
            None => contact.attributes.to_owned(),
            Some(named) => {
                let values = named.names.iter().zip(named.values);
                let members = values.filter_map(|(name, value)| Some(format!(r#""{name}":{}"#, (*value)?)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        };
        self.0.push(format!(
            "{} {marketing} {tracking} {created_at} {time_zone:?} {events} {attributes}",
            id.0
        ));
        Ok(())
    }
}

async fn facts(store: &Store) -> Vec<String> {
    notes(store, ContactPart::Facts).await
}

async fn notes(store: &Store, contact: ContactPart) -> Vec<String> {
    let needs = Needs { contact, events: Vec::new() };
    let visitors = vec![Notes::default(), Notes::default()];
    let visitors = histories::visit_all(store, &needs, visitors).await.expect("the pass ends");
    visitors.into_iter().flat_map(|notes| notes.0).collect()
}

#[test]
fn a_pass_reads_packed_facts_and_makes_those_that_are_gone_or_old() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let person = |id: &str, time_zone: &str| ContactUpdate {
            external_id: Some(id.to_owned()),
            time_zone: Some(time_zone.to_owned()),
            created_at: Some(Timestamp::from_micros(7)),
            ..ContactUpdate::default()
        };
        contacts::apply(store, &[person("a", "UTC"), person("b", "UTC")], NOW)
            .await
            .expect("they are stored");
        let both = [r#"1 unknown unknown 7 Some("UTC") 0 {}"#, r#"2 unknown unknown 7 Some("UTC") 0 {}"#];
        assert_eq!(facts(store).await, both);
        // Behind everybody's back, so that the change goes unseen.
        database.execute("UPDATE contacts SET marketing = 1 WHERE id = 2").await;
        assert_eq!(facts(store).await, both, "they are read from the block");
        assert_eq!(histories::verify(store).await.expect("it is verified"), [ContactId(2)]);
        database.execute("DELETE FROM contact_fact_blocks").await;
        let now = [both[0], r#"2 yes unknown 7 Some("UTC") 0 {}"#];
        assert_eq!(facts(store).await, now, "the block is made anew");
        contacts::apply(store, &[person("a", "Asia/Tokyo")], NOW).await.expect("it is stored");
        assert_eq!(facts(store).await, [r#"1 unknown unknown 7 Some("Asia/Tokyo") 0 {}"#, now[1]]);
        let bytes = if database.address.starts_with("sqlite") { "x'ff'" } else { "'\\xff'" };
        database.execute(&format!("UPDATE contact_fact_blocks SET payload = {bytes}")).await;
        let failure = histories::verify(store).await.expect_err("it cannot be read");
        insta::allow_duplicates! {
            insta::assert_snapshot!(failure, @"cannot read the packed facts of contacts");
            insta::assert_snapshot!(
                std::error::Error::source(&failure).expect("it says where"),
                @"the packed facts of contacts in block 0 are damaged; `campaignd migrate --rebuild-histories` makes them anew"
            );
        }
        histories::rebuild(store).await.expect("it is rebuilt");
        assert_eq!(histories::verify(store).await.expect("it is verified"), []);
    });
}

#[test]
fn a_database_of_the_first_version_is_packed_anew() {
    on_both(|database| async move {
        let address = if let Some(path) = database.address.strip_prefix("sqlite://") {
            format!("sqlite://{path}.old")
        } else {
            database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
            database.address.clone()
        };
        let creating = if address.starts_with("sqlite") { "?mode=rwc" } else { "" };
        let old = sea_orm::Database::connect(format!("{address}{creating}")).await.expect("it opens");
        migrations::Migrator::up(&old, Some(1)).await.expect("the first step is taken");
        let old = TestDatabase { store: database.store.clone(), address: address.clone() };
        let bytes = if address.starts_with("sqlite") { "x''" } else { "''" };
        let data = "INSERT INTO contacts (id, key, created_at, marketing, tracking, change, updated_at, attributes)
                VALUES (1, 'a', 5, 1, 0, 1, 5, '{}'), (2, 'b', 6, 0, 2, 1, 6, '{}');
             INSERT INTO event_names (id, name) VALUES (1, 'order');
             INSERT INTO events (id, contact, name, at, received_at, source, properties)
                VALUES (1, 2, 1, 7, 7, 'test', '{}');
             INSERT INTO history_chunks (block, name, sequence, heads, properties) VALUES (0, 1, 0, BYTES, BYTES);
             UPDATE counters SET value = 1 WHERE name IN ('contact_change', 'event', 'event_packed');
             UPDATE counters SET value = 2 WHERE name = 'contact';";
        old.execute(&data.replace("BYTES", bytes)).await;
        let store = Store::connect(&address, &StoreOptions::default()).await.expect("it opens");
        assert!(store.migrate().await.expect("it is migrated") >= 1);
        assert_eq!(facts(&store).await, ["1 yes unknown 5 None 0 {}", "2 unknown no 6 None 0 {}"]);
        assert_eq!(histories::verify(&store).await.expect("it is verified"), []);
        histories::pack(&store).await.expect("it is packed");
        let chunks = "SELECT CAST(COUNT(*) AS TEXT) FROM history_chunks";
        assert_eq!(old.rows(chunks).await, ["1"]);
    });
}
