//! What would turn a leaf, if nothing else changed: found by asking the evaluator's own tests of other
//! values.

use super::reading::{AskedLeaf, Reading};
use super::solve::Tested;
use super::tree::{Change, Evidence, Means, Placed, Target, Turn};
use super::trial::Trial;
use crate::domain::calendar;
use crate::domain::condition::{AttributeRef, ConsentTest, DateBound, Test};
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::number::{Number, ONE};
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{Value, ValueType};
use crate::domain::written;
use crate::evaluate::moment::Moment;

/// A leaf with what it found.
pub(super) struct Situation<'a> {
    pub(super) leaf: &'a AskedLeaf,
    /// The words of the leaf.
    pub(super) words: &'a str,
    pub(super) holds: bool,
    pub(super) value: Option<&'a Value>,
    /// Of a place in a ranking, where it lies.
    pub(super) place: Option<&'a Placed>,
    pub(super) consent_since: Option<Timestamp>,
    /// When time alone turns it.
    pub(super) turns: Option<Turn>,
    /// The events that it rests on.
    pub(super) evidence: Option<&'a Evidence>,
    /// What is tried of events.
    pub(super) trial: Option<&'a Trial<'a>>,
    pub(super) moment: &'a Moment,
    /// The installation's zone.
    pub(super) installation: Zone,
}

/// What would turn the leaf; `None`: nothing that is known of.
pub(super) fn of_leaf(situation: &Situation<'_>) -> Option<Change> {
    match &situation.leaf.reading {
        // Fixed when the contact is created: when that was, and its place in buckets.
        Reading::Fact(AttributeRef::CreatedAt) | Reading::Bucket(_) => situation.of_time(None),
        Reading::Attribute(_) | Reading::Fact(_) => {
            // What somebody does is nearer than who they are, and that nearer than when they were born.
            let further = if situation.leaf.value_type == ValueType::Date { 4.0 } else { 2.0 };
            let change =
                situation.of_value().map(|change| Change { distance: change.distance + further, ..change });
            change.or_else(|| situation.of_time(None))
        }
        Reading::Events(read) => situation.of_events(read),
        Reading::Score { points, range, .. } => situation.of_score(points, *range),
        Reading::Consent(purpose, test) => situation.of_consent(*purpose, *test),
        Reading::Ranked(read) => situation.of_place(read),
    }
}

impl Situation<'_> {
    pub(super) fn subject(&self) -> &str {
        &self.leaf.subject
    }

    /// A test, to be asked of other values.
    pub(super) fn tested<'t>(&self, test: &'t Test, value_type: ValueType) -> Tested<'t> {
        Tested::new(test, value_type, self.moment, self.installation)
    }

    pub(super) fn number(&self) -> Option<Number> {
        if let Some(Value::Number(number)) = self.value { Some(*number) } else { None }
    }

    /// `instead of 12`, or of none.
    pub(super) fn instead(&self) -> String {
        match self.value {
            Some(value) => format!("instead of {}", written::value(value)),
            None => "instead of none".to_owned(),
        }
    }

    fn of_consent(&self, purpose: Purpose, test: ConsentTest) -> Option<Change> {
        use ConsentState::{No, Unknown, Yes};
        let to = match test {
            ConsentTest::Is(state) if !self.holds => state,
            ConsentTest::Is(Yes) | ConsentTest::Since(_) if self.holds => No,
            ConsentTest::Is(No | Unknown) => Yes,
            // Given now, it is given late enough, unless only the days to come are.
            ConsentTest::Since(bound) => {
                let since = match bound {
                    DateBound::Day(day) => calendar::day_start(day, self.installation),
                    DateBound::Instant(at) => at,
                };
                (since <= self.moment.now).then_some(Yes)?
            }
            ConsentTest::Is(Yes) => No,
        };
        // Nobody takes an answer back.
        if to == Unknown {
            return None;
        }
        let purpose = purpose.word();
        let words = match (self.value, self.consent_since) {
            (Some(Value::Text(now)), Some(_)) if now == to.word() => {
                format!("consent to {purpose} given anew")
            }
            (Some(Value::Text(now)), _) => format!("consent to {purpose} {} instead of {now}", to.word()),
            _ => format!("consent to {purpose} {}", to.word()),
        };
        Some(data(words, Target::Consent(to), 1.0))
    }

    pub(super) fn local(&self, at: Timestamp) -> String {
        calendar::local(at, self.moment.zone).format("%Y-%m-%d %H:%M").to_string()
    }

    pub(super) fn instead_of_instant(&self) -> String {
        match self.value {
            Some(Value::Datetime(at)) => format!("instead of {}", self.local(*at)),
            _ => self.instead(),
        }
    }
}

/// What somebody can do, or say.
pub(super) const fn data(words: String, to: Target, distance: f64) -> Change {
    Change { words, to, means: Means::Data, distance, example: Vec::new(), from: None }
}

/// `142.5 more`, `2 fewer`, `over 3 more` (where the bound itself is not enough).
pub(super) fn more_or_less(from: Number, to: Number, is_whole: bool) -> String {
    let (bound, beyond) = bound_of(to);
    let difference = (i128::from(bound.millionths()) - i128::from(from.millionths())).unsigned_abs();
    let difference = Number::from_millionths(i64::try_from(difference).unwrap_or(i64::MAX));
    let word = match to > from {
        true => "more",
        false if is_whole => "fewer",
        false => "less",
    };
    match beyond {
        None => format!("{difference} {word}"),
        Some(_) if difference == Number::ZERO => format!("a little {word}"),
        Some(_) => format!("over {difference} {word}"),
    }
}

/// `1000`, `over 1000`, `under 1000`.
pub(super) fn told(to: Number) -> String {
    let (bound, beyond) = bound_of(to);
    beyond.map_or_else(|| bound.to_string(), |word| format!("{word} {bound}"))
}

/// The bound that a number is a millionth beyond, if it looks like one.
pub(super) fn bound_of(to: Number) -> (Number, Option<&'static str>) {
    match to.millionths().rem_euclid(1_000) {
        1 => (Number::from_millionths(to.millionths() - 1), Some("over")),
        999 => (Number::from_millionths(to.millionths().saturating_add(1)), Some("under")),
        _ => (to, None),
    }
}

/// How far it is from one number to another, against their size.
pub(super) fn ratio(from: Option<Number>, to: Number) -> f64 {
    let (from, to) = (from.unwrap_or_default().to_f64(), to.to_f64());
    (to - from).abs() / from.abs().max(to.abs()).max(Number::from_millionths(ONE).to_f64())
}

pub(super) fn years(from: Option<Timestamp>, to: Timestamp) -> f64 {
    /// Microseconds.
    const A_YEAR: f64 = 365.0 * 86_400e6;
    from.map_or(1.0, |from| from.micros().abs_diff(to.micros()) as f64 / A_YEAR)
}
