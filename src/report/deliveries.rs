//! The report: what became of each run's deliveries.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::counts::Counts;
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;
use crate::store::figures::{self, RunFigures};
use crate::store::runs::Run;
use crate::store::{Result, Store};

/// The version of the JSON; it changes when a reader of it would have to.
pub const VERSION: u32 = 1;
/// Deliveries that were skipped before a version was looked for are under this label.
const NO_VERSION: &str = "";

/// What became of the deliveries of some campaigns.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// By name.
    pub campaigns: Vec<CampaignReport>,
}

/// What became of a campaign's deliveries.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignReport {
    /// Its name.
    pub name: CampaignName,
    /// Its runs, the earliest first.
    pub runs: Vec<RunReport>,
    /// All of them together.
    pub counts: Counts,
}

/// What became of a run's deliveries.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The run.
    pub run: Run,
    /// All versions together.
    pub counts: Counts,
    /// By the label of the version; an empty label for those that have none.
    pub versions: BTreeMap<String, Counts>,
}

/// Reads what became of the deliveries of a campaign, or of all.
pub async fn deliveries(store: &Store, campaign: Option<&CampaignName>) -> Result<Report> {
    Ok(Report::of(figures::runs(store, campaign).await?))
}

impl Report {
    /// Puts runs together by campaign.
    pub fn of(figures: Vec<RunFigures>) -> Self {
        let mut campaigns: BTreeMap<CampaignName, Vec<RunReport>> = BTreeMap::new();
        for RunFigures { run, deliveries } in figures {
            let mut counts = Counts::default();
            let mut versions: BTreeMap<String, Counts> = BTreeMap::new();
            for count in &deliveries {
                counts.add(count);
                let version = count.version.as_deref().unwrap_or(NO_VERSION);
                versions.entry(version.to_owned()).or_default().add(count);
            }
            let campaign = run.campaign.clone();
            campaigns.entry(campaign).or_default().push(RunReport { run, counts, versions });
        }
        let campaigns = campaigns
            .into_iter()
            .map(|(name, mut runs)| {
                runs.sort_by_key(|report| (report.run.due_at, report.run.id));
                let mut counts = Counts::default();
                for report in &runs {
                    counts.add_all(&report.counts);
                }
                CampaignReport { name, runs, counts }
            })
            .collect();
        Self { campaigns }
    }

    /// The report for programs.
    pub fn to_json(&self) -> Value {
        let campaigns: Vec<Value> = self.campaigns.iter().map(CampaignReport::to_json).collect();
        json!({ "version": VERSION, "campaigns": campaigns })
    }
}

impl CampaignReport {
    /// All runs together, by the label of the version.
    pub fn versions(&self) -> BTreeMap<&str, Counts> {
        let mut versions: BTreeMap<&str, Counts> = BTreeMap::new();
        for (label, counts) in self.runs.iter().flat_map(|report| &report.versions) {
            versions.entry(label).or_default().add_all(counts);
        }
        versions
    }

    fn to_json(&self) -> Value {
        let runs: Vec<Value> = self.runs.iter().map(RunReport::to_json).collect();
        json!({ "campaign": self.name.as_str(), "deliveries": self.counts.to_json(), "runs": runs })
    }
}

impl RunReport {
    fn to_json(&self) -> Value {
        let versions: Map<String, Value> = self
            .versions
            .iter()
            .filter(|(label, _)| *label != NO_VERSION)
            .map(|(label, counts)| (label.clone(), counts.to_json().into()))
            .collect();
        json!({
            "run": self.run.id.0,
            "due_at": instant(self.run.due_at),
            "state": self.run.state.word(),
            "trigger": self.run.trigger.word(),
            "fixed_at": self.run.fixed_at.map(instant),
            "finished_at": self.run.finished_at.map(instant),
            "note": self.run.note,
            "deliveries": self.counts.to_json(),
            "versions": versions,
        })
    }
}

/// An instant as JSON: RFC 3339 in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    at.to_string()
}
