//! What becomes of one contact at a campaign's next due time, as things stand: the gates that a run puts
//! everybody before, one by one. Notes nothing.

use super::gatekeeper::{Faced, Gatekeeper};
use super::gates;
use super::parts::EngineSettings;
use crate::audience::{Selected, version_of};
use crate::domain::campaign::{Campaign, MailPurpose, Repeat, Tracking};
use crate::domain::caps::Cap;
use crate::domain::catalogue::Catalogue;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::{Contact, ContactId};
use crate::domain::delivery::{RunId, RunState, RunTrigger, SkipReason, SuppressionCause, WaitReason};
use crate::domain::schedule::Schedule;
use crate::domain::time::{Timestamp, Zone};
use crate::evaluate::Outcome;
use crate::store::memberships::Kept;
use crate::store::recipients::RecipientPlan;
use crate::store::runs::{Run, ZoneRun};
use crate::store::{Result, Store, memberships, pauses};

/// What becomes of a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// When the campaign is due next for this contact.
    pub next: Next,
    /// In which zone schedule, `starts` and `ends` are read.
    pub zone: Zone,
    /// Since when the campaign is paused, if it is.
    pub paused_since: Option<Timestamp>,
    /// Whether the contact is in the audience at that time, if nothing new happens.
    pub in_audience: bool,
    /// The place of the first version whose condition it meets then.
    pub version: Option<usize>,
    /// The gates, in the order in which they are passed.
    pub gates: Vec<Gate>,
    /// What is recorded of opens and clicks.
    pub tracking: Tracking,
    /// What comes of it all.
    pub fate: Fate,
}

/// When a campaign is due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At this instant of its schedule.
    Due(Timestamp),
    /// When somebody sends it.
    ByHand,
    /// When the contact enters the audience.
    OnEntry(Entry),
    /// Never again.
    Over,
}

/// What is known of a contact and an audience whose entries are mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    /// Whether the contact is in, as the daemon saw it last: then it must leave before it enters.
    pub is_in: bool,
    /// Whether the audience was evaluated before: a first evaluation sees nobody enter.
    pub was_evaluated: bool,
    /// Whether those who are in at a first evaluation, or by an import of old facts, are mailed, too.
    pub includes_current: bool,
}

/// A gate with what it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Which.
    pub kind: GateKind,
    /// Whether the contact passes.
    pub is_open: bool,
}

/// What a gate asks, and is told.
#[derive(Debug, Clone, PartialEq)]
pub enum GateKind {
    /// Whether a version's condition holds.
    Version,
    /// Whether the due time lies within `starts` and `ends`.
    Dates {
        /// From here on …
        starts: Option<Timestamp>,
        /// … up to here, which is out.
        ends: Option<Timestamp>,
    },
    /// Whether there is an address.
    Address(Option<String>),
    /// What holds the address back.
    Suppression(Option<SuppressionCause>),
    /// Consent to marketing.
    Consent {
        /// The answer.
        consent: Consent,
        /// Whether the mail needs one.
        is_needed: bool,
        /// Whether an unknown one counts as yes.
        unknown_is_yes: bool,
    },
    /// How often a contact gets it.
    Repeat {
        /// What is declared.
        repeat: Repeat,
        /// When the latest mail of it was due that was, is being, or may have been sent.
        mailed_due: Option<Timestamp>,
        /// Whether the contact has been in the audience ever since.
        stayed: bool,
    },
    /// Whether a mail of an earlier run is still to come.
    EarlierRun,
    /// How much marketing mail a contact gets.
    Caps {
        /// All that hold; none for transactional mail.
        caps: Vec<Cap>,
        /// When the mails were due that count.
        mailed: Vec<Timestamp>,
    },
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is mailed.
    Mailed {
        /// Not before.
        at: Timestamp,
    },
    /// It is mailed when a wait is over.
    Waits {
        /// When.
        until: Timestamp,
        /// For what.
        wait: WaitReason,
    },
    /// It is in the audience and not mailed.
    Skipped(SkipReason),
    /// It is not in the audience.
    NotInAudience,
    /// It is in the audience already, and only who enters is mailed.
    InAlready,
    /// It is in the audience, which was never evaluated: the first evaluation sees nobody enter.
    InAtFirst,
    /// The campaign is paused.
    Paused,
    /// The campaign has no due time any more.
    Over,
}

/// The run that a contact is put before the gates of.
#[derive(Debug, Clone, Copy)]
pub struct Coming<'a> {
    /// See [`next_for`].
    pub next: Next,
    /// See [`next_for`].
    pub zone: Zone,
    /// When it is due.
    pub due: Timestamp,
    /// Of the campaign's audience and of the conditions of its versions, then.
    pub outcomes: &'a [Outcome],
}

/// When the campaign is due next for a contact after `at`, and in which zone.
pub fn next_for(
    campaign: &Campaign,
    contact: &Contact,
    settings: &EngineSettings,
    at: Timestamp,
) -> (Next, Zone) {
    let zone = if campaign.in_zone_of_contact { settings.zone_of(contact) } else { campaign.time_zone };
    let next = match &campaign.schedule {
        None => Next::ByHand,
        Some(Schedule::OnEntry { include_current }) => {
            Next::OnEntry(Entry { includes_current: *include_current, ..Entry::default() })
        }
        Some(schedule) => {
            let starts = campaign.starts.map(|starts| starts.in_zone(zone));
            let from = starts.map_or(at, |starts| starts.minus(std::time::Duration::from_micros(1)).max(at));
            schedule.next_after(from, zone).map_or(Next::Over, Next::Due)
        }
    };
    (next, zone)
}

/// Puts a contact before the gates of a run that is to come. `None`: there is no such contact any more.
pub async fn prospect(
    store: &Store,
    settings: &EngineSettings,
    catalogue: &Catalogue,
    campaign: &Campaign,
    contact: &Contact,
    coming: Coming<'_>,
) -> Result<Option<Prospect>> {
    let Coming { next, zone, due, outcomes } = coming;
    let holds = |place: usize| outcomes.get(place).is_some_and(|outcome| outcome.holds);
    let version = version_of(outcomes.get(1..).unwrap_or_default());
    let run = hypothetical(campaign, due, zone);
    let gatekeeper = Gatekeeper::new(store, settings, catalogue);
    let selected = Selected { contact: contact.id, version };
    let Some(faced) = gatekeeper.face(&run, campaign, &[selected]).await?.pop() else { return Ok(None) };
    let next = match next {
        Next::OnEntry(entry) => Next::OnEntry(looked_up(store, campaign, contact.id, entry).await?),
        other => other,
    };
    let paused_since = pauses::all(store).await?.get(&campaign.name).map(|pause| pause.since);
    let fate = match (next, paused_since, &faced.recipient.plan) {
        (Next::Over, ..) => Fate::Over,
        (_, Some(_), _) => Fate::Paused,
        _ if !holds(0) => Fate::NotInAudience,
        (Next::OnEntry(Entry { is_in: true, .. }), ..) => Fate::InAlready,
        (Next::OnEntry(Entry { was_evaluated: false, includes_current: false, .. }), ..) => Fate::InAtFirst,
        (.., RecipientPlan::Mail { not_before }) => Fate::Mailed { at: *not_before },
        (.., RecipientPlan::Later { not_before, wait }) => Fate::Waits { until: *not_before, wait: *wait },
        (.., RecipientPlan::Skip(reason)) => Fate::Skipped(*reason),
    };
    Ok(Some(Prospect {
        next,
        zone,
        paused_since,
        in_audience: holds(0),
        version: version.map(usize::from),
        gates: all_gates(settings, catalogue, campaign, contact, (due, zone), faced),
        tracking: campaign.tracking_of(
            settings.tracking,
            contact.tracking.state,
            settings.unknown_tracking_is_yes,
        ),
        fate,
    }))
}

/// Each gate by itself: as [`gates::closed_gate`] asks them, which stops at the first that is closed.
fn all_gates(
    settings: &EngineSettings,
    catalogue: &Catalogue,
    campaign: &Campaign,
    contact: &Contact,
    (due, zone): (Timestamp, Zone),
    faced: Faced,
) -> Vec<Gate> {
    let Faced { recipient, facts, capped } = faced;
    let unknown_is_yes = settings.unknown_marketing_is_yes;
    let is_marketing = campaign.purpose == MailPurpose::Marketing;
    let kinds = [
        GateKind::Version,
        GateKind::Dates {
            starts: campaign.starts.map(|starts| starts.in_zone(zone)),
            ends: campaign.ends.map(|ends| ends.in_zone(zone)),
        },
        GateKind::Address(recipient.address),
        GateKind::Suppression(facts.suppression),
        GateKind::Consent { consent: contact.marketing, is_needed: is_marketing, unknown_is_yes },
        GateKind::Repeat { repeat: campaign.repeat, mailed_due: facts.mailed_due, stayed: facts.stayed },
        GateKind::EarlierRun,
        GateKind::Caps {
            caps: if is_marketing { catalogue.caps.clone() } else { Vec::new() },
            mailed: capped,
        },
    ];
    let undated = Campaign { starts: None, ends: None, ..campaign.clone() };
    let gate = |kind: GateKind| {
        // With every other gate open, it is this one that closes.
        let alone = gates::Facts {
            has_version: !matches!(kind, GateKind::Version) || facts.has_version,
            has_address: !matches!(kind, GateKind::Address(_)) || facts.has_address,
            marketing: match kind {
                GateKind::Consent { .. } => facts.marketing,
                _ => ConsentState::Yes,
            },
            suppression: if matches!(kind, GateKind::Suppression(_)) { facts.suppression } else { None },
            mailed_due: if matches!(kind, GateKind::Repeat { .. }) { facts.mailed_due } else { None },
            waits_elsewhere: matches!(kind, GateKind::EarlierRun) && facts.waits_elsewhere,
            stayed: facts.stayed,
            caps_have_room: !matches!(kind, GateKind::Caps { .. }) || facts.caps_have_room,
        };
        let of = if matches!(kind, GateKind::Dates { .. }) { campaign } else { &undated };
        let is_open = gates::closed_gate(of, (due, zone), alone, unknown_is_yes).is_none();
        Gate { kind, is_open }
    };
    kinds.into_iter().map(gate).collect()
}

/// A run that nobody has noted.
fn hypothetical(campaign: &Campaign, due_at: Timestamp, zone: Zone) -> Run {
    let before = due_at.minus(std::time::Duration::from_micros(1));
    let local_due = campaign.schedule.as_ref().and_then(|schedule| schedule.next_local_after(before, zone));
    let local_due = local_due.filter(|_| campaign.in_zone_of_contact);
    Run {
        id: RunId(0),
        campaign: campaign.name.clone(),
        due_at,
        zone: local_due.map(|(local_due, _)| ZoneRun { zone, local_due }),
        state: RunState::Due,
        trigger: RunTrigger::Schedule,
        created_at: due_at,
        fixed_at: None,
        finished_at: None,
        resumed_at: None,
        note: None,
    }
}

/// What the daemon saw last of a contact and the campaign's audience.
async fn looked_up(store: &Store, campaign: &Campaign, contact: ContactId, entry: Entry) -> Result<Entry> {
    let known = memberships::ensure(store, &[Kept::Audience(campaign.name.clone())]).await?;
    let Some(known) = known.first() else { return Ok(entry) };
    let members = memberships::members_among(store, &[known.id], &[contact]).await?;
    let is_in = members.iter().any(|members| !members.is_empty());
    Ok(Entry { is_in, was_evaluated: known.evaluated.is_some(), ..entry })
}
