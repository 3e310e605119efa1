//! Pixels and links: `/o/…` and `/c/…`. A hit is in the spool before its answer is sent; neither answer
//! needs a transaction of the database.
//!
//! A reader must not pay for our troubles: when the spool cannot be written, a link still leads on; a pixel
//! says so, since nobody looks at it.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{self, ConnectInfo, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::redirects::Redirect;
use super::{State, facts, page};
use crate::domain::engagement::{EngagementKind, Hit, HitSubject};
use crate::domain::link::LinkNumber;
use crate::links::{Claims, Subject};
use crate::store::links;

/// One transparent point: the smallest GIF that every program shows (`GIF89a`, 43 bytes).
const PIXEL: &[u8; 43] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new().route("/o/{token}", get(open)).route("/c/{token}", get(click))
}

async fn open(extract::State(state): extract::State<State>, request: Request) -> Response {
    let Ok(Claims::Open(subject)) = state.links.signer().verify(token(&request)) else {
        return page::not_found().await;
    };
    let hit = hit(&state, EngagementKind::Opened, subject, LinkNumber(0), &request);
    match state.spool.append(&hit).await {
        Ok(()) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("image/gif")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, PIXEL.as_slice()).into_response()
        }
        Err(_) => page::later("This request could not be recorded.\n"),
    }
}

async fn click(extract::State(state): extract::State<State>, request: Request) -> Response {
    let Ok(Claims::Click(subject, number)) = state.links.signer().verify(token(&request)) else {
        return page::not_found().await;
    };
    // What was lost is logged by the spool; the reader gets where they wanted to go.
    let hit = hit(&state, EngagementKind::Clicked, subject, number, &request);
    let _ = state.spool.append(&hit).await;
    let redirect = match lead(&state, number).await {
        Ok(redirect) => redirect,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a link could not be looked up");
            return page::later("This link cannot be followed at the moment. Please try again.\n");
        }
    };
    // The token of a delivery was signed for that mail and this link; that of a run says which run.
    let is_of_the_mail = |redirect: &Redirect| match subject {
        Subject::Delivery(_) => true,
        Subject::Run(run) => redirect.run == run,
    };
    match redirect.filter(is_of_the_mail) {
        Some(redirect) => {
            let headers = [
                (header::LOCATION, redirect.location),
                (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (StatusCode::FOUND, headers).into_response()
        }
        None => page::not_found().await,
    }
}

/// What stands behind the last slash, as it is: an escape stands in none of our tokens.
fn token(request: &Request) -> &str {
    request.uri().path().rsplit('/').next().unwrap_or_default()
}

/// What is kept of a request.
fn hit(state: &State, kind: EngagementKind, subject: Subject, link: LinkNumber, request: &Request) -> Hit {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let subject = match subject {
        Subject::Delivery(delivery) => HitSubject::Delivery(delivery),
        Subject::Run(run) => HitSubject::Run(run),
    };
    let (at, request) = (state.clock.now(), facts::of(request, peer));
    Hit { kind, subject, link: link.0, at, request }
}

/// Where a link leads: from memory while that is fresh, else from the table of links; from memory again
/// while the database is away.
async fn lead(state: &State, number: LinkNumber) -> crate::store::Result<Option<Redirect>> {
    let now = state.clock.now();
    let known = state.redirects.get(number);
    if known.as_ref().is_some_and(|redirect| redirect.is_fresh(now)) {
        return Ok(known);
    }
    match links::by_number(&state.store, number).await {
        Ok(Some(link)) => Ok(state.redirects.insert(number, &link, now)),
        Ok(None) => {
            state.redirects.remove(number);
            Ok(None)
        }
        Err(error) => known.map(Some).ok_or(error),
    }
}
