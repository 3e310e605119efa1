//! The report, as a page; on a listener of its own.

use axum::Router;

use super::State;

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new()
}
