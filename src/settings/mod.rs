//! `campaignd.yaml` and the environment to typed, checked settings.
//!
//! | step | file | what |
//! |---|---|---|
//! | compose | [`crate::yaml`] | the file's tree |
//! | conceal | [`secrets`] | secrets in the file are errors, and are not shown |
//! | overlay | [`environment`] | variables replace values of the tree |
//! | read | [`mod@read`], [`database`] | by the tables of [`keys`]: all problems in one go |
//!
//! A secret comes from a file of its own or from the environment, never from `campaignd.yaml`, which
//! lives in git. Only what has an effect in this version is accepted.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use crate::diagnostic::{self, Problem, Sources};
use crate::dkim::Signer;
use crate::domain::address::EmailAddress;
use crate::domain::campaign::Tracking;
use crate::domain::consent::ConsentState;
use crate::domain::provider::TransportLimits;
use crate::domain::schedule::Cadence;
use crate::domain::time::{Span, Zone};
use crate::yaml::{self, Kind, Node, Reader};

mod database;
mod dkim;
mod environment;
pub mod keys;
mod limits;
mod read;
mod secrets;
mod sender;

/// The settings of an installation. Paths are absolute or relative to the current folder: those in
/// the file are resolved against the project folder.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The project folder.
    pub project: PathBuf,
    /// Where pages and links of this installation are reached; without a slash at its end.
    pub public_url: String,
    /// Who sends.
    pub sender: Sender,
    /// The installation's zone.
    pub time_zone: Zone,
    /// `sqlite://PATH` (resolved) or `postgres://…` with its password, if it needs one.
    pub database: SecretString,
    /// The same without a password, for messages.
    pub database_shown: String,
    /// What an accepted mail survives.
    pub durability: Durability,
    /// How mails leave.
    pub transport: Transport,
    /// How often segments are evaluated anew.
    pub refresh: Cadence,
    /// How often contacts are ranked anew.
    pub refresh_ranks: Cadence,
    /// What an unknown consent counts as.
    pub consent_unknown: ConsentUnknown,
    /// For how long requests of pixels and links are kept; `None`: for ever.
    pub retention_hits: Option<Span>,
    /// Where pages are served.
    pub http: Http,
    /// The folder in which requests of pixels and links wait for the database.
    pub spool: PathBuf,
    /// The most that is recorded of opens and clicks, whatever a campaign says.
    pub tracking: Tracking,
    /// What signs mails.
    pub dkim: Vec<DkimKey>,
}

/// A key that signs mails.
#[derive(Debug, Clone)]
pub struct DkimKey {
    /// It, with its domain.
    pub signer: Signer,
    /// Its file.
    pub file: PathBuf,
}

/// Where pages are served; `None`: nowhere. Port 0 is any free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http {
    /// For the whole world.
    pub listen: Option<SocketAddr>,
    /// For those who may see the report.
    pub report: Option<SocketAddr>,
}

/// Who sends, before the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The postal address that marketing mail must carry.
    pub postal_address: String,
    /// Where what cannot be delivered comes back to: the envelope's sender is this address, with each delivery's
    /// token behind a `+`. `None`: the campaign's `from`.
    pub bounces: Option<EmailAddress>,
}

/// What a settled row survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A kill of the process.
    Process,
    /// A loss of power.
    #[default]
    Power,
}

/// What an unknown consent counts as: `Yes` or `No`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentUnknown {
    /// For marketing mail.
    pub marketing: ConsentState,
    /// For tracking.
    pub tracking: ConsentState,
}

/// How mails leave.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Into a folder, one file each: nobody is mailed.
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// To a mail server.
    Smtp(Smtp),
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the conversation is encrypted.
    pub tls: Tls,
    /// Whom to log in as; with a password or not at all.
    pub login: Option<Login>,
    /// How many connections at once; at least 1.
    pub connections: usize,
    /// A file with certificates of authorities to trust beside the usual ones.
    pub ca_file: Option<PathBuf>,
    /// How fast mails leave, and to each provider.
    pub limits: TransportLimits,
}

/// A user of a mail server.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// How a conversation with a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// By STARTTLS; a server without it is not used.
    #[default]
    Required,
    /// From the first byte (usually port 465).
    Implicit,
    /// Not at all: for servers on the same machine, and tests.
    None,
}

/// What was read of the settings.
#[derive(Debug, Clone)]
pub struct LoadedSettings {
    /// The settings; `None` when there is an error among the problems.
    pub settings: Option<Settings>,
    /// The installation's zone, also where something else is wrong; UTC where it is.
    pub time_zone: Zone,
    /// All problems, sorted.
    pub problems: Vec<Problem>,
    /// The file's text without secrets, for [`crate::diagnostic::text::render`].
    pub sources: Sources,
}

/// The file of the settings in a project folder.
pub const FILE: &str = "campaignd.yaml";

/// Reads `campaignd.yaml` of a project folder. `environment` overrides it: `CAMPAIGND_DATABASE` and
/// the like, see [`keys::VARIABLES`]; variables of other names are ignored.
pub fn load(project: &Path, environment: &BTreeMap<String, String>) -> LoadedSettings {
    let path = project.join(FILE);
    let problem = match read_bounded(&path) {
        Ok(bytes) => return read(project, &bytes, environment),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("there is no {FILE} in `{}`: it is no project folder", project.display());
            Problem::placeless("no-settings", message)
                .hint("`campaignd init` makes one; `--project DIR` names another")
        }
        Err(error) => {
            Problem::placeless("unreadable-file", format!("could not read `{}`: {error}", path.display()))
        }
    };
    LoadedSettings { settings: None, time_zone: Zone::UTC, problems: vec![problem], sources: Sources::new() }
}

/// Reads settings from the bytes of their file.
pub fn read(project: &Path, bytes: &[u8], environment: &BTreeMap<String, String>) -> LoadedSettings {
    let file: Arc<str> = FILE.into();
    let mut composed = yaml::compose(&file, bytes);
    let mut problems = std::mem::take(&mut composed.problems);
    let mut sources = Sources::new();
    let mut reader = Reader::new();
    let mut settings = None;
    let mut time_zone = Zone::UTC;
    if composed.stopped {
        // What can't be read may hold a secret; its one line is shown, as any other tool would.
        sources.insert(file, composed.text);
    } else {
        let empty = || Node { place: diagnostic::Place::file(file.clone()), kind: Kind::Map(Vec::new()) };
        let mut root = composed.root.filter(|root| root.kind != Kind::Null).unwrap_or_else(empty);
        let text = secrets::conceal(&mut reader, &mut root, &composed.text);
        sources.insert(file.clone(), text);
        let variables = environment::overlay(&mut reader, &mut root, environment);
        let outcome = read::settings(&mut reader, project, &root, &variables);
        time_zone = outcome.time_zone;
        settings = outcome.settings;
    }
    problems.extend(reader.into_problems().into_iter().map(environment::place));
    diagnostic::sort(&mut problems);
    let sound = !problems.iter().any(Problem::is_error);
    LoadedSettings { settings: settings.filter(|_| sound), time_zone, problems, sources }
}

/// A file that is no larger than settings and secrets are.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    const MAX_BYTES: u64 = 1 << 20;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(bytes)
}
