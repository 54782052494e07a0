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
use super::keys::{FRAME_UNIT, frame_key};
use super::master_files::StoredMasters;
use super::reference::{RunReference, Sky};
use super::take::ScannedFrame;
use super::{KeptFrames, one_frame, parallel, report_to};
use crate::config::Config;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::masters::MasterLibrary;
use crate::pipeline::masters::select::MasterSet;
use crate::store::attempts::Company;
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
    /// Stars around all frames of the night.
    pub(super) night_sky: &'a Sky,
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

impl Extent {
    /// Everything, as when a night is closed.
    pub(super) const ALL: Self =
        Self { redo: Redo::Changed, limit: usize::MAX, deaths_max: DEATHS_MAX + 1 };

    /// Some frames of an open night.
    pub(super) const fn some(redo: Redo, limit: usize) -> Self {
        Self { redo, limit, deaths_max: DEATHS_MAX }
    }

    /// The same, unless any kept result counts: then what has no result at all.
    pub(super) const fn closing(kept: KeptFrames) -> Self {
        match kept {
            KeptFrames::Current => Self::ALL,
            KeptFrames::Any => Self { redo: Redo::New, ..Self::ALL },
        }
    }

    const fn is_closing(self) -> bool {
        self.deaths_max > DEATHS_MAX
    }
}

/// Deaths of the program over a frame alone in work, after which the frame is set aside until the
/// night is closed; there it is tried once more.
const DEATHS_MAX: u32 = 2;

/// Which frames are to be reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redo {
    /// Those that have no result in this session.
    Missing,
    /// Those, and those whose result was made with other masters or parameters.
    Changed,
    /// Those that never had a result, whatever it was made with.
    New,
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
    /// Which stars it is solved with.
    pub(super) stars: Stars,
}

/// Which stars a frame is solved with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stars {
    /// Those around its pointing.
    Own,
    /// Those around all frames of the night: its header has no pointing, or a wrong one.
    OfNight,
}

impl Job {
    fn new(frame: &Arc<ScannedFrame>, scale_arcsec: Option<f64>) -> Self {
        Self { frame: Arc::clone(frame), scale_arcsec, stars: Stars::Own }
    }

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

/// How far a step over a night's frames goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Which frames.
    pub(super) redo: Redo,
    /// Most frames reduced.
    pub(super) limit: usize,
    /// A frame that killed the program more often than this while alone in work is not tried.
    pub(super) deaths_max: u32,
}

/// Reduces frames that have to be; what is done already is looked up.
pub(super) fn reduce_some(
    work: &FrameWork<'_>,
    frames: &[Arc<ScannedFrame>],
    done: &mut DoneFrames,
    extent: Extent,
    progress: &dyn Progress,
) -> Result<Step, OpsError> {
    let suspects = work.store.read().suspects(work.night)?;
    let mut crew = Crew {
        work,
        done,
        extent,
        progress,
        suspects: suspects.into_iter().map(|s| (s.content_hash, s.n_deaths)).collect(),
        n_reduced: 0,
    };
    let mut all: Vec<Job> = Vec::new();
    let mut rest: Vec<Job> = Vec::new();
    let mut n_behind = 0;
    for camera in cameras(frames) {
        let mut pilots = Pilots { told: None, n_tried: 0 };
        let mut is_waiting = false;
        while let Some(job) = pilots.next(&camera, crew.done) {
            all.push(job.clone());
            if crew.is_to_do(&job)? && !crew.reduce_chunk(std::slice::from_ref(&job))? {
                is_waiting = true;
                break;
            }
        }
        if is_waiting {
            n_behind += camera.len();
            continue;
        }
        rest.extend(camera.iter().skip(pilots.n_tried).map(|frame| Job::new(frame, pilots.told)));
    }
    all.extend(rest.iter().cloned());
    let mut jobs = Vec::new();
    for job in rest {
        if crew.is_to_do(&job)? {
            jobs.push(job);
        }
    }
    jobs.sort_by(|a, b| a.frame.file.name.cmp(&b.frame.file.name));
    let (alone, together): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().partition(|job| crew.suspects.contains_key(job.hash()));
    let chunk = CHUNK_PER_WORKER * parallel::n_workers(work.config.run.workers);
    let chunk = chunk.min(extent.limit.max(1));
    let mut n_left = n_behind;
    for chunk in together.chunks(chunk).chain(alone.chunks(1)) {
        if !crew.reduce_chunk(chunk)? {
            n_left += chunk.len();
        }
    }
    if extent.is_closing() && extent.redo != Redo::New {
        for job in crew.lost(&all) {
            crew.reduce_chunk(std::slice::from_ref(&job))?;
        }
    }
    Ok(Step { n_reduced: crew.n_reduced, n_left })
}

/// Frames begun together, per worker: those of one chunk are suspects when the process dies.
const CHUNK_PER_WORKER: usize = 8;

/// Reduces chunks of frames within the extent of a step.
struct Crew<'a> {
    work: &'a FrameWork<'a>,
    done: &'a mut DoneFrames,
    extent: Extent,
    progress: &'a dyn Progress,
    /// Frames in work when a process died: content hash, and deaths while alone in work.
    suspects: HashMap<String, u32>,
    n_reduced: usize,
}

impl Crew<'_> {
    /// Frames that were not recognised among the stars around their own pointing, to be tried with
    /// those of the whole night, where these are others.
    fn lost(&self, jobs: &[Job]) -> Vec<Job> {
        let is_lost = |job: &Job| {
            let done = self.done.get(job.hash());
            done.is_some_and(|done| {
                done.scale_arcsec.is_none() && done.key != self.work.key_of(job)
            })
        };
        let wide = |job: &Job| Job { stars: Stars::OfNight, ..job.clone() };
        jobs.iter().map(wide).filter(is_lost).collect()
    }

    /// Tells whether a frame is to be reduced; one that kills the program is left for the closing.
    fn is_to_do(&mut self, job: &Job) -> Result<bool, OpsError> {
        let n_deaths = self.suspects.get(job.hash()).copied().unwrap_or(0);
        let is_set_aside = n_deaths >= self.extent.deaths_max && !self.extent.is_closing();
        Ok(!is_set_aside && !self.work.is_done(job, self.done, self.extent.redo)?)
    }

    /// Reduces frames side by side; tells whether the step's limit allowed it.
    fn reduce_chunk(&mut self, jobs: &[Job]) -> Result<bool, OpsError> {
        if self.n_reduced + jobs.len() > self.extent.limit && self.n_reduced > 0 {
            return Ok(false);
        }
        let is_alone = |job: &Job| self.suspects.contains_key(job.hash());
        let company = if jobs.iter().all(is_alone) { Company::Alone } else { Company::Shared };
        let hashes: Vec<&str> = jobs.iter().map(Job::hash).collect();
        self.work.store.attempt_begin(self.work.night, &hashes, company)?;
        let made = Mutex::new(Vec::new());
        let all = parallel::for_each(jobs, self.work.n_workers(jobs), |job| {
            let n_deaths = self.suspects.get(job.hash()).copied().unwrap_or(0);
            let one = if n_deaths >= self.extent.deaths_max {
                self.work.give_up(job, n_deaths)?
            } else {
                self.work.make(job, self.progress)?
            };
            made.lock().unwrap_or_else(PoisonError::into_inner).push((job.hash().to_owned(), one));
            Ok::<_, OpsError>(())
        });
        // What was done before an error or a stop counts.
        let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.n_reduced += made.len();
        self.done.extend(made);
        if all.is_err() {
            // The frames that were not begun or not ended killed nobody.
            self.work.store.attempt_end(self.work.night, &hashes)?;
        }
        all?;
        Ok(true)
    }
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
            // One that was set aside tells nothing.
            self.told = done.get(&before.content_hash).and_then(|done| done.scale_arcsec);
        }
        if self.told.is_some() || self.n_tried == PILOTS_MAX {
            return None;
        }
        let frame = Arc::clone(camera.get(self.n_tried)?);
        self.n_tried += 1;
        Some(Job::new(&frame, None))
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
        if redo == Redo::New
            && let Some((row, result)) = self.kept(job.hash(), None)?
        {
            done.insert(row.subject.clone(), done_by(row.key, &result));
            return Ok(true);
        }
        let keys = self.keys(job);
        if let Some(before) = done.get(job.hash()) {
            return Ok(keys.contains(&before.key));
        }
        for key in &keys {
            if let Some((row, result)) = self.kept(job.hash(), Some(key))? {
                done.insert(row.subject.clone(), done_by(row.key, &result));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keys under which a frame's result counts: with its own stars or with those of the night.
    fn keys(&self, job: &Job) -> Vec<String> {
        let own = self.stars(job);
        let skies: &[&Sky] =
            if own.key() == self.night_sky.key() { &[&own] } else { &[&own, self.night_sky] };
        let (frame, masters) = (job.told(), self.masters(job));
        skies.iter().map(|sky| self.key(&frame, &masters, sky)).collect()
    }

    fn key_of(&self, job: &Job) -> String {
        self.key(&job.told(), &self.masters(job), &self.stars(job))
    }

    /// The stars that a frame is solved with.
    fn stars(&self, job: &Job) -> Sky {
        match job.stars {
            // By the header alone: what other frames tell of the scale changes no tiles.
            Stars::Own => self.sky.sky(&self.sky.tiles_of(&job.frame.info, self.config)),
            Stars::OfNight => self.night_sky.clone(),
        }
    }

    fn masters(&self, job: &Job) -> MasterSet {
        self.library.select(&job.frame.info, self.earlier, &self.config.master_params())
    }

    fn key(&self, frame: &ScannedFrame, masters: &MasterSet, sky: &Sky) -> String {
        frame_key(frame, masters, self.config, (self.calibration, sky.key()))
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

    /// Keeps as a result that a frame was given up.
    fn give_up(&self, job: &Job, n_deaths: u32) -> Result<Done, OpsError> {
        let frame = job.told();
        let key = self.key_of(job);
        let reason = format!(
            "set aside: the program died {n_deaths} times while it worked on this frame alone; \
             please report, and try again with `autossosctl reprocess`"
        );
        let result = one_frame::failed(&frame, reason);
        one_frame::record(self, &frame, &result, &key)?;
        Ok(done_by(key, &result))
    }

    /// Reduces a frame and keeps the result.
    fn make(&self, job: &Job, progress: &dyn Progress) -> Result<Done, OpsError> {
        let masters = self.masters(job);
        let frame = job.told();
        let sky = self.stars(job);
        let key = self.key(&frame, &masters, &sky);
        let made = one_frame::reduce_and_keep(self, &frame, (&masters, &sky), &key)?;
        report_to(
            progress,
            Event::Frame {
                name: &frame.file.name,
                status: made.result.record.status,
                seconds: made.seconds,
            },
        )?;
        Ok(done_by(key, &made.result))
    }
}

fn done_by(key: String, result: &FrameResult) -> Done {
    let scale_arcsec = result.record.solution().map(|wcs| rounded(wcs.pixel_scale_arcsec()));
    Done { key, scale_arcsec }
}

/// A scale to a hundredth of itself: enough for a hint, and the same when the frame that told it
/// is reduced again with other masters, so that the others need not be.
fn rounded(scale_arcsec: f64) -> f64 {
    let step = 10_f64.powf(scale_arcsec.log10().floor() - 2.0);
    if step.is_normal() { (scale_arcsec / step).round() * step } else { scale_arcsec }
}
