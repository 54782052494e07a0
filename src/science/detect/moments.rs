//! Second moments of a source under a Gaussian window, the window taken out, with errors.
//!
//! For a Gaussian source of moment matrix M seen through a window W the measured matrix m obeys
//! m^-1 = M^-1 + W^-1 (Bernstein & Jarvis 2002, AJ 123, 583).

use super::aperture::Scene;
use crate::science::image::mask::MaskBits;

/// Axes of a source by its windowed second moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Semi-major axis [px].
    pub a_px: f64,
    /// Semi-minor axis [px].
    pub b_px: f64,
    /// Angle of the major axis from +x towards +y [rad].
    pub theta_rad: f64,
    /// Error of the semi-major axis [px].
    pub a_err_px: f64,
    /// Error of the semi-minor axis [px].
    pub b_err_px: f64,
    /// Error of the angle; at most a quarter turn [rad].
    pub theta_err_rad: f64,
}

/// Sums of the light under the window, and of its variance.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    light: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    /// Variance times 1, x^2, y^2, x^4, y^4.
    noise: [f64; 5],
}

/// Measures the moments around a place under a window of `sigma_px`.
pub fn windowed_moments(scene: Scene<'_>, place_px: (f64, f64), sigma_px: f64) -> Option<Moments> {
    // A window wider than the source loses less of it to the correction.
    let sigma = 1.5 * sigma_px;
    let sums = sums(scene, place_px, sigma);
    (sums.light > 0.0).then(|| unwindowed(&sums, sigma)).flatten()
}

/// Adds up the light around a place under a window of `sigma` [px].
fn sums(scene: Scene<'_>, (x_px, y_px): (f64, f64), sigma: f64) -> Sums {
    let reach = 3.0 * sigma;
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    let range = |centre: f64, n: usize| {
        let low = (centre - reach).ceil().max(0.0) as usize;
        low..((centre + reach).floor() + 1.0).clamp(0.0, n as f64) as usize
    };
    let columns = range(x_px, nx);
    // The window separates: one exponential per column and row.
    let weight = |d: f64| (-0.5 * d * d / (sigma * sigma)).exp();
    let along: Vec<f64> = columns.clone().map(|x| weight(x as f64 - x_px)).collect();
    let mut sums = Sums::default();
    for y in range(y_px, ny) {
        let dy = y as f64 - y_px;
        let across = weight(dy);
        let (signal, variance) = (scene.signal_e.row(y), scene.variance_e2.row(y));
        let mask = scene.mask.row(y);
        for (x, &along) in columns.clone().zip(&along) {
            if mask[x].is_any(MaskBits::NO_DATA.with(MaskBits::COSMIC)) {
                continue;
            }
            let dx = x as f64 - x_px;
            let w = along * across;
            let value = w * f64::from(signal[x]);
            let (px, py) = (dx * dx, dy * dy);
            sums.light += value;
            sums.xx += value * px;
            sums.xy += value * dx * dy;
            sums.yy += value * py;
            let v = w * w * f64::from(variance[x]);
            for (sum, power) in sums.noise.iter_mut().zip([1.0, px, py, px * px, py * py]) {
                *sum += v * power;
            }
        }
    }
    sums
}

/// The axes with the window taken out; `None` when the light has no extent.
fn unwindowed(sums: &Sums, sigma: f64) -> Option<Moments> {
    let (sum, noise) = (sums.light, &sums.noise);
    let m = [sums.xx / sum, sums.xy / sum, sums.yy / sum];
    let det = m[0] * m[2] - m[1] * m[1];
    if m[0] <= 0.0 || m[2] <= 0.0 || det <= 0.0 {
        return None;
    }
    let per_window = 1.0 / (sigma * sigma);
    // A source as wide as the window lets through has no measurable width: four windows at most.
    let floor = per_window / 16.0;
    let ixx = (m[2] / det - per_window).max(floor);
    let iyy = (m[0] / det - per_window).max(floor);
    let ixy = (-m[1] / det).clamp(-0.99 * (ixx * iyy).sqrt(), 0.99 * (ixx * iyy).sqrt());
    let inverse_det = ixx * iyy - ixy * ixy;
    let (sxx, syy, sxy) = (iyy / inverse_det, ixx / inverse_det, -ixy / inverse_det);
    // Variance of a moment of the windowed light, then the window's stretching of changes.
    let var_xx = (noise[3] - 2.0 * m[0] * noise[1] + m[0] * m[0] * noise[0]) / (sum * sum);
    let var_yy = (noise[4] - 2.0 * m[2] * noise[2] + m[2] * m[2] * noise[0]) / (sum * sum);
    let (err_xx, err_yy) = (
        var_xx.max(0.0).sqrt() * (sxx / m[0]).powi(2),
        var_yy.max(0.0).sqrt() * (syy / m[2]).powi(2),
    );
    let mean = 0.5 * (sxx + syy);
    let spread = (0.25 * (sxx - syy).powi(2) + sxy * sxy).sqrt();
    let (a, b) = ((mean + spread).sqrt(), (mean - spread).max(1e-6).sqrt());
    let theta = 0.5 * (2.0 * sxy).atan2(sxx - syy);
    let err2 = 0.5 * (err_xx * err_xx + err_yy * err_yy);
    let quarter = std::f64::consts::FRAC_PI_2;
    Some(Moments {
        a_px: a,
        b_px: b,
        theta_rad: theta,
        a_err_px: err2.sqrt() / (2.0 * a),
        b_err_px: err2.sqrt() / (2.0 * b),
        theta_err_rad: (err2.sqrt() / (a * a - b * b).max(1e-9)).min(quarter),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::image::Image;

    #[test]
    fn an_ellipse_has_its_axes_and_angle() {
        let (a, b, theta) = (2.6, 1.7, 0.5_f64);
        let (sin, cos) = theta.sin_cos();
        let pixels = (0..61 * 61)
            .map(|i| {
                let (x, y) = ((i % 61) as f64 - 30.3, (i / 61) as f64 - 29.8);
                let (u, v) = ((x * cos + y * sin) / a, (y * cos - x * sin) / b);
                (1e4 * (-0.5 * (u * u + v * v)).exp()) as f32
            })
            .collect();
        let signal = Image::from_pixels(61, 61, pixels).expect("counted");
        let variance = Image::filled(61, 61, 100.0_f32);
        let mask = Image::filled(61, 61, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        let found = windowed_moments(scene, (30.3, 29.8), 2.0).expect("light");
        assert!((found.a_px - a).abs() < 0.05 && (found.b_px - b).abs() < 0.05, "{found:?}");
        assert!((found.theta_rad - theta).abs() < 0.02, "{found:?}");
    }
}
