//! Secrets of this installation that live with its data.

use secrecy::SecretSlice;

use super::statement::{execute, query_value, values};
use super::{Result, Store};
use crate::domain::time::Timestamp;

/// The secret that signs links and message ids: made from `fresh` (32 random bytes) at the first
/// start, the same ever after.
pub async fn signing_secret(store: &Store, fresh: [u8; 32], now: Timestamp) -> Result<SecretSlice<u8>> {
    let operation = "read the signing secret";
    let insert = "INSERT INTO secrets (name, value, created_at) VALUES ('signing', $1, $2) ON CONFLICT (name) DO NOTHING";
    let read = "SELECT value FROM secrets WHERE name = 'signing'";
    let transaction = store.begin_write(operation).await?;
    execute(&*transaction, operation, insert, values![fresh.to_vec(), now.micros()]).await?;
    let secret: Vec<u8> = query_value(&*transaction, operation, read, vec![]).await?;
    transaction.commit().await?;
    Ok(SecretSlice::from(secret))
}
