//! Steps of the send ledger, many in one transaction: group commit. Each step is an arrow of
//! [`domain::arrow`](crate::domain::arrow).

use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::{Value, json};

use super::arrows::{becomes, begins, following};
use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::pauses::NOT_PAUSED;
use super::statement::{backend_of, numbers_json, query_as, query_column, values};
use super::{Backend, Result, Store, suppressions, uncertain};
use crate::domain::arrow::Arrow;
use crate::domain::campaign::{MailPurpose, Tracking};
use crate::domain::consent::ConsentState;
use crate::domain::delivery::{DeliveryId, IncarnationId, RefusalReason, Reply, SkipReason, WaitReason};
use crate::domain::time::Timestamp;

/// One step of one row, taken by the sender that claimed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerStep {
    /// Which row.
    pub delivery: DeliveryId,
    /// What becomes of it.
    pub step: Step,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// [`Arrow::Transmit`]: its final dot is about to go out.
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
    /// [`Arrow::Accept`]: the server took it.
    Accept(Reply),
    /// [`Arrow::Defer`]: again at `not_before`. A try is counted.
    Defer {
        /// Not before.
        not_before: Timestamp,
        /// What it waits for.
        wait: Option<WaitReason>,
        /// What the server said, or what failed.
        reply: Reply,
    },
    /// [`Arrow::Refuse`]: final.
    Refuse {
        /// Why.
        reason: RefusalReason,
        /// What the server said, or what failed.
        reply: Reply,
    },
    /// [`Arrow::Doubt`]: nobody can know.
    Doubt {
        /// What failed.
        reply: Reply,
        /// Not before which instant it is sent once more ([`Arrow::SendAgain`], in the same transaction), where
        /// its campaign says so and it was not yet.
        again: Option<Timestamp>,
    },
    /// [`Arrow::Skip`]: not mailed.
    Skip {
        /// Why.
        reason: SkipReason,
        /// For people: what the template lacked. Kept where replies are kept.
        error: Option<String>,
    },
    /// [`Arrow::Release`], or [`Arrow::TakeBack`] of a row whose note came too late: nothing was sent, and
    /// no try is counted.
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
    let mut doubted = Vec::new();
    let mut again = Vec::new();
    for LedgerStep { delivery, step } in steps {
        settled.extend(Ending::of(step, now).map(|ending| ending.row(*delivery)));
        match step {
            Step::Transmit { message_id, content_hash, tracking, last_look } => {
                let row = json!([delivery.0, message_id, content_hash, tracking.word()]);
                begun.push((delivery.0, row));
                looks.extend(last_look.map(|look| (delivery.0, look)));
            }
            Step::Doubt { again: sent_again, .. } => {
                doubted.push(*delivery);
                again.extend(sent_again.map(|not_before| (*delivery, not_before)));
            }
            _ => {}
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
        doubted.retain(|delivery| applied.contains(&delivery.0));
        let known = uncertain::settle_by_what_is_known(&*transaction, &doubted).await?;
        again.retain(|(delivery, _)| applied.contains(&delivery.0) && !known.contains(delivery));
        uncertain::send_again(&*transaction, &again, None).await?;
    }
    if !begun.is_empty() {
        let given = values![json!(begun).to_string(), incarnation.0, now.micros()];
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
        "UPDATE deliveries SET {becomes}, message_id = given.message_id,
             content_hash = given.content_hash, tracking = given.tracking, transmitting_at = $3
         FROM {given} AS given
         WHERE deliveries.id = given.id AND {begins} AND deliveries.incarnation = $2
         RETURNING deliveries.id",
        becomes = becomes(Arrow::Transmit),
        begins = begins(Arrow::Transmit, "deliveries.state")
    )
}

/// The steps that take a row out of its sender's hands. One that is two arrows begins where the row stands: an answer that
/// comes after somebody else called the row uncertain, who took its sender for dead, says what had become of it.
const ACCEPT: &[Arrow] = &[Arrow::Accept, Arrow::Confirm];
const DEFER: &[Arrow] = &[Arrow::Defer];
const REFUSE: &[Arrow] = &[Arrow::Refuse, Arrow::Deny];
const DOUBT: &[Arrow] = &[Arrow::Doubt];
const SKIP: &[Arrow] = &[Arrow::Skip];
const RELEASE: &[Arrow] = &[Arrow::Release, Arrow::TakeBack];

/// Settles given rows, each by its step; `$2` is their sender.
pub(super) fn settle(backend: Backend) -> String {
    let columns = [
        ("id", Number),
        ("step", Text),
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
    let steps = [ACCEPT, DEFER, REFUSE, DOUBT, SKIP, RELEASE];
    let following = following(&steps, "given.step", "deliveries.state");
    // The try of an uncertain row was counted when it became so.
    let counted = begins(Arrow::Confirm, "deliveries.state");
    // What a server says of somebody who was erased meanwhile (a negative contact) may name them.
    // A row that goes back keeps no sender; one that came to its end keeps it for who asks later. What was not tried
    // yet has its `Date`, and the campaign's patience, from when it is claimed again.
    format!(
        "UPDATE deliveries SET state = {following}, reason = given.reason, wait = given.wait,
             not_before = COALESCE(given.not_before, deliveries.not_before),
             attempts = deliveries.attempts + CASE WHEN {counted} THEN 0 ELSE given.tries END,
             settled_at = given.settled_at, lease_until = NULL,
             first_claimed_at = CASE WHEN given.tries = 0 AND given.settled_at IS NULL AND deliveries.attempts = 0
                 THEN NULL ELSE deliveries.first_claimed_at END,
             incarnation = CASE WHEN given.settled_at IS NULL THEN NULL ELSE deliveries.incarnation END,
             reply_code = COALESCE(given.reply_code, deliveries.reply_code),
             reply_enhanced = COALESCE(given.reply_enhanced, deliveries.reply_enhanced),
             reply_text = CASE WHEN deliveries.contact >= 0 THEN COALESCE(given.reply_text, deliveries.reply_text) END
         FROM {given} AS given
         WHERE deliveries.id = given.id AND deliveries.incarnation = $2 AND {following} IS NOT NULL
         RETURNING deliveries.id"
    )
}

/// A step that takes a row out of its sender's hands, as columns.
struct Ending<'a> {
    step: &'static [Arrow],
    reason: Option<&'static str>,
    wait: Option<WaitReason>,
    not_before: Option<Timestamp>,
    tries: u8,
    settled_at: Option<Timestamp>,
    reply: Option<&'a Reply>,
    text: Option<&'a str>,
}

impl<'a> Ending<'a> {
    /// `None`: the step begins a handover.
    fn of(step: &'a Step, now: Timestamp) -> Option<Self> {
        let ended = |step, reply: Option<&'a Reply>| Self {
            step,
            reason: None,
            wait: None,
            not_before: None,
            tries: 1,
            settled_at: Some(reply.map_or(now, |reply| reply.at)),
            reply,
            text: reply.map(|reply| reply.text.as_str()),
        };
        Some(match step {
            Step::Transmit { .. } => return None,
            Step::Accept(reply) => ended(ACCEPT, Some(reply)),
            Step::Doubt { reply, .. } => ended(DOUBT, Some(reply)),
            Step::Refuse { reason, reply } => {
                Self { reason: Some(reason.word()), ..ended(REFUSE, Some(reply)) }
            }
            Step::Skip { reason, error } => {
                Self { reason: Some(reason.word()), tries: 0, text: error.as_deref(), ..ended(SKIP, None) }
            }
            Step::Defer { not_before, wait, reply } => Self {
                wait: *wait,
                not_before: Some(*not_before),
                settled_at: None,
                ..ended(DEFER, Some(reply))
            },
            Step::Release { wait, not_before, reply } => Self {
                wait: *wait,
                not_before: Some(*not_before),
                tries: 0,
                settled_at: None,
                ..ended(RELEASE, reply.as_ref())
            },
        })
    }

    fn row(&self, delivery: DeliveryId) -> Value {
        json!([
            delivery.0,
            self.step.first().map(|arrow| arrow.word()),
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
