//! Deliveries: claims by a living sender. What becomes of the rows of a dead one: `store::leases`.

use std::time::Duration;

use super::arrows::{becomes, begins};
use super::campaigns::campaign_name;
use super::caps::{self, CapRules, Judged};
use super::dialect::{
    given_numbers, given_texts, join_in_this_order, kept_as_it_is, lease_clock, passing_over_locked_rows,
};
use super::paces::{Paced, Paces};
use super::pauses::NOT_PAUSED;
use super::runs::OPEN;
use super::statement::{numbers_json, query_as, query_column, values};
use super::{Backend, Result, Store, paces, providers, suppressions};
use crate::domain::arrow::Arrow;
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryId, IncarnationId, RunId, SuppressionCause, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::pace::Pace;
use crate::domain::provider::TransportLimits;
use crate::domain::time::Timestamp;
use sea_orm::FromQueryResult;
use serde_json::json;

pub use super::leases::{Recovered, abandon, recover, renew};
pub use super::paces::Used;

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
    let (caps, limits) = (CapRules::default(), TransportLimits::default());
    let rules = ClaimRules { caps: &caps, limits: &limits, except: &[] };
    claim_within(store, incarnation, &sources, limit, lease, rules, now).await.map(|claims| claims.rows)
}

/// What a claim keeps to.
#[derive(Debug, Clone, Copy)]
pub struct ClaimRules<'a> {
    /// How much a contact gets.
    pub caps: &'a CapRules,
    /// How fast mails leave by the transport, and to each provider.
    pub limits: &'a TransportLimits,
    /// Providers to which nothing is claimed: they have enough in hand.
    pub except: &'a [String],
}

/// So many providers are left out of a claim at most: each is compared with each row that is passed over.
const MOST_LEFT_OUT: usize = 20;

/// What was claimed under rules.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claims {
    /// The rows in hand.
    pub rows: Vec<Claimed>,
    /// How many were skipped: a cap leaves no room for them.
    pub skipped: u64,
    /// How many let a campaign with a higher priority go first, or wait for their provider's limit.
    pub waiting: u64,
    /// What the rows in hand have used up of paces.
    pub used: Vec<Used>,
}

/// See [`claim`]; what is claimed keeps the caps and the pace of each campaign, and the transport's and its providers'
/// limits, beside all that is claimed by others at the same time.
pub async fn claim_within(
    store: &Store,
    incarnation: IncarnationId,
    sources: &[Source<'_>],
    limit: u32,
    lease: Duration,
    rules: ClaimRules<'_>,
    now: Timestamp,
) -> Result<Claims> {
    let operation = "claim deliveries";
    let except = &rules.except[..rules.except.len().min(MOST_LEFT_OUT)];
    let take = take(store.backend(), !except.is_empty());
    // `cancel` and `pause` wait until the claim is in.
    let keep = kept_as_it_is(store.backend());
    let is_sending =
        format!("SELECT r.id FROM runs r WHERE r.id = $1 AND r.state = 'sending' AND {NOT_PAUSED}{keep}");
    let mut ids: Vec<i64> = Vec::new();
    let mut paces = Paces::new(now);
    let transaction = store.begin_write(operation).await?;
    if !rules.caps.caps.is_empty() {
        caps::in_a_row(store.backend(), &*transaction, operation).await?;
    }
    let mut all = u64::from(limit);
    if let Some(pace) = rules.limits.pace {
        all = all.min(paces.room(&*transaction, Paced::Transport, pace).await?);
    }
    for Source { run, pace } in sources {
        let mut room = all.saturating_sub(ids.len() as u64);
        if room == 0 {
            break;
        }
        if query_column::<i64>(&*transaction, operation, &is_sending, values![run.0]).await?.is_empty() {
            continue;
        }
        if let Some((campaign, pace)) = pace {
            room = room.min(paces.room(&*transaction, Paced::Campaign(campaign), *pace).await?);
            if room == 0 {
                continue;
            }
        }
        let mut given = values![incarnation.0, lease.as_micros() as i64, now.micros(), run.0, room as i64];
        if !except.is_empty() {
            given.extend(values![json!(except).to_string()]);
        }
        let taken: Vec<i64> = query_column(&*transaction, operation, &take, given).await?;
        if let Some((campaign, _)) = pace {
            paces.take(Paced::Campaign(campaign), &taken);
        }
        paces.take(Paced::Transport, &taken);
        ids.extend(taken);
    }
    let judged = if rules.caps.caps.is_empty() {
        Judged::default()
    } else {
        caps::judge(store.backend(), &*transaction, rules.caps, &mut ids, now).await?
    };
    let mut rows =
        if ids.is_empty() { Vec::new() } else { read(store, &*transaction, operation, &ids).await? };
    let to_whom = rows.iter().map(|row| (row.id, row.address.as_deref().unwrap_or_default()));
    let late = providers::late(&*transaction, rules.limits, &mut paces, to_whom, now).await?;
    caps::postpone(&*transaction, operation, &late).await?;
    rows.retain(|row| late.iter().all(|(id, ..)| *id != row.id));
    // Whatever goes back uses nothing up.
    ids.retain(|id| rows.iter().any(|row| row.id == *id));
    let used = paces.note(&*transaction, &ids).await?;
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
    Ok(Claims { rows: rows?, skipped: judged.skipped, waiting: judged.waiting + late.len() as u64, used })
}

/// Gives back what rows have used up of paces that were claimed and do not leave now.
pub async fn give_back_pace(store: &Store, used: &[Used], unused: &[DeliveryId]) -> Result<()> {
    if unused.is_empty() || used.is_empty() {
        return Ok(());
    }
    let transaction = store.begin_write("give back how many mails may leave").await?;
    paces::give_back(&*transaction, used, unused).await?;
    transaction.commit().await
}

/// Gives claimed rows back, each with the reason and the instant until which it waits. What was not
/// tried yet has its `Date` from when it is claimed again.
pub async fn postpone(store: &Store, rows: &[(DeliveryId, WaitReason, Timestamp)]) -> Result<()> {
    let operation = "let deliveries wait";
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = rows.iter().map(|(id, wait, not_before)| (id.0, *wait, *not_before)).collect();
    let transaction = store.begin_write(operation).await?;
    caps::postpone(&*transaction, operation, &rows).await?;
    transaction.commit().await
}

/// Claims rows of one run: `$1` sender, `$2` how long its lease is, `$3` now, `$4` run, `$5` how many; `$6` not to which
/// providers, if there are some.
pub(super) fn take(backend: Backend, with_exceptions: bool) -> String {
    let mut but_not = String::new();
    if with_exceptions {
        let given = given_texts(backend, 6, "domain");
        but_not = format!(
            "AND NOT EXISTS (SELECT 1 FROM {given} AS given WHERE d.address LIKE '%@' || given.domain)"
        );
    }
    let pass = passing_over_locked_rows(backend);
    let clock = lease_clock(backend, "$3");
    format!(
        "UPDATE deliveries SET {becomes}, incarnation = $1, lease_until = {clock} + $2, wait = NULL,
             first_claimed_at = COALESCE(first_claimed_at, $3)
         WHERE id IN (SELECT d.id FROM deliveries d WHERE d.run = $4 AND {OPEN} AND {begins}
                        AND d.not_before <= $3 {but_not} ORDER BY d.not_before, d.id LIMIT $5{pass})
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

/// The first row of run `$1` that may be claimed. Not by MIN: that would look at every open row.
pub(super) fn next_in_run() -> String {
    format!(
        "SELECT d.not_before FROM deliveries d JOIN runs r ON r.id = d.run
         WHERE d.run = $1 AND r.state = 'sending' AND {NOT_PAUSED} AND {OPEN} AND {begins} ORDER BY d.not_before LIMIT 1",
        begins = begins(Arrow::Claim, "d.state")
    )
}

/// The next instant at which a row of these runs may be claimed, as far as they are in sending and their
/// campaigns' pace, and the transport's where it has one, lets it; `None` when there is none.
pub async fn next_not_before(
    store: &Store,
    sources: &[Source<'_>],
    limits: &TransportLimits,
) -> Result<Option<Timestamp>> {
    let text = next_in_run();
    let mut next = None;
    for Source { run, pace } in sources {
        let operation = "look for deliveries to be tried again";
        let first: Vec<i64> = query_column(&store.database, operation, &text, values![run.0]).await?;
        let Some(first) = first.first() else { continue };
        let mut first = Timestamp::from_micros(*first);
        if let Some((campaign, _)) = pace {
            first = first.max(paces::next_of(store, Paced::Campaign(campaign)).await?.unwrap_or(first));
        }
        next = Some(next.map_or(first, |next: Timestamp| next.min(first)));
    }
    match (next, limits.pace) {
        (Some(next), Some(_)) => {
            Ok(Some(next.max(paces::next_of(store, Paced::Transport).await?.unwrap_or(next))))
        }
        _ => Ok(next),
    }
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
