//! Suppressions: addresses that get no mail, whoever they belong to.

use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::json;

use super::dialect::Column::{Number, Text};
use super::dialect::{given_rows, given_texts};
use super::entity::suppression;
use super::error::{failed, unknown_word};
use super::statement::{execute, query_as, values};
use super::{ROWS, Result, Store};
use crate::domain::delivery::{SuppressionCause, SuppressionScope};
use crate::domain::time::Timestamp;

/// An address that gets no mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The folded address.
    pub address: String,
    /// Why.
    pub cause: SuppressionCause,
    /// Which mail.
    pub scope: SuppressionScope,
    /// Since when.
    pub at: Timestamp,
    /// How it came in.
    pub source: String,
}

/// Adds suppressions; one that is there already stays as it is. Says how many are new.
pub async fn add(store: &Store, suppressions: &[Suppression]) -> Result<u64> {
    let operation = "add suppressions";
    let columns = [("address", Text), ("cause", Text), ("scope", Text), ("at", Number), ("source", Text)];
    let given = given_rows(store.backend(), 1, &columns);
    // `WHERE TRUE`: without it SQLite reads ON as the ON of a join.
    let insert = format!(
        "INSERT INTO suppressions (address, cause, scope, at, source)
         SELECT address, cause, scope, at, source FROM {given} AS given WHERE TRUE ON CONFLICT DO NOTHING"
    );
    let transaction = store.begin_write(operation).await?;
    let mut added = 0;
    for part in suppressions.chunks(ROWS) {
        let rows: Vec<_> = part
            .iter()
            .map(|row| json!([row.address, row.cause.word(), row.scope.word(), row.at.micros(), row.source]))
            .collect();
        added += execute(&*transaction, operation, &insert, values![json!(rows).to_string()]).await?;
    }
    transaction.commit().await?;
    Ok(added)
}

/// The suppressions of these folded addresses, by address.
pub async fn among(store: &Store, addresses: &[&str]) -> Result<Vec<Suppression>> {
    let given = given_texts(store.backend(), 1, "address");
    let text = format!(
        "SELECT address, cause, scope, at, source FROM suppressions
         WHERE address IN (SELECT address FROM {given} AS given) ORDER BY address, cause, scope"
    );
    let mut found = Vec::new();
    for part in addresses.chunks(ROWS) {
        let given = values![json!(part).to_string()];
        let rows: Vec<suppression::Model> =
            query_as(&store.database, "look up suppressions", &text, given).await?;
        for row in rows {
            found.push(read(row)?);
        }
    }
    if addresses.len() > ROWS {
        found.sort_by(|left, right| left.address.cmp(&right.address));
    }
    Ok(found)
}

/// All suppressions, by address: for a run that fixes a large audience.
pub async fn all(store: &Store) -> Result<Vec<Suppression>> {
    let query = suppression::Entity::find().order_by_asc(suppression::Column::Address);
    let rows = query.all(&store.database).await.map_err(failed("list suppressions"))?;
    rows.into_iter().map(read).collect()
}

fn read(row: suppression::Model) -> Result<Suppression> {
    let table = "suppressions";
    Ok(Suppression {
        cause: SuppressionCause::from_word(&row.cause)
            .ok_or_else(|| unknown_word(table, "cause", &row.cause))?,
        scope: SuppressionScope::from_word(&row.scope)
            .ok_or_else(|| unknown_word(table, "scope", &row.scope))?,
        at: Timestamp::from_micros(row.at),
        address: row.address,
        source: row.source,
    })
}
