//! Pauses of campaigns and runs, at once and from any process.

use crate::domain::delivery::{RunId, RunState};
use crate::domain::name::CampaignName;
use crate::store::runs::{self, Run};
use crate::store::{campaigns, incarnations, pauses};

use super::installation::unknown;
use super::{Failure, Installation};

/// What is paused or resumed.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A run, as it is then.
    Run(Run),
    /// A campaign, with all its runs.
    Campaign(CampaignName),
}

/// Pauses a campaign or a run: nothing more of it is handed over. What is in the hands of the mail server
/// comes to its end.
pub async fn pause(installation: &Installation, target: &str) -> Result<Target, Failure> {
    let (store, now) = (&installation.store, installation.clock.now());
    let failed = |error| installation.failed(error);
    match find(installation, target).await? {
        Target::Campaign(name) => {
            if pauses::pause(store, &name, None, now).await.map_err(failed)? {
                return Ok(Target::Campaign(name));
            }
            let hint = format!("`campaignd resume {name}` ends the pause");
            Err(Failure::call_with_hint(format!("{name} is paused already"), hint))
        }
        Target::Run(run) => {
            let paused = runs::pause(store, run.id).await.map_err(failed)?;
            after(installation, run.id, paused, RunState::Sending, "paused").await
        }
    }
}

/// Ends a pause. What was planned goes on, after it was asked again who is in the audience. Says whether a
/// daemon is there to send it.
pub async fn resume(installation: &Installation, target: &str) -> Result<(Target, bool), Failure> {
    let (store, now) = (&installation.store, installation.clock.now());
    let failed = |error| installation.failed(error);
    let target = match find(installation, target).await? {
        Target::Campaign(name) => {
            if !pauses::resume(store, &name, now).await.map_err(failed)? {
                let hint = "`campaignd status` shows what is paused";
                return Err(Failure::call_with_hint(format!("{name} is not paused"), hint));
            }
            Target::Campaign(name)
        }
        Target::Run(run) => {
            let resumed = runs::resume(store, run.id, now).await.map_err(failed)?;
            after(installation, run.id, resumed, RunState::Paused, "resumed").await?
        }
    };
    let daemon = incarnations::running(store, now).await.map_err(failed)?;
    Ok((target, daemon.is_some()))
}

/// A number is a run; anything else the name of a campaign: declared, paused, or known from before.
async fn find(installation: &Installation, target: &str) -> Result<Target, Failure> {
    let failed = |error| installation.failed(error);
    if let Ok(number) = target.parse::<i64>() {
        let run = runs::by_number(&installation.store, RunId(number)).await.map_err(failed)?;
        return run.map(Target::Run).ok_or_else(|| {
            Failure::call_with_hint(format!("there is no run {number}"), "`campaignd status` lists the runs")
        });
    }
    let declared = installation.project.catalogue.campaigns.keys();
    let paused = pauses::all(&installation.store).await.map_err(failed)?;
    let before = campaigns::all(&installation.store).await.map_err(failed)?;
    let before = before.iter().map(|campaign| &campaign.name);
    let mut known: Vec<&CampaignName> = declared.chain(paused.keys()).chain(before).collect();
    known.sort_unstable();
    known.dedup();
    match known.iter().find(|name| name.as_str() == target) {
        Some(name) => Ok(Target::Campaign((*name).clone())),
        None => Err(unknown("campaign", target, known.iter().map(|name| name.as_str()))),
    }
}

/// The run as it is now, or that it was not in the state for it.
async fn after(
    installation: &Installation,
    run: RunId,
    done: bool,
    from: RunState,
    becomes: &str,
) -> Result<Target, Failure> {
    let found =
        runs::by_number(&installation.store, run).await.map_err(|error| installation.failed(error))?;
    let Some(found) = found else { return Err(Failure::call(format!("run {} is gone", run.0))) };
    if done {
        return Ok(Target::Run(found));
    }
    Err(Failure::call_with_hint(
        format!("run {} of `{}` is {}", run.0, found.campaign, found.state.word()),
        format!("only a run that is {} can be {becomes}", from.word()),
    ))
}
