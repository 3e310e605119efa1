//! Fixes the recipients of a run in the store, before its first mail: a row for every contact of the
//! audience, planned or skipped with its reason.

use std::collections::HashMap;

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::gates::{self, Facts};
use super::parts::Declared;
use crate::audience::{self, Selected};
use crate::domain::campaign::Campaign;
use crate::domain::contact::{Contact, ContactId};
use crate::domain::delivery::{RunState, SuppressionCause};
use crate::domain::time::Timestamp;
use crate::store::recipients::{PriorMail, Recipient, RecipientPlan};
use crate::store::runs::Run;
use crate::store::{contacts, recipients, suppressions};

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
        let evaluation = self.settings.evaluation;
        let audience = audience::select(&self.store, &declared.catalogue, evaluation, campaign, run.due_at)
            .await
            .doing(operation)?;
        let mut planned: u64 = 0;
        for batch in audience.chunks(BATCH) {
            let rows = self.recipients(run, campaign, batch).await.doing(operation)?;
            let mails = rows.iter().filter(|one| matches!(one.plan, RecipientPlan::Mail { .. })).count();
            planned += mails as u64;
            if !recipients::add_recipients(&self.store, run.id, &rows, now).await.doing(operation)? {
                return Ok(None);
            }
        }
        let most = campaign.max_recipients.filter(|most| planned > *most);
        let (state, note) = match most {
            Some(most) => (
                RunState::Held,
                Some(format!(
                    "{planned} mails are planned, max_recipients allows {most}: `campaignd approve {id}` sends them, `campaignd cancel {id}` does not",
                    id = run.id.0
                )),
            ),
            None if planned == 0 => (RunState::Finished, None),
            None => (RunState::Sending, None),
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

    /// Puts contacts of an audience before the gates.
    async fn recipients(
        &self,
        run: &Run,
        campaign: &Campaign,
        selected: &[Selected],
    ) -> crate::store::Result<Vec<Recipient>> {
        let ids: Vec<ContactId> = selected.iter().map(|one| one.contact).collect();
        let contacts = contacts::by_numbers(&self.store, &ids).await?;
        let contacts: HashMap<_, _> = contacts.iter().map(|contact| (contact.id, contact)).collect();
        let prior = recipients::prior_mail(&self.store, &run.campaign, run.id, &ids).await?;
        let prior: HashMap<_, _> = prior.iter().map(|mail| (mail.contact, mail)).collect();
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
            let facts = facts(one, contact, address, prior.get(&one.contact).copied(), suppression);
            let unknown_is_yes = self.settings.unknown_marketing_is_yes;
            let version = one.version.and_then(|version| campaign.versions.get(usize::from(version)));
            rows.push(Recipient {
                contact: one.contact,
                address: address.cloned(),
                version: version.map(|version| version.label.clone()),
                plan: match gates::closed_gate(campaign, run.due_at, facts, unknown_is_yes) {
                    None => RecipientPlan::Mail { not_before: run.due_at },
                    Some(reason) => RecipientPlan::Skip(reason),
                },
            });
        }
        Ok(rows)
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
    }
}
