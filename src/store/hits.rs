//! Requests of pixels and links, as raw evidence: in from the spool, each once; out after their retention.

use std::collections::{BTreeMap, HashMap};

use sea_orm::FromQueryResult;
use serde_json::json;

use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::merges::ADDRESSEE;
use super::statement::{execute, numbers_json, query_as, query_value, values};
use super::{ROWS, Result, Store};
use crate::domain::campaign::Tracking;
use crate::domain::consent::ConsentState;
use crate::domain::delivery::{DeliveryId, RunId};
use crate::domain::engagement::{Agent, EngagementKind, Hit};
use crate::domain::time::Timestamp;

/// The mail that hits are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackedMail {
    /// Its run.
    pub run: RunId,
    /// How it was tracked when it was handed over; `None`: not known.
    pub tracking: Option<Tracking>,
    /// Whether its contact agrees to tracking now.
    pub consent: ConsentState,
}

/// What a part of a spool's file adds to the database.
#[derive(Debug, Clone, Default)]
pub struct FilePart<'h> {
    /// The number of the file.
    pub file: i64,
    /// The place where the part begins: nothing is written unless the database is there.
    pub from: i64,
    /// The place behind it.
    pub until: i64,
    /// Hits to keep: each with its place and its delivery.
    pub kept: Vec<(i64, DeliveryId, &'h Hit)>,
    /// Hits that are only counted.
    pub counted: BTreeMap<Count, u64>,
}

/// Under what a hit is counted that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count {
    /// The run.
    pub run: RunId,
    /// What was asked for.
    pub kind: EngagementKind,
    /// The number of the link; 0 for a pixel.
    pub link: i64,
    /// The day, in days since 1970-01-01 in the installation's zone.
    pub day: i64,
    /// Who asked.
    pub agent: Agent,
}

#[derive(Debug, FromQueryResult)]
struct MailRow {
    id: i64,
    run: i64,
    tracking: Option<String>,
    consent: i64,
}

/// The mails of these deliveries; those that do not exist, and those whose person was erased, are left out.
pub async fn mails(store: &Store, deliveries: &[DeliveryId]) -> Result<HashMap<DeliveryId, TrackedMail>> {
    let operation = "look up whose mails were looked at";
    let (given, join) = (given_numbers(store.backend(), 1, "id"), join_in_this_order(store.backend()));
    let text = format!(
        "SELECT d.id AS id, d.run AS run, d.tracking AS tracking, c.tracking AS consent
         FROM {given} AS g {join} deliveries d ON d.id = g.id {join} contacts c ON c.id = {ADDRESSEE}"
    );
    let mut mails = HashMap::with_capacity(deliveries.len());
    for part in deliveries.chunks(ROWS) {
        let numbers = numbers_json(part.iter().map(|delivery| delivery.0));
        let rows: Vec<MailRow> = query_as(&store.database, operation, &text, values![numbers]).await?;
        mails.extend(rows.into_iter().map(|row| {
            let mail = TrackedMail {
                run: RunId(row.run),
                tracking: row.tracking.as_deref().and_then(Tracking::from_word),
                consent: ConsentState::from_code(row.consent as i16),
            };
            (DeliveryId(row.id), mail)
        }));
    }
    Ok(mails)
}

/// Up to where a file of a spool is in the database; 0: not at all.
pub async fn drained(store: &Store, file: i64) -> Result<i64> {
    let text = "SELECT COALESCE(MAX(drained), 0) FROM spool_files WHERE file = $1";
    query_value(&store.database, "look up how far a spool file is drained", text, values![file]).await
}

/// Writes a part of a file in one transaction. `false`: the database was elsewhere in it, and is as it was.
pub async fn write(store: &Store, part: &FilePart<'_>, now: Timestamp) -> Result<bool> {
    let operation = "write hits";
    let transaction = store.begin_write(operation).await?;
    let note = "INSERT INTO spool_files (file, drained, at) VALUES ($1, $2, $3)
        ON CONFLICT (file) DO UPDATE SET drained = excluded.drained, at = excluded.at
        WHERE spool_files.drained = $4";
    let noted = values![part.file, part.until, now.micros(), part.from];
    if execute(&*transaction, operation, note, noted).await? == 0 {
        return Ok(false);
    }
    let insert = insert(store);
    for hits in part.kept.chunks(ROWS) {
        let rows: Vec<_> = hits.iter().map(|(place, delivery, hit)| row(*place, *delivery, hit)).collect();
        execute(&*transaction, operation, &insert, values![json!(rows).to_string(), part.file]).await?;
    }
    let count = count(store);
    let counts: Vec<_> = part.counted.iter().collect();
    for counts in counts.chunks(ROWS) {
        let row = |(count, hits): &(&Count, &u64)| {
            let Count { run, kind, link, day, agent } = count;
            json!([run.0, kind.word(), link, day, agent.word(), hits])
        };
        let rows: Vec<_> = counts.iter().map(row).collect();
        execute(&*transaction, operation, &count, values![json!(rows).to_string()]).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

fn row(place: i64, delivery: DeliveryId, hit: &Hit) -> serde_json::Value {
    let request = &hit.request;
    json!([
        place,
        delivery.0,
        hit.kind.word(),
        hit.link,
        hit.at.micros(),
        i64::from(request.head),
        request.user_agent,
        request.network,
        request.accept,
        request.accept_language,
        i64::from(request.accept_encoding),
        request.fetch,
        request.purpose,
    ])
}

fn insert(store: &Store) -> String {
    let columns = [
        ("place", Number),
        ("delivery", Number),
        ("kind", Text),
        ("link", Number),
        ("at", Number),
        ("head", Number),
        ("user_agent", Text),
        ("network", Text),
        ("accept", Text),
        ("accept_language", Text),
        ("accept_encoding", Number),
        ("fetch_mode", Text),
        ("purpose", Text),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let given = given_rows(store.backend(), 1, &columns);
    // `WHERE TRUE`: without it SQLite reads ON as the ON of a join.
    format!(
        "INSERT INTO hits (file, {names}) SELECT $2, {names} FROM {given} AS g WHERE TRUE ON CONFLICT DO NOTHING"
    )
}

fn count(store: &Store) -> String {
    let columns = [
        ("run", Number),
        ("kind", Text),
        ("link", Number),
        ("day", Number),
        ("agent", Text),
        ("hits", Number),
    ];
    let given = given_rows(store.backend(), 1, &columns);
    format!(
        "INSERT INTO run_hits (run, kind, link, day, agent, count)
         SELECT run, kind, link, day, agent, hits FROM {given} AS g WHERE TRUE
         ON CONFLICT (run, kind, link, day, agent) DO UPDATE SET count = run_hits.count + excluded.count"
    )
}

/// Removes up to `most` hits that are older than `before`, read ones first of all: their reading stands.
/// Says how many.
pub async fn purge(store: &Store, before: Timestamp, most: u32) -> Result<u64> {
    let operation = "purge old hits";
    let transaction = store.begin_write(operation).await?;
    let note = "UPDATE counters SET value = $1 WHERE name = 'hits_purged_until' AND value < $1";
    execute(&*transaction, operation, note, values![before.micros()]).await?;
    let remove = "DELETE FROM hits WHERE (file, place) IN (
        SELECT file, place FROM hits WHERE at < $1 AND agent IS NOT NULL LIMIT $2)";
    let removed =
        execute(&*transaction, operation, remove, values![before.micros(), i64::from(most)]).await?;
    transaction.commit().await?;
    Ok(removed)
}

/// Forgets how far files were drained that are gone since `before`.
pub async fn forget_files(store: &Store, before: Timestamp) -> Result<()> {
    let operation = "forget files of the spool that are gone";
    let transaction = store.begin_write(operation).await?;
    execute(&*transaction, operation, "DELETE FROM spool_files WHERE at < $1", values![before.micros()])
        .await?;
    transaction.commit().await
}
