//! Science frames through their stages, a bounded number at a time.
//!
//! Frames of one camera share their pixel scale: the first solved one, in order of time, tells
//! the others. A header's scale may be missing or wrong, and the search without it is long. So
//! the first frames of a camera are reduced one after the other, the rest side by side.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::error::OpsError;
use super::super::progress::{Event, Progress};
use super::finish::wcs_of;
use super::keys::{FRAME_UNIT, frame_key};
use super::master_files::StoredMasters;
use super::reference::RunReference;
use super::take::ScannedFrame;
use super::{one_frame, parallel, report_to};
use crate::config::Config;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::masters::MasterLibrary;
use crate::pipeline::masters::select::MasterSet;
use crate::store::stages::StageRow;
use crate::store::{NightId, Store};

/// Frames tried one after the other until one tells the camera's scale.
const PILOTS_MAX: usize = 3;

/// What the work on frames needs to see.
pub(super) struct FrameWork<'a> {
    pub(super) store: &'a Store,
    pub(super) night: &'a NightId,
    pub(super) config: &'a Config,
    pub(super) library: &'a MasterLibrary,
    pub(super) earlier: &'a StoredMasters,
    pub(super) sky: &'a RunReference,
    /// The night's calibration frames: what a frame's masters are made of.
    pub(super) calibration: &'a [Arc<ScannedFrame>],
}

/// What is kept of a reduced frame besides its pixels and sources.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FrameResult {
    pub(super) record: FrameRecord,
    /// Shape of the calibrated frame [px].
    pub(super) nx: usize,
    pub(super) ny: usize,
    /// Whether its pixels lie turned by 180 degrees on the detector.
    pub(super) is_turned: bool,
    pub(super) products: Option<FrameProducts>,
}

/// Files of a frame, relative to the data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FrameProducts {
    pub(super) calibrated: PathBuf,
    pub(super) mask: PathBuf,
    pub(super) catalogue: Option<PathBuf>,
}

/// A frame whose result is kept.
#[derive(Debug, Clone)]
pub(super) struct Done {
    key: String,
    /// Pixel scale of its plate solution.
    scale_arcsec: Option<f64>,
}

/// Frames whose results are kept, by content hash.
pub(super) type DoneFrames = HashMap<String, Done>;

/// Which frames are to be reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redo {
    /// Those that have no result in this session.
    Missing,
    /// Those, and those whose result was made with other masters or parameters.
    Changed,
}

/// What a step over a night's frames came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Frames reduced.
    pub(super) n_reduced: usize,
    /// Frames left.
    pub(super) n_left: usize,
}

/// A frame to be reduced.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) frame: Arc<ScannedFrame>,
    /// Pixel scale that another frame of the camera told.
    pub(super) scale_arcsec: Option<f64>,
}

impl Job {
    fn hash(&self) -> &str {
        &self.frame.content_hash
    }

    /// The frame with its header as understood by now.
    pub(super) fn told(&self) -> ScannedFrame {
        let mut frame = self.frame.as_ref().clone();
        frame.info.pixel_scale_arcsec = self.scale_arcsec.or(frame.info.pixel_scale_arcsec);
        frame
    }
}

/// Reduces at most `limit` of the frames that have to be; what is done already is looked up.
pub(super) fn reduce_some(
    work: &FrameWork<'_>,
    frames: &[Arc<ScannedFrame>],
    done: &mut DoneFrames,
    (redo, limit): (Redo, usize),
    progress: &dyn Progress,
) -> Result<Step, OpsError> {
    let mut n_reduced = 0;
    let mut rest: Vec<Job> = Vec::new();
    let mut n_behind = 0;
    for camera in cameras(frames) {
        let mut pilots = Pilots { told: None, n_tried: 0 };
        while let Some(job) = pilots.next(&camera, done) {
            if !work.is_done(&job, done, redo)? {
                if n_reduced >= limit {
                    break;
                }
                let made = work.make(&job, progress)?;
                n_reduced += 1;
                done.insert(job.hash().to_owned(), made);
            }
        }
        if pilots.is_waiting(&camera, done) {
            n_behind += camera.len() - pilots.n_tried;
            continue;
        }
        rest.extend(
            camera
                .iter()
                .skip(pilots.n_tried)
                .map(|frame| Job { frame: Arc::clone(frame), scale_arcsec: pilots.told }),
        );
    }
    let mut jobs = Vec::new();
    for job in rest {
        if !work.is_done(&job, done, redo)? {
            jobs.push(job);
        }
    }
    jobs.sort_by(|a, b| a.frame.file.name.cmp(&b.frame.file.name));
    let n_now = jobs.len().min(limit - n_reduced);
    let made = Mutex::new(Vec::new());
    let all = parallel::for_each(&jobs[..n_now], work.n_workers(&jobs[..n_now]), |job| {
        let one = work.make(job, progress)?;
        made.lock().unwrap_or_else(PoisonError::into_inner).push((job.hash().to_owned(), one));
        Ok::<_, OpsError>(())
    });
    // What was done before an error or a stop counts.
    let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    n_reduced += made.len();
    done.extend(made);
    all?;
    Ok(Step { n_reduced, n_left: jobs.len() - n_now + n_behind })
}

/// The results of all frames in order of names; all must be done.
pub(super) fn results(
    work: &FrameWork<'_>,
    frames: &[Arc<ScannedFrame>],
    done: &DoneFrames,
) -> Result<Vec<FrameResult>, OpsError> {
    let mut results = Vec::with_capacity(frames.len());
    for frame in frames {
        let Some(kept) = done.get(&frame.content_hash) else { continue };
        if let Some((_, result)) = work.kept(&frame.content_hash, Some(&kept.key))? {
            results.push(result);
        }
    }
    Ok(results)
}

/// The first frames of a camera, tried in turn until one tells the scale.
struct Pilots {
    told: Option<f64>,
    n_tried: usize,
}

impl Pilots {
    /// The next one to be tried; notes what the one before told.
    fn next(&mut self, camera: &[Arc<ScannedFrame>], done: &DoneFrames) -> Option<Job> {
        if let Some(before) = self.n_tried.checked_sub(1).and_then(|i| camera.get(i)) {
            self.told = done.get(&before.content_hash)?.scale_arcsec;
        }
        if self.told.is_some() || self.n_tried == PILOTS_MAX {
            return None;
        }
        let frame = Arc::clone(camera.get(self.n_tried)?);
        self.n_tried += 1;
        Some(Job { frame, scale_arcsec: None })
    }

    /// Tells whether the last one tried is not done, so that the others must wait.
    fn is_waiting(&self, camera: &[Arc<ScannedFrame>], done: &DoneFrames) -> bool {
        let last = self.n_tried.checked_sub(1).and_then(|i| camera.get(i));
        last.is_some_and(|frame| !done.contains_key(&frame.content_hash))
    }
}

/// The frames of each camera (same instrument, size and binning) in order of time.
fn cameras(frames: &[Arc<ScannedFrame>]) -> Vec<Vec<Arc<ScannedFrame>>> {
    let camera =
        |f: &ScannedFrame| (f.info.instrument.clone(), f.info.nx, f.info.ny, f.info.binning);
    let mut groups: BTreeMap<_, Vec<Arc<ScannedFrame>>> = BTreeMap::new();
    for frame in frames {
        groups.entry(camera(frame)).or_default().push(Arc::clone(frame));
    }
    let time = |f: &ScannedFrame| f.info.mid.map_or(f64::INFINITY, |mid| mid.mjd_utc());
    let mut groups: Vec<Vec<Arc<ScannedFrame>>> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by(|a, b| {
            time(a).total_cmp(&time(b)).then_with(|| a.file.name.cmp(&b.file.name))
        });
    }
    groups
}

/// Memory that a frame takes on its way, per pixel [bytes]: measured, rounded up.
const MEMORY_PER_PIXEL_BYTES: u64 = 48;

impl FrameWork<'_> {
    /// Frames in work at a time: as many as asked for, as long as they fit the memory.
    fn n_workers(&self, jobs: &[Job]) -> usize {
        let largest = jobs.iter().map(|j| j.frame.info.nx * j.frame.info.ny).max().unwrap_or(0);
        let bytes = (largest as u64).saturating_mul(MEMORY_PER_PIXEL_BYTES).max(1);
        let n_fit = (self.config.run.memory_max_mib << 20) / bytes;
        let n_fit = usize::try_from(n_fit).unwrap_or(usize::MAX).max(1);
        parallel::n_workers(self.config.run.workers).min(n_fit)
    }

    /// Tells whether a frame has a result that counts.
    fn is_done(&self, job: &Job, done: &mut DoneFrames, redo: Redo) -> Result<bool, OpsError> {
        if redo == Redo::Missing && done.contains_key(job.hash()) {
            return Ok(true);
        }
        let key = self.key(&job.told(), &self.masters(job));
        if let Some(before) = done.get(job.hash()) {
            return Ok(before.key == key);
        }
        let Some((row, result)) = self.kept(job.hash(), Some(&key))? else {
            return Ok(false);
        };
        done.insert(row.subject.clone(), done_by(row.key, &result));
        Ok(true)
    }

    fn masters(&self, job: &Job) -> MasterSet {
        self.library.select(&job.frame.info, self.earlier, &self.config.master_params())
    }

    fn key(&self, frame: &ScannedFrame, masters: &MasterSet) -> String {
        frame_key(frame, masters, self.config, (self.calibration, self.sky))
    }

    /// The kept result of a frame, made with this key or with any.
    pub(super) fn kept(
        &self,
        content_hash: &str,
        key: Option<&str>,
    ) -> Result<Option<(StageRow, FrameResult)>, OpsError> {
        let row = self.store.read().stage_row(self.night, content_hash, FRAME_UNIT)?;
        let row = row.filter(|row| key.is_none_or(|key| row.key == key));
        Ok(row.and_then(|row| {
            let result = serde_json::from_str::<FrameResult>(&row.payload).ok()?;
            self.has_products(&result).then_some((row, result))
        }))
    }

    fn has_products(&self, result: &FrameResult) -> bool {
        result.products.as_ref().is_none_or(|p| {
            [Some(&p.calibrated), Some(&p.mask), p.catalogue.as_ref()]
                .into_iter()
                .flatten()
                .all(|path| self.store.products().resolve(path).is_ok_and(|full| full.is_file()))
        })
    }

    /// Reduces a frame and keeps the result.
    fn make(&self, job: &Job, progress: &dyn Progress) -> Result<Done, OpsError> {
        let masters = self.masters(job);
        let frame = job.told();
        let key = self.key(&frame, &masters);
        let made = one_frame::reduce_and_keep(self, &frame, &masters, &key)?;
        report_to(
            progress,
            Event::Frame {
                name: &frame.file.name,
                is_ok: made.result.record.status == FrameStatus::Ok,
                seconds: made.seconds,
            },
        )?;
        Ok(done_by(key, &made.result))
    }
}

fn done_by(key: String, result: &FrameResult) -> Done {
    Done { key, scale_arcsec: wcs_of(&result.record).map(|wcs| wcs.pixel_scale_arcsec()) }
}
