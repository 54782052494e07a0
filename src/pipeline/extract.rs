//! Sources of a calibrated frame.

use super::calibrate::Calibrated;
use super::stage::{Outcome, Refusal};
use crate::science::detect::{ExtractParams, Extraction, extract_weighted};

/// Extracts the sources of a calibrated frame; refuses a frame without a measurable sky.
pub fn extract_sources(frame: &Calibrated, params: &ExtractParams) -> Outcome<Extraction> {
    let pixels = &frame.pixels;
    let planes = (&pixels.pixels_e, &pixels.variance_e2, &pixels.mask);
    extract_weighted(planes, frame.noise_ratio.as_ref(), params).ok_or(Refusal::NoSky)
}
