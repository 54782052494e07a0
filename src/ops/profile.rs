//! A profile proposed from files: their headers are read, `pipeline::ingest::guess` does the rest.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::error::OpsError;
use super::run::{chain, list};
use crate::formats::fits::{self, Limits};
use crate::pipeline::ingest::guess::{Guess, GuessError, Sample, guess};

/// Most files whose headers are read; a night's kinds are in far fewer.
const FILES_MAX: usize = 2_000;

/// Why no profile could be proposed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// A folder could not be listed.
    #[error(transparent)]
    Folder(#[from] OpsError),
    /// No file could be read.
    #[error("none of the files could be read: {why}")]
    Unreadable {
        /// What was wrong with the first one.
        why: String,
    },
    /// The headers give none.
    #[error(transparent)]
    Guess(#[from] GuessError),
}

/// A proposed profile and the files that could not be read, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The profile.
    pub guess: Guess,
    /// Files without a part in it.
    pub unreadable: Vec<String>,
}

/// Proposes an instrument profile.
///
/// * `paths`: FITS files, or folders of them; at most 2000 files are read.
/// * `name`: the profile's name.
pub fn propose(paths: &[PathBuf], name: &str) -> Result<Proposal, ProposeError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(list(path)?.into_iter().map(|file| file.path));
        } else {
            files.push(path.clone());
        }
    }
    files.truncate(FILES_MAX);
    let (mut samples, mut unreadable) = (Vec::new(), Vec::new());
    for path in &files {
        match sample(path) {
            Ok(sample) => samples.push(sample),
            Err(why) => unreadable.push(why),
        }
    }
    if samples.is_empty()
        && let Some(why) = unreadable.first()
    {
        return Err(ProposeError::Unreadable { why: why.clone() });
    }
    Ok(Proposal { guess: guess(&samples, name)?, unreadable })
}

fn sample(path: &Path) -> Result<Sample, String> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let image = fits::probe(path, &Limits::default())
        .map_err(|error| format!("{}: {}", path.display(), chain(&error)))?;
    Ok(Sample { name, header: image.header, nx: image.nx, ny: image.ny })
}
