//! A front before a server that answers for it now and then, loses answers and cuts connections: what
//! proxies and networks do to clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to requests, one after the other, again and again. What failed is likely to pass when
/// it is tried again: some clients double their pauses without bound.
const FATES: [Fate; 12] = [
    Fate::Answered("503 Service Unavailable", ""),
    Fate::Passed,
    Fate::Answered("429 Too Many Requests", "retry-after: 1\r\n"),
    Fate::Passed,
    Fate::AnswerLost,
    Fate::Passed,
    Fate::Answered("503 Service Unavailable", "retry-after: 1\r\n"),
    Fate::Passed,
    Fate::CutAfterwards,
    Fate::Passed,
    Fate::Answered("429 Too Many Requests", ""),
    Fate::Passed,
];

#[derive(Debug, Clone, Copy)]
enum Fate {
    /// The server does not see it.
    Answered(&'static str, &'static str),
    Passed,
    /// The server takes it, the client is told that it did not.
    AnswerLost,
    /// The server takes it, the client hears nothing.
    CutAfterwards,
}

/// A running front; it ends when it is dropped.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    counts: Arc<[AtomicUsize; FATES.len()]>,
    serving: JoinHandle<()>,
}

impl Front {
    /// Before a server.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let counts: Arc<[AtomicUsize; FATES.len()]> = Arc::default();
        let (turn, counted) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&counts));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let place = turn.fetch_add(1, Ordering::SeqCst) % FATES.len();
                counted[place].fetch_add(1, Ordering::SeqCst);
                // Whoever goes away meanwhile is a client that gave up waiting: it comes back.
                tokio::spawn(async move { one_request(stream, server, FATES[place]).await });
            }
        });
        Self { address, counts, serving }
    }

    /// How often the least frequent of its fates befell a request.
    pub(crate) fn rounds(&self) -> usize {
        self.counts.iter().map(|count| count.load(Ordering::SeqCst)).min().unwrap_or(0)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One connection has one request: the answer closes it.
async fn one_request(mut client: TcpStream, server: SocketAddr, fate: Fate) -> std::io::Result<()> {
    let request = read_request(&mut client).await?;
    if let Fate::Answered(status, headers) = fate {
        return answer(&mut client, status, headers).await;
    }
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(&request).await?;
    let mut answered = Vec::new();
    upstream.read_to_end(&mut answered).await?;
    match fate {
        Fate::AnswerLost => answer(&mut client, "503 Service Unavailable", "").await,
        Fate::CutAfterwards => Ok(()),
        _ => client.write_all(&answered).await,
    }
}

async fn answer(client: &mut TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    let text = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: 0\r\n\r\n");
    client.write_all(text.as_bytes()).await
}

/// A whole request, which now asks that its connection be closed.
async fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let is =
        |line: &str, name: &str| line.split(':').next().is_some_and(|other| other.eq_ignore_ascii_case(name));
    let length = head.split("\r\n").find(|line| is(line, "content-length"));
    let length = length.and_then(|line| line.split(':').nth(1)?.trim().parse::<usize>().ok()).unwrap_or(0);
    while bytes.len() < end + 4 + length {
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let kept: Vec<&str> = head.split("\r\n").filter(|line| !is(line, "connection")).collect();
    let mut request = kept.join("\r\n").into_bytes();
    request.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
    request.extend_from_slice(&bytes[end + 4..]);
    Ok(request)
}
