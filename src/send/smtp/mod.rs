//! Mails to a mail server, over connections that are kept.
//!
//! | file | what it does |
//! |---|---|
//! | `mod.rs` | what is configured, and what is checked of it |
//! | `lane` | one mail after the other: the envelope, the message, what becomes of the connection |
//! | `connection` | from the socket to "ready for mail": EHLO, STARTTLS, AUTH; commands and answers |
//! | `wire` | the bytes below: plain or TLS |
//! | `answer` | bytes to answers |
//! | `tls` | whom to trust |
//! | `extensions` | what the server can do |
//! | `message` | a message's bytes: whole lines, doubled dots, the final dot |
//! | [`reply`] | what a server said, as one clean line; what it decides |
//!
//! The conversation is our own, with lettre's words where they have a grammar (EHLO, AUTH). lettre's connection
//! waits for the answer to each command, hides how much of a message went out, which the send ledger must know,
//! and takes twice the time of a processor; its pool keeps Nagle's delay (44 ms a mail) and asks NOOP before each
//! mail. ARCHITECTURE.md has the figures.

mod answer;
mod connection;
mod extensions;
mod lane;
mod message;
pub mod reply;
mod tls;
mod wire;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use secrecy::SecretString;

use crate::send::Lease;

pub use lane::SmtpLane;

/// How to reach a mail server.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// Its name; the certificate must be for it.
    pub host: String,
    /// Its port: 587 for STARTTLS, 465 for implicit TLS, 25 between servers.
    pub port: u16,
    /// Whether the conversation is encrypted.
    pub tls: SmtpTls,
    /// Who we are, where the server asks.
    pub credentials: Option<SmtpCredentials>,
    /// How many connections at once; at least one.
    pub connections: usize,
    /// PEM file with the certificates of the authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What we call ourselves in EHLO; the machine's name unless given.
    pub hello_name: Option<String>,
    /// How long to wait for what.
    pub timeouts: SmtpTimeouts,
}

/// Whether the conversation with the server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SmtpTls {
    /// STARTTLS; a server that does not offer it gets nothing.
    #[default]
    Required,
    /// From the first byte on (port 465).
    Implicit,
    /// Not at all; for a relay on the same machine or network. Passwords are only sent to loopback.
    None,
}

/// User name and password.
#[derive(Debug, Clone)]
pub struct SmtpCredentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: SecretString,
}

/// How long to wait for what. The defaults are those of RFC 5321 section 4.5.3.2, but for the
/// connection, for a message as a whole and for idling, which it does not speak of.
#[derive(Debug, Clone, Copy)]
pub struct SmtpTimeouts {
    /// For the connection and the TLS handshake.
    pub connect: Duration,
    /// For the server's first words (4.5.3.2.1).
    pub greeting: Duration,
    /// For the answers to MAIL, RCPT and all commands that it does not name (4.5.3.2.2 and 3).
    pub command: Duration,
    /// For the answer to DATA (4.5.3.2.4).
    pub data: Duration,
    /// For each part of the message that the server reads (4.5.3.2.5).
    pub block: Duration,
    /// For the whole message, however often the server reads a part of it: one that takes a byte at a time holds
    /// nothing up for hours.
    pub message: Duration,
    /// For the answer to the final dot (4.5.3.2.6). Giving up here leaves a delivery uncertain.
    pub final_reply: Duration,
    /// A connection that was not used for this long is closed.
    pub idle: Duration,
}

impl Default for SmtpTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_mins(5),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            block: Duration::from_mins(3),
            message: Duration::from_mins(15),
            final_reply: Duration::from_mins(10),
            idle: Duration::from_secs(30),
        }
    }
}

/// Why a mail server cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSmtp(String);

/// A mail server.
#[derive(Debug, Clone)]
pub struct SmtpTransport {
    server: Arc<Server>,
}

/// The options, checked and prepared.
struct Server {
    options: SmtpOptions,
    hello: ClientId,
    /// Absent where the settings want no TLS.
    tls: Option<Arc<ClientConfig>>,
    tls_name: ServerName<'static>,
}

impl SmtpTransport {
    /// Checks the options and reads the certificates; connects to nothing.
    pub fn new(options: SmtpOptions) -> Result<Self, InvalidSmtp> {
        let name = ServerName::try_from(options.host.as_str())
            .map_err(|_| InvalidSmtp(format!("`{}` is no host name and no IP address", options.host)))?;
        if options.tls == SmtpTls::None && options.credentials.is_some() && !is_this_machine(&options.host) {
            return Err(InvalidSmtp(format!(
                "a password must not be sent to {} without TLS; set `tls: required` or `tls: implicit`",
                options.host
            )));
        }
        let tls = match options.tls {
            SmtpTls::None => None,
            SmtpTls::Required | SmtpTls::Implicit => Some(tls::client(options.ca_file.as_deref())?),
        };
        let server =
            Server { hello: hello(options.hello_name.as_deref())?, tls, tls_name: name.to_owned(), options };
        Ok(Self { server: Arc::new(server) })
    }

    /// How many lanes may be open at once.
    pub fn connections(&self) -> usize {
        self.server.options.connections.max(1)
    }

    /// A lane of its own, not connected yet, that lets messages out as long as the lease holds.
    pub fn open(&self, lease: Lease) -> SmtpLane {
        SmtpLane::new(Arc::clone(&self.server), lease)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("options", &self.options).finish_non_exhaustive()
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What we call ourselves in EHLO.
fn hello(name: Option<&str>) -> Result<ClientId, InvalidSmtp> {
    let fits = |name: &str| {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (1..=255).contains(&name.len()) && name.bytes().all(harmless)
    };
    match (name, ClientId::default()) {
        (Some(name), _) if fits(name) => Ok(ClientId::Domain(name.to_owned())),
        (Some(name), _) => Err(InvalidSmtp(format!("{name:?} is no host name for EHLO"))),
        (None, ClientId::Domain(machine)) if !fits(&machine) => {
            Ok(ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST))
        }
        (None, machine) => Ok(machine),
    }
}
