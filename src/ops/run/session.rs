//! A night in work: files are taken in and frames reduced as they come, then the night is closed.
//!
//! Closing is a function of the night's files and the configuration alone: it makes the masters of
//! all calibration frames, reduces every frame whose kept result was made otherwise, links and
//! reports. Whatever was reduced before, in whatever order, only saves it work. So a night that
//! was watched live, one that was killed ten times and one that was dropped whole end the same.

mod services;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::OpsError;
use super::super::progress::{Event, Progress};
use super::files::{FileStamp, NightFile};
use super::finish::{self, NightInputs};
use super::frames::{self, DoneFrames, Extent, FrameResult, FrameWork, Redo};
use super::keys::{calibration_key, night_key};
use super::known::KnownObjects;
use super::master_files::StoredMasters;
use super::reference::{Haul, RunReference, Sky};
use super::take::{Found, Scanned, ScannedFrame, Taken, Taking, frames_of, take_files};
use super::{KeptFrames, RunSummary, masters, now, report_to};
use crate::config::{Config, LateCalibration};
use crate::pipeline::artifact::frame_info::FrameKind;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::Note;
use crate::pipeline::masters::MasterLibrary;
use crate::pipeline::reduce::empty_record;
use crate::science::reference::ReferenceSky;
use crate::science::time::Epoch;
use crate::store::attempts::Company;
use crate::store::nights::{FoundFile, NightSource};
use crate::store::{NightId, Store};

/// What becomes of frames whose files are no longer in the night's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanished {
    /// They no longer belong to the night: somebody took them out.
    Forget,
    /// What was made of them counts: somebody moved the raw files away.
    Keep,
}

/// What a night is worked with, shared by the nights of a service.
#[derive(Clone)]
pub struct Workshop {
    /// Database and products.
    pub store: Arc<Store>,
    /// The configuration as the night's telescope sees it.
    pub config: Arc<Config>,
    /// Star catalogue.
    pub sky: Arc<RunReference>,
    /// Known objects.
    pub known: Arc<KnownObjects>,
}

/// What is left to do in a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Advance {
    /// Frames reduced in this step.
    pub n_reduced: usize,
    /// Science frames that wait to be reduced.
    pub n_left: usize,
}

/// Masters of the calibration frames there were at a time.
struct Library {
    key: String,
    masters: MasterLibrary,
    n_made: u32,
}

/// Deaths of the program over a file that was opened alone, after which it is given up.
const DEATHS_MAX: u32 = 2;

/// What a try to open a file is noted under.
fn opening(file: &NightFile) -> String {
    format!("file {}", file.name)
}

/// A night in work.
pub struct NightSession {
    night: NightId,
    workshop: Workshop,
    vanished: Vanished,
    /// Which kept results of frames count.
    kept: KeptFrames,
    taken: BTreeMap<String, Taken>,
    /// Stamps and hashes of the files as an earlier session recorded them.
    recorded: BTreeMap<String, FoundFile>,
    library: Option<Library>,
    earlier: StoredMasters,
    done: DoneFrames,
    /// Stars around all frames taken in.
    night_sky: Sky,
    /// Frames for which no stars can be fetched, as their headers tell no pointing.
    n_lost: usize,
    notes: Vec<Note>,
}

impl NightSession {
    /// Opens a night or comes back to it.
    pub fn begin(
        workshop: Workshop,
        night: NightId,
        source: NightSource,
        vanished: Vanished,
    ) -> Result<Self, OpsError> {
        let store = &workshop.store;
        let moved_from = store.begin_night(&night, &source, now())?;
        let recorded = store.read().files(&night)?;
        let mut notes: Vec<Note> = Vec::new();
        let mut note = |subject: &str, text: String| {
            notes.push(Note { subject: subject.to_owned(), text });
        };
        if let Some(former) = moved_from {
            note("night", format!("its folder was {} before", former.display()));
        }
        for remark in workshop.sky.remarks() {
            note("reference", remark.clone());
        }
        Ok(Self {
            earlier: StoredMasters::before(store, &night, None),
            night,
            vanished,
            kept: KeptFrames::Current,
            taken: BTreeMap::new(),
            recorded: recorded.into_iter().map(|file| (file.name.clone(), file)).collect(),
            library: None,
            done: DoneFrames::new(),
            night_sky: Sky::default(),
            n_lost: 0,
            notes,
            workshop,
        })
    }

    /// The same session, for which these results of frames count.
    #[must_use]
    pub fn counting(self, kept: KeptFrames) -> Self {
        Self { kept, ..self }
    }

    /// The night's name.
    pub fn night(&self) -> &NightId {
        &self.night
    }

    /// Middle of the last exposure of the sky.
    pub fn newest_exposure(&self) -> Option<Epoch> {
        let science = self.frames().filter(|frame| frame.info.kind == FrameKind::Science);
        let frames = science.filter_map(|frame| frame.info.mid);
        frames.max_by(|a, b| a.mjd_utc().total_cmp(&b.mjd_utc()))
    }

    /// Latitude and longitude that a header tells [deg].
    pub fn site_deg(&self) -> Option<(f64, f64)> {
        let mut sites = self.frames().filter_map(|frame| frame.info.site);
        sites.next().map(|site| (site.latitude_deg, site.longitude_deg))
    }

    /// All frames taken in, in order of files.
    fn frames(&self) -> impl Iterator<Item = &ScannedFrame> {
        self.taken.values().flat_map(|taken| &taken.found).filter_map(|found| match found {
            Found::Frame(frame) => Some(frame.as_ref()),
            _ => None,
        })
    }

    /// Tells whether a file was taken in as it is now.
    pub fn has(&self, name: &str, stamp: FileStamp) -> bool {
        self.taken.get(name).is_some_and(|taken| taken.stamp == stamp)
    }

    /// Takes files in; returns how many. One that changes meanwhile is left for the next look.
    ///
    /// Files that were being opened when the program died are opened one by one, and given up
    /// when it dies again.
    pub fn take(&mut self, files: &[NightFile]) -> Result<usize, OpsError> {
        let store = Arc::clone(&self.workshop.store);
        let suspects = store.read().suspects(&self.night)?;
        let deaths = |file: &NightFile| {
            let name = opening(file);
            suspects.iter().find(|s| s.content_hash == name).map(|s| s.n_deaths)
        };
        let (suspected, calm): (Vec<&NightFile>, Vec<&NightFile>) =
            files.iter().partition(|file| deaths(file).is_some());
        let mut n_taken = self.take_together(&calm, Company::Shared)?;
        for file in suspected {
            let n_deaths = deaths(file).unwrap_or(0);
            if n_deaths >= DEATHS_MAX {
                let why = format!("the program died {n_deaths} times when it opened this file");
                self.give_up(&[file], &why);
                n_taken += 1;
            } else {
                n_taken += self.take_together(&[file], Company::Alone)?;
            }
        }
        Ok(n_taken)
    }

    fn take_together(&mut self, files: &[&NightFile], company: Company) -> Result<usize, OpsError> {
        if files.is_empty() {
            return Ok(0);
        }
        let store = Arc::clone(&self.workshop.store);
        let openings: Vec<String> = files.iter().map(|file| opening(file)).collect();
        let openings: Vec<&str> = openings.iter().map(String::as_str).collect();
        store.attempt_begin(&self.night, &openings, company)?;
        let taken = self.take_now(files);
        store.attempt_end(&self.night, &openings)?;
        taken
    }

    fn take_now(&mut self, files: &[&NightFile]) -> Result<usize, OpsError> {
        let recorded = &self.recorded;
        let known = |file: &NightFile| {
            let stamp = file.stamp.to_string();
            let before = recorded.get(&file.name)?;
            (before.stamp.as_ref() == Some(&stamp)).then(|| before.content_hash.clone())
        };
        let taking = take_files(files, (self.night.as_str(), &self.workshop.config), &known)?;
        let mut rows = Vec::new();
        let mut all_taken = Vec::new();
        for (file, taking) in files.iter().zip(taking) {
            let Taking::Done(taken) = taking else { continue };
            if !taken.content_hash.is_empty() {
                rows.push(FoundFile {
                    name: file.name.clone(),
                    content_hash: taken.content_hash.clone(),
                    size_bytes: taken.stamp.size_bytes,
                    stamp: Some(taken.stamp.to_string()),
                });
            }
            all_taken.push((file.name.clone(), taken));
        }
        rows.retain(|row| self.recorded.get(&row.name) != Some(row));
        if !rows.is_empty() {
            self.workshop.store.record_files(&self.night, rows.clone(), now())?;
            self.recorded.extend(rows.into_iter().map(|row| (row.name.clone(), row)));
        }
        // Only what is recorded counts as taken.
        let n_taken = all_taken.len();
        self.taken.extend(all_taken);
        Ok(n_taken)
    }

    /// Forgets files that are no longer in the folder, but not what was made of them.
    pub fn drop_missing(&mut self, is_there: &dyn Fn(&str) -> bool) {
        self.taken.retain(|name, _| is_there(name));
    }

    /// Reduces up to `limit` frames that have no result yet, with the masters there are by now.
    pub fn advance(&mut self, limit: usize, progress: &dyn Progress) -> Result<Advance, OpsError> {
        let scanned = Scanned::of(&self.taken);
        let daemon = &self.workshop.config.daemon;
        let redo = match daemon.late_calibration {
            LateCalibration::AtClose => Redo::Missing,
            LateCalibration::AtOnce => Redo::Changed,
        };
        let is_needed = redo == Redo::Changed
            || scanned.science.iter().any(|f| !self.done.contains_key(&f.content_hash));
        if !is_needed {
            return Ok(Advance::default());
        }
        let n_made_max = 1 + daemon.recalibrations_max;
        if self.library.as_ref().is_none_or(|library| library.n_made < n_made_max) {
            self.make_masters(&scanned, progress)?;
        }
        self.bring_stars(&scanned, Haul::Some, progress)?;
        let step = self.reduce(&scanned, Extent::some(redo, limit), progress)?;
        Ok(Advance { n_reduced: step.n_reduced, n_left: step.n_left })
    }

    /// Closes the night over all files taken in.
    ///
    /// * `listing`: hash of the listing it is closed with, when somebody watches the folder.
    pub fn close(
        &mut self,
        listing: Option<String>,
        progress: &dyn Progress,
    ) -> Result<RunSummary, OpsError> {
        let mut scanned = Scanned::of(&self.taken);
        scanned.notes.splice(0..0, self.notes.iter().cloned());
        let (n_files, n_science) = (scanned.n_files, scanned.science.len());
        report_to(progress, Event::Scanned { n_files, n_science })?;
        scanned.note_clocks();
        let gone = self.gone_files()?;
        for (name, night, there) in self.workshop.store.read().shared_files(&self.night)? {
            scanned.note(&name, &format!("same content as {there} of {night}"));
        }
        for (name, _) in &gone {
            scanned.note(name, "its raw file is gone; what was made of it before counts");
        }
        self.bring_stars(&scanned, Haul::All, progress)?;
        scanned.notes.extend(self.missing_stars()?);
        self.workshop.known.bring_again(&self.workshop.store, &self.night, progress)?;
        let key = self.key(&scanned)?;
        if let Some(report) = finish::finished_before(&self.workshop.store, &self.night, &key)? {
            let Workshop { store, config, .. } = &self.workshop;
            let report = finish::joined_again(store, config, report, (&self.night, &scanned))?;
            store.confirm_closed(&self.night, listing)?;
            let html_path = finish::html_path(&self.workshop.store, &self.night)?;
            return Ok(RunSummary { night: self.night.clone(), report, html_path, n_reduced: 0 });
        }
        if self.workshop.sky.tiles().is_none() && self.night_sky.is_empty() {
            scanned.note("reference", "no reference catalogue: name one with --reference");
        }
        self.make_masters(&scanned, progress)?;
        let step = self.reduce(&scanned, Extent::closing(self.kept), progress)?;
        let mut results = {
            let work = self.work(&scanned);
            frames::results(&work, &scanned.science, &self.done)?
        };
        results.extend(self.kept_results(&gone)?);
        let plan = self.bring_known(&results, progress)?;
        let known = self.workshop.known.night(&self.workshop.store, &plan)?;
        let key = self.key(&scanned)?;
        let work = self.work(&scanned);
        let inputs = NightInputs { scanned: &scanned, known: &known, library: work.library };
        let (report, html_path) =
            finish::finish(&work, &inputs, results, (&key, listing), progress)?;
        Ok(RunSummary { night: self.night.clone(), report, html_path, n_reduced: step.n_reduced })
    }

    /// Key of the night as it is kept now.
    fn key(&self, scanned: &Scanned) -> Result<String, OpsError> {
        let Workshop { store, config, known, .. } = &self.workshop;
        let known = known.key(store, (&self.night, config))?;
        let key = night_key(scanned, config, self.night_sky.key(), &known);
        // A night of whatever frames there were is never taken for one of these parameters.
        let kept = if self.kept == KeptFrames::Any { " of any frames" } else { "" };
        Ok(key + kept)
    }

    /// Makes the masters when the calibration frames are others than before.
    fn make_masters(&mut self, scanned: &Scanned, progress: &dyn Progress) -> Result<(), OpsError> {
        let (store, config) = (&self.workshop.store, &self.workshop.config);
        let until = scanned.earliest();
        let is_same_time = self.earlier.until() == until;
        if !is_same_time {
            self.earlier = StoredMasters::before(store, &self.night, until);
        }
        let key = calibration_key(scanned, config);
        if is_same_time && self.library.as_ref().is_some_and(|library| library.key == key) {
            return Ok(());
        }
        let made = masters::make(scanned, config, &self.earlier);
        masters::keep(store, &self.night, &made, (scanned, config))?;
        let is_new = self.library.as_ref().is_none_or(|library| library.key != key);
        let n_made = self.library.as_ref().map_or(0, |library| library.n_made);
        self.library = Some(Library { key, masters: made, n_made: n_made + u32::from(is_new) });
        report_to(progress, Event::Masters)
    }

    fn reduce(
        &mut self,
        scanned: &Scanned,
        extent: Extent,
        progress: &dyn Progress,
    ) -> Result<frames::Step, OpsError> {
        let mut done = std::mem::take(&mut self.done);
        let work = self.work(scanned);
        let step = frames::reduce_some(&work, &scanned.science, &mut done, extent, progress);
        self.done = done;
        step
    }

    fn work<'a>(&'a self, scanned: &'a Scanned) -> FrameWork<'a> {
        FrameWork {
            store: &self.workshop.store,
            night: &self.night,
            config: &self.workshop.config,
            library: &self.library.as_ref().expect("masters are made before frames").masters,
            earlier: &self.earlier,
            sky: &self.workshop.sky,
            night_sky: &self.night_sky,
            calibration: &scanned.calibration,
        }
    }

    /// Files that were taken in once and lie no longer in the folder: names and hashes.
    fn gone_files(&mut self) -> Result<Vec<(String, String)>, OpsError> {
        let missing: Vec<FoundFile> =
            self.recorded.values().filter(|f| !self.taken.contains_key(&f.name)).cloned().collect();
        let is_elsewhere = |hash: &str| self.taken.values().any(|t| t.content_hash == hash);
        let (forgotten, gone): (Vec<_>, Vec<_>) = missing.into_iter().partition(|file| {
            self.vanished == Vanished::Forget || is_elsewhere(&file.content_hash)
        });
        let names: Vec<String> = forgotten.into_iter().map(|file| file.name).collect();
        if !names.is_empty() {
            for name in &names {
                self.recorded.remove(name);
            }
            self.workshop.store.forget_names(&self.night, names)?;
        }
        Ok(gone.into_iter().map(|file| (file.name, file.content_hash)).collect())
    }

    /// What was made of files that are gone.
    fn kept_results(&self, gone: &[(String, String)]) -> Result<Vec<FrameResult>, OpsError> {
        let scanned = Scanned::default();
        let work = self.work(&scanned);
        let mut results = Vec::new();
        for (name, hash) in frames_of(gone, &self.workshop.store.read().frames(&self.night)?) {
            let kept = work.kept(hash, None)?.map(|(_, result)| result);
            // Calibration frames have no result of their own, and need none.
            results.extend(kept.filter(|result| result.record.frame == name));
        }
        Ok(results)
    }

    /// Files that changed whenever they were read, as rows of the frame table.
    pub fn give_up(&mut self, files: &[&NightFile], why: &str) {
        for file in files {
            let record = FrameRecord {
                reason: Some(why.to_owned()),
                ..empty_record(&file.name, "", FrameStatus::Failed)
            };
            let found = vec![Found::Failed(Box::new(record))];
            let taken = Taken { stamp: file.stamp, content_hash: String::new(), found };
            self.taken.insert(file.name.clone(), taken);
        }
    }
}
