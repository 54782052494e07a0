//! SIP distortion: polynomials in pixels added before the linear part of a WCS.
//!
//! (u, v) are pixels from CRPIX; the corrected place is (u + A(u, v), v + B(u, v)). AP and BP
//! undo this approximately for readers that want a closed form; our own inverse iterates.
//! Source: Shupe et al. 2005, ASP Conf. 347, 491.

use super::least_squares::NormalEquations;
use super::polynomial::{Polynomial, exponents, term_count, terms};

/// Most steps of Newton's iteration.
const STEPS_MAX: usize = 30;
/// Ratio of successive steps above which the matrix of derivatives is computed anew.
const SHRINK_MAX: f64 = 0.05;
/// Change at which Newton's iteration has converged [px].
const STEP_DONE_PX: f64 = 1e-10;
/// The inverse polynomials are of this many orders more than the forward ones.
const INVERSE_ORDER_EXTRA: usize = 2;
/// Points per axis of the grid to which the inverse polynomials are fitted.
const INVERSE_GRID: usize = 24;

/// Forward and inverse distortion polynomials, in pixels from CRPIX.
#[derive(Debug, Clone, PartialEq)]
pub struct Sip {
    /// Correction of the column, terms of degree 2 and higher.
    pub a: Polynomial,
    /// Correction of the row, terms of degree 2 and higher.
    pub b: Polynomial,
    /// Approximate inverse for the column, all degrees.
    pub ap: Polynomial,
    /// Approximate inverse for the row, all degrees.
    pub bp: Polynomial,
}

/// The pixels relative to CRPIX over which an inverse shall hold: (first, last) per axis [px].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelRange {
    /// First and last column from CRPIX [px].
    pub u_px: (f64, f64),
    /// First and last row from CRPIX [px].
    pub v_px: (f64, f64),
}

impl Sip {
    /// The distortion of forward polynomials, with the inverse fitted over `range`.
    pub fn new(a: Polynomial, b: Polynomial, range: PixelRange) -> Self {
        let (ap, bp) = fit_inverse(&a, &b, range);
        Self { a, b, ap, bp }
    }

    /// The corrected place (u + A, v + B) [px].
    pub fn forward(&self, u_px: f64, v_px: f64) -> (f64, f64) {
        (u_px + self.a.value(u_px, v_px), v_px + self.b.value(u_px, v_px))
    }

    /// The matrix of derivatives of [`Self::forward`], [[d/du, d/dv] of u', of v'].
    pub fn jacobian(&self, u_px: f64, v_px: f64) -> [[f64; 2]; 2] {
        let (a, b) = (self.a.slope(u_px, v_px), self.b.slope(u_px, v_px));
        [[1.0 + a.by_x, a.by_y], [b.by_x, 1.0 + b.by_y]]
    }

    /// The place whose corrected place is (u, v) [px]; `None` where the iteration fails.
    pub fn inverse(&self, u_px: f64, v_px: f64) -> Option<(f64, f64)> {
        let (mut u, mut v) = (u_px, v_px);
        let mut matrix = self.jacobian(u, v);
        let mut last = f64::INFINITY;
        for _ in 0..STEPS_MAX {
            let (forward_u, forward_v) = self.forward(u, v);
            let [[m00, m01], [m10, m11]] = matrix;
            let determinant = m00 * m11 - m01 * m10;
            let (du, dv) = (u_px - forward_u, v_px - forward_v);
            let step_u = (m11 * du - m01 * dv) / determinant;
            let step_v = (m00 * dv - m10 * du) / determinant;
            u += step_u;
            v += step_v;
            let step = step_u.abs().max(step_v.abs());
            if !(u.is_finite() && v.is_finite()) {
                return None;
            }
            if step < STEP_DONE_PX * (1.0 + (u.abs() + v.abs()) * 1e-5) {
                return Some((u, v));
            }
            // The matrix of the start serves as long as the steps shrink fast.
            if step > SHRINK_MAX * last {
                matrix = self.jacobian(u, v);
            }
            last = step;
        }
        None
    }
}

/// Fits u = U + AP(U, V), v = V + BP(U, V) over a grid of forward places.
fn fit_inverse(a: &Polynomial, b: &Polynomial, range: PixelRange) -> (Polynomial, Polynomial) {
    let order = a.order().max(b.order()) + INVERSE_ORDER_EXTRA;
    let reach = [range.u_px.0, range.u_px.1, range.v_px.0, range.v_px.1];
    let scale_px = reach.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
    let mut equations = NormalEquations::new(term_count(order));
    let along = |ends: (f64, f64), k: usize| {
        ends.0 + (ends.1 - ends.0) * k as f64 / (INVERSE_GRID - 1) as f64
    };
    for (i, j) in (0..INVERSE_GRID).flat_map(|i| (0..INVERSE_GRID).map(move |j| (i, j))) {
        let (u, v) = (along(range.u_px, i), along(range.v_px, j));
        let (du, dv) = (a.value(u, v), b.value(u, v));
        let row = terms(order, (u + du) / scale_px, (v + dv) / scale_px);
        equations.add(&row, [-du, -dv], 1.0);
    }
    let zero = || Polynomial::new(order, Vec::new());
    let Some([column, row]) = equations.solve() else {
        return (zero(), zero());
    };
    let unscaled = |values: &[f64]| {
        let unscale = |(c, (i, j)): (&f64, (usize, usize))| c / scale_px.powi((i + j) as i32);
        Polynomial::new(order, values.iter().zip(exponents(order)).map(unscale).collect())
    };
    (unscaled(&column), unscaled(&row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn barrel() -> Sip {
        // Radial: u' = u (1 + k r^2) with k = 2e-8: 29 px in the corner of a 1600-px frame.
        let k = 2e-8;
        let a = Polynomial::from_terms(3, |i, j| match (i, j) {
            (3, 0) | (1, 2) => k,
            (2, 0) => 3e-7,
            _ => 0.0,
        });
        let b = Polynomial::from_terms(3, |i, j| match (i, j) {
            (0, 3) | (2, 1) => k,
            _ => 0.0,
        });
        Sip::new(a, b, PixelRange { u_px: (-800.0, 800.0), v_px: (-780.0, 820.0) })
    }

    #[test]
    fn newton_and_polynomial_inverse_agree_with_forward() {
        let sip = barrel();
        for (u, v) in [(0.0, 0.0), (799.0, 799.0), (-800.0, 500.0), (33.3, -780.0)] {
            let (fu, fv) = sip.forward(u, v);
            let (iu, iv) = sip.inverse(fu, fv).expect("converges");
            assert!((iu - u).abs() < 1e-8 && (iv - v).abs() < 1e-8);
            let (pu, pv) = (fu + sip.ap.value(fu, fv), fv + sip.bp.value(fu, fv));
            // The closed form leaves some 1e-4 of the distortion.
            assert!((pu - u).abs() < 0.01 && (pv - v).abs() < 0.01);
        }
    }

    #[test]
    fn inverse_gives_up_where_there_is_none() {
        // u' = u - 1e-3 u^2 has its maximum 250 at u = 500; beyond it no inverse exists.
        let a = Polynomial::from_terms(2, |i, _| if i == 2 { -1e-3 } else { 0.0 });
        let range = PixelRange { u_px: (-100.0, 100.0), v_px: (-100.0, 100.0) };
        let sip = Sip::new(a, Polynomial::new(2, Vec::new()), range);
        assert!(sip.inverse(260.0, 0.0).is_none());
        assert!(sip.inverse(f64::NAN, 0.0).is_none());
    }
}
