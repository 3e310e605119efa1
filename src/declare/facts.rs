//! Attributes, events and traits: what is known of contacts.

use std::collections::BTreeMap;

use super::condition::BUILT_IN;
use super::events;
use super::keys::{ATTRIBUTE, EVENT, PROPERTY, SHARE, TRAIT};
use super::scope::Scope;
use crate::diagnostic::{Problem, similar::listed};
use crate::domain::catalogue::{Attribute, EventType, Property, Trait};
use crate::domain::condition::{EventQuery, MeasureKind, PropertyName, Window};
use crate::domain::event::{MAIL_EVENT_PROPERTIES, MAIL_EVENTS};
use crate::domain::name::{EventName, is_name};
use crate::domain::value::ValueType;
use crate::yaml::{Entry, Field, Fields, Kind, Node, Reader};

/// An attribute: its type, or a map with it.
pub(super) fn attribute(reader: &mut Reader, entry: &Entry) -> Option<Attribute> {
    let name = &entry.key.text;
    let plain = |value_type| Attribute { value_type, ..guessed_attribute(name.clone()) };
    if !matches!(entry.value.kind, Kind::Map(_)) {
        return value_type(reader, &entry.value, &format!("`{name}`")).map(plain);
    }
    let errors = reader.errors();
    let fields = Fields::read(reader, &entry.value, &format!("`{name}`"), &entry.key.place, &ATTRIBUTE)?;
    let declared = fields.require(reader, "type").and_then(|field| value_type(reader, field.value, "`type`"));
    let one_of = fields.get("one_of").and_then(|field| {
        if !matches!(declared, None | Some(ValueType::Text | ValueType::List)) {
            let message = "`one_of` fits a text or a list".to_owned();
            reader.report(Problem::error("wrong-type", message, field.name.place.clone()));
        }
        reader.texts(field)
    });
    let wire_name = fields.get("from").and_then(|field| wire_name(reader, field));
    if let (Some(wire), Some(field)) = (&wire_name, fields.get("from"))
        && is_reserved_attribute(wire)
    {
        let message = format!("`{wire}` is no attribute on the wire: every contact has it");
        let problem = Problem::error("reserved-name", message, field.value.place.clone());
        reader.report(problem.hint(format!("use `{wire}` where you would use `{name}`")));
    }
    let attribute = Attribute {
        one_of: one_of.unwrap_or_default(),
        wire_name: wire_name.unwrap_or_else(|| name.clone()),
        personal: fields
            .get("personal")
            .and_then(|field| reader.boolean(field.value, "`personal`"))
            .unwrap_or(false),
        description: description(reader, &fields),
        ..plain(declared?)
    };
    (reader.errors() == errors).then_some(attribute)
}

/// What stands in a draft for an attribute that is wrong.
pub(super) const fn guessed_attribute(name: String) -> Attribute {
    Attribute {
        value_type: ValueType::Text,
        one_of: Vec::new(),
        wire_name: name,
        personal: false,
        description: None,
    }
}

/// What stands in a draft for a trait that is wrong.
pub(super) fn guessed_trait() -> Option<Trait> {
    let event = EventName::parse(MAIL_EVENTS.first()?).ok()?;
    let events = EventQuery {
        event,
        window: Window::default(),
        last: None,
        filter: Vec::new(),
        per: None,
        then: None,
    };
    let measure = MeasureKind::Latest(PropertyName("campaign".to_owned()));
    Some(Trait { events, measure, value_type: ValueType::Text, description: None })
}

/// Whether a contact has this without declaring it.
pub(super) fn is_reserved_attribute(name: &str) -> bool {
    name == "consent" || BUILT_IN.iter().any(|(built_in, ..)| *built_in == name)
}

/// An event: a map, or nothing for one without properties.
pub(super) fn event(reader: &mut Reader, entry: &Entry) -> Option<EventType> {
    let name = &entry.key.text;
    let mut event = EventType { wire_name: name.clone(), properties: BTreeMap::new(), description: None };
    if entry.value.kind == Kind::Null {
        return Some(event);
    }
    let errors = reader.errors();
    let fields = Fields::read(reader, &entry.value, &format!("`{name}`"), &entry.key.place, &EVENT)?;
    if let Some(field) = fields.get("from")
        && let Some(wire) = wire_name(reader, field)
    {
        if MAIL_EVENTS.contains(&wire.as_str()) {
            let message = format!("`{wire}` is recorded by the daemon itself");
            let problem = Problem::error("reserved-name", message, field.value.place.clone());
            reader.report(problem.hint(format!("use `{wire}` where you would use `{name}`")));
        }
        event.wire_name = wire;
    }
    if let Some(field) = fields.get("properties") {
        for entry in reader.names(field).unwrap_or_default() {
            if is_name(&entry.key.text) {
                if let Some(property) = property(reader, entry) {
                    event.properties.insert(PropertyName(entry.key.text.clone()), property);
                }
            } else {
                wrong_name(reader, entry);
            }
        }
    }
    event.description = description(reader, &fields);
    (reader.errors() == errors).then_some(event)
}

fn property(reader: &mut Reader, entry: &Entry) -> Option<Property> {
    let name = &entry.key.text;
    if !matches!(entry.value.kind, Kind::Map(_)) {
        let value_type = value_type(reader, &entry.value, &format!("`{name}`"))?;
        return Some(Property { value_type, wire_name: name.clone() });
    }
    let fields = Fields::read(reader, &entry.value, &format!("`{name}`"), &entry.key.place, &PROPERTY)?;
    let value_type =
        fields.require(reader, "type").and_then(|field| value_type(reader, field.value, "`type`"));
    let wire_name = fields.get("from").and_then(|field| wire_name(reader, field));
    Some(Property { value_type: value_type?, wire_name: wire_name.unwrap_or_else(|| name.clone()) })
}

/// The events that the daemon records itself.
pub(super) fn mail_events() -> impl Iterator<Item = (EventName, EventType)> {
    MAIL_EVENTS.iter().filter_map(|name| {
        let properties = MAIL_EVENT_PROPERTIES.iter().map(|property| {
            let value_type = if *property == "tracked" { ValueType::Boolean } else { ValueType::Text };
            (PropertyName((*property).to_owned()), Property { value_type, wire_name: (*property).to_owned() })
        });
        let event =
            EventType { wire_name: (*name).to_owned(), properties: properties.collect(), description: None };
        Some((EventName::parse(name).ok()?, event))
    })
}

const MEASURES: [&str; 15] = [
    "total",
    "count",
    "average",
    "smallest",
    "largest",
    "distinct",
    "first_at",
    "last_at",
    "days_since",
    "distinct_days",
    "mean_gap",
    "every",
    "share",
    "most_common",
    "latest",
];

/// A trait: events and exactly one measure.
pub(super) fn computed(reader: &mut Reader, scope: &Scope, entry: &Entry) -> Option<Trait> {
    let errors = reader.errors();
    let name = &entry.key;
    let fields = Fields::read(reader, &entry.value, &format!("`{}`", name.text), &name.place, &TRAIT)?;
    let written: Vec<_> = fields.iter().filter(|field| MEASURES.contains(&field.key.name)).collect();
    let description = description(reader, &fields);
    let events = fields.require(reader, "of").and_then(|of| events::read(reader, scope, &fields, of));
    let measure = match written.as_slice() {
        [] => {
            // A measure of a later version was reported; it is not missing.
            if reader.errors() == errors {
                let message = format!("the trait `{}` computes nothing", name.text);
                let problem = Problem::error("missing-key", message, name.place.clone());
                reader.report(problem.hint(format!("it takes one of {}", listed(MEASURES))));
            }
            return None;
        }
        [measure] => *measure,
        [first, second, ..] => {
            let message = format!("a trait computes one thing: {} or {}", first.subject(), second.subject());
            let problem = Problem::error("ambiguous", message, second.name.place.clone());
            reader.report(problem.hint("make two traits of it"));
            return None;
        }
    };
    let events = events?;
    let (event, declared) = (&events.query.event, events.declared);
    let (kind, value_type) = match measure.key.name {
        "count" => (yes(reader, measure).map(|()| MeasureKind::Times)?, ValueType::Number),
        "first_at" => (yes(reader, measure).map(|()| MeasureKind::FirstAt)?, ValueType::Datetime),
        "last_at" => (yes(reader, measure).map(|()| MeasureKind::LastAt)?, ValueType::Datetime),
        "days_since" => (yes(reader, measure).map(|()| MeasureKind::DaysSince)?, ValueType::Number),
        "distinct_days" => (yes(reader, measure).map(|()| MeasureKind::DistinctDays)?, ValueType::Number),
        "mean_gap" | "every" => (yes(reader, measure).map(|()| MeasureKind::MeanGap)?, ValueType::Number),
        "share" => {
            let place = &measure.name.place;
            let fields = Fields::read(reader, measure.value, "`share`", place, &SHARE)?;
            fields.require(reader, "where")?;
            let tests = events::tests(reader, scope, event, declared, &fields);
            (MeasureKind::Share(tests), ValueType::Number)
        }
        "total" | "average" | "smallest" | "largest" => {
            let property = events::number_property(reader, event, declared, measure)?;
            let kind = match measure.key.name {
                "total" => MeasureKind::Total(property),
                "average" => MeasureKind::Average(property),
                "smallest" => MeasureKind::Smallest(property),
                _ => MeasureKind::Largest(property),
            };
            (kind, ValueType::Number)
        }
        named => {
            let (property, value_type) = events::property(reader, event, declared, measure)?;
            match named {
                "distinct" => (MeasureKind::Distinct(property), ValueType::Number),
                "most_common" => (MeasureKind::MostCommon(property), value_type),
                _ => (MeasureKind::Latest(property), value_type),
            }
        }
    };
    (reader.errors() == errors).then_some(Trait {
        events: events.query,
        measure: kind,
        value_type,
        description,
    })
}

/// `count: true`, `last_at: true`.
fn yes(reader: &mut Reader, field: Field<'_>) -> Option<()> {
    match reader.boolean(field.value, &field.subject()) {
        Some(true) => Some(()),
        Some(false) => {
            reader.wrong_value(field.value, format!("{} takes `true`, or is left out", field.subject()));
            None
        }
        None => None,
    }
}

fn value_type(reader: &mut Reader, node: &Node, called: &str) -> Option<ValueType> {
    reader.word(node, called, &ValueType::ALL.map(|value_type| (value_type.word(), Some(value_type))))
}

fn wire_name(reader: &mut Reader, field: Field<'_>) -> Option<String> {
    reader.filled(field.value, "`from`").map(str::to_owned)
}

/// What a declaration means, for people.
pub(super) fn description(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    let field = fields.get("description")?;
    reader.text(field.value, "`description`").map(str::to_owned)
}

/// Reports a name that is none.
pub(super) fn wrong_name(reader: &mut Reader, entry: &Entry) {
    let name = &entry.key.text;
    let mut proposed: String = name
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' })
        .skip_while(|char| !char.is_ascii_lowercase())
        .collect();
    proposed.truncate(64);
    let message =
        format!("`{name}` is no name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them");
    let hint = is_name(&proposed).then(|| format!("for example `{proposed}`"));
    reader.report(Problem::error("wrong-name", message, entry.key.place.clone()).maybe_hint(hint));
}
