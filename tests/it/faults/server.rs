//! A mail server that keeps a journal and misbehaves once.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

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
    const fn good(self) -> &'static str {
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
    /// Leaves without a word.
    Leaves,
    /// Says what is right, and leaves.
    AnswersAndLeaves,
    /// Breaks the connection off (RST).
    Resets,
    /// Never answers.
    IsSilent,
    /// Ends its side of the connection, and goes on listening.
    HalfCloses,
    /// Says what is right, byte by byte.
    Trickles,
    /// Says what is right, twice.
    Stutters,
    /// Says what is right, and goodbye behind it.
    AnswersAndSaysGoodbye,
}

impl Fault {
    /// Whether the server takes a message at whose end it does this. Where it gives no clear answer it takes it:
    /// that is the worse of the two.
    fn takes(self) -> bool {
        !matches!(self, Self::Says(text) | Self::SaysAndLeaves(text) | Self::Repeats(text, _) | Self::SaysAtLength(text) if text.starts_with(['4', '5']))
    }
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
    happened: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for FaultyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FaultyServer {
    /// A server that misbehaves once, the first time that it is so far, and is well afterwards.
    pub(super) async fn start(folder: &Path, phase: Phase, fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let journal = folder.join(format!("journal-{}", address.port()));
        File::create(&journal).expect("a journal");
        let happened = Arc::new(AtomicBool::new(false));
        let (seen, path) = (Arc::clone(&happened), journal.clone());
        let task = tokio::spawn(async move {
            let mut conversations = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).expect("an option");
                let talk = Talk {
                    stream: BufReader::new(socket),
                    journal: path.clone(),
                    fault: (phase, fault),
                    happened: Arc::clone(&seen),
                };
                // What becomes of a connection is for the client to notice.
                conversations.spawn(async move { talk.run().await.ok() });
            }
        });
        Self { address, journal, happened, task }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether it misbehaved.
    pub(super) fn fault_happened(&self) -> bool {
        self.happened.load(Ordering::SeqCst)
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

struct Talk {
    stream: BufReader<TcpStream>,
    journal: PathBuf,
    fault: (Phase, Fault),
    happened: Arc<AtomicBool>,
}

type Went = std::io::Result<bool>;

impl Talk {
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

    /// Whether what it is about to say is a yes.
    fn agrees(&self, phase: Phase) -> bool {
        let is_faulty = phase == self.fault.0 && !self.happened.load(Ordering::SeqCst);
        !is_faulty || matches!(self.fault.1, Fault::Trickles | Fault::Stutters | Fault::AnswersAndSaysGoodbye)
    }

    async fn message(&mut self, recipient: &str) -> Went {
        let mut message = String::new();
        let speaks = !matches!(self.fault.1, Fault::Trickles | Fault::Stutters);
        let is_faulty = speaks && self.fault.0 == Phase::Body && !self.happened.load(Ordering::SeqCst);
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
        let is_faulty = self.fault.0 == Phase::Dot && !self.happened.load(Ordering::SeqCst);
        if !is_faulty || self.fault.1.takes() {
            let message_id =
                message.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
            let digest = Sha256::digest(message.as_bytes());
            let hash = digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            let mut journal = File::options().append(true).open(&self.journal)?;
            writeln!(journal, "{message_id} {recipient} {hash}")?;
            journal.sync_data()?;
        }
        self.answer(Phase::Dot).await
    }

    /// Says what is right, or misbehaves; false: the conversation is over.
    async fn answer(&mut self, phase: Phase) -> Went {
        let good = phase.good();
        if phase != self.fault.0 || self.happened.swap(true, Ordering::SeqCst) {
            self.say(good).await?;
            return Ok(true);
        }
        match self.fault.1 {
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
                self.stream.get_ref().set_zero_linger()?;
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
                    tokio::task::yield_now().await;
                }
            }
            Fault::Stutters => self.say(&good.repeat(2)).await?,
            Fault::AnswersAndSaysGoodbye => self.say(&format!("{good}421 4.4.2 enough\r\n")).await?,
        }
        Ok(true)
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.write_all(text.as_bytes()).await
    }

    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).await?;
        Ok((count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}
