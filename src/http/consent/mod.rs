//! Pages about consent: `/u/…`, where somebody leaves the marketing mail, and `/p/…`, their preferences.
//!
//! GET and HEAD ask and change nothing: link scanners and prefetching programs come along here. POST acts:
//! that of the page's form, and that of a mail program's button (RFC 8058), which has no cookie, follows no
//! redirect, and may send its form in either encoding. The same POST again has the same answer. An answer of
//! 200 means that it is in the store; from then on nobody is mailed.
//!
//! | file | what |
//! |---|---|
//! | `form` | what a POST holds |
//! | `words` | what the pages say, in each language |
//! | `html` | how they look |

mod form;
mod html;
mod words;

use axum::Router;
use axum::extract::{self, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::State;
use crate::domain::consent::{ConsentState, OwnAnswer, Purpose};
use crate::domain::delivery::DeliveryId;
use crate::domain::language::Language;
use crate::domain::name::CampaignName;
use crate::links::Claims;
use crate::store::consents::{self, Addressee, Answer};
use crate::store::{Result, StoreError};
use form::Form;
use words::Words;

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/u/{token}", get(ask_to_leave).post(leave))
        .route("/p/{token}", get(show_preferences).post(save_preferences))
}

/// A person at a page: who they are, and how they are spoken to.
struct Visit {
    delivery: DeliveryId,
    addressee: Addressee,
    language: Language,
    /// Who sends, by name.
    sender: String,
}

async fn ask_to_leave(extract::State(state): extract::State<State>, request: Parts) -> Response {
    let visit = match visit(&state, &request).await {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let words = Words::of(visit.language);
    let page = match shown(&visit) {
        None => html::erased(&words),
        Some(address) => html::ask_to_leave(&words, &address, &visit.sender),
    };
    answer(StatusCode::OK, visit.language, page)
}

async fn leave(extract::State(state): extract::State<State>, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let visit = match visit(&state, &request).await {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let words = Words::of(visit.language);
    let Some(address) = shown(&visit) else {
        return answer(StatusCode::OK, visit.language, html::erased(&words));
    };
    let form = Form::read(&request.headers, body).await;
    let one_click = form.value("List-Unsubscribe") == Some("One-Click");
    // Whoever sends something else, or nothing, has pressed a button all the same.
    let (how, question) = if one_click {
        (OwnAnswer::OneClick, None)
    } else {
        (OwnAnswer::UnsubscribePage, Some(words.question(&address, &visit.sender)))
    };
    let now = state.clock.now();
    let done = consents::unsubscribe(&state.store, visit.delivery, how, question.as_deref(), now).await;
    if let Err(error) = done {
        return not_saved(visit.language, &error);
    }
    tracing::info!(
        delivery.id = visit.delivery.0,
        run.id = visit.addressee.run.0,
        consent.source = how.word(),
        "somebody unsubscribed"
    );
    let preferences = state.links.signer().mint(Claims::Preferences(visit.delivery));
    let page = html::left(&words, &address, &visit.sender, &preferences);
    answer(StatusCode::OK, visit.language, page)
}

async fn show_preferences(extract::State(state): extract::State<State>, request: Parts) -> Response {
    match visit(&state, &request).await {
        Ok(visit) => preferences(&visit, false),
        Err(refusal) => refusal,
    }
}

async fn save_preferences(extract::State(state): extract::State<State>, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let visit = match visit(&state, &request).await {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    if visit.addressee.contact.is_none() {
        return preferences(&visit, false);
    }
    let headers = &request.headers;
    let words = Words::of(visit.language);
    let form = Form::read(&request.headers, body).await;
    let answer_to = |purpose: Purpose| {
        let state = match form.value(purpose.word())? {
            "yes" => ConsentState::Yes,
            "no" => ConsentState::No,
            _ => return None,
        };
        Some(Answer { purpose, state, words: Some(words.statement(purpose, &visit.sender)) })
    };
    let answers: Vec<_> = [Purpose::Marketing, Purpose::Tracking].into_iter().filter_map(answer_to).collect();
    if let Err(error) = consents::answer(&state.store, visit.delivery, &answers, state.clock.now()).await {
        return not_saved(visit.language, &error);
    }
    for answer in &answers {
        tracing::info!(
            delivery.id = visit.delivery.0,
            consent.purpose = answer.purpose.word(),
            consent.state = answer.state.word(),
            "somebody answered on the page of preferences"
        );
    }
    match look_up(&state, visit.delivery, headers).await {
        Ok(Some(visit)) => preferences(&visit, !answers.is_empty()),
        Ok(None) => unknown(headers),
        Err(error) => not_saved(visit.language, &error),
    }
}

fn preferences(visit: &Visit, saved: bool) -> Response {
    let words = Words::of(visit.language);
    let page = match (shown(visit), &visit.addressee.contact) {
        (Some(address), Some(contact)) => {
            let states = [contact.marketing.state, contact.tracking.state];
            let held_back = visit.addressee.held_back && states[0] == ConsentState::Yes;
            html::preferences(&words, &address, &visit.sender, states, saved, held_back)
        }
        _ => html::erased(&words),
    };
    answer(StatusCode::OK, visit.language, page)
}

/// Who stands behind the token of a request, or the answer to a token that is not one of ours.
async fn visit(state: &State, request: &Parts) -> std::result::Result<Visit, Response> {
    let path = request.uri.path();
    let token = path.rsplit('/').next().unwrap_or_default();
    let delivery = match state.links.signer().verify(token) {
        Ok(Claims::Unsubscribe(delivery)) if path.starts_with("/u/") => delivery,
        Ok(Claims::Preferences(delivery)) if path.starts_with("/p/") => delivery,
        _ => return Err(unknown(&request.headers)),
    };
    match look_up(state, delivery, &request.headers).await {
        Ok(Some(visit)) => Ok(visit),
        Ok(None) => Err(unknown(&request.headers)),
        Err(error) => Err(not_saved(asked_for(&request.headers), &error)),
    }
}

async fn look_up(state: &State, delivery: DeliveryId, headers: &HeaderMap) -> Result<Option<Visit>> {
    let Some(addressee) = consents::addressee(&state.store, delivery).await? else { return Ok(None) };
    let known = addressee.contact.as_ref().and_then(|contact| contact.language.as_deref());
    let language = known.and_then(Language::of).unwrap_or_else(|| asked_for(headers));
    let sender = sender(state, &addressee.campaign);
    Ok(Some(Visit { delivery, addressee, language, sender }))
}

/// The name of who sends a campaign. One that is not declared any more has none: then that of another.
fn sender(state: &State, campaign: &str) -> String {
    let catalogue = state.catalogue.borrow();
    let declared = CampaignName::parse(campaign).ok().and_then(|name| catalogue.campaigns.get(&name));
    let from = declared.or_else(|| catalogue.campaigns.values().next()).map(|campaign| &campaign.from);
    let name = from.map(|from| from.name.clone().unwrap_or_else(|| from.address.domain().to_owned()));
    name.unwrap_or_default()
}

/// The address, so that its owner knows it again and a stranger does not learn it: `m…@example.org`.
fn shown(visit: &Visit) -> Option<String> {
    let (local, domain) = visit.addressee.address.as_deref()?.rsplit_once('@')?;
    Some(format!("{}…@{domain}", local.chars().next()?))
}

/// The first language of `Accept-Language` that the pages speak.
fn asked_for(headers: &HeaderMap) -> Language {
    let listed =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut tags = listed.split(',').filter_map(|item| item.split(';').next()).map(str::trim);
    tags.find_map(Language::of).unwrap_or(Language::English)
}

/// The same for what was altered, cut off, made up, or belongs to nobody.
fn unknown(headers: &HeaderMap) -> Response {
    let language = asked_for(headers);
    answer(StatusCode::NOT_FOUND, language, html::unknown(&Words::of(language)))
}

fn not_saved(language: Language, error: &StoreError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "a page about consent could not be answered");
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, language, html::later(&Words::of(language)));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

fn answer(status: StatusCode, language: Language, page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // The address of the page is a key: it goes to nobody else.
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
    ];
    (status, headers, page).into_response()
}

/// No script, no image, no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";
