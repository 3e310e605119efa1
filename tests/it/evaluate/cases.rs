//! The `conditions:` section of `time_cases.yaml`.

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::contact::Contact;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::evaluate::{Program, Scratch};
use chrono::{DateTime, Utc};

use super::person::{event_id, nobody, outcomes};
use super::plain::{Happening, World};

/// What the cases declare.
const DECLARATIONS: &str = "
attributes: { day: date }
events: { buy: { properties: { amount: number, order: text } }, look: {} }
";

/// One dated case. The file is shared with the dated cases of cron lines, so the rest is let be.
#[derive(serde::Deserialize)]
struct Case {
    name: String,
    condition: String,
    zone: Option<String>,
    installation: Option<String>,
    #[serde(default)]
    attributes: Option<String>,
    /// `INSTANT NAME` or `INSTANT NAME PROPERTIES`
    #[serde(default)]
    events: Vec<String>,
    /// `INSTANT yes|no`, then nothing, `until INSTANT` or `for good`
    answers: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Cases {
    conditions: Vec<Case>,
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<DateTime<Utc>>().unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn happening(text: &str) -> Happening {
    let mut words = text.splitn(3, ' ');
    let mut word = || words.next();
    let at = instant(word().unwrap_or_else(|| panic!("{text}: no instant")));
    let name = word().unwrap_or_else(|| panic!("{text}: no name")).to_owned();
    let properties =
        serde_json::from_str(word().unwrap_or("{}")).unwrap_or_else(|error| panic!("{text}: {error}"));
    Happening { name, at, properties }
}

fn check(case: &Case) {
    let Case { name, condition, .. } = case;
    let installation = case.installation.as_ref().map_or(Zone::UTC, |zone| zone.parse().expect("a zone"));
    let text = format!("{DECLARATIONS}segments: {{ asked: {{ match: {condition} }} }}\n");
    let loaded =
        declare::read(&[SourceFile { name: "case.yaml".into(), bytes: text.into_bytes() }], installation);
    let catalogue = loaded.catalogue.unwrap_or_else(|| panic!("{name}: {:?}", loaded.problems));
    let condition = &catalogue.segments.values().next().expect("it is declared").condition;
    let contact = Contact {
        time_zone: case.zone.clone(),
        attributes: case.attributes.clone().unwrap_or_else(|| "{}".to_owned()),
        ..nobody()
    };
    let events: Vec<Happening> = case.events.iter().map(|event| happening(event)).collect();
    let settings = EvaluationSettings { time_zone: installation };
    let program = Program::compile(&catalogue, settings, &[condition], &[], &event_id);
    let mut scratch = Scratch::default();
    for answer in &case.answers {
        let (now, expected) = answer.split_once(' ').unwrap_or_else(|| panic!("{name}: {answer}"));
        let now = instant(now);
        let found = outcomes(&program, &mut scratch, &contact, &events, now)[0];
        let holds = if found.holds { "yes" } else { "no" };
        let said = match found.until {
            Some(until) => format!("{holds} until {until}"),
            None => format!("{holds} for good"),
        };
        let told = if expected.contains(' ') { &said } else { holds };
        assert_eq!(told, expected, "{name}, at {now}");
        let world = World { catalogue: &catalogue, contact: &contact, events: &events, installation, now };
        assert_eq!(world.holds(condition), found.holds, "{name}, at {now}, evaluated plainly");
    }
}

#[test]
fn conditions_hold_when_the_cases_say() {
    let cases: Cases =
        serde_yaml::from_str(include_str!("../time_cases.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert!(cases.conditions.len() >= 35, "{} cases", cases.conditions.len());
    cases.conditions.iter().for_each(check);
}
