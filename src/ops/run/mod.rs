//! One night folder from raw frames to its report.
//!
//! The unit of work is the frame: its stages run in memory, and its record, catalogue and
//! calibrated pixels are put in place together, keyed by everything that decides them. A run that
//! was stopped anywhere goes on with the first frame whose key is not in the store; a run over
//! an unchanged night does nothing.

mod astrometry;
mod files;
mod finish;
mod frames;
mod joining;
mod keys;
mod known;
mod master_files;
mod masters;
mod one_frame;
mod parallel;
mod photometry;
mod pictures;
mod product_header;
mod reference;
mod rest;
mod session;
mod take;
mod weights;

use std::path::PathBuf;
use std::sync::Arc;

use super::error::OpsError;
use super::progress::{Event, Progress};
use crate::config::Config;
use crate::pipeline::artifact::report::NightReport;
use crate::store::nights::NightSource;
use crate::store::requests::Forget;
use crate::store::{NightId, Store};

pub use super::clock::now;
pub(super) use files::list;
pub use files::{FileStamp, NightFile};
pub(super) use finish::{known_path, linking_path};
pub use known::KnownObjects;
pub(super) use photometry::photometry_path;
pub use reference::{Haul, RunReference, TileCatalogue};
pub(super) use reference::{hash_of_lists, read_lists};
pub use session::{Advance, NightSession, Vanished, Workshop};
pub(super) use take::{NotAFrame, chain, chosen, understand};

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

/// What of an earlier run is made again, and what counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunAgain {
    /// Results that are forgotten before the run.
    pub forget: Option<Forget>,
    /// Which results of frames count.
    pub kept: KeptFrames,
}

/// Which results of frames count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeptFrames {
    /// Those made with the present masters, catalogue, parameters and stages.
    #[default]
    Current,
    /// Any: no frame that has a result is reduced again.
    Any,
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

impl Workshop {
    /// Opens catalogue and lists for a store.
    pub fn open(
        store: Arc<Store>,
        config: Arc<Config>,
        (reference, known): (&[PathBuf], &[PathBuf]),
    ) -> Result<Self, OpsError> {
        let sky = Arc::new(RunReference::open(&store, &config, reference)?);
        let known = Arc::new(KnownObjects::open(&config, known, store.products().data_dir())?);
        Ok(Self { store, config, sky, known })
    }
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
    run_night_again(request, &RunAgain::default(), config, progress)
}

/// The same, though some results are made again or taken as they are.
pub fn run_night_again(
    request: &RunRequest,
    again: &RunAgain,
    config: &Config,
    progress: &dyn Progress,
) -> Result<RunSummary, OpsError> {
    let night = files::night_id(request)?;
    let files = files::list(&request.night_dir)?;
    let store = Arc::new(Store::open(&request.data_dir)?);
    if let Some(forget) = &again.forget {
        store.forget_stages(&night, forget)?;
    }
    let workshop =
        Workshop::open(store, Arc::new(config.clone()), (&request.reference, &request.known))?;
    let source = NightSource::only(&request.night_dir);
    let store = Arc::clone(&workshop.store);
    let done = NightSession::begin(workshop, night, source, Vanished::Forget)
        .and_then(|session| whole_night(session.counting(again.kept), &files, progress));
    // An error or a wish to stop is an orderly end too.
    store.mark_clean()?;
    done
}

fn whole_night(
    mut session: NightSession,
    files: &[NightFile],
    progress: &dyn Progress,
) -> Result<RunSummary, OpsError> {
    session.take(files)?;
    let unsteady: Vec<&NightFile> =
        files.iter().filter(|file| !session.has(&file.name, file.stamp)).collect();
    session.give_up(&unsteady, "changed or removed while it was read: run again");
    session.close(None, progress)
}

fn report_to(progress: &dyn Progress, event: Event<'_>) -> Result<(), OpsError> {
    if progress.event(event).is_break() { Err(OpsError::Stopped) } else { Ok(()) }
}
