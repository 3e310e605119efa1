//! Settings: the file, the environment, and what is said of the rest.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use campaignd::diagnostic::text;
use campaignd::domain::campaign::Tracking;
use campaignd::domain::consent::ConsentState;
use campaignd::domain::pace::Pace;
use campaignd::domain::provider::ProviderLimits;
use campaignd::settings::{self, ConsentUnknown, LoadedSettings, Transport};
use secrecy::ExposeSecret as _;

use crate::declare::lines;

const LEAST: &str =
    "public_url: https://mail.maison.example/\nsender: { postal_address: 12 rue des Courts }\n";

fn load(text: &str, environment: &[(&str, &str)]) -> LoadedSettings {
    let environment: BTreeMap<_, _> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    settings::read(Path::new("/project"), text.as_bytes(), &environment)
}

fn problems(text: &str) -> String {
    lines(&load(text, &[]).problems)
}

#[test]
fn all_but_two_keys_have_defaults() {
    let settings = load(LEAST, &[]).settings.expect("it is enough");
    insta::assert_debug_snapshot!(settings, @r#"
    Settings {
        project: "/project",
        public_url: "https://mail.maison.example",
        sender: Sender {
            postal_address: "12 rue des Courts",
            bounces: None,
        },
        time_zone: UTC,
        database: SecretBox<str>([REDACTED]),
        database_shown: "sqlite:///project/campaignd.db",
        durability: Power,
        transport: Folder {
            path: "/project/outbox",
        },
        refresh: Every(
            300s,
        ),
        refresh_ranks: Every(
            86400s,
        ),
        consent_unknown: ConsentUnknown {
            marketing: No,
            tracking: No,
        },
        retention_hits: Some(
            Months(
                13,
            ),
        ),
        http: Http {
            listen: Some(
                127.0.0.1:8080,
            ),
            report: Some(
                127.0.0.1:8081,
            ),
        },
        spool: "/project/spool",
        tracking: Individual,
        dkim: [],
    }
    "#);
    assert_eq!(settings.database.expose_secret(), "sqlite:///project/campaignd.db");
    insta::assert_snapshot!(problems(""), @r#"
    campaignd.yaml:1:1+1 missing-key: campaignd.yaml needs `public_url`: where this installation is reached from outside (for example `public_url: https://mail.maison.example`)
    campaignd.yaml:1:1+1 missing-key: campaignd.yaml needs `sender`: who sends, before the law (for example `sender: { postal_address: "12 rue des Courts, 75016 Paris" }`)
    "#);
}

#[test]
fn every_key_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("smtp"), "s3cret\n").expect("a file");
    fs::write(folder.path().join("db"), "p@ss/word\n").expect("a file");
    fs::write(folder.path().join("ca.pem"), "-----BEGIN CERTIFICATE-----\n").expect("a file");
    let text = "\
public_url: http://localhost:8080
sender: { postal_address: \"12 rue des Courts, 75016 Paris\" }
time_zone: Europe/Paris
database: postgres://campaignd@db.example:5433/campaignd?sslmode=require
database_password_file: db
durability: process
transport: { smtp: { host: smtp.example, port: 2525, tls: implicit, username: maison, password_file: smtp, connections: 8, ca_file: ca.pem, per_hour: 20000, domains: { Gmail.com: { per_hour: 2000, connections: 2 }, others: { connections: 4 } } } }
refresh: 90 seconds
refresh_ranks: 0 4 * * *
retention: { hits: forever, events: forever }
http: { listen: \"[::]:0\", report: off }
spool: /var/spool/campaignd
consent: { unknown: { marketing: no, tracking: yes } }
tracking: aggregate
";
    let loaded = settings::read(folder.path(), text.as_bytes(), &BTreeMap::new());
    assert_eq!(lines(&loaded.problems), "");
    let settings = loaded.settings.expect("it is right");
    assert_eq!(
        settings.database.expose_secret(),
        "postgres://campaignd:p%40ss%2Fword@db.example:5433/campaignd?sslmode=require"
    );
    assert_eq!(settings.database_shown, "postgres://campaignd@db.example:5433/campaignd?sslmode=require");
    assert_eq!((settings.retention_hits, settings.http.report), (None, None));
    let Transport::Smtp(smtp) = &settings.transport else { panic!("a server is named") };
    let pace = |count| Some(Pace::per_hour(count));
    assert_eq!(smtp.limits.pace, pace(20_000));
    assert_eq!(smtp.limits.of("gmail.com"), ProviderLimits { pace: pace(2_000), connections: Some(2) });
    assert_eq!(smtp.limits.of("web.de"), ProviderLimits { pace: None, connections: Some(4) });
    assert_eq!(settings.http.listen, "[::]:0".parse().ok());
    assert_eq!(settings.spool, Path::new("/var/spool/campaignd"));
    assert_eq!(settings.tracking, Tracking::Aggregate);
    assert_eq!(
        (settings.refresh.to_string(), settings.refresh_ranks.to_string()),
        ("90 seconds".to_owned(), "0 4 * * *".to_owned())
    );
    assert_eq!(
        settings.consent_unknown,
        ConsentUnknown { marketing: ConsentState::No, tracking: ConsentState::Yes }
    );
    let Transport::Smtp(smtp) = &settings.transport else { panic!("it is SMTP") };
    assert_eq!(smtp.login.as_ref().expect("a login").password.expose_secret(), "s3cret");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("p%40ss"), "{shown}");
}

#[test]
fn a_database_has_a_port_and_parameters_that_can_be() {
    let said = |address: &str| {
        let text = format!("{LEAST}database: {address}\n");
        let problems = problems(&text);
        problems.split_once(' ').map_or_else(String::new, |(_, rest)| rest.to_owned())
    };
    for address in [
        "postgres://u@host:5433/name?sslmode=require&application_name=x",
        "postgres://u@[::1]/name",
        "postgres://u@[fe80::1]:5432/name",
        "postgres:///name?host=/run/postgresql",
        "postgres://host/name?options[search_path]=shop",
    ] {
        assert_eq!(said(address), "", "{address}");
    }
    let wrong =
        ["postgres://u@host:54x2/n", "postgres://host:0/n", "postgres://host:70000", "postgres://[::1]:x/n"];
    let more = ["postgres://h/n?port=pg", "postgres://h/n?sslmode=requir", "postgres://h/n?ssl_mode=require"];
    let said: Vec<_> =
        wrong.iter().chain(&more).map(|address| format!("{address}\n    {}", said(address))).collect();
    insta::assert_snapshot!(said.join("\n"), @"
    postgres://u@host:54x2/n
        wrong-database: `54x2` is no port (a port is a number from 1 to 65535; PostgreSQL's own is 5432)
    postgres://host:0/n
        wrong-database: `0` is no port (a port is a number from 1 to 65535; PostgreSQL's own is 5432)
    postgres://host:70000
        wrong-database: `70000` is no port (a port is a number from 1 to 65535; PostgreSQL's own is 5432)
    postgres://[::1]:x/n
        wrong-database: `x` is no port (a port is a number from 1 to 65535; PostgreSQL's own is 5432)
    postgres://h/n?port=pg
        wrong-database: `pg` is no port (a port is a number from 1 to 65535; PostgreSQL's own is 5432)
    postgres://h/n?sslmode=requir
        wrong-database: `sslmode` is never `requir` (did you mean `require`?)
    postgres://h/n?ssl_mode=require
        wrong-database: `database` has no parameter `ssl_mode` (did you mean `sslmode`?)
    ");
}

#[test]
fn everything_wrong_is_said_at_once() {
    insta::assert_snapshot!(
        problems(
            "\
public_url: mail.maison.example
sender: { postal_adress: x }
time_zone: Paris
database: mysql://localhost/x
durability: forever
transport: { smtp: { host: 'smtp.example:25', port: 70000, tls: maybe, username: x, connections: 0, timeout: 3 } }
refresh: soon
consent: { unknown: { marketing: maybe, tracking: later } }
tracking: everything
refresh_ranks: 1 month
retention: { hits: soon, events: 1 day }
http: { listen: 8080, report: localhost, port: 1 }
databse: x
"
        ),
        @r#"
    campaignd.yaml:1:13+19 wrong-url: `public_url` must begin with https:// (for example `public_url: https://mail.maison.example`)
    campaignd.yaml:2:11+13 unknown-key: `sender` has no key `postal_adress` (did you mean `postal_address`?)
    campaignd.yaml:3:12+5 unknown-zone: there is no time zone `Paris` (did you mean `Europe/Paris`?)
    campaignd.yaml:4:11+19 wrong-database: there is no database of the kind `mysql` (for example `sqlite://campaignd.db` or `postgres://campaignd@localhost/campaignd`)
    campaignd.yaml:5:13+7 wrong-value: `durability` must be one of `power`, `process`, not text `forever`
    campaignd.yaml:6:28+17 wrong-value: `host` must be a host name, not `smtp.example:25` (write `host: smtp.example` and `port: 25`)
    campaignd.yaml:6:53+5 wrong-value: `port` must be a whole number from 1 to 65535, not `70000`
    campaignd.yaml:6:65+5 wrong-value: `tls` must be one of `required`, `implicit`, `none`, not text `maybe`
    campaignd.yaml:6:72+8 missing-key: `username` needs a password (write `password_file: secrets/smtp`, or set CAMPAIGND_TRANSPORT_SMTP_PASSWORD)
    campaignd.yaml:6:98+1 wrong-value: `connections` must be a whole number from 1 to 100, not `0`
    campaignd.yaml:6:101+7 unknown-key: `smtp` has no key `timeout` (it has `host`, `port`, `tls`, `username`, `password_file`, `connections`, `ca_file`, `per_hour`, `domains`)
    campaignd.yaml:7:10+4 wrong-span: `refresh`: `soon` is not a length of time; write a whole number and a unit: `30 days`, `12 months`
    campaignd.yaml:8:34+5 wrong-value: `marketing` must be one of `no`, `yes`, not text `maybe`
    campaignd.yaml:8:51+5 wrong-value: `tracking` must be one of `no`, `yes`, not text `later`
    campaignd.yaml:9:11+10 wrong-value: `tracking` must be one of `none`, `aggregate`, `individual`, not text `everything`
    campaignd.yaml:10:16+7 wrong-value: `refresh_ranks` takes weeks at most: months differ in length (a cron line can name days of months: `0 6 1 * *`)
    campaignd.yaml:11:20+4 wrong-span: `hits`: `soon` is not a length of time; write a whole number and a unit: `30 days`, `12 months`
    campaignd.yaml:11:34+5 wrong-value: `events` must be `forever`, not text `1 day`
    campaignd.yaml:12:17+4 wrong-value: `listen` must be an address and a port, or `off`, not `8080` (`127.0.0.1:8080` for this machine only, `0.0.0.0:8080` for all)
    campaignd.yaml:12:31+9 wrong-value: `report` must be an address and a port, or `off`, not `localhost` (for example `report: 127.0.0.1:8081`)
    campaignd.yaml:12:42+4 unknown-key: `http` has no key `port` (did you mean `report`?)
    campaignd.yaml:13:1+7 unknown-key: campaignd.yaml has no key `databse` (did you mean `database`?)
    "#
    );
}

#[test]
fn addresses_of_pages_are_checked() {
    let messages: Vec<_> = [
        "http://mail.maison.example",
        "ftp://x",
        "https://",
        "https://user@host/",
        "https://host/?a=b",
        "https://ho st/",
    ]
    .iter()
    .map(|url| {
        format!("{url}: {}", problems(&LEAST.replace("https://mail.maison.example/", &format!("\"{url}\""))))
    })
    .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    http://mail.maison.example: campaignd.yaml:1:13+28 wrong-url: `public_url` must begin with https://: mail programs unsubscribe over https only (for example `public_url: https://mail.maison.example`)
    ftp://x: campaignd.yaml:1:13+9 wrong-url: `public_url` must begin with https:// (for example `public_url: https://mail.maison.example`)
    https://: campaignd.yaml:1:13+10 wrong-url: `public_url` is no web address (for example `public_url: https://mail.maison.example`)
    https://user@host/: campaignd.yaml:1:13+20 wrong-url: `public_url` takes a host and a path, and nothing else (for example `public_url: https://mail.maison.example`)
    https://host/?a=b: campaignd.yaml:1:13+19 wrong-url: `public_url` takes a host and a path, and nothing else (for example `public_url: https://mail.maison.example`)
    https://ho st/: campaignd.yaml:1:13+16 wrong-url: `public_url` is no web address (for example `public_url: https://mail.maison.example`)
    "#);
}

#[test]
fn transports_exclude_each_other() {
    for transport in [
        "{ folder: {}, smtp: { host: x } }",
        "{}",
        "{ smtp: {} }",
        "{ smtp: { host: x, password_file: none } }",
        "outbox",
    ] {
        assert!(!problems(&format!("{LEAST}transport: {transport}\n")).is_empty(), "{transport}");
    }
    insta::assert_snapshot!(problems(&format!("{LEAST}transport: {{ folder: {{}}, smtp: {{ host: x }} }}\n")), @"campaignd.yaml:3:26+4 ambiguous: mails leave either by `folder` or by `smtp` [`folder` is here campaignd.yaml:3] (leave one out)");
    insta::assert_snapshot!(problems(&format!("{LEAST}transport: {{ folder: {{ pth: x }}, smtp: {{ host: x, port: 0 }} }}\n")), @r"
    campaignd.yaml:3:24+3 unknown-key: `folder` has no key `pth` (did you mean `path`?)
    campaignd.yaml:3:34+4 ambiguous: mails leave either by `folder` or by `smtp` [`folder` is here campaignd.yaml:3] (leave one out)
    campaignd.yaml:3:57+1 wrong-value: `port` must be a whole number from 1 to 65535, not `0`
    ");
    insta::assert_snapshot!(problems(&format!("{LEAST}transport: {{ smtp: {{ host: x, username: y, password_file: none }} }}\n")), @"campaignd.yaml:3:59+4 unreadable-file: could not read `/project/none`: No such file or directory (os error 2) (paths are relative to the project folder)");
}

#[test]
fn bounces_need_an_address_with_room_for_a_token() {
    let with = |bounces: &str| {
        format!("public_url: https://m.example\nsender: {{ postal_address: Paris, bounces: {bounces} }}\n")
    };
    let loaded = load(&with("bounces@maison.example"), &[]);
    let address = loaded.settings.expect("it is right").sender.bounces.expect("it is there");
    assert_eq!(address.as_str(), "bounces@maison.example");
    insta::assert_snapshot!(problems(&with("nobody")), @"campaignd.yaml:2:43+6 wrong-value: `bounces`: `nobody` is not an e-mail address: it has no @");
    insta::assert_snapshot!(problems(&with(&format!("{}@maison.example", "b".repeat(32)))), @"campaignd.yaml:2:43+47 wrong-value: the name in `bounces` must be of letters, digits, `-`, `.` and `_`, at most 31 of them: `+` and a token of 32 characters are added to it");
    insta::assert_snapshot!(problems(&with("rück+läufer@maison.example")), @"campaignd.yaml:2:43+26 wrong-value: the name in `bounces` must be of letters, digits, `-`, `.` and `_`, at most 31 of them: `+` and a token of 32 characters are added to it");
}

#[test]
fn a_secret_in_the_file_is_an_error_and_is_not_shown() {
    let text = format!(
        "{LEAST}database: postgres://u:hunter2@db/x\ntransport: {{ smtp: {{ host: x, username: y, password: opensesame }} }}\n"
    );
    let loaded = load(&text, &[]);
    let shown = text::render(&loaded.problems, &loaded.sources, false);
    assert!(!shown.contains("hunter2") && !shown.contains("opensesame"), "{shown}");
    insta::assert_snapshot!(shown, @r#"
    error[secret-in-file]: the address of the database holds a password: it must not stand in this file
      --> campaignd.yaml:3:11
       |
     3 | database: postgres://u:*******@db/x
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^
       = hint: name a file: `database_password_file: secrets/database`; or set CAMPAIGND_DATABASE_PASSWORD

    error[missing-key]: `username` needs a password
      --> campaignd.yaml:4:31
       |
     4 | transport: { smtp: { host: x, username: y, password: ********** } }
       |                               ^^^^^^^^
       = hint: write `password_file: secrets/smtp`, or set CAMPAIGND_TRANSPORT_SMTP_PASSWORD

    error[secret-in-file]: `password` is a secret: it must not stand in this file
      --> campaignd.yaml:4:44
       |
     4 | transport: { smtp: { host: x, username: y, password: ********** } }
       |                                            ^^^^^^^^
       = hint: write it into a file of its own and name that: `password_file`, `database_password_file`; or set CAMPAIGND_TRANSPORT_SMTP_PASSWORD, CAMPAIGND_DATABASE_PASSWORD
    "#);
    assert!(loaded.settings.is_none());
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = [
        ("CAMPAIGND_PUBLIC_URL", "https://other.example"),
        ("CAMPAIGND_DATABASE", "postgres://u:p@host/name"),
        ("CAMPAIGND_TRANSPORT_SMTP_HOST", "smtp.example"),
        ("CAMPAIGND_TRANSPORT_SMTP_USERNAME", "maison"),
        ("CAMPAIGND_TRANSPORT_SMTP_PASSWORD", "s3cret"),
        ("CAMPAIGND_REFRESH", ""),
        ("PATH", "/bin"),
    ];
    let loaded = load(&format!("{LEAST}transport: {{ folder: {{ path: outbox }} }}\n"), &environment);
    assert_eq!(lines(&loaded.problems), "");
    let settings = loaded.settings.expect("it is right");
    assert_eq!(settings.public_url, "https://other.example");
    assert_eq!(settings.database.expose_secret(), "postgres://u:p@host/name");
    assert_eq!(settings.database_shown, "postgres://u@host/name");
    let Transport::Smtp(smtp) = settings.transport else { panic!("it is SMTP") };
    assert_eq!((smtp.host.as_str(), smtp.port), ("smtp.example", 587));
}

#[test]
fn a_wrong_variable_is_named() {
    let loaded = load(
        LEAST,
        &[
            ("CAMPAIGND_TIME_ZONE", "Paris"),
            ("CAMPAIGND_DATABSE", "x"),
            ("CAMPAIGND_SOMETHING_ELSE", "x"),
            ("CAMPAIGND_SENDER_POSTAL_ADDRESS", "12 rue \u{fffd}"),
            ("CAMPAIGND_TRANSPORT_FOLDER_PATH", "a"),
            ("CAMPAIGND_TRANSPORT_SMTP_HOST", "b"),
        ],
    );
    insta::assert_snapshot!(lines(&loaded.problems), @r#"
    ambiguous: environment variable CAMPAIGND_TRANSPORT_SMTP_HOST: mails leave either by `folder` or by `smtp` (leave one out)
    not-utf8: the environment variable CAMPAIGND_SENDER_POSTAL_ADDRESS is not UTF-8
    unknown-zone: environment variable CAMPAIGND_TIME_ZONE: there is no time zone `Paris` (did you mean `Europe/Paris`?)
    unknown-variable: the environment variable CAMPAIGND_DATABSE has no meaning (did you mean `CAMPAIGND_DATABASE`?)
    "#);
}

#[test]
fn a_folder_without_settings_is_no_project() {
    let folder = tempfile::tempdir().expect("a folder");
    let loaded = settings::load(folder.path(), &BTreeMap::new());
    let message = lines(&loaded.problems).replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(message, @"no-settings: there is no campaignd.yaml in `FOLDER`: it is no project folder (`campaignd init` makes one; `--project DIR` names another)");
}

#[test]
fn limits_of_a_server_are_held_to_their_table() {
    let with = |more: &str| {
        let text = format!(
            "public_url: http://localhost\nsender: {{ postal_address: x }}\ntransport: {{ smtp: {{ host: mail.example, {more} }} }}\n"
        );
        problems(&text)
    };
    assert_eq!(with("per_hour: 10, domains: { web.de: { per_hour: 5 } }"), "");
    insta::assert_snapshot!(
        with("per_hour: 0, domains: { 'gmail com': { connections: 2 }, web.de: { speed: 3, connections: 200 }, others: 4 }"),
        @r"
    campaignd.yaml:3:52+1 wrong-value: `per_hour` must be a whole number from 1 to 4294967295, not `0`
    campaignd.yaml:3:66+11 wrong-name: `gmail com` is no domain of addresses (for example `domains: { gmail.com: { per_hour: 2000, connections: 2 }, others: { connections: 4 } }`)
    campaignd.yaml:3:109+5 unknown-key: a domain has no key `speed` (it has `per_hour`, `connections`)
    campaignd.yaml:3:132+3 wrong-value: `connections` must be a whole number from 1 to 100, not `200`
    campaignd.yaml:3:147+1 wrong-type: `others` must be a map, not the number `4` (its keys are `per_hour`, `connections`)
    "
    );
    insta::assert_snapshot!(with("domains: {}"), @"campaignd.yaml:3:51+2 empty: `domains` is an empty map (for example `domains: { gmail.com: { per_hour: 2000, connections: 2 }, others: { connections: 4 } }`, or leave it out)");
}
