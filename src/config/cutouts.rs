//! The section `[cutouts]`: what a person blinks.

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawCutouts;
use super::resolved::Config;
use crate::pipeline::artifact::cutout_hdus::{FRAMES_MAX, SIDE_MAX_PX};
use crate::pipeline::cutouts::CutoutParams;

/// Cut-outs of candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct CutoutConfig {
    /// Candidates that get cut-outs.
    pub candidates_max: usize,
    /// Side of a stamp [px]; odd.
    pub side_px: usize,
    /// Frames of a candidate.
    pub frames_max: usize,
    /// Side of a stamp's pixel [arcsec]; the frame's own when none.
    pub scale_arcsec: Option<f64>,
}

impl Default for CutoutConfig {
    fn default() -> Self {
        let CutoutParams { side_px, frames_max, scale_arcsec } = CutoutParams::default();
        Self { candidates_max: 500, side_px, frames_max, scale_arcsec }
    }
}

impl Config {
    /// Parameters of the cut-outs.
    pub fn cutout_params(&self) -> CutoutParams {
        let CutoutConfig { side_px, frames_max, scale_arcsec, .. } = self.cutouts;
        CutoutParams { side_px, frames_max, scale_arcsec }
    }
}

/// Checks `[cutouts]`.
pub(super) fn cutouts(
    raw: &RawCutouts,
    checker: &Checker<'_>,
) -> Result<CutoutConfig, ConfigError> {
    let default = CutoutConfig::default();
    let whole = |key, value, default, min, max: usize| {
        checker.whole(key, value, default, min..=i64::try_from(max).unwrap_or(i64::MAX))
    };
    let side_px = whole("cutouts.side_px", raw.side_px, default.side_px, 15, SIDE_MAX_PX)?;
    Ok(CutoutConfig {
        candidates_max: whole(
            "cutouts.candidates_max",
            raw.candidates_max,
            default.candidates_max,
            0,
            10_000,
        )?,
        // The object's pixel is the middle one: an even side is taken one larger.
        side_px: side_px | 1,
        frames_max: whole("cutouts.frames_max", raw.frames_max, default.frames_max, 2, FRAMES_MAX)?,
        scale_arcsec: checker.optional_number(
            "cutouts.scale_arcsec",
            raw.scale_arcsec,
            0.05..=60.0,
        )?,
    })
}
