//! Aperture correction: which share of a star's light the photometric aperture holds.
//!
//! Light inside growing circles around bright, lonely stars is compared with the enclosed light
//! of a Moffat profile (Moffat 1969, A&A 3, 455), f(r) = 1 - (1 + r^2/alpha^2)^(1 - beta); its
//! two parameters give the light out to infinity, which no real aperture reaches.

use crate::science::detect::aperture::{Ellipse, Scene, sum_aperture};
use crate::science::image::stats::{median_and_scatter, median_in_place};

/// Radii of the growth curve in units of the seeing.
const RADII_FWHM: [f64; 9] = [0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0];
/// The local sky is taken in this ring, in units of the seeing.
const RING_FWHM: (f64, f64) = (6.0, 9.0);
/// Flattest and steepest believable profile.
const BETA_RANGE: (f64, f64) = (1.6, 8.0);
/// Fewest stars a growth curve rests on.
const STARS_MIN: usize = 3;

/// Aperture correction of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApertureCorrection {
    /// Share of a star's light inside the aperture, 0..1.
    pub share: f64,
    /// Relative error of the share.
    pub share_err: f64,
    /// Exponent of the fitted profile.
    pub beta: f64,
    /// Number of stars it rests on.
    pub n_stars: usize,
}

/// Share of a Moffat star's light inside a circle of radius `r` (in units of alpha's unit).
pub fn moffat_share(r: f64, alpha: f64, beta: f64) -> f64 {
    1.0 - (1.0 + (r / alpha).powi(2)).powf(1.0 - beta)
}

/// Measures the aperture correction; `None` with fewer than three usable stars.
///
/// * `stars`: centres of bright, unsaturated, lonely stars [px].
/// * `fwhm_px`: seeing; `aperture_px`: radius of the photometric aperture.
pub fn aperture_correction(
    scene: Scene<'_>,
    stars: &[(f64, f64)],
    fwhm_px: f64,
    aperture_px: f64,
) -> Option<ApertureCorrection> {
    let curves: Vec<[f64; RADII_FWHM.len()]> = stars
        .iter()
        .filter_map(|&(x, y)| growth_curve(scene, x, y, fwhm_px, aperture_px))
        .collect();
    if curves.len() < STARS_MIN {
        return None;
    }
    let mut points = Vec::with_capacity(RADII_FWHM.len());
    for (k, &radius) in RADII_FWHM.iter().enumerate() {
        let values: Vec<f64> = curves.iter().map(|c| c[k]).collect();
        let (middle, scatter) = median_and_scatter(&values)?;
        // 1.25: a median's error is that much larger than a mean's; the floor stands for the
        // profile not being an exact Moffat.
        let err = (1.25 * scatter / (values.len() as f64).sqrt()).hypot(1e-3);
        points.push((radius * fwhm_px, middle, err));
    }
    let (alpha, beta, chi2) = fit_moffat(&points, fwhm_px, aperture_px);
    let share = moffat_share(aperture_px, alpha, beta);
    let reduced = (chi2 / (points.len() - 2) as f64).max(1.0);
    let outer_err = points.iter().map(|p| p.2).fold(f64::INFINITY, f64::min);
    Some(ApertureCorrection {
        share,
        share_err: outer_err * reduced.sqrt(),
        beta,
        n_stars: curves.len(),
    })
}

/// Light inside each radius over the light in the photometric aperture.
fn growth_curve(
    scene: Scene<'_>,
    x: f64,
    y: f64,
    fwhm_px: f64,
    aperture_px: f64,
) -> Option<[f64; RADII_FWHM.len()]> {
    let sky = ring_sky(scene, x, y, RING_FWHM.0 * fwhm_px, RING_FWHM.1 * fwhm_px)?;
    let light = |radius: f64| {
        let sum = sum_aperture(scene, &Ellipse::circle(x, y, radius));
        (!sum.is_cut && sum.masked_share < 0.002)
            .then(|| sum.flux_e - sky * std::f64::consts::PI * radius * radius)
    };
    let reference = light(aperture_px).filter(|f| *f > 0.0)?;
    let mut curve = [0.0; RADII_FWHM.len()];
    for (value, radius) in curve.iter_mut().zip(RADII_FWHM) {
        *value = light(radius * fwhm_px)? / reference;
    }
    Some(curve)
}

/// Median signal in a ring; `None` when most of it is outside the frame or masked.
fn ring_sky(scene: Scene<'_>, x: f64, y: f64, inner: f64, outer: f64) -> Option<f64> {
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    let range = |centre: f64, n: usize| {
        (centre - outer).max(0.0) as usize..((centre + outer).max(0.0) as usize + 1).min(n)
    };
    let mut values = Vec::new();
    for yy in range(y, ny) {
        for xx in range(x, nx) {
            let r = (xx as f64 - x).hypot(yy as f64 - y);
            if r >= inner && r <= outer && scene.mask.at(xx, yy).is_good() {
                values.push(f64::from(scene.signal_e.at(xx, yy)));
            }
        }
    }
    let whole = std::f64::consts::PI * (outer * outer - inner * inner);
    if (values.len() as f64) < 0.5 * whole {
        return None;
    }
    median_in_place(&mut values)
}

/// Weighted fit of (alpha, beta) to a growth curve by a grid refined four times.
fn fit_moffat(points: &[(f64, f64, f64)], fwhm_px: f64, aperture_px: f64) -> (f64, f64, f64) {
    const STEPS: i32 = 20;
    let chi2 = |alpha: f64, beta: f64| -> f64 {
        let reference = moffat_share(aperture_px, alpha, beta);
        points
            .iter()
            .map(|&(r, y, err)| ((y - moffat_share(r, alpha, beta) / reference) / err).powi(2))
            .sum()
    };
    // In terms of the width at half maximum, alpha = FWHM / (2 sqrt(2^(1/beta) - 1)).
    let alpha_of = |fwhm: f64, beta: f64| fwhm / (2.0 * (2.0_f64.powf(1.0 / beta) - 1.0).sqrt());
    let (mut centre_w, mut half_w) = (fwhm_px, 0.5 * fwhm_px);
    let (mut centre_b, mut half_b) = (
        0.5 * (1.0 / BETA_RANGE.0 + 1.0 / BETA_RANGE.1),
        0.5 * (1.0 / BETA_RANGE.0 - 1.0 / BETA_RANGE.1),
    );
    let mut best = (alpha_of(fwhm_px, 3.0), 3.0, f64::INFINITY);
    for _ in 0..5 {
        let (mut at_w, mut at_b) = (centre_w, centre_b);
        for i in -STEPS..=STEPS {
            for j in -STEPS..=STEPS {
                let width = centre_w + half_w * f64::from(i) / f64::from(STEPS);
                let inverse = centre_b + half_b * f64::from(j) / f64::from(STEPS);
                let beta = (1.0 / inverse).clamp(BETA_RANGE.0, BETA_RANGE.1);
                let alpha = alpha_of(width.max(0.2 * fwhm_px), beta);
                let value = chi2(alpha, beta);
                if value < best.2 {
                    best = (alpha, beta, value);
                    (at_w, at_b) = (width, inverse);
                }
            }
        }
        (centre_w, centre_b) = (at_w, at_b.clamp(1.0 / BETA_RANGE.1, 1.0 / BETA_RANGE.0));
        half_w *= 0.15;
        half_b *= 0.15;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::image::Image;
    use crate::science::image::mask::MaskBits;

    #[test]
    fn a_moffat_star_gives_its_own_share() {
        // Sampled on sub-pixels: the mean over each pixel of a Moffat of beta 3, FWHM 4 px.
        let (beta, fwhm) = (3.0, 4.0);
        let alpha = fwhm / (2.0 * (2.0_f64.powf(1.0 / beta) - 1.0).sqrt());
        let n = 121;
        let sample = |x: f64, y: f64| {
            1e6 * (beta - 1.0) / (std::f64::consts::PI * alpha * alpha)
                * (1.0 + (x * x + y * y) / (alpha * alpha)).powf(-beta)
        };
        let pixels = (0..n * n)
            .map(|i| {
                let (x, y) = ((i % n) as f64 - 60.2, (i / n) as f64 - 59.9);
                let mut sum = 0.0;
                for j in 0..5 {
                    for k in 0..5 {
                        let step = |m: i32| (f64::from(m) + 0.5) / 5.0 - 0.5;
                        sum += sample(x + step(j), y + step(k)) / 25.0;
                    }
                }
                sum as f32
            })
            .collect();
        let signal = Image::from_pixels(n, n, pixels).expect("square");
        let variance = Image::filled(n, n, 1.0_f32);
        let mask = Image::filled(n, n, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        let stars = [(60.2, 59.9); 4];
        let found = aperture_correction(scene, &stars, fwhm, 1.5 * fwhm).expect("stars");
        // Integration over pixels widens the star a little; the drawn light itself decides.
        let inside = sum_aperture(scene, &Ellipse::circle(60.2, 59.9, 1.5 * fwhm));
        let expected = inside.flux_e / 1e6;
        assert!((found.share / expected - 1.0).abs() < 0.002, "{found:?} {expected}");
    }

    #[test]
    fn too_few_stars_give_no_correction() {
        let signal = Image::filled(50, 50, 0.0_f32);
        let variance = Image::filled(50, 50, 1.0_f32);
        let mask = Image::filled(50, 50, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        assert!(aperture_correction(scene, &[(25.0, 25.0)], 3.0, 4.5).is_none());
    }
}
