//! Events in conditions and traits: which (window, `last`, `where`, `per`) and what they amount to
//! (measures).

use super::scope::{self, Kind, Scope};
use super::test::{self, Subject};
use super::{bounds, dates, follow, lint};
use crate::diagnostic::{Place, Problem};
use crate::domain::catalogue::EventType;
use crate::domain::condition::{EventQuery, Measure, MeasureKind, Operator, PropertyName, Test, Window};
use crate::domain::event::{BY, HUMAN, READ_BY_MACHINES};
use crate::domain::name::EventName;
use crate::domain::number::Number;
use crate::domain::value::{Value, ValueType};
use crate::yaml::{Field, Fields, Kind as NodeKind, Name, Reader};

/// `last` takes no more: whoever writes more means all.
const MOST_LAST: u64 = 1_000_000;

/// Events as they are written: the name in `head` (`of`, `did`), the rest beside it.
#[derive(Debug)]
pub(super) struct Events<'s> {
    /// What they are.
    pub(super) query: EventQuery,
    /// The declaration of the event.
    pub(super) declared: &'s EventType,
}

/// Reads which events are meant. Everything beside the name is read, and its problems reported,
/// only where the name is known.
pub(super) fn read<'s>(
    reader: &mut Reader,
    scope: &'s Scope,
    fields: &Fields<'_>,
    head: Field<'_>,
) -> Option<Events<'s>> {
    let problems = reader.errors();
    let window = window(reader, scope, fields);
    let name = name(reader, head)?;
    let (event, declared) = scope.find(reader, Kind::Event, &scope.events, &name, &[])?;
    let filter = filter(reader, scope, event, declared, fields);
    let per = fields.get("per").and_then(|field| property(reader, event, declared, field));
    let last = fields.get("last").and_then(|field| last(reader, field));
    let then = follow::read(reader, scope, (event, declared), fields);
    if reader.errors() > problems {
        return None;
    }
    if let (Some(reason), Some(field)) = (lint::empty_window(&window), fields.get("older_than")) {
        let message = format!("no event of `{event}` can be found: {reason}");
        reader.report(Problem::warning("matches-nobody", message, field.value.place.clone()));
    }
    let per = per.map(|(property, _)| property);
    let query = EventQuery { event: event.clone(), window, last, filter, per, then };
    Some(Events { query, declared })
}

/// The name in a field.
pub(super) fn name(reader: &mut Reader, field: Field<'_>) -> Option<Name> {
    if let NodeKind::Scalar(scalar) = &field.value.kind {
        Some(Name { text: scalar.text.clone(), place: field.value.place.clone() })
    } else {
        field.wrong_type(reader);
        None
    }
}

/// The property that a field names.
pub(super) fn property(
    reader: &mut Reader,
    event: &EventName,
    declared: &EventType,
    field: Field<'_>,
) -> Option<(PropertyName, ValueType)> {
    let name = name(reader, field)?;
    let (property, declared) = scope::property(reader, event, declared, &name)?;
    Some((property, declared.value_type))
}

/// The property that a field names, which must be a number.
pub(super) fn number_property(
    reader: &mut Reader,
    event: &EventName,
    declared: &EventType,
    field: Field<'_>,
) -> Option<PropertyName> {
    let (property, value_type) = property(reader, event, declared, field)?;
    if value_type != ValueType::Number {
        not_a_number(reader, field.key.name, &property, value_type, &field.value.place);
        return None;
    }
    Some(property)
}

fn not_a_number(
    reader: &mut Reader,
    measure: &str,
    property: &PropertyName,
    value_type: ValueType,
    place: &Place,
) {
    let message = format!("`{measure}` needs a number, and `{}` is a {}", property.0, value_type.word());
    reader.report(Problem::error("wrong-type", message, place.clone()));
}

fn window(reader: &mut Reader, scope: &Scope, fields: &Fields<'_>) -> Window {
    let mut span = |name| {
        let field: Field<'_> = fields.get(name)?;
        reader.span(field.value, &field.subject())
    };
    let (within, older_than) = (span("within"), span("older_than"));
    let mut bound = |name| {
        let field: Field<'_> = fields.get(name)?;
        bounds::read(reader, field.value, &field.subject(), ValueType::Datetime, scope.time_zone)
    };
    let (mut since, mut until) = (bound("since"), bound("until"));
    let mut last = fields.get("until");
    if let Some(between) = fields.get("between") {
        if let Some(other) = fields.get("since").or(last) {
            let message = format!("{} and `between` both bound the window", other.subject());
            let problem = Problem::error("ambiguous", message, between.name.place.clone());
            reader.report(problem.hint("leave one of them out"));
        }
        if let Some([first, second]) = test::pair(reader, between) {
            let mut bound =
                |node| bounds::read(reader, node, "`between`", ValueType::Datetime, scope.time_zone);
            (since, until) = (bound(first), bound(second));
        }
        last = Some(between);
    }
    if let (Some(from), Some(to), Some(field)) = (since, until, last)
        && bounds::start(from, scope.time_zone) > bounds::start(to, scope.time_zone)
    {
        let message = "the window ends before it begins".to_owned();
        let problem = Problem::error("wrong-bounds", message, field.value.place.clone());
        reader.report(problem.hint("write the earlier day first"));
    }
    Window { within, older_than, since, until }
}

fn last(reader: &mut Reader, field: Field<'_>) -> Option<u32> {
    let count = reader.whole(field.value, &field.subject(), 1, MOST_LAST)?;
    u32::try_from(count).ok()
}

/// What `where` says, and who it was where that says nothing of it.
pub(super) fn filter(
    reader: &mut Reader,
    scope: &Scope,
    event: &EventName,
    declared: &EventType,
    fields: &Fields<'_>,
) -> Vec<(PropertyName, Test)> {
    let mut filter = tests(reader, scope, event, declared, fields);
    let by = PropertyName(BY.to_owned());
    if READ_BY_MACHINES.contains(&event.as_str()) && !filter.iter().any(|(property, _)| *property == by) {
        let human = Operator::Is(Value::Text(HUMAN.to_owned()));
        filter.push((by, Test { operators: vec![human], exact_case: false }));
    }
    filter
}

/// What `where` says.
pub(super) fn tests(
    reader: &mut Reader,
    scope: &Scope,
    event: &EventName,
    declared: &EventType,
    fields: &Fields<'_>,
) -> Vec<(PropertyName, Test)> {
    let mut filter = Vec::new();
    if let Some(field) = fields.get("where") {
        for entry in reader.names(field).unwrap_or_default() {
            let Some((property, declared)) = scope::property(reader, event, declared, &entry.key) else {
                continue;
            };
            let subject = Subject {
                name: &entry.key.text,
                value_type: declared.value_type,
                one_of: &[],
                counts: false,
                time_zone: scope.time_zone,
            };
            if let Some(test) = test::read(reader, &entry.value, &entry.key.place, subject) {
                filter.push((property, test));
            }
        }
    }
    filter
}

/// The measures of a `did`: those that are written, else at least once.
pub(super) fn measures(
    reader: &mut Reader,
    scope: &Scope,
    events: &Events<'_>,
    fields: &Fields<'_>,
) -> Option<Vec<Measure>> {
    let problems = reader.errors();
    let mut measures = Vec::new();
    let subject = |name, value_type, counts| Subject {
        name,
        value_type,
        one_of: &[],
        counts,
        time_zone: scope.time_zone,
    };
    if let Some(field) = fields.get("times") {
        let test =
            test::read(reader, field.value, &field.name.place, subject("times", ValueType::Number, true));
        measures.extend(test.map(|test| Measure { kind: MeasureKind::Times, test }));
    }
    for measure in ["total", "average", "smallest", "largest", "distinct"] {
        let Some(field) = fields.get(measure) else { continue };
        for entry in reader.names(field).unwrap_or_default() {
            let found = scope::property(reader, &events.query.event, events.declared, &entry.key);
            let Some((property, declared)) = found else { continue };
            let is_number = declared.value_type == ValueType::Number;
            let kind = match measure {
                "distinct" => MeasureKind::Distinct(property),
                _ if !is_number => {
                    not_a_number(reader, measure, &property, declared.value_type, &entry.key.place);
                    continue;
                }
                "total" => MeasureKind::Total(property),
                "average" => MeasureKind::Average(property),
                "smallest" => MeasureKind::Smallest(property),
                _ => MeasureKind::Largest(property),
            };
            let subject = subject(&entry.key.text, ValueType::Number, measure == "distinct");
            let test = test::read(reader, &entry.value, &entry.key.place, subject);
            measures.extend(test.map(|test| Measure { kind, test }));
        }
    }
    for (name, kind) in [("first_at", MeasureKind::FirstAt), ("last_at", MeasureKind::LastAt)] {
        let Some(field) = fields.get(name) else { continue };
        let subject = subject(name, ValueType::Datetime, false);
        let test = test::read(reader, field.value, &field.name.place, subject);
        measures.extend(test.map(|test| Measure { kind, test }));
    }
    if let Some(field) = fields.get("every") {
        let test = dates::gap(reader, field);
        measures.extend(test.map(|test| Measure { kind: MeasureKind::Every, test }));
    }
    if reader.errors() > problems {
        return None;
    }
    if measures.is_empty() {
        measures.push(times(Operator::AtLeast(Number::from_millionths(crate::domain::number::ONE))));
    }
    Some(measures)
}

/// A test of how many events there are.
pub(super) fn times(operator: Operator) -> Measure {
    Measure { kind: MeasureKind::Times, test: Test { operators: vec![operator], exact_case: false } }
}
