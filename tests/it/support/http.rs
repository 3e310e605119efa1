//! The servers on a test's database, and a client that says exactly what it is told to say.

use std::net::SocketAddr;
use std::sync::Arc;

use campaignd::clock::Clock;
use campaignd::domain::catalogue::Catalogue;
use campaignd::http::{Calls, Listen, Parts, Redirects, Reports, Server, State};
use campaignd::links::{Links, Signer, SigningKey};
use campaignd::track::Spool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::database::TestDatabase;

/// Running servers; they stop when [`stop`](Self::stop) is called.
pub(crate) struct Served {
    pub(crate) public: SocketAddr,
    pub(crate) report: SocketAddr,
    pub(crate) links: Links,
    pub(crate) spool: Spool,
    /// Of the spool.
    folder: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Served {
    /// Serves a test's database on free ports, with an empty catalogue.
    pub(crate) async fn start(database: &TestDatabase, clock: Clock) -> Self {
        Self::start_with(database, clock, Catalogue::default()).await
    }

    pub(crate) async fn start_with(database: &TestDatabase, clock: Clock, catalogue: Catalogue) -> Self {
        let key = SigningKey { id: 0, secret: vec![7; 32] };
        let links = Links::new(Signer::new(&key, &[]), "https://mail.maison.example");
        let (_, catalogue) = watch::channel(Arc::new(catalogue));
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(&folder.path().join("spool"), rand::random()).expect("a spool");
        let state = State::from(Parts {
            store: database.store.clone(),
            clock,
            links: links.clone(),
            spool: spool.clone(),
            redirects: Redirects::default(),
            reports: Reports::new(
                chrono_tz::Europe::Paris,
                "mail.maison.example".to_owned(),
                Some("outbox".to_owned()),
            ),
            catalogue,
            calls: Calls::start(database.store.clone()),
        });
        let free = "127.0.0.1:0".parse().ok();
        let server = Server::bind(Listen { public: free, report: free }).await.expect("free ports");
        let public = server.public_address().expect("it listens");
        let report = server.report_address().expect("it listens");
        let (stop, told_to_stop) = oneshot::channel();
        let serving = tokio::spawn(server.serve(state, async {
            let _ = told_to_stop.await;
        }));
        Self { public, report, links, spool, folder, stop, serving }
    }

    /// Where the spool is.
    pub(crate) fn spool_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("spool")
    }

    /// No new file can be made in the spool: a file stands where its folder was.
    pub(crate) fn break_the_spool(&self) {
        let path = self.folder.path().join("spool");
        std::fs::remove_dir_all(&path).expect("the folder is removed");
        std::fs::write(&path, b"").expect("a file in its place");
    }

    /// The folder of the spool may be made again.
    pub(crate) fn mend_the_spool(&self) {
        std::fs::remove_file(self.folder.path().join("spool")).expect("the file is removed");
    }

    /// Stops clean.
    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("it still runs");
        self.serving.await.expect("it ends well");
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is text")
    }
}

/// One request on a connection of its own, with these headers (one a line, `name: value`) and no others
/// but `host`, `connection` and `content-length`.
pub(crate) async fn request(at: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n");
    for line in headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(line);
        text.push_str("\r\n");
    }
    if !body.is_empty() || method == "POST" {
        text.push_str("content-length: ");
        text.push_str(&body.len().to_string());
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    let mut stream = TcpStream::connect(at).await.expect("the server listens");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).await.expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server answers");
    parse(&answer)
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("headers end");
    let head = std::str::from_utf8(&answer[..end]).expect("headers are text");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<_> = lines.map(header).collect();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { unchunk(&answer[end + 4..]) } else { answer[end + 4..].to_vec() };
    Answer { status: status.expect("a status"), headers, body }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").expect("a chunk has a length");
        let length = std::str::from_utf8(&rest[..end]).expect("a length");
        let length = usize::from_str_radix(length, 16).expect("a length");
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
}
