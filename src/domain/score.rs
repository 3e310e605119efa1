//! Scores: numbers that are computed from events and fade with time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::name::EventName;
use super::number::Number;
use super::time::Span;

/// A declared score. Machines' opens and clicks never count.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// What an event of a name is worth when it happens; may be negative. Never empty.
    pub points: BTreeMap<EventName, Number>,
    /// How it fades.
    pub decay: Decay,
    /// Lowest and highest value: the sum is clamped to it, once. The first is less than the second.
    pub range: (Number, Number),
    /// Levels by rising bound; each bound is different.
    pub levels: Vec<Level>,
    /// What it means, for people.
    pub description: Option<String>,
}

/// How what an event is worth fades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decay {
    /// It halves with every such length: points × 2^(−age / length).
    HalfLife(Duration),
    /// It is the points, for events in (now − span, now], and nothing for older ones.
    Window(Span),
}

/// A named stretch of a score: from its bound up to the next level's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Its name: `warm`.
    pub name: String,
    /// The least value that is of this level.
    pub from: Number,
}

/// A score of one contact at one instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreValue {
    /// The sum of what events are worth, clamped to the score's range.
    pub value: f64,
    /// The place of its level among [`Score::levels`]; `None` below the lowest one.
    pub level: Option<usize>,
}

impl Score {
    /// The name of a value's level.
    pub fn level_name(&self, value: ScoreValue) -> Option<&str> {
        Some(self.levels.get(value.level?)?.name.as_str())
    }

    /// The level of this name.
    pub fn level(&self, name: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.name == name)
    }
}
