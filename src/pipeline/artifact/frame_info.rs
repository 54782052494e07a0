//! What a raw frame's header says, in the words of the house.

use serde::{Deserialize, Serialize};

use crate::science::time::Epoch;

/// What a raw frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrameKind {
    /// Zero-length exposure, closed shutter.
    Bias,
    /// Long exposure, closed shutter.
    Dark,
    /// Evenly lit exposure of sky or screen.
    Flat,
    /// Exposure of the sky for its own sake.
    Science,
}

/// How the pixels of the file lie on the detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum FlipState {
    /// As the detector reads them.
    #[default]
    AsRead,
    /// Turned by 180 degrees in software after a meridian flip (FLIPSTAT `Flip/Mirror`).
    Turned180,
}

/// A window of the raw frame, 0-based, half open: columns `x0..x1`, rows `y0..y1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Section {
    /// First column [px].
    pub x0: usize,
    /// Column after the last [px].
    pub x1: usize,
    /// First row [px].
    pub y0: usize,
    /// Row after the last [px].
    pub y1: usize,
}

/// Which image a frame is, of a file with several.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileImage {
    /// Number of its HDU; the primary one is 0, as in astropy and ds9.
    pub hdu: u32,
    /// Its number among the images of the file, from 1, as SExtractor counts extensions.
    pub number: u32,
    /// Name of the part of the detector, the same in all files of a camera.
    pub chip: String,
}

impl FileImage {
    /// What stands behind the file's name in the frame's.
    pub fn suffix(&self) -> String {
        format!("[{}]", self.hdu)
    }
}

/// What a raw frame's header says, read by the rules of an instrument profile.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameInfo {
    /// Name of the instrument profile whose rules were used.
    pub profile: String,
    /// What the frame is for.
    pub kind: FrameKind,
    /// Instrument as the header names it, `unknown` when it does not.
    pub instrument: String,
    /// Which image of its file it is, where that has several.
    pub image: Option<FileImage>,
    /// Target as the header names it.
    pub object: Option<String>,
    /// Number of columns of the raw frame [px].
    pub nx: usize,
    /// Number of rows of the raw frame [px].
    pub ny: usize,
    /// Exposure time [s].
    pub exposure_s: f64,
    /// Middle of the exposure; `None` when the header has no usable time.
    pub mid: Option<Epoch>,
    /// Uncertainty of that instant, from the profile [s].
    pub mid_err_s: f64,
    /// Filter, `NONE` when the header has none.
    pub filter: String,
    /// Nominal pointing (RA, Dec), ICRS [rad].
    pub pointing_rad: Option<(f64, f64)>,
    /// Nominal scale of a binned pixel [arcsec/px]; a hint, never trusted.
    pub pixel_scale_arcsec: Option<f64>,
    /// Gain [e-/ADU].
    pub gain_e_per_adu: Option<f64>,
    /// Read noise [e-].
    pub read_noise_e: Option<f64>,
    /// Level at which a raw pixel is no longer linear [ADU].
    pub saturation_adu: Option<f64>,
    /// Overscan region of the raw frame.
    pub overscan: Option<Section>,
    /// Illuminated region of the raw frame; the whole frame when `None`.
    pub trim: Option<Section>,
    /// Binning in x and y [px].
    pub binning: (u32, u32),
    /// Detector temperature [deg C].
    pub temperature_c: Option<f64>,
    /// How the pixels lie on the detector.
    pub flip: FlipState,
    /// First column and row of the read-out window on the detector [binned px].
    pub window_px: (u32, u32),
    /// What the profile allows calibration to do.
    pub allowed: CalibrationRules,
    /// Site (latitude, longitude east) [deg] and height [m], when the header gives it.
    pub site: Option<Site>,
    /// Whether the header says that no sky was seen: a simulator made the frame.
    pub is_simulated: bool,
    /// What had to be guessed or mended, in words for the report.
    pub remarks: Vec<String>,
}

/// What an instrument's profile allows calibration to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationRules {
    /// Whether a gain measured by photon transfer wins over the header's.
    pub is_measured_gain_used: bool,
    /// Whether a measured read noise wins over the header's.
    pub is_measured_noise_used: bool,
    /// Smallest factor that a dark may be multiplied with.
    pub dark_ratio_min: f64,
    /// Largest factor that a dark may be multiplied with.
    pub dark_ratio_max: f64,
}

impl Default for CalibrationRules {
    fn default() -> Self {
        Self {
            is_measured_gain_used: true,
            is_measured_noise_used: true,
            dark_ratio_min: 0.0,
            dark_ratio_max: 2.0,
        }
    }
}

/// Place of the telescope on Earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// Geodetic latitude, north positive [deg].
    pub latitude_deg: f64,
    /// Longitude, east positive [deg].
    pub longitude_deg: f64,
    /// Height above the ellipsoid [m].
    pub height_m: f64,
}
