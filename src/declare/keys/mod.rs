//! The language of declarations, as tables: every key with its meaning and an example, those of
//! later versions too. They drive the readers and their messages.
//!
//! To add a key: write it here, then read it in the reader of its group. A key that a reader asks
//! for and no table has fails every test that runs it.

use crate::yaml::keys::{Group, Key};

mod campaigns;
mod conditions;
mod facts;

pub use campaigns::{
    CAMPAIGN, CAP, DEFAULTS, LIMITS, MISSED, QUIET_HOURS, REPEAT, RETRY, SCHEDULE, UTM, VERSION,
};
pub use conditions::{
    AGO, ANNIVERSARY, BUCKET, CONDITION, CONSENT, CONSENT_TEST, FOLLOWER, RANKED, SEGMENT, TEST,
};
pub use facts::{ATTRIBUTE, EVENT, PROPERTY, SCORE, SHARE, TRAIT};

/// All groups, in the order of the documentation.
pub const GROUPS: &[&Group] = &[
    &FILE,
    &ATTRIBUTE,
    &EVENT,
    &PROPERTY,
    &TRAIT,
    &SHARE,
    &SCORE,
    &SEGMENT,
    &CONDITION,
    &FOLLOWER,
    &CONSENT,
    &CONSENT_TEST,
    &BUCKET,
    &RANKED,
    &TEST,
    &AGO,
    &ANNIVERSARY,
    &DEFAULTS,
    &CAMPAIGN,
    &SCHEDULE,
    &MISSED,
    &REPEAT,
    &VERSION,
    &LIMITS,
    &RETRY,
    &UTM,
    &CAP,
    &QUIET_HOURS,
];

/// The top level of a file.
pub const FILE: Group = Group {
    name: "a declaration file",
    path: "",
    keys: &[
        Key::new("version", "`1`", "the version of this language", "version: 1"),
        Key::new(
            "attributes",
            "a map of names",
            "facts about a contact that your systems supply",
            "attributes: { country: text }",
        ),
        Key::new(
            "events",
            "a map of names",
            "what contacts do, with properties",
            "events: { purchase: { properties: { amount: number } } }",
        ),
        Key::new(
            "traits",
            "a map of names",
            "facts that are computed from events",
            "traits: { spend_12m: { of: purchase, total: amount, within: 12 months } }",
        ),
        Key::new(
            "scores",
            "a map of names",
            "numbers that are computed from events and fade with time",
            "scores: { engagement: { points: { email_clicked: 5, purchase: 20 }, half_life: 30 days } }",
        ),
        Key::new(
            "segments",
            "a map of names",
            "named conditions; their members are the contacts that meet them now",
            "segments: { french: { match: { attribute: { country: FR } } } }",
        ),
        Key::new(
            "campaigns",
            "a map of names",
            "who gets which e-mail, when, how often",
            "campaigns: { hello: { audience: everyone, template: hello } }",
        ),
        Key::new(
            "defaults",
            "a map",
            "what campaigns take where they say nothing",
            "defaults: { from: Maison Roland <bonjour@maison.example> }",
        ),
        Key::new(
            "caps",
            "a list of caps",
            "how much marketing mail of all campaigns one contact gets; all of them hold",
            "caps: [{ at_most: 2, per: 7 days }]",
        ),
        Key::new(
            "quiet_hours",
            "a map",
            "when no marketing mail goes out: it waits until they are over",
            "quiet_hours: { from: 21:00, to: 08:00, time_zone: contact }",
        ),
        Key::later("tests", "contacts and what must hold of them"),
    ],
};

const DESCRIPTION: Key =
    Key::new("description", "text", "what it means, for people", "description: our best customers");
const WHERE: Key = Key::new(
    "where",
    "a map of properties to tests",
    "which of the events",
    "where: { category: [tennis, padel] }",
);
const PER: Key =
    Key::new("per", "the name of a property", "events with an equal value of it are one", "per: order");
const WITHIN: Key =
    Key::new("within", "a length of time", "events of the time that ends now", "within: 12 months");
const OLDER_THAN: Key =
    Key::new("older_than", "a length of time", "events that are at least this old", "older_than: 90 days");
const SINCE: Key = Key::new("since", "a date", "events of this day and later ones", "since: 2026-01-01");
const UNTIL: Key = Key::new("until", "a date", "events of this day and earlier ones", "until: 2026-12-24");
const BETWEEN: Key = Key::new(
    "between",
    "a list of two dates",
    "events from the first to the second day, both included",
    "between: [2026-11-01, 2026-12-24]",
);
const LAST: Key =
    Key::new("last", "a whole number", "only the last so many of the window's events", "last: 10");
const THEN: Key = Key::new(
    "then",
    "a map",
    "an event counts if such an event follows it",
    "then: { did: purchase, within: 24 hours, same: order }",
);
const THEN_NOT: Key = Key::new(
    "then_not",
    "a map",
    "an event counts if no such event follows it, and the time for one is over",
    "then_not: { did: purchase, within: 24 hours }",
);
