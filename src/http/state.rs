//! What handlers may use.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::domain::catalogue::Catalogue;
use crate::links::Links;
use crate::store::Store;
use crate::track::Spool;

use super::{Calls, Redirects, Reports};

/// What handlers may use. Each request has a clone of it, so all clones share one [`Parts`].
#[derive(Debug, Clone)]
pub struct State(Arc<Parts>);

impl From<Parts> for State {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What a [`State`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The addresses of mails, and the signer that verifies their tokens.
    pub links: Links,
    /// Where requests of pixels and links wait for the database.
    pub spool: Spool,
    /// Where links lead, as far as that is remembered.
    pub redirects: Redirects,
    /// What the pages of the report say, and those that were made lately.
    pub reports: Reports,
    /// What is declared now; it changes when the files do.
    pub catalogue: watch::Receiver<Arc<Catalogue>>,
    /// Reads and writes the calls of the ingest API.
    pub calls: Calls,
}
