//! From settings to a way for mails to leave.

use std::fmt;
use std::path::PathBuf;

use crate::send::smtp::SmtpTimeouts;
use crate::send::{SmtpCredentials, SmtpOptions, SmtpTls, Transport};
use crate::settings::{self, Settings, Tls};

use super::Failure;

/// Where mails go, in words. `run` says it at every start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportShown {
    /// Nobody is mailed.
    Folder(PathBuf),
    /// People are mailed.
    Smtp {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl TransportShown {
    /// What the settings say.
    pub fn of(settings: &Settings) -> Self {
        match &settings.transport {
            settings::Transport::Folder { path } => Self::Folder(path.clone()),
            settings::Transport::Smtp(smtp) => Self::Smtp { host: smtp.host.clone(), port: smtp.port },
        }
    }

    /// Whether mails reach people.
    pub const fn mails_people(&self) -> bool {
        matches!(self, Self::Smtp { .. })
    }
}

impl fmt::Display for TransportShown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => {
                write!(formatter, "mails go into the folder {}; nobody is mailed", path.display())
            }
            Self::Smtp { host, port } => write!(formatter, "mails go to {host}:{port}"),
        }
    }
}

/// The transport that the settings name; nothing is connected yet.
pub fn transport(settings: &Settings) -> Result<Transport, Failure> {
    let smtp = match &settings.transport {
        settings::Transport::Folder { path } => return Ok(Transport::folder(path)),
        settings::Transport::Smtp(smtp) => smtp,
    };
    let tls = match smtp.tls {
        Tls::Required => SmtpTls::Required,
        Tls::Implicit => SmtpTls::Implicit,
        Tls::None => SmtpTls::None,
    };
    let credentials = smtp
        .login
        .as_ref()
        .map(|login| SmtpCredentials { username: login.username.clone(), password: login.password.clone() });
    let options = SmtpOptions {
        host: smtp.host.clone(),
        port: smtp.port,
        tls,
        credentials,
        connections: smtp.connections,
        ca_file: smtp.ca_file.clone(),
        hello_name: None,
        timeouts: SmtpTimeouts::default(),
    };
    Transport::smtp(options).map_err(|error| Failure::call(format!("{:#}", anyhow::Error::new(error))))
}
