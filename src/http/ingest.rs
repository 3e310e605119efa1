//! The ingest API: `/v1/…`.

use axum::Router;

use super::State;

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new()
}
