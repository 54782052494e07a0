//! Why a verb could not be done at all. What ails single frames is no error but a record.

use std::path::PathBuf;

use crate::formats::fits::FitsError;
use crate::formats::known_csv::KnownCsvError;
use crate::formats::reference_csv::ReferenceCsvError;
use crate::formats::star_index::StarIndexError;
use crate::report::ReportError;
use crate::store::StoreError;
use crate::store::files::FilesError;
use crate::store::night_id::NightIdError;

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
    #[error("no night {night} in {data}: `autossosctl status` lists them")]
    UnknownNight {
        /// Its name.
        night: String,
        /// The data folder.
        data: PathBuf,
    },
    /// A file was changed or removed while it was worked on.
    #[error("{path} was changed while it was read: run again when nobody writes it")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Somebody asked to stop.
    #[error("stopped; run again to go on where it ended")]
    Stopped,
}
