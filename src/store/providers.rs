//! Mails by the provider that they go to, the domain of their address: which are late under its limit, which wait because it
//! rests, which because it is slow.

use std::collections::BTreeMap;
use std::time::Duration;

use super::arrows::begins;
use super::paces::{Paced, Paces};
use super::runs::OPEN;
use super::statement::{execute, values};
use super::{Backend, Result, Store};
use crate::domain::arrow::Arrow;
use crate::domain::delivery::{Reply, WaitReason};
use crate::domain::pace::Pace;
use crate::domain::provider::{self, TransportLimits};
use crate::domain::time::Timestamp;

/// How long a row waits at most for its turn before it is looked at again: limits may be changed.
const LONGEST_TURN: Duration = Duration::from_mins(5);

/// Rows in one transaction that lets them wait.
const WAIT_AT_ONCE: i64 = 5_000;

/// Of rows with their addresses those for which their providers' paces have no room, each with its turn. The others are
/// taken under the paces.
pub(super) async fn late<'r>(
    connection: &impl sea_orm::ConnectionTrait,
    limits: &TransportLimits,
    paces: &mut Paces,
    rows: impl Iterator<Item = (i64, &'r str)>,
    now: Timestamp,
) -> Result<Vec<(i64, WaitReason, Timestamp)>> {
    let mut by_domain: BTreeMap<&str, (Pace, Vec<i64>)> = BTreeMap::new();
    for (id, address) in rows {
        let domain = provider::of_address(address);
        if let Some(pace) = limits.of(domain).pace {
            by_domain.entry(domain).or_insert_with(|| (pace, Vec::new())).1.push(id);
        }
    }
    let mut late = Vec::new();
    // In the order of names: two who claim at once wait for each other in one order only.
    for (domain, (pace, ids)) in by_domain {
        let provider = Paced::Provider(domain);
        let room = paces.room(connection, provider, pace).await?;
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(ids.len());
        let (in_time, others) = ids.split_at(room);
        paces.take(provider, in_time);
        for (before, id) in (0..).zip(others) {
            let turn = paces.turn_of(provider, before).min(now.plus(LONGEST_TURN));
            late.push((*id, WaitReason::Provider, turn));
        }
    }
    Ok(late)
}

/// Lets all mails to a provider that are planned or deferred in runs in sending wait until it has rested; what it demanded
/// is noted on those of which nothing else is known. Says how many that were.
pub async fn rest(store: &Store, domain: &str, demand: &Reply, until: Timestamp) -> Result<u64> {
    let text = let_rest(store.backend());
    let (code, enhanced) = (demand.code.map(i64::from), demand.enhanced.clone());
    let given = values![domain, WAIT_AT_ONCE, until.micros(), code, enhanced, demand.text.as_str()];
    many(store, "let the mails to a provider wait", &text, &given).await
}

/// Notes on all mails to a provider that it is slow: it is what they wait for. Says how many that were.
pub async fn note_slow(store: &Store, domain: &str) -> Result<u64> {
    let text = wait_for(store.backend());
    many(store, "note that a provider is slow", &text, &[domain.into(), WAIT_AT_ONCE.into()]).await
}

/// One statement after the other, until there is nothing left to change.
async fn many(store: &Store, operation: &'static str, text: &str, given: &[sea_orm::Value]) -> Result<u64> {
    let mut all = 0;
    loop {
        let transaction = store.begin_write(operation).await?;
        let rows = execute(&*transaction, operation, text, given.to_vec()).await?;
        transaction.commit().await?;
        all += rows;
        if rows < WAIT_AT_ONCE as u64 {
            return Ok(all);
        }
    }
}

/// `$3` until when, `$4` to `$6` what was demanded; else as for [`of_provider`].
pub(super) fn let_rest(backend: Backend) -> String {
    format!(
        "UPDATE deliveries SET wait = '{wait}', not_before = $3, reply_code = COALESCE(reply_code, $4),
             reply_enhanced = COALESCE(reply_enhanced, $5), reply_text = COALESCE(reply_text, $6)
         WHERE id IN ({these})",
        wait = WaitReason::Provider.word(),
        these = of_provider(backend, "d.not_before < $3 AND d.contact >= 0")
    )
}

/// Values as for [`of_provider`].
pub(super) fn wait_for(backend: Backend) -> String {
    let wait = WaitReason::Provider.word();
    format!("UPDATE deliveries SET wait = '{wait}' WHERE id IN ({})", of_provider(backend, "d.wait IS NULL"))
}

/// Rows to provider `$1` that nobody has in hand, so many as `$2`, under a condition.
fn of_provider(backend: Backend, condition: &str) -> String {
    let pass = match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR UPDATE OF d SKIP LOCKED",
    };
    format!(
        "SELECT d.id FROM runs r JOIN deliveries d ON d.run = r.id
         WHERE r.state = 'sending' AND {OPEN} AND {begins} AND {condition}
           AND d.address LIKE '%@' || $1 LIMIT $2{pass}",
        begins = begins(Arrow::Claim, "d.state")
    )
}
