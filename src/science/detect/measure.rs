//! Measures one source: place, fluxes, shape.
//!
//! The place is the windowed centroid: first moments under a Gaussian of the seeing, iterated
//! (Bertin, SExtractor manual, "windowed positional parameters"); its error follows from the
//! pixels' variances. Strongly elongated sources, trails, keep their isophotal centre.

use super::aperture::{ApertureSum, Ellipse, Scene, kron_radius, sum_aperture};
use super::segment::Segment;
use super::sources::SourceFlags;
use crate::science::image::Image;
use crate::science::image::mask::MaskBits;
use crate::science::units::FWHM_PER_SIGMA;

/// Rounds of the windowed centroid.
const CENTROID_ROUNDS_MAX: usize = 16;
/// The centroid has converged when it moves less than this [px].
const CENTROID_STEP_MIN_PX: f64 = 2e-4;
/// Scale of the Kron ellipse in units of the first moment (Kron 1980; SExtractor's default).
const KRON_FACTOR: f64 = 2.5;
/// Smallest Kron ellipse, in units of the shape's axes (SExtractor's default).
const KRON_RADIUS_MIN: f64 = 3.5;
/// Pixels of a trail: its axis ratio is above this.
const TRAIL_ELONGATION_MIN: f64 = 2.0;

/// All numbers of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Column of the centre [px].
    pub x_px: f64,
    /// Row of the centre [px].
    pub y_px: f64,
    /// Error per axis [px].
    pub position_err_px: f64,
    /// Sum in the circular aperture.
    pub aperture: ApertureSum,
    /// Sum in the Kron ellipse.
    pub kron: ApertureSum,
    /// Semi-major axis of the second moments [px].
    pub a_px: f64,
    /// Semi-minor axis [px].
    pub b_px: f64,
    /// Angle of the major axis [rad].
    pub theta_rad: f64,
    /// Highest pixel [e-].
    pub peak_e: f64,
    /// Remarks.
    pub flags: SourceFlags,
}

/// Measures the source of a segment; `None` when no signal is left on good pixels.
///
/// * `fwhm_px`: seeing of the frame; `aperture_px`: radius of the circular aperture.
pub fn measure(
    scene: Scene<'_>,
    snr: &Image<f32>,
    segment: &Segment,
    fwhm_px: f64,
    aperture_px: f64,
) -> Option<Measured> {
    let shape = isophotal_shape(scene, segment)?;
    let mut flags = SourceFlags::default();
    if segment.is_blended {
        flags = flags.with(SourceFlags::BLENDED);
    }
    let start = summit(snr, segment);
    let window_sigma = fwhm_px / FWHM_PER_SIGMA;
    let is_trail = shape.a_px > TRAIL_ELONGATION_MIN * shape.b_px && shape.a_px > fwhm_px;
    let (x_px, y_px, position_err_px) = if is_trail {
        let err = (shape.centre_variance / 2.0).sqrt();
        (shape.x_px, shape.y_px, err)
    } else {
        let found = windowed_centroid(scene, start, window_sigma);
        if !found.has_converged {
            flags = flags.with(SourceFlags::CENTROID);
        }
        (found.x_px, found.y_px, found.err_px)
    };
    let ellipse =
        Ellipse { x_px, y_px, a_px: shape.a_px, b_px: shape.b_px, theta_rad: shape.theta_rad };
    let aperture = sum_aperture(scene, &Ellipse::circle(x_px, y_px, aperture_px));
    let first_moment = kron_radius(scene.signal_e, &ellipse, 6.0).unwrap_or(0.0).min(6.0);
    let factor = (KRON_FACTOR * first_moment).max(KRON_RADIUS_MIN);
    let kron_ellipse = Ellipse { a_px: factor * shape.a_px, b_px: factor * shape.b_px, ..ellipse };
    let kron = sum_aperture(scene, &kron_ellipse);
    if aperture.is_cut {
        flags = flags.with(SourceFlags::EDGE);
    }
    if shape.reasons.with(aperture.reasons).is_any(MaskBits::SATURATED) {
        flags = flags.with(SourceFlags::SATURATED);
    }
    let damaged = MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC);
    if aperture.reasons.is_any(damaged) {
        flags = flags.with(SourceFlags::MASKED);
    }
    if aperture.reasons.is_any(MaskBits::TRAIL) {
        flags = flags.with(SourceFlags::TRAIL);
    }
    Some(Measured {
        x_px,
        y_px,
        position_err_px,
        aperture,
        kron,
        a_px: shape.a_px,
        b_px: shape.b_px,
        theta_rad: shape.theta_rad,
        peak_e: shape.peak_e,
        flags,
    })
}

struct Shape {
    x_px: f64,
    y_px: f64,
    a_px: f64,
    b_px: f64,
    theta_rad: f64,
    peak_e: f64,
    /// Sum over both axes of the centre's variance [px^2].
    centre_variance: f64,
    reasons: MaskBits,
}

/// Moments of the segment's pixels weighted by their positive signal.
fn isophotal_shape(scene: Scene<'_>, segment: &Segment) -> Option<Shape> {
    let nx = scene.signal_e.nx();
    let (signal, variance, mask) =
        (scene.signal_e.pixels(), scene.variance_e2.pixels(), scene.mask.pixels());
    let origin = (segment.peak_x as f64, segment.peak_y as f64);
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
        let (dx, dy) = ((i % nx) as f64 - origin.0, (i / nx) as f64 - origin.1);
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
    let mut centre_variance = 0.0;
    for &place in &segment.pixels {
        let i = place as usize;
        if signal[i] > 0.0 {
            let (dx, dy) = ((i % nx) as f64 - origin.0 - mx, (i / nx) as f64 - origin.1 - my);
            centre_variance += f64::from(variance[i]) * (dx * dx + dy * dy) / (sum * sum);
        }
    }
    Some(Shape {
        x_px: origin.0 + mx,
        y_px: origin.1 + my,
        a_px: (mean + spread).sqrt(),
        b_px: (mean - spread).max(PIXEL_MOMENT).sqrt(),
        theta_rad: 0.5 * (2.0 * vxy).atan2(vxx - vyy),
        peak_e,
        centre_variance,
        reasons,
    })
}

/// Place of the map's summit, by a parabola through three pixels per axis.
fn summit(snr: &Image<f32>, segment: &Segment) -> (f64, f64) {
    let (x, y) = (segment.peak_x, segment.peak_y);
    let vertex = |low: f32, middle: f32, high: f32| {
        let curvature = f64::from(low) - 2.0 * f64::from(middle) + f64::from(high);
        if curvature < 0.0 && curvature.is_finite() {
            (0.5 * (f64::from(low) - f64::from(high)) / curvature).clamp(-0.5, 0.5)
        } else {
            0.0
        }
    };
    let dx = if x > 0 && x + 1 < snr.nx() {
        vertex(snr.at(x - 1, y), snr.at(x, y), snr.at(x + 1, y))
    } else {
        0.0
    };
    let dy = if y > 0 && y + 1 < snr.ny() {
        vertex(snr.at(x, y - 1), snr.at(x, y), snr.at(x, y + 1))
    } else {
        0.0
    };
    (x as f64 + dx, y as f64 + dy)
}

struct Centroid {
    x_px: f64,
    y_px: f64,
    err_px: f64,
    has_converged: bool,
}

/// Iterates the centre of the signal under a Gaussian window from a starting place.
fn windowed_centroid(scene: Scene<'_>, start: (f64, f64), sigma_px: f64) -> Centroid {
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    let (signal, variance, mask) =
        (scene.signal_e.pixels(), scene.variance_e2.pixels(), scene.mask.pixels());
    let reach = 4.0 * sigma_px;
    let (mut x, mut y) = start;
    let mut err_px = sigma_px;
    for _ in 0..CENTROID_ROUNDS_MAX {
        let (mut sum, mut mx, mut my, mut var) = (0.0, 0.0, 0.0, 0.0);
        let (x0, x1) = ((x - reach).ceil().max(0.0) as usize, ((x + reach) as usize + 1).min(nx));
        let (y0, y1) = ((y - reach).ceil().max(0.0) as usize, ((y + reach) as usize + 1).min(ny));
        for yy in y0..y1 {
            for xx in x0..x1 {
                let i = yy * nx + xx;
                if mask[i].is_any(MaskBits::NO_DATA.with(MaskBits::COSMIC)) {
                    continue;
                }
                let (dx, dy) = (xx as f64 - x, yy as f64 - y);
                let r2 = dx * dx + dy * dy;
                if r2 > reach * reach {
                    continue;
                }
                let weight = (-0.5 * r2 / (sigma_px * sigma_px)).exp();
                let value = weight * f64::from(signal[i]);
                sum += value;
                mx += value * dx;
                my += value * dy;
                var += weight * weight * f64::from(variance[i]) * r2;
            }
        }
        if sum <= 0.0 {
            break;
        }
        // The window pulls the moment towards itself; twice the offset undoes that for a
        // source of the window's width.
        let (step_x, step_y) = (2.0 * mx / sum, 2.0 * my / sum);
        x += step_x;
        y += step_y;
        err_px = (2.0 * var).sqrt() / sum;
        if (x - start.0).hypot(y - start.1) > 2.0 * sigma_px || !x.is_finite() || !y.is_finite() {
            break;
        }
        if step_x.hypot(step_y) < CENTROID_STEP_MIN_PX {
            return Centroid { x_px: x, y_px: y, err_px, has_converged: true };
        }
    }
    let has_stayed = (x - start.0).hypot(y - start.1) <= 2.0 * sigma_px;
    if has_stayed {
        return Centroid { x_px: x, y_px: y, err_px, has_converged: true };
    }
    Centroid { x_px: start.0, y_px: start.1, err_px: err_px.max(0.3), has_converged: false }
}
