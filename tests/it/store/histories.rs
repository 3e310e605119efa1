//! What a pass shows: every contact once, in order, with the events that it needs and no others.

use std::convert::Infallible;

use campaignd::domain::contact::{ContactId, ContactUpdate, ContactView};
use campaignd::domain::event::NewEvent;
use campaignd::domain::history::{ContactPart, EventNeed, History, Needs};
use campaignd::domain::time::Timestamp;
use campaignd::store::histories::{self, ContactVisitor};
use campaignd::store::{contacts, events};

use crate::support::database::{TestDatabase, on_both};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[derive(Default)]
struct Notes(Vec<String>);

impl ContactVisitor for Notes {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let events = history.all().iter().map(|event| {
            format!("{}@{}{}", event.name.0, event.at.micros() / 1_000_000, history.properties(event))
        });
        let events = events.collect::<Vec<_>>().join(" ");
        self.0.push(format!("{} {} [{events}]", contact.id.0, contact.external_id.unwrap_or("-")));
        Ok(())
    }
}

/// `count` contacts with the ids 1 … `count`.
async fn people(database: &TestDatabase, count: i64) {
    let rows: Vec<_> = (1..=count)
        .map(|id| ContactUpdate { external_id: Some(id.to_string()), ..ContactUpdate::default() })
        .collect();
    contacts::apply(&database.store, &rows, NOW).await.expect("the contacts are stored");
}

fn event(contact: i64, name: &str, at: i64, properties: &str) -> NewEvent {
    NewEvent {
        contact: ContactId(contact),
        name: name.to_owned(),
        at: Timestamp::from_seconds(at),
        message_id: None,
        properties: properties.to_owned(),
    }
}

async fn needs(database: &TestDatabase, contact: ContactPart, named: &[(&str, i64, Option<i64>)]) -> Needs {
    let known = events::names(&database.store).await.expect("the names are read");
    let mut events: Vec<_> = named
        .iter()
        .map(|(name, since, properties)| EventNeed {
            name: known[*name],
            since: Timestamp::from_seconds(*since),
            properties_since: properties.map(Timestamp::from_seconds),
        })
        .collect();
    events.sort_by_key(|need| need.name);
    Needs { contact, events }
}

#[test]
fn a_pass_shows_everybody_with_what_is_needed() {
    on_both(|database| async move {
        people(&database, 40).await;
        let store = &database.store;
        let first = [event(3, "buy", 100, r#"{"a":1}"#), event(18, "view", 50, r#"{"u":"é"}"#)];
        let second = [
            event(3, "buy", 90, r#"{"a":2}"#),
            event(3, "view", 10, "{}"),
            event(40, "other", 5, "{}"),
            event(3, "buy", 100, r#"{"a":3}"#),
        ];
        for batch in [&first[..], &second[..]] {
            events::append(store, batch, "test", NOW).await.expect("the events are stored");
        }
        let needs = needs(&database, ContactPart::Whole, &[("buy", 0, Some(95)), ("view", 20, None)]).await;
        for visitors in [1, 2, 3] {
            let visitors = (0..visitors).map(|_| Notes::default()).collect();
            let visitors = histories::visit_all(store, &needs, visitors).await.expect("the pass ends");
            let notes: Vec<_> = visitors.into_iter().flat_map(|notes| notes.0).collect();
            assert_eq!(notes.len(), 40);
            assert_eq!(notes[2], r#"3 3 [1@90 1@100{"a":1} 1@100{"a":3}]"#);
            assert_eq!(notes[17], "18 18 [2@50]");
            assert_eq!(notes[39], "40 40 []");
        }
        let some = [ContactId(40), ContactId(3), ContactId(99), ContactId(1), ContactId(3)];
        let notes = histories::visit_some(store, &some, &needs, Notes::default()).await.expect("it ends");
        assert_eq!(notes.0, ["1 1 []", r#"3 3 [1@90 1@100{"a":1} 1@100{"a":3}]"#, "40 40 []"]);
        let facts = Needs { contact: ContactPart::Facts, events: Vec::new() };
        let visitors = histories::visit_all(store, &facts, vec![Notes::default()]).await.expect("it ends");
        assert_eq!(visitors[0].0[2], "3 - []", "facts are read without the rest");
    });
}

#[test]
fn a_pass_over_nobody_ends() {
    on_both(|database| async move {
        let visitors = vec![Notes::default(), Notes::default()];
        let visitors = histories::visit_all(&database.store, &Needs::default(), visitors).await;
        assert!(visitors.expect("the pass ends").iter().all(|notes| notes.0.is_empty()));
    });
}
