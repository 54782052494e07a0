//! Measures the frame's point spread function on its bright stars.
//!
//! One exponent for the frame, the one with the least chi-squared over the brightest stars; then
//! the shape of each star and a polynomial through the shapes, of an order the number of stars
//! can carry, outliers (galaxies, pairs) clipped.

use std::sync::Arc;

use rayon::prelude::*;

use super::psf_fit::{Stamp, fit_light};
use super::psf_model::{Profile, PsfModel, Shape, Star, TERMS, basis, width_factor};
use crate::science::image::stats::{median_and_scatter, median_in_place};
use crate::science::sky::least_squares::NormalEquations;

/// Inverse exponents tried: from a near Gaussian to wide wings.
const INVERSE_BETAS: [f64; 7] = [0.04, 0.12, 0.20, 0.28, 0.36, 0.44, 0.52];
/// Stars that decide the exponent.
const BETA_STARS_MAX: usize = 16;
/// Fewest stars for a model.
const STARS_MIN: usize = 3;
/// Fewest stars for polynomials of first and second order.
const LINEAR_STARS_MIN: usize = 12;
const QUADRATIC_STARS_MIN: usize = 40;
/// Gauss-Newton steps of a shape.
const STEPS_MAX: usize = 20;
/// Deviation from the polynomial at which a star is left out [sigma].
const CLIP_SIGMA: f64 = 3.5;
/// Reach of the fits' table in units of the seeing.
const REACH_FWHM: f64 = 4.5;

/// A bright star with its pixels.
#[derive(Debug, Clone)]
pub struct PsfStar {
    /// Its pixels.
    pub stamp: Stamp,
    /// First guess of its place, column [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
}

/// What the fit of one star's shape gave.
#[derive(Debug, Clone, Copy)]
struct ShapeFit {
    x_px: f64,
    y_px: f64,
    shape: Shape,
    /// Variance of the shape's elements, roughly [px^4].
    variance: f64,
    chi2_sum: f64,
}

/// The table of an exponent that reaches over the stamps of a seeing's stars.
fn profile_of(inverse_beta: f64) -> Profile {
    let beta = 1.0 / inverse_beta;
    // Elongated stars reach further in s.
    Profile::new(beta, 2.0 * (REACH_FWHM * width_factor(beta)).powi(2))
}

/// Measures the model; `None` with fewer than three usable stars.
///
/// * `stars`: brightest first; `fwhm_px`: first guess of the seeing.
pub fn survey_psf(stars: &[PsfStar], fwhm_px: f64, size_px: (usize, usize)) -> Option<PsfModel> {
    if stars.len() < STARS_MIN {
        return None;
    }
    let few = &stars[..stars.len().min(BETA_STARS_MAX)];
    let chi2: Vec<f64> =
        INVERSE_BETAS.iter().map(|&inverse| frame_chi2(few, inverse, fwhm_px)).collect();
    let profile = Arc::new(profile_of(best_inverse(&chi2)));
    let mut fits: Vec<ShapeFit> =
        stars.par_iter().filter_map(|star| fit_shape(star, &profile, fwhm_px)).collect();
    if fits.len() < STARS_MIN {
        return None;
    }
    let mut model =
        PsfModel { profile, surfaces: [[0.0; TERMS]; 3], size_px, n_stars: fits.len(), n_terms: 1 };
    for _ in 0..5 {
        let n_terms = terms_for(fits.len());
        model.surfaces = surfaces(&fits, n_terms, size_px)?;
        (model.n_terms, model.n_stars) = (n_terms, fits.len());
        let before = fits.len();
        fits = clipped(fits, &model);
        if fits.len() == before || fits.len() < STARS_MIN {
            break;
        }
    }
    model.shape_at(0.5 * size_px.0 as f64, 0.5 * size_px.1 as f64).is_sound().then_some(model)
}

fn terms_for(n_stars: usize) -> usize {
    match n_stars {
        0..LINEAR_STARS_MIN => 1,
        LINEAR_STARS_MIN..QUADRATIC_STARS_MIN => 3,
        _ => TERMS,
    }
}

/// Chi-squared of the stars together with an exponent, each with its own shape.
///
/// Each star's share is measured in units of its best: a star brighter than the model is true
/// would else decide alone.
fn frame_chi2(stars: &[PsfStar], inverse_beta: f64, fwhm_px: f64) -> f64 {
    let profile = profile_of(inverse_beta);
    let values: Vec<f64> = stars
        .par_iter()
        .map(|star| {
            fit_shape(star, &profile, fwhm_px)
                .map_or(1e3, |fit| (fit.chi2_sum / star.stamp.values_e.len() as f64).ln_1p())
        })
        .collect();
    values.iter().sum()
}

/// The least of the values' places, by a parabola through the lowest three.
fn best_inverse(chi2: &[f64]) -> f64 {
    let best = (0..chi2.len()).min_by(|&a, &b| chi2[a].total_cmp(&chi2[b])).unwrap_or(3);
    let best = best.clamp(1, INVERSE_BETAS.len() - 2);
    let (low, middle, high) = (chi2[best - 1], chi2[best], chi2[best + 1]);
    let curvature = low - 2.0 * middle + high;
    let step = INVERSE_BETAS[best + 1] - INVERSE_BETAS[best];
    let offset = if curvature > 0.0 { 0.5 * (low - high) / curvature } else { 0.0 };
    let first = INVERSE_BETAS[0];
    (INVERSE_BETAS[best] + step * offset.clamp(-1.0, 1.0)).clamp(first, INVERSE_BETAS[6])
}

/// Fits place, light and shape of one star, from a round start.
fn fit_shape(star: &PsfStar, profile: &Profile, fwhm_px: f64) -> Option<ShapeFit> {
    let a = fwhm_px / width_factor(profile.beta());
    let mut shape = Shape { xx: a * a, xy: 0.0, yy: a * a };
    let (mut x, mut y) = (star.x_px, star.y_px);
    let mut flux = fit_light(&star.stamp, &Star::new(profile, shape), (x, y))?.0;
    let mut last: Option<ShapeFit> = None;
    for _ in 0..STEPS_MAX {
        if flux <= 0.0 {
            return None;
        }
        let drawn = Star::new(profile, shape);
        let mut normal = NormalEquations::new(6);
        let (mut chi2_sum, mut slope2) = (0.0, 0.0);
        for (&(px, py), &value) in star.stamp.places.iter().zip(&star.stamp.values_e) {
            let (dx, dy) = (f64::from(px) - x, f64::from(py) - y);
            let light = drawn.light(dx, dy);
            let [by_xx, by_xy, by_yy] = drawn.by_shape(dx, dy).map(|v| v * flux);
            // The model's own error, 1 % of the light, keeps bright stars from ruling.
            let floor = 0.01 * flux * light.share;
            let weight = 1.0 / (star.stamp.sky_e2 + flux * light.share + floor * floor);
            let rest = f64::from(value) - flux * light.share;
            chi2_sum += weight * rest * rest;
            slope2 += weight * (by_xx * by_xx + by_yy * by_yy);
            let row = [light.share, flux * light.by_x, flux * light.by_y, by_xx, by_xy, by_yy];
            normal.add(&row, [rest, 0.0], weight);
        }
        last = Some(ShapeFit { x_px: x, y_px: y, shape, variance: 2.0 / slope2, chi2_sum });
        let [step, _] = normal.solve()?;
        // No step may change the shape by more than a third.
        let largest = step[3].abs().max(step[4].abs()).max(step[5].abs());
        let limit = 0.33 * shape.xx.min(shape.yy);
        let damping = if largest > limit { limit / largest } else { 1.0 };
        flux += damping * step[0];
        x += damping * step[1];
        y += damping * step[2];
        shape.xx += damping * step[3];
        shape.xy += damping * step[4];
        shape.yy += damping * step[5];
        if !shape.is_sound() || (x - star.x_px).hypot(y - star.y_px) > fwhm_px {
            return None;
        }
        if largest < 1e-4 * (shape.xx + shape.yy) {
            break;
        }
    }
    last
}

/// Polynomials through the shapes' elements.
fn surfaces(
    fits: &[ShapeFit],
    n_terms: usize,
    size_px: (usize, usize),
) -> Option<[[f64; TERMS]; 3]> {
    // Shapes differ from star to star by more than their errors: a floor of 2 % of the width.
    let mut sizes: Vec<f64> = fits.iter().map(|f| f.shape.det().sqrt()).collect();
    let floor = (0.02 * median_in_place(&mut sizes)?).powi(2);
    let mut out = [[0.0; TERMS]; 3];
    for (k, coefficients) in out.iter_mut().enumerate() {
        let mut normal = NormalEquations::new(n_terms);
        for fit in fits {
            let value = [fit.shape.xx, fit.shape.xy, fit.shape.yy][k];
            let row = basis(fit.x_px, fit.y_px, size_px);
            normal.add(&row[..n_terms], [value, 0.0], 1.0 / (fit.variance + floor));
        }
        let [solved, _] = normal.solve()?;
        coefficients[..n_terms].copy_from_slice(&solved);
    }
    Some(out)
}

/// The stars that follow the polynomials.
fn clipped(fits: Vec<ShapeFit>, model: &PsfModel) -> Vec<ShapeFit> {
    let deviation = |fit: &ShapeFit| {
        let expected = model.shape_at(fit.x_px, fit.y_px);
        [fit.shape.xx - expected.xx, fit.shape.xy - expected.xy, fit.shape.yy - expected.yy]
    };
    let all: Vec<[f64; 3]> = fits.iter().map(deviation).collect();
    let limits: [f64; 3] = [0, 1, 2].map(|k| {
        let values: Vec<f64> = all.iter().map(|d| d[k]).collect();
        // The middle need not be zero: the first polynomial was pulled by what is clipped now.
        median_and_scatter(&values).map_or(f64::INFINITY, |(middle, scatter)| {
            CLIP_SIGMA * scatter.max(1e-6) + middle.abs()
        })
    });
    fits.into_iter()
        .zip(all)
        .filter(|(_, d)| (0..3).all(|k| d[k].abs() <= limits[k]))
        .map(|(fit, _)| fit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stars of a profile whose width grows along x from 3 to 4 px^2 in xx, without noise.
    fn stars(beta: f64, n: usize) -> Vec<PsfStar> {
        let profile = Profile::new(beta, 60.0);
        (0..n)
            .map(|i| {
                let (x, y) = (37.0 * (i % 5) as f64 + 20.3, 37.0 * (i / 5) as f64 + 20.7);
                let shape = Shape { xx: 3.0 + x / 200.0, xy: 0.2, yy: 2.6 };
                let star = Star::new(&profile, shape);
                let mut stamp = Stamp { sky_e2: 400.0, ..Stamp::default() };
                for py in (y - 8.0) as i32..(y + 8.0) as i32 {
                    for px in (x - 8.0) as i32..(x + 8.0) as i32 {
                        let (px, py) = (f64::from(px), f64::from(py));
                        stamp.places.push((px as f32, py as f32));
                        stamp.values_e.push((1e5 * star.light(px - x, py - y).share) as f32);
                    }
                }
                PsfStar { stamp, x_px: x.round(), y_px: y.round() }
            })
            .collect()
    }

    #[test]
    fn exponent_and_varying_shape_are_found_again() {
        for beta in [2.5, 3.2, 4.5] {
            let model = survey_psf(&stars(beta, 25), 2.2, (200, 200)).expect("25 stars");
            assert!((1.0 / model.beta() - 1.0 / beta).abs() < 0.02, "{beta}: {}", model.beta());
            assert_eq!(model.n_terms, 3);
            for x in [10.0, 100.0, 190.0] {
                let shape = model.shape_at(x, 100.0);
                let expected = 3.0 + x / 200.0;
                // The width goes with the exponent; its half-maximum is what counts.
                let ratio = width_factor(model.beta()) / width_factor(beta);
                let got = shape.xx * ratio * ratio;
                assert!((got / expected - 1.0).abs() < 0.03, "{beta} {x}: {got} {expected}");
            }
        }
    }

    #[test]
    fn two_stars_make_no_model() {
        assert!(survey_psf(&stars(3.0, 2), 2.2, (200, 200)).is_none());
    }
}
