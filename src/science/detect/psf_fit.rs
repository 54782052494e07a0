//! Fits a star of the frame's point spread function to pixels: place and light at once.
//!
//! Weighted least squares by Gauss-Newton steps. The variance of a pixel is the sky's plus the
//! fitted star's own photons, never the pixel's measured value: a pixel that is low by chance
//! would else weigh more and pull the light down. With the right shape this is the
//! maximum-likelihood estimate, whose errors are the Cramer-Rao bound. In the sky-limited case it
//! is the windowed centroid whose window is the star's own shape.

use super::psf_model::Star;

/// Gauss-Newton steps.
const STEPS_MAX: usize = 12;
/// A step shorter than this ends the fit [px].
const STEP_MIN_PX: f64 = 3e-4;
/// Shortest step's share of the place's error that ends the fit.
const STEP_MIN_ERR: f64 = 0.01;

/// Pixels around a star: signal less neighbours, unusable ones left out.
#[derive(Debug, Clone, Default)]
pub struct Stamp {
    /// Column, row [px].
    pub places: Vec<(f32, f32)>,
    /// Signal above the sky [e-].
    pub values_e: Vec<f32>,
    /// Variance of the sky [e-^2], one number for the stamp.
    pub sky_e2: f64,
}

/// A fitted star.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// Column [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
    /// All its light [e-].
    pub flux_e: f64,
    /// Error of the light, the place's uncertainty included [e-].
    pub flux_err_e: f64,
    /// Light that is missing for each unit of sky per pixel taken off too much [px^2].
    pub sky_area_px2: f64,
    /// Variance of the column [px^2].
    pub var_xx_px2: f64,
    /// Covariance of column and row [px^2].
    pub var_xy_px2: f64,
    /// Variance of the row [px^2].
    pub var_yy_px2: f64,
    /// Chi-squared over degrees of freedom.
    pub chi2: f64,
    /// Pixels fitted.
    pub n_pixels: usize,
}

impl Fitted {
    /// A star of which place and light are known and nothing else is asked.
    pub(super) fn known((x_px, y_px): (f64, f64), flux_e: f64) -> Self {
        Self {
            x_px,
            y_px,
            flux_e,
            flux_err_e: 0.0,
            sky_area_px2: 0.0,
            var_xx_px2: 0.0,
            var_xy_px2: 0.0,
            var_yy_px2: 0.0,
            chi2: 1.0,
            n_pixels: 0,
        }
    }
}

/// Sums of one step.
struct Normal {
    matrix: [[f64; 3]; 3],
    right: [f64; 3],
    /// What an even sky would add to `right`.
    even: [f64; 3],
    chi2: f64,
}

fn normal_equations(stamp: &Stamp, star: &Star<'_>, (x, y, flux): (f64, f64, f64)) -> Normal {
    let mut n = Normal { matrix: [[0.0; 3]; 3], right: [0.0; 3], even: [0.0; 3], chi2: 0.0 };
    let photons = flux.max(0.0);
    for (&(px, py), &value) in stamp.places.iter().zip(&stamp.values_e) {
        let light = star.light(f64::from(px) - x, f64::from(py) - y);
        let weight = 1.0 / (stamp.sky_e2 + photons * light.share);
        let rest = f64::from(value) - flux * light.share;
        let slopes = [light.share, flux * light.by_x, flux * light.by_y];
        n.chi2 += weight * rest * rest;
        for i in 0..3 {
            n.right[i] += weight * slopes[i] * rest;
            n.even[i] += weight * slopes[i];
            for j in 0..=i {
                n.matrix[i][j] += weight * slopes[i] * slopes[j];
            }
        }
    }
    for i in 0..3 {
        for j in i + 1..3 {
            n.matrix[i][j] = n.matrix[j][i];
        }
    }
    n
}

/// The inverse of a symmetric matrix; `None` when it has none.
fn inverse(m: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a][c] * m[b][d] - m[a][d] * m[b][c];
    let cofactors = [minor(1, 2, 1, 2), -minor(1, 2, 0, 2), minor(1, 2, 0, 1)];
    let det = m[0][0] * cofactors[0] + m[0][1] * cofactors[1] + m[0][2] * cofactors[2];
    if !(det.is_finite() && det > 0.0) {
        return None;
    }
    let (e11, e12, e22) = (minor(0, 2, 0, 2), -minor(0, 2, 0, 1), minor(0, 1, 0, 1));
    let [e00, e01, e02] = cofactors;
    Some([[e00, e01, e02], [e01, e11, e12], [e02, e12, e22]].map(|row| row.map(|v| v / det)))
}

/// Fits place and light from a starting place; `None` when the fit does not settle within
/// `leash_px` of it or finds no light.
///
/// * `flux_e`: first guess of the light; the weights follow from it, so it should be near.
pub fn fit_star(
    stamp: &Stamp,
    star: &Star<'_>,
    (start, flux_e): ((f64, f64), f64),
    leash_px: f64,
) -> Option<Fitted> {
    let (mut x, mut y) = start;
    let mut flux = flux_e.max(0.0);
    for _ in 0..STEPS_MAX {
        let n = normal_equations(stamp, star, (x, y, flux));
        // Without light the slopes by place vanish and nothing says where it lies.
        let inverse = inverse(&n.matrix)?;
        let step = |i: usize| (0..3).map(|j| inverse[i][j] * n.right[j]).sum::<f64>();
        let (step_x, step_y) = (step(1), step(2));
        let length = step_x.hypot(step_y);
        // A step beyond half a pixel leaves the range where slopes are straight.
        let damping = if length > 0.5 { 0.5 / length } else { 1.0 };
        x += damping * step_x;
        y += damping * step_y;
        flux += damping * step(0);
        let is_near = (x - start.0).hypot(y - start.1) <= leash_px;
        if !(is_near && flux > 0.0 && flux.is_finite()) {
            return None;
        }
        let err = inverse[1][1].max(inverse[2][2]).sqrt();
        if length < STEP_MIN_PX.max(STEP_MIN_ERR * err) {
            let free = stamp.values_e.len() as f64 - 3.0;
            return Some(Fitted {
                x_px: x,
                y_px: y,
                flux_e: flux,
                flux_err_e: inverse[0][0].sqrt(),
                sky_area_px2: (0..3).map(|j| inverse[0][j] * n.even[j]).sum(),
                var_xx_px2: inverse[1][1],
                var_xy_px2: inverse[1][2],
                var_yy_px2: inverse[2][2],
                chi2: if free > 0.0 { n.chi2 / free } else { 1.0 },
                n_pixels: stamp.values_e.len(),
            });
        }
    }
    None
}

/// Fits the light alone at a known place: light and error [e-], chi-squared per degree.
pub fn fit_light(stamp: &Stamp, star: &Star<'_>, (x, y): (f64, f64)) -> Option<(f64, f64, f64)> {
    let shares: Vec<f64> = stamp
        .places
        .iter()
        .map(|&(px, py)| star.light(f64::from(px) - x, f64::from(py) - y).share)
        .collect();
    let mut result = None;
    let mut flux = 0.0_f64;
    // The weights depend on the light: the second round has them right.
    for _ in 0..3 {
        let (mut top, mut bottom, mut chi2) = (0.0, 0.0, 0.0);
        for (&share, &value) in shares.iter().zip(&stamp.values_e) {
            let weight = 1.0 / (stamp.sky_e2 + flux.max(0.0) * share);
            let rest = f64::from(value) - flux * share;
            chi2 += weight * rest * rest;
            top += weight * share * f64::from(value);
            bottom += weight * share * share;
        }
        if !(bottom > 0.0 && bottom.is_finite()) {
            return None;
        }
        flux = top / bottom;
        let free = (shares.len() as f64 - 1.0).max(1.0);
        result = Some((flux, 1.0 / bottom.sqrt(), chi2 / free));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::psf_model::{Profile, Shape};
    use super::*;

    #[test]
    fn the_inverse_gives_the_unit_matrix() {
        let m = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]];
        let inverse = inverse(&m).expect("regular");
        for (i, row) in m.iter().enumerate() {
            for j in 0..3 {
                let product: f64 = row.iter().zip(&inverse).map(|(v, w)| v * w[j]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_star_without_noise_is_found_exactly() {
        let profile = Profile::new(3.0, 40.0);
        let star = Star::new(&profile, Shape { xx: 3.5, xy: 0.3, yy: 2.8 });
        let mut stamp = Stamp { sky_e2: 100.0, ..Stamp::default() };
        for y in 0..17 {
            for x in 0..17 {
                let (px, py) = (f64::from(x), f64::from(y));
                stamp.places.push((px as f32, py as f32));
                stamp.values_e.push((5000.0 * star.light(px - 8.3, py - 7.6).share) as f32);
            }
        }
        let found = fit_star(&stamp, &star, ((8.0, 8.0), 4000.0), 2.0).expect("settles");
        assert!((found.x_px - 8.3).abs() < 1e-4 && (found.y_px - 7.6).abs() < 1e-4, "{found:?}");
        assert!((found.flux_e - 5000.0).abs() < 0.5, "{found:?}");
        assert!(fit_star(&stamp, &star, ((2.0, 2.0), 4000.0), 1.0).is_none());
    }
}
