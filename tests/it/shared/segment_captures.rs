//! Requests that were recorded from real clients, as they came: every call is one event.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use campaignd::clock::Clock;
use campaignd::domain::time::Timestamp;
use campaignd::store::write_keys;
use serde_json::Value;

use crate::support::database::on_both;
use crate::support::http::{Served, request};

/// An hour after the recording.
const NOW: Timestamp = Timestamp::from_seconds(1_795_325_431);

#[test]
fn recorded_requests_are_events() {
    let Some(shared) = super::shared_folder() else { return };
    let folder = shared.join("data/segment-captures");
    let mut recorded: Vec<Value> = Vec::new();
    for name in ["node", "python-plain", "rudder-node"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect("a recording");
        recorded.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")));
    }
    on_both(|database| {
        let recorded = recorded.clone();
        async move {
            let (clock, _) = Clock::set_at(NOW);
            let served = Served::start(&database, clock).await;
            let mut calls = 0;
            for one in &recorded {
                let key = one["auth_decoded"].as_str().expect("a key").trim_end_matches(':');
                write_keys::create(&database.store, key, key, NOW).await.expect("the key is stored");
                let headers: Vec<String> = one["headers"]
                    .as_array()
                    .expect("headers")
                    .iter()
                    .map(|header| (header[0].as_str().expect("a name"), header[1].as_str().expect("a value")))
                    .filter(|(name, _)| {
                        !["host", "connection", "content-length"].contains(&name.to_lowercase().as_str())
                    })
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect();
                let authorization = format!("Authorization: Basic {}", STANDARD.encode(format!("{key}:")));
                assert!(headers.contains(&authorization), "{headers:?}");
                // The recording unpacked the bodies; each is sent twice, as after a lost answer.
                let (path, body) = (one["path"].as_str().expect("a path"), one["body"].to_string());
                for _ in 0..2 {
                    let answer =
                        request(served.public, "POST", path, &headers.join("\n"), body.as_bytes()).await;
                    assert_eq!(
                        (answer.status, answer.text().as_str()),
                        (200, r#"{"success":true,"refused":0}"#)
                    );
                }
                calls += one["body"]["batch"].as_array().expect("a batch").len();
            }
            let text = "SELECT COALESCE(external_id, '-'), name, at FROM event_log ORDER BY id";
            let events = database.rows(text).await;
            assert_eq!(events.len(), calls, "{events:?}");
            assert!(events.iter().all(|event| event.starts_with("u-1001 | ")), "{events:?}");
            // Stamped two days before by the caller; the time since the recording makes the client's clock look
            // an hour slow.
            let orders = events.iter().filter(|event| event.contains("Order Completed"));
            let times: Vec<&str> = orders.filter_map(|event| event.split(" | ").nth(2)).collect();
            assert_eq!(times.len(), 3);
            assert!(times[0].starts_with("2026-11-20T10:"), "{times:?}");
            let contact = "SELECT external_id, email, language FROM contacts";
            assert_eq!(database.rows(contact).await, ["u-1001 | ana.lópez@example.com | es-ES"]);
            let refused = "SELECT reason FROM ingest_rejects";
            assert_eq!(database.rows(refused).await, [""; 0]);
            served.stop().await;
        }
    });
}
