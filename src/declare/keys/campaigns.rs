//! Campaigns and their defaults.

use super::DESCRIPTION;
use crate::yaml::keys::{Group, Key};

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
        UTM_KEY,
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
        Key::new(
            "priority",
            "a whole number",
            "where a cap allows only one of several mails that are due at one instant: the greater goes first, equal ones by name; 0 where nothing is said",
            "priority: 10",
        ),
        UTM_KEY,
        Key::new(
            "reentry_after",
            "a length of time",
            "with `repeat: every_entry`: who comes back sooner than this was never away",
            "reentry_after: 2 days",
        ),
        Key::new(
            "renamed_from",
            "the name of a campaign",
            "the former name, whose runs and deliveries it carries on",
            "renamed_from: best_customers",
        ),
    ],
};

/// When a campaign runs: `cron`, `at` or `on_entry`.
pub const SCHEDULE: Group = Group {
    name: "a schedule",
    path: "campaigns.NAME.schedule",
    keys: &[
        Key::new("cron", "a cron line of five fields", "again and again", "cron: \"0 9 * * MON\""),
        Key::new("at", "a local time", "once", "at: 2026-10-01T10:00"),
        Key::new(
            "on_entry",
            "`true`",
            "whenever contacts have entered the audience, by what they did or as time passed",
            "on_entry: true",
        ),
        Key::new(
            "include_current",
            "`true` or `false`",
            "with `on_entry`: those who are in already, too, and those whom a changed declaration or an import brings in",
            "include_current: true",
        ),
        Key::new(
            "time_zone",
            "a time zone, or `contact`",
            "the zone in which it is read; with `contact` each contact's own, and there is a run for each zone",
            "time_zone: contact",
        ),
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
    keys: &[Key::new(
        "at_most_every",
        "a length of time",
        "at most once in this time",
        "at_most_every: 30 days",
    )],
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
        Key::new(
            "per_hour",
            "a whole number",
            "so many mails leave in an hour at most, evenly",
            "per_hour: 5000",
        ),
        Key::new(
            "max_refused",
            "a whole number from 1 to 100",
            "more refused mails than this, in percent of at least 200 results, pause the campaign; else 5, and 100 never does",
            "max_refused: 3",
        ),
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

/// What web analytics read from the addresses of links.
pub const UTM: Group = Group {
    name: "`utm`",
    path: "campaigns.NAME.utm",
    keys: &[
        Key::new("source", "text", "where a visitor comes from: `utm_source`", "source: newsletter"),
        Key::new("medium", "text", "by which way: `utm_medium`", "medium: email"),
        Key::new("campaign", "text", "by which campaign: `utm_campaign`", "campaign: vip_discount"),
        Key::new("term", "text", "by which words: `utm_term`", "term: rackets"),
        Key::new("content", "text", "by which of several links: `utm_content`", "content: header"),
    ],
};

/// How much marketing mail of all campaigns one contact gets.
pub const CAP: Group = Group {
    name: "a cap",
    path: "caps",
    keys: &[
        Key::new("at_most", "a whole number", "how many mails", "at_most: 2"),
        Key::new(
            "per",
            "a length of time",
            "in how much time, wherever it begins; due times are compared",
            "per: 7 days",
        ),
    ],
};

/// When no marketing mail goes out.
pub const QUIET_HOURS: Group = Group {
    name: "`quiet_hours`",
    path: "quiet_hours",
    keys: &[
        Key::new("from", "a time of day", "when it becomes quiet", "from: 21:00"),
        Key::new("to", "a time of day", "when it is over; mails go out again", "to: 08:00"),
        Key::new(
            "time_zone",
            "a time zone, or `contact`",
            "the zone of both; each contact's own where nothing is said",
            "time_zone: contact",
        ),
    ],
};

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
    "`once`, `every_run`, `every_entry` or a map",
    "how often one contact gets it; `every_entry`: once each time that it enters the audience",
    "repeat: { at_most_every: 30 days }",
);
const TRACKING: Key = Key::new(
    "tracking",
    "`none`, `aggregate` or `individual`",
    "what is recorded of opens and clicks: nothing, how many, or who; `individual` where nothing is said",
    "tracking: aggregate",
);
const LIMITS_KEY: Key = Key::new("limits", "a map", "how many mails", "limits: { max_recipients: 20000 }");
const RETRY_KEY: Key =
    Key::new("retry", "a map", "how deferred mails are tried again", "retry: { for: 24 hours }");
const ON_UNCERTAIN: Key = Key::new(
    "on_uncertain",
    "`hold` or `send_again`",
    "what becomes of a mail of which nobody knows whether it was accepted: it stays `uncertain`, or is sent once more, once",
    "on_uncertain: send_again",
);
const UTM_KEY: Key = Key::new(
    "utm",
    "a map",
    "parameters for web analytics that are added to links; of those that are not written the defaults' are",
    "utm: { source: newsletter, campaign: vip_discount }",
);
