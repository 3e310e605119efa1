//! Thresholds of rankings, as they stand until they are computed anew.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::failed;
use super::statement::{execute, query, values};
use super::{Result, Store};
use crate::domain::population::Threshold;
use crate::domain::ranking::Bounds;
use crate::domain::time::Timestamp;

/// What a threshold is known by: the name of the place, and the fingerprint of what the ranking rests on.
pub type ThresholdKey = (String, String);

/// A threshold under another fingerprint than the one that is written was somebody's who knew other
/// declarations. It is kept for so long.
const OTHERS_KEPT: Duration = Duration::from_hours(7 * 24);

/// All thresholds.
pub async fn all(store: &Store) -> Result<BTreeMap<ThresholdKey, Threshold>> {
    let operation = "read the thresholds of rankings";
    let text = "SELECT name, fingerprint, at, contacts, from_value, to_value FROM rank_thresholds";
    let rows = query(&store.database, operation, text, vec![]).await?;
    let read = |row: &sea_orm::QueryResult| -> std::result::Result<_, sea_orm::DbErr> {
        let (from, to): (Option<i64>, Option<i64>) = (row.try_get_by_index(4)?, row.try_get_by_index(5)?);
        let threshold = Threshold {
            at: Timestamp::from_micros(row.try_get_by_index(2)?),
            contacts: row.try_get_by_index::<i64>(3)?.max(0) as u64,
            bounds: from.zip(to).map(|(from, to)| Bounds { from, to }),
        };
        Ok(((row.try_get_by_index(0)?, row.try_get_by_index(1)?), threshold))
    };
    rows.iter().map(|row| read(row).map_err(failed(operation))).collect()
}

/// Writes thresholds. `anew`: in the place of those that stand; else a threshold that somebody else wrote in
/// the meantime stays.
pub async fn write(store: &Store, thresholds: &BTreeMap<ThresholdKey, Threshold>, anew: bool) -> Result<()> {
    let operation = "write the thresholds of rankings";
    let conflict = if anew {
        "DO UPDATE SET at = excluded.at, contacts = excluded.contacts,
         from_value = excluded.from_value, to_value = excluded.to_value"
    } else {
        "DO NOTHING"
    };
    let insert = format!(
        "INSERT INTO rank_thresholds (name, fingerprint, at, contacts, from_value, to_value)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name, fingerprint) {conflict}"
    );
    let delete = "DELETE FROM rank_thresholds WHERE name = $1 AND fingerprint <> $2 AND at < $3";
    let transaction = store.begin_write(operation).await?;
    for ((name, fingerprint), Threshold { at, contacts, bounds }) in thresholds {
        let (name, fingerprint) = (name.as_str(), fingerprint.as_str());
        let (from, to) = (bounds.map(|bounds| bounds.from), bounds.map(|bounds| bounds.to));
        let given = values![name, fingerprint, at.micros(), *contacts as i64, from, to];
        execute(&*transaction, operation, &insert, given).await?;
        let given = values![name, fingerprint, at.minus(OTHERS_KEPT).micros()];
        execute(&*transaction, operation, delete, given).await?;
    }
    transaction.commit().await
}
