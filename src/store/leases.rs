//! What senders have in hand is leased: prolonged while they live, taken back when they do not.

use std::time::Duration;

use super::arrows::{becomes, begins};
use super::dialect::{given_numbers, lease_clock};
use super::statement::{execute, numbers_json, query_column, values};
use super::{Backend, Result, Store, incarnations, uncertain, writing};
use crate::domain::arrow::Arrow;
use crate::domain::delivery::{DeliveryId, IncarnationId};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

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

impl Recovered {
    fn add(&mut self, more: Self) {
        self.planned += more.planned;
        self.uncertain += more.uncertain;
        self.sent_again += more.sent_again;
    }
}

/// Prolongs what sender `$1` has in hand by `$2`; now is `$3`, on `SQLite`. Rows in somebody's hands are few, and have an
/// index of their own.
pub(super) fn prolong(backend: Backend) -> String {
    let clock = lease_clock(backend, "$3");
    format!("UPDATE deliveries SET lease_until = {clock} + $2 WHERE incarnation = $1 AND {IN_HAND}")
}

/// Who else has rows in hand.
pub(super) const OTHERS: &str = "SELECT DISTINCT incarnation FROM deliveries
    WHERE state IN ('claimed', 'transmitting') AND incarnation <> $1";

/// Prolongs the leases of a sender, and notes whether that could be written ([`Store::writing`]). False: it was taken
/// for dead and must close its connections.
pub async fn renew(
    store: &Store,
    incarnation: IncarnationId,
    lease: Duration,
    now: Timestamp,
) -> Result<bool> {
    let renewed = give_sign_of_life(store, incarnation, lease, now).await;
    store.note_writing(now, renewed.as_ref().map(|_| ()).map_err(writing::cause));
    renewed
}

async fn give_sign_of_life(
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
        let given = values![incarnation.0, lease.as_micros() as i64, now.micros()];
        execute(&*transaction, operation, &prolong(store.backend()), given).await?;
    }
    transaction.commit().await?;
    Ok(lives)
}

/// Takes back the rows of senders that are dead: whose lock is free, or whose lease ran out. `living` keeps its rows. What
/// becomes uncertain is planned once more where its campaign is one of `again`.
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
    let of = whose_lease_is_over(store.backend());
    for other in others {
        let lives = alive.contains(&other);
        let given = values![other, now.micros(), i64::from(lives)];
        recovered.add(take_back(&*transaction, operation, &of, &given, again, now).await?);
        if !lives {
            execute(&*transaction, operation, bury, values![other, now.micros()]).await?;
        }
    }
    transaction.commit().await?;
    Ok(recovered)
}

/// In a `WHERE`: rows in somebody's hands. Word for word as in the index over them.
const IN_HAND: &str = "state IN ('claimed', 'transmitting')";

/// In a `WHERE`: rows of a sender that lives (`$3`) and whose lease is over nevertheless, or that does not.
pub(super) fn whose_lease_is_over(backend: Backend) -> String {
    format!("($3 = 0 OR lease_until < {})", lease_clock(backend, "$2"))
}

/// Takes back these rows of a living sender, of which nobody will say how they ended.
pub async fn abandon(
    store: &Store,
    sender: IncarnationId,
    rows: &[DeliveryId],
    again: &[&CampaignName],
    now: Timestamp,
) -> Result<Recovered> {
    let operation = "take back deliveries that were left";
    let of = format!("id IN (SELECT id FROM {} AS given)", given_numbers(store.backend(), 3, "id"));
    let given = values![sender.0, now.micros(), numbers_json(rows.iter().map(|row| row.0))];
    let transaction = store.begin_write(operation).await?;
    let recovered = take_back(&*transaction, operation, &of, &given, again, now).await?;
    transaction.commit().await?;
    Ok(recovered)
}

/// Rows of sender `$1` at `$2`, those `of` a condition with further values: what was claimed is planned again, and what was
/// being handed over is uncertain, or what is known of it.
async fn take_back(
    connection: &impl sea_orm::ConnectionTrait,
    operation: &'static str,
    of: &str,
    given: &[sea_orm::Value],
    again: &[&CampaignName],
    now: Timestamp,
) -> Result<Recovered> {
    let planned = execute(connection, operation, &replan(of), given.to_vec()).await?;
    let doubted: Vec<i64> = query_column(connection, operation, &give_up(of), given.to_vec()).await?;
    let uncertain = doubted.len() as u64;
    let doubted: Vec<_> = doubted.into_iter().map(DeliveryId).collect();
    let known = uncertain::settle_by_what_is_known(connection, &doubted).await?;
    let left = doubted.into_iter().filter(|id| !known.contains(id));
    let left: Vec<_> = left.map(|id| (id, now)).collect();
    let sent_again = uncertain::send_again(connection, &left, Some(again)).await?;
    Ok(Recovered { planned, uncertain, sent_again })
}

/// Plans what a sender had claimed again; values as for [`take_back`].
pub(super) fn replan(of: &str) -> String {
    format!(
        "UPDATE deliveries SET {becomes}, incarnation = NULL, lease_until = NULL,
             first_claimed_at = CASE WHEN attempts = 0 THEN NULL ELSE first_claimed_at END
         WHERE incarnation = $1 AND {IN_HAND} AND {begins} AND {of}",
        becomes = becomes(Arrow::Release),
        begins = begins(Arrow::Release, "state")
    )
}

/// What a sender was handing over is uncertain; values as for [`take_back`]. It was a try.
pub(super) fn give_up(of: &str) -> String {
    format!(
        "UPDATE deliveries SET {becomes}, lease_until = NULL, settled_at = $2, attempts = attempts + 1,
             reply_text = 'the sender died before the answer was noted'
         WHERE incarnation = $1 AND {IN_HAND} AND {begins} AND {of}
         RETURNING id",
        becomes = becomes(Arrow::Doubt),
        begins = begins(Arrow::Doubt, "state")
    )
}
