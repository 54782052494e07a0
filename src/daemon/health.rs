//! Health and numbers for a monitor: `/healthz` and `/metrics` over HTTP on a loopback port.
//!
//! There is no login, so the port is on the loopback alone; the configuration allows no other.
//! A connection lives for some seconds at most and there are few of them, so a client that hangs
//! costs nothing for long. A port that is taken is a warning, never the end of the service.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use super::metrics;
use super::state::ServiceState;
use crate::ops::status::{Health, Problem};

/// Connections at the same time; others wait to be accepted.
const CONNECTIONS_MAX: usize = 16;
/// How long a connection lives; one that is kept open longer is closed.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// Wait after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Name of the problem when the port cannot be had.
const PROBLEM: &str = "metrics";
/// Form of the numbers' page.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The pages while they are served; dropping it closes the port.
#[derive(Debug)]
#[must_use = "dropping it closes the port"]
pub struct HealthPages {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl HealthPages {
    /// Where they are served; tells the port when any was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HealthPages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves the pages; `None`, a warning and a standing problem when the port cannot be had.
pub async fn serve(address: SocketAddr, state: ServiceState) -> Option<HealthPages> {
    let bound = match TcpListener::bind(address).await {
        Ok(listener) => listener.local_addr().map(|address| (listener, address)),
        Err(error) => Err(error),
    };
    let (listener, address) = match bound {
        Ok(bound) => bound,
        Err(error) => {
            tracing::warn!(%address, %error, "No metrics: the port cannot be had.");
            let text = format!("port {address} cannot be had: {error}; see daemon.metrics_listen");
            state.set_problem(PROBLEM, Some(Problem::warning(text)));
            return None;
        }
    };
    state.set_problem(PROBLEM, None);
    let pages = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(numbers))
        .with_state(state);
    let door = Door { listener, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) };
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(door, pages).await {
            tracing::warn!(%error, "Metrics and health are no longer served.");
        }
    });
    Some(HealthPages { address, task })
}

/// `ok`, or 503 with the reasons; warnings are no reason for an alarm but told.
async fn healthz(State(state): State<ServiceState>) -> Response {
    let health = state.snapshot().health();
    let code = match health {
        Health::Bad(_) => StatusCode::SERVICE_UNAVAILABLE,
        Health::Ok | Health::Warning(_) => StatusCode::OK,
    };
    let mut text = match health {
        Health::Ok => "ok".to_owned(),
        Health::Warning(_) => format!("ok, but:\n{}", health.reasons().join("\n")),
        Health::Bad(_) => health.reasons().join("\n"),
    };
    text.push('\n');
    (code, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

async fn numbers(State(state): State<ServiceState>) -> Response {
    let text = metrics::text(&state.snapshot(), metrics::resident_bytes());
    ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response()
}

/// Lets a few connections in at a time.
struct Door {
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
                    let end = Box::pin(tokio::time::sleep(CONNECTION_TIME));
                    return (Visit { stream, end, _place: place }, address);
                }
                Err(error) => {
                    tracing::debug!(%error, "A connection to the metrics was not accepted.");
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
struct Visit {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Visit {
    /// Fails once the time is over.
    fn poll_time(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_time(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Visit {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_time(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
