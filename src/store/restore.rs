//! Puts a backup in the place of the database; nothing is thrown away.
//!
//! The backup is copied into the data folder and checked there. When the copy is whole it gets the
//! name `autossos.sqlite.restoring-<time>`: from then on the exchange goes forward, and the next
//! opening of the store ends it should the program be killed. The old database goes aside as
//! `autossos.sqlite.damaged-<time>` with its `-wal` and `-shm`, before the new one takes its name:
//! an old `-wal` beside a new database would damage it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::science::time::Epoch;

use super::backup::{copy_into, give_to_owner_of, list, stamp};
use super::error::StoreError;
use super::open::take_lock;
use super::{DATABASE_NAME, check, filesystem, schema};

/// Name of the copy until its check is done.
const TEMPORARY_NAME: &str = ".tmp-restore.sqlite";
/// Name of the checked copy, before the time.
const RESTORING: &str = "restoring";
/// Name of the old database, before the time.
const DAMAGED: &str = "damaged";
/// Exchanges within one second that are told apart.
const SAME_SECOND_MAX: usize = 100;

/// Which backup to put in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreFrom<'a> {
    /// This file.
    File(&'a Path),
    /// The newest whole one of a folder.
    NewestIn(&'a Path),
}

/// A backup that was put in place.
#[derive(Debug)]
pub struct RestoreReport {
    /// The backup; it stays where it is.
    pub backup: PathBuf,
    /// Where the old database lies now; `None` when there was none.
    pub old: Option<PathBuf>,
    /// Newer backups that could not be used, and why.
    pub refused: Vec<(PathBuf, Refusal)>,
}

/// Why a file cannot take the database's place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It can be read, but is not whole.
    #[error("it has {n_faults} faults, the first one: {first}")]
    Faulty {
        /// Number of faults.
        n_faults: usize,
        /// The first fault in SQLite's words.
        first: String,
    },
    /// It cannot be read to its end.
    #[error("it is damaged or no database")]
    Damaged(#[source] rusqlite::Error),
    /// It is some other program's.
    #[error("it is no database of autossos")]
    Foreign,
    /// A newer program wrote it.
    #[error("it has schema version {found}, this program knows {known}: use the newer program")]
    Newer {
        /// Version of the file.
        found: u32,
        /// Version of the program.
        known: u32,
    },
}

/// A backup that was not put in place; the old database is where it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The data folder cannot be used, or the service still runs.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of the backups cannot be read.
    #[error("Cannot read the backup folder {path}: check its name and its permissions.")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing to put in place.
    #[error(
        "There is no backup in {path}: name one, as `autossosctl db restore FILE`. Without any, \
         move the files autossos.sqlite* out of the data folder; the nights are processed anew \
         from the raw frames, only verdicts and what was mailed are forgotten."
    )]
    NoBackup {
        /// The folder.
        path: PathBuf,
    },
    /// No backup is whole.
    #[error("None of the {n} backups in {path} is whole: name another file or an older copy.")]
    NoneWhole {
        /// The folder.
        path: PathBuf,
        /// Number of backups tried.
        n: usize,
        /// What is wrong with the newest one.
        source: Refusal,
    },
    /// The named file cannot be put in place.
    #[error("The file {path} cannot take the database's place: name another one.")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Refusal,
    },
    /// The named file cannot be read.
    #[error("Cannot read the backup {path}: check its name and its permissions.")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Puts a backup in the place of a data folder's database; the service must not run.
pub fn restore(
    data_dir: &Path,
    from: RestoreFrom<'_>,
    at: Epoch,
) -> Result<RestoreReport, RestoreError> {
    let _lock = take_lock(data_dir, filesystem::is_network)?;
    finish(data_dir)?;
    let temporary = data_dir.join(TEMPORARY_NAME);
    let chosen = choose(data_dir, from, &temporary);
    if chosen.is_err() {
        remove_copy(&temporary)?;
    }
    let (backup, refused) = chosen?;
    let time = unused_stamp(data_dir, at);
    let restoring = beside(data_dir, RESTORING, &time);
    let named = fs::rename(&temporary, &restoring).and_then(|()| File::open(data_dir)?.sync_all());
    named.map_err(|source| StoreError::DataFolder { path: restoring, source })?;
    finish(data_dir)?;
    let old = beside(data_dir, DAMAGED, &time);
    Ok(RestoreReport { backup, old: old.exists().then_some(old), refused })
}

/// Ends an exchange that was begun; must be called under the lock of the data folder.
///
/// Returns whether there was one.
pub(super) fn finish(data_dir: &Path) -> Result<bool, StoreError> {
    let refuse = |source| StoreError::DataFolder { path: data_dir.to_owned(), source };
    let start = format!("{DATABASE_NAME}.{RESTORING}-");
    let mut times = Vec::new();
    for entry in fs::read_dir(data_dir).map_err(refuse)? {
        let name = entry.map_err(refuse)?.file_name();
        times.extend(name.to_str().and_then(|name| name.strip_prefix(&start)).map(str::to_owned));
    }
    times.sort_unstable();
    for time in &times {
        exchange(data_dir, time).map_err(refuse)?;
    }
    Ok(!times.is_empty())
}

/// Moves the old database aside, then the checked copy to its name.
fn exchange(data_dir: &Path, time: &str) -> io::Result<()> {
    let aside = format!("{DATABASE_NAME}.{DAMAGED}-{time}");
    // The database goes first: without it nobody opens what is left.
    for ending in ["", "-wal", "-shm"] {
        let old = data_dir.join(format!("{DATABASE_NAME}{ending}"));
        if old.try_exists()? {
            fs::rename(old, data_dir.join(format!("{aside}{ending}")))?;
        }
    }
    let folder = File::open(data_dir)?;
    folder.sync_all()?;
    fs::rename(beside(data_dir, RESTORING, time), data_dir.join(DATABASE_NAME))?;
    folder.sync_all()
}

/// The backup that is copied whole to `temporary`, and the newer ones that were refused.
fn choose(
    data_dir: &Path,
    from: RestoreFrom<'_>,
    temporary: &Path,
) -> Result<(PathBuf, Vec<(PathBuf, Refusal)>), RestoreError> {
    let folder = match from {
        RestoreFrom::File(path) => {
            return match copy_whole(data_dir, path, temporary)? {
                Ok(()) => Ok((path.to_owned(), Vec::new())),
                Err(source) => Err(RestoreError::Unusable { path: path.to_owned(), source }),
            };
        }
        RestoreFrom::NewestIn(folder) => folder,
    };
    let backups =
        list(folder).map_err(|source| RestoreError::Folder { path: folder.to_owned(), source })?;
    let n = backups.len();
    let mut refused = Vec::new();
    for path in backups {
        match copy_whole(data_dir, &path, temporary)? {
            Ok(()) => return Ok((path, refused)),
            Err(why) => refused.push((path, why)),
        }
    }
    let path = folder.to_owned();
    Err(match refused.into_iter().next() {
        Some((_, source)) => RestoreError::NoneWhole { path, n, source },
        None => RestoreError::NoBackup { path },
    })
}

/// Copies a backup and checks the copy; the inner error tells what is wrong with the backup.
fn copy_whole(
    data_dir: &Path,
    backup: &Path,
    temporary: &Path,
) -> Result<Result<(), Refusal>, RestoreError> {
    let read = |source| RestoreError::Read { path: backup.to_owned(), source };
    fs::metadata(backup).map_err(read)?;
    remove_copy(temporary)?;
    let copy = || -> Result<Option<Refusal>, StoreError> {
        // The log of a file that was in use, if it lies beside it, is copied with it.
        copy_into(&check::open_file(backup)?, temporary)?;
        let refuse = |source| StoreError::DataFolder { path: temporary.to_owned(), source };
        File::open(temporary).and_then(|copy| copy.sync_all()).map_err(refuse)?;
        give_to_owner_of(data_dir, temporary);
        let faults = check::integrity_check(temporary)?;
        if let Some(first) = faults.first() {
            let (n_faults, first) = (faults.len(), first.clone());
            return Ok(Some(Refusal::Faulty { n_faults, first }));
        }
        let known = schema::known_version();
        Ok(match check::schema_version(temporary)? {
            None => Some(Refusal::Foreign),
            Some(found) if found > known => Some(Refusal::Newer { found, known }),
            Some(_) => None,
        })
    };
    match copy() {
        Ok(None) => Ok(Ok(())),
        Ok(Some(refusal)) => Ok(Err(refusal)),
        Err(StoreError::Damaged { source, .. }) => Ok(Err(Refusal::Damaged(source))),
        Err(error) => Err(error.into()),
    }
}

/// Removes a copy that is not used, and what SQLite may have put beside it.
fn remove_copy(temporary: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut path = temporary.as_os_str().to_owned();
        path.push(ending);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::DataFolder { path: path.into(), source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A time that names no exchange yet.
fn unused_stamp(data_dir: &Path, at: Epoch) -> String {
    let time = stamp(at);
    let numbered = (2..SAME_SECOND_MAX).map(|number| format!("{time}-{number}"));
    std::iter::once(time.clone())
        .chain(numbered)
        .find(|time| !beside(data_dir, DAMAGED, time).exists())
        .unwrap_or(time)
}

/// A file beside the database, named for what it is and when.
fn beside(data_dir: &Path, what: &str, time: &str) -> PathBuf {
    data_dir.join(format!("{DATABASE_NAME}.{what}-{time}"))
}
