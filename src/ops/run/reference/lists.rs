//! Star lists as CSV, indexed once, mapped from then on.
//!
//! The lists are not cut into tiles: which of them are meant is said anew by each configuration
//! and each command, so that the index belongs to exactly these files (its name is their hash), and
//! one file is opened faster than hundreds. Layout and reader are those of the tiles.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::formats::mapped::Mapped;
use crate::formats::reference_csv::read_reference_csv;
use crate::formats::star_index::{IndexLabel, IndexReader, encode};
use crate::ops::error::OpsError;
use crate::science::reference::ReferenceStar;
use crate::store::Store;
use crate::store::files::ProductFile;
use crate::store::tiles::REFERENCE_FOLDER;

/// Raised when the index's layout or reading rules change.
const INDEX_VERSION: &str = "3";

/// The stars of the user's own lists.
pub(super) struct Lists {
    pub(super) index: Arc<IndexReader<Mapped>>,
    /// Hash of the lists.
    pub(super) key: String,
    /// What of them could not be used.
    pub(super) remarks: Vec<String>,
}

/// Opens the index of these star lists; makes it when it is not there or damaged.
pub(super) fn open(store: &Store, files: &[PathBuf]) -> Result<Lists, OpsError> {
    let key = key_of(files)?;
    let path = store.data_dir().join(REFERENCE_FOLDER).join(format!("{key}.stars"));
    // Kept beside the index, so that every later night is told as well.
    let remarks_path = path.with_extension("remarks");
    let index = match read(&path) {
        Ok(index) if remarks_path.is_file() => index,
        _ => {
            make(files, &path, &remarks_path)?;
            read(&path)?
        }
    };
    let remarks = std::fs::read_to_string(&remarks_path)
        .map_err(|source| OpsError::Read { path: remarks_path, source })?
        .lines()
        .map(str::to_owned)
        .collect();
    Ok(Lists { index: Arc::new(index), key, remarks })
}

fn read(path: &Path) -> Result<IndexReader<Mapped>, OpsError> {
    let mapped =
        Mapped::open(path).map_err(|source| OpsError::Read { path: path.to_owned(), source })?;
    IndexReader::open(mapped)
        .map_err(|source| OpsError::ReferenceIndex { path: path.to_owned(), source })
}

fn make(files: &[PathBuf], path: &Path, remarks_path: &Path) -> Result<(), OpsError> {
    let (stars, remarks) = read_lists(files)?;
    let label = IndexLabel { source: "the user's star lists".to_owned(), ..IndexLabel::default() };
    ProductFile::write_bytes(remarks_path, remarks.join("\n").as_bytes())?;
    Ok(ProductFile::write_bytes(path, &encode(stars, &label))?)
}

/// The stars of all lists, and lines about what could not be used.
pub(in crate::ops) fn read_lists(
    files: &[PathBuf],
) -> Result<(Vec<ReferenceStar>, Vec<String>), OpsError> {
    let mut stars = Vec::new();
    let mut remarks = Vec::new();
    for file in files {
        let open =
            File::open(file).map_err(|source| OpsError::Read { path: file.clone(), source })?;
        let table = read_reference_csv(BufReader::new(open))
            .map_err(|source| OpsError::Reference { path: file.clone(), source })?;
        stars.extend(table.stars);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if table.n_bad_rows > 0 {
            remarks.push(format!("{name}: {} rows not usable", table.n_bad_rows));
        }
        if table.is_cut_off {
            remarks.push(format!("{name}: too long, its end was not read"));
        }
    }
    Ok((stars, remarks))
}

/// Name of the lists' index: it belongs to exactly these contents.
fn key_of(files: &[PathBuf]) -> Result<String, OpsError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(INDEX_VERSION.as_bytes());
    hasher.update(hash_of_lists(files)?.as_bytes());
    Ok(hasher.finalize().to_hex().chars().take(24).collect())
}

/// Hash of the contents of the lists, in order.
pub(in crate::ops) fn hash_of_lists(files: &[PathBuf]) -> Result<blake3::Hash, OpsError> {
    let mut hasher = blake3::Hasher::new();
    for path in files {
        let refuse = |source| OpsError::Read { path: path.clone(), source };
        hasher.update_reader(File::open(path).map_err(refuse)?).map_err(refuse)?;
    }
    Ok(hasher.finalize())
}
