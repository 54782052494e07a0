//! Master frames of a night: which there are, and which serve a science frame.
//!
//! Calibration frames are grouped by what must be equal (`MasterKey`), judged, and combined by
//! `build`; `select` picks for one science frame. Masters lie as the detector reads: frames that
//! software turned by 180 degrees are turned back before combining, and a turned science frame
//! is served by turned masters. Science frames are never turned. Order of preference: the
//! night's own frames, master files lying in its folder, the newest of earlier nights.

pub mod build;
pub mod prepare;
pub mod select;

use std::sync::{Arc, OnceLock};

use crate::pipeline::artifact::frame_info::{FlipState, FrameInfo, FrameKind};
use crate::pipeline::artifact::report::Note;
use crate::science::calib::combine::CombineParams;
use crate::science::calib::continuity::ContinuityParams;
use crate::science::calib::defects::DefectParams;
use crate::science::calib::gain::Measured;
use crate::science::calib::overscan::OverscanParams;
use crate::science::calib::qualify::QualifyParams;
use crate::science::image::Image;
use crate::science::image::mask::Mask;

/// How masters are made and chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct MasterParams {
    /// Overscan of each frame.
    pub overscan: OverscanParams,
    /// Combination of frames.
    pub combine: CombineParams,
    /// Limits for frames and masters.
    pub qualify: QualifyParams,
    /// Limits for changes since the last accepted master.
    pub continuity: ContinuityParams,
    /// Bad pixels.
    pub defects: DefectParams,
    /// Most frames that go into one master; the first in order of names are taken.
    pub group_frames_max: usize,
    /// Most memory that the frames of one group may take [MiB].
    pub group_memory_max_mib: usize,
    /// Width of a temperature class of darks, and largest difference to a frame served [deg C].
    pub temperature_class_c: f64,
}

impl Default for MasterParams {
    fn default() -> Self {
        Self {
            overscan: OverscanParams::default(),
            combine: CombineParams::default(),
            qualify: QualifyParams::default(),
            continuity: ContinuityParams::default(),
            defects: DefectParams::default(),
            group_frames_max: 32,
            group_memory_max_mib: 1024,
            temperature_class_c: 5.0,
        }
    }
}

/// The pixels of the detector that a calibrated frame consists of, as the detector reads them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Geometry {
    /// Instrument as the header names it.
    pub instrument: String,
    /// Part of the detector, of files with several images; empty for others.
    pub chip: String,
    /// Binning in x and y [px].
    pub binning: (u32, u32),
    /// Columns after trimming [px].
    pub nx: usize,
    /// Rows after trimming [px].
    pub ny: usize,
    /// First column and row in the frame as read [px].
    pub origin_px: (usize, usize),
    /// First column and row of the read-out window on the detector [binned px].
    pub window_px: (u32, u32),
    /// Whether the level of an overscan region is taken off.
    pub is_overscan_subtracted: bool,
}

/// What frames of one master have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MasterKey {
    /// Bias, dark or flat.
    pub kind: FrameKind,
    /// Which pixels.
    pub geometry: Geometry,
    /// Filter of a flat, `NONE` when the header has none; `None` for others.
    pub filter: Option<String>,
    /// Exposure time of a dark [ms]; `None` for others.
    pub exposure_ms: Option<u64>,
    /// Number of the temperature class of a dark; `None` for others or when unknown.
    pub temperature_class: Option<i32>,
}

/// Where a master comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterOrigin {
    /// Combined from the night's own frames.
    Night,
    /// A master file lying in the night's folder.
    File,
    /// Made in an earlier night.
    Earlier {
        /// Identifier of that night.
        night: String,
    },
}

/// A master frame with all that calibration must know about it.
#[derive(Debug)]
pub struct Master {
    /// What it is for.
    pub key: MasterKey,
    /// Name for people, e.g. `bias of 9 frames (bias-001.fits to bias-009.fits)`.
    pub name: String,
    /// Where it comes from.
    pub origin: MasterOrigin,
    /// The frame as the detector reads it: ADU, or 1 at the centre of a flat.
    pub pixels: Image<f32>,
    /// Noise of a pixel, in the unit of the pixels.
    pub noise: f64,
    /// Noise of a pixel of one of the frames combined, in the unit of the pixels.
    pub frame_noise: f64,
    /// Number of frames combined; 1 when unknown.
    pub n_frames: usize,
    /// Whether the bias level is still in it (darks without bias or overscan).
    pub has_pedestal: bool,
    /// Exposure time [s]; 0 for biases.
    pub exposure_s: f64,
    /// Detector temperature [deg C].
    pub temperature_c: Option<f64>,
    /// Gain and read noise measured in the night it was made.
    pub measured: MeasuredDetector,
    /// The frame turned by 180 degrees, made when first asked for; start with `Default`.
    pub turned: OnceLock<Image<f32>>,
    /// Its bad pixels, made when first asked for; start with `Default`.
    pub bad: OnceLock<Mask>,
}

impl Master {
    /// What decides whether it serves.
    pub fn facts(&self) -> MasterFacts {
        let (exposure_s, temperature_c) = (self.exposure_s, self.temperature_c);
        MasterFacts { exposure_s, temperature_c, has_pedestal: self.has_pedestal }
    }

    /// The master for frames whose pixels lie like this.
    pub fn pixels_for(&self, flip: FlipState) -> &Image<f32> {
        match flip {
            FlipState::AsRead => &self.pixels,
            FlipState::Turned180 => self.turned.get_or_init(|| self.pixels.turned_180()),
        }
    }
}

/// What of a master decides whether it serves, besides its key's geometry and filter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MasterFacts {
    /// Exposure time [s]; 0 for biases.
    pub exposure_s: f64,
    /// Detector temperature [deg C].
    pub temperature_c: Option<f64>,
    /// Whether the bias level is still in it.
    pub has_pedestal: bool,
}

/// Finds masters made in earlier nights.
pub trait EarlierMasters: Sync {
    /// The newest accepted master of the key's kind, geometry and filter that fits, or none.
    fn newest(
        &self,
        want: &MasterKey,
        is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>>;

    /// The same among those that were refused because they differed from the one before.
    fn newest_refused(
        &self,
        want: &MasterKey,
        is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>>;
}

/// There are no earlier nights.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEarlierMasters;

impl EarlierMasters for NoEarlierMasters {
    fn newest(
        &self,
        _want: &MasterKey,
        _is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>> {
        None
    }

    fn newest_refused(
        &self,
        _want: &MasterKey,
        _is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>> {
        None
    }
}

/// Gain and read noise as photon transfer shows them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MeasuredDetector {
    /// Gain [e-/ADU].
    pub gain_e_per_adu: Option<Measured>,
    /// Read noise [ADU].
    pub read_noise_adu: Option<Measured>,
}

/// All masters of a night.
#[derive(Debug, Default)]
pub struct MasterLibrary {
    /// The masters, own ones before files, in the order of their keys.
    pub masters: Vec<Arc<Master>>,
    /// Masters that differ too much from the last accepted ones: not used, kept as a memory.
    pub refused: Vec<Arc<Master>>,
    /// Gain and read noise per geometry.
    pub measured: Vec<(Geometry, MeasuredDetector)>,
    /// Frames and masters not used and why, and other remarks.
    pub notes: Vec<Note>,
}

/// One calibration frame of the night.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationFrame {
    /// Name of the file, unique in the night.
    pub name: String,
    /// What its header says.
    pub info: FrameInfo,
    /// Whether it is a master already.
    pub is_master: bool,
}

impl CalibrationFrame {
    /// Wraps a frame; one whose name contains `master` is taken for a master.
    pub fn new(name: impl Into<String>, info: FrameInfo) -> Self {
        let name = name.into();
        let is_master = name.to_ascii_lowercase().contains("master");
        Self { name, info, is_master }
    }
}

/// Exposure time for comparing [ms]: shutters jitter, so from 1 s on it is rounded to 10 ms and
/// from 10 s on to 100 ms; 0 for what is not a time.
pub fn exposure_ms(exposure_s: f64) -> u64 {
    let step_ms = match exposure_s {
        s if s < 1.0 => 1.0,
        s if s < 10.0 => 10.0,
        _ => 100.0,
    };
    // A float cast saturates; NaN and negative times give 0.
    ((exposure_s * 1000.0 / step_ms).round() * step_ms) as u64
}

/// Number of the class that a temperature falls into.
pub fn temperature_class(temperature_c: Option<f64>, width_c: f64) -> Option<i32> {
    let temperature_c = temperature_c.filter(|t| t.is_finite())?;
    (width_c > 0.0).then(|| (temperature_c / width_c).round() as i32)
}

#[cfg(test)]
mod tests;
