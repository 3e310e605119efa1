//! How recipients are spread over the levels of a score: when they were mailed, and some days later.

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

/// How long after a mail its recipients are looked at again: most that a mail sets off happens within a
/// week, and a score that fades has not forgotten it yet.
pub const DAYS_AFTER: u64 = 7;

/// The levels of one score, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelShift {
    /// The score.
    pub score: String,
    /// From the lowest to the highest.
    pub levels: Vec<LevelCount>,
    /// Contacts that were looked at, each once.
    pub contacts: u64,
    /// All recipients; more than `contacts` where a sample was taken.
    pub recipients: u64,
    /// Contacts whose level is higher afterwards.
    pub rose: u64,
    /// Contacts whose level is lower afterwards.
    pub fell: u64,
    /// The mean score when they were mailed.
    pub mean_before: f64,
    /// The mean score afterwards.
    pub mean_after: f64,
}

/// How many contacts are on a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelCount {
    /// Its name; empty below the lowest.
    pub level: String,
    /// At the due time of the first run in which they were mailed.
    pub before: u64,
    /// [`DAYS_AFTER`] days later, or at the time of the report where that is sooner.
    pub after: u64,
}

/// How all contacts are spread over the levels of a score, as time goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelHistory {
    /// The score.
    pub score: String,
    /// Names of the levels, from the lowest to the highest.
    pub levels: Vec<String>,
    /// The instants, the earliest first.
    pub moments: Vec<LevelMoment>,
    /// Contacts that were looked at.
    pub contacts: u64,
    /// All contacts; more than `contacts` where a sample was taken.
    pub of: u64,
}

/// The spread at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelMoment {
    /// When.
    pub at: Timestamp,
    /// Contacts on each level, in the order of [`LevelHistory::levels`].
    pub contacts: Vec<u64>,
    /// The mean score.
    pub mean: f64,
    /// Contacts whose level is higher than at the moment before.
    pub rose: u64,
    /// Contacts whose level is lower than at the moment before.
    pub fell: u64,
}

impl LevelShift {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let levels: Vec<Value> = self
            .levels
            .iter()
            .map(|level| json!({ "level": level.level, "before": level.before, "after": level.after }))
            .collect();
        json!({
            "score": self.score,
            "days_after": DAYS_AFTER,
            "contacts": self.contacts,
            "recipients": self.recipients,
            "levels": levels,
            "rose": self.rose,
            "fell": self.fell,
            "mean_before": rounded(self.mean_before),
            "mean_after": rounded(self.mean_after),
        })
    }
}

impl LevelHistory {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let moments: Vec<Value> = self
            .moments
            .iter()
            .map(|moment| {
                let levels: serde_json::Map<String, Value> = self
                    .levels
                    .iter()
                    .cloned()
                    .zip(moment.contacts.iter().map(|count| (*count).into()))
                    .collect();
                json!({
                    "at": moment.at.to_string(),
                    "levels": levels,
                    "mean": rounded(moment.mean),
                    "rose": moment.rose,
                    "fell": moment.fell,
                })
            })
            .collect();
        json!({ "score": self.score, "contacts": self.contacts, "of": self.of, "moments": moments })
    }
}

/// Two places: scores are sums of whole points that fade.
fn rounded(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}
