//! What is certain of conditions, whatever contacts did: that nobody can meet all of some, or that
//! everybody does. Where nothing is said, anything may be.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::condition::BUILT_IN;
use super::lint::{self, contradiction};
use super::reach::{Reach, asked_of, denies, says};
use crate::domain::catalogue::Catalogue;
use crate::domain::condition::{
    AttributeRef, Condition, ConsentTest, EventQuery, Measure, MeasureKind, Operator, Test,
};
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::name::{ScoreName, SegmentName, TraitName};
use crate::domain::number::Number;
use crate::domain::value::Value;

/// So many parts are looked at, with segments unfolded; behind that nothing is certain.
const MOST_STEPS: u32 = 20_000;

/// So many parts are held against each other.
const MOST_PARTS: usize = 100;

/// A condition that holds, or that does not.
pub(super) type Part<'c> = (&'c Condition, bool);

/// Looks at the conditions of a catalogue.
pub(super) struct Certainty<'c> {
    catalogue: &'c Catalogue,
    /// Segments of which it was said already that they have nobody in them, or everybody.
    told: &'c BTreeSet<SegmentName>,
    steps: Cell<u32>,
}

/// What a test is of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Subject<'c> {
    Attribute(&'c AttributeRef),
    Trait(&'c TraitName),
    Score(&'c ScoreName),
    Measure(&'c EventQuery, &'c MeasureKind),
}

/// All that is asked of one subject at once.
struct Asked<'c> {
    subject: Subject<'c>,
    exact_case: bool,
    operators: Vec<Operator>,
}

impl<'c> Certainty<'c> {
    /// Of the conditions of a catalogue; what is `told` of segments is not said again of those who use them.
    pub(super) const fn new(catalogue: &'c Catalogue, told: &'c BTreeSet<SegmentName>) -> Self {
        Self { catalogue, told, steps: Cell::new(0) }
    }

    /// Why nobody can meet all of these, if that is certain.
    pub(super) fn nobody(&self, parts: &[Part<'c>]) -> Option<String> {
        let mut literals = Vec::new();
        if let Some(reason) = parts.iter().find_map(|part| self.gather(*part, &mut literals)) {
            return Some(reason);
        }
        if literals.len() > MOST_PARTS {
            return None;
        }
        for (place, (condition, wanted)) in literals.iter().enumerate() {
            let opposite = |(other, not): &Part<'_>| other == condition && not != wanted;
            if literals[..place].iter().any(opposite) {
                return Some(match condition {
                    Condition::Segment(name) => format!("it asks for `{name}` and leaves `{name}` out"),
                    _ => "it asks for something and for its opposite".to_owned(),
                });
            }
        }
        self.tests_exclude(&literals)
            .or_else(|| consents_exclude(&literals))
            .or_else(|| self.events_exclude(&literals))
    }

    /// Whether every contact meets a condition, if that is certain and not written in so many words.
    pub(super) fn is_everybody(&self, condition: &'c Condition) -> bool {
        !self.names_everyone(condition) && self.nobody(&[(condition, false)]).is_some()
    }

    fn names_everyone(&self, condition: &'c Condition) -> bool {
        match condition {
            Condition::Everyone => true,
            Condition::Segment(name) => self.unfolded(name).is_some_and(|one| self.names_everyone(one)),
            Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => {
                parts.iter().any(|part| self.names_everyone(part))
            }
            _ => false,
        }
    }

    /// The condition of a segment, unless it was told of.
    pub(super) fn unfolded(&self, name: &SegmentName) -> Option<&'c Condition> {
        self.steps.set(self.steps.get() + 1);
        let known = self.steps.get() < MOST_STEPS && !self.told.contains(name);
        self.catalogue.segments.get(name).filter(|_| known).map(|segment| &segment.condition)
    }

    /// Takes a part apart into those that all hold at once; why one of them never does, if so.
    fn gather(&self, (condition, wanted): Part<'c>, literals: &mut Vec<Part<'c>>) -> Option<String> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return None;
        }
        match (condition, wanted) {
            (Condition::All(parts), true) => {
                parts.iter().find_map(|part| self.gather((part, true), literals))
            }
            (Condition::Any(parts), false) | (Condition::None(parts), true) => {
                parts.iter().find_map(|part| self.gather((part, false), literals))
            }
            (Condition::All(parts), false) => self.none_of_them(condition, wanted, parts, false, literals),
            (Condition::Any(parts), true) | (Condition::None(parts), false) => {
                self.none_of_them(condition, wanted, parts, true, literals)
            }
            (Condition::Segment(name), _) => {
                literals.push((condition, wanted));
                self.unfolded(name).and_then(|unfolded| self.gather((unfolded, wanted), literals))
            }
            (Condition::Everyone, true) => None,
            (Condition::Everyone, false) => Some("everyone is left out".to_owned()),
            (_, true) => {
                literals.push((condition, true));
                None
            }
            (_, false) => {
                literals.push((condition, false));
                self.is_always(condition).then(|| "what always holds is left out".to_owned())
            }
        }
    }

    /// One of the parts is enough: why not one of them can be met, if so.
    fn none_of_them(
        &self,
        condition: &'c Condition,
        wanted: bool,
        parts: &'c [Condition],
        each: bool,
        literals: &mut Vec<Part<'c>>,
    ) -> Option<String> {
        if let [only] = parts {
            return self.gather((only, each), literals);
        }
        literals.push((condition, wanted));
        let mut first = None;
        for part in parts {
            first = first.or(Some(self.nobody(&[(part, each)])?));
        }
        first
    }

    /// Whether a leaf holds of every contact: a bound below which nothing is.
    fn is_always(&self, leaf: &Condition) -> bool {
        let within = |reach: &Reach, test: &Test| {
            reach.always && test.operators.iter().all(|operator| reach.implies(operator))
        };
        match leaf {
            Condition::Did(leaf) => leaf
                .measures
                .iter()
                .all(|measure| within(&Reach::of(&leaf.events, &measure.kind), &measure.test)),
            Condition::Trait(..) | Condition::Score(..) => {
                self.tested(leaf).is_some_and(|(reach, test)| within(&reach, test))
            }
            Condition::Bucket(bucket) => bucket.from == 0 && bucket.to == 10_000,
            _ => false,
        }
    }

    /// The reach of a trait or score, and what is asked of it.
    fn tested<'l>(&self, leaf: &'l Condition) -> Option<(Reach, &'l Test)> {
        match leaf {
            Condition::Trait(name, test) => {
                let declared = self.catalogue.traits.get(name)?;
                Some((Reach::of(&declared.events, &declared.measure), test))
            }
            Condition::Score(name, test) => {
                let (low, high) = self.catalogue.scores.get(name)?.range;
                Some((Reach { low: Some(low), high: Some(high), always: true }, test))
            }
            _ => None,
        }
    }

    /// Whether a test of a score asks for more, or for less, than it is of no events.
    pub(super) fn asks_for_points(&self, name: &ScoreName, test: &Test) -> bool {
        let Some(score) = self.catalogue.scores.get(name) else { return false };
        let of_nothing = Number::ZERO.clamp(score.range.0, score.range.1);
        let operators = test.operators.iter().cloned().chain([Operator::Is(Value::Number(of_nothing))]);
        contradiction(&operators.collect::<Vec<_>>(), test.exact_case).is_some()
    }

    /// Why tests of one subject cannot all be met.
    fn tests_exclude(&self, literals: &[Part<'c>]) -> Option<String> {
        let mut asked: Vec<Asked<'c>> = Vec::new();
        let mut add = |subject: Subject<'c>, test: &Test, operators: Vec<Operator>, reach: Option<&Reach>| {
            let exact_case = test.exact_case;
            let same = |one: &&mut Asked<'c>| one.subject == subject && one.exact_case == exact_case;
            if let Some(one) = asked.iter_mut().find(same) {
                one.operators.extend(operators);
            } else {
                let mut all: Vec<_> = reach.map(Reach::operators).unwrap_or_default();
                all.extend(operators);
                asked.push(Asked { subject, exact_case, operators: all });
            }
        };
        for (condition, wanted) in literals {
            match condition {
                Condition::Attribute(name, test) if *wanted => {
                    add(Subject::Attribute(name), test, test.operators.clone(), None);
                }
                Condition::Trait(name, test) => {
                    let reach = self.tested(condition).map(|(reach, _)| reach);
                    if let Some(operators) = asked_of(test, *wanted, reach.as_ref()) {
                        add(Subject::Trait(name), test, operators, reach.as_ref());
                    }
                }
                Condition::Score(name, test) => {
                    let reach = self.tested(condition).map(|(reach, _)| reach);
                    if let Some(operators) = asked_of(test, *wanted, reach.as_ref()) {
                        add(Subject::Score(name), test, operators, reach.as_ref());
                    }
                }
                Condition::Did(leaf) => {
                    // Of several measures that do not all hold, nobody knows which does not.
                    for Measure { kind, test } in
                        leaf.measures.iter().filter(|_| *wanted || leaf.measures.len() == 1)
                    {
                        let reach = Reach::of(&leaf.events, kind);
                        if let Some(operators) = asked_of(test, *wanted, Some(&reach)) {
                            add(Subject::Measure(&leaf.events, kind), test, operators, Some(&reach));
                        }
                    }
                }
                _ => {}
            }
        }
        asked.iter().find_map(|one| {
            let reason = contradiction(&one.operators, one.exact_case)?;
            Some(format!("{} meets all its tests: {reason}", named(one.subject)))
        })
    }

    /// Why something must and must not have happened.
    fn events_exclude(&self, literals: &[Part<'c>]) -> Option<String> {
        let happened: Vec<&EventQuery> = literals.iter().filter_map(|part| self.query(*part, true)).collect();
        literals.iter().filter_map(|part| self.query(*part, false)).find_map(|never| {
            let excluded = happened.iter().any(|query| lint::is_among(query, never));
            excluded.then(|| format!("`{}` must have happened, and must not", never.event))
        })
    }

    /// The events of which a part says that there is one (or, not `happened`, that there is none).
    pub(super) fn query(&self, (condition, wanted): Part<'c>, happened: bool) -> Option<&'c EventQuery> {
        let (events, kind, test) = match condition {
            Condition::Did(leaf) => {
                let says = |measure: &&Measure| says(&measure.kind, &measure.test, happened);
                let one = || leaf.measures.first().filter(|_| leaf.measures.len() == 1);
                let found = if wanted {
                    leaf.measures.iter().find(says)
                } else {
                    one().filter(|one| denies(&one.kind, &one.test, happened))
                };
                return found.map(|_| &leaf.events);
            }
            Condition::Trait(name, test) => {
                let declared = self.catalogue.traits.get(name)?;
                (&declared.events, &declared.measure, test)
            }
            _ => return None,
        };
        let does = if wanted { says(kind, test, happened) } else { denies(kind, test, happened) };
        does.then_some(events)
    }
}

/// Why two answers to one question are asked for.
fn consents_exclude(literals: &[Part<'_>]) -> Option<String> {
    let mut answers: Vec<(Purpose, ConsentState)> = Vec::new();
    for (condition, _) in literals.iter().filter(|(_, wanted)| *wanted) {
        let Condition::Consent(purpose, test) = condition else { continue };
        let state = match test {
            ConsentTest::Is(state) => *state,
            ConsentTest::Since(_) => ConsentState::Yes,
        };
        if answers.iter().any(|(asked, other)| asked == purpose && *other != state) {
            return Some(format!("consent to `{}` has one answer at a time", purpose.word()));
        }
        answers.push((*purpose, state));
    }
    None
}

/// What a message calls that of which none is left.
fn named(subject: Subject<'_>) -> String {
    match subject {
        Subject::Attribute(AttributeRef::Declared(name)) => format!("no `{name}`"),
        Subject::Attribute(built_in) => {
            let word = BUILT_IN.iter().find(|(_, one, _)| one == built_in).map_or("", |(word, ..)| word);
            format!("no `{word}`")
        }
        Subject::Trait(name) => format!("no `{name}`"),
        Subject::Score(name) => format!("no `{name}`"),
        Subject::Measure(events, _) => format!("nothing that `{}` amounts to", events.event),
    }
}
