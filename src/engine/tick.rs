//! One look at the clock: what is due becomes rows. Sends nothing.

use std::time::Duration;

use super::Tick;
use super::core::{Considered, Core};
use super::error::{Doing as _, EngineError};
use super::occurrence::{self, Occurrences};
use super::parts::Declared;
use crate::audience;
use crate::domain::campaign::Campaign;
use crate::domain::delivery::{RunId, RunState, RunTrigger, WaitReason};
use crate::domain::schedule::Schedule;
use crate::domain::time::Timestamp;
use crate::store::runs::{self, NewRun};
use crate::store::{campaigns, deliveries, memberships};

/// `email_sent` events in one transaction.
const EVENTS_AT_ONCE: u32 = 1_000;

/// How far the store may lag behind in what due times are dealt with, while none comes.
const CONSIDERED_LAG: Duration = Duration::from_mins(10);

impl Core {
    /// See [`super::Engine::tick`].
    pub(super) async fn tick(&self, now: Timestamp) -> Result<Tick, EngineError> {
        let mut tick = Tick::default();
        if !self.incarnation.lead().await.doing(|| "see which daemon leads".to_owned())? {
            return Ok(tick);
        }
        self.recover(now).await?;
        let edition = self.declarations.edition();
        let declared = self.declarations.current();
        self.forget_undeclared(&declared, edition).await?;
        self.note_undeclared(&declared).await?;
        let scheduled = self.make_runs(&declared, now, &mut tick).await?;
        self.fix_runs(&declared, now, &mut tick).await?;
        if scheduled || self.refresh_is_due(&declared, edition, now).await? {
            self.refresh(&declared, edition, now).await?;
            tick.refreshed = true;
        }
        tick.runs_finished = self.finish(now).await?;
        tick.next_wake = self.next_wake(now).await?;
        Ok(tick)
    }

    /// Takes back the rows of dead senders.
    pub(super) async fn recover(&self, now: Timestamp) -> Result<(), EngineError> {
        let recovered = deliveries::recover(&self.store, self.incarnation.id(), now)
            .await
            .doing(|| "take back the deliveries of dead senders".to_owned())?;
        if recovered.planned > 0 || recovered.uncertain > 0 {
            tracing::warn!(
                deliveries.planned = recovered.planned,
                deliveries.uncertain = recovered.uncertain,
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
        let due = declared.catalogue.campaigns.values().filter_map(|one| occurrence::next_due(one, now));
        let sending: Vec<_> = self.sending_runs(&declared).await?.iter().map(|run| run.id).collect();
        let retry = if sending.is_empty() {
            None
        } else {
            deliveries::next_not_before(&self.store, &sending)
                .await
                .doing(|| "look for deliveries to be tried again".to_owned())?
        };
        let refreshed = self.memory().refreshed;
        let refresh = refreshed
            .filter(|_| !declared.catalogue.segments.is_empty())
            .map(|(at, _)| at.plus(self.settings.refresh));
        Ok(due.chain(retry).chain(refresh).min().map(|at| at.max(now)))
    }

    /// Forgets when campaigns that vanished were activated, once after each change of the declarations.
    async fn forget_undeclared(&self, declared: &Declared, edition: u64) -> Result<(), EngineError> {
        if self.memory().edition == Some(edition) {
            return Ok(());
        }
        let names: Vec<_> = declared.catalogue.campaigns.keys().cloned().collect();
        let gone = campaigns::forget_others(&self.store, &names)
            .await
            .doing(|| "forget campaigns that are not declared any more".to_owned())?;
        for name in &gone {
            tracing::info!(campaign.name = %name, "a campaign is not declared any more");
        }
        let mut memory = self.memory();
        memory.considered.retain(|name, _| names.contains(name));
        memory.edition = Some(edition);
        Ok(())
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

    /// Makes the runs whose time has come; whether there were any to be sent.
    async fn make_runs(
        &self,
        declared: &Declared,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<bool, EngineError> {
        let mut any = false;
        for campaign in declared.catalogue.campaigns.values() {
            let mut known = self.considered(campaign, now).await?;
            let Some(schedule) = &campaign.schedule else { continue };
            // What was declared only after its time, or dealt with, does not become on time again.
            let up_since = self.memory().up_since.max(known.activated_at);
            let up_since = up_since.max(known.until.plus(Duration::from_micros(1)));
            // A single instant is considered however long it is past, once.
            let after = match schedule {
                Schedule::Cron(_) => known.until.min(now),
                Schedule::At(_) => known.last_single.unwrap_or(Timestamp::from_micros(i64::MIN)),
            };
            let Occurrences { run, missed, not_noted } =
                occurrence::occurrences(schedule, campaign.time_zone, campaign.missed, after, now, up_since);
            if not_noted > 0 {
                tracing::warn!(
                    campaign.name = %campaign.name, runs.not_noted = not_noted,
                    "more due times were missed than are noted one by one"
                );
            }
            for due_at in &missed {
                self.make_run(campaign, *due_at, RunState::Missed, now, tick).await?;
            }
            for due_at in &run {
                any |= self.make_run(campaign, *due_at, RunState::Due, now, tick).await?;
            }
            known.until = known.until.max(now);
            if matches!(schedule, Schedule::At(_)) {
                known.last_single = run.last().or(missed.last()).copied().or(known.last_single);
            }
            let occurred = !run.is_empty() || !missed.is_empty();
            if occurred && known.stored < now || known.until.since(known.stored) >= CONSIDERED_LAG {
                campaigns::considered(&self.store, &campaign.name, known.until)
                    .await
                    .doing(|| format!("note the due times of campaign `{}`", campaign.name))?;
                known.stored = known.until;
            }
            self.memory().considered.insert(campaign.name.clone(), known);
        }
        Ok(any)
    }

    /// Up to when a campaign's due times are dealt with; one that is seen for the first time is activated.
    async fn considered(&self, campaign: &Campaign, now: Timestamp) -> Result<Considered, EngineError> {
        if let Some(known) = self.memory().considered.get(&campaign.name) {
            return Ok(*known);
        }
        let known = campaigns::activate(&self.store, &campaign.name, now)
            .await
            .doing(|| format!("activate campaign `{}`", campaign.name))?;
        if known.activated_at == now {
            tracing::info!(campaign.name = %campaign.name, "a campaign is active from now on");
        }
        let known = Considered {
            activated_at: known.activated_at,
            until: known.considered_until,
            stored: known.considered_until,
            last_single: None,
        };
        self.memory().considered.insert(campaign.name.clone(), known);
        Ok(known)
    }

    /// Notes a run, unless it is there; whether it is new.
    async fn make_run(
        &self,
        campaign: &Campaign,
        due_at: Timestamp,
        state: RunState,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<bool, EngineError> {
        let note = (state == RunState::Missed).then(|| "no daemon was up when it was due".to_owned());
        let trigger = RunTrigger::Schedule;
        let new = NewRun { campaign: campaign.name.clone(), due_at, state, trigger, note };
        let (run, is_new) = runs::create(&self.store, &new, now)
            .await
            .doing(|| format!("note a run of campaign `{}`", campaign.name))?;
        if is_new {
            tracing::info!(
                run.id = run.id.0, campaign.name = %campaign.name, run.due_at = %due_at,
                run.state = state.word(), "a run has come due"
            );
            tick.runs_made.push(run.id);
        }
        Ok(is_new)
    }

    /// Fixes the recipients of due runs, those due first first: a later one sees the rows of an earlier.
    async fn fix_runs(
        &self,
        declared: &Declared,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), EngineError> {
        let due = runs::in_states(&self.store, &[RunState::Due, RunState::Fixing])
            .await
            .doing(|| "look for due runs".to_owned())?;
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

    async fn refresh_is_due(
        &self,
        declared: &Declared,
        edition: u64,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        if declared.catalogue.segments.is_empty() {
            return Ok(false);
        }
        let known = self.memory().refreshed;
        if let Some((at, under)) = known {
            return Ok(under != edition || now < at || now.since(at) >= self.settings.refresh);
        }
        let names: Vec<_> = declared.catalogue.segments.keys().cloned().collect();
        let segments = memberships::ensure_segments(&self.store, &names)
            .await
            .doing(|| "see when segments were evaluated last".to_owned())?;
        // Other declarations are found out by the refresh itself; one of them may be new.
        let oldest = segments.iter().map(|one| one.evaluated.as_ref().map(|last| last.at)).min().flatten();
        if let Some(at) = oldest.filter(|at| now >= *at && now.since(*at) < self.settings.refresh) {
            self.memory().refreshed = Some((at, edition));
            return Ok(false);
        }
        Ok(true)
    }

    async fn refresh(&self, declared: &Declared, edition: u64, now: Timestamp) -> Result<(), EngineError> {
        self.record_sent(now).await?;
        let refreshed = audience::refresh(&self.store, &declared.catalogue, self.settings.evaluation, now)
            .await
            .doing(|| "refresh the segments".to_owned())?;
        let entered: u64 = refreshed.segments.iter().map(|one| one.entered).sum();
        let left: u64 = refreshed.segments.iter().map(|one| one.left).sum();
        tracing::debug!(
            contacts.looked_at = refreshed.looked_at,
            contacts.all = refreshed.full,
            memberships.entered = entered,
            memberships.left = left,
            "segments are refreshed"
        );
        self.memory().refreshed = Some((now, edition));
        Ok(())
    }

    /// Writes the `email_sent` events that are still to be written, before something evaluates them.
    /// They are not written with each mail: that would cost a quarter of the mails a second.
    pub(super) async fn record_sent(&self, now: Timestamp) -> Result<(), EngineError> {
        while deliveries::record_sent(&self.store, EVENTS_AT_ONCE, now)
            .await
            .doing(|| "note sent mails as events".to_owned())?
            >= u64::from(EVENTS_AT_ONCE)
        {}
        Ok(())
    }
}
