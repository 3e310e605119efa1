//! Calls of the API that were refused, in whole or in part: the newest, with their reason, so that
//! whoever sent them can mend it. The client was told that all is well: it would only drop them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::FromQueryResult;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::bulk::Bulk;
use super::dialect::Column::{Number, Text};
use super::dialect::given_rows;
use super::identity::fold;
use super::statement::{query_as, values};
use super::write_keys::WriteKeyId;
use super::{Result, Store};
use crate::domain::time::Timestamp;

/// How many are kept: at 32 KB each that is 300 MB at the most.
pub const KEPT: u64 = 10_000;

/// A call that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// Why, without data of the call, so that equal ones can be counted: `` `event` is missing ``.
    pub kind: String,
    /// Why, with the value that gave rise to it.
    pub reason: String,
    /// Whom it names, as far as that can be read.
    pub external_id: Option<String>,
    /// See `external_id`.
    pub email: Option<String>,
    /// See `external_id`.
    pub anonymous_id: Option<String>,
    /// What tells it from others: its message id, else nothing.
    pub message_id: Option<String>,
    /// The call as it came; cut, where it is too large.
    pub payload: String,
}

/// A refusal as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRefusal {
    /// When it came in.
    pub at: Timestamp,
    /// The name of the key it came with.
    pub write_key: String,
    /// Why; see [`Refusal`].
    pub kind: String,
    /// Why; see [`Refusal`].
    pub reason: String,
    /// The call as it came.
    pub payload: String,
}

/// Keeps refusals; a call that is repeated is kept once. Says how many are new.
pub(super) async fn keep_within(
    bulk: &mut Bulk,
    key: WriteKeyId,
    refusals: &[Refusal],
    now: Timestamp,
) -> Result<u64> {
    if refusals.is_empty() {
        return Ok(0);
    }
    let columns = [
        ("digest", Text),
        ("at", Number),
        ("write_key", Number),
        ("kind", Text),
        ("reason", Text),
        ("external_id", Text),
        ("email_folded", Text),
        ("anonymous_id", Text),
        ("payload", Text),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let given = given_rows(bulk.backend(), 1, &columns);
    // `WHERE TRUE`: without it SQLite reads ON as the ON of a join.
    let insert = format!(
        "INSERT INTO ingest_rejects ({names}) SELECT {names} FROM {given} AS given WHERE TRUE ON CONFLICT DO NOTHING"
    );
    let rows: Vec<_> = refusals
        .iter()
        .map(|refusal| {
            // PostgreSQL keeps no U+0000 in texts.
            let clean = |text: &str| text.replace('\0', "\u{fffd}");
            json!([
                digest(refusal),
                now.micros(),
                key.0,
                refusal.kind,
                clean(&refusal.reason),
                refusal.external_id.as_deref().map(clean),
                refusal.email.as_deref().map(|email| clean(&fold(email))),
                refusal.anonymous_id.as_deref().map(clean),
                clean(&refusal.payload),
            ])
        })
        .collect();
    let added = bulk.change(&insert, vec![json!(rows).to_string()]).await?;
    if added > 0 {
        let forget = "DELETE FROM ingest_rejects WHERE id <= (SELECT MAX(id) FROM ingest_rejects) - CAST($1 AS BIGINT)";
        bulk.execute(forget, &[KEPT as i64]).await?;
    }
    Ok(added)
}

/// The newest, newest first.
pub async fn newest(store: &Store, limit: u64) -> Result<Vec<KeptRefusal>> {
    let text = "SELECT r.at, COALESCE(k.name, '') AS write_key, r.kind, r.reason, r.payload
        FROM ingest_rejects r LEFT JOIN write_keys k ON k.id = r.write_key ORDER BY r.id DESC LIMIT $1";
    let operation = "list refused calls";
    let rows: Vec<Row> = query_as(&store.database, operation, text, values![limit as i64]).await?;
    let read = |row: Row| KeptRefusal {
        at: Timestamp::from_micros(row.at),
        write_key: row.write_key,
        kind: row.kind,
        reason: row.reason,
        payload: row.payload,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// How many of those that are kept came in later than `since`.
pub async fn count_since(store: &Store, since: Timestamp) -> Result<u64> {
    let text = "SELECT COUNT(*) AS count FROM ingest_rejects WHERE at > $1";
    let counts: Vec<Count> =
        query_as(&store.database, "count refused calls", text, values![since.micros()]).await?;
    Ok(counts.first().map_or(0, |row| row.count.unsigned_abs()))
}

#[derive(Debug, FromQueryResult)]
struct Count {
    count: i64,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    at: i64,
    write_key: String,
    kind: String,
    reason: String,
    payload: String,
}

fn digest(refusal: &Refusal) -> String {
    let mut hash = Sha256::new();
    hash.update(&refusal.kind);
    hash.update([0]);
    hash.update(refusal.message_id.as_ref().unwrap_or(&refusal.payload));
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
