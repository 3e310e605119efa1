//! Deliveries by state and reason.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::delivery::DeliveryState;
use crate::store::figures::DeliveryCount;

/// How many deliveries are in which state, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    by_state: BTreeMap<DeliveryState, u64>,
    /// Reasons of the skipped.
    pub skipped: BTreeMap<String, u64>,
    /// Reasons of the refused.
    pub refused: BTreeMap<String, u64>,
}

impl Counts {
    /// Adds deliveries that are alike.
    pub fn add(&mut self, count: &DeliveryCount) {
        *self.by_state.entry(count.state).or_insert(0) += count.count;
        let reasons = match count.state {
            DeliveryState::Skipped => &mut self.skipped,
            DeliveryState::Refused => &mut self.refused,
            _ => return,
        };
        let reason = count.reason.as_deref().unwrap_or("unknown");
        *reasons.entry(reason.to_owned()).or_insert(0) += count.count;
    }

    /// Adds other counts.
    pub fn add_all(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.skipped, &other.skipped), (&mut self.refused, &other.refused)] {
            for (reason, count) in theirs {
                *mine.entry(reason.clone()).or_insert(0) += count;
            }
        }
        for (state, count) in &other.by_state {
            *self.by_state.entry(*state).or_insert(0) += count;
        }
    }

    /// How many are in a state.
    pub fn of(&self, state: DeliveryState) -> u64 {
        self.by_state.get(&state).copied().unwrap_or(0)
    }

    /// All of them: every contact of the audience has one in each run.
    pub fn audience(&self) -> u64 {
        self.by_state.values().sum()
    }

    /// Those that a sender works on at this moment.
    pub fn in_hand(&self) -> u64 {
        self.of(DeliveryState::Claimed) + self.of(DeliveryState::Transmitting)
    }

    /// Reasons of the skipped, the most frequent first.
    pub fn skipped_by_count(&self) -> Vec<(&str, u64)> {
        let mut reasons: Vec<_> =
            self.skipped.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        reasons
    }

    /// Every state with its number, and the reasons.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("audience".to_owned(), self.audience().into());
        for state in DeliveryState::ALL {
            object.insert(state.word().to_owned(), self.of(*state).into());
        }
        for (name, reasons) in [("refused_by_reason", &self.refused), ("skipped_by_reason", &self.skipped)] {
            let reasons: Map<String, Value> =
                reasons.iter().map(|(reason, count)| (reason.clone(), (*count).into())).collect();
            object.insert(name.to_owned(), reasons.into());
        }
        object
    }
}
