//! The criteria that ship in `campaigns/`: who is in each segment and who is just outside, by both
//! evaluators; and that none is left out. The cases stand in `criteria.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use campaignd::declare;
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::condition::Condition;
use campaignd::domain::contact::Contact;
use campaignd::domain::name::{CampaignName, SegmentName};
use campaignd::domain::population::Population;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::evaluate::Scratch;
use serde_json::{Map, Value as Json};

use super::person::{compile, facts, instant, nobody, outcomes, rank_value, ranked_beside};
use super::plain::{Happening, World};

const ZONE: Zone = Zone::Europe__Paris;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    now: String,
    segments: BTreeMap<String, Case>,
    audiences: BTreeMap<String, Case>,
    versions: BTreeMap<String, BTreeMap<String, Vec<Map<String, Json>>>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    others: BTreeMap<String, Vec<String>>,
    r#in: Vec<Map<String, Json>>,
    out: Vec<Map<String, Json>>,
}

/// The declarations of the project that ships.
fn shipped() -> Catalogue {
    let loaded = declare::load(Path::new(env!("CARGO_MANIFEST_DIR")), ZONE);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    loaded.catalogue.expect("no error")
}

fn cases() -> Cases {
    serde_yaml::from_str(include_str!("criteria.yaml")).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong if not both evaluators say of a contact what is expected; `others` are ranked beside it.
fn check(
    catalogue: &Catalogue,
    condition: &Condition,
    others: &BTreeMap<String, Vec<i64>>,
    facts: &Map<String, Json>,
    now: Timestamp,
    expected: bool,
) -> Option<String> {
    let (contact, events) = person(facts);
    let program = compile(catalogue, EvaluationSettings { time_zone: ZONE }, &[condition]);
    let alone = Population::default();
    let world =
        World { catalogue, contact: &contact, events: &events, installation: ZONE, population: &alone, now };
    let (population, plain) = ranked_beside(&program, &world, others);
    let found = outcomes(&program, &mut Scratch::default(), &contact, &events, &population, now)[0].holds;
    let plainly = World { population: &plain, ..world }.holds(condition);
    (found != expected || plainly != expected)
        .then(|| format!("{found}, plainly {plainly}, expected {expected}: {}", Json::Object(facts.clone())))
}

/// See the head of `criteria.yaml`.
fn person(facts_of: &Map<String, Json>) -> (Contact, Vec<Happening>) {
    let mut attributes = facts_of.clone();
    let mut contact = nobody();
    let mut text = |name: &str| Some(attributes.remove(name)?.as_str().expect("a text").to_owned());
    (contact.email, contact.time_zone) = (text("email"), text("zone"));
    if let Some(created) = text("created") {
        contact.created_at = instant(&created).expect("an instant");
    }
    let did = attributes.remove("did").unwrap_or_else(|| Json::Array(Vec::new()));
    let mut events = Vec::new();
    for line in did.as_array().expect("a list") {
        let line = line.as_str().unwrap_or_else(|| panic!("write it in quotes: {line}"));
        let counted =
            line.split_once("x ").and_then(|(count, rest)| Some((count.parse::<u32>().ok()?, rest)));
        let (count, rest) = counted.unwrap_or((1, line));
        let (at, rest) = rest.split_once(' ').unwrap_or_else(|| panic!("no event in {line}"));
        let (name, properties) = rest.split_once(' ').unwrap_or((rest, "{}"));
        for number in 1..=count {
            events.push(Happening {
                name: name.to_owned(),
                at: instant(at).unwrap_or_else(|| panic!("no instant in {line}")),
                properties: facts(&properties.replace('$', &number.to_string())),
            });
        }
    }
    contact.attributes = Json::Object(attributes).to_string();
    (contact, events)
}

#[test]
fn who_is_in_and_who_is_just_outside() {
    let (catalogue, cases) = (shipped(), cases());
    let now = instant(&cases.now).expect("an instant");
    let segment = |name: &String| Condition::Segment(SegmentName::parse(name).expect("a name"));
    let audience = |name: &String| {
        let name = CampaignName::parse(name).expect("a name");
        catalogue.campaigns.get(&name).unwrap_or_else(|| panic!("no campaign {name}")).audience.clone()
    };
    let segments = cases.segments.iter().map(|(name, case)| (name, segment(name), case));
    let audiences = cases.audiences.iter().map(|(name, case)| (name, audience(name), case));
    let mut wrong = Vec::new();
    for (name, condition, case) in segments.chain(audiences) {
        assert!(!case.r#in.is_empty() && !case.out.is_empty(), "{name} needs somebody in and somebody out");
        let values = |texts: &Vec<String>| texts.iter().map(|text| rank_value(text)).collect();
        let others = case.others.iter().map(|(by, texts)| (by.clone(), values(texts))).collect();
        let of = |facts, expected| check(&catalogue, &condition, &others, facts, now, expected);
        let found = case.r#in.iter().filter_map(|facts| of(facts, true));
        let found = found.chain(case.out.iter().filter_map(|facts| of(facts, false)));
        wrong.extend(found.map(|problem| format!("{name}: {problem}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_version_finds_its_readers() {
    let (catalogue, cases) = (shipped(), cases());
    let now = instant(&cases.now).expect("an instant");
    let nobody = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, versions) in &cases.versions {
        let campaign = &catalogue.campaigns[&CampaignName::parse(name).expect("a name")];
        for (template, readers) in versions {
            for facts in readers {
                wrong.extend(check(&catalogue, &campaign.audience, &nobody, facts, now, true));
                // Those before it do not hold, it does.
                for version in &campaign.versions {
                    let is_it = version.template == *template;
                    wrong.extend(check(&catalogue, &version.condition, &nobody, facts, now, is_it));
                    if is_it {
                        break;
                    }
                }
            }
        }
        let told: BTreeSet<&str> = versions.keys().map(String::as_str).collect();
        let all: BTreeSet<&str> = campaign.versions.iter().map(|version| version.template.as_str()).collect();
        assert_eq!(told, all, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_segment_that_ships_is_left_out() {
    let (catalogue, cases) = (shipped(), cases());
    let declared: Vec<&str> = catalogue.segments.keys().map(SegmentName::as_str).collect();
    let told: Vec<&str> = cases.segments.keys().map(String::as_str).collect();
    assert_eq!(told, declared, "criteria.yaml on the left, what is declared on the right");
}

/// `docs/criteria.md` names every segment, in a row whose file declares it, and no other.
#[test]
fn the_page_lists_what_ships() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/criteria.md")).expect("docs/criteria.md");
    let (mut told, mut file) = (BTreeSet::new(), String::new());
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains(" | ")) {
        let [_, _, segments, link, ..] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        if let Some((_, path)) = link.split_once("](../") {
            let path = root.join(path.trim_end_matches([' ', ')']));
            file =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        for name in segments.split('`').skip(1).step_by(2) {
            assert!(
                file.contains(&format!("\n  {name}:")) || name == "versions",
                "{name} stands elsewhere: {row}"
            );
            told.insert(name.to_owned());
        }
    }
    let catalogue = shipped();
    let missing: Vec<_> = catalogue.segments.keys().filter(|name| !told.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
