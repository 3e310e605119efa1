//! Files of events: told apart, told again, and whose they are.

use campaignd::ingest::ImportOptions;

use super::{Folder, import, import_text, options, told};
use crate::support::database::on_both;

const LOG: &str = "SELECT COALESCE(external_id, email), name, at, properties FROM event_log ORDER BY id";

/// Two order lines of this file are equal, and both are meant.
const ORDERS: &str = "event;id;at;order;product;amount\n\
    purchase;1;2026-11-30 10:00;A1;racket;149.00\n\
    purchase;1;2026-11-30 10:00;A1;balls;5.50\n\
    purchase;1;2026-11-30 10:00;A1;balls;5.50\n\
    purchase;2;2026-11-30 11:00;A2;balls;5.50\n\
    page_view;2;2026-11-30 11:00;;;\n";

#[test]
fn the_same_file_twice_adds_nothing_and_equal_lines_stay_two() {
    on_both(|database| async move {
        let folder = Folder::new();
        let file = folder.write("orders.csv", ORDERS);
        let first = import(&database.store, &file, &options()).await;
        assert_eq!((first.events_added, first.events_known), (5, 0));
        let log = database.rows(LOG).await;
        assert_eq!(
            log,
            [
                r#"1 | Order Completed | 2026-11-30T10:00:00.000Z | {"order":"A1","product":"racket","total":149}"#,
                r#"1 | Order Completed | 2026-11-30T10:00:00.000Z | {"order":"A1","product":"balls","total":5.5}"#,
                r#"1 | Order Completed | 2026-11-30T10:00:00.000Z | {"order":"A1","product":"balls","total":5.5}"#,
                r#"2 | Order Completed | 2026-11-30T11:00:00.000Z | {"order":"A2","product":"balls","total":5.5}"#,
                r"2 | page_view | 2026-11-30T11:00:00.000Z | ",
            ]
        );
        let again = import(&database.store, &file, &options()).await;
        assert_eq!((again.events_added, again.events_known), (0, 5));
        // Another order of rows and columns, and one row more.
        let other = "amount,product,order,event,at,id\n\
            5.5,balls,A1,Order Completed,2026-11-30T10:00:00Z,1\n\
            5.50,balls,A2,purchase,2026-11-30T12:00:00+01:00,2\n\
            149,racket,A1,purchase,2026-11-30T10:00:00Z,1\n\
            5.5,balls,A1,purchase,2026-11-30T10:00:00Z,1\n\
            5.5,balls,A1,purchase,2026-11-30T10:00:00Z,1\n";
        let more = import_text(&database.store, "other.csv", other, &options()).await;
        assert_eq!((more.events_added, more.events_known), (1, 4));
        assert_eq!(database.rows(LOG).await.len(), 6);
    });
}

#[test]
fn a_message_id_is_seen_once() {
    on_both(|database| async move {
        let text = r#"{"event": "page_view", "userId": "1", "timestamp": "2026-11-30T10:00:00Z", "messageId": "m1"}
{"event": "page_view", "userId": "1", "timestamp": "2026-11-30T10:00:00Z", "messageId": "m2"}
{"event": "page_view", "userId": "2", "timestamp": "2026-11-30T11:00:00Z", "messageId": "m1"}
"#;
        let summary = import_text(&database.store, "events.jsonl", text, &options()).await;
        assert_eq!((summary.events_added, summary.events_known), (2, 1));
    });
}

#[test]
fn events_find_their_contact_or_make_it() {
    on_both(|database| async move {
        let store = &database.store;
        import_text(store, "contacts.csv", "id,email\n1,one@shop.example\n2,\n", &options()).await;
        let text = "event,at,id,email\n\
            seen,2026-11-30,,One@shop.example\n\
            seen,2026-11-30,3,\n\
            seen,2026-11-30,,new@shop.example\n\
            seen,2026-11-30,2,two@shop.example\n\
            seen,2026-11-30,4,one@shop.example\n\
            seen,2026-11-30,5,new@shop.example\n";
        let folder = Folder::new();
        let file = folder.write("events.csv", text);
        let summary = import(store, &file, &options()).await;
        assert_eq!(
            told(&summary).lines().skip(1).collect::<Vec<_>>(),
            ["1 rejected: address taken: it belongs to a contact with another id"]
        );
        assert_eq!((summary.events_added, summary.contacts_created), (5, 2));
        let people = "SELECT COALESCE(external_id, '-'), COALESCE(email, '-'),
            (SELECT CAST(count(*) AS TEXT) FROM event_log e WHERE e.external_id = c.external_id)
            FROM contacts c ORDER BY external_id";
        assert_eq!(
            database.rows(people).await,
            ["1 | one@shop.example | 1", "2 | two@shop.example | 1", "3 | - | 1", "5 | new@shop.example | 2"]
        );
    });
}

#[test]
fn a_file_of_one_event() {
    on_both(|database| async move {
        let options = ImportOptions { event: Some("purchase".to_owned()), ..options() };
        let text = "id,at,product,name\n1,2026-11-30,balls,three pack\n";
        import_text(&database.store, "purchases.csv", text, &options).await;
        assert_eq!(
            database.rows(LOG).await,
            [r#"1 | Order Completed | 2026-11-30T00:00:00.000Z | {"product":"balls","name":"three pack"}"#]
        );
    });
}
