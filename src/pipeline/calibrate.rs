//! One raw science frame into a calibrated one: which steps, with which numbers, and in words.
//!
//! Calibrated pixel = raw pixel + `ltv_px`; the frame is cut, never turned or resampled. Gain,
//! read noise and saturation come from [`numbers`].

pub mod clean;
mod numbers;
pub mod weights;

use thiserror::Error;

use self::numbers::Numbers;
use crate::pipeline::artifact::frame_info::{FlipState, FrameInfo};
use crate::pipeline::masters::prepare::{overscan_of, trim_window};
use crate::pipeline::masters::select::MasterSet;
use crate::science::calib::apply::{
    CalibratedPixels, Corrections, Detector, TrimWindow, calibrate_pixels,
};
use crate::science::calib::overscan::{Overscan, OverscanParams};
use crate::science::image::Image;

/// How frames are calibrated.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrateParams {
    /// Overscan of each frame.
    pub overscan: OverscanParams,
    /// Gain when neither header nor photon transfer gives one [e-/ADU].
    pub gain_assumed_e_per_adu: f64,
    /// Read noise when neither header, biases nor overscan give one [e-].
    pub read_noise_assumed_e: f64,
    /// Relative difference of measured and header values from which the measured ones count.
    pub disagreement: f64,
    /// A gain measured with a larger relative error is only reported.
    pub gain_error_share_max: f64,
    /// A plateau of the brightest value below this is not saturation [ADU].
    pub plateau_level_min_adu: f32,
    /// Fewest pixels of equal, largest value that make a plateau.
    pub plateau_pixels_min: usize,
}

impl Default for CalibrateParams {
    fn default() -> Self {
        Self {
            overscan: OverscanParams::default(),
            gain_assumed_e_per_adu: 1.0,
            read_noise_assumed_e: 10.0,
            disagreement: 0.1,
            gain_error_share_max: 0.05,
            plateau_level_min_adu: 30_000.0,
            plateau_pixels_min: 5,
        }
    }
}

/// A calibrated science frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// Electrons, variance and mask.
    pub pixels: CalibratedPixels,
    /// Calibrated pixel = raw pixel + this, per axis [px].
    pub ltv_px: (f64, f64),
    /// Steps taken, in words with the masters' names.
    pub steps: Vec<String>,
    /// Remarks for the report; what weakens the result begins with `WARNING`.
    pub notes: Vec<String>,
    /// Noise of each pixel over a typical one's, where a map of weights tells it.
    pub noise_ratio: Option<Image<f32>>,
    /// Gain used [e-/ADU].
    pub gain_e_per_adu: f64,
    /// Read noise used [e-].
    pub read_noise_e: f64,
    /// Saturation level of the raw frame used [ADU]; `None` when there was no sign of one.
    pub saturation_adu: Option<f64>,
}

/// Why a frame could not be calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CalibrateError {
    /// The pixels read are not as many as the header says.
    #[error("frame has {found_nx} x {found_ny} px, its header says {nx} x {ny}")]
    SizeDiffers {
        /// Columns found [px].
        found_nx: usize,
        /// Rows found [px].
        found_ny: usize,
        /// Columns by the header [px].
        nx: usize,
        /// Rows by the header [px].
        ny: usize,
    },
    /// A master has another shape than the frame after trimming.
    #[error("a master does not fit the trimmed frame of {nx} x {ny} px")]
    MasterMisfit {
        /// Columns after trimming [px].
        nx: usize,
        /// Rows after trimming [px].
        ny: usize,
    },
}

/// Calibrates a science frame with its masters.
pub fn calibrate(
    raw: &Image<f32>,
    info: &FrameInfo,
    masters: &MasterSet,
    params: &CalibrateParams,
) -> Result<Calibrated, CalibrateError> {
    let (nx, ny) = (info.nx, info.ny);
    if (raw.nx(), raw.ny()) != (nx, ny) || nx == 0 || ny == 0 {
        return Err(CalibrateError::SizeDiffers { found_nx: raw.nx(), found_ny: raw.ny(), nx, ny });
    }
    let mut notes = masters.notes.clone();
    let window = trim_window(info);
    if info.trim.is_some() && window.columns.len() == nx && window.rows.len() == ny {
        notes.push("trim section covers or leaves the frame: nothing cut".to_owned());
    }
    let overscan = overscan_of(raw, info, &params.overscan);
    if info.overscan.is_some() && overscan.is_none() {
        notes.push("overscan section unusable: not subtracted".to_owned());
    }
    let numbers = Numbers::of(raw, info, masters, (overscan.as_ref(), params), &mut notes);
    let corrections = corrections_of(masters, info.flip, overscan.as_ref());
    let detector = Detector {
        gain_e_per_adu: numbers.gain as f32,
        read_noise_e: numbers.read_noise_e as f32,
        saturation_adu: numbers.saturation_adu.map_or(f32::INFINITY, |s| s as f32),
    };
    let pixels = calibrate_pixels(raw, &window, &corrections, &detector)
        .ok_or(CalibrateError::MasterMisfit { nx: window.columns.len(), ny: window.rows.len() })?;
    Ok(Calibrated {
        pixels,
        ltv_px: (0.0 - window.columns.start as f64, 0.0 - window.rows.start as f64),
        steps: steps_taken(info, &window, overscan.as_ref(), masters, &numbers),
        notes,
        noise_ratio: None,
        gain_e_per_adu: numbers.gain,
        read_noise_e: numbers.read_noise_e,
        saturation_adu: numbers.saturation_adu,
    })
}

/// The masters' pixels as the frame's lie, and their noise.
fn corrections_of<'a>(
    masters: &'a MasterSet,
    flip: FlipState,
    overscan: Option<&'a Overscan>,
) -> Corrections<'a> {
    // A dark contains less of the bias that was taken off it: with t times the dark, 1 - t of that
    // bias is taken off the frame.
    let has_same_bias = match (&masters.bias, &masters.dark) {
        (Some(bias), Some(dark)) => bias.origin == dark.origin,
        _ => false,
    };
    let bias_share = if has_same_bias { (1.0 - masters.dark_ratio).abs() } else { 1.0 };
    let bias_noise = masters.bias.as_ref().map_or(0.0, |b| b.noise * bias_share);
    let dark_noise = masters.dark.as_ref().map_or(0.0, |d| d.noise * masters.dark_ratio);
    Corrections {
        overscan_adu: overscan.map(|o| o.per_row_adu.as_slice()),
        bias_adu: masters.bias.as_ref().map(|m| m.pixels_for(flip)),
        dark_adu: masters.dark.as_ref().map(|m| (m.pixels_for(flip), masters.dark_ratio as f32)),
        flat: masters.flat.as_ref().map(|m| m.pixels_for(flip)),
        bad: masters.bad.as_deref(),
        master_noise_adu: bias_noise.hypot(dark_noise) as f32,
        flat_noise: masters.flat.as_ref().map_or(0.0, |f| f.noise as f32),
    }
}

fn steps_taken(
    info: &FrameInfo,
    window: &TrimWindow,
    overscan: Option<&Overscan>,
    masters: &MasterSet,
    numbers: &Numbers,
) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(overscan) = overscan {
        let how = if overscan.is_by_row { "row by row" } else { "as one level" };
        steps.push(format!("overscan of {:.1} ADU subtracted {how}", overscan.level_adu));
    }
    let (columns, rows) = (&window.columns, &window.rows);
    if columns.len() != info.nx || rows.len() != info.ny {
        steps.push(format!(
            "trimmed to columns {} to {}, rows {} to {} (counted from 0)",
            columns.start,
            columns.end - 1,
            rows.start,
            rows.end - 1
        ));
    }
    let turned = match info.flip {
        FlipState::AsRead => "",
        FlipState::Turned180 => ", turned by 180 degrees to fit the frame",
    };
    if let Some(bias) = &masters.bias {
        steps.push(format!("subtracted {}{turned}", bias.name));
    }
    if let Some(dark) = &masters.dark {
        let ratio = masters.dark_ratio;
        steps.push(format!("subtracted {ratio:.3} x {}{turned}", dark.name));
    }
    if let Some(flat) = &masters.flat {
        steps.push(format!("divided by {}{turned}", flat.name));
    }
    let (gain, noise) = (numbers.gain, numbers.read_noise_e);
    steps.push(format!("gain {gain:.3} e-/ADU, read noise {noise:.1} e-"));
    steps
}

#[cfg(test)]
mod tests;
