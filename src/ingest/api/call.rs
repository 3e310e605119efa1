//! One call to what is kept of it.

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::body::{Kind, LARGEST_CALL, Malformed, Request, instant};
use super::moment::{FUTURE, moment};
use super::properties::{self, Members, members};
use super::traits;
use crate::domain::catalogue::Catalogue;
use crate::domain::event::MAIL_EVENTS;
use crate::domain::time::Timestamp;
use crate::ingest::contact_row::identifier;
use crate::ingest::options::ImportOptions;
use crate::ingest::reason::Reason;
use crate::ingest::vocabulary::{EventFields, Vocabulary};
use crate::store::arrivals::{Arrival, Parcel};
use crate::store::refusals::Refusal;

/// `messageId` must be shorter: a limit of the Segment API.
const MESSAGE_ID: usize = 100;
/// Of a call that is too large, so many characters are shown.
const SHOWN: usize = 1_000;

/// The events that calls without a name of their own become.
const IDENTIFY: &str = "identify";
const PAGE: &str = "page_view";
const SCREEN: &str = "screen_view";
const GROUP: &str = "group";
const ALIAS: &str = "alias";

/// Reads calls by what is declared.
#[derive(Debug)]
pub struct Reader {
    vocabulary: Vocabulary,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Kept,
    BeyondLimit,
    Refused,
}

/// Why a call cannot be kept.
enum Stop {
    /// A limit of the API.
    Limit(Reason),
    /// Anything else.
    Other(Reason),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Other(reason)
    }
}

/// Where a call stands: beside it, what was said of all calls of the request.
struct Surroundings<'a> {
    context: Members<'a>,
    sent: Option<Timestamp>,
    received: Timestamp,
}

impl Reader {
    /// A reader for a catalogue; names that are not in it are kept as they are.
    pub fn new(catalogue: &Catalogue) -> Self {
        // Neither zone nor time of the options is used: calls bring their own.
        let options = ImportOptions::new(chrono_tz::UTC, Timestamp::from_micros(0));
        Self { vocabulary: Vocabulary::new(catalogue, &options) }
    }

    /// Reads all calls of a request that came in at `received`. `Err`: nothing of it can be kept, because
    /// each call is beyond a limit.
    pub fn read(&self, request: &Request, received: Timestamp) -> Result<Parcel, Malformed> {
        let surroundings = Surroundings {
            context: members(request.context.as_deref().as_ref()),
            sent: request.sent_at,
            received,
        };
        let kind = Some(request.kind).filter(|kind| *kind != Kind::Batch);
        let mut parcel = Parcel::default();
        let mut beyond_limits = 0;
        for raw in &request.calls {
            let taken = self.take(kind, raw, &surroundings, &mut parcel);
            beyond_limits += usize::from(taken == Taken::BeyondLimit);
        }
        if beyond_limits > 0 && beyond_limits == request.calls.len() {
            return Err(Malformed::CallTooLarge);
        }
        Ok(parcel)
    }

    fn take(
        &self,
        kind: Option<Kind>,
        raw: &RawValue,
        surroundings: &Surroundings<'_>,
        parcel: &mut Parcel,
    ) -> Taken {
        let call: Members<'_> = members(Some(&raw));
        let named = Named::read(&call);
        let mut problems = Vec::new();
        let (mut user, mut anonymous) = (None, None);
        let taken = match named {
            Err(reason) => Err(Stop::Other(reason)),
            Ok(named) => {
                (user, anonymous) = (named.user.clone(), named.anonymous.clone());
                self.arrival(kind, raw, &call, named, surroundings, &mut problems)
            }
        };
        let taken = match taken {
            Ok(arrival) => {
                parcel.arrivals.push(arrival);
                Taken::Kept
            }
            Err(Stop::Limit(reason)) => {
                problems.push(reason);
                Taken::BeyondLimit
            }
            Err(Stop::Other(reason)) => {
                problems.push(reason);
                Taken::Refused
            }
        };
        parcel.refusals.extend(problems.into_iter().map(|reason| Refusal {
            reason: reason.to_string(),
            kind: reason.kind.into_owned(),
            external_id: user.clone(),
            email: None,
            anonymous_id: anonymous.clone(),
            message_id: call.get("messageId").and_then(|raw| scalar(raw)),
            payload: shown(raw.get()),
        }));
        taken
    }

    fn arrival(
        &self,
        kind: Option<Kind>,
        raw: &RawValue,
        call: &Members<'_>,
        named: Named,
        surroundings: &Surroundings<'_>,
        problems: &mut Vec<Reason>,
    ) -> Result<Arrival, Stop> {
        if raw.get().len() > LARGEST_CALL {
            return Err(Stop::Limit(Reason::of("the call is larger than 32 KB")));
        }
        if !raw.get().starts_with('{') {
            return Err(Reason::of("the call is no JSON object").into());
        }
        let message_id = message_id(call)?;
        let kind = match kind {
            Some(kind) => kind,
            None => kind_of(call)?,
        };
        let own_context = members(call.get("context"));
        let mut traits = members(own_context.get("traits"));
        traits.extend(members(call.get("traits")));
        let context = properties::context(own_context, surroundings.context.clone());
        let at = at(call, surroundings, problems)?;

        let given = |name| members(call.get(name));
        let (name, kept, more) = match kind {
            Kind::Track => (event_name(call)?, given("properties"), [None, None]),
            Kind::Page => (PAGE.to_owned(), given("properties"), [Some("name"), Some("category")]),
            Kind::Screen => (SCREEN.to_owned(), given("properties"), [Some("name"), Some("category")]),
            Kind::Group => (GROUP.to_owned(), given("traits"), [Some("groupId"), None]),
            Kind::Alias => (ALIAS.to_owned(), given("properties"), [Some("previousId"), None]),
            Kind::Identify => (IDENTIFY.to_owned(), traits.clone(), [None, None]),
            // A batch in a batch has no type of its own and was refused.
            Kind::Batch => return Err(Reason::of("`type` is none of the API").into()),
        };
        let declared: Option<&Arc<EventFields>> = self.vocabulary.event(&name);
        let more: Vec<_> = more.into_iter().flatten().map(|name| (name, call.get(name))).collect();
        let properties = properties::kept(&kept, &more, &context, declared.map(|declared| &**declared));
        let name = declared.map_or(name, |declared| declared.wire_name.clone());

        let (mut email, mut facts) = (None, None);
        if kind == Kind::Identify {
            let said = traits::read(&traits, &self.vocabulary, surroundings.received);
            problems.extend(said.problems);
            (email, facts) = (said.email, Some(said.facts));
        }
        if named.user.is_none() && named.anonymous.is_none() && email.is_none() {
            return Err(Reason::of("the call names nobody: it has neither `userId` nor `anonymousId`").into());
        }
        let previous_id = if kind == Kind::Alias { identity(call, "previousId")? } else { None };
        Ok(Arrival {
            external_id: named.user,
            email,
            anonymous_id: named.anonymous,
            previous_id,
            name,
            at,
            message_id,
            properties,
            facts,
            payload: raw.get().to_owned(),
        })
    }
}

/// Whom a call names.
struct Named {
    user: Option<String>,
    anonymous: Option<String>,
}

impl Named {
    fn read(call: &Members<'_>) -> Result<Self, Reason> {
        Ok(Self { user: identity(call, "userId")?, anonymous: identity(call, "anonymousId")? })
    }
}

fn identity(call: &Members<'_>, name: &str) -> Result<Option<String>, Reason> {
    let Some(raw) = call.get(name).filter(|raw| raw.get() != "null") else { return Ok(None) };
    let Some(text) = scalar(raw) else {
        return Err(Reason::with(format!("`{name}` is neither a text nor a number"), raw.get()));
    };
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { identifier(text, name).map(Some) }
}

/// A text, or a number or boolean as text.
pub(super) fn scalar(raw: &RawValue) -> Option<String> {
    match traits::value(raw) {
        Value::String(text) => Some(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

fn message_id(call: &Members<'_>) -> Result<Option<String>, Stop> {
    let Some(text) = call.get("messageId").and_then(|raw| scalar(raw)) else { return Ok(None) };
    if text.chars().count() >= MESSAGE_ID {
        return Err(Stop::Limit(Reason::with("`messageId` has 100 characters or more", &text)));
    }
    if text.is_empty() {
        return Ok(None);
    }
    // The daemon's own events have ids such as `email_sent:12`.
    if text.split_once(':').is_some_and(|(name, _)| MAIL_EVENTS.contains(&name)) {
        return Err(Reason::with("`messageId` is one of the daemon's own", &text).into());
    }
    identifier(&text, "messageId").map(Some).map_err(Stop::Other)
}

fn kind_of(call: &Members<'_>) -> Result<Kind, Reason> {
    let Some(word) = call.get("type").and_then(|raw| scalar(raw)) else {
        return Err(Reason::of("`type` is missing"));
    };
    Kind::named(&word)
        .filter(|kind| *kind != Kind::Batch)
        .ok_or_else(|| Reason::with("`type` is none of identify, track, page, screen, group, alias", &word))
}

fn event_name(call: &Members<'_>) -> Result<String, Reason> {
    let name = call.get("event").and_then(|raw| scalar(raw)).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        return Err(Reason::of("`event` is missing"));
    }
    if MAIL_EVENTS.contains(&name) {
        return Err(Reason::with("`event` is one that only the daemon records", name));
    }
    identifier(name, "event")
}

/// When it happened. A time that cannot be read is as good as none: the event is kept.
fn at(
    call: &Members<'_>,
    surroundings: &Surroundings<'_>,
    problems: &mut Vec<Reason>,
) -> Result<Timestamp, Reason> {
    let mut time = |name: &str| {
        let raw = call.get(name).filter(|raw| raw.get() != "null")?;
        let at = scalar(raw).as_deref().and_then(instant);
        if at.is_none() {
            let kind = format!(
                "`{name}` is no time such as 2026-03-29T09:30:00Z: the event counts from its arrival"
            );
            problems.push(Reason::with(kind, raw.get()));
        }
        at
    };
    let stamped = time("originalTimestamp").or_else(|| time("timestamp"));
    let sent = surroundings.sent.or_else(|| call.get("sentAt").and_then(|raw| instant(&scalar(raw)?)));
    let at = moment(stamped, sent, surroundings.received);
    if at > surroundings.received.plus(FUTURE) {
        return Err(Reason::with("the event is more than 24 hours in the future", &at.to_string()));
    }
    Ok(at)
}

fn shown(payload: &str) -> String {
    if payload.len() <= LARGEST_CALL {
        return payload.to_owned();
    }
    let start: String = payload.chars().take(SHOWN).collect();
    format!("{start}…")
}
