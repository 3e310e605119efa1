//! What has come due becomes runs: due times of schedules, in one zone or in each contact's, and entries
//! into audiences.

use std::time::Duration;

use super::Tick;
use super::core::{Considered, Core, NextInZones};
use super::error::{Doing as _, EngineError};
use super::occurrence::{self, Occurrences};
use super::parts::Declared;
use crate::domain::campaign::Campaign;
use crate::domain::delivery::{RunState, RunTrigger};
use crate::domain::schedule::Schedule;
use crate::domain::time::{Timestamp, Zone};
use crate::store::memberships::{self, Kept};
use crate::store::runs::{self, NewRun, ZoneRun};
use crate::store::{campaigns, contacts, entries, pauses};

/// How far the store may lag behind in what due times are dealt with, while none comes.
const CONSIDERED_LAG: Duration = Duration::from_mins(10);

/// Something that came due.
struct Due {
    at: Timestamp,
    zone: Option<ZoneRun>,
    trigger: RunTrigger,
    /// It passed while no daemon was up.
    missed: bool,
}

impl Core {
    /// Makes the runs whose time has come; whether there were any to be sent.
    pub(super) async fn make_runs(
        &self,
        declared: &Declared,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<bool, EngineError> {
        let mut any = false;
        for campaign in declared.catalogue.campaigns.values() {
            let mut known = self.considered(campaign, now).await?;
            let Some(schedule) = &campaign.schedule else { continue };
            if matches!(schedule, Schedule::OnEntry { .. }) {
                continue;
            }
            let due = if campaign.in_zone_of_contact {
                self.due_in_zones(campaign, schedule, &known, now).await?
            } else {
                self.due(campaign, schedule, &mut known, now)
            };
            let occurred = !due.is_empty();
            for one in due {
                any |= self.make_run(campaign, one, now, tick).await?;
            }
            known.until = known.until.max(now);
            known.looked_at = Some(now);
            if occurred && known.stored < now || known.until.since(known.stored) >= CONSIDERED_LAG {
                self.note_considered(campaign, &mut known).await?;
            }
            self.memory().considered.insert(campaign.name.clone(), known);
        }
        Ok(any)
    }

    /// Due times in the campaign's zone.
    fn due(
        &self,
        campaign: &Campaign,
        schedule: &Schedule,
        known: &mut Considered,
        now: Timestamp,
    ) -> Vec<Due> {
        // A single instant is considered however long it is past, once.
        let after = match schedule {
            Schedule::Cron(_) => not_looked_at_since(known, now),
            _ => known.last_single.unwrap_or(Timestamp::from_micros(i64::MIN)),
        };
        let found = self.occurrences(campaign, schedule, campaign.time_zone, after, known, now);
        if matches!(schedule, Schedule::At(_)) {
            known.last_single = found.run.last().or(found.missed.last()).copied().or(known.last_single);
        }
        sorted_out(&found, |_| None)
    }

    /// Due times in all zones that contacts have, and in the installation's for those without one.
    async fn due_in_zones(
        &self,
        campaign: &Campaign,
        schedule: &Schedule,
        known: &Considered,
        now: Timestamp,
    ) -> Result<Vec<Due>, EngineError> {
        let edition = self.declarations.edition();
        let known_next = self.memory().zones.get(&campaign.name).copied();
        // Of a clock that was set back it says nothing.
        let holds = |next: NextInZones| {
            next.edition == edition && next.asked_at <= now && next.at.is_none_or(|at| now < at)
        };
        if known_next.is_some_and(holds) {
            return Ok(Vec::new());
        }
        let mut due = Vec::new();
        for zone in self.zones().await? {
            let after = match schedule {
                Schedule::Cron(_) => not_looked_at_since(known, now),
                _ => Timestamp::from_micros(i64::MIN),
            };
            let mut found = self.occurrences(campaign, schedule, zone, after, known, now);
            // A single instant is dealt with once, and seen once where it was over before.
            let is_cron = matches!(schedule, Schedule::Cron(_));
            let is_new = |at: &Timestamp| is_cron || *at > known.until || *at <= known.activated_at;
            found.run.retain(is_new);
            found.missed.retain(is_new);
            due.extend(sorted_out(&found, |at| {
                let before = at.minus(Duration::from_micros(1));
                let (local_due, _) = schedule.next_local_after(before, zone)?;
                Some(ZoneRun { zone, local_due })
            }));
        }
        let all = chrono_tz::TZ_VARIANTS.iter();
        let at = all.filter_map(|zone| schedule.next_after(now, *zone)).min();
        self.memory().zones.insert(campaign.name.clone(), NextInZones { edition, asked_at: now, at });
        Ok(due)
    }

    /// The zones that contacts have, and the installation's.
    async fn zones(&self) -> Result<Vec<Zone>, EngineError> {
        let named = contacts::zones(&self.store).await.doing(|| "list the zones of contacts".to_owned())?;
        let own = self.settings.evaluation.time_zone;
        let mut zones: Vec<Zone> =
            named.iter().filter_map(|name| name.parse().ok()).filter(|zone| *zone != own).collect();
        zones.push(own);
        Ok(zones)
    }

    fn occurrences(
        &self,
        campaign: &Campaign,
        schedule: &Schedule,
        zone: Zone,
        after: Timestamp,
        known: &Considered,
        now: Timestamp,
    ) -> Occurrences {
        // What was declared only after its time, or dealt with, does not become on time again.
        let up_since = self.memory().up_since.max(known.activated_at);
        let up_since = up_since.max(known.until.plus(Duration::from_micros(1)));
        let found = occurrence::occurrences(schedule, zone, campaign.missed, after, now, up_since);
        if found.not_noted > 0 {
            tracing::warn!(
                campaign.name = %campaign.name, runs.not_noted = found.not_noted,
                "more due times were missed than are noted one by one"
            );
        }
        found
    }

    /// When a campaign is due next, as far as is known.
    pub(super) fn next_due(&self, campaign: &Campaign, now: Timestamp) -> Option<Timestamp> {
        if campaign.in_zone_of_contact {
            return self.memory().zones.get(&campaign.name).and_then(|next| next.at);
        }
        occurrence::next_due(campaign, now)
    }

    /// Makes runs of what the last refresh saw: contacts that entered the audience of a campaign with
    /// `on_entry`, those of one evaluation together.
    pub(super) async fn make_entry_runs(
        &self,
        declared: &Declared,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), EngineError> {
        for campaign in declared.catalogue.campaigns.values() {
            let Some(Schedule::OnEntry { include_current }) = campaign.schedule else { continue };
            let mut known = self.considered(campaign, now).await?;
            let operation = || format!("look for entries into the audience of campaign `{}`", campaign.name);
            let audience = Kept::Audience(campaign.name.clone());
            let audience = memberships::ensure(&self.store, &[audience]).await.doing(operation)?;
            let Some((id, evaluated)) =
                audience.into_iter().next().and_then(|known| Some((known.id, known.evaluated?.at)))
            else {
                continue;
            };
            let mut from = known.until;
            if include_current && !self.memory().current_included.contains(&campaign.name) {
                let made = campaigns::include_current(&self.store, &campaign.name, evaluated, now).await;
                if made.doing(operation)? {
                    from = from.max(evaluated);
                    tracing::info!(
                        campaign.name = %campaign.name,
                        "those who are in the audience of a campaign already are included"
                    );
                }
                self.memory().current_included.insert(campaign.name.clone());
            } else if !include_current && self.memory().current_included.remove(&campaign.name) {
                campaigns::forget_current(&self.store, &campaign.name).await.doing(operation)?;
            }
            for at in entries::instants(&self.store, id, from, include_current).await.doing(operation)? {
                let due = Due { at, zone: None, trigger: RunTrigger::Entry, missed: false };
                self.make_run(campaign, due, now, tick).await?;
            }
            if evaluated > known.until {
                known.until = evaluated;
                self.note_considered(campaign, &mut known).await?;
                self.memory().considered.insert(campaign.name.clone(), known);
            }
        }
        Ok(())
    }

    async fn note_considered(&self, campaign: &Campaign, known: &mut Considered) -> Result<(), EngineError> {
        campaigns::considered(&self.store, &campaign.name, known.until)
            .await
            .doing(|| format!("note the due times of campaign `{}`", campaign.name))?;
        known.stored = known.until;
        Ok(())
    }

    /// Up to when a campaign's due times are dealt with; one that is seen for the first time is activated.
    pub(super) async fn considered(
        &self,
        campaign: &Campaign,
        now: Timestamp,
    ) -> Result<Considered, EngineError> {
        if let Some(known) = self.memory().considered.get(&campaign.name) {
            return Ok(*known);
        }
        let known = campaigns::activate(&self.store, &campaign.name, now)
            .await
            .doing(|| format!("activate campaign `{}`", campaign.name))?;
        if known.activated_at == now {
            tracing::info!(campaign.name = %campaign.name, "a campaign is active from now on");
        }
        if known.current_included_at.is_some() {
            self.memory().current_included.insert(campaign.name.clone());
        }
        let known = Considered {
            activated_at: known.activated_at,
            until: known.considered_until,
            stored: known.considered_until,
            last_single: None,
            looked_at: None,
        };
        self.memory().considered.insert(campaign.name.clone(), known);
        Ok(known)
    }

    /// Notes a run, unless it is there; whether it is new, and to be sent.
    async fn make_run(
        &self,
        campaign: &Campaign,
        due: Due,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<bool, EngineError> {
        let operation = || format!("note a run of campaign `{}`", campaign.name);
        let note = if due.missed {
            Some("no daemon was up when it was due")
        } else {
            let paused = pauses::all(&self.store).await.doing(operation)?;
            paused.contains_key(&campaign.name).then_some("the campaign was paused when it was due")
        };
        let new = NewRun {
            campaign: campaign.name.clone(),
            due_at: due.at,
            zone: due.zone,
            state: if note.is_some() { RunState::Missed } else { RunState::Due },
            trigger: due.trigger,
            note: note.map(str::to_owned),
        };
        let (run, is_new) = runs::create(&self.store, &new, now).await.doing(operation)?;
        // One that was noted as missed while the clock was ahead comes now, when it is due.
        let comes_again = !is_new && run.state == RunState::Missed && new.state == RunState::Due;
        let is_new = is_new || comes_again && runs::come_again(&self.store, run.id).await.doing(operation)?;
        if is_new {
            tracing::info!(
                run.id = run.id.0, campaign.name = %campaign.name, run.due_at = %due.at,
                run.state = new.state.word(), "a run has come due"
            );
            tick.runs_made.push(run.id);
        }
        Ok(is_new && new.state == RunState::Due)
    }
}

/// Since when due times were not looked for: since those that are dealt with; where these lie ahead of a clock that was
/// set back, since the last look.
fn not_looked_at_since(known: &Considered, now: Timestamp) -> Timestamp {
    if known.until <= now { known.until } else { known.looked_at.map_or(now, |at| at.min(now)) }
}

/// Missed ones first, then those to be run.
fn sorted_out(found: &Occurrences, zone: impl Fn(Timestamp) -> Option<ZoneRun>) -> Vec<Due> {
    let missed = found.missed.iter().map(|at| (*at, true));
    let all = missed.chain(found.run.iter().map(|at| (*at, false)));
    let trigger = RunTrigger::Schedule;
    all.map(|(at, missed)| Due { at, zone: zone(at), trigger, missed }).collect()
}
