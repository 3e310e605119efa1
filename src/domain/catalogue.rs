//! The catalogue: all declarations of a project, valid and with every name resolved.

use std::collections::{BTreeMap, BTreeSet};

use super::campaign::Campaign;
use super::caps::Cap;
use super::condition::{Condition, EventQuery, MeasureKind, PropertyName};
use super::name::{AttributeName, CampaignName, EventName, ScoreName, SegmentName, TraitName};
use super::quiet_hours::QuietHours;
use super::ranking::Ranked;
use super::schedule::Cadence;
use super::score::Score;
use super::time::Zone;
use super::value::ValueType;

/// Everything that a project declares. Iteration is by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    /// Facts that the user's systems supply.
    pub attributes: BTreeMap<AttributeName, Attribute>,
    /// What contacts do; the mail events ([`super::event::MAIL_EVENTS`]) are always among them.
    pub events: BTreeMap<EventName, EventType>,
    /// Facts computed from events.
    pub traits: BTreeMap<TraitName, Trait>,
    /// Numbers computed from events that fade with time.
    pub scores: BTreeMap<ScoreName, Score>,
    /// Named conditions. `everyone` is not among them. Free of cycles.
    pub segments: BTreeMap<SegmentName, Segment>,
    /// What is sent, to whom, when.
    pub campaigns: BTreeMap<CampaignName, Campaign>,
    /// How much marketing mail of all campaigns one contact gets; all of them hold.
    pub caps: Vec<Cap>,
    /// When no marketing mail goes out.
    pub quiet_hours: Option<QuietHours>,
}

impl Catalogue {
    /// Conditions and all that is in them, also by way of the segments that they name; each segment once.
    pub fn parts_of<'c>(&'c self, conditions: impl IntoIterator<Item = &'c Condition>) -> Vec<&'c Condition> {
        let mut open: Vec<&Condition> = conditions.into_iter().collect();
        let mut parts = Vec::new();
        let mut unfolded: BTreeSet<&SegmentName> = BTreeSet::new();
        while let Some(condition) = open.pop() {
            parts.push(condition);
            let named = match condition {
                Condition::All(inner) | Condition::Any(inner) | Condition::None(inner) => {
                    open.extend(inner);
                    None
                }
                Condition::Segment(name) => Some(name),
                Condition::Ranked(ranked) => ranked.ranking.among.as_ref(),
                _ => None,
            };
            if let Some(name) = named.filter(|name| unfolded.insert(name)) {
                open.extend(self.segments.get(name).map(|segment| &segment.condition));
            }
        }
        parts
    }

    /// The places in rankings that conditions ask for, also by way of the segments that they name.
    pub fn ranked_in<'c>(
        &'c self,
        conditions: impl IntoIterator<Item = &'c Condition>,
    ) -> BTreeSet<&'c Ranked> {
        let ranked = |part: &'c Condition| match part {
            Condition::Ranked(ranked) => Some(ranked),
            _ => None,
        };
        self.parts_of(conditions).into_iter().filter_map(ranked).collect()
    }
}

/// A declared attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its type.
    pub value_type: ValueType,
    /// The only values it may have, where they are declared.
    pub one_of: Vec<String>,
    /// Its name on the wire; the declared name where nothing else is said.
    pub wire_name: String,
    /// Personal data, to be shown with care.
    pub personal: bool,
    /// What it means, for people.
    pub description: Option<String>,
}

/// A declared event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventType {
    /// Its name on the wire.
    pub wire_name: String,
    /// Its properties.
    pub properties: BTreeMap<PropertyName, Property>,
    /// What it means, for people.
    pub description: Option<String>,
}

/// A declared property of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its type.
    pub value_type: ValueType,
    /// Its name on the wire.
    pub wire_name: String,
}

/// A declared trait: one measure over events.
#[derive(Debug, Clone, PartialEq)]
pub struct Trait {
    /// The events it is computed from.
    pub events: EventQuery,
    /// What is computed.
    pub measure: MeasureKind,
    /// The type of its value.
    pub value_type: ValueType,
    /// What it means, for people.
    pub description: Option<String>,
}

/// A declared segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Who is in it.
    pub condition: Condition,
    /// How often it is evaluated anew; `None`: as often as the installation's settings say.
    pub refresh: Option<Cadence>,
    /// What it means, for people.
    pub description: Option<String>,
}

/// What conditions need to know beside the catalogue: the installation's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationSettings {
    /// The installation's zone: for absolute dates, and for contacts without one.
    pub time_zone: Zone,
}
