//! The door of the page: a bounded number of connections, none of them for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};

use super::page::Page;
use super::route;
use crate::config::Web;
use crate::ops::clock::Clock;
use crate::ops::users;
use crate::store::Store;

/// Connections at the same time; others wait to be accepted. A browser opens six.
const CONNECTIONS_MAX: usize = 96;
/// A connection on which nothing moves for so long is closed.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// How long a connection lives in any case; browsers open another one.
const CONNECTION_TIME: Duration = Duration::from_secs(600);
/// Wait after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// The address cannot be had.
    #[error(
        "the page cannot be served at {address}: does another program listen there? \
         (`web.listen`)"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No randomness for tokens.
    #[error("the page cannot be served: the system gives no random numbers")]
    Random,
}

/// What the page works on.
#[derive(Clone)]
pub struct Surroundings {
    /// The database and the products.
    pub store: Arc<Store>,
    /// Tells when a verdict is given and when a login ends.
    pub clock: Arc<dyn Clock>,
    /// The page's configuration.
    pub web: Web,
    /// Time per picture of an animation [ms].
    pub blink_ms: u64,
}

/// The page while it is served; dropping it closes the door.
#[derive(Debug)]
#[must_use = "dropping it closes the page"]
pub struct WebPage {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl WebPage {
    /// Where it listens; tells the port when any was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for WebPage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves the page at an address until it is dropped; must be called inside the runtime.
pub async fn serve(address: SocketAddr, surroundings: Surroundings) -> Result<WebPage, WebError> {
    let refuse = |source| WebError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let page = Arc::new(Page::new(surroundings));
    // The first wrong name must not take longer than others.
    drop(tokio::task::spawn_blocking(users::warm_up));
    let router = route::router(page);
    let door = Door { listener, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) };
    let task = tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<Peer>();
        if let Err(error) = axum::serve(door, service).await {
            tracing::error!(%error, "The page is no longer served.");
        }
    });
    Ok(WebPage { address, task })
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Lets a bounded number of connections in.
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Listener for Door {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            let place = Arc::clone(&self.places).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Answers are written at once; waiting to fill packets costs 40 ms.
                    stream.set_nodelay(true).ok();
                    return (Visit::new(stream, place), address);
                }
                Err(error) => {
                    tracing::debug!(%error, "A connection to the page was not accepted.");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends by itself and gives its place back.
pub(super) struct Visit {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    end: Instant,
    _place: Option<OwnedSemaphorePermit>,
}

impl Visit {
    fn new(stream: TcpStream, place: Option<OwnedSemaphorePermit>) -> Self {
        let now = Instant::now();
        let idle = Box::pin(tokio::time::sleep_until(now + IDLE_TIME));
        Self { stream, idle, end: now + CONNECTION_TIME, _place: place }
    }

    /// Fails once the time is over.
    fn poll_time(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.idle.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Something moved: the time without starts anew.
    fn moved<T>(&mut self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(outcome, Poll::Ready(Ok(_))) {
            let next = (Instant::now() + IDLE_TIME).min(self.end);
            self.idle.as_mut().reset(next);
        }
        outcome
    }
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_time(context)?;
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.moved(outcome)
    }
}

impl AsyncWrite for Visit {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_time(context)?;
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
