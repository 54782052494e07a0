//! The second match: two halves of a solution's stars that share none must find each other.
//!
//! The pairs are dealt out by brightness to two halves. Each half alone is fitted; its solution
//! then predicts where the catalogue stars of the other half should be, and is judged by how
//! improbable their hits are by chance. No star has a part on both sides.

use super::fit::{PairedStar, fit, order_for};
use super::matching::{StarGrid, pair_up};
use super::refine::{Lists, Refined, list_length, setup};
use super::similarity::Point;
use super::verify::ln_binomial_tail;
use crate::science::sky::wcs::Wcs;

/// Pairs from which on a second match is asked for.
pub const PAIRS_MIN: usize = 20;
/// Brightest pairs of which halves are made: enough for any odds.
const PAIRS_MAX: usize = 200;
/// Radii that are tried, in units of the given one.
const RADII: [f64; 3] = [1.0, 0.4, 0.15];
/// ln 3, for having tried three of them.
const LN_RADII: f64 = 1.098_612_288_668_11;
/// Least radius [px].
const RADIUS_MIN_PX: f64 = 1.0;

/// Natural logarithm of the odds that the weaker half's hits are no chance.
///
/// `None` with fewer than [`PAIRS_MIN`] used pairs; `radius_px` is what forgives distortion.
pub fn disjoint_log_odds(lists: &Lists<'_>, refined: &Refined, radius_px: f64) -> Option<f64> {
    let all = refined.pairs.iter().zip(&refined.fit.is_used);
    let mut used: Vec<(usize, usize)> = all.filter(|(_, u)| **u).map(|(p, _)| *p).collect();
    if used.len() < PAIRS_MIN {
        return None;
    }
    used.sort_unstable();
    used.truncate(PAIRS_MAX);
    let half = |parity: usize| -> Vec<(usize, usize)> {
        used.iter().enumerate().filter(|(k, _)| k % 2 == parity).map(|(_, p)| *p).collect()
    };
    let halves = [half(0), half(1)];
    let odds = halves.iter().map(|half| log_odds(lists, refined, half, radius_px));
    Some(odds.fold(f64::INFINITY, f64::min))
}

/// Log-odds of the hits that the solution of `half` has among all stars that are not in it.
fn log_odds(lists: &Lists<'_>, refined: &Refined, half: &[(usize, usize)], radius_px: f64) -> f64 {
    let paired =
        |&(i, r): &(usize, usize)| PairedStar { image: lists.stars[i], star: lists.references[r] };
    let paired: Vec<PairedStar> = half.iter().map(paired).collect();
    let places = paired.iter().map(|p| (p.image.x_px, p.image.y_px));
    let order = order_for(places, lists.size, refined.fit.order);
    let Some(found) = fit(&paired, &setup(lists, &refined.fit.wcs, order)) else {
        return f64::NEG_INFINITY;
    };
    let tail =
        |share: &f64| ln_chance(lists, &found.wcs, half, (share * radius_px).max(RADIUS_MIN_PX));
    let best = RADII.iter().map(tail).fold(0.0, f64::min);
    -best - LN_RADII
}

/// Logarithm of the probability of so many hits within a radius, stars of `half` left out.
fn ln_chance(lists: &Lists<'_>, wcs: &Wcs, half: &[(usize, usize)], radius_px: f64) -> f64 {
    let n_max = list_length(radius_px, lists.size);
    let (mut is_star_used, mut is_reference_used) =
        (vec![false; lists.stars.len()], vec![false; lists.references.len()]);
    for &(star, reference) in half {
        (is_star_used[star], is_reference_used[reference]) = (true, true);
    }
    let stars = lists.stars.iter().zip(&is_star_used).filter(|(_, used)| !**used);
    let places: Vec<Point> = stars.map(|(s, _)| (s.x_px, s.y_px)).take(n_max).collect();
    let references = lists.references.iter().zip(&is_reference_used).filter(|(_, used)| !**used);
    let predictions: Vec<Point> = references
        .filter_map(|(s, _)| wcs.to_pixel(s.ra_rad, s.dec_rad))
        .filter(|p| lists.size.holds(p.0, p.1))
        .take(n_max)
        .collect();
    let hits = pair_up(&predictions, &StarGrid::new(&places, lists.size), radius_px).len();
    let disc = std::f64::consts::PI * radius_px * radius_px / lists.size.area_px();
    let chance = (places.len() as f64 * disc).min(0.5);
    ln_binomial_tail(predictions.len(), hits, chance)
}
