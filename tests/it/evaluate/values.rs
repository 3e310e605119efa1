//! The cases of `values.yaml`: what tests of values mean, whatever the time.

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::consent::{Consent, ConsentState};
use campaignd::domain::contact::Contact;
use campaignd::domain::name::SegmentName;
use campaignd::domain::population::Population;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::evaluate::Scratch;
use serde_json::{Map, Value as Json};

use super::person::{compile, nobody, outcomes};
use super::plain::Happening;

/// 2026-06-15T12:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_781_524_800);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    declarations: String,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    r#match: String,
    #[serde(default)]
    holds: Vec<Map<String, Json>>,
    #[serde(default)]
    fails: Vec<Map<String, Json>>,
}

#[test]
fn what_tests_of_values_mean() {
    let cases: Cases =
        serde_yaml::from_str(include_str!("values.yaml")).unwrap_or_else(|error| panic!("{error}"));
    let mut wrong = Vec::new();
    for case in &cases.cases {
        let file = |text: String| SourceFile { name: "case.yaml".into(), bytes: text.into_bytes() };
        let text = format!(
            "{}\nsegments:\n  tested: {{ match: {} }}\n  friends: {{ match: {{ attribute: {{ word: friend }} }} }}\n",
            cases.declarations, case.r#match
        );
        let loaded = declare::read(&[file(text)], Zone::UTC);
        let catalogue =
            loaded.catalogue.unwrap_or_else(|| panic!("{}: {:#?}", case.r#match, loaded.problems));
        let tested = &catalogue.segments[&SegmentName::parse("tested").expect("a name")].condition;
        let settings = EvaluationSettings { time_zone: Zone::UTC };
        let program = compile(&catalogue, settings, &[tested]);
        let mut check = |facts: &Map<String, Json>, expected: bool| {
            let (contact, events) = person(facts.clone());
            let found =
                outcomes(&program, &mut Scratch::default(), &contact, &events, &Population::default(), NOW)
                    [0]
                .holds;
            if found != expected {
                wrong.push(format!("{} {found} of {}", case.r#match, Json::Object(facts.clone())));
            }
        };
        assert!(!case.holds.is_empty() || !case.fails.is_empty(), "{} says nothing", case.r#match);
        case.holds.iter().for_each(|facts| check(facts, true));
        case.fails.iter().for_each(|facts| check(facts, false));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `key`, `id`, `email`, `language` and `agreed` are the contact's own; `buys` are events, a second apart,
/// the last of them a day ago; all else are attributes.
fn person(mut facts: Map<String, Json>) -> (Contact, Vec<Happening>) {
    let mut contact = nobody();
    let mut text = |name: &str| facts.remove(name).map(|text| text.as_str().expect("a text").to_owned());
    contact.key = text("key").unwrap_or(contact.key);
    (contact.external_id, contact.email, contact.language) = (text("id"), text("email"), text("language"));
    if let Some(agreed) = text("agreed") {
        let state = ConsentState::parse(&agreed).expect("an answer");
        contact.marketing = Consent { state, since: Some(Timestamp::from_seconds(0)) };
    }
    let buys = facts.remove("buys").map(|buys| buys.as_array().expect("a list").clone()).unwrap_or_default();
    let first = NOW.micros() - 86_400_000_000 - 1_000_000 * buys.len() as i64;
    let events = buys.into_iter().enumerate().map(|(place, properties)| Happening {
        name: "buy".to_owned(),
        at: Timestamp::from_micros(first + 1_000_000 * place as i64),
        properties,
    });
    let events = events.collect();
    contact.attributes = Json::Object(facts).to_string();
    (contact, events)
}
