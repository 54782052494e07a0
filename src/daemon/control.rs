//! The control socket: a line of JSON from `autossosctl`, a line of JSON back.
//!
//! Who may talk is decided by the file system: the socket is 0660, so its owner and its group
//! may. The socket is bound under another name, given its mode and then renamed into place: it is
//! never there with other rights, and one left by a dead service is replaced. Orders change the
//! database and wake the reconciler (`ops::orders`); nothing is done here.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::log_tail::LogTail;
use super::state::ServiceState;
use crate::config::Config;
use crate::ops::clock::now;
use crate::ops::orders::wire::{ANSWER_MAX_BYTES, Answer, REQUEST_MAX_BYTES, Request, TIME_MAX_S};
use crate::ops::orders::{self, Order, OrderDone};
use crate::ops::overview::{self, DataStatus};
use crate::ops::submit::{self, SubmitAsk};
use crate::store::Store;

/// Owner and group may talk; nobody else.
const MODE: u32 = 0o660;
/// Clients that are heard at the same time; others wait their turn.
const CLIENTS_MAX: usize = 16;
/// Wait after a connection could not be accepted, for example for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// What a client still sends after its answer is read and thrown away, up to this [bytes].
const DRAIN_MAX_BYTES: u64 = 1 << 20;
/// And for this long.
const DRAIN_TIME: Duration = Duration::from_secs(1);
const TIME_MAX: Duration = Duration::from_secs(TIME_MAX_S);

/// Why the socket cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A living service listens there.
    #[error("`daemon.socket`: another service listens at {path}: stop it, or name another socket")]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something else lies there.
    #[error("`daemon.socket`: {path} is there and no socket: remove it, or name another socket")]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// The system refused.
    #[error(
        "`daemon.socket`: cannot listen at {path}: its folder must be there and be the service's \
         own (RuntimeDirectory= in the unit)"
    )]
    Bind {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What the socket's clients can reach.
#[derive(Debug, Clone)]
pub struct Control {
    /// What the service is doing.
    pub state: ServiceState,
    /// Its last messages.
    pub log: LogTail,
    /// Its database.
    pub store: Arc<Store>,
    /// Wakes the reconciler after an order.
    pub wake: Arc<Notify>,
    /// Asks for the configuration to be read again; a full channel means that it was asked for.
    pub reload: mpsc::Sender<()>,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
}

/// A socket that listens; dropping it takes it away.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, so that a successor's socket is left alone.
    identity: (u64, u64),
}

impl ControlSocket {
    /// Listens at a path; must be called inside the runtime.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let refuse = |source| ControlError::Bind { path: path.to_owned(), source };
        match std::fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(ControlError::NoSocket { path: path.to_owned() });
            }
            Ok(_) => match StdStream::connect(path) {
                Ok(_) => return Err(ControlError::InUse { path: path.to_owned() }),
                // Nobody listens: the socket of a service that died.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(refuse(error)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refuse(error)),
        }
        let beside = path.with_extension(format!("new-{}", std::process::id()));
        let bound = bind_and_rename(&beside, path);
        if bound.is_err() {
            // The name is this process's own; what is not there need not be removed.
            std::fs::remove_file(&beside).ok();
        }
        let (listener, identity) = bound.map_err(refuse)?;
        Ok(Self { listener, path: path.to_owned(), identity })
    }

    /// Answers clients for ever; the task that runs this is aborted at the end.
    pub async fn serve(self, control: Control) {
        let places = Arc::new(Semaphore::new(CLIENTS_MAX));
        // A place is taken before a client is heard; the others wait in the system's queue.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "A client of the control socket was not heard.");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let control = control.clone();
            tokio::spawn(async move {
                if let Err(error) = talk(stream, &control).await {
                    tracing::debug!(%error, "A client of the control socket went away.");
                }
                drop(place);
            });
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let is_ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|there| (there.dev(), there.ino()) == self.identity);
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "The control socket stays behind.");
        }
    }
}

/// Listens beside, sets the mode, moves into place; gives device and inode of the socket.
fn bind_and_rename(beside: &Path, path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    match std::fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = StdListener::bind(beside)?;
    listener.set_nonblocking(true)?;
    std::fs::set_permissions(beside, std::fs::Permissions::from_mode(MODE))?;
    let made = std::fs::symlink_metadata(beside)?;
    std::fs::rename(beside, path)?;
    Ok((UnixListener::from_std(listener)?, (made.dev(), made.ino())))
}

/// One request, one answer.
async fn talk(stream: UnixStream, control: &Control) -> io::Result<()> {
    let peer_uid = stream.peer_cred().ok().map(|peer| peer.uid());
    let mut stream = BufReader::new(stream);
    let answer = match timeout(TIME_MAX, read_request(&mut stream)).await {
        Ok(Ok(request)) => answer(request, control, peer_uid).await,
        Ok(Err(refused)) => refused,
        Err(_) => refuse(format!("no whole request came within {TIME_MAX_S} s")),
    };
    let line = line_of(&answer)?;
    let out_of_time = |_| io::Error::from(io::ErrorKind::TimedOut);
    timeout(TIME_MAX, stream.write_all(&line)).await.map_err(out_of_time)??;
    stream.shutdown().await?;
    // Closing on unread bytes would reset the connection before the answer is read.
    let rest = &mut stream.take(DRAIN_MAX_BYTES);
    match timeout(DRAIN_TIME, tokio::io::copy(rest, &mut tokio::io::sink())).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// An answer as a line; what is too long for a client becomes a refusal.
fn line_of(answer: &Answer) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(answer)?;
    if line.len() >= ANSWER_MAX_BYTES {
        line = serde_json::to_vec(&refuse("the answer is too long: ask for less".to_owned()))?;
    }
    line.push(b'\n');
    Ok(line)
}

fn refuse(text: String) -> Answer {
    Answer::Refused { text }
}

/// Reads the request's line; the error is the answer to it.
async fn read_request(stream: &mut BufReader<UnixStream>) -> Result<Request, Answer> {
    let mut line = Vec::new();
    let mut limited = stream.take(REQUEST_MAX_BYTES as u64 + 1);
    if let Err(error) = limited.read_until(b'\n', &mut line).await {
        return Err(refuse(format!("the request could not be read: {error}")));
    }
    if line.len() > REQUEST_MAX_BYTES {
        return Err(refuse(format!("the request is longer than {REQUEST_MAX_BYTES} bytes")));
    }
    if line.pop() != Some(b'\n') {
        return Err(refuse("the request does not end with a line break".to_owned()));
    }
    serde_json::from_slice(&line).map_err(|error| {
        refuse(format!(
            "the request is not understood ({error}): is autossosctl of another version than the \
             service {}?",
            env!("CARGO_PKG_VERSION")
        ))
    })
}

/// Does what a request asks for.
async fn answer(request: Request, control: &Control, peer_uid: Option<u32>) -> Answer {
    match request {
        Request::Status => {
            let service = Box::new(control.state.snapshot());
            let health = service.health();
            Answer::Status { service, health, data: data_status(control).await }
        }
        Request::Log { lines } => Answer::Log { lines: control.log.lines(lines) },
        Request::Reload => reload(control, peer_uid),
        Request::Do { what } => order(what, control, peer_uid).await,
        Request::Submit { ask } => submit(ask, control, peer_uid).await,
    }
}

/// What the database says; `None`, and a word in the log, when it cannot be read now.
async fn data_status(control: &Control) -> Option<DataStatus> {
    let store = Arc::clone(&control.store);
    let read = move || overview::data_status(store.read(), store.data_dir());
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(status)) => Some(status),
        Ok(Err(error)) => {
            let error = anyhow::Error::from(error);
            tracing::warn!("The database could not be read for a status: {error:#}.");
            None
        }
        Err(error) => {
            tracing::error!(%error, "Reading the database for a status broke.");
            None
        }
    }
}

fn reload(control: &Control, peer_uid: Option<u32>) -> Answer {
    match control.reload.try_send(()) {
        Ok(()) | Err(mpsc::error::TrySendError::Full(())) => {
            tracing::info!(uid = peer_uid, "Asked to read the configuration again.");
            let text = "The service reads its configuration again; the log tells what came of it \
                        (`autossosctl log`)."
                .to_owned();
            Answer::Done(OrderDone { text, nights: Vec::new() })
        }
        Err(mpsc::error::TrySendError::Closed(())) => {
            refuse("the service is stopping and reads nothing more".to_owned())
        }
    }
}

async fn order(order: Order, control: &Control, peer_uid: Option<u32>) -> Answer {
    let store = Arc::clone(&control.store);
    let told = format!("{order:?}");
    let done = tokio::task::spawn_blocking(move || orders::apply(&store, &order)).await;
    match done {
        Ok(Ok(done)) => {
            tracing::info!(uid = peer_uid, order = told, "Order taken.");
            control.wake.notify_one();
            Answer::Done(done)
        }
        Ok(Err(error)) => {
            let text = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(uid = peer_uid, order = told, "Order refused: {text}.");
            refuse(text)
        }
        Err(error) => {
            tracing::error!(uid = peer_uid, order = told, %error, "An order broke the program.");
            refuse("the program broke over this order; nothing was changed".to_owned())
        }
    }
}

async fn submit(ask: SubmitAsk, control: &Control, peer_uid: Option<u32>) -> Answer {
    let store = Arc::clone(&control.store);
    let config = Arc::clone(&control.config.borrow());
    let told = format!("{ask:?}");
    let write = move || submit::write(&store, &config, &ask, now());
    let done = tokio::task::spawn_blocking(write).await;
    match done {
        Ok(Ok(done)) => {
            let path = done.path.display();
            tracing::info!(uid = peer_uid, ask = told, %path, "Batch written.");
            Answer::Submitted(done)
        }
        Ok(Err(error)) => {
            let text = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(uid = peer_uid, ask = told, "Batch refused: {text}.");
            refuse(text)
        }
        Err(error) => {
            tracing::error!(uid = peer_uid, ask = told, %error, "A batch broke the program.");
            refuse("the program broke over this batch: look at it with --check".to_owned())
        }
    }
}
