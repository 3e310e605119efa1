//! Conditions as they are meant: typed, with every name resolved. How they are written in YAML
//! is `declare`'s, what they yield is `evaluate`'s.

use chrono::{NaiveDate, Weekday};

use super::consent::{ConsentState, Purpose};
use super::name::{AttributeName, EventName, ScoreName, SegmentName, TraitName};
use super::number::Number;
use super::ranking::Ranked;
use super::time::{Span, Timestamp};
use super::value::Value;

/// A condition over one contact at one instant. It holds or it does not; nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Every contact.
    Everyone,
    /// The named segment's condition, evaluated at the same instant.
    Segment(SegmentName),
    /// All of them hold; of none, true.
    All(Vec<Condition>),
    /// At least one holds; of none, false.
    Any(Vec<Condition>),
    /// Not one holds: the exact complement of [`Condition::Any`].
    None(Vec<Condition>),
    /// A test of an attribute, or of a built-in fact of the contact.
    Attribute(AttributeRef, Test),
    /// A test of a trait.
    Trait(TraitName, Test),
    /// A number test of a score; a level is written as `at_least` its bound.
    Score(ScoreName, Test),
    /// A test of a consent.
    Consent(Purpose, ConsentTest),
    /// A test over events; `did_not: X` is written as `times` is 0.
    Did(EventLeaf),
    /// A place in a ranking: a value of the trait, now, that is in it by the thresholds of the last
    /// ranking; and, where it is among a segment, being a member now.
    Ranked(Ranked),
    /// A random share of all contacts.
    Bucket(Bucket),
}

impl Condition {
    /// How many levels it has; a named segment counts as one.
    pub fn levels(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::None(parts) => {
                1 + parts.iter().map(Self::levels).max().unwrap_or(0)
            }
            _ => 1,
        }
    }
}

/// What an attribute leaf reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeRef {
    /// A declared attribute.
    Declared(AttributeName),
    /// The contact's `id` of the user's system (text).
    Id,
    /// The e-mail address (text).
    Email,
    /// The zone's name (text).
    TimeZone,
    /// The language (text).
    Language,
    /// When the contact was created (datetime).
    CreatedAt,
}

/// Operators over one value, all of which must hold. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Test {
    /// The operators.
    pub operators: Vec<Operator>,
    /// Texts are compared as they are, without case folding.
    pub exact_case: bool,
}

/// One operator with its operands, typed by what it is applied to.
///
/// Of a missing value every operator is false, the negative ones too; `Exists(false)` and
/// `Blank(true)` are true.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Whether there is a value.
    Exists(bool),
    /// Equal. For a datetime: see [`Operator::On`]. For a list: the same items, in whatever order.
    Is(Value),
    /// Present and not equal.
    IsNot(Value),
    /// Equal to one of them. Not for lists: see [`Operator::ContainsAny`].
    In(Vec<Value>),
    /// Present and equal to none of them. Not for lists: see [`Operator::ContainsNone`].
    NotIn(Vec<Value>),
    /// Number: ≥.
    AtLeast(Number),
    /// Number: ≤.
    AtMost(Number),
    /// Number: >.
    MoreThan(Number),
    /// Number: <.
    LessThan(Number),
    /// Number: both bounds included.
    Between(Number, Number),
    /// Text: a test of its characters; `true` in the second place negates it.
    Matches(TextMatch, bool),
    /// Text: nothing but white space, or missing.
    Blank(bool),
    /// List: at least one of these is in it (`contains` has one).
    ContainsAny(Vec<String>),
    /// List: all of these are in it.
    ContainsAll(Vec<String>),
    /// List: present and none of these is in it.
    ContainsNone(Vec<String>),
    /// List: a test of how many different items it has.
    Size(Box<Test>),
    /// Datetime: within the day (installation's zone) or equal to the instant.
    On(DateBound),
    /// Date: earlier than the bound; the day of the bound does not count.
    Before(DateBound),
    /// Date: later than the bound; the day of the bound does not count.
    After(DateBound),
    /// Date: from the first to the second bound, both days included.
    BetweenDates(DateBound, DateBound),
    /// Date: in the span that ends now. Dates by days: today − n < d ≤ today.
    Within(Span),
    /// Date: at least this long ago. Dates by days: d ≤ today − n.
    OlderThan(Span),
    /// Date: a test of how long ago; all of it holds. What is still to come is not ago.
    Ago(Vec<Ago>),
    /// Date: in the span that begins now: now ≤ d < now + n. Dates by days: today ≤ d < today + n.
    WithinNext(Span),
    /// Date: a test of the completed years since, in the contact's zone.
    Age(Box<Test>),
    /// Date: its day lies in this period of the contact's calendar, seen from today.
    During(Period),
    /// Date: its day is in one of these months, in the contact's zone.
    Month(Vec<u32>),
    /// Date: its day is one of these days of the week, in the contact's zone.
    Weekday(Vec<Weekday>),
    /// Date: an anniversary of its day lies in [today, today + span), in the contact's zone. The day
    /// itself is none; of 29 February it is 1 March in common years.
    Anniversary(Span),
}

/// A bound of how long ago something was. Dates by days, as [`Operator::Within`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ago {
    /// d ≤ now − span.
    AtLeast(Span),
    /// d ≥ now − span.
    AtMost(Span),
    /// d < now − span.
    MoreThan(Span),
    /// d > now − span.
    LessThan(Span),
}

/// A period of the calendar, seen from today. Weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// Which stretch of days.
    pub unit: CalendarUnit,
    /// 0: the one that today is in; −1: the one before; 1: the next.
    pub offset: i8,
}

/// A stretch of days of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// A day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// January to March, and so on.
    Quarter,
    /// A year.
    Year,
}

/// How a text is matched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TextMatch {
    /// It is part of the text.
    Contains(String),
    /// The text begins with it.
    StartsWith(String),
    /// The text ends with it.
    EndsWith(String),
    /// `%` stands for any characters, `_` for one, `\` before one of them for itself; the whole
    /// value must match.
    Like(String),
}

/// An absolute date as users write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateBound {
    /// A whole day in the installation's zone.
    Day(NaiveDate),
    /// An instant (a local time was resolved in the installation's zone).
    Instant(Timestamp),
}

/// A test of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentTest {
    /// It is this.
    Is(ConsentState),
    /// It is yes, and has been since this bound or earlier … never later: given on or after it.
    Since(DateBound),
}

/// A share of all contacts: `from` ≤ SHA-256(salt, 0, key) mod 10,000 < `to`, in 1/100 percent. The
/// hash is taken as one whole number of 256 bits, its first byte the most significant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// What makes this split differ from others.
    pub salt: String,
    /// Lower bound, included, in 1/100 percent.
    pub from: u16,
    /// Upper bound, excluded, in 1/100 percent; at most 10,000.
    pub to: u16,
}

/// Which events, and what must hold of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventLeaf {
    /// The events.
    pub events: EventQuery,
    /// What must hold of them, all of it. Never empty: `times: { at_least: 1 }` stands for nothing.
    pub measures: Vec<Measure>,
}

/// Events of one name. The order of work is fixed: up to now → window → last → where → per → then →
/// measures.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventQuery {
    /// The event's declared name.
    pub event: EventName,
    /// The window, which bounds the events' own times.
    pub window: Window,
    /// Only the last so many of the window; at least 1. Of two at one instant the later to arrive is
    /// the later.
    pub last: Option<u32>,
    /// Tests of properties, all of which hold. In the order of writing.
    pub filter: Vec<(PropertyName, Test)>,
    /// Events with an equal value of it are one: numbers added, at their first time, with all their
    /// other values. Those without it are left out.
    pub per: Option<PropertyName>,
    /// What must follow an event, or must not, so that it counts.
    pub then: Option<Box<Follower>>,
}

/// A later event that makes an event count (`then`), or keeps it from counting (`then_not`).
///
/// Later is later in time or, within one instant, in arrival; up to now, like everything. Events that
/// `per` made one do not follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Follower {
    /// `then_not`: none followed, and the time in which one could is over.
    pub negated: bool,
    /// The event's declared name.
    pub event: EventName,
    /// Tests of its properties, all of which hold.
    pub filter: Vec<(PropertyName, Test)>,
    /// It follows in [first, first + span); months are steps of the contact's calendar. `None`: at any
    /// time; then the time is always over.
    pub within: Option<Span>,
    /// A property of both that has an equal value.
    pub same: Option<PropertyName>,
    /// What must follow it in turn, so that it counts.
    pub then: Option<Box<Self>>,
}

/// A property's declared name (any text of the declaration, usually a name).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyName(pub String);

/// Which stretch of time events are taken from. Always up to now.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Window {
    /// (now − span, now].
    pub within: Option<Span>,
    /// (…, now − span].
    pub older_than: Option<Span>,
    /// From the first instant of this bound on; a day lies in the installation's zone.
    pub since: Option<DateBound>,
    /// Up to the last instant of this bound.
    pub until: Option<DateBound>,
}

/// A test of what events amount to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Measure {
    /// What is measured.
    pub kind: MeasureKind,
    /// A number test, for `FirstAt` and `LastAt` a date test.
    pub test: Test,
}

/// What events amount to; shared by conditions and traits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MeasureKind {
    /// How many; 0 of none.
    Times,
    /// The exact sum of a property; 0 of none.
    Total(PropertyName),
    /// The mean of a property; missing of none.
    Average(PropertyName),
    /// The smallest number that a property has; missing of none.
    Smallest(PropertyName),
    /// The largest number that a property has; missing of none.
    Largest(PropertyName),
    /// How many different values a property has; 0 of none.
    Distinct(PropertyName),
    /// When the first one happened; missing of none.
    FirstAt,
    /// When the last one happened; missing of none.
    LastAt,
    /// The mean gap between one and the next, in seconds; missing of fewer than two. Conditions only.
    Every,
    /// The mean gap in days; missing of fewer than two. Traits only.
    MeanGap,
    /// How many days of the contact's calendar ago the last one was: 0 is today; missing of none. Traits
    /// only.
    DaysSince,
    /// On how many days of the contact's calendar they happened; 0 of none. Traits only.
    DistinctDays,
    /// Which part of them passes these tests of properties, from 0 to 1; of events that `per` made one
    /// it is enough that one does. Missing of none. Traits only.
    Share(Vec<(PropertyName, Test)>),
    /// The commonest value of a property; a tie goes to the one seen last. Traits only.
    MostCommon(PropertyName),
    /// The value of a property at the last event that has it. Traits only.
    Latest(PropertyName),
}
