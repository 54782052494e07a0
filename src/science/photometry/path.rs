//! The path of an object over the sky during a night, from places that a motion was fitted to.
//!
//! Places less their residuals lie on the fitted motion, which over a night is a parabola in a
//! tangent plane; the parabola through them is that motion again. Its error is that of a straight
//! line through the measured places.

use crate::science::sky::least_squares::NormalEquations;
use crate::science::sky::tan::TangentPlane;
use crate::science::units::ARCSEC_RAD;

/// A measured place: time [d, MJD], sky (RA, Dec) [rad], residual east and north [arcsec], error
/// per axis [arcsec].
pub type PathPoint = (f64, (f64, f64), (f64, f64), f64);

/// A parabola over the sky.
#[derive(Debug, Clone)]
pub struct Path {
    plane: TangentPlane,
    middle_mjd: f64,
    /// Powers of the time from the middle [arcsec, arcsec/d, arcsec/d^2].
    east: [f64; 3],
    north: [f64; 3],
    /// Sum of weights, and of those times time squared [1/arcsec^2, d^2/arcsec^2].
    weights: (f64, f64),
}

impl Path {
    /// The path through at least two places.
    pub fn new(origin_rad: (f64, f64), points: &[PathPoint]) -> Option<Self> {
        let plane = TangentPlane::at(origin_rad);
        let weight = |err: f64| err.max(1e-3).powi(-2);
        let sum: f64 = points.iter().map(|p| weight(p.3)).sum();
        let middle_mjd = points.iter().map(|p| weight(p.3) * p.0).sum::<f64>() / sum;
        let span_d = points.iter().map(|p| (p.0 - middle_mjd).abs()).fold(0.0, f64::max);
        if points.len() < 2 || span_d <= 0.0 || !middle_mjd.is_finite() {
            return None;
        }
        let n_terms = points.len().min(3);
        let mut normal = NormalEquations::new(n_terms);
        for (mjd, sky, residual, _) in points {
            let (xi, eta) = plane.project(sky.0, sky.1)?;
            let on_path = [xi / ARCSEC_RAD - residual.0, eta / ARCSEC_RAD - residual.1];
            // Times in units of the span keep the equations well conditioned.
            let t = (mjd - middle_mjd) / span_d;
            normal.add(&[1.0, t, t * t][..n_terms], on_path, 1.0);
        }
        let [east, north] = normal.solve()?;
        let unscaled = |terms: &[f64]| {
            let at = |k: usize| terms.get(k).copied().unwrap_or(0.0) / span_d.powi(k as i32);
            [at(0), at(1), at(2)]
        };
        let second = points.iter().map(|p| weight(p.3) * (p.0 - middle_mjd).powi(2)).sum();
        Some(Self {
            plane,
            middle_mjd,
            east: unscaled(&east),
            north: unscaled(&north),
            weights: (sum, second),
        })
    }

    /// Place (RA, Dec) at a time [d, MJD] [rad].
    pub fn place_rad(&self, mjd: f64) -> (f64, f64) {
        let t = mjd - self.middle_mjd;
        let at = |c: &[f64; 3]| (c[0] + t * (c[1] + t * c[2])) * ARCSEC_RAD;
        self.plane.deproject(at(&self.east), at(&self.north))
    }

    /// Error of the place per axis at a time [d, MJD] [arcsec].
    pub fn err_arcsec(&self, mjd: f64) -> f64 {
        let t = mjd - self.middle_mjd;
        (1.0 / self.weights.0 + t * t / self.weights.1).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::units::DEG_RAD;

    #[test]
    fn a_parabola_is_found_again_whatever_the_residuals() {
        let origin = (200.0 * DEG_RAD, 25.0 * DEG_RAD);
        let plane = TangentPlane::at(origin);
        let truth = |t: f64| (40.0 * t + 30.0 * t * t, -25.0 * t); // [arcsec], t in 0.1 d
        let points: Vec<PathPoint> = (0..5)
            .map(|k| {
                let t = 0.2 * f64::from(k);
                let residual = (0.1 * f64::from(k % 2), -0.05);
                let (east, north) = truth(t);
                let (xi, eta) = (east + residual.0, north + residual.1);
                let sky = plane.deproject(xi * ARCSEC_RAD, eta * ARCSEC_RAD);
                (60_000.0 + 0.1 * t, sky, residual, 0.2)
            })
            .collect();
        let path = Path::new(origin, &points).expect("five places");
        for t in [-0.2, 0.33, 0.9] {
            let (ra, dec) = path.place_rad(60_000.0 + 0.1 * t);
            let (xi, eta) = plane.project(ra, dec).expect("near");
            let (east, north) = truth(t);
            assert!(
                (xi / ARCSEC_RAD - east).abs() < 1e-6 && (eta / ARCSEC_RAD - north).abs() < 1e-6
            );
        }
        // A mean of five errors of 0.2 in the middle, more outside.
        let middle = path.err_arcsec(60_000.04);
        assert!((middle - 0.2 / 5.0_f64.sqrt()).abs() < 1e-6, "{middle}");
        assert!(path.err_arcsec(60_000.2) > 3.0 * middle);
        assert!(Path::new(origin, &points[..1]).is_none());
    }
}
