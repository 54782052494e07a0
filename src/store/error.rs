//! What can go wrong in the store, and whether waiting helps.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::files::FilesError;

/// A failed operation of the store; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data folder could not be made or written to.
    #[error("Cannot use the data folder {path}: check that it exists and may be written to.")]
    DataFolder {
        /// The folder or the file in it.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process works in the data folder.
    #[error(
        "The data folder {path} is in use by another autossos process: \
         wait until that has ended, stop it, or choose another folder with --data."
    )]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The data folder lies where SQLite's locks do not hold.
    #[error(
        "The data folder {path} lies on a network file system, where a database is not safe: \
         name a folder on a local disk, as `daemon.data` in the configuration or with --data."
    )]
    NetworkFolder {
        /// The data folder.
        path: PathBuf,
    },
    /// There is no database to read.
    #[error("There is no database {path}: process a night first or give its folder with --data.")]
    NoDatabase {
        /// The file looked for.
        path: PathBuf,
    },
    /// The database was written by a newer program.
    #[error(
        "The database has schema version {found}, this program knows {known}: \
         use the newer program that wrote it, or another folder with --data."
    )]
    NewerDatabase {
        /// Version of the file.
        found: u32,
        /// Version of the program.
        known: u32,
    },
    /// The database was written by an older program and a reader may not change it.
    #[error(
        "The database has schema version {found}, this program needs {known}: \
         start a run with this program once, it brings the database up to date."
    )]
    OlderDatabase {
        /// Version of the file.
        found: u32,
        /// Version of the program.
        known: u32,
    },
    /// A file is not a database or its pages are damaged.
    #[error(
        "The database is damaged (while trying to {operation}): stop the service and put the \
         newest good backup in its place with `autossosctl db restore --data {data_dir}`."
    )]
    Damaged {
        /// What was tried.
        operation: &'static str,
        /// The data folder; [`UNKNOWN_FOLDER`] where nobody knew it.
        data_dir: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A check of the whole database found what is not as it should be.
    #[error(
        "The check of the database found {n_faults} faults, the first one: {first}. Stop the \
         service and put the newest good backup in its place with \
         `autossosctl db restore --data {data_dir}`."
    )]
    Faulty {
        /// The data folder.
        data_dir: PathBuf,
        /// Number of faults.
        n_faults: usize,
        /// The first fault in SQLite's words.
        first: String,
    },
    /// Another program holds the database.
    #[error(
        "The database is held by another program (while trying to {operation}): \
         close that program, for example an sqlite3 shell, and try again."
    )]
    Busy {
        /// What was tried.
        operation: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// No space is left.
    #[error("The disk of the data folder is full (while trying to {operation}): free some space.")]
    DiskFull {
        /// What was tried.
        operation: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Any other answer of SQLite.
    #[error("The database refused to {operation}.")]
    Sql {
        /// What was tried.
        operation: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A value could not be written as JSON that reads back, or read from it.
    #[error("A {what} of the store cannot be written or read: is one of its numbers not finite?")]
    Payload {
        /// Kind of value.
        what: &'static str,
        /// What the JSON layer said.
        source: serde_json::Error,
    },
    /// A report was given for another night.
    #[error("The report of night {found} was given to close night {expected}.")]
    WrongNight {
        /// Night to be closed.
        expected: String,
        /// Night of the report.
        found: String,
    },
    /// A batch for the Minor Planet Center holds what is on record already.
    #[error(
        "An observation, a name or the file of this batch is on record already; nothing was \
         recorded: look at it again with `autossosctl submit NIGHT --check`."
    )]
    SubmissionClash,
    /// The thread that writes could not be started.
    #[error("The thread that writes the database could not be started.")]
    StartWriter {
        /// What the system said.
        source: std::io::Error,
    },
    /// The thread that writes is gone.
    #[error("The thread that writes the database has ended: start the program again.")]
    WriterStopped,
    /// The given work panicked; its transaction was rolled back.
    #[error("Work inside a database transaction panicked; the transaction was undone.")]
    WorkPanicked,
    /// A product file failed.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Whether and when a failed operation is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After this time.
    After(Duration),
    /// When the disk has space again.
    WhenDiskFrees,
    /// Not before a human acted.
    Never,
}

/// Stands for the data folder in a text where it is not known.
pub const UNKNOWN_FOLDER: &str = "DIR";
/// Wait before another try on a busy database [s].
const BUSY_WAIT_S: u64 = 10;
/// Wait before another try after the system failed to read or write [s].
const IO_WAIT_S: u64 = 60;

impl StoreError {
    /// Tells whether and when another try is worth it.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Busy { .. } => Retry::After(Duration::from_secs(BUSY_WAIT_S)),
            Self::DiskFull { .. } => Retry::WhenDiskFrees,
            Self::Files(error) if error.is_disk_full() => Retry::WhenDiskFrees,
            Self::DataFolder { source, .. } if is_full(source.kind()) => Retry::WhenDiskFrees,
            Self::Sql { source, .. } => match source.sqlite_error_code() {
                // No more file handles, a disk that stumbled: such things pass.
                Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                    Retry::After(Duration::from_secs(IO_WAIT_S))
                }
                _ => Retry::Never,
            },
            _ => Retry::Never,
        }
    }

    /// Tells whether a human must act before the service can work: it ends with exit code 78.
    ///
    /// True for a damaged or newer database, a network file system and missing permissions.
    pub fn is_operators(&self) -> bool {
        match self {
            Self::Damaged { .. }
            | Self::Faulty { .. }
            | Self::NewerDatabase { .. }
            | Self::NetworkFolder { .. } => true,
            Self::DataFolder { source, .. } => is_refusal(source.kind()),
            Self::Files(FilesError::Folder { source, .. } | FilesError::Place { source, .. }) => {
                is_refusal(source.kind())
            }
            Self::Sql { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
            ),
            _ => false,
        }
    }

    /// Puts the folder of a connection's database into the text that names the way out.
    pub(super) fn in_folder_of(self, connection: &Connection) -> Self {
        match connection.path().map(Path::new).and_then(Path::parent) {
            Some(folder) => self.in_folder(folder),
            None => self,
        }
    }

    /// Puts the data folder into the text that names the way out.
    pub(super) fn in_folder(self, folder: &Path) -> Self {
        match self {
            Self::Damaged { operation, source, .. } => {
                Self::Damaged { operation, data_dir: folder.to_owned(), source }
            }
            other => other,
        }
    }
}

/// Tells whether a disk or a quota is full.
fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Tells whether the system will say the same until somebody changes rights or paths.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
    )
}

/// Makes the error of an `operation` ("record a frame") from what SQLite said.
pub(super) fn during(operation: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { operation, data_dir: UNKNOWN_FOLDER.into(), source }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Busy { operation, source }
        }
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { operation, source },
        _ => StoreError::Sql { operation, source },
    }
}
