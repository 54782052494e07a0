//! Which masters serve a science frame, and what is missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::pipeline::artifact::frame_info::{FlipState, FrameInfo, FrameKind};
use crate::science::calib::defects::{
    add_mask, bad_share, bias_defects, dark_defects, flat_defects,
};
use crate::science::image::mask::Mask;

use super::prepare::{geometry_of, key_of};
use super::{
    EarlierMasters, Geometry, Master, MasterFacts, MasterKey, MasterLibrary, MasterOrigin,
    MasterParams, MeasuredDetector,
};

/// Value of `FrameInfo::filter` when the header has none.
const FILTER_UNKNOWN: &str = "NONE";
/// Value of `FrameInfo::instrument` when the header has none.
const INSTRUMENT_UNKNOWN: &str = "unknown";
/// Exposures closer than this share are equal.
const EXPOSURE_TOLERANCE: f64 = 0.01;
/// A mask that takes more of the frame than this says the master is odd, not the detector.
const BAD_SHARE_MAX: f64 = 0.2;

/// The masters of one science frame.
#[derive(Debug, Clone, Default)]
pub struct MasterSet {
    /// Bias, or a dark of the same exposure that still contains it.
    pub bias: Option<Arc<Master>>,
    /// Dark without bias.
    pub dark: Option<Arc<Master>>,
    /// Exposure of the science frame over that of the dark.
    pub dark_ratio: f64,
    /// Flat.
    pub flat: Option<Arc<Master>>,
    /// Bad pixels, lying as the science frame does.
    pub bad: Option<Arc<Mask>>,
    /// Gain and read noise measured for these pixels.
    pub measured: MeasuredDetector,
    /// What is missing or unusual, in words for the report.
    pub notes: Vec<String>,
}

impl MasterSet {
    /// The masters used, in words for the report.
    pub fn names(&self) -> Vec<String> {
        [&self.bias, &self.dark, &self.flat].into_iter().flatten().map(|m| m.name.clone()).collect()
    }
}

impl MasterLibrary {
    /// Picks the masters for a science frame.
    pub fn select(
        &self,
        info: &FrameInfo,
        earlier: &dyn EarlierMasters,
        params: &MasterParams,
    ) -> MasterSet {
        let mut set = MasterSet { dark_ratio: 1.0, ..MasterSet::default() };
        let geometry = geometry_of(info);
        set.bias = self.find(&key_of(info, FrameKind::Bias, params), earlier);
        self.select_dark(&mut set, info, earlier, params);
        self.select_flat(&mut set, info, earlier, params);
        if set.bias.is_none() {
            set.notes.push(match (geometry.is_overscan_subtracted, set.dark.is_some()) {
                (true, _) => "no bias: overscan used".to_owned(),
                (false, true) => "no bias: the pedestal stays in the frame".to_owned(),
                (false, false) if set.flat.is_some() => {
                    "WARNING: no bias, dark or overscan: the pedestal was divided by the flat, \
                     noise is overestimated"
                        .to_owned()
                }
                (false, false) => "WARNING: no calibration frames: used raw".to_owned(),
            });
        }
        let used = [&set.bias, &set.dark, &set.flat].into_iter().flatten();
        set.notes.extend(used.filter_map(|m| match &m.origin {
            MasterOrigin::Night => None,
            MasterOrigin::File => Some(format!("{} lay ready in the night's folder", m.name)),
            MasterOrigin::Earlier { night } => Some(format!("{} is of night {night}", m.name)),
        }));
        self.add_bad_pixels(&mut set, info.flip, params);
        set.measured = self.measured_for(&geometry);
        for master in [&set.flat, &set.bias].into_iter().flatten() {
            let (own, last) = (&mut set.measured, master.measured);
            own.gain_e_per_adu = own.gain_e_per_adu.or(last.gain_e_per_adu);
            own.read_noise_adu = own.read_noise_adu.or(last.read_noise_adu);
        }
        set
    }

    /// Gain and read noise measured for these pixels.
    pub fn measured_for(&self, geometry: &Geometry) -> MeasuredDetector {
        self.measured.iter().find(|(g, _)| g == geometry).map(|(_, m)| *m).unwrap_or_default()
    }

    /// The night's own master, a file's, or that of an earlier night with exactly this key.
    pub(super) fn find(
        &self,
        want: &MasterKey,
        earlier: &dyn EarlierMasters,
    ) -> Option<Arc<Master>> {
        let own = self.masters.iter().find(|m| {
            serves(m, want.kind, &want.geometry)
                && m.key.filter == want.filter
                && m.key.exposure_ms == want.exposure_ms
        });
        let of_earlier = || earlier.newest(want, &|_| true);
        own.cloned().or_else(|| of_earlier().filter(|m| serves(m, want.kind, &want.geometry)))
    }

    /// The best dark without pedestal: nearest exposure, longer ones first.
    pub(super) fn find_dark(
        &self,
        info: &FrameInfo,
        earlier: &dyn EarlierMasters,
        params: &MasterParams,
    ) -> Option<Arc<Master>> {
        let key = key_of(info, FrameKind::Dark, params);
        let is_fit = |m: &MasterFacts| {
            !m.has_pedestal
                && m.exposure_s > 0.0
                && has_temperature(m, info.temperature_c, params.temperature_class_c)
                && may_scale(info, m.exposure_s)
        };
        let distance = |m: &Arc<Master>| {
            let ratio = info.exposure_s / m.exposure_s;
            // Scaling down divides the noise of the dark, scaling up multiplies it.
            if ratio > 1.0 { 10.0 * (ratio - 1.0) } else { 1.0 - ratio }
        };
        let serves = |m: &Arc<Master>| serves(m, FrameKind::Dark, &key.geometry);
        let own = self.masters.iter().filter(|m| serves(m) && is_fit(&m.facts()));
        own.min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .cloned()
            .or_else(|| earlier.newest(&key, &is_fit).filter(serves))
    }

    fn select_dark(
        &self,
        set: &mut MasterSet,
        info: &FrameInfo,
        earlier: &dyn EarlierMasters,
        params: &MasterParams,
    ) {
        let geometry = geometry_of(info);
        let has_level = set.bias.is_some() || geometry.is_overscan_subtracted;
        if has_level && let Some(dark) = self.find_dark(info, earlier, params) {
            set.dark_ratio = info.exposure_s / dark.exposure_s;
            set.dark = Some(dark);
            return;
        }
        let darks: Vec<&Arc<Master>> =
            self.masters.iter().filter(|m| serves(m, FrameKind::Dark, &geometry)).collect();
        let same_exposure = darks.iter().find(|m| {
            m.has_pedestal
                && has_temperature(&m.facts(), info.temperature_c, params.temperature_class_c)
                && (m.exposure_s - info.exposure_s).abs() <= EXPOSURE_TOLERANCE * info.exposure_s
        });
        if let (None, Some(dark)) = (&set.bias, same_exposure) {
            set.bias = Some(Arc::clone(dark));
            set.notes.push("the dark of the same exposure serves as bias and dark".to_owned());
            return;
        }
        let at_temperature = |m: &Master| {
            has_temperature(&m.facts(), info.temperature_c, params.temperature_class_c)
        };
        set.notes.push(match darks.iter().find(|m| at_temperature(m)).or(darks.first()) {
            None => "no dark: none subtracted".to_owned(),
            Some(m) if at_temperature(m) && has_level && !may_scale(info, m.exposure_s) => format!(
                "dark of {} s not used for {} s: the profile allows factors of {} to {}",
                m.exposure_s,
                info.exposure_s,
                info.allowed.dark_ratio_min,
                info.allowed.dark_ratio_max
            ),
            Some(m) if m.has_pedestal && set.bias.is_none() => format!(
                "dark of {} s not used: without a bias it cannot be scaled to {} s",
                m.exposure_s, info.exposure_s
            ),
            Some(m) => format!(
                "dark at {} not used for a frame at {}",
                temperature_text(m.temperature_c),
                temperature_text(info.temperature_c)
            ),
        });
    }

    fn select_flat(
        &self,
        set: &mut MasterSet,
        info: &FrameInfo,
        earlier: &dyn EarlierMasters,
        params: &MasterParams,
    ) {
        let mut key = key_of(info, FrameKind::Flat, params);
        let filters: BTreeSet<&str> = self
            .masters
            .iter()
            .filter(|m| serves(m, FrameKind::Flat, &key.geometry))
            .filter_map(|m| m.key.filter.as_deref())
            .collect();
        if info.filter == FILTER_UNKNOWN && filters.len() == 1 {
            let only = filters.first().map(|&f| f.to_owned()).unwrap_or_default();
            if only != FILTER_UNKNOWN {
                set.notes
                    .push(format!("filter unknown: the flat of {only}, the only one, is used"));
            }
            key.filter = Some(only);
        }
        set.flat = self.find(&key, earlier);
        if set.flat.is_some() {
            return;
        }
        let there: Vec<&str> = filters.into_iter().collect();
        set.notes.push(if there.is_empty() {
            "no flat: not divided".to_owned()
        } else if info.filter == FILTER_UNKNOWN {
            format!("no flat used: filter unknown, there are flats of {}", there.join(", "))
        } else {
            format!("no flat of filter {}: not divided (there: {})", info.filter, there.join(", "))
        });
    }

    fn add_bad_pixels(&self, set: &mut MasterSet, flip: FlipState, params: &MasterParams) {
        let mut all: Option<Mask> = None;
        let used = [&set.bias, &set.dark, &set.flat].into_iter().flatten();
        for master in used {
            let bad = master.bad.get_or_init(|| bad_pixels(master, params));
            let share = bad_share(bad);
            if share > BAD_SHARE_MAX {
                set.notes.push(format!(
                    "bad pixels of {} not used: {:.0} % of the frame",
                    master.name,
                    100.0 * share
                ));
                continue;
            }
            match &mut all {
                Some(all) => add_mask(all, bad),
                None => all = Some(bad.clone()),
            }
        }
        set.bad = all.map(|mask| match flip {
            FlipState::AsRead => Arc::new(mask),
            FlipState::Turned180 => Arc::new(mask.turned_180()),
        });
    }
}

fn bad_pixels(master: &Master, params: &MasterParams) -> Mask {
    match master.key.kind {
        FrameKind::Flat => flat_defects(&master.pixels, &params.defects),
        FrameKind::Dark => dark_defects(&master.pixels, master.noise, &params.defects),
        FrameKind::Bias | FrameKind::Science => {
            bias_defects(&master.pixels, master.frame_noise, &params.defects)
        }
    }
}

/// Whether a master of this kind can be used for these pixels.
///
/// A master file may have lost where it was cut out; a flat or a dark without pedestal does not
/// care how the pedestal was taken off.
fn serves(master: &Master, kind: FrameKind, geometry: &Geometry) -> bool {
    let own = &master.key.geometry;
    let is_free_of_level = kind == FrameKind::Flat || !master.has_pedestal;
    let is_nameless_file =
        master.origin == MasterOrigin::File && own.instrument == INSTRUMENT_UNKNOWN;
    master.key.kind == kind
        && (own.instrument == geometry.instrument || is_nameless_file)
        && own.chip == geometry.chip
        && own.binning == geometry.binning
        && (own.nx, own.ny) == (geometry.nx, geometry.ny)
        && (master.pixels.nx(), master.pixels.ny()) == (geometry.nx, geometry.ny)
        && (master.origin == MasterOrigin::File
            || (own.origin_px, own.window_px) == (geometry.origin_px, geometry.window_px))
        && ((kind != FrameKind::Bias && is_free_of_level)
            || own.is_overscan_subtracted == geometry.is_overscan_subtracted)
}

/// Whether a dark may be multiplied to fit a frame; equal exposures always may.
fn may_scale(info: &FrameInfo, dark_exposure_s: f64) -> bool {
    let ratio = info.exposure_s / dark_exposure_s;
    let allowed = &info.allowed;
    (ratio - 1.0).abs() <= EXPOSURE_TOLERANCE
        || (allowed.dark_ratio_min..=allowed.dark_ratio_max).contains(&ratio)
}

fn has_temperature(master: &MasterFacts, temperature_c: Option<f64>, width_c: f64) -> bool {
    match (master.temperature_c, temperature_c) {
        (Some(a), Some(b)) => (a - b).abs() <= width_c,
        _ => true,
    }
}

fn temperature_text(temperature_c: Option<f64>) -> String {
    temperature_c.map_or_else(|| "unknown temperature".to_owned(), |t| format!("{t:.0} C"))
}
