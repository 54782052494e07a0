//! From the night's calibration frames to its master library.
//!
//! Groups are worked through one after the other, biases first, since darks and flats need
//! them; only the frames of one group are in memory at a time.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::pipeline::artifact::frame_info::{FrameInfo, FrameKind};
use crate::pipeline::artifact::report::Note;
use crate::science::calib::centre_level;
use crate::science::calib::combine::{CombineError, Combined, combine_flat, combine_level};
use crate::science::calib::gain::{Measured, measure_gain, measure_read_noise_adu, median_of};
use crate::science::calib::qualify::{Fault, FrameStats, frame_stats, judge_flats, judge_levels};
use crate::science::image::Image;

use self::accept::Verdict;
use super::prepare::{key_of, prepared};
use super::{
    CalibrationFrame, EarlierMasters, Geometry, Master, MasterKey, MasterLibrary, MasterOrigin,
    MasterParams,
};

mod accept;
mod files;

/// Pairs of frames that gain and read noise are measured from.
const PAIRS_MAX: usize = 3;

/// Makes the masters of a night from its calibration frames and master files.
///
/// * `load`: reads the raw pixels of a frame [ADU]; called from several threads.
/// * `earlier`: where a bias or dark for flats is looked for when the night has none.
///
/// Frames that cannot be read or are not good are left out with a note; never fails.
pub fn build_masters<E: Display + Send>(
    frames: &[CalibrationFrame],
    load: &(dyn Fn(&CalibrationFrame) -> Result<Image<f32>, E> + Sync),
    earlier: &dyn EarlierMasters,
    params: &MasterParams,
) -> MasterLibrary {
    let mut library = MasterLibrary::default();
    let mut groups: BTreeMap<MasterKey, Vec<&CalibrationFrame>> = BTreeMap::new();
    for frame in frames.iter().filter(|f| !f.is_master) {
        let key = key_of(&frame.info, frame.info.kind, params);
        groups.entry(key).or_default().push(frame);
    }
    for kind in [FrameKind::Bias, FrameKind::Dark, FrameKind::Flat] {
        for (key, group) in groups.iter().filter(|(key, _)| key.kind == kind) {
            let loaded = load_group(group, load, params, &mut library.notes);
            let Some(first) = loaded.first() else {
                continue;
            };
            let info = first.frame.info.clone();
            let mut builder = GroupBuilder { library: &mut library, earlier, params, key, info };
            builder.build(loaded);
        }
        for frame in frames.iter().filter(|f| f.is_master && f.info.kind == kind) {
            match load_one(frame, load, params) {
                Ok(loaded) => files::accept_file(&mut library, loaded, earlier, params),
                Err(note) => library.notes.push(note),
            }
        }
    }
    library
}

/// A frame read, minus overscan, trimmed, as the detector reads it.
struct Loaded<'a> {
    frame: &'a CalibrationFrame,
    pixels: Image<f32>,
    pedestal_adu: f64,
}

fn load_group<'a, E: Display + Send>(
    group: &[&'a CalibrationFrame],
    load: &(dyn Fn(&CalibrationFrame) -> Result<Image<f32>, E> + Sync),
    params: &MasterParams,
    notes: &mut Vec<Note>,
) -> Vec<Loaded<'a>> {
    let mut group = group.to_vec();
    group.sort_by(|a, b| a.name.cmp(&b.name));
    let n_bytes = group.first().map_or(1, |f| (4 * f.info.nx * f.info.ny).max(1));
    let n_fit = (params.group_memory_max_mib << 20) / n_bytes;
    let n_max = params.group_frames_max.min(n_fit).max(1);
    if let Some(left_out) = group.get(n_max..).filter(|rest| !rest.is_empty()) {
        let text = format!("{} frames left out: at most {n_max} are combined", left_out.len());
        notes.push(Note { subject: left_out[0].name.clone(), text });
        group.truncate(n_max);
    }
    let results: Vec<Result<Loaded<'a>, Note>> =
        group.par_iter().map(|frame| load_one(frame, load, params)).collect();
    let mut loaded = Vec::with_capacity(results.len());
    for result in results {
        match result {
            Ok(frame) => loaded.push(frame),
            Err(note) => notes.push(note),
        }
    }
    loaded
}

fn load_one<'a, E: Display>(
    frame: &'a CalibrationFrame,
    load: &(dyn Fn(&CalibrationFrame) -> Result<Image<f32>, E> + Sync),
    params: &MasterParams,
) -> Result<Loaded<'a>, Note> {
    let note = |text: String| Note { subject: frame.name.clone(), text };
    let raw = load(frame).map_err(|e| note(format!("not used: {e}")))?;
    let (pixels, overscan) = prepared(&raw, &frame.info, &params.overscan).ok_or_else(|| {
        note(format!("not used: {} x {} px unlike its header", raw.nx(), raw.ny()))
    })?;
    Ok(Loaded { frame, pixels, pedestal_adu: overscan.map_or(0.0, |o| o.level_adu) })
}

/// Makes one master out of one group.
struct GroupBuilder<'a> {
    library: &'a mut MasterLibrary,
    earlier: &'a dyn EarlierMasters,
    params: &'a MasterParams,
    key: &'a MasterKey,
    /// Header of the first frame.
    info: FrameInfo,
}

impl GroupBuilder<'_> {
    fn build(&mut self, loaded: Vec<Loaded<'_>>) {
        match self.key.kind {
            FrameKind::Bias => self.build_bias(loaded),
            FrameKind::Dark => self.build_dark(loaded),
            FrameKind::Flat => self.build_flat(loaded),
            FrameKind::Science => {}
        }
    }

    fn build_bias(&mut self, loaded: Vec<Loaded<'_>>) {
        let good = self.only_good(loaded, |stats| judge_levels(stats, &self.params.qualify));
        let pairs = good.windows(2).take(PAIRS_MAX);
        let measured: Vec<Measured> =
            pairs.filter_map(|p| measure_read_noise_adu(&p[0].pixels, &p[1].pixels)).collect();
        if let Some(noise) = median_of(&measured) {
            self.measured_mut().read_noise_adu = Some(noise);
        }
        let combined = combine_level(&references(&good), &self.params.combine);
        let has_pedestal = !self.key.geometry.is_overscan_subtracted;
        self.keep(&good, combined, has_pedestal);
    }

    fn build_dark(&mut self, loaded: Vec<Loaded<'_>>) {
        let mut good = self.only_good(loaded, |stats| judge_levels(stats, &self.params.qualify));
        let bias = self.bias();
        if let Some(bias) = &bias {
            good.par_iter_mut().for_each(|f| subtract(&mut f.pixels, &bias.pixels, 1.0));
        }
        let has_pedestal = bias.is_none() && !self.key.geometry.is_overscan_subtracted;
        let combined = combine_level(&references(&good), &self.params.combine);
        self.keep(&good, combined, has_pedestal);
    }

    fn build_flat(&mut self, mut loaded: Vec<Loaded<'_>>) {
        let bias = self.bias().or_else(|| self.dark_with_pedestal());
        let bias_adu =
            bias.as_ref().and_then(|b| frame_stats(&b.pixels)).map_or(0.0, |s| s.level_adu);
        if let Some(bias) = &bias {
            loaded.par_iter_mut().for_each(|f| subtract(&mut f.pixels, &bias.pixels, 1.0));
        } else if !self.key.geometry.is_overscan_subtracted {
            let subject = format!("flat {}", self.filter());
            let text = "made without bias or overscan: its shape is too flat by the share of \
                        the pedestal";
            self.library.notes.push(Note { subject, text: text.to_owned() });
        }
        let has_level = self.key.geometry.is_overscan_subtracted
            || bias.as_ref().is_some_and(|b| b.key.kind == FrameKind::Bias);
        if has_level {
            self.subtract_darks(&mut loaded);
        }
        let pedestal_adu = bias_adu + loaded.first().map_or(0.0, |f| f.pedestal_adu);
        let saturation_adu = self.info.saturation_adu;
        let good = self.only_good(loaded, |stats| {
            judge_flats(stats, pedestal_adu, saturation_adu, &self.params.qualify)
        });
        self.measure_gain(&good);
        let combined = combine_flat(&references(&good), &self.params.combine);
        self.keep(&good, combined, false);
    }

    fn subtract_darks(&self, loaded: &mut [Loaded<'_>]) {
        loaded.par_iter_mut().for_each(|flat| {
            let info = &flat.frame.info;
            if let Some(dark) = self.library.find_dark(info, self.earlier, self.params) {
                let ratio = info.exposure_s / dark.exposure_s;
                subtract(&mut flat.pixels, &dark.pixels, ratio as f32);
            }
        });
    }

    fn bias(&self) -> Option<Arc<Master>> {
        let key = key_of(&self.info, FrameKind::Bias, self.params);
        self.library.find(&key, self.earlier)
    }

    /// A dark that still has its pedestal, of the exposure of these flats ("flat dark").
    fn dark_with_pedestal(&self) -> Option<Arc<Master>> {
        let key = key_of(&self.info, FrameKind::Dark, self.params);
        self.library.find(&key, self.earlier).filter(|m| m.has_pedestal)
    }

    fn measure_gain(&mut self, good: &[Loaded<'_>]) {
        let Some(read_noise) = self.measured_mut().read_noise_adu else {
            return;
        };
        let pairs = good.windows(2).take(PAIRS_MAX);
        let gains: Vec<Measured> = pairs
            .filter_map(|p| measure_gain(&p[0].pixels, &p[1].pixels, read_noise.value))
            .collect();
        let measured = self.measured_mut();
        measured.gain_e_per_adu = measured.gain_e_per_adu.or(median_of(&gains));
    }

    fn measured_mut(&mut self) -> &mut super::MeasuredDetector {
        let geometry: &Geometry = &self.key.geometry;
        let place = self.library.measured.iter().position(|(g, _)| g == geometry);
        let place = place.unwrap_or_else(|| {
            self.library.measured.push((geometry.clone(), Default::default()));
            self.library.measured.len() - 1
        });
        &mut self.library.measured[place].1
    }

    /// Drops frames with a fault, each with a note.
    fn only_good<'f>(
        &mut self,
        loaded: Vec<Loaded<'f>>,
        judge: impl Fn(&[FrameStats]) -> Vec<Option<Fault>>,
    ) -> Vec<Loaded<'f>> {
        let stats: Vec<Option<FrameStats>> =
            loaded.par_iter().map(|f| frame_stats(&f.pixels)).collect();
        let mut reject = |name: &str, why: String| {
            let text = format!("{} frame not used: {why}", kind_name(self.key.kind));
            self.library.notes.push(Note { subject: name.to_owned(), text });
        };
        let mut measured = Vec::with_capacity(loaded.len());
        let mut kept = Vec::with_capacity(loaded.len());
        for (frame, stats) in loaded.into_iter().zip(stats) {
            match stats {
                Some(stats) => {
                    measured.push(stats);
                    kept.push(frame);
                }
                None => reject(&frame.frame.name, "no usable pixels".to_owned()),
            }
        }
        let faults = judge(&measured);
        let mut good = Vec::with_capacity(kept.len());
        for (frame, fault) in kept.into_iter().zip(faults) {
            match fault {
                None => good.push(frame),
                Some(fault) => reject(&frame.frame.name, fault.to_string()),
            }
        }
        good
    }

    /// Judges a combined frame and puts it into the library, or a note why not.
    fn keep(
        &mut self,
        good: &[Loaded<'_>],
        combined: Result<Combined, CombineError>,
        has_pedestal: bool,
    ) {
        let name = self.master_name(good);
        let mut refuse = |text: String| {
            self.library.notes.push(Note { subject: name.clone(), text });
        };
        let combined = match combined {
            Ok(combined) => combined,
            Err(CombineError::NoFrames) => {
                return refuse("not made: no frame of the group is good".to_owned());
            }
            Err(error) => return refuse(format!("not made: {error}")),
        };
        let n = good.len().max(1) as f64;
        let temperatures: Vec<f64> =
            good.iter().filter_map(|f| f.frame.info.temperature_c).collect();
        let master = Master {
            key: self.key.clone(),
            name: name.clone(),
            origin: MasterOrigin::Night,
            pixels: combined.pixels,
            noise: combined.noise,
            frame_noise: combined.frame_noise,
            n_frames: combined.n_frames,
            has_pedestal,
            exposure_s: good.iter().map(|f| f.frame.info.exposure_s).sum::<f64>() / n,
            temperature_c: crate::science::image::stats::median(&temperatures),
            measured: *self.measured_mut(),
            turned: OnceLock::new(),
            bad: OnceLock::new(),
        };
        let levels: Vec<f64> = good.iter().filter_map(|f| centre_level(&f.pixels)).collect();
        match self.judged(&master, crate::science::image::stats::median(&levels)) {
            Verdict::Accepted => self.library.masters.push(Arc::new(master)),
            Verdict::AcceptedAfterChange(text) => {
                self.library.notes.push(Note { subject: name, text });
                self.library.masters.push(Arc::new(master));
            }
            Verdict::Faulty(fault) => {
                let text = format!("not used: {fault}");
                self.library.notes.push(Note { subject: name, text });
            }
            Verdict::Changed(text) => {
                self.library.notes.push(Note { subject: name, text });
                self.library.refused.push(Arc::new(master));
            }
        }
    }

    fn master_name(&self, good: &[Loaded<'_>]) -> String {
        let what = match self.key.kind {
            FrameKind::Flat => format!("flat {}", self.filter()),
            FrameKind::Dark => format!("dark {} s", self.info.exposure_s),
            kind => kind_name(kind).to_owned(),
        };
        let files = match good {
            [] => String::new(),
            [one] => format!(" ({})", one.frame.name),
            [first, .., last] => format!(" ({} to {})", first.frame.name, last.frame.name),
        };
        let n = good.len();
        format!("{what} of {n} frame{}{files}", if n == 1 { "" } else { "s" })
    }

    fn filter(&self) -> &str {
        self.key.filter.as_deref().unwrap_or_default()
    }
}

fn references<'a>(frames: &'a [Loaded<'_>]) -> Vec<&'a Image<f32>> {
    frames.iter().map(|f| &f.pixels).collect()
}

/// Takes `ratio` times a frame of the same shape off another.
fn subtract(from: &mut Image<f32>, what: &Image<f32>, ratio: f32) {
    for (to, v) in from.pixels_mut().iter_mut().zip(what.pixels()) {
        *to -= ratio * v;
    }
}

/// The kind of a frame in words.
fn kind_name(kind: FrameKind) -> &'static str {
    match kind {
        FrameKind::Bias => "bias",
        FrameKind::Dark => "dark",
        FrameKind::Flat => "flat",
        FrameKind::Science => "science",
    }
}
