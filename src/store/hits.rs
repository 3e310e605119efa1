//! Requests of pixels and links, as raw evidence: in from the spool, each once; out after their retention.

use std::collections::BTreeMap;

use serde_json::json;

use super::bulk::Bulk;
use super::dialect::Column::{Number, Text};
use super::dialect::given_rows;
use super::statement::{execute, query_value, values};
use super::{Backend, ROWS, Result, Store};
use crate::domain::delivery::{DeliveryId, RunId};
use crate::domain::engagement::{Agent, EngagementKind, Hit, Reading};
use crate::domain::time::Timestamp;

/// A part of a spool's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePart {
    /// The number of the file.
    pub file: i64,
    /// The place where the part begins: nothing is written unless the database is there.
    pub from: i64,
    /// The place behind it.
    pub until: i64,
}

/// What becomes of hits.
#[derive(Debug, Clone, Default)]
pub struct Sorted<'h> {
    /// To keep: each with its place and its delivery.
    pub kept: Vec<(i64, DeliveryId, &'h Hit)>,
    /// Only to count.
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

/// Up to where a file of a spool is in the database; 0: not at all.
pub async fn drained(store: &Store, file: i64) -> Result<i64> {
    let text = "SELECT COALESCE(MAX(drained), 0) FROM spool_files WHERE file = $1";
    query_value(&store.database, "look up how far a spool file is drained", text, values![file]).await
}

/// Notes that a part of a file is in the database. `false`: the database was elsewhere in the file.
pub(super) async fn note_drained(bulk: &mut Bulk, part: FilePart, now: Timestamp) -> Result<bool> {
    let note = "INSERT INTO spool_files (file, drained, at) VALUES ($1, $2, $3)
        ON CONFLICT (file) DO UPDATE SET drained = excluded.drained, at = excluded.at
        WHERE spool_files.drained = $4";
    Ok(bulk.execute(note, &[part.file, part.until, now.micros(), part.from]).await? > 0)
}

/// Keeps hits of a file, each with how it is read; `None`: it is not read yet.
pub(super) async fn keep(
    bulk: &mut Bulk,
    file: i64,
    kept: &[(i64, DeliveryId, &Hit)],
    reading: impl Fn(i64) -> Option<Reading>,
) -> Result<()> {
    let insert = insert(bulk.backend());
    for hits in kept.chunks(ROWS) {
        let row =
            |(place, delivery, hit): &(i64, DeliveryId, &Hit)| row(*place, *delivery, hit, reading(*place));
        let rows: Vec<_> = hits.iter().map(row).collect();
        bulk.execute_with(&insert, vec![json!(rows).to_string().into(), file.into()]).await?;
    }
    Ok(())
}

/// Adds to the counts of hits that name nobody.
pub(super) async fn add_counts(bulk: &mut Bulk, counted: &BTreeMap<Count, u64>) -> Result<()> {
    let text = count(bulk.backend());
    let counts: Vec<_> = counted.iter().collect();
    for counts in counts.chunks(ROWS) {
        let row = |(count, hits): &(&Count, &u64)| {
            let Count { run, kind, link, day, agent } = count;
            json!([run.0, kind.word(), link, day, agent.word(), hits])
        };
        let rows: Vec<_> = counts.iter().map(row).collect();
        bulk.execute_with(&text, vec![json!(rows).to_string().into()]).await?;
    }
    Ok(())
}

fn row(place: i64, delivery: DeliveryId, hit: &Hit, reading: Option<Reading>) -> serde_json::Value {
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
        reading.map(|reading| reading.agent.word()),
        reading.map(|reading| reading.rule.word()),
    ])
}

fn insert(backend: Backend) -> String {
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
        ("agent", Text),
        ("rule", Text),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let given = given_rows(backend, 1, &columns);
    // `WHERE TRUE`: without it SQLite reads ON as the ON of a join.
    format!(
        "INSERT INTO hits (file, {names}) SELECT $2, {names} FROM {given} AS g WHERE TRUE ON CONFLICT DO NOTHING"
    )
}

fn count(backend: Backend) -> String {
    let columns = [
        ("run", Number),
        ("kind", Text),
        ("link", Number),
        ("day", Number),
        ("agent", Text),
        ("hits", Number),
    ];
    let given = given_rows(backend, 1, &columns);
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
