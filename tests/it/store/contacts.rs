//! Identity rules and what a second import changes.

use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactId, ContactUpdate};
use campaignd::domain::time::Timestamp;
use campaignd::store::Store;
use campaignd::store::contacts::{self, ContactOutcome};
use serde_json::json;

use crate::support::database::on_both;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn row(id: &str, email: &str) -> ContactUpdate {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ContactUpdate { external_id: text(id), email: text(email), ..ContactUpdate::default() }
}

fn with(mut row: ContactUpdate, attributes: &serde_json::Value) -> ContactUpdate {
    row.attributes.clone_from(attributes.as_object().expect("attributes are an object"));
    row
}

/// Outcomes in a few letters: `+1` created, `~1` updated, `=1` unchanged, `!` and why it was rejected.
async fn apply(store: &Store, rows: &[ContactUpdate]) -> String {
    let outcomes = contacts::apply(store, rows, NOW).await.expect("the rows are stored");
    let outcome = |outcome: &ContactOutcome| match outcome {
        ContactOutcome::Created(id) => format!("+{}", id.0),
        ContactOutcome::Updated(id) => format!("~{}", id.0),
        ContactOutcome::Unchanged(id) => format!("={}", id.0),
        ContactOutcome::Rejected(rejection) => format!("!{rejection}"),
    };
    outcomes.iter().map(outcome).collect::<Vec<_>>().join(" ")
}

const STORED: &str =
    "SELECT CAST(id AS TEXT), key, external_id, email, email_folded FROM contacts ORDER BY id";

#[test]
fn an_id_wins_and_an_address_belongs_to_one() {
    /// Batches of (id, email), their outcomes, what is stored in the end.
    type Case = (
        &'static [&'static [(&'static str, &'static str)]],
        &'static [&'static str],
        &'static [&'static str],
    );
    let cases: &[Case] = &[
        // the same twice, in one batch and in two
        (
            &[&[("1", "A@x.example"), ("1", "a@X.example")], &[("1", "A@x.example")]],
            &["+1 =1", "=1"],
            &["1 | 1 | 1 | A@x.example | a@x.example"],
        ),
        // an address first, its id later
        (
            &[&[("", "a@x.example")], &[("7", "a@x.example")], &[("7", "")]],
            &["+1", "~1", "=1"],
            &["1 | a@x.example | 7 | a@x.example | a@x.example"],
        ),
        // taken
        (
            &[&[("1", "a@x.example"), ("2", "b@x.example")], &[("1", "b@x.example"), ("3", "a@x.example")]],
            &[
                "+1 +2",
                "!address taken: `b@x.example` belongs to the contact with the id `2` \
                 !address taken: `a@x.example` belongs to the contact with the id `1`",
            ],
            &["1 | 1 | 1 | a@x.example | a@x.example", "2 | 2 | 2 | b@x.example | b@x.example"],
        ),
        // two become one: stored, and within a batch
        (
            &[&[("1", ""), ("", "a@x.example")], &[("1", "a@x.example")]],
            &["+1 +2", "~1"],
            &["1 | 1 | 1 | a@x.example | a@x.example"],
        ),
        (
            &[&[("1", ""), ("", "a@x.example"), ("1", "a@x.example")]],
            &["+1 +1 ~1"],
            &["1 | 1 | 1 | a@x.example | a@x.example"],
        ),
        // an address that was given up is free, and two may swap
        (
            &[
                &[("1", "a@x.example"), ("2", "b@x.example")],
                &[("1", "c@x.example"), ("2", "a@x.example"), ("1", "b@x.example")],
            ],
            &["+1 +2", "~1 ~2 ~1"],
            &["1 | 1 | 1 | b@x.example | b@x.example", "2 | 2 | 2 | a@x.example | a@x.example"],
        ),
        // nobody, and what PostgreSQL cannot keep
        (
            &[&[("", ""), ("\0", "a@x.example")]],
            &["!it has neither an id nor an e-mail address !id holds the character U+0000"],
            &[],
        ),
    ];
    for (batches, outcomes, stored) in cases {
        on_both(|database| async move {
            for (batch, expected) in batches.iter().zip(*outcomes) {
                let rows: Vec<_> = batch.iter().map(|(id, email)| row(id, email)).collect();
                assert_eq!(apply(&database.store, &rows).await, *expected, "{batch:?}");
            }
            assert_eq!(database.rows(STORED).await, *stored, "{batches:?}");
        });
    }
}

#[test]
fn attributes_are_added_replaced_and_removed() {
    on_both(|database| async move {
        let store = &database.store;
        let first = with(
            row("1", ""),
            &json!({"country": "FR", "n": 1.50, "odd": "it's \" \\ \u{0} ✓", "gone": null}),
        );
        assert_eq!(apply(store, std::slice::from_ref(&first)).await, "+1");
        assert_eq!(apply(store, &[first]).await, "=1");
        let second = with(row("1", ""), &json!({"country": null, "n": 2, "list": ["a", "b"]}));
        assert_eq!(apply(store, &[second.clone(), second]).await, "~1 =1");
        let contact = contacts::find(store, "1").await.expect("it is read").expect("it is there");
        assert_eq!(contact.attributes, r#"{"n":2,"odd":"it's \" \\ \u0000 ✓","list":["a","b"]}"#);
    });
}

#[test]
fn a_later_consent_replaces_an_earlier_one() {
    on_both(|database| async move {
        let store = &database.store;
        let given = |state, seconds, gives_way| {
            let at = Timestamp::from_seconds(seconds);
            let source = "shop".to_owned();
            let update =
                ConsentUpdate { purpose: Purpose::Marketing, state, at, source, words: None, gives_way };
            ContactUpdate { consents: vec![update], ..row("1", "") }
        };
        let consent = |state, seconds| given(state, seconds, false);
        let (yes, no) = (ConsentState::Yes, ConsentState::No);
        let steps = [
            (consent(yes, 100), "+1", yes, 100),
            (consent(yes, 200), "~1", yes, 200),
            (consent(yes, 200), "=1", yes, 200),
            (consent(yes, 150), "=1", yes, 200), // earlier: history only
            (given(yes, 220, true), "=1", yes, 200),
            (consent(no, 180), "=1", yes, 200),
            (consent(no, 300), "~1", no, 300),
            (consent(yes, 250), "=1", no, 300),     // earlier: history only
            (given(yes, 350, true), "=1", no, 300), // of a whole file: the known answer stands
            (consent(yes, 400), "~1", yes, 400),
        ];
        for (step, outcome, state, since) in steps {
            assert_eq!(apply(store, &[step]).await, outcome);
            let contact = contacts::by_number(store, ContactId(1)).await.expect("it is read");
            let known = contact.expect("it is there").marketing;
            assert_eq!((known.state, known.since), (state, Some(Timestamp::from_seconds(since))));
        }
        let history = database.rows("SELECT CAST(at AS TEXT) FROM consent_changes ORDER BY at").await;
        assert_eq!(
            history,
            ["100", "150", "180", "200", "250", "300", "400"].map(|second| format!("{second}000000"))
        );
    });
}

#[test]
fn a_refusal_holds_from_the_last_time_it_was_given() {
    on_both(|database| async move {
        let store = &database.store;
        let given = |state, seconds, gives_way| {
            let consent = |purpose| ConsentUpdate {
                purpose,
                state,
                at: Timestamp::from_seconds(seconds),
                source: "shop".to_owned(),
                words: None,
                gives_way,
            };
            ContactUpdate {
                consents: [Purpose::Marketing, Purpose::Tracking].map(consent).into(),
                ..row("1", "")
            }
        };
        let (no, unknown, yes) = (ConsentState::No, ConsentState::Unknown, ConsentState::Yes);
        let steps = [
            (given(no, 100, false), "+1", 100),
            (given(no, 300, false), "~1", 300),
            (given(no, 300, false), "=1", 300),
            (given(no, 200, false), "=1", 300),
            (given(no, 900, true), "=1", 300), // without a time of its own: nothing is renewed
            (given(yes, 200, false), "=1", 300),
            (given(unknown, 400, false), "=1", 300),
            (given(yes, 250, false), "=1", 300),
        ];
        for (step, outcome, since) in steps {
            assert_eq!(apply(store, &[step]).await, outcome);
            let contact = contacts::by_number(store, ContactId(1)).await.expect("it is read");
            let contact = contact.expect("it is there");
            for known in [contact.marketing, contact.tracking] {
                assert_eq!((known.state, known.since), (no, Some(Timestamp::from_seconds(since))));
            }
        }
        let history = "SELECT CAST(at AS TEXT) FROM consent_changes WHERE purpose = 'marketing' ORDER BY at";
        let expected = ["100000000", "200000000", "200000000", "250000000", "300000000", "400000000"];
        assert_eq!(database.rows(history).await, expected);
        assert_eq!(apply(store, &[given(yes, 500, false)]).await, "~1");
    });
}

#[test]
fn contacts_are_found_listed_and_counted() {
    on_both(|database| async move {
        let store = &database.store;
        let rows: Vec<_> =
            (1..=12_000).map(|n| row(&format!("c{n}"), &format!("User{n}@x.example"))).collect();
        contacts::apply(store, &rows, NOW).await.expect("many are stored");
        assert_eq!(contacts::count(store).await.expect("they are counted"), 12_000);
        let numbers: Vec<_> = (0..=12_001).rev().map(ContactId).collect();
        let found = contacts::by_numbers(store, &numbers).await.expect("they are found");
        assert!(found.iter().map(|contact| contact.id.0).eq(1..=12_000));
        let page = contacts::page(store, Some(ContactId(11_998)), 10).await.expect("a page");
        assert_eq!(page.iter().map(|contact| contact.id.0).collect::<Vec<_>>(), [11_999, 12_000]);
        for (key, number) in [("c7", Some(7)), ("uSER8@x.example", Some(8)), ("nobody", None), ("\0", None)] {
            let found = contacts::find(store, key).await.expect("it is asked");
            assert_eq!(found.map(|contact| contact.id.0), number, "{key}");
        }
        // The same again: nothing is new.
        let outcomes = contacts::apply(store, &rows, NOW).await.expect("they are compared");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, ContactOutcome::Unchanged(_))));
    });
}

#[test]
fn changes_are_seen_once() {
    on_both(|database| async move {
        let store = &database.store;
        let start = contacts::mark(store).await.expect("a mark");
        apply(store, &[row("1", ""), row("2", ""), row("", "a@x.example")]).await;
        let all = contacts::changed_since(store, start, 10).await.expect("changes");
        assert_eq!(
            all.news.map(|news| news.contacts()),
            Some(vec![ContactId(1), ContactId(2), ContactId(3)])
        );
        assert_eq!(contacts::changed_since(store, start, 2).await.expect("changes").news, None);
        apply(store, &[row("2", ""), row("1", "a@x.example")]).await;
        let some = contacts::changed_since(store, all.mark, 10).await.expect("changes");
        assert_eq!(
            some.news.map(|news| news.contacts()),
            Some(vec![ContactId(1), ContactId(3)]),
            "who became another, too"
        );
        let none = contacts::changed_since(store, some.mark, 10).await.expect("changes");
        assert_eq!(none.news.map(|news| news.contacts()), Some(vec![]));
    });
}
