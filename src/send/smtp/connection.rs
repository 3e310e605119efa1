//! One connection to the server, from the socket to "ready for mail": connect, greeting, EHLO,
//! STARTTLS, EHLO again, AUTH.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Ehlo};
use lettre::transport::smtp::response::Response;
use secrecy::ExposeSecret as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::answer::Answer;
use super::extensions::Extensions;
use super::reply::Failure;
use super::wire::Wire;
use super::{Server, SmtpTimeouts, SmtpTls};
use crate::edge;
use crate::send::Lease;

/// The edge in the middle of a message.
const HALF: &str = "half of the message is out";

/// How long good manners (QUIT) may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection that is ready for mail.
#[derive(Debug)]
pub(super) struct Connection {
    wire: Wire,
    extensions: Extensions,
    used_at: Instant,
    timeouts: SmtpTimeouts,
    /// The server did what it must not: nobody knows where it stands.
    is_strange: bool,
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
        let mut wire = connect(server).await.map_err(stopped("connecting to"))?;
        edge::pass("connected");
        if options.tls == SmtpTls::Implicit {
            wire = encrypted(wire, server).await.map_err(stopped("starting TLS with"))?;
        }
        let mut connection = Self {
            wire,
            extensions: Extensions::default(),
            used_at: Instant::now(),
            timeouts: options.timeouts,
            is_strange: false,
        };
        connection.greet(server).await.map_err(stopped("greeting"))?;
        if options.tls == SmtpTls::Required {
            connection = connection.secure(server).await.map_err(stopped("starting TLS with"))?;
        }
        if options.credentials.is_some() {
            connection.log_in(server).await.map_err(stopped("logging in at"))?;
        }
        edge::pass("ready for mail");
        Ok(connection)
    }

    async fn greet(&mut self, server: &Server) -> Result<(), Failure> {
        within(self.timeouts.greeting, "the greeting", self.wire.answer()).await?.agreed()?;
        self.introduce(server).await
    }

    async fn introduce(&mut self, server: &Server) -> Result<(), Failure> {
        let answer = self.command(&Ehlo::new(server.hello.clone()).to_string()).await?.agreed()?;
        self.extensions = Extensions::read(&answer.lines);
        Ok(())
    }

    async fn secure(mut self, server: &Server) -> Result<Self, Failure> {
        if !self.extensions.starttls {
            return Err(Failure::Broke(
                "the server does not offer STARTTLS, and the settings require it (tls: required)".to_owned(),
            ));
        }
        self.command("STARTTLS\r\n").await?.agreed()?;
        let mut secured = Self { wire: encrypted(self.wire, server).await?, ..self };
        // What was said before was not encrypted and counts no more (RFC 3207 section 4.2).
        secured.introduce(server).await?;
        Ok(secured)
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
        let wrong = |error: lettre::transport::smtp::Error| Failure::Broke(error.to_string());
        let first = Auth::new(mechanism, credentials.clone(), None).map_err(wrong)?;
        let mut answer = self.command(&first.to_string()).await?.unless_refused()?;
        // AUTH LOGIN asks twice: user name, password.
        for _ in 0..2 {
            if answer.code != 334 {
                break;
            }
            let asked: Response = format!("334 {}\r\n", answer.text()).parse().map_err(wrong)?;
            let next = Auth::new_from_response(mechanism, credentials.clone(), &asked).map_err(wrong)?;
            answer = self.command(&next.to_string()).await?.unless_refused()?;
        }
        match answer.code {
            200..300 => Ok(()),
            code => Err(Failure::Broke(format!("the server went on asking ({code})"))),
        }
    }

    /// What the server can do.
    pub(super) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// How long to wait for what.
    pub(super) fn timeouts(&self) -> SmtpTimeouts {
        self.timeouts
    }

    /// Sends a command, its line's end included, and waits for the answer.
    pub(super) async fn command(&mut self, line: &str) -> Result<Answer, Failure> {
        self.send(line.as_bytes()).await?;
        self.answer(self.timeouts.command).await
    }

    /// Sends commands without waiting for each answer (RFC 2920).
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let (mut sent, patience) = (0, self.timeouts.command);
        while sent < bytes.len() {
            sent += within(patience, "the server to read", self.wire.write(&bytes[sent..])).await?;
        }
        within(patience, "the server to read", self.wire.flush()).await
    }

    /// Sends a message with its final dot, counting the bytes as the socket takes them. A server that speaks or
    /// leaves before it has all of them does not want it, and a sender whose lease is over must not send it: then the
    /// final dot is not sent.
    pub(super) async fn send_message(
        &mut self,
        bytes: &[u8],
        sent: &mut usize,
        lease: &Lease,
    ) -> Result<(), Failure> {
        let SmtpTimeouts { block, message, .. } = self.timeouts;
        within(message, "the server to read the whole message", async {
            while *sent < bytes.len() {
                if !lease.holds() {
                    return Err(Failure::Broke("this daemon gave no sign of life for too long".to_owned()));
                }
                if !self.wire.is_quiet() {
                    return Err(self.interruption().await);
                }
                let part = if *sent == 0 { edge::up_to(HALF, bytes) } else { &bytes[*sent..] };
                *sent += within(block, "the server to read", self.wire.write(part)).await?;
                if *sent < bytes.len() {
                    edge::pass(HALF);
                }
            }
            within(block, "the server to read", self.wire.flush()).await
        })
        .await
    }

    /// What a server says in the middle of a message.
    async fn interruption(&mut self) -> Failure {
        match self.answer(self.timeouts.command).await.and_then(Answer::unless_refused) {
            Ok(answer) => {
                Failure::Broke(format!("the server said {} before it had the message", answer.code))
            }
            Err(failure) => failure,
        }
    }

    /// Waits for an answer to something that was sent.
    pub(super) async fn answer(&mut self, patience: Duration) -> Result<Answer, Failure> {
        within(patience, "an answer", self.wire.answer()).await
    }

    /// Notes that it was used now.
    pub(super) fn touch(&mut self) {
        self.used_at = Instant::now();
    }

    /// Whether it was not used for so long that the server may be about to close it.
    pub(super) fn is_idle(&self) -> bool {
        self.used_at.elapsed() >= self.timeouts.idle
    }

    /// Whether it can be taken for another mail: used lately, and the server said nothing since.
    pub(super) fn is_fresh(&mut self) -> bool {
        !self.is_idle() && self.wire.is_quiet()
    }

    /// Whether the server answered the last command once, and said nothing more: an answer too many
    /// would be taken for that to the next command.
    pub(super) fn is_in_step(&self) -> bool {
        !self.is_strange && self.wire.is_in_step()
    }

    /// It is not to be used for another mail.
    pub(super) fn distrust(&mut self) {
        self.is_strange = true;
    }

    /// Says goodbye and closes.
    pub(super) async fn quit(mut self) {
        timeout(FAREWELL, self.command("QUIT\r\n")).await.ok();
        edge::pass("said goodbye");
    }
}

async fn connect(server: &Server) -> Result<Wire, Failure> {
    let options = &server.options;
    within(options.timeouts.connect, "the connection", async {
        let socket = connect_to_any(&options.host, options.port, options.timeouts.connect).await?;
        Ok(Wire::new(socket)?)
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

async fn encrypted(wire: Wire, server: &Server) -> Result<Wire, Failure> {
    let Some(config) = server.tls.clone() else { return Ok(wire) };
    let handshake = wire.encrypted(config, server.tls_name.clone());
    within(server.options.timeouts.connect, "the TLS handshake", handshake).await
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
