//! `campaignd.yaml` and the environment to typed, checked settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::diagnostic::{Problem, Sources};
use crate::domain::consent::ConsentState;
use crate::domain::time::Zone;

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
    pub refresh: Duration,
    /// What an unknown consent counts as.
    pub consent_unknown: ConsentUnknown,
}

/// Who sends, before the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The postal address that marketing mail must carry.
    pub postal_address: String,
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
    /// All problems, sorted.
    pub problems: Vec<Problem>,
    /// The file's text, for [`crate::diagnostic::text::render`].
    pub sources: Sources,
}

/// Reads `campaignd.yaml` of a project folder. `environment` overrides it: `CAMPAIGND_DATABASE`,
/// `CAMPAIGND_DATABASE_PASSWORD`, …; other variables are ignored.
pub fn load(_project: &Path, _environment: &BTreeMap<String, String>) -> LoadedSettings {
    todo!()
}
