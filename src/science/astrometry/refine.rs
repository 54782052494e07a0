//! From a first match to the final fit: pairs and model grow in turn.
//!
//! Rounds begin with the bright stars and a radius that forgives distortion; while the number of
//! pairs grows the order of the model may rise, then the radius shrinks to what the residuals
//! need, and with it the lists grow to all stars: at no time are so many stars within the radius
//! that chance pairs matter.

use super::crowding::{Neighbour, pulls_px};
use super::fit::{Fit, FitSetup, PairedStar, fit, order_for, residuals_rad, rms};
use super::matching::{StarGrid, pair_up};
use super::shared::ShareParams;
use super::shared::distortion::order_by_groups;
use super::similarity::Point;
use super::verify::ln_binomial_tail;
use super::{FrameSize, ImageStar, SolveParams};
use crate::science::reference::motion::StarAtEpoch;
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::UnitVector;
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;

/// Rounds of pairing and fitting, at most.
const ROUNDS_MAX: usize = 16;
/// Fraction of the frame that the discs of all stars in use may cover.
const COVERED_MAX: f64 = 0.08;
/// Stars that are used whatever they cover.
const LIST_MIN: usize = 30;
/// Least length of lists from which the odds are computed.
const ODDS_LIST_MIN: usize = 8;
/// Radius of pairing in units of the residuals' scatter per axis.
const RADIUS_SIGMA: f64 = 5.0;
/// Least radius of pairing by order of the fit [px]; low orders leave distortion in.
const RADIUS_MIN_PX: [f64; 4] = [2.0, 2.0, 2.0, 0.6];
/// Growth of the number of pairs below which the radius shrinks.
const GROWTH: f64 = 1.02;
/// Factor by which the radius shrinks in a round, at most.
const SHRINK: f64 = 0.6;
/// Stars with a neighbour this near are left out of the final fit [px].
const CROWDED_PX: f64 = 5.0;
/// ... unless the neighbour is fainter by this much [mag].
const CROWDED_MAG: f64 = 2.5;
/// Least number of pairs that must remain when crowded ones are left out.
const UNCROWDED_MIN: usize = 30;
/// Highest order of the model while pairs grow; higher ones are for the final fit.
const GROWING_ORDER_MAX: usize = 3;
/// Up to so many pairs the order is tested with fits, beyond with their equations.
const CHOICE_PAIRS_MAX: usize = 100;
/// Half-diagonals from the tangent point within which a frame surely lies.
const REACH: f64 = 2.0;
/// Number of groups for the test on stars kept out.
const FOLDS: usize = 5;
/// Pairs that are enough for that test.
const HELD_OUT_MAX: usize = 300;
/// Pairs needed for that test.
const FOLD_PAIRS_MIN: usize = 20;

/// The two lists of a frame and what they are fitted with.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    /// Stars of the frame, brightest first.
    pub stars: &'a [ImageStar],
    /// Reference stars around it, brightest first.
    pub references: &'a [StarAtEpoch],
    /// Their directions.
    pub directions: &'a [UnitVector],
    /// Size of the frame.
    pub size: FrameSize,
    /// Seeing [px].
    pub fwhm_px: Option<f64>,
    /// Pairs that made the first match and are not counted for the odds.
    pub n_makers: usize,
    /// Limits.
    pub params: &'a SolveParams,
}

/// A refined solution.
#[derive(Debug, Clone, PartialEq)]
pub struct Refined {
    /// The final fit.
    pub fit: Fit,
    /// (number of the star, number of the reference star) of the fit's pairs.
    pub pairs: Vec<(usize, usize)>,
    /// Number of reference stars that the solution places on the frame.
    pub n_predicted: usize,
    /// Number of pairs among the stars that were counted for the odds.
    pub n_matches: usize,
    /// Natural logarithm of the probability of so many by chance, trials not counted.
    pub ln_chance: f64,
}

/// Refines a solution whose error is below `radius_px` over most of the frame.
pub fn refine(lists: &Lists<'_>, start: &Wcs, radius_px: f64) -> Option<Refined> {
    let places: Vec<Point> = lists.stars.iter().map(|s| (s.x_px, s.y_px)).collect();
    let mut wcs = start.clone();
    let (mut radius, mut n_before, mut order_max) = (radius_px, 0, 1);
    for _ in 0..ROUNDS_MAX {
        let n = list_length(radius, lists.size);
        let pairs = pairs_at(lists, &places, &predicted(lists, &wcs, n), (n, radius));
        let found = fit_pairs(lists, &wcs, &pairs, order_max)?;
        let scatter_px = scatter_px(lists, &found, &pairs);
        wcs = found.wcs;
        let is_growing = pairs.len() as f64 > GROWTH * n_before as f64 && n_before > 0;
        n_before = pairs.len();
        if order_max < lists.params.order_max.min(GROWING_ORDER_MAX) {
            order_max += 1;
            continue;
        }
        if is_growing {
            continue;
        }
        let wanted = (RADIUS_SIGMA * scatter_px).max(RADIUS_MIN_PX[found.order.min(3)]).min(radius);
        if wanted > 0.95 * radius {
            break;
        }
        radius = wanted.max(SHRINK * radius);
        n_before = 0;
    }
    finish(lists, &places, &wcs, radius)
}

/// The final fit with all stars, and the odds of its pairs.
fn finish(lists: &Lists<'_>, places: &[Point], wcs: &Wcs, radius: f64) -> Option<Refined> {
    let predictions = predicted(lists, wcs, usize::MAX);
    let all = pairs_at(lists, places, &predictions, (usize::MAX, radius));
    let lonely = uncrowded(lists, &predictions, &all, places);
    let pairs = if lonely.len() >= UNCROWDED_MIN { lonely } else { all };
    let stars = drawn(lists, &predictions, &pairs);
    let lists = &Lists { stars: &stars, ..*lists };
    let fit = fit_pairs(lists, wcs, &pairs, lists.params.order_max.min(GROWING_ORDER_MAX))?;
    let fit = chosen(lists, &pairs, fit, radius);
    let (n_matches, ln_chance) = odds(lists, places, &fit, radius);
    Some(Refined { fit, pairs, n_predicted: predictions.len(), n_matches, ln_chance })
}

/// How many of the brightest stars are used with a radius.
pub(super) fn list_length(radius_px: f64, size: FrameSize) -> usize {
    let disc = std::f64::consts::PI * radius_px * radius_px;
    ((COVERED_MAX * size.area_px() / disc) as usize).max(LIST_MIN)
}

/// Pairs (star, reference star) of predictions and the `n` brightest stars within a radius [px].
fn pairs_at(
    lists: &Lists<'_>,
    places: &[Point],
    predictions: &[(usize, Point)],
    (n, radius_px): (usize, f64),
) -> Vec<(usize, usize)> {
    let points: Vec<Point> = predictions.iter().map(|(_, p)| *p).collect();
    let grid = StarGrid::new(&places[..n.min(places.len())], lists.size);
    pair_up(&points, &grid, radius_px)
        .into_iter()
        .map(|(prediction, star)| (star, predictions[prediction].0))
        .collect()
}

/// Numbers and pixels of the `n` brightest reference stars that fall on the frame.
fn predicted(lists: &Lists<'_>, wcs: &Wcs, n: usize) -> Vec<(usize, Point)> {
    let plane = TangentPlane::at(wcs.crval_rad);
    // Beyond this the inverse of the distortion need not be asked for.
    let reach_rad = REACH * lists.size.half_diagonal_px() * wcs.pixel_scale_arcsec() * ARCSEC_RAD;
    lists
        .directions
        .iter()
        .enumerate()
        .filter_map(|(i, v)| plane.project_vector(*v).map(|p| (i, p)))
        .filter(|(_, p)| p.0.abs() <= reach_rad && p.1.abs() <= reach_rad)
        .filter_map(|(i, p)| wcs.plane_to_pixel(p.0, p.1).map(|p| (i, p)))
        .filter(|(_, p)| lists.size.holds(p.0, p.1))
        .take(n)
        .collect()
}

/// Fits pairs with the highest order they allow.
fn fit_pairs(
    lists: &Lists<'_>,
    near: &Wcs,
    pairs: &[(usize, usize)],
    order_max: usize,
) -> Option<Fit> {
    let paired = paired(lists, pairs);
    let order =
        order_for(paired.iter().map(|p| (p.image.x_px, p.image.y_px)), lists.size, order_max);
    fit(&paired, &setup(lists, near, order))
}

fn paired(lists: &Lists<'_>, pairs: &[(usize, usize)]) -> Vec<PairedStar> {
    let pair =
        |&(i, r): &(usize, usize)| PairedStar { image: lists.stars[i], star: lists.references[r] };
    pairs.iter().map(pair).collect()
}

pub(super) fn setup(lists: &Lists<'_>, near: &Wcs, order: usize) -> FitSetup {
    let centre = lists.size.centre_px();
    FitSetup {
        size: lists.size,
        near_rad: near.to_sky(centre.0, centre.1),
        scale_arcsec: near.pixel_scale_arcsec(),
        order,
        floor_mas: lists.params.floor_mas,
    }
}

/// Residuals per axis of the used pairs [px].
fn scatter_px(lists: &Lists<'_>, fit: &Fit, pairs: &[(usize, usize)]) -> f64 {
    let scale_rad = fit.wcs.pixel_scale_arcsec() * ARCSEC_RAD;
    let residuals = residuals_rad(&fit.wcs, &paired(lists, pairs));
    let used = residuals.iter().zip(&fit.is_used).filter(|(_, u)| **u).map(|(r, _)| *r);
    rms(used).unwrap_or(0.0) / scale_rad
}

/// The pairs without a neighbour in either list that could have drawn the centroid.
fn uncrowded(
    lists: &Lists<'_>,
    predictions: &[(usize, Point)],
    pairs: &[(usize, usize)],
    places: &[Point],
) -> Vec<(usize, usize)> {
    let points: Vec<Point> = predictions.iter().map(|(_, p)| *p).collect();
    let (references, stars) =
        (StarGrid::new(&points, lists.size), StarGrid::new(places, lists.size));
    let flux_ratio = 10.0_f64.powf(-0.4 * CROWDED_MAG);
    let is_lonely = |&(star, reference): &(usize, usize)| {
        let own = lists.references[reference];
        let near_reference = references.within(places[star], CROWDED_PX).any(|(k, _)| {
            let other = predictions[k].0;
            let fainter_by =
                lists.references[other].g_mag.zip(own.g_mag).map_or(0.0, |(o, g)| o - g);
            other != reference && fainter_by < CROWDED_MAG
        });
        let near_star = stars
            .within(places[star], CROWDED_PX)
            .any(|(k, _)| k != star && lists.stars[k].flux > flux_ratio * lists.stars[star].flux);
        !near_reference && !near_star
    };
    pairs.iter().filter(|p| is_lonely(p)).copied().collect()
}

/// The frame's stars with the pull of their neighbours added to the errors of their places.
fn drawn(
    lists: &Lists<'_>,
    predictions: &[(usize, Point)],
    pairs: &[(usize, usize)],
) -> Vec<ImageStar> {
    let mut stars = lists.stars.to_vec();
    let Some(fwhm_px) = lists.fwhm_px else { return stars };
    let neighbour =
        |&(r, place_px): &(usize, Point)| Neighbour { place_px, mag: lists.references[r].g_mag };
    let neighbours: Vec<Neighbour> = predictions.iter().map(neighbour).collect();
    let mut pulls = vec![0.0; lists.references.len()];
    for (&(r, _), pull) in predictions.iter().zip(pulls_px(&neighbours, lists.size, fwhm_px)) {
        pulls[r] = pull;
    }
    for &(star, reference) in pairs {
        let err = &mut stars[star].position_err_px;
        *err = err.hypot(pulls[reference]);
    }
    stars
}

/// Pairs among the bright stars and the logarithm of their probability by chance.
///
/// The smallest over lists of several lengths; as many pairs as the model has freedom, or as made
/// the match, are not counted.
fn odds(lists: &Lists<'_>, places: &[Point], fit: &Fit, radius_px: f64) -> (usize, f64) {
    let mut best = (0, 0.0);
    let freedom = ((fit.order + 1) * (fit.order + 2) / 2).max(lists.n_makers);
    let disc = std::f64::consts::PI * radius_px * radius_px / lists.size.area_px();
    let predictions = predicted(lists, &fit.wcs, usize::MAX);
    let mut n = list_length(radius_px, lists.size);
    while n >= ODDS_LIST_MIN {
        let inside = &predictions[..n.min(predictions.len())];
        let pairs = pairs_at(lists, places, inside, (n, radius_px));
        let chance = (n.min(places.len()) as f64 * disc).min(0.5);
        let tail = ln_binomial_tail(
            inside.len().saturating_sub(freedom),
            pairs.len().saturating_sub(freedom),
            chance,
        );
        if tail < best.1 {
            best = (pairs.len(), tail);
        }
        n /= 2;
    }
    best
}

/// The fit of the order that predicts kept-out pairs best, of those that the pairs allow.
fn chosen(lists: &Lists<'_>, pairs: &[(usize, usize)], given: Fit, radius_px: f64) -> Fit {
    if given.order < 2 {
        return given;
    }
    let paired = paired(lists, pairs);
    let places = paired.iter().map(|p| (p.image.x_px, p.image.y_px));
    let highest = order_for(places, lists.size, lists.params.order_max);
    let order = if pairs.len() > CHOICE_PAIRS_MAX {
        let params =
            ShareParams { size: lists.size, order_max: highest, floor_mas: lists.params.floor_mas };
        order_by_groups(&paired, &given, &params)
    } else {
        best_order(lists, pairs, (&given, highest), radius_px)
    };
    match order {
        Some(order) if order != given.order => {
            fit(&paired, &setup(lists, &given.wcs, order)).unwrap_or(given)
        }
        _ => given,
    }
}

/// The order whose fits miss kept-out pairs least.
///
/// Distances count up to the radius of pairing, so that false pairs weigh the same in all.
fn best_order(
    lists: &Lists<'_>,
    pairs: &[(usize, usize)],
    (given, highest): (&Fit, usize),
    radius_px: f64,
) -> Option<usize> {
    let radius_rad = radius_px * given.wcs.pixel_scale_arcsec() * ARCSEC_RAD;
    let misfit = |order: usize| {
        let residuals = held_out_rad(lists, (&given.wcs, order), pairs)?;
        Some(residuals.iter().map(|r| r.0.hypot(r.1).min(radius_rad)).sum::<f64>())
    };
    let all = (1..=highest).filter_map(|order| misfit(order).map(|sum| (order, sum)));
    all.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(order, _)| order)
}

/// Residuals of pairs kept out of the fit, per axis [arcsec]; `None` below 20 used pairs.
///
/// Every fifth pair is predicted by a fit to the others; clipped pairs take no part.
pub fn held_out_rms_arcsec(lists: &Lists<'_>, refined: &Refined) -> Option<f64> {
    let all = refined.pairs.iter().zip(&refined.fit.is_used);
    let used = all.filter(|(_, u)| **u).map(|(p, _)| *p).take(HELD_OUT_MAX);
    let used: Vec<(usize, usize)> = used.collect();
    if used.len() < FOLD_PAIRS_MIN {
        return None;
    }
    let residuals = held_out_rad(lists, (&refined.fit.wcs, refined.fit.order), &used)?;
    rms(residuals.into_iter()).map(|r| r / ARCSEC_RAD)
}

/// Residuals of all pairs [rad], each from a fit of this order without its group.
fn held_out_rad(
    lists: &Lists<'_>,
    (near, order): (&Wcs, usize),
    pairs: &[(usize, usize)],
) -> Option<Vec<(f64, f64)>> {
    let mut residuals = Vec::with_capacity(pairs.len());
    for fold in 0..FOLDS {
        let part = |keep: bool| -> Vec<(usize, usize)> {
            let all = pairs.iter().enumerate();
            all.filter(|(i, _)| (i % FOLDS == fold) == keep).map(|(_, p)| *p).collect()
        };
        let others = fit(&paired(lists, &part(false)), &setup(lists, near, order))?;
        residuals.extend(residuals_rad(&others.wcs, &paired(lists, &part(true))));
    }
    Some(residuals)
}
