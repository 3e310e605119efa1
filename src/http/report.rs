//! The report, as pages; on a listener of its own: `/` all campaigns, `/campaigns/NAME` one.
//!
//! Nobody logs in: it says how many, never who. A page is made when it is asked for, one at a time, and
//! kept for some seconds, so that many readers cost the database no more than one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{self, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::Mutex;

use super::{State, page};
use crate::domain::catalogue::EvaluationSettings;
use crate::domain::name::CampaignName;
use crate::domain::time::{Timestamp, Zone};
use crate::report::html::CONTENT_SECURITY_POLICY;
use crate::report::{self, Declared, Extent, HtmlStyle, Parts};
use crate::store;

/// For so long a page is given again as it is.
const FRESH: Duration = Duration::from_secs(10);

/// What the report's pages say of the installation, and the pages that were made lately.
#[derive(Debug, Clone)]
pub struct Reports {
    /// The zone in which days and times are said.
    pub time_zone: Zone,
    /// Whose campaigns they are, where no campaign says it.
    pub host: String,
    /// The folder into which mails are written, where nobody is mailed.
    pub folder: Option<String>,
    made: Arc<Mutex<HashMap<Option<CampaignName>, Made>>>,
}

/// A page that was made.
#[derive(Debug)]
struct Made {
    at: Timestamp,
    html: Arc<str>,
}

impl Reports {
    /// Nothing was made yet.
    pub fn new(time_zone: Zone, host: String, folder: Option<String>) -> Self {
        Self { time_zone, host, folder, made: Arc::default() }
    }
}

/// See the module.
pub(super) fn routes() -> Router<State> {
    Router::new().route("/", get(overview)).route("/campaigns/{name}", get(campaign))
}

async fn overview(extract::State(state): extract::State<State>) -> Response {
    answer(&state, None).await
}

async fn campaign(extract::State(state): extract::State<State>, Path(name): Path<String>) -> Response {
    match CampaignName::parse(&name) {
        Ok(name) => answer(&state, Some(name)).await,
        Err(_) => page::not_found().await,
    }
}

async fn answer(state: &State, campaign: Option<CampaignName>) -> Response {
    match made(state, campaign).await {
        Ok(Some(html)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
                (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ];
            (StatusCode::OK, headers, html.to_string()).into_response()
        }
        Ok(None) => page::not_found().await,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the report could not be read");
            page::later("The report cannot be read at the moment. Please try again.\n")
        }
    }
}

/// A page; `None`: neither the files nor the ledger know the campaign.
async fn made(state: &State, campaign: Option<CampaignName>) -> store::Result<Option<Arc<str>>> {
    let reports = &state.reports;
    let mut pages = reports.made.lock().await;
    let now = state.clock.now();
    pages.retain(|_, made| made.at <= now && now < made.at.plus(FRESH));
    if let Some(made) = pages.get(&campaign) {
        return Ok(Some(Arc::clone(&made.html)));
    }
    let catalogue = Arc::clone(&state.catalogue.borrow());
    let settings = EvaluationSettings { time_zone: reports.time_zone };
    let declared = Declared { catalogue: &catalogue, settings, now };
    let parts = if campaign.is_some() { Parts::Campaigns } else { Parts::Overview };
    let report = report::read_declared(&state.store, campaign.as_ref(), declared, parts).await?;
    if let Some(name) = &campaign
        && report.campaigns.is_empty()
        && !catalogue.campaigns.contains_key(name)
    {
        return Ok(None);
    }
    let html: Arc<str> = report
        .to_html(&HtmlStyle {
            at: now,
            time_zone: reports.time_zone,
            sender: report::sender(&catalogue).unwrap_or(&reports.host).to_owned(),
            folder: reports.folder.clone(),
            extent: if campaign.is_some() { Extent::Campaign } else { Extent::Overview },
        })
        .into();
    pages.insert(campaign, Made { at: now, html: Arc::clone(&html) });
    Ok(Some(html))
}
