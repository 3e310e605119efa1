//! Secrets of this installation that live with its data.

use sea_orm::FromQueryResult;
use secrecy::SecretSlice;

use super::statement::{execute, query_as, values};
use super::{Result, Store, WriteTransaction};
use crate::domain::time::Timestamp;

/// A secret that signs links and message ids.
#[derive(Debug, Clone)]
pub struct SigningSecret {
    /// Its number, from 0; tokens name it.
    pub number: u8,
    /// 32 random bytes.
    pub secret: SecretSlice<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

#[derive(Debug, FromQueryResult)]
struct SecretRow {
    name: String,
    value: Vec<u8>,
    created_at: i64,
}

/// The first is called so, the others have their number behind a dot.
const SIGNING: &str = "signing";

fn name_of(number: u8) -> String {
    if number == 0 { SIGNING.to_owned() } else { format!("{SIGNING}.{number}") }
}

fn number_of(name: &str) -> Option<u8> {
    match name.strip_prefix(SIGNING)? {
        "" => Some(0),
        number => number.strip_prefix('.')?.parse().ok(),
    }
}

/// The secrets that sign, by number. The first is made from `fresh` (32 random bytes) where there is none.
pub async fn signing_secrets(store: &Store, fresh: [u8; 32], now: Timestamp) -> Result<Vec<SigningSecret>> {
    let operation = "read the signing secrets";
    let there = query_as(&store.database, operation, READ, vec![]).await?;
    if !there.is_empty() {
        return Ok(read(there));
    }
    let transaction = store.begin_write(operation).await?;
    insert(&transaction, operation, 0, fresh, now).await?;
    let there = query_as(&*transaction, operation, READ, vec![]).await?;
    transaction.commit().await?;
    Ok(read(there))
}

/// Adds a secret made from `fresh` (32 random bytes) and gives its number; `None`: all numbers are taken.
pub async fn add_signing_secret(store: &Store, fresh: [u8; 32], now: Timestamp) -> Result<Option<u8>> {
    let operation = "add a signing secret";
    let transaction = store.begin_write(operation).await?;
    let mut newest =
        read(query_as(&*transaction, operation, READ, vec![]).await?).last().map(|last| last.number);
    // Somebody else may be adding one: whoever comes second takes the next number.
    loop {
        let number = match newest {
            None => 0,
            Some(newest) => match newest.checked_add(1) {
                Some(number) => number,
                None => return Ok(None),
            },
        };
        if insert(&transaction, operation, number, fresh, now).await? {
            transaction.commit().await?;
            return Ok(Some(number));
        }
        newest = Some(number);
    }
}

const READ: &str =
    "SELECT name, value, created_at FROM secrets WHERE name = 'signing' OR name LIKE 'signing.%'";

fn read(rows: Vec<SecretRow>) -> Vec<SigningSecret> {
    let mut secrets: Vec<_> = rows
        .into_iter()
        .filter_map(|row| {
            Some(SigningSecret {
                number: number_of(&row.name)?,
                secret: SecretSlice::from(row.value),
                created_at: Timestamp::from_micros(row.created_at),
            })
        })
        .collect();
    secrets.sort_by_key(|secret| secret.number);
    secrets
}

/// False: there is one of this number.
async fn insert(
    transaction: &WriteTransaction,
    operation: &'static str,
    number: u8,
    fresh: [u8; 32],
    now: Timestamp,
) -> Result<bool> {
    let insert =
        "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    let given = values![name_of(number), fresh.to_vec(), now.micros()];
    Ok(execute(&**transaction, operation, insert, given).await? > 0)
}
