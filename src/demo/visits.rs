//! Requests of made-up readers, by real HTTP, one after the other: one seed gives one order.

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_TYPE, HOST, HeaderName, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::app::Failure;

use super::readers::{Method, Program};

/// What a reverse proxy says of whom it speaks for.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// How often the server was asked for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visits {
    /// Pixels.
    pub pixels: u64,
    /// Links.
    pub links: u64,
    /// Pages about consent, and what was sent from them.
    pub consent: u64,
}

/// Somebody who asks the demo's public server.
pub(super) struct Visitor {
    server: SocketAddr,
    /// The host of the public address.
    host: String,
    connection: Option<SendRequest<Full<Bytes>>>,
    pub(super) visits: Visits,
}

impl Visitor {
    pub(super) fn new(server: SocketAddr, host: String) -> Self {
        Self { server, host, connection: None, visits: Visits::default() }
    }

    /// Asks, and sees to it that the answer is what a reader expects.
    pub(super) async fn visit(
        &mut self,
        method: Method,
        path: &str,
        program: Program,
        network: u8,
    ) -> Result<(), Failure> {
        let failed =
            |error| Failure::outside(format!("could not ask the demo's own server {}", self.server), error);
        let request = self
            .request(method, path, program, network)
            .map_err(|error| Failure::outside("a request of the demo's readers cannot be made", error))?;
        let connection = match self.connection.take().filter(|open| !open.is_closed()) {
            Some(open) => open,
            None => connect(self.server).await.map_err(failed)?,
        };
        let connection = self.connection.insert(connection);
        connection.ready().await.map_err(|error| failed(std::io::Error::other(error)))?;
        let answer = connection.send_request(request).await;
        let answer = answer.map_err(|error| failed(std::io::Error::other(error)))?;
        let (status, wanted) = (answer.status(), wanted(path));
        // A body that is not read keeps the connection from being used again.
        http_body_util::BodyExt::collect(answer.into_body())
            .await
            .map_err(|error| failed(std::io::Error::other(error)))?;
        if status != wanted {
            let said = std::io::Error::other(format!("{status} instead of {wanted}"));
            return Err(Failure::outside("a reader of the demo got a wrong answer", said));
        }
        match path.get(..3) {
            Some("/o/") => self.visits.pixels += 1,
            Some("/c/") => self.visits.links += 1,
            _ => self.visits.consent += 1,
        }
        Ok(())
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        program: Program,
        network: u8,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let (word, body) = match method {
            Method::Get => ("GET", ""),
            Method::Head => ("HEAD", ""),
            Method::Post => ("POST", "List-Unsubscribe=One-Click"),
        };
        let mut request = Request::builder()
            .method(word)
            .uri(path)
            .header(HOST, &self.host)
            // A network for documentation (RFC 5737).
            .header(FORWARDED_FOR, format!("203.0.113.{network}"));
        if let Some(name) = program.user_agent() {
            request = request.header(USER_AGENT, name);
        }
        if program.is_browser() {
            let is_picture = path.starts_with("/o/");
            let (accept, mode, dest) = if is_picture {
                ("image/avif,image/webp,image/png,*/*;q=0.8", "no-cors", "image")
            } else {
                ("text/html,application/xhtml+xml,*/*;q=0.8", "navigate", "document")
            };
            request = request
                .header(ACCEPT, accept)
                .header(ACCEPT_LANGUAGE, "fr-FR,fr;q=0.9,en;q=0.6")
                .header(ACCEPT_ENCODING, "gzip, deflate, br")
                .header(FETCH_MODE, mode)
                .header(FETCH_DEST, dest);
        }
        if method == Method::Post {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        request.body(Full::new(Bytes::from_static(body.as_bytes())))
    }
}

async fn connect(server: SocketAddr) -> std::io::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
    // It ends with the sender.
    tokio::spawn(connection);
    Ok(sender)
}

/// What is answered where all is well.
fn wanted(path: &str) -> StatusCode {
    if path.starts_with("/c/") { StatusCode::FOUND } else { StatusCode::OK }
}
