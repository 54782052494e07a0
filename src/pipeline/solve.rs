//! Plate solution of a frame from its sources.

use super::artifact::frame_info::FrameInfo;
use super::stage::{Outcome, Refusal};
use crate::science::astrometry::{
    FrameSize, Hint, ImageStar, Skies, Solution, SolveParams, StarField, solve_in,
};
use crate::science::detect::Extraction;
use crate::science::detect::sources::{SourceFlags, Sources};
use crate::science::time::Epoch;
use crate::science::units::DEG_RAD;

/// How far the header's numbers are trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct HintParams {
    /// Error of the header's pointing within which a match is looked for first [deg].
    pub pointing_err_deg: f64,
    /// Error of the header's pixel scale, as a share of it.
    pub scale_range: f64,
    /// Fewest sources to try with.
    pub sources_min: usize,
    /// Error of a centroid that its photon noise does not explain [px].
    pub centroid_floor_px: f64,
}

impl Default for HintParams {
    fn default() -> Self {
        Self { pointing_err_deg: 0.5, scale_range: 0.25, sources_min: 6, centroid_floor_px: 0.03 }
    }
}

/// Finds the plate solution of a frame.
///
/// The pairs of the solution name sources by their index in the extraction.
pub fn solve_frame(
    extraction: &Extraction,
    info: &FrameInfo,
    mid: Epoch,
    skies: &Skies<'_>,
    (hint_params, params): (&HintParams, &SolveParams),
) -> Outcome<Solution> {
    if skies.is_empty() {
        return Err(Refusal::NoReference);
    }
    let (stars, index) = image_stars(&extraction.sources, hint_params);
    if stars.len() < hint_params.sources_min {
        return Err(Refusal::FewSources { found: stars.len(), needed: hint_params.sources_min });
    }
    let hint = Hint {
        pointing_rad: info.pointing_rad,
        pointing_err_rad: hint_params.pointing_err_deg * DEG_RAD,
        scale_arcsec: info.pixel_scale_arcsec,
        scale_range: hint_params.scale_range,
    };
    let size = FrameSize { nx: extraction.signal_e.nx(), ny: extraction.signal_e.ny() };
    let field = StarField {
        stars: &stars,
        size,
        epoch_yr: mid.julian_year(),
        fwhm_px: extraction.psf.map(|p| p.fwhm_px),
    };
    let mut solution =
        solve_in(&field, &hint, skies, params).map_err(|why| Refusal::NotSolved {
            why,
            n_sources: stars.len(),
            fwhm_px: extraction.psf.map(|p| p.fwhm_px),
            ellipticity: extraction.ellipticity,
        })?;
    for pair in &mut solution.pairs {
        pair.0 = index[pair.0];
    }
    Ok(solution)
}

/// Sources fit for astrometry, brightest first, and their indices.
pub(super) fn image_stars(sources: &Sources, params: &HintParams) -> (Vec<ImageStar>, Vec<usize>) {
    /// Centroids of saturated stars are this much worse [px].
    const SATURATED_ERR_PX: f64 = 0.5;
    /// ... and those of which a part is missing. What neighbours do is known from the catalogue.
    const PARTIAL_ERR_PX: f64 = 0.1;
    let partial = SourceFlags::EDGE.with(SourceFlags::MASKED).with(SourceFlags::CENTROID);
    let unfit = SourceFlags::SHARP.with(SourceFlags::TRAIL);
    let mut stars = Vec::new();
    let mut index = Vec::new();
    for i in 0..sources.len() {
        let flags = sources.flags[i];
        // A faint trail may be two faint stars.
        let is_trail = sources.trail_length_px.get(i).is_some_and(|length| length.is_finite());
        let is_faint_trail = is_trail && flags.is_any(SourceFlags::CENTROID);
        if flags.is_any(unfit) || is_faint_trail {
            continue;
        }
        let mut err = sources.position_err_px[i].hypot(params.centroid_floor_px);
        if flags.is_any(SourceFlags::SATURATED) {
            err = err.hypot(SATURATED_ERR_PX);
        }
        if flags.is_any(partial) {
            err = err.hypot(PARTIAL_ERR_PX);
        }
        stars.push(ImageStar {
            x_px: sources.x_px[i],
            y_px: sources.y_px[i],
            flux: sources.flux_e[i],
            position_err_px: err,
        });
        index.push(i);
    }
    let mut order: Vec<usize> = (0..stars.len()).collect();
    order.sort_by(|&a, &b| stars[b].flux.total_cmp(&stars[a].flux).then(a.cmp(&b)));
    (order.iter().map(|&k| stars[k]).collect(), order.iter().map(|&k| index[k]).collect())
}
