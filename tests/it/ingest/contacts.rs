//! Files of contacts: identity, what is said again, consent.

use campaignd::ingest::{ImportOptions, import_file};

use super::{Folder, import, import_text, marketing_yes, options, told};
use crate::support::database::{TestDatabase, on_both};

const PEOPLE: &str = "SELECT COALESCE(external_id, '-'), COALESCE(email, '-'), attributes FROM contacts
    ORDER BY COALESCE(external_id, '-'), email";

const CONSENTS: &str = "SELECT external_id,
    CAST(marketing AS TEXT), CAST(marketing_since / 1000000 AS TEXT) FROM contacts ORDER BY external_id";

/// The people after some files, imported one after the other.
async fn people_after(database: &TestDatabase, files: &[&str]) -> Vec<String> {
    for text in files {
        import_text(&database.store, "contacts.csv", text, &options()).await;
    }
    database.rows(PEOPLE).await
}

#[test]
fn the_same_file_twice_changes_nothing() {
    on_both(|database| async move {
        let folder = Folder::new();
        let file = folder.write(
            "contacts.csv",
            "id,email,first_name,country,birth_date,interests,shoe size\n\
             1,Ana@shop.example,Ana,ES,1990-02-28,padel|tennis,38\n\
             2,,Bo,,,,\n\
             ,c@shop.example,,FR,,,\n",
        );
        let first = import(&database.store, &file, &marketing_yes()).await;
        assert_eq!(told(&first), "3 rows: contacts 3 created 0 updated 0 unchanged; events 0 added 0 known");
        let all = "SELECT CAST(id AS TEXT), key, email, attributes, CAST(marketing_since AS TEXT) FROM contacts ORDER BY id";
        let before = database.rows(all).await;
        let later =
            ImportOptions { now: super::NOW.plus(std::time::Duration::from_hours(48)), ..marketing_yes() };
        let again = import(&database.store, &file, &later).await;
        assert_eq!(told(&again), "3 rows: contacts 0 created 0 updated 3 unchanged; events 0 added 0 known");
        assert_eq!(database.rows(all).await, before);
        assert_eq!(
            before[0].split(" | ").skip(2).take(2).collect::<Vec<_>>(),
            [
                "Ana@shop.example",
                r#"{"first_name":"Ana","country":"ES","birth_date":"1990-02-28","interests":["padel","tennis"],"shoe size":"38"}"#
            ]
        );
    });
}

#[test]
fn what_is_not_said_stays() {
    on_both(|database| async move {
        let files = [
            "id,email,first_name,country\n1,a@shop.example,Ana,ES\n",
            "id,first_name,country\n1,,PT\n",
            "email,income\nA@SHOP.example,12.50\n",
        ];
        let people = people_after(&database, &files).await;
        assert_eq!(people, [r#"1 | a@shop.example | {"first_name":"Ana","country":"PT","income":12.5}"#]);
        let none = r#"{"id": "1", "country": null}"#;
        import_text(&database.store, "contacts.jsonl", none, &options()).await;
        let people = database.rows(PEOPLE).await;
        assert_eq!(people, [r#"1 | a@shop.example | {"first_name":"Ana","income":12.5}"#]);
    });
}

#[test]
fn id_wins_and_an_address_belongs_to_one() {
    on_both(|database| async move {
        let files = [
            "id,email,country\n1,one@shop.example,FR\n2,two@shop.example,BE\n",
            // 3 is known by address first, then by both: one contact.
            "email,country\nthree@shop.example,CH\n",
            "id,email\n3,Three@shop.example\n",
            // 2 moves to a new address; the old one is free for 4.
            "id,email\n2,zwei@shop.example\n4,two@shop.example\n",
        ];
        let people = people_after(&database, &files).await;
        assert_eq!(
            people,
            [
                r#"1 | one@shop.example | {"country":"FR"}"#,
                r#"2 | zwei@shop.example | {"country":"BE"}"#,
                r#"3 | three@shop.example | {"country":"CH"}"#,
                r"4 | two@shop.example | {}",
            ]
        );
        let folder = Folder::new();
        let file = folder.write("taken.csv", "id,email,country\n5,ONE@shop.example,IT\n6,,IT\n");
        let summary = import(&database.store, &file, &options()).await;
        assert_eq!(
            told(&summary),
            "2 rows: contacts 1 created 0 updated 0 unchanged; events 0 added 0 known\n\
             1 rejected: address taken: it belongs to a contact with another id"
        );
        assert_eq!(
            folder.read("taken.rejects.csv"),
            "id,email,country,line,reason\n\
             5,ONE@shop.example,IT,2,address taken: it belongs to a contact with another id: `one@shop.example of 1`\n"
        );
    });
}

#[test]
fn consent_comes_with_its_time_and_a_refusal_stands() {
    on_both(|database| async move {
        let store = &database.store;
        import_text(store, "a.csv", "id,consent.marketing\n1,no\n2,\n3,yes\n4,unknown\n", &options()).await;
        assert_eq!(
            database.rows(CONSENTS).await,
            ["1 | 2 | 1796126400", "2 | 0 | -", "3 | 1 | 1796126400", "4 | 0 | -"]
        );
        // A file that says yes for everybody does not outweigh what somebody said.
        let later =
            ImportOptions { now: super::NOW.plus(std::time::Duration::from_mins(1)), ..marketing_yes() };
        import_text(store, "b.csv", "id\n1\n2\n3\n4\n", &later).await;
        assert_eq!(
            database.rows(CONSENTS).await,
            ["1 | 2 | 1796126400", "2 | 1 | 1796126460", "3 | 1 | 1796126400", "4 | 1 | 1796126460"]
        );
        // An answer with a time of its own counts from then, if none is later.
        let dated =
            "id,consent.marketing,consent.marketing.at\n1,yes,2026-12-01T12:00:30Z\n2,no,2026-11-30\n";
        let much_later =
            ImportOptions { now: super::NOW.plus(std::time::Duration::from_hours(1)), ..options() };
        import_text(store, "c.csv", dated, &much_later).await;
        assert_eq!(
            database.rows(CONSENTS).await,
            ["1 | 1 | 1796126430", "2 | 1 | 1796126460", "3 | 1 | 1796126400", "4 | 1 | 1796126460"]
        );
    });
}

#[test]
fn large_files_go_in_by_batches_and_say_how_far_they_are() {
    on_both(|database| async move {
        let mut text = String::from("id,email\n");
        for row in 0..10_010 {
            // Every tenth row is about the contact of the row before it.
            let id = (row - i32::from(row % 10 == 9)).to_string();
            text.extend([&id, ",customer-", &id, "@shop.example\n"]);
        }
        let folder = Folder::new();
        let file = folder.write("contacts.csv", &text);
        let mut heard = Vec::new();
        let catalogue = super::catalogue(super::DECLARATIONS);
        let (options, mut hear) = (options(), |progress| heard.push(progress));
        let import = import_file(&database.store, &catalogue, &file, &options, &mut hear);
        let summary = import.await.expect("the file is imported");
        assert_eq!((summary.contacts_created, summary.contacts_unchanged), (9_009, 1_001));
        assert_eq!(heard.iter().map(|progress| progress.rows).collect::<Vec<_>>(), [10_000, 10_010]);
        let last = heard.last().expect("progress was heard");
        assert_eq!((last.bytes_done, last.bytes_total), (text.len() as u64, Some(text.len() as u64)));
    });
}
