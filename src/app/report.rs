//! What became of the deliveries, and what came back.

use crate::domain::name::CampaignName;
use crate::http;
use crate::report::{self, Declared, Extent, HtmlStyle, Parts, Report};
use crate::settings::{Settings, Transport};

use super::installation::unknown;
use super::{Failure, Installation};

/// The report on a campaign, or on all. A campaign that is not declared any more has its report,
/// too; a name that neither the files nor the ledger know is a slip.
pub async fn report(installation: &Installation, campaign: Option<&str>) -> Result<Report, Failure> {
    let names = || installation.project.catalogue.campaigns.keys().map(CampaignName::as_str);
    let name = campaign
        .map(|name| CampaignName::parse(name).map_err(|_| unknown("campaign", name, names())))
        .transpose()?;
    let declared = Declared {
        catalogue: &installation.project.catalogue,
        settings: installation.project.evaluation_settings(),
        now: installation.clock.now(),
    };
    let parts = if name.is_some() { Parts::Campaigns } else { Parts::All };
    let report = report::read_declared(&installation.store, name.as_ref(), declared, parts)
        .await
        .map_err(|error| installation.failed(error))?;
    match campaign {
        Some(name) if report.campaigns.is_empty() && !names().any(|known| known == name) => {
            Err(unknown("campaign", name, names()))
        }
        _ => Ok(report),
    }
}

/// How the page of a report on an installation looks, as of now.
pub fn html_style(installation: &Installation) -> HtmlStyle {
    let settings = &installation.project.settings;
    let sender = report::sender(&installation.project.catalogue);
    HtmlStyle {
        at: installation.clock.now(),
        time_zone: settings.time_zone,
        sender: sender.map_or_else(|| host(settings), str::to_owned),
        folder: folder(settings),
        extent: Extent::File,
    }
}

/// What the pages of the report say of an installation.
pub fn pages(installation: &Installation) -> http::Reports {
    let settings = &installation.project.settings;
    http::Reports::new(settings.time_zone, host(settings), folder(settings))
}

/// The host of the public address.
fn host(settings: &Settings) -> String {
    let rest = settings.public_url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}

/// Where mails go, where nobody is mailed.
fn folder(settings: &Settings) -> Option<String> {
    match &settings.transport {
        Transport::Folder { path } => Some(path.display().to_string()),
        Transport::Smtp(_) => None,
    }
}
