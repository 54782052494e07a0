//! Doing a unit of work.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::super::state::ServiceState;
use super::super::systemd::Notifier;
use super::choose::{NightMemory, NightView, Unit};
use super::{Reconciler, SESSIONS_MAX};
use crate::daemon::bell::Bell;
use crate::ops::mail::alerts;
use crate::ops::run::{NightSession, RunSummary, Vanished};
use crate::ops::status::Phase;
use crate::ops::{Event, OpsError, Progress};
use crate::store::Retry;
use crate::store::nights::NightSource;
use crate::store::requests::Request;

/// Files taken in as one unit.
const TAKE_CHUNK: usize = 64;
/// Frames reduced as one unit, per worker.
const FRAMES_PER_WORKER: usize = 2;
/// Wait before a file that changed while it was read is tried again.
const UNSTEADY_WAIT: Duration = Duration::from_secs(2);
/// Failures in a row after which a mail tells that a night cannot be finished.
const FAILURES_TOLD: u32 = 3;

impl Reconciler {
    /// Does a unit; what ails one night holds that night only.
    pub(super) fn work(&mut self, unit: &Unit) -> Result<(), OpsError> {
        let (Unit::Work(index) | Unit::Close(index)) = *unit;
        let Some(view) = self.view.get(index).cloned() else { return Ok(()) };
        let done = catch_unwind(AssertUnwindSafe(|| match unit {
            Unit::Work(_) => self.advance(&view),
            Unit::Close(_) => self.close(&view),
        }));
        let error = match done {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => {
                self.sessions.remove(view.id.as_str());
                let why = "the program broke over it: please report".to_owned();
                return self.fail(&view, why);
            }
        };
        match error {
            OpsError::Stopped => Err(OpsError::Stopped),
            OpsError::Changed { path } => {
                tracing::info!(path = %path.display(), "Changed while it was read; once more.");
                self.sessions.remove(view.id.as_str());
                self.memory_of(&view).hold_for(view.files.fingerprint(), UNSTEADY_WAIT);
                self.looked = None;
                Ok(())
            }
            error if error.is_operators() || error.retry() != Retry::Never => Err(error),
            error => {
                let text = format!("{:#}", anyhow::Error::from(error));
                self.fail(&view, text)
            }
        }
    }

    /// Holds a night that failed; tells by mail when it fails again and again.
    fn fail(&mut self, view: &NightView, text: String) -> Result<(), OpsError> {
        let night = view.id.as_str();
        tracing::error!(night, "Night not processed: {text}.");
        let n_failures = self.memory_of(view).hold_after_failure(view.files.fingerprint());
        let now = self.surroundings.clock.now();
        self.surroundings.state.set_error(&format!("night {night}: {text}"), now);
        self.surroundings.state.night_failed(night, &text);
        if n_failures == FAILURES_TOLD {
            let alert = alerts::report_failed(night, &text);
            self.surroundings.raise(&self.config, &alert)?;
        }
        Ok(())
    }

    fn memory_of(&mut self, view: &NightView) -> &mut NightMemory {
        self.memory.entry(view.id.to_string()).or_default()
    }

    /// Takes some files in, or reduces some frames.
    fn advance(&mut self, view: &NightView) -> Result<(), OpsError> {
        let progress = self.progress(view, "frames");
        let frames_max = FRAMES_PER_WORKER * self.n_workers();
        let store = Arc::clone(&self.surroundings.store);
        let is_reopen = self.requests.get(view.id.as_str()) == Some(&Request::Reopen);
        let session = self.session(view)?;
        session.drop_missing(&|name| view.has(name));
        let untaken = view.untaken(session, TAKE_CHUNK);
        if !untaken.is_empty() {
            store.mark_open(&view.id)?;
            let n_taken = session.take(&untaken)?;
            if is_reopen && n_taken > 0 {
                store.clear_request(&view.id, Request::Reopen)?;
                self.requests.remove(view.id.as_str());
            }
            self.surroundings.state.frame_arrived(self.surroundings.clock.now());
            if let Some(listing) = self.closed.get_mut(view.id.as_str()) {
                *listing = None;
            }
            if n_taken == 0 {
                self.memory_of(view).hold_for(view.files.fingerprint(), UNSTEADY_WAIT);
                self.looked = None;
            }
            return Ok(());
        }
        let left = session.advance(frames_max, &progress)?;
        let (newest_exposure, site_deg) = (session.newest_exposure(), session.site_deg());
        let memory = self.memory_of(view);
        (memory.newest_exposure, memory.site_deg) = (newest_exposure, site_deg);
        if left.n_left == 0 {
            memory.set_advanced(view);
        }
        Ok(())
    }

    /// Closes a night.
    fn close(&mut self, view: &NightView) -> Result<(), OpsError> {
        let progress = self.progress(view, "closing");
        let session = self.session(view)?;
        let summary = session.close(Some(view.files.fingerprint().to_owned()), &progress)?;
        self.sessions.remove(view.id.as_str());
        self.closed.insert(view.id.to_string(), Some(view.files.fingerprint().to_owned()));
        self.requests.remove(view.id.as_str());
        self.memory_of(view).set_advanced(view);
        self.told(&summary);
        Ok(())
    }

    fn told(&self, summary: &RunSummary) {
        let night = summary.night.as_str();
        tracing::info!(
            night,
            frames = summary.report.frames.len(),
            frames_new = summary.n_reduced,
            candidates = summary.report.candidates.len(),
            report = %summary.html_path.display(),
            "Night closed."
        );
        self.surroundings.state.night_closed(night);
        self.surroundings.post.notify_one();
    }

    /// The night's session, begun when there is none.
    fn session(&mut self, view: &NightView) -> Result<&mut NightSession, OpsError> {
        let id = view.id.to_string();
        if !self.sessions.contains_key(&id) {
            let watched = &self.watched[view.telescope];
            let source = NightSource {
                folder: view.files.folder.clone(),
                telescope: watched.telescope.name.clone(),
            };
            let workshop = watched.workshop.clone();
            let session = NightSession::begin(workshop, view.id.clone(), source, Vanished::Keep)?;
            if self.sessions.len() >= SESSIONS_MAX
                && let Some(oldest) = self
                    .sessions
                    .iter()
                    .min_by_key(|(_, (used, _))| *used)
                    .map(|(id, _)| id.clone())
            {
                self.sessions.remove(&oldest);
            }
            self.sessions.insert(id.clone(), (self.round, session));
        }
        let (used, session) = self.sessions.get_mut(&id).expect("put there above");
        *used = self.round;
        Ok(session)
    }

    /// Fetches tiles of the star catalogue and answers about known objects that closed nights lack,
    /// and opens those nights again whose wants came, by us or by hand; tells whether there is one.
    pub(super) fn settle_wants(&self) -> Result<bool, OpsError> {
        let first = self.watched.first().map(|watched| watched.workshop.clone());
        let Some(workshop) = first else { return Ok(false) };
        let progress = UnitProgress {
            night: String::new(),
            bell: self.surroundings.bell.clone(),
            state: self.surroundings.state.clone(),
            notifier: Arc::clone(&self.surroundings.notifier),
        };
        let store = &self.surroundings.store;
        let n_starred = match workshop.sky.tiles() {
            Some(tiles) => tiles.settle(store, &progress)?,
            None => 0,
        };
        Ok(n_starred + workshop.known.settle(store, &progress)? > 0)
    }

    fn n_workers(&self) -> usize {
        match self.config.run.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }

    fn progress(&self, view: &NightView, what: &'static str) -> UnitProgress {
        let night = view.id.to_string();
        let telescope = self.watched[view.telescope].telescope.name.clone();
        let phase = Phase::Working { telescope, night: night.clone(), what: what.to_owned() };
        self.surroundings.set_phase(phase);
        UnitProgress {
            night,
            bell: self.surroundings.bell.clone(),
            state: self.surroundings.state.clone(),
            notifier: Arc::clone(&self.surroundings.notifier),
        }
    }
}

/// Tells log, state and watchdog of a unit's steps, and stops it when the service is to end.
struct UnitProgress {
    night: String,
    bell: Bell,
    state: ServiceState,
    notifier: Arc<Notifier>,
}

impl Progress for UnitProgress {
    fn event(&self, event: Event<'_>) -> ControlFlow<()> {
        let night = self.night.as_str();
        match event {
            Event::Scanned { n_files, n_science } => {
                tracing::info!(night, n_files, n_science, "Night is being closed.");
            }
            Event::Fetching => self.state.set_step("fetching stars"),
            Event::Masters => tracing::info!(night, "Masters ready."),
            Event::Frame { name, status, seconds } => {
                tracing::info!(night, frame = name, ?status, seconds, "Frame done.");
                self.state.frame_done(status, seconds);
                self.state.set_step(name);
            }
            Event::Stage { name } => {
                tracing::info!(night, stage = name, "Stage done.");
                self.state.set_step(name);
            }
        }
        self.notifier.watchdog();
        if self.bell.is_stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
