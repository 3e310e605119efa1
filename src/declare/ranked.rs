//! `ranked`: a place among contacts by a trait.

use super::condition::{Conditions, hundredths_of_percent};
use super::keys::RANKED;
use super::scope::Kind;
use crate::diagnostic::{Problem, similar::listed};
use crate::domain::condition::Condition;
use crate::domain::name::{SegmentName, TraitName};
use crate::domain::number::{Number, ONE};
use crate::domain::ranking::{Place, Ranked, Ranking};
use crate::domain::value::ValueType;
use crate::yaml::{Field, Fields, Kind as NodeKind, Name, Reader};

/// Reads it, and notes the segment among whose members contacts are ranked.
pub(super) fn read(reader: &mut Reader, conditions: &mut Conditions<'_>, field: Field<'_>) -> Option<Ranked> {
    let fields = Fields::read(reader, field.value, "`ranked`", &field.name.place, &RANKED)?;
    let by = fields.require(reader, "trait").and_then(|field| trait_name(reader, conditions, field));
    let place = place(reader, &fields);
    let lowest = match fields.get("lowest") {
        Some(field) => reader.boolean(field.value, "`lowest`"),
        None => Some(false),
    };
    let among = match fields.get("among") {
        Some(field) => segment(reader, conditions, field),
        None => Some(None),
    };
    Some(Ranked { ranking: Ranking { by: by?, among: among? }, place: place?, lowest: lowest? })
}

/// A trait by which contacts can be ranked.
fn trait_name(reader: &mut Reader, conditions: &Conditions<'_>, field: Field<'_>) -> Option<TraitName> {
    let text = reader.filled(field.value, "`trait`")?;
    let name = Name { text: text.to_owned(), place: field.value.place.clone() };
    let scope = conditions.scope;
    let can_be_ranked = |value_type| matches!(value_type, ValueType::Number | ValueType::Datetime);
    let others = scope.traits.iter().filter_map(|(name, declared)| {
        declared.as_ref().filter(|(_, declared)| can_be_ranked(declared.value_type)).map(|_| name.as_str())
    });
    let others: Vec<_> = others.collect();
    if !scope.traits.contains_key(text) {
        scope.unknown(reader, Kind::Trait, &name, others.iter().copied());
        return None;
    }
    let (name, declared) = scope.find(reader, Kind::Trait, &scope.traits, &name, &[])?;
    if can_be_ranked(declared.value_type) {
        return Some(name.clone());
    }
    let message = format!(
        "contacts cannot be ranked by `{name}`: only a number or an instant has an order, and it is of the type {}",
        declared.value_type.word()
    );
    let hint = (!others.is_empty()).then(|| format!("there are {}", listed(others.iter().copied())));
    reader.report(Problem::error("wrong-type", message, field.value.place.clone()).maybe_hint(hint));
    None
}

/// One of `top` and `quintile`.
fn place(reader: &mut Reader, fields: &Fields<'_>) -> Option<Place> {
    match (fields.get("top"), fields.get("quintile")) {
        (Some(top), None) => self::top(reader, top),
        (None, Some(quintile)) if matches!(quintile.value.kind, NodeKind::List(_)) => {
            let message = "`quintile` is one number, not a list";
            let problem = Problem::error("wrong-type", message, quintile.value.place.clone());
            reader.report(problem.hint("write two items of `any`, each with its own `ranked`"));
            None
        }
        (None, Some(quintile)) => {
            let number = reader.whole(quintile.value, "`quintile`", 1, 5)?;
            u8::try_from(number).ok().map(Place::Quintile)
        }
        (Some(top), Some(quintile)) => {
            let message = "a place in a ranking has one of `top` and `quintile`";
            let problem = Problem::error("ambiguous", message, quintile.name.place.clone());
            let problem = problem.related("`top` is here", top.name.place.clone());
            reader.report(problem.hint("write them as two items of `all`"));
            None
        }
        (None, None) if fields.is_misspelt("top") || fields.is_misspelt("quintile") => None,
        (None, None) => {
            let message = "`ranked` needs `top` or `quintile`";
            let problem = Problem::error("missing-key", message, fields.place().clone());
            reader.report(problem.hint("for example `top: 10%`, `top: 100` or `quintile: 5`"));
            None
        }
    }
}

/// `10%`, or `100` contacts.
fn top(reader: &mut Reader, field: Field<'_>) -> Option<Place> {
    let text = reader.scalar(field.value, "`top`", field.key.value)?.text.trim();
    let share =
        text.strip_suffix('%').map(|number| Number::parse(number).ok().and_then(hundredths_of_percent));
    let (place, hint) = if let Some(share) = share {
        (share.filter(|share| *share > 0).map(Place::Share), None)
    } else {
        let count = text.parse().ok().filter(|count| *count > 0);
        let part = Number::parse(text).ok().filter(|part| (1..ONE).contains(&part.millionths()));
        let percent = part.map(|part| Number::from_millionths(part.millionths() * 100));
        (count.map(Place::Count), percent.map(|percent| format!("write `{percent}%`")))
    };
    if place.is_none() {
        let message = format!(
            "`top` must be a percentage from 0.01% to 100% with two places at most, or a whole number of contacts, not `{text}`"
        );
        let hint = hint.unwrap_or_else(|| "for example `10%` or `100`".to_owned());
        reader.report(Problem::error("wrong-value", message, field.value.place.clone()).hint(hint));
    }
    place
}

/// The segment that is named; the inner `None`: everyone.
#[expect(clippy::option_option, reason = "the outer one: it could be read")]
fn segment(
    reader: &mut Reader,
    conditions: &mut Conditions<'_>,
    field: Field<'_>,
) -> Option<Option<SegmentName>> {
    let text = reader.filled(field.value, "`among`")?;
    let name = Name { text: text.to_owned(), place: field.value.place.clone() };
    match conditions.segment(reader, &name)? {
        Condition::Segment(name) => Some(Some(name)),
        _ => Some(None),
    }
}
