//! Erases a person, everywhere in the database.

use crate::domain::contact::Contact;
use crate::store::forget;

use super::{Failure, Installation};

pub use crate::store::forget::{Forgotten, Wiped};

/// Erases a contact that [`contact::find`](super::contact::find) found.
pub async fn forget(installation: &Installation, contact: &Contact) -> Result<Forgotten, Failure> {
    let forgotten = forget::forget(&installation.store, contact.id, installation.clock.now())
        .await
        .map_err(|error| installation.failed(error))?;
    forgotten.ok_or_else(|| Failure::call("the contact is gone already"))
}

/// Sees to it that nothing of what was erased is left in the database's files.
pub async fn wipe(installation: &Installation) -> Result<Wiped, Failure> {
    forget::wipe(&installation.store).await.map_err(|error| installation.failed(error))
}
