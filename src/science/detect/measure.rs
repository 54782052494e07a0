//! Measures one source: place, fluxes, shape.
//!
//! The place of a star is that of the fitted point spread function (`stars`), which is the
//! windowed centroid with the best window; its errors follow from the noise. A source the fit
//! cannot hold, and a saturated one, gets the windowed centroid under a Gaussian of the seeing
//! (Bertin, SExtractor manual, "windowed positional parameters"). Strongly elongated sources,
//! trails, keep their isophotal centre.

use super::aperture::{ApertureSum, Ellipse, Scene, kron_radius, sum_aperture};
use super::background::Background;
use super::erf::erfc;
use super::growth_radius::half_light_radius;
use super::line::{MISFIT_MIN, misfit};
use super::moments::{Moments, windowed_moments};
use super::psf_fit::Fitted;
use super::psf_model::PsfModel;
use super::segment::Segment;
use super::shape::{Shape, isophotal_shape};
use super::sources::SourceFlags;
use super::trail::Trail;
use crate::science::image::Image;
use crate::science::image::mask::MaskBits;
use crate::science::units::FWHM_PER_SIGMA;

/// Rounds of the windowed centroid.
const CENTROID_ROUNDS_MAX: usize = 16;
/// The centroid has converged when it moves less than this [px].
const CENTROID_STEP_MIN_PX: f64 = 2e-4;
/// Pixels of a trail: its axis ratio is above this.
const TRAIL_ELONGATION_MIN: f64 = 2.0;
/// Share by which a star's aperture and fitted light may differ for other reasons than noise.
const LIKENESS_FLOOR: f64 = 0.03;

/// Ellipses and circles of a frame's photometry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Apertures {
    /// Seeing that the filter is matched to [px].
    pub fwhm_px: f64,
    /// Radius of the photometric circle [px].
    pub circle_px: f64,
    /// Scale of the Kron ellipse in units of the first moment (Kron 1980).
    pub kron_factor: f64,
    /// Smallest Kron ellipse, in units of the shape's axes.
    pub kron_factor_min: f64,
    /// Light in the circle over the fitted light of a star, and 1 without a fit.
    pub circle_share: f64,
}

/// A frame ready to be measured.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// Its pixels.
    pub scene: Scene<'a>,
    /// Signal-to-noise ratio of the matched filter.
    pub snr: &'a Image<f32>,
    /// Its sky.
    pub sky: &'a Background,
    /// Its stars' shape.
    pub psf: &'a PsfModel,
    /// Ellipses and circles.
    pub apertures: Apertures,
}

/// All numbers of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Column of the centre [px].
    pub x_px: f64,
    /// Row of the centre [px].
    pub y_px: f64,
    /// Variance of the column, covariance, variance of the row [px^2].
    pub place_var: [f64; 3],
    /// Isophotal centre [px].
    pub isophotal_px: (f64, f64),
    /// Light of the outline's pixels [e-].
    pub flux_iso_e: f64,
    /// Number of the outline's pixels.
    pub n_pixels: usize,
    /// Sum in the circular aperture.
    pub aperture: ApertureSum,
    /// Sum in the Kron ellipse.
    pub kron: ApertureSum,
    /// Light of the fitted star and its error, in the scale of the circle; NaN without [e-].
    pub psf: (f64, f64),
    /// Chi-squared per degree of freedom of that fit; NaN without.
    pub psf_chi2: f64,
    /// Chance that a star's circle and fit differ as much; NaN without a fit.
    pub star_chance: f64,
    /// Radius of half the Kron light; NaN without light [px].
    pub half_light_px: f64,
    /// The trail, if the source is one.
    pub trail: Option<Trail>,
    /// Windowed second moments; `None` when the window sees no light.
    pub moments: Option<Moments>,
    /// Semi-major axis of the outline's second moments [px].
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

/// The few numbers the search for the seeing needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outline {
    /// Column of the windowed centroid [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
    /// Light in the circular aperture [e-].
    pub flux_e: f64,
    /// Highest pixel [e-].
    pub peak_e: f64,
    /// Semi-major axis [px].
    pub a_px: f64,
    /// Semi-minor axis [px].
    pub b_px: f64,
    /// Remarks.
    pub flags: SourceFlags,
}

/// Measures place, aperture light and outline only.
pub fn outline(
    scene: Scene<'_>,
    segment: &Segment,
    fwhm_px: f64,
    aperture_px: f64,
) -> Option<Outline> {
    let shape = isophotal_shape(scene, segment)?;
    let start = (segment.peak_x as f64, segment.peak_y as f64);
    let found = windowed_centroid(scene, start, fwhm_px / FWHM_PER_SIGMA);
    let circle = sum_aperture(scene, &Ellipse::circle(found.x_px, found.y_px, aperture_px));
    let mut flags = remarks(segment, &shape, &circle);
    if !found.has_converged {
        flags = flags.with(SourceFlags::CENTROID);
    }
    Some(Outline {
        x_px: found.x_px,
        y_px: found.y_px,
        flux_e: circle.flux_e,
        peak_e: shape.peak_e,
        a_px: shape.a_px,
        b_px: shape.b_px,
        flags,
    })
}

/// Place with its variances and whether it settled.
struct Place {
    x_px: f64,
    y_px: f64,
    place_var: [f64; 3],
    has_converged: bool,
}

/// Measures the source of a segment; `None` when no signal is left on good pixels.
///
/// * `fitted`: the star fitted to it, if any; `trail`: the trail it is, if it is one.
pub fn measure(
    stage: &Stage<'_>,
    segment: &Segment,
    (fitted, trail): (Option<&Fitted>, Option<Trail>),
) -> Option<Measured> {
    let (scene, apertures) = (stage.scene, &stage.apertures);
    let shape = isophotal_shape(scene, segment)?;
    let place = match &trail {
        Some(t) => {
            Place { x_px: t.x_px, y_px: t.y_px, place_var: t.place_var, has_converged: true }
        }
        None => place(stage, segment, &shape, fitted),
    };
    let (x_px, y_px) = (place.x_px, place.y_px);
    let circle = sum_aperture(scene, &Ellipse::circle(x_px, y_px, apertures.circle_px));
    let mut flags = remarks(segment, &shape, &circle);
    if !place.has_converged {
        flags = flags.with(SourceFlags::CENTROID);
    }
    let ellipse =
        Ellipse { x_px, y_px, a_px: shape.a_px, b_px: shape.b_px, theta_rad: shape.theta_rad };
    let first_moment = kron_radius(scene.signal_e, &ellipse, 6.0).unwrap_or(0.0).min(6.0);
    let factor = (apertures.kron_factor * first_moment).max(apertures.kron_factor_min);
    let kron_ellipse = Ellipse { a_px: factor * shape.a_px, b_px: factor * shape.b_px, ..ellipse };
    let kron = sum_aperture(scene, &kron_ellipse);
    if kron.is_cut || kron.masked_share > 0.0 {
        flags = flags.with(SourceFlags::INCOMPLETE);
    }
    let half_light_px =
        half_light_radius(scene.signal_e, (x_px, y_px), kron_ellipse.a_px, kron.flux_e)
            .unwrap_or(f64::NAN);
    let light = match &trail {
        Some(t) => Some((t.flux_e, t.flux_err_e, t.chi2)),
        None => fitted.map(|f| (f.flux_e, f.flux_err_e, f.chi2)),
    };
    let share = apertures.circle_share;
    let psf = light.map_or((f64::NAN, f64::NAN), |(e, err_e, _)| (e * share, err_e * share));
    Some(Measured {
        x_px,
        y_px,
        place_var: place.place_var,
        isophotal_px: (shape.x_px, shape.y_px),
        flux_iso_e: shape.flux_e,
        n_pixels: segment.pixels.len(),
        aperture: circle,
        kron,
        psf,
        psf_chi2: light.map_or(f64::NAN, |(_, _, chi2)| chi2),
        star_chance: if trail.is_some() { 0.0 } else { likeness(&circle, psf) },
        trail,
        half_light_px,
        moments: windowed_moments(scene, (x_px, y_px), apertures.fwhm_px / FWHM_PER_SIGMA),
        a_px: shape.a_px,
        b_px: shape.b_px,
        theta_rad: shape.theta_rad,
        peak_e: shape.peak_e,
        flags,
    })
}

/// Chance that noise makes a star's circle and its fit differ by as much: two-sided, Gaussian.
fn likeness(circle: &ApertureSum, (psf_e, psf_err_e): (f64, f64)) -> f64 {
    // The fit uses the circle's pixels too: its error is part of the circle's, not beside it.
    let own = (circle.flux_err_e.powi(2) - psf_err_e.powi(2)).max(0.0).sqrt();
    let noise = own.hypot(LIKENESS_FLOOR * psf_e);
    erfc((circle.flux_e - psf_e).abs() / noise / std::f64::consts::SQRT_2)
}

/// The fitted place, or the best of the others.
fn place(stage: &Stage<'_>, segment: &Segment, shape: &Shape, fitted: Option<&Fitted>) -> Place {
    let (scene, apertures) = (stage.scene, &stage.apertures);
    // The faint outline of a round star is often long by noise: only its misfit tells.
    let is_line = shape.a_px > TRAIL_ELONGATION_MIN * shape.b_px
        && shape.a_px > apertures.fwhm_px
        && misfit(fitted) > MISFIT_MIN;
    if is_line {
        let (x_px, y_px) = (shape.x_px, shape.y_px);
        return Place { x_px, y_px, place_var: shape.centre_var, has_converged: true };
    }
    let is_saturated = shape.reasons.is_any(MaskBits::SATURATED);
    if let Some(star) = fitted.filter(|f| f.n_pixels > 0 && !is_saturated) {
        // Misfit beyond noise makes the place that much less certain.
        let excess = 1.0 + 3.0 * (2.0 / star.n_pixels as f64).sqrt();
        let scale = if star.chi2 > excess { star.chi2 } else { 1.0 };
        return Place {
            x_px: star.x_px,
            y_px: star.y_px,
            place_var: [star.var_xx_px2, star.var_xy_px2, star.var_yy_px2].map(|v| v * scale),
            has_converged: true,
        };
    }
    let found =
        windowed_centroid(scene, summit(stage.snr, segment), apertures.fwhm_px / FWHM_PER_SIGMA);
    let variance = found.err_px * found.err_px;
    Place {
        x_px: found.x_px,
        y_px: found.y_px,
        place_var: [variance, 0.0, variance],
        has_converged: found.has_converged && (fitted.is_some() || is_saturated),
    }
}

/// What segment, outline and aperture tell of the source's health.
fn remarks(segment: &Segment, shape: &Shape, circle: &ApertureSum) -> SourceFlags {
    let mut flags = SourceFlags::default();
    if segment.is_blended {
        flags = flags.with(SourceFlags::BLENDED);
    }
    if circle.is_cut {
        flags = flags.with(SourceFlags::EDGE);
    }
    if shape.reasons.with(circle.reasons).is_any(MaskBits::SATURATED) {
        flags = flags.with(SourceFlags::SATURATED);
    }
    let damaged = MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC);
    if circle.reasons.is_any(damaged) {
        flags = flags.with(SourceFlags::MASKED);
    }
    if circle.reasons.is_any(MaskBits::TRAIL) {
        flags = flags.with(SourceFlags::TRAIL);
    }
    flags
}

/// Place of the map's summit, by a parabola through three pixels per axis.
pub fn summit(snr: &Image<f32>, segment: &Segment) -> (f64, f64) {
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
