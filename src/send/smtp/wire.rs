//! The bytes under a conversation: a socket without Nagle's delay, plain or under TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::{Answer, Incoming};
use super::reply::Failure;

/// The bytes of one connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    incoming: Incoming,
    peer: SocketAddr,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// The same to whichever stream there is.
macro_rules! on {
    ($wire:expr, $stream:ident => $work:expr) => {
        match &mut $wire.stream {
            Stream::Plain($stream) => $work,
            Stream::Tls($stream) => $work,
        }
    };
}

impl Wire {
    pub(super) fn new(socket: TcpStream) -> io::Result<Self> {
        // Else the system holds back the end of a message for up to 40 ms (Nagle's algorithm).
        socket.set_nodelay(true)?;
        let peer = socket.peer_addr()?;
        Ok(Self { stream: Stream::Plain(socket), incoming: Incoming::default(), peer })
    }

    /// Whether the other end is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.peer.ip().is_loopback()
    }

    /// Goes over to TLS. Whatever came in beyond the answer to STARTTLS was sent in the clear and would be read as
    /// if it were encrypted: an attack, and an error.
    pub(super) async fn encrypted(
        self,
        config: Arc<ClientConfig>,
        server: ServerName<'static>,
    ) -> Result<Self, Failure> {
        if !self.incoming.is_empty() {
            let text = "something was sent between STARTTLS and the encrypted conversation";
            return Err(Failure::Broke(text.to_owned()));
        }
        let Stream::Plain(socket) = self.stream else { return Ok(self) };
        let stream = TlsConnector::from(config).connect(server, socket).await?;
        Ok(Self { stream: Stream::Tls(Box::new(stream)), ..self })
    }

    /// Writes some bytes; says how many the system took. They may wait for [`flush`](Self::flush).
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let written = on!(self, stream => stream.write(bytes).await)?;
        if written == 0 && !bytes.is_empty() {
            return Err(Failure::closed());
        }
        Ok(written)
    }

    /// Lets everything that was written go.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        Ok(on!(self, stream => stream.flush().await)?)
    }

    /// The next answer.
    pub(super) async fn answer(&mut self) -> Result<Answer, Failure> {
        let mut bytes = [0; 2_048];
        loop {
            if let Some(answer) = self.incoming.next()? {
                return Ok(answer);
            }
            match on!(self, stream => stream.read(&mut bytes).await)? {
                0 => return Err(Failure::closed()),
                count => self.incoming.push(&bytes[..count]),
            }
        }
    }

    /// Whether every answer was read, and none came that nobody asked for: it would be taken for that to the next
    /// command.
    pub(super) fn is_in_step(&self) -> bool {
        self.incoming.is_empty()
    }

    /// Whether nothing came in unasked: no goodbye, no end of the connection. What did is the next answer.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut bytes = [0; 512];
        let mut buffer = ReadBuf::new(&mut bytes);
        let mut context = Context::from_waker(Waker::noop());
        let read = on!(self, stream => Pin::new(stream).poll_read(&mut context, &mut buffer));
        self.incoming.push(buffer.filled());
        self.is_in_step() && matches!(read, Poll::Pending)
    }
}
