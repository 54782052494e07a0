//! The known orbits on the disk.
//!
//! Layout below the data folder: `orbits/known.orbits`, a table of orbits each at its own epoch;
//! `orbits/states-<MJD>.orbits`, where its bodies are at that day; `orbits/obscodes.json`, where
//! observatories stand. Each is written whole or not at all. States can be made again at any time:
//! those of another table, and damaged ones, count as missing.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::files::{FilesError, ProductFile};
use crate::formats::mapped::Mapped;
use crate::formats::orbit_states::{OrbitStates, encode};
use crate::formats::orbit_table::{OrbitTable, OrbitTableError};
use crate::science::orbit::kepler::State;

/// Folder of known orbits below the data folder.
pub const ORBITS_FOLDER: &str = "orbits";
/// Name of the table.
const TABLE_NAME: &str = "known.orbits";
/// Name of the list of observatory codes.
const CODES_NAME: &str = "obscodes.json";
/// Name of the note from where the table came.
const SOURCE_NAME: &str = "source.txt";
/// Days whose states are kept at most.
const STATES_KEPT: usize = 3;
/// Largest list of observatory codes that is read [bytes].
const CODES_BYTES_MAX: u64 = 64 << 20;

/// The stored table of orbits.
pub type StoredOrbits = OrbitTable<Mapped>;
/// Stored states.
pub type StoredStates = OrbitStates<Mapped>;

/// Known orbits that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrbitFolderError {
    /// The system does not give the file.
    #[error("cannot read {path}: check its owner and permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{path} cannot be used; make it anew with `autossosctl orbits import`")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        source: OrbitTableError,
    },
}

/// The folder of known orbits.
#[derive(Debug, Clone)]
pub struct OrbitFolder {
    root: PathBuf,
}

impl OrbitFolder {
    /// The folder below a data folder; nothing is made yet.
    pub fn below(data_dir: &Path) -> Self {
        Self { root: data_dir.join(ORBITS_FOLDER) }
    }

    /// Where the table lies or would lie.
    pub fn table_path(&self) -> PathBuf {
        self.root.join(TABLE_NAME)
    }

    /// Where the list of observatory codes lies or would lie.
    pub fn codes_path(&self) -> PathBuf {
        self.root.join(CODES_NAME)
    }

    /// Opens and checks the table; `None` when there is none.
    pub fn open(&self) -> Result<Option<StoredOrbits>, OrbitFolderError> {
        let path = self.table_path();
        let mapped = match Mapped::open(&path) {
            Ok(mapped) => mapped,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(OrbitFolderError::Read { path, source }),
        };
        let opened = OrbitTable::open(mapped);
        opened.map(Some).map_err(|source| OrbitFolderError::Damaged { path, source })
    }

    /// Puts a table in place of the one that is there; from where it came is forgotten.
    pub fn put(&self, table: &[u8]) -> Result<(), FilesError> {
        fs::remove_file(self.root.join(SOURCE_NAME)).ok();
        ProductFile::write_bytes(&self.table_path(), table)
    }

    /// The list of observatory codes; `None` when there is none.
    pub fn codes(&self) -> Result<Option<Vec<u8>>, OrbitFolderError> {
        let path = self.codes_path();
        let size = fs::metadata(&path).map(|told| told.len());
        match size
            .and_then(|size| if size > CODES_BYTES_MAX { Ok(Vec::new()) } else { fs::read(&path) })
        {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(OrbitFolderError::Read { path, source }),
        }
    }

    /// Puts a list of observatory codes in place.
    pub fn put_codes(&self, bytes: &[u8]) -> Result<(), FilesError> {
        ProductFile::write_bytes(&self.codes_path(), bytes)
    }

    /// When the file at an address had been changed that the table was made of, as its server
    /// wrote it; `None` when the table is of something else.
    pub fn modified(&self, url: &str) -> Option<String> {
        let text = fs::read_to_string(self.root.join(SOURCE_NAME)).ok()?;
        let (from, modified) = text.split_once('\n')?;
        (from == url).then(|| modified.trim().to_owned())
    }

    /// Notes from where the table came, and when that was changed.
    pub fn put_modified(&self, url: &str, modified: &str) -> Result<(), FilesError> {
        let text = format!("{url}\n{modified}\n");
        ProductFile::write_bytes(&self.root.join(SOURCE_NAME), text.as_bytes())
    }

    /// The stored states of a table, by their day.
    pub fn states(&self, table: [u8; 32]) -> Vec<StoredStates> {
        let mut found: Vec<StoredStates> = self
            .state_days()
            .into_iter()
            .filter_map(|day| OrbitStates::open(Mapped::open(&self.states_path(day)).ok()?).ok())
            .filter(|states| states.belong_to(table))
            .collect();
        found.sort_by(|a, b| a.mjd_tdb().total_cmp(&b.mjd_tdb()));
        found
    }

    /// Puts the states of a day in place, and removes those of the days furthest from it.
    pub fn put_states(
        &self,
        day_mjd: i32,
        table: [u8; 32],
        states: &[Option<State>],
    ) -> Result<(), FilesError> {
        let bytes = encode(f64::from(day_mjd), table, states);
        ProductFile::write_bytes(&self.states_path(day_mjd), &bytes)?;
        let mut days = self.state_days();
        days.sort_by_key(|day| ((day - day_mjd).abs(), *day));
        for day in days.into_iter().skip(STATES_KEPT) {
            // What cannot be removed only takes room.
            fs::remove_file(self.states_path(day)).ok();
        }
        Ok(())
    }

    fn states_path(&self, day_mjd: i32) -> PathBuf {
        self.root.join(format!("states-{day_mjd}.orbits"))
    }

    /// Days whose states are there.
    fn state_days(&self) -> Vec<i32> {
        let Ok(entries) = fs::read_dir(&self.root) else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name();
                let day = name.to_str()?.strip_prefix("states-")?.strip_suffix(".orbits")?;
                day.parse().ok().filter(|day: &i32| day.abs() < 1_000_000)
            })
            .collect()
    }
}
