//! Secrets of this installation that live with its data.

use secrecy::SecretSlice;

use super::{Result, Store};
use crate::domain::time::Timestamp;

/// The secret that signs links and message ids: made from `fresh` (32 random bytes) at the first
/// start, the same ever after.
pub async fn signing_secret(store: &Store, fresh: [u8; 32], now: Timestamp) -> Result<SecretSlice<u8>> {
    todo!()
}
