//! Which unit of work comes next.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use super::super::intake::{FileState, IncomingFile, NightFiles};
use super::{Mode, Reconciler};
use crate::ops::night_end::{NightEndRule, night_is_over};
use crate::ops::run::{NightFile, NightSession};
use crate::science::time::Epoch;
use crate::store::NightId;
use crate::store::requests::Request;

/// A night as the last look saw it.
#[derive(Debug)]
pub(super) struct NightView {
    pub(super) id: NightId,
    /// Index of its telescope.
    pub(super) telescope: usize,
    pub(super) files: NightFiles,
    /// Number of files that can be worked on: complete, or too short for too long.
    n_usable: usize,
    /// Hash of those.
    usable_hash: u64,
}

impl NightView {
    pub(super) fn new(id: NightId, telescope: usize, files: NightFiles) -> Self {
        let mut hasher = DefaultHasher::new();
        let mut n_usable = 0;
        for file in files.files.iter().filter(|f| is_usable(&f.state)) {
            (&file.name, file.stamp).hash(&mut hasher);
            n_usable += 1;
        }
        Self { id, telescope, files, n_usable, usable_hash: hasher.finish() }
    }

    /// The first files that can be worked on and are not taken in as they are.
    pub(super) fn untaken(&self, session: &NightSession, limit: usize) -> Vec<NightFile> {
        let is_new = |f: &&IncomingFile| is_usable(&f.state) && !session.has(&f.name, f.stamp);
        let file = |f: &IncomingFile| NightFile {
            path: f.path.clone(),
            name: f.name.clone(),
            stamp: f.stamp,
        };
        self.files.files.iter().filter(is_new).take(limit).map(file).collect()
    }

    /// Tells whether a file of this name lies in the night's folder.
    pub(super) fn has(&self, name: &str) -> bool {
        // They come in order of names.
        self.files.files.binary_search_by(|f| f.name.as_str().cmp(name)).is_ok()
    }

    /// Number of files that are still being written.
    pub(super) fn n_waiting(&self) -> usize {
        self.files.files.len() - self.n_usable
    }
}

fn is_usable(state: &FileState) -> bool {
    matches!(state, FileState::Complete | FileState::Overdue { .. })
}

/// What is remembered of a night between rounds; all of it can be found out again.
#[derive(Debug, Clone, Default)]
pub(super) struct NightMemory {
    /// The usable files after which nothing was left to take in or reduce.
    advanced: Option<u64>,
    /// Last exposure of a science frame, and the site that the headers tell [deg].
    pub(super) newest_exposure: Option<Epoch>,
    pub(super) site_deg: Option<(f64, f64)>,
    hold: Option<Hold>,
    n_failures: u32,
}

/// A night that is left alone for a while, unless its files change.
#[derive(Debug, Clone)]
struct Hold {
    fingerprint: String,
    until: Instant,
}

/// Waits after the first, second, ... failure in a row of a night [s]; then the last one again.
const FAILURE_WAITS_S: [u64; 5] = [10, 60, 300, 900, 3600];

impl NightMemory {
    /// Leaves the night alone after a failure, for longer each time; gives the number of failures.
    pub(super) fn hold_after_failure(&mut self, fingerprint: &str) -> u32 {
        let index = (self.n_failures as usize).min(FAILURE_WAITS_S.len() - 1);
        self.n_failures += 1;
        self.hold_for(fingerprint, Duration::from_secs(FAILURE_WAITS_S[index]));
        self.n_failures
    }

    /// Leaves the night alone for a while.
    pub(super) fn hold_for(&mut self, fingerprint: &str, time: Duration) {
        let until = Instant::now() + time;
        self.hold = Some(Hold { fingerprint: fingerprint.to_owned(), until });
        self.advanced = None;
    }

    /// Notes that nothing is left to reduce of the view's files.
    pub(super) fn set_advanced(&mut self, view: &NightView) {
        self.advanced = Some(view.usable_hash);
        self.hold = None;
        self.n_failures = 0;
    }

    pub(super) fn is_failed(&self) -> bool {
        self.n_failures > 0
    }

    /// Time until a hold ends.
    pub(super) fn hold_left(&self) -> Option<Duration> {
        self.hold.as_ref().map(|h| h.until.saturating_duration_since(Instant::now()))
    }

    fn is_held(&self, fingerprint: &str) -> bool {
        let is_on = |h: &Hold| h.fingerprint == fingerprint && h.until > Instant::now();
        self.hold.as_ref().is_some_and(is_on)
    }
}

/// A unit of work: index of the night in the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Take files in or reduce frames.
    Work(usize),
    /// Link, report and close.
    Close(usize),
}

impl Reconciler {
    /// The next unit: of the newest night that has something to do.
    pub(super) fn next_unit(&self) -> Option<Unit> {
        let now = self.surroundings.clock.now();
        let new = NightMemory::default();
        for (index, view) in self.view.iter().enumerate() {
            let request = self.requests.get(view.id.as_str()).copied();
            if view.n_usable == 0 || (self.is_closed(view) && request.is_none()) {
                continue;
            }
            let memory = self.memory.get(view.id.as_str()).unwrap_or(&new);
            if memory.is_held(view.files.fingerprint()) {
                continue;
            }
            if memory.advanced != Some(view.usable_hash) {
                return Some(Unit::Work(index));
            }
            if self.may_close(view, memory, (request, now)) {
                let has_session = self.sessions.contains_key(view.id.as_str());
                return Some(if has_session { Unit::Close(index) } else { Unit::Work(index) });
            }
        }
        None
    }

    /// Tells whether a night, all of whose usable files are worked on, may be closed.
    fn may_close(
        &self,
        view: &NightView,
        memory: &NightMemory,
        (request, now): (Option<Request>, Epoch),
    ) -> bool {
        if view.n_waiting() > 0 {
            return false;
        }
        let was_closed = self.closed.contains_key(view.id.as_str());
        match request {
            Some(Request::Close) => return true,
            Some(Request::Reopen) => return false,
            None if self.mode == Mode::Once => return true,
            None if view.files.is_marked_done && !was_closed => return true,
            None => {}
        }
        if view.files.is_marked_done {
            // Late frames of a night that was closed: not one closing for each.
            let quiet_min = (now.mjd_utc() - view.files.newest_change.mjd_utc()).abs() * 1440.0;
            return quiet_min >= self.config.daemon.close_after_min;
        }
        let site = self.watched.get(view.telescope).and_then(|w| w.telescope.site.place_deg);
        night_is_over(
            &NightEndRule::of(&self.config.daemon),
            now,
            site.or(memory.site_deg),
            view.files.newest_change,
            memory.newest_exposure,
        )
    }
}
