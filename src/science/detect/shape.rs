//! Second moments of a source's outline, as SExtractor's isophotal parameters (Bertin & Arnouts
//! 1996, A&AS 117, 393, sec. 10.1).

use super::aperture::Scene;
use super::segment::Segment;
use crate::science::image::mask::MaskBits;

/// Moments of an outline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Column of the centre [px].
    pub(super) x_px: f64,
    /// Row of the centre [px].
    pub(super) y_px: f64,
    /// Semi-major axis, root of the larger second moment [px].
    pub(super) a_px: f64,
    /// Semi-minor axis [px].
    pub(super) b_px: f64,
    /// Angle of the major axis from +x towards +y [rad].
    pub(super) theta_rad: f64,
    /// Highest pixel [e-].
    pub(super) peak_e: f64,
    /// Light of the outline's pixels [e-].
    pub(super) flux_e: f64,
    /// Variance of the column, covariance, variance of the row of the centre [px^2].
    pub(super) centre_var: [f64; 3],
    /// All that the mask says of these pixels.
    pub(super) reasons: MaskBits,
}

/// Moments of the segment's pixels weighted by their positive signal; `None` without any.
pub(super) fn isophotal_shape(scene: Scene<'_>, segment: &Segment) -> Option<Shape> {
    let nx = scene.signal_e.nx();
    let (signal, variance, mask) =
        (scene.signal_e.pixels(), scene.variance_e2.pixels(), scene.mask.pixels());
    let origin = (segment.peak_x as f64, segment.peak_y as f64);
    // Division of 32 bits is several times faster.
    let offset = |place: u32| {
        let row = place / nx as u32;
        (f64::from(place - row * nx as u32) - origin.0, f64::from(row) - origin.1)
    };
    let (mut sum, mut sx, mut sy, mut peak_e) = (0.0, 0.0, 0.0, f64::NEG_INFINITY);
    let (mut sxx, mut syy, mut sxy) = (0.0, 0.0, 0.0);
    let mut reasons = MaskBits::GOOD;
    for &place in &segment.pixels {
        let i = place as usize;
        reasons = reasons.with(mask[i]);
        let value = f64::from(signal[i]);
        peak_e = peak_e.max(value);
        if value <= 0.0 {
            continue;
        }
        let (dx, dy) = offset(place);
        sum += value;
        sx += value * dx;
        sy += value * dy;
        sxx += value * dx * dx;
        syy += value * dy * dy;
        sxy += value * dx * dy;
    }
    if sum <= 0.0 {
        return None;
    }
    let (mx, my) = (sx / sum, sy / sum);
    // A pixel is a square of unit side, whose own second moment is 1/12; never thinner.
    const PIXEL_MOMENT: f64 = 1.0 / 12.0;
    let vxx = (sxx / sum - mx * mx).max(PIXEL_MOMENT);
    let vyy = (syy / sum - my * my).max(PIXEL_MOMENT);
    let vxy = sxy / sum - mx * my;
    let mean = 0.5 * (vxx + vyy);
    let spread = (0.25 * (vxx - vyy).powi(2) + vxy * vxy).sqrt();
    let mut centre_var = [0.0; 3];
    for &place in &segment.pixels {
        let i = place as usize;
        if signal[i] > 0.0 {
            let (dx, dy) = offset(place);
            let (dx, dy) = (dx - mx, dy - my);
            let weight = f64::from(variance[i]) / (sum * sum);
            centre_var[0] += weight * dx * dx;
            centre_var[1] += weight * dx * dy;
            centre_var[2] += weight * dy * dy;
        }
    }
    Some(Shape {
        x_px: origin.0 + mx,
        y_px: origin.1 + my,
        a_px: (mean + spread).sqrt(),
        b_px: (mean - spread).max(PIXEL_MOMENT).sqrt(),
        theta_rad: 0.5 * (2.0 * vxy).atan2(vxx - vyy),
        peak_e,
        flux_e: sum,
        centre_var,
        reasons,
    })
}
