//! Rows in hand that no lane sends now go back to the store.

use std::sync::PoisonError;

use super::claim::Claims;
use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::tally::Tally;
use crate::domain::delivery::{DeliveryId, Reply, WaitReason};
use crate::domain::time::Timestamp;
use crate::store::deliveries;
use crate::store::ledger::Step;

impl Core {
    /// Takes back rows whose lane broke: what may be out is uncertain, the others are planned again. What the store
    /// does not take is tried again with the next call.
    pub(super) async fn take_back_what_was_lost(&self, now: Timestamp) -> Result<(), EngineError> {
        let lost = |claims: &Claims| {
            std::mem::take(&mut *claims.lost.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let rows = lost(&self.claims);
        if rows.is_empty() {
            return Ok(());
        }
        // What its lane noted of a row before it broke counts.
        self.ledger.flush(now).await;
        let again = self.declarations.current().sent_again();
        let again: Vec<_> = again.iter().collect();
        let taken = deliveries::abandon(&self.store, self.incarnation.id(), &rows, &again, now).await;
        if taken.is_err() {
            self.claims.lost.lock().unwrap_or_else(PoisonError::into_inner).extend(&rows);
        }
        let recovered = taken.doing(|| "take back deliveries whose lane broke".to_owned())?;
        tracing::warn!(
            deliveries.planned = recovered.planned,
            deliveries.uncertain = recovered.uncertain,
            deliveries.sent_again = recovered.sent_again,
            "deliveries of a lane that broke are taken back; those that may be out are uncertain"
        );
        Ok(())
    }

    /// Gives back rows whose providers rest or are slow.
    pub(super) async fn let_wait(
        &self,
        rows: &[(DeliveryId, Timestamp, Option<Reply>)],
        now: Timestamp,
        tally: &Tally,
    ) {
        for (delivery, not_before, reply) in rows {
            let (wait, not_before) = (Some(WaitReason::Provider), *not_before);
            let step = Step::Release { wait, not_before, reply: reply.clone() };
            self.ledger.settle(*delivery, step, now).await;
        }
        tally.waiting(rows.len() as u64);
    }

    /// Gives back what no lane has taken, with the reason why it waits.
    pub(super) async fn give_back(
        &self,
        wait: Option<WaitReason>,
        reply: Option<&Reply>,
        not_before: Timestamp,
        now: Timestamp,
    ) -> u64 {
        let rows = self.claims.queue.lock().await.take_all();
        for work in &rows {
            let step = Step::Release { wait, not_before, reply: reply.cloned() };
            self.ledger.settle(work.claimed.id, step, now).await;
        }
        rows.len() as u64
    }
}
