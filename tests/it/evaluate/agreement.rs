//! Random worlds: the evaluator agrees with the plain one, now and at every instant at which something
//! may change; what it says of how long an answer is good for is never too late and seldom early.

use std::cell::Cell;
use std::collections::BTreeSet;

use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::condition::{Condition, Measure, MeasureKind, Operator, PropertyName, Test};
use campaignd::domain::history::BlockId;
use campaignd::domain::time::{Span, Timestamp, Zone};
use campaignd::evaluate::{Asked, Program, Scratch};
use chrono::{Datelike, Days, NaiveDate};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::person::{event_id, outcomes, packed};
use super::plain::{World, local, midnight};
use super::random::{Case, case, spans, trait_name};

/// The same cases in every run, unless `PROPTEST_CASES` asks for others; a failure is shrunk and printed.
#[test]
fn random_worlds() {
    // What proptest keeps of a whole grammar is larger than a test's stack.
    let tried = std::thread::Builder::new().stack_size(64 << 20).spawn(try_random_worlds);
    let tried = tried.expect("a thread").join();
    tried.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
}

fn try_random_worlds() {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse::<u32>().ok());
    let config = Config { cases: asked.unwrap_or(500), failure_persistence: None, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let untils = Untils::default();
    let tried = runner.run(&case(), |case| {
        both_evaluators_agree(&case)?;
        a_condition_and_its_none_part_the_audience(&case)?;
        more_history_than_needed_changes_nothing(&case)?;
        let instants = instants_of_change(&case);
        both_agree_when_something_may_change(&case, &instants)?;
        answers_are_good_until_they_say(&case, &instants, &untils)
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
    let (changes, early) = (untils.changes.get(), untils.early.get());
    assert!(changes > 25, "{changes} answers change by time alone");
    assert!(early * 6 < changes, "{early} of {changes} said they might change when they did not");
}

/// How many answers are good until some instant, and how many of these are the same afterwards.
#[derive(Default)]
struct Untils {
    changes: Cell<usize>,
    early: Cell<usize>,
}

fn ensure(fine: bool, problem: impl FnOnce() -> String) -> Result<(), TestCaseError> {
    if fine { Ok(()) } else { Err(TestCaseError::fail(problem())) }
}

fn compile(case: &Case, conditions: &[&Condition]) -> Program {
    let settings = EvaluationSettings { time_zone: case.installation };
    let traits = [trait_name(0), trait_name(1)];
    let asked = Asked { conditions, traits: &traits, ..Asked::default() };
    Program::compile(&case.catalogue, settings, &asked, &event_id)
}

fn world(case: &Case, now: Timestamp) -> World<'_> {
    World {
        catalogue: &case.catalogue,
        contact: &case.contact,
        events: &case.events,
        installation: case.installation,
        population: &case.population,
        now,
    }
}

fn both_evaluators_agree(case: &Case) -> Result<(), TestCaseError> {
    let conditions: Vec<&Condition> = case.conditions.iter().collect();
    let program = compile(case, &conditions);
    let history = packed(case.contact.id, &case.events, &program.needs(case.now));
    let history = history.contact(BlockId::of(case.contact.id).1);
    let mut scratch = Scratch::default();
    let evaluation =
        program.evaluate(&mut scratch, &case.contact.view(), &history, &case.population, case.now);
    let plain = world(case, case.now);
    for (condition, outcome) in case.conditions.iter().zip(evaluation.outcomes) {
        let expected = plain.holds(condition);
        ensure(outcome.holds == expected, || format!("{expected} expected of {condition:?}"))?;
        ensure(outcome.until.is_none_or(|until| until > case.now), || format!("{outcome:?}"))?;
    }
    for (place, value) in evaluation.traits.iter().enumerate() {
        let declared = &case.catalogue.traits[&trait_name(place)];
        let expected = plain.trait_value(&declared.events, &declared.measure);
        ensure(*value == expected, || format!("{expected:?} expected, {value:?} found of {declared:?}"))?;
    }
    Ok(())
}

fn a_condition_and_its_none_part_the_audience(case: &Case) -> Result<(), TestCaseError> {
    for condition in &case.conditions {
        let none = Condition::None(vec![condition.clone()]);
        let program = compile(case, &[condition, &none]);
        let found = outcomes(
            &program,
            &mut Scratch::default(),
            &case.contact,
            &case.events,
            &case.population,
            case.now,
        );
        ensure(found[0].holds != found[1].holds, || format!("both or neither: {condition:?}"))?;
        ensure(found[0].until == found[1].until, || format!("not for as long: {condition:?}"))?;
    }
    Ok(())
}

fn more_history_than_needed_changes_nothing(case: &Case) -> Result<(), TestCaseError> {
    let conditions: Vec<&Condition> = case.conditions.iter().collect();
    let program = compile(case, &conditions);
    let needs = program.needs(case.now);
    let from_the_start = Timestamp::from_micros(i64::MIN);
    let mut all = needs.clone();
    for need in &mut all.events {
        (need.since, need.properties_since) = (from_the_start, Some(from_the_start));
    }
    let found = [needs, all].map(|needs| {
        let history = packed(case.contact.id, &case.events, &needs);
        let history = history.contact(BlockId::of(case.contact.id).1);
        let mut scratch = Scratch::default();
        let evaluation =
            program.evaluate(&mut scratch, &case.contact.view(), &history, &case.population, case.now);
        (evaluation.outcomes.to_vec(), evaluation.traits.to_vec())
    });
    ensure(found[0] == found[1], || format!("more history changes something: {found:?}"))
}

fn both_agree_when_something_may_change(
    case: &Case,
    instants: &BTreeSet<Timestamp>,
) -> Result<(), TestCaseError> {
    let conditions: Vec<&Condition> = case.conditions.iter().collect();
    let program = compile(case, &conditions);
    let mut scratch = Scratch::default();
    for at in instants.iter().step_by(instants.len() / 8 + 1) {
        let found = outcomes(&program, &mut scratch, &case.contact, &case.events, &case.population, *at);
        let plain = world(case, *at);
        for (condition, outcome) in case.conditions.iter().zip(found) {
            let expected = plain.holds(condition);
            ensure(outcome.holds == expected, || format!("{expected} expected at {at} of {condition:?}"))?;
        }
    }
    Ok(())
}

fn answers_are_good_until_they_say(
    case: &Case,
    instants: &BTreeSet<Timestamp>,
    untils: &Untils,
) -> Result<(), TestCaseError> {
    let conditions: Vec<&Condition> = case.conditions.iter().collect();
    let program = compile(case, &conditions);
    let now =
        outcomes(&program, &mut Scratch::default(), &case.contact, &case.events, &case.population, case.now);
    for (condition, outcome) in case.conditions.iter().zip(now) {
        let until = outcome.until;
        let before: Vec<_> =
            instants.iter().copied().filter(|at| until.is_none_or(|until| *at < until)).collect();
        // The whole of them for few, every so many for many; the last ones are the likely ones.
        let stride = before.len() / 20 + 1;
        let last = before.len().saturating_sub(6);
        let some = before.iter().enumerate().filter(|(index, _)| index % stride == 0 || *index >= last);
        let just_before = until.map(|until| Timestamp::from_micros(until.micros() - 1));
        for at in some.map(|(_, at)| *at).chain(just_before) {
            let holds = world(case, at).holds(condition);
            ensure(holds == outcome.holds, || format!("{holds} at {at}, before {outcome:?}: {condition:?}"))?;
        }
        let nothing_is_to_come = case.events.iter().all(|event| event.at <= case.now);
        if let Some(until) = until.filter(|_| nothing_is_to_come && is_simple(condition)) {
            untils.changes.set(untils.changes.get() + 1);
            let still = world(case, until).holds(condition) == outcome.holds;
            untils.early.set(untils.early.get() + usize::from(still));
        }
    }
    Ok(())
}

/// One operator with one bound: of several that fail, the last to pass is not known to pass then.
fn is_single(test: &Test) -> bool {
    test.operators.len() == 1 && !matches!(&test.operators[0], Operator::Ago(bounds) if bounds.len() > 1)
}

/// One test of an attribute, or of what events amount to in a window with one moving end.
fn is_simple(condition: &Condition) -> bool {
    match condition {
        Condition::Attribute(_, test) => is_single(test),
        Condition::Did(leaf) => {
            let window = &leaf.events.window;
            let moves = |(name, _): &(PropertyName, Test)| matches!(name.0.as_str(), "day" | "moment");
            // As time passes, another one is the first; how its test comes out is not looked at.
            let is_exact =
                |measure: &Measure| is_single(&measure.test) && measure.kind != MeasureKind::FirstAt;
            leaf.measures.iter().all(is_exact)
                && leaf.measures.len() == 1
                && leaf.events.then.is_none()
                && (window.within.is_none() || window.older_than.is_none())
                && !leaf.events.filter.iter().any(moves)
        }
        _ => false,
    }
}

fn today_of(case: &Case, zone: Zone) -> NaiveDate {
    local(case.now, zone).date()
}

fn next(day: NaiveDate) -> NaiveDate {
    day + Days::new(1)
}

/// Instants after now at which an answer may change, and those just before and after them.
fn instants_of_change(case: &Case) -> BTreeSet<Timestamp> {
    let zone: Zone =
        case.contact.time_zone.as_ref().and_then(|name| name.parse().ok()).unwrap_or(case.installation);
    let mut instants = BTreeSet::new();
    let mut note = |at: Timestamp| {
        for shift in [-3_600_000_000, -1_000_000, -1, 0, 1, 1_000_000, 1_800_000_000, 3_600_000_000] {
            instants.insert(Timestamp::from_micros(at.micros() + shift));
        }
    };
    let mut days = Vec::new();
    let in_years = today_of(case, zone).year()..today_of(case, zone).year() + 3;
    let mut anchors = vec![case.contact.created_at];
    let all =
        case.events.iter().map(|event| event.properties.to_string()).chain([case.contact.attributes.clone()]);
    for text in all {
        let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        days.extend(json["day"].as_str().and_then(|day| day.parse::<NaiveDate>().ok()));
        let moment = json["moment"].as_str().and_then(|at| at.parse::<chrono::DateTime<chrono::Utc>>().ok());
        anchors.extend(moment.map(Timestamp::from));
    }
    anchors.extend(case.events.iter().map(|event| event.at));
    for anchor in anchors {
        note(anchor);
        days.push(local(anchor, zone).date());
        for span in spans() {
            match span {
                Span::Seconds(seconds) => {
                    note(Timestamp::from_micros(anchor.micros() + seconds as i64 * 1_000_000));
                    note(Timestamp::from_micros(anchor.micros() - seconds as i64 * 1_000_000));
                }
                Span::Months(months) => {
                    let local = local(anchor, zone);
                    let earlier = local.date() - chrono::Months::new(months);
                    for days in 0..5 {
                        note(super::plain::resolve((earlier + Days::new(days)).and_time(local.time()), zone));
                    }
                    let day = local.date() + chrono::Months::new(months);
                    note(super::plain::resolve(day.and_time(local.time()), zone));
                    for days in 0..4 {
                        note(midnight(day + Days::new(days), zone));
                        note(super::plain::resolve((day + Days::new(days)).and_time(local.time()), zone));
                    }
                }
            }
        }
    }
    let today = today_of(case, zone);
    let anniversary = |day: NaiveDate, year| {
        day.with_year(year).unwrap_or(NaiveDate::from_ymd_opt(year, 3, 1).expect("a day"))
    };
    let anniversaries: Vec<_> =
        days.iter().flat_map(|day| in_years.clone().map(|year| anniversary(*day, year))).collect();
    for day in days.iter().chain(&anniversaries) {
        // What lies within the next so many days from a day on.
        for span in spans() {
            let first = match span {
                Span::Seconds(seconds) => *day - Days::new(seconds.div_ceil(86_400)),
                Span::Months(months) => *day - chrono::Months::new(months),
            };
            for days in 0..5 {
                note(midnight(first + Days::new(days), zone));
            }
        }
    }
    for day in days {
        for span in spans() {
            match span {
                Span::Seconds(seconds) => note(midnight(day + Days::new(seconds.div_ceil(86_400)), zone)),
                Span::Months(months) => {
                    let day = day + chrono::Months::new(months);
                    note(midnight(day, zone));
                    note(midnight(day + Days::new(1), zone));
                }
            }
        }
        for year in in_years.clone().chain([day.year() + 18, day.year() + 20]) {
            note(midnight(anniversary(day, year), zone));
            note(midnight(next(anniversary(day, year)), zone));
        }
    }
    for days in 0..35 {
        note(midnight(today + Days::new(days), zone));
    }
    for months in 1..15 {
        let first = today.with_day(1).expect("a first") + chrono::Months::new(months);
        note(midnight(first, zone));
    }
    instants.retain(|at| *at > case.now);
    instants
}
