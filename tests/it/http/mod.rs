//! The servers, by real HTTP.

mod ingest;
mod metrics;
mod report;
mod tracking;
mod whole_mails;

use campaignd::clock::Clock;
use campaignd::http::{Listen, Server};

use crate::support::database::on_both;
use crate::support::http::{Served, request};

#[test]
fn health_is_said_on_both_listeners_and_nothing_else_is_there() {
    on_both(|database| async move {
        let served = Served::start(&database, Clock::System).await;
        for at in [served.public, served.report] {
            for (path, status, text) in [
                ("/health", 200, "ok\n"),
                ("/ready", 200, "ready\n"),
                ("/nothing", 404, "There is no such page.\n"),
            ] {
                let answer = request(at, "GET", path, "", b"").await;
                assert_eq!((answer.status, answer.text().as_str()), (status, text), "{path}");
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
        }
        database.execute("DELETE FROM seaql_migrations WHERE version LIKE 'm20261123_000001%'").await;
        let answer = request(served.public, "GET", "/ready", "", b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (503, "the store does not answer\n"));
        served.stop().await;
    });
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = taken.local_addr().expect("an address");
    let error = Server::bind(Listen { public: None, report: Some(address) }).await.expect_err("it is taken");
    let message = error.to_string().replace(&address.to_string(), "ADDRESS");
    insta::assert_snapshot!(message, @"cannot listen on ADDRESS; another program may: stop it, or set `http: { report: … }`");
}
