//! How files come in and make nights.
//!
//! A look walks over one telescope's incoming folder: `names` knows what is a frame, `listing`
//! finds them, `assign` gives them to nights, `ready` tells which are complete. Nothing but the
//! folder decides; what is remembered between looks only spares reading headers again and tells
//! how long a file has been quiet. Raw files are never changed.

mod assign;
mod listing;
mod names;
mod ready;

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use crate::config::{Daemon, NightPattern, Telescope};
use crate::formats::fits::Limits;
use crate::science::time::Epoch;
use crate::store::{NightId, filesystem};
use assign::ByTime;
use listing::{ListedFile, Listing, Reach, Trouble, epoch_of_ns};
use ready::{Moment, Place, Readiness};

use crate::ops::run::FileStamp;
pub(super) use assign::HeaderTime;
pub(super) use names::{NameKind, NameRules};
pub(super) use ready::FileState;

/// Folders this deep below a night's are looked into.
const NIGHT_DEPTH_MAX: usize = 3;
/// Folders this deep below the incoming one are looked into where nights are made by time.
const TIMED_DEPTH_MAX: usize = 4;
/// Most frames of a night.
const NIGHT_FILES_MAX: usize = 100_000;
/// Most frames of all nights of a telescope; the oldest nights are left out.
const FILES_MAX: usize = 400_000;

/// A frame's file in a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IncomingFile {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its name below the night's folder (by time: the incoming folder), parted by `/`.
    pub(super) name: String,
    /// Size, time and inode: the same as before means not changed.
    pub(super) stamp: FileStamp,
    /// Whether it can be taken.
    pub(super) state: FileState,
}

/// A night as it lies in the incoming folder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NightFiles {
    /// Its name, without the telescope's.
    pub(super) name: String,
    /// Its folder; the incoming one where nights are made by time.
    pub(super) folder: PathBuf,
    /// Its frames in order of names.
    pub(super) files: Vec<IncomingFile>,
    /// Whether the file that closes nights lies there.
    pub(super) is_marked_done: bool,
    /// Whether `Known::is_done` said so; the files' states were not looked at then.
    pub(super) is_done: bool,
    /// When a frame, or a file on its way, last came or changed, by the file system's clock.
    pub(super) newest_change: Epoch,
    fingerprint: String,
}

impl NightFiles {
    /// Hash of the names and stamps of all files.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// Something to tell once, not at every look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IntakeNote {
    /// The night it concerns; empty for none.
    pub(super) night: String,
    /// The file or folder it is about.
    pub(super) subject: String,
    /// What is the matter and what to do.
    pub(super) text: String,
}

/// What a look gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Look {
    /// The nights, newest first by name.
    pub(super) nights: Vec<NightFiles>,
    /// What was not so at the look before.
    pub(super) notes: Vec<IntakeNote>,
    /// Time until a file could become complete or overdue by waiting alone [s].
    pub(super) next_look_s: Option<f64>,
}

/// What the caller knows about files and nights.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Middle of a file's exposure, from its header; only asked where nights are made by time.
    pub(super) header_time: HeaderTime<'a>,
    /// Tells (night's name, fingerprint) whether nothing is left to do for these files: none is
    /// opened then. Must be false when one of them was overdue.
    pub(super) is_done: &'a dyn Fn(&str, &str) -> bool,
}

/// One telescope's incoming folder.
#[derive(Debug)]
pub(super) struct Intake {
    incoming: PathBuf,
    nights: Nights,
    rules: NameRules,
    readiness: Readiness,
    closed: HashSet<PathBuf>,
    told: HashSet<(String, String, &'static str)>,
    notes: Notes,
}

/// How nights are made.
#[derive(Debug)]
enum Nights {
    Folders(NightPattern),
    Timed { sorter: ByTime, is_site_known: bool },
}

/// What is to be told of one look, with a word for its kind: the same kind is told once.
#[derive(Debug, Default)]
struct Notes(Vec<(IntakeNote, &'static str)>);

impl Notes {
    fn add(&mut self, night: &str, subject: &str, kind: &'static str, text: String) {
        let (night, subject) = (night.to_owned(), subject.to_owned());
        self.0.push((IntakeNote { night, subject, text }, kind));
    }

    fn add_troubles(&mut self, night: &str, troubles: Vec<Trouble>) {
        for trouble in troubles {
            let subject = trouble.path.display().to_string();
            self.add(night, &subject, "trouble", trouble.text());
        }
    }
}

/// Frames of a night before they are looked at.
struct Found {
    name: String,
    folder: PathBuf,
    files: Vec<ListedFile>,
    is_marked_done: bool,
    newest_ns: i64,
}

impl Intake {
    /// Nothing is looked at yet.
    pub(super) fn new(telescope: &Telescope, daemon: &Daemon, limits: Limits) -> Self {
        let is_network = filesystem::is_network(&telescope.incoming).unwrap_or(false);
        let place = if is_network { Place::Network } else { Place::Local };
        let longitude_deg = telescope.site.place_deg.map(|(_, longitude_deg)| longitude_deg);
        Self {
            incoming: telescope.incoming.clone(),
            nights: match &telescope.night_pattern {
                pattern @ NightPattern::Folders(_) => Nights::Folders(pattern.clone()),
                NightPattern::ByTime => Nights::Timed {
                    sorter: ByTime::new(longitude_deg.unwrap_or(0.0)),
                    is_site_known: longitude_deg.is_some(),
                },
            },
            rules: NameRules::new(&daemon.ignore, &daemon.close_marker),
            readiness: Readiness::new(
                daemon.settle_s,
                daemon.partial_wait_min * 60.0,
                place,
                limits,
            ),
            closed: HashSet::new(),
            told: HashSet::new(),
            notes: Notes::default(),
        }
    }

    /// Hands over what the watcher saw closed or put in place since the last look.
    pub(super) fn heard(&mut self, closed: &[PathBuf]) {
        self.closed.extend(closed.iter().filter(|path| path.starts_with(&self.incoming)).cloned());
    }

    /// Looks at everything in the incoming folder.
    ///
    /// Errors: only when the incoming folder itself cannot be read.
    pub(super) fn look(&mut self, now: Epoch, known: &Known<'_>) -> io::Result<Look> {
        self.look_at(now, Instant::now(), known)
    }

    fn look_at(&mut self, now: Epoch, instant: Instant, known: &Known<'_>) -> io::Result<Look> {
        self.notes = Notes::default();
        let found = if matches!(self.nights, Nights::Folders(_)) {
            self.find_folders()?
        } else {
            self.find_timed(now, known.header_time)?
        };
        // What is heard before a look that fails counts for the next one.
        let closed = std::mem::take(&mut self.closed);
        let moment = Moment { now, instant, closed: &closed };
        self.readiness.begin();
        let nights = found.into_iter().map(|night| self.examine(night, moment, known)).collect();
        let next_look_s = self.readiness.end();
        Ok(Look { nights, notes: self.new_notes(), next_look_s })
    }

    /// The nights that are folders, newest first.
    fn find_folders(&mut self) -> io::Result<Vec<Found>> {
        let Nights::Folders(pattern) = &self.nights else { return Ok(Vec::new()) };
        let top = listing::list_top(&self.incoming, &self.rules)?;
        let incoming = self.incoming.display().to_string();
        if top.n_loose > 0 {
            let text = format!(
                "{} frames lie outside any night's folder and are left alone: move them into one",
                top.n_loose
            );
            self.notes.add("", &incoming, "loose", text);
        }
        self.notes.add_troubles("", top.troubles);
        let (mut found, mut names, mut n_files) = (Vec::new(), BTreeSet::new(), 0);
        for folder in top.folders {
            let name = pattern.name_of(&folder).filter(|name| NightId::new(name).is_ok());
            let Some(name) = name else {
                let text = format!("is no night by the pattern {pattern} and is left alone");
                self.notes.add("", &folder, "pattern", text);
                continue;
            };
            if !names.insert(name.clone()) {
                let text = format!("would be the night {name} a second time and is left alone");
                self.notes.add("", &folder, "twice", text);
                continue;
            }
            if n_files >= FILES_MAX {
                let text = format!("older nights are left out: there are {FILES_MAX} frames");
                self.notes.add("", &incoming, "many", text);
                break;
            }
            let path = self.incoming.join(&folder);
            let reach = Reach { depth_max: NIGHT_DEPTH_MAX, files_max: NIGHT_FILES_MAX };
            match listing::list(&path, reach, &self.rules) {
                Ok(listing) => {
                    n_files += listing.files.len();
                    found.push(night_folder(name, path, listing, &mut self.notes));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let text =
                        format!("cannot be read ({error}): give the service the right to read it");
                    self.notes.add(&name, &folder, "unreadable", text);
                }
            }
        }
        found.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(found)
    }

    /// The nights of frames that lie anywhere, newest first.
    fn find_timed(&mut self, now: Epoch, header_time: HeaderTime<'_>) -> io::Result<Vec<Found>> {
        let Nights::Timed { sorter, is_site_known } = &mut self.nights else {
            return Ok(Vec::new());
        };
        let incoming = self.incoming.display().to_string();
        if !*is_site_known {
            let text = "has no longitude, so nights go from noon to noon of UTC: set \
                        site.longitude_deg";
            self.notes.add("", "site", "site", text.to_owned());
        }
        let reach = Reach { depth_max: TIMED_DEPTH_MAX, files_max: FILES_MAX };
        let listing = listing::list(&self.incoming, reach, &self.rules)?;
        self.notes.add_troubles("", listing.troubles);
        let on_its_way = listing.temporary_ns.map(|at| (sorter.night_of_ns(at), at));
        let mut found = Vec::new();
        for (name, mut night) in sorter.sort(listing.files, now, header_time).into_iter().rev() {
            if night.n_without_time > 0 {
                let n = night.n_without_time;
                let text = format!("{n} files are in this night by their own time: no other");
                self.notes.add(&name, &incoming, "time", text);
            }
            if night.files.len() > NIGHT_FILES_MAX {
                night.files.truncate(NIGHT_FILES_MAX);
                let text = format!("has more than {NIGHT_FILES_MAX} frames: the rest is left out");
                self.notes.add(&name, &incoming, "many", text);
            }
            let newest = night.files.iter().map(|file| file.changed_ns).max().unwrap_or(i64::MIN);
            let coming = on_its_way.as_ref().filter(|(other, _)| *other == name);
            let newest_ns = coming.map_or(newest, |(_, at)| newest.max(*at));
            // The marker closes what had come when it was put there.
            let is_marked_done = listing.marker_ns.is_some_and(|at| at >= newest_ns);
            let folder = self.incoming.clone();
            found.push(Found { name, folder, files: night.files, is_marked_done, newest_ns });
        }
        Ok(found)
    }

    /// Looks at the files of a night that is not done.
    fn examine(&mut self, night: Found, moment: Moment<'_>, known: &Known<'_>) -> NightFiles {
        let fingerprint = fingerprint(&night.files);
        let is_done = (known.is_done)(&night.name, &fingerprint);
        let mut files = Vec::with_capacity(night.files.len());
        for file in night.files {
            let state = if is_done {
                FileState::Complete
            } else {
                match self.readiness.state(&file, moment) {
                    Some(state) => state,
                    None => continue,
                }
            };
            if let FileState::Overdue { reason } = &state {
                self.notes.add(&night.name, &file.name, "overdue", reason.clone());
            }
            let ListedFile { path, name, stamp, .. } = file;
            files.push(IncomingFile { path, name, stamp, state });
        }
        NightFiles {
            name: night.name,
            folder: night.folder,
            files,
            is_marked_done: night.is_marked_done,
            is_done,
            newest_change: epoch_of_ns(night.newest_ns),
            fingerprint,
        }
    }

    /// What is to be told now and was not at the look before.
    fn new_notes(&mut self) -> Vec<IntakeNote> {
        let notes = std::mem::take(&mut self.notes).0;
        let key = |(note, kind): &(IntakeNote, &'static str)| {
            (note.night.clone(), note.subject.clone(), *kind)
        };
        let all = notes.iter().map(key).collect();
        let before = std::mem::replace(&mut self.told, all);
        let mut new: Vec<IntakeNote> = notes
            .into_iter()
            .filter(|note| !before.contains(&key(note)))
            .map(|(note, _)| note)
            .collect();
        new.sort();
        new
    }
}

/// A night from what its folder holds.
fn night_folder(name: String, folder: PathBuf, listing: Listing, notes: &mut Notes) -> Found {
    notes.add_troubles(&name, listing.troubles);
    let newest = listing.files.iter().map(|file| file.changed_ns).max().max(listing.temporary_ns);
    // An empty folder is as old as itself; one that is gone is as old as can be.
    let newest_ns = newest.unwrap_or_else(|| listing::folder_changed_ns(&folder).unwrap_or(0));
    let is_marked_done = listing.marker_ns.is_some();
    Found { name, folder, files: listing.files, is_marked_done, newest_ns }
}

/// Hash of names and stamps; the files come in order of names.
fn fingerprint(files: &[ListedFile]) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        // No name holds a zero byte.
        hasher.update(format!("{}\0{}\0", file.name, file.stamp).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests;
