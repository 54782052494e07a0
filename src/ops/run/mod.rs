//! One night folder from raw frames to its report.
//!
//! The unit of work is the frame: its stages run in memory, and its record, catalogue and
//! calibrated pixels are put in place together, keyed by everything that decides them. A run that
//! was stopped anywhere goes on with the first frame whose key is not in the store; a run over
//! an unchanged night does nothing.

mod finish;
mod frames;
mod keys;
mod master_files;
mod masters;
mod parallel;
mod pictures;
mod reference;
mod scan;

use std::path::PathBuf;

use super::error::OpsError;
use super::progress::{Event, Progress};
use crate::config::Config;
use crate::pipeline::artifact::report::NightReport;
use crate::science::reference::ReferenceSky;
use crate::store::{NightId, Store};

pub use super::clock::now;

/// What to process, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// Folder of the night's raw files.
    pub night_dir: PathBuf,
    /// Name of the night; from the folder when `None`.
    pub night: Option<String>,
    /// Data folder.
    pub data_dir: PathBuf,
    /// Reference catalogues.
    pub reference: Vec<PathBuf>,
    /// Lists of predicted places of known objects.
    pub known: Vec<PathBuf>,
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Name of the night.
    pub night: NightId,
    /// The night's result.
    pub report: NightReport,
    /// The HTML report.
    pub html_path: PathBuf,
    /// Frames reduced in this run; the others were done before.
    pub n_reduced: usize,
}

/// Processes one night folder.
///
/// Frames that cannot be used end in the report; an error means that the night itself could not
/// be processed or its results not be kept.
pub fn run_night(
    request: &RunRequest,
    config: &Config,
    progress: &dyn Progress,
) -> Result<RunSummary, OpsError> {
    let night = scan::night_id(request)?;
    let store = Store::open(&request.data_dir)?;
    run_in_store(&store, &night, request, config, progress)
}

/// Processes one night folder into a store that is open already.
pub fn run_in_store(
    store: &Store,
    night: &NightId,
    request: &RunRequest,
    config: &Config,
    progress: &dyn Progress,
) -> Result<RunSummary, OpsError> {
    let files = scan::scan(&request.night_dir)?;
    let started = now();
    let moved_from = store.begin_night(night, &request.night_dir, started)?;
    let mut scanned = scan::read_headers(files, config, store, night, started)?;
    if let Some(former) = moved_from {
        scanned.note("night", &format!("its folder was {} before", former.display()));
    }
    let reference_files = [&config.reference.files[..], &request.reference[..]].concat();
    let sky = reference::open(store, &reference_files)?;
    for remark in sky.remarks() {
        scanned.note("reference", remark);
    }
    let known = finish::read_known_lists(&request.known)?;
    report_to(
        progress,
        Event::Scanned { n_files: scanned.n_files, n_science: scanned.science.len() },
    )?;
    let night_key = keys::night_key(&scanned, config, sky.key(), &known.key);
    if let Some(report) = finish::finished_before(store, night, &night_key)? {
        return Ok(RunSummary {
            html_path: finish::html_path(store, night)?,
            night: night.clone(),
            report,
            n_reduced: 0,
        });
    }
    if sky.is_empty() {
        scanned.note("reference", "no reference catalogue: name one with --reference");
    }
    let earlier = master_files::StoredMasters::before(store, night, scanned.earliest());
    let library = masters::make(&scanned, config, &earlier);
    masters::keep(store, night, &library, &scanned)?;
    report_to(progress, Event::Masters)?;
    let work =
        frames::FrameWork { store, night, config, library: &library, earlier: &earlier, sky: &sky };
    let done = frames::reduce_all(&work, &scanned, progress)?;
    let inputs = finish::NightInputs { scanned: &scanned, known: &known, library: &library };
    finish::finish(&work, inputs, done, &night_key, progress)
}

fn report_to(progress: &dyn Progress, event: Event<'_>) -> Result<(), OpsError> {
    if progress.event(event).is_break() { Err(OpsError::Stopped) } else { Ok(()) }
}
