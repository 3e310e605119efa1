//! What rows say that cannot be: numbers that were drawn twice, rows that belong to nobody, deliveries in
//! states that no step leads to. Only reads, all of it as of one moment.

mod rules;

use sea_orm::{ConnectionTrait, QueryResult};

use super::error::failed;
use super::kept::KeptTable;
use super::reviews::ReviewGroup;
use super::statement::{query, query_column, query_value};
use super::{Result, Store};
use crate::domain::membership::unpack_reviews;
use crate::store::memberships::SegmentId;

/// How many rows are named of those that break one rule.
const EXAMPLES: u32 = 5;

/// Rows that break a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What kind of rule: `counter`, `orphan`, `ledger` … Stays the same.
    pub code: &'static str,
    /// What is wrong, for people.
    pub what: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// How many rows.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<String>,
}

/// Rows that cannot be, by rule.
pub async fn broken(store: &Store) -> Result<Vec<Broken>> {
    let operation = "look for rows that cannot be";
    let snapshot = store.begin_read(operation).await?;
    let mut found = Vec::new();
    for rule in rules::all() {
        let text = &rule.text;
        let count = format!("SELECT COUNT(*) FROM ({text}) AS found");
        let count = query_value::<i64>(&snapshot, operation, &count, vec![]).await?;
        if count == 0 {
            continue;
        }
        let examples = format!("SELECT example FROM ({text}) AS found LIMIT {EXAMPLES}");
        found.push(Broken {
            code: rule.code,
            what: rule.what,
            remedy: rule.remedy,
            count: count.max(0) as u64,
            examples: query_column(&snapshot, operation, &examples, vec![]).await?,
        });
    }
    for table in [KeptTable::Members, KeptTable::Reviews] {
        found.extend(unreadable(&snapshot, operation, table).await?);
    }
    snapshot.rollback().await.map_err(failed(operation))?;
    Ok(found)
}

/// Rows of members or reviews whose bytes are not what the number beside them says.
async fn unreadable(
    connection: &impl ConnectionTrait,
    operation: &'static str,
    table: KeptTable,
) -> Result<Option<Broken>> {
    let read = |row: &QueryResult| -> Result<(i64, i64, Vec<u8>), sea_orm::DbErr> {
        Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?))
    };
    let mut damaged = Vec::new();
    for row in query(connection, operation, &table.select("true"), vec![]).await? {
        let (id, number, payload) = read(&row).map_err(failed(operation))?;
        let block = match table {
            KeptTable::Members => SegmentId::block_of(id),
            KeptTable::Reviews => ReviewGroup::of_row(id).1,
        };
        // Both kinds of payload are a contact and an instant each.
        let entries: Result<Vec<_>, _> = unpack_reviews(block, &payload).collect();
        let is_sound = entries.is_ok_and(|entries| match table {
            KeptTable::Members => entries.len() as i64 == number,
            KeptTable::Reviews => entries.iter().map(|(_, at)| at.micros()).min() == Some(number),
        });
        if !is_sound {
            damaged.push(id.to_string());
        }
    }
    let count = damaged.len() as u64;
    damaged.truncate(EXAMPLES as usize);
    Ok((count > 0).then_some(Broken {
        code: "damaged",
        what: match table {
            KeptTable::Members => "rows of packed members cannot be read",
            KeptTable::Reviews => "rows of packed times of review cannot be read",
        },
        remedy: rules::REEVALUATE,
        count,
        examples: damaged,
    }))
}
