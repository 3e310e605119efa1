//! A mail server for tests, in the test's own process: it survives whatever happens to the program
//! under test. It answers by a script, keeps what it took, and can be slow, rude or broken at any
//! step of the conversation.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A step of the conversation, with what the client said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// A connection was made.
    Greeting,
    /// `EHLO name`.
    Ehlo(&'a str),
    /// `STARTTLS`.
    StartTls,
    /// `AUTH …`.
    Auth(&'a str),
    /// `MAIL FROM:…`, the whole line.
    Mail(&'a str),
    /// The recipient's address.
    Rcpt(&'a str),
    /// `DATA`.
    Data,
    /// The whole message came in, for this recipient. It is kept unless it is answered otherwise
    /// than by 250, or by [`Action::TakeAndDrop`].
    Dot(&'a str),
    /// `RSET`, `NOOP`, `QUIT`, anything else.
    Other(&'a str),
}

/// What the server does at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Answers this; `\n` between lines, CRLF is added.
    Say(String),
    /// Answers these bytes as they are.
    SayRaw(Vec<u8>),
    /// Answers, and closes the connection.
    SayAndDrop(String),
    /// Closes the connection.
    Drop,
    /// Keeps the message, and closes the connection without an answer.
    TakeAndDrop,
    /// Never answers.
    BeSilent,
}

/// `Action::Say`, for short.
pub(crate) fn say(text: &str) -> Action {
    Action::Say(text.to_owned())
}

type Script = Box<dyn Fn(Step<'_>) -> Option<Action> + Send + Sync>;

/// How a server is set up. `script` decides first; where it says `None`, all is well.
pub(crate) struct SmtpServerOptions {
    pub(crate) script: Script,
    /// The keywords of the answer to EHLO, without STARTTLS and AUTH.
    pub(crate) extensions: Vec<&'static str>,
    /// Certificate and key for STARTTLS, which is offered where this is given.
    pub(crate) starttls: Option<Arc<ServerConfig>>,
    /// Certificate and key for TLS from the first byte.
    pub(crate) implicit_tls: Option<Arc<ServerConfig>>,
    /// Mechanisms that are offered, and who may log in.
    pub(crate) auth: Option<(&'static str, &'static str, &'static str)>,
    /// How long each message takes.
    pub(crate) a_message_takes: Duration,
}

impl Default for SmtpServerOptions {
    fn default() -> Self {
        Self {
            script: Box::new(|_| None),
            extensions: vec!["PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"],
            starttls: None,
            implicit_tls: None,
            auth: None,
            a_message_takes: Duration::ZERO,
        }
    }
}

/// A message that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TakenMail {
    /// The envelope's sender, as in MAIL.
    pub(crate) sender: String,
    /// The envelope's recipient.
    pub(crate) recipient: String,
    /// The value of `Message-ID`.
    pub(crate) message_id: String,
    /// The message, dots undoubled.
    pub(crate) bytes: Vec<u8>,
    /// Whether it came under TLS.
    pub(crate) encrypted: bool,
    /// Who had logged in.
    pub(crate) user: Option<String>,
    /// The number of the connection, from 1.
    pub(crate) connection: usize,
}

#[derive(Default)]
struct Ledger {
    mails: Vec<TakenMail>,
    commands: Vec<String>,
    connections: usize,
}

/// A running server on a port of its own; it stops when it is dropped.
pub(crate) struct SmtpServer {
    address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
    task: tokio::task::JoinHandle<()>,
}

impl SmtpServer {
    /// A server that takes everything.
    pub(crate) async fn start() -> Self {
        Self::start_with(SmtpServerOptions::default()).await
    }

    /// A server that follows a script.
    pub(crate) async fn scripted(
        script: impl Fn(Step<'_>) -> Option<Action> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(SmtpServerOptions { script: Box::new(script), ..Default::default() }).await
    }

    pub(crate) async fn start_with(options: SmtpServerOptions) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        Self::start_on(listener, options)
    }

    /// A server on a port that was bound before, such as one that was refused until now.
    pub(crate) fn start_on(listener: TcpListener, options: SmtpServerOptions) -> Self {
        let address = listener.local_addr().expect("an address");
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let (options, shared) = (Arc::new(options), Arc::clone(&ledger));
        let task = tokio::spawn(async move {
            // Conversations end with the server.
            let mut conversations = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (options, ledger) = (Arc::clone(&options), Arc::clone(&shared));
                conversations.spawn(async move {
                    // What becomes of a connection is for the client to notice.
                    converse(socket, &options, &ledger).await.ok();
                });
            }
        });
        Self { address, ledger, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What was taken so far, in order.
    pub(crate) fn mails(&self) -> Vec<TakenMail> {
        lock(&self.ledger).mails.clone()
    }

    /// How often each Message-ID was taken.
    pub(crate) fn copies(&self) -> HashMap<String, usize> {
        let mut copies = HashMap::new();
        for mail in &lock(&self.ledger).mails {
            *copies.entry(mail.message_id.clone()).or_insert(0) += 1;
        }
        copies
    }

    /// What clients said so far, but for messages.
    pub(crate) fn commands(&self) -> Vec<String> {
        lock(&self.ledger).commands.clone()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.ledger).connections
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A certificate for `localhost` and 127.0.0.1: for the server, and as PEM for the client to trust.
pub(crate) fn certificate() -> (Arc<ServerConfig>, String) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a usable certificate");
    (Arc::new(config), made.cert.pem())
}

trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

type Stream = BufStream<Box<dyn Bytes>>;

struct Conversation<'a> {
    options: &'a SmtpServerOptions,
    ledger: &'a Mutex<Ledger>,
    stream: Stream,
    encrypted: bool,
    user: Option<String>,
    connection: usize,
}

/// Whether a conversation goes on.
enum Then {
    GoOn { good: bool },
    End,
}

async fn converse(
    socket: TcpStream,
    options: &SmtpServerOptions,
    ledger: &Mutex<Ledger>,
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let connection = {
        let mut ledger = lock(ledger);
        ledger.connections += 1;
        ledger.connections
    };
    let (stream, encrypted): (Box<dyn Bytes>, bool) = match &options.implicit_tls {
        Some(config) => (Box::new(TlsAcceptor::from(Arc::clone(config)).accept(socket).await?), true),
        None => (Box::new(socket), false),
    };
    let stream = BufStream::new(stream);
    let mut conversation = Conversation { options, ledger, stream, encrypted, user: None, connection };
    conversation.run().await
}

impl Conversation<'_> {
    async fn run(&mut self) -> std::io::Result<()> {
        if let Then::End = self.act(Step::Greeting, "220 mail.shop.example").await? {
            return Ok(());
        }
        let (mut sender, mut recipient) = (None, None);
        while let Some(line) = self.read_line().await? {
            lock(self.ledger).commands.push(line.clone());
            let upper = line.to_ascii_uppercase();
            let then = if let Some(name) = upper.strip_prefix("EHLO ") {
                let answer = self.extensions();
                self.act(Step::Ehlo(name), &answer).await?
            } else if upper == "STARTTLS" {
                let then = self.act(Step::StartTls, "220 2.0.0 go ahead").await?;
                if let (Then::GoOn { good: true }, Some(config)) = (&then, &self.options.starttls) {
                    self.encrypt(Arc::clone(config)).await?;
                }
                then
            } else if upper.starts_with("AUTH ") {
                self.log_in(&line).await?
            } else if upper.starts_with("MAIL FROM:") {
                let then = self.act(Step::Mail(&line), "250 2.1.0 ok").await?;
                let good = matches!(then, Then::GoOn { good: true });
                (sender, recipient) = (good.then(|| between_brackets(&line)), None);
                then
            } else if upper.starts_with("RCPT TO:") {
                let address = between_brackets(&line);
                if sender.is_none() {
                    self.say("503 5.5.1 no sender").await?;
                    continue;
                }
                let then = self.act(Step::Rcpt(&address), "250 2.1.5 ok").await?;
                if let Then::GoOn { good: true } = then {
                    recipient = Some(address);
                }
                then
            } else if upper == "DATA" {
                let (Some(sender), Some(recipient)) = (&sender, recipient.take()) else {
                    self.say("503 5.5.1 no recipient").await?;
                    continue;
                };
                match self.act(Step::Data, "354 go ahead").await? {
                    Then::GoOn { good: true } => self.take_message(sender, &recipient).await?,
                    then => then,
                }
            } else if upper == "QUIT" {
                self.say("221 2.0.0 bye").await?;
                Then::End
            } else {
                if upper == "RSET" {
                    (sender, recipient) = (None, None);
                }
                self.act(Step::Other(&line), "250 2.0.0 ok").await?
            };
            if let Then::End = then {
                return Ok(());
            }
        }
        Ok(())
    }

    fn extensions(&self) -> String {
        let mut lines = vec!["mail.shop.example".to_owned()];
        lines.extend(self.options.extensions.iter().map(ToString::to_string));
        if self.options.starttls.is_some() && !self.encrypted {
            lines.push("STARTTLS".to_owned());
        }
        if let Some((mechanisms, _, _)) = self.options.auth {
            lines.push(format!("AUTH {mechanisms}"));
        }
        let last = lines.len() - 1;
        let with_codes = lines
            .iter()
            .enumerate()
            .map(|(index, line)| format!("250{}{line}", if index == last { ' ' } else { '-' }));
        with_codes.collect::<Vec<_>>().join("\n")
    }

    async fn act(&mut self, step: Step<'_>, otherwise: &str) -> std::io::Result<Then> {
        match (self.options.script)(step).unwrap_or_else(|| Action::Say(otherwise.to_owned())) {
            Action::Say(text) => {
                self.say(&text).await?;
                Ok(Then::GoOn { good: text.starts_with(['2', '3']) })
            }
            Action::SayRaw(bytes) => {
                self.stream.write_all(&bytes).await?;
                self.stream.flush().await?;
                Ok(Then::GoOn { good: bytes.starts_with(b"2") || bytes.starts_with(b"3") })
            }
            Action::SayAndDrop(text) => {
                self.say(&text).await?;
                Ok(Then::End)
            }
            Action::Drop | Action::TakeAndDrop => Ok(Then::End),
            Action::BeSilent => std::future::pending().await,
        }
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        let text = text.replace('\n', "\r\n");
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    async fn take_message(&mut self, sender: &str, recipient: &str) -> std::io::Result<Then> {
        let mut bytes = Vec::new();
        loop {
            let Some(line) = self.read_raw_line().await? else { return Ok(Then::End) };
            if line == b".\r\n" {
                break;
            }
            let line = if line.starts_with(b".") { &line[1..] } else { &line };
            bytes.extend_from_slice(line);
        }
        tokio::time::sleep(self.options.a_message_takes).await;
        let action = (self.options.script)(Step::Dot(recipient));
        let takes = match &action {
            None | Some(Action::TakeAndDrop) => true,
            Some(Action::Say(text)) => text.starts_with("250"),
            Some(Action::SayRaw(bytes)) => bytes.starts_with(b"250"),
            _ => false,
        };
        if takes {
            lock(self.ledger).mails.push(TakenMail {
                sender: sender.to_owned(),
                recipient: recipient.to_owned(),
                message_id: message_id(&bytes),
                bytes,
                encrypted: self.encrypted,
                user: self.user.clone(),
                connection: self.connection,
            });
        }
        match action {
            Some(Action::TakeAndDrop) => Ok(Then::End),
            _ => self.act(Step::Dot(recipient), "250 2.0.0 queued").await,
        }
    }

    async fn log_in(&mut self, line: &str) -> std::io::Result<Then> {
        let Some((_, name, password)) = self.options.auth else {
            return self.act(Step::Auth(line), "502 5.5.1 what?").await;
        };
        let decoded = |text: &str| {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let given = if let Some(initial) = line.strip_prefix("AUTH PLAIN ") {
            let parts: Vec<String> = decoded(initial).split('\0').map(str::to_owned).collect();
            (parts.get(1).cloned().unwrap_or_default(), parts.get(2).cloned().unwrap_or_default())
        } else {
            // "Username:" and "Password:".
            self.say("334 VXNlcm5hbWU6").await?;
            let user = self.read_line().await?.unwrap_or_default();
            self.say("334 UGFzc3dvcmQ6").await?;
            let secret = self.read_line().await?.unwrap_or_default();
            (decoded(&user), decoded(&secret))
        };
        if given == (name.to_owned(), password.to_owned()) {
            self.user = Some(given.0);
            self.act(Step::Auth(line), "235 2.7.0 welcome").await
        } else {
            self.act(Step::Auth(line), "535 5.7.8 wrong").await
        }
    }

    async fn encrypt(&mut self, config: Arc<ServerConfig>) -> std::io::Result<()> {
        let nothing: Box<dyn Bytes> = Box::new(tokio::io::duplex(1).0);
        let plain = std::mem::replace(&mut self.stream, BufStream::new(nothing)).into_inner();
        let stream = TlsAcceptor::from(config).accept(plain).await?;
        self.stream = BufStream::new(Box::new(stream));
        self.encrypted = true;
        Ok(())
    }

    async fn read_line(&mut self) -> std::io::Result<Option<String>> {
        let line = self.read_raw_line().await?;
        Ok(line.map(|line| String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    /// A line that ends with CRLF: a bare LF is part of it.
    async fn read_raw_line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            match self.stream.read_u8().await {
                Ok(byte) => line.push(byte),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(line))
    }
}

fn between_brackets(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

fn message_id(message: &[u8]) -> String {
    String::from_utf8_lossy(message)
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix("Message-ID:").map(|value| value.trim().to_owned()))
        .unwrap_or_default()
}
