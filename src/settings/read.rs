//! The tree of `campaignd.yaml` to settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::environment::Secrets;
use super::keys::{
    CONSENT, DATABASE_PASSWORD, FOLDER, HTTP, RETENTION, SETTINGS, SMTP, SMTP_PASSWORD, TRANSPORT, UNKNOWN,
};
use super::{
    ConsentUnknown, Durability, Http, Login, Settings, Smtp, Tls, Transport, database, dkim, limits,
    read_bounded, sender,
};
use crate::diagnostic::{Place, Problem};
use crate::domain::campaign::Tracking;
use crate::domain::consent::ConsentState;
use crate::domain::schedule::Cadence;
use crate::domain::time::{Span, Zone};
use crate::yaml::scalar::Scalar;
use crate::yaml::{Field, Fields, Kind, Node, Reader};

/// What can be said also where something is wrong.
pub(super) struct Outcome {
    /// The settings; `None` where something they need is wrong.
    pub(super) settings: Option<Settings>,
    /// The zone.
    pub(super) time_zone: Zone,
}

const DATABASE: &str = "sqlite://campaignd.db";
const OUTBOX: &str = "outbox";
const SPOOL: &str = "spool";
/// What is usual for statistics of an audience, and a year over a year can be looked at.
const RETENTION_OF_HITS: Span = Span::Months(13);
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const LISTEN_REPORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
const REFRESH: Cadence = Cadence::Every(Duration::from_mins(5));
const REFRESH_RANKS: Cadence = Cadence::Every(Duration::from_hours(24));
const CONNECTIONS: u64 = 4;
const MOST_CONNECTIONS: u64 = 100;

/// Reads all settings, or reports everything that is wrong with them.
pub(super) fn settings(reader: &mut Reader, project: &Path, root: &Node, secrets: &Secrets) -> Outcome {
    let Some(fields) = Fields::read(reader, root, "campaignd.yaml", &root.place, &SETTINGS) else {
        return Outcome { settings: None, time_zone: Zone::UTC };
    };
    let public_url = fields.require(reader, "public_url").and_then(|field| public_url(reader, field));
    let sender = fields.require(reader, "sender").and_then(|field| sender::read(reader, field));
    let time_zone = match fields.get("time_zone") {
        Some(field) => reader.zone(field.value, "`time_zone`"),
        None => Some(Zone::UTC),
    };
    let database = database(reader, project, &fields, secrets);
    let durability = match fields.get("durability") {
        Some(field) => {
            let words = [("power", Some(Durability::Power)), ("process", Some(Durability::Process))];
            reader.word(field.value, "`durability`", &words)
        }
        None => Some(Durability::default()),
    };
    let transport = match fields.get("transport") {
        Some(field) => transport(reader, project, field, secrets),
        None => Some(Transport::Folder { path: project.join(OUTBOX) }),
    };
    let refresh = match fields.get("refresh") {
        Some(field) => reader.cadence(field.value, "`refresh`"),
        None => Some(REFRESH),
    };
    let refresh_ranks = match fields.get("refresh_ranks") {
        Some(field) => reader.cadence(field.value, "`refresh_ranks`"),
        None => Some(REFRESH_RANKS),
    };
    let consent_unknown = match fields.get("consent") {
        Some(field) => consent(reader, field),
        None => Some(NOTHING_AGREED),
    };
    let tracking = match fields.get("tracking") {
        Some(field) => {
            reader.word(field.value, "`tracking`", &Tracking::ALL.map(|mode| (mode.word(), Some(mode))))
        }
        None => Some(Tracking::default()),
    };
    let retention_hits = match fields.get("retention") {
        Some(field) => retention(reader, field),
        None => Some(Some(RETENTION_OF_HITS)),
    };
    let http = match fields.get("http") {
        Some(field) => http(reader, field),
        None => Some(Http { listen: Some(LISTEN), report: Some(LISTEN_REPORT) }),
    };
    let spool = match fields.get("spool") {
        Some(field) => path(reader, project, field),
        None => Some(project.join(SPOOL)),
    };
    let dkim = match fields.get("dkim") {
        Some(field) => dkim::keys(reader, project, field),
        None => Some(Vec::new()),
    };
    let zone = time_zone.unwrap_or(Zone::UTC);
    let all = || {
        let database = database?;
        Some(Settings {
            project: project.to_owned(),
            public_url: public_url?,
            sender: sender?,
            time_zone: time_zone?,
            database: SecretString::from(database.address),
            database_shown: database.shown,
            durability: durability?,
            transport: transport?,
            refresh: refresh?,
            refresh_ranks: refresh_ranks?,
            consent_unknown: consent_unknown?,
            retention_hits: retention_hits?,
            http: http?,
            spool: spool?,
            tracking: tracking?,
            dkim: dkim?,
        })
    };
    Outcome { settings: all(), time_zone: zone }
}

/// `https://host[:port][/path]`, without a slash at its end. Plain http only on this machine: links
/// to unsubscribe must be https for everybody else (RFC 8058, 3.1).
fn public_url(reader: &mut Reader, field: Field<'_>) -> Option<String> {
    let text = reader.filled(field.value, "`public_url`")?.trim();
    let wrong = |reader: &mut Reader, reason: &str| {
        let problem =
            Problem::error("wrong-url", format!("`public_url` {reason}"), field.value.place.clone());
        reader.report(problem.hint(format!("for example `{}`", field.key.example)));
        None
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return wrong(reader, "must begin with https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = if authority.starts_with('[') {
        authority.split_inclusive(']').next().unwrap_or_default()
    } else {
        authority.split(':').next().unwrap_or_default()
    };
    let local =
        host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]";
    match scheme {
        "https" => {}
        "http" if local => {}
        "http" => {
            return wrong(reader, "must begin with https://: mail programs unsubscribe over https only");
        }
        _ => return wrong(reader, "must begin with https://"),
    }
    if host.is_empty()
        || text.chars().any(|char| char.is_whitespace() || char.is_control() || "<>\"\\`{}".contains(char))
    {
        return wrong(reader, "is no web address");
    }
    if authority.contains('@') || rest.contains(['?', '#']) {
        return wrong(reader, "takes a host and a path, and nothing else");
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn database(
    reader: &mut Reader,
    project: &Path,
    fields: &Fields<'_>,
    secrets: &Secrets,
) -> Option<database::Database> {
    let file = fields.get("database_password_file");
    let password = match (&secrets.database, file) {
        (Some(password), _) => Some(password.clone()),
        (None, Some(field)) => Some(secret_file(reader, project, field, DATABASE_PASSWORD)?),
        (None, None) => None,
    };
    let default = Node {
        place: file.map_or_else(|| fields.place().clone(), |field| field.value.place.clone()),
        kind: Kind::Scalar(Scalar { text: DATABASE.to_owned(), plain: true }),
    };
    let node = fields.get("database").map_or(&default, |field| field.value);
    database::read(reader, node, project, password.as_deref())
}

fn transport(reader: &mut Reader, project: &Path, field: Field<'_>, secrets: &Secrets) -> Option<Transport> {
    let errors = reader.errors();
    let fields = Fields::read(reader, field.value, "`transport`", &field.name.place, &TRANSPORT)?;
    match (fields.get("folder"), fields.get("smtp")) {
        (Some(folder), None) => {
            let fields = Fields::read(reader, folder.value, "`folder`", &folder.name.place, &FOLDER)?;
            let path = match fields.get("path") {
                Some(field) => path(reader, project, field)?,
                None => project.join(OUTBOX),
            };
            Some(Transport::Folder { path })
        }
        (None, Some(field)) => smtp(reader, project, field, secrets).map(Transport::Smtp),
        (Some(folder), Some(other)) => {
            Fields::read(reader, folder.value, "`folder`", &folder.name.place, &FOLDER);
            smtp(reader, project, other, secrets);
            let message = "mails leave either by `folder` or by `smtp`";
            let problem = Problem::error("ambiguous", message, other.name.place.clone());
            let problem = problem.related("`folder` is here", folder.name.place.clone());
            reader.report(problem.hint("leave one out"));
            None
        }
        (None, None) => {
            if reader.errors() == errors {
                let problem = Problem::error(
                    "missing-key",
                    "`transport` needs `folder` or `smtp`",
                    field.name.place.clone(),
                );
                reader.report(problem.hint(format!("for example `{}`", field.key.example)));
            }
            None
        }
    }
}

fn smtp(reader: &mut Reader, project: &Path, field: Field<'_>, secrets: &Secrets) -> Option<Smtp> {
    let errors = reader.errors();
    let fields = Fields::read(reader, field.value, "`smtp`", &field.name.place, &SMTP)?;
    let host = fields.require(reader, "host").and_then(|field| host(reader, field));
    let tls = match fields.get("tls") {
        Some(field) => {
            let words = [
                ("required", Some(Tls::Required)),
                ("implicit", Some(Tls::Implicit)),
                ("none", Some(Tls::None)),
            ];
            reader.word(field.value, "`tls`", &words)
        }
        None => Some(Tls::default()),
    };
    let port = match fields.get("port") {
        Some(field) => reader.whole(field.value, "`port`", 1, u64::from(u16::MAX)),
        None => Some(match tls {
            Some(Tls::Implicit) => 465,
            Some(Tls::None) => 25,
            _ => 587,
        }),
    };
    let connections = match fields.get("connections") {
        Some(field) => reader.whole(field.value, "`connections`", 1, MOST_CONNECTIONS),
        None => Some(CONNECTIONS),
    };
    let login = login(reader, project, &fields, secrets);
    let limits = limits::read(reader, &fields, MOST_CONNECTIONS);
    let ca_file = fields.get("ca_file").and_then(|field| {
        let path = path(reader, project, field)?;
        if let Err(error) = read_bounded(&path) {
            unreadable(reader, field, &path, &error);
        }
        Some(path)
    });
    if reader.errors() > errors {
        return None;
    }
    let (host, tls) = (host?, tls?);
    if let (Tls::None, Some(field), false) = (tls, fields.get("username"), is_local(&host)) {
        let message = format!("the password goes to `{host}` in the clear");
        let problem = Problem::warning("password-in-clear", message, field.name.place.clone());
        reader.report(problem.hint("`tls: required` encrypts it"));
    }
    let (port, connections) = (u16::try_from(port?).ok()?, usize::try_from(connections?).ok()?);
    Some(Smtp { host, port, tls, login, connections, ca_file, limits })
}

fn host(reader: &mut Reader, field: Field<'_>) -> Option<String> {
    let host = reader.filled(field.value, "`host`")?.trim();
    let is_host = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_' | ':' | '[' | ']');
    let port = host.rsplit_once(':').filter(|(name, _)| !name.contains(':'));
    if host.contains("://") || port.is_some() || !host.chars().all(is_host) {
        let message = format!("`host` must be a host name, not `{host}`");
        let hint = match port {
            Some((name, port)) if !host.contains("://") => format!("write `host: {name}` and `port: {port}`"),
            _ => format!("for example `{}`", field.key.example),
        };
        reader.report(Problem::error("wrong-value", message, field.value.place.clone()).hint(hint));
        return None;
    }
    Some(host.to_owned())
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || matches!(host, "::1" | "[::1]")
}

fn login(reader: &mut Reader, project: &Path, fields: &Fields<'_>, secrets: &Secrets) -> Option<Login> {
    let file = fields.get("password_file");
    let username = fields.get("username").and_then(|field| reader.filled(field.value, "`username`"));
    let password = match (&secrets.smtp, file) {
        (Some(password), _) => Some(password.clone()),
        (None, Some(field)) => Some(secret_file(reader, project, field, SMTP_PASSWORD)?),
        (None, None) => None,
    };
    let missing = |reader: &mut Reader, message: String, place: &Place, hint: String| {
        reader.report(Problem::error("missing-key", message, place.clone()).hint(hint));
        None
    };
    match (username, password) {
        (Some(username), Some(password)) => {
            Some(Login { username: username.to_owned(), password: SecretString::from(password) })
        }
        (Some(_), None) => {
            let place = fields.get("username").map_or(fields.place(), |field| &field.name.place);
            let hint = format!("write `password_file: secrets/smtp`, or set {SMTP_PASSWORD}");
            missing(reader, "`username` needs a password".to_owned(), place, hint)
        }
        (None, Some(_)) if fields.get("username").is_none() => {
            let place = file.map_or(fields.place(), |field| &field.name.place);
            let hint = "add `username`, or leave the password out".to_owned();
            missing(reader, "a password needs a `username`".to_owned(), place, hint)
        }
        (None, _) => None,
    }
}

/// A path, relative to the project folder unless it is absolute.
pub(super) fn path(reader: &mut Reader, project: &Path, field: Field<'_>) -> Option<PathBuf> {
    reader.filled(field.value, &field.subject()).map(|path| project.join(path.trim()))
}

/// The secret in a file, without the line break at its end.
fn secret_file(reader: &mut Reader, project: &Path, field: Field<'_>, variable: &str) -> Option<String> {
    let path = path(reader, project, field)?;
    let bytes = match read_bounded(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            unreadable(reader, field, &path, &error);
            return None;
        }
    };
    let secret = String::from_utf8(bytes).map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    match secret {
        Ok(secret) if !secret.is_empty() => Some(secret),
        _ => {
            let message = format!("`{}` holds no password", path.display());
            let problem = Problem::error("wrong-value", message, field.value.place.clone());
            reader.report(problem.hint(format!("write the password into it, or set {variable}")));
            None
        }
    }
}

pub(super) fn unreadable(reader: &mut Reader, field: Field<'_>, path: &Path, error: &std::io::Error) {
    let message = format!("could not read `{}`: {error}", path.display());
    let problem = Problem::error("unreadable-file", message, field.value.place.clone());
    reader.report(problem.hint("paths are relative to the project folder"));
}

/// Whoever was not asked has not agreed.
const NOTHING_AGREED: ConsentUnknown =
    ConsentUnknown { marketing: ConsentState::No, tracking: ConsentState::No };

fn consent(reader: &mut Reader, field: Field<'_>) -> Option<ConsentUnknown> {
    let fields = Fields::read(reader, field.value, "`consent`", &field.name.place, &CONSENT)?;
    let unknown = fields.require(reader, "unknown")?;
    let fields = Fields::read(reader, unknown.value, "`unknown`", &unknown.name.place, &UNKNOWN)?;
    let words = [("no", Some(ConsentState::No)), ("yes", Some(ConsentState::Yes))];
    let mut state = |name: &str| match fields.get(name) {
        Some(field) => reader.word(field.value, &field.subject(), &words),
        None => Some(ConsentState::No),
    };
    let marketing = state("marketing");
    let tracking = state("tracking");
    Some(ConsentUnknown { marketing: marketing?, tracking: tracking? })
}

/// For how long hits are kept; `Some(None)`: for ever.
#[expect(clippy::option_option, reason = "the outer one: it could be read")]
fn retention(reader: &mut Reader, field: Field<'_>) -> Option<Option<Span>> {
    const FOREVER: [(&str, Option<()>); 1] = [("forever", Some(()))];
    let fields = Fields::read(reader, field.value, "`retention`", &field.name.place, &RETENTION)?;
    let events = match fields.get("events") {
        Some(field) => reader.word(field.value, "`events`", &FOREVER),
        None => Some(()),
    };
    let hits = match fields.get("hits") {
        None => Some(Some(RETENTION_OF_HITS)),
        Some(field) if reader.scalar(field.value, "`hits`", field.key.value)?.text == "forever" => Some(None),
        Some(field) => reader.span(field.value, "`hits`").map(Some),
    };
    events.and(hits)
}

fn http(reader: &mut Reader, field: Field<'_>) -> Option<Http> {
    let fields = Fields::read(reader, field.value, "`http`", &field.name.place, &HTTP)?;
    let listen = listener(reader, &fields, "listen", LISTEN);
    let report = listener(reader, &fields, "report", LISTEN_REPORT);
    let http = Http { listen: listen?, report: report? };
    if let (Some(listen), Some(report), Some(field)) = (http.listen, http.report, fields.get("report"))
        && listen == report
        && listen.port() != 0
    {
        reader.wrong_value(
            field.value,
            "the report needs an address of its own: it is not for the whole world",
        );
        return None;
    }
    Some(http)
}

#[expect(clippy::option_option, reason = "the outer one: it could be read")]
fn listener(
    reader: &mut Reader,
    fields: &Fields<'_>,
    name: &str,
    default: SocketAddr,
) -> Option<Option<SocketAddr>> {
    let Some(field) = fields.get(name) else { return Some(Some(default)) };
    let text = reader.filled(field.value, &field.subject())?.trim();
    if text == "off" {
        return Some(None);
    }
    if let Ok(address) = text.parse() {
        return Some(Some(address));
    }
    let message = format!("{} must be {}, not `{text}`", field.subject(), field.key.value);
    let hint = match text.trim_start_matches(['*', ':']).parse::<u16>() {
        Ok(port) => format!("`127.0.0.1:{port}` for this machine only, `0.0.0.0:{port}` for all"),
        Err(_) => format!("for example `{}`", field.key.example),
    };
    reader.report(Problem::error("wrong-value", message, field.value.place.clone()).hint(hint));
    None
}
