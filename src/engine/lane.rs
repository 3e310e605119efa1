//! One lane: takes a row in hand, renders its mail, notes its links, hands it over, notes how that ended.

use std::sync::OnceLock;
use std::time::Duration;

use super::core::Core;
use super::error::EngineError;
use super::queue::{Next, Work};
use super::slot::LaneSlot;
use super::tally::Tally;
use super::when_idle::{IDLE, WhenIdle};
use super::{gates, occurrence, pause};
use crate::clock::Clock;
use crate::domain::campaign::OnUncertain;
use crate::domain::contact::ContactView;
use crate::domain::delivery::{Fault, RefusalReason, Reply, RunId, SkipReason, TryOutcome, WaitReason};
use crate::domain::stop;
use crate::domain::time::Timestamp;
use crate::render::{Draft, RenderError, RenderInput};
use crate::send::HandoverStopped;
use crate::store::ledger::{LastLook, Step};

impl Core {
    /// Hands over row after row. With [`WhenIdle::End`] until there is none or the server fails; else
    /// until the lane is told to stop, and failures of the store are waited out.
    pub(super) async fn work(
        &self,
        slot: &mut LaneSlot,
        only: Option<RunId>,
        clock: &Clock,
        mut when_idle: WhenIdle,
        tally: &Tally,
    ) -> Result<(), EngineError> {
        while !when_idle.is_told_to_stop() {
            let now = clock.now();
            let pause = slot.resume_at.map(|at| at.since(now)).filter(|pause| !pause.is_zero());
            let idle = if let Some(pause) = pause {
                pause
            } else if !self.lease.holds() {
                // Others may take over what is in hand: nothing more is taken until a sign of life is noted.
                IDLE
            } else {
                match self.next_work(only, now, tally).await {
                    Ok(Next::Work(work)) => {
                        self.hand_over(slot, &work, clock, tally).await;
                        // Its place is free: before others look for one.
                        drop(work);
                        self.claims.place.notify_one();
                        continue;
                    }
                    Ok(Next::Soon) => {
                        // Not the end of a lane that is to end when there is nothing: somebody has a mail in hand,
                        // and gives news when it is handed over.
                        if !when_idle.wait_for_a_place(&self.claims.place).await {
                            break;
                        }
                        continue;
                    }
                    Ok(Next::Nothing) => IDLE,
                    Err(error) if matches!(when_idle, WhenIdle::End(_)) => return Err(error),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "no deliveries can be taken in hand; tried again"
                        );
                        IDLE
                    }
                }
            };
            slot.lane.close_if_idle().await;
            if !when_idle.wait(idle, &self.claims.news).await {
                break;
            }
        }
        Ok(())
    }

    async fn hand_over(&self, slot: &mut LaneSlot, work: &Work, clock: &Clock, tally: &Tally) {
        let delivery = work.claimed.id;
        let now = clock.now();
        let run = work.claimed.run;
        let contact = work.contact.view();
        let draft = match draft(work, &contact, now) {
            Ok(draft) => draft,
            Err(error) => {
                tally.skipped();
                // The message stays on the row: it may quote what is known of the contact.
                let place = match &error {
                    RenderError::TemplateFailed { place, .. } => format!("{}:{}", place.file, place.line),
                    _ => work.claimed.version.clone(),
                };
                tracing::warn!(
                    delivery.id = delivery.0, run.id = work.claimed.run.0,
                    campaign.name = %work.claimed.campaign, template.place = place,
                    "a mail could not be rendered"
                );
                let error = Some(error.to_string());
                let step = Step::Skip { reason: SkipReason::TemplateFailed, error };
                return self.ledger.settle(delivery, step, now).await;
            }
        };
        let numbers = match self.numbers.of(&self.store, run, draft.urls()).await {
            Ok(numbers) => numbers,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    delivery.id = delivery.0,
                    run.id = run.0,
                    "the links of a mail cannot be noted: it waits until they can"
                );
                let step = Step::Release { wait: None, not_before: now, reply: None };
                self.ledger.settle(delivery, step, now).await;
                return self.ledger.flush(now).await;
            }
        };
        let rendered = draft.finish(&numbers);
        let marked = OnceLock::new();
        let before_dot = || async {
            let step = Step::Transmit {
                message_id: rendered.email.message_id.clone(),
                content_hash: hexadecimal(&rendered.content_hash),
                tracking: rendered.tracking,
                last_look: (work.asked_at.elapsed() > LOOKED_AT_FOR).then_some(LastLook {
                    purpose: work.purpose,
                    consents: gates::consents(work.purpose, self.settings.unknown_marketing_is_yes),
                }),
            };
            let result = if self.lease.holds() {
                self.ledger.mark(delivery, step, clock.now()).await
            } else {
                Err(HandoverStopped { reason: "this daemon gave no sign of life for too long".to_owned() })
            };
            // The closure is called once, so this is the first value.
            let _ = marked.set(result.is_ok());
            result
        };
        let outcome = slot.lane.deliver(&rendered.email, before_dot, now).await;
        let progress = match marked.get() {
            None => Progress::Before,
            Some(false) => Progress::NotMarked,
            Some(true) => Progress::Marked,
        };
        let now = clock.now();
        let outcome = outcome.dated(now);
        let stops = match &outcome {
            TryOutcome::Refused(reply) if stop::is_senders_fault(reply) => Some(reply.clone()),
            TryOutcome::Deferred(reply) if reply.fault == Fault::Campaign => Some(reply.clone()),
            _ => None,
        };
        if let Some(reply) = &stops {
            // Before the row goes back: else it could be claimed again at once.
            self.stop_for(&work.claimed.campaign, reply, now).await;
        }
        if !matches!(progress, Progress::NotMarked) {
            self.note_provider(work, &outcome, now).await;
        }
        let step = self.step_after(slot, work, outcome, progress, now, tally);
        self.ledger.settle(delivery, step, now).await;
        if stops.is_some() {
            tally.waiting(self.give_back(None, None, now, now).await);
        }
        if matches!(progress, Progress::NotMarked) {
            // The store failed, or another sender has the row: go on when the store does.
            self.ledger.flush(now).await;
        }
        if slot.is_failing
            && let Some(resume_at) = slot.resume_at
            && self.claims.healthy() == 0
        {
            let server = Some(WaitReason::Server);
            let rows = self.give_back(server, slot.last_failure(), resume_at, now).await;
            tally.waiting(rows);
        }
    }

    /// What becomes of a row after a try.
    fn step_after(
        &self,
        slot: &mut LaneSlot,
        work: &Work,
        outcome: TryOutcome,
        progress: Progress,
        now: Timestamp,
        tally: &Tally,
    ) -> Step {
        let failed = match &outcome {
            TryOutcome::Deferred(reply) | TryOutcome::Uncertain(reply)
                if matches!(reply.fault, Fault::Server | Fault::Either) =>
            {
                Some(reply)
            }
            _ => None,
        };
        if !matches!(progress, Progress::NotMarked) {
            self.note_server(slot, failed, now);
        }
        match outcome {
            TryOutcome::Accepted(reply) => {
                tally.accepted();
                Step::Accept(reply)
            }
            // Nothing is wrong with whom it was for: it goes out when the campaign is resumed.
            TryOutcome::Refused(reply) | TryOutcome::Deferred(reply)
                if reply.fault == Fault::Campaign || stop::is_senders_fault(&reply) =>
            {
                tally.waiting(1);
                Step::Release { wait: None, not_before: now, reply: Some(reply) }
            }
            TryOutcome::Refused(reply) => {
                tally.refused();
                Step::Refuse { reason: RefusalReason::Rejected, reply }
            }
            TryOutcome::Uncertain(reply) => {
                tally.uncertain();
                tracing::warn!(
                    delivery.id = work.claimed.id.0,
                    run.id = work.claimed.run.0,
                    "nobody can know whether the server took a mail"
                );
                let campaign = work.declared.catalogue.campaigns.get(&work.claimed.campaign);
                let again =
                    campaign.filter(|campaign| campaign.on_uncertain == OnUncertain::SendAgain).map(|_| {
                        now.plus(pause::after_try(work.claimed.id, work.claimed.attempts.saturating_add(1)))
                    });
                Step::Doubt { reply, again }
            }
            // The note was not taken: not the message's fault, and nothing was sent. Who withdrew in the
            // last moment is skipped, with the reason, when the row is claimed again.
            TryOutcome::Deferred(_) if matches!(progress, Progress::NotMarked) => {
                Step::Release { wait: None, not_before: now, reply: None }
            }
            // The server is not there: not the message's fault, and no try of it. One that fails at this
            // message makes it a try: it may be this message that the server cannot bear.
            TryOutcome::Deferred(reply)
                if reply.fault == Fault::Server && matches!(progress, Progress::Before) =>
            {
                tally.waiting(1);
                let not_before = slot.resume_at.unwrap_or(now);
                Step::Release { wait: Some(WaitReason::Server), not_before, reply: Some(reply) }
            }
            TryOutcome::Deferred(reply) => deferred(work, reply, now, tally),
        }
    }
}

/// How far a handover came.
#[derive(Debug, Clone, Copy)]
enum Progress {
    Before,
    NotMarked,
    Marked,
}

/// For how long the answer of a row's gates holds: behind a slow server consent and suppressions are asked
/// once more, in the transaction that lets the mail go. So nobody is mailed a second after they withdrew.
const LOOKED_AT_FOR: Duration = Duration::from_millis(250);

fn draft<'w>(work: &'w Work, contact: &'w ContactView<'w>, now: Timestamp) -> Result<Draft<'w>, RenderError> {
    work.declared.renderer.draft(&RenderInput {
        campaign: &work.claimed.campaign,
        version: &work.claimed.version,
        delivery: work.claimed.id,
        run: work.claimed.run,
        tracking: work.tracking,
        contact,
        recipient: &work.recipient,
        trait_names: &work.trait_names,
        trait_values: &work.traits,
        score_names: &work.score_names,
        score_values: &work.scores,
        date: work.claimed.first_claimed_at,
        now,
    })
}

/// A 4xx answer: again after a pause, until the campaign's patience is over. The last try is at its end.
fn deferred(work: &Work, reply: Reply, now: Timestamp, tally: &Tally) -> Step {
    let campaign = work.declared.catalogue.campaigns.get(&work.claimed.campaign);
    let until = campaign.map(|campaign| {
        occurrence::later(work.claimed.first_claimed_at, campaign.retry_for, campaign.time_zone)
    });
    if until.is_some_and(|until| until <= now) {
        tally.refused();
        return Step::Refuse { reason: RefusalReason::GaveUp, reply };
    }
    tally.deferred();
    let pause = pause::after_try(work.claimed.id, work.claimed.attempts.saturating_add(1));
    let again = now.plus(pause);
    let not_before = until.map_or(again, |until| again.min(until));
    Step::Defer { not_before, wait: Some(WaitReason::Server), reply }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
