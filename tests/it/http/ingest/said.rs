//! What calls say of contacts: the latest holds, of each person by itself.

use serde_json::{Value, json};

use super::{Api, on_both};

/// `identify` of a user id at an hour of the day before now.
fn identify(user: &str, hour: &str, traits: &Value) -> Value {
    json!({"type": "identify", "userId": user, "timestamp": format!("2026-11-21T{hour}:00Z"), "traits": traits})
}

/// Consents to marketing: contact and state.
async fn marketing(api: &Api) -> Vec<String> {
    api.database.rows("SELECT external_id, CAST(marketing AS TEXT) FROM contacts ORDER BY external_id").await
}

#[test]
fn a_no_holds_after_two_contacts_became_one() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let no = json!({"consent": {"marketing": false}});
        api.batch(&[identify("5", "10:00", &no)]).await;
        let yes = json!({"email": "d@d.example", "consent": {"marketing": true}});
        api.batch(&[json!({"type": "identify", "anonymousId": "d", "timestamp": "2026-11-21T10:01:00Z",
                           "traits": yes})])
            .await;
        api.batch(&[identify("5", "10:02", &json!({"email": "d@d.example"}))]).await;
        let before = marketing(&api).await;
        api.batch(&[identify("5", "11:00", &no)]).await;
        let after = marketing(&api).await;
        assert_eq!((before.len(), after.len()), (1, 1));
        assert_ne!(before, after, "the later no holds");
        api.served.stop().await;
    });
}

#[test]
fn what_follows_on_a_device_does_not_say_the_address_anew() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let mut first = identify("5", "10:00", &json!({"email": "old@a.example"}));
        first["anonymousId"] = json!("a");
        let track =
            json!({"type": "track", "anonymousId": "a", "event": "e", "timestamp": "2026-11-21T10:02:00Z"});
        let second = identify("5", "10:01", &json!({"email": "new@a.example"}));
        assert_eq!(api.batch(&[first, second, track]).await, 0);
        assert_eq!(api.contacts().await, ["5 | new@a.example | - | - | {}"]);
        api.served.stop().await;
    });
}

#[test]
fn whose_address_is_taken_keeps_the_rest_of_what_was_said() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let traits =
            |plan: &str| json!({"email": "c@c.example", "plan": plan, "consent": {"marketing": true}});
        api.batch(&[identify("2", "10:00", &traits("pro"))]).await;
        api.batch(&[identify("1", "09:00", &traits("free"))]).await;
        assert_eq!(
            api.contacts().await,
            ["2 | c@c.example | - | - | {\"plan\":\"pro\"}", "1 | - | - | - | {\"plan\":\"free\"}"]
        );
        assert_eq!(marketing(&api).await, ["1 | 1", "2 | 1"], "both said yes");
        api.served.stop().await;
    });
}

#[test]
fn an_address_that_is_refused_was_not_said() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        api.batch(&[identify("2", "09:00", &json!({"email": "taken@a.example"}))]).await;
        api.batch(&[identify("1", "11:00", &json!({"email": "taken@a.example"}))]).await;
        assert_eq!(api.refused().await.len(), 1, "the address is another's");
        // It is late, but nobody has said anything later that holds.
        api.batch(&[identify("1", "10:00", &json!({"email": "own@a.example"}))]).await;
        api.batch(&[identify("1", "09:30", &json!({"email": "older@a.example"}))]).await;
        assert_eq!(
            api.contacts().await,
            ["2 | taken@a.example | - | - | {}", "1 | own@a.example | - | - | {}"]
        );
        api.served.stop().await;
    });
}

#[test]
fn what_cannot_be_read_of_traits_takes_nothing_away() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        api.batch(&[identify("1", "09:00", &json!({"plan": "pro"}))]).await;
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let call = format!(
            r#"{{"userId": "1", "messageId": "deep", "traits": {{"plan": {deep}, "firstName": "Ana", "a\ud83d": "\ud83d!"}}}}"#
        );
        let answer = api.answer("/v1/identify", call.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(api.refused().await, ["`traits.plan` is nested too deep"]);
        let contacts = api.contacts().await;
        for kept in ["\"plan\":\"pro\"", "\"firstName\":\"Ana\"", "\"a\u{fffd}\":\"\u{fffd}!\""] {
            assert!(contacts[0].contains(kept), "{kept}: {contacts:?}");
        }
        api.served.stop().await;
    });
}

#[test]
fn a_clock_that_is_ahead_holds_nothing_up() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let mut ahead = identify("5", "10:00", &json!({"email": "typo@a.example", "plan": "old"}));
        ahead["timestamp"] = json!("2026-11-23T09:00:00Z");
        api.batch(&[ahead]).await;
        let mut now = identify("5", "10:00", &json!({"email": "right@a.example", "plan": "new"}));
        now["timestamp"] = json!("2026-11-22T12:00:00Z");
        api.batch(&[now]).await;
        assert_eq!(api.contacts().await, ["5 | right@a.example | - | - | {\"plan\":\"new\"}"]);
        api.served.stop().await;
    });
}
