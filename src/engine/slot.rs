//! A lane's connection, and what is learnt of servers and providers from how handovers end.

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::pause;
use super::queue::Work;
use crate::domain::delivery::{Fault, Reply, TryOutcome};
use crate::domain::provider;
use crate::domain::time::Timestamp;
use crate::send::Lane;
use crate::store::providers;

/// A lane with what is known of its server.
#[derive(Debug)]
pub(super) struct LaneSlot {
    pub(super) lane: Lane,
    /// How often in a row the server failed.
    failures: u32,
    /// It failed so that this lane waits for it.
    pub(super) is_failing: bool,
    /// The server failed: not before this instant again.
    pub(super) resume_at: Option<Timestamp>,
    /// What it said.
    last_failure: Option<Reply>,
}

impl LaneSlot {
    pub(super) fn new(lane: Lane) -> Self {
        Self { lane, failures: 0, is_failing: false, resume_at: None, last_failure: None }
    }

    /// When the server may be asked again, if it failed.
    pub(super) fn resume_at(&self) -> Option<Timestamp> {
        self.resume_at
    }

    /// What the server said when it failed.
    pub(super) fn last_failure(&self) -> Option<&Reply> {
        self.last_failure.as_ref()
    }

    /// Says goodbye to the server.
    pub(super) async fn close(self) {
        self.lane.close().await;
    }
}

impl Core {
    /// Keeps what is known of a lane's server.
    pub(super) fn note_server(&self, slot: &mut LaneSlot, failed: Option<&Reply>, now: Timestamp) {
        let Some(reply) = failed else {
            slot.resume_at = None;
            slot.last_failure = None;
            slot.failures = 0;
            if std::mem::take(&mut slot.is_failing) {
                tracing::info!("the mail server takes mails again");
                self.claims.lane_recovered();
            }
            return;
        };
        slot.failures = slot.failures.saturating_add(1);
        // A first failure that may be one mail's holds no other up.
        let failures = slot.failures - u32::from(reply.fault == Fault::Either);
        if failures == 0 {
            return;
        }
        slot.resume_at = Some(now.plus(pause::after_server_failures(failures)));
        // Other mails are told of it: without the words of a server, which may name somebody.
        slot.last_failure = Some(match reply.code {
            Some(_) => provider::demand(reply),
            None => reply.clone(),
        });
        if !std::mem::replace(&mut slot.is_failing, true) {
            // What a server says may name an address; what failed on our side does not.
            let said = if reply.code.is_none() { reply.text.as_str() } else { "" };
            tracing::warn!(reply.code, failure = said, "the mail server failed: its mails wait");
            self.claims.lane_failed();
        }
    }
}

impl Core {
    /// Learns of a provider from what was answered. A server that is not there says nothing of it.
    pub(super) async fn note_provider(&self, work: &Work, outcome: &TryOutcome, now: Timestamp) {
        let (TryOutcome::Accepted(reply)
        | TryOutcome::Deferred(reply)
        | TryOutcome::Refused(reply)
        | TryOutcome::Uncertain(reply)) = outcome;
        let rests = match (&work.place, reply.fault) {
            (Some(place), Fault::Mail | Fault::Either) => place.answered(reply, now),
            _ => None,
        };
        let Some(until) = rests else { return };
        let domain = provider::of_address(&work.claimed.address);
        tracing::warn!(
            provider = domain,
            reply.code,
            rest.seconds = until.since(now).as_secs(),
            "a provider asks for less: its mails wait"
        );
        // All at once, so that no claim stumbles over them one by one, and `status` shows them.
        let waiting = providers::rest(&self.store, domain, &provider::demand(reply), until).await;
        if let Err(error) = waiting {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "mails to a provider that rests could not be told to wait: they are when it is their turn"
            );
        }
    }

    /// Notes of providers that have become slow what their mails wait for, so that `status` shows it.
    pub(super) async fn note_slow_providers(&self) -> Result<(), EngineError> {
        for domain in self.claims.providers.newly_slow() {
            let rows = providers::note_slow(&self.store, &domain)
                .await
                .doing(|| format!("note that the mails to {domain} wait"))?;
            if rows > 0 {
                tracing::warn!(
                    provider = domain,
                    deliveries.waiting = rows,
                    "a provider does not answer: its mails wait, those of others go on"
                );
            }
        }
        Ok(())
    }
}
