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
        Key::later("priority", "which campaign goes first when a cap allows only one"),
        UTM_KEY,
        Key::later("renamed_from", "the former name, whose ledger it carries on"),
        Key::later("reentry_after", "how long a contact must have been away"),
        Key::later("include_current", "those who are in the audience already, too"),
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
    "`hold`",
    "what becomes of a mail of which nobody knows whether it was accepted",
    "on_uncertain: hold",
);
const UTM_KEY: Key = Key::new(
    "utm",
    "a map",
    "parameters for web analytics that are added to links; of those that are not written the defaults' are",
    "utm: { source: newsletter, campaign: vip_discount }",
);
