//! Packed histories are made anew from the log, and held against it.

use std::convert::Infallible;

use campaignd::domain::contact::{ContactId, ContactUpdate, ContactView};
use campaignd::domain::history::{ContactPart, EventNeed, History, Needs};
use campaignd::domain::time::Timestamp;
use campaignd::store::Store;
use campaignd::store::contacts;
use campaignd::store::events::{self, Appender, IncomingEvent};
use campaignd::store::histories::{self, ContactVisitor};

use crate::support::database::on_both;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Counts the events that it is shown.
struct Counter(u64);

impl ContactVisitor for Counter {
    type Error = Infallible;

    fn visit(&mut self, _: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        self.0 += history.all().len() as u64;
        Ok(())
    }
}

async fn everything(store: &Store) -> Needs {
    let always = Timestamp::from_seconds(0);
    let need = |name| EventNeed { name, since: always, properties_since: Some(always) };
    let mut names: Vec<_> = events::names(store).await.expect("names").into_values().collect();
    names.sort_unstable();
    Needs { contact: ContactPart::Facts, events: names.into_iter().map(need).collect() }
}

/// How many events a pass over everybody shows.
async fn seen_by_all(store: &Store) -> u64 {
    let visitors = vec![Counter(0), Counter(0)];
    let seen = histories::visit_all(store, &everything(store).await, visitors).await.expect("a pass");
    seen.iter().map(|visitor| visitor.0).sum()
}

/// How many a look at each contact shows, several at a time.
async fn seen_of_some(store: &Store) -> u64 {
    let contacts: Vec<_> = (0..2_000).map(ContactId).collect();
    let visitors = vec![Counter(0), Counter(0), Counter(0)];
    let needs = everything(store).await;
    let seen = histories::visit_side_by_side(store, histories::Shown::wholly(&contacts), &needs, visitors)
        .await
        .expect("a visit");
    seen.iter().map(|visitor| visitor.0).sum()
}

/// The first so many whose packed history or facts are not theirs.
async fn different(store: &Store, limit: usize) -> Vec<ContactId> {
    let mut different = histories::verify(store).await.expect("it is verified");
    different.truncate(limit);
    different
}

fn event(contact: u32, number: u32) -> IncomingEvent {
    // Every 40th is larger than a page of either database.
    let note = "é".repeat(if number.is_multiple_of(40) { 9_000 } else { 3 });
    IncomingEvent {
        external_id: (!contact.is_multiple_of(5)).then(|| format!("c{contact}")),
        email: contact.is_multiple_of(5).then(|| format!("c{contact}@x.example")),
        name: ["order", "view", "click"][number as usize % 3].to_owned(),
        at: Some(Timestamp::from_seconds(1_700_000_000 + i64::from(number * 7_919 % 1_000))),
        message_id: None,
        properties: if number.is_multiple_of(7) { String::new() } else { format!(r#"{{"note":"{note}"}}"#) },
    }
}

#[test]
fn what_was_appended_merged_lost_and_rebuilt() {
    on_both(|database| async move {
        let store = &database.store;
        let mut appender = Appender::new(store);
        for batch in 0..3 {
            let events: Vec<_> = (0..400).map(|n| event(n * n % 211, batch * 400 + n)).collect();
            appender.append(&events, "test", NOW).await.expect("they are appended");
        }
        // Two pairs become one each; so one of their blocks is written anew.
        let merge = |id: &str, email: &str| ContactUpdate {
            external_id: Some(id.to_owned()),
            email: Some(email.to_owned()),
            ..ContactUpdate::default()
        };
        let merges = [merge("c1", "c5@x.example"), merge("c4", "c20@x.example")];
        contacts::apply(store, &merges, NOW).await.expect("they become one");
        appender.append(&[event(5, 1), event(1, 2)], "test", NOW).await.expect("they are appended");
        assert_eq!(different(store, 10).await, [], "what is in the log only is as it is");
        histories::pack(store).await.expect("it is packed");
        assert_eq!(different(store, 10).await, [], "appends and merges keep both alike");

        let second = "DELETE FROM history_chunks WHERE (id / 16384) % 134217728 = 1";
        database.execute(second).await;
        assert_eq!(
            different(store, 3).await,
            [ContactId(64), ContactId(65), ContactId(67)],
            "who has events in it"
        );

        assert_eq!(histories::rebuild(store).await.expect("it is rebuilt"), 1_202);
        assert_eq!(different(store, 10).await, []);
        let late = [event(16, 3), event(1, 4)];
        appender.append(&late, "test", NOW).await.expect("they are appended");
        assert_eq!(different(store, 10).await, []);
    });
}

#[test]
fn facts_that_are_not_their_contacts_are_found() {
    on_both(|database| async move {
        let store = &database.store;
        Appender::new(store).append(&[event(1, 1), event(2, 2)], "test", NOW).await.expect("it is appended");
        histories::pack(store).await.expect("they are packed");
        assert_eq!(different(store, 10).await, []);
        database.execute("UPDATE contacts SET time_zone = 'Europe/Paris' WHERE id = 2").await;
        assert_eq!(different(store, 10).await, [ContactId(2)], "without a number of a change");
        let change = "UPDATE contacts SET change = change + 1 WHERE id = 2;
            UPDATE counters SET value = value + 1 WHERE name = 'contact_change'";
        database.execute(change).await;
        assert_eq!(different(store, 10).await, [], "it is packed when a pass begins");
    });
}

#[test]
fn an_import_is_packed_when_somebody_looks() {
    on_both(|database| async move {
        let store = &database.store;
        let chunks = || database.rows("SELECT CAST(COUNT(*) AS TEXT) FROM history_chunks");
        let mut appender = Appender::new(store);
        for batch in 0..2 {
            let events: Vec<_> = (0..10_000).map(|n| event(n % 997, batch * 10_000 + n * 2 + 1)).collect();
            appender.append(&events, "test", NOW).await.expect("they are appended");
        }
        assert_eq!(chunks().await, ["0"]);
        // One becomes another before they are packed.
        let merge = ContactUpdate {
            external_id: Some("c1".to_owned()),
            email: Some("c5@x.example".to_owned()),
            ..ContactUpdate::default()
        };
        contacts::apply(store, &[merge], NOW).await.expect("they become one");
        assert_eq!(different(store, 10).await, [], "nothing is packed yet");
        histories::pack(store).await.expect("it is packed");
        assert_eq!(different(store, 10).await, []);
        assert_ne!(chunks().await, ["0"]);
        // A short tail is read as it is, a longer one is packed by whoever looks.
        let events: Vec<_> = (0..10_000).map(|n| event(n % 997, n)).collect();
        let mark = "SELECT CAST(value AS TEXT) FROM counters WHERE name = 'event_packed'";
        for (more, packed) in [(&events[..], "30000"), (&events[..1], "30000")] {
            appender.append(more, "test", NOW).await.expect("they are appended");
            assert_eq!(seen_by_all(store).await, events::count(store).await.expect("a count"));
            assert_eq!(seen_of_some(store).await, events::count(store).await.expect("a count"));
            assert_eq!(database.rows(mark).await, [packed]);
            assert_eq!(different(store, 10).await, []);
        }
        // Small batches are packed by who makes the tail long.
        for (batch, packed) in [(0..2_500, "30000"), (2_500..5_000, "35001")] {
            appender.append(&events[batch], "test", NOW).await.expect("they are appended");
            assert_eq!(database.rows(mark).await, [packed]);
            assert_eq!(different(store, 10).await, []);
        }
    });
}

#[test]
fn a_damaged_chunk_is_named() {
    on_both(|database| async move {
        let store = &database.store;
        Appender::new(store).append(&[event(1, 1)], "test", NOW).await.expect("it is appended");
        histories::pack(store).await.expect("it is packed");
        let bytes = if database.address.starts_with("sqlite") { "x'ff'" } else { "'\\xff'" };
        database.execute(&format!("UPDATE history_chunks SET heads = {bytes}")).await;
        let failure = histories::verify(store).await.expect_err("it cannot be read");
        assert!(!failure.is_unavailable());
        let source = std::error::Error::source(&failure).expect("it says where").to_string();
        insta::allow_duplicates! {
            insta::assert_snapshot!(failure, @"cannot read a packed history");
            insta::assert_snapshot!(source, @"the packed history of block 0 is damaged; `campaignd migrate --rebuild-histories` makes it anew from the event log");
        }
        histories::rebuild(store).await.expect("it is rebuilt");
        assert_eq!(different(store, 1).await, []);
    });
}
