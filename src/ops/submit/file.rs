//! Writing a batch: file, record, name, in an order that a kill cannot break.
//!
//! 1. The file is written whole under its name with `.pending` added.
//! 2. Batch, names and observations are recorded in one transaction, with the file's hash.
//! 3. `.pending` is taken off its name.
//!
//! A kill before 2 leaves a file that is on no record: [`finish`] removes it, and the batch can be
//! written again. A kill before 3 leaves a recorded file under its pending name: [`finish`] gives
//! it its own, and its observations are not written again. `write` begins with `finish`. So a file
//! under its own name is always on record, and what is on record always has its file.

use std::path::{Path, PathBuf};

use super::select::{Plan, plan};
use super::{SubmitAsk, SubmitDone, SubmitError, SubmitFormat, WHO_LENGTH_MAX};
use crate::config::Config;
use crate::ops::orders::find_night;
use crate::science::time::Epoch;
use crate::store::submissions::NewSubmission;
use crate::store::{ProductFile, Store};

/// Folder of the files below the data folder.
pub const FOLDER: &str = "submissions";
/// What is added to the name of a file that is not on record yet.
const PENDING: &str = ".pending";
/// Most files of the folder that are looked at.
const FILES_MAX: usize = 100_000;

/// Records a batch that a person said yes to, and writes its file.
pub fn write(
    store: &Store,
    config: &Config,
    ask: &SubmitAsk,
    now: Epoch,
) -> Result<SubmitDone, SubmitError> {
    finish(store)?;
    let is_long = ask.who.chars().count() > WHO_LENGTH_MAX;
    if ask.who.trim().is_empty() || is_long || ask.who.chars().any(char::is_control) {
        return Err(SubmitError::BadWho { allowed: WHO_LENGTH_MAX });
    }
    let night = find_night(store.read(), &ask.night)?;
    let plan = plan(store.read(), config, &night, now)?;
    let batch = Prepared::new(&plan, ask, now)?;
    let pending = batch.write_pending(store)?;
    let id = match store.record_submission(batch.record.clone()) {
        Ok(id) => id,
        Err(error) => {
            // What stays is removed by the next `finish`.
            std::fs::remove_file(&pending).ok();
            return Err(error.into());
        }
    };
    let path = batch.place(store, &pending)?;
    let (n_objects, n_observations) = (plan.going.len(), batch.record.observations.len());
    Ok(SubmitDone { id, path, n_objects, n_observations })
}

/// A batch that is ready to be recorded and written.
pub(super) struct Prepared {
    text: String,
    pub(super) record: NewSubmission,
}

impl Prepared {
    /// Checks that the plan may be written and is the one that was said yes to.
    pub(super) fn new(plan: &Plan, ask: &SubmitAsk, now: Epoch) -> Result<Self, SubmitError> {
        let night = &plan.night;
        if plan.is_simulated {
            return Err(SubmitError::Simulated { night: night.clone() });
        }
        let station = match &plan.station {
            Some(station) if plan.missing.is_empty() => station.clone(),
            _ => return Err(SubmitError::Incomplete { keys: plan.missing.clone() }),
        };
        if plan.going.is_empty() {
            return Err(SubmitError::Nothing { night: night.clone() });
        }
        if plan.digest() != ask.digest {
            return Err(SubmitError::Changed { night: night.clone() });
        }
        plan.submission.check()?;
        let text = match ask.format {
            SubmitFormat::Psv => plan.submission.to_psv(),
            SubmitFormat::Xml => plan.submission.to_xml(),
            SubmitFormat::Obs80 => plan.report_80.clone(),
        };
        let content_hash = blake3::hash(text.as_bytes()).to_hex().to_string();
        let short: String = content_hash.chars().take(8).collect();
        let path = format!("{FOLDER}/{night}-{station}-{short}.{}", ask.format.ending());
        let record = NewSubmission {
            station,
            approved_by: ask.who.trim().to_owned(),
            at: now,
            path,
            content_hash,
            names: plan.names.clone(),
            observations: plan.observations.clone(),
        };
        Ok(Self { text, record })
    }

    /// Step 1: the file under its pending name.
    pub(super) fn write_pending(&self, store: &Store) -> Result<PathBuf, SubmitError> {
        let pending = store.data_dir().join(format!("{}{PENDING}", self.record.path));
        ProductFile::write_bytes(&pending, self.text.as_bytes())?;
        Ok(pending)
    }

    /// Step 3: the file under its own name.
    fn place(&self, store: &Store, pending: &Path) -> Result<PathBuf, SubmitError> {
        let path = store.data_dir().join(&self.record.path);
        ProductFile::rename(pending, &path)?;
        Ok(path)
    }
}

/// Finishes what a killed `write` left: recorded files get their names, others are removed.
///
/// Returns the files that got their names.
pub fn finish(store: &Store) -> Result<Vec<PathBuf>, SubmitError> {
    let folder = store.data_dir().join(FOLDER);
    let refuse = |source| SubmitError::Folder { path: folder.clone(), source };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refuse(error)),
    };
    let submissions = store.read().submissions()?;
    let mut finished = Vec::new();
    for entry in entries.take(FILES_MAX) {
        let pending = entry.map_err(refuse)?.path();
        let name = pending.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = name.strip_suffix(PENDING) else { continue };
        let relative = format!("{FOLDER}/{name}");
        let bytes = std::fs::read(&pending).map_err(refuse)?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        let is_recorded =
            submissions.iter().any(|row| row.path == relative && row.content_hash == hash);
        if is_recorded {
            let path = folder.join(name);
            ProductFile::rename(&pending, &path)?;
            finished.push(path);
        } else {
            std::fs::remove_file(&pending).map_err(refuse)?;
        }
    }
    Ok(finished)
}
