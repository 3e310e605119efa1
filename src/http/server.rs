//! The listeners: bound first, so that their addresses are known and a port that is taken stops the
//! start; then served until they are told to stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::tracking::{self, Asked};
use super::{State, private, public};

/// For so long a connection may take to say what it wants; also between two requests.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);

/// So many connections are open at once, at most; others wait to be accepted.
const MOST_CONNECTIONS: usize = 10_000;

/// For so long a clean stop waits for answers that are being written.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait after a connection could not be accepted (no file descriptors, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where to listen; port 0 takes a free one, `None` listens not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listen {
    /// For the whole world, usually behind a reverse proxy.
    pub public: Option<SocketAddr>,
    /// For the report.
    pub report: Option<SocketAddr>,
}

/// Why the servers cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}; another program may: stop it, or set `http: {{ {key}: … }}`")]
pub struct HttpError {
    /// Where.
    pub address: SocketAddr,
    /// The key of the settings that says so.
    pub key: &'static str,
    /// What the system said.
    pub source: io::Error,
}

/// Bound listeners.
#[derive(Debug)]
pub struct Server {
    public: Option<Bound>,
    report: Option<Bound>,
}

#[derive(Debug)]
struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    async fn bind(address: Option<SocketAddr>, key: &'static str) -> Result<Option<Self>, HttpError> {
        let Some(address) = address else { return Ok(None) };
        let bind = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok(Some(Self { listener, address }))
        };
        bind.await.map_err(|source| HttpError { address, key, source })
    }
}

impl Server {
    /// Binds the listeners; from here on connections queue up.
    pub async fn bind(listen: Listen) -> Result<Self, HttpError> {
        Ok(Self {
            public: Bound::bind(listen.public, "listen").await?,
            report: Bound::bind(listen.report, "report").await?,
        })
    }

    /// Where the public pages are.
    pub fn public_address(&self) -> Option<SocketAddr> {
        self.public.as_ref().map(|bound| bound.address)
    }

    /// Where the report is.
    pub fn report_address(&self) -> Option<SocketAddr> {
        self.report.as_ref().map(|bound| bound.address)
    }

    /// Answers until `shutdown`; then answers that are being written come to their end.
    pub async fn serve(self, state: State, shutdown: impl Future<Output = ()>) {
        let (stop, told_to_stop) = watch::channel(false);
        let mut listeners = JoinSet::new();
        if let Some(bound) = self.public {
            let router = public().with_state(state.clone());
            let app = App { tracking: Some(state.clone()), router };
            listeners.spawn(listen(bound.listener, app, told_to_stop.clone()));
        }
        if let Some(bound) = self.report {
            let app = App { tracking: None, router: private().with_state(state) };
            listeners.spawn(listen(bound.listener, app, told_to_stop));
        }
        shutdown.await;
        // Nobody hears it where nothing listens.
        let _ = stop.send(true);
        while listeners.join_next().await.is_some() {}
    }
}

/// Answers on a listener by any router, with the limits and times of this server; for ever.
pub async fn serve_router(listener: TcpListener, router: Router) {
    let (_stop, told_to_stop) = watch::channel(false);
    listen(listener, App { tracking: None, router }, told_to_stop).await;
}

/// Who answers on a listener.
#[derive(Debug, Clone)]
struct App {
    /// Whether it has pixels and links.
    tracking: Option<State>,
    /// All the rest.
    router: Router,
}

impl App {
    async fn answer(self, mut request: Request<Incoming>, peer: SocketAddr) -> Result<Response, Infallible> {
        if let Some(state) = &self.tracking
            && let Some(asked) = Asked::by(request.uri().path())
        {
            return Ok(tracking::answer(state, &request, asked, peer).await);
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        self.router.oneshot(request.map(Body::new)).await
    }
}

/// Accepts connections until told to stop, then waits for those that are open.
async fn listen(listener: TcpListener, app: App, mut told_to_stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = told(&mut told_to_stop) => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &room) => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (app, told_to_stop) = (app.clone(), told_to_stop.clone());
        connections.spawn(async move {
            converse(stream, peer, app, told_to_stop).await;
            drop(permit);
        });
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WITHIN, finished).await.is_err() {
        tracing::warn!("some connections were still open when the server stopped");
        connections.shutdown().await;
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// One connection's life.
async fn converse(stream: TcpStream, peer: SocketAddr, app: App, mut told_to_stop: watch::Receiver<bool>) {
    // Answers are small and written whole; waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| app.clone().answer(request, peer));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a connection ends is the client's affair: most simply go away.
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut told_to_stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
}

/// Waits until told to stop, also by the end of whoever would tell.
async fn told(told_to_stop: &mut watch::Receiver<bool>) {
    let _ = told_to_stop.wait_for(|stop| *stop).await;
}
