//! A mail server that keeps a journal and misbehaves once, if it is told to.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::talk::Talk;

/// Where in a conversation the server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Greeting,
    Ehlo,
    Mail,
    Rcpt,
    Data,
    /// When the first line of the message is in, and the others are not.
    Body,
    /// When the whole message is in.
    Dot,
}

impl Phase {
    pub(super) const ALL: [Self; 7] =
        [Self::Greeting, Self::Ehlo, Self::Mail, Self::Rcpt, Self::Data, Self::Body, Self::Dot];

    /// What a server says there when all is well.
    pub(super) const fn good(self) -> &'static str {
        match self {
            Self::Greeting => "220 mail.shop.example\r\n",
            Self::Ehlo => {
                "250-mail.shop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
            }
            Self::Mail | Self::Rcpt => "250 2.1.0 ok\r\n",
            Self::Data => "354 go ahead\r\n",
            Self::Body => "",
            Self::Dot => "250 2.0.0 queued as 4711\r\n",
        }
    }
}

/// What it does there instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Says this.
    Says(&'static str),
    /// Says this, with three thousand letters behind it.
    SaysAtLength(&'static str),
    /// Says this so many times.
    Repeats(&'static str, usize),
    /// Says this, and leaves.
    SaysAndLeaves(&'static str),
    /// Leaves without a word; under TLS without `close_notify`.
    Leaves,
    /// Says what is right, and leaves.
    AnswersAndLeaves,
    /// Breaks the connection off (RST).
    Resets,
    /// Never answers.
    IsSilent,
    /// Ends its side of the connection (under TLS with `close_notify`), and goes on listening.
    HalfCloses,
    /// Says what is right, byte by byte.
    Trickles,
    /// Says what is right, twice.
    Stutters,
    /// Says what is right, and goodbye behind it.
    AnswersAndSaysGoodbye,
    /// Half of the bytes under which it says what is right go out, then it leaves: under TLS in the middle of a record.
    IsCut,
    /// One bit of those bytes is another one.
    IsSpoilt,
}

impl Fault {
    /// Whether the server takes a message at whose end it does this. Where it gives no clear answer it takes it:
    /// that is the worse of the two.
    pub(super) fn takes(self) -> bool {
        !matches!(self, Self::Says(text) | Self::SaysAndLeaves(text) | Self::Repeats(text, _) | Self::SaysAtLength(text) if text.starts_with(['4', '5']))
    }
}

/// A misbehaviour that happens once.
#[derive(Debug)]
pub(super) struct Once {
    pub(super) phase: Phase,
    pub(super) fault: Fault,
    pub(super) happened: AtomicBool,
}

/// What the server took, from its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) message_id: String,
    pub(super) recipient: String,
    /// Of the message, in hexadecimal digits.
    pub(super) hash: String,
}

pub(super) struct FaultyServer {
    address: SocketAddr,
    journal: PathBuf,
    once: Option<Arc<Once>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for FaultyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FaultyServer {
    /// A server that is well; its clients are not.
    pub(super) async fn well(folder: &Path) -> Self {
        Self::open(folder, None, None).await
    }

    /// A server that takes its time for each mail.
    pub(super) async fn slow(folder: &Path, a_mail_takes: Duration) -> Self {
        Self::listen(folder, None, None, a_mail_takes).await
    }

    /// A server with its journal in a folder. It misbehaves once, the first time that it is so far, and is well
    /// afterwards. With a certificate its conversations are encrypted from the first byte.
    pub(super) async fn open(
        folder: &Path,
        once: Option<(Phase, Fault)>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        Self::listen(folder, once, tls, Duration::ZERO).await
    }

    async fn listen(
        folder: &Path,
        once: Option<(Phase, Fault)>,
        tls: Option<Arc<ServerConfig>>,
        a_mail_takes: Duration,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let journal = folder.join(format!("journal-{}", address.port()));
        File::create(&journal).expect("a journal");
        let once =
            once.map(|(phase, fault)| Arc::new(Once { phase, fault, happened: AtomicBool::new(false) }));
        let (shared, path) = (once.clone(), journal.clone());
        let task = tokio::spawn(async move {
            let mut conversations = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (once, path, tls) = (shared.clone(), path.clone(), tls.clone());
                conversations.spawn(async move {
                    // What becomes of a connection is for the client to notice.
                    Talk::hold(socket, path, once, tls, a_mail_takes).await.ok()
                });
            }
        });
        Self { address, journal, once, task }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether it misbehaved.
    pub(super) fn fault_happened(&self) -> bool {
        self.once.as_ref().is_some_and(|once| once.happened.load(Ordering::SeqCst))
    }

    /// How many mails it took.
    pub(super) fn taken(&self) -> usize {
        std::fs::read_to_string(&self.journal).expect("the journal").lines().count()
    }

    pub(super) fn journal(&self) -> Vec<Taken> {
        let text = std::fs::read_to_string(&self.journal).expect("the journal");
        let taken = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            let mut word = || words.next().unwrap_or_default();
            Taken { message_id: word(), recipient: word(), hash: word() }
        };
        text.lines().map(taken).collect()
    }
}
