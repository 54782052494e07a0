//! Why a verb could not be done at all. What ails single frames is no error but a record.

use std::path::PathBuf;

use super::mail::MailError;
use super::trace::TraceError;
use crate::formats::blind_index::BlindIndexError;
use crate::formats::fits::FitsError;
use crate::formats::known_csv::KnownCsvError;
use crate::formats::reference_csv::ReferenceCsvError;
use crate::formats::star_index::StarIndexError;
use crate::report::ReportError;
use crate::store::backup::BackupError;
use crate::store::files::FilesError;
use crate::store::night_id::NightIdError;
use crate::store::restore::RestoreError;
use crate::store::{Retry, StoreError};

/// A verb that could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpsError {
    /// A folder or file the user named cannot be read.
    #[error("cannot read {path}: does it exist, and may this user read it?")]
    Read {
        /// What was named.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The night's folder holds no FITS file.
    #[error("{path} holds no FITS file (.fits .fit .fts, also with .fz or .gz)")]
    NoFrames {
        /// The folder.
        path: PathBuf,
    },
    /// The folder's name cannot name a night.
    #[error("{path} gives the night no name")]
    NightName {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: NightIdError,
    },
    /// A reference catalogue cannot be used.
    #[error("cannot use the reference catalogue {path}")]
    Reference {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReferenceCsvError,
    },
    /// The index of the reference catalogue cannot be used.
    #[error("cannot use the index of the reference catalogue {path}: delete it, it is made anew")]
    ReferenceIndex {
        /// The file.
        path: PathBuf,
        /// Why.
        source: StarIndexError,
    },
    /// The whole-sky index cannot be made or used.
    #[error("cannot use the whole-sky index {path}: make it anew with `autossosctl catalog index`")]
    BlindIndex {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BlindIndexError,
    },
    /// A list of known objects cannot be used.
    #[error("cannot use the list of known objects {path}")]
    Known {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KnownCsvError,
    },
    /// A simulated frame could not be written.
    #[error("cannot write the simulated frame {path}")]
    WriteRaw {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FitsError,
    },
    /// A file could not be written.
    #[error("cannot write {path}: check permissions and free space")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An object cannot be traced.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A backup could not be made.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A backup could not be put in place.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// A product could not be written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The report could not be rendered.
    #[error("the report of the night could not be rendered")]
    Report(#[from] ReportError),
    /// A value of the program's own could not be turned into text or back.
    #[error(
        "the stored result of {subject} cannot be read: run again with --data of another folder"
    )]
    Payload {
        /// What it belongs to.
        subject: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The night is not in the database.
    #[error("no night {night} in {data}: `autossosctl night list` lists them")]
    UnknownNight {
        /// Its name.
        night: String,
        /// The data folder.
        data: PathBuf,
    },
    /// The night has no report yet.
    #[error("night {night} has no report yet: only closed nights can be asked")]
    NotClosed {
        /// Its name.
        night: String,
    },
    /// No night has the object.
    #[error(
        "no closed night asked for has an object called {object:?}: `autossosctl night show NIGHT` \
         lists those of a night"
    )]
    NoSuchObject {
        /// What was asked for.
        object: String,
    },
    /// The table of what each star gave is gone.
    #[error(
        "night {night} keeps no table of its stars' magnitudes: it was made by an older version or \
         its products were pruned; `autossosctl reprocess {night}` makes it anew"
    )]
    NoPhotometry {
        /// Its name.
        night: String,
    },
    /// The night has no such frame.
    #[error(
        "night {night} has no frame {frame} with a zero point: `autossosctl night show {night}`"
    )]
    NoFrame {
        /// The night.
        night: String,
        /// What was asked for.
        frame: String,
    },
    /// A mail could not be composed or kept.
    #[error("a mail could not be composed")]
    Mail(#[from] MailError),
    /// A file was changed or removed while it was worked on.
    #[error("{path} was changed while it was read: run again when nobody writes it")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A chart without a point.
    #[error("there is nothing to draw: no known object was found, or no frame was solved")]
    NothingToDraw,
    /// Somebody asked to stop.
    #[error("stopped; run again to go on where it ended")]
    Stopped,
}

impl OpsError {
    /// Tells whether only a human can help: the service ends, and its next start would too.
    pub fn is_operators(&self) -> bool {
        self.store().is_some_and(StoreError::is_operators)
    }

    /// Tells whether and when another try is worth it.
    pub fn retry(&self) -> Retry {
        if let Some(source) = self.store() {
            return source.retry();
        }
        match self {
            Self::Files(source) if source.is_disk_full() => Retry::WhenDiskFrees,
            Self::Backup(source) if source.is_disk_full() => Retry::WhenDiskFrees,
            _ => Retry::Never,
        }
    }

    /// The store's error, however it came here.
    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(source) | Self::Mail(MailError::Store(source)) => Some(source),
            _ => None,
        }
    }
}
