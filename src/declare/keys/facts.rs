//! Attributes, events, traits.

use super::{BETWEEN, DESCRIPTION, LAST, OLDER_THAN, PER, SINCE, THEN, THEN_NOT, UNTIL, WHERE, WITHIN};
use crate::yaml::keys::{Group, Key};

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
        SINCE,
        UNTIL,
        BETWEEN,
        LAST,
        THEN,
        THEN_NOT,
        Key::new("total", "the name of a property", "the sum of a property; 0 of none", "total: amount"),
        Key::new("count", "`true`", "how many; 0 of none", "count: true"),
        Key::new("average", "the name of a property", "the mean of a property", "average: amount"),
        Key::new("distinct", "the name of a property", "how many different values", "distinct: order"),
        Key::new("smallest", "the name of a property", "the smallest number", "smallest: amount"),
        Key::new("largest", "the name of a property", "the largest number", "largest: amount"),
        Key::new("first_at", "`true`", "when the first one happened", "first_at: true"),
        Key::new("last_at", "`true`", "when the last one happened", "last_at: true"),
        Key::new(
            "days_since",
            "`true`",
            "how many days of the contact's calendar ago the last one was; 0 is today",
            "days_since: true",
        ),
        Key::new(
            "distinct_days",
            "`true`",
            "on how many days of the contact's calendar; 0 of none",
            "distinct_days: true",
        ),
        Key::new(
            "mean_gap",
            "`true`",
            "the mean number of days between one and the next; of two or more",
            "mean_gap: true",
        ),
        Key::new("every", "`true`", "the same as `mean_gap`", "every: true"),
        Key::new(
            "share",
            "a map",
            "which part of the events meets this, from 0 to 1",
            "share: { where: { category: tennis } }",
        ),
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
    ],
};

/// What the part has that a share is.
pub const SHARE: Group = Group { name: "a share", path: "traits.NAME.share", keys: &[WHERE] };

/// A score.
pub const SCORE: Group = Group {
    name: "a score",
    path: "scores.NAME",
    keys: &[
        Key::new(
            "points",
            "a map of events to numbers",
            "what an event is worth when it happens; opens and clicks by people only",
            "points: { email_opened: 1, email_clicked: 5, email_unsubscribed: -50 }",
        ),
        Key::new(
            "half_life",
            "a length of time",
            "what an event is worth halves with every such length",
            "half_life: 30 days",
        ),
        Key::new(
            "within",
            "a length of time",
            "instead of `half_life`: events count in full for so long, then not at all",
            "within: 90 days",
        ),
        Key::new(
            "range",
            "a list of two numbers",
            "lowest and highest value (default `[0, 100]`)",
            "range: [0, 100]",
        ),
        Key::new(
            "levels",
            "a map of names to numbers",
            "names for values, each from its number on",
            "levels: { cold: 0, warm: 20, hot: 60 }",
        ),
        DESCRIPTION,
    ],
};

const TYPE: Key = Key::new(
    "type",
    "one of `text`, `number`, `boolean`, `date`, `datetime`, `list`",
    "the type of its values",
    "type: text",
);
const FROM: Key =
    Key::new("from", "text", "its name on the wire, where that differs", "from: Order Completed");
