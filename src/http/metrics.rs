//! `/metrics`, in the text format of Prometheus (version 0.0.4): whether the store can be written, and what waits.
//!
//! A store that does not answer leaves out what only it knows: what this process knows is said all the same.

use std::fmt::Write as _;

use axum::Router;
use axum::extract;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::State;
use crate::domain::delivery::WaitReason;
use crate::store::figures::{self, Totals, Waiting};
use crate::store::{Result, Writing};

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(extract::State(state): extract::State<State>) -> Response {
    let mut page = Page::default();
    page.metric("campaignd_build_info", "gauge", "The version of the program.");
    page.sample("campaignd_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1");
    writing(&mut page, &state.store.writing());
    let figures = figures(&state).await;
    page.metric("campaignd_store_answers", "gauge", "Whether the database could be read for this page.");
    page.sample("campaignd_store_answers", &[], if figures.is_ok() { "1" } else { "0" });
    match figures {
        Ok((totals, waits)) => {
            count(&mut page, totals);
            waiting(&mut page, &waits);
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "metrics lack what only the store knows"
            );
        }
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, page.0).into_response()
}

async fn figures(state: &State) -> Result<(Totals, Vec<Waiting>)> {
    Ok((figures::totals(&state.store).await?, figures::waiting(&state.store, state.clock.now()).await?))
}

/// Whether this process can write, and since when and why not.
fn writing(page: &mut Page, writing: &Writing) {
    let name = "campaignd_store_writable";
    page.metric(name, "gauge", "Whether the last sign of life could be written to the database.");
    page.sample(name, &[], if writing.failing.is_none() { "1" } else { "0" });
    if let Some(at) = writing.succeeded_at {
        let name = "campaignd_store_last_write_timestamp_seconds";
        page.metric(name, "gauge", "When a sign of life was last written.");
        page.sample(name, &[], seconds(at.micros()));
    }
    if let Some(failing) = &writing.failing {
        let name = "campaignd_store_unwritable_since_timestamp_seconds";
        page.metric(name, "gauge", "Since when nothing can be written; the cause is what the database says.");
        page.sample(name, &[("cause", &failing.cause)], seconds(failing.since.micros()));
    }
}

fn count(page: &mut Page, totals: Totals) {
    let all = [
        ("campaignd_contacts", "Contacts.", totals.contacts),
        ("campaignd_events", "Events in the log.", totals.events),
        ("campaignd_runs", "Runs of campaigns.", totals.runs),
        ("campaignd_deliveries", "Deliveries in the ledger.", totals.deliveries),
        (
            "campaignd_deliveries_uncertain",
            "Deliveries of which nobody knows whether they were accepted.",
            totals.uncertain,
        ),
        ("campaignd_suppressed_addresses", "Suppressed addresses.", totals.suppressions),
    ];
    for (name, help, count) in all {
        page.metric(name, "gauge", help);
        page.sample(name, &[], count);
    }
}

fn waiting(page: &mut Page, waiting: &[Waiting]) {
    let name = "campaignd_deliveries_waiting";
    page.metric(name, "gauge", "Deliveries of a run that wait, and for what.");
    for rows in waiting {
        let run = rows.run.0.to_string();
        let reason = rows.wait.map_or("turn", WaitReason::word);
        page.sample(name, &[("run", &run), ("for", reason)], rows.count);
    }
}

/// Microseconds as seconds, to the last digit.
fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

/// A page in the text format.
#[derive(Debug, Default)]
struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

/// A label's value: backslash, quote and line end are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
