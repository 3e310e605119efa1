//! Pages about consent: `/u/…` and `/p/…`.

use axum::Router;

use super::State;

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new()
}
