//! The address of the database.

use std::fmt::Write as _;
use std::path::Path;

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
