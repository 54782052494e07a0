//! Backups of the database: a whole, checked copy under a name that tells its time.
//!
//! `VACUUM INTO` copies one state of the database on a connection of its own; whoever writes is
//! not held up. The copy lies under a temporary name until its check has found it whole and it is
//! on the disk, so every file `autossos-2026-03-01T120000.sqlite` in the folder can be trusted.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::science::time::Epoch;

use super::error::{StoreError, during};
use super::files::TEMPORARY_PREFIX;
use super::{DATABASE_NAME, check, filesystem};

/// Folder of the backups in the data folder, when no other is named.
pub const BACKUP_FOLDER: &str = "backups";
/// Start of a backup's name.
const NAME_START: &str = "autossos-";
/// End of a backup's name.
const NAME_END: &str = ".sqlite";
/// Form of the time between them.
const STAMP_FORM: &str = "0000-00-00T000000";
/// Space that is left on the disk beside a copy [bytes].
const SPACE_LEFT_BYTES: u64 = 16 << 20;
/// Bytes of a mebibyte.
const BYTES_PER_MIB: u64 = 1 << 20;

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The copy.
    pub path: PathBuf,
    /// Its size [bytes].
    pub size_bytes: u64,
    /// Older copies that were deleted.
    pub deleted: Vec<PathBuf>,
}

/// A backup that was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The folder cannot be used.
    #[error("Cannot use the backup folder {path}: check that it may be written to, and the disk.")]
    Folder {
        /// The folder or a file in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another backup is being made there.
    #[error("Another backup is being made in {path}: wait for its end.")]
    InWork {
        /// The folder.
        path: PathBuf,
    },
    /// The copy does not fit.
    #[error(
        "The disk of {path} has {free_mib} MiB free, a backup needs {needed_mib} MiB: free some \
         space, keep fewer backups (`keep.backups`) or name another disk (`keep.backup_folder`)."
    )]
    NoSpace {
        /// The folder.
        path: PathBuf,
        /// Space that the copy needs [MiB].
        needed_mib: u64,
        /// Space that is there [MiB].
        free_mib: u64,
    },
    /// The database could not be read or copied.
    #[error(transparent)]
    Copy(#[from] StoreError),
    /// The copy is not whole; it was deleted.
    #[error(
        "The copy of the database has {n_faults} faults and was deleted, the first one: {first}. \
         Older backups are kept. Find out with `autossosctl db check --full` whether the database \
         itself is damaged."
    )]
    Faulty {
        /// Number of faults.
        n_faults: usize,
        /// The first fault in SQLite's words.
        first: String,
    },
}

impl BackupError {
    /// Tells whether more space would help.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::NoSpace { .. } | Self::Copy(StoreError::DiskFull { .. }) => true,
            Self::Folder { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}

/// Copies a data folder's database into `folder` and deletes the oldest copies beyond `keep_n`.
///
/// The new copy is kept in any case. Needs no lock; the database may be in use. A failed check
/// deletes the copy and no older one. What a killed backup left is removed.
pub fn back_up(
    data_dir: &Path,
    folder: &Path,
    keep_n: usize,
    at: Epoch,
) -> Result<BackupReport, BackupError> {
    let refuse = |source| BackupError::Folder { path: folder.to_owned(), source };
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(refuse)?;
        give_to_owner_of(data_dir, folder);
    }
    let opened = File::open(folder).map_err(refuse)?;
    // Some network file systems cannot lock a folder; there the name's second must do.
    if matches!(opened.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(BackupError::InWork { path: folder.to_owned() });
    }
    remove_leftovers(folder).map_err(refuse)?;
    check_space(data_dir, folder)?;
    let name = format!("{NAME_START}{}{NAME_END}", stamp(at));
    let (temporary, path) = (folder.join(format!("{TEMPORARY_PREFIX}{name}")), folder.join(&name));
    let made = make_copy(data_dir, &temporary).and_then(|()| {
        let place = || -> io::Result<u64> {
            let file = File::open(&temporary)?;
            file.sync_all()?;
            give_to_owner_of(data_dir, &temporary);
            fs::rename(&temporary, &path)?;
            opened.sync_all()?;
            Ok(file.metadata()?.len())
        };
        place().map_err(|source| BackupError::Folder { path: path.clone(), source })
    });
    if made.is_err() {
        // What cannot be removed now is removed by the next backup.
        remove_leftovers(folder).ok();
    }
    let size_bytes = made?;
    let deleted = delete_oldest(folder, keep_n, &path).map_err(refuse)?;
    Ok(BackupReport { path, size_bytes, deleted })
}

/// Backups in a folder, the newest first; a folder that is not there has none.
pub fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names: Vec<String> = names_in(folder)?.into_iter().filter(|n| is_backup(n)).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// An instant as file names have it: `2026-03-01T120000`.
pub(super) fn stamp(at: Epoch) -> String {
    at.to_iso().chars().take_while(|&c| c != '.').filter(|&c| c != ':').collect()
}

/// Gives a file to the owner of the data folder, so that the service may use what root made.
pub(super) fn give_to_owner_of(data_dir: &Path, path: &Path) {
    let give = || -> io::Result<()> {
        let (wanted, found) = (fs::metadata(data_dir)?, fs::symlink_metadata(path)?);
        if wanted.uid() != found.uid() {
            chown(path, Some(wanted.uid()), Some(wanted.gid()))?;
        }
        Ok(())
    };
    // Only root can; for others the file is theirs, and usable by them.
    give().ok();
}

/// Copies the database and checks the copy.
fn make_copy(data_dir: &Path, temporary: &Path) -> Result<(), BackupError> {
    let source = check::open_live(data_dir)?;
    copy_into(&source, temporary).map_err(|error| error.in_folder(data_dir))?;
    drop(source);
    let faults = check::integrity_check(temporary)?;
    match faults.first() {
        None => Ok(()),
        Some(first) => Err(BackupError::Faulty { n_faults: faults.len(), first: first.clone() }),
    }
}

/// Copies the state of a database, with what is still in its log, into a file that is not there.
pub(super) fn copy_into(source: &Connection, path: &Path) -> Result<(), StoreError> {
    let Some(name) = path.to_str() else {
        let source = io::Error::new(io::ErrorKind::InvalidFilename, "the name is no Unicode");
        return Err(StoreError::DataFolder { path: path.to_owned(), source });
    };
    source.execute("VACUUM INTO ?1", [name]).map_err(during("copy the database"))?;
    Ok(())
}

/// Refuses a disk that the copy would fill; an unknown size is left to the copying itself.
fn check_space(data_dir: &Path, folder: &Path) -> Result<(), BackupError> {
    let size = |ending: &str| {
        let path = data_dir.join(format!("{DATABASE_NAME}{ending}"));
        fs::metadata(path).map_or(0, |found| found.len())
    };
    let needed_bytes = size("") + size("-wal") + SPACE_LEFT_BYTES;
    match filesystem::free_bytes(folder) {
        Ok(free_bytes) if free_bytes < needed_bytes => Err(BackupError::NoSpace {
            path: folder.to_owned(),
            needed_mib: needed_bytes.div_ceil(BYTES_PER_MIB),
            free_mib: free_bytes / BYTES_PER_MIB,
        }),
        _ => Ok(()),
    }
}

/// Deletes the oldest backups beyond the wanted number, never the one just made.
fn delete_oldest(folder: &Path, keep_n: usize, made: &Path) -> io::Result<Vec<PathBuf>> {
    let others = list(folder)?.into_iter().filter(|path| path != made);
    let mut deleted = Vec::new();
    for path in others.skip(keep_n.saturating_sub(1)) {
        fs::remove_file(&path)?;
        deleted.push(path);
    }
    Ok(deleted)
}

/// Removes what killed backups left, with SQLite's own files beside it.
fn remove_leftovers(folder: &Path) -> io::Result<()> {
    let start = format!("{TEMPORARY_PREFIX}{NAME_START}");
    for name in names_in(folder)?.iter().filter(|name| name.starts_with(&start)) {
        fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

/// Names in a folder that are Unicode; none when it is not there.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}

/// Tells whether a name is a backup's, character by character.
fn is_backup(name: &str) -> bool {
    let stamp = name.strip_prefix(NAME_START).and_then(|rest| rest.strip_suffix(NAME_END));
    stamp.is_some_and(|stamp| {
        stamp.len() == STAMP_FORM.len()
            && stamp.bytes().zip(STAMP_FORM.bytes()).all(|(found, form)| match form {
                b'0' => found.is_ascii_digit(),
                _ => found == form,
            })
    })
}
