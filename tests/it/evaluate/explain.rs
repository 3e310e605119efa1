//! Explanations say what evaluation says: of the whole, of every part, of when it turns; and what they tell
//! to change turns the answer when it is done.

use std::cell::Cell;

use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::condition::{Condition, EventLeaf, MeasureKind, Operator, Test};
use campaignd::domain::contact::Contact;
use campaignd::domain::history::BlockId;
use campaignd::domain::name::ScoreName;
use campaignd::domain::number::Number;
use campaignd::domain::ranking::{Ranked, Ranking};
use campaignd::domain::time::Timestamp;
use campaignd::domain::value::Value;
use campaignd::evaluate::Scratch;
use campaignd::evaluate::explain::{Explanation, Part, PartKind, Question};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::person::{compile, event_id, outcomes, packed};
use super::plain::{Happening, World};
use super::random::{Case, case};
use super::told;

#[test]
fn explanations_of_random_worlds() {
    // What proptest keeps of a whole grammar is larger than a test's stack.
    let tried = std::thread::Builder::new().stack_size(64 << 20).spawn(try_random_worlds);
    let tried = tried.expect("a thread").join();
    tried.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
}

/// How much was seen of what the test is about.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) turns: Cell<usize>,
    pub(super) combined: Cell<usize>,
    pub(super) attributes: Cell<usize>,
    pub(super) events: Cell<usize>,
    pub(super) later: Cell<usize>,
    pub(super) time: Cell<usize>,
    pub(super) nothing: Cell<usize>,
}

pub(super) fn note(count: &Cell<usize>) {
    count.set(count.get() + 1);
}

fn try_random_worlds() {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse::<u32>().ok());
    let config = Config { cases: asked.unwrap_or(200), failure_persistence: None, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let seen = Seen::default();
    let tried = runner.run(&case(), |case| {
        for condition in &case.conditions {
            let explanation = explained(&case, condition, &case.contact, &case.events);
            parts_are_as_evaluated(&case, condition, &explanation.root)?;
            turns_are_turns(&case, condition, &explanation, &seen)?;
            the_smallest_change_turns_the_whole(&explanation, &seen)?;
        }
        leaves(&case).iter().try_for_each(|leaf| told::changes_turn(&case, leaf, &seen))
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
    let counts =
        [&seen.turns, &seen.combined, &seen.attributes, &seen.events, &seen.later, &seen.time, &seen.nothing];
    let counts = counts.map(Cell::get);
    assert!(counts.iter().all(|count| *count > 20), "too little was looked at: {counts:?}");
}

/// The leaves of a case, each alone, and what is asked of scores beside them.
fn leaves(case: &Case) -> Vec<Condition> {
    let mut leaves = Vec::new();
    case.conditions.iter().for_each(|condition| collect_leaves(condition, &mut leaves));
    let number = |text: &str| Number::parse(text).expect("a number");
    let tests = [
        Operator::AtLeast(number("3")),
        Operator::LessThan(number("1")),
        Operator::Between(number("-4"), number("12")),
    ];
    for (place, operator) in tests.into_iter().enumerate() {
        let score = ["engagement", "visits"][(place + case.events.len()) % 2];
        let test = Test { operators: vec![operator], exact_case: false };
        leaves.push(Condition::Score(ScoreName::parse(score).expect("a name"), test));
    }
    leaves
}

fn collect_leaves(condition: &Condition, leaves: &mut Vec<Condition>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => {
            for part in parts {
                collect_leaves(part, leaves);
            }
        }
        Condition::Everyone | Condition::Segment(_) => {}
        Condition::Did(EventLeaf { events, measures }) => leaves.extend(measures.iter().map(|measure| {
            Condition::Did(EventLeaf { events: events.clone(), measures: vec![measure.clone()] })
        })),
        leaf => leaves.push(leaf.clone()),
    }
}

pub(super) fn ensure(fine: bool, problem: impl FnOnce() -> String) -> Result<(), TestCaseError> {
    if fine { Ok(()) } else { Err(TestCaseError::fail(problem())) }
}

pub(super) fn explained(
    case: &Case,
    condition: &Condition,
    contact: &Contact,
    events: &[Happening],
) -> Explanation {
    let settings = EvaluationSettings { time_zone: case.installation };
    let question = Question::compile(&case.catalogue, settings, condition, &event_id);
    let history = packed(contact.id, events, &question.needs(case.now));
    let history = history.contact(BlockId::of(contact.id).1);
    question.explain(&contact.view(), &history, &case.population, case.now)
}

fn holds(
    case: &Case,
    condition: &Condition,
    contact: &Contact,
    events: &[Happening],
    now: Timestamp,
) -> bool {
    let settings = EvaluationSettings { time_zone: case.installation };
    let program = compile(&case.catalogue, settings, &[condition]);
    outcomes(&program, &mut Scratch::default(), contact, events, &case.population, now)[0].holds
}

fn plainly(case: &Case, condition: &Condition, now: Timestamp) -> bool {
    let world = World {
        catalogue: &case.catalogue,
        contact: &case.contact,
        events: &case.events,
        population: &case.population,
        installation: case.installation,
        now,
    };
    world.holds(condition)
}

/// The parts of a condition as an explanation has them.
fn parts_of(case: &Case, condition: &Condition) -> Vec<Condition> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => parts.clone(),
        Condition::Segment(name) => vec![case.catalogue.segments[name].condition.clone()],
        Condition::Did(EventLeaf { events, measures }) if measures.len() != 1 => measures
            .iter()
            .map(|measure| {
                Condition::Did(EventLeaf { events: events.clone(), measures: vec![measure.clone()] })
            })
            .collect(),
        Condition::Ranked(Ranked { ranking: Ranking { among: Some(among), .. }, .. }) => {
            vec![Condition::Segment(among.clone())]
        }
        _ => Vec::new(),
    }
}

/// Every part's answer is that of both evaluators.
fn parts_are_as_evaluated(case: &Case, condition: &Condition, part: &Part) -> Result<(), TestCaseError> {
    let expected = holds(case, condition, &case.contact, &case.events, case.now);
    ensure(part.holds == expected, || format!("{expected} expected of {}: {part:#?}", part.words))?;
    ensure(part.holds == plainly(case, condition, case.now), || format!("plainly not: {part:#?}"))?;
    if let (Condition::Did(leaf), [measure]) = (condition, measures_of(condition)) {
        let counted = part.leaf.as_ref().and_then(|leaf| leaf.events.as_ref()).expect("it counts events");
        let times = Number::from_whole(counted.counted as i64).map(Value::Number);
        if *measure == MeasureKind::Times {
            let value = part.leaf.as_ref().and_then(|leaf| leaf.value.clone());
            ensure(value == times, || format!("{leaf:?}: {part:#?}"))?;
        }
    }
    let parts = parts_of(case, condition);
    // A place among a segment is a part for which there are no words of its own.
    let without_words = usize::from(part.kind == PartKind::Ranked);
    ensure(parts.len() + without_words == part.parts.len(), || {
        format!("{} parts of {part:#?}", parts.len())
    })?;
    parts
        .iter()
        .zip(&part.parts)
        .try_for_each(|(condition, part)| parts_are_as_evaluated(case, condition, part))
}

fn measures_of(condition: &Condition) -> &[MeasureKind] {
    match condition {
        Condition::Did(EventLeaf { measures, .. }) if measures.len() == 1 => {
            std::slice::from_ref(&measures[0].kind)
        }
        _ => &[],
    }
}

fn turns_are_turns(
    case: &Case,
    condition: &Condition,
    explanation: &Explanation,
    seen: &Seen,
) -> Result<(), TestCaseError> {
    let Some(turn) = explanation.root.turns else { return Ok(()) };
    let before = Timestamp::from_micros(turn.at.micros() - 1);
    ensure(turn.at > case.now, || format!("{turn:?} at {}", case.now))?;
    ensure(plainly(case, condition, before) == explanation.holds(), || format!("before {turn:?}"))?;
    if turn.is_certain {
        note(&seen.turns);
        ensure(plainly(case, condition, turn.at) != explanation.holds(), || format!("at {turn:?}"))?;
    }
    Ok(())
}

/// The answer of the whole when these leaves have the other one.
fn turned(part: &Part, leaves: &[usize]) -> bool {
    let mut parts = part.parts.iter().map(|part| turned(part, leaves));
    match part.kind {
        PartKind::All | PartKind::Did | PartKind::Ranked => parts.all(|holds| holds),
        PartKind::Any => parts.any(|holds| holds),
        PartKind::None => !parts.any(|holds| holds),
        PartKind::Segment => parts.next().unwrap_or(part.holds),
        PartKind::Everyone => true,
        PartKind::Leaf => part.holds != leaves.contains(&part.number),
    }
}

fn the_smallest_change_turns_the_whole(explanation: &Explanation, seen: &Seen) -> Result<(), TestCaseError> {
    let root = &explanation.root;
    ensure(turned(root, &[]) == root.holds, || format!("{root:#?}"))?;
    let Some(leaves) = &explanation.smallest else { return Ok(()) };
    ensure(turned(root, leaves) != root.holds, || format!("{leaves:?} of {root:#?}"))?;
    for leaf in leaves {
        let fewer: Vec<usize> = leaves.iter().copied().filter(|other| other != leaf).collect();
        ensure(turned(root, &fewer) == root.holds, || format!("{leaf} is not needed: {root:#?}"))?;
    }
    if leaves.len() > 1 {
        note(&seen.combined);
    }
    Ok(())
}
