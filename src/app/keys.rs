//! Keys with which other systems write through the API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use crate::store::refusals::KeptRefusal;
pub use crate::store::write_keys::WriteKey;
use crate::store::{refusals, write_keys};

use super::{Failure, Installation};

/// What every key begins with: scanners of repositories find a key that was committed.
const PREFIX: &str = "cwk_";
/// The longest name of a key, in characters.
const LONGEST_NAME: usize = 64;

/// Makes a key and gives it: it is not stored and cannot be shown again.
pub async fn create(installation: &Installation, name: &str) -> Result<String, Failure> {
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Failure::call_with_hint(
            "a key needs a name of 1 to 64 characters",
            "name what will use it, such as `shop-backend`",
        ));
    }
    let random: [u8; 32] = rand::random();
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let created = write_keys::create(&installation.store, name, &key, installation.clock.now())
        .await
        .map_err(|error| installation.failed(error))?;
    if created {
        return Ok(key);
    }
    Err(Failure::call_with_hint(
        format!("there is a key `{name}` already"),
        format!("give the new one another name, or revoke that one first: `campaignd key revoke {name}`"),
    ))
}

/// All keys, the oldest first.
pub async fn list(installation: &Installation) -> Result<Vec<WriteKey>, Failure> {
    write_keys::all(&installation.store).await.map_err(|error| installation.failed(error))
}

/// From now on the key does not hold; a running daemon knows at once.
pub async fn revoke(installation: &Installation, name: &str) -> Result<(), Failure> {
    let revoked = write_keys::revoke(&installation.store, name, installation.clock.now())
        .await
        .map_err(|error| installation.failed(error))?;
    if revoked {
        return Ok(());
    }
    let keys = list(installation).await?;
    let holding: Vec<&str> =
        keys.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.name.as_str()).collect();
    Err(super::installation::unknown("key", name, holding.into_iter()))
}

/// Calls that were refused, newest first.
pub async fn rejects(installation: &Installation, limit: u32) -> Result<Vec<KeptRefusal>, Failure> {
    refusals::newest(&installation.store, u64::from(limit)).await.map_err(|error| installation.failed(error))
}
