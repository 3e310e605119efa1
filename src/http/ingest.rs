//! The ingest API: `/v1/…`, as clients of the Segment and `RudderStack` APIs speak it.
//!
//! | answer | when |
//! |---|---|
//! | 200 | the calls are stored; those that cannot be are listed by `campaignd key rejects` |
//! | 400 | the request is no JSON, or larger than the limits; repeating it would not help |
//! | 401 | the key is not known, or revoked; nothing is stored |
//! | 408 | the request did not arrive in time |
//! | 503 | the store cannot be written now; the same request is welcome later |
//!
//! Clients repeat what gets 408, 503 or no answer, and drop what gets any other 4xx.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{State, page};
use crate::domain::catalogue::Catalogue;
use crate::ingest::api::body::LARGEST_REQUEST;
use crate::ingest::api::{Kind, Malformed, NotWritten, Reader, Request, Writer};
use crate::store::Store;
use crate::store::write_keys::{self, WriteKey};

/// So long a request may take to arrive.
const WITHIN: Duration = Duration::from_secs(30);

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new().route("/v1/{kind}", post(take))
}

/// What the API needs beside the store.
#[derive(Debug, Clone)]
pub struct Calls {
    writer: Writer,
    reader: Arc<Mutex<Option<MadeReader>>>,
}

/// A reader, and the catalogue that it was made from.
type MadeReader = (Arc<Catalogue>, Arc<Reader>);

impl Calls {
    /// Starts the writing, on the runtime of the caller; it ends with the last clone.
    pub fn start(store: Store) -> Self {
        Self { writer: Writer::start(store), reader: Arc::default() }
    }

    fn reader(&self, catalogue: &Arc<Catalogue>) -> Arc<Reader> {
        let mut kept = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, reader)) if Arc::ptr_eq(of, catalogue) => Arc::clone(reader),
            _ => {
                let reader = Arc::new(Reader::new(catalogue));
                *kept = Some((Arc::clone(catalogue), Arc::clone(&reader)));
                reader
            }
        }
    }
}

/// Why nothing was stored.
enum Refused {
    Malformed(Malformed),
    NoPath,
    Key,
    Slow,
    Later,
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<NotWritten> for Refused {
    fn from(_: NotWritten) -> Self {
        Self::Later
    }
}

async fn take(
    extract::State(state): extract::State<State>,
    extract::Path(kind): extract::Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match store(&state, &kind, &headers, body).await {
        Ok(refused) => answer(StatusCode::OK, json!({ "success": true, "refused": refused })),
        Err(refused) => refuse(&refused).await,
    }
}

/// Stores a request; says how many of its calls were refused.
async fn store(state: &State, kind: &str, headers: &HeaderMap, body: Body) -> Result<usize, Refused> {
    let kind = Kind::named(kind).ok_or(Refused::NoPath)?;
    let received = state.clock.now();
    let body = tokio::time::timeout(WITHIN, to_bytes(body, LARGEST_REQUEST)).await;
    let body = body.map_err(|_| Refused::Slow)?.map_err(|_| Malformed::TooLarge)?;
    // A key in the headers is looked at first: who has none is told so before anything is unpacked.
    let mut key = match key_of(headers) {
        Some(key) => Some(known(state, &key).await?),
        None => None,
    };
    let catalogue = Arc::clone(&state.catalogue.borrow());
    let reader = state.calls.reader(&catalogue);
    let read = tokio::task::spawn_blocking(move || {
        let request = Request::read(kind, &body)?;
        let parcel = reader.read(&request, received);
        Ok::<_, Malformed>((request.write_key, parcel))
    });
    let (key_in_body, parcel) = read.await.map_err(|_| Refused::Later)??;
    if key.is_none() {
        key = Some(known(state, &key_in_body.ok_or(Refused::Key)?).await?);
    }
    let parcel = parcel?;
    let refused = parcel.refusals.len();
    let key = key.ok_or(Refused::Key)?;
    state.calls.writer.store(parcel, key, received).await?;
    Ok(refused)
}

/// The user name of basic authentication (RFC 7617).
fn key_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let user = credentials.split_once(':').map_or(credentials.as_str(), |(user, _)| user);
    Some(user.to_owned()).filter(|user| !user.is_empty())
}

async fn known(state: &State, key: &str) -> Result<WriteKey, Refused> {
    match write_keys::find(&state.store, key).await {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(Refused::Key),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a write key could not be looked up");
            Err(Refused::Later)
        }
    }
}

/// Clients read `code` and `message`: one of them stumbles over JSON without these.
async fn refuse(refused: &Refused) -> Response {
    let (status, code, message) = match refused {
        Refused::NoPath => return page::not_found().await,
        Refused::Malformed(malformed) => (StatusCode::BAD_REQUEST, "malformed", malformed.to_string()),
        Refused::Key => (
            StatusCode::UNAUTHORIZED,
            "unknown_key",
            "the write key is not known or was revoked; `campaignd key create NAME` makes one".to_owned(),
        ),
        Refused::Slow => {
            (StatusCode::REQUEST_TIMEOUT, "slow", "the request did not arrive within 30 seconds".to_owned())
        }
        Refused::Later => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the store cannot be written now; send the same request again".to_owned(),
        ),
    };
    let mut response = answer(status, json!({ "code": code, "message": message }));
    let headers = response.headers_mut();
    match refused {
        Refused::Key => {
            let scheme = HeaderValue::from_static("Basic realm=\"write key\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        Refused::Later => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    response
}

#[expect(clippy::needless_pass_by_value, reason = "a value made for it")]
fn answer(status: StatusCode, body: serde_json::Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body.to_string()).into_response()
}
