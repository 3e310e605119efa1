//! Keys of those who may write through the API. A key itself is never stored: only its SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::FromQueryResult;
use sha2::{Digest as _, Sha256};

use super::bulk::Bulk;
use super::statement::{execute, query_as, query_value, values};
use super::{Result, Store};
use crate::domain::time::Timestamp;

/// The number of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteKeyId(pub i64);

/// A key, without what makes it one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteKey {
    /// Its number.
    pub id: WriteKeyId,
    /// What people call it: `shop-backend`. Unique among those that hold.
    pub name: String,
    /// What it begins with.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it does not hold any more.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used to write.
    pub last_used_at: Option<Timestamp>,
    /// Calls that were stored; repeated ones are counted once.
    pub accepted: u64,
    /// Calls that were refused.
    pub rejected: u64,
}

/// How many characters of a key are kept to tell it from others: the prefix that all have, and four.
const HINT: usize = 8;

/// Stores a key under a name. `false`: a key that holds has this name.
pub async fn create(store: &Store, name: &str, key: &str, now: Timestamp) -> Result<bool> {
    let text = "INSERT INTO write_keys (name, hash, hint, created_at)
        SELECT CAST($1 AS TEXT), $2, $3, $4
        WHERE NOT EXISTS (SELECT 1 FROM write_keys WHERE name = $1 AND revoked_at IS NULL)
        ON CONFLICT DO NOTHING";
    let hint: String = key.chars().take(HINT).collect();
    let operation = "store a write key";
    let transaction = store.begin_write(operation).await?;
    let added = execute(&*transaction, operation, text, values![name, hash(key), hint, now.micros()]).await?;
    transaction.commit().await?;
    Ok(added > 0)
}

/// From now on the key of this name does not hold. `false`: there is none that does.
pub async fn revoke(store: &Store, name: &str, now: Timestamp) -> Result<bool> {
    let operation = "revoke a write key";
    let text = "UPDATE write_keys SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL";
    let transaction = store.begin_write(operation).await?;
    let revoked = execute(&*transaction, operation, text, values![name, now.micros()]).await?;
    transaction.commit().await?;
    Ok(revoked > 0)
}

/// All keys, the oldest first.
pub async fn all(store: &Store) -> Result<Vec<WriteKey>> {
    let text = "SELECT * FROM write_keys ORDER BY id";
    let rows: Vec<Row> = query_as(&store.database, "list write keys", text, vec![]).await?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// How many keys hold.
pub async fn holding(store: &Store) -> Result<u64> {
    let text = "SELECT COUNT(*) FROM write_keys WHERE revoked_at IS NULL";
    let count: i64 = query_value(&store.database, "count write keys", text, vec![]).await?;
    Ok(count as u64)
}

/// The key that holds and reads so.
pub async fn find(store: &Store, key: &str) -> Result<Option<WriteKey>> {
    // What is compared is a hash: how long a comparison takes says nothing of the key.
    let text = "SELECT * FROM write_keys WHERE hash = $1 AND revoked_at IS NULL";
    let rows: Vec<Row> = query_as(&store.database, "look up a write key", text, values![hash(key)]).await?;
    Ok(rows.into_iter().next().map(Row::read))
}

/// Counts what came in with a key.
pub(super) async fn count_within(
    bulk: &mut Bulk,
    key: WriteKeyId,
    accepted: u64,
    rejected: u64,
    now: Timestamp,
) -> Result<()> {
    let text = "UPDATE write_keys SET accepted = accepted + $2, rejected = rejected + $3, last_used_at = $4
        WHERE id = $1";
    bulk.execute(text, &[key.0, accepted as i64, rejected as i64, now.micros()]).await?;
    Ok(())
}

fn hash(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(key.as_bytes()))
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: i64,
    name: String,
    hint: String,
    created_at: i64,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
    accepted: i64,
    rejected: i64,
}

impl Row {
    fn read(self) -> WriteKey {
        WriteKey {
            id: WriteKeyId(self.id),
            name: self.name,
            hint: self.hint,
            created_at: Timestamp::from_micros(self.created_at),
            revoked_at: self.revoked_at.map(Timestamp::from_micros),
            last_used_at: self.last_used_at.map(Timestamp::from_micros),
            accepted: self.accepted as u64,
            rejected: self.rejected as u64,
        }
    }
}
