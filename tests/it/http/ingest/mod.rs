//! The ingest API over real HTTP, on both databases.

mod anonymous;
mod limits;
mod meaning;
mod said;

use campaignd::clock::Clock;
use campaignd::declare;
use campaignd::domain::catalogue::Catalogue;
use campaignd::domain::time::Timestamp;
use campaignd::store::write_keys;
use serde_json::{Value, json};

use crate::support::database::{TestDatabase, on_both};
use crate::support::http::{Answer, Served, request};

/// 2026-11-22T12:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_795_348_800);
const KEY: &str = "cwk_a_key_of_tests";

const DECLARED: &str = "
attributes:
  plan: text
  first_name: { type: text, from: firstName }
  income: number
events:
  purchase:
    from: Order Completed
    properties:
      amount: { type: number, from: total }
      order: text
  page_view: { properties: { url: text } }
";

/// A served database with a key.
struct Api {
    database: TestDatabase,
    served: Served,
}

impl Api {
    async fn start(database: TestDatabase) -> Self {
        write_keys::create(&database.store, "tests", KEY, NOW).await.expect("the key is stored");
        let (clock, _) = Clock::set_at(NOW);
        let served = Served::start_with(&database, clock, catalogue()).await;
        Self { database, served }
    }

    /// Posts JSON with the key; the answer must be 200. Says how many calls were refused.
    async fn post(&self, path: &str, body: &Value) -> u64 {
        let answer = self.answer(path, body.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        let answer: Value = serde_json::from_slice(&answer.body).expect("an answer in JSON");
        assert_eq!(answer["success"], true);
        answer["refused"].as_u64().expect("a count")
    }

    /// Posts a batch.
    async fn batch(&self, calls: &[Value]) -> u64 {
        self.post("/v1/batch", &json!({ "batch": calls })).await
    }

    async fn answer(&self, path: &str, body: &[u8]) -> Answer {
        request(self.served.public, "POST", path, &authorization(KEY), body).await
    }

    /// The log: contact, name, time, message id, properties.
    async fn log(&self) -> Vec<String> {
        self.database
            .rows(
                "SELECT COALESCE(external_id, email), name, at, message_id, properties FROM event_log ORDER BY id",
            )
            .await
    }

    /// Contacts: id, address, language, zone, attributes.
    async fn contacts(&self) -> Vec<String> {
        let text = "SELECT external_id, email, language, time_zone, attributes FROM contacts ORDER BY id";
        self.database.rows(text).await
    }

    /// Why calls were refused.
    async fn refused(&self) -> Vec<String> {
        self.database.rows("SELECT reason FROM ingest_rejects ORDER BY id").await
    }

    async fn waiting(&self) -> Vec<String> {
        let text = "SELECT anonymous_id, name, message_id FROM anonymous_events ORDER BY id";
        self.database.rows(text).await
    }
}

/// Compares lines; those that are expected may be indented.
#[track_caller]
fn assert_lines(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found.iter().map(|line| line.trim()).collect::<Vec<_>>(), expected);
}

fn authorization(key: &str) -> String {
    use base64::Engine as _;
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{key}:"));
    format!("authorization: Basic {credentials}")
}

fn catalogue() -> Catalogue {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("campaigns");
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join("shop.yaml"), DECLARED).expect("a file");
    let read = declare::load(folder.path(), chrono_tz::UTC);
    read.catalogue.expect("the declarations are valid")
}

#[test]
fn a_key_is_asked_for() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let body = json!({"userId": "1", "event": "Signed Up", "messageId": "m"}).to_string();
        let post = async |headers: &str, body: &str| {
            request(api.served.public, "POST", "/v1/track", headers, body.as_bytes()).await
        };
        let with_key = body.replacen('{', &format!("{{\"writeKey\":\"{KEY}\","), 1);
        let wrong_key = body.replacen('{', "{\"writeKey\":\"other\",", 1);
        for (headers, body, status) in [
            (String::new(), &body, 401),
            (authorization("other"), &body, 401),
            (authorization("other"), &with_key, 401),
            ("authorization: Bearer x".to_owned(), &body, 401),
            (String::new(), &wrong_key, 401),
            (String::new(), &with_key, 200),
            (authorization(KEY), &wrong_key, 200),
            (authorization(KEY), &body, 200),
        ] {
            let answer = post(&headers, body).await;
            assert_eq!(answer.status, status, "{headers} {body}");
            assert_eq!(answer.header("location"), None);
            if status == 401 {
                // A client of RudderStack looks for these two and stumbles when they are not there.
                let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
                assert_eq!(answer["code"], "unknown_key");
                assert!(answer["message"].is_string());
            }
        }
        assert_eq!(api.log().await.len(), 1, "and the call was one event");

        assert!(write_keys::revoke(&api.database.store, "tests", NOW).await.expect("it is revoked"));
        assert_eq!(post(&authorization(KEY), &body).await.status, 401, "at once");
        api.served.stop().await;
    });
}

#[test]
fn paths_and_methods_are_those_of_the_api() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let call = json!({"userId": "1", "event": "e", "groupId": "g", "previousId": "p"}).to_string();
        for kind in ["identify", "track", "page", "screen", "group", "alias"] {
            assert_eq!(api.answer(&format!("/v1/{kind}"), call.as_bytes()).await.status, 200, "{kind}");
        }
        for kind in ["batch", "import"] {
            assert_eq!(api.answer(&format!("/v1/{kind}"), b"{\"batch\":[]}").await.status, 200, "{kind}");
        }
        for path in ["/v1/nothing", "/v1/", "/v1/track/", "/v2/track"] {
            let answer = api.answer(path, call.as_bytes()).await;
            assert_eq!((answer.status, answer.header("location")), (404, None), "{path}");
        }
        let answer = request(api.served.public, "GET", "/v1/track", "", b"").await;
        assert_eq!(answer.status, 405);
        let names: Vec<String> =
            api.log().await.iter().map(|row| row.split(" | ").nth(1).expect("a name").to_owned()).collect();
        assert_eq!(names, ["identify", "e", "page_view", "screen_view", "group", "alias"]);
        api.served.stop().await;
    });
}

#[test]
fn without_a_store_the_client_is_told_to_come_back() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        api.database.execute("ALTER TABLE events RENAME TO events_away").await;
        let call = json!({"userId": "1", "event": "e", "messageId": "m", "writeKey": KEY}).to_string();
        let answer = api.answer("/v1/track", call.as_bytes()).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
        api.database.execute("ALTER TABLE events_away RENAME TO events").await;
        assert_eq!(api.answer("/v1/track", call.as_bytes()).await.status, 200);
        assert_eq!(api.log().await.len(), 1);

        api.database.execute("ALTER TABLE write_keys RENAME TO write_keys_away").await;
        let answer = api.answer("/v1/track", call.as_bytes()).await;
        assert_eq!(answer.status, 503, "whether the key holds is not known: that is no 401");
        api.database.execute("ALTER TABLE write_keys_away RENAME TO write_keys").await;
        api.served.stop().await;
    });
}
