//! Scale and shear of frames over a night, and a frame's place and turn when these are known.
//!
//! With pixels w = u + i v a linear map to the plane is s (w + e conj(w)) or its mirror image:
//! |s| is the scale, e the shear (two numbers), which a turn by 180 degrees does not change.
//! Refraction and temperature move both slowly; for each field of the night they are polynomials
//! of time of the degree that predicts left-out frames best. Where frames scatter more than
//! their errors can explain, each keeps its own.

use super::super::fit::{Fit, FitSetup, PairedStar, sigma_rad};
use super::ShareParams;
use crate::science::sky::least_squares::NormalEquations;
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::separation_rad;
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;

/// Frames that polynomials of degree 0, 1 and 2 need.
const FRAMES_NEEDED: [usize; 3] = [3, 4, 7];
/// Scatter around a polynomial in units of the errors beyond which it is not believed.
///
/// Turbulence is common to neighbouring stars, so that errors computed from single stars are
/// too small by two or three.
const SCATTER_MAX: f64 = 4.0;
/// Frames whose centres are nearer than this, in half-diagonals, are of one field.
const FIELD_RADIUS: f64 = 0.5;
/// Rounds in which the tangent point settles.
const ROUNDS: usize = 4;

/// Scale and shear of a linear map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Logarithm of the scale [ln rad/px].
    pub ln_scale: f64,
    /// Shear, real and imaginary part.
    pub shear: (f64, f64),
    /// Whether the frame is mirrored.
    pub is_conjugate: bool,
}

/// A frame's shape with its weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapeOfFrame {
    /// The shape.
    pub shape: Shape,
    /// 1 / sigma^2 of each of its three numbers.
    pub weight: f64,
    /// Middle of the exposure [d].
    pub mid_mjd: f64,
    /// Centre of the frame (RA, Dec) [rad].
    pub centre_rad: (f64, f64),
}

impl Shape {
    /// The shape of a matrix [rad/px].
    pub fn of([[a, b], [c, d]]: [[f64; 2]; 2]) -> Self {
        let straight = (0.5 * (a + d), 0.5 * (c - b));
        let mirrored = (0.5 * (a - d), 0.5 * (c + b));
        let is_conjugate = mirrored.0.hypot(mirrored.1) > straight.0.hypot(straight.1);
        let (large, small) = if is_conjugate { (mirrored, straight) } else { (straight, mirrored) };
        let norm = large.0 * large.0 + large.1 * large.1;
        let ratio = (
            (small.0 * large.0 + small.1 * large.1) / norm,
            (small.1 * large.0 - small.0 * large.1) / norm,
        );
        // The mirrored map is conj(s (w + e conj(w))).
        let shear = if is_conjugate { (ratio.0, -ratio.1) } else { ratio };
        Self { ln_scale: 0.5 * norm.ln(), shear, is_conjugate }
    }

    /// w + e conj(w).
    fn sheared(&self, (u, v): (f64, f64)) -> (f64, f64) {
        let (e1, e2) = self.shear;
        (u + e1 * u + e2 * v, v + e2 * u - e1 * v)
    }
}

/// 1 / sigma^2 of a frame's scale and shear as its stars tell it.
pub fn information(pairs: &[PairedStar], fit: &Fit, params: &ShareParams) -> f64 {
    let setup = super::setup(&fit.wcs, params, 1);
    let pixel_rad = setup.scale_arcsec * ARCSEC_RAD;
    let centre = params.size.centre_px();
    let used = pairs.iter().zip(&fit.is_used).filter(|(_, used)| **used);
    used.map(|(pair, _)| {
        let radius = (pair.image.x_px - centre.0).hypot(pair.image.y_px - centre.1);
        (radius * pixel_rad / sigma_rad(pair, &setup) / fit.scatter.max(1.0)).powi(2)
    })
    .sum()
}

/// The shapes smoothed over time, field by field.
pub fn smooth(frames: &[ShapeOfFrame], half_diagonal_rad: f64) -> Vec<Shape> {
    let mut smoothed: Vec<Shape> = frames.iter().map(|f| f.shape).collect();
    for members in fields(frames, FIELD_RADIUS * half_diagonal_rad) {
        let of = |get: &dyn Fn(&Shape) -> f64| -> Vec<f64> {
            let series: Vec<(f64, f64, f64)> = members
                .iter()
                .map(|&i| (frames[i].mid_mjd, get(&frames[i].shape), frames[i].weight))
                .collect();
            smooth_series(&series)
        };
        let ln_scale = of(&|s| s.ln_scale);
        let (e1, e2) = (of(&|s| s.shear.0), of(&|s| s.shear.1));
        for (k, &i) in members.iter().enumerate() {
            smoothed[i].ln_scale = ln_scale[k];
            smoothed[i].shear = (e1[k], e2[k]);
        }
    }
    smoothed
}

/// Frames of the same field and parity, each list by time.
fn fields(frames: &[ShapeOfFrame], radius_rad: f64) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..frames.len()).collect();
    order.sort_by(|&a, &b| frames[a].mid_mjd.total_cmp(&frames[b].mid_mjd));
    let mut fields: Vec<Vec<usize>> = Vec::new();
    for i in order {
        let is_same = |field: &&mut Vec<usize>| {
            let first = &frames[field[0]];
            first.shape.is_conjugate == frames[i].shape.is_conjugate
                && separation_rad(first.centre_rad, frames[i].centre_rad) < radius_rad
        };
        match fields.iter_mut().find(is_same) {
            Some(field) => field.push(i),
            None => fields.push(vec![i]),
        }
    }
    fields
}

/// Values (time [d], value, 1 / sigma^2) replaced by the polynomial of time that fits them best;
/// unchanged where none does.
fn smooth_series(series: &[(f64, f64, f64)]) -> Vec<f64> {
    let mut best: Option<(f64, Vec<f64>)> = None;
    for (degree, needed) in FRAMES_NEEDED.into_iter().enumerate() {
        if series.len() < needed {
            break;
        }
        let Some(fitted) = polynomial(series, degree, None) else { continue };
        let left_out: Option<f64> = (0..series.len())
            .map(|k| {
                let predicted = polynomial(series, degree, Some(k))?;
                Some(series[k].2 * (series[k].1 - predicted[k]).powi(2))
            })
            .sum();
        let Some(left_out) = left_out else { continue };
        if best.as_ref().is_none_or(|(least, _)| left_out < *least) {
            best = Some((left_out, fitted));
        }
    }
    match best {
        Some((left_out, fitted)) if left_out < SCATTER_MAX.powi(2) * series.len() as f64 => fitted,
        _ => series.iter().map(|s| s.1).collect(),
    }
}

/// A polynomial of time fitted to all values but one, at all times.
fn polynomial(series: &[(f64, f64, f64)], degree: usize, but: Option<usize>) -> Option<Vec<f64>> {
    let n = series.len() as f64;
    let mean_time = series.iter().map(|s| s.0).sum::<f64>() / n;
    let mean_value = series.iter().map(|s| s.1).sum::<f64>() / n;
    let span = series.iter().map(|s| (s.0 - mean_time).abs()).fold(1e-6, f64::max);
    let heaviest = series.iter().map(|s| s.2).fold(0.0, f64::max);
    let row = |time: f64| -> Vec<f64> {
        (0..=degree).map(|k| ((time - mean_time) / span).powi(k as i32)).collect()
    };
    let mut equations = NormalEquations::new(degree + 1);
    for (k, (time, value, information)) in series.iter().enumerate() {
        if but != Some(k) {
            equations.add(&row(*time), [value - mean_value, 0.0], information / heaviest);
        }
    }
    let [found, _] = equations.solve()?;
    let value = |time: f64| row(time).iter().zip(&found).map(|(t, c)| t * c).sum::<f64>();
    Some(series.iter().map(|s| mean_value + value(s.0)).collect())
}

/// The linear solution of a frame whose shape is given: place and turn by weighted least squares
/// over the used pairs.
pub fn place(
    straight: &[PairedStar],
    affine: &Fit,
    shape: &Shape,
    setup: &FitSetup,
) -> Option<Wcs> {
    let centre = setup.size.centre_px();
    let mut crval_rad = affine.wcs.crval_rad;
    let sign = if shape.is_conjugate { -1.0 } else { 1.0 };
    let mut cd_rad_per_px = affine.wcs.cd_rad_per_px;
    for _ in 0..ROUNDS {
        let plane = TangentPlane::at(crval_rad);
        let mut mean = [0.0; 5];
        let mut rows = Vec::new();
        for (pair, _) in straight.iter().zip(&affine.is_used).filter(|(_, used)| **used) {
            let target = plane.project(pair.star.ra_rad, pair.star.dec_rad)?;
            let w = shape.sheared((pair.image.x_px - centre.0, pair.image.y_px - centre.1));
            let weight = (setup.scale_arcsec * ARCSEC_RAD / sigma_rad(pair, setup)).powi(2);
            // The mirrored map is the conjugate of a straight one.
            let z = (target.0, sign * target.1);
            for (sum, value) in mean.iter_mut().zip([1.0, w.0, w.1, z.0, z.1]) {
                *sum += weight * value;
            }
            rows.push((w, z, weight));
        }
        let at: [f64; 4] = std::array::from_fn(|k| mean[k + 1] / mean[0]);
        let mut turn = (0.0, 0.0);
        for (w, z, weight) in &rows {
            let (u, v) = (w.0 - at[0], w.1 - at[1]);
            let (x, y) = (z.0 - at[2], z.1 - at[3]);
            turn.0 += weight * (x * u + y * v);
            turn.1 += weight * (y * u - x * v);
        }
        let scale = shape.ln_scale.exp() / turn.0.hypot(turn.1);
        let s = (turn.0 * scale, turn.1 * scale);
        let is_regular = s.0.is_finite() && s.1.is_finite();
        if !is_regular {
            return None;
        }
        let offset = (at[2] - s.0 * at[0] + s.1 * at[1], at[3] - s.0 * at[1] - s.1 * at[0]);
        crval_rad = plane.deproject(offset.0, sign * offset.1);
        let (e1, e2) = shape.shear;
        let m = [[1.0 + e1, e2], [e2, 1.0 - e1]];
        let r = [[s.0, -s.1], [sign * s.1, sign * s.0]];
        let entry = |i: usize, j: usize| r[i][0] * m[0][j] + r[i][1] * m[1][j];
        cd_rad_per_px = [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]];
    }
    Some(Wcs { crval_rad, crpix_px: centre, cd_rad_per_px, sip: None })
}
