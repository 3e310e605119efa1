//! Deliveries of which nobody knows whether the server took them: listed, settled by hand or by evidence,
//! sent once more where their campaign says so.

use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::json;

use super::arrows::{becomes, begins};
use super::bulk::{Bulk, Cell};
use super::campaigns::campaign_name;
use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, given_texts, kept_as_it_is};
use super::statement::{backend_of, execute, numbers_json, query_as, query_column, values};
use super::{Backend, Result, Store};
use crate::domain::arrow::Arrow;
use crate::domain::delivery::{DeliveryId, Evidence, RefusalReason, RunId, WaitReason};
use crate::domain::engagement::EngagementKind;
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// Which uncertain deliveries are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those of a run.
    Run(RunId),
    /// Those of a campaign.
    Campaign(CampaignName),
    /// These, as far as they are uncertain.
    Deliveries(Vec<DeliveryId>),
}

/// What had become of an uncertain delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The server had taken it.
    Accepted,
    /// It had not.
    Refused,
}

/// An uncertain delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubted {
    /// Its number.
    pub delivery: DeliveryId,
    /// Its run.
    pub run: RunId,
    /// The run's campaign.
    pub campaign: CampaignName,
    /// The contact's id in the user's system.
    pub contact: Option<String>,
    /// The address; `None`: the person was erased.
    pub address: Option<String>,
    /// The message's `Message-ID`: by it the server's log knows it.
    pub message_id: Option<String>,
    /// When its message was about to go out.
    pub handed_over_at: Option<Timestamp>,
    /// Whether this was the second copy (`on_uncertain: send_again`).
    pub sent_again: bool,
    /// What failed.
    pub reply: Option<String>,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: i64,
    run: i64,
    campaign: String,
    contact: Option<String>,
    address: Option<String>,
    message_id: Option<String>,
    handed_over_at: Option<i64>,
    sent_again: i64,
    reply_text: Option<String>,
}

impl Which {
    /// As a condition on the delivery `d` and its run `r`, with its value.
    fn condition(&self, backend: Backend) -> (String, Vec<sea_orm::Value>) {
        match self {
            Self::All => ("TRUE".to_owned(), values![]),
            Self::Run(run) => ("d.run = $1".to_owned(), values![run.0]),
            Self::Campaign(campaign) => ("r.campaign = $1".to_owned(), values![campaign.as_str()]),
            Self::Deliveries(ids) => {
                let given = given_numbers(backend, 1, "id");
                let numbers = numbers_json(ids.iter().map(|id| id.0));
                (format!("d.id IN (SELECT id FROM {given} AS given)"), values![numbers])
            }
        }
    }
}

/// Uncertain deliveries in the order of their runs and numbers.
pub async fn list(store: &Store, which: &Which) -> Result<Vec<Doubted>> {
    let (condition, given) = which.condition(store.backend());
    let text = format!(
        "SELECT d.id AS id, d.run AS run, r.campaign AS campaign, c.external_id AS contact, d.address AS address,
                d.message_id AS message_id, d.transmitting_at AS handed_over_at, d.sent_again AS sent_again,
                d.reply_text AS reply_text
         FROM deliveries d JOIN runs r ON r.id = d.run LEFT JOIN contacts c ON c.id = d.contact
         WHERE {begins} AND {condition} ORDER BY d.run, d.id",
        begins = begins(Arrow::Confirm, "d.state")
    );
    let rows: Vec<Row> = query_as(&store.database, "list uncertain deliveries", &text, given).await?;
    let doubted = |row: Row| {
        Ok(Doubted {
            delivery: DeliveryId(row.id),
            run: RunId(row.run),
            campaign: campaign_name("runs", &row.campaign)?,
            contact: row.contact,
            address: row.address,
            message_id: row.message_id,
            handed_over_at: row.handed_over_at.map(Timestamp::from_micros),
            sent_again: row.sent_again > 0,
            reply: row.reply_text,
        })
    };
    rows.into_iter().map(doubted).collect()
}

/// In a `SET`: an uncertain mail that was accepted was accepted when it went out, as far as that is known; never
/// later than what its reader did with it.
const ACCEPTED_AT: &str = "settled_at = COALESCE(transmitting_at, first_claimed_at, settled_at)";

/// Settles uncertain deliveries by somebody's word. Gives those that it settled, by number.
pub async fn resolve(store: &Store, which: &Which, verdict: Verdict) -> Result<Vec<DeliveryId>> {
    let operation = "settle uncertain deliveries";
    let (condition, given) = which.condition(store.backend());
    let (arrow, more) = match verdict {
        Verdict::Accepted => (Arrow::Confirm, format!(", {ACCEPTED_AT}")),
        Verdict::Refused => (Arrow::Deny, format!(", reason = '{}'", RefusalReason::Rejected.word())),
    };
    let text = format!(
        "UPDATE deliveries SET {becomes}, settled_by = '{by}'{more}
         WHERE id IN (SELECT d.id FROM deliveries d JOIN runs r ON r.id = d.run WHERE {of_these} AND {condition})
           AND {begins} RETURNING id",
        becomes = becomes(arrow),
        by = Evidence::Hand.word(),
        of_these = begins(arrow, "d.state"),
        begins = begins(arrow, "state")
    );
    let transaction = store.begin_write(operation).await?;
    let mut settled: Vec<i64> = query_column(&*transaction, operation, &text, given).await?;
    transaction.commit().await?;
    settled.sort_unstable();
    Ok(settled.into_iter().map(DeliveryId).collect())
}

/// Mails that were opened, followed or answered were accepted: those of these deliveries that are uncertain are
/// settled, in the transaction that writes the evidence down.
pub(super) async fn confirm(bulk: &mut Bulk, evidence: &[(DeliveryId, Evidence)]) -> Result<u64> {
    if evidence.is_empty() {
        return Ok(0);
    }
    let given = given_rows(bulk.backend(), 1, &[("id", Number), ("settled_by", Text)]);
    let text = format!(
        "UPDATE deliveries SET {becomes}, settled_by = given.settled_by, {ACCEPTED_AT}
         FROM {given} AS given WHERE deliveries.id = given.id AND {begins}",
        becomes = becomes(Arrow::Confirm),
        begins = begins(Arrow::Confirm, "deliveries.state")
    );
    let rows: Vec<_> = evidence.iter().map(|(delivery, by)| json!([delivery.0, by.word()])).collect();
    bulk.execute_with(&text, vec![Cell::from(json!(rows).to_string())]).await
}

/// Settles those of these uncertain deliveries that were opened, followed or answered while they were being handed over.
/// Gives them.
pub(super) async fn settle_by_what_is_known(
    connection: &impl ConnectionTrait,
    doubted: &[DeliveryId],
) -> Result<Vec<DeliveryId>> {
    if doubted.is_empty() {
        return Ok(Vec::new());
    }
    let given = values![numbers_json(doubted.iter().map(|delivery| delivery.0))];
    let text = known(backend_of(connection));
    let settled: Vec<i64> = query_column(connection, "settle uncertain deliveries", &text, given).await?;
    Ok(settled.into_iter().map(DeliveryId).collect())
}

/// Settles deliveries by their numbers, `$1`, where somebody unsubscribed by them or a hit names them.
pub(super) fn known(backend: Backend) -> String {
    let given = given_numbers(backend, 1, "id");
    let left = "EXISTS (SELECT 1 FROM unsubscribes u WHERE u.delivery = deliveries.id)";
    let hit = "EXISTS (SELECT 1 FROM hits h WHERE h.delivery = deliveries.id";
    let [unsubscribed, clicked, opened] =
        [Evidence::Unsubscribed, Evidence::Clicked, Evidence::Opened].map(Evidence::word);
    format!(
        "UPDATE deliveries SET {becomes}, {ACCEPTED_AT}, settled_by = CASE WHEN {left} THEN '{unsubscribed}'
             WHEN {hit} AND h.kind = '{kind}') THEN '{clicked}' ELSE '{opened}' END
         WHERE id IN (SELECT id FROM {given} AS given) AND {begins} AND ({left} OR {hit})) RETURNING id",
        becomes = becomes(Arrow::Confirm),
        kind = EngagementKind::Clicked.word(),
        begins = begins(Arrow::Confirm, "state")
    )
}

/// Plans uncertain deliveries once more, each not before its instant: of campaigns of `only`, if they are
/// given, in runs that go on, to people who are there. One that was sent again before stays as it is.
pub(super) async fn send_again(
    connection: &impl ConnectionTrait,
    doubted: &[(DeliveryId, Timestamp)],
    only: Option<&[&CampaignName]>,
) -> Result<u64> {
    if doubted.is_empty() || only.is_some_and(<[_]>::is_empty) {
        return Ok(0);
    }
    let operation = "send uncertain deliveries again";
    let backend = backend_of(connection);
    let mut given = values![numbers_json(doubted.iter().map(|(delivery, _)| delivery.0))];
    let mut of_campaigns = String::new();
    if let Some(only) = only {
        let names = given_texts(backend, 2, "name");
        of_campaigns = format!("AND r.campaign IN (SELECT name FROM {names} AS names)");
        let only: Vec<&str> = only.iter().map(|name| name.as_str()).collect();
        given.extend(values![json!(only).to_string()]);
    }
    // `cancel` waits: what may be out is not to be called skipped.
    let text = format!(
        "SELECT d.id FROM deliveries d JOIN runs r ON r.id = d.run
         WHERE d.id IN (SELECT id FROM {ids} AS given) AND d.sent_again = 0 AND d.address IS NOT NULL
           AND EXISTS (SELECT 1 FROM contacts c WHERE c.id = d.contact)
           AND r.state IN ('sending', 'paused') {of_campaigns}{keep}",
        ids = given_numbers(backend, 1, "id"),
        keep = kept_as_it_is(backend)
    );
    let chosen: Vec<i64> = query_column(connection, operation, &text, given).await?;
    let rows: Vec<_> = doubted
        .iter()
        .filter(|(delivery, _)| chosen.contains(&delivery.0))
        .map(|(delivery, not_before)| json!([delivery.0, not_before.micros()]))
        .collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let given = given_rows(backend, 1, &[("id", Number), ("not_before", Number)]);
    let text = format!(
        "UPDATE deliveries SET {becomes}, wait = '{wait}', not_before = given.not_before,
             sent_again = deliveries.sent_again + 1, settled_at = NULL, incarnation = NULL, lease_until = NULL
         FROM {given} AS given WHERE deliveries.id = given.id AND {begins}",
        becomes = becomes(Arrow::SendAgain),
        wait = WaitReason::SendAgain.word(),
        begins = begins(Arrow::SendAgain, "deliveries.state")
    );
    execute(connection, operation, &text, values![json!(rows).to_string()]).await
}
