//! Takes rows in hand for the lanes: claimed in small batches, and asked again before they are sent.
//! How they wait for a lane: [`queue`](super::queue).

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::gates;
use super::parts::Declared;
use super::providers::Providers;
use super::queue::{Held, Next, Queue, Work};
use super::stop::Stops;
use super::tally::Tally;
use crate::audience::{self, Ranks, Seen};
use crate::domain::address::EmailAddress;
use crate::domain::campaign::{Campaign, MailPurpose};
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryId, RunId, RunState, SkipReason, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::provider::{self, TransportLimits};
use crate::domain::time::{Timestamp, Zone};
use crate::evaluate::Asked;
use crate::store::deliveries::{self, ClaimRules, Claimed};
use crate::store::ledger::Step;
use crate::store::pauses;
use crate::store::runs::{self, Run};

/// How long a claim is good for without a sign of life.
pub(super) const LEASE: Duration = Duration::from_mins(1);

/// A row that waited longer than this since its run was fixed asks its audience again.
const LONG_WAIT: Duration = Duration::from_hours(1);

/// The rows in hand that no lane has taken yet.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) queue: tokio::sync::Mutex<Queue>,
    lanes: usize,
    /// Lanes whose last try did not fail for the server's sake.
    healthy: AtomicUsize,
    /// Counts looks at the clock: nothing is looked for twice in between.
    look: AtomicU64,
    /// Tells lanes that sleep that there may be work, or that the server is back.
    pub(super) news: tokio::sync::Notify,
    /// Tells a lane that waits for a place at a provider that one may be free.
    pub(super) place: tokio::sync::Notify,
    /// When to look whether too much is refused.
    pub(super) stops: Stops,
    /// Who may be handed a mail.
    pub(super) providers: Providers,
    /// Rows whose lane broke while it had them in hand.
    pub(super) lost: Arc<Mutex<Vec<DeliveryId>>>,
}

/// What a claim is to bring.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    /// Of that run alone.
    only: Option<RunId>,
    /// How many rows.
    limit: usize,
    /// Not to these providers.
    except: &'a [String],
}

impl Claims {
    pub(super) fn new(lanes: usize, limits: &Arc<TransportLimits>) -> Self {
        let lanes = lanes.max(1);
        Self {
            queue: tokio::sync::Mutex::new(Queue::new(lanes)),
            lanes,
            healthy: AtomicUsize::new(lanes),
            look: AtomicU64::new(0),
            news: tokio::sync::Notify::new(),
            place: tokio::sync::Notify::new(),
            stops: Stops::default(),
            providers: Providers::new(lanes, Arc::clone(limits)),
            lost: Arc::default(),
        }
    }

    /// There may be new work.
    pub(super) fn look_again(&self) {
        self.look.fetch_add(1, Ordering::SeqCst);
        self.news.notify_waiters();
    }

    /// A lane's server failed.
    pub(super) fn lane_failed(&self) {
        self.healthy.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many lanes' last try did not fail for the server's sake.
    pub(super) fn healthy(&self) -> usize {
        self.healthy.load(Ordering::SeqCst)
    }

    /// A lane whose server had failed got through.
    pub(super) fn lane_recovered(&self) {
        self.healthy.fetch_add(1, Ordering::SeqCst);
        self.look_again();
    }
}

impl Core {
    /// The next row to be sent, of `only` that run if it is given.
    pub(super) async fn next_work(
        &self,
        only: Option<RunId>,
        now: Timestamp,
        tally: &Tally,
    ) -> Result<Next, EngineError> {
        let look = self.claims.look.load(Ordering::SeqCst);
        let mut queue = self.claims.queue.lock().await;
        loop {
            let found = queue.find(&self.claims.providers, now);
            // Also beside a row that was found: nobody else knows of them any more.
            self.let_wait(&found.wait, now, tally).await;
            if let Some(work) = found.work {
                return Ok(Next::Work(Box::new(work)));
            }
            if found.full.is_empty() && queue.empty_at == Some(look) {
                return Ok(Next::Nothing);
            }
            if !found.full.is_empty()
                && (queue.no_others_at == Some(look) || queue.is_long(self.claims.lanes))
            {
                return Ok(Next::Soon);
            }
            let limit = queue.next_limit(self.claims.lanes, self.claims.healthy());
            let wanted = Wanted { only, limit, except: &found.full };
            let mut claimed = Vec::new();
            let result = self.claim(&mut claimed, wanted, now, tally).await;
            // Also what was ready before something failed: it is in hand.
            queue.push(claimed);
            if !result? {
                let seen = if found.full.is_empty() { &mut queue.empty_at } else { &mut queue.no_others_at };
                *seen = Some(look);
            }
        }
    }

    /// The runs that may be sent from, those due first first; of one instant by their rank.
    pub(super) async fn sending_runs(&self, declared: &Declared) -> Result<Vec<Run>, EngineError> {
        let mut runs = runs::in_states(&self.store, &[RunState::Sending])
            .await
            .doing(|| "look for runs to send".to_owned())?;
        let paused = pauses::all(&self.store).await.doing(|| "look for paused campaigns".to_owned())?;
        runs.retain(|run| {
            declared.catalogue.campaigns.contains_key(&run.campaign) && !paused.contains_key(&run.campaign)
        });
        runs.sort_by_cached_key(|run| (run.due_at, declared.rank(&run.campaign), run.id));
        Ok(runs)
    }

    /// Claims a batch; false when there was none.
    async fn claim(
        &self,
        ready: &mut Vec<Work>,
        Wanted { only, limit, except }: Wanted<'_>,
        now: Timestamp,
        tally: &Tally,
    ) -> Result<bool, EngineError> {
        let declared = Arc::new(self.declarations.current());
        let mut runs = self.sending_runs(&declared).await?;
        runs.retain(|run| only.is_none_or(|only| only == run.id));
        if runs.is_empty() {
            return Ok(false);
        }
        self.stop_what_is_refused(&declared, &runs, now).await?;
        let sources: Vec<_> = runs.iter().map(|run| declared.source(run)).collect();
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let asked_at = Instant::now();
        let caps = declared.cap_rules(self.settings.evaluation.time_zone);
        let rules = ClaimRules { caps: &caps, limits: &self.settings.limits, except };
        let sender = self.incarnation.id();
        let claims = deliveries::claim_within(&self.store, sender, &sources, limit, LEASE, rules, now)
            .await
            .doing(|| "claim deliveries".to_owned())?;
        tally.held_back(claims.skipped, claims.waiting);
        if claims.skipped > 0 {
            tracing::info!(deliveries.skipped = claims.skipped, "deliveries are skipped: caps leave no room");
        }
        let claimed = claims.rows;
        self.claims.stops.claimed(claimed.iter().map(|row| &row.campaign));
        if claimed.is_empty() {
            return Ok(claims.skipped + claims.waiting > 0);
        }
        let mut campaigns: Vec<(CampaignName, Vec<Claimed>)> = Vec::new();
        let all: Vec<_> = claimed.iter().map(|row| row.id).collect();
        let mut rest = Vec::new();
        for row in claimed {
            let resting = self.claims.providers.rests(provider::of_address(&row.address), now);
            if let Some((until, reply)) = resting {
                rest.push((row.id, until, Some(reply)));
                continue;
            }
            match campaigns.iter_mut().find(|(name, _)| *name == row.campaign) {
                Some((_, rows)) => rows.push(row),
                None => campaigns.push((row.campaign.clone(), vec![row])),
            }
        }
        self.let_wait(&rest, now, tally).await;
        let mut campaigns = campaigns.into_iter();
        while let Some((name, rows)) = campaigns.next() {
            let Some(campaign) = declared.catalogue.campaigns.get(&name) else { continue };
            let before = ready.len();
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            if let Err(error) =
                self.ask_again(ready, &declared, campaign, rows, &runs, (asked_at, now), tally).await
            {
                ready.truncate(before);
                // Those of the campaigns that follow, too: nobody would ask for them again.
                let others = campaigns.flat_map(|(_, rows)| rows).map(|row| row.id);
                for delivery in ids.into_iter().chain(others) {
                    let step = Step::Release { wait: None, not_before: now, reply: None };
                    self.ledger.settle(delivery, step, now).await;
                }
                return Err(error);
            }
        }
        let unused: Vec<_> = {
            let kept: HashSet<_> = ready.iter().map(|work| work.claimed.id).collect();
            all.into_iter().filter(|row| !kept.contains(row)).collect()
        };
        deliveries::give_back_pace(&self.store, &claims.used, &unused)
            .await
            .doing(|| "give back how many mails may leave".to_owned())?;
        Ok(true)
    }

    /// Asks again what may have changed since the rows were fixed, and reads what their mails need.
    #[expect(clippy::too_many_arguments, reason = "one call, and all of it is needed at once")]
    async fn ask_again(
        &self,
        ready: &mut Vec<Work>,
        declared: &Arc<Declared>,
        campaign: &Campaign,
        rows: Vec<Claimed>,
        runs: &[Run],
        (asked_at, now): (Instant, Timestamp),
        tally: &Tally,
    ) -> Result<(), EngineError> {
        let runs: HashMap<_, _> = runs.iter().map(|run| (run.id, run)).collect();
        let waited = |row: &Claimed| {
            let run = runs.get(&row.run);
            let fixed_at = run.and_then(|run| run.fixed_at).unwrap_or(row.due_at);
            let resumed_at = run.and_then(|run| run.resumed_at);
            // Until the quiet hours were over, for another try, for somebody to resume it.
            now.since(fixed_at) > LONG_WAIT
                || row.not_before > fixed_at
                || resumed_at.is_some_and(|resumed_at| resumed_at >= fixed_at)
        };
        let quiet = declared.catalogue.quiet_hours.filter(|_| campaign.purpose == MailPurpose::Marketing);
        let needs = declared.renderer.needs(&campaign.name);
        let traits: Vec<_> = needs.traits.into_iter().collect();
        let scores: Vec<_> = needs.scores.into_iter().collect();
        let audience: &[_] = if rows.iter().any(waited) { &[&campaign.audience] } else { &[] };
        let contacts: Vec<_> = rows.iter().map(|row| row.contact).collect();
        let seen = audience::look_at(
            &self.store,
            &declared.catalogue,
            self.settings.evaluation,
            &contacts,
            Asked { conditions: audience, traits: &traits, scores: &scores, ..Asked::default() },
            Ranks::Standing,
            now,
        )
        .await
        .doing(|| format!("ask again whom campaign `{}` is for", campaign.name))?;
        let seen: HashMap<ContactId, Seen> = seen.into_iter().map(|seen| (seen.contact.id, seen)).collect();
        let trait_names: Arc<[_]> = traits.into();
        let score_names: Arc<[_]> = scores.into();
        let mut at_night = Vec::new();
        for row in rows {
            let seen = seen.get(&row.contact);
            let zone = runs.get(&row.run).and_then(|run| run.zone);
            let zone = zone.map_or(campaign.time_zone, |zone| zone.zone);
            let gate = self.closed_gate(campaign, &row, seen, waited(&row), (now, zone));
            if let (Ok((seen, _)), Some(quiet)) = (&gate, quiet) {
                let first = quiet.first_after(now, self.settings.zone_of(&seen.contact));
                if first > now {
                    at_night.push((row.id, WaitReason::QuietHours, first));
                    continue;
                }
            }
            match gate {
                Ok((seen, recipient)) => ready.push(Work {
                    recipient,
                    tracking: campaign.tracking_of(
                        self.settings.tracking,
                        seen.contact.tracking.state,
                        self.settings.unknown_tracking_is_yes,
                    ),
                    contact: seen.contact.clone(),
                    trait_names: Arc::clone(&trait_names),
                    traits: seen.traits.clone(),
                    score_names: Arc::clone(&score_names),
                    scores: seen.scores.clone(),
                    declared: Arc::clone(declared),
                    purpose: campaign.purpose,
                    asked_at,
                    place: None,
                    held: Held::new(row.id, Arc::clone(&self.claims.lost)),
                    claimed: row,
                }),
                Err(reason) => {
                    tally.skipped();
                    tracing::info!(
                        delivery.id = row.id.0,
                        run.id = row.run.0,
                        reason = reason.word(),
                        "a delivery is skipped: something changed since it was planned"
                    );
                    self.ledger.settle(row.id, Step::Skip { reason, error: None }, now).await;
                }
            }
        }
        tally.held_back(0, at_night.len() as u64);
        deliveries::postpone(&self.store, &at_night)
            .await
            .doing(|| "let deliveries wait until the quiet hours are over".to_owned())
    }

    /// What a row needs to be sent, or why it is not sent after all.
    fn closed_gate<'s>(
        &self,
        campaign: &Campaign,
        row: &Claimed,
        seen: Option<&'s Seen>,
        waited: bool,
        (now, zone): (Timestamp, Zone),
    ) -> Result<(&'s Seen, EmailAddress), SkipReason> {
        if !campaign.is_open_at(now, zone) {
            return Err(SkipReason::OutsideTheDates);
        }
        // The address stays the one that was fixed: it is the one that is unique in the run and that
        // suppressions were asked for. As the contact writes it, where it is still theirs.
        let seen = seen.ok_or(SkipReason::LeftTheAudience)?;
        let current = seen.contact.email.as_deref().ok_or(SkipReason::NoAddress)?;
        let recipient = EmailAddress::parse(current)
            .ok()
            .filter(|current| current.folded() == row.address)
            .map_or_else(|| EmailAddress::parse(&row.address), Ok)
            .map_err(|_| SkipReason::NoAddress)?;
        if let Some(cause) = row.suppressed.iter().find(|cause| cause.holds_back(campaign.purpose)) {
            return Err(cause.skip_reason());
        }
        let unknown_is_yes = self.settings.unknown_marketing_is_yes;
        if !gates::consented(campaign.purpose, seen.contact.marketing.state, unknown_is_yes) {
            return Err(SkipReason::NotConsented);
        }
        if waited && !seen.outcomes.first().is_none_or(|audience| audience.holds) {
            return Err(SkipReason::LeftTheAudience);
        }
        if !campaign.versions.iter().any(|version| version.label == row.version) {
            return Err(SkipReason::NoVersionMatches);
        }
        Ok((seen, recipient))
    }
}
