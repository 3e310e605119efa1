//! Caps: what a contact had of all marketing campaigns, and which claims leave room for one another.
//!
//! A claim is judged inside its own transaction. On `SQLite` one writes at a time; on `PostgreSQL` a lock
//! puts claims in a row while there are caps. So a row that stays claimed has its place under the caps,
//! whoever claims next sees it, and two daemons never give one place twice.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::json;

use super::arrows::{becomes, begins};
use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::pauses::NOT_PAUSED;
use super::statement::{backend_of, execute, numbers_json, query, query_as, values};
use super::{Backend, ROWS, Result, Store};
use crate::domain::arrow::Arrow;
use crate::domain::caps::{Cap, reach};
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryState, RunId, SkipReason, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::time::{Timestamp, Zone};

/// What holds for all marketing mail.
#[derive(Debug, Clone, Default)]
pub struct CapRules {
    /// All of them hold.
    pub caps: Vec<Cap>,
    /// On whose wall clock times are compared: the installation's.
    pub zone: Option<Zone>,
    /// The priority of each campaign that is declared.
    pub priorities: HashMap<CampaignName, i64>,
}

/// The key of the lock under which claims are judged on `PostgreSQL`: any number that no one else uses
/// there.
const CAPS_LOCK: i64 = 0x6361_7073;

/// How long a row waits for one with a higher priority before it is looked at again.
const WAIT: std::time::Duration = std::time::Duration::from_secs(1);

impl CapRules {
    /// Whether a mail due at `due` leaves all caps kept beside those of `others`.
    pub fn have_room(&self, due: Timestamp, others: &[Timestamp]) -> bool {
        let zone = self.zone.unwrap_or(chrono_tz::UTC);
        self.caps.iter().all(|cap| cap.has_room(due, others, zone))
    }

    /// How far from a mail others can be that count beside it.
    fn reach(&self) -> std::time::Duration {
        self.caps.iter().map(|cap| reach(cap.per)).max().unwrap_or_default()
    }

    /// What goes first of what is due at one instant: greater priorities, then names.
    fn rank<'a>(&self, campaign: &'a str) -> (i64, &'a str) {
        let named = CampaignName::parse(campaign).ok();
        let priority = named.and_then(|name| self.priorities.get(&name).copied()).unwrap_or(0);
        (priority.saturating_neg(), campaign)
    }

    fn is_declared(&self, campaign: &str) -> bool {
        CampaignName::parse(campaign).is_ok_and(|name| self.priorities.contains_key(&name))
    }
}

/// A row that may count for a contact.
#[derive(Debug, FromQueryResult)]
struct Row {
    id: i64,
    contact: i64,
    state: String,
    not_before: i64,
    run: i64,
    campaign: String,
    due_at: i64,
    is_open: i64,
}

impl Row {
    fn counts(&self) -> bool {
        DeliveryState::from_word(&self.state).is_some_and(DeliveryState::counts_as_mailed)
    }
}

/// Marketing rows of contacts: `$1` contacts, `$2` and `$3` between which due times.
pub(super) fn marketing(backend: Backend) -> String {
    let given = given_numbers(backend, 1, "contact");
    let join = join_in_this_order(backend);
    format!(
        "SELECT d.id AS id, d.contact AS contact, d.state AS state, d.not_before AS not_before, r.id AS run,
                r.campaign AS campaign, r.due_at AS due_at,
                CAST(CASE WHEN r.state = 'sending' AND {NOT_PAUSED} THEN 1 ELSE 0 END AS BIGINT) AS is_open
         FROM {given} AS given {join} deliveries d ON d.contact = given.contact
         JOIN runs r ON r.id = d.run
         WHERE r.marketing = 1 AND r.due_at >= $2 AND r.due_at <= $3
           AND d.state IN ('planned', 'claimed', 'transmitting', 'accepted', 'deferred', 'uncertain')"
    )
}

/// When the marketing mails were due that count for these contacts beside a run due at `due`; those who
/// had none are left out.
pub async fn mailed(
    store: &Store,
    rules: &CapRules,
    except: RunId,
    due: Timestamp,
    contacts: &[ContactId],
) -> Result<HashMap<ContactId, Vec<Timestamp>>> {
    let mut mailed: HashMap<ContactId, Vec<Timestamp>> = HashMap::new();
    if rules.caps.is_empty() {
        return Ok(mailed);
    }
    for part in contacts.chunks(ROWS) {
        let numbers = part.iter().map(|contact| contact.0);
        for row in rows(store.backend(), &store.database, rules, numbers, (due, due)).await? {
            if row.run != except.0 && row.counts() {
                mailed.entry(ContactId(row.contact)).or_default().push(Timestamp::from_micros(row.due_at));
            }
        }
    }
    Ok(mailed)
}

async fn rows(
    backend: Backend,
    connection: &impl ConnectionTrait,
    rules: &CapRules,
    contacts: impl IntoIterator<Item = i64>,
    (first, last): (Timestamp, Timestamp),
) -> Result<Vec<Row>> {
    let (from, to) = (first.minus(rules.reach()), last.plus(rules.reach()));
    let given = values![numbers_json(contacts), from.micros(), to.micros()];
    query_as(connection, "count marketing mails", &marketing(backend), given).await
}

/// At the beginning of a transaction that claims: waits for those that are being judged.
pub(super) async fn in_a_row(
    backend: Backend,
    connection: &impl ConnectionTrait,
    operation: &'static str,
) -> Result<()> {
    if backend == Backend::Postgres {
        query(connection, operation, "SELECT pg_advisory_xact_lock($1)", values![CAPS_LOCK]).await?;
    }
    Ok(())
}

/// What became of claims that are not to be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Judged {
    /// Skipped: a cap leaves no room.
    pub(super) skipped: u64,
    /// Given back: something with a higher priority may take the room.
    pub(super) waiting: u64,
}

/// Judges rows that this transaction has claimed. Those without room are skipped, those that must let
/// others go first are given back, and both are taken from `claimed`.
pub(super) async fn judge(
    backend: Backend,
    connection: &impl ConnectionTrait,
    rules: &CapRules,
    claimed: &mut Vec<i64>,
    now: Timestamp,
) -> Result<Judged> {
    let given = given_numbers(backend, 1, "id");
    let join = join_in_this_order(backend);
    let own = format!(
        "SELECT d.id AS id, d.contact AS contact, d.state AS state, d.not_before AS not_before, r.id AS run,
                r.campaign AS campaign, r.due_at AS due_at, CAST(1 AS BIGINT) AS is_open
         FROM {given} AS given {join} deliveries d ON d.id = given.id
         JOIN runs r ON r.id = d.run WHERE r.marketing = 1"
    );
    let ids = numbers_json(claimed.iter().copied());
    let mut own: Vec<Row> = query_as(connection, "judge claims", &own, values![ids]).await?;
    own.sort_by(|one, other| {
        (one.due_at, rules.rank(&one.campaign), one.run).cmp(&(
            other.due_at,
            rules.rank(&other.campaign),
            other.run,
        ))
    });
    let (Some(first), Some(last)) = (own.first(), own.last()) else { return Ok(Judged::default()) };
    let span = (Timestamp::from_micros(first.due_at), Timestamp::from_micros(last.due_at));
    let mut others: HashMap<i64, Vec<Row>> = HashMap::new();
    let contacts: Vec<i64> = own.iter().map(|row| row.contact).collect();
    for part in contacts.chunks(ROWS) {
        for row in rows(backend, connection, rules, part.iter().copied(), span).await? {
            let of_contact = others.entry(row.contact).or_default();
            // A contact may be asked for twice.
            if claimed.contains(&row.id) || of_contact.iter().any(|known| known.id == row.id) {
                continue;
            }
            of_contact.push(row);
        }
    }
    let (mut skipped, mut waiting) = (Vec::new(), Vec::new());
    for row in own {
        let due = Timestamp::from_micros(row.due_at);
        let of_contact = others.entry(row.contact).or_default();
        let due_of = |other: &Row| Timestamp::from_micros(other.due_at);
        let mut counted: Vec<_> = of_contact.iter().filter(|other| other.counts()).map(due_of).collect();
        if !rules.have_room(due, &counted) {
            skipped.push(row.id);
            continue;
        }
        let goes_first = |other: &&Row| {
            !other.counts()
                && other.is_open == 1
                && other.due_at == row.due_at
                && rules.is_declared(&other.campaign)
                && rules.rank(&other.campaign) < rules.rank(&row.campaign)
        };
        let first: Vec<&Row> = of_contact.iter().filter(goes_first).collect();
        let soonest = first.iter().map(|other| other.not_before).min();
        counted.extend(first.into_iter().map(due_of));
        match soonest.filter(|_| !rules.have_room(due, &counted)) {
            Some(soonest) => waiting.push((row.id, Timestamp::from_micros(soonest).max(now).plus(WAIT))),
            None => of_contact.push(row),
        }
    }
    let gone = |id: &i64| skipped.contains(id) || waiting.iter().any(|(waits, _)| waits == id);
    claimed.retain(|id| !gone(id));
    let operation = "skip what caps leave no room for";
    let given = given_numbers(backend, 1, "id");
    if !skipped.is_empty() {
        let update = format!(
            "UPDATE deliveries SET {becomes}, reason = '{reason}', wait = NULL, settled_at = $2,
                 lease_until = NULL WHERE id IN (SELECT id FROM {given} AS given) AND {begins}",
            becomes = becomes(Arrow::Skip),
            reason = SkipReason::FrequencyCap.word(),
            begins = begins(Arrow::Skip, "state")
        );
        let given = values![numbers_json(skipped.iter().copied()), now.micros()];
        execute(connection, operation, &update, given).await?;
    }
    let waiting: Vec<_> =
        waiting.into_iter().map(|(id, not_before)| (id, WaitReason::Priority, not_before)).collect();
    postpone(connection, operation, &waiting).await?;
    Ok(Judged { skipped: skipped.len() as u64, waiting: waiting.len() as u64 })
}

/// Gives claimed rows back, each with the reason and the instant until which it waits. What was not tried yet has its `Date`
/// from when it is claimed again.
pub(super) async fn postpone(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    rows: &[(i64, WaitReason, Timestamp)],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = [("id", Number), ("wait", Text), ("not_before", Number)];
    let update = format!(
        "UPDATE deliveries SET {becomes}, wait = given.wait, not_before = given.not_before, incarnation = NULL,
            lease_until = NULL,
            first_claimed_at = CASE WHEN deliveries.attempts = 0 THEN NULL ELSE deliveries.first_claimed_at END
        FROM {given} AS given WHERE deliveries.id = given.id AND {begins}",
        becomes = becomes(Arrow::Release),
        given = given_rows(backend_of(connection), 1, &columns),
        begins = begins(Arrow::Release, "deliveries.state")
    );
    for part in rows.chunks(ROWS) {
        let rows = part.iter().map(|(id, wait, not_before)| json!([id, wait.word(), not_before.micros()]));
        let rows: Vec<_> = rows.collect();
        execute(connection, operation, &update, values![json!(rows).to_string()]).await?;
    }
    Ok(())
}
