//! What the service is doing: written where it happens, read by socket, metrics and systemd.
//!
//! A [`ServiceState`] is memory only and may be lost at any time; what must outlive the process is
//! in the database. Every call takes a lock for a few instructions, so it may be made anywhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ops::clock::Clock;
use crate::ops::status::{FrameCounts, LastNight, PastError, Phase, Problem, Snapshot};
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::science::time::Epoch;

/// The service's state; clones share it.
#[derive(Clone)]
pub struct ServiceState {
    clock: Arc<dyn Clock>,
    snapshot: Arc<Mutex<Snapshot>>,
}

impl ServiceState {
    /// A service that starts now and looks at its folders every `rescan_s`.
    pub fn new(clock: Arc<dyn Clock>, rescan_s: f64) -> Self {
        let now = clock.now().mjd_utc();
        let snapshot = Snapshot {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            at_mjd_utc: now,
            started_mjd_utc: now,
            phase: Phase::Starting,
            n_files_waiting: 0,
            n_nights_open: 0,
            n_outbox_pending: 0,
            frames: FrameCounts::default(),
            frames_s: 0.0,
            n_nights_closed: 0,
            last_frame_mjd_utc: None,
            last_pass_mjd_utc: None,
            rescan_s,
            disk_free_bytes: None,
            last_night: None,
            last_error: None,
            problems: std::collections::BTreeMap::new(),
            web_address: None,
        };
        Self { clock, snapshot: Arc::new(Mutex::new(snapshot)) }
    }

    /// The state at this instant.
    pub fn snapshot(&self) -> Snapshot {
        let at_mjd_utc = self.clock.now().mjd_utc();
        Snapshot { at_mjd_utc, ..self.lock().clone() }
    }

    /// What it does from now on.
    pub fn set_phase(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    /// The frame or stage in work; nothing while it does not work on a night.
    pub fn set_step(&self, step: &str) {
        if let Phase::Working { what, .. } = &mut self.lock().phase {
            step.clone_into(what);
        }
    }

    /// Files that wait, and open nights.
    pub fn set_queue(&self, n_files_waiting: u64, n_nights_open: u64) {
        let mut state = self.lock();
        state.n_files_waiting = n_files_waiting;
        state.n_nights_open = n_nights_open;
    }

    /// Where people open the web page; `None` while it is closed.
    pub fn set_web(&self, address: Option<String>) {
        self.lock().web_address = address;
    }

    /// Messages that wait to be sent.
    pub fn set_outbox(&self, n_pending: u64) {
        self.lock().n_outbox_pending = n_pending;
    }

    /// Free space on the data folder's disk; `None` when it is not known.
    pub fn set_disk_free(&self, bytes: Option<u64>) {
        self.lock().disk_free_bytes = bytes;
    }

    /// Time between two looks, after the configuration was read again.
    pub fn set_rescan(&self, rescan_s: f64) {
        self.lock().rescan_s = rescan_s;
    }

    /// A frame came in.
    pub fn frame_arrived(&self, at: Epoch) {
        self.lock().last_frame_mjd_utc = Some(at.mjd_utc());
    }

    /// A frame is done; it took `seconds`.
    pub fn frame_done(&self, status: FrameStatus, seconds: f64) {
        let mut state = self.lock();
        let count = match status {
            FrameStatus::Ok => &mut state.frames.ok,
            FrameStatus::Rejected => &mut state.frames.rejected,
            FrameStatus::Failed => &mut state.frames.failed,
        };
        *count += 1;
        // A sum only grows; a time that is no number counts as none.
        state.frames_s += if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
    }

    /// A look at the folders is done.
    pub fn pass_done(&self, at: Epoch) {
        self.lock().last_pass_mjd_utc = Some(at.mjd_utc());
    }

    /// A night was closed.
    pub fn night_closed(&self, night: &str) {
        self.end_night(night, None);
        self.lock().n_nights_closed += 1;
    }

    /// A night could not be closed.
    pub fn night_failed(&self, night: &str, why: &str) {
        self.end_night(night, Some(why.to_owned()));
    }

    fn end_night(&self, night: &str, failure: Option<String>) {
        let at_mjd_utc = self.clock.now().mjd_utc();
        let night = night.to_owned();
        self.lock().last_night = Some(LastNight { night, at_mjd_utc, failure });
    }

    /// The last error.
    pub fn set_error(&self, text: &str, at: Epoch) {
        let error = PastError { text: text.to_owned(), at_mjd_utc: at.mjd_utc() };
        self.lock().last_error = Some(error);
    }

    /// A standing problem of something (`disk`, `mail`, `database`, `incoming`); `None` when it is
    /// over.
    pub fn set_problem(&self, key: &'static str, problem: Option<Problem>) {
        let mut state = self.lock();
        match problem {
            Some(problem) => state.problems.insert(key.to_owned(), problem),
            None => state.problems.remove(key),
        };
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        // Each change is one assignment, so a panic elsewhere leaves nothing half done.
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for ServiceState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServiceState").field(&self.snapshot()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::clock::SetClock;

    #[test]
    fn what_is_told_is_seen_by_all_and_time_goes_on() {
        let start = Epoch::from_mjd_utc(61_100.0);
        let clock = Arc::new(SetClock::at(start));
        let state = ServiceState::new(clock.clone(), 300.0);
        let other = state.clone();
        state.set_step("nothing is in work");
        assert_eq!(other.snapshot().phase, Phase::Starting);
        state.set_phase(Phase::Working {
            telescope: String::new(),
            night: "2026-03-01".to_owned(),
            what: "masters".to_owned(),
        });
        state.set_step("f1.fits");
        assert_eq!(other.snapshot().headline(), "working on night 2026-03-01: f1.fits; 0 waiting");
        state.frame_done(FrameStatus::Ok, 1.5);
        state.frame_done(FrameStatus::Failed, f64::NAN);
        state.frame_done(FrameStatus::Ok, -1.0);
        let seen = other.snapshot();
        assert_eq!(seen.frames, FrameCounts { ok: 2, rejected: 0, failed: 1 });
        assert!((seen.frames_s - 1.5).abs() < 1e-12, "{}", seen.frames_s);

        clock.pass(43_200.0);
        state.night_failed("2026-03-01", "no space");
        assert_eq!(other.snapshot().health().word(), "bad");
        state.night_closed("2026-03-01");
        let seen = other.snapshot();
        assert_eq!((seen.health().word(), seen.n_nights_closed), ("ok", 1));
        assert!((seen.at_mjd_utc - seen.started_mjd_utc - 0.5).abs() < 1e-9);

        state.set_problem("disk", Some(Problem::bad("full")));
        assert_eq!(other.snapshot().health().reasons(), ["disk: full"]);
        state.set_problem("disk", None);
        assert_eq!(other.snapshot().health().word(), "ok");
    }
}
