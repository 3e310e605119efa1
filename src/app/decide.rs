//! Decisions about a run, at once and from any process: approve it, cancel it.

use crate::domain::delivery::{RunId, RunState};
use crate::store::incarnations;
use crate::store::runs::{self, Run};

use super::{Failure, Installation};

/// Lets a held run go. Gives the run as it is then, and whether a daemon is there to send it.
pub async fn approve(installation: &Installation, run: i64) -> Result<(Run, bool), Failure> {
    let before = by_number(installation, run).await?;
    let (store, now) = (&installation.store, installation.clock.now());
    let failed = |error| installation.failed(error);
    let approved = runs::approve(store, before.id, now).await.map_err(failed)?;
    let after = by_number(installation, run).await?;
    if approved {
        let daemon = incarnations::running(store, now).await.map_err(failed)?;
        return Ok((after, daemon.is_some()));
    }
    Err(Failure::call_with_hint(
        format!("run {run} of `{}` is {}", after.campaign, after.state.word()),
        format!("only a run that is {} can be approved", RunState::Held.word()),
    ))
}

/// Ends a run: mails that are being handed over come to their end, the others are not sent. Gives
/// the run as it is then, and how many mails that were.
pub async fn cancel(
    installation: &Installation,
    run: i64,
    note: Option<&str>,
) -> Result<(Run, u64), Failure> {
    let before = by_number(installation, run).await?;
    let cancelled = runs::cancel(&installation.store, before.id, note, installation.clock.now())
        .await
        .map_err(|error| installation.failed(error))?;
    let after = by_number(installation, run).await?;
    match cancelled {
        Some(rows) => Ok((after, rows)),
        None => Err(Failure::call_with_hint(
            format!("run {run} of `{}` is {} already", after.campaign, after.state.word()),
            "only a run that is not over can be cancelled",
        )),
    }
}

async fn by_number(installation: &Installation, run: i64) -> Result<Run, Failure> {
    runs::by_number(&installation.store, RunId(run))
        .await
        .map_err(|error| installation.failed(error))?
        .ok_or_else(|| {
            Failure::call_with_hint(format!("there is no run {run}"), "`campaignd status` lists the runs")
        })
}
