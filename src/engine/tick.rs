//! One look at the clock: what is due becomes rows. Sends nothing.

use std::collections::BTreeSet;

use super::Tick;
use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::parts::Declared;
use crate::domain::campaign::Campaign;
use crate::domain::delivery::{RunId, RunState, RunTrigger, WaitReason};
use crate::domain::time::Timestamp;
use crate::store::deliveries;
use crate::store::runs::{self, Run};

impl Core {
    /// See [`super::Engine::tick`].
    pub(super) async fn tick(&self, now: Timestamp) -> Result<Tick, EngineError> {
        let mut tick = Tick::default();
        // Before asking who leads: the leader itself may stand still, with rows in hand.
        self.recover(now).await?;
        self.take_back_what_was_lost(now).await?;
        self.note_slow_providers().await?;
        if !self.incarnation.lead().await.doing(|| "see which daemon leads".to_owned())? {
            return Ok(tick);
        }
        let edition = self.declarations.edition();
        let declared = self.declarations.current();
        self.see_entries_of_before(edition, now, &mut tick).await?;
        self.keep_names(&declared, edition).await?;
        self.note_undeclared(&declared).await?;
        let scheduled = self.make_runs(&declared, now, &mut tick).await?;
        self.note_likenesses(&declared, edition).await?;
        let ranks_moved = self.keep_ranks(&declared, edition, now).await?;
        let asks_for_entries = declared.catalogue.campaigns.values().any(Campaign::keeps_audience);
        let refresh = scheduled
            || ranks_moved
            || asks_for_entries && self.runs_ask_for_entries(&declared).await?
            || self.refresh_is_due(&declared, edition, now).await?;
        // Entries make runs, and are asked for when recipients are fixed; else runs go first.
        if asks_for_entries {
            if refresh {
                self.refresh(&declared, edition, now).await?;
            }
            self.make_entry_runs(&declared, now, &mut tick).await?;
        }
        let used = if scheduled { self.used_by_due_runs(&declared).await? } else { BTreeSet::new() };
        self.fix_runs(&declared, now, &mut tick).await?;
        if refresh && !asks_for_entries {
            self.refresh(&declared, edition, now).await?;
        }
        tick.refreshed |= refresh;
        tick.refreshed |= self.refresh_those_with_their_own_time(&declared, &used, edition, now).await?;
        self.memory().declared = Some((edition, declared));
        tick.runs_finished = self.finish(now).await?;
        tick.next_wake = self.next_wake(now).await?;
        Ok(tick)
    }

    /// Takes back the rows of dead senders.
    pub(super) async fn recover(&self, now: Timestamp) -> Result<(), EngineError> {
        let again = self.declarations.current().sent_again();
        let again: Vec<_> = again.iter().collect();
        let recovered = deliveries::recover(&self.store, self.incarnation.id(), &again, now)
            .await
            .doing(|| "take back the deliveries of dead senders".to_owned())?;
        if recovered.planned > 0 || recovered.uncertain > 0 {
            tracing::warn!(
                deliveries.planned = recovered.planned,
                deliveries.uncertain = recovered.uncertain,
                deliveries.sent_again = recovered.sent_again,
                "a sender had died: its deliveries are planned again, those that may be out are uncertain"
            );
        }
        Ok(())
    }

    /// Finishes runs without open rows.
    pub(super) async fn finish(&self, now: Timestamp) -> Result<Vec<RunId>, EngineError> {
        let finished = runs::finish_settled(&self.store, now).await.doing(|| "finish runs".to_owned())?;
        for run in &finished {
            tracing::info!(run.id = run.0, "a run is finished");
        }
        if !finished.is_empty() {
            self.record_sent(now).await?;
        }
        Ok(finished)
    }

    /// When there is something to do after `now`, as far as is known.
    pub(super) async fn next_wake(&self, now: Timestamp) -> Result<Option<Timestamp>, EngineError> {
        let declared = self.declarations.current();
        let due: Vec<_> =
            declared.catalogue.campaigns.values().filter_map(|one| self.next_due(one, now)).collect();
        let sending = self.sending_runs(&declared).await?;
        let sending: Vec<_> = sending.iter().map(|run| declared.source(run)).collect();
        let retry = if sending.is_empty() {
            None
        } else {
            deliveries::next_not_before(&self.store, &sending, &self.settings.limits)
                .await
                .doing(|| "look for deliveries to be tried again".to_owned())?
        };
        let refresh = self.next_refresh(&declared);
        Ok(due.into_iter().chain(retry).chain(refresh).min().map(|at| at.max(now)))
    }

    /// Rows of campaigns that vanished say so, and those of campaigns that are back do not.
    async fn note_undeclared(&self, declared: &Declared) -> Result<(), EngineError> {
        let open = runs::in_states(&self.store, &[RunState::Sending])
            .await
            .doing(|| "look for runs to send".to_owned())?;
        for run in open {
            let gone = !declared.catalogue.campaigns.contains_key(&run.campaign);
            if gone == self.memory().undeclared.contains(&run.id) {
                continue;
            }
            let wait = gone.then_some(WaitReason::Undeclared);
            runs::set_wait(&self.store, run.id, wait)
                .await
                .doing(|| format!("note that run {} waits", run.id.0))?;
            if gone {
                tracing::warn!(
                    run.id = run.id.0, campaign.name = %run.campaign,
                    "a campaign with open deliveries is not declared any more: they wait until it is, or the run is cancelled"
                );
                self.memory().undeclared.insert(run.id);
            } else {
                self.memory().undeclared.remove(&run.id);
            }
        }
        Ok(())
    }

    /// Fixes the recipients of due runs, those due first first: a later one sees the rows of an earlier.
    async fn fix_runs(
        &self,
        declared: &Declared,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), EngineError> {
        let mut due = self.due_runs().await?;
        due.sort_by_cached_key(|run| (run.due_at, declared.rank(&run.campaign), run.id));
        if !due.is_empty() {
            self.record_sent(now).await?;
        }
        for run in due {
            let Some(campaign) = declared.catalogue.campaigns.get(&run.campaign) else { continue };
            if self.fix(&run, declared, campaign, now).await? == Some(RunState::Held) {
                tick.runs_held.push(run.id);
            }
        }
        Ok(())
    }

    pub(super) async fn due_runs(&self) -> Result<Vec<Run>, EngineError> {
        runs::in_states(&self.store, &[RunState::Due, RunState::Fixing])
            .await
            .doing(|| "look for due runs".to_owned())
    }

    /// Whether recipients are to be fixed for which it matters when they entered.
    async fn runs_ask_for_entries(&self, declared: &Declared) -> Result<bool, EngineError> {
        let asks = |run: &Run| {
            declared.catalogue.campaigns.get(&run.campaign).is_some_and(Campaign::keeps_audience)
                && run.trigger != RunTrigger::Entry
        };
        Ok(self.due_runs().await?.iter().any(asks))
    }

    /// When the declarations changed: sees who entered under the former ones, so that the change is not
    /// taken for the cause.
    async fn see_entries_of_before(
        &self,
        edition: u64,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), EngineError> {
        let former = self.memory().declared.take_if(|(of, _)| *of != edition);
        let Some((of, former)) = former else { return Ok(()) };
        if former.catalogue.campaigns.values().any(Campaign::keeps_audience) {
            // Just before now: what the new declarations bring in is another evaluation.
            let before = now.minus(std::time::Duration::from_micros(1));
            self.refresh(&former, of, before).await?;
            self.make_entry_runs(&former, before, tick).await?;
        }
        Ok(())
    }

    /// Writes the `email_sent` events that are still to be written, before something evaluates them.
    /// They are not written with each mail: that would cost a quarter of the mails a second.
    pub(super) async fn record_sent(&self, now: Timestamp) -> Result<(), EngineError> {
        deliveries::record_sent(&self.store, now).await.doing(|| "note sent mails as events".to_owned())?;
        Ok(())
    }
}
