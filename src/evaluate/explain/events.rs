//! What would turn a leaf that rests on events: the fewest that do so when they are tried, in words.

use super::attempt::{Attempts, Found};
use super::change::{Situation, bound_of, data, more_or_less, ratio, told, years};
use super::number::Range;
use super::reading::{ReadEvents, ReadRanked};
use super::script::Maker;
use super::tree::{Change, Means, Target};
use crate::domain::condition::{DateBound, MeasureKind, Operator, Test};
use crate::domain::name::EventName;
use crate::domain::number::{Number, ONE};
use crate::domain::time::Timestamp;
use crate::domain::value::{Value, ValueType};
use crate::domain::written;

/// So many events of a kind are tried to raise a score.
const MOST_POINTS: usize = 4_096;

impl Situation<'_> {
    pub(super) fn of_events(&self, read: &ReadEvents) -> Option<Change> {
        let found = self.attempts(read, &self.leaf.test).and_then(|attempts| attempts.best());
        let Some(found) = found else { return self.of_time(Some(read)) };
        let words = self.words_of(read, &found);
        let to = match (&found.value, self.value) {
            _ if self.asks_for_presence() => Target::Present,
            (Some(Value::Number(number)), _) => Target::Number(self.aim(read, *number)),
            (Some(value), _) => Target::Value(value.clone()),
            (None, _) => Target::Absent,
        };
        Some(self.done(words, to, found))
    }

    /// Of a place: another value, as long as the bounds of the ranking stand.
    pub(super) fn of_place(&self, read: &ReadRanked) -> Option<Change> {
        let (from, to) = self.place?.bounds.as_ref()?;
        let goal = Test { operators: within(from.as_ref(), to.as_ref()), exact_case: false };
        let found = self.attempts(&read.events, &goal).and_then(|attempts| attempts.best());
        let Some(found) = found else { return self.of_time(Some(&read.events)) };
        let events = written::query(&read.events.query);
        let subject = self.subject();
        let (words, to) = match &found.value {
            _ if self.value.is_none() => {
                let many = Self::how_many(&read.events, &found);
                (format!("{many} {events}, so that {subject} is in"), Target::Present)
            }
            Some(Value::Number(aim)) if read.events.kind != MeasureKind::DaysSince => {
                let now = self.number().unwrap_or_default();
                let difference = more_or_less(now, *aim, is_counted(&read.events.kind));
                (format!("{difference} in {subject} ({events})"), Target::Number(*aim))
            }
            Some(Value::Number(days)) => (format!("one {events} now"), Target::Number(*days)),
            Some(value) => (
                format!("{} {events} now", Self::how_many(&read.events, &found)),
                Target::Value(value.clone()),
            ),
            None => (format!("no {subject} any more ({events})"), Target::Absent),
        };
        Some(self.done(words, to, found))
    }

    pub(super) fn of_score(&self, points: &[(EventName, Number)], range: (Number, Number)) -> Option<Change> {
        let now = self.number().unwrap_or_default();
        let aims = self.tested(&self.leaf.test, ValueType::Number).numbers(
            !self.holds,
            self.number(),
            Range::between(range),
        );
        let raised = |raises: bool| {
            let worth = points.iter().filter(|(_, points)| (*points > Number::ZERO) == raises);
            let mut worth: Vec<_> = worth.filter(|(_, points)| *points != Number::ZERO).collect();
            worth.sort_by_key(|(_, points)| std::cmp::Reverse(points.millionths().unsigned_abs()));
            let aim = aims.iter().copied().find(|aim| (*aim > now) == raises && *aim != now)?;
            worth.into_iter().find_map(|(event, _)| Some((aim, self.so_many(event)?)))
        };
        // Points are given; they fade by themselves.
        let Some((to, found)) = raised(true).or_else(|| raised(false)) else {
            let fades = self.turns.is_some_and(|turn| turn.is_certain);
            let to = aims.into_iter().find(|aim| *aim < now).filter(|_| fades);
            let Some(to) = to else { return self.of_time(None) };
            let words = format!("{} in {}", more_or_less(now, to, false), self.subject());
            let by_time = data(words, Target::Number(to), ratio(Some(now), to));
            return Some(Change { means: Means::Time, ..by_time });
        };
        let words = format!("{} in {}", more_or_less(now, to, false), self.subject());
        Some(Change { distance: ratio(Some(now), to), ..self.done(words, Target::Number(to), found) })
    }

    /// The fewest events of a name that turn the score.
    fn so_many(&self, event: &EventName) -> Option<Found> {
        let trial = self.trial?;
        let query = crate::domain::condition::EventQuery {
            event: event.clone(),
            window: crate::domain::condition::Window::default(),
            last: None,
            filter: Vec::new(),
            per: None,
            then: None,
        };
        let maker = Maker::new(trial.acts, self.moment, self.installation, &query);
        let one = maker.plain(event);
        let turned = |size: usize| {
            let doings = vec![one.clone(); size];
            trial.ask(&doings, self.moment.now).holds != self.holds
        };
        let first = (1..=16)
            .chain((5..=12).map(|power| 1 << power))
            .find(|size| *size <= MOST_POINTS && turned(*size))?;
        let fewest = if first <= 16 {
            first
        } else {
            (first / 2 + 1..first).find(|size| turned(*size)).unwrap_or(first)
        };
        Some(Found { doings: vec![one; fewest], from: self.moment.now, value: None })
    }

    /// What time alone does, if it does.
    pub(super) fn of_time(&self, read: Option<&ReadEvents>) -> Option<Change> {
        let turn = self.turns?;
        let at = self.local(turn.at);
        let distance = years(Some(self.moment.now), turn.at);
        let by_time = |words, to| Some(Change { means: Means::Time, ..data(words, to, distance) });
        if !turn.is_certain {
            return by_time(format!("{} by itself, not before {at}", self.words), Target::Other);
        }
        let then = self.trial.and_then(|trial| trial.ask(&[], turn.at).value);
        if let (Some(read), Some(Value::Number(number))) = (read, &then)
            && Some(*number) != self.number()
            && read.kind != MeasureKind::DaysSince
        {
            let found = Found { doings: Vec::new(), from: turn.at, value: then.clone() };
            return by_time(self.words_of(read, &found), Target::Number(*number));
        }
        let to = then.map_or(Target::Other, Target::Value);
        by_time(format!("{} turns at {at}", self.words), to)
    }

    fn attempts<'s>(&'s self, read: &'s ReadEvents, goal: &'s Test) -> Option<Attempts<'s>> {
        let trial = self.trial?;
        let maker = Maker::new(trial.acts, self.moment, self.installation, &read.query);
        Some(Attempts {
            situation: self,
            trial,
            maker,
            read,
            goal,
            evidence: self.evidence,
            before: Vec::new(),
        })
    }

    fn done(&self, words: String, to: Target, found: Found) -> Change {
        let now = self.moment.now;
        let distance = match (&to, self.number()) {
            (Target::Number(to), from) => ratio(from, *to),
            _ => 0.5,
        };
        // Money that is given back is no way that anybody thinks of first.
        let is_less = matches!(&to, Target::Number(to) if *to < self.number().unwrap_or_default());
        let distance = distance + if is_less { 4.0 } else { 0.0 };
        let is_later = found.from > now;
        let words = match found.doings.iter().all(|doing| doing.at <= now) {
            _ if !is_later => words,
            true => format!("{words}, done now: from {} on", self.local(found.from)),
            false => format!("{words}, done by {} at the earliest", self.local(found.from)),
        };
        let distance = distance + if is_later { years(Some(now), found.from) } else { 0.0 };
        let from = is_later.then_some(found.from);
        Change { example: found.doings, from, ..data(words, to, distance) }
    }

    fn words_of(&self, read: &ReadEvents, found: &Found) -> String {
        let events = written::query(&read.query);
        let from = self.number().unwrap_or_default();
        let (word, property) = written::measure_words(&read.kind);
        let of = property.map(|property| format!(" of {}", property.0)).unwrap_or_default();
        let many = || Self::how_many(read, found);
        let number = if let Some(Value::Number(number)) = found.value { Some(number) } else { None };
        match (&read.kind, number) {
            (MeasureKind::FirstAt | MeasureKind::LastAt | MeasureKind::DaysSince, _) => {
                format!("{} {events} now", many())
            }
            _ if self.asks_for_presence() => format!("{} {events}", many()),
            (MeasureKind::Every | MeasureKind::MeanGap, _) if self.value.is_none() => {
                let test = match read.kind {
                    MeasureKind::Every => "that is asked for".to_owned(),
                    _ => written::test(&self.leaf.test),
                };
                format!("{} {events}, in the gap {test}", many())
            }
            // A new event pushes an old one out of the last: how many it takes is not the difference.
            (MeasureKind::Times, Some(to)) if read.query.last.is_some() => {
                format!("{to} {}, of {events}", self.instead())
            }
            (MeasureKind::Times, Some(to)) => format!("{} {events}", more_or_less(from, to, true)),
            (MeasureKind::Total(property), Some(to)) => {
                format!("{} {} of {events}", more_or_less(from, to, false), property.0)
            }
            (MeasureKind::Distinct(property), Some(to)) => {
                format!("{} different {} of {events}", more_or_less(from, to, true), property.0)
            }
            (MeasureKind::DistinctDays, Some(to)) => {
                format!("{} days with {events}", more_or_less(from, to, true))
            }
            (MeasureKind::Share(_), Some(to)) => {
                let by = found.doings.iter().filter(|doing| doing.event == read.query.event).count();
                let by = if by > 0 { format!(", by {by} more") } else { String::new() };
                format!("{word} {to} {}, of {events}{by}", self.instead())
            }
            (MeasureKind::Every, Some(to)) => {
                let instead = match self.number() {
                    Some(now) => format!("instead of {}", in_days(now)),
                    None => self.instead(),
                };
                format!("{word} {} {instead}, of {events}", in_days(self.aim(read, to)))
            }
            (MeasureKind::MostCommon(_) | MeasureKind::Latest(_), _) => match &found.value {
                Some(value) => {
                    format!("{} {} {} ({events})", self.subject(), self.named(value), self.instead())
                }
                None => format!("no {} {} ({events})", self.subject(), self.instead()),
            },
            (_, Some(to)) => {
                format!("{word}{of} {} {}, of {events}", told(self.aim(read, to)), self.instead())
            }
            (_, None) => format!("no {word}{of} {}, of {events}", self.instead()),
        }
    }

    /// The number to be told: of what is not counted or added up exactly, the bound that was passed.
    fn aim(&self, read: &ReadEvents, reached: Number) -> Number {
        if !matches!(read.kind, MeasureKind::Every | MeasureKind::MeanGap | MeasureKind::Average(_)) {
            return reached;
        }
        let now = self.number().unwrap_or_default();
        let tested = self.tested(&self.leaf.test, ValueType::Number);
        let aims = tested.numbers(!self.holds, self.number(), Range::ALL);
        let passed = |aim: &Number| {
            (*aim > now) == (reached > now)
                && now.millionths().abs_diff(aim.millionths())
                    <= now.millionths().abs_diff(reached.millionths())
        };
        aims.into_iter().find(passed).unwrap_or(reached)
    }

    /// `one`, `2`: how many of the events themselves it takes.
    fn how_many(read: &ReadEvents, found: &Found) -> String {
        let firsts = found.doings.iter().filter(|doing| doing.event == read.query.event).count();
        let each = found
            .doings
            .iter()
            .filter(|doing| Some(&doing.event) == read.query.then.as_deref().map(|then| &then.event));
        // Where what follows has the same name, half of them follow.
        let firsts = match &read.query.then {
            Some(then) if then.event == read.query.event && !then.negated => firsts.div_ceil(2),
            _ => firsts,
        };
        match firsts.max(usize::from(each.count() > 0)) {
            0 | 1 => "one".to_owned(),
            more => more.to_string(),
        }
    }

    fn asks_for_presence(&self) -> bool {
        self.value.is_none() && self.leaf.test.operators == [Operator::Exists(true)]
    }
}

/// Whether it is how many of something.
const fn is_counted(kind: &MeasureKind) -> bool {
    matches!(kind, MeasureKind::Times | MeasureKind::Distinct(_) | MeasureKind::DistinctDays)
}

/// The bounds of a place as a test of its value.
fn within(from: Option<&Value>, to: Option<&Value>) -> Vec<Operator> {
    let number = |value: &Value| if let Value::Number(number) = value { Some(*number) } else { None };
    let instant =
        |value: Option<&Value>| if let Some(Value::Datetime(at)) = value { Some(*at) } else { None };
    let mut operators: Vec<Operator> = from.and_then(number).map(Operator::AtLeast).into_iter().collect();
    operators.extend(to.and_then(number).map(Operator::AtMost));
    let (first, last) = (instant(from), instant(to));
    if first.or(last).is_some() {
        let first = first.unwrap_or(Timestamp::from_micros(i64::MIN));
        let last = last.unwrap_or(Timestamp::from_micros(i64::MAX));
        operators.push(Operator::BetweenDates(DateBound::Instant(first), DateBound::Instant(last)));
    }
    if operators.is_empty() {
        operators.push(Operator::Exists(true));
    }
    operators
}

/// A length of time in seconds, in days.
fn in_days(seconds: Number) -> String {
    let (bound, beyond) = bound_of(seconds);
    let days = (bound.millionths() as f64 / ONE as f64 / 86_400.0 * 100.0).round() / 100.0;
    beyond.map_or_else(|| format!("{days} days"), |word| format!("{word} {days} days"))
}
