//! All that is held on one contact, table by table: for people who ask what is known of them.

use std::convert::Infallible;

use sea_orm::FromQueryResult;

use super::histories::{self, ContactVisitor, VisitError};
use super::statement::{query_as, query_column, values};
use super::{Result, Store, events};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::event::EventNameId;
use crate::domain::history::{ContactPart, EventNeed, History, Needs};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// A mail to the contact, or the reason why there was none.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct MailRow {
    /// The delivery.
    pub delivery: i64,
    /// Its run.
    pub run: i64,
    /// Its campaign.
    pub campaign: String,
    /// When the run was due, in microseconds since 1970.
    pub due_at: i64,
    /// The label of its version.
    pub version: Option<String>,
    /// The address, in lower case.
    pub address: Option<String>,
    /// The word of its state.
    pub state: String,
    /// The word of why it was skipped or refused.
    pub reason: Option<String>,
    /// How it was tracked.
    pub tracking: Option<String>,
    /// When it came to its end.
    pub settled_at: Option<i64>,
    /// What the server said.
    pub reply_text: Option<String>,
}

/// A row of the send ledger, with what is to be said of its run.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct LedgerRow {
    /// The delivery.
    pub delivery: i64,
    /// Its run.
    pub run: i64,
    /// When the run was due, in microseconds since 1970.
    pub due_at: i64,
    /// The word of what made the run.
    pub made_by: String,
    /// What people are told of the run.
    pub note: Option<String>,
    /// The label of its version.
    pub version: Option<String>,
    /// The address, in lower case.
    pub address: Option<String>,
    /// The word of its state.
    pub state: String,
    /// The word of why it was skipped or refused.
    pub reason: Option<String>,
    /// The word of what it waits for.
    pub wait: Option<String>,
    /// Not before this.
    pub not_before: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// How it was tracked.
    pub tracking: Option<String>,
    /// When it came to its end.
    pub settled_at: Option<i64>,
    /// What the server said.
    pub reply_text: Option<String>,
}

/// An open or a click, as it is read now.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct EngagementRow {
    /// Of which mail.
    pub delivery: i64,
    /// `opened` or `clicked`.
    pub kind: String,
    /// The address of the link, as far as it is known.
    pub url: Option<String>,
    /// By whom: `human`, `machine`, `unknown`.
    pub agent: String,
    /// The rule that says so.
    pub rule: String,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// A request that a mail caused: evidence.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct HitRow {
    /// Of which mail.
    pub delivery: i64,
    /// `opened` or `clicked`.
    pub kind: String,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What the program called itself.
    pub user_agent: Option<String>,
    /// The network that it came from.
    pub network: Option<String>,
    /// The languages that it asked for.
    pub accept_language: Option<String>,
    /// How it was read.
    pub agent: Option<String>,
}

/// Something that the contact did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastEvent {
    /// Its number in the log.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Its name on the wire.
    pub name: String,
    /// A JSON object, or empty.
    pub properties: String,
}

/// The numbers of a contact, `$1`: in a run in which two were who became one, the former number stays.
const NUMBERS: &str = "(SELECT CAST($1 AS BIGINT) AS number
    UNION ALL SELECT former FROM contact_merges WHERE contact = $1) AS n";

/// All mails, latest first. Run by run: no index leads from a contact to its skipped rows.
pub async fn mails(store: &Store, contact: ContactId) -> Result<Vec<MailRow>> {
    let text = format!(
        "SELECT d.id AS delivery, d.run, r.campaign, r.due_at, d.version, d.address, d.state, d.reason,
            d.tracking, d.settled_at, d.reply_text
        FROM runs r CROSS JOIN {NUMBERS} JOIN deliveries d ON d.run = r.id AND d.contact = n.number
        ORDER BY r.due_at DESC, d.id DESC"
    );
    query_as(&store.database, "read a contact's mails", &text, values![contact.0]).await
}

/// What the ledger has of a contact and one campaign, latest first; at most 50 rows.
pub async fn ledger_rows(
    store: &Store,
    contact: ContactId,
    campaign: &CampaignName,
) -> Result<Vec<LedgerRow>> {
    let text = format!(
        "SELECT d.id AS delivery, d.run, r.due_at, r.made_by, r.note, d.version, d.address, d.state, d.reason,
            d.wait, d.not_before, d.attempts, d.tracking, d.settled_at, d.reply_text
        FROM runs r CROSS JOIN {NUMBERS} JOIN deliveries d ON d.run = r.id AND d.contact = n.number
        WHERE r.campaign = $2 ORDER BY r.due_at DESC, d.id DESC LIMIT 50"
    );
    let given = values![contact.0, campaign.as_str()];
    query_as(&store.database, "read what the ledger has of a contact", &text, given).await
}

/// Opens and clicks, latest first.
pub async fn engagements(store: &Store, contact: ContactId) -> Result<Vec<EngagementRow>> {
    let text = format!(
        "SELECT e.delivery, e.kind, l.url, e.agent, e.rule, e.at
        FROM runs r CROSS JOIN {NUMBERS} JOIN deliveries d ON d.run = r.id AND d.contact = n.number
          JOIN engagements e ON e.delivery = d.id LEFT JOIN links l ON l.number = e.link
        ORDER BY e.at DESC, e.delivery, e.link"
    );
    query_as(&store.database, "read a contact's opens and clicks", &text, values![contact.0]).await
}

/// The evidence, latest first.
pub async fn hits(store: &Store, contact: ContactId) -> Result<Vec<HitRow>> {
    let text = format!(
        "SELECT h.delivery, h.kind, h.at, h.user_agent, h.network, h.accept_language, h.agent
        FROM runs r CROSS JOIN {NUMBERS} JOIN deliveries d ON d.run = r.id AND d.contact = n.number
          JOIN hits h ON h.delivery = d.id
        ORDER BY h.at DESC, h.file, h.place"
    );
    query_as(&store.database, "read the requests of a contact's mails", &text, values![contact.0]).await
}

/// The devices that are theirs.
pub async fn anonymous_ids(store: &Store, contact: ContactId) -> Result<Vec<String>> {
    let text = "SELECT anonymous_id FROM anonymous_ids WHERE contact = $1 ORDER BY anonymous_id";
    query_column(&store.database, "read a contact's anonymous ids", text, values![contact.0]).await
}

/// All events, latest first.
pub async fn events(store: &Store, contact: ContactId) -> Result<Vec<PastEvent>> {
    let mut names: Vec<(EventNameId, String)> =
        events::names(store).await?.into_iter().map(|(name, id)| (id, name)).collect();
    names.sort_unstable();
    let everything = |id: EventNameId| EventNeed {
        name: id,
        since: Timestamp::from_micros(i64::MIN),
        properties_since: Some(Timestamp::from_micros(i64::MIN)),
    };
    let needs =
        Needs { contact: ContactPart::Whole, events: names.iter().map(|(id, _)| everything(*id)).collect() };
    let reader = Reader { names, events: Vec::new() };
    let read = histories::visit_some(store, &[contact], &needs, reader).await;
    let mut reader = read.map_err(|error| match error {
        VisitError::Store(error) => error,
        VisitError::Visitor(never) => match never {},
    })?;
    reader.events.sort_unstable_by_key(|event| std::cmp::Reverse((event.at, event.number)));
    Ok(reader.events)
}

struct Reader {
    names: Vec<(EventNameId, String)>,
    events: Vec<PastEvent>,
}

impl ContactVisitor for Reader {
    type Error = Infallible;

    fn visit(&mut self, _: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        for event in history.all() {
            let place = self.names.binary_search_by_key(&event.name, |(id, _)| *id);
            let name = place.ok().and_then(|place| self.names.get(place)).map(|(_, name)| name.clone());
            self.events.push(PastEvent {
                number: event.arrival,
                at: event.at,
                name: name.unwrap_or_default(),
                properties: history.properties(event).to_owned(),
            });
        }
        Ok(())
    }
}
