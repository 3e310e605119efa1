//! The language of `campaignd.yaml`, as tables: every key with its meaning and an example, those of
//! later versions too. They drive the reader and its messages.

use crate::yaml::keys::{Group, Key};

/// All groups, in the order of the documentation.
pub const GROUPS: [&Group; 11] =
    [&SETTINGS, &SENDER, &TRANSPORT, &FOLDER, &SMTP, &DOMAIN, &DKIM, &CONSENT, &UNKNOWN, &RETENTION, &HTTP];

/// The variables of the environment that override keys: name and path.
pub const VARIABLES: [(&str, &[&str]); 23] = [
    ("CAMPAIGND_PUBLIC_URL", &["public_url"]),
    ("CAMPAIGND_SENDER_POSTAL_ADDRESS", &["sender", "postal_address"]),
    ("CAMPAIGND_SENDER_BOUNCES", &["sender", "bounces"]),
    ("CAMPAIGND_TIME_ZONE", &["time_zone"]),
    ("CAMPAIGND_DATABASE", &["database"]),
    ("CAMPAIGND_DATABASE_PASSWORD_FILE", &["database_password_file"]),
    ("CAMPAIGND_DURABILITY", &["durability"]),
    ("CAMPAIGND_TRANSPORT_FOLDER_PATH", &["transport", "folder", "path"]),
    ("CAMPAIGND_TRANSPORT_SMTP_HOST", &["transport", "smtp", "host"]),
    ("CAMPAIGND_TRANSPORT_SMTP_PORT", &["transport", "smtp", "port"]),
    ("CAMPAIGND_TRANSPORT_SMTP_TLS", &["transport", "smtp", "tls"]),
    ("CAMPAIGND_TRANSPORT_SMTP_USERNAME", &["transport", "smtp", "username"]),
    ("CAMPAIGND_TRANSPORT_SMTP_PASSWORD_FILE", &["transport", "smtp", "password_file"]),
    ("CAMPAIGND_TRANSPORT_SMTP_CONNECTIONS", &["transport", "smtp", "connections"]),
    ("CAMPAIGND_TRANSPORT_SMTP_CA_FILE", &["transport", "smtp", "ca_file"]),
    ("CAMPAIGND_REFRESH", &["refresh"]),
    ("CAMPAIGND_REFRESH_RANKS", &["refresh_ranks"]),
    ("CAMPAIGND_CONSENT_UNKNOWN_MARKETING", &["consent", "unknown", "marketing"]),
    ("CAMPAIGND_CONSENT_UNKNOWN_TRACKING", &["consent", "unknown", "tracking"]),
    ("CAMPAIGND_RETENTION_HITS", &["retention", "hits"]),
    ("CAMPAIGND_HTTP_LISTEN", &["http", "listen"]),
    ("CAMPAIGND_HTTP_REPORT", &["http", "report"]),
    ("CAMPAIGND_SPOOL", &["spool"]),
];

/// The variable with the database's password.
pub const DATABASE_PASSWORD: &str = "CAMPAIGND_DATABASE_PASSWORD";
/// The variable with the mail server's password.
pub const SMTP_PASSWORD: &str = "CAMPAIGND_TRANSPORT_SMTP_PASSWORD";

/// The top level.
pub const SETTINGS: Group = Group {
    name: "campaignd.yaml",
    path: "",
    keys: &[
        Key::new(
            "public_url",
            "an https address",
            "where this installation is reached from outside",
            "public_url: https://mail.maison.example",
        ),
        Key::new(
            "sender",
            "a map",
            "who sends, before the law",
            "sender: { postal_address: \"12 rue des Courts, 75016 Paris\" }",
        ),
        Key::new("time_zone", "a time zone", "the installation's zone", "time_zone: Europe/Paris"),
        Key::new("database", "an address", "where everything is kept", "database: sqlite://campaignd.db"),
        Key::new(
            "database_password_file",
            "a path",
            "the file with the database's password",
            "database_password_file: secrets/database",
        ),
        Key::new("durability", "`power` or `process`", "what a settled row survives", "durability: power"),
        Key::new("transport", "a map", "how mails leave", "transport: { folder: { path: outbox } }"),
        Key::new(
            "dkim",
            "a list of keys",
            "what signs mails (DKIM): each mail by every key whose domain is that of its `from`, or a parent of it",
            "dkim: [{ domain: maison.example, selector: c2026, key_file: secrets/dkim.pem }]",
        ),
        Key::new(
            "refresh",
            "a length of time or a cron line",
            "how often segments are evaluated anew, beside the instants of runs",
            "refresh: 5 minutes",
        ),
        Key::new(
            "consent",
            "a map",
            "what an unknown consent counts as",
            "consent: { unknown: { marketing: no, tracking: no } }",
        ),
        Key::new(
            "tracking",
            "`none`, `aggregate` or `individual`",
            "the most that is recorded of opens and clicks: nothing, how many, who",
            "tracking: individual",
        ),
        Key::new(
            "refresh_ranks",
            "a length of time or a cron line",
            "how often contacts are ranked anew; what tells one place from the next stands in between",
            "refresh_ranks: 1 day",
        ),
        Key::new(
            "retention",
            "a map",
            "how long what was recorded is kept",
            "retention: { hits: 13 months, events: forever }",
        ),
        Key::new(
            "http",
            "a map",
            "where pages are served",
            "http: { listen: 127.0.0.1:8080, report: 127.0.0.1:8081 }",
        ),
        Key::new(
            "spool",
            "a path",
            "the folder in which requests of pixels and links wait for the database; each daemon writes a file of its own there",
            "spool: spool",
        ),
    ],
};

/// Who sends.
pub const SENDER: Group = Group {
    name: "`sender`",
    path: "sender",
    keys: &[
        Key::new(
            "postal_address",
            "text",
            "the postal address that marketing mail must carry",
            "postal_address: \"12 rue des Courts, 75016 Paris\"",
        ),
        Key::new(
            "bounces",
            "an address",
            "where what cannot be delivered comes back to, with each mail's token behind a `+`; else to the campaign's `from`",
            "bounces: bounces@mail.maison.example",
        ),
    ],
};

/// How mails leave: one of two.
pub const TRANSPORT: Group = Group {
    name: "`transport`",
    path: "transport",
    keys: &[
        Key::new("folder", "a map", "into a folder: nobody is mailed", "folder: { path: outbox }"),
        Key::new("smtp", "a map", "to a mail server", "smtp: { host: smtp.maison.example }"),
    ],
};

/// Into a folder.
pub const FOLDER: Group = Group {
    name: "`folder`",
    path: "transport.folder",
    keys: &[Key::new("path", "a path", "the folder, relative to the project", "path: outbox")],
};

/// To a mail server.
pub const SMTP: Group = Group {
    name: "`smtp`",
    path: "transport.smtp",
    keys: &[
        Key::new("host", "a host name", "the server", "host: smtp.maison.example"),
        Key::new("port", "a whole number", "its port; else 587, 465 (implicit) or 25 (none)", "port: 587"),
        Key::new(
            "tls",
            "`required`, `implicit` or `none`",
            "how the conversation is encrypted",
            "tls: required",
        ),
        Key::new("username", "text", "whom to log in as", "username: maison"),
        Key::new("password_file", "a path", "the file with the password", "password_file: secrets/smtp"),
        Key::new("connections", "a whole number", "how many at once", "connections: 4"),
        Key::new(
            "ca_file",
            "a path",
            "certificates (PEM) to trust instead of the usual ones",
            "ca_file: /etc/ssl/our-own.pem",
        ),
        Key::new(
            "per_hour",
            "a whole number",
            "how many mails leave in an hour at most, of all campaigns together; the rest waits (`rate` in `status`)",
            "per_hour: 20000",
        ),
        Key::new(
            "domains",
            "a map of domains",
            "limits for the mails to a domain (the part behind the `@`, subdomains not included), and to each domain that is not named: `others`",
            "domains: { gmail.com: { per_hour: 2000, connections: 2 }, others: { connections: 4 } }",
        ),
    ],
};

/// Limits of a domain.
pub const DOMAIN: Group = Group {
    name: "a domain",
    path: "transport.smtp.domains.DOMAIN",
    keys: &[
        Key::new(
            "per_hour",
            "a whole number",
            "how many mails leave in an hour at most; the rest waits (`provider` in `status`)",
            "per_hour: 2000",
        ),
        Key::new(
            "connections",
            "a whole number",
            "how many mails are handed over at once at most",
            "connections: 2",
        ),
    ],
};

/// A key that signs.
pub const DKIM: Group = Group {
    name: "a key of `dkim`",
    path: "dkim",
    keys: &[
        Key::new("domain", "a domain", "for which it signs, subdomains included", "domain: maison.example"),
        Key::new(
            "selector",
            "a name",
            "where its record stands: SELECTOR._domainkey.DOMAIN; `campaignd dkim` shows the record",
            "selector: c2026",
        ),
        Key::new(
            "key_file",
            "a path",
            "the file with the private key (PEM): Ed25519, or RSA of 2048 to 4096 bits; `campaignd dkim --make` makes one",
            "key_file: secrets/dkim.pem",
        ),
    ],
};

/// About consents.
pub const CONSENT: Group = Group {
    name: "`consent`",
    path: "consent",
    keys: &[Key::new("unknown", "a map", "what an unknown consent counts as", "unknown: { marketing: no }")],
};

/// What an unknown consent counts as.
pub const UNKNOWN: Group = Group {
    name: "`unknown`",
    path: "consent.unknown",
    keys: &[
        Key::new("marketing", "`yes` or `no`", "for marketing mail", "marketing: no"),
        Key::new("tracking", "`yes` or `no`", "for the recording of who opens and clicks", "tracking: no"),
    ],
};

/// How long what was recorded is kept.
pub const RETENTION: Group = Group {
    name: "`retention`",
    path: "retention",
    keys: &[
        Key::new(
            "hits",
            "a length of time, or `forever`",
            "requests of pixels and links: the evidence; what was read from it stays",
            "hits: 13 months",
        ),
        Key::new("events", "`forever`", "what contacts did", "events: forever"),
    ],
};

/// Where pages are served.
pub const HTTP: Group = Group {
    name: "`http`",
    path: "http",
    keys: &[
        Key::new(
            "listen",
            "an address and a port, or `off`",
            "for the whole world: pixels, links, pages about consent, the ingest API; port 0 takes a free one",
            "listen: 127.0.0.1:8080",
        ),
        Key::new(
            "report",
            "an address and a port, or `off`",
            "for those who may see the report",
            "report: 127.0.0.1:8081",
        ),
    ],
};
