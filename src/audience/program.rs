//! Compiles what is asked against the names of events that the database knows.

use std::sync::Arc;

use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::evaluate::{Asked, Program};
use crate::store::{Result, Store, events};

/// How many ranges of contacts a full pass reads at the same time. Two threads take half the time of
/// one; with more, writers and senders would feel it.
pub(super) const VISITORS: usize = 2;

/// A program for what is asked. Compiled at each use: names of events that are new to
/// the database must not be missing from it, and compiling costs less than one page of contacts.
pub(super) async fn compile(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    asked: Asked<'_>,
) -> Result<Arc<Program>> {
    let names = events::names(store).await?;
    let event_id = |name: &str| names.get(name).copied();
    Ok(Arc::new(Program::compile(catalogue, settings, &asked, &event_id)))
}
