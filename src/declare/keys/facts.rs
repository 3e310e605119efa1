//! Attributes, events, traits.

use super::{
    BETWEEN_LATER, DESCRIPTION, LAST, OLDER_THAN, PER, SINCE_LATER, THEN, THEN_NOT, UNTIL_LATER, WHERE,
    WITHIN,
};
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
        LAST,
        THEN,
        THEN_NOT,
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
    ],
};

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
