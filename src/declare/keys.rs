//! The language of declarations, as tables: every key with its meaning and an example, those of
//! later versions too. They drive the readers and their messages.
//!
//! To add a key: write it here, then read it in the reader of its group. A key that a reader asks
//! for and no table has fails every test that runs it.

use crate::yaml::keys::{Group, Key};

/// All groups, in the order of the documentation.
pub const GROUPS: [&Group; 19] = [
    &FILE,
    &ATTRIBUTE,
    &EVENT,
    &PROPERTY,
    &TRAIT,
    &SEGMENT,
    &CONDITION,
    &CONSENT,
    &CONSENT_TEST,
    &BUCKET,
    &TEST,
    &DEFAULTS,
    &CAMPAIGN,
    &SCHEDULE,
    &MISSED,
    &REPEAT,
    &VERSION,
    &LIMITS,
    &RETRY,
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
        Key::later("scores", "numbers that are computed from events and fade with time"),
        Key::later("caps", "how much marketing mail of all campaigns one contact gets"),
        Key::later("quiet_hours", "when nobody is mailed"),
        Key::later("tests", "contacts and what must hold of them"),
    ],
};

/// An attribute that is more than its type.
pub const ATTRIBUTE: Group = Group {
    name: "an attribute",
    path: "attributes.NAME",
    keys: &[
        TYPE,
        Key::new("one_of", "a list of texts", "the only values it may have", "one_of: [b2b, b2c]"),
        FROM,
        Key::new("personal", "`true` or `false`", "personal data, to be shown with care", "personal: true"),
        DESCRIPTION,
    ],
};

/// An event.
pub const EVENT: Group = Group {
    name: "an event",
    path: "events.NAME",
    keys: &[
        FROM,
        Key::new(
            "properties",
            "a map of names to types",
            "what is known of each event",
            "properties: { amount: number, product: text }",
        ),
        DESCRIPTION,
    ],
};

/// A property that is more than its type.
pub const PROPERTY: Group =
    Group { name: "a property", path: "events.NAME.properties.NAME", keys: &[TYPE, FROM] };

/// A trait.
pub const TRAIT: Group = Group {
    name: "a trait",
    path: "traits.NAME",
    keys: &[
        Key::new("of", "the name of an event", "the event that it is computed from", "of: purchase"),
        WHERE,
        PER,
        WITHIN,
        OLDER_THAN,
        Key::new("total", "the name of a property", "the sum of a property; 0 of none", "total: amount"),
        Key::new("count", "`true`", "how many; 0 of none", "count: true"),
        Key::new("average", "the name of a property", "the mean of a property", "average: amount"),
        Key::new("distinct", "the name of a property", "how many different values", "distinct: order"),
        Key::new("last_at", "`true`", "when the last one happened", "last_at: true"),
        Key::new(
            "most_common",
            "the name of a property",
            "the commonest value; of a tie the one seen last",
            "most_common: category",
        ),
        Key::new(
            "latest",
            "the name of a property",
            "the value at the last event that has one",
            "latest: product",
        ),
        DESCRIPTION,
        Key::later("distinct_days", "on how many days something happened"),
        Key::later("first_at", "when the first one happened"),
        Key::later("smallest", "the smallest value of a property"),
        Key::later("largest", "the largest value of a property"),
        Key::later("every", "the mean gap between events"),
        SINCE_LATER,
        UNTIL_LATER,
        BETWEEN_LATER,
        LAST_LATER,
        THEN_LATER,
        THEN_NOT_LATER,
    ],
};

/// A segment.
pub const SEGMENT: Group = Group {
    name: "a segment",
    path: "segments.NAME",
    keys: &[
        DESCRIPTION,
        Key::new("match", "a condition", "who is in it", "match: { attribute: { country: FR } }"),
        Key::later("refresh", "how often it is evaluated anew"),
    ],
};

/// A condition that is no name of a segment. Several of the first nine: all of them hold.
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
        Key::new("did", "the name of an event", "events of this name", "did: purchase"),
        Key::new("did_not", "the name of an event", "no event of this name", "did_not: purchase"),
        WHERE,
        PER,
        WITHIN,
        OLDER_THAN,
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
            "distinct",
            "a map of properties to tests",
            "how many different values a property has",
            "distinct: { product: { at_least: 2 } }",
        ),
        Key::new(
            "last_at",
            "a test of a date",
            "when the last one happened",
            "last_at: { older_than: 90 days }",
        ),
        Key::later("score", "a test of a score"),
        Key::later("ranked", "a place among all contacts by a trait"),
        Key::later("smallest", "the smallest value of a property"),
        Key::later("largest", "the largest value of a property"),
        Key::later("first_at", "when the first one happened"),
        Key::later("every", "the mean gap between events"),
        SINCE_LATER,
        UNTIL_LATER,
        BETWEEN_LATER,
        LAST_LATER,
        THEN_LATER,
        THEN_NOT_LATER,
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

/// A test of a value. Which operators fit depends on its type.
pub const TEST: Group = Group {
    name: "a test",
    path: "segments.NAME.match.attribute.NAME",
    keys: &[
        Key::new("is", "a value", "equal to it", "is: FR"),
        Key::new("is_not", "a value", "present, and not equal to it", "is_not: FR"),
        Key::new("in", "a list of values", "equal to one of them", "in: [FR, BE]"),
        Key::new("not_in", "a list of values", "present, and equal to none of them", "not_in: [FR, BE]"),
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
        Key::later("within_next", "in the time that begins now"),
        Key::later("ago", "a test of how long ago"),
        Key::later("during", "today, last month, next quarter, …"),
        Key::later("month", "the month of the year"),
        Key::later("weekday", "the day of the week"),
        Key::later("anniversary", "the same day of another year"),
    ],
};

/// What campaigns take where they say nothing. Written once in all files.
pub const DEFAULTS: Group = Group {
    name: "`defaults`",
    path: "defaults",
    keys: &[
        MAIL_FROM,
        REPLY_TO,
        Key::new("time_zone", "a time zone", "the zone of schedules and dates", "time_zone: Europe/Paris"),
        MISSED_KEY,
        REPEAT_KEY,
        TRACKING,
        LIMITS_KEY,
        RETRY_KEY,
        ON_UNCERTAIN,
        UTM_LATER,
    ],
};

/// A campaign.
pub const CAMPAIGN: Group = Group {
    name: "a campaign",
    path: "campaigns.NAME",
    keys: &[
        DESCRIPTION,
        Key::new(
            "audience",
            "a condition",
            "who gets it",
            "audience: { any: [vip, champions], none: [employees] }",
        ),
        Key::new(
            "schedule",
            "a map",
            "when it runs; without it only `campaignd send` runs it",
            "schedule: { cron: \"0 9 * * MON\", time_zone: Europe/Paris }",
        ),
        MISSED_KEY,
        REPEAT_KEY,
        Key::new(
            "purpose",
            "`marketing` or `transactional`",
            "what it is before the law",
            "purpose: marketing",
        ),
        MAIL_FROM,
        REPLY_TO,
        Key::new(
            "template",
            "the name of a template",
            "the folder of the e-mail in templates/",
            "template: vip_discount",
        ),
        Key::new(
            "versions",
            "a list of versions",
            "several e-mails; each contact gets the first whose condition it meets",
            "versions: [{ for: b2b, template: launch_b2b }, { for: everyone, template: launch_b2c }]",
        ),
        Key::new("data", "a map", "what templates find under `data`", "data: { percent: 20 }"),
        Key::new("starts", "a date or local time", "before it nothing is sent", "starts: 2026-12-01"),
        Key::new(
            "ends",
            "a date or local time",
            "after it nothing is sent; a day is still inside",
            "ends: 2026-12-24",
        ),
        LIMITS_KEY,
        RETRY_KEY,
        ON_UNCERTAIN,
        TRACKING,
        Key::later("priority", "which campaign goes first when a cap allows only one"),
        UTM_LATER,
        Key::later("renamed_from", "the former name, whose ledger it carries on"),
    ],
};

/// When a campaign runs: `cron` or `at`.
pub const SCHEDULE: Group = Group {
    name: "a schedule",
    path: "campaigns.NAME.schedule",
    keys: &[
        Key::new("cron", "a cron line of five fields", "again and again", "cron: \"0 9 * * MON\""),
        Key::new("at", "a local time", "once", "at: 2026-10-01T10:00"),
        Key::new("time_zone", "a time zone", "the zone in which it is read", "time_zone: Europe/Paris"),
        Key::later("on_entry", "when a contact enters the audience"),
        Key::later("include_current", "those who are in the audience already, too"),
        Key::later("reentry_after", "how long a contact must have been away"),
    ],
};

/// What becomes of missed due times, where it is not `skip`.
pub const MISSED: Group = Group {
    name: "`missed`",
    path: "campaigns.NAME.missed",
    keys: &[Key::new(
        "send_within",
        "a length of time",
        "they are made up for while they are not later than this",
        "send_within: 2 hours",
    )],
};

/// How often one contact gets it, where it is not a word.
pub const REPEAT: Group = Group {
    name: "`repeat`",
    path: "campaigns.NAME.repeat",
    keys: &[
        Key::new("at_most_every", "a length of time", "at most once in this time", "at_most_every: 30 days"),
        Key::later("reentry_after", "how long a contact must have been away"),
    ],
};

/// A version of a campaign's e-mail.
pub const VERSION: Group = Group {
    name: "a version",
    path: "campaigns.NAME.versions",
    keys: &[
        Key::new("for", "a condition", "who gets it, of those who get none before it", "for: b2b"),
        Key::new(
            "template",
            "the name of a template",
            "the folder of the e-mail in templates/",
            "template: launch_b2b",
        ),
        Key::new("label", "text", "what reports call it; else the template's name", "label: experts"),
    ],
};

/// How many mails.
pub const LIMITS: Group = Group {
    name: "`limits`",
    path: "campaigns.NAME.limits",
    keys: &[
        Key::new(
            "max_recipients",
            "a whole number",
            "a run with more is held until it is approved",
            "max_recipients: 20000",
        ),
        Key::later("per_hour", "how many mails leave in an hour"),
    ],
};

/// How deferred mails are tried again.
pub const RETRY: Group = Group {
    name: "`retry`",
    path: "campaigns.NAME.retry",
    keys: &[Key::new(
        "for",
        "a length of time",
        "for how long a deferred mail is tried again",
        "for: 24 hours",
    )],
};

const DESCRIPTION: Key =
    Key::new("description", "text", "what it means, for people", "description: our best customers");
const TYPE: Key = Key::new(
    "type",
    "one of `text`, `number`, `boolean`, `date`, `datetime`, `list`",
    "the type of its values",
    "type: text",
);
const FROM: Key =
    Key::new("from", "text", "its name on the wire, where that differs", "from: Order Completed");
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
const SINCE_LATER: Key = Key::later("since", "events from a day on");
const UNTIL_LATER: Key = Key::later("until", "events up to a day");
const BETWEEN_LATER: Key = Key::later("between", "events between two days");
const LAST_LATER: Key = Key::later("last", "the last so many of the events");
const THEN_LATER: Key = Key::later("then", "an event that must follow");
const THEN_NOT_LATER: Key = Key::later("then_not", "an event that must not follow");
const MAIL_FROM: Key =
    Key::new("from", "a sender", "who sends", "from: Maison Roland <bonjour@maison.example>");
const REPLY_TO: Key = Key::new("reply_to", "a sender", "where replies go", "reply_to: help@maison.example");
const MISSED_KEY: Key = Key::new(
    "missed",
    "`skip` or a map",
    "what becomes of due times at which the daemon was down",
    "missed: { send_within: 2 hours }",
);
const REPEAT_KEY: Key = Key::new(
    "repeat",
    "`once`, `every_run` or a map",
    "how often one contact gets it",
    "repeat: { at_most_every: 30 days }",
);
const TRACKING: Key =
    Key::new("tracking", "`none`", "whether opens and clicks are recorded", "tracking: none");
const LIMITS_KEY: Key = Key::new("limits", "a map", "how many mails", "limits: { max_recipients: 20000 }");
const RETRY_KEY: Key =
    Key::new("retry", "a map", "how deferred mails are tried again", "retry: { for: 24 hours }");
const ON_UNCERTAIN: Key = Key::new(
    "on_uncertain",
    "`hold`",
    "what becomes of a mail of which nobody knows whether it was accepted",
    "on_uncertain: hold",
);
const UTM_LATER: Key = Key::later("utm", "parameters that are added to links");
