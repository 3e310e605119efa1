//! Runs: one occurrence of a campaign, from due to finished. Whom they are for: [`recipients`](super::recipients).

use chrono::NaiveDateTime;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::arrows::{becomes, begins};
use super::campaigns::campaign_name;
use super::entity::run;
use super::error::{failed, unknown_word};
use super::statement::{execute, query_column, values};
use super::{Result, Store};
use crate::domain::arrow::Arrow;
use crate::domain::delivery::{RunId, RunState, RunTrigger, SkipReason, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::time::{Timestamp, Zone};

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// Of which campaign.
    pub campaign: CampaignName,
    /// When it was due.
    pub due_at: Timestamp,
    /// Of a campaign with `time_zone: contact`: for whom it is.
    pub zone: Option<ZoneRun>,
    /// Its state.
    pub state: RunState,
    /// What made it.
    pub trigger: RunTrigger,
    /// When it was noted.
    pub created_at: Timestamp,
    /// When its recipients were fixed.
    pub fixed_at: Option<Timestamp>,
    /// When it was finished, cancelled or missed.
    pub finished_at: Option<Timestamp>,
    /// When a pause of it ended.
    pub resumed_at: Option<Timestamp>,
    /// For people: why it is held, missed or cancelled.
    pub note: Option<String>,
}

/// One of the runs of a local due time: that of the contacts in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneRun {
    /// The zone.
    pub zone: Zone,
    /// The local time of the schedule, the same in all zones.
    pub local_due: NaiveDateTime,
}

/// A run to be noted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Of which campaign.
    pub campaign: CampaignName,
    /// When it is due.
    pub due_at: Timestamp,
    /// Of a campaign with `time_zone: contact`: for whom it is.
    pub zone: Option<ZoneRun>,
    /// `Due` or `Missed`.
    pub state: RunState,
    /// What made it.
    pub trigger: RunTrigger,
    /// For people.
    pub note: Option<String>,
}

/// In a `WHERE`: rows that keep a run from being finished. Word for word as in the index over them.
pub(super) const OPEN: &str = "d.state IN ('planned', 'claimed', 'transmitting', 'deferred')";

/// In a `WHERE`, beside [`OPEN`]: of these, those that nobody has in hand.
pub(super) const NOT_IN_HAND: &str = "d.state IN ('planned', 'deferred')";

/// Notes a run; one of the same campaign, due instant and zone that is there already is left as it is.
/// Says whether it is new.
pub async fn create(store: &Store, new: &NewRun, now: Timestamp) -> Result<(Run, bool)> {
    let operation = "note a run";
    let zone = new.zone.map_or("", |zone| zone.zone.name());
    let find = || {
        run::Entity::find()
            .filter(run::Column::Campaign.eq(new.campaign.as_str()))
            .filter(run::Column::DueAt.eq(new.due_at.micros()))
            .filter(run::Column::Zone.eq(zone))
    };
    if let Some(known) = find().one(&store.database).await.map_err(failed(operation))? {
        return Ok((read(&known)?, false));
    }
    let insert =
        "INSERT INTO runs (campaign, due_at, state, made_by, created_at, finished_at, note, zone, local_due)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (campaign, due_at, zone) DO NOTHING";
    let finished_at = (new.state == RunState::Missed).then_some(now.micros());
    let transaction = store.begin_write(operation).await?;
    let given = values![
        new.campaign.as_str(),
        new.due_at.micros(),
        new.state.word(),
        new.trigger.word(),
        now.micros(),
        finished_at,
        new.note.clone(),
        zone,
        new.zone.map(|zone| micros(zone.local_due)),
    ];
    let is_new = execute(&*transaction, operation, insert, given).await? > 0;
    let known = find().one(&*transaction).await.map_err(failed(operation))?;
    transaction.commit().await?;
    let known = known.ok_or_else(|| unknown_word("runs", "the campaign of a run", new.campaign.as_str()))?;
    Ok((read(&known)?, is_new))
}

/// A run that was noted as missed is due after all; false: it is in another state.
pub async fn come_again(store: &Store, run: RunId) -> Result<bool> {
    let update =
        "UPDATE runs SET state = 'due', note = NULL, finished_at = NULL WHERE id = $1 AND state = 'missed'";
    step(store, "let a missed run come again", update, values![run.0]).await
}

/// The run with this number.
pub async fn by_number(store: &Store, run: RunId) -> Result<Option<Run>> {
    let found = run::Entity::find_by_id(run.0).one(&store.database).await.map_err(failed("read a run"))?;
    found.as_ref().map(read).transpose()
}

/// Runs in these states, by due instant and number.
pub async fn in_states(store: &Store, states: &[RunState]) -> Result<Vec<Run>> {
    let query = run::Entity::find()
        .filter(run::Column::State.is_in(states.iter().map(|state| state.word())))
        .order_by_asc(run::Column::DueAt)
        .order_by_asc(run::Column::Id);
    let found = query.all(&store.database).await.map_err(failed("list runs"))?;
    found.iter().map(read).collect()
}

/// The latest runs of a campaign (or of all), latest due instant first.
pub async fn latest(store: &Store, campaign: Option<&CampaignName>, limit: u32) -> Result<Vec<Run>> {
    let mut query = run::Entity::find()
        .order_by_desc(run::Column::DueAt)
        .order_by_desc(run::Column::Id)
        .limit(u64::from(limit));
    if let Some(campaign) = campaign {
        query = query.filter(run::Column::Campaign.eq(campaign.as_str()));
    }
    let found = query.all(&store.database).await.map_err(failed("list runs"))?;
    found.iter().map(read).collect()
}

/// Held to sending. False: it is in another state.
pub async fn approve(store: &Store, run: RunId, now: Timestamp) -> Result<bool> {
    let note = format!("approved at {now}");
    let update = "UPDATE runs SET state = 'sending', note = $2 WHERE id = $1 AND state = 'held'";
    step(store, "approve a run", update, values![run.0, note]).await
}

/// Sending to paused. False: it is in another state.
pub async fn pause(store: &Store, run: RunId) -> Result<bool> {
    let update = "UPDATE runs SET state = 'paused' WHERE id = $1 AND state = 'sending'";
    step(store, "pause a run", update, values![run.0]).await
}

/// Paused to sending. False: it is in another state.
pub async fn resume(store: &Store, run: RunId, now: Timestamp) -> Result<bool> {
    let update = "UPDATE runs SET state = 'sending', resumed_at = $2 WHERE id = $1 AND state = 'paused'";
    step(store, "resume a run", update, values![run.0, now.micros()]).await
}

/// One statement that moves a run; whether it did.
pub(super) async fn step(
    store: &Store,
    operation: &'static str,
    update: &str,
    given: Vec<sea_orm::Value>,
) -> Result<bool> {
    let transaction = store.begin_write(operation).await?;
    let moved = execute(&*transaction, operation, update, given).await? > 0;
    transaction.commit().await?;
    Ok(moved)
}

/// Due, fixing, sending, held or paused to cancelled; what is not being handed over is skipped.
/// Says how many rows that were, `None` when the run is in another state.
pub async fn cancel(store: &Store, run: RunId, note: Option<&str>, now: Timestamp) -> Result<Option<u64>> {
    let operation = "cancel a run";
    let update = "UPDATE runs SET state = 'cancelled', finished_at = $2, note = COALESCE($3, note)
        WHERE id = $1 AND state IN ('due', 'fixing', 'sending', 'held', 'paused')";
    let transaction = store.begin_write(operation).await?;
    let given = values![run.0, now.micros(), note.map(str::to_owned)];
    if execute(&*transaction, operation, update, given).await? == 0 {
        return Ok(None);
    }
    let skipped = skip_cancelled(&*transaction, operation, run.0, now).await?;
    transaction.commit().await?;
    Ok(Some(skipped))
}

async fn skip_cancelled(
    connection: &impl sea_orm::ConnectionTrait,
    operation: &'static str,
    run: i64,
    now: Timestamp,
) -> Result<u64> {
    let update = format!(
        "UPDATE deliveries AS d SET {becomes}, reason = '{reason}', wait = NULL, settled_at = $2
         WHERE d.run = $1 AND {OPEN} AND {begins}",
        becomes = becomes(Arrow::Cancel),
        reason = SkipReason::RunCancelled.word(),
        begins = begins(Arrow::Cancel, "d.state")
    );
    execute(connection, operation, &update, values![run, now.micros()]).await
}

/// Notes on all planned and deferred rows of a run what they wait for, to be shown.
pub async fn set_wait(store: &Store, run: RunId, wait: Option<WaitReason>) -> Result<()> {
    let operation = "note what the deliveries of a run wait for";
    let update =
        format!("UPDATE deliveries AS d SET wait = $2 WHERE d.run = $1 AND {OPEN} AND {NOT_IN_HAND}");
    let wait = wait.map(|wait| wait.word().to_owned());
    step(store, operation, &update, values![run.0, wait]).await?;
    Ok(())
}

/// Runs in sending of which no row is open.
pub(super) fn settled() -> String {
    format!(
        "SELECT r.id FROM runs r WHERE r.state = 'sending'
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.run = r.id AND {OPEN}) ORDER BY r.due_at, r.id"
    )
}

/// Finishes runs in sending of which no row is open, and skips rows of cancelled runs that came
/// back from a sender. Gives the runs that it finished.
pub async fn finish_settled(store: &Store, now: Timestamp) -> Result<Vec<RunId>> {
    let operation = "finish runs";
    let came_back = format!(
        "SELECT r.id FROM runs r WHERE r.state = 'cancelled'
           AND EXISTS (SELECT 1 FROM deliveries d WHERE d.run = r.id AND {OPEN} AND {NOT_IN_HAND})"
    );
    // Mostly there is nothing to do, and then nobody's turn to write is taken.
    let settled: Vec<i64> = query_column(&store.database, operation, &settled(), vec![]).await?;
    let came_back: Vec<i64> = query_column(&store.database, operation, &came_back, vec![]).await?;
    if settled.is_empty() && came_back.is_empty() {
        return Ok(Vec::new());
    }
    let finish = format!(
        "UPDATE runs AS r SET state = 'finished', finished_at = $2 WHERE r.id = $1 AND r.state = 'sending'
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.run = r.id AND {OPEN})"
    );
    let mut finished = Vec::new();
    let transaction = store.begin_write(operation).await?;
    for run in came_back {
        skip_cancelled(&*transaction, operation, run, now).await?;
    }
    for run in settled {
        if execute(&*transaction, operation, &finish, values![run, now.micros()]).await? > 0 {
            finished.push(RunId(run));
        }
    }
    transaction.commit().await?;
    Ok(finished)
}

/// Notes whether the mails of a run are marketing: what caps count.
pub async fn set_marketing(store: &Store, run: RunId, marketing: bool) -> Result<()> {
    let update = "UPDATE runs SET marketing = $2 WHERE id = $1 AND marketing <> $2";
    step(store, "note what the mails of a run are", update, values![run.0, i64::from(marketing)]).await?;
    Ok(())
}

/// A local time as a number, as if it were UTC.
pub(super) fn micros(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp_micros()
}

/// A run as it is stored.
pub(super) fn read(row: &run::Model) -> Result<Run> {
    let table = "runs";
    Ok(Run {
        id: RunId(row.id),
        campaign: campaign_name(table, &row.campaign)?,
        due_at: Timestamp::from_micros(row.due_at),
        zone: match row.local_due {
            Some(local_due) => {
                let zone = row.zone.parse().map_err(|_| unknown_word(table, "zone", &row.zone))?;
                let local_due = Timestamp::from_micros(local_due).to_utc().naive_utc();
                Some(ZoneRun { zone, local_due })
            }
            None => None,
        },
        state: RunState::from_word(&row.state).ok_or_else(|| unknown_word(table, "state", &row.state))?,
        trigger: RunTrigger::from_word(&row.made_by)
            .ok_or_else(|| unknown_word(table, "made_by", &row.made_by))?,
        created_at: Timestamp::from_micros(row.created_at),
        fixed_at: row.fixed_at.map(Timestamp::from_micros),
        finished_at: row.finished_at.map(Timestamp::from_micros),
        resumed_at: row.resumed_at.map(Timestamp::from_micros),
        note: row.note.clone(),
    })
}
