//! The reconciler: what lies in the folders against what the database says is done.
//!
//! Each round it hears the bell, looks at the folders when there is a reason to, takes the next
//! unit of work and does it. A unit is small (some files taken in, some frames reduced, one
//! night closed), is recorded when it ends, and is chosen anew from the state of the world: the
//! newest night first. So nothing is remembered that a restart would lose.

mod choose;
mod look;
mod units;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::bell::Bell;
use super::intake::Intake;
use super::start::Service;
use super::state::ServiceState;
use super::systemd::Notifier;
use super::watch::FolderWatch;
use crate::config::{Config, Telescope};
use crate::ops::OpsError;
use crate::ops::clock::Clock;
use crate::ops::disk::{DiskGuard, DiskState};
use crate::ops::mail::alerts::{self, KeyedAlert};
use crate::ops::orders::PAUSED_KEY;
use crate::ops::run::{NightSession, Workshop};
use crate::ops::status::{Phase, Problem};
use crate::store::requests::Request;
use crate::store::{Retry, Store, StoreError};

use choose::{NightMemory, NightView};

/// How long the reconciler goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Until nothing is left to do; every night without a growing file is closed.
    Once,
    /// Until it is asked to stop.
    Forever,
}

/// What was left when the reconciler ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Nights that could not be processed.
    pub(super) n_failed: usize,
    /// Files that were still being written.
    pub(super) n_waiting: usize,
}

/// What the reconciler shares with the rest of the service.
pub(super) struct Surroundings {
    pub(super) store: Arc<Store>,
    pub(super) bell: Bell,
    pub(super) state: ServiceState,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) notifier: Arc<Notifier>,
    /// Reads the configuration again and tells it to the others; the old one stays on an error.
    pub(super) reload: Box<dyn FnMut() -> anyhow::Result<Service> + Send>,
    /// Rung when something was put into the outbox.
    pub(super) post: Arc<Notify>,
    /// Where events of the folders are waited for.
    pub(super) runtime: tokio::runtime::Handle,
}

impl Surroundings {
    /// Tells everybody what the service does from now on.
    fn set_phase(&self, phase: Phase) {
        let before = self.state.snapshot().headline();
        self.state.set_phase(phase);
        let headline = self.state.snapshot().headline();
        if headline != before {
            self.notifier.status(&headline);
        }
    }

    /// Queues a mail about trouble.
    fn raise(&self, config: &Config, alert: &KeyedAlert) -> Result<(), OpsError> {
        alerts::raise(&self.store, config, alert, &*self.clock)?;
        self.post.notify_one();
        Ok(())
    }
}

/// The events of the folders, and who rings the bell for them.
struct Watching {
    watch: FolderWatch,
    listener: tokio::task::AbortHandle,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// A telescope and what its nights are worked with.
struct Watched {
    telescope: Telescope,
    workshop: Workshop,
    intake: Intake,
}

/// Sessions kept in memory; those used longest ago go first, at the price of time only.
const SESSIONS_MAX: usize = 6;

pub(super) struct Reconciler {
    surroundings: Surroundings,
    config: Arc<Config>,
    mode: Mode,
    watched: Vec<Watched>,
    watching: Watching,
    guard: DiskGuard,
    /// The nights of the last look, the newest first.
    view: Vec<Arc<NightView>>,
    /// Nights that were ever closed, with the hash of the listing unless something came since.
    closed: HashMap<String, Option<String>>,
    requests: BTreeMap<String, Request>,
    memory: HashMap<String, NightMemory>,
    /// Sessions with the round they were used in last.
    sessions: BTreeMap<String, (u64, NightSession)>,
    round: u64,
    looked: Option<Instant>,
    /// Time after a look at which a waiting file may be complete.
    next_look: Option<Duration>,
}

impl Reconciler {
    /// Opens catalogues and begins to watch the folders.
    pub(super) fn new(
        surroundings: Surroundings,
        service: Service,
        mode: Mode,
    ) -> Result<Self, OpsError> {
        let config = Arc::new(service.config);
        let (watched, watching) = watch_all(&surroundings, &config, &service.telescopes)?;
        Ok(Self {
            guard: DiskGuard::new(config.daemon.disk_free_min_mib),
            config,
            mode,
            watched,
            watching,
            surroundings,
            view: Vec::new(),
            closed: HashMap::new(),
            requests: BTreeMap::new(),
            memory: HashMap::new(),
            sessions: BTreeMap::new(),
            round: 0,
            looked: None,
            next_look: None,
        })
    }

    /// Works until it is asked to stop, or in mode `Once` until nothing is left to do.
    ///
    /// Errors: what only a human can mend (a damaged database, a folder that is gone for good).
    pub(super) fn run(mut self) -> Result<Left, OpsError> {
        while !self.surroundings.bell.is_stop() {
            self.round += 1;
            match self.one_round() {
                Ok(Some(left)) => return Ok(left),
                Ok(None) => {}
                Err(OpsError::Stopped) => break,
                Err(error) => self.endure(error)?,
            }
        }
        Ok(Left::default())
    }

    /// One round; tells what is left when nothing is to be done and nobody waits for more.
    fn one_round(&mut self) -> Result<Option<Left>, OpsError> {
        let rung = self.surroundings.bell.heard();
        if rung.is_reload {
            self.reload();
        }
        if rung.is_order {
            self.memory.clear();
            self.sessions.clear();
        }
        if let Some(why) = self.why_paused()? {
            self.surroundings.set_phase(Phase::Paused { why });
            self.surroundings.state.pass_done(self.surroundings.clock.now());
            if self.mode == Mode::Once {
                return Ok(Some(Left { n_failed: 1, n_waiting: 0 }));
            }
            self.rest(self.rescan());
            return Ok(None);
        }
        if rung.is_changed || self.is_look_due() {
            self.look()?;
        }
        if let Some(unit) = self.next_unit() {
            self.surroundings.notifier.watchdog();
            self.work(&unit)?;
            return Ok(None);
        }
        if self.settle_wants()? {
            self.memory.clear();
            self.sessions.clear();
            self.looked = None;
            return Ok(None);
        }
        self.surroundings.set_phase(Phase::Idle);
        self.surroundings.state.pass_done(self.surroundings.clock.now());
        if self.mode == Mode::Once {
            return Ok(Some(self.left()));
        }
        self.rest(self.idle_time());
        Ok(None)
    }

    /// Waits for the bell; whoever waits for the watchdog is told that all is well.
    fn rest(&self, at_most: Duration) {
        self.surroundings.notifier.watchdog();
        self.surroundings.bell.wait(at_most);
    }

    /// Waits out what passes by itself; gives back what does not.
    fn endure(&mut self, error: OpsError) -> Result<(), OpsError> {
        if error.is_operators() || self.mode == Mode::Once {
            return Err(error);
        }
        let wait = match error.retry() {
            Retry::After(wait) => wait,
            Retry::WhenDiskFrees | Retry::Never => Duration::from_secs(ERROR_WAIT_S),
        };
        let text = format!("{:#}", anyhow::Error::from(error));
        tracing::error!("Work stops for a moment: {text}.");
        self.surroundings.state.set_error(&text, self.surroundings.clock.now());
        self.looked = None;
        self.rest(wait.min(self.rescan()));
        Ok(())
    }

    /// Why no work may be done: a person said so, or the disk is nearly full.
    fn why_paused(&mut self) -> Result<Option<String>, StoreError> {
        let Surroundings { store, state, clock, .. } = &self.surroundings;
        let low = match self.guard.look(store.data_dir()) {
            DiskState::Enough => None,
            DiskState::Low { free_mib, wanted_mib } => {
                let folder = store.data_dir();
                let alert = alerts::disk_full(folder, free_mib, wanted_mib, clock.now());
                if let Err(error) = self.surroundings.raise(&self.config, &alert) {
                    tracing::warn!("No mail about the disk: {:#}.", anyhow::Error::from(error));
                }
                Some(format!(
                    "only {free_mib} MiB are free on the data folder's disk; work goes on by \
                     itself when there are {wanted_mib}: free some space or prune products"
                ))
            }
        };
        if let Some(text) = &low {
            tracing::warn!("Paused: {text}.");
        }
        state.set_problem("disk", low.clone().map(Problem::bad));
        let by_hand = store.read().service_value(PAUSED_KEY)?;
        Ok(low.or(by_hand))
    }

    /// Takes the new configuration over; a broken one changes nothing.
    fn reload(&mut self) {
        self.surroundings.notifier.reloading();
        let read = (self.surroundings.reload)().and_then(|service| {
            let config = Arc::new(service.config);
            let watched = watch_all(&self.surroundings, &config, &service.telescopes)?;
            Ok((config, watched))
        });
        let Surroundings { state, clock, .. } = &self.surroundings;
        match read {
            Ok((config, (watched, watching))) => {
                self.guard = DiskGuard::new(config.daemon.disk_free_min_mib);
                state.set_rescan(config.daemon.rescan_s);
                (self.config, self.watched, self.watching) = (config, watched, watching);
                self.sessions.clear();
                self.memory.clear();
                self.looked = None;
                state.set_problem("configuration", None);
                tracing::info!("Configuration read again.");
            }
            Err(error) => {
                let text = format!("the configuration was not taken over: {error:#}");
                tracing::error!("{text}.");
                state.set_error(&text, clock.now());
                state.set_problem("configuration", Some(Problem::bad(text)));
            }
        }
        self.surroundings.notifier.ready();
    }

    fn rescan(&self) -> Duration {
        let timer_s = self.watching.watch.timer_s(&self.config.daemon);
        let timer = Duration::try_from_secs_f64(timer_s).unwrap_or(Duration::MAX);
        // systemd must hear of a resting service before it loses patience.
        let patience = self.surroundings.notifier.watchdog_period();
        timer.min(patience.map_or(Duration::MAX, |period| period / 2))
    }

    fn left(&self) -> Left {
        Left {
            n_failed: self.memory.values().filter(|m| m.is_failed()).count(),
            n_waiting: self.view.iter().map(|view| view.n_waiting()).sum(),
        }
    }
}

/// Wait after an error of unknown length [s].
const ERROR_WAIT_S: u64 = 30;

/// Opens the catalogue and watches every telescope's folder.
fn watch_all(
    surroundings: &Surroundings,
    config: &Arc<Config>,
    telescopes: &[Telescope],
) -> Result<(Vec<Watched>, Watching), OpsError> {
    let folders: Vec<_> = telescopes.iter().map(|t| t.incoming.clone()).collect();
    // The watch begins before the first look: nothing falls between them.
    let watch = FolderWatch::over_all(&folders, &config.daemon);
    let (ear, bell) = (watch.ear(), surroundings.bell.clone());
    let listener = surroundings.runtime.spawn(async move {
        loop {
            ear.changed().await;
            bell.ring();
        }
    });
    let all = Workshop::open(Arc::clone(&surroundings.store), Arc::clone(config), (&[], &[]))?;
    let watched = telescopes.iter().map(|telescope| Watched {
        workshop: Workshop { config: Arc::new(config.for_telescope(telescope)), ..all.clone() },
        intake: Intake::new(telescope, &config.daemon, config.fits_limits()),
        telescope: telescope.clone(),
    });
    Ok((watched.collect(), Watching { watch, listener: listener.abort_handle() }))
}
