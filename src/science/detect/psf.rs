//! Width and elongation of a frame's stars, and how sharp a star can be.
//!
//! Second moments under a Gaussian window that is widened until it fits the star itself
//! (adaptive moments, Bernstein & Jarvis 2002, AJ 123, 583): for a Gaussian star of variance
//! s^2 seen through a window of variance w^2 the measured moment m obeys 1/m = 1/s^2 + 1/w^2.

use super::aperture::Scene;
use crate::science::image::stats::{median_and_scatter, quantile_of_sorted};
use crate::science::units::FWHM_PER_SIGMA;

/// Rounds of the window's adaptation.
const ROUNDS: usize = 12;
/// Widest star that is believed [px].
const SIGMA_MAX_PX: f64 = 12.0;

/// The point spread function of a frame in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PsfShape {
    /// Full width at half maximum, geometric mean of both axes [px].
    pub fwhm_px: f64,
    /// Scatter of the width from star to star [px].
    pub fwhm_scatter_px: f64,
    /// 1 - b/a of the mean star.
    pub ellipticity: f64,
    /// Number of stars it rests on.
    pub n_stars: usize,
    /// Share of a star's aperture flux in its highest pixel, 95th percentile.
    pub peak_share_max: f64,
}

/// Second moments of one star.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StarMoments {
    /// Variance along x [px^2].
    pub xx: f64,
    /// Variance along y [px^2].
    pub yy: f64,
    /// Covariance [px^2].
    pub xy: f64,
}

/// Measures the moments of a star at a known centre; `None` when they do not settle.
pub fn adaptive_moments(
    scene: Scene<'_>,
    x_px: f64,
    y_px: f64,
    sigma_px: f64,
) -> Option<StarMoments> {
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    let (signal, mask) = (scene.signal_e.pixels(), scene.mask.pixels());
    let mut window = sigma_px;
    let mut moments = None;
    for _ in 0..ROUNDS {
        let reach = 4.0 * window;
        if x_px < reach || y_px < reach || x_px + reach >= nx as f64 || y_px + reach >= ny as f64 {
            return None;
        }
        let (mut sum, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0);
        for y in (y_px - reach).ceil() as usize..=(y_px + reach) as usize {
            for x in (x_px - reach).ceil() as usize..=(x_px + reach) as usize {
                let i = y * nx + x;
                if !mask[i].is_good() {
                    return None;
                }
                let (dx, dy) = (x as f64 - x_px, y as f64 - y_px);
                let weight = (-0.5 * (dx * dx + dy * dy) / (window * window)).exp();
                let value = weight * f64::from(signal[i]);
                sum += value;
                xx += value * dx * dx;
                yy += value * dy * dy;
                xy += value * dx * dy;
            }
        }
        if sum <= 0.0 {
            return None;
        }
        let (xx, yy, xy) = (xx / sum, yy / sum, xy / sum);
        // Undo the window: the inverse of the moment matrix less the window's.
        let det = xx * yy - xy * xy;
        if xx <= 0.0 || yy <= 0.0 || det <= 0.0 {
            return None;
        }
        let inverse_window = 1.0 / (window * window);
        let (ixx, iyy, ixy) = (yy / det - inverse_window, xx / det - inverse_window, -xy / det);
        let inverse_det = ixx * iyy - ixy * ixy;
        if ixx <= 0.0 || iyy <= 0.0 || inverse_det <= 0.0 {
            return None;
        }
        let star =
            StarMoments { xx: iyy / inverse_det, yy: ixx / inverse_det, xy: -ixy / inverse_det };
        let sigma = (1.0 / inverse_det).powf(0.25);
        if !sigma.is_finite() || sigma > SIGMA_MAX_PX {
            return None;
        }
        let change = (sigma / window - 1.0).abs();
        window = sigma.max(0.5);
        moments = Some(star);
        if change < 1e-3 {
            break;
        }
    }
    moments
}

/// Summarises the stars of a frame; `None` below three stars.
///
/// * `stars`: (x, y, aperture flux, peak) of isolated, unsaturated, bright sources.
pub fn psf_shape(
    scene: Scene<'_>,
    stars: &[(f64, f64, f64, f64)],
    fwhm_guess_px: f64,
) -> Option<PsfShape> {
    let sigma_guess = fwhm_guess_px / FWHM_PER_SIGMA;
    let mut widths = Vec::new();
    let mut moments = Vec::new();
    let mut peak_shares = Vec::new();
    for &(x, y, flux_e, peak_e) in stars {
        let Some(star) = adaptive_moments(scene, x, y, sigma_guess) else {
            continue;
        };
        let det = star.xx * star.yy - star.xy * star.xy;
        widths.push(FWHM_PER_SIGMA * det.powf(0.25));
        moments.push(star);
        if flux_e > 0.0 {
            peak_shares.push(peak_e / flux_e);
        }
    }
    if widths.len() < 3 {
        return None;
    }
    let (fwhm_px, fwhm_scatter_px) = median_and_scatter(&widths)?;
    let middle = |of: fn(&StarMoments) -> f64| {
        median_and_scatter(&moments.iter().map(of).collect::<Vec<_>>()).map_or(0.0, |m| m.0)
    };
    let (xx, yy, xy) = (middle(|m| m.xx), middle(|m| m.yy), middle(|m| m.xy));
    let spread = (0.25 * (xx - yy).powi(2) + xy * xy).sqrt();
    let mean = 0.5 * (xx + yy);
    let ratio = ((mean - spread).max(0.0) / (mean + spread)).sqrt();
    peak_shares.sort_unstable_by(f64::total_cmp);
    Some(PsfShape {
        fwhm_px,
        fwhm_scatter_px,
        ellipticity: 1.0 - ratio,
        n_stars: widths.len(),
        peak_share_max: quantile_of_sorted(&peak_shares, 0.95).unwrap_or(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::image::Image;
    use crate::science::image::mask::MaskBits;

    #[test]
    fn an_elongated_gaussian_has_its_moments() {
        let (sx, sy) = (2.4, 1.6);
        let pixels = (0..61 * 61)
            .map(|i| {
                let (x, y) = ((i % 61) as f64 - 30.3, (i / 61) as f64 - 29.8);
                (5e4 * (-0.5 * ((x / sx).powi(2) + (y / sy).powi(2))).exp()) as f32
            })
            .collect();
        let signal = Image::from_pixels(61, 61, pixels).expect("counted");
        let variance = Image::filled(61, 61, 1.0_f32);
        let mask = Image::filled(61, 61, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        let found = adaptive_moments(scene, 30.3, 29.8, 1.0).expect("settles");
        assert!((found.xx - sx * sx).abs() < 0.02, "{found:?}");
        assert!((found.yy - sy * sy).abs() < 0.02, "{found:?}");
        assert!(found.xy.abs() < 0.01, "{found:?}");
    }
}
