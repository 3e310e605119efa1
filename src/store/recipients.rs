//! Recipients of a run: fixed in the database before its first mail, a row for each contact of the audience.

use std::collections::HashSet;

use sea_orm::FromQueryResult;
use serde_json::json;

use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::runs::{NOT_IN_HAND, Run, ZoneRun, step};
use super::statement::{execute, numbers_json, query_as, query_column, query_value, values};
use super::{Backend, ROWS, Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryState, RunId, RunState, SkipReason, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;

/// One contact of a run's audience.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    /// Who.
    pub contact: ContactId,
    /// The folded address, where there is one.
    pub address: Option<String>,
    /// The label of the version, where one matches.
    pub version: Option<String>,
    /// What is to become of it.
    pub plan: RecipientPlan,
}

/// What is to become of a contact of the audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientPlan {
    /// A mail, not before this instant.
    Mail {
        /// Not before.
        not_before: Timestamp,
    },
    /// A mail that waits until this instant.
    Later {
        /// Not before.
        not_before: Timestamp,
        /// What it waits for.
        wait: WaitReason,
    },
    /// None.
    Skip(SkipReason),
}

/// A mail of this campaign that a contact had, or may still have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorMail {
    /// Who.
    pub contact: ContactId,
    /// The latest due instant of a row that counts as mailed.
    pub mailed_due_at: Option<Timestamp>,
    /// Whether a row of another run is planned or deferred.
    pub waits: bool,
}

/// A fixing of a run's recipients that was begun. When another begins (a daemon stood still, and one took its place), this
/// one adds nobody any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixing {
    run: RunId,
    /// The how manieth it is.
    number: i64,
}

/// Moves a run from due (or from a fixing that was interrupted, whose rows are removed) to fixing.
/// `None`: it is in another state.
pub async fn begin_fixing(store: &Store, run: RunId) -> Result<Option<Fixing>> {
    let operation = "begin to fix the recipients of a run";
    let update = "UPDATE runs SET state = 'fixing', fixing = fixing + 1
        WHERE id = $1 AND state IN ('due', 'fixing') RETURNING fixing";
    let transaction = store.begin_write(operation).await?;
    let begun: Vec<i64> = query_column(&*transaction, operation, update, values![run.0]).await?;
    if !begun.is_empty() {
        let delete = "DELETE FROM deliveries WHERE run = $1";
        execute(&*transaction, operation, delete, values![run.0]).await?;
    }
    transaction.commit().await?;
    Ok(begun.first().map(|number| Fixing { run, number: *number }))
}

/// Adds recipients to a run in fixing, in one transaction; thousands a call are best. Every contact
/// gets its row: one whose address is in the run already is skipped as already sent. False: the run is
/// in another state, or fixed by another, and nobody was added.
pub async fn add_recipients(
    store: &Store,
    Fixing { run, number }: Fixing,
    recipients: &[Recipient],
    now: Timestamp,
) -> Result<bool> {
    let operation = "fix recipients of a run";
    let columns = [
        ("contact", Number),
        ("address", Text),
        ("version", Text),
        ("state", Text),
        ("reason", Text),
        ("not_before", Number),
        ("settled_at", Number),
        ("wait", Text),
    ];
    let given = given_rows(store.backend(), 1, &columns);
    let insert = format!(
        "INSERT INTO deliveries (run, contact, address, version, state, reason, not_before, settled_at, wait)
         SELECT $2, contact, address, version, state, reason, not_before, settled_at, wait FROM {given} AS given
         WHERE TRUE ON CONFLICT DO NOTHING"
    );
    // Only their address was in the way.
    let insert_others = format!(
        "INSERT INTO deliveries (run, contact, version, state, reason, not_before, settled_at)
         SELECT $2, contact, version, 'skipped', 'already_sent', not_before, $3 FROM {given} AS given
         WHERE TRUE ON CONFLICT (run, contact) DO NOTHING"
    );
    let transaction = store.begin_write(operation).await?;
    let lock = "UPDATE runs SET state = 'fixing' WHERE id = $1 AND state = 'fixing' AND fixing = $2";
    if execute(&*transaction, operation, lock, values![run.0, number]).await? == 0 {
        return Ok(false);
    }
    for part in recipients.chunks(ROWS) {
        let rows: Vec<_> = part.iter().map(|one| recipient_row(one, now)).collect();
        let rows = json!(rows).to_string();
        let added = execute(&*transaction, operation, &insert, values![rows.as_str(), run.0]).await?;
        if added < part.len() as u64 {
            let given = values![rows, run.0, now.micros()];
            execute(&*transaction, operation, &insert_others, given).await?;
        }
    }
    transaction.commit().await?;
    Ok(true)
}

fn recipient_row(recipient: &Recipient, now: Timestamp) -> serde_json::Value {
    let (state, reason, not_before, settled_at) = match recipient.plan {
        RecipientPlan::Mail { not_before } | RecipientPlan::Later { not_before, .. } => {
            (DeliveryState::Planned, None, not_before, None)
        }
        RecipientPlan::Skip(reason) => (DeliveryState::Skipped, Some(reason.word()), now, Some(now.micros())),
    };
    json!([
        recipient.contact.0,
        recipient.address,
        recipient.version,
        state.word(),
        reason,
        not_before.micros(),
        settled_at,
        match recipient.plan {
            RecipientPlan::Later { wait, .. } => Some(wait.word()),
            _ => None,
        }
    ])
}

/// Moves a run from fixing to `into`: sending, held or finished. False: it is in another state, or fixed by another.
pub async fn complete_fixing(
    store: &Store,
    Fixing { run, number }: Fixing,
    into: RunState,
    note: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let finished_at = (into == RunState::Finished).then_some(now.micros());
    let update = "UPDATE runs SET state = $2, note = $3, fixed_at = $4, finished_at = $5
        WHERE id = $1 AND state = 'fixing' AND fixing = $6";
    let given = values![run.0, into.word(), note.map(str::to_owned), now.micros(), finished_at, number];
    step(store, "complete the recipients of a run", update, given).await
}

impl RecipientPlan {
    /// Whether a mail is planned.
    pub const fn is_mail(&self) -> bool {
        !matches!(self, Self::Skip(_))
    }
}

/// Which of these contacts have a row in another zone's run of the same local due time.
pub async fn in_family(
    store: &Store,
    run: &Run,
    zone: ZoneRun,
    contacts: &[ContactId],
) -> Result<HashSet<ContactId>> {
    let operation = "look for runs of other zones";
    let of_family = "SELECT id FROM runs WHERE campaign = $1 AND local_due = $2 AND id <> $3";
    let given = values![run.campaign.as_str(), super::runs::micros(zone.local_due), run.id.0];
    let others: Vec<i64> = query_column(&store.database, operation, of_family, given).await?;
    let given = given_numbers(store.backend(), 2, "contact");
    let text = format!(
        "SELECT d.contact FROM deliveries d
         WHERE d.run = $1 AND d.contact IN (SELECT contact FROM {given} AS given)"
    );
    let mut found = HashSet::new();
    for other in others {
        for part in contacts.chunks(ROWS) {
            let given = values![other, numbers_json(part.iter().map(|contact| contact.0))];
            let rows: Vec<i64> = query_column(&store.database, operation, &text, given).await?;
            found.extend(rows.into_iter().map(ContactId));
        }
    }
    Ok(found)
}

/// How many mails the runs of a campaign that entries made have, sent or planned, of those that were due
/// later than `after` and not later than `until`; without those of `except`.
pub async fn mails_for_entries(
    store: &Store,
    campaign: &CampaignName,
    except: RunId,
    (after, until): (Timestamp, Timestamp),
) -> Result<u64> {
    let text = "SELECT COUNT(*) FROM runs r JOIN deliveries d ON d.run = r.id
        WHERE r.campaign = $1 AND r.id <> $2 AND r.due_at > $3 AND r.due_at <= $4
          AND r.made_by IN ('entry', 'current') AND d.state NOT IN ('skipped', 'refused')";
    let given = values![campaign.as_str(), except.0, after.micros(), until.micros()];
    let count: i64 = query_value(&store.database, "count mails for entries", text, given).await?;
    Ok(count.max(0) as u64)
}

/// One row of [`prior_mail`].
#[derive(Debug, FromQueryResult)]
struct PriorRow {
    contact: i64,
    mailed_due_at: Option<i64>,
    waits: i64,
}

/// What these contacts had of a campaign by runs other than `except`; those who had nothing are left
/// out. In the order of numbers.
pub async fn prior_mail(
    store: &Store,
    campaign: &CampaignName,
    except: RunId,
    contacts: &[ContactId],
) -> Result<Vec<PriorMail>> {
    let text = prior(store.backend());
    let mut found = Vec::new();
    for part in contacts.chunks(ROWS) {
        let given = values![numbers_json(part.iter().map(|contact| contact.0)), campaign.as_str(), except.0];
        let rows: Vec<PriorRow> = query_as(&store.database, "look up earlier mails", &text, given).await?;
        found.extend(rows.into_iter().map(|row| PriorMail {
            contact: ContactId(row.contact),
            mailed_due_at: row.mailed_due_at.map(Timestamp::from_micros),
            waits: row.waits > 0,
        }));
    }
    Ok(found)
}

/// Earlier mails: `$1` contacts, `$2` campaign, `$3` the run that does not count.
pub(super) fn prior(backend: Backend) -> String {
    let given = given_numbers(backend, 1, "contact");
    let join = join_in_this_order(backend);
    format!(
        "SELECT d.contact AS contact,
                MAX(CASE WHEN d.state IN ('claimed', 'transmitting', 'accepted', 'uncertain') THEN r.due_at END)
                    AS mailed_due_at,
                CAST(MAX(CASE WHEN {NOT_IN_HAND} THEN 1 ELSE 0 END) AS BIGINT) AS waits
         FROM {given} AS given {join} deliveries d ON d.contact = given.contact
         JOIN runs r ON r.id = d.run AND r.campaign = $2
         WHERE d.run <> $3
           AND d.state IN ('planned', 'claimed', 'transmitting', 'accepted', 'deferred', 'uncertain')
         GROUP BY d.contact ORDER BY d.contact"
    )
}
