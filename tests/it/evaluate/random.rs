//! Random worlds: small vocabularies and times near windows' edges, so that answers differ.

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::{Catalogue, Segment, Trait};
use campaignd::domain::condition::{
    Ago, AttributeRef, Bucket, CalendarUnit, Condition, ConsentTest, DateBound, EventLeaf, EventQuery,
    Follower, Measure, MeasureKind, Operator, Period, PropertyName, Test, TextMatch, Window,
};
use campaignd::domain::consent::{Consent, ConsentState, Purpose};
use campaignd::domain::contact::Contact;
use campaignd::domain::name::{AttributeName, EventName, SegmentName, TraitName};
use campaignd::domain::number::Number;
use campaignd::domain::population::{Population, Threshold};
use campaignd::domain::ranking::{Bounds, Place, Ranked, Ranking};
use campaignd::domain::time::{Span, Timestamp, Zone};
use campaignd::domain::value::{Value, ValueType};
use chrono::{Days, NaiveDate, Weekday};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::person::nobody;
use super::plain::{Happening, back, local};

/// What is declared, but for traits and segments.
const DECLARATIONS: &str = "
attributes: { word: text, amount: number, flag: boolean, tags: list, day: date, moment: datetime }
events:
  buy: { properties: { word: text, amount: number, flag: boolean, day: date, moment: datetime, order: text } }
  look: { properties: { word: text, amount: number, flag: boolean, day: date, moment: datetime, order: text } }
scores:
  engagement: { points: { buy: 5, look: -2 }, half_life: 7 days, range: [-10, 100] }
  visits: { points: { look: 1 }, within: 30 days }
";

/// The properties of both events, whose names are those of attributes, too.
const FIELDS: [(&str, ValueType); 5] = [
    ("word", ValueType::Text),
    ("amount", ValueType::Number),
    ("flag", ValueType::Boolean),
    ("day", ValueType::Date),
    ("moment", ValueType::Datetime),
];

const SPANS: [&str; 8] =
    ["1 hour", "1 day", "36 hours", "7 days", "30 days", "1 month", "3 months", "12 months"];

/// Zones with half-hour changes, changes at midnight and just past it, skipped days, no changes.
const ZONES: [&str; 10] = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/St_Johns",
    "America/Havana",
    "Asia/Kathmandu",
];

/// Month ends, 29 February, changes of the clocks in one of the zones, and a plain day.
const NOWS: [&str; 16] = [
    "2026-07-15T12:00:00Z",
    "2026-02-28T12:00:00Z",
    "2026-03-28T23:30:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-30T22:00:00Z",
    "2026-03-31T10:00:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00Z",
    "2028-02-29T11:00:00Z",
    "2028-03-30T00:00:00Z",
    "2011-12-30T09:59:59Z",
    "2010-11-07T02:30:00Z",
    "2010-11-07T03:30:30Z",
    "2018-11-04T02:59:59Z",
    "2026-11-01T04:30:00Z",
    "2027-01-01T00:00:00Z",
];

pub(super) fn spans() -> Vec<Span> {
    SPANS.iter().map(|text| Span::parse(text).expect("a span")).collect()
}

/// A contact with events, conditions over them, and an instant.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) catalogue: Catalogue,
    pub(super) installation: Zone,
    pub(super) contact: Contact,
    pub(super) events: Vec<Happening>,
    pub(super) conditions: Vec<Condition>,
    pub(super) population: Population,
    pub(super) now: Timestamp,
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    (select(&NOWS), select(&ZONES), prop_oneof![3 => Just(0), 1 => -7_200..7_200_i64]).prop_flat_map(
        |(now, zone, shift)| {
            let now: chrono::DateTime<chrono::Utc> = now.parse().expect("an instant");
            let now = Timestamp::from_micros(Timestamp::from(now).micros() + shift * 1_000_000);
            let zone: Zone = zone.parse().expect("a zone");
            let around = Around { now, zone };
            let installation =
                prop_oneof![Just(zone), select(&ZONES).prop_map(|name| name.parse().expect("a zone"))];
            let world = (installation, contact(around), prop::collection::vec(happening(around), 0..9));
            let segments = prop::collection::vec(leaf(around), 2);
            let asked = prop::collection::vec(declared_trait(around), 2).prop_flat_map(move |traits| {
                let types: Vec<_> = traits.iter().map(|declared| declared.value_type).collect();
                let conditions = (prop::collection::vec(leaf(around), 3), condition(around, &types));
                (
                    Just(traits),
                    conditions.prop_map(|(mut leaves, condition)| {
                        leaves.push(condition);
                        leaves
                    }),
                    population(around, &types),
                )
            });
            (segments, asked, world).prop_map(
                move |(segments, (traits, conditions, population), (installation, contact, events))| Case {
                    catalogue: catalogue(traits, segments),
                    installation,
                    contact,
                    events,
                    conditions,
                    population,
                    now,
                },
            )
        },
    )
}

/// What happens one after the other to some contacts and what is declared of them.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    pub(super) catalogue: Catalogue,
    pub(super) installation: Zone,
    pub(super) now: Timestamp,
    pub(super) steps: Vec<Step>,
}

/// One of them. Contacts are known by places in a list that has no end.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Rows of contacts, with all that they say.
    Rows { rows: Vec<(usize, Contact)>, imported: bool },
    /// Attributes are taken away.
    Removed(usize, Vec<&'static str>),
    /// Events, some of which came before.
    Events { events: Vec<(usize, Happening)>, again: bool, imported: bool },
    /// The reading of an event changes.
    Replaced(usize, Happening),
    /// One contact takes the address of another, who has no id.
    Merged(usize, usize),
    /// A device does something, and it becomes known whose it is.
    Joined(usize, Happening),
    /// Somebody is erased.
    Forgotten(usize),
    /// Time passes.
    Passed(Span),
    /// Time passes until the next contact is to be looked at, more or less.
    Reviewed(i64),
    /// A segment is declared otherwise, for the first time, or not any more.
    Segment(usize, Option<Condition>),
    /// A trait is.
    Trait(usize, Box<Trait>),
    /// The installation moves.
    Zone(Zone),
}

/// The segments of a sequence, beside those that are in its catalogue from the start.
pub(super) const MORE_SEGMENTS: usize = 3;

pub(super) fn sequence() -> impl Strategy<Value = Sequence> {
    case().prop_flat_map(|case| {
        let around = Around { now: case.now, zone: case.installation };
        let types: Vec<_> = case.catalogue.traits.values().map(|declared| declared.value_type).collect();
        let more = prop::collection::vec(condition(around, &types), MORE_SEGMENTS);
        let rows = prop::collection::vec((0..6_usize, contact(around)), 3..7);
        let events = prop::collection::vec((0..6_usize, happening(around)), 0..20);
        let steps = prop::collection::vec(step(around, types), 4..9);
        (more, rows, events, steps).prop_map(move |(more, rows, events, steps)| {
            let mut catalogue = case.catalogue.clone();
            for (place, condition) in more.into_iter().enumerate() {
                let segment = Segment { condition, refresh: None, description: None };
                catalogue.segments.insert(segment_name(2 + place), segment);
            }
            let first =
                [Step::Rows { rows, imported: true }, Step::Events { events, again: false, imported: true }];
            let steps = first.into_iter().chain(steps).collect();
            Sequence { catalogue, installation: case.installation, now: case.now, steps }
        })
    })
}

fn step(around: Around, types: Vec<ValueType>) -> BoxedStrategy<Step> {
    let who = || 0..8_usize;
    let names: Vec<&'static str> = FIELDS.iter().map(|(name, _)| *name).chain(["tags"]).collect();
    let rows = (prop::collection::vec((who(), contact(around)), 1..3), any::<bool>());
    let events = (prop::collection::vec((who(), happening(around)), 1..5), any::<bool>(), any::<bool>());
    let traits = (0..2_usize).prop_flat_map(move |place| {
        // What tests a trait knows its type.
        let value_type = types[place];
        let of_type =
            declared_trait(around).prop_filter("of the same type", move |one| one.value_type == value_type);
        of_type.prop_map(move |declared| Step::Trait(place, Box::new(declared)))
    });
    prop_oneof![
        4 => rows.prop_map(|(rows, imported)| Step::Rows { rows, imported }),
        2 => (who(), prop::sample::subsequence(names, 1..3)).prop_map(|(who, names)| Step::Removed(who, names)),
        6 => events.prop_map(|(events, again, imported)| Step::Events { events, again, imported }),
        2 => (who(), happening(around)).prop_map(|(who, event)| Step::Replaced(who, event)),
        2 => (who(), who()).prop_map(|(to, of)| Step::Merged(to, of)),
        1 => (who(), happening(around)).prop_map(|(who, event)| Step::Joined(who, event)),
        1 => who().prop_map(Step::Forgotten),
        5 => span().prop_map(Step::Passed),
        5 => select(&[-1_i64, 0, 1, 60_000_000]).prop_map(Step::Reviewed),
        2 => (0..5_usize, option::weighted(0.8, leaf(around)))
            .prop_map(|(place, condition)| Step::Segment(place, condition)),
        1 => traits,
        1 => select(&ZONES).prop_map(|name| Step::Zone(name.parse().expect("a zone"))),
    ]
    .boxed()
}

#[derive(Debug, Clone, Copy)]
struct Around {
    now: Timestamp,
    zone: Zone,
}

fn catalogue(traits: Vec<Trait>, segments: Vec<Condition>) -> Catalogue {
    static DECLARED: std::sync::LazyLock<Catalogue> = std::sync::LazyLock::new(|| {
        let file = SourceFile { name: "test.yaml".into(), bytes: DECLARATIONS.as_bytes().to_vec() };
        declare::read(&[file], Zone::UTC).catalogue.expect("the declarations are valid")
    });
    let mut catalogue = DECLARED.clone();
    for (place, declared) in traits.into_iter().enumerate() {
        catalogue.traits.insert(trait_name(place), declared);
    }
    for (place, condition) in segments.into_iter().enumerate() {
        catalogue
            .segments
            .insert(segment_name(place), Segment { condition, refresh: None, description: None });
    }
    catalogue
}

pub(super) fn trait_name(place: usize) -> TraitName {
    TraitName::parse(&format!("trait_{place}")).expect("a name")
}

pub(super) fn segment_name(place: usize) -> SegmentName {
    SegmentName::parse(&format!("segment_{place}")).expect("a name")
}

fn number() -> impl Strategy<Value = Number> {
    select(&["0", "1", "2", "3", "5", "10.5", "20", "-2", "18"])
        .prop_map(|text| Number::parse(text).expect("a number"))
}

fn word() -> impl Strategy<Value = String> {
    let words = ["tennis", "TENNIS", "Padel", "café", "CAFE\u{301}", "", "  ", "50%", "a_b"];
    select(words.to_vec()).prop_map(str::to_owned)
}

fn span() -> impl Strategy<Value = Span> {
    select(spans())
}

/// An instant at an edge: a span or nothing before now, and about a change of the clocks more or less.
fn edge(around: Around) -> impl Strategy<Value = Timestamp> {
    let jitters =
        [0, 0, 1, -1, 1_800, 3_600, -3_600, 7_200, -43_200, 43_200, -86_400, 86_400, 172_800, -172_800];
    let near = (
        option::of(span()),
        select(jitters.to_vec()),
        prop_oneof![4 => Just(0), 1 => select(&[-1, 1, 500_000])],
    );
    let near = near.prop_map(move |(span, seconds, micros)| {
        let at = span.map_or(around.now, |span| back(around.now, span, around.zone));
        Timestamp::from_micros(at.micros() + seconds * 1_000_000 + micros)
    });
    let far = (0..63_072_000_i64)
        .prop_map(move |seconds| Timestamp::from_micros(around.now.micros() - seconds * 1_000_000));
    prop_oneof![3 => near, 1 => far]
}

fn day(around: Around) -> impl Strategy<Value = NaiveDate> {
    let near = edge(around).prop_map(move |at| local(at, around.zone).date());
    let today = local(around.now, around.zone).date();
    let born = (0..40_u32, 0..3_u64).prop_map(move |(years, days)| {
        today.checked_sub_months(chrono::Months::new(12 * years)).expect("a day") - Days::new(1)
            + Days::new(days)
    });
    let leap =
        select(&[1988, 2004, 2008]).prop_map(|year| NaiveDate::from_ymd_opt(year, 2, 29).expect("a day"));
    prop_oneof![2 => near, 2 => born, 1 => leap]
}

fn bound(around: Around) -> impl Strategy<Value = DateBound> {
    prop_oneof![day(around).prop_map(DateBound::Day), edge(around).prop_map(DateBound::Instant)]
}

/// A value as it comes, mostly of the type.
fn raw(value_type: ValueType, around: Around) -> BoxedStrategy<Json> {
    let fitting: BoxedStrategy<Json> = match value_type {
        ValueType::Text => word().prop_map(Json::from).boxed(),
        ValueType::Number => {
            let numbers =
                select(vec![json!(0), json!(1), json!(2.5), json!(10.5), json!(-2), json!("3"), json!(0.1)]);
            numbers.boxed()
        }
        ValueType::Boolean => select(vec![json!(true), json!(false), json!("yes"), json!(0)]).boxed(),
        ValueType::Date => day(around).prop_map(|day| json!(day.to_string())).boxed(),
        ValueType::Datetime => {
            (edge(around), 0..6_u8).prop_map(|(at, form)| json!(written(at, form))).boxed()
        }
        ValueType::List => {
            let list = prop::collection::vec(word(), 0..4);
            (list, 0..4_u8)
                .prop_map(|(items, form)| if form == 0 { json!(items.join("; ")) } else { json!(items) })
                .boxed()
        }
    };
    let odd = select(vec![Json::Null, json!("x"), json!({ "a": [1] }), json!([[]])]);
    prop_oneof![8 => fitting, 1 => odd].boxed()
}

/// An instant as an export writes it: mostly with an offset; also by the clock of an unknown zone, as a day, as a
/// number.
fn written(at: Timestamp, form: u8) -> String {
    let micros = at.micros().to_string();
    match form {
        0 => at.to_utc().format("%Y-%m-%d %H:%M:%S%.f").to_string(),
        1 => at.to_utc().format("%Y-%m-%d").to_string(),
        2 if micros.len() == 16 => micros,
        _ => at.to_string(),
    }
}

fn happening(around: Around) -> impl Strategy<Value = Happening> {
    let fields = FIELDS.map(|(name, value_type)| {
        option::weighted(0.8, raw(value_type, around)).prop_map(move |value| (name, value))
    });
    let order = option::weighted(0.8, select(&["A1", "a1", "B2"]));
    // Few are still to come.
    let at = prop_oneof![1 => edge(around), 6 => edge(around).prop_map(move |at| at.min(around.now))];
    (select(&["buy", "buy", "look"]), at, fields, order).prop_map(|(name, at, fields, order)| {
        let mut properties = serde_json::Map::new();
        properties.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        properties.extend(order.map(|order| ("order".to_owned(), json!(order))));
        Happening { name: name.to_owned(), at, properties: Json::Object(properties) }
    })
}

fn consent(around: Around) -> impl Strategy<Value = Consent> {
    let states = select(&[ConsentState::Yes, ConsentState::No, ConsentState::Unknown]);
    (states, edge(around)).prop_map(|(state, since)| Consent {
        state,
        since: (state != ConsentState::Unknown).then_some(since),
    })
}

fn contact(around: Around) -> impl Strategy<Value = Contact> {
    let fields = FIELDS.map(|(name, value_type)| {
        option::weighted(0.8, raw(value_type, around)).prop_map(move |value| (name, value))
    });
    let tags = option::weighted(0.8, raw(ValueType::List, around));
    let own = around.zone.name().to_owned();
    let zone = prop_oneof![3 => Just(Some(own)), 1 => Just(None), 1 => Just(Some("Mars/Olympus".to_owned()))];
    let ids = (option::of(word()), option::of(word()), option::of(select(&["fr", "de"])), 0..40_u32);
    (fields, tags, zone, ids, edge(around), consent(around), consent(around)).prop_map(
        |(fields, tags, time_zone, (external_id, email, language, key), created_at, marketing, tracking)| {
            let mut attributes = serde_json::Map::new();
            attributes.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            attributes.extend(tags.map(|tags| ("tags".to_owned(), tags)));
            attributes.insert("other".to_owned(), json!({ "word": "tennis", "more": ["\"}"] }));
            Contact {
                key: format!("key-{key}"),
                external_id,
                email,
                time_zone,
                language: language.map(str::to_owned),
                created_at,
                marketing,
                tracking,
                attributes: Json::Object(attributes).to_string(),
                ..nobody()
            }
        },
    )
}

fn number_operator() -> BoxedStrategy<Operator> {
    prop_oneof![
        number().prop_map(Operator::AtLeast),
        number().prop_map(Operator::AtMost),
        number().prop_map(Operator::MoreThan),
        number().prop_map(Operator::LessThan),
        (number(), number()).prop_map(|(one, other)| Operator::Between(one.min(other), one.max(other))),
        number().prop_map(|number| Operator::Is(Value::Number(number))),
        number().prop_map(|number| Operator::IsNot(Value::Number(number))),
        prop::collection::vec(number().prop_map(Value::Number), 1..4).prop_map(Operator::In),
        prop::collection::vec(number().prop_map(Value::Number), 1..4).prop_map(Operator::NotIn),
        any::<bool>().prop_map(Operator::Exists),
    ]
    .boxed()
}

fn text_operator() -> BoxedStrategy<Operator> {
    let pattern = select(&["t%s", "_adel", "%é", "CAF_", "%", r"50\%", "", "%n%i%", r"a\_b"]);
    let part = prop_oneof![word(), select(&["ten", "S", "é", "\u{301}"]).prop_map(str::to_owned)];
    prop_oneof![
        word().prop_map(|word| Operator::Is(Value::Text(word))),
        word().prop_map(|word| Operator::IsNot(Value::Text(word))),
        prop::collection::vec(word().prop_map(Value::Text), 1..4).prop_map(Operator::In),
        prop::collection::vec(word().prop_map(Value::Text), 1..4).prop_map(Operator::NotIn),
        (part.clone(), any::<bool>())
            .prop_map(|(part, not)| Operator::Matches(TextMatch::Contains(part), not)),
        (part.clone(), any::<bool>())
            .prop_map(|(part, not)| Operator::Matches(TextMatch::StartsWith(part), not)),
        (part, any::<bool>()).prop_map(|(part, not)| Operator::Matches(TextMatch::EndsWith(part), not)),
        (pattern, any::<bool>())
            .prop_map(|(pattern, not)| Operator::Matches(TextMatch::Like(pattern.to_owned()), not)),
        any::<bool>().prop_map(Operator::Blank),
        any::<bool>().prop_map(Operator::Exists),
    ]
    .boxed()
}

fn ago() -> impl Strategy<Value = Ago> {
    prop_oneof![
        span().prop_map(Ago::AtLeast),
        span().prop_map(Ago::AtMost),
        span().prop_map(Ago::MoreThan),
        span().prop_map(Ago::LessThan),
    ]
}

fn period() -> impl Strategy<Value = Period> {
    use CalendarUnit::{Day, Month, Quarter, Week, Year};
    (select(&[Day, Week, Month, Quarter, Year]), -1..=1_i8).prop_map(|(unit, offset)| Period { unit, offset })
}

fn weekday(number: u8) -> Weekday {
    Weekday::try_from(number).expect("a day of the week")
}

fn date_operator(value_type: ValueType, around: Around) -> BoxedStrategy<Operator> {
    let value = match value_type {
        ValueType::Date => day(around).prop_map(Value::Date).boxed(),
        _ => edge(around).prop_map(Value::Datetime).boxed(),
    };
    prop_oneof![
        1 => value.clone().prop_map(Operator::Is),
        1 => prop::collection::vec(value, 1..3).prop_map(Operator::NotIn),
        1 => bound(around).prop_map(Operator::On),
        1 => bound(around).prop_map(Operator::Before),
        1 => bound(around).prop_map(Operator::After),
        1 => (bound(around), bound(around)).prop_map(|(first, last)| Operator::BetweenDates(first, last)),
        4 => span().prop_map(Operator::Within),
        4 => span().prop_map(Operator::OlderThan),
        2 => number_test().prop_map(|test| Operator::Age(Box::new(test))),
        3 => span().prop_map(Operator::WithinNext),
        2 => prop::collection::vec(ago(), 1..3).prop_map(Operator::Ago),
        2 => period().prop_map(Operator::During),
        1 => prop::collection::vec(1..=12_u32, 1..4).prop_map(Operator::Month),
        1 => prop::collection::vec((0..7_u8).prop_map(weekday), 1..3).prop_map(Operator::Weekday),
        3 => prop_oneof![Just(Span::Seconds(86_400)), span()].prop_map(Operator::Anniversary),
        1 => any::<bool>().prop_map(Operator::Exists),
    ]
    .boxed()
}

fn operator(value_type: ValueType, around: Around) -> BoxedStrategy<Operator> {
    match value_type {
        ValueType::Number => number_operator(),
        ValueType::Text => text_operator(),
        ValueType::Boolean => prop_oneof![
            any::<bool>().prop_map(|value| Operator::Is(Value::Boolean(value))),
            any::<bool>().prop_map(|value| Operator::IsNot(Value::Boolean(value))),
            any::<bool>().prop_map(Operator::Exists),
        ]
        .boxed(),
        ValueType::List => prop_oneof![
            prop::collection::vec(word(), 1..3).prop_map(Operator::ContainsAny),
            prop::collection::vec(word(), 1..3).prop_map(Operator::ContainsAll),
            prop::collection::vec(word(), 1..3).prop_map(Operator::ContainsNone),
            prop::collection::vec(word(), 0..3).prop_map(|items| Operator::Is(Value::List(items))),
            prop::collection::vec(word(), 0..3).prop_map(|items| Operator::IsNot(Value::List(items))),
            number_test().prop_map(|test| Operator::Size(Box::new(test))),
            any::<bool>().prop_map(Operator::Exists),
        ]
        .boxed(),
        ValueType::Date | ValueType::Datetime => date_operator(value_type, around),
    }
}

fn number_test() -> impl Strategy<Value = Test> {
    prop::collection::vec(number_operator(), 1..3).prop_map(|operators| Test { operators, exact_case: false })
}

fn test(value_type: ValueType, around: Around) -> impl Strategy<Value = Test> {
    let has_case = matches!(value_type, ValueType::Text | ValueType::List);
    let exact_case = if has_case { prop::bool::weighted(0.3) } else { prop::bool::weighted(0.0) };
    let operators = prop_oneof![4 => 1..2_usize, 1 => 2..3_usize]
        .prop_flat_map(move |count| prop::collection::vec(operator(value_type, around), count));
    (operators, exact_case).prop_map(|(operators, exact_case)| Test { operators, exact_case })
}

fn property(name: &str) -> PropertyName {
    PropertyName(name.to_owned())
}

fn query(around: Around) -> impl Strategy<Value = EventQuery> {
    let window = (option::weighted(0.7, span()), option::weighted(0.25, span()))
        .prop_map(|(within, older_than)| Window { within, older_than, since: None, until: None });
    let absolute = (option::of(bound(around)), option::of(bound(around)));
    let window = (window, prop_oneof![3 => Just((None, None)), 1 => absolute])
        .prop_map(|(window, (since, until))| Window { since, until, ..window });
    let filter = select(&FIELDS).prop_flat_map(move |(name, value_type)| {
        test(value_type, around).prop_map(move |test| vec![(property(name), test)])
    });
    let filter = prop_oneof![2 => Just(Vec::new()), 1 => filter];
    let per = option::weighted(0.25, select(&["order", "word"]));
    let last = option::weighted(0.2, 1..4_u32);
    let then = option::weighted(0.25, follower(around, 1).prop_map(Box::new));
    (select(&["buy", "buy", "look"]), window, last, filter, per, then).prop_map(
        |(event, window, last, filter, per, then)| EventQuery {
            event: EventName::parse(event).expect("a name"),
            window,
            last,
            filter,
            per: per.map(property),
            then,
        },
    )
}

/// What follows, or must not; followed in turn by up to `more`.
fn follower(around: Around, more: u32) -> BoxedStrategy<Follower> {
    let filter = select(&FIELDS).prop_flat_map(move |(name, value_type)| {
        test(value_type, around).prop_map(move |test| vec![(property(name), test)])
    });
    let filter = prop_oneof![2 => Just(Vec::new()), 1 => filter];
    let same = option::weighted(0.4, select(&["order", "word", "amount", "flag"]));
    let then = match more {
        0 => Just(None).boxed(),
        more => option::weighted(0.25, follower(around, more - 1).prop_map(Box::new)).boxed(),
    };
    (any::<bool>(), select(&["buy", "look"]), filter, option::weighted(0.6, span()), same, then)
        .prop_map(|(negated, event, filter, within, same, then)| Follower {
            negated,
            event: EventName::parse(event).expect("a name"),
            filter,
            within,
            same: same.map(property),
            then,
        })
        .boxed()
}

/// A measure and the type of its value. Traits and conditions each know some that the other does not.
fn measure_kind(in_trait: bool, around: Around) -> BoxedStrategy<(MeasureKind, ValueType)> {
    let any_property = || select(&FIELDS).prop_map(|(name, value_type)| (property(name), value_type));
    let known = prop_oneof![
        2 => Just((MeasureKind::Times, ValueType::Number)),
        1 => Just((MeasureKind::Total(property("amount")), ValueType::Number)),
        1 => Just((MeasureKind::Average(property("amount")), ValueType::Number)),
        1 => any_property().prop_map(|(name, _)| (MeasureKind::Distinct(name), ValueType::Number)),
        2 => Just((MeasureKind::LastAt, ValueType::Datetime)),
        2 => Just((MeasureKind::FirstAt, ValueType::Datetime)),
        1 => Just((MeasureKind::Smallest(property("amount")), ValueType::Number)),
        1 => Just((MeasureKind::Largest(property("amount")), ValueType::Number)),
    ];
    let only_conditions = Just((MeasureKind::Every, ValueType::Number));
    let share = select(&FIELDS).prop_flat_map(move |(name, value_type)| {
        test(value_type, around).prop_map(move |test| MeasureKind::Share(vec![(property(name), test)]))
    });
    let only_traits = prop_oneof![
        any_property().prop_map(|(name, value_type)| (MeasureKind::MostCommon(name), value_type)),
        any_property().prop_map(|(name, value_type)| (MeasureKind::Latest(name), value_type)),
        Just((MeasureKind::MeanGap, ValueType::Number)),
        Just((MeasureKind::DaysSince, ValueType::Number)),
        Just((MeasureKind::DistinctDays, ValueType::Number)),
        share.prop_map(|kind| (kind, ValueType::Number)),
    ];
    if in_trait {
        prop_oneof![known, only_traits].boxed()
    } else {
        prop_oneof![8 => known, 1 => only_conditions].boxed()
    }
}

fn declared_trait(around: Around) -> impl Strategy<Value = Trait> {
    (query(around), measure_kind(true, around)).prop_map(|(events, (measure, value_type))| Trait {
        events,
        measure,
        value_type,
        description: None,
    })
}

/// A test of a mean gap, in seconds.
fn gap_test() -> impl Strategy<Value = Test> {
    let seconds = select(&[1, 3_600, 86_400, 129_600, 604_800, 2_592_000]);
    let number = seconds.prop_map(|seconds| Number::from_whole(seconds).expect("a number"));
    prop_oneof![number.clone().prop_map(Operator::AtLeast), number.prop_map(Operator::LessThan)]
        .prop_map(|operator| Test { operators: vec![operator], exact_case: false })
}

fn event_leaf(around: Around) -> impl Strategy<Value = Condition> {
    let measure = measure_kind(false, around).prop_flat_map(move |(kind, value_type)| {
        let is_gap = kind == MeasureKind::Every;
        let test = if is_gap { gap_test().boxed() } else { test(value_type, around).boxed() };
        test.prop_map(move |test| Measure { kind: kind.clone(), test })
    });
    (query(around), prop::collection::vec(measure, 1..3))
        .prop_map(|(events, measures)| Condition::Did(EventLeaf { events, measures }))
}

fn leaf(around: Around) -> BoxedStrategy<Condition> {
    let attribute = |name: &str| AttributeRef::Declared(AttributeName::parse(name).expect("a name"));
    let mut attributes: Vec<_> =
        FIELDS.iter().map(|(name, value_type)| (attribute(name), *value_type)).collect();
    attributes.extend([
        (attribute("tags"), ValueType::List),
        (AttributeRef::Id, ValueType::Text),
        (AttributeRef::Email, ValueType::Text),
        (AttributeRef::TimeZone, ValueType::Text),
        (AttributeRef::Language, ValueType::Text),
        (AttributeRef::CreatedAt, ValueType::Datetime),
    ]);
    let attribute_leaf = select(attributes).prop_flat_map(move |(attribute, value_type)| {
        test(value_type, around).prop_map(move |test| Condition::Attribute(attribute.clone(), test))
    });
    let consent_test = prop_oneof![
        select(&[ConsentState::Yes, ConsentState::No, ConsentState::Unknown]).prop_map(ConsentTest::Is),
        bound(around).prop_map(ConsentTest::Since),
    ];
    let consent_leaf = (select(&[Purpose::Marketing, Purpose::Tracking]), consent_test)
        .prop_map(|(purpose, test)| Condition::Consent(purpose, test));
    let bucket = (0..5_000_u16, 5_000..=10_000_u16)
        .prop_map(|(from, to)| Condition::Bucket(Bucket { salt: "spring".to_owned(), from, to }));
    prop_oneof![
        1 => Just(Condition::Everyone),
        8 => attribute_leaf,
        1 => consent_leaf,
        1 => bucket,
        14 => event_leaf(around),
    ]
    .boxed()
}

/// The places in rankings by a trait that conditions may ask for.
pub(super) fn places(trait_place: usize) -> Vec<Ranked> {
    let ranking = |among| Ranking { by: trait_name(trait_place), among };
    let place = |among, place, lowest| Ranked { ranking: ranking(among), place, lowest };
    vec![
        place(None, Place::Share(1_000), false),
        place(None, Place::Quintile(2), false),
        place(None, Place::Count(3), true),
        place(Some(segment_name(0)), Place::Quintile(5), false),
    ]
}

/// Thresholds of the places in rankings by traits of these types, as they may have come out.
fn population(around: Around, types: &[ValueType]) -> BoxedStrategy<Population> {
    let mut thresholds = Vec::new();
    for (place, value_type) in types.iter().enumerate() {
        let bound = match value_type {
            ValueType::Number => prop_oneof![
                4 => number().prop_map(Number::millionths),
                1 => select(&[333_333, 333_334, 666_666, 666_667, i64::MIN, i64::MAX]),
            ]
            .boxed(),
            ValueType::Datetime => edge(around).prop_map(Timestamp::micros).boxed(),
            _ => continue,
        };
        for ranked in places(place) {
            let open = prop::bool::weighted(0.4);
            let bounds = (bound.clone(), bound.clone(), open).prop_map(|(one, other, is_open)| Bounds {
                from: one.min(other),
                to: if is_open { i64::MAX } else { one.max(other) },
            });
            let threshold = option::weighted(0.9, bounds).prop_map(move |bounds| {
                (ranked.clone(), Threshold { at: Timestamp::from_seconds(0), contacts: 9, bounds })
            });
            thresholds.push(threshold.boxed());
        }
    }
    thresholds.prop_map(|thresholds| thresholds.into_iter().collect()).boxed()
}

/// A condition, which may name the segments and the traits, whose types are given.
fn condition(around: Around, traits: &[ValueType]) -> BoxedStrategy<Condition> {
    let mut leaves = vec![(8, leaf(around))];
    for (place, value_type) in traits.iter().enumerate() {
        let named = test(*value_type, around).prop_map(move |test| Condition::Trait(trait_name(place), test));
        leaves.push((1, named.boxed()));
        leaves.push((1, Just(Condition::Segment(segment_name(place))).boxed()));
        if *value_type == ValueType::Number || *value_type == ValueType::Datetime {
            leaves.push((3, select(places(place)).prop_map(Condition::Ranked).boxed()));
        }
    }
    let leaf = prop::strategy::Union::new_weighted(leaves);
    leaf.prop_recursive(3, 8, 3, |inner| {
        let parts = prop::collection::vec(inner, 0..4);
        prop_oneof![
            parts.clone().prop_map(Condition::All),
            parts.clone().prop_map(Condition::Any),
            parts.prop_map(Condition::None),
        ]
    })
    .boxed()
}
