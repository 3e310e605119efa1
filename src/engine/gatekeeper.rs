//! Puts contacts of a run's audience before the gates: fetches what the gates ask of them, in bulk.

use std::collections::{HashMap, HashSet};

use super::gates::{self, Facts};
use super::parts::{EngineSettings, cap_rules};
use crate::audience::Selected;
use crate::domain::campaign::{Campaign, MailPurpose, Repeat};
use crate::domain::catalogue::Catalogue;
use crate::domain::contact::{Contact, ContactId};
use crate::domain::delivery::{SuppressionCause, WaitReason};
use crate::domain::quiet_hours::QuietHours;
use crate::domain::time::Timestamp;
use crate::store::caps::CapRules;
use crate::store::memberships::{Kept, SegmentId};
use crate::store::recipients::{PriorMail, Recipient, RecipientPlan};
use crate::store::runs::Run;
use crate::store::{Result, Store, caps, contacts, entries, memberships, recipients, suppressions};

/// What it takes to put contacts before the gates.
#[derive(Debug)]
pub(super) struct Gatekeeper<'a> {
    store: &'a Store,
    settings: &'a EngineSettings,
    rules: CapRules,
    quiet: Option<QuietHours>,
}

/// A contact that stood before the gates.
#[derive(Debug)]
pub(super) struct Faced {
    /// Its row.
    pub(super) recipient: Recipient,
    /// What the gates were told of it.
    pub(super) facts: Facts,
    /// When the marketing mails were due that count under the caps beside the run's.
    pub(super) capped: Vec<Timestamp>,
}

impl<'a> Gatekeeper<'a> {
    pub(super) fn new(store: &'a Store, settings: &'a EngineSettings, catalogue: &Catalogue) -> Self {
        let rules = cap_rules(catalogue, settings.evaluation.time_zone);
        Self { store, settings, rules, quiet: catalogue.quiet_hours }
    }

    /// Puts contacts of an audience before the gates. Whoever was erased since is left out.
    pub(super) async fn face(
        &self,
        run: &Run,
        campaign: &Campaign,
        selected: &[Selected],
    ) -> Result<Vec<Faced>> {
        let ids: Vec<ContactId> = selected.iter().map(|one| one.contact).collect();
        let contacts = contacts::by_numbers(self.store, &ids).await?;
        let contacts: HashMap<_, _> = contacts.iter().map(|contact| (contact.id, contact)).collect();
        let prior = recipients::prior_mail(self.store, &run.campaign, run.id, &ids).await?;
        let prior: HashMap<_, _> = prior.iter().map(|mail| (mail.contact, mail)).collect();
        let stayed = self.stayed(run, campaign, &prior).await?;
        let mut mailed = match campaign.purpose {
            MailPurpose::Marketing => caps::mailed(self.store, &self.rules, run.id, run.due_at, &ids).await?,
            MailPurpose::Transactional => HashMap::new(),
        };
        let zone = run.zone.map_or(campaign.time_zone, |zone| zone.zone);
        let addresses: HashMap<_, _> = contacts
            .values()
            .filter_map(|contact| Some((contact.id, contact.email.as_deref()?.to_lowercase())))
            .collect();
        let mut asked: Vec<_> = addresses.values().map(String::as_str).collect();
        asked.sort_unstable();
        let suppressed = suppressions::among(self.store, &asked).await?;
        let cause = |address: &String| {
            let mut causes = suppressed.get(address.as_str())?.iter().map(|suppression| suppression.cause);
            causes.find(|cause| cause.holds_back(campaign.purpose))
        };

        let mut faced = Vec::with_capacity(selected.len());
        for one in selected {
            let Some(contact) = contacts.get(&one.contact) else { continue };
            let address = addresses.get(&one.contact);
            let suppression = address.and_then(cause);
            let prior = prior.get(&one.contact).copied();
            let capped = mailed.remove(&one.contact).unwrap_or_default();
            let facts = Facts {
                stayed: stayed.contains(&one.contact),
                caps_have_room: self.rules.have_room(run.due_at, &capped),
                ..facts(one, contact, address, prior, suppression)
            };
            let unknown_is_yes = self.settings.unknown_marketing_is_yes;
            let version = one.version.and_then(|version| campaign.versions.get(usize::from(version)));
            let recipient = Recipient {
                contact: one.contact,
                address: address.cloned(),
                version: version.map(|version| version.label.clone()),
                plan: match gates::closed_gate(campaign, (run.due_at, zone), facts, unknown_is_yes) {
                    None => self.plan(run, campaign, contact),
                    Some(reason) => RecipientPlan::Skip(reason),
                },
            };
            faced.push(Faced { recipient, facts, capped });
        }
        Ok(faced)
    }

    fn plan(&self, run: &Run, campaign: &Campaign, contact: &Contact) -> RecipientPlan {
        let quiet = self.quiet.filter(|_| campaign.purpose == MailPurpose::Marketing);
        let zone = self.settings.zone_of(contact);
        let not_before = quiet.map_or(run.due_at, |quiet| quiet.first_after(run.due_at, zone));
        if not_before > run.due_at {
            return RecipientPlan::Later { not_before, wait: WaitReason::QuietHours };
        }
        RecipientPlan::Mail { not_before }
    }

    /// Which of these contacts have been in the audience ever since they were mailed.
    async fn stayed(
        &self,
        run: &Run,
        campaign: &Campaign,
        prior: &HashMap<ContactId, &PriorMail>,
    ) -> Result<HashSet<ContactId>> {
        let Repeat::EveryEntry { reentry_after } = campaign.repeat else { return Ok(HashSet::new()) };
        let mailed: Vec<_> =
            prior.values().filter_map(|mail| Some((mail.contact, mail.mailed_due_at?))).collect();
        if mailed.is_empty() {
            return Ok(HashSet::new());
        }
        let segment = kept_audience(self.store, campaign).await?;
        let contacts: Vec<_> = mailed.iter().map(|(contact, _)| *contact).collect();
        let passages = entries::passages_of(self.store, segment, &contacts, run.due_at).await?;
        let zone = campaign.time_zone;
        let stayed = mailed.into_iter().filter(|(contact, mailed)| {
            let passages = passages.get(contact).map_or(&[][..], Vec::as_slice);
            gates::stayed(*mailed, passages, run.due_at, reentry_after, zone)
        });
        Ok(stayed.map(|(contact, _)| contact).collect())
    }
}

/// The number under which the members of a campaign's audience are kept.
pub(super) async fn kept_audience(store: &Store, campaign: &Campaign) -> Result<SegmentId> {
    let known = memberships::ensure(store, &[Kept::Audience(campaign.name.clone())]).await?;
    // `ensure` gives one for each name.
    Ok(known.first().map_or(SegmentId(0), |known| known.id))
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
