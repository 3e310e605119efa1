//! `docs/conditions.md`: its examples say what they say, and no key is missing from it.

use std::collections::BTreeMap;

use campaignd::declare::keys::{
    AGO, ANNIVERSARY, BUCKET, CONDITION, CONSENT, CONSENT_TEST, FOLLOWER, RANKED, SCORE, SHARE, TEST, TRAIT,
};
use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::condition::Condition;
use campaignd::domain::consent::{Consent, ConsentState};
use campaignd::domain::name::SegmentName;
use campaignd::domain::population::Population;
use campaignd::domain::time::Zone;
use campaignd::domain::written;
use campaignd::evaluate::Scratch;

use super::person::{compile, facts, instant, nobody, outcomes, rank_value, ranked_beside};
use super::plain::{Happening, World};

const PAGE: &str = include_str!("../../../docs/conditions.md");

/// The top-level keys by which a block of declarations is told from a condition.
const SECTIONS: [&str; 5] = ["attributes:", "events:", "traits:", "scores:", "segments:"];

fn blocks() -> Vec<&'static str> {
    PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

fn is_declaration(block: &str) -> bool {
    SECTIONS.iter().any(|section| block.starts_with(section))
}

#[test]
fn every_example_says_what_it_says() {
    let mut checked = 0;
    let declarations: Vec<_> = blocks().into_iter().filter(|block| is_declaration(block)).collect();
    for block in blocks().into_iter().filter(|block| !is_declaration(block)) {
        let mut contact = nobody();
        let (mut events, mut answers, mut condition) = (Vec::new(), Vec::new(), String::new());
        let mut others: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for line in block.lines() {
            let Some(comment) = line.strip_prefix("# ") else {
                condition.extend(["      ", line, "\n"]);
                continue;
            };
            let (first, rest) = comment.split_once(' ').unwrap_or((comment, ""));
            match (first, instant(first), rest) {
                ("{", ..) => contact.attributes = facts(comment).to_string(),
                ("in", ..) => contact.time_zone = Some(rest.to_owned()),
                ("agreed", ..) => {
                    contact.marketing = Consent { state: ConsentState::Yes, since: instant(rest) };
                }
                ("others", ..) => {
                    let (name, values) = rest.split_once(' ').expect("a trait and values");
                    others.insert(name.to_owned(), values.split(' ').map(rank_value).collect());
                }
                (_, Some(at), "yes" | "no") => answers.push((at, rest == "yes")),
                (_, Some(at), _) => {
                    let (name, properties) = rest.split_once(' ').unwrap_or((rest, "{}"));
                    let name = name.to_owned();
                    events.push(Happening { name, at, properties: facts(properties) });
                }
                _ => panic!("{block}: {line}"),
            }
        }
        assert!(!answers.is_empty(), "nothing is said of {block}");
        let file = |name: String, text: &str| SourceFile { name: name.into(), bytes: text.into() };
        let mut files: Vec<_> =
            (0..).zip(&declarations).map(|(n, text)| file(format!("{n}.yaml"), text)).collect();
        files.push(file(
            "example.yaml".to_owned(),
            &format!("segments:\n  example:\n    match:\n{condition}"),
        ));
        let loaded = declare::read(&files, Zone::UTC);
        let problems: Vec<_> =
            loaded.problems.iter().filter(|problem| problem.code != "unused-segment").collect();
        // One of them is there to be warned of.
        let is_meant = |code: &str| matches!(code, "missing-left-out");
        assert!(problems.iter().all(|problem| is_meant(problem.code)), "{block}: {problems:#?}");
        let catalogue = loaded.catalogue.expect("it is valid");
        let example = Condition::Segment(SegmentName::parse("example").expect("a name"));
        what_is_written_means_the_same(&catalogue, &declarations);
        let settings = EvaluationSettings { time_zone: Zone::UTC };
        let program = compile(&catalogue, settings, &[&example]);
        for (now, expected) in answers {
            let nobody = Population::default();
            let world = World {
                catalogue: &catalogue,
                contact: &contact,
                events: &events,
                installation: Zone::UTC,
                population: &nobody,
                now,
            };
            let (population, plainly) = ranked_beside(&program, &world, &others);
            let found =
                outcomes(&program, &mut Scratch::default(), &contact, &events, &population, now)[0].holds;
            assert_eq!(found, expected, "at {now}:\n{block}");
            let world = World { population: &plainly, ..world };
            assert_eq!(world.holds(&example), expected, "plainly, at {now}:\n{block}");
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked} answers are checked");
}

/// The words that explanations quote are those of the page: read again, they are the same condition.
fn what_is_written_means_the_same(catalogue: &Catalogue, declarations: &[&str]) {
    let example = SegmentName::parse("example").expect("a name");
    let condition = &catalogue.segments[&example].condition;
    let written = written::condition(condition);
    let is_name = matches!(condition, Condition::Everyone | Condition::Segment(_));
    let written = if is_name { written } else { format!("{{ {written} }}") };
    let file = |name: String, text: &str| SourceFile { name: name.into(), bytes: text.into() };
    let mut files: Vec<_> =
        (0..).zip(declarations).map(|(n, text)| file(format!("{n}.yaml"), text)).collect();
    files.push(file("example.yaml".to_owned(), &format!("segments:\n  example:\n    match: {written}\n")));
    let loaded = declare::read(&files, Zone::UTC);
    let again = loaded.catalogue.unwrap_or_else(|| panic!("{written}: {:#?}", loaded.problems));
    assert_eq!(again.segments[&example].condition, *condition, "{written}");
}

#[test]
fn every_key_is_on_the_page_with_an_example() {
    let yaml = blocks().concat();
    let prose: String = PAGE.split("```").step_by(2).collect();
    let groups = [
        &CONDITION,
        &FOLLOWER,
        &CONSENT,
        &CONSENT_TEST,
        &BUCKET,
        &RANKED,
        &TEST,
        &AGO,
        &ANNIVERSARY,
        &TRAIT,
        &SHARE,
        &SCORE,
    ];
    for group in groups {
        for key in group.keys.iter().filter(|key| key.name != "description") {
            assert!(prose.contains(&format!("`{}", key.name)), "{}.{} is not told of", group.path, key.name);
            let is_used = |mark: &str| yaml.contains(&format!("{mark}{}:", key.name));
            let used = is_used(" ") || is_used("\n");
            assert_eq!(used, key.available, "an example of {}.{}", group.path, key.name);
        }
    }
}
