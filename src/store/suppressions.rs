//! Suppressions: addresses that get no mail, whoever they belong to. They are asked for by address, and
//! found by it, by its hash, or by its domain.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, EntityTrait as _, QueryOrder as _};
use serde_json::json;

use super::dialect::Column::{Number, Text};
use super::dialect::{given_rows, given_texts};
use super::entity::suppression;
use super::error::{failed, unknown_word};
use super::statement::{backend_of, execute, query_as, values};
use super::{ROWS, Result, Store};
use crate::domain::delivery::{SuppressionCause, SuppressionScope};
use crate::domain::suppression::SuppressionTarget;
use crate::domain::time::Timestamp;

/// An address, a hash or a domain that gets no mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Whom it names.
    pub target: SuppressionTarget,
    /// Why.
    pub cause: SuppressionCause,
    /// Which mail.
    pub scope: SuppressionScope,
    /// Since when.
    pub at: Timestamp,
    /// How it came in.
    pub source: String,
}

/// Which suppressions are meant; what is `None` does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SuppressionFilter {
    /// Of this cause.
    pub cause: Option<SuppressionCause>,
    /// Of this scope.
    pub scope: Option<SuppressionScope>,
}

/// Adds suppressions; one that is there already stays as it is. Says how many are new.
pub async fn add(store: &Store, suppressions: &[Suppression]) -> Result<u64> {
    let operation = "add suppressions";
    let transaction = store.begin_write(operation).await?;
    let added = add_within(&*transaction, operation, suppressions).await?;
    transaction.commit().await?;
    Ok(added)
}

/// See [`add`].
pub(super) async fn add_within(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    suppressions: &[Suppression],
) -> Result<u64> {
    let columns = [("address", Text), ("cause", Text), ("scope", Text), ("at", Number), ("source", Text)];
    let given = given_rows(backend_of(connection), 1, &columns);
    // `WHERE TRUE`: without it SQLite reads ON as the ON of a join.
    let insert = format!(
        "INSERT INTO suppressions (address, cause, scope, at, source)
         SELECT address, cause, scope, at, source FROM {given} AS given WHERE TRUE ON CONFLICT DO NOTHING"
    );
    let mut added = 0;
    for part in suppressions.chunks(ROWS) {
        let row = |row: &Suppression| {
            let (cause, scope) = (row.cause.word(), row.scope.word());
            json!([row.target.as_str(), cause, scope, row.at.micros(), row.source.replace('\0', "\u{fffd}")])
        };
        let rows: Vec<_> = part.iter().map(row).collect();
        added += execute(connection, operation, &insert, values![json!(rows).to_string()]).await?;
    }
    Ok(added)
}

/// Removes the suppressions of exactly these targets, as far as `filter` means them; gives what they were.
pub async fn remove(
    store: &Store,
    targets: &[SuppressionTarget],
    filter: SuppressionFilter,
) -> Result<Vec<Suppression>> {
    let operation = "remove suppressions";
    let given = given_texts(store.backend(), 1, "address");
    let text = format!(
        "DELETE FROM suppressions WHERE address IN (SELECT address FROM {given} AS given)
           AND ($2 = '' OR cause = $2) AND ($3 = '' OR scope = $3)
         RETURNING address, cause, scope, at, source"
    );
    let transaction = store.begin_write(operation).await?;
    let mut removed = Vec::new();
    for part in targets.chunks(ROWS) {
        let named: Vec<_> = part.iter().map(SuppressionTarget::as_str).collect();
        let cause = filter.cause.map_or("", SuppressionCause::word);
        let given = values![json!(named).to_string(), cause, filter.scope.map_or("", SuppressionScope::word)];
        let rows: Vec<suppression::Model> = query_as(&*transaction, operation, &text, given).await?;
        for row in rows {
            removed.push(read(row)?);
        }
    }
    transaction.commit().await?;
    removed.sort_by(|left, right| left.target.cmp(&right.target).then(left.cause.cmp(&right.cause)));
    Ok(removed)
}

/// The suppressions of these addresses, by address as it is given; in each the causes in the order of
/// their list. Addresses that nothing suppresses are left out.
pub async fn among<'a>(store: &Store, addresses: &[&'a str]) -> Result<HashMap<&'a str, Vec<Suppression>>> {
    among_within(&store.database, addresses).await
}

/// See [`among`].
pub(super) async fn among_within<'a>(
    connection: &impl ConnectionTrait,
    addresses: &[&'a str],
) -> Result<HashMap<&'a str, Vec<Suppression>>> {
    let given = given_texts(backend_of(connection), 1, "address");
    let text = format!(
        "SELECT address, cause, scope, at, source FROM suppressions
         WHERE address IN (SELECT address FROM {given} AS given)"
    );
    let mut found: HashMap<&str, Vec<Suppression>> = HashMap::new();
    for part in addresses.chunks(ROWS) {
        let mut named: HashMap<SuppressionTarget, Vec<&str>> = HashMap::with_capacity(3 * part.len());
        for address in part {
            for target in SuppressionTarget::all_of(address) {
                named.entry(target).or_default().push(address);
            }
        }
        let targets: Vec<_> = named.keys().map(SuppressionTarget::as_str).collect();
        let given = values![json!(targets).to_string()];
        let rows: Vec<suppression::Model> =
            query_as(connection, "look up suppressions", &text, given).await?;
        for row in rows {
            let suppression = read(row)?;
            for address in named.get(&suppression.target).into_iter().flatten() {
                found.entry(address).or_default().push(suppression.clone());
            }
        }
    }
    for suppressions in found.values_mut() {
        suppressions.sort_by(|left, right| (left.cause, &left.target).cmp(&(right.cause, &right.target)));
    }
    Ok(found)
}

/// All suppressions, by target.
pub async fn all(store: &Store) -> Result<Vec<Suppression>> {
    let query = suppression::Entity::find()
        .order_by_asc(suppression::Column::Address)
        .order_by_asc(suppression::Column::Cause);
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
        target: SuppressionTarget::stored(row.address),
        source: row.source,
    })
}
