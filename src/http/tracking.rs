//! Pixels and links: `/o/…` and `/c/…`. A hit is in the spool before its answer is sent; neither answer
//! needs a transaction of the database. They are the bulk of all requests and have one form, so they are told
//! by their path, before the router.
//!
//! A reader must not pay for our troubles: when the spool cannot be written, a link still leads on; a pixel
//! says so, since nobody looks at it.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;

use super::redirects::Redirect;
use super::{State, facts, page};
use crate::domain::engagement::{EngagementKind, Hit, HitSubject};
use crate::domain::link::LinkNumber;
use crate::domain::time::Timestamp;
use crate::links::{Claims, Subject};
use crate::store::links;

/// One transparent point: the smallest GIF that every program shows (`GIF89a`, 43 bytes).
const PIXEL: &[u8; 43] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// What a path asks for, by a token: all that stands behind the second slash. An escape stands in none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked<'p> {
    Open(&'p str),
    Click(&'p str),
}

impl<'p> Asked<'p> {
    /// `None`: neither a pixel nor a link.
    pub(super) fn by(path: &'p str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if let Some(token) = path.strip_prefix("o/") {
            return Some(Self::Open(token));
        }
        path.strip_prefix("c/").map(Self::Click)
    }
}

/// Answers a request that came from `peer`.
pub(super) async fn answer<B>(
    state: &State,
    request: &Request<B>,
    asked: Asked<'_>,
    peer: SocketAddr,
) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allowed = [(header::ALLOW, HeaderValue::from_static("GET,HEAD"))];
        return with(StatusCode::METHOD_NOT_ALLOWED, allowed, Body::empty());
    }
    match asked {
        Asked::Open(token) => open(state, request, token, peer).await,
        Asked::Click(token) => click(state, request, token, peer).await,
    }
}

async fn open<B>(state: &State, request: &Request<B>, token: &str, peer: SocketAddr) -> Response {
    let Ok(Claims::Open(subject)) = state.links.signer().verify(token) else {
        return page::not_found().await;
    };
    let hit = hit(state, EngagementKind::Opened, subject, LinkNumber(0), request, peer);
    if state.spool.append(&hit).await.is_err() {
        return page::later("This request could not be recorded.\n");
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/gif")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    with(StatusCode::OK, headers, Bytes::from_static(PIXEL).into())
}

async fn click<B>(state: &State, request: &Request<B>, token: &str, peer: SocketAddr) -> Response {
    let Ok(Claims::Click(subject, number)) = state.links.signer().verify(token) else {
        return page::not_found().await;
    };
    // What was lost is logged by the spool; the reader gets where they wanted to go.
    let hit = hit(state, EngagementKind::Clicked, subject, number, request, peer);
    let _ = state.spool.append(&hit).await;
    let redirect = match lead(state, number, hit.at).await {
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
            with(StatusCode::FOUND, headers, Body::empty())
        }
        None => page::not_found().await,
    }
}

fn with<const N: usize>(status: StatusCode, headers: [(HeaderName, HeaderValue); N], body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}

/// What is kept of a request.
fn hit<'r, B>(
    state: &State,
    kind: EngagementKind,
    subject: Subject,
    link: LinkNumber,
    request: &'r Request<B>,
    peer: SocketAddr,
) -> Hit<Cow<'r, str>> {
    let subject = match subject {
        Subject::Delivery(delivery) => HitSubject::Delivery(delivery),
        Subject::Run(run) => HitSubject::Run(run),
    };
    let (at, request) = (state.clock.now(), facts::of(request, peer));
    Hit { kind, subject, link: link.0, at, request }
}

/// Where a link leads: from memory while that is fresh, else from the table of links; from memory again
/// while the database is away.
async fn lead(state: &State, number: LinkNumber, now: Timestamp) -> crate::store::Result<Option<Redirect>> {
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
