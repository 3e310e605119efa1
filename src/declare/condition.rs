//! Conditions: the name of a segment, or a map of `all`, `any`, `none` and leaves.

use super::bounds;
use super::events;
use super::judge::{Absence, Declared, Of};
use super::keys::{BUCKET, CONDITION, CONSENT, CONSENT_TEST};
use super::ranked;
use super::scope::{Kind, Scope};
use super::scores;
use super::test::{self, Subject, all};
use crate::diagnostic::{Place, Problem, did_you_mean, similar::listed};
use crate::domain::condition::{AttributeRef, Bucket, Condition, ConsentTest, EventLeaf, Operator, Test};
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::name::SegmentName;
use crate::domain::number::Number;
use crate::domain::value::ValueType;
use crate::domain::written;
use crate::yaml::{Entry, Field, Fields, Kind as NodeKind, Name, Node, Reader};

/// The segment that is built in.
pub(super) const EVERYONE: &str = "everyone";

/// What every contact has without declaring it.
pub(super) const BUILT_IN: [(&str, AttributeRef, ValueType); 5] = [
    ("id", AttributeRef::Id, ValueType::Text),
    ("email", AttributeRef::Email, ValueType::Text),
    ("time_zone", AttributeRef::TimeZone, ValueType::Text),
    ("language", AttributeRef::Language, ValueType::Text),
    ("created_at", AttributeRef::CreatedAt, ValueType::Datetime),
];

/// Keys that are conditions of their own; the others belong to `did` and `did_not`.
const HEADS: [&str; 11] =
    ["all", "any", "none", "attribute", "trait", "score", "consent", "bucket", "ranked", "did", "did_not"];

/// Measures of `did`.
const MEASURES: [&str; 9] =
    ["times", "total", "average", "smallest", "largest", "distinct", "first_at", "last_at", "every"];

/// Reads conditions and notes which segments they name, and what is to be judged of them.
#[derive(Debug)]
pub(super) struct Conditions<'s> {
    /// What is declared.
    pub(super) scope: &'s Scope,
    /// The segments that were named, and where.
    pub(super) used: Vec<Name>,
    /// The conditions of declarations, whole.
    pub(super) declared: Vec<Declared>,
    /// The `did_not … within` of the one that is being read.
    absences: Vec<Absence>,
}

impl<'s> Conditions<'s> {
    /// Reads against what is declared.
    pub(super) const fn new(scope: &'s Scope) -> Self {
        Self { scope, used: Vec::new(), declared: Vec::new(), absences: Vec::new() }
    }

    /// Reads the condition of a declaration, which stands at `place`, to be judged when all is read.
    pub(super) fn whole(
        &mut self,
        reader: &mut Reader,
        field: Field<'_>,
        place: &Place,
        of: Option<Of>,
    ) -> Option<Condition> {
        self.absences.clear();
        let mark = reader.noted();
        let condition = self.read(reader, field.value, &field.name.place)?;
        let absences = std::mem::take(&mut self.absences);
        let told = reader.has_since(mark, "matches-nobody");
        if let Some(of) = of {
            let (condition, place) = (condition.clone(), place.clone());
            self.declared.push(Declared { of, condition, place, absences, told });
        }
        Some(condition)
    }

    /// Reads a condition. `at` is where its key is written.
    pub(super) fn read(&mut self, reader: &mut Reader, node: &Node, at: &Place) -> Option<Condition> {
        match &node.kind {
            NodeKind::Broken => None,
            NodeKind::Scalar(scalar) => {
                self.segment(reader, &Name { text: scalar.text.clone(), place: node.place.clone() })
            }
            NodeKind::Map(_) => self.map(reader, node, at),
            NodeKind::List(_) | NodeKind::Null => {
                let message =
                    format!("a condition is the name of a segment or a map, not {}", node.describe());
                let hint = match node.kind {
                    NodeKind::List(_) => "write `all:` or `any:` before the list".to_owned(),
                    _ => format!("a map has {}", listed(HEADS)),
                };
                reader.report(Problem::error("wrong-type", message, node.place.clone()).hint(hint));
                None
            }
        }
    }

    /// A segment that is named.
    pub(super) fn segment(&mut self, reader: &mut Reader, name: &Name) -> Option<Condition> {
        if name.text == EVERYONE {
            return Some(Condition::Everyone);
        }
        if !self.scope.segments.contains(&name.text) {
            let known = self.scope.segments.iter().map(String::as_str).chain([EVERYONE]);
            self.scope.unknown(reader, Kind::Segment, name, known);
            return None;
        }
        self.used.push(name.clone());
        SegmentName::parse(&name.text).ok().map(Condition::Segment)
    }

    fn map(&mut self, reader: &mut Reader, node: &Node, at: &Place) -> Option<Condition> {
        let errors = reader.errors();
        let fields = Fields::read(reader, node, "a condition", at, &CONDITION)?;
        let heads: Vec<_> = fields.iter().filter(|field| HEADS.contains(&field.key.name)).collect();
        let mut parts = Vec::new();
        for field in &heads {
            if let Some(condition) = self.head(reader, *field, &fields) {
                parts.push(condition);
            }
        }
        misplaced(reader, &fields);
        if heads.is_empty() && reader.errors() == errors {
            let message = "this condition has nothing in it".to_owned();
            let hint = format!("a condition is the name of a segment, or has {}", listed(HEADS));
            reader.report(Problem::error("empty", message, node.place.clone()).hint(hint));
        }
        (reader.errors() == errors).then(|| one_or_all(parts))
    }

    fn head(&mut self, reader: &mut Reader, field: Field<'_>, fields: &Fields<'_>) -> Option<Condition> {
        match field.key.name {
            "all" => self.list(reader, field).map(Condition::All),
            "any" => self.list(reader, field).map(Condition::Any),
            "none" => self.list(reader, field).map(Condition::None),
            "attribute" => self.leaves(reader, field, Self::attribute),
            "trait" => self.leaves(reader, field, Self::trait_test),
            "score" => self.leaves(reader, field, Self::score),
            "consent" => self.leaves(reader, field, Self::consent),
            "bucket" => bucket(reader, field),
            "ranked" => ranked::read(reader, self, field).map(Condition::Ranked),
            "did" => self.did(reader, field, fields),
            _ => self.did_not(reader, field, fields),
        }
    }

    fn list(&mut self, reader: &mut Reader, field: Field<'_>) -> Option<Vec<Condition>> {
        let items = reader.items(field)?;
        all(items, |item| self.read(reader, item, &field.name.place))
    }

    fn leaves(
        &mut self,
        reader: &mut Reader,
        field: Field<'_>,
        read: impl Fn(&Self, &mut Reader, &Entry) -> Option<Condition>,
    ) -> Option<Condition> {
        let entries = reader.names(field)?;
        let leaves: Vec<_> = entries.iter().filter_map(|entry| read(self, reader, entry)).collect();
        (leaves.len() == entries.len()).then(|| one_or_all(leaves))
    }

    fn attribute(&self, reader: &mut Reader, entry: &Entry) -> Option<Condition> {
        let name = &entry.key;
        let built_in = BUILT_IN.iter().find(|(built_in, ..)| *built_in == name.text);
        let (attribute, value_type, one_of): (_, _, &[String]) = if let Some((_, built_in, value_type)) =
            built_in
        {
            (built_in.clone(), *value_type, &[])
        } else {
            if name.text == "consent" {
                let message = "`consent` is no attribute".to_owned();
                let problem = Problem::error("unknown-attribute", message, name.place.clone());
                reader.report(problem.hint("write `consent: { marketing: yes }` as a condition of its own"));
                return None;
            }
            let table = &self.scope.attributes;
            let built_in = BUILT_IN.map(|(name, ..)| name);
            let (attribute, declared) = self.scope.find(reader, Kind::Attribute, table, name, &built_in)?;
            (AttributeRef::Declared(attribute.clone()), declared.value_type, &declared.one_of)
        };
        let test =
            test::read(reader, &entry.value, &name.place, self.subject(&name.text, value_type, one_of))?;
        if let Some(field) = probably_none(&test) {
            let message = format!("`{field}` leaves out contacts without `{}`, too", name.text);
            let problem = Problem::warning("missing-left-out", message, name.place.clone());
            reader.report(problem.hint(format!(
                "if they are meant to be in, write `none: [{{ attribute: … }}]`; if not, add `exists: true` to `{}`",
                name.text
            )));
        }
        Some(Condition::Attribute(attribute, test))
    }

    fn trait_test(&self, reader: &mut Reader, entry: &Entry) -> Option<Condition> {
        let name = &entry.key;
        let (name, declared) = self.scope.find(reader, Kind::Trait, &self.scope.traits, name, &[])?;
        let subject = self.subject(name.as_str(), declared.value_type, &[]);
        let test = test::read(reader, &entry.value, &entry.key.place, subject)?;
        Some(Condition::Trait(name.clone(), test))
    }

    fn score(&self, reader: &mut Reader, entry: &Entry) -> Option<Condition> {
        let name = &entry.key;
        let (name, declared) = self.scope.find(reader, Kind::Score, &self.scope.scores, name, &[])?;
        let node = scores::levels_as_numbers(reader, &entry.value, declared, name.as_str())?;
        let subject = self.subject(name.as_str(), ValueType::Number, &[]);
        let test = test::read(reader, &node, &entry.key.place, subject)?;
        Some(Condition::Score(name.clone(), test))
    }

    fn consent(&self, reader: &mut Reader, entry: &Entry) -> Option<Condition> {
        let purposes = [Purpose::Marketing, Purpose::Tracking];
        let Some(purpose) = purposes.into_iter().find(|purpose| purpose.word() == entry.key.text) else {
            let message = format!("there is no consent to `{}`", entry.key.text);
            let problem = Problem::error("unknown-key", message, entry.key.place.clone());
            let hint = did_you_mean(&entry.key.text, CONSENT.names())
                .unwrap_or_else(|| format!("there are {}", listed(CONSENT.names())));
            reader.report(problem.hint(hint));
            return None;
        };
        let called = format!("`{}`", purpose.word());
        let test = if matches!(entry.value.kind, NodeKind::Map(_)) {
            let fields = Fields::read(reader, &entry.value, &called, &entry.key.place, &CONSENT_TEST)?;
            let since = fields.require(reader, "since")?;
            let zone = self.scope.time_zone;
            ConsentTest::Since(bounds::read(reader, since.value, "`since`", ValueType::Datetime, zone)?)
        } else {
            let states = [ConsentState::Yes, ConsentState::No, ConsentState::Unknown];
            ConsentTest::Is(reader.word(
                &entry.value,
                &called,
                &states.map(|state| (state.word(), Some(state))),
            )?)
        };
        Some(Condition::Consent(purpose, test))
    }

    fn did(&mut self, reader: &mut Reader, field: Field<'_>, fields: &Fields<'_>) -> Option<Condition> {
        let events = events::read(reader, self.scope, fields, field)?;
        let measures = events::measures(reader, self.scope, &events, fields)?;
        let bare = MEASURES.iter().all(|measure| fields.get(measure).is_none());
        if let (true, Some(older_than), None) = (bare, fields.get("older_than"), events.query.window.within) {
            let event = &events.query.event;
            let message =
                format!("this holds for contacts whose `{event}` is old, also when a newer one followed");
            let span = older_than.value.describe();
            let span = span.trim_start_matches("text ").trim_matches('`');
            let problem = Problem::warning("older-than", message, older_than.name.place.clone());
            reader.report(problem.hint(format!(
                "for those who did nothing since, write `last_at: {{ older_than: {span} }}`; if it is meant, add `times: {{ at_least: 1 }}`"
            )));
        }
        let leaf = EventLeaf { events: events.query, measures };
        // What is written as none at all means `did_not`.
        if leaf.events.window.within.is_some() && written::is_did_not(&leaf) {
            self.absences.push(Absence { leaf: leaf.clone(), place: field.name.place.clone() });
        }
        Some(Condition::Did(leaf))
    }

    fn did_not(&mut self, reader: &mut Reader, field: Field<'_>, fields: &Fields<'_>) -> Option<Condition> {
        if let Some(did) = fields.get("did") {
            let message = "`did` and `did_not` are in one map, so nobody can say which the rest belongs to";
            let problem = Problem::error("ambiguous", message, field.name.place.clone());
            let problem = problem.related("`did` is here", did.name.place.clone());
            reader.report(problem.hint("write them as two items of `all`"));
            return None;
        }
        let measure = MEASURES.iter().find_map(|measure| fields.get(measure));
        if let Some(measure) = measure {
            let message = format!("`did_not` takes no {}: it means `times: 0`", measure.subject());
            let problem = Problem::error("misplaced-key", message, measure.name.place.clone());
            reader.report(problem.hint("use `did`, or put a `did` with the measure into `none`"));
        }
        let events = events::read(reader, self.scope, fields, field)?;
        let never = events::times(Operator::Is(crate::domain::value::Value::Number(Number::ZERO)));
        let leaf = EventLeaf { events: events.query, measures: vec![never] };
        if leaf.events.window.within.is_some() {
            self.absences.push(Absence { leaf: leaf.clone(), place: field.name.place.clone() });
        }
        measure.is_none().then_some(Condition::Did(leaf))
    }

    const fn subject<'a>(&self, name: &'a str, value_type: ValueType, one_of: &'a [String]) -> Subject<'a> {
        Subject { name, value_type, one_of, counts: false, time_zone: self.scope.time_zone }
    }
}

/// Keys of `did` where there is none.
fn misplaced(reader: &mut Reader, fields: &Fields<'_>) {
    if fields.get("did").is_some() || fields.get("did_not").is_some() {
        return;
    }
    if let Some(field) = fields.iter().find(|field| !HEADS.contains(&field.key.name)) {
        let message = format!("{} stands without `did`", field.subject());
        let problem = Problem::error("misplaced-key", message, field.name.place.clone());
        reader.report(problem.hint("add the event: `did: NAME`"));
    }
}

/// The operator by which a contact without a value is left out although only that value seems to be
/// meant to be.
fn probably_none(test: &Test) -> Option<&'static str> {
    match test.operators.as_slice() {
        [Operator::IsNot(_)] => Some("is_not"),
        [Operator::NotIn(_)] => Some("not_in"),
        _ => None,
    }
}

fn one_or_all(mut conditions: Vec<Condition>) -> Condition {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        last => {
            conditions.extend(last);
            Condition::All(conditions)
        }
    }
}

fn bucket(reader: &mut Reader, field: Field<'_>) -> Option<Condition> {
    let fields = Fields::read(reader, field.value, "`bucket`", &field.name.place, &BUCKET)?;
    let salt = fields.require(reader, "salt").and_then(|field| reader.filled(field.value, "`salt`"));
    let from = fields.require(reader, "from").and_then(|field| percent(reader, field));
    let to = fields.require(reader, "to").and_then(|field| percent(reader, field));
    let (salt, from, to) = (salt?.to_owned(), from?, to?);
    if from >= to {
        let message = "`from` must be less than `to`: nobody is in this bucket";
        reader.report(Problem::error("wrong-bounds", message, field.value.place.clone()));
        return None;
    }
    Some(Condition::Bucket(Bucket { salt, from, to }))
}

/// A percentage in hundredths of a percent.
fn percent(reader: &mut Reader, field: Field<'_>) -> Option<u16> {
    let number = reader.number(field.value, &field.subject())?;
    let hundredths = hundredths_of_percent(number);
    if hundredths.is_none() {
        let message = format!(
            "{} is a percentage from 0 to 100 with two places at most, not `{number}`",
            field.subject()
        );
        reader.wrong_value(field.value, message);
    }
    hundredths
}

/// Hundredths of a percent, if it is a percentage with two places at most.
pub(super) fn hundredths_of_percent(number: Number) -> Option<u16> {
    let hundredth = crate::domain::number::ONE / 100;
    let whole = number.millionths() % hundredth == 0;
    u16::try_from(number.millionths() / hundredth).ok().filter(|value| whole && *value <= 10_000)
}
