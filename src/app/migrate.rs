//! The database's tables: brought up to date, packed histories made anew.

use crate::store::{histories, memberships};

use super::installation::{connect, database};
use super::{Failure, Project};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// How many steps the tables took.
    pub steps: usize,
    /// How many events the new packed histories hold, if they were made.
    pub rebuilt: Option<u64>,
    /// How many segments are to be evaluated anew, if that was asked for.
    pub to_be_evaluated: Option<u64>,
}

/// What is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Anew {
    /// The packed histories, from the event log.
    pub histories: bool,
    /// The memberships, by the next refresh.
    pub memberships: bool,
}

/// Brings the tables up to date, and has made anew what is asked for.
pub async fn migrate(project: &Project, anew: Anew) -> Result<Migrated, Failure> {
    let store = connect(project).await?;
    let failed = |error| database(project, error);
    let steps = store.migrate().await.map_err(failed)?;
    let rebuilt = if anew.histories { Some(histories::rebuild(&store).await.map_err(failed)?) } else { None };
    let to_be_evaluated =
        if anew.memberships { Some(memberships::reset(&store).await.map_err(failed)?) } else { None };
    // A step can leave things to be packed again: here somebody watches and waits.
    histories::pack(&store).await.map_err(failed)?;
    store.close().await.map_err(failed)?;
    Ok(Migrated { steps, rebuilt, to_be_evaluated })
}
