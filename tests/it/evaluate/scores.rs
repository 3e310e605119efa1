//! Scores: ten thousand random histories, at any instant, held against a plain sum over all events;
//! and when they pass a bound, found by brute force.

use std::time::Duration;

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::condition::{Condition, Operator, Test};
use campaignd::domain::history::BlockId;
use campaignd::domain::name::{EventName, ScoreName};
use campaignd::domain::number::Number;
use campaignd::domain::population::Population;
use campaignd::domain::score::{Decay, Level, Score, ScoreValue};
use campaignd::domain::time::{Span, Timestamp, Zone};
use campaignd::domain::value::Value;
use campaignd::evaluate::{Asked, Outcome, Program, Scratch};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::json;

use super::person::{event_id, nobody, packed};
use super::plain::{Happening, World, clamped};

const HISTORIES: u32 = 10_000;

/// 2026-06-15T12:00:00Z.
const NOON: i64 = 1_781_524_800_000_000;

const DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone)]
struct Case {
    score: Score,
    test: Test,
    events: Vec<Happening>,
    now: Timestamp,
}

fn number(millionths: i64) -> Number {
    Number::from_millionths(millionths)
}

fn points() -> impl Strategy<Value = Number> {
    prop_oneof![
        4 => select(vec![1, 5, 20, -50, 100, 2]).prop_map(|whole| number(whole * 1_000_000)),
        1 => (-60_000_000..60_000_000_i64).prop_filter("worth something", |points| *points != 0).prop_map(number),
    ]
}

fn decay() -> impl Strategy<Value = Decay> {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    prop_oneof![
        4 => select(vec![Duration::from_hours(1), days(1), days(7), days(30), days(365)]).prop_map(Decay::HalfLife),
        1 => (1..40_000_000_u64).prop_map(|seconds| Decay::HalfLife(Duration::from_secs(seconds))),
        3 => select(vec![Span::Seconds(86_400), Span::Seconds(90 * 86_400), Span::Months(1), Span::Months(12)])
            .prop_map(Decay::Window),
    ]
}

/// Bounds that are met exactly, and bounds that are not.
fn bound() -> impl Strategy<Value = Number> {
    prop_oneof![
        3 => select(vec![0, 1, 5, 10, 20, 40, 60, 100, -25, -50]).prop_map(|whole| number(whole * 1_000_000)),
        2 => (-110_000_000..110_000_000_i64).prop_map(number),
        1 => (-1_000..1_000_i64).prop_map(number),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let operator = prop_oneof![
        4 => bound().prop_map(Operator::AtLeast),
        2 => bound().prop_map(Operator::AtMost),
        2 => bound().prop_map(Operator::MoreThan),
        2 => bound().prop_map(Operator::LessThan),
        2 => (bound(), bound()).prop_map(|(one, other)| Operator::Between(one.min(other), one.max(other))),
        1 => bound().prop_map(|bound| Operator::Is(Value::Number(bound))),
        1 => bound().prop_map(|bound| Operator::IsNot(Value::Number(bound))),
    ];
    prop::collection::vec(operator, 1..3).prop_map(|operators| Test { operators, exact_case: false })
}

fn happening() -> impl Strategy<Value = Happening> {
    // At round ages, so that some decay by whole half-lives and meet a window's edge; and anywhere.
    let round = (select(vec![3_600_000_000, DAY, 7 * DAY, 30 * DAY]), 0..5_i64)
        .prop_map(|(unit, count)| NOON - unit * count);
    let anywhere = (0..400 * DAY).prop_map(|ago| NOON - ago);
    let to_come = (0..2 * DAY).prop_map(|ahead| NOON + ahead);
    let at = prop_oneof![4 => round, 6 => anywhere, 1 => to_come].prop_map(Timestamp::from_micros);
    let by = select(vec![
        json!({ "by": "human" }),
        json!({ "by": "machine" }),
        json!({ "by": "unknown" }),
        json!({}),
    ]);
    let by = prop_oneof![3 => Just(json!({ "by": "human" })), 1 => by];
    (select(vec!["buy", "look", "email_clicked"]), at, by).prop_map(|(name, at, properties)| Happening {
        name: name.to_owned(),
        at,
        properties,
    })
}

fn case() -> impl Strategy<Value = Case> {
    let score = (points(), points(), points(), decay(), bound(), 1..200_i64, any::<bool>());
    let score = score.prop_map(|(buy, look, click, decay, low, width, usual)| {
        let event = |name: &str| EventName::parse(name).expect("a name");
        let (low, high) = if usual {
            (Number::ZERO, number(100_000_000))
        } else {
            (low, number(low.millionths() + width * 1_000_000))
        };
        let middle = number(low.millionths().midpoint(high.millionths()));
        let level = |name: &str, from| Level { name: name.to_owned(), from };
        Score {
            points: [(event("buy"), buy), (event("look"), look), (event("email_clicked"), click)].into(),
            decay,
            range: (low, high),
            levels: vec![level("cold", low), level("warm", middle)],
            description: None,
        }
    });
    let now = prop_oneof![2 => Just(NOON), 1 => (-100 * DAY..DAY).prop_map(|shift| NOON + shift)];
    (score, test(), prop::collection::vec(happening(), 0..25), now)
        .prop_map(|(score, test, events, now)| Case { score, test, events, now: Timestamp::from_micros(now) })
}

/// The same cases in every run, unless `PROPTEST_CASES` asks for others.
#[test]
fn scores_are_plain_sums_and_pass_bounds_when_they_say() {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse::<u32>().ok());
    let config = Config { cases: asked.unwrap_or(HISTORIES), failure_persistence: None, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let file = SourceFile {
        name: "test.yaml".into(),
        bytes: b"events: { buy: { properties: { by: text } }, look: }".to_vec(),
    };
    let declared = declare::read(&[file], Zone::UTC).catalogue.expect("the declarations are valid");
    let flips = std::cell::Cell::new(0);
    let tried = runner.run(&case(), |case| {
        let subject = Subject::new(&declared, &case);
        subject.is_the_plain_sum(case.now)?;
        for ahead in [1, 3_600_000_000, DAY, 29 * DAY, 400 * DAY] {
            subject.is_the_plain_sum(Timestamp::from_micros(case.now.micros() + ahead))?;
        }
        for event in case.events.iter().take(4) {
            subject.is_the_plain_sum(event.at)?;
        }
        flips.set(flips.get() + usize::from(subject.passes_bounds_when_it_says()?));
        Ok(())
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(flips.get() > 500 || asked.is_some(), "{} answers change by time alone", flips.get());
}

struct Subject<'a> {
    case: &'a Case,
    catalogue: Catalogue,
    program: Program,
    condition: Condition,
    population: Population,
    contact: campaignd::domain::contact::Contact,
}

impl<'a> Subject<'a> {
    fn new(declared: &Catalogue, case: &'a Case) -> Self {
        let name = ScoreName::parse("score").expect("a name");
        let mut catalogue = declared.clone();
        catalogue.scores.insert(name.clone(), case.score.clone());
        let condition = Condition::Score(name.clone(), case.test.clone());
        let asked = Asked { conditions: &[&condition], scores: &[name], ..Asked::default() };
        let program = Program::compile(
            &catalogue,
            EvaluationSettings { time_zone: Zone::Europe__Paris },
            &asked,
            &event_id,
        );
        Self { case, catalogue, program, condition, contact: nobody(), population: Population::default() }
    }

    fn evaluated(&self, now: Timestamp) -> (Outcome, ScoreValue) {
        let history = packed(self.contact.id, &self.case.events, &self.program.needs(now));
        let history = history.contact(BlockId::of(self.contact.id).1);
        let mut scratch = Scratch::default();
        let evaluation =
            self.program.evaluate(&mut scratch, &self.contact.view(), &history, &self.population, now);
        (evaluation.outcomes[0], evaluation.scores[0].expect("it is declared"))
    }

    fn world(&self, now: Timestamp) -> World<'_> {
        World {
            catalogue: &self.catalogue,
            contact: &self.contact,
            events: &self.case.events,
            installation: Zone::Europe__Paris,
            population: &self.population,
            now,
        }
    }

    fn plain(&self, now: Timestamp) -> f64 {
        self.world(now).score(&self.case.score)
    }

    /// Whether a plain sum is so close to a bound of the test that its rounding decides.
    fn is_close(&self, value: f64) -> bool {
        let close = |bound: &Number| (bound.to_f64() - value).abs() < 1e-9;
        self.case.test.operators.iter().any(|operator| match operator {
            Operator::AtLeast(bound)
            | Operator::AtMost(bound)
            | Operator::MoreThan(bound)
            | Operator::LessThan(bound)
            | Operator::Is(Value::Number(bound))
            | Operator::IsNot(Value::Number(bound)) => close(bound),
            Operator::Between(low, high) => close(low) || close(high),
            _ => false,
        })
    }

    fn is_the_plain_sum(&self, now: Timestamp) -> Result<(), TestCaseError> {
        let sum = self.plain(now);
        let expected = clamped(&self.case.score, sum);
        let (outcome, found) = self.evaluated(now);
        prop_assert!((found.value - expected).abs() < 1e-9, "{found:?}, {expected} expected at {now}");
        let levels = &self.case.score.levels;
        let level = levels.iter().rposition(|level| level.from.to_f64() <= expected);
        let at_edge = levels.iter().any(|level| (level.from.to_f64() - sum).abs() < 1e-9);
        prop_assert!(found.level == level || at_edge, "{found:?}, not {level:?} at {now}");
        if !self.is_close(sum) {
            let holds = self.world(now).holds(&self.condition);
            prop_assert_eq!(outcome.holds, holds, "{} at {}", expected, now);
        }
        Ok(())
    }

    /// The answer stands up to `until`, and is another one there unless an event comes first.
    fn passes_bounds_when_it_says(&self) -> Result<bool, TestCaseError> {
        let now = self.case.now;
        let (outcome, _) = self.evaluated(now);
        let until = outcome.until.map_or(now.micros() + 4_000 * DAY, Timestamp::micros);
        prop_assert!(until > now.micros(), "{outcome:?} at {now}");
        let ahead = until - now.micros();
        // Evenly, and closer and closer to both ends.
        let even = (0..16).map(|step| ahead / 16 * step);
        let early = (0..50).step_by(2).map(|power| 1_i64 << power).filter(|early| *early < ahead);
        let instants = even.chain(early.clone()).chain(early.map(|early| ahead - early));
        for at in instants.map(|after| Timestamp::from_micros(now.micros() + after)) {
            let value = self.plain(at);
            if self.is_close(value) {
                continue;
            }
            let holds = self.world(at).holds(&self.condition);
            prop_assert_eq!(holds, outcome.holds, "{} at {}, before {:?}", value, at, outcome);
        }
        let Some(until) = outcome.until else { return Ok(false) };
        if self.case.events.iter().any(|event| event.at > now && event.at <= until) {
            return Ok(false);
        }
        // The evaluator itself has changed its mind at that very microsecond.
        let (before, _) = self.evaluated(Timestamp::from_micros(until.micros() - 1));
        let (after, _) = self.evaluated(until);
        prop_assert_eq!(before.holds, outcome.holds, "just before {}", until);
        if !matches!(self.case.score.decay, Decay::Window(Span::Months(_))) {
            prop_assert_ne!(after.holds, outcome.holds, "at {}", until);
        }
        Ok(true)
    }
}
