//! The whole-sky index in the data folder: made of the user's star lists, found again by itself.

use std::path::{Path, PathBuf};

use super::error::OpsError;
use super::run::{hash_of_lists, read_lists};
use crate::formats::blind_index::{BlindIndexError, IndexKey, encode};
use crate::store::files::ProductFile;

/// Place of the index below the data folder.
const INDEX_PATH: &str = "reference/blind.index";

/// An index that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeIndex {
    /// Where it is.
    pub path: PathBuf,
    /// Stars in it.
    pub n_stars: usize,
    /// Shapes of four stars in it.
    pub n_shapes: usize,
    /// Its length [byte].
    pub bytes: usize,
    /// What of the lists could not be used.
    pub remarks: Vec<String>,
}

/// Where the index of a data folder lies when the configuration names none.
pub fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join(INDEX_PATH)
}

/// Makes the index of star lists (CSV with the Gaia archive's column names) and puts it in place.
///
/// Errors: a list that cannot be read, a file that cannot be written.
pub fn make(files: &[PathBuf], path: &Path) -> Result<MadeIndex, OpsError> {
    let (stars, remarks) = read_lists(files)?;
    let mut key: IndexKey = [0; 16];
    for (to, from) in key.iter_mut().zip(hash_of_lists(files)?.as_bytes()) {
        *to = *from;
    }
    let wrong = |source: BlindIndexError| OpsError::BlindIndex { path: path.to_owned(), source };
    let made = encode(stars, key).map_err(wrong)?;
    ProductFile::write_bytes(path, &made.bytes)?;
    Ok(MadeIndex {
        path: path.to_owned(),
        n_stars: made.n_stars,
        n_shapes: made.n_shapes,
        bytes: made.bytes.len(),
        remarks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::blind_index::BlindReader;
    use crate::science::astrometry::BlindSky as _;

    /// A list of stars on a spiral over the sky, one of them without a place.
    fn list(n: usize) -> String {
        let mut text = "source_id,ra,dec,ref_epoch,phot_g_mean_mag\n7,,,2016.0,3\n".to_owned();
        for i in 0..n {
            let ra = (i as f64 * 137.508).rem_euclid(360.0);
            let dec = (2.0 * (i as f64 + 0.5) / n as f64 - 1.0).asin().to_degrees();
            text.push_str(&format!("{i},{ra},{dec},2016.0,{}\n", 4 + i % 6));
        }
        text
    }

    #[test]
    fn the_index_of_a_list_is_put_in_place_and_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let csv = folder.path().join("bright.csv");
        ProductFile::write_bytes(&csv, list(600).as_bytes()).expect("a list");
        let path = path_in(folder.path());
        let made = make(std::slice::from_ref(&csv), &path).expect("an index");
        assert_eq!((made.n_stars, made.remarks.len()), (600, 1));
        let bytes = std::fs::read(&path).expect("the index");
        assert_eq!(bytes.len(), made.bytes);
        let index = BlindReader::open(bytes).expect("our own bytes");
        assert_eq!(index.stars().len(), 600);
        assert_eq!(index.quads().expect("a table").quads().len(), made.n_shapes);
        // Another list, another key.
        ProductFile::write_bytes(&csv, list(500).as_bytes()).expect("a list");
        make(&[csv], &path).expect("an index");
        let other = BlindReader::open(std::fs::read(&path).expect("the index")).expect("ours");
        assert_ne!(other.key(), index.key());
        let missing = make(&[folder.path().join("none.csv")], &path);
        assert!(matches!(missing, Err(OpsError::Read { .. })));
    }
}
