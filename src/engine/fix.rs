//! Fixes the recipients of a run in the store, before its first mail: a row for every contact of the
//! audience, planned or skipped with its reason.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::gates::{self, Facts};
use super::parts::Declared;
use crate::audience::{self, Selected};
use crate::domain::campaign::{Campaign, MailPurpose, Repeat};
use crate::domain::contact::{Contact, ContactId};
use crate::domain::delivery::{RunState, RunTrigger, SuppressionCause, WaitReason};
use crate::domain::quiet_hours::QuietHours;
use crate::domain::schedule::Schedule;
use crate::domain::time::{Timestamp, Zone};
use crate::store::caps::CapRules;
use crate::store::memberships::{Kept, SegmentId};
use crate::store::recipients::{PriorMail, Recipient, RecipientPlan};
use crate::store::runs::Run;
use crate::store::{caps, contacts, entries, memberships, recipients, runs, suppressions};

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
        if !recipients::begin_fixing(&self.store, run.id).await.doing(operation)? {
            return Ok(None);
        }
        let is_marketing = campaign.purpose == MailPurpose::Marketing;
        runs::set_marketing(&self.store, run.id, is_marketing).await.doing(operation)?;
        let audience = self.audience(run, declared, campaign).await?;
        let rules = declared.cap_rules(self.settings.evaluation.time_zone);
        let quiet = declared.catalogue.quiet_hours.filter(|_| is_marketing);
        let mut planned: u64 = 0;
        for batch in audience.chunks(BATCH) {
            let batch = self.not_in_family(run, batch).await.doing(operation)?;
            let rows = self.recipients(run, campaign, &batch, &rules, quiet).await.doing(operation)?;
            planned += rows.iter().filter(|one| one.plan.is_mail()).count() as u64;
            if !recipients::add_recipients(&self.store, run.id, &rows, now).await.doing(operation)? {
                return Ok(None);
            }
        }
        let note = self.guard(run, campaign, planned).await.doing(operation)?;
        let state = match note {
            Some(_) => RunState::Held,
            None if planned == 0 => RunState::Finished,
            None => RunState::Sending,
        };
        let fixed = recipients::complete_fixing(&self.store, run.id, state, note.as_deref(), now)
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
        let segment = self.kept_audience(campaign).await.doing(operation)?;
        let entered = entries::entered_at(store, segment, run.due_at, any_cause).await.doing(operation)?;
        audience::select_among(store, catalogue, evaluation, campaign, &entered, run.due_at)
            .await
            .doing(operation)
    }

    async fn kept_audience(&self, campaign: &Campaign) -> crate::store::Result<SegmentId> {
        let known = memberships::ensure(&self.store, &[Kept::Audience(campaign.name.clone())]).await?;
        // `ensure` gives one for each name.
        Ok(known.first().map_or(SegmentId(0), |known| known.id))
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

    /// Which of these contacts have been in the audience ever since they were mailed.
    async fn stayed(
        &self,
        run: &Run,
        campaign: &Campaign,
        prior: &HashMap<ContactId, &PriorMail>,
    ) -> crate::store::Result<HashSet<ContactId>> {
        let Repeat::EveryEntry { reentry_after } = campaign.repeat else { return Ok(HashSet::new()) };
        let mailed: Vec<_> =
            prior.values().filter_map(|mail| Some((mail.contact, mail.mailed_due_at?))).collect();
        if mailed.is_empty() {
            return Ok(HashSet::new());
        }
        let segment = self.kept_audience(campaign).await?;
        let contacts: Vec<_> = mailed.iter().map(|(contact, _)| *contact).collect();
        let passages = entries::passages_of(&self.store, segment, &contacts, run.due_at).await?;
        let zone = campaign.time_zone;
        let stayed = mailed.into_iter().filter(|(contact, mailed)| {
            let passages = passages.get(contact).map_or(&[][..], Vec::as_slice);
            gates::stayed(*mailed, passages, run.due_at, reentry_after, zone)
        });
        Ok(stayed.map(|(contact, _)| contact).collect())
    }

    /// Puts contacts of an audience before the gates.
    async fn recipients(
        &self,
        run: &Run,
        campaign: &Campaign,
        selected: &[Selected],
        rules: &CapRules,
        quiet: Option<QuietHours>,
    ) -> crate::store::Result<Vec<Recipient>> {
        let ids: Vec<ContactId> = selected.iter().map(|one| one.contact).collect();
        let contacts = contacts::by_numbers(&self.store, &ids).await?;
        let contacts: HashMap<_, _> = contacts.iter().map(|contact| (contact.id, contact)).collect();
        let prior = recipients::prior_mail(&self.store, &run.campaign, run.id, &ids).await?;
        let prior: HashMap<_, _> = prior.iter().map(|mail| (mail.contact, mail)).collect();
        let stayed = self.stayed(run, campaign, &prior).await?;
        let mailed = match campaign.purpose {
            MailPurpose::Marketing => caps::mailed(&self.store, rules, run.id, run.due_at, &ids).await?,
            MailPurpose::Transactional => HashMap::new(),
        };
        let zone = run.zone.map_or(campaign.time_zone, |zone| zone.zone);
        let addresses: HashMap<_, _> = contacts
            .values()
            .filter_map(|contact| Some((contact.id, contact.email.as_deref()?.to_lowercase())))
            .collect();
        let mut asked: Vec<_> = addresses.values().map(String::as_str).collect();
        asked.sort_unstable();
        let suppressed = suppressions::among(&self.store, &asked).await?;
        let cause = |address: &String| {
            let mut causes = suppressed.get(address.as_str())?.iter().map(|suppression| suppression.cause);
            causes.find(|cause| cause.holds_back(campaign.purpose))
        };

        let mut rows = Vec::with_capacity(selected.len());
        for one in selected {
            // Whoever was erased since the audience was selected is in it no more.
            let Some(contact) = contacts.get(&one.contact) else { continue };
            let address = addresses.get(&one.contact);
            let suppression = address.and_then(cause);
            let prior = prior.get(&one.contact).copied();
            let others = mailed.get(&one.contact).map_or(&[][..], Vec::as_slice);
            let facts = Facts {
                stayed: stayed.contains(&one.contact),
                caps_have_room: rules.have_room(run.due_at, others),
                ..facts(one, contact, address, prior, suppression)
            };
            let unknown_is_yes = self.settings.unknown_marketing_is_yes;
            let version = one.version.and_then(|version| campaign.versions.get(usize::from(version)));
            rows.push(Recipient {
                contact: one.contact,
                address: address.cloned(),
                version: version.map(|version| version.label.clone()),
                plan: match gates::closed_gate(campaign, (run.due_at, zone), facts, unknown_is_yes) {
                    None => self.plan(run, contact, quiet),
                    Some(reason) => RecipientPlan::Skip(reason),
                },
            });
        }
        Ok(rows)
    }

    fn plan(&self, run: &Run, contact: &Contact, quiet: Option<QuietHours>) -> RecipientPlan {
        let not_before =
            quiet.map_or(run.due_at, |quiet| quiet.first_after(run.due_at, self.zone_of(contact)));
        if not_before > run.due_at {
            return RecipientPlan::Later { not_before, wait: WaitReason::QuietHours };
        }
        RecipientPlan::Mail { not_before }
    }

    /// The zone of a contact, else the installation's.
    pub(super) fn zone_of(&self, contact: &Contact) -> Zone {
        let own = contact.time_zone.as_deref().and_then(|name| name.parse().ok());
        own.unwrap_or(self.settings.evaluation.time_zone)
    }
}

fn facts(
    selected: &Selected,
    contact: &Contact,
    address: Option<&String>,
    prior: Option<&PriorMail>,
    suppression: Option<SuppressionCause>,
) -> Facts {
    Facts {
        has_version: selected.version.is_some(),
        has_address: address.is_some(),
        marketing: contact.marketing.state,
        suppression,
        mailed_due: prior.and_then(|mail| mail.mailed_due_at),
        waits_elsewhere: prior.is_some_and(|mail| mail.waits),
        stayed: false,
        caps_have_room: true,
    }
}
