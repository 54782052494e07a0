//! Finds frames whose astrometry is worse than the night's, and solves those anew.
//!
//! The measure is the median separation between sources and their nearest catalogue stars. Above
//! the upper fence of the night's box plot a frame is an outlier, as in Automatic-SSOs. It is
//! solved once more by itself; what is still an outlier is kept or dropped by a rule, never by a
//! question.

use rayon::prelude::*;

use super::link::NightFrame;
use super::share_astrometry::{SharedSolution, cameras, size};
use super::solve::{HintParams, image_stars};
use super::stage::Refusal;
use crate::science::astrometry::matching::StarGrid;
use crate::science::astrometry::{Hint, SolveParams, StarField, solve};
use crate::science::box_plot::BoxPlot;
use crate::science::image::stats::median;
use crate::science::reference::{ReferenceError, ReferenceSky};
use crate::science::sky::wcs::Wcs;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Largest separation of a source and its catalogue star: this or a pixel, whichever is larger.
const SEPARATION_MAX_ARCSEC: f64 = 1.0;
/// An outlier is spoiled at so many times the median of the night.
const SPOILED_RATIO: f64 = 3.0;
/// A new solution counts as better when its separation is below so much of the old one.
const BETTER_SHARE: f64 = 0.9;
/// How far an outlier's solution is trusted when it is solved anew.
const POINTING_ERR_DEG: f64 = 0.1;
const SCALE_RANGE: f64 = 0.03;

/// What becomes of frames that stay outliers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutlierRule {
    /// Dropped when their separation is above three times the night's median.
    #[default]
    Spoiled,
    /// All are kept.
    Keep,
    /// All are dropped.
    Drop,
}

/// Parameters of the judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeAstrometryParams {
    /// Whether outliers are solved anew.
    pub is_solved_anew: bool,
    /// What becomes of those that stay outliers.
    pub rule: OutlierRule,
    /// How sources become stars.
    pub hint: HintParams,
    /// Parameters of the new solution.
    pub solve: SolveParams,
}

impl Default for JudgeAstrometryParams {
    fn default() -> Self {
        Self {
            is_solved_anew: true,
            rule: OutlierRule::default(),
            hint: HintParams::default(),
            solve: SolveParams::default(),
        }
    }
}

/// A frame above the fence.
#[derive(Debug)]
pub struct AstrometryOutlier {
    /// Number of the frame.
    pub frame: usize,
    /// What is wrong with it.
    pub why: Refusal,
    /// Whether it is used all the same.
    pub is_kept: bool,
    /// The largest separation that is none of an outlier [arcsec].
    pub fence_arcsec: f64,
}

/// What the night says of its frames' astrometry.
#[derive(Debug, Default)]
pub struct JudgedAstrometry {
    /// Median separation of each frame [arcsec]; `None` where no source has a catalogue star.
    pub separations_arcsec: Vec<Option<f64>>,
    /// Frames that a new solution made better.
    pub solved_anew: Vec<SharedSolution>,
    /// Frames that stay outliers, in order.
    pub outliers: Vec<AstrometryOutlier>,
}

/// Judges the frames of a night, each among those of its camera.
pub fn judge_astrometry(
    frames: &[NightFrame],
    sky: &dyn ReferenceSky,
    params: &JudgeAstrometryParams,
) -> Result<JudgedAstrometry, ReferenceError> {
    let mut judged = JudgedAstrometry {
        separations_arcsec: frames
            .par_iter()
            .map(|frame| separation_arcsec(frame, &frame.wcs, sky))
            .collect::<Result<_, _>>()?,
        ..JudgedAstrometry::default()
    };
    for members in cameras(frames) {
        judge_camera(frames, &members, (sky, params), &mut judged)?;
    }
    judged.outliers.sort_by_key(|outlier| outlier.frame);
    Ok(judged)
}

fn judge_camera(
    frames: &[NightFrame],
    members: &[usize],
    (sky, params): (&dyn ReferenceSky, &JudgeAstrometryParams),
    judged: &mut JudgedAstrometry,
) -> Result<(), ReferenceError> {
    let Some(before) = box_plot(members, judged) else { return Ok(()) };
    if params.is_solved_anew {
        let better: Vec<Option<(SharedSolution, f64)>> = outliers(members, judged, &before)
            .into_par_iter()
            .map(|frame| solve_anew(frame, &frames[frame], sky, params))
            .collect::<Result<_, _>>()?;
        for (solution, separation) in better.into_iter().flatten() {
            let own = &mut judged.separations_arcsec[solution.frame];
            if own.is_none_or(|own| separation < BETTER_SHARE * own) {
                *own = Some(separation);
                judged.solved_anew.push(solution);
            }
        }
    }
    let Some(night) = box_plot(members, judged) else { return Ok(()) };
    for frame in outliers(members, judged, &night) {
        let separation_arcsec = judged.separations_arcsec[frame];
        let is_kept = match params.rule {
            OutlierRule::Keep => true,
            OutlierRule::Drop => false,
            OutlierRule::Spoiled => {
                separation_arcsec.is_some_and(|s| s <= SPOILED_RATIO * night.median())
            }
        };
        let (fence_arcsec, night_arcsec) = (night.upper_fence(), night.median());
        let why = Refusal::BadAstrometry { separation_arcsec, fence_arcsec, night_arcsec };
        judged.outliers.push(AstrometryOutlier { frame, why, is_kept, fence_arcsec });
    }
    Ok(())
}

fn box_plot(members: &[usize], judged: &JudgedAstrometry) -> Option<BoxPlot> {
    BoxPlot::of(members.iter().filter_map(|&i| judged.separations_arcsec[i]))
}

/// Frames above the fence or without any separation.
fn outliers(members: &[usize], judged: &JudgedAstrometry, night: &BoxPlot) -> Vec<usize> {
    let is_outlier =
        |i: &usize| judged.separations_arcsec[*i].is_none_or(|s| s > night.upper_fence());
    members.iter().copied().filter(is_outlier).collect()
}

/// Median separation of a frame's sources from their catalogue stars [arcsec].
fn separation_arcsec(
    frame: &NightFrame,
    wcs: &Wcs,
    sky: &dyn ReferenceSky,
) -> Result<Option<f64>, ReferenceError> {
    let size = size(frame);
    let centre = size.centre_px();
    let scale_arcsec = wcs.pixel_scale_arcsec();
    let radius_rad = 1.05 * size.half_diagonal_px() * scale_arcsec * ARCSEC_RAD;
    let epoch_yr = Epoch::from_mjd_utc(frame.mid_mjd_utc).julian_year();
    let stars = sky.stars_in_cone(wcs.to_sky(centre.0, centre.1), radius_rad, epoch_yr)?;
    let places: Vec<(f64, f64)> =
        stars.iter().filter_map(|star| wcs.to_pixel(star.ra_rad, star.dec_rad)).collect();
    let grid = StarGrid::new(&places, size);
    let reach_px = (SEPARATION_MAX_ARCSEC / scale_arcsec).max(1.0);
    let sources = &frame.catalogue.sources;
    let separations: Vec<f64> = (0..sources.len())
        .filter_map(|i| grid.nearest((sources.x_px[i], sources.y_px[i]), reach_px))
        .map(|(_, distance_px)| distance_px * scale_arcsec)
        .collect();
    Ok(median(&separations))
}

/// A frame's solution by itself, and the separation it leaves [arcsec]; `None` without one.
fn solve_anew(
    number: usize,
    frame: &NightFrame,
    sky: &dyn ReferenceSky,
    params: &JudgeAstrometryParams,
) -> Result<Option<(SharedSolution, f64)>, ReferenceError> {
    let (stars, _) = image_stars(&frame.catalogue.sources, &params.hint);
    let size = size(frame);
    let centre = size.centre_px();
    let scale_arcsec = frame.wcs.pixel_scale_arcsec();
    let hint = Hint {
        pointing_rad: Some(frame.wcs.to_sky(centre.0, centre.1)),
        pointing_err_rad: POINTING_ERR_DEG * DEG_RAD,
        scale_arcsec: Some(scale_arcsec),
        scale_range: SCALE_RANGE,
    };
    let field = StarField {
        stars: &stars,
        size,
        epoch_yr: Epoch::from_mjd_utc(frame.mid_mjd_utc).julian_year(),
        fwhm_px: Some(frame.fwhm_arcsec / scale_arcsec),
    };
    let Ok(found) = solve(&field, &hint, sky, &params.solve) else { return Ok(None) };
    let separation = separation_arcsec(frame, &found.wcs, sky)?;
    let solution = SharedSolution {
        frame: number,
        wcs: found.wcs,
        rms_arcsec: found.rms_arcsec,
        n_used: found.n_used,
    };
    Ok(separation.map(|separation| (solution, separation)))
}

#[cfg(test)]
mod tests;
