//! The service as a whole: store, reconciler and the tasks around it, from start to end.
//!
//! The reconciler works on a thread of its own and blocks where it likes. Signals, the control
//! socket, metrics, mail and upkeep are tasks beside it; they ring its bell and never do its
//! work. Killing the process at any instant loses nothing but time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Notify, mpsc, watch};

use super::bell::Bell;
use super::control::{Control, ControlSocket};
use super::fatal::Fatal;
use super::log::LogControl;
use super::log_tail::LogTail;
use super::reconcile::{Left, Mode, Reconciler, Surroundings};
use super::start::{MissingFolder, Service};
use super::state::ServiceState;
use super::systemd::Notifier;
use super::{health, page, post, signals, upkeep};
use crate::config::Config;
use crate::ops::OpsError;
use crate::ops::clock::SystemClock;
use crate::ops::status::Phase;
use crate::ops::submit;
use crate::store::{Retry, Store, StoreError};

/// Threads for timers, signals, socket and metrics.
const RUNTIME_THREADS: usize = 2;
/// How long the unit in work may take to stop [s]; the service must end within 10 s.
const GRACE_S: u64 = 8;
/// How long a database that another program holds is waited for at the start.
const OPEN_TRIES_MAX: usize = 30;

/// What a restart and a reload need to know.
pub(super) struct Started {
    /// The checked configuration.
    pub(super) service: Service,
    /// The configuration's file, read again on a reload.
    pub(super) config_file: Option<PathBuf>,
    /// Levels of the log, changed on a reload.
    pub(super) log: LogControl,
    /// The last messages, for those who ask.
    pub(super) tail: LogTail,
    /// How long to go on.
    pub(super) mode: Mode,
}

/// What the tasks around the reconciler share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) state: ServiceState,
    pub(super) bell: Bell,
    /// Notified when something was put into the outbox.
    pub(super) post: Arc<Notify>,
    /// The configuration in force.
    pub(super) config: watch::Receiver<Arc<Config>>,
}

/// Runs the service; what was left, nothing when it was asked to stop.
pub(super) fn run(started: Started) -> anyhow::Result<Left> {
    let notifier = Arc::new(Notifier::from_environment());
    let config = Arc::new(started.service.config.clone());
    let store = Arc::new(open_patiently(&config)?);
    // A batch whose writing was cut off; a folder that cannot be used is no reason not to observe.
    if let Err(error) = submit::finish(&store) {
        tracing::warn!("A batch for the MPC is not finished: {:#}.", anyhow::Error::from(error));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()
        .context("cannot start the service's threads")?;
    let rescan_s = config.daemon.rescan_s;
    let (publish, config) = watch::channel(config);
    let shared = Shared {
        store: Arc::clone(&store),
        state: ServiceState::new(Arc::new(SystemClock), rescan_s),
        bell: Bell::default(),
        post: Arc::default(),
        config,
    };
    let ended = runtime.block_on(around(started, shared, (publish, Arc::clone(&notifier))));
    notifier.stopping();
    runtime.shutdown_background();
    let marked = store.mark_clean().context("cannot note the clean end");
    ended.and_then(|left| marked.map(|()| left))
}

/// Opens the store; waits while another program holds its database.
fn open_patiently(config: &Config) -> Result<Store, StoreError> {
    let mut tries = 0;
    loop {
        match Store::open(&config.daemon.data) {
            Err(error @ StoreError::Busy { .. }) if tries < OPEN_TRIES_MAX => {
                let Retry::After(wait) = error.retry() else { return Err(error) };
                tries += 1;
                tracing::warn!("{error} Waiting.");
                std::thread::sleep(wait);
            }
            opened => return opened,
        }
    }
}

/// Starts the tasks and the reconciler, and waits for its end.
async fn around(
    started: Started,
    shared: Shared,
    (publish, notifier): (watch::Sender<Arc<Config>>, Arc<Notifier>),
) -> anyhow::Result<Left> {
    let Started { service, config_file, log, tail, mode } = started;
    signals::listen(shared.bell.clone(), shared.state.clone())
        .context("cannot listen to signals")?;
    let config = Arc::clone(&shared.config.borrow());
    let mut tasks = tokio::task::JoinSet::new();
    let fatal = Fatal::new(shared.bell.clone());
    let (mut pages, mut web) = (None, None);
    if mode == Mode::Forever {
        if let Some(path) = &config.daemon.socket {
            tasks.spawn(serve_socket(ControlSocket::bind(path)?, shared.clone(), tail));
        }
        if let Some(address) = config.daemon.metrics_listen {
            pages = health::serve(address, shared.state.clone()).await;
        }
        web = page::serve(&config, &shared).await;
        tasks.spawn(upkeep::keep_up(shared.clone(), fatal.clone()));
    }
    tasks.spawn(post::send_all(shared.clone()));
    let state = shared.state.clone();
    let bell = shared.bell.clone();
    let surroundings = Surroundings {
        store: Arc::clone(&shared.store),
        bell: shared.bell.clone(),
        state: shared.state.clone(),
        clock: Arc::new(SystemClock),
        notifier: Arc::clone(&notifier),
        reload: Box::new(move || reload(config_file.as_deref(), &publish, &log)),
        post: Arc::clone(&shared.post),
        runtime: tokio::runtime::Handle::current(),
    };
    let thread = std::thread::Builder::new()
        .name("reconciler".to_owned())
        .spawn(move || Reconciler::new(surroundings, service, mode)?.run())
        .context("cannot start the reconciler")?;
    notifier.ready();
    tracing::info!(data = %config.daemon.data.display(), "Service started.");
    let ended = tokio::task::spawn_blocking(move || thread.join());
    let left = tokio::select! {
        joined = ended => told(joined.context("waiting for the reconciler failed")?)?,
        () = overdue(&bell) => {
            tracing::warn!("The unit in work is left; the next start goes on.");
            Left::default()
        }
    };
    state.set_phase(Phase::Stopping);
    if mode == Mode::Once {
        post::send_now(&shared).await;
    }
    drop((shared, pages, web));
    tasks.shutdown().await;
    tracing::info!("Service stopped.");
    fatal.take().map_or(Ok(left), |error| Err(error.into()))
}

/// Answers `autossosctl` and hands its orders to the reconciler.
async fn serve_socket(socket: ControlSocket, shared: Shared, log: LogTail) {
    let wake = Arc::new(Notify::new());
    let (reload, mut reloads) = mpsc::channel(1);
    let control = Control {
        state: shared.state.clone(),
        log,
        store: Arc::clone(&shared.store),
        wake: Arc::clone(&wake),
        reload,
        config: shared.config.clone(),
    };
    let orders = async {
        loop {
            tokio::select! {
                () = wake.notified() => {
                    shared.bell.ring_order();
                    shared.post.notify_one();
                }
                Some(()) = reloads.recv() => shared.bell.ring_reload(),
            }
        }
    };
    tokio::select! {
        () = socket.serve(control) => {}
        () = orders => {}
    }
}

fn told(joined: std::thread::Result<Result<Left, OpsError>>) -> anyhow::Result<Left> {
    match joined {
        Ok(Ok(left)) => Ok(left),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(anyhow::anyhow!("the reconciler broke: please report what the log says")),
    }
}

/// Waits until the service is asked to stop, and then for the grace.
async fn overdue(bell: &Bell) {
    let bell = bell.clone();
    let asked = tokio::task::spawn_blocking(move || bell.wait_for_stop());
    if asked.await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_secs(GRACE_S)).await;
}

/// Reads the configuration again; what cannot change while the service runs stays.
fn reload(
    file: Option<&std::path::Path>,
    publish: &watch::Sender<Arc<Config>>,
    log: &LogControl,
) -> anyhow::Result<Service> {
    let config = super::read_config(file)?;
    let mut service = Service::new(config, MissingFolder::Await)?;
    let old = Arc::clone(&publish.borrow());
    if service.config.web != old.web {
        tracing::warn!("The section [web] changes with a restart only.");
        service.config.web = old.web.clone();
    }
    let (new, old) = (&mut service.config.daemon, &old.daemon);
    let is_fixed = new.data == old.data
        && new.socket == old.socket
        && new.metrics_listen == old.metrics_listen;
    if !is_fixed {
        tracing::warn!(
            "daemon.data, daemon.socket and daemon.metrics_listen change with a restart only."
        );
        new.data.clone_from(&old.data);
        new.socket.clone_from(&old.socket);
        new.metrics_listen = old.metrics_listen;
    }
    log.set(&service.config.log).context("the log's levels could not be changed")?;
    publish.send_replace(Arc::new(service.config.clone()));
    Ok(service)
}
