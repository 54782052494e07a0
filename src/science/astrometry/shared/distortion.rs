//! The distortion of a camera from the stars of many frames.
//!
//! Each frame gives normal equations for the terms of degree 2 to 5, its own affine map
//! eliminated (Frisch & Waugh 1933, Econometrica 1, 387). These small matrices are all that is
//! needed: they add up over frames, tell how well a model found from the others predicts a frame,
//! and hold the simpler models as parts.

use super::super::FrameSize;
use super::super::fit::{Fit, PairedStar, sigma_rad, with_inverse};
use super::{ShareParams, SharedFrame, setup, turned};
use crate::science::sky::least_squares::NormalEquations;
use crate::science::sky::polynomial::{Polynomial, exponents, term_count, terms};
use crate::science::sky::sip::Sip;
use crate::science::sky::tan::TangentPlane;
use crate::science::units::ARCSEC_RAD;

/// Highest order.
pub const ORDER_MAX: usize = 5;
/// Terms of degree 0 and 1.
const LINEAR: usize = term_count(1);
/// Terms of degree 2 to 5.
const TERMS: usize = term_count(ORDER_MAX) - LINEAR;
/// Groups of frames that are left out in turn.
const FOLDS: usize = 5;
/// A richer model must predict better by this fraction of its misfit, and by this much.
const GAIN_MIN: (f64, f64) = (1e-4, 2.0);
/// Width of the damping of all terms at the frame's edge [px]; keeps what no star shows at 0.
const DAMPING_PX: f64 = 20.0;

/// The distortion of a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Distortion {
    /// Correction of the column in pixels from the centre, untouched detector.
    pub a: Polynomial,
    /// Correction of the row.
    pub b: Polynomial,
    /// Order; 1 is none.
    pub order: usize,
}

impl Distortion {
    /// As SIP polynomials of a frame; `None` without distortion.
    pub fn sip(&self, size: FrameSize, is_turned: bool) -> Option<Sip> {
        if self.order < 2 {
            return None;
        }
        let (a, b) = if is_turned {
            (turned(&self.a), turned(&self.b))
        } else {
            (self.a.clone(), self.b.clone())
        };
        let none = || Polynomial::new(0, Vec::new());
        Some(with_inverse(Sip { a, b, ap: none(), bp: none() }, size.centre_px(), size))
    }
}

/// Normal equations of a frame for the terms of degree 2 to 5, both axes.
#[derive(Debug, Clone)]
pub struct Observed {
    matrix: Vec<f64>,
    rhs: [Vec<f64>; 2],
    /// Weighted sum of squares that the terms are to explain.
    squares: f64,
    /// Width of the damping, as a weight.
    damping: f64,
}

/// A model: which terms, and whether those of degree 3 are along the radius only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Model {
    Order(usize),
    /// Degree 2, and x r^2, y r^2.
    Radial,
}

/// From simple to rich.
const MODELS: [Model; 6] = [
    Model::Order(1),
    Model::Order(2),
    Model::Radial,
    Model::Order(3),
    Model::Order(4),
    Model::Order(5),
];

/// The equations of a frame around its solution; clipped stars take no part.
pub fn observe(frame: &SharedFrame, fit: &Fit, params: &ShareParams) -> Observed {
    let all = frame.pairs.iter().zip(&fit.is_used);
    let used = all.filter(|(_, used)| **used).map(|(pair, _)| pair);
    observe_pairs(used, fit, if frame.is_turned { -1.0 } else { 1.0 }, params)
}

/// The order of the distortion that predicts stars kept out of it best; stars are kept out by
/// groups, each with an affine map of its own. `None` when no order can be fitted.
pub fn order_by_groups(pairs: &[PairedStar], fit: &Fit, params: &ShareParams) -> Option<usize> {
    let group = |k: usize| {
        let all = pairs.iter().zip(&fit.is_used).filter(|(_, used)| **used).enumerate();
        let kept = all.filter(move |(i, _)| i % FOLDS == k).map(|(_, (pair, _))| pair);
        observe_pairs(kept, fit, 1.0, params)
    };
    let observed: Vec<Observed> = (0..FOLDS).map(group).collect();
    choose(&observed, params).map(|found| found.order)
}

/// The equations of used pairs; `sign` is -1 for a frame turned by 180 degrees.
fn observe_pairs<'a>(
    used: impl Iterator<Item = &'a PairedStar>,
    fit: &Fit,
    sign: f64,
    params: &ShareParams,
) -> Observed {
    let setup = setup(&fit.wcs, params, 1);
    let half_px = half_px(params.size);
    let [[c00, c01], [c10, c11]] = fit.wcs.cd_rad_per_px;
    let determinant = c00 * c11 - c01 * c10;
    let plane = TangentPlane::at(fit.wcs.crval_rad);
    let pixel_rad = setup.scale_arcsec * ARCSEC_RAD;
    let n = LINEAR + TERMS;
    let mut matrix = vec![0.0; n * n];
    let mut rhs = [vec![0.0; n], vec![0.0; n]];
    let mut squares = 0.0;
    for pair in used {
        let Some((xi, eta)) = plane.project(pair.star.ra_rad, pair.star.dec_rad) else { continue };
        let x = pair.image.x_px - fit.wcs.crpix_px.0;
        let y = pair.image.y_px - fit.wcs.crpix_px.1;
        let u = (c11 * xi - c01 * eta) / determinant - x;
        let v = (c00 * eta - c10 * xi) / determinant - y;
        let weight = (pixel_rad / sigma_rad(pair, &setup)).powi(2) / fit.scatter.max(1.0).powi(2);
        let row = terms(ORDER_MAX, sign * x / half_px, sign * y / half_px);
        let values = [sign * u, sign * v];
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row.iter().enumerate() {
                matrix[i * n + j] += weight * a * b;
            }
            rhs[0][i] += weight * a * values[0];
            rhs[1][i] += weight * a * values[1];
        }
        squares += weight * (values[0] * values[0] + values[1] * values[1]);
    }
    eliminated(matrix, rhs, squares)
}

/// The equations without the linear terms.
fn eliminated(mut matrix: Vec<f64>, mut rhs: [Vec<f64>; 2], mut squares: f64) -> Observed {
    let n = LINEAR + TERMS;
    for k in 0..LINEAR {
        let pivot = matrix[k * n + k];
        let is_regular = pivot > 0.0;
        if !is_regular {
            continue;
        }
        for i in k + 1..n {
            let factor = matrix[i * n + k] / pivot;
            for j in k + 1..n {
                matrix[i * n + j] -= factor * matrix[k * n + j];
            }
            rhs[0][i] -= factor * rhs[0][k];
            rhs[1][i] -= factor * rhs[1][k];
        }
        squares -= (rhs[0][k] * rhs[0][k] + rhs[1][k] * rhs[1][k]) / pivot;
    }
    let kept = |i: usize| (LINEAR..n).map(move |j| i * n + j);
    Observed {
        matrix: (LINEAR..n).flat_map(kept).map(|k| matrix[k]).collect(),
        rhs: rhs.map(|column| column[LINEAR..].to_vec()),
        squares,
        damping: DAMPING_PX.powi(-2),
    }
}

/// The distortion of the model that predicts frames left out best.
pub fn choose(observed: &[Observed], params: &ShareParams) -> Option<Distortion> {
    let order_max = params.order_max.clamp(1, ORDER_MAX);
    let is_allowed = |model: &Model| match model {
        Model::Order(order) => *order <= order_max,
        Model::Radial => order_max >= 3,
    };
    let mut best: Option<(Model, f64)> = None;
    for model in MODELS.into_iter().filter(is_allowed) {
        let Some(misfit) = held_out(observed, model) else { continue };
        let is_better = best.is_none_or(|(_, least)| {
            misfit < least * (1.0 - GAIN_MIN.0) && misfit < least - GAIN_MIN.1
        });
        if is_better {
            best = Some((model, misfit));
        }
    }
    let (model, _) = best?;
    let [a, b] = solve(observed.iter(), model)?;
    let half_px = half_px(params.size);
    let polynomial = |values: &[f64]| {
        let unscaled = exponents(ORDER_MAX).enumerate().map(|(k, (i, j))| match k {
            0..LINEAR => 0.0,
            _ => values[k - LINEAR] / half_px.powi((i + j) as i32 - 1) / half_px,
        });
        let all: Vec<f64> = unscaled.collect();
        let order = model.order().max(2);
        Polynomial::new(order, all[..term_count(order)].to_vec())
    };
    Some(Distortion { a: polynomial(&a), b: polynomial(&b), order: model.order() })
}

impl Model {
    fn order(self) -> usize {
        match self {
            Self::Order(order) => order,
            Self::Radial => 3,
        }
    }
}

/// Misfit of frames under the model of the others.
fn held_out(observed: &[Observed], model: Model) -> Option<f64> {
    let n_folds = FOLDS.min(observed.len());
    let mut sum = 0.0;
    for fold in 0..n_folds {
        let others = observed.iter().enumerate().filter(|(i, _)| i % n_folds != fold);
        let found = solve(others.map(|(_, o)| o), model)?;
        let left_out = observed.iter().enumerate().filter(|(i, _)| i % n_folds == fold);
        sum += left_out.map(|(_, o)| o.misfit(&found)).sum::<f64>();
    }
    Some(sum)
}

impl Observed {
    /// Weighted sum of squares that remains with these coefficients.
    fn misfit(&self, found: &[Vec<f64>; 2]) -> f64 {
        let mut sum = self.squares;
        for (c, rhs) in found.iter().zip(&self.rhs) {
            for (i, a) in c.iter().enumerate() {
                let row = &self.matrix[i * TERMS..(i + 1) * TERMS];
                let product: f64 = row.iter().zip(c).map(|(m, b)| m * b).sum();
                sum += a * (product - 2.0 * rhs[i]);
            }
        }
        sum
    }
}

/// Coefficients of all terms, those outside the model 0, in scaled pixels.
fn solve<'a>(observed: impl Iterator<Item = &'a Observed>, model: Model) -> Option<[Vec<f64>; 2]> {
    let mut matrix = vec![0.0; TERMS * TERMS];
    let mut rhs = [vec![0.0; TERMS], vec![0.0; TERMS]];
    let mut damping = 0.0;
    for one in observed {
        for (sum, value) in matrix.iter_mut().zip(&one.matrix) {
            *sum += value;
        }
        for (sum, values) in rhs.iter_mut().zip(&one.rhs) {
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += value;
            }
        }
        damping = one.damping;
    }
    match model {
        Model::Order(order) => part(&matrix, &rhs, term_count(order) - LINEAR, damping),
        Model::Radial => radial(&matrix, &rhs, damping),
    }
}

/// Solves for the first `n` terms.
fn part(matrix: &[f64], rhs: &[Vec<f64>; 2], n: usize, damping: f64) -> Option<[Vec<f64>; 2]> {
    let mut found = [vec![0.0; TERMS], vec![0.0; TERMS]];
    if n == 0 {
        return Some(found);
    }
    let cell = |i: usize, j: usize| matrix[i * TERMS + j];
    let equations = NormalEquations::of(n, cell, [&rhs[0], &rhs[1]], damping);
    let solved = equations.solve()?;
    for (all, values) in found.iter_mut().zip(&solved) {
        all[..n].copy_from_slice(values);
    }
    Some(found)
}

/// Solves for the terms of degree 2 of both axes and one radial term.
fn radial(matrix: &[f64], rhs: &[Vec<f64>; 2], damping: f64) -> Option<[Vec<f64>; 2]> {
    // Terms: x^2, x y, y^2 are 0 to 2, x^3, x^2 y, x y^2, y^3 are 3 to 6.
    const ALONG_X: [usize; 2] = [3, 5];
    const ALONG_Y: [usize; 2] = [4, 6];
    // Unknowns: 0 to 2 of the column, 3 to 5 of the row, 6 the radial one.
    let column = |unknown: usize| -> (Vec<usize>, Vec<usize>) {
        match unknown {
            0..=2 => (vec![unknown], Vec::new()),
            3..=5 => (Vec::new(), vec![unknown - 3]),
            _ => (ALONG_X.to_vec(), ALONG_Y.to_vec()),
        }
    };
    let product = |p: &[usize], q: &[usize]| -> f64 {
        p.iter().map(|i| q.iter().map(|j| matrix[i * TERMS + j]).sum::<f64>()).sum()
    };
    let cell = |i: usize, j: usize| {
        let (a, b) = (column(i), column(j));
        product(&a.0, &b.0) + product(&a.1, &b.1)
    };
    let right: Vec<f64> = (0..7)
        .map(|k| {
            let (x, y) = column(k);
            x.iter().map(|i| rhs[0][*i]).sum::<f64>() + y.iter().map(|i| rhs[1][*i]).sum::<f64>()
        })
        .collect();
    let zero = vec![0.0; 7];
    let [solved, _] = NormalEquations::of(7, cell, [&right, &zero], damping).solve()?;
    let mut found = [vec![0.0; TERMS], vec![0.0; TERMS]];
    found[0][..3].copy_from_slice(&solved[..3]);
    found[1][..3].copy_from_slice(&solved[3..6]);
    for k in 0..2 {
        found[0][ALONG_X[k]] = solved[6];
        found[1][ALONG_Y[k]] = solved[6];
    }
    Some(found)
}

fn half_px(size: FrameSize) -> f64 {
    0.5 * size.nx.max(size.ny) as f64
}
