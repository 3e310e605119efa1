//! The event log and its packed copy.

use campaignd::domain::contact::{ContactId, ContactUpdate};
use campaignd::domain::event::{EventNameId, NewEvent};
use campaignd::domain::history::{BlockId, ChunkKey};
use campaignd::domain::time::Timestamp;
use campaignd::store::contacts;
use campaignd::store::events::{self, Appended, Appender, EventOutcome, IncomingEvent};
use campaignd::store::histories;

use crate::support::database::{TestDatabase, on_both};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn incoming(id: &str, email: &str, name: &str, message_id: &str) -> IncomingEvent {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    IncomingEvent {
        external_id: text(id),
        email: text(email),
        name: name.to_owned(),
        at: Some(NOW),
        message_id: text(message_id),
        properties: r#"{"n":1}"#.to_owned(),
    }
}

/// Outcomes in a few letters: `+` appended, `=` seen before, `!` and why it was rejected.
async fn append(appender: &mut Appender, batch: &[IncomingEvent]) -> String {
    let outcomes = appender.append(batch, "test", NOW).await.expect("the events are stored");
    let outcome = |outcome: &EventOutcome| match outcome {
        EventOutcome::Appended => "+".to_owned(),
        EventOutcome::SeenBefore => "=".to_owned(),
        EventOutcome::Rejected(rejection) => format!("!{rejection}"),
    };
    outcomes.iter().map(outcome).collect::<Vec<_>>().join(" ")
}

async fn log(database: &TestDatabase) -> Vec<String> {
    database
        .rows("SELECT CAST(id AS TEXT), external_id, email, name, message_id FROM event_log ORDER BY id")
        .await
}

#[test]
fn a_message_is_taken_once() {
    on_both(|database| async move {
        let mut appender = Appender::new(&database.store);
        let batch = [
            incoming("1", "", "a", "m1"),
            incoming("2", "", "b", "m1"),
            incoming("1", "", "a", ""),
            incoming("1", "", "b", "m2"),
        ];
        assert_eq!(append(&mut appender, &batch).await, "+ = + +");
        assert_eq!(append(&mut appender, &batch).await, "= = + =");
        assert_eq!(append(&mut Appender::new(&database.open_again().await), &batch[..2]).await, "= =");
        assert_eq!(events::count(&database.store).await.expect("a count"), 4);
        assert_eq!(
            log(&database).await,
            ["1 | 1 | - | a | m1", "2 | 1 | - | a | -", "3 | 1 | - | b | m2", "4 | 1 | - | a | -"]
        );
        let names = events::names(&database.store).await.expect("names");
        assert_eq!(names.len(), 2);
    });
}

#[test]
fn events_find_or_create_their_contact() {
    on_both(|database| async move {
        let mut appender = Appender::new(&database.store);
        let first = [
            incoming("", "A@x.example", "view", ""),
            incoming("1", "", "view", ""),
            incoming("", "", "view", ""),
            incoming("1", "", "vi\0ew", ""),
        ];
        assert_eq!(
            append(&mut appender, &first).await,
            "+ + !it has neither an id nor an e-mail address !event name holds the character U+0000"
        );
        // One call names both: they become one, with what both did. Later ones go there, too.
        let second = [
            incoming("1", "a@x.example", "order", ""),
            incoming("", "a@x.example", "order", ""),
            incoming("2", "a@x.example", "order", ""),
        ];
        assert_eq!(
            append(&mut appender, &second).await,
            "+ + !address taken: `a@x.example` belongs to the contact with the id `1`"
        );
        assert_eq!(contacts::count(&database.store).await.expect("a count"), 1);
        let expected: Vec<_> = [(1, "view"), (2, "view"), (3, "order"), (4, "order")]
            .map(|(id, name)| format!("{id} | 1 | a@x.example | {name} | -"))
            .into();
        assert_eq!(log(&database).await, expected);
    });
}

#[test]
fn an_appender_sees_what_others_change() {
    on_both(|database| async move {
        let store = &database.store;
        let mut appender = Appender::new(store);
        assert_eq!(append(&mut appender, &[incoming("", "a@x.example", "view", "")]).await, "+");
        let update = |id: &str, email: &str| ContactUpdate {
            external_id: Some(id.to_owned()),
            email: Some(email.to_owned()),
            ..ContactUpdate::default()
        };
        // The address moves to contact 2 behind the appender's back.
        let updates = [update("1", "a@x.example"), update("1", "b@x.example"), update("2", "a@x.example")];
        contacts::apply(store, &updates, NOW).await.expect("they are stored");
        assert_eq!(append(&mut appender, &[incoming("", "a@x.example", "order", "")]).await, "+");
        assert_eq!(
            log(&database).await,
            ["1 | 1 | b@x.example | view | -", "2 | 2 | a@x.example | order | -"]
        );
    });
}

#[test]
fn events_of_known_contacts_are_counted_and_reach_who_they_became() {
    on_both(|database| async move {
        let store = &database.store;
        let row = |id: Option<&str>, email: Option<&str>| ContactUpdate {
            external_id: id.map(str::to_owned),
            email: email.map(str::to_owned),
            ..ContactUpdate::default()
        };
        let both =
            [row(None, Some("a@x.example")), row(Some("1"), None), row(Some("1"), Some("a@x.example"))];
        contacts::apply(store, &both[..2], NOW).await.expect("they are stored");
        contacts::apply(store, &both[2..], NOW).await.expect("they become one");
        let event = |contact, message_id: &str| NewEvent {
            contact: ContactId(contact),
            name: "email_sent".to_owned(),
            at: NOW,
            message_id: Some(message_id.to_owned()),
            properties: "{}".to_owned(),
        };
        let batch = [event(1, "x"), event(2, "y"), event(2, "x")];
        let appended = events::append(store, &batch, "campaignd", NOW).await.expect("they are appended");
        assert_eq!(appended, Appended { appended: 2, seen_before: 1 });
        assert_eq!(
            log(&database).await,
            ["1 | 1 | a@x.example | email_sent | x", "2 | 1 | a@x.example | email_sent | y"]
        );
        histories::pack(store).await.expect("they are packed");
        let chunks = "SELECT CAST(id AS TEXT) FROM history_chunks";
        let only = ChunkKey { name: EventNameId(1), block: BlockId(0), sequence: 0 };
        assert_eq!(database.rows(chunks).await, [only.number().to_string()]);
    });
}

#[test]
fn a_failed_batch_leaves_nothing_behind() {
    on_both(|database| async move {
        let mut appender = Appender::new(&database.store);
        database.execute("ALTER TABLE event_messages RENAME TO away").await;
        let batch = [incoming("1", "", "a", "m1")];
        let failure = appender.append(&batch, "test", NOW).await.expect_err("a table is missing");
        assert!(!failure.is_unavailable(), "{failure:?}");
        assert_eq!(failure.to_string(), "cannot append events");
        database.execute("ALTER TABLE away RENAME TO event_messages").await;
        assert_eq!(contacts::count(&database.store).await.expect("a count"), 0);
        assert_eq!(append(&mut appender, &batch).await, "+");
        assert_eq!(log(&database).await, ["1 | 1 | - | a | m1"]);
    });
}
