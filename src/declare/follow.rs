//! `then` and `then_not`: what must follow an event, or must not.

use super::events;
use super::keys::FOLLOWER;
use super::scope::{Kind, Scope};
use crate::diagnostic::Problem;
use crate::domain::catalogue::EventType;
use crate::domain::condition::{Follower, PropertyName};
use crate::domain::name::EventName;
use crate::yaml::{Field, Fields, Reader};

/// What must follow `first` or must not, if something must.
pub(super) fn read(
    reader: &mut Reader,
    scope: &Scope,
    first: (&EventName, &EventType),
    fields: &Fields<'_>,
) -> Option<Box<Follower>> {
    let field = match (fields.get("then"), fields.get("then_not")) {
        (Some(then), Some(then_not)) => {
            let message = "`then` and `then_not` are in one map".to_owned();
            let problem = Problem::error("ambiguous", message, then_not.name.place.clone());
            let problem = problem.related("`then` is here", then.name.place.clone());
            reader.report(problem.hint("write them as two items of `all`, each with its own `did`"));
            return None;
        }
        (then, then_not) => then.or(then_not)?,
    };
    let called = field.subject();
    let fields = Fields::read(reader, field.value, &called, &field.name.place, &FOLLOWER)?;
    let within = fields.get("within").and_then(|field| reader.span(field.value, "`within`"));
    let name = fields.require(reader, "did").and_then(|did| events::name(reader, did))?;
    let (event, declared) = scope.find(reader, Kind::Event, &scope.events, &name, &[])?;
    let filter = events::filter(reader, scope, event, declared, &fields);
    let same = fields.get("same").and_then(|field| same(reader, first, (event, declared), field));
    let then = read(reader, scope, (event, declared), &fields);
    let negated = field.key.name == "then_not";
    Some(Box::new(Follower { negated, event: event.clone(), filter, within, same, then }))
}

/// A property that both events have, of one type.
fn same(
    reader: &mut Reader,
    first: (&EventName, &EventType),
    second: (&EventName, &EventType),
    field: Field<'_>,
) -> Option<PropertyName> {
    let (property, first_type) = events::property(reader, first.0, first.1, field)?;
    let (_, second_type) = events::property(reader, second.0, second.1, field)?;
    if first_type != second_type {
        let message = format!(
            "`{}` of `{}` is a {}, that of `{}` a {}: they are never equal",
            property.0,
            first.0,
            first_type.word(),
            second.0,
            second_type.word()
        );
        reader.report(Problem::error("wrong-type", message, field.value.place.clone()));
        return None;
    }
    Some(property)
}
