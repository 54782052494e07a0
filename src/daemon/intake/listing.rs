//! What lies in a folder: names, sizes and times of the frames in it, without opening one.
//!
//! Links are never followed, neither to files nor to folders; only the folder that is asked for
//! may be one. What vanishes meanwhile is left out. What cannot be looked at is told in the
//! result and spoils nothing else.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::names::{NameKind, NameRules};
use crate::ops::run::FileStamp;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// Entries of one folder tree that are looked at.
const ENTRIES_MAX: usize = 1_000_000;
/// Troubles of one kind that are kept of one folder tree.
const TROUBLES_MAX: usize = 20;
/// Nanoseconds of a second.
const NS_PER_S: i64 = 1_000_000_000;
/// MJD of the Unix epoch [d].
const MJD_UNIX: f64 = 40_587.0;

fn nanoseconds(seconds: i64, rest_ns: i64) -> i64 {
    seconds.saturating_mul(NS_PER_S).saturating_add(rest_ns)
}

/// The instant of a time of the system.
pub(super) fn epoch_of_ns(unix_ns: i64) -> Epoch {
    let days = unix_ns.div_euclid(NS_PER_S * 86_400);
    let rest_s = unix_ns.rem_euclid(NS_PER_S * 86_400) as f64 / NS_PER_S as f64;
    Epoch::from_mjd_utc(MJD_UNIX + days as f64 + rest_s / SECONDS_PER_DAY)
}

/// A frame's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its name, with the folders below the one that was listed, parted by `/`.
    pub(super) name: String,
    /// Size and time.
    pub(super) stamp: FileStamp,
    /// When its content, name or times were last changed, by the clock of the file system.
    ///
    /// No program can set this time: it tells when a file arrived, also one whose time of
    /// modification was copied with it.
    pub(super) changed_ns: i64,
}

/// Why something is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TroubleKind {
    /// The system refuses.
    Unreadable,
    /// A name that is no text.
    NotText,
    /// A link to somewhere else.
    Link,
    /// A folder too deep below.
    TooDeep,
    /// More than are looked at.
    TooMany,
}

/// Something that is left out and should not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trouble {
    /// Why.
    pub(super) kind: TroubleKind,
    /// What.
    pub(super) path: PathBuf,
    /// What the system said; empty when it said nothing.
    pub(super) reason: String,
}

impl Trouble {
    /// What to tell, and what to do.
    pub(super) fn text(&self) -> String {
        match self.kind {
            TroubleKind::Unreadable => {
                format!("cannot be read ({}): give the service the right to read it", self.reason)
            }
            TroubleKind::NotText => "has a name that is no UTF-8 text: rename it".to_owned(),
            TroubleKind::Link => {
                "is a link, and links are not followed: put the file itself there".to_owned()
            }
            TroubleKind::TooDeep => "lies too deep and is not looked into: move it up".to_owned(),
            TroubleKind::TooMany => {
                format!("holds more than {}: the rest is left out", self.reason)
            }
        }
    }
}

/// What was found in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Frames in order of names.
    pub(super) files: Vec<ListedFile>,
    /// When the marker that closes a night was put there; only in the folder itself.
    pub(super) marker_ns: Option<i64>,
    /// When a file on its way (a temporary name) last changed.
    pub(super) temporary_ns: Option<i64>,
    /// What is left out.
    pub(super) troubles: Vec<Trouble>,
    n_entries: usize,
}

impl Listing {
    fn trouble(&mut self, kind: TroubleKind, path: PathBuf, reason: String) {
        if self.troubles.iter().filter(|trouble| trouble.kind == kind).count() < TROUBLES_MAX {
            self.troubles.push(Trouble { kind, path, reason });
        }
    }

    fn refused(&mut self, path: PathBuf, error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            self.trouble(TroubleKind::Unreadable, path, error.to_string());
        }
    }
}

/// How much of a folder is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// Folders this deep below are looked into.
    pub(super) depth_max: usize,
    /// Most frames; of more, those that changed last.
    pub(super) files_max: usize,
}

/// Lists the frames in a folder and the folders in it.
///
/// Errors: only when the folder itself cannot be read.
pub(super) fn list(folder: &Path, reach: Reach, rules: &NameRules) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut entries = Some(fs::read_dir(folder)?);
    let mut open = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((path, prefix, depth)) = open.pop() {
        let opened = entries.take().map_or_else(|| fs::read_dir(&path), Ok);
        let entries = match opened {
            Ok(entries) => entries,
            Err(error) => {
                listing.refused(path, &error);
                continue;
            }
        };
        for entry in entries {
            listing.n_entries += 1;
            if listing.n_entries > ENTRIES_MAX {
                let reason = format!("{ENTRIES_MAX} files and folders");
                listing.trouble(TroubleKind::TooMany, folder.to_owned(), reason);
                break;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    listing.refused(path.clone(), &error);
                    continue;
                }
            };
            match look_at(&entry, (&prefix, depth), rules, &mut listing) {
                Ok(Some(name)) if depth < reach.depth_max => {
                    open.push((entry.path(), format!("{prefix}{name}/"), depth + 1));
                }
                Ok(Some(_)) => {
                    listing.trouble(TroubleKind::TooDeep, entry.path(), String::new());
                }
                Ok(None) => {}
                Err(error) => listing.refused(entry.path(), &error),
            }
        }
    }
    finish(listing, folder, reach)
}

/// Keeps what may be kept, in order.
fn finish(mut listing: Listing, folder: &Path, reach: Reach) -> io::Result<Listing> {
    if listing.files.len() > reach.files_max {
        listing.files.sort_by(|a, b| (b.changed_ns, &b.name).cmp(&(a.changed_ns, &a.name)));
        listing.files.truncate(reach.files_max);
        let reason = format!("{} frames", reach.files_max);
        listing.trouble(TroubleKind::TooMany, folder.to_owned(), reason);
    }
    listing.files.sort_by(|a, b| a.name.cmp(&b.name));
    listing.troubles.sort();
    listing.troubles.dedup();
    Ok(listing)
}

/// Takes up one entry; the name of a folder that is to be looked into.
fn look_at(
    entry: &DirEntry,
    (prefix, depth): (&str, usize),
    rules: &NameRules,
    listing: &mut Listing,
) -> io::Result<Option<String>> {
    let kind = entry.file_type()?;
    let Ok(name) = entry.file_name().into_string() else {
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let lossy = entry.file_name().to_string_lossy().into_owned();
        // Of a name that is no text the ending still tells what it was meant to be.
        if !is_hidden && (kind.is_dir() || rules.kind_of(&lossy) == NameKind::Frame) {
            listing.trouble(TroubleKind::NotText, entry.path(), String::new());
        }
        return Ok(None);
    };
    if kind.is_dir() {
        return Ok(rules.is_open_folder(&name).then_some(name));
    }
    let name_kind = rules.kind_of(&name);
    if kind.is_symlink() {
        if name_kind == NameKind::Frame || name_kind == NameKind::Marker || leads_to_folder(entry) {
            listing.trouble(TroubleKind::Link, entry.path(), String::new());
        }
        return Ok(None);
    }
    if !kind.is_file() || name_kind == NameKind::Other {
        return Ok(None);
    }
    // Of the entry itself, not of what a link would lead to.
    let data = entry.metadata()?;
    let changed_ns = nanoseconds(data.ctime(), data.ctime_nsec());
    match name_kind {
        NameKind::Frame => {
            let name = format!("{prefix}{name}");
            let stamp = FileStamp::of(&data);
            listing.files.push(ListedFile { path: entry.path(), name, stamp, changed_ns });
        }
        NameKind::Temporary => listing.temporary_ns = listing.temporary_ns.max(Some(changed_ns)),
        NameKind::Marker if depth == 0 => listing.marker_ns = Some(changed_ns),
        NameKind::Marker | NameKind::Other => {}
    }
    Ok(None)
}

/// Tells whether a link would be a folder, so that somebody may miss what is in it.
fn leads_to_folder(entry: &DirEntry) -> bool {
    fs::metadata(entry.path()).is_ok_and(|data| data.is_dir())
}

/// What lies in the incoming folder itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Top {
    /// Names of the folders, without hidden ones, in falling order.
    pub(super) folders: Vec<String>,
    /// Frames that lie in no folder.
    pub(super) n_loose: usize,
    /// What is left out.
    pub(super) troubles: Vec<Trouble>,
}

/// Lists the folders in the incoming folder.
pub(super) fn list_top(incoming: &Path, rules: &NameRules) -> io::Result<Top> {
    let mut folders = Vec::new();
    let mut listing = Listing::default();
    for entry in fs::read_dir(incoming)? {
        listing.n_entries += 1;
        if listing.n_entries > ENTRIES_MAX {
            let reason = format!("{ENTRIES_MAX} files and folders");
            listing.trouble(TroubleKind::TooMany, incoming.to_owned(), reason);
            break;
        }
        let entry = entry?;
        match look_at(&entry, ("", 0), rules, &mut listing) {
            Ok(folder) => folders.extend(folder),
            Err(error) => listing.refused(entry.path(), &error),
        }
    }
    folders.sort_by(|a, b| b.cmp(a));
    listing.troubles.sort();
    Ok(Top { folders, n_loose: listing.files.len(), troubles: listing.troubles })
}

/// When a folder itself last changed.
pub(super) fn folder_changed_ns(folder: &Path) -> io::Result<i64> {
    let data = fs::metadata(folder)?;
    Ok(nanoseconds(data.ctime(), data.ctime_nsec()))
}

#[cfg(test)]
mod tests;
