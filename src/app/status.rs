//! What the installation does, what is due, and what waits, for what.

use std::time::Duration;

use crate::domain::campaign::Campaign;
use crate::domain::delivery::RunState;
use crate::domain::name::CampaignName;
use crate::domain::schedule::Schedule;
use crate::domain::time::{Timestamp, Zone};
use crate::store::{Store, StoreError, contacts, figures, incarnations, pauses, refusals};

use super::transport::TransportShown;
use super::{Failure, Installation};

pub use crate::store::figures::{RunFigures, Totals, Waiting};
pub use crate::store::pauses::Pause;

/// The standing of an installation at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// When.
    pub at: Timestamp,
    /// The database, without its password.
    pub database: String,
    /// Where mails go.
    pub transport: TransportShown,
    /// The daemon, if one is running.
    pub daemon: Option<RunningDaemon>,
    /// How much there is.
    pub totals: Totals,
    /// What is due next, soonest first; campaigns without another due time last.
    pub upcoming: Vec<Upcoming>,
    /// Runs that are not over, by due instant.
    pub open: Vec<RunFigures>,
    /// The latest runs that are over, latest first.
    pub over: Vec<RunFigures>,
    /// Rows of open runs that wait, and for what.
    pub waiting: Vec<Waiting>,
    /// How many calls of the ingest API were refused within [`REFUSED_WITHIN`].
    pub refused_calls: u64,
}

/// A daemon that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningDaemon {
    /// Since when.
    pub since: Timestamp,
    /// Whether nothing has been heard of it for longer than [`SILENT_AFTER`].
    pub silent: Option<Silent>,
}

/// A daemon that holds its lock and writes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// Since when.
    pub since: Timestamp,
    /// Why the database cannot be written from here either; `None`: from here it can.
    pub cause: Option<String>,
}

/// A daemon gives a sign of life every 15 seconds.
pub const SILENT_AFTER: Duration = Duration::from_mins(1);

/// Refused calls are shown for a week: long enough to be seen by whoever looks on Mondays.
pub const REFUSED_WITHIN: Duration = Duration::from_hours(7 * 24);

/// A campaign and its next due time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// Which.
    pub campaign: CampaignName,
    /// What its schedule says, in words of the declaration.
    pub schedule: Option<String>,
    /// The zone in which it is read; of several that in which it is due next.
    pub time_zone: Zone,
    /// Whether it is read in each contact's own zone.
    pub in_zone_of_contact: bool,
    /// When it is due next.
    pub next: Option<Timestamp>,
    /// Since when it has been paused, if it is, and what stopped it.
    pub paused: Option<Pause>,
}

/// How many runs that are over are shown.
const OVER: usize = 10;

/// Looks at everything.
pub async fn status(installation: &Installation) -> Result<Status, Failure> {
    let store = &installation.store;
    let at = installation.clock.now();
    let failed = |error| installation.failed(error);
    let all = figures::runs(store, None).await.map_err(failed)?;
    let (mut open, mut over): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|figures| is_open(figures.run.state));
    open.sort_by_key(|figures| (figures.run.due_at, figures.run.id));
    over.sort_by_key(|figures| std::cmp::Reverse((figures.run.due_at, figures.run.id)));
    over.truncate(OVER);
    let campaigns = &installation.project.catalogue.campaigns;
    let paused = pauses::all(store).await.map_err(failed)?;
    let zones = if campaigns.values().any(|campaign| campaign.in_zone_of_contact) {
        let own = installation.project.settings.time_zone;
        let named = contacts::zones(store).await.map_err(failed)?;
        named.iter().filter_map(|name| name.parse().ok()).chain([own]).collect()
    } else {
        Vec::new()
    };
    let paused = |campaign: &Campaign| paused.get(&campaign.name).cloned();
    let mut upcoming: Vec<Upcoming> =
        campaigns.values().map(|campaign| upcoming(campaign, &zones, paused(campaign), at)).collect();
    upcoming.sort_by_key(|upcoming| (upcoming.next.is_none(), upcoming.next));
    Ok(Status {
        at,
        database: installation.project.settings.database_shown.clone(),
        transport: TransportShown::of(&installation.project.settings),
        daemon: daemon(store, at).await.map_err(failed)?,
        totals: figures::totals(store).await.map_err(failed)?,
        upcoming,
        open,
        over,
        waiting: figures::waiting(store, at).await.map_err(failed)?,
        refused_calls: refusals::count_since(store, at.minus(REFUSED_WITHIN)).await.map_err(failed)?,
    })
}

/// The daemon, and what it is silent for: where it cannot write, we seldom can.
async fn daemon(store: &Store, at: Timestamp) -> Result<Option<RunningDaemon>, StoreError> {
    let Some(running) = incarnations::running(store, at).await? else { return Ok(None) };
    let silent = if at.since(running.last_sign) > SILENT_AFTER {
        Some(Silent { since: running.last_sign, cause: store.refuses_to_write().await })
    } else {
        None
    };
    Ok(Some(RunningDaemon { since: running.since, silent }))
}

const fn is_open(state: RunState) -> bool {
    !matches!(state, RunState::Finished | RunState::Cancelled | RunState::Missed)
}

fn upcoming(campaign: &Campaign, zones: &[Zone], paused: Option<Pause>, now: Timestamp) -> Upcoming {
    let next_in = |zone: Zone| {
        let starts = campaign.starts.map(|starts| starts.in_zone(zone));
        let from = starts.map_or(now, |starts| starts.minus(Duration::from_micros(1)).max(now));
        let next = campaign.schedule.as_ref()?.next_after(from, zone)?;
        campaign.is_open_at(next, zone).then_some((next, zone))
    };
    let soonest = if campaign.in_zone_of_contact {
        zones.iter().filter_map(|zone| next_in(*zone)).min_by_key(|(next, _)| *next)
    } else {
        next_in(campaign.time_zone)
    };
    Upcoming {
        campaign: campaign.name.clone(),
        schedule: campaign.schedule.as_ref().map(|schedule| match schedule {
            Schedule::Cron(line) => line.as_str().to_owned(),
            Schedule::OnEntry { .. } => "on entry".to_owned(),
            Schedule::At(local) => local.format("%Y-%m-%dT%H:%M").to_string(),
        }),
        time_zone: soonest.map_or(campaign.time_zone, |(_, zone)| zone),
        in_zone_of_contact: campaign.in_zone_of_contact,
        next: soonest.map(|(next, _)| next),
        paused,
    }
}
