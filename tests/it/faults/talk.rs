//! One conversation of the server that misbehaves.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use sha2::{Digest as _, Sha256};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, ReadBuf,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::server::{Fault, Once, Phase};

pub(super) struct Talk {
    stream: BufReader<Box<dyn Bytes>>,
    /// The same socket once more, for what cannot be said through TLS.
    socket: TcpStream,
    below: Arc<Below>,
    journal: PathBuf,
    once: Option<Arc<Once>>,
    a_mail_takes: Duration,
}

type Went = std::io::Result<bool>;

impl Talk {
    pub(super) async fn hold(
        socket: TcpStream,
        journal: PathBuf,
        once: Option<Arc<Once>>,
        tls: Option<Arc<ServerConfig>>,
        a_mail_takes: Duration,
    ) -> std::io::Result<()> {
        socket.set_nodelay(true)?;
        let socket = socket.into_std()?;
        let again = TcpStream::from_std(socket.try_clone()?)?;
        let below = Arc::new(Below::default());
        let socket = Cable { socket: TcpStream::from_std(socket)?, below: Arc::clone(&below) };
        let stream: Box<dyn Bytes> = match tls {
            Some(config) => Box::new(TlsAcceptor::from(config).accept(socket).await?),
            None => Box::new(socket),
        };
        let stream = BufReader::new(stream);
        Self { stream, socket: again, below, journal, once, a_mail_takes }.run().await
    }

    async fn run(mut self) -> std::io::Result<()> {
        if !self.answer(Phase::Greeting).await? {
            return Ok(());
        }
        let (mut has_sender, mut recipient) = (false, None);
        while let Some(line) = self.line().await? {
            let goes_on = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => self.answer(Phase::Ehlo).await?,
                "MAIL" => {
                    has_sender = self.agrees(Phase::Mail);
                    self.answer(Phase::Mail).await?
                }
                "RCPT" if has_sender => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    recipient = self.agrees(Phase::Rcpt).then_some(address);
                    self.answer(Phase::Rcpt).await?
                }
                "DATA" if recipient.is_some() => {
                    let recipient = recipient.take().unwrap_or_default();
                    let agrees = self.agrees(Phase::Data);
                    self.answer(Phase::Data).await? && (!agrees || self.message(&recipient).await?)
                }
                "RCPT" | "DATA" => {
                    self.say("503 5.5.1 out of order\r\n").await?;
                    true
                }
                "QUIT" => {
                    self.say("221 bye\r\n").await?;
                    false
                }
                _ => {
                    self.say("250 ok\r\n").await?;
                    true
                }
            };
            if !goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    /// How it is about to misbehave in this phase.
    fn fault(&self, phase: Phase) -> Option<Fault> {
        let once = self.once.as_ref()?;
        (once.phase == phase && !once.happened.load(Ordering::SeqCst)).then_some(once.fault)
    }

    /// Whether what it is about to say is a yes.
    fn agrees(&self, phase: Phase) -> bool {
        let speaks_well =
            |fault| matches!(fault, Fault::Trickles | Fault::Stutters | Fault::AnswersAndSaysGoodbye);
        self.fault(phase).is_none_or(speaks_well)
    }

    async fn message(&mut self, recipient: &str) -> Went {
        let mut message = String::new();
        let speaks = |fault| !matches!(fault, Fault::Trickles | Fault::Stutters);
        let is_faulty = self.fault(Phase::Body).is_some_and(speaks);
        while let Some(line) = self.line().await? {
            if line == "." {
                // One that it spoke into is not taken.
                return if is_faulty { Ok(true) } else { self.end(recipient, &message).await };
            }
            if message.is_empty() && !self.answer(Phase::Body).await? {
                return Ok(false);
            }
            message += line.strip_prefix('.').unwrap_or(&line);
            message += "\r\n";
        }
        Ok(false)
    }

    async fn end(&mut self, recipient: &str, message: &str) -> Went {
        if self.fault(Phase::Dot).is_none_or(Fault::takes) {
            let message_id =
                message.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
            let digest = Sha256::digest(message.as_bytes());
            let hash = digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            let mut journal = File::options().append(true).open(&self.journal)?;
            // One write: other conversations write there, too.
            journal.write_all(format!("{message_id} {recipient} {hash}\n").as_bytes())?;
            journal.sync_data()?;
            if !self.a_mail_takes.is_zero() {
                tokio::time::sleep(self.a_mail_takes).await;
            }
        }
        self.answer(Phase::Dot).await
    }

    /// Says what is right, or misbehaves; false: the conversation is over.
    async fn answer(&mut self, phase: Phase) -> Went {
        let good = phase.good();
        let faulty = self.once.clone().filter(|once| once.phase == phase);
        let Some(once) = faulty.filter(|once| !once.happened.swap(true, Ordering::SeqCst)) else {
            self.say(good).await?;
            return Ok(true);
        };
        match once.fault {
            Fault::Says(text) => self.say(text).await?,
            Fault::SaysAtLength(text) => self.say(&format!("{text} {}\r\n", "x".repeat(3_000))).await?,
            Fault::Repeats(text, times) => self.say(&text.repeat(times)).await?,
            Fault::SaysAndLeaves(text) => {
                self.say(text).await?;
                return Ok(false);
            }
            Fault::Leaves => return Ok(false),
            Fault::AnswersAndLeaves => {
                self.say(good).await?;
                return Ok(false);
            }
            Fault::Resets => {
                self.socket.set_zero_linger()?;
                return Ok(false);
            }
            Fault::IsSilent => std::future::pending().await,
            Fault::HalfCloses => {
                self.stream.shutdown().await?;
                let mut rest = Vec::new();
                self.stream.read_to_end(&mut rest).await?;
                return Ok(false);
            }
            Fault::Trickles => {
                for byte in good.as_bytes() {
                    self.stream.write_all(&[*byte]).await?;
                    self.stream.flush().await?;
                    tokio::task::yield_now().await;
                }
            }
            Fault::Stutters => self.say(&good.repeat(2)).await?,
            Fault::AnswersAndSaysGoodbye => self.say(&format!("{good}421 4.4.2 enough\r\n")).await?,
            Fault::IsCut => {
                self.below.does(CUT);
                self.say(if good.is_empty() { "250 ok\r\n" } else { good }).await?;
                return Ok(false);
            }
            Fault::IsSpoilt => {
                self.below.does(SPOIL);
                self.say(if good.is_empty() { "250 ok\r\n" } else { good }).await?;
                // What it hears from now on is nothing that it understands.
                let mut rest = Vec::new();
                self.stream.read_to_end(&mut rest).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).await?;
        Ok((count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// What happens to the next bytes that go out, below TLS.
#[derive(Debug, Default)]
struct Below(AtomicU8);

const CUT: u8 = 1;
const SPOIL: u8 = 2;

impl Below {
    fn does(&self, what: u8) {
        self.0.store(what, Ordering::SeqCst);
    }
}

/// A socket on which bytes can be lost or changed.
struct Cable {
    socket: TcpStream,
    below: Arc<Below>,
}

impl AsyncRead for Cable {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cable {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let mut altered = bytes.to_vec();
        match this.below.0.swap(0, Ordering::SeqCst) {
            CUT => altered.truncate(bytes.len() / 2),
            SPOIL => {
                if let Some(last) = altered.last_mut() {
                    *last ^= 1;
                }
            }
            _ => return Pin::new(&mut this.socket).poll_write(context, bytes),
        }
        // Small, and the socket's buffer is empty: it goes out at once and whole.
        match Pin::new(&mut this.socket).poll_write(context, &altered) {
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(bytes.len())),
            other => other,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}
