//! What became of the deliveries.

use crate::domain::name::CampaignName;
use crate::report::{self, Report};

use super::installation::unknown;
use super::{Failure, Installation};

/// The deliveries of a campaign, or of all. A campaign that is not declared any more has its report,
/// too; a name that neither the files nor the ledger know is a slip.
pub async fn report(installation: &Installation, campaign: Option<&str>) -> Result<Report, Failure> {
    let declared = || installation.project.catalogue.campaigns.keys().map(CampaignName::as_str);
    let name = campaign
        .map(|name| CampaignName::parse(name).map_err(|_| unknown("campaign", name, declared())))
        .transpose()?;
    let report = report::read(&installation.store, name.as_ref(), installation.project.settings.time_zone)
        .await
        .map_err(|error| installation.failed(error))?;
    match campaign {
        Some(name) if report.campaigns.is_empty() && !declared().any(|known| known == name) => {
            Err(unknown("campaign", name, declared()))
        }
        _ => Ok(report),
    }
}
