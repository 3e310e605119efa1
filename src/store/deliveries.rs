//! Deliveries: claims by a living sender, and what becomes of the rows of a dead one.

use std::time::Duration;

use super::arrows::{becomes, begins};
use super::campaigns::campaign_name;
use super::caps::{self, CapRules, Judged};
use super::dialect::{given_numbers, join_in_this_order, kept_as_it_is, passing_over_locked_rows};
use super::pauses::NOT_PAUSED;
use super::runs::OPEN;
use super::statement::{execute, numbers_json, query_as, query_column, values};
use super::{Backend, Result, Store, incarnations, paces, suppressions, uncertain};
use crate::domain::arrow::Arrow;
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryId, IncarnationId, RunId, SuppressionCause, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::pace::Pace;
use crate::domain::time::Timestamp;
use sea_orm::FromQueryResult;

/// `email_sent` events in one transaction.
const EVENTS_AT_ONCE: u32 = 1_000;

/// A row that a sender works on.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// Its number.
    pub id: DeliveryId,
    /// Of which run.
    pub run: RunId,
    /// Of which campaign.
    pub campaign: CampaignName,
    /// When the run was due.
    pub due_at: Timestamp,
    /// Who.
    pub contact: ContactId,
    /// The address that was fixed, in lower case.
    pub address: String,
    /// The label of its version.
    pub version: String,
    /// How many tries there were before.
    pub attempts: u32,
    /// Since when it may be sent: the due instant, or what it waited for.
    pub not_before: Timestamp,
    /// When it was first claimed: the mail's `Date`, the same at every try.
    pub first_claimed_at: Timestamp,
    /// Why the address is suppressed now, in the order of the list of causes.
    pub suppressed: Vec<SuppressionCause>,
}

/// What was found of dead senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Rows that were claimed: planned again.
    pub planned: u64,
    /// Rows that were being handed over: uncertain.
    pub uncertain: u64,
    /// Of these: rows of campaigns with `on_uncertain: send_again`, planned once more.
    pub sent_again: u64,
}

#[derive(Debug, FromQueryResult)]
struct ClaimedRow {
    id: i64,
    run: i64,
    campaign: String,
    due_at: i64,
    contact: i64,
    address: Option<String>,
    version: Option<String>,
    attempts: i64,
    not_before: i64,
    first_claimed_at: Option<i64>,
}

/// A run from which rows are claimed.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Which.
    pub run: RunId,
    /// How fast the mails of its campaign may leave, where that is limited.
    pub pace: Option<(&'a CampaignName, Pace)>,
}

/// Claims up to `limit` rows of these runs, as far as they are in sending: run by run in the order that
/// is given, in each those that may be sent first first.
pub async fn claim(
    store: &Store,
    incarnation: IncarnationId,
    runs: &[RunId],
    limit: u32,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Claimed>> {
    let sources: Vec<_> = runs.iter().map(|run| Source { run: *run, pace: None }).collect();
    claim_within(store, incarnation, &sources, limit, lease, &CapRules::default(), now)
        .await
        .map(|claims| claims.rows)
}

/// What was claimed under caps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claims {
    /// The rows in hand.
    pub rows: Vec<Claimed>,
    /// How many were skipped: a cap leaves no room for them.
    pub skipped: u64,
    /// How many let a campaign with a higher priority go first.
    pub waiting: u64,
}

/// See [`claim`]; what is claimed keeps the caps and the pace of each campaign, beside all that is claimed by
/// others at the same time.
pub async fn claim_within(
    store: &Store,
    incarnation: IncarnationId,
    sources: &[Source<'_>],
    limit: u32,
    lease: Duration,
    rules: &CapRules,
    now: Timestamp,
) -> Result<Claims> {
    let operation = "claim deliveries";
    let take = take(store.backend());
    // `cancel` and `pause` wait until the claim is in.
    let keep = kept_as_it_is(store.backend());
    let is_sending =
        format!("SELECT r.id FROM runs r WHERE r.id = $1 AND r.state = 'sending' AND {NOT_PAUSED}{keep}");
    let mut ids: Vec<i64> = Vec::new();
    let transaction = store.begin_write(operation).await?;
    if !rules.caps.is_empty() {
        caps::in_a_row(store.backend(), &*transaction, operation).await?;
    }
    for Source { run, pace } in sources {
        let mut room = i64::from(limit) - ids.len() as i64;
        if room <= 0 {
            break;
        }
        if query_column::<i64>(&*transaction, operation, &is_sending, values![run.0]).await?.is_empty() {
            continue;
        }
        let held = match pace {
            Some((campaign, pace)) => {
                Some(paces::hold(&*transaction, campaign, *pace, room.unsigned_abs(), now).await?)
            }
            None => None,
        };
        if let Some(held) = &held {
            room = room.min(i64::try_from(held.granted).unwrap_or(i64::MAX));
            if room == 0 {
                held.keep_to_the_clock(&*transaction).await?;
                continue;
            }
        }
        let given = values![incarnation.0, now.plus(lease).micros(), now.micros(), run.0, room];
        let taken: Vec<i64> = query_column(&*transaction, operation, &take, given).await?;
        if let Some(held) = &held {
            held.use_up(&*transaction, taken.len() as u64).await?;
        }
        ids.extend(taken);
    }
    let judged = if rules.caps.is_empty() {
        Judged::default()
    } else {
        caps::judge(store.backend(), &*transaction, rules, &mut ids, now).await?
    };
    let rows = if ids.is_empty() { Vec::new() } else { read(store, &*transaction, operation, &ids).await? };
    // All that is asked is asked within: whoever claims rows and then fails would hold them for ever.
    let addresses: Vec<_> = rows.iter().filter_map(|row| row.address.as_deref()).collect();
    let suppressed = suppressions::among_within(&*transaction, &addresses).await?;
    transaction.commit().await?;

    let rows: Result<Vec<_>> = rows
        .iter()
        .map(|row| {
            let address = row.address.clone().unwrap_or_default();
            Ok(Claimed {
                id: DeliveryId(row.id),
                run: RunId(row.run),
                campaign: campaign_name("runs", &row.campaign)?,
                due_at: Timestamp::from_micros(row.due_at),
                contact: ContactId(row.contact),
                version: row.version.clone().unwrap_or_default(),
                attempts: row.attempts.try_into().unwrap_or(u32::MAX),
                not_before: Timestamp::from_micros(row.not_before),
                first_claimed_at: row.first_claimed_at.map_or(now, Timestamp::from_micros),
                suppressed: suppressed.get(address.as_str()).map_or_else(Vec::new, |suppressions| {
                    suppressions.iter().map(|suppression| suppression.cause).collect()
                }),
                address,
            })
        })
        .collect();
    Ok(Claims { rows: rows?, skipped: judged.skipped, waiting: judged.waiting })
}

/// Gives claimed rows back, each with the reason and the instant until which it waits. What was not
/// tried yet has its `Date` from when it is claimed again.
pub async fn postpone(store: &Store, rows: &[(DeliveryId, WaitReason, Timestamp)]) -> Result<()> {
    let operation = "let deliveries wait";
    if rows.is_empty() {
        return Ok(());
    }
    let transaction = store.begin_write(operation).await?;
    for (delivery, wait, not_before) in rows {
        caps::postpone(&*transaction, operation, delivery.0, *wait, *not_before).await?;
    }
    transaction.commit().await
}

/// Claims rows of one run: `$1` sender, `$2` its lease, `$3` now, `$4` run, `$5` how many.
pub(super) fn take(backend: Backend) -> String {
    let pass = passing_over_locked_rows(backend);
    format!(
        "UPDATE deliveries SET {becomes}, incarnation = $1, lease_until = $2, wait = NULL,
             first_claimed_at = COALESCE(first_claimed_at, $3)
         WHERE id IN (SELECT d.id FROM deliveries d WHERE d.run = $4 AND {OPEN} AND {begins}
                        AND d.not_before <= $3 ORDER BY d.not_before, d.id LIMIT $5{pass})
         RETURNING id",
        becomes = becomes(Arrow::Claim),
        begins = begins(Arrow::Claim, "d.state")
    )
}

async fn read(
    store: &Store,
    connection: &impl sea_orm::ConnectionTrait,
    operation: &'static str,
    ids: &[i64],
) -> Result<Vec<ClaimedRow>> {
    let text = claimed(store.backend());
    query_as(connection, operation, &text, values![numbers_json(ids.iter().copied())]).await
}

/// Rows by their numbers, `$1`.
pub(super) fn claimed(backend: Backend) -> String {
    let given = given_numbers(backend, 1, "id");
    let join = join_in_this_order(backend);
    format!(
        "SELECT d.id AS id, d.run AS run, r.campaign AS campaign, r.due_at AS due_at, d.contact AS contact,
                d.address AS address, d.version AS version, d.attempts AS attempts,
                d.not_before AS not_before, d.first_claimed_at AS first_claimed_at
         FROM {given} AS given {join} deliveries d ON d.id = given.id JOIN runs r ON r.id = d.run
         ORDER BY r.due_at, r.id, d.not_before, d.id"
    )
}

/// Rows in somebody's hands are few, and have an index of their own.
pub(super) const PROLONG: &str = "UPDATE deliveries SET lease_until = $2
    WHERE incarnation = $1 AND state IN ('claimed', 'transmitting')";

/// Who else has rows in hand.
pub(super) const OTHERS: &str = "SELECT DISTINCT incarnation FROM deliveries
    WHERE state IN ('claimed', 'transmitting') AND incarnation <> $1";

/// Prolongs the leases of a sender. False: it was taken for dead and must close its connections.
pub async fn renew(
    store: &Store,
    incarnation: IncarnationId,
    lease: Duration,
    now: Timestamp,
) -> Result<bool> {
    let operation = "prolong the leases of a sender";
    let beat = "UPDATE incarnations SET heartbeat_at = $2 WHERE id = $1 AND ended_at IS NULL";
    let transaction = store.begin_write(operation).await?;
    let lives = execute(&*transaction, operation, beat, values![incarnation.0, now.micros()]).await? > 0;
    if lives {
        let given = values![incarnation.0, now.plus(lease).micros()];
        execute(&*transaction, operation, PROLONG, given).await?;
    }
    transaction.commit().await?;
    Ok(lives)
}

/// Takes back the rows of senders that are dead: whose lock is free, or whose lease ran out before
/// `now`. `living` keeps its rows. What becomes uncertain is planned once more where its campaign is one of
/// `again`.
pub async fn recover(
    store: &Store,
    living: IncarnationId,
    again: &[&CampaignName],
    now: Timestamp,
) -> Result<Recovered> {
    let operation = "take back the deliveries of dead senders";
    // By index: rows in hand are few, and mostly there are none of others.
    let others: Vec<i64> = query_column(&store.database, operation, OTHERS, values![living.0]).await?;
    if others.is_empty() {
        return Ok(Recovered::default());
    }
    // On SQLite the caller holds the only lock there is.
    let alive = match store.backend() {
        Backend::Sqlite => Vec::new(),
        Backend::Postgres => incarnations::living(store, operation).await?,
    };
    let bury = "UPDATE incarnations SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    let mut recovered = Recovered::default();
    let transaction = store.begin_write(operation).await?;
    for other in others {
        let lives = alive.contains(&other);
        let given = || values![other, i64::from(lives), now.micros()];
        recovered.planned += execute(&*transaction, operation, &replan(), given()).await?;
        let doubted: Vec<i64> = query_column(&*transaction, operation, &give_up(), given()).await?;
        recovered.uncertain += doubted.len() as u64;
        let doubted: Vec<_> = doubted.into_iter().map(|id| (DeliveryId(id), now)).collect();
        recovered.sent_again += uncertain::send_again(&*transaction, &doubted, Some(again)).await?;
        if !lives {
            execute(&*transaction, operation, bury, values![other, now.micros()]).await?;
        }
    }
    transaction.commit().await?;
    Ok(recovered)
}

/// In a `WHERE`: rows in somebody's hands. Word for word as in the index over them.
const IN_HAND: &str = "state IN ('claimed', 'transmitting')";

/// Plans what a sender had claimed again: `$1` sender, `$2` whether it may live, `$3` now.
pub(super) fn replan() -> String {
    format!(
        "UPDATE deliveries SET {becomes}, incarnation = NULL, lease_until = NULL,
             first_claimed_at = CASE WHEN attempts = 0 THEN NULL ELSE first_claimed_at END
         WHERE incarnation = $1 AND {IN_HAND} AND {begins} AND ($2 = 0 OR lease_until < $3)",
        becomes = becomes(Arrow::Release),
        begins = begins(Arrow::Release, "state")
    )
}

/// What a sender was handing over is uncertain: values as for [`replan`]. It was a try.
pub(super) fn give_up() -> String {
    format!(
        "UPDATE deliveries SET {becomes}, lease_until = NULL, settled_at = $3, attempts = attempts + 1,
             reply_text = 'the sender died before the answer was noted'
         WHERE incarnation = $1 AND {IN_HAND} AND {begins} AND ($2 = 0 OR lease_until < $3)
         RETURNING id",
        becomes = becomes(Arrow::Doubt),
        begins = begins(Arrow::Doubt, "state")
    )
}

/// The first row of run `$1` that may be claimed. Not by MIN: that would look at every open row.
pub(super) fn next_in_run() -> String {
    format!(
        "SELECT d.not_before FROM deliveries d JOIN runs r ON r.id = d.run
         WHERE d.run = $1 AND r.state = 'sending' AND {NOT_PAUSED} AND {OPEN} AND {begins} ORDER BY d.not_before LIMIT 1",
        begins = begins(Arrow::Claim, "d.state")
    )
}

/// The next instant at which a row of these runs may be claimed, as far as they are in sending and their
/// campaigns' pace lets it; `None` when there is none.
pub async fn next_not_before(store: &Store, sources: &[Source<'_>]) -> Result<Option<Timestamp>> {
    let text = next_in_run();
    let mut next = None;
    for Source { run, pace } in sources {
        let operation = "look for deliveries to be tried again";
        let first: Vec<i64> = query_column(&store.database, operation, &text, values![run.0]).await?;
        let Some(first) = first.first() else { continue };
        let mut first = Timestamp::from_micros(*first);
        if let Some((campaign, _)) = pace {
            first = first.max(paces::next_of(store, campaign).await?.unwrap_or(first));
        }
        next = Some(next.map_or(first, |next: Timestamp| next.min(first)));
    }
    Ok(next)
}

/// Writes an `email_sent` event for every accepted row that has none yet, many rows and their events in one
/// transaction. Says how many.
pub async fn record_sent(store: &Store, now: Timestamp) -> Result<u64> {
    let mut all = 0;
    loop {
        let recorded = super::sent::record(store, EVENTS_AT_ONCE, now).await?;
        all += recorded;
        if recorded < u64::from(EVENTS_AT_ONCE) {
            return Ok(all);
        }
    }
}
