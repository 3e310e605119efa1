//! What would turn a leaf, if nothing else changed: found by asking the evaluator's own tests of other
//! values.

use super::date::nearest_instant;
use super::number::{Range, nearest};
use super::question::{AskedLeaf, ReadEvents, ReadRanked, Reading};
use super::tree::{Change, Means, Placed, Target};
use crate::domain::calendar;
use crate::domain::condition::{AttributeRef, ConsentTest, DateBound, MeasureKind, Operator};
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::number::{Number, ONE};
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{Value, ValueType};
use crate::domain::written;
use crate::evaluate::moment::Moment;
use crate::evaluate::slots::Slot;

/// A leaf with what it found.
pub(super) struct Situation<'a> {
    pub(super) leaf: &'a AskedLeaf,
    pub(super) holds: bool,
    pub(super) value: Option<&'a Value>,
    /// Of a place in a ranking, where it lies.
    pub(super) place: Option<&'a Placed>,
    pub(super) consent_since: Option<Timestamp>,
    /// Whether time alone turns it.
    pub(super) turns_by_itself: bool,
    pub(super) moment: &'a Moment,
    /// The installation's zone.
    pub(super) installation: Zone,
}

/// What would turn the leaf; `None`: nothing that is known of.
pub(super) fn of_leaf(situation: &Situation<'_>) -> Option<Change> {
    match &situation.leaf.reading {
        // Fixed when the contact is created: when that was, and its place in buckets.
        Reading::Fact(AttributeRef::CreatedAt) | Reading::Bucket(_) => None,
        Reading::Attribute(_) | Reading::Fact(_) => {
            // What somebody does is nearer than who they are, and that nearer than when they were born.
            let further = if situation.leaf.value_type == ValueType::Date { 4.0 } else { 2.0 };
            situation.of_value().map(|change| Change { distance: change.distance + further, ..change })
        }
        Reading::Events(read) => situation.of_events(read),
        Reading::Score { range, .. } => situation.of_score(*range),
        Reading::Consent(purpose, test) => situation.of_consent(*purpose, *test),
        Reading::Ranked(read) => situation.of_place(read),
    }
}

impl Situation<'_> {
    pub(super) fn subject(&self) -> &str {
        &self.leaf.subject
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

    fn of_score(&self, range: (Number, Number)) -> Option<Change> {
        let to = nearest(&self.leaf.test, self.holds, self.number(), Range::between(range))?;
        let now = self.number().unwrap_or_default();
        let words = format!("{} in {}", more_or_less(now, to, false), self.subject());
        // Points are given; they fade by themselves.
        let means = if to < now && self.turns_by_itself { Means::Time } else { Means::Data };
        Some(Change { words, to: Target::Number(to), means, distance: ratio(Some(now), to) })
    }

    /// Of a place: the nearest value on the other side of its bounds, as long as these stand.
    fn of_place(&self, read: &ReadRanked) -> Option<Change> {
        let (from, to) = self.place?.bounds.as_ref()?;
        let raw = |value: &Value| match value {
            Value::Number(number) => Some(number.millionths()),
            Value::Datetime(at) => Some(at.micros()),
            _ => None,
        };
        let (from, to) = (from.as_ref().and_then(raw), to.as_ref().and_then(raw));
        let is_whole = is_counted(&read.events.kind);
        let step = if is_whole { ONE } else { 1 };
        let events = written::query(&read.events.query);
        if self.value.is_none() {
            // What it will amount to is told by the bounds.
            return Some(data(
                format!("one {events}, so that {} is in", self.subject()),
                Target::Present,
                1.0,
            ));
        }
        let now = self.value.and_then(raw);
        let aim = match now {
            _ if self.holds => {
                let (below, above) =
                    (from.map(|from| from.saturating_sub(step)), to.map(|to| to.saturating_add(step)));
                below.or(above)?
            }
            Some(now) if from.is_some_and(|from| now < from) => from?,
            Some(_) => to?,
            None => return None,
        };
        let subject = self.subject();
        if self.leaf.value_type == ValueType::Datetime {
            let aim = Timestamp::from_micros(aim);
            let words = format!("{subject} {} {}", self.local(aim), self.instead_of_instant());
            return Some(data(words, Target::Value(Value::Datetime(aim)), 1.0));
        }
        let (aim, now) = (Number::from_millionths(aim), self.number().unwrap_or_default());
        let words = format!("{} in {subject} ({events})", more_or_less(now, aim, is_whole));
        let means = if aim < now && self.turns_by_itself { Means::Time } else { Means::Data };
        Some(Change { words, to: Target::Number(aim), means, distance: ratio(Some(now), aim) })
    }

    fn of_events(&self, read: &ReadEvents) -> Option<Change> {
        let events = written::query(&read.query);
        match &read.kind {
            MeasureKind::FirstAt | MeasureKind::LastAt => return self.of_instants(read, &events),
            MeasureKind::MostCommon(_) | MeasureKind::Latest(_)
                if self.leaf.value_type != ValueType::Number =>
            {
                let change = self.of_value()?;
                return Some(Change { words: format!("{} ({events})", change.words), ..change });
            }
            _ => {}
        }
        if self.value.is_none() && self.leaf.test.operators == [Operator::Exists(true)] {
            return Some(data(format!("one {events}"), Target::Present, 1.0));
        }
        if self.value.is_none() && matches!(read.kind, MeasureKind::Every | MeasureKind::MeanGap) {
            let test = written::test(&self.leaf.test);
            let test = if read.kind == MeasureKind::Every { "that is asked for".to_owned() } else { test };
            return Some(data(format!("two {events}, in the gap {test}"), Target::Present, 2.0));
        }
        if read.kind == MeasureKind::DaysSince && self.number_turns(Number::ZERO) {
            return Some(data(format!("one {events} now"), Target::Number(Number::ZERO), 0.5));
        }
        let range = match read.kind {
            MeasureKind::Times
            | MeasureKind::Distinct(_)
            | MeasureKind::DistinctDays
            | MeasureKind::DaysSince => Range::COUNTS,
            MeasureKind::Share(_) => Range::SHARES,
            _ => Range::ALL,
        };
        let now = self.number();
        let to = nearest(&self.leaf.test, self.holds, now, range)?;
        let from = now.unwrap_or_default();
        let difference = more_or_less(from, to, range.is_whole());
        let last = read.query.last.map(|last| Number::from_millionths(i64::from(last) * ONE));
        if last.is_some_and(|last| read.kind == MeasureKind::Times && to > last) {
            return None;
        }
        let words = match &read.kind {
            // A new event pushes an old one out of the last: how many it takes is not the difference.
            MeasureKind::Times if last.is_some() => format!("{to} {}, of {events}", self.instead()),
            MeasureKind::Times => format!("{difference} {events}"),
            MeasureKind::Total(property) => format!("{difference} {} of {events}", property.0),
            MeasureKind::Distinct(property) => format!("{difference} different {} of {events}", property.0),
            MeasureKind::DistinctDays => format!("{difference} days with {events}"),
            MeasureKind::DaysSince => format!("the last {events} {to} days ago {}", self.instead()),
            kind => {
                let (word, property) = written::measure_words(kind);
                let of = property.map(|property| format!(" of {}", property.0)).unwrap_or_default();
                let (to, instead) = match (kind, now) {
                    (MeasureKind::Every, Some(now)) => (in_days(to), format!("instead of {}", in_days(now))),
                    (MeasureKind::Every, None) => (in_days(to), self.instead()),
                    _ => (told(to), self.instead()),
                };
                format!("{word}{of} {to} {instead}, of {events}")
            }
        };
        // What is counted can be added to; less of it there is only when it leaves the window. (Of an amount also
        // when somebody gets money back.)
        let is_undone =
            read.query.last.is_some() || read.query.then.as_ref().is_some_and(|then| then.negated);
        let only_grows = is_counted(&read.kind) && !is_undone;
        let sums = matches!(read.kind, MeasureKind::Total(_));
        let means = match (to < from, self.turns_by_itself) {
            (true, true) if only_grows || sums => Means::Time,
            (true, false) if only_grows => return None,
            _ => Means::Data,
        };
        Some(Change { words, to: Target::Number(to), means, distance: ratio(Some(from), to) })
    }

    /// Of the first or last event.
    fn of_instants(&self, read: &ReadEvents, events: &str) -> Option<Change> {
        let is_last = read.kind == MeasureKind::LastAt;
        let current = if let Some(Value::Datetime(at)) = self.value { Some(*at) } else { None };
        let window = &read.query.window;
        // A new event is the last one, and the first where there is none, if the window reaches up to now.
        let takes_new = window.older_than.is_none() && window.until.is_none() && read.query.then.is_none();
        if takes_new && (is_last || current.is_none()) && self.turns(Slot::Datetime(self.moment.now)) {
            let now = Value::Datetime(self.moment.now);
            return Some(data(format!("one {events} now"), Target::Value(now), 0.5));
        }
        let found = self.with_check(|check, moment| nearest_instant(check, self.holds, current, moment))?;
        // Nothing that happened is undone: only what is told of late makes the first one an earlier one.
        let is_later = current.is_some_and(|current| found > current);
        if !self.turns_by_itself && (is_last || is_later) {
            return None;
        }
        let which = if is_last { "last" } else { "first" };
        let words = format!("the {which} {events} at {} {}", self.local(found), self.instead_of_instant());
        let means = if self.turns_by_itself { Means::Time } else { Means::Data };
        let distance = years(current, found);
        Some(Change { words, to: Target::Value(Value::Datetime(found)), means, distance })
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

/// Whether it is how many of something.
const fn is_counted(kind: &MeasureKind) -> bool {
    matches!(kind, MeasureKind::Times | MeasureKind::Distinct(_) | MeasureKind::DistinctDays)
}

/// What somebody can do, or say.
pub(super) const fn data(words: String, to: Target, distance: f64) -> Change {
    Change { words, to, means: Means::Data, distance }
}

/// `142.5 more`, `2 fewer`, `over 3 more` (where the bound itself is not enough).
fn more_or_less(from: Number, to: Number, is_whole: bool) -> String {
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
fn bound_of(to: Number) -> (Number, Option<&'static str>) {
    match to.millionths().rem_euclid(1_000) {
        1 => (Number::from_millionths(to.millionths() - 1), Some("over")),
        999 => (Number::from_millionths(to.millionths().saturating_add(1)), Some("under")),
        _ => (to, None),
    }
}

/// A length of time in seconds, in days.
fn in_days(seconds: Number) -> String {
    let (bound, beyond) = bound_of(seconds);
    let days = (bound.to_f64() / 86_400.0 * 100.0).round() / 100.0;
    beyond.map_or_else(|| format!("{days} days"), |word| format!("{word} {days} days"))
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
