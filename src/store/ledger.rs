//! Steps of the send ledger, many in one transaction: group commit.

use super::{Result, Store};
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
    /// Claimed or transmitting: again at `not_before`.
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
    todo!()
}
