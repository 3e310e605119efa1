//! Steps of the send ledger, many in one transaction: group commit.

use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::{Value, json};

use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::pauses::NOT_PAUSED;
use super::statement::{backend_of, numbers_json, query_as, query_column, values};
use super::{Backend, Result, Store, suppressions};
use crate::domain::campaign::{MailPurpose, Tracking};
use crate::domain::consent::ConsentState;
use crate::domain::delivery::{
    DeliveryId, DeliveryState, IncarnationId, RefusalReason, Reply, SkipReason, WaitReason,
};
use crate::domain::time::Timestamp;

/// One step of one row, taken by the sender that claimed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerStep {
    /// Which row.
    pub delivery: DeliveryId,
    /// What becomes of it.
    pub step: Step,
}

/// What becomes of a row. Comments name the states that it may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Claimed: its final dot is about to go out.
    Transmit {
        /// The message's `Message-ID`.
        message_id: String,
        /// Hash of the message's bytes, in hexadecimal digits.
        content_hash: String,
        /// What of its opens and clicks can be recorded.
        tracking: Tracking,
        /// What is asked once more in the same transaction, of a row that was asked a while ago.
        last_look: Option<LastLook>,
    },
    /// Transmitting: the server took it.
    Accept(Reply),
    /// Claimed or transmitting: again at `not_before`. A try is counted.
    Defer {
        /// Not before.
        not_before: Timestamp,
        /// What it waits for.
        wait: Option<WaitReason>,
        /// What the server said, or what failed.
        reply: Reply,
    },
    /// Claimed or transmitting: final.
    Refuse {
        /// Why.
        reason: RefusalReason,
        /// What the server said, or what failed.
        reply: Reply,
    },
    /// Transmitting: nobody can know.
    Uncertain(Reply),
    /// Claimed: not mailed.
    Skip {
        /// Why.
        reason: SkipReason,
        /// For people: what the template lacked. Kept where replies are kept.
        error: Option<String>,
    },
    /// Claimed, or transmitting with nothing sent (the note came too late): back to planned, without
    /// a try being counted.
    Release {
        /// What it waits for.
        wait: Option<WaitReason>,
        /// Not before.
        not_before: Timestamp,
        /// What failed, to be shown.
        reply: Option<Reply>,
    },
}

/// What must still hold when a mail goes out: nobody withdraws and is mailed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastLook {
    /// What the mail is for: suppressions hold back mail by purpose.
    pub purpose: MailPurpose,
    /// The answers to marketing with which the mail may go.
    pub consents: &'static [ConsentState],
}

/// Takes all steps in one transaction, those that settle before those that begin. Gives the rows
/// whose step did not apply, because the row is in another state, belongs to another sender, or because
/// its last look found that the mail is not wanted any more.
pub async fn write(
    store: &Store,
    incarnation: IncarnationId,
    steps: &[LedgerStep],
    now: Timestamp,
) -> Result<Vec<DeliveryId>> {
    let operation = "note the steps of deliveries";
    let mut settled = Vec::new();
    let mut begun = Vec::new();
    let mut looks = Vec::new();
    for LedgerStep { delivery, step } in steps {
        match step {
            Step::Transmit { message_id, content_hash, tracking, last_look } => {
                let row = json!([delivery.0, message_id, content_hash, tracking.word()]);
                begun.push((delivery.0, row));
                looks.extend(last_look.map(|look| (delivery.0, look)));
            }
            step => settled.push(Ending::of(step, now).row(*delivery)),
        }
    }
    let mut applied: Vec<i64> = Vec::with_capacity(steps.len());
    let transaction = store.begin_write(operation).await?;
    if !looks.is_empty() {
        let unwanted = unwanted(&*transaction, operation, &looks).await?;
        begun.retain(|(delivery, _)| !unwanted.contains(delivery));
    }
    let begun: Vec<Value> = begun.into_iter().map(|(_, row)| row).collect();
    if !settled.is_empty() {
        let given = values![json!(settled).to_string(), incarnation.0];
        applied.extend(query_column::<i64>(&*transaction, operation, &settle(store.backend()), given).await?);
    }
    if !begun.is_empty() {
        let given = values![json!(begun).to_string(), incarnation.0];
        applied.extend(query_column::<i64>(&*transaction, operation, &begin(store.backend()), given).await?);
    }
    transaction.commit().await?;
    applied.sort_unstable();
    let refused = steps.iter().map(|step| step.delivery).filter(|id| applied.binary_search(&id.0).is_err());
    Ok(refused.collect())
}

#[derive(Debug, FromQueryResult)]
struct LookedAt {
    id: i64,
    address: Option<String>,
    marketing: Option<i64>,
    is_stopped: i64,
}

/// Which of these deliveries may not go out any more.
async fn unwanted(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    looks: &[(i64, LastLook)],
) -> Result<Vec<i64>> {
    let given = values![numbers_json(looks.iter().map(|(delivery, _)| *delivery))];
    let rows: Vec<LookedAt> = query_as(connection, operation, &look(backend_of(connection)), given).await?;
    let addresses: Vec<&str> = rows.iter().filter_map(|row| row.address.as_deref()).collect();
    let suppressed = suppressions::among_within(connection, &addresses).await?;
    let is_wanted = |delivery: i64, look: &LastLook| {
        let Some(row) = rows.iter().find(|row| row.id == delivery) else { return false };
        let Some(address) = row.address.as_deref().filter(|_| row.is_stopped == 0) else { return false };
        let mut causes = suppressed.get(address).into_iter().flatten().map(|suppression| suppression.cause);
        // Without a contact nobody agrees.
        let state =
            row.marketing.map(|code| i16::try_from(code).map_or(ConsentState::No, ConsentState::from_code));
        state.is_some_and(|state| look.consents.contains(&state))
            && !causes.any(|cause| cause.holds_back(look.purpose))
    };
    let unwanted = looks.iter().filter(|(delivery, look)| !is_wanted(*delivery, look));
    Ok(unwanted.map(|(delivery, _)| *delivery).collect())
}

/// Rows by their numbers, `$1`, with what their contacts agreed to, and whether they were stopped.
pub(super) fn look(backend: Backend) -> String {
    let given = given_numbers(backend, 1, "id");
    let join = join_in_this_order(backend);
    format!(
        "SELECT d.id AS id, d.address AS address, c.marketing AS marketing,
                CAST(CASE WHEN r.state IN ('paused', 'cancelled') OR NOT {NOT_PAUSED} THEN 1 ELSE 0 END AS BIGINT)
                    AS is_stopped
         FROM {given} AS given {join} deliveries d ON d.id = given.id JOIN runs r ON r.id = d.run
         LEFT JOIN contacts c ON c.id = d.contact"
    )
}

pub(super) fn begin(backend: Backend) -> String {
    let columns = [("id", Number), ("message_id", Text), ("content_hash", Text), ("tracking", Text)];
    let given = given_rows(backend, 1, &columns);
    format!(
        "UPDATE deliveries SET state = 'transmitting', message_id = given.message_id,
             content_hash = given.content_hash, tracking = given.tracking
         FROM {given} AS given
         WHERE deliveries.id = given.id AND deliveries.state = 'claimed' AND deliveries.incarnation = $2
         RETURNING deliveries.id"
    )
}

pub(super) fn settle(backend: Backend) -> String {
    let columns = [
        ("id", Number),
        ("origins", Text),
        ("state", Text),
        ("reason", Text),
        ("wait", Text),
        ("not_before", Number),
        ("tries", Number),
        ("settled_at", Number),
        ("reply_code", Number),
        ("reply_enhanced", Text),
        ("reply_text", Text),
    ];
    let given = given_rows(backend, 1, &columns);
    // What a server says of somebody who was erased meanwhile (a negative contact) may name them.
    // A row that goes back keeps no sender; one that came to its end keeps it for who asks later. From
    // transmitting nothing becomes planned again.
    format!(
        "UPDATE deliveries SET
             state = CASE WHEN deliveries.state = 'transmitting' AND given.state = 'planned' THEN 'deferred'
                          ELSE given.state END,
             reason = given.reason, wait = given.wait,
             not_before = COALESCE(given.not_before, deliveries.not_before),
             attempts = deliveries.attempts + given.tries, settled_at = given.settled_at, lease_until = NULL,
             incarnation = CASE WHEN given.settled_at IS NULL THEN NULL ELSE deliveries.incarnation END,
             reply_code = COALESCE(given.reply_code, deliveries.reply_code),
             reply_enhanced = COALESCE(given.reply_enhanced, deliveries.reply_enhanced),
             reply_text = CASE WHEN deliveries.contact >= 0 THEN COALESCE(given.reply_text, deliveries.reply_text) END
         FROM {given} AS given
         WHERE deliveries.id = given.id AND deliveries.incarnation = $2
           AND (deliveries.state = given.origins
                OR given.origins = 'either' AND deliveries.state IN ('claimed', 'transmitting'))
         RETURNING deliveries.id"
    )
}

/// A step that takes a row out of its sender's hands, as columns.
struct Ending<'a> {
    origins: &'static str,
    state: DeliveryState,
    reason: Option<&'static str>,
    wait: Option<WaitReason>,
    not_before: Option<Timestamp>,
    tries: u8,
    settled_at: Option<Timestamp>,
    reply: Option<&'a Reply>,
    text: Option<&'a str>,
}

impl<'a> Ending<'a> {
    fn of(step: &'a Step, now: Timestamp) -> Self {
        let (claimed, transmitting) = (DeliveryState::Claimed.word(), DeliveryState::Transmitting.word());
        let either = "either";
        let ended = |origins, state, reply: Option<&'a Reply>| Self {
            origins,
            state,
            reason: None,
            wait: None,
            not_before: None,
            tries: 1,
            settled_at: Some(reply.map_or(now, |reply| reply.at)),
            reply,
            text: reply.map(|reply| reply.text.as_str()),
        };
        match step {
            Step::Accept(reply) => ended(transmitting, DeliveryState::Accepted, Some(reply)),
            Step::Uncertain(reply) => ended(transmitting, DeliveryState::Uncertain, Some(reply)),
            Step::Refuse { reason, reply } => {
                Self { reason: Some(reason.word()), ..ended(either, DeliveryState::Refused, Some(reply)) }
            }
            Step::Skip { reason, error } => Self {
                reason: Some(reason.word()),
                tries: 0,
                text: error.as_deref(),
                ..ended(claimed, DeliveryState::Skipped, None)
            },
            Step::Defer { not_before, wait, reply } => Self {
                wait: *wait,
                not_before: Some(*not_before),
                settled_at: None,
                ..ended(either, DeliveryState::Deferred, Some(reply))
            },
            Step::Release { wait, not_before, reply } => Self {
                wait: *wait,
                not_before: Some(*not_before),
                tries: 0,
                settled_at: None,
                ..ended(either, DeliveryState::Planned, reply.as_ref())
            },
            // `write` keeps these apart.
            Step::Transmit { .. } => ended(claimed, DeliveryState::Transmitting, None),
        }
    }

    fn row(&self, delivery: DeliveryId) -> Value {
        json!([
            delivery.0,
            self.origins,
            self.state.word(),
            self.reason,
            self.wait.map(WaitReason::word),
            self.not_before.map(Timestamp::micros),
            self.tries,
            self.settled_at.map(Timestamp::micros),
            self.reply.and_then(|reply| reply.code),
            self.reply.and_then(|reply| reply.enhanced.as_deref()),
            // PostgreSQL keeps no U+0000, and what a server says must not stop the ledger.
            self.text.map(|text| text.replace('\0', "\u{fffd}"))
        ])
    }
}
