//! A second evaluator, as plain as it can be: the rules of conditions written down once more, over
//! `serde_json` trees and `chrono`, without windows that move, folds, slots or caches. It shares no
//! code with the first one but the types of conditions.

use campaignd::domain::catalogue::Catalogue;
use campaignd::domain::condition::{
    Ago, AttributeRef, CalendarUnit, Condition, ConsentTest, DateBound, EventQuery, Follower, MeasureKind,
    Operator, PropertyName, Test, TextMatch,
};
use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::Contact;
use campaignd::domain::name::{EventName, TraitName};
use campaignd::domain::population::Population;
use campaignd::domain::ranking::{Bounds, Place, Ranked};
use campaignd::domain::score::{Decay, Score};
use campaignd::domain::time::{Span, Timestamp, Zone};
use campaignd::domain::value::{Value, ValueType};
use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// Everything there is to know, at one instant.
pub(crate) struct World<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) contact: &'a Contact,
    /// In the order of arrival.
    pub(crate) events: &'a [Happening],
    pub(crate) installation: Zone,
    pub(crate) population: &'a Population,
    pub(crate) now: Timestamp,
}

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    /// Its declared name, which is its name on the wire too.
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    pub(crate) properties: Json,
}

/// A value as the plain evaluator sees it: texts folded unless they are compared exactly.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    /// Exact: numerator and denominator in millionths.
    Number(i128, i128),
    Text(String),
    Boolean(bool),
    Date(NaiveDate),
    Datetime(Timestamp),
    List(Vec<String>),
}

impl World<'_> {
    fn zone(&self) -> Zone {
        let named = self.contact.time_zone.as_ref().and_then(|name| name.parse().ok());
        named.unwrap_or(self.installation)
    }

    fn today(&self) -> NaiveDate {
        local(self.now, self.zone()).date()
    }

    pub(crate) fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Everyone => true,
            Condition::Segment(name) => self.holds(&self.catalogue.segments[name].condition),
            Condition::All(parts) => parts.iter().all(|part| self.holds(part)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Condition::None(parts) => !parts.iter().any(|part| self.holds(part)),
            Condition::Attribute(attribute, test) => {
                let value = self.attribute(attribute, test.exact_case);
                self.passes(value.as_ref(), test)
            }
            Condition::Trait(name, test) => {
                let declared = &self.catalogue.traits[name];
                let value = self.measure(&declared.events, &declared.measure, test.exact_case);
                self.passes(value.as_ref(), test)
            }
            Condition::Score(name, test) => {
                let score = &self.catalogue.scores[name];
                let value = clamped(score, self.score(score));
                // Exact: with a power of two below the line a binary fraction is a fraction.
                let total = (value * 1e6 * 2_f64.powi(60)) as i128;
                self.passes(Some(&Plain::Number(total, 1 << 60)), test)
            }
            Condition::Consent(purpose, test) => {
                let consent = match purpose {
                    Purpose::Marketing => self.contact.marketing,
                    Purpose::Tracking => self.contact.tracking,
                };
                match test {
                    ConsentTest::Is(state) => consent.state == *state,
                    ConsentTest::Since(bound) => {
                        let (first, _) = self.stretch(bound);
                        consent.state == ConsentState::Yes
                            && consent.since.is_some_and(|since| since >= first)
                    }
                }
            }
            Condition::Did(leaf) => leaf.measures.iter().all(|measure| {
                let value = self.measure(&leaf.events, &measure.kind, measure.test.exact_case);
                self.passes(value.as_ref(), &measure.test)
            }),
            Condition::Ranked(ranked) => {
                let among = ranked.ranking.among.as_ref();
                let bounds = self.population.threshold(ranked).and_then(|threshold| threshold.bounds);
                among.is_none_or(|name| self.holds(&self.catalogue.segments[name].condition))
                    && self
                        .ranked_by(&ranked.ranking.by)
                        .zip(bounds)
                        .is_some_and(|(value, bounds)| value >= bounds.from && value <= bounds.to)
            }
            Condition::Bucket(bucket) => {
                let hash =
                    Sha256::digest([bucket.salt.as_bytes(), &[0], self.contact.key.as_bytes()].concat());
                // The number modulo 10,000 in pieces of 16 bits: 65,536 is 5,536 modulo 10,000.
                let rest = hash.chunks(2).fold(0_u64, |rest, two| {
                    (rest * 5_536 + u64::from(two[0]) * 256 + u64::from(two[1])) % 10_000
                });
                rest >= u64::from(bucket.from) && rest < u64::from(bucket.to)
            }
        }
    }

    /// The value by which the contact is ranked: of nothing at all there is none.
    pub(crate) fn ranked_by(&self, name: &TraitName) -> Option<i64> {
        let declared = &self.catalogue.traits[name];
        if self.groups(&declared.events).is_empty() {
            return None;
        }
        match self.trait_value(&declared.events, &declared.measure)? {
            Value::Number(number) => Some(number.millionths()),
            Value::Datetime(at) => Some(at.micros()),
            _ => None,
        }
    }

    /// What all events are worth, one by one; not clamped.
    pub(super) fn score(&self, score: &Score) -> f64 {
        let worth = |event: &Happening| {
            let mail = event.name == "email_opened" || event.name == "email_clicked";
            if event.at > self.now || mail && event.properties["by"] != "human" {
                return 0.0;
            }
            let points = score.points.iter().find(|(name, _)| name.as_str() == event.name);
            let points = points.map_or(0.0, |(_, points)| points.millionths() as f64 / 1e6);
            match score.decay {
                Decay::HalfLife(length) => {
                    let age = (self.now.micros() - event.at.micros()) as f64 / length.as_micros() as f64;
                    points * 0.5_f64.powf(age)
                }
                Decay::Window(span) if event.at > back(self.now, span, self.zone()) => points,
                Decay::Window(_) => 0.0,
            }
        };
        self.events.iter().map(worth).sum()
    }

    fn attribute(&self, attribute: &AttributeRef, exact: bool) -> Option<Plain> {
        let text = |text: &Option<String>| text.as_ref().map(|text| Plain::Text(folded(text, exact)));
        match attribute {
            AttributeRef::Declared(name) => {
                let declared = &self.catalogue.attributes[name];
                let all: Json = serde_json::from_str(&self.contact.attributes).expect("attributes are JSON");
                self.read(declared.value_type, all.get(&declared.wire_name)?, exact)
            }
            AttributeRef::Id => text(&self.contact.external_id),
            AttributeRef::Email => text(&self.contact.email),
            AttributeRef::TimeZone => text(&self.contact.time_zone),
            AttributeRef::Language => text(&self.contact.language),
            AttributeRef::CreatedAt => Some(Plain::Datetime(self.contact.created_at)),
        }
    }

    /// The value of a measure; what the trait of that kind is.
    pub(super) fn trait_value(&self, query: &EventQuery, kind: &MeasureKind) -> Option<Value> {
        Some(match self.measure(query, kind, true)? {
            Plain::Number(total, count) => {
                // Half to even, by way of twice the number.
                let twice = (2 * total).div_euclid(count);
                let exact = (2 * total).rem_euclid(count) == 0;
                let whole = twice.div_euclid(2);
                let up = twice.rem_euclid(2) == 1 && (!exact || whole.rem_euclid(2) == 1);
                let millionths = (whole + i128::from(up)).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                Value::Number(campaignd::domain::number::Number::from_millionths(millionths))
            }
            Plain::Text(text) => Value::Text(text),
            Plain::Boolean(value) => Value::Boolean(value),
            Plain::Date(day) => Value::Date(day),
            Plain::Datetime(at) => Value::Datetime(at),
            Plain::List(items) => Value::List(items),
        })
    }

    fn measure(&self, query: &EventQuery, kind: &MeasureKind, exact: bool) -> Option<Plain> {
        let groups = self.groups(query);
        let property = |group: &Vec<&Happening>, name: &PropertyName, exact: bool| {
            self.value_of_group(query, group, name, exact)
        };
        let whole = |count: usize| Some(Plain::Number(count as i128 * 1_000_000, 1));
        match kind {
            MeasureKind::Times => whole(groups.len()),
            MeasureKind::Total(name) | MeasureKind::Average(name) => {
                let numbers: Vec<i128> = groups
                    .iter()
                    .filter_map(|group| match property(group, name, true) {
                        Some(Plain::Number(total, 1)) => Some(total),
                        _ => None,
                    })
                    .collect();
                let total = numbers.iter().sum();
                match kind {
                    MeasureKind::Total(_) => Some(Plain::Number(total, 1)),
                    _ if numbers.is_empty() => None,
                    _ => Some(Plain::Number(total, numbers.len() as i128)),
                }
            }
            MeasureKind::Distinct(name) => {
                let mut different: Vec<Plain> = Vec::new();
                for value in groups.iter().flat_map(|group| self.values(query, group, name, false)) {
                    if !different.contains(&value) {
                        different.push(value);
                    }
                }
                whole(different.len())
            }
            MeasureKind::Smallest(name) | MeasureKind::Largest(name) => {
                let mut numbers: Vec<i128> = groups
                    .iter()
                    .filter_map(|group| match property(group, name, true) {
                        Some(Plain::Number(total, 1)) => Some(total),
                        _ => None,
                    })
                    .collect();
                numbers.sort_unstable();
                let found = match kind {
                    MeasureKind::Smallest(_) => numbers.first(),
                    _ => numbers.last(),
                };
                found.map(|number| Plain::Number(*number, 1))
            }
            MeasureKind::FirstAt => groups.iter().map(|group| group[0].at).min().map(Plain::Datetime),
            MeasureKind::Every | MeasureKind::MeanGap => {
                let mut times: Vec<i64> = groups.iter().map(|group| group[0].at.micros()).collect();
                times.sort_unstable();
                let gaps: Vec<i128> = times.windows(2).map(|two| i128::from(two[1] - two[0])).collect();
                let unit = if *kind == MeasureKind::Every { 1 } else { 86_400 };
                (!gaps.is_empty()).then(|| Plain::Number(gaps.iter().sum(), gaps.len() as i128 * unit))
            }
            MeasureKind::DaysSince => {
                let last = groups.iter().map(|group| group[0].at).max()?;
                let days = (self.today() - local(last, self.zone()).date()).num_days().max(0);
                whole(days as usize)
            }
            MeasureKind::DistinctDays => {
                let day = |group: &Vec<&Happening>| local(group[0].at, self.zone()).date();
                whole(groups.iter().map(day).collect::<std::collections::BTreeSet<_>>().len())
            }
            MeasureKind::Share(tests) => {
                let passes = |event: &&Happening| {
                    tests.iter().all(|(name, test)| {
                        self.passes(self.property(query, event, name, test.exact_case).as_ref(), test)
                    })
                };
                let part = groups.iter().filter(|group| group.iter().any(passes)).count();
                (!groups.is_empty()).then(|| Plain::Number(part as i128 * 1_000_000, groups.len() as i128))
            }
            MeasureKind::LastAt => groups.iter().map(|group| group[0].at).max().map(Plain::Datetime),
            MeasureKind::Latest(name) => groups.iter().rev().find_map(|group| property(group, name, exact)),
            MeasureKind::MostCommon(name) => {
                // (value, groups that have it, place of the last event that has it, as it is there)
                let mut tallies: Vec<(Plain, usize, usize, Plain)> = Vec::new();
                let order = self.in_order(query);
                for group in &groups {
                    let summed = matches!(property(group, name, true), Some(Plain::Number(..)));
                    let seen: Vec<(Plain, &Happening, Plain)> = if summed {
                        let sum = property(group, name, true).expect("there is a sum");
                        vec![(sum.clone(), group[0], sum)]
                    } else {
                        group
                            .iter()
                            .filter_map(|event| {
                                let key = self.property(query, event, name, false)?;
                                Some((key, *event, self.property(query, event, name, exact)?))
                            })
                            .collect()
                    };
                    let mut counted: Vec<Plain> = Vec::new();
                    for (key, event, shown) in seen {
                        let place =
                            order.iter().position(|other| std::ptr::eq(*other, event)).expect("it is there");
                        let first = !counted.contains(&key);
                        counted.push(key.clone());
                        match tallies.iter_mut().find(|(known, ..)| *known == key) {
                            Some((_, count, last, as_it_is)) => {
                                *count += usize::from(first);
                                if place > *last {
                                    (*last, *as_it_is) = (place, shown);
                                }
                            }
                            None => tallies.push((key, 1, place, shown)),
                        }
                    }
                }
                tallies.into_iter().max_by_key(|(_, count, last, _)| (*count, *last)).map(|tally| tally.3)
            }
        }
    }

    /// The events of the query's name up to now, by time and, within an instant, by arrival.
    fn in_order(&self, query: &EventQuery) -> Vec<&Happening> {
        let mut events: Vec<&Happening> = self
            .events
            .iter()
            .filter(|event| event.name == query.event.as_str() && event.at <= self.now)
            .collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// Window, `where`, `per`: the events in order, each alone or together with its equals, at the
    /// place of the first of them.
    fn groups(&self, query: &EventQuery) -> Vec<Vec<&Happening>> {
        let last = query.last.map_or(usize::MAX, |last| last as usize);
        let after = query.window.within.map(|span| back(self.now, span, self.zone()));
        let up_to = query.window.older_than.map(|span| back(self.now, span, self.zone()));
        let mut groups: Vec<(Option<Plain>, Vec<&Happening>)> = Vec::new();
        let mut in_window = self.in_order(query);
        in_window.retain(|event| {
            after.is_none_or(|after| event.at > after)
                && up_to.is_none_or(|up_to| event.at <= up_to)
                && query.window.since.as_ref().is_none_or(|since| event.at >= self.stretch(since).0)
                && query.window.until.as_ref().is_none_or(|until| event.at < self.stretch(until).1)
        });
        let too_many = in_window.len().saturating_sub(last);
        for event in in_window.split_off(too_many) {
            let passes = |(name, test): &(PropertyName, Test)| {
                self.passes(self.property(query, event, name, test.exact_case).as_ref(), test)
            };
            if !query.filter.iter().all(passes) {
                continue;
            }
            let Some(per) = &query.per else {
                groups.push((None, vec![event]));
                continue;
            };
            let Some(key) = self.property(query, event, per, false) else { continue };
            match groups.iter_mut().find(|(known, _)| known.as_ref() == Some(&key)) {
                Some((_, group)) => group.push(event),
                None => groups.push((Some(key), vec![event])),
            }
        }
        let mut groups: Vec<_> = groups.into_iter().map(|(_, group)| group).collect();
        if let Some(then) = &query.then {
            groups.retain(|group| self.is_followed(&query.event, query.per.as_ref(), group, then));
        }
        groups
    }

    /// Whether a group, which is one event at the time of its first, counts by what follows.
    fn is_followed(
        &self,
        event: &EventName,
        per: Option<&PropertyName>,
        group: &[&Happening],
        then: &Follower,
    ) -> bool {
        let place = |event: &Happening| {
            self.events.iter().position(|other| std::ptr::eq(other, event)).expect("it is there")
        };
        let first = group[0];
        let values = |event_name: &EventName, name: &PropertyName, events: &[&Happening]| -> Vec<Plain> {
            events.iter().filter_map(|event| self.property_of(event_name, event, name, false)).collect()
        };
        let deadline = then.within.map(|span| forward(first.at, span, self.zone()));
        let followed = self.events.iter().any(|later| {
            later.name == then.event.as_str()
                && (later.at, place(later)) > (first.at, place(first))
                && later.at <= self.now
                && deadline.is_none_or(|deadline| later.at < deadline)
                && !(then.event == *event
                    && per.is_some_and(|per| values(event, per, &[later]) == values(event, per, &[first])))
                && then.same.as_ref().is_none_or(|same| {
                    let own = values(event, same, group);
                    values(&then.event, same, &[later]).iter().any(|value| own.contains(value))
                })
                && then.filter.iter().all(|(name, test)| {
                    self.passes(self.property_of(&then.event, later, name, test.exact_case).as_ref(), test)
                })
                && then.then.as_ref().is_none_or(|next| self.is_followed(&then.event, None, &[later], next))
        });
        if then.negated {
            !followed && deadline.is_none_or(|deadline| deadline <= self.now)
        } else {
            followed
        }
    }

    /// The different values that a group counts with: numbers added, all else as it is.
    fn values(
        &self,
        query: &EventQuery,
        group: &[&Happening],
        name: &PropertyName,
        exact: bool,
    ) -> Vec<Plain> {
        let all: Vec<Plain> =
            group.iter().filter_map(|event| self.property(query, event, name, exact)).collect();
        match all.first() {
            Some(Plain::Number(..)) => {
                let sum = all
                    .iter()
                    .map(|value| if let Plain::Number(total, _) = value { *total } else { 0 })
                    .sum();
                vec![Plain::Number(sum, 1)]
            }
            _ => all,
        }
    }

    /// The last of a group's values.
    fn value_of_group(
        &self,
        query: &EventQuery,
        group: &[&Happening],
        name: &PropertyName,
        exact: bool,
    ) -> Option<Plain> {
        self.values(query, group, name, exact).pop()
    }

    fn property(
        &self,
        query: &EventQuery,
        event: &Happening,
        name: &PropertyName,
        exact: bool,
    ) -> Option<Plain> {
        self.property_of(&query.event, event, name, exact)
    }

    fn property_of(
        &self,
        of: &EventName,
        event: &Happening,
        name: &PropertyName,
        exact: bool,
    ) -> Option<Plain> {
        let declared = &self.catalogue.events[of].properties[name];
        self.read(declared.value_type, event.properties.get(&declared.wire_name)?, exact)
    }

    fn passes(&self, value: Option<&Plain>, test: &Test) -> bool {
        test.operators.iter().all(|operator| match (operator, value) {
            (Operator::Exists(wanted), value) => value.is_some() == *wanted,
            (Operator::Blank(wanted), Some(Plain::Text(found))) => found.trim().is_empty() == *wanted,
            (Operator::Blank(wanted), _) => *wanted,
            (_, None) => false,
            (operator, Some(value)) => self.operator(operator, value, test.exact_case),
        })
    }

    fn operator(&self, operator: &Operator, value: &Plain, exact: bool) -> bool {
        let is = |other: &Value| match (value, other) {
            (Plain::Number(total, count), Value::Number(other)) => {
                *total == i128::from(other.millionths()) * count
            }
            (Plain::Text(text), Value::Text(other)) => *text == folded(other, exact),
            (Plain::Boolean(one), Value::Boolean(other)) => one == other,
            (Plain::Date(one), Value::Date(other)) => one == other,
            (Plain::Datetime(one), Value::Datetime(other)) => one == other,
            (Plain::List(items), Value::List(other)) => {
                let set = |items: &[String], exact: bool| -> std::collections::BTreeSet<String> {
                    items.iter().map(|item| folded(item, exact)).collect()
                };
                set(items, true) == set(other, exact)
            }
            _ => false,
        };
        let number = |bound: &campaignd::domain::number::Number| match value {
            Plain::Number(total, count) => total.cmp(&(i128::from(bound.millionths()) * count)),
            _ => panic!("{operator:?} of {value:?}"),
        };
        let has = |item: &String| match value {
            Plain::List(items) => items.contains(&folded(item, exact)),
            _ => panic!("{operator:?} of {value:?}"),
        };
        match operator {
            Operator::Exists(_) | Operator::Blank(_) => unreachable!("dealt with before"),
            Operator::Is(other) => is(other),
            Operator::IsNot(other) => !is(other),
            Operator::In(others) => others.iter().any(is),
            Operator::NotIn(others) => !others.iter().any(is),
            Operator::AtLeast(bound) => number(bound).is_ge(),
            Operator::AtMost(bound) => number(bound).is_le(),
            Operator::MoreThan(bound) => number(bound).is_gt(),
            Operator::LessThan(bound) => number(bound).is_lt(),
            Operator::Between(low, high) => number(low).is_ge() && number(high).is_le(),
            Operator::Matches(wanted, not) => {
                let Plain::Text(text) = value else { panic!("{operator:?} of {value:?}") };
                not ^ match wanted {
                    TextMatch::Contains(part) => text.contains(&folded(part, exact)),
                    TextMatch::StartsWith(part) => text.starts_with(&folded(part, exact)),
                    TextMatch::EndsWith(part) => text.ends_with(&folded(part, exact)),
                    TextMatch::Like(pattern) => {
                        let pattern: Vec<char> = folded(pattern, exact).chars().collect();
                        like(&pattern, &text.chars().collect::<Vec<_>>())
                    }
                }
            }
            Operator::ContainsAny(items) => items.iter().any(has),
            Operator::ContainsAll(items) => items.iter().all(has),
            Operator::ContainsNone(items) => !items.iter().any(has),
            Operator::Size(test) => {
                let Plain::List(items) = value else { panic!("{operator:?} of {value:?}") };
                let different: std::collections::BTreeSet<_> = items.iter().collect();
                self.passes(Some(&Plain::Number(different.len() as i128 * 1_000_000, 1)), test)
            }
            Operator::On(bound) => {
                self.lies(value, self.stretch(bound), |at, (first, end)| first <= at && at < end)
            }
            Operator::Before(bound) => self.lies(value, self.stretch(bound), |at, (first, _)| at < first),
            Operator::After(bound) => self.lies(value, self.stretch(bound), |at, (_, end)| at >= end),
            Operator::BetweenDates(first, last) => {
                let whole = (self.stretch(first).0, self.stretch(last).1);
                self.lies(value, whole, |at, (first, end)| first <= at && at < end)
            }
            Operator::Within(span) => match value {
                Plain::Date(day) => *day > days_back(self.today(), *span) && *day <= self.today(),
                Plain::Datetime(at) => *at > back(self.now, *span, self.zone()) && *at <= self.now,
                _ => panic!("{operator:?} of {value:?}"),
            },
            Operator::OlderThan(span) => match value {
                Plain::Date(day) => *day <= days_back(self.today(), *span),
                Plain::Datetime(at) => *at <= back(self.now, *span, self.zone()),
                _ => panic!("{operator:?} of {value:?}"),
            },
            Operator::WithinNext(span) => match value {
                Plain::Date(day) => *day >= self.today() && *day < days_forward(self.today(), *span),
                Plain::Datetime(at) => *at >= self.now && *at < forward(self.now, *span, self.zone()),
                _ => panic!("{operator:?} of {value:?}"),
            },
            Operator::Ago(bounds) => bounds.iter().all(|bound| {
                let (Ago::AtLeast(span) | Ago::AtMost(span) | Ago::MoreThan(span) | Ago::LessThan(span)) =
                    bound;
                let (order, is_past) = match value {
                    Plain::Date(day) => (day.cmp(&days_back(self.today(), *span)), *day <= self.today()),
                    Plain::Datetime(at) => (at.cmp(&back(self.now, *span, self.zone())), *at <= self.now),
                    _ => panic!("{operator:?} of {value:?}"),
                };
                is_past
                    && match bound {
                        Ago::AtLeast(_) => order.is_le(),
                        Ago::AtMost(_) => order.is_ge(),
                        Ago::MoreThan(_) => order.is_lt(),
                        Ago::LessThan(_) => order.is_gt(),
                    }
            }),
            Operator::During(period) => {
                // Day by day, from one that lies in the period.
                let (day, today) = (self.day(value), self.today());
                let inside = |of: NaiveDate| match period.unit {
                    CalendarUnit::Day => (of.year(), of.ordinal()),
                    CalendarUnit::Week => (of.iso_week().year(), of.iso_week().week()),
                    CalendarUnit::Month => (of.year(), of.month()),
                    CalendarUnit::Quarter => (of.year(), of.month0() / 3),
                    CalendarUnit::Year => (of.year(), 0),
                };
                let step = i64::from(period.offset);
                let mut at = today;
                while step != 0 && inside(at) == inside(today) {
                    at += TimeDelta::days(step);
                }
                inside(day) == inside(at)
            }
            Operator::Month(months) => months.contains(&self.day(value).month()),
            Operator::Weekday(days) => days.contains(&self.day(value).weekday()),
            Operator::Anniversary(span) => {
                let (day, today) = (self.day(value), self.today());
                let is_one = |at: NaiveDate| {
                    let same = (at.month(), at.day()) == (day.month(), day.day());
                    let leap = (day.month(), day.day()) == (2, 29)
                        && (at.month(), at.day()) == (3, 1)
                        && NaiveDate::from_ymd_opt(at.year(), 2, 29).is_none();
                    at > day && (same || leap)
                };
                today.iter_days().take_while(|at| *at < days_forward(today, *span)).any(is_one)
            }
            Operator::Age(test) => {
                let born = self.day(value);
                let today = self.today();
                if born > today {
                    return false;
                }
                let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
                let years = today.year() - born.year() - i32::from(!had_birthday);
                self.passes(Some(&Plain::Number(i128::from(years) * 1_000_000, 1)), test)
            }
        }
    }

    fn read(&self, value_type: ValueType, json: &Json, exact: bool) -> Option<Plain> {
        let text = match json {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        match value_type {
            ValueType::Text => text.map(|text| Plain::Text(folded(&text, exact))),
            ValueType::Number if json.is_boolean() => None,
            ValueType::Number => {
                let number: f64 = text?.trim().parse().ok()?;
                Some(Plain::Number((number * 1e6).round() as i128, 1))
            }
            ValueType::Boolean => match text?.to_lowercase().as_str() {
                "true" | "yes" | "1" => Some(Plain::Boolean(true)),
                "false" | "no" | "0" => Some(Plain::Boolean(false)),
                _ => None,
            },
            ValueType::Date => text?.get(..10)?.parse().ok().map(Plain::Date),
            ValueType::Datetime => self.instant(&text?).map(Plain::Datetime),
            ValueType::List if text.as_ref().is_some_and(|text| text.trim().is_empty()) => None,
            ValueType::List => {
                let items: Vec<String> = match json {
                    Json::Array(items) => {
                        items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()?
                    }
                    _ => text?.split([';', '|']).map(|item| item.trim().to_owned()).collect(),
                };
                let items = items.iter().filter(|item| json.is_array() || !item.is_empty());
                Some(Plain::List(items.map(|item| folded(item, exact)).collect()))
            }
        }
    }

    /// RFC 3339, a local time or day of the installation's zone, or a number of microseconds.
    fn instant(&self, text: &str) -> Option<Timestamp> {
        let local = |format: &str| NaiveDateTime::parse_from_str(text, format).ok();
        if let Ok(at) = text.parse::<DateTime<Utc>>() {
            return Some(Timestamp::from(at));
        }
        if let Some(local) = local("%Y-%m-%d %H:%M:%S%.f") {
            return Some(resolve(local, self.installation));
        }
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Some(midnight(day, self.installation));
        }
        (text.len() == 16).then(|| text.parse().ok()).flatten().map(Timestamp::from_micros)
    }

    /// A date's day; a datetime's in the contact's zone.
    fn day(&self, value: &Plain) -> NaiveDate {
        match value {
            Plain::Date(day) => *day,
            Plain::Datetime(at) => local(*at, self.zone()).date(),
            _ => panic!("a day of {value:?}"),
        }
    }

    /// A bound as instants: the first, and the one after the last. A day lies in the installation's zone.
    fn stretch(&self, bound: &DateBound) -> (Timestamp, Timestamp) {
        match bound {
            DateBound::Day(day) => {
                (midnight(*day, self.installation), midnight(next(*day), self.installation))
            }
            DateBound::Instant(at) => (*at, Timestamp::from_micros(at.micros() + 1)),
        }
    }

    /// Days are compared by the noon of the day in the installation's zone, bounds that are instants
    /// by their whole day.
    fn lies(
        &self,
        value: &Plain,
        (first, end): (Timestamp, Timestamp),
        test: impl Fn(Timestamp, (Timestamp, Timestamp)) -> bool,
    ) -> bool {
        match value {
            Plain::Datetime(at) => test(*at, (first, end)),
            Plain::Date(day) => {
                let zone = self.installation;
                let first_day = local(first, zone).date();
                let last_day = local(Timestamp::from_micros(end.micros() - 1), zone).date();
                let noon = resolve(day.and_hms_opt(12, 0, 0).expect("noon"), zone);
                test(noon, (midnight(first_day, zone), midnight(next(last_day), zone)))
            }
            _ => panic!("a date test of {value:?}"),
        }
    }
}

fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        ['\\', escaped, rest @ ..] => text.first() == Some(escaped) && like(rest, &text[1..]),
        [character, rest @ ..] => text.first() == Some(character) && like(rest, &text[1..]),
    }
}

fn folded(text: &str, exact: bool) -> String {
    let text: String = text.nfc().collect();
    if exact { text } else { text.to_lowercase() }
}

/// The local time of an instant.
pub(super) fn local(at: Timestamp, zone: Zone) -> NaiveDateTime {
    at.to_utc().with_timezone(&zone).naive_local()
}

/// The instant of a local time, looked for minute by minute where it does not exist.
pub(super) fn resolve(local: NaiveDateTime, zone: Zone) -> Timestamp {
    let mut candidate = local;
    loop {
        match zone.from_local_datetime(&candidate) {
            LocalResult::Single(found) => return Timestamp::from(found),
            LocalResult::Ambiguous(one, other) => return Timestamp::from(one).min(Timestamp::from(other)),
            LocalResult::None => {
                let seconds = candidate.and_utc().timestamp();
                let next_minute = seconds - seconds.rem_euclid(60) + 60;
                candidate = DateTime::from_timestamp(next_minute, 0).expect("a time").naive_utc();
            }
        }
    }
}

/// A sum within the range of its score.
pub(super) fn clamped(score: &Score, sum: f64) -> f64 {
    let bound = |number: campaignd::domain::number::Number| number.millionths() as f64 / 1e6;
    sum.clamp(bound(score.range.0), bound(score.range.1))
}

/// The first instant of a day.
pub(super) fn midnight(day: NaiveDate, zone: Zone) -> Timestamp {
    resolve(day.and_hms_opt(0, 0, 0).expect("midnight"), zone)
}

fn next(day: NaiveDate) -> NaiveDate {
    day + Days::new(1)
}

fn months_earlier(day: NaiveDate, months: u32) -> NaiveDate {
    let months = day.year() * 12 + day.month0() as i32 - months as i32;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
    (1..=day.day())
        .rev()
        .find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
        .expect("every month has a first")
}

/// An instant minus a span.
pub(super) fn back(at: Timestamp, span: Span, zone: Zone) -> Timestamp {
    match span {
        Span::Seconds(seconds) => Timestamp::from_micros(at.micros() - seconds as i64 * 1_000_000),
        Span::Months(months) => {
            let local = local(at, zone);
            resolve(months_earlier(local.date(), months).and_time(local.time()), zone)
        }
    }
}

/// An instant plus a span.
pub(super) fn forward(at: Timestamp, span: Span, zone: Zone) -> Timestamp {
    match span {
        Span::Seconds(seconds) => Timestamp::from_micros(at.micros() + seconds as i64 * 1_000_000),
        Span::Months(months) => {
            let local = local(at, zone);
            let months = local.year() * 12 + local.month0() as i32 + months as i32;
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
            let day = (1..=local.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day));
            resolve(day.expect("every month has a first").and_time(local.time()), zone)
        }
    }
}

fn days_forward(day: NaiveDate, span: Span) -> NaiveDate {
    let noon = resolve(day.and_hms_opt(12, 0, 0).expect("noon"), Zone::UTC);
    let span = match span {
        Span::Seconds(seconds) => Span::Seconds(seconds.div_ceil(86_400) * 86_400),
        months @ Span::Months(_) => months,
    };
    local(forward(noon, span, Zone::UTC), Zone::UTC).date()
}

fn days_back(day: NaiveDate, span: Span) -> NaiveDate {
    match span {
        // Part of a day is a day.
        Span::Seconds(seconds) => day - TimeDelta::days(seconds.div_ceil(86_400) as i64),
        Span::Months(months) => months_earlier(day, months),
    }
}

/// From the least to the greatest of these values that have a place, by counting how many are better than each.
pub(super) fn members(ranked: &Ranked, values: &[i64]) -> Option<Bounds> {
    let all = values.len() as u64;
    let is_in = |value: &&i64| {
        let is_better = |other: &&i64| if ranked.lowest { other < value } else { other > value };
        let better = values.iter().filter(is_better).count() as u64;
        match ranked.place {
            Place::Share(share) => better * 10_000 < all * u64::from(share),
            Place::Count(count) => better < u64::from(count),
            // The fifths are filled from the best one on.
            Place::Quintile(quintile) => {
                (1..=5).find(|fifth| better * 5 < all * fifth) == Some(6 - u64::from(quintile))
            }
        }
    };
    let (least, greatest) = (values.iter().filter(is_in).min()?, values.iter().filter(is_in).max()?);
    Some(Bounds { from: *least, to: *greatest })
}
