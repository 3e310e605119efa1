//! The database's tables: brought up to date, packed histories made anew.

use crate::store::histories;

use super::installation::{connect, database};
use super::{Failure, Project};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// How many steps the tables took.
    pub steps: usize,
    /// How many events the new packed histories hold, if they were made.
    pub rebuilt: Option<u64>,
}

/// Brings the tables up to date; with `rebuild_histories` makes the packed histories anew from the
/// event log.
pub async fn migrate(project: &Project, rebuild_histories: bool) -> Result<Migrated, Failure> {
    let store = connect(project).await?;
    let failed = |error| database(project, error);
    let steps = store.migrate().await.map_err(failed)?;
    let rebuilt =
        if rebuild_histories { Some(histories::rebuild(&store).await.map_err(failed)?) } else { None };
    // A step can leave things to be packed again: here somebody watches and waits.
    histories::pack(&store).await.map_err(failed)?;
    store.close().await.map_err(failed)?;
    Ok(Migrated { steps, rebuilt })
}
