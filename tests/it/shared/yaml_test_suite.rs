//! The YAML test suite: what is valid is read as it says, what is broken is a problem with a place,
//! and nothing panics or hangs, as YAML or as a file of declarations.

use std::fs;
use std::time::{Duration, Instant};

use campaignd::declare::{SourceFile, read};
use campaignd::diagnostic::Problem;
use campaignd::domain::time::Zone;
use campaignd::yaml::{Kind, Node, compose};
use serde_json::Value;

use super::shared_folder;
use crate::declare::assert_inside;

struct Case {
    name: String,
    yaml: String,
    fails: bool,
    json: Option<String>,
}

fn cases() -> Option<Vec<Case>> {
    let folder = shared_folder()?.join("corpora/yaml-test-suite/src");
    let mut cases = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let composed = compose(&name.as_str().into(), &fs::read(&path).expect("a case"));
        assert_eq!(composed.problems, [], "the corpus itself is YAML");
        let Some(Node { kind: Kind::List(items), .. }) = composed.root else { panic!("{name} is a list") };
        for (index, item) in items.iter().enumerate() {
            let text = |key: &str| item.get(key).and_then(|node| node.to_json().as_str().map(str::to_owned));
            let Some(yaml) = text("yaml") else { continue };
            let fails = item.get("fail").is_some_and(|fail| fail.to_json() == Value::Bool(true));
            let json = text("json");
            cases.push(Case { name: format!("{name}-{index}"), yaml: plain(&yaml), fails, json });
        }
    }
    Some(cases)
}

/// The suite writes invisible characters as visible ones.
fn plain(text: &str) -> String {
    let text = text.replace('␣', " ").replace('↵', "").replace('←', "\r").replace('⇔', "\u{feff}");
    let mut text: String = text
        .replace("————»", "\t")
        .replace("———»", "\t")
        .replace("——»", "\t")
        .replace("—»", "\t")
        .replace('»', "\t");
    if let Some(end) = text.find('∎') {
        text.truncate(end);
    }
    text
}

/// Reads a case as a file of declarations and checks what is said of it.
fn declared(case: &Case) -> Vec<Problem> {
    let start = Instant::now();
    let file = SourceFile { name: "case.yaml".into(), bytes: case.yaml.clone().into_bytes() };
    let loaded = read(&[file], Zone::UTC);
    assert!(start.elapsed() < Duration::from_secs(2), "{} takes {:?}", case.name, start.elapsed());
    let source = loaded.sources.text("case.yaml").expect("the text is kept").to_owned();
    for problem in &loaded.problems {
        assert_inside(problem.place.as_ref().expect("it is placed"), &source);
    }
    loaded.problems
}

#[test]
fn broken_cases_are_problems_with_a_place() {
    let Some(cases) = cases() else { return };
    let broken: Vec<_> = cases.iter().filter(|case| case.fails).collect();
    assert!(broken.len() >= 82, "{} broken cases", broken.len());
    let unnoticed: Vec<_> = broken
        .iter()
        .filter(|case| !declared(case).iter().any(Problem::is_error))
        .map(|case| case.name.as_str())
        .collect();
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[test]
fn valid_cases_are_read_as_they_are_meant() {
    let Some(cases) = cases() else { return };
    let mut wrong = Vec::new();
    let (mut compared, mut tagged) = (0, 0);
    for case in cases.iter().filter(|case| !case.fails) {
        declared(case);
        let composed = compose(&"case.yaml".into(), case.yaml.as_bytes());
        let Some(json) = &case.json else { continue };
        let documents: Vec<Value> =
            serde_json::Deserializer::from_str(json).into_iter().filter_map(Result::ok).collect();
        let [expected] = documents.as_slice() else { continue };
        // Tags beyond the core schema are refused on purpose.
        if composed.problems.iter().any(|problem| problem.code == "unknown-tag") {
            tagged += 1;
            continue;
        }
        let read = composed.root.as_ref().map_or(Value::Null, Node::to_json);
        compared += 1;
        if !same(&read, expected) {
            let problems: Vec<_> = composed.problems.iter().map(|problem| problem.message.as_str()).collect();
            wrong.push(format!("{}: {read} is not {expected} {problems:?}", case.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "of {compared} cases {} are read otherwise:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 200 && tagged < 20, "{compared} cases compared, {tagged} not for their tags");
}

/// Equal; numbers by value.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
