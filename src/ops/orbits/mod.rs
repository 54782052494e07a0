//! Known orbits by hand and for a night: import, tell, bring to a night, tabulate, fetch anew.
//!
//! None of it needs the database: files are put in place whole, so that the service may run.
//! [`OrbitNight`] answers which known objects a frame shows, without a network.

mod ephemeris;
mod night;
mod update;

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use ephemeris::{EphemerisRow, EphemerisTimes, ephemeris, ephemeris_at, observer_of};
pub use night::{OrbitNight, PredictedPlace};
pub use update::{CODES_URL, MPCORB_URL, Updated, update};

use crate::formats::mpcorb::{BadRow, MpcorbReader};
use crate::formats::obscodes::{ObscodesError, read_obscodes};
use crate::formats::orbit_table::{ORBITS_MAX, OrbitTableBuilder};
use crate::remote::orbits::DownloadError;
use crate::science::orbit::known::KnownError;
use crate::science::orbit::planets::SpanError;
use crate::store::files::FilesError;
use crate::store::orbits::{OrbitFolder, OrbitFolderError};

/// Bad rows that are told.
const ROWS_TOLD: usize = 10;
/// Largest list of observatory codes [bytes].
const CODES_BYTES_MAX: u64 = 64 << 20;
/// Orbits between two tellings of progress.
const TELL_EVERY: usize = 4096;

/// A verb on known orbits that could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrbitsError {
    /// The file the user named.
    #[error("cannot read {path}: is it there, readable and whole?")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file without orbits.
    #[error("{path} holds no orbit in the form of MPCORB.DAT; nothing was changed")]
    NoOrbits {
        /// The file.
        path: PathBuf,
        /// What was wrong with its first lines.
        bad: Vec<BadRow>,
    },
    /// More bad lines than orbits.
    #[error(
        "{n_bad} lines of {path} are no orbits and only {n_orbits} are: it is damaged; nothing \
         was changed"
    )]
    MostlyBad {
        /// The file.
        path: PathBuf,
        /// Bad lines.
        n_bad: usize,
        /// Orbits.
        n_orbits: usize,
    },
    /// Nothing was imported yet.
    #[error("no orbits are stored: `autossosctl orbits import MPCORB.DAT` or `orbits update`")]
    None,
    /// No such object.
    #[error("no stored orbit is named {name:?}: give a number, a designation or a name")]
    NoObject {
        /// What was asked for.
        name: String,
    },
    /// The orbit ends in the Sun or a planet before that time.
    #[error("the orbit of {name} cannot be followed to that time")]
    Lost {
        /// The object.
        name: String,
    },
    /// No such observatory.
    #[error(
        "the place of observatory {code:?} is not known: give coordinates, or fetch the list with \
         `autossosctl orbits update`"
    )]
    NoSite {
        /// Its code.
        code: String,
    },
    /// The list of observatory codes.
    #[error("the list of observatory codes cannot be used")]
    Codes(#[from] ObscodesError),
    /// The stored files.
    #[error("the stored orbits cannot be used")]
    Folder(#[from] OrbitFolderError),
    /// Writing failed.
    #[error("the orbits could not be stored")]
    Files(#[from] FilesError),
    /// The night cannot be computed.
    #[error("the known objects of the night cannot be computed")]
    Night(#[from] KnownError),
    /// The years are not covered.
    #[error("the orbits cannot be followed to that time")]
    Planets(#[from] SpanError),
    /// The download failed.
    #[error("the orbits could not be fetched; those that are stored stay")]
    Download(#[from] DownloadError),
    /// Somebody said stop.
    #[error("stopped; nothing was changed")]
    Stopped,
}

/// Hears how far a verb is, as (done, of all when known), and may stop it.
pub type OnCount<'a> = &'a (dyn Fn(usize, Option<usize>) -> ControlFlow<()> + Sync);

/// What an import came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedOrbits {
    /// Orbits stored.
    pub n_orbits: usize,
    /// Lines that are no orbits.
    pub n_bad: usize,
    /// The first of them.
    pub bad: Vec<BadRow>,
    /// First and last epoch [MJD, TT].
    pub epochs_mjd: (f64, f64),
}

/// Puts the orbits of a file (MPCORB.DAT, plain or gzip'd) in place of the stored ones.
///
/// The stored ones stay when the file cannot be read to its end, or is mostly not orbits.
pub fn import(
    data_dir: &Path,
    file: &Path,
    on_count: OnCount<'_>,
) -> Result<ImportedOrbits, OrbitsError> {
    let opened = File::open(file);
    let source = opened.map_err(|source| OrbitsError::Read { path: file.to_owned(), source })?;
    import_from(data_dir, file, source, on_count)
}

/// The same from bytes that came from somewhere; `file` is only their name.
fn import_from(
    data_dir: &Path,
    file: &Path,
    source: impl Read + Send + 'static,
    on_count: OnCount<'_>,
) -> Result<ImportedOrbits, OrbitsError> {
    let read = |source| OrbitsError::Read { path: file.to_owned(), source };
    let mut reader = MpcorbReader::new(source).map_err(read)?;
    let mut builder = OrbitTableBuilder::default();
    let (mut n_bad, mut bad) = (0, Vec::new());
    while builder.count() < ORBITS_MAX {
        let Some(row) = reader.next_row().map_err(read)? else { break };
        match row {
            Ok(orbit) => n_bad += usize::from(!builder.push(&orbit)),
            Err(row) => {
                n_bad += 1;
                bad.extend((bad.len() < ROWS_TOLD).then_some(row));
            }
        }
        let is_told = builder.count().is_multiple_of(TELL_EVERY);
        if is_told && on_count(builder.count(), None).is_break() {
            return Err(OrbitsError::Stopped);
        }
    }
    let n_orbits = builder.count();
    if n_orbits == 0 {
        return Err(OrbitsError::NoOrbits { path: file.to_owned(), bad });
    }
    if n_bad > n_orbits {
        return Err(OrbitsError::MostlyBad { path: file.to_owned(), n_bad, n_orbits });
    }
    let folder = OrbitFolder::below(data_dir);
    folder.put(&builder.finish())?;
    let epochs_mjd = folder.open()?.ok_or(OrbitsError::None)?.epochs_mjd();
    Ok(ImportedOrbits { n_orbits, n_bad, bad, epochs_mjd })
}

/// Puts a list of observatory codes in place of the stored one; how many have a place.
pub fn import_codes(data_dir: &Path, file: &Path) -> Result<usize, OrbitsError> {
    let read = |source| OrbitsError::Read { path: file.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(file).map_err(read)?.take(CODES_BYTES_MAX).read_to_end(&mut bytes).map_err(read)?;
    let n_codes = read_obscodes(&bytes)?.len();
    OrbitFolder::below(data_dir).put_codes(&bytes)?;
    Ok(n_codes)
}

/// What is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredInfo {
    /// The table.
    pub path: PathBuf,
    /// Orbits.
    pub n_orbits: usize,
    /// First and last epoch [MJD, TT].
    pub epochs_mjd: (f64, f64),
    /// Days to which they were brought [MJD].
    pub states_mjd: Vec<f64>,
    /// Observatory codes with a place.
    pub n_codes: usize,
}

/// Tells what is stored; `None` when nothing is.
pub fn info(data_dir: &Path) -> Result<Option<StoredInfo>, OrbitsError> {
    let folder = OrbitFolder::below(data_dir);
    let Some(table) = folder.open()? else { return Ok(None) };
    let codes = folder.codes()?.and_then(|bytes| read_obscodes(&bytes).ok());
    Ok(Some(StoredInfo {
        path: folder.table_path(),
        n_orbits: table.count(),
        epochs_mjd: table.epochs_mjd(),
        states_mjd: folder.states(table.checksum()).iter().map(|s| s.mjd_tdb()).collect(),
        n_codes: codes.map_or(0, |codes| codes.len()),
    }))
}

#[cfg(test)]
mod tests;
