//! One connection to the server, from the socket to "ready for mail": connect, greeting, EHLO,
//! STARTTLS, EHLO again, AUTH.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Auth, Ehlo};
use lettre::transport::smtp::response::Response;
use secrecy::ExposeSecret as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::extensions::Extensions;
use super::reply::{Answer, Failure};
use super::wire::Wire;
use super::{Server, SmtpTls};

/// How long good manners (QUIT) may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection that is ready for mail.
pub(super) struct Connection {
    lettre: AsyncSmtpConnection,
    wire: Wire,
    extensions: Extensions,
    used_at: Instant,
    command_timeout: Duration,
}

/// Where opening a connection stopped.
#[derive(Debug)]
pub(super) struct NotOpened {
    /// What was being done.
    pub(super) step: String,
    /// What went wrong.
    pub(super) failure: Failure,
}

impl Connection {
    /// Connects and gets ready for mail.
    pub(super) async fn open(server: &Server) -> Result<Self, NotOpened> {
        let options = &server.options;
        let stopped = |step: &str| {
            let step = format!("{step} {}:{}", options.host, options.port);
            move |failure: Failure| NotOpened { step, failure }
        };
        let wire = connect(server).await.map_err(stopped("connecting to"))?;
        if options.tls == SmtpTls::Implicit {
            start_tls(&wire, server).await.map_err(stopped("starting TLS with"))?;
        }
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(wire.clone()), &server.hello);
        let lettre = within(options.timeouts.command, "the greeting", async { Ok(greeting.await?) })
            .await
            .map_err(stopped("greeting"))?;
        let mut connection = Self {
            lettre,
            extensions: Extensions::read(&wire.last_reply()),
            wire,
            used_at: Instant::now(),
            command_timeout: options.timeouts.command,
        };
        if options.tls == SmtpTls::Required {
            connection.encrypt(server).await.map_err(stopped("starting TLS with"))?;
        }
        if options.credentials.is_some() {
            connection.log_in(server).await.map_err(stopped("logging in at"))?;
        }
        Ok(connection)
    }

    async fn encrypt(&mut self, server: &Server) -> Result<(), Failure> {
        if !self.extensions.starttls {
            return Err(Failure::Broke(
                "the server does not offer STARTTLS, and the settings require it (tls: required)".to_owned(),
            ));
        }
        self.command("STARTTLS\r\n").await?;
        start_tls(&self.wire, server).await?;
        // What was said before was not encrypted and counts no more (RFC 3207 section 4.2).
        self.command(&Ehlo::new(server.hello.clone()).to_string()).await?;
        self.extensions = Extensions::read(&self.wire.last_reply());
        Ok(())
    }

    async fn log_in(&mut self, server: &Server) -> Result<(), Failure> {
        let Some(credentials) = &server.options.credentials else { return Ok(()) };
        if server.options.tls == SmtpTls::None && !self.wire.is_loopback() {
            return Err(Failure::Broke(
                "a password is not sent without TLS, but to this machine itself".to_owned(),
            ));
        }
        let offered = |name: &str| self.extensions.auth.iter().any(|offered| offered == name);
        let mechanism = if offered("PLAIN") {
            Mechanism::Plain
        } else if offered("LOGIN") {
            Mechanism::Login
        } else {
            return Err(Failure::Broke("the server offers neither AUTH PLAIN nor AUTH LOGIN".to_owned()));
        };
        let credentials =
            Credentials::new(credentials.username.clone(), credentials.password.expose_secret().to_owned());
        let mut answer = self.ask(&Auth::new(mechanism, credentials.clone(), None)?.to_string()).await?;
        // AUTH LOGIN asks twice: user name, password.
        for _ in 0..2 {
            if u16::from(answer.code()) != 334 {
                break;
            }
            let next = Auth::new_from_response(mechanism, credentials.clone(), &answer)?;
            answer = self.ask(&next.to_string()).await?;
        }
        match u16::from(answer.code()) {
            200..=299 => Ok(()),
            code => Err(Failure::Broke(format!("the server went on asking ({code})"))),
        }
    }

    /// What the server can do.
    pub(super) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Sends a command, its line's end included, and waits for the answer.
    pub(super) async fn command(&mut self, line: &str) -> Result<Answer, Failure> {
        Ok(self.ask(line).await?.into())
    }

    async fn ask(&mut self, line: &str) -> Result<Response, Failure> {
        within(self.command_timeout, "an answer", async { Ok(self.lettre.command(line).await?) }).await
    }

    /// Sends commands without waiting for each answer (RFC 2920).
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        within(self.command_timeout, "the server to read", async {
            self.wire.write_all(bytes).await.map_err(Failure::from)?;
            self.wire.flush().await.map_err(Failure::from)
        })
        .await
    }

    /// Sends bytes of which it matters how many went out, counting them as the socket takes them.
    pub(super) async fn write_counted(&mut self, bytes: &[u8], sent: &mut usize) -> Result<(), Failure> {
        while *sent < bytes.len() {
            let rest = &bytes[*sent..];
            let written = within(self.command_timeout, "the server to read", async {
                self.wire.write(rest).await.map_err(Failure::from)
            })
            .await?;
            if written == 0 {
                return Err(Failure::Broke("the server closed the connection".to_owned()));
            }
            *sent += written;
        }
        within(self.command_timeout, "the server to read", async {
            self.wire.flush().await.map_err(Failure::from)
        })
        .await
    }

    /// Waits for an answer to something that was written.
    pub(super) async fn answer(&mut self, patience: Duration) -> Result<Answer, Failure> {
        let response =
            within(patience, "an answer", async { Ok(self.lettre.read_response().await?) }).await?;
        let text = response.message().collect::<Vec<_>>().join(" ");
        Ok(Answer { code: response.code().into(), text })
    }

    /// How long to wait for answers.
    pub(super) fn command_timeout(&self) -> Duration {
        self.command_timeout
    }

    /// Notes that it was used now.
    pub(super) fn touch(&mut self) {
        self.used_at = Instant::now();
    }

    /// Whether it can be taken for another mail: used lately, and the server said nothing since.
    pub(super) fn is_fresh(&self, idle: Duration) -> bool {
        self.used_at.elapsed() < idle && self.is_in_step() && self.wire.is_quiet()
    }

    /// Whether the server answered the last command once, and said nothing more: an answer too many
    /// would be taken for that to the next command.
    pub(super) fn is_in_step(&self) -> bool {
        self.wire.replies() <= 1
    }

    /// Says goodbye and closes.
    pub(super) async fn quit(mut self) {
        timeout(FAREWELL, self.lettre.command("QUIT\r\n")).await.ok();
    }
}

async fn connect(server: &Server) -> Result<Wire, Failure> {
    let options = &server.options;
    within(options.timeouts.connect, "the connection", async {
        let socket = connect_to_any(&options.host, options.port, options.timeouts.connect).await?;
        // Else the system holds back the end of a message for up to 40 ms (Nagle's algorithm).
        socket.set_nodelay(true).map_err(Failure::from)?;
        Wire::new(socket).map_err(Failure::from)
    })
    .await
}

/// Tries the addresses of the host one after the other, none for so long that no time is left for
/// the others: a network with a broken IPv6 is common.
async fn connect_to_any(host: &str, port: u16, patience: Duration) -> std::io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    let share = patience / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = error,
            Err(_) => {
                last = std::io::Error::new(std::io::ErrorKind::TimedOut, format!("{address} did not answer"));
            }
        }
    }
    Err(last)
}

async fn start_tls(wire: &Wire, server: &Server) -> Result<(), Failure> {
    let Some(config) = server.tls.clone() else { return Ok(()) };
    within(server.options.timeouts.connect, "the TLS handshake", async {
        Ok(wire.start_tls(config, server.tls_name.clone()).await?)
    })
    .await
}

async fn within<T>(
    patience: Duration,
    what_for: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match timeout(patience, work).await {
        Ok(result) => result,
        Err(_) => Err(Failure::Broke(format!("waited {} s for {what_for}", patience.as_secs_f32()))),
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("wire", &self.wire).finish_non_exhaustive()
    }
}
