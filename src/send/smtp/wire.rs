//! The bytes under a conversation: a socket without Nagle's delay, plain or under TLS, that lettre's
//! connection reads and writes while we keep a hand on it.
//!
//! The hand is needed for three things that the connection does not offer: going over to TLS with
//! our own certificates and without anything left over from before (a reply slipped in behind
//! STARTTLS's would else be read as if it were encrypted), writing a whole message at once while
//! knowing how much of it went out, and asking whether a kept connection is still alive.
//!
//! Replies are tidied line by line on their way up, because servers are less exact than parsers:
//! text that is no UTF-8, lines ended by a bare LF, and a code without text all occur.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// No reply line is longer (RFC 5321 section 4.5.3.1.5 allows 512 bytes); one that is, is cut.
const LONGEST_LINE: usize = 900;
/// Without a line's end by here, the other side does not speak SMTP.
const LONGEST_UNENDED: usize = 16_384;

/// A hand on the bytes of one connection. Clones hold the same.
#[derive(Clone)]
pub(super) struct Wire {
    inner: Arc<Mutex<Inner>>,
    peer: SocketAddr,
}

struct Inner {
    stream: Stream,
    /// What came in and is not a whole line yet.
    unended: Vec<u8>,
    /// Tidied lines on their way up.
    ready: Vec<u8>,
    taken: usize,
    /// The lines that came in since something was written.
    lines: Vec<String>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// While, or after it failed while, it goes over to TLS.
    Gone,
}

impl Wire {
    pub(super) fn new(socket: TcpStream) -> io::Result<Self> {
        let peer = socket.peer_addr()?;
        let inner = Inner {
            stream: Stream::Plain(socket),
            unended: Vec::new(),
            ready: Vec::new(),
            taken: 0,
            lines: Vec::new(),
        };
        Ok(Self { inner: Arc::new(Mutex::new(inner)), peer })
    }

    /// Whether the other end is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.peer.ip().is_loopback()
    }

    /// The lines of the last reply, with their codes.
    pub(super) fn last_reply(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    /// How many whole replies came in since something was written.
    pub(super) fn replies(&self) -> usize {
        self.lock().replies()
    }

    /// Goes over to TLS. Whatever was received beyond one whole reply is an attack, and an error.
    pub(super) async fn start_tls(
        &self,
        config: Arc<ClientConfig>,
        server: ServerName<'static>,
    ) -> io::Result<()> {
        let socket = {
            let mut inner = self.lock();
            if inner.replies() > 1 || !inner.unended.is_empty() || inner.taken < inner.ready.len() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "something was sent between STARTTLS and the encrypted conversation",
                ));
            }
            match std::mem::replace(&mut inner.stream, Stream::Gone) {
                Stream::Plain(socket) => socket,
                other => {
                    inner.stream = other;
                    return Ok(());
                }
            }
        };
        let stream = TlsConnector::from(config).connect(server, socket).await?;
        self.lock().stream = Stream::Tls(Box::new(stream));
        Ok(())
    }

    /// Whether nothing came in unasked: no goodbye, no end of the connection.
    pub(super) fn is_quiet(&self) -> bool {
        let mut inner = self.lock();
        let mut context = Context::from_waker(Waker::noop());
        inner.taken == inner.ready.len() && inner.poll_line(&mut context).is_pending()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn replies(&self) -> usize {
        self.lines.iter().filter(|line| line.as_bytes().get(3) != Some(&b'-')).count()
    }

    /// Reads until a whole line is ready, or the end.
    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 2_048];
        while self.taken == self.ready.len() {
            let mut buffer = ReadBuf::new(&mut bytes);
            match self.stream.poll_read(context, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => self.take_in(buffer.filled())?,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn take_in(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        self.unended.extend_from_slice(bytes);
        while let Some(end) = self.unended.iter().position(|byte| *byte == b'\n') {
            let raw: Vec<u8> = self.unended.drain(..=end).collect();
            let line = tidy(&raw);
            self.ready.extend_from_slice(line.as_bytes());
            self.ready.extend_from_slice(b"\r\n");
            self.lines.push(line);
        }
        if self.unended.len() > LONGEST_UNENDED {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a reply without the end of a line"));
        }
        Ok(())
    }
}

/// A reply line as the parser wants it: UTF-8, not too long, with a space behind a bare code.
fn tidy(raw: &[u8]) -> String {
    let mut line = String::from_utf8_lossy(raw).trim_end_matches(['\r', '\n']).to_owned();
    if line.len() > LONGEST_LINE {
        let end = (0..=LONGEST_LINE).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
        line.truncate(end);
    }
    if line.len() == 3 {
        line.push(' ');
    }
    line
}

impl Stream {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

fn gone() -> io::Error {
    io::Error::from(io::ErrorKind::NotConnected)
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        match inner.poll_line(context) {
            Poll::Ready(Ok(())) => {
                let ready = &inner.ready[inner.taken..];
                let count = ready.len().min(buffer.remaining());
                buffer.put_slice(&ready[..count]);
                inner.taken += count;
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.lock();
        inner.lines.clear();
        match &mut inner.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Gone => Poll::Ready(Err(gone())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lock().stream {
            Stream::Plain(socket) => Pin::new(socket).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
            Stream::Gone => Poll::Ready(Err(gone())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lock().stream {
            Stream::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wire").field("peer", &self.peer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn reply_lines_are_tidied() {
        assert_eq!(tidy(b"250 ok\r\n"), "250 ok");
        assert_eq!(tidy(b"354\n"), "354 ");
        assert_eq!(tidy(b"550 Empf\xe4nger\r\n"), "550 Empf\u{fffd}nger");
        assert_eq!(tidy(&[b'5'; 5_000]).len(), 900);
        assert_eq!(tidy(format!("550 {}\r\n", "é".repeat(1_000)).as_bytes()).len(), 900);
    }
}
