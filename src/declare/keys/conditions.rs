//! Segments and conditions.

use super::{BETWEEN, DESCRIPTION, LAST, OLDER_THAN, PER, SINCE, THEN, THEN_NOT, UNTIL, WHERE, WITHIN};
use crate::yaml::keys::{Group, Key};

/// A segment.
pub const SEGMENT: Group = Group {
    name: "a segment",
    path: "segments.NAME",
    keys: &[
        DESCRIPTION,
        Key::new("match", "a condition", "who is in it", "match: { attribute: { country: FR } }"),
        Key::new(
            "refresh",
            "a length of time or a cron line",
            "how often it is evaluated anew, beside the instants of runs that use it; else as the settings say",
            "refresh: 1 hour",
        ),
    ],
};

/// A condition that is no name of a segment. Several of the first eleven: all of them hold.
pub const CONDITION: Group = Group {
    name: "a condition",
    path: "segments.NAME.match",
    keys: &[
        Key::new("all", "a list of conditions", "every one holds", "all: [vip, french]"),
        Key::new("any", "a list of conditions", "at least one holds", "any: [vip, champions]"),
        Key::new("none", "a list of conditions", "not one holds", "none: [employees]"),
        Key::new(
            "attribute",
            "a map of attributes to tests",
            "tests of attributes; all of them hold",
            "attribute: { country: [FR, BE] }",
        ),
        Key::new(
            "trait",
            "a map of traits to tests",
            "tests of traits; all of them hold",
            "trait: { spend_12m: { at_least: 1000 } }",
        ),
        Key::new(
            "score",
            "a map of scores to tests",
            "tests of scores; a level means at least that level",
            "score: { engagement: warm }",
        ),
        Key::new(
            "consent",
            "a map of purposes to tests",
            "what was agreed to",
            "consent: { marketing: yes }",
        ),
        Key::new(
            "bucket",
            "a map",
            "a random share of all contacts, in percent",
            "bucket: { salt: spring, from: 0, to: 10 }",
        ),
        Key::new(
            "ranked",
            "a map",
            "a place among all contacts by a trait",
            "ranked: { trait: spend_12m, top: 10% }",
        ),
        Key::new("did", "the name of an event", "events of this name", "did: purchase"),
        Key::new("did_not", "the name of an event", "no event of this name", "did_not: purchase"),
        WHERE,
        PER,
        WITHIN,
        OLDER_THAN,
        SINCE,
        UNTIL,
        BETWEEN,
        LAST,
        THEN,
        THEN_NOT,
        Key::new("times", "a test of a number", "how many there are", "times: { at_least: 3 }"),
        Key::new(
            "total",
            "a map of properties to tests",
            "the sum of a property",
            "total: { amount: { at_least: 500 } }",
        ),
        Key::new(
            "average",
            "a map of properties to tests",
            "the mean of a property",
            "average: { amount: { more_than: 80 } }",
        ),
        Key::new(
            "smallest",
            "a map of properties to tests",
            "the smallest number that a property has",
            "smallest: { amount: { at_least: 10 } }",
        ),
        Key::new(
            "largest",
            "a map of properties to tests",
            "the largest number that a property has",
            "largest: { amount: { at_least: 200 } }",
        ),
        Key::new(
            "distinct",
            "a map of properties to tests",
            "how many different values a property has",
            "distinct: { product: { at_least: 2 } }",
        ),
        Key::new(
            "first_at",
            "a test of a date",
            "when the first one happened",
            "first_at: { within: 30 days }",
        ),
        Key::new(
            "every",
            "a test of a length of time",
            "the mean gap between one and the next; of two or more",
            "every: { at_most: 30 days }",
        ),
        Key::new(
            "last_at",
            "a test of a date",
            "when the last one happened",
            "last_at: { older_than: 90 days }",
        ),
    ],
};

/// An event that follows, or must not.
pub const FOLLOWER: Group = Group {
    name: "an event that follows",
    path: "segments.NAME.match.then",
    keys: &[
        Key::new("did", "the name of an event", "what follows", "did: purchase"),
        WHERE,
        Key::new(
            "within",
            "a length of time",
            "how soon it follows: sooner than this after the first; else whenever",
            "within: 24 hours",
        ),
        Key::new("same", "the name of a property", "both have an equal value of it", "same: order"),
        THEN,
        THEN_NOT,
    ],
};

/// Tests of consents.
pub const CONSENT: Group = Group {
    name: "`consent`",
    path: "segments.NAME.match.consent",
    keys: &[
        Key::new("marketing", "`yes`, `no`, `unknown` or a map", "to marketing mail", "marketing: yes"),
        Key::new(
            "tracking",
            "`yes`, `no`, `unknown` or a map",
            "to the recording of opens and clicks",
            "tracking: no",
        ),
    ],
};

/// A test of a consent by its date.
pub const CONSENT_TEST: Group = Group {
    name: "a test of a consent",
    path: "segments.NAME.match.consent.PURPOSE",
    keys: &[Key::new("since", "a date", "given on this day or later", "since: 2026-01-01")],
};

/// A test of how long ago something was.
pub const AGO: Group = Group {
    name: "a test of a length of time",
    path: "TEST.ago",
    keys: &[
        Key::new("at_least", "a length of time", "this long ago or longer", "at_least: 90 days"),
        Key::new("at_most", "a length of time", "this long ago or shorter", "at_most: 180 days"),
        Key::new("more_than", "a length of time", "longer ago than this", "more_than: 90 days"),
        Key::new("less_than", "a length of time", "not so long ago", "less_than: 180 days"),
        Key::new(
            "between",
            "a list of two lengths of time",
            "from the first to the second, both included",
            "between: [90 days, 180 days]",
        ),
    ],
};

/// A test of the anniversaries of a day.
pub const ANNIVERSARY: Group = Group {
    name: "a test of an anniversary",
    path: "TEST.anniversary",
    keys: &[Key::new(
        "within_next",
        "a length of time",
        "one lies in the days that begin today",
        "within_next: 7 days",
    )],
};

/// A random share of all contacts.
pub const BUCKET: Group = Group {
    name: "a bucket",
    path: "segments.NAME.match.bucket",
    keys: &[
        Key::new("salt", "text", "what makes this split differ from others", "salt: spring"),
        Key::new("from", "a percentage", "the lower bound, included", "from: 0"),
        Key::new("to", "a percentage", "the upper bound, excluded", "to: 10"),
    ],
};

/// A place among contacts by a trait.
pub const RANKED: Group = Group {
    name: "a place in a ranking",
    path: "segments.NAME.match.ranked",
    keys: &[
        Key::new("trait", "the name of a trait", "what contacts are ranked by", "trait: spend_12m"),
        Key::new(
            "top",
            "a percentage or a whole number",
            "the best so many percent, rounded up, or the first so many",
            "top: 10%",
        ),
        Key::new(
            "quintile",
            "a whole number from 1 to 5",
            "a fifth; the highest values are in 5",
            "quintile: 5",
        ),
        Key::new("lowest", "`true` or `false`", "the lowest value is the best", "lowest: true"),
        Key::new("among", "the name of a segment", "only its members are ranked", "among: french"),
    ],
};

/// A test of a value. Which operators fit depends on its type.
pub const TEST: Group = Group {
    name: "a test",
    path: "segments.NAME.match.attribute.NAME",
    keys: &[
        Key::new("is", "a value", "equal to it; a list: these items, in any order", "is: FR"),
        Key::new("is_not", "a value", "present, and not equal to it", "is_not: FR"),
        Key::new("in", "a list of values", "equal to one of them; a list: one is in it", "in: [FR, BE]"),
        Key::new(
            "not_in",
            "a list of values",
            "present, and equal to none of them; a list: none is in it",
            "not_in: [FR, BE]",
        ),
        Key::new("exists", "`true` or `false`", "whether there is a value", "exists: true"),
        Key::new("at_least", "a number", "this or more", "at_least: 3"),
        Key::new("at_most", "a number", "this or less", "at_most: 3"),
        Key::new("more_than", "a number", "more than this", "more_than: 3"),
        Key::new("less_than", "a number", "less than this", "less_than: 3"),
        Key::new(
            "between",
            "a list of two bounds",
            "from the first to the second, both included",
            "between: [25, 40]",
        ),
        Key::new("contains", "text", "a part of the text; an item of the list", "contains: tennis"),
        Key::new("not_contains", "text", "no part of the text", "not_contains: test"),
        Key::new("starts_with", "text", "the text begins with it", "starts_with: \"75\""),
        Key::new("not_starts_with", "text", "the text does not begin with it", "not_starts_with: \"75\""),
        Key::new("ends_with", "text", "the text ends with it", "ends_with: \".fr\""),
        Key::new("not_ends_with", "text", "the text does not end with it", "not_ends_with: \".fr\""),
        Key::new("like", "text", "the whole text; `%` is anything, `_` one character", "like: \"FR-%\""),
        Key::new("not_like", "text", "the whole text is not like this", "not_like: \"FR-%\""),
        Key::new("blank", "`true` or `false`", "nothing but white space, or missing", "blank: true"),
        Key::new("exact_case", "`true` or `false`", "large and small letters differ", "exact_case: true"),
        Key::new(
            "contains_any",
            "a list of texts",
            "at least one is in the list",
            "contains_any: [tennis, padel]",
        ),
        Key::new("contains_all", "a list of texts", "all are in the list", "contains_all: [tennis, padel]"),
        Key::new("contains_none", "a list of texts", "none is in the list", "contains_none: [golf]"),
        Key::new(
            "size",
            "a test of a number",
            "how many different items the list has",
            "size: { at_least: 2 }",
        ),
        Key::new("before", "a date", "earlier than this day", "before: 2026-01-01"),
        Key::new("after", "a date", "later than this day", "after: 2026-01-01"),
        Key::new("within", "a length of time", "in the time that ends now", "within: 30 days"),
        Key::new("older_than", "a length of time", "at least this long ago", "older_than: 90 days"),
        Key::new("age", "a test of a number", "the completed years since", "age: { between: [25, 40] }"),
        Key::new("within_next", "a length of time", "in the time that begins now", "within_next: 7 days"),
        Key::new(
            "ago",
            "a test of a length of time",
            "how long ago",
            "ago: { between: [90 days, 180 days] }",
        ),
        Key::new(
            "during",
            "`today`, `yesterday`, `tomorrow`, or `last`, `this` or `next` and `week`, `month`, `quarter` or `year`",
            "in this period of the calendar",
            "during: last month",
        ),
        Key::new("month", "a month or a list of them", "in this month of any year", "month: 12"),
        Key::new(
            "weekday",
            "a day of the week or a list of them",
            "on this day of the week",
            "weekday: [saturday, sunday]",
        ),
        Key::new(
            "anniversary",
            "`today`, or `{ within_next: … }`",
            "the same day of a later year",
            "anniversary: { within_next: 7 days }",
        ),
    ],
};
