//! Steps of the send ledger, many in one transaction: group commit.

use serde_json::{Value, json};

use super::dialect::Column::{Number, Text};
use super::dialect::given_rows;
use super::statement::{query_column, values};
use super::{Backend, Result, Store};
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

/// Takes all steps in one transaction, those that settle before those that begin. Gives the rows
/// whose step did not apply, because the row is in another state or belongs to another sender.
pub async fn write(
    store: &Store,
    incarnation: IncarnationId,
    steps: &[LedgerStep],
    now: Timestamp,
) -> Result<Vec<DeliveryId>> {
    let operation = "note the steps of deliveries";
    let mut settled = Vec::new();
    let mut begun = Vec::new();
    for LedgerStep { delivery, step } in steps {
        match step {
            Step::Transmit { message_id, content_hash } => {
                begun.push(json!([delivery.0, message_id, content_hash]));
            }
            step => settled.push(Ending::of(step, now).row(*delivery)),
        }
    }
    let mut applied: Vec<i64> = Vec::with_capacity(steps.len());
    let transaction = store.begin_write(operation).await?;
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

pub(super) fn begin(backend: Backend) -> String {
    let columns = [("id", Number), ("message_id", Text), ("content_hash", Text)];
    let given = given_rows(backend, 1, &columns);
    format!(
        "UPDATE deliveries SET state = 'transmitting', message_id = given.message_id,
             content_hash = given.content_hash
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
             reply_text = COALESCE(given.reply_text, deliveries.reply_text)
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
