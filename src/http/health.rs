//! `/health`: the process answers. `/ready`: its store answers too.

use axum::Router;
use axum::extract;
use axum::http::StatusCode;
use axum::routing::get;

use super::State;
use super::page::plain;

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new().route("/health", get(async || plain(StatusCode::OK, "ok\n"))).route("/ready", get(ready))
}

async fn ready(extract::State(state): extract::State<State>) -> axum::response::Response {
    match state.store.require_migrated().await {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready: the store does not answer");
            plain(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
