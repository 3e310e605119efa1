//! One contact: each part's answer, each leaf's value, and when answers turn by themselves.

use std::cell::RefCell;

use chrono::NaiveDate;

use super::change;
use super::evidence::Looking;
use super::question::{Asked, Question};
use super::reading::{AskedLeaf, ReadEvents, ReadRanked, Reading};
use super::smallest;
use super::tree::{Absence, Evidence, Explanation, Leaf, Part, Placed, Turn};
use super::trial::{Acts, Trial};
use crate::domain::condition::{AttributeRef, MeasureKind, Operator};
use crate::domain::contact::ContactView;
use crate::domain::history::History;
use crate::domain::json::{self, Token};
use crate::domain::number::Number;
use crate::domain::population::Population;
use crate::domain::ranking::Bounds;
use crate::domain::score::ScoreValue;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{self, Value, ValueType};
use crate::evaluate::Outcome;
use crate::evaluate::check_day::age;
use crate::evaluate::program::Scratch;
use crate::evaluate::run::place_in_buckets;

/// At most so many instants to come are looked at.
const MOST_INSTANTS: usize = 200;

impl Question {
    /// Why the condition holds at `now` for a contact, or does not. `history` holds what
    /// [`needs`](Self::needs) names, or more; `population` the thresholds of the rankings of its
    /// [`program`](Self::program).
    pub fn explain(
        &self,
        contact: &ContactView<'_>,
        history: &History<'_>,
        population: &Population,
        now: Timestamp,
    ) -> Explanation {
        let mut scratch = Scratch::default();
        let mut explaining = self.explaining(&mut scratch, contact, history, population, now);
        explaining.turns = self.turns(&mut scratch, contact, history, population, &explaining.outcomes);
        let mut root = explaining.part(&self.root);
        smallest::mark_decisive(&mut root);
        let smallest = smallest::to_turn(&root);
        let zone = explaining.looking.zone();
        let mut explanation = Explanation { at: now, zone, root, smallest, touched: Vec::new() };
        let leaves = explanation.smallest.as_deref().unwrap_or_default();
        explanation.touched = smallest::touched(&explanation.parts(), leaves);
        explanation
    }

    /// What the condition asks of contacts: the names of its leaves, each once.
    pub fn names(&self) -> Vec<String> {
        self.leaves().into_iter().map(|(name, _)| name).collect()
    }

    /// The values of a contact by these names; see [`explain`](Self::explain).
    pub fn values(
        &self,
        contact: &ContactView<'_>,
        history: &History<'_>,
        population: &Population,
        now: Timestamp,
    ) -> Vec<Option<Value>> {
        let mut explaining = self.explaining(&mut Scratch::default(), contact, history, population, now);
        self.leaves().into_iter().map(|(_, leaf)| explaining.find(leaf).value).collect()
    }

    /// The leaves that read different things, with a name for each.
    fn leaves(&self) -> Vec<(String, &AskedLeaf)> {
        let mut leaves: Vec<(String, &AskedLeaf)> = Vec::new();
        collect_leaves(&self.root, &mut leaves);
        leaves
    }

    fn explaining<'a>(
        &'a self,
        scratch: &mut Scratch,
        contact: &'a ContactView<'a>,
        history: &'a History<'a>,
        population: &'a Population,
        now: Timestamp,
    ) -> Explaining<'a> {
        let evaluation = self.program.evaluate(scratch, contact, history, population, now);
        let (outcomes, traits, scores) =
            (evaluation.outcomes.to_vec(), evaluation.traits.to_vec(), evaluation.scores.to_vec());
        let ranks = evaluation.ranks.to_vec();
        Explaining {
            acts: &self.acts,
            turns: Vec::new(),
            population,
            ranks,
            contact,
            outcomes,
            traits,
            scores,
            looking: Looking::new(&self.program, contact, history, now),
            parts: 0,
        }
    }

    /// When each part's answer becomes another. What is said of how long an answer is good for may be too
    /// early, never too late: so it is asked again then, until it is another.
    fn turns(
        &self,
        scratch: &mut Scratch,
        contact: &ContactView<'_>,
        history: &History<'_>,
        population: &Population,
        now: &[Outcome],
    ) -> Vec<Option<Turn>> {
        let mut current = now.to_vec();
        let mut turns: Vec<Option<Turn>> = vec![None; now.len()];
        for _ in 0..MOST_INSTANTS {
            let open = current.iter().zip(&turns).filter(|(_, turn)| turn.is_none());
            let Some(at) = open.filter_map(|(outcome, _)| outcome.until).min() else { return turns };
            let evaluation = self.program.evaluate(scratch, contact, history, population, at);
            for (place, outcome) in evaluation.outcomes.iter().enumerate() {
                // Whether it is another one is certain only where it could become so.
                if turns[place].is_none() && current[place].until == Some(at) {
                    let turned = outcome.holds != now[place].holds;
                    turns[place] = turned.then_some(Turn { at, is_certain: true });
                    current[place] = *outcome;
                }
            }
        }
        for (turn, outcome) in turns.iter_mut().zip(current) {
            *turn = turn.or(outcome.until.map(|at| Turn { at, is_certain: false }));
        }
        turns
    }
}

/// Leaves in the order of reading; those that read the same as one before are left out. Of events a name tells
/// which, and of several the same measure which of them by its number.
fn collect_leaves<'q>(part: &'q Asked, leaves: &mut Vec<(String, &'q AskedLeaf)>) {
    if let Some(leaf) = &part.leaf
        && !leaves.iter().any(|(_, known)| known.reading.is_same(&leaf.reading))
        && !matches!(leaf.reading, Reading::Bucket(_))
    {
        let name = match (&leaf.reading, &leaf.defined) {
            (Reading::Events(read), None) => format!("{} {}", read.query.event, leaf.subject),
            _ => leaf.subject.clone(),
        };
        let before =
            leaves.iter().filter(|(known, _)| *known == name || known.starts_with(&format!("{name} #")));
        let name = match before.count() {
            0 => name,
            others => format!("{name} #{}", others + 1),
        };
        leaves.push((name, leaf));
    }
    for part in &part.parts {
        collect_leaves(part, leaves);
    }
}

fn is_gap(asked: &AskedLeaf) -> bool {
    matches!(&asked.reading, Reading::Events(read) if read.kind == MeasureKind::Every)
}

/// A contact's answers at one instant.
struct Explaining<'a> {
    acts: &'a Acts,
    contact: &'a ContactView<'a>,
    outcomes: Vec<Outcome>,
    traits: Vec<Option<Value>>,
    scores: Vec<Option<ScoreValue>>,
    population: &'a Population,
    /// What it is ranked by.
    ranks: Vec<Option<i64>>,
    turns: Vec<Option<Turn>>,
    looking: Looking<'a>,
    /// So many parts have their numbers.
    parts: usize,
}

/// What a leaf finds.
#[derive(Default)]
struct Found {
    value: Option<Value>,
    absence: Option<Absence>,
    note: Option<String>,
    events: Option<Evidence>,
    place: Option<Placed>,
}

impl Explaining<'_> {
    fn part(&mut self, asked: &Asked) -> Part {
        let number = self.parts;
        self.parts += 1;
        let parts = asked.parts.iter().map(|part| self.part(part)).collect();
        let (holds, turns) = (self.outcomes[asked.outcome].holds, self.turns[asked.outcome]);
        let words = asked.words.clone();
        let leaf = asked.leaf.as_ref().map(|leaf| self.leaf(leaf, &words, holds, turns));
        Part { number, kind: asked.kind, words, holds, decides: false, turns, parts, leaf }
    }

    fn leaf(&mut self, asked: &AskedLeaf, words: &str, holds: bool, turns: Option<Turn>) -> Leaf {
        let Found { value, absence, note, events, place } = self.find(asked);
        let note = note.or_else(|| self.how_long_ago(asked, value.as_ref()?));
        let trial = asked.alone.as_deref().map(|program| Trial {
            program,
            value_type: asked.value_type,
            acts: self.acts,
            contact: self.contact,
            history: self.looking.history(),
            population: self.population,
            scratch: RefCell::default(),
        });
        let change = change::of_leaf(&change::Situation {
            leaf: asked,
            words,
            holds,
            value: value.as_ref(),
            place: place.as_ref(),
            consent_since: match &asked.reading {
                Reading::Consent(purpose, _) => self.contact.consent(*purpose).since,
                _ => None,
            },
            turns,
            evidence: events.as_ref(),
            trial: trial.as_ref(),
            moment: self.looking.moment(),
            installation: self.looking.installation(),
        });
        Leaf {
            subject: asked.subject.clone(),
            value,
            absence,
            note,
            defined: asked.defined.clone(),
            events,
            place,
            change,
            rests_on: asked.rests_on(),
        }
    }

    fn find(&mut self, asked: &AskedLeaf) -> Found {
        match &asked.reading {
            Reading::Attribute(wire_name) => self.attribute(wire_name, asked.value_type),
            Reading::Fact(fact) => {
                let text = match fact {
                    AttributeRef::Id => self.contact.external_id,
                    AttributeRef::Email => self.contact.email,
                    AttributeRef::TimeZone => self.contact.time_zone,
                    AttributeRef::Language => self.contact.language,
                    AttributeRef::CreatedAt | AttributeRef::Declared(_) => None,
                };
                let value = match fact {
                    AttributeRef::CreatedAt => Some(Value::Datetime(self.contact.created_at)),
                    _ => text.map(|text| Value::Text(text.to_owned())),
                };
                Found { absence: value.is_none().then_some(Absence::Unknown), value, ..Found::default() }
            }
            Reading::Events(read) => self.events(read),
            Reading::Ranked(read) => self.ranked(read, asked.value_type),
            Reading::Score { place, levels, .. } => {
                let score = self.scores[*place];
                let number = score.and_then(|score| Number::parse(&format!("{:.6}", score.value)).ok());
                let level =
                    score.and_then(|score| levels.get(score.level?)).map(|level| format!("level {level}"));
                Found { value: number.map(Value::Number), note: level, ..Found::default() }
            }
            Reading::Consent(purpose, _) => {
                let consent = self.contact.consent(*purpose);
                let since = consent.since.map(|since| self.day(since));
                let note = since.map(|since| format!("since {since}"));
                Found { value: Some(Value::Text(consent.state.word().to_owned())), note, ..Found::default() }
            }
            Reading::Bucket(bucket) => {
                let hundredths = i64::from(place_in_buckets(&bucket.salt, self.contact.key));
                let percent = Number::from_millionths(hundredths * (crate::domain::number::ONE / 100));
                Found { value: Some(Value::Number(percent)), ..Found::default() }
            }
        }
    }

    /// Of a day or instant the age, where that is tested, else how far it is; of a gap how long it is.
    fn how_long_ago(&self, asked: &AskedLeaf, value: &Value) -> Option<String> {
        let counted =
            |count: i64, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let day = match value {
            Value::Number(Number::GREATEST) => return Some("or more".to_owned()),
            Value::Number(Number::LEAST) => return Some("or less".to_owned()),
            Value::Date(day) => *day,
            Value::Datetime(at) => self.day(*at),
            Value::Number(seconds) if is_gap(asked) => {
                return Some(format!("{:.1} days", seconds.to_f64() / 86_400.0));
            }
            _ => return None,
        };
        let today = self.looking.moment().today;
        let is_age = |operator: &Operator| matches!(operator, Operator::Age(_));
        if asked.test.operators.iter().any(is_age) {
            return age(day, today).map(|years| format!("{} old", counted(years.into(), "year", "years")));
        }
        Some(match (today - day).num_days() {
            0 => "today".to_owned(),
            days @ 1.. => format!("{} ago", counted(days, "day", "days")),
            days => format!("in {}", counted(-days, "day", "days")),
        })
    }

    fn day(&self, at: Timestamp) -> NaiveDate {
        crate::domain::calendar::day_of(at, self.looking.zone())
    }

    /// As the evaluator reads it: of two members with one key the last one counts.
    fn attribute(&self, wire_name: &str, value_type: ValueType) -> Found {
        let token = token_of(self.contact.attributes, wire_name);
        let token = token.filter(|token| !value::says_nothing(value_type, *token));
        let value = token.and_then(|token| value::of_token(value_type, token, self.looking.installation()));
        let absence = match (&value, token) {
            (Some(_), _) => None,
            (None, None) => Some(Absence::Unknown),
            (None, Some(token)) => {
                let shown = value::token_text(token).map_or_else(|| "a list or map".to_owned(), Into::into);
                Some(Absence::Unreadable(shown))
            }
        };
        Found { value, absence, ..Found::default() }
    }

    fn ranked(&mut self, read: &ReadRanked, value_type: ValueType) -> Found {
        let value = |rank: i64| match value_type {
            ValueType::Datetime => Value::Datetime(Timestamp::from_micros(rank)),
            _ => Value::Number(Number::from_millionths(rank)),
        };
        let own = self.ranks[read.rank].map(value);
        let threshold = self.population.threshold(&read.ranked);
        let bounds = threshold.and_then(|threshold| threshold.bounds).map(|Bounds { from, to }| {
            (
                Some(from).filter(|from| *from > i64::MIN).map(value),
                Some(to).filter(|to| *to < i64::MAX).map(value),
            )
        });
        let place = Placed {
            at: threshold.map(|threshold| threshold.at),
            contacts: threshold.map_or(0, |threshold| threshold.contacts),
            bounds,
        };
        let found = self.events(&read.events);
        let absence = own.is_none().then_some(found.absence.unwrap_or(Absence::NoEvents));
        Found { value: own, absence, place: Some(place), ..found }
    }

    fn events(&mut self, read: &ReadEvents) -> Found {
        let value = self.traits[read.place].clone();
        let evidence = self.looking.evidence(read);
        let absence = match (&value, evidence.counted, &read.kind) {
            (Some(_), ..) => None,
            (None, 0, _) => Some(Absence::NoEvents),
            (None, 1, MeasureKind::Every | MeasureKind::MeanGap) => Some(Absence::TooFew),
            (None, ..) => Some(Absence::NoProperty),
        };
        Found { value, absence, events: Some(evidence), ..Found::default() }
    }
}

/// What a JSON object has under a name; of two members with one name the last one counts.
fn token_of<'a>(object: &'a str, wire_name: &str) -> Option<Token<'a>> {
    json::members(object).filter(|(key, _)| key.is(wire_name)).last().map(|(_, token)| token)
}

/// As [`token_of`], as a value of a type; local times are a zone's.
pub(super) fn member(object: &str, wire_name: &str, value_type: ValueType, zone: Zone) -> Option<Value> {
    token_of(object, wire_name).and_then(|token| value::of_token(value_type, token, zone))
}
