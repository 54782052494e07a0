//! Weighted, clipped least-squares fit of a TAN-SIP solution to paired stars.
//!
//! Standard coordinates are polynomials of the pixel; the constant terms move the tangent point
//! until they vanish, the linear ones become CD, the rest SIP. Terms of distortion are damped
//! towards what optics do, which matters only where stars are few. Errors:
//! sigma^2 = centroid^2 + catalogue^2 + floor^2; the first rounds weigh by Huber's function, the
//! later ones clip at 3.5 sigma in two dimensions (0.2 % of good stars).

use super::similarity::Similarity;
use super::{FrameSize, ImageStar};
use crate::science::reference::motion::StarAtEpoch;
use crate::science::sky::least_squares::NormalEquations;
use crate::science::sky::polynomial::{Polynomial, TERMS_MAX, exponents, term_count, terms_into};
use crate::science::sky::sip::{PixelRange, Sip};
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::{UnitVector, unit_vector};
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;

/// Rounds of weighing and clipping, at most.
const ROUNDS_MAX: usize = 25;
/// Rounds with Huber's weights before clipping begins.
const HUBER_ROUNDS: usize = 4;
/// Where Huber's weights begin to fall [sigma].
const HUBER_SIGMA: f64 = 1.5;
/// Two-dimensional residual beyond which a star is left out [sigma].
const CLIP_SIGMA: f64 = 3.5;
/// Median of the length of a two-dimensional unit normal vector, sqrt(2 ln 2).
const RAYLEIGH_MEDIAN: f64 = 1.177_410_022_515_474_6;
/// Width of the damping of quadratic terms, as a tilt makes them, at the frame's edge [px].
const TILT_PX: f64 = 0.5;
/// Width of the damping of cubic terms at the edge [px]; most optics distort along the radius.
const RADIAL_PX: f64 = 10.0;
/// Width of the damping of cubic terms that are not radial, at the edge [px].
const NOT_RADIAL_PX: f64 = 0.1;
/// Constant terms at which the tangent point has settled [rad]: 2e-7 arcsec.
const SETTLED_RAD: f64 = 1e-12;
/// Centroid errors are held within these limits [px].
const CENTROID_ERR_PX: (f64, f64) = (0.003, 5.0);
/// Centroid error of stars that tell none [px].
const CENTROID_ERR_UNKNOWN_PX: f64 = 0.3;
/// Least stars for a similarity, an affine map, and orders 2 to 5.
///
/// Orders 4 and 5 are for frames whose order is chosen by equations, see `refine`.
const STARS_NEEDED: [usize; 6] = [2, 6, 12, 18, 101, 101];
/// Cells of a 3 x 3 raster over the frame that must hold stars for orders 2 to 5.
const CELLS_NEEDED: [usize; 6] = [0, 0, 5, 6, 9, 9];

/// A star of the frame and the catalogue star it is taken for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedStar {
    /// The star of the frame.
    pub image: ImageStar,
    /// The star of the catalogue.
    pub star: StarAtEpoch,
}

/// A fitted solution.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// From pixels to the sky.
    pub wcs: Wcs,
    /// Whether a pair was used, in the order given.
    pub is_used: Vec<bool>,
    /// Residuals (catalogue minus fit, east and north) [arcsec], in the order given.
    pub residuals_arcsec: Vec<(f64, f64)>,
    /// Root mean square of the used residuals per axis [arcsec].
    pub rms_arcsec: f64,
    /// Order of the polynomial; 0 is a similarity.
    pub order: usize,
    /// Scatter in units of the expected errors (robust).
    pub scatter: f64,
}

/// What a fit is told beside its stars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitSetup {
    /// Size of the frame.
    pub size: FrameSize,
    /// Direction (RA, Dec) near the middle of the frame [rad].
    pub near_rad: (f64, f64),
    /// Scale, good to some per cent [arcsec/px].
    pub scale_arcsec: f64,
    /// Order of the polynomial; 0 is a similarity.
    pub order: usize,
    /// Scatter of star places beside the errors given, per axis [mas].
    pub floor_mas: f64,
}

/// The highest order that number and spread of stars allow, at most `order_max`.
pub fn order_for(
    stars: impl Iterator<Item = (f64, f64)>,
    size: FrameSize,
    order_max: usize,
) -> usize {
    let third = |at: f64, n: usize| ((at + 0.5) / n as f64 * 3.0).clamp(0.0, 2.0) as usize;
    let (mut count, mut is_occupied) = (0, [false; 9]);
    for (x, y) in stars {
        count += 1;
        is_occupied[third(y, size.ny) * 3 + third(x, size.nx)] = true;
    }
    let cells = is_occupied.iter().filter(|o| **o).count();
    (0..=order_max.min(5))
        .rev()
        .find(|&order| count >= STARS_NEEDED[order] && cells >= CELLS_NEEDED[order])
        .unwrap_or(0)
}

/// Fits a solution to pairs; `None` when they are too few or degenerate.
pub fn fit(pairs: &[PairedStar], setup: &FitSetup) -> Option<Fit> {
    let sigma: Vec<f64> = pairs.iter().map(|p| sigma_rad(p, setup)).collect();
    let directions: Vec<UnitVector> =
        pairs.iter().map(|p| unit_vector(p.star.ra_rad, p.star.dec_rad)).collect();
    let mut wcs = Wcs {
        crval_rad: setup.near_rad,
        crpix_px: setup.size.centre_px(),
        cd_rad_per_px: [[0.0; 2]; 2],
        sip: None,
    };
    let mut is_used = vec![true; pairs.len()];
    let mut factors = vec![1.0; pairs.len()];
    let mut state = None;
    for round in 0..ROUNDS_MAX {
        let weights: Vec<f64> = (0..pairs.len())
            .map(|i| if is_used[i] { factors[i] / (sigma[i] * sigma[i]) } else { 0.0 })
            .collect();
        let shift_rad = step(&mut wcs, (pairs, &directions), &weights, setup)?;
        let residuals = residuals_of(&wcs, pairs, &directions);
        let lengths: Vec<f64> = residuals.iter().zip(&sigma).map(|(r, s)| length(*r) / s).collect();
        let scatter = median(lengths.iter().zip(&is_used).filter(|(_, u)| **u).map(|(l, _)| *l))?
            / RAYLEIGH_MEDIAN;
        let unit = scatter.max(1.0);
        let before = is_used.clone();
        for i in 0..pairs.len() {
            let length = lengths[i] / unit;
            factors[i] = if round < HUBER_ROUNDS { (HUBER_SIGMA / length).min(1.0) } else { 1.0 };
            is_used[i] = round < HUBER_ROUNDS || length <= CLIP_SIGMA;
        }
        state = Some((residuals, before.clone(), scatter));
        let is_settled = shift_rad < SETTLED_RAD && before == is_used;
        if round > HUBER_ROUNDS && is_settled {
            break;
        }
    }
    let (residuals, is_used, scatter) = state?;
    let residuals_arcsec: Vec<(f64, f64)> =
        residuals.iter().map(|r| (r.0 / ARCSEC_RAD, r.1 / ARCSEC_RAD)).collect();
    let rms_arcsec =
        rms(residuals_arcsec.iter().zip(&is_used).filter(|(_, u)| **u).map(|(r, _)| *r))?;
    Some(Fit { wcs, is_used, residuals_arcsec, rms_arcsec, order: setup.order, scatter })
}

/// Expected error of a pair per axis [rad].
pub(super) fn sigma_rad(pair: &PairedStar, setup: &FitSetup) -> f64 {
    let given = pair.image.position_err_px;
    let centroid_px = if given.is_finite() && given > 0.0 {
        given.clamp(CENTROID_ERR_PX.0, CENTROID_ERR_PX.1)
    } else {
        CENTROID_ERR_UNKNOWN_PX
    };
    let catalogue_arcsec = pair.star.position_err_mas.abs().min(1e6) / 1000.0;
    let floor_arcsec = setup.floor_mas / 1000.0;
    let arcsec = (centroid_px * setup.scale_arcsec).hypot(catalogue_arcsec).hypot(floor_arcsec);
    arcsec * ARCSEC_RAD
}

/// Scatter of used residuals [rad] in units of the expected errors (robust).
pub(super) fn scatter(
    pairs: &[PairedStar],
    residuals: &[(f64, f64)],
    is_used: &[bool],
    setup: &FitSetup,
) -> Option<f64> {
    let all = pairs.iter().zip(residuals).zip(is_used).filter(|(_, used)| **used);
    let lengths = all.map(|((pair, r), _)| r.0.hypot(r.1) / sigma_rad(pair, setup));
    Some(median(lengths)? / RAYLEIGH_MEDIAN)
}

/// One linear fit around the present tangent point; moves it and tells by how much [rad].
fn step(
    wcs: &mut Wcs,
    (pairs, directions): (&[PairedStar], &[UnitVector]),
    weights: &[f64],
    setup: &FitSetup,
) -> Option<f64> {
    let plane = TangentPlane::at(wcs.crval_rad);
    let half_px = 0.5 * setup.size.nx.max(setup.size.ny) as f64;
    let rows: Vec<Row> = pairs
        .iter()
        .zip(directions)
        .zip(weights)
        .filter(|(_, w)| **w > 0.0)
        .filter_map(|((p, v), w)| {
            let target = plane.project_vector(*v)?;
            let (x, y) = (p.image.x_px - wcs.crpix_px.0, p.image.y_px - wcs.crpix_px.1);
            Some(((x / half_px, y / half_px), target, *w))
        })
        .collect();
    if rows.len() < STARS_NEEDED[0] {
        return None;
    }
    let [xi, eta] =
        if setup.order == 0 { similarity_terms(&rows)? } else { polynomial_terms(&rows, setup)? };
    let linear = [[xi[1] / half_px, xi[2] / half_px], [eta[1] / half_px, eta[2] / half_px]];
    let determinant = linear[0][0] * linear[1][1] - linear[0][1] * linear[1][0];
    let is_regular = determinant.is_finite() && determinant.abs() > 0.0;
    if !is_regular {
        return None;
    }
    wcs.crval_rad = plane.deproject(xi[0], eta[0]);
    wcs.cd_rad_per_px = linear;
    wcs.sip = (setup.order >= 2).then(|| sip_of(&xi, &eta, wcs, half_px, setup));
    Some(xi[0].hypot(eta[0]))
}

/// Scaled pixel, standard coordinates [rad] and weight of a star.
type Row = ((f64, f64), (f64, f64), f64);

/// Coefficients of both standard coordinates in scaled pixels.
fn polynomial_terms(rows: &[Row], setup: &FitSetup) -> Option<[Vec<f64>; 2]> {
    let mut equations = NormalEquations::new(term_count(setup.order));
    let weight_scale = rows.iter().map(|r| r.2).fold(0.0, f64::max);
    let mut values = [0.0; TERMS_MAX];
    for (place, target, weight) in rows {
        let row = terms_into(setup.order, *place, &mut values);
        equations.add(row, [target.0, target.1], weight / weight_scale);
    }
    let pixel_rad = setup.scale_arcsec * ARCSEC_RAD;
    let weight = |width_px: f64| (width_px * pixel_rad).powi(-2) / weight_scale;
    for i in term_count(1)..term_count(setup.order) {
        equations.damp(i, weight(if i < term_count(2) { TILT_PX } else { RADIAL_PX }));
    }
    if setup.order >= 3 {
        // x^3, x^2 y, x y^2, y^3 are terms 6 to 9; radial distortion is x r^2 and y r^2.
        for (one, other) in [(6, 8), (9, 7)] {
            let mut row = vec![0.0; term_count(setup.order)];
            (row[one], row[other]) = (1.0, -1.0);
            equations.add(&row, [0.0; 2], weight(NOT_RADIAL_PX));
        }
    }
    equations.solve()
}

/// The same for a similarity; weights are set aside, stars are few. The better parity wins.
fn similarity_terms(rows: &[Row]) -> Option<[Vec<f64>; 2]> {
    let pairs: Vec<_> = rows.iter().map(|(pixel, target, _)| (*target, *pixel)).collect();
    let misfit = |map: &Similarity| -> f64 {
        let miss = |(target, pixel): &((f64, f64), (f64, f64))| {
            let found = map.to_pixel(*target);
            (found.0 - pixel.0).powi(2) + (found.1 - pixel.1).powi(2)
        };
        pairs.iter().map(miss).sum()
    };
    let maps = [false, true].into_iter().filter_map(|parity| Similarity::fit(&pairs, parity));
    let map = maps.min_by(|a, b| misfit(a).total_cmp(&misfit(b)))?;
    let origin = map.to_plane((0.0, 0.0));
    let m = map.matrix_rad_per_px();
    Some([vec![origin.0, m[0][0], m[0][1]], vec![origin.1, m[1][0], m[1][1]]])
}

/// The terms of degree 2 and higher as SIP: CD^-1 times the standard coordinates.
fn sip_of(xi: &[f64], eta: &[f64], wcs: &Wcs, half_px: f64, setup: &FitSetup) -> Sip {
    let [[c00, c01], [c10, c11]] = wcs.cd_rad_per_px;
    let determinant = c00 * c11 - c01 * c10;
    let polynomial = |f: &dyn Fn(f64, f64) -> f64| {
        let scaled = exponents(setup.order).zip(xi.iter().zip(eta)).map(|((i, j), (x, e))| {
            let degree = (i + j) as i32;
            if degree < 2 { 0.0 } else { f(*x, *e) / determinant / half_px.powi(degree) }
        });
        Polynomial::new(setup.order, scaled.collect())
    };
    let a = polynomial(&|x, e| c11 * x - c01 * e);
    let b = polynomial(&|x, e| c00 * e - c10 * x);
    let none = || Polynomial::new(0, Vec::new());
    Sip { a, b, ap: none(), bp: none() }
}

/// A solution with the inverse of its distortion, which the rounds of a search do not need.
pub fn finished(mut wcs: Wcs, size: FrameSize) -> Wcs {
    wcs.sip = wcs.sip.map(|sip| with_inverse(sip, wcs.crpix_px, size));
    wcs
}

/// The same distortion with its inverse polynomials.
pub(super) fn with_inverse(sip: Sip, crpix_px: (f64, f64), size: FrameSize) -> Sip {
    let ends = |n: usize, at: f64| (-0.5 - at, n as f64 - 0.5 - at);
    let range = PixelRange { u_px: ends(size.nx, crpix_px.0), v_px: ends(size.ny, crpix_px.1) };
    Sip::new(sip.a, sip.b, range)
}

/// Catalogue minus fit on the tangent plane [rad]; a full radian for stars off the plane.
pub fn residuals_rad(wcs: &Wcs, pairs: &[PairedStar]) -> Vec<(f64, f64)> {
    let directions: Vec<UnitVector> =
        pairs.iter().map(|p| unit_vector(p.star.ra_rad, p.star.dec_rad)).collect();
    residuals_of(wcs, pairs, &directions)
}

fn residuals_of(wcs: &Wcs, pairs: &[PairedStar], directions: &[UnitVector]) -> Vec<(f64, f64)> {
    let plane = TangentPlane::at(wcs.crval_rad);
    pairs
        .iter()
        .zip(directions)
        .map(|(p, v)| {
            let (xi, eta) = wcs.to_plane(p.image.x_px, p.image.y_px);
            plane.project_vector(*v).map_or((1.0, 1.0), |target| (target.0 - xi, target.1 - eta))
        })
        .collect()
}

/// Length of a vector; not as careful with huge numbers as `hypot`, which takes much longer.
fn length((a, b): (f64, f64)) -> f64 {
    (a * a + b * b).sqrt()
}

/// Root mean square per axis of two-dimensional residuals; `None` without any.
pub fn rms(residuals: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0.0);
    for (a, b) in residuals {
        sum += a * a + b * b;
        n += 2.0;
    }
    (n > 0.0).then(|| f64::sqrt(sum / n))
}

/// Middle value; `None` without any.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    let middle = sorted.len().checked_sub(1)? / 2;
    Some(*sorted.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
