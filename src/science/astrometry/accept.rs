//! The last word on a match: refined with all stars, it must be improbable by chance, look like
//! a real frame, and be found a second time by stars that had no part in it.

use std::collections::HashSet;

use super::confirm::disjoint_log_odds;
use super::fit::{Fit, FitSetup, PairedStar, finished, fit, order_for};
use super::refine::{Lists, Refined, held_out_rms_arcsec, refine};
use super::region::{Context, FrameStars, Local, Outcome, Region};
use super::similarity::Similarity;
use super::{ImageStar, NoSolution, Solution, StarSource};
use crate::science::reference::motion::StarAtEpoch;
use crate::science::reference::tiles::ReferenceError;
use crate::science::sky::vector::{UnitVector, unit_vector};
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;

/// Largest ratio of the scales along two directions of a real frame.
const ANISOTROPY_MAX: f64 = 1.06;
/// Largest residual per axis in radii of the first pairing; chance pairs scatter by 0.5.
const CONCENTRATION: f64 = 0.25;
/// Residuals up to this are accepted whatever the radius, per axis [px].
const CONCENTRATION_PX: f64 = 1.0;

/// Least share of the shorter list, stars of the frame or of the catalogue on it, that is paired.
///
/// A match of a few neighbours that are what they seem can still have the rest of the frame wrong.
const SHARE_MIN: f64 = 0.25;
/// Under clouds most of a frame's list may be no stars. The stars it still shows are the brightest
/// of the catalogue: of as many as there are pairs, this share must then be paired.
const BRIGHT_SHARE_MIN: f64 = 0.5;

/// A hypothesis that was worth refining: its map and its pairs (catalogue, frame).
pub struct Match<'a> {
    /// The catalogue stars of the region.
    pub local: &'a Local,
    /// From their tangent plane to pixels.
    pub map: Similarity,
    /// Numbers of the catalogue star and of the frame's bright star.
    pub pairs: Vec<(usize, usize)>,
    /// Natural logarithm of the number of trials so far.
    pub ln_trials: f64,
    /// Number of pairs that made the hypothesis and do not count for it.
    pub n_makers: usize,
}

/// Refines a match with all stars around it; keeps it as the solution when it passes all tests.
pub fn accept(
    context: &Context<'_>,
    region: &Region,
    found: &Match<'_>,
    outcome: &mut Outcome,
) -> Result<(), ReferenceError> {
    let frame = context.frame;
    let Some(start) = first_wcs(frame, region, found) else {
        return Ok(());
    };
    let centre = frame.size.centre_px();
    let radius_rad = 1.05 * frame.size.half_diagonal_px() * start.pixel_scale_arcsec() * ARCSEC_RAD;
    let references = context.sky.brightest_in_cone(
        start.to_sky(centre.0, centre.1),
        radius_rad,
        context.epoch_yr,
        context.params.fit_stars_max,
    )?;
    let directions: Vec<UnitVector> =
        references.iter().map(|s| unit_vector(s.ra_rad, s.dec_rad)).collect();
    let lists = Lists {
        stars: frame.stars,
        references: &references,
        directions: &directions,
        size: frame.size,
        fwhm_px: context.fwhm_px,
        n_makers: found.n_makers,
        params: context.params,
    };
    let Some(refined) = refine(&lists, &start, frame.radius_px) else {
        return Ok(());
    };
    let log_odds = -refined.ln_chance - found.ln_trials;
    if log_odds > outcome.best_log_odds {
        (outcome.best_log_odds, outcome.best_matches) = (log_odds, refined.n_matches);
    }
    if log_odds < context.params.log_odds_min {
        return Ok(());
    }
    let is_plausible = is_plausible(&refined.fit, region)
        && is_concentrated(&refined.fit, frame)
        && is_everywhere(&lists, &refined);
    let second_log_odds = disjoint_log_odds(&lists, &refined, frame.radius_px);
    if is_plausible && second_log_odds.is_none_or(|odds| odds >= context.params.log_odds_min) {
        outcome.solution = Some(solution(&lists, refined, (log_odds, second_log_odds)));
        return Ok(());
    }
    outcome.unverified = Some(NoSolution::Unverified {
        n_pairs: refined.pairs.len(),
        rms_arcsec: refined.fit.rms_arcsec,
        second_log_odds,
    });
    Ok(())
}

/// An affine (for few pairs: similar) solution from the pairs of a hypothesis.
fn first_wcs(frame: &FrameStars<'_>, region: &Region, found: &Match<'_>) -> Option<Wcs> {
    let pair = |&(r, i): &(usize, usize)| {
        let (x_px, y_px) = frame.points[i];
        let image = ImageStar { x_px, y_px, flux: 0.0, position_err_px: frame.radius_px };
        PairedStar { image, star: found.local.stars[r] }
    };
    let paired: Vec<PairedStar> = found.pairs.iter().map(pair).collect();
    let (low, high) = region.scales_rad_per_px;
    let middle = found.map.to_plane(frame.size.centre_px());
    let places = paired.iter().map(|p| (p.image.x_px, p.image.y_px));
    let setup = FitSetup {
        size: frame.size,
        near_rad: found.local.plane.deproject(middle.0, middle.1),
        scale_arcsec: (low * high).sqrt() / ARCSEC_RAD,
        order: order_for(places, frame.size, 1),
        floor_mas: 0.0,
    };
    fit(&paired, &setup).map(|fit| fit.wcs)
}

/// Tells whether scale and shape of a solution are those of a real frame in this search.
fn is_plausible(fit: &Fit, region: &Region) -> bool {
    let [[a, b], [c, d]] = fit.wcs.cd_rad_per_px;
    let scale = (a * d - b * c).abs().sqrt();
    let (low, high) = region.scales_rad_per_px;
    if scale < 0.97 * low || scale > 1.03 * high {
        return false;
    }
    // Singular values s1 >= s2 of CD: s1^2 + s2^2 = sum of squares, s1 s2 = |det|.
    let half_sum = 0.5 * (a * a + b * b + c * c + d * d);
    let difference = (half_sum * half_sum - scale.powi(4)).max(0.0).sqrt();
    let ratio = ((half_sum + difference) / (half_sum - difference)).sqrt();
    ratio < ANISOTROPY_MAX
}

/// Tells whether enough of the stars that should be paired are.
fn is_everywhere(lists: &Lists<'_>, refined: &Refined) -> bool {
    let n_pairs = refined.pairs.len();
    let n_possible = refined.n_predicted.min(lists.stars.len());
    if n_pairs as f64 >= SHARE_MIN * n_possible as f64 {
        return true;
    }
    let is_paired: HashSet<usize> = refined.pairs.iter().map(|&(_, r)| r).collect();
    let is_on_frame = |star: &StarAtEpoch| {
        let place = refined.fit.wcs.to_pixel(star.ra_rad, star.dec_rad);
        place.is_some_and(|p| lists.size.holds(p.0, p.1))
    };
    let references = lists.references.iter().enumerate();
    let bright = references.filter(|(_, star)| is_on_frame(star)).take(n_pairs);
    let n_bright = bright.filter(|(r, _)| is_paired.contains(r)).count();
    n_bright as f64 >= BRIGHT_SHARE_MIN * n_pairs as f64
}

/// Tells whether the pairs lie nearer than those of a chance match would.
fn is_concentrated(fit: &Fit, frame: &FrameStars<'_>) -> bool {
    let rms_px = fit.rms_arcsec / fit.wcs.pixel_scale_arcsec();
    rms_px < (CONCENTRATION * frame.radius_px).max(CONCENTRATION_PX)
}

fn solution(
    lists: &Lists<'_>,
    refined: Refined,
    (log_odds, second_log_odds): (f64, Option<f64>),
) -> Solution {
    let held_out_rms_arcsec = held_out_rms_arcsec(lists, &refined);
    let used = refined.pairs.iter().zip(&refined.fit.is_used).filter(|(_, used)| **used);
    let pairs: Vec<(usize, StarAtEpoch)> =
        used.map(|(&(i, r), _)| (i, lists.references[r])).collect();
    Solution {
        n_used: pairs.len(),
        pairs,
        rms_arcsec: refined.fit.rms_arcsec,
        held_out_rms_arcsec,
        order: refined.fit.order,
        log_odds,
        second_log_odds,
        n_hypotheses: 0,
        star_source: StarSource::Reference,
        wcs: finished(refined.fit.wcs, lists.size),
    }
}
