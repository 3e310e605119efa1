//! The address of the database.

use std::fmt::Write as _;
use std::path::Path;

use crate::diagnostic::similar::listed;
use crate::diagnostic::{Problem, did_you_mean};
use crate::yaml::{Node, Reader};

/// Where a database is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Database {
    /// With its password.
    pub(super) address: String,
    /// Without it.
    pub(super) shown: String,
}

/// The parts of `postgres://user:password@host/name?parameters`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    /// The password, from before the `@` or from the parameters.
    pub(super) password: Option<&'a str>,
    /// Everything behind the `@`.
    rest: &'a str,
}

impl<'a> Address<'a> {
    /// Splits an address; `None` where it has no `://`.
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://")?;
        // A password may hold an @ and even a slash, as people write them; what follows it may not.
        let before_parameters = rest.split('?').next().unwrap_or_default();
        let (user_info, rest) = match before_parameters.rfind('@') {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        };
        let (user, password) = match user_info.and_then(|info| info.split_once(':')) {
            Some((user, password)) => (Some(user), Some(password)),
            None => (user_info, None),
        };
        let parameter = rest.split_once('?').and_then(|(_, parameters)| {
            parameters.split('&').find_map(|parameter| parameter.strip_prefix("password="))
        });
        Some(Self {
            scheme,
            user,
            password: password.or(parameter).filter(|password| !password.is_empty()),
            rest,
        })
    }
}

/// Reads the address; a relative path is resolved against the project folder.
pub(super) fn read(
    reader: &mut Reader,
    node: &Node,
    project: &Path,
    password: Option<&str>,
) -> Option<Database> {
    let text = reader.filled(node, "`database`")?.trim();
    let wrong = |reader: &mut Reader, message: String, hint: &str| {
        reader.report(Problem::error("wrong-database", message, node.place.clone()).hint(hint));
        None
    };
    let example = "for example `sqlite://campaignd.db` or `postgres://campaignd@localhost/campaignd`";
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            let message = "`database` must name a file, without parameters".to_owned();
            return wrong(reader, message, "for example `sqlite://campaignd.db`");
        }
        if password.is_some() {
            let message = "a SQLite file has no password".to_owned();
            return wrong(
                reader,
                message,
                "leave out database_password_file and CAMPAIGND_DATABASE_PASSWORD",
            );
        }
        let address = format!("sqlite://{}", project.join(path).display());
        return Some(Database { shown: address.clone(), address });
    }
    let Some(address) = Address::split(text) else {
        return wrong(reader, "`database` is no address".to_owned(), example);
    };
    if !matches!(address.scheme, "postgres" | "postgresql") {
        let hint = did_you_mean(address.scheme, ["postgres", "sqlite"]).unwrap_or_else(|| example.to_owned());
        return wrong(reader, format!("there is no database of the kind `{}`", address.scheme), &hint);
    }
    let host = address.rest.split(['/', '?']).next().unwrap_or_default();
    if host.is_empty() && !address.rest.contains("host=") {
        return wrong(reader, "`database` names no host".to_owned(), example);
    }
    if let Some((message, hint)) = wrong_part(address.rest) {
        return wrong(reader, message, &hint);
    }
    let shown = match address.user {
        Some(user) => format!("{}://{user}@{}", address.scheme, without_password(address.rest)),
        None => format!("{}://{}", address.scheme, without_password(address.rest)),
    };
    let Some(password) = password else {
        return Some(Database { address: text.to_owned(), shown });
    };
    if address.password.is_some() {
        let message = "the database has two passwords: one in its address, one beside it".to_owned();
        return wrong(reader, message, "leave one out");
    }
    let user = address.user.unwrap_or_default();
    let address = format!("{}://{user}:{}@{}", address.scheme, percent_encoded(password), address.rest);
    Some(Database { address, shown })
}

/// What the client of `PostgreSQL` takes behind a `?`.
const PARAMETERS: [&str; 11] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];

/// The values of `sslmode`.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// A port or parameter that cannot be, with what to do.
fn wrong_part(rest: &str) -> Option<(String, String)> {
    let port_hint = "a port is a number from 1 to 65535; PostgreSQL's own is 5432".to_owned();
    let is_port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    let wrong_port = |text: &str| (format!("`{text}` is no port"), port_hint.clone());
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    // An IPv6 address stands in brackets and has colons of its own.
    let behind_address = host.rsplit(']').next().unwrap_or_default();
    if let Some((_, port)) =
        behind_address.rsplit_once(':').filter(|(_, port)| !port.is_empty() && !is_port(port))
    {
        return Some(wrong_port(port));
    }
    let (_, parameters) = rest.split_once('?')?;
    parameters.split('&').filter(|parameter| !parameter.is_empty()).find_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "port" if !is_port(value) => Some(wrong_port(value)),
            "sslmode" if !SSL_MODES.contains(&value) => {
                let hint = did_you_mean(value, SSL_MODES)
                    .unwrap_or_else(|| format!("there are {}", listed(SSL_MODES)));
                Some((format!("`sslmode` is never `{value}`"), hint))
            }
            name if PARAMETERS.contains(&name) || name == "options" || name.starts_with("options[") => None,
            name => {
                let hint = did_you_mean(name, PARAMETERS)
                    .unwrap_or_else(|| format!("there are {}", listed(PARAMETERS)));
                Some((format!("`database` has no parameter `{name}`"), hint))
            }
        }
    })
}

fn without_password(rest: &str) -> String {
    let Some((before, parameters)) = rest.split_once('?') else { return rest.to_owned() };
    let kept: Vec<_> =
        parameters.split('&').filter(|parameter| !parameter.starts_with("password=")).collect();
    if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) }
}

/// RFC 3986, 2.1: everything but unreserved characters.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
