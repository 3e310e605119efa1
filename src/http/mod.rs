//! The HTTP servers: pixels and links, pages about consent, the ingest API, health, the report, metrics.
//!
//! ```text
//! public listener    /o /c   /u /p    /v1     /health /ready
//! report listener    /       /metrics /health /ready (never on the public one)
//! ```
//!
//! | file | what it serves |
//! |---|---|
//! | [`server`] | the listeners: bound first, then served until they are told to stop |
//! | [`state`](State) | what handlers may use |
//! | `tracking` `facts` `redirects` | `/o/…`, `/c/…` |
//! | `consent` | `/u/…`, `/p/…` |
//! | `ingest` | `/v1/…` |
//! | `health` | `/health`, `/ready` |
//! | `report` | the report, on its own listener |
//! | `metrics` | `/metrics`, beside the report |
//!
//! A handler reads a request into values of `domain`, calls who does the work, and turns the result
//! into a page or JSON. It knows no SQL and renders no mail. No log line holds an address, a token or
//! a query.

mod consent;
mod facts;
mod health;
mod ingest;
mod metrics;
mod page;
mod redirects;
mod report;
pub mod server;
mod state;
mod tracking;

use axum::Router;

pub use ingest::Calls;
pub use redirects::Redirects;
pub use report::Reports;
pub use server::{HttpError, Listen, Server, serve_router};
pub use state::{Parts, State};

/// What the whole world may ask for, beside pixels and links.
fn public() -> Router<State> {
    Router::new()
        .merge(consent::routes())
        .merge(ingest::routes())
        .merge(health::routes())
        .fallback(page::not_found)
}

/// What only those may ask for who reach the report's listener.
fn private() -> Router<State> {
    Router::new()
        .merge(report::routes())
        .merge(metrics::routes())
        .merge(health::routes())
        .fallback(page::not_found)
}
