//! The limits of the Segment API, packed bodies, and what is no request at all.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Api, KEY, authorization, on_both};
use crate::support::http::request;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("it is packed");
    encoder.finish().expect("it is packed")
}

/// A call of exactly so many bytes of JSON.
fn call_of(bytes: usize, message: &str) -> Value {
    let mut call =
        json!({"type": "track", "userId": "1", "event": "e", "messageId": message, "properties": {"x": ""}});
    let missing = bytes - call.to_string().len();
    call["properties"]["x"] = json!("x".repeat(missing));
    call
}

#[test]
fn what_is_packed_is_unpacked_whatever_its_type() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let body = |message: &str| {
            gzip(json!({"userId": "1", "event": "e", "messageId": message}).to_string().as_bytes())
        };
        for (number, headers) in [
            "content-encoding: gzip\ncontent-type: application/json",
            "content-encoding: gzip\ncontent-type: application/octet-stream",
            "content-encoding: gzip\ncontent-type: application/x-www-form-urlencoded",
            "content-encoding: gzip",
            "content-type: text/plain",
        ]
        .iter()
        .enumerate()
        {
            let headers = format!("{}\n{headers}", authorization(KEY));
            let answer =
                request(api.served.public, "POST", "/v1/track", &headers, &body(&number.to_string())).await;
            assert_eq!(answer.status, 200, "{headers}: {}", answer.text());
        }
        // Unpacked on the way by somebody who did not say so; a mark in front; two members.
        let headers = format!("{}\ncontent-encoding: gzip", authorization(KEY));
        let plain = json!({"userId": "1", "event": "e", "messageId": "plain"}).to_string();
        assert_eq!(
            request(api.served.public, "POST", "/v1/track", &headers, plain.as_bytes()).await.status,
            200
        );
        let marked = format!("\u{feff}{}", plain.replace("plain", "marked"));
        assert_eq!(api.answer("/v1/track", marked.as_bytes()).await.status, 200);
        let (first, second) = plain.as_bytes().split_at(20);
        let members = [gzip(first), gzip(second)].concat();
        assert_eq!(api.answer("/v1/track", &members).await.status, 200);
        assert_eq!(api.log().await.len(), 7);
        api.served.stop().await;
    });
}

#[test]
fn what_is_no_request_gets_400_and_changes_nothing() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let whole = gzip(json!({"userId": "1", "event": "e"}).to_string().as_bytes());
        let bomb = gzip(&vec![b' '; 50_000_000]);
        assert!(bomb.len() < 60_000);
        let too_many: Vec<Value> =
            (0..2_501).map(|n| json!({"type": "track", "userId": "1", "event": n})).collect();
        let cases: [(&str, Vec<u8>); 11] = [
            ("/v1/track", b"".to_vec()),
            ("/v1/track", b"{\"userId\": ".to_vec()),
            ("/v1/track", b"userId=1".to_vec()),
            ("/v1/track", b"\xff\xfe".to_vec()),
            ("/v1/track", b"[1]".to_vec()),
            ("/v1/batch", b"{}".to_vec()),
            ("/v1/batch", b"{\"batch\": {}}".to_vec()),
            ("/v1/batch", json!({ "batch": too_many }).to_string().into_bytes()),
            ("/v1/track", whole[..whole.len() - 9].to_vec()),
            ("/v1/track", bomb),
            ("/v1/batch", vec![b' '; 512_001]),
        ];
        for (number, (path, body)) in cases.into_iter().enumerate() {
            let answer = api.answer(path, &body).await;
            assert_eq!(answer.status, 400, "case {number}: {}", answer.text());
            let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
            assert_eq!(answer["code"], "malformed");
        }
        let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
        let answer = api.answer("/v1/track", deep.as_bytes()).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let nested = json!({"userId": "1", "event": "e"}).to_string();
        let nested = nested.replacen(
            '{',
            &format!("{{\"properties\": {{\"x\": {}1{}}},", "[".repeat(10_000), "]".repeat(10_000)),
            1,
        );
        assert_eq!(api.answer("/v1/track", nested.as_bytes()).await.status, 200, "deep, and within 32 KB");
        assert_eq!(api.log().await.len(), 1);
        assert_eq!(api.refused().await, [""; 0]);
        api.served.stop().await;
    });
}

#[test]
fn limits_are_those_of_the_api() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        // A call of 32 KB is kept whole; beyond it alone is told, among others it is refused by itself.
        assert_eq!(api.answer("/v1/track", call_of(32_768, "fits").to_string().as_bytes()).await.status, 200);
        assert_eq!(api.answer("/v1/track", call_of(32_769, "over").to_string().as_bytes()).await.status, 400);
        assert_eq!(
            api.batch(&[call_of(32_768, "b-fits"), call_of(32_769, "b-over"), call_of(500, "b-small")]).await,
            1
        );
        let log = api.log().await;
        assert_eq!(log.len(), 3);
        assert!(log.iter().any(|row| row.len() > 32_600), "whole");
        // The id of a message is shorter than 100 characters.
        for (length, status) in [(99, 200), (100, 400)] {
            let call = call_of(500, &"é".repeat(length));
            assert_eq!(api.answer("/v1/track", call.to_string().as_bytes()).await.status, status, "{length}");
        }
        assert_eq!(api.refused().await, ["the call is larger than 32 KB"]);
        // 500 KB, unpacked.
        let batch: Vec<Value> = (0..15).map(|n| call_of(32_000, &format!("big-{n}"))).collect();
        let mut body = json!({ "batch": batch }).to_string();
        body.push_str(&" ".repeat(512_000 - body.len()));
        assert_eq!(api.answer("/v1/batch", body.as_bytes()).await.status, 200);
        body.push(' ');
        assert_eq!(api.answer("/v1/batch", body.as_bytes()).await.status, 400);
        assert_eq!(api.answer("/v1/batch", &gzip(body.as_bytes())).await.status, 400);
        assert_eq!(api.log().await.len(), 4 + 15);
        api.served.stop().await;
    });
}

#[test]
fn a_full_batch_is_stored_in_one_go() {
    on_both(|database| async move {
        let api = Api::start(database).await;
        let calls: Vec<Value> = (0..2_500)
            .map(|number| {
                json!({"type": "track", "userId": (number % 500).to_string(), "event": "Order Completed",
                       "messageId": format!("m-{number}"), "properties": {"total": number, "order": number}})
            })
            .collect();
        assert_eq!(api.batch(&calls).await, 0);
        assert_eq!(api.batch(&calls).await, 0);
        let counts = "SELECT CAST(COUNT(*) AS TEXT), CAST(COUNT(DISTINCT message_id) AS TEXT) FROM event_log";
        assert_eq!(api.database.rows(counts).await, ["2500 | 2500"]);
        api.served.stop().await;
    });
}
