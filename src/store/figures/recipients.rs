//! Contacts that are drawn for figures: evenly over all numbers, and the same ones each time as long as
//! they stay.

use sea_orm::FromQueryResult;

use crate::domain::contact::ContactId;
use crate::domain::delivery::RunId;
use crate::domain::time::Timestamp;
use crate::store::dialect::given_numbers;
use crate::store::statement::{numbers_json, query_as, query_value, values};
use crate::store::{Result, Store};

/// What failing queries are called.
const OPERATION: &str = "draw contacts for a figure";

/// Some of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn<T> {
    /// Those that were drawn.
    pub contacts: Vec<T>,
    /// How many there are.
    pub all: u64,
}

/// An order that has nothing to do with the numbers: multiplicative hashing (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4) by 2^32 over the golden ratio.
const MIXED: &str = "(contact * 2654435769) % 4294967296, contact";

/// At most `most` contacts that got a mail of these runs, each with the due time of the first.
pub async fn first_mails(store: &Store, runs: &[RunId], most: u64) -> Result<Drawn<(ContactId, Timestamp)>> {
    let runs = numbers_json(runs.iter().map(|run| run.0));
    let given = given_numbers(store.backend(), 1, "run");
    let mailed = format!(
        "FROM deliveries d JOIN runs r ON r.id = d.run
         WHERE d.run IN (SELECT run FROM {given} AS given) AND d.state = 'accepted' AND d.contact > 0"
    );
    let count = format!("SELECT COUNT(DISTINCT d.contact) {mailed}");
    let all: i64 = query_value(&store.database, OPERATION, &count, values![runs.as_str()]).await?;
    let text = format!(
        "SELECT contact, due_at FROM (SELECT d.contact AS contact, MIN(r.due_at) AS due_at {mailed} GROUP BY d.contact) AS first
         ORDER BY {MIXED} LIMIT $2"
    );
    let rows: Vec<FirstMail> =
        query_as(&store.database, OPERATION, &text, values![runs, most as i64]).await?;
    let contacts =
        rows.into_iter().map(|row| (ContactId(row.contact), Timestamp::from_micros(row.due_at))).collect();
    Ok(Drawn { contacts, all: all as u64 })
}

/// At most `most` of all contacts.
pub async fn anybody(store: &Store, most: u64) -> Result<Drawn<ContactId>> {
    let all: i64 = query_value(&store.database, OPERATION, "SELECT COUNT(*) FROM contacts", vec![]).await?;
    let text = format!(
        "SELECT contact FROM (SELECT id AS contact FROM contacts) AS everybody ORDER BY {MIXED} LIMIT $1"
    );
    let rows: Vec<Anybody> = query_as(&store.database, OPERATION, &text, values![most as i64]).await?;
    Ok(Drawn { contacts: rows.into_iter().map(|row| ContactId(row.contact)).collect(), all: all as u64 })
}

#[derive(Debug, FromQueryResult)]
struct FirstMail {
    contact: i64,
    due_at: i64,
}

#[derive(Debug, FromQueryResult)]
struct Anybody {
    contact: i64,
}
