//! Anonymous ids: kept, joined to the first who is named with them, never a contact by themselves.

use campaignd::store::contacts;
use serde_json::{Value, json};

use super::{Api, on_both};

fn track(who: &Value, message: &str) -> Value {
    let mut call = json!({"type": "track", "event": "e", "messageId": message});
    call.as_object_mut().expect("an object").extend(who.as_object().expect("an object").clone());
    call
}

/// Who did what, in the order of the log.
async fn who(api: &Api) -> String {
    let cells = |row: &String| {
        let cells: Vec<&str> = row.split(" | ").collect();
        format!("{}:{}", cells[0], cells[3])
    };
    api.log().await.iter().map(cells).collect::<Vec<_>>().join(" ")
}

#[test]
fn anonymous_events_wait_for_their_contact() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let anonymous = json!({"anonymousId": "a"});
        api.batch(&[track(&anonymous, "1"), track(&json!({"anonymousId": "b"}), "2")]).await;
        api.batch(&[
            json!({"type": "identify", "anonymousId": "a", "messageId": "3", "timestamp": "2026-11-22T09:00:00Z",
                   "traits": {"locale": "es-ES", "plan": "free", "consent": {"marketing": "yes"}}}),
            track(&anonymous, "1"),
        ])
        .await;
        assert_eq!(contacts::count(&api.database.store).await.expect("a count"), 0, "nobody is known");
        assert_eq!(api.waiting().await, ["a | e | 1", "b | e | 2", "a | identify | 3"]);

        // One call names both: what was before is hers, in its order; what comes later, too.
        api.batch(&[
            json!({"type": "identify", "userId": "1", "anonymousId": "a", "messageId": "4",
                   "timestamp": "2026-11-22T08:00:00Z", "traits": {"plan": "pro", "firstName": "Ana"}}),
            track(&anonymous, "5"),
        ])
        .await;
        api.batch(&[track(&anonymous, "6"), track(&anonymous, "3"), track(&anonymous, "1")]).await;
        assert_eq!(who(&api).await, "1:1 1:3 1:4 1:5 1:6");
        assert_eq!(api.waiting().await, ["b | e | 2"]);
        // What she said before she was known holds by its own time.
        assert_eq!(api.contacts().await, [r#"1 | - | es-ES | - | {"plan":"free","firstName":"Ana"}"#]);
        let consents = "SELECT purpose, CAST(state AS TEXT), CAST(at AS TEXT), source FROM consent_changes";
        assert_eq!(api.database.rows(consents).await, ["marketing | 1 | 1795338000000000 | identify"]);
        api.served.stop().await;
    });
}

#[test]
fn a_device_belongs_to_the_first_who_is_named_with_it() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let (shared, first, second) = (
            json!({"anonymousId": "tablet"}),
            json!({"anonymousId": "tablet", "userId": "1"}),
            json!({"anonymousId": "tablet", "userId": "2"}),
        );
        api.batch(&[track(&shared, "a"), track(&first, "b"), track(&shared, "c")]).await;
        api.batch(&[track(&second, "d"), track(&shared, "e")]).await;
        api.batch(&[json!({"type": "alias", "userId": "2", "previousId": "tablet", "messageId": "f"})]).await;
        api.batch(&[track(&shared, "g")]).await;
        assert_eq!(who(&api).await, "1:a 1:b 1:c 2:d 1:e 2:f 1:g");
        api.served.stop().await;
    });
}

#[test]
fn calls_of_one_request_join_whatever_their_order() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let anonymous = json!({"anonymousId": "a"});
        api.batch(&[
            track(&anonymous, "1"),
            json!({"type": "identify", "anonymousId": "a", "messageId": "2", "traits": {"email": "ana@x.example"}}),
            track(&anonymous, "3"),
        ])
        .await;
        // An address names a contact, too; later its id is known.
        assert_eq!(who(&api).await, "ana@x.example:1 ana@x.example:2 ana@x.example:3");
        api.batch(&[json!({"type": "identify", "userId": "7", "messageId": "4", "traits": {"email": "Ana@x.example"}})])
            .await;
        api.batch(&[track(&anonymous, "5")]).await;
        assert_eq!(who(&api).await, "7:1 7:2 7:3 7:4 7:5");
        assert_eq!(contacts::count(&api.database.store).await.expect("a count"), 1);
        api.served.stop().await;
    });
}

#[test]
fn alias_joins_an_anonymous_id_and_never_two_contacts() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let alias = |previous: &str, user: &str, message: &str| json!({"type": "alias", "previousId": previous, "userId": user, "messageId": message});
        api.batch(&[track(&json!({"anonymousId": "a"}), "1"), track(&json!({"userId": "old"}), "2")]).await;
        api.batch(&[alias("a", "new", "3"), alias("old", "new", "4"), alias("new", "new", "5")]).await;
        api.batch(&[track(&json!({"anonymousId": "a"}), "6")]).await;
        assert_eq!(who(&api).await, "old:2 new:1 new:3 new:4 new:5 new:6");
        assert_eq!(
            api.refused().await,
            ["`previousId` is a contact of its own: two contacts with ids stay two: `old`"]
        );
        // So it is when the same request makes that contact.
        api.batch(&[track(&json!({"userId": "young"}), "7"), alias("young", "new", "8")]).await;
        assert_eq!(
            api.refused().await[1..],
            ["`previousId` is a contact of its own: two contacts with ids stay two: `young`"]
        );
        api.batch(&[track(&json!({"anonymousId": "young"}), "9")]).await;
        assert_eq!(who(&api).await, "old:2 new:1 new:3 new:4 new:5 new:6 young:7 new:8");
        api.served.stop().await;
    });
}

#[test]
fn a_device_follows_a_contact_that_becomes_another() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let by_address = json!({"type": "identify", "anonymousId": "a", "messageId": "1",
            "timestamp": "2026-11-22T09:00:00Z", "traits": {"email": "ana@x.example", "plan": "pro"}});
        api.batch(&[by_address, track(&json!({"userId": "1"}), "2")]).await;
        // Both are there; now they are one, and what was said later of the former still holds.
        api.batch(&[
            json!({"type": "identify", "userId": "1", "messageId": "3", "timestamp": "2026-11-22T08:00:00Z",
            "traits": {"email": "ana@x.example", "plan": "free"}}),
        ])
        .await;
        api.batch(&[track(&json!({"anonymousId": "a"}), "4")]).await;
        assert_eq!(who(&api).await, "1:1 1:2 1:3 1:4");
        assert_eq!(api.contacts().await, [r#"1 | ana@x.example | - | - | {"plan":"pro"}"#]);
        api.served.stop().await;
    });
}

#[test]
fn requests_at_once_join_once() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let parts: Vec<Vec<Value>> = (0..20)
            .map(|part| {
                let anonymous = json!({"anonymousId": "a"});
                let both = json!({"anonymousId": "a", "userId": "1"});
                let message = |number: usize| format!("{part}-{number}");
                vec![
                    track(&anonymous, &message(0)),
                    track(&both, &message(1)),
                    track(&anonymous, &message(2)),
                ]
            })
            .collect();
        let posts = parts.iter().map(|calls| api.batch(calls));
        futures_util::future::join_all(posts).await;
        let mut seen: Vec<String> = who(&api).await.split(' ').map(str::to_owned).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 60);
        assert!(seen.iter().all(|row| row.starts_with("1:")), "{seen:?}");
        assert_eq!(api.waiting().await, [""; 0]);
        api.served.stop().await;
    });
}
