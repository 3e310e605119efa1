//! The report: what became of each run's deliveries, and what came back.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::counts::Counts;
use super::engagement::Engagement;
use super::levels::{LevelHistory, LevelShift};
use crate::domain::name::CampaignName;
use crate::domain::time::{Timestamp, Zone};
use crate::store::figures::RunFigures;
use crate::store::figures::engagement::EngagementFigures;
use crate::store::runs::Run;

/// The version of the JSON; it changes when a reader of it would have to.
pub const VERSION: u32 = 1;
/// What has no version is under this label: deliveries that were skipped before one was looked for, and
/// hits of mails whose hits are only counted.
pub(super) const NO_VERSION: &str = "";

/// What became of the deliveries of some campaigns, and what came back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// By name.
    pub campaigns: Vec<CampaignReport>,
    /// All contacts over the levels of each score, as time goes by. Empty in the report on one campaign.
    pub levels: Vec<LevelHistory>,
}

/// What became of a campaign's deliveries, and what came back.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignReport {
    /// Its name.
    pub name: CampaignName,
    /// What it is for, where it is declared and says so.
    pub description: Option<String>,
    /// Its runs, the earliest first.
    pub runs: Vec<RunReport>,
    /// All of them together.
    pub outcome: Outcome,
    /// Its recipients over the levels of each score.
    pub levels: Vec<LevelShift>,
}

/// What became of a run's deliveries, and what came back.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The run.
    pub run: Run,
    /// All versions together.
    pub outcome: Outcome,
    /// By the label of the version; an empty label for what has none.
    pub versions: BTreeMap<String, Outcome>,
}

/// What became of some deliveries, and what came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// By state and reason.
    pub deliveries: Counts,
    /// Opens, clicks, unsubscribes.
    pub engagement: Engagement,
}

impl Outcome {
    /// Adds others.
    pub fn add_all(&mut self, other: &Self) {
        self.deliveries.add_all(&other.deliveries);
        self.engagement.add_all(&other.engagement);
    }

    /// Deliveries flat, as they were before there was anything else; `engagement` beside them.
    fn to_json(&self) -> Map<String, Value> {
        let mut object = self.deliveries.to_json();
        object.insert("engagement".to_owned(), self.engagement.to_json());
        object
    }
}

impl Report {
    /// Puts runs together by campaign. Days are those of `time_zone`.
    pub fn of(runs: Vec<RunFigures>, mut engagement: EngagementFigures, time_zone: Zone) -> Self {
        let mut campaigns: BTreeMap<CampaignName, Vec<RunReport>> = BTreeMap::new();
        for RunFigures { run, deliveries } in runs {
            let mut versions: BTreeMap<String, Outcome> = BTreeMap::new();
            for count in &deliveries {
                let version = count.version.as_deref().unwrap_or(NO_VERSION);
                versions.entry(version.to_owned()).or_default().deliveries.add(count);
            }
            for (version, figures) in engagement.take(run.id) {
                let version = versions.entry(version.unwrap_or_default()).or_default();
                version.engagement.add_figures(&figures, time_zone);
            }
            let mut outcome = Outcome::default();
            for version in versions.values() {
                outcome.add_all(version);
            }
            campaigns.entry(run.campaign.clone()).or_default().push(RunReport { run, outcome, versions });
        }
        let campaigns = campaigns.into_iter().map(|(name, runs)| CampaignReport::of(name, runs)).collect();
        Self { campaigns, levels: Vec::new() }
    }

    /// All campaigns together.
    pub fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        for campaign in &self.campaigns {
            outcome.add_all(&campaign.outcome);
        }
        outcome
    }

    /// The runs of all campaigns.
    pub fn runs(&self) -> impl Iterator<Item = &RunReport> {
        self.campaigns.iter().flat_map(|campaign| &campaign.runs)
    }

    /// The report for programs.
    pub fn to_json(&self) -> Value {
        let campaigns: Vec<Value> = self.campaigns.iter().map(CampaignReport::to_json).collect();
        let levels: Vec<Value> = self.levels.iter().map(LevelHistory::to_json).collect();
        json!({ "version": VERSION, "campaigns": campaigns, "levels": levels })
    }
}

impl CampaignReport {
    fn of(name: CampaignName, mut runs: Vec<RunReport>) -> Self {
        runs.sort_by_key(|report| (report.run.due_at, report.run.id));
        let mut outcome = Outcome::default();
        for report in &runs {
            outcome.add_all(&report.outcome);
        }
        Self { name, description: None, runs, outcome, levels: Vec::new() }
    }

    /// All runs together, by the label of the version.
    pub fn versions(&self) -> BTreeMap<&str, Outcome> {
        let mut versions: BTreeMap<&str, Outcome> = BTreeMap::new();
        for (label, outcome) in self.runs.iter().flat_map(|report| &report.versions) {
            versions.entry(label).or_default().add_all(outcome);
        }
        versions
    }

    fn to_json(&self) -> Value {
        let runs: Vec<Value> = self.runs.iter().map(RunReport::to_json).collect();
        let levels: Vec<Value> = self.levels.iter().map(LevelShift::to_json).collect();
        json!({
            "campaign": self.name.as_str(),
            "description": self.description,
            "deliveries": self.outcome.deliveries.to_json(),
            "engagement": self.outcome.engagement.to_json(),
            "levels": levels,
            "runs": runs,
        })
    }
}

impl RunReport {
    fn to_json(&self) -> Value {
        let versions: Map<String, Value> = self
            .versions
            .iter()
            .filter(|(label, _)| *label != NO_VERSION)
            .map(|(label, outcome)| (label.clone(), outcome.to_json().into()))
            .collect();
        json!({
            "run": self.run.id.0,
            "due_at": instant(self.run.due_at),
            "state": self.run.state.word(),
            "trigger": self.run.trigger.word(),
            "fixed_at": self.run.fixed_at.map(instant),
            "finished_at": self.run.finished_at.map(instant),
            "note": self.run.note,
            "deliveries": self.outcome.deliveries.to_json(),
            "engagement": self.outcome.engagement.to_json(),
            "versions": versions,
        })
    }
}

/// An instant as JSON: RFC 3339 in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    at.to_string()
}
