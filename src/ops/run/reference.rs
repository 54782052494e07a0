//! The reference catalogue of a run: star lists as CSV, indexed once, read cell by cell; and the
//! whole-sky index, where there is one.

use std::fs::File;
use std::io::{self, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::super::blind_index::path_in;
use super::super::error::OpsError;
use crate::formats::blind_index::BlindReader;
use crate::formats::reference_csv::read_reference_csv;
use crate::formats::star_index::{IndexReader, ReadAt, encode};
use crate::science::astrometry::Skies;
use crate::science::reference::{ReferenceError, ReferenceSky, SkyCell, StarAtEpoch};
use crate::store::Store;
use crate::store::files::ProductFile;

/// Folder of the indices below the data folder.
const INDEX_FOLDER: &str = "reference";
/// Raised when the index's layout or reading rules change.
const INDEX_VERSION: &str = "2";

/// A file that is read at places.
#[derive(Debug)]
pub(super) struct IndexFile(File);

impl ReadAt for IndexFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

/// The reference catalogue of a run, possibly empty.
pub struct RunReference {
    index: Option<IndexReader<IndexFile>>,
    blind: Option<BlindReader<IndexFile>>,
    key: String,
    remarks: Vec<String>,
}

impl RunReference {
    /// What of the star lists could not be used.
    pub(super) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Where frames are looked for.
    pub(super) fn skies(&self) -> Skies<'_> {
        Skies { reference: self, blind: self.blind.as_ref().map(|blind| blind as _) }
    }

    /// Hash of the star lists and of the whole-sky index.
    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

impl ReferenceSky for RunReference {
    fn brightest_in_cone(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        epoch_yr: f64,
        limit: usize,
    ) -> Result<Vec<StarAtEpoch>, ReferenceError> {
        match &self.index {
            Some(index) => index.brightest_in_cone(centre_rad, radius_rad, epoch_yr, limit),
            None => Ok(Vec::new()),
        }
    }

    fn cells_with_stars(&self) -> Vec<SkyCell> {
        self.index.as_ref().map(ReferenceSky::cells_with_stars).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.index.as_ref().map_or(0, ReferenceSky::len)
    }
}

/// Opens the index of these star lists, which is made when it is not there, and the whole-sky
/// index: the one named, or that of the data folder.
pub(super) fn open(
    store: &Store,
    files: &[PathBuf],
    blind_index: Option<&Path>,
) -> Result<RunReference, OpsError> {
    let by_itself = path_in(store.data_dir());
    let path = blind_index.or_else(|| by_itself.is_file().then_some(by_itself.as_path()));
    let mut reference = open_lists(store, files)?;
    if let Some(path) = path {
        let file =
            File::open(path).map_err(|source| OpsError::Read { path: path.to_owned(), source })?;
        let blind = BlindReader::open(IndexFile(file))
            .map_err(|source| OpsError::BlindIndex { path: path.to_owned(), source })?;
        let hex: String = blind.key().iter().map(|byte| format!("{byte:02x}")).collect();
        reference.key = format!("{} blind {hex}", reference.key);
        reference.blind = Some(blind);
    }
    Ok(reference)
}

fn open_lists(store: &Store, files: &[PathBuf]) -> Result<RunReference, OpsError> {
    if files.is_empty() {
        let key = "none".to_owned();
        return Ok(RunReference { index: None, blind: None, key, remarks: Vec::new() });
    }
    let key = key_of(files)?;
    let path = store.data_dir().join(INDEX_FOLDER).join(format!("{key}.stars"));
    // Kept beside the index, so that every later night is told as well.
    let remarks_path = path.with_extension("remarks");
    if !path.is_file() {
        let mut stars = Vec::new();
        let mut remarks = String::new();
        for file in files {
            let open =
                File::open(file).map_err(|source| OpsError::Read { path: file.clone(), source })?;
            let table = read_reference_csv(BufReader::new(open))
                .map_err(|source| OpsError::Reference { path: file.clone(), source })?;
            stars.extend(table.stars);
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if table.n_bad_rows > 0 {
                remarks.push_str(&format!("{name}: {} rows not usable\n", table.n_bad_rows));
            }
            if table.is_cut_off {
                remarks.push_str(&format!("{name}: too long, its end was not read\n"));
            }
        }
        ProductFile::write_bytes(&remarks_path, remarks.as_bytes())?;
        ProductFile::write_bytes(&path, &encode(stars))?;
    }
    let file = File::open(&path).map_err(|source| OpsError::Read { path: path.clone(), source })?;
    let index = IndexReader::open(IndexFile(file))
        .map_err(|source| OpsError::ReferenceIndex { path, source })?;
    let remarks = std::fs::read_to_string(&remarks_path)
        .map_err(|source| OpsError::Read { path: remarks_path, source })?
        .lines()
        .map(str::to_owned)
        .collect();
    Ok(RunReference { index: Some(index), blind: None, key, remarks })
}

/// Hash of the contents of the lists, in order.
fn key_of(files: &[PathBuf]) -> Result<String, OpsError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(INDEX_VERSION.as_bytes());
    for path in files {
        let refuse = |source| OpsError::Read { path: path.clone(), source };
        hasher.update_reader(File::open(path).map_err(refuse)?).map_err(refuse)?;
    }
    Ok(hasher.finalize().to_hex().chars().take(24).collect())
}
