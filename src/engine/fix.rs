//! Fixes the recipients of a run in the store, before its first mail: a row for every contact of the
//! audience, planned or skipped with its reason.

use std::time::Duration;

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::gatekeeper::{self, Gatekeeper};
use super::parts::Declared;
use crate::audience::{self, Selected};
use crate::domain::campaign::{Campaign, MailPurpose};
use crate::domain::delivery::{RunState, RunTrigger};
use crate::domain::schedule::Schedule;
use crate::domain::time::Timestamp;
use crate::store::recipients::{self, Recipient};
use crate::store::runs::Run;
use crate::store::{entries, runs};

/// For how long `max_recipients` counts the mails that entries make.
const A_DAY: Duration = Duration::from_hours(24);

/// Contacts in one transaction. Lanes of other runs write in between.
const BATCH: usize = 2_000;

impl Core {
    /// Fixes the recipients of a run and opens it, holds it, or finishes it at once. `None`: it was not
    /// to be fixed any more. One that was interrupted begins anew.
    pub(super) async fn fix(
        &self,
        run: &Run,
        declared: &Declared,
        campaign: &Campaign,
        now: Timestamp,
    ) -> Result<Option<RunState>, EngineError> {
        let operation = || format!("fix the recipients of run {} of campaign `{}`", run.id.0, run.campaign);
        let Some(fixing) = recipients::begin_fixing(&self.store, run.id).await.doing(operation)? else {
            return Ok(None);
        };
        let is_marketing = campaign.purpose == MailPurpose::Marketing;
        runs::set_marketing(&self.store, run.id, is_marketing).await.doing(operation)?;
        let audience = self.audience(run, declared, campaign).await?;
        let gatekeeper = Gatekeeper::new(&self.store, &self.settings, &declared.catalogue);
        let mut planned: u64 = 0;
        for batch in audience.chunks(BATCH) {
            let batch = self.not_in_family(run, batch).await.doing(operation)?;
            let faced = gatekeeper.face(run, campaign, &batch).await.doing(operation)?;
            let rows: Vec<Recipient> = faced.into_iter().map(|faced| faced.recipient).collect();
            planned += rows.iter().filter(|one| one.plan.is_mail()).count() as u64;
            if !recipients::add_recipients(&self.store, fixing, &rows, now).await.doing(operation)? {
                return Ok(None);
            }
        }
        let note = self.guard(run, campaign, planned).await.doing(operation)?;
        let state = match note {
            Some(_) => RunState::Held,
            None if planned == 0 => RunState::Finished,
            None => RunState::Sending,
        };
        let fixed = recipients::complete_fixing(&self.store, fixing, state, note.as_deref(), now)
            .await
            .doing(operation)?;
        tracing::info!(
            run.id = run.id.0, campaign.name = %run.campaign, run.state = state.word(),
            audience.contacts = audience.len(), deliveries.planned = planned,
            "the recipients of a run are fixed"
        );
        Ok(fixed.then_some(state))
    }

    /// For whom a run is: who entered, whoever is in one zone, or everybody in the audience.
    async fn audience(
        &self,
        run: &Run,
        declared: &Declared,
        campaign: &Campaign,
    ) -> Result<Vec<Selected>, EngineError> {
        let operation = || format!("fix the recipients of run {} of campaign `{}`", run.id.0, run.campaign);
        let (store, catalogue, evaluation) = (&self.store, &declared.catalogue, self.settings.evaluation);
        if run.trigger != RunTrigger::Entry {
            let zone = run.zone.map(|zone| zone.zone);
            let selected = audience::select(store, catalogue, evaluation, campaign, zone, run.due_at).await;
            return selected.doing(operation);
        }
        let any_cause = matches!(campaign.schedule, Some(Schedule::OnEntry { include_current: true }));
        let segment = gatekeeper::kept_audience(store, campaign).await.doing(operation)?;
        let entered = entries::entered_at(store, segment, run.due_at, any_cause).await.doing(operation)?;
        audience::select_among(store, catalogue, evaluation, campaign, &entered, run.due_at)
            .await
            .doing(operation)
    }

    /// A contact has one row among the runs of one local due time, also when it changes its zone meanwhile.
    async fn not_in_family(&self, run: &Run, batch: &[Selected]) -> crate::store::Result<Vec<Selected>> {
        let Some(zone) = run.zone else { return Ok(batch.to_vec()) };
        let contacts: Vec<_> = batch.iter().map(|one| one.contact).collect();
        let known = recipients::in_family(&self.store, run, zone, &contacts).await?;
        Ok(batch.iter().filter(|one| !known.contains(&one.contact)).copied().collect())
    }

    /// Why a run is held, if it is larger than the campaign allows.
    async fn guard(
        &self,
        run: &Run,
        campaign: &Campaign,
        planned: u64,
    ) -> crate::store::Result<Option<String>> {
        let Some(most) = campaign.max_recipients else { return Ok(None) };
        let for_entries = matches!(run.trigger, RunTrigger::Entry | RunTrigger::Current);
        let before = if for_entries {
            let lately = (run.due_at.minus(A_DAY), run.due_at);
            recipients::mails_for_entries(&self.store, &run.campaign, run.id, lately).await?
        } else {
            0
        };
        let what = match before {
            0 => format!("{planned} mails are planned"),
            before => format!("{planned} mails are planned, after {before} within 24 hours"),
        };
        Ok((planned > 0 && planned + before > most).then(|| {
            format!(
                "{what}, max_recipients allows {most}: `campaignd approve {id}` sends them, `campaignd cancel {id}` does not",
                id = run.id.0
            )
        }))
    }
}
