//! What is told to turn a leaf is done, and turns it by both evaluators; where nothing is told that somebody
//! could do, nothing of much that is tried does.

use campaignd::domain::condition::{AttributeRef, Condition, MeasureKind};
use campaignd::domain::consent::{Consent, Purpose};
use campaignd::domain::contact::Contact;
use campaignd::domain::ranking::{Ranked, Ranking};
use campaignd::domain::time::Timestamp;
use campaignd::domain::value::Value;
use campaignd::evaluate::Scratch;
use campaignd::evaluate::explain::{Change, Doing, Leaf, Means, Part, PartKind, Target};
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value as Json, json};

use super::explain::{Seen, ensure, explained, note};
use super::person::{compile, outcomes};
use super::plain::{Happening, World};
use super::random::Case;

/// Asks for the change of a leaf and does what is told.
pub(super) fn changes_turn(case: &Case, condition: &Condition, seen: &Seen) -> Result<(), TestCaseError> {
    let explanation = explained(case, condition, &case.contact, &case.events);
    // A place among a segment is two parts, of which it is the second.
    let part = match explanation.root.kind {
        PartKind::Ranked => return Ok(()),
        _ => &explanation.root,
    };
    let Some(leaf) = &part.leaf else { return Ok(()) };
    match &leaf.change {
        Some(change) if change.means == Means::Data => does_turn(case, condition, part, change, seen),
        other => {
            note(if other.is_some() { &seen.time } else { &seen.nothing });
            ensure(other.is_some() == part.turns.is_some(), || format!("time is not told: {part:#?}"))?;
            nothing_turns(case, condition, part, leaf)
        }
    }
}

fn does_turn(
    case: &Case,
    condition: &Condition,
    part: &Part,
    change: &Change,
    seen: &Seen,
) -> Result<(), TestCaseError> {
    let (mut contact, mut events) = (case.contact.clone(), case.events.clone());
    match (condition, &change.to) {
        (Condition::Attribute(AttributeRef::Declared(name), _), to) => {
            let value = match to {
                Target::Number(number) => json!(number.to_string()),
                Target::Value(value) => as_json(value),
                Target::Absent => Json::Null,
                Target::Present => return Ok(()),
                Target::Other | Target::Consent(_) => {
                    return ensure(false, || format!("no value is told: {change:?} of {condition:?}"));
                }
            };
            set(&mut contact, name.as_str(), value);
            note(&seen.attributes);
        }
        (Condition::Attribute(fact, _), Target::Value(Value::Text(text))) => {
            let text = Some(text.clone());
            match fact {
                AttributeRef::Id => contact.external_id = text,
                AttributeRef::Email => contact.email = text,
                AttributeRef::Language => contact.language = text,
                AttributeRef::TimeZone => contact.time_zone = text,
                AttributeRef::CreatedAt | AttributeRef::Declared(_) => {}
            }
        }
        (Condition::Attribute(..), _) => return Ok(()),
        (Condition::Consent(purpose, _), Target::Consent(state)) => {
            let consent = Consent { state: *state, since: Some(case.now) };
            match purpose {
                Purpose::Marketing => contact.marketing = consent,
                Purpose::Tracking => contact.tracking = consent,
            }
        }
        _ => {
            ensure(!change.example.is_empty(), || format!("nothing to do: {change:?} of {condition:?}"))?;
            events.extend(change.example.iter().map(happening));
            note(if change.from.is_some() { &seen.later } else { &seen.events });
        }
    }
    let at = change.from.unwrap_or(case.now);
    let mut answers = both(case, condition, &contact, &events, at);
    if matches!(condition, Condition::Score(..)) {
        // What fades is a binary fraction: of one at its very bound each evaluator has an answer of its own.
        answers[1] = answers[0];
    }
    ensure(answers == [!part.holds; 2], || format!("not turned, {answers:?}: {change:#?} of {condition:#?}"))
}

/// Much is tried; of events all now.
fn nothing_turns(case: &Case, condition: &Condition, part: &Part, leaf: &Leaf) -> Result<(), TestCaseError> {
    let fails =
        |what: &dyn std::fmt::Debug| format!("{what:?} turns {condition:#?}, and was not told: {leaf:#?}");
    match condition {
        Condition::Attribute(AttributeRef::Declared(name), _) => {
            for value in values_to_try(case) {
                let mut contact = case.contact.clone();
                set(&mut contact, name.as_str(), value.clone());
                let answers = both(case, condition, &contact, &case.events, case.now);
                ensure(answers == [part.holds; 2], || fails(&value))?;
            }
        }
        groups if is_of_groups(case, groups) => {}
        Condition::Did(_) | Condition::Trait(..) | Condition::Score(..) | Condition::Ranked(_) => {
            for more in events_to_try(case) {
                let mut events = case.events.clone();
                events.extend(more.iter().cloned());
                let answer = plainly(case, condition, &case.contact, &events, case.now);
                ensure(answer == part.holds, || fails(&more))?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Events that are made one can be added to in more ways than are told: with each of the old ones.
fn is_of_groups(case: &Case, condition: &Condition) -> bool {
    let (query, kind) = match condition {
        Condition::Did(leaf) => (&leaf.events, &leaf.measures[0].kind),
        Condition::Trait(name, _) | Condition::Ranked(Ranked { ranking: Ranking { by: name, .. }, .. }) => {
            let declared = &case.catalogue.traits[name];
            (&declared.events, &declared.measure)
        }
        _ => return false,
    };
    let is_plain = matches!(kind, MeasureKind::Times | MeasureKind::FirstAt | MeasureKind::LastAt);
    query.per.is_some() && (query.then.is_some() || !is_plain)
}

fn values_to_try(case: &Case) -> Vec<Json> {
    let mut values = vec![Json::Null, json!(true), json!(false)];
    values.extend((-3..25).map(|number| json!(number)));
    values.extend(["10.500001", "10.499999", "0.000001"].map(Json::from));
    values.extend(["tennis", "Padel", "café", "", "  ", "50%", "a_b", "x", "tennis padel"].map(Json::from));
    values.extend([json!([]), json!(["tennis"]), json!(["Padel", "tennis"]), json!(["a", "b", "c", "d"])]);
    for days in (-400..40_i64).step_by(11).chain(-3..4) {
        let at = Timestamp::from_micros(case.now.micros() + days * 86_400_000_000);
        values.push(json!(at.to_string()));
        values.push(json!(at.to_utc().date_naive().to_string()));
    }
    values
}

/// Up to five of one kind, or one and then another one.
fn events_to_try(case: &Case) -> Vec<Vec<Happening>> {
    let fixed = [
        json!({}),
        json!({ "word": "tennis", "amount": 3, "flag": true, "order": "C3", "moment": case.now.to_string() }),
        json!({ "word": "other", "amount": -2, "flag": false, "order": "D4" }),
        json!({ "word": "50%", "amount": 1000, "order": "E5", "day": case.now.to_utc().date_naive().to_string() }),
    ];
    let known = case.events.iter().map(|event| event.properties.clone());
    let all: Vec<Json> = known.chain(fixed).collect();
    let event = |name: &str, properties: &Json| Happening {
        name: name.to_owned(),
        at: case.now,
        properties: properties.clone(),
    };
    let mut tries = Vec::new();
    for properties in &all {
        for name in ["buy", "look"] {
            tries.extend([1, 2, 5].map(|count| vec![event(name, properties); count]));
            tries.extend(["buy", "look"].map(|next| vec![event(name, properties), event(next, properties)]));
        }
    }
    tries
}

fn both(
    case: &Case,
    condition: &Condition,
    contact: &Contact,
    events: &[Happening],
    at: Timestamp,
) -> [bool; 2] {
    let settings = campaignd::domain::catalogue::EvaluationSettings { time_zone: case.installation };
    let program = compile(&case.catalogue, settings, &[condition]);
    let evaluated =
        outcomes(&program, &mut Scratch::default(), contact, events, &case.population, at)[0].holds;
    [evaluated, plainly(case, condition, contact, events, at)]
}

fn plainly(
    case: &Case,
    condition: &Condition,
    contact: &Contact,
    events: &[Happening],
    at: Timestamp,
) -> bool {
    let world = World {
        catalogue: &case.catalogue,
        contact,
        events,
        population: &case.population,
        installation: case.installation,
        now: at,
    };
    world.holds(condition)
}

fn set(contact: &mut Contact, name: &str, value: Json) {
    let mut attributes: Json = serde_json::from_str(&contact.attributes).expect("it is JSON");
    attributes[name] = value;
    contact.attributes = attributes.to_string();
}

fn happening(doing: &Doing) -> Happening {
    let properties: Map<String, Json> =
        doing.properties.iter().map(|(name, value)| (name.clone(), as_json(value))).collect();
    Happening { name: doing.event.to_string(), at: doing.at, properties: Json::Object(properties) }
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number.to_string()),
        Value::Boolean(value) => json!(value),
        Value::Date(day) => json!(day.to_string()),
        Value::Datetime(at) => json!(at.to_string()),
        Value::List(items) => json!(items),
    }
}
