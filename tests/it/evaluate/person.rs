//! A contact with a history, as the evaluator gets it.

use std::collections::BTreeMap;

use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::condition::Condition;
use campaignd::domain::consent::Consent;
use campaignd::domain::contact::{Contact, ContactId};
use campaignd::domain::event::EventNameId;
use campaignd::domain::history::{BlockHistory, BlockId, Chunk, ChunkBuffer, Needs, PackedEvent};
use campaignd::domain::number::Number;
use campaignd::domain::population::{Population, Threshold};
use campaignd::domain::ranking::Ranked;
use campaignd::domain::time::Timestamp;
use campaignd::evaluate::{Asked, Outcome, Program, Scratch};
use serde_json::Value as Json;

use super::plain::{self, Happening, World};

/// The events that the tests know; the place of a name is its number.
pub(crate) const EVENTS: [&str; 12] = [
    "buy",
    "look",
    "email_clicked",
    "email_opened",
    "email_sent",
    "purchase",
    "page_view",
    "email_unsubscribed",
    "add_to_basket",
    "visit",
    "offer_view",
    "answer",
];

/// The number of an event's name.
pub(crate) fn event_id(name: &str) -> Option<EventNameId> {
    EVENTS.iter().position(|known| *known == name).map(|place| EventNameId(place as u32))
}

/// A program for conditions.
pub(crate) fn compile(
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    conditions: &[&Condition],
) -> Program {
    let asked = Asked { conditions, ..Asked::default() };
    Program::compile(catalogue, settings, &asked, &event_id)
}

/// A contact without anything.
pub(crate) fn nobody() -> Contact {
    Contact {
        id: ContactId(17),
        key: "contact-17".to_owned(),
        external_id: None,
        email: None,
        time_zone: None,
        language: None,
        created_at: Timestamp::from_seconds(0),
        marketing: Consent::default(),
        tracking: Consent::default(),
        attributes: "{}".to_owned(),
    }
}

/// Packs events as a store does and reads back what is needed.
pub(crate) fn packed(contact: ContactId, events: &[Happening], needs: &Needs) -> BlockHistory {
    let (block, slot) = BlockId::of(contact);
    let mut history = BlockHistory::default();
    history.begin(needs);
    for name in EVENTS {
        let mut chunk = ChunkBuffer::default();
        for (arrival, event) in events.iter().enumerate().filter(|(_, event)| event.name == name) {
            let properties = event.properties.to_string();
            chunk.push(PackedEvent { slot, at: event.at, arrival: arrival as i64, properties: &properties });
        }
        let name = event_id(name).expect("the name is known");
        let chunk = Chunk { block, name, heads: &chunk.heads, properties: &chunk.properties };
        history.add(chunk, needs).expect("the chunk is whole");
    }
    history.finish();
    history
}

/// What a program says of a contact at an instant: only what the program needs is read.
pub(crate) fn outcomes(
    program: &Program,
    scratch: &mut Scratch,
    contact: &Contact,
    events: &[Happening],
    population: &Population,
    now: Timestamp,
) -> Vec<Outcome> {
    let history = packed(contact.id, events, &program.needs(now));
    let (_, slot) = BlockId::of(contact.id);
    program.evaluate(scratch, &contact.view(), &history.contact(slot), population, now).outcomes.to_vec()
}

/// `2026-03-01`, `2026-03-01T12:00`, `2026-03-01T12:00:00`; in UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let whole = format!("{text}{}Z", &"0000-00-00T00:00:00".get(text.len()..)?);
    whole.parse::<chrono::DateTime<chrono::Utc>>().ok().map(Timestamp::from)
}

/// A map as YAML writes it.
pub(crate) fn facts(text: &str) -> Json {
    let file = campaignd::yaml::compose(&"facts".into(), text.as_bytes());
    assert!(file.problems.is_empty(), "{text}: {:?}", file.problems);
    file.root.map_or_else(|| Json::Object(serde_json::Map::new()), |root| root.to_json())
}

/// A number in millionths, an instant in microseconds.
pub(crate) fn rank_value(text: &str) -> i64 {
    let number = || Number::parse(text).expect("a number").millionths();
    instant(text).map_or_else(number, Timestamp::micros)
}

/// What the contact of a world is ranked by, beside others whose values are given: thresholds as they are
/// computed, and plainly.
pub(crate) fn ranked_beside(
    program: &Program,
    world: &World<'_>,
    others: &BTreeMap<String, Vec<i64>>,
) -> (Population, Population) {
    let ranked = |ranked: &Ranked| {
        let mut values = others.get(ranked.ranking.by.as_str()).cloned().unwrap_or_default();
        let among = ranked.ranking.among.clone().map(Condition::Segment);
        let is_ranked = among.is_none_or(|among| world.holds(&among));
        values.extend(world.ranked_by(&ranked.ranking.by).filter(|_| is_ranked));
        values
    };
    let threshold = |one: &Ranked, bounds| (one.clone(), Threshold { at: world.now, contacts: 0, bounds });
    let places = program.ranked().iter();
    let population = places.clone().map(|one| threshold(one, one.bounds(&mut ranked(one)))).collect();
    let plainly = places.map(|one| threshold(one, plain::members(one, &ranked(one)))).collect();
    (population, plainly)
}
