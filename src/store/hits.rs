//! Requests of pixels and links, as raw evidence: in from the spool, each once; out after their retention.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::bulk::{Bulk, Cell};
use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows, join_in_this_order};
use super::merges::ADDRESSEE;
use super::statement::{execute, numbers_json, query_value, values};
use super::{Backend, ROWS, Result, Store};
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

/// The mails of these deliveries; those that do not exist, and those whose person was erased, are left out.
async fn mails(bulk: &mut Bulk, deliveries: &[DeliveryId]) -> Result<HashMap<DeliveryId, TrackedMail>> {
    let (given, join) = (given_numbers(bulk.backend(), 1, "id"), join_in_this_order(bulk.backend()));
    let text = format!(
        "SELECT d.id, d.run, d.tracking, CAST(c.tracking AS BIGINT)
         FROM {given} AS g {join} deliveries d ON d.id = g.id {join} contacts c ON c.id = {ADDRESSEE}"
    );
    let mut mails = HashMap::with_capacity(deliveries.len());
    for part in deliveries.chunks(ROWS) {
        let numbers = numbers_json(part.iter().map(|delivery| delivery.0));
        for row in bulk.rows_with(&text, vec![Cell::from(numbers)]).await? {
            let number = |column: usize| row.get(column).and_then(Cell::number).unwrap_or_default();
            let mail = TrackedMail {
                run: RunId(number(1)),
                tracking: row.get(2).and_then(Cell::text).and_then(Tracking::from_word),
                consent: ConsentState::from_code(number(3) as i16),
            };
            mails.insert(DeliveryId(number(0)), mail);
        }
    }
    Ok(mails)
}

/// Up to where a file of a spool is in the database; 0: not at all.
pub async fn drained(store: &Store, file: i64) -> Result<i64> {
    let text = "SELECT COALESCE(MAX(drained), 0) FROM spool_files WHERE file = $1";
    query_value(&store.database, "look up how far a spool file is drained", text, values![file]).await
}

/// Takes in a part of a file in one transaction: `sort` is told which mails these deliveries are, and says what becomes
/// of the hits. `false`: the database was elsewhere in the file, and is as it was.
pub async fn take_in<'h>(
    store: &Store,
    part: FilePart,
    deliveries: &[DeliveryId],
    now: Timestamp,
    sort: impl FnOnce(&HashMap<DeliveryId, TrackedMail>) -> Sorted<'h>,
) -> Result<bool> {
    let mut bulk = Bulk::begin(store, "write hits").await?;
    let note = "INSERT INTO spool_files (file, drained, at) VALUES ($1, $2, $3)
        ON CONFLICT (file) DO UPDATE SET drained = excluded.drained, at = excluded.at
        WHERE spool_files.drained = $4";
    if bulk.execute(note, &[part.file, part.until, now.micros(), part.from]).await? == 0 {
        return Ok(false);
    }
    let Sorted { kept, counted } = sort(&mails(&mut bulk, deliveries).await?);
    let insert = insert(bulk.backend());
    for hits in kept.chunks(ROWS) {
        let rows: Vec<_> = hits.iter().map(|(place, delivery, hit)| row(*place, *delivery, hit)).collect();
        bulk.execute_with(&insert, vec![json!(rows).to_string().into(), part.file.into()]).await?;
    }
    let count = count(bulk.backend());
    let counts: Vec<_> = counted.iter().collect();
    for counts in counts.chunks(ROWS) {
        let row = |(count, hits): &(&Count, &u64)| {
            let Count { run, kind, link, day, agent } = count;
            json!([run.0, kind.word(), link, day, agent.word(), hits])
        };
        let rows: Vec<_> = counts.iter().map(row).collect();
        bulk.execute_with(&count, vec![json!(rows).to_string().into()]).await?;
    }
    bulk.commit().await?;
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
