//! The secrets that sign links: which one signs, and a new one.
//!
//! Several daemons may share a database. A new secret is read by all of them within seconds and only
//! then signs, so that none gets a token by a secret that it does not know.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::domain::time::Timestamp;
use crate::links::{Links, Signer, SigningKey};
use crate::store::secrets::{self, SigningSecret};

use super::{Failure, Installation};

/// How long a new secret is known before it signs: some times as long as a daemon takes to read it.
pub const KNOWN_BEFORE: Duration = Duration::from_secs(10);

/// A secret that signs from now on, or soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// The number of the new secret.
    pub secret: u8,
    /// When it begins to sign.
    pub signs_from: Timestamp,
}

/// Makes a new secret; what older ones signed stays valid.
pub async fn rotate(installation: &Installation) -> Result<Rotated, Failure> {
    let failed = |error| installation.failed(error);
    let now = installation.clock.now();
    // So that there is one to be followed.
    secrets::signing_secrets(&installation.store, rand::random(), now).await.map_err(failed)?;
    let added =
        secrets::add_signing_secret(&installation.store, rand::random(), now).await.map_err(failed)?;
    let secret = added.ok_or_else(|| Failure::call("there are 256 signing secrets, and no more numbers"))?;
    Ok(Rotated { secret, signs_from: now.plus(KNOWN_BEFORE) })
}

impl Installation {
    /// The addresses of this installation's mails. Clones of an installation share them, so what
    /// [`renew_links`](Self::renew_links) reads holds for all.
    pub async fn links(&self) -> Result<Links, Failure> {
        let made = self.links.get_or_try_init(|| async {
            let (signing, others) = self.signing_keys().await?;
            Ok(Links::new(Signer::new(&signing, &others), &self.project.settings.public_url))
        });
        made.await.cloned()
    }

    /// Takes secrets up that somebody else has made.
    pub async fn renew_links(&self) -> Result<(), Failure> {
        let links = self.links().await?;
        let (signing, others) = self.signing_keys().await?;
        links.signer().replace(&signing, &others);
        Ok(())
    }

    /// The key that signs, and the others.
    async fn signing_keys(&self) -> Result<(SigningKey, Vec<SigningKey>), Failure> {
        let now = self.clock.now();
        let secrets = secrets::signing_secrets(&self.store, rand::random(), now).await;
        let mut secrets = secrets.map_err(|error| self.failed(error))?;
        let signing = secrets.remove(signing(&secrets, now));
        let key = |secret: &SigningSecret| SigningKey {
            id: secret.number,
            secret: secret.secret.expose_secret().to_vec(),
        };
        Ok((key(&signing), secrets.iter().map(key).collect()))
    }
}

/// The place of the secret that signs: the newest that all know; without one the oldest.
fn signing(secrets: &[SigningSecret], now: Timestamp) -> usize {
    secrets.iter().rposition(|secret| secret.created_at.plus(KNOWN_BEFORE) <= now).unwrap_or(0)
}
