//! What calls mean: events, facts, times, and what of it is refused.

use campaignd::store::contacts;
use serde_json::json;

use super::{Api, NOW, assert_lines, on_both};

#[test]
fn a_call_is_an_event_under_its_name_on_the_wire() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let refused = api
            .batch(&[
                json!({"type": "track", "userId": "1", "event": "Order Completed", "messageId": "a",
                       "properties": {"total": 12.5, "amount": 1, "order": "o-1", "undeclared": {"x": [1, null]}}}),
                json!({"type": "track", "userId": 1, "event": "purchase", "messageId": "b",
                       "properties": {"amount": 1_234_567.25, "order": null}}),
                json!({"type": "page", "userId": "1", "name": "Pricing", "category": "Docs", "messageId": "c",
                       "properties": {"url": "https://shop.example/", "category": "own"},
                       "context": {"ip": "203.0.113.9", "library": {"name": "x"}, "locale": "fr", "traits": {"plan": "no"}, "page": {}}}),
                json!({"type": "screen", "userId": "1", "name": "Home", "messageId": "d"}),
                json!({"type": "group", "userId": "1", "groupId": "acct-9", "traits": {"name": "Initech"}, "messageId": "e"}),
                json!({"type": "identify", "userId": "1", "traits": {"plan": "pro"}, "messageId": "f",
                       "context": {"traits": {"plan": "basic", "firstName": "Ana"}}}),
            ])
            .await;
        assert_eq!(refused, 0, "{:?}", api.refused().await);
        assert_lines(
            &api.log().await,
            r#"
        1 | Order Completed | 2026-11-22T12:00:00.000Z | a | {"amount":1,"order":"o-1","total":12.5,"undeclared":{"x":[1,null]}}
        1 | Order Completed | 2026-11-22T12:00:00.000Z | b | {"total":1234567.25,"order":null}
        1 | page_view | 2026-11-22T12:00:00.000Z | c | {"category":"own","url":"https://shop.example/","name":"Pricing","context":{"locale":"fr"}}
        1 | screen_view | 2026-11-22T12:00:00.000Z | d | {"name":"Home"}
        1 | group | 2026-11-22T12:00:00.000Z | e | {"name":"Initech","groupId":"acct-9"}
        1 | identify | 2026-11-22T12:00:00.000Z | f | {"firstName":"Ana","plan":"pro"}
        "#,
        );
        assert_lines(&api.contacts().await, r#"1 | - | - | - | {"firstName":"Ana","plan":"pro"}"#);
        api.served.stop().await;
    });
}

#[test]
fn traits_are_facts_of_the_contact() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let refused = api
            .post(
                "/v1/identify",
                &json!({"userId": "1", "messageId": "a", "timestamp": "2026-11-20T09:30:00Z", "traits": {
                    "email": "Ana.López@Shop.example", "firstName": "Ana", "income": 1200.10, "plan": 7,
                    "createdAt": "2024-02-29T10:00:00Z", "timezone": "Europe/Madrid", "locale": "es-ES",
                    "consent": {"marketing": true, "tracking": {"state": "no", "at": "2025-01-01", "source": "form", "words": "No thanks"}},
                    "address": {"city": "Madrid"}, "tags": ["a", "b"], "id": "other",
                }}),
            )
            .await;
        assert_eq!(refused, 0, "{:?}", api.refused().await);
        assert_lines(
            &api.contacts().await,
            r#"1 | Ana.López@Shop.example | es-ES | Europe/Madrid | {"address":{"city":"Madrid"},"firstName":"Ana","income":1200.1,"plan":7,"tags":["a","b"]}"#,
        );
        let consents = "SELECT purpose, CAST(state AS TEXT), CAST(at / 1000000 AS TEXT), source, words
            FROM consent_changes ORDER BY purpose";
        assert_lines(
            &api.database.rows(consents).await,
            r"
        marketing | 1 | 1795167000 | identify | -
        tracking | 2 | 1735689600 | form | No thanks
        ",
        );
        let contact =
            contacts::find(&api.database.store, "1").await.expect("the store answers").expect("she is there");
        assert_eq!(contact.created_at.to_string(), "2024-02-29T10:00:00Z");

        // What cannot be read is refused by itself, the rest holds; null takes an attribute away.
        let refused = api
            .post(
                "/v1/identify",
                &json!({"userId": "1", "messageId": "b", "traits": {
                    "email": "no address", "language": "klingonese", "timezone": "Mars", "createdAt": "soon",
                    "consent": {"marketing": "maybe"}, "plan": null, "firstName": "Anna", "income": "much",
                }}),
            )
            .await;
        assert_eq!(refused, 5);
        assert_lines(
            &api.refused().await,
            r"
        `traits.consent.marketing` is not yes, no or unknown: `maybe`
        `traits.createdAt` is not a time such as 2026-03-29T09:30:00Z or 2026-03-29 09:30: `soon`
        `traits.email` is not an e-mail address (white space is in it): `no address`
        `traits.language` is not a language such as fr or pt-BR: `klingonese`
        `traits.timezone` is not a time zone such as Europe/Paris: `Mars`
        ",
        );
        assert_lines(
            &api.contacts().await,
            r#"1 | Ana.López@Shop.example | es-ES | Europe/Madrid | {"address":{"city":"Madrid"},"firstName":"Anna","income":"much","tags":["a","b"]}"#,
        );
        api.served.stop().await;
    });
}

#[test]
fn what_is_late_changes_nothing_newer() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let identify = |id: &str, at: &str, traits: serde_json::Value| json!({"type": "identify", "userId": "1", "messageId": id, "timestamp": at, "traits": traits});
        let newer = identify("n", "2026-11-22T10:00:00Z", json!({"plan": "pro", "email": "new@x.example"}));
        let older = identify(
            "o",
            "2026-11-22T09:00:00Z",
            json!({"plan": "free", "email": "old@x.example", "firstName": "Ana"}),
        );
        // In one request and in two, in a row and repeated.
        api.batch(std::slice::from_ref(&newer)).await;
        api.batch(&[older.clone(), newer.clone()]).await;
        api.batch(&[older, newer]).await;
        assert_eq!(api.contacts().await, [r#"1 | new@x.example | - | - | {"plan":"pro","firstName":"Ana"}"#]);
        assert_eq!(api.log().await.len(), 2, "each call is one event");
        api.served.stop().await;
    });
}

#[test]
fn an_event_has_the_time_at_which_it_happened() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        // (what the call says, what the request says of its sending, when it happened)
        let cases = [
            (json!({}), json!(null), "2026-11-22T12:00:00.000Z"),
            (json!({"timestamp": "2026-11-20T09:30:00.000Z"}), json!(null), "2026-11-20T09:30:00.000Z"),
            (
                json!({"timestamp": "2026-11-20T09:30:00+02:00"}),
                json!("2026-11-22T12:00:30Z"),
                "2026-11-20T07:30:00.000Z",
            ),
            (
                json!({"timestamp": "2020-01-01T00:00:00Z", "originalTimestamp": "2026-11-21T00:00:00Z"}),
                json!(null),
                "2026-11-21T00:00:00.000Z",
            ),
            (
                json!({"originalTimestamp": "2026-11-21T00:00:00Z", "sentAt": "2026-11-22T12:00:01Z"}),
                json!(null),
                "2026-11-21T00:00:00.000Z",
            ),
            // a clock that is an hour ahead, one that is a day behind
            (
                json!({"timestamp": "2026-11-22T12:50:00Z"}),
                json!("2026-11-22T13:00:00Z"),
                "2026-11-22T11:50:00.000Z",
            ),
            (
                json!({"timestamp": "2026-11-21T11:00:00Z"}),
                json!("2026-11-21T12:00:00Z"),
                "2026-11-22T11:00:00.000Z",
            ),
            (json!({"timestamp": 1_795_305_600}), json!(null), "2026-11-22T00:00:00.000Z"),
            (json!({"timestamp": null}), json!(null), "2026-11-22T12:00:00.000Z"),
            // nearly a day ahead, by its own word
            (json!({"timestamp": "2026-11-23T11:59:59Z"}), json!(null), "2026-11-23T11:59:59.000Z"),
        ];
        for (number, (says, sent, _)) in cases.iter().enumerate() {
            let mut call =
                json!({"type": "track", "userId": "1", "event": "e", "messageId": number.to_string()});
            call.as_object_mut().expect("an object").extend(says.as_object().expect("an object").clone());
            let refused = api.post("/v1/batch", &json!({"batch": [call], "sentAt": sent})).await;
            assert_eq!(refused, 0, "{says}");
        }
        let log = api.log().await;
        for (row, (says, sent, expected)) in log.iter().zip(&cases) {
            assert_eq!(row.split(" | ").nth(2), Some(*expected), "{says} {sent}");
        }
        assert_eq!(log.len(), cases.len());

        let late = json!({"type": "track", "userId": "1", "event": "e", "timestamp": "2026-11-23T12:00:01Z"});
        assert_eq!(api.batch(&[late]).await, 1);
        let unreadable =
            json!({"type": "track", "userId": "1", "event": "e", "timestamp": "yesterday", "messageId": "y"});
        assert_eq!(api.batch(&[unreadable]).await, 1);
        assert_eq!(api.log().await.len(), cases.len() + 1, "a time that cannot be read is as good as none");
        assert_lines(
            &api.refused().await,
            r#"
        the event is more than 24 hours in the future: `2026-11-23T12:00:01Z`
        `timestamp` is no time such as 2026-03-29T09:30:00Z: the event counts from its arrival: `"yesterday"`
        "#,
        );
        api.served.stop().await;
    });
}

#[test]
fn repeated_calls_are_one_event_wherever_they_are() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let calls: Vec<_> = (0..300)
            .map(|number| {
                json!({"type": "track", "userId": (number % 7).to_string(), "event": "e", "messageId": format!("m-{number}")})
            })
            .collect();
        api.batch(&calls[..100]).await;
        // Twice in one request, half of it known.
        let twice: Vec<_> = calls[50..].iter().chain(&calls[80..]).cloned().collect();
        api.batch(&twice).await;
        // At the same time.
        let (first, second, third) =
            tokio::join!(api.batch(&calls), api.batch(&calls), api.batch(&calls[..1]));
        assert_eq!((first, second, third), (0, 0, 0));
        assert_eq!(api.log().await.len(), 300);
        // Without a message id nobody knows that it is the same.
        let call = json!({"type": "track", "userId": "1", "event": "e"});
        api.batch(&[call.clone(), call]).await;
        assert_eq!(api.log().await.len(), 302);
        api.served.stop().await;
    });
}

#[test]
fn an_address_belongs_to_one() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let identify = |id: Option<&str>, email: &str, message: &str| json!({"type": "identify", "userId": id, "messageId": message, "traits": {"email": email, "plan": message}});
        api.batch(&[identify(Some("1"), "a@x.example", "m1"), identify(Some("2"), "b@x.example", "m2")])
            .await;
        // Taken: all of it but the address holds, and the event is hers.
        assert_eq!(api.batch(&[identify(Some("2"), "A@X.example", "m3")]).await, 0, "only the store sees it");
        assert_eq!(
            api.refused().await,
            ["address taken: `a@x.example` belongs to the contact with the id `1`"]
        );
        assert_eq!(api.batch(&[identify(Some("2"), "A@X.example", "m3")]).await, 0);
        assert_eq!(api.refused().await.len(), 1, "a repeated call is refused once");
        // A contact without an id becomes the one with it.
        api.batch(&[identify(None, "c@x.example", "m4"), identify(Some("3"), "c@x.example", "m5")]).await;
        assert_lines(
            &api.contacts().await,
            r#"
        1 | a@x.example | - | - | {"plan":"m1"}
        2 | b@x.example | - | - | {"plan":"m3"}
        3 | c@x.example | - | - | {"plan":"m5"}
        "#,
        );
        let log: Vec<String> = api.log().await;
        assert_eq!(log.len(), 5);
        assert_eq!(log.iter().filter(|row| row.starts_with("3 | ")).count(), 2, "{log:?}");
        assert_eq!(NOW.to_string(), "2026-11-22T12:00:00Z");
        api.served.stop().await;
    });
}

#[test]
fn what_names_nobody_or_nothing_is_refused_by_itself() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let refused = api
            .batch(&[
                json!({"type": "track", "event": "e", "messageId": "1"}),
                json!({"type": "track", "userId": "", "anonymousId": " ", "event": "e", "messageId": "2"}),
                json!({"type": "track", "userId": ["1"], "event": "e", "messageId": "3"}),
                json!({"type": "track", "userId": "a\u{0}b", "event": "e", "messageId": "4"}),
                json!({"type": "track", "userId": "1", "messageId": "5"}),
                json!({"type": "track", "userId": "1", "event": "email_opened", "messageId": "6"}),
                json!({"type": "track", "userId": "1", "event": "e", "messageId": "email_sent:1"}),
                json!({"type": "trakc", "userId": "1", "event": "e", "messageId": "8"}),
                json!({"type": "batch", "userId": "1", "event": "e", "messageId": "9"}),
                json!({"userId": "1", "event": "e", "messageId": "10"}),
                json!("text"),
                json!({"type": "track", "userId": "1", "event": "x".repeat(201), "messageId": "12"}),
                json!({"type": "track", "userId": "1", "event": "fine", "messageId": "13", "properties": "none", "context": 7}),
                json!({"type": "track", "userId": "1", "event": "fine\u{0}", "messageId": "14"}),
            ])
            .await;
        assert_eq!(refused, 13);
        assert_lines(
            &api.refused().await,
            r#"
        the call names nobody: it has neither `userId` nor `anonymousId`
        the call names nobody: it has neither `userId` nor `anonymousId`
        `userId` is neither a text nor a number: `["1"]`
        `userId` holds a control character: `a�b`
        `event` is missing
        `event` is one that only the daemon records: `email_opened`
        `messageId` is one of the daemon's own: `email_sent:1`
        `type` is none of identify, track, page, screen, group, alias: `trakc`
        `type` is none of identify, track, page, screen, group, alias: `batch`
        `type` is missing
        the call is no JSON object
        `event` is longer than 200 bytes: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`
        `event` holds a control character: `fine�`
        "#,
        );
        assert_lines(&api.log().await, "1 | fine | 2026-11-22T12:00:00.000Z | 13 |");
        let counts = "SELECT CAST(accepted AS TEXT), CAST(rejected AS TEXT) FROM write_keys";
        assert_eq!(api.database.rows(counts).await, ["1 | 13"]);
        api.served.stop().await;
    });
}
