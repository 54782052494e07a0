//! Whether a file is complete: taken too early it is half a frame, taken too late it is news of
//! yesterday.
//!
//! A file is complete when two things hold. Nobody writes on it any more: its closing or its
//! renaming into place was seen, or it did not change for the settle time, by our own watch or by
//! the clock. And it is as long as its headers say. A file that is quiet but too short waits for
//! its next change; after the partial wait it is overdue and says why. Nothing but the stamp is
//! believed to tell of changes; headers are read once per stamp.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::listing::{ListedFile, epoch_of_ns};
use crate::formats::fits::{Completeness, FitsError, Limits, completeness};
use crate::ops::run::FileStamp;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// The clock of a file server may be wrong by this much before it misleads us [s].
const SERVER_CLOCK_ERR_S: f64 = 3600.0;
/// Shortest time until the next look that is asked for [s].
const NEXT_LOOK_MIN_S: f64 = 0.05;

/// Whether a file can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) enum FileState {
    /// It can.
    Complete,
    /// Somebody may still write on it.
    Waiting,
    /// It is quiet, but shorter than its headers say.
    Partial {
        /// Size that the headers announce; `None` while they are not all there.
        expected_bytes: Option<u64>,
        /// Size of the file.
        found_bytes: u64,
    },
    /// It has been partial, or could not be read, for too long; a change makes it wait again.
    Overdue {
        /// What is wrong with it.
        reason: String,
    },
}

/// How the file system of a folder is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) enum Place {
    /// On this machine: its times are of our clock.
    Local,
    /// On another machine, with a clock of its own.
    Network,
}

/// What is known of a file's content with one stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Memory {
    stamp: FileStamp,
    since: Instant,
    is_closed: bool,
    length: Option<Completeness>,
    look: u64,
}

/// The memory of all files of one incoming folder.
#[derive(Debug)]
pub(super) struct Readiness {
    settle_s: f64,
    partial_wait_s: f64,
    clock_err_s: f64,
    limits: Limits,
    files: HashMap<PathBuf, Memory>,
    look: u64,
    next_look_s: Option<f64>,
}

/// The moment of a look, and what was heard until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    /// By the system's clock.
    pub(super) now: Epoch,
    /// By the clock that nobody sets.
    pub(super) instant: Instant,
    /// Files and folders that were closed after writing or renamed into place.
    pub(super) closed: &'a HashSet<PathBuf>,
}

impl Readiness {
    /// An empty memory.
    ///
    /// * `settle_s`: quiet time that makes a file complete [s]; `partial_wait_s`: that makes
    ///   a partial one overdue [s].
    pub(super) fn new(settle_s: f64, partial_wait_s: f64, place: Place, limits: Limits) -> Self {
        Self {
            settle_s,
            partial_wait_s,
            clock_err_s: if place == Place::Network { SERVER_CLOCK_ERR_S } else { 0.0 },
            limits,
            files: HashMap::new(),
            look: 0,
            next_look_s: None,
        }
    }

    /// Begins a look over all files.
    pub(super) fn begin(&mut self) {
        self.look += 1;
        self.next_look_s = None;
    }

    /// Ends a look: forgets the files that were not asked for. Returns the time until something
    /// could become complete or overdue by waiting [s].
    pub(super) fn end(&mut self) -> Option<f64> {
        let look = self.look;
        self.files.retain(|_, memory| memory.look == look);
        self.next_look_s.map(|wait_s| wait_s.max(NEXT_LOOK_MIN_S))
    }

    /// The state of a file; `None` when it vanished since it was listed.
    pub(super) fn state(&mut self, file: &ListedFile, moment: Moment<'_>) -> Option<FileState> {
        let fresh = Memory {
            stamp: file.stamp,
            since: moment.instant,
            is_closed: false,
            length: None,
            look: self.look,
        };
        let known = self.files.get(&file.path).filter(|memory| memory.stamp == file.stamp);
        let mut memory = Memory { look: self.look, ..known.copied().unwrap_or(fresh) };
        memory.is_closed |= is_closed(&file.path, moment.closed);
        let watched_s = moment.instant.saturating_duration_since(memory.since).as_secs_f64();
        let quiet_s = self.quiet_s(file, moment.now).max(watched_s);
        let state = if memory.length == Some(Completeness::Complete) {
            Some(FileState::Complete)
        } else if !memory.is_closed && quiet_s < self.settle_s {
            self.look_again_in(self.settle_s - quiet_s);
            Some(FileState::Waiting)
        } else {
            self.measure(file, &mut memory, quiet_s)
        };
        if state.is_some() {
            self.files.insert(file.path.clone(), memory);
        }
        state
    }

    /// How long a file has certainly not changed, by its own time and our clock [s].
    ///
    /// A time of the future says nothing: our own watch must decide then.
    fn quiet_s(&self, file: &ListedFile, now: Epoch) -> f64 {
        let changed = epoch_of_ns(file.changed_ns);
        let age_s = (now.mjd_utc() - changed.mjd_utc()) * SECONDS_PER_DAY;
        (age_s - self.clock_err_s).max(0.0)
    }

    /// The state of a file that nobody writes on.
    fn measure(
        &mut self,
        file: &ListedFile,
        memory: &mut Memory,
        quiet_s: f64,
    ) -> Option<FileState> {
        let found = match memory.length {
            Some(length) => Ok(length),
            None => completeness(&file.path, &self.limits),
        };
        let reason = match &found {
            Ok(Completeness::Complete) => {
                memory.length = Some(Completeness::Complete);
                return Some(FileState::Complete);
            }
            Ok(short @ Completeness::Short { expected_bytes, found_bytes }) => {
                memory.length = Some(*short);
                too_short(*expected_bytes, *found_bytes)
            }
            Err(FitsError::Open { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                return None;
            }
            // Not remembered: rights can be given without a new stamp.
            Err(error) => unreadable(error),
        };
        if quiet_s >= self.partial_wait_s {
            return Some(FileState::Overdue { reason });
        }
        self.look_again_in(self.partial_wait_s - quiet_s);
        Some(match found {
            Ok(Completeness::Short { expected_bytes, found_bytes }) => {
                FileState::Partial { expected_bytes, found_bytes }
            }
            _ => FileState::Waiting,
        })
    }

    fn look_again_in(&mut self, wait_s: f64) {
        self.next_look_s = Some(self.next_look_s.map_or(wait_s, |known_s| known_s.min(wait_s)));
    }
}

/// Tells whether a file, or a folder that it came with, was closed or put in place.
fn is_closed(path: &Path, closed: &HashSet<PathBuf>) -> bool {
    !closed.is_empty() && path.ancestors().any(|part| closed.contains(part))
}

fn too_short(expected_bytes: Option<u64>, found_bytes: u64) -> String {
    match expected_bytes {
        _ if found_bytes == 0 => "is empty: copy it again".to_owned(),
        Some(expected) => format!(
            "has {found_bytes} of the {expected} bytes that its header announces: copy it again"
        ),
        None => format!("ends after {found_bytes} bytes, before its picture: copy it again"),
    }
}

fn unreadable(error: &FitsError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let cause = cause.unwrap_or_else(|| error.to_string());
    format!("cannot be read ({cause}): give the service the right to read it")
}

#[cfg(test)]
mod tests;
