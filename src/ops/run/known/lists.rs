//! Lists of predicted places that somebody named.

use std::path::PathBuf;

use crate::formats::known_csv::read_known;
use crate::ops::error::OpsError;
use crate::pipeline::artifact::report::Note;
use crate::science::movers::known::KnownPlace;

/// The places of all lists.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) places: Vec<KnownPlace>,
    pub(super) notes: Vec<Note>,
    /// Hash of the lists.
    pub(super) key: String,
}

/// Reads lists of known objects.
pub(super) fn read(paths: &[PathBuf]) -> Result<Lists, OpsError> {
    let mut lists = Lists::default();
    let mut hasher = blake3::Hasher::new();
    for path in paths {
        let refuse = |source| OpsError::Read { path: path.clone(), source };
        let bytes = std::fs::read(path).map_err(refuse)?;
        hasher.update(&bytes);
        let (places, n_bad) = read_known(bytes.as_slice())
            .map_err(|source| OpsError::Known { path: path.clone(), source })?;
        lists.places.extend(places);
        if n_bad > 0 {
            lists.notes.push(Note {
                subject: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                text: format!("{n_bad} rows without a place were left out"),
            });
        }
    }
    lists.key = hasher.finalize().to_hex().to_string();
    Ok(lists)
}
