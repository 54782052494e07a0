//! Light of a source whose place and motion are known: fitted where it must be.
//!
//! A moving object is drawn out by its motion while the shutter is open; a star fitted to it loses
//! light, 5 % when the line is as long as the seeing. Here the frame's point spread function is
//! drawn along the line that the motion tells, at the place that the motion tells: the object's
//! other frames hold the place, so that noise cannot pull the fit to where the pixels happen to be
//! bright (which makes faint sources too bright, by 1 / SNR^2 per free coordinate). The stars of
//! the catalogue and the frame's other sources around it are taken off first, each with an error
//! of its own. Without any freedom of place it is the forced measurement of an object that is too
//! faint to be detected, which may come out negative.

use crate::science::detect::aperture::Scene;
use crate::science::detect::psf_model::{PixelLight, PsfModel, Star};
use crate::science::detect::stars::seen_fwhm;
use crate::science::image::mask::MaskBits;
use crate::science::sky::least_squares::NormalEquations;

/// Radius of the fitted pixels around the line in units of the seeing.
const REACH_FWHM: f64 = 2.2;
/// Smallest such radius [px].
const REACH_MIN_PX: f64 = 2.6;
/// Neighbours count up to this distance from the line in units of the seeing.
const NEIGHBOUR_FWHM: f64 = 5.0;
/// Spacing of the drawn stars in units of the seeing, and most of them.
const SPACING_FWHM: f64 = 0.2;
const POINTS_MAX: usize = 400;
/// Share of its light by which a neighbour's model may be wrong, pixel by pixel.
const NEIGHBOUR_MODEL_ERR: f64 = 0.03;
/// Steps of the fit, and the last one's length [px].
const STEPS_MAX: usize = 15;
const STEP_MIN_PX: f64 = 1e-3;
/// Share of the source's light that must fall on usable pixels.
const LIGHT_SHARE_MIN: f64 = 0.6;
/// Pixels that tell nothing.
pub(super) const UNUSABLE: MaskBits =
    MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC).with(MaskBits::SATURATED);

/// Where a source must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Middle of its line [px].
    pub place_px: (f64, f64),
    /// Error of the middle per axis; 0 holds it [px].
    pub place_err_px: f64,
    /// Half the line it is drawn out to, from the middle to an end [px].
    pub half_line_px: (f64, f64),
}

/// Another source near it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearLight {
    /// Column [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
    /// All its light [e-].
    pub flux_e: f64,
    /// Error of that light [e-].
    pub flux_err_e: f64,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forced {
    /// Middle of the line [px].
    pub place_px: (f64, f64),
    /// All its light; may be negative [e-].
    pub flux_e: f64,
    /// Error of the light: noise, place and neighbours [e-].
    pub flux_err_e: f64,
    /// Light of the neighbours that would have been taken for its own [e-].
    pub near_e: f64,
    /// Error that the neighbours alone make [e-].
    pub near_err_e: f64,
    /// Share of its light on usable pixels.
    pub light_share: f64,
    /// Chi-squared per degree of freedom.
    pub chi2: f64,
}

/// A pixel of the fit.
struct Pixel {
    x: f64,
    y: f64,
    /// Signal less the neighbours [e-].
    value_e: f64,
    /// Neighbours' light [e-].
    near_e: f64,
    /// Variance without the source's own photons [e-^2].
    variance_e2: f64,
}

/// Measures a source; `None` when too much of it lies on unusable pixels or beyond the edge.
///
/// * `sky_rms_e`: noise of a sky pixel there [e-].
/// * `near`: other sources, the source itself not among them.
pub fn forced_light(
    scene: Scene<'_>,
    (psf, sky_rms_e): (&PsfModel, f64),
    target: &Target,
    near: &[NearLight],
) -> Option<Forced> {
    let (x, y) = target.place_px;
    let is_inside = x > -0.5
        && y > -0.5
        && x < scene.signal_e.nx() as f64 - 0.5
        && y < scene.signal_e.ny() as f64 - 0.5;
    if !is_inside || !target.half_line_px.0.is_finite() || !target.half_line_px.1.is_finite() {
        return None;
    }
    let star = psf.star_at(x, y);
    let fwhm_px = seen_fwhm(psf, x, y);
    let line = Line::new(star, target.half_line_px, fwhm_px);
    let near = within(near, target, NEIGHBOUR_FWHM * fwhm_px);
    let (pixels, light_share) = pixels(scene, (psf, sky_rms_e), target, (&line, &near));
    if pixels.len() < 6 || light_share < LIGHT_SHARE_MIN {
        return None;
    }
    let mut found = fit(&pixels, &line, target)?;
    found.light_share = light_share;
    // What each neighbour adds to the light, by the fit's own weights.
    let weigh = weights(&pixels, &line, &found);
    let shares = |other: &NearLight| {
        let drawn = psf.star_at(other.x_px, other.y_px);
        let light = |p: &Pixel| drawn.light(p.x - other.x_px, p.y - other.y_px).share;
        pixels.iter().zip(&weigh).map(|(p, w)| w * light(p)).sum::<f64>()
    };
    let mut near_var = 0.0;
    for other in &near {
        let share = shares(other);
        found.near_e += share * other.flux_e;
        near_var += (share * other.flux_err_e).powi(2);
    }
    found.near_err_e = near_var.sqrt();
    found.flux_err_e = found.flux_err_e.hypot(found.near_err_e);
    Some(found)
}

/// The source's shape: stars along a line.
pub(super) struct Line<'a> {
    star: Star<'a>,
    half: (f64, f64),
    n: usize,
    reach_px: f64,
}

impl<'a> Line<'a> {
    pub(super) fn new(star: Star<'a>, half: (f64, f64), fwhm_px: f64) -> Self {
        let points = 2.0 * half.0.hypot(half.1) / (SPACING_FWHM * fwhm_px);
        let n = (points.ceil() as usize).clamp(1, POINTS_MAX);
        Self { star, half, n, reach_px: (REACH_FWHM * fwhm_px).max(REACH_MIN_PX) }
    }

    pub(super) fn light(&self, dx: f64, dy: f64) -> PixelLight {
        let mut sum = PixelLight::default();
        for k in 0..self.n {
            let t = (2.0 * k as f64 + 1.0) / self.n as f64 - 1.0;
            let one = self.star.light(dx - t * self.half.0, dy - t * self.half.1);
            sum.share += one.share;
            sum.by_x += one.by_x;
            sum.by_y += one.by_y;
        }
        let per = 1.0 / self.n as f64;
        PixelLight { share: sum.share * per, by_x: sum.by_x * per, by_y: sum.by_y * per }
    }

    /// Distance of a place from the line through the origin [px].
    fn distance(&self, dx: f64, dy: f64) -> f64 {
        let length2 = self.half.0 * self.half.0 + self.half.1 * self.half.1;
        let along = if length2 > 0.0 {
            ((dx * self.half.0 + dy * self.half.1) / length2).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        (dx - along * self.half.0).hypot(dy - along * self.half.1)
    }
}

/// The neighbours that count.
pub(super) fn within(near: &[NearLight], target: &Target, reach_px: f64) -> Vec<NearLight> {
    let half = target.half_line_px.0.hypot(target.half_line_px.1);
    let is_near = |other: &&NearLight| {
        let (dx, dy) = (other.x_px - target.place_px.0, other.y_px - target.place_px.1);
        dx.hypot(dy) < reach_px + half && other.flux_e.is_finite() && other.flux_e > 0.0
    };
    near.iter().filter(is_near).copied().collect()
}

/// Usable pixels around the line, and the share of the source's light on them.
fn pixels(
    scene: Scene<'_>,
    (psf, sky_rms_e): (&PsfModel, f64),
    target: &Target,
    (line, near): (&Line<'_>, &[NearLight]),
) -> (Vec<Pixel>, f64) {
    let (x, y) = target.place_px;
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    let range = |centre: f64, half: f64, n: usize| {
        let reach = line.reach_px + half.abs();
        let low = (centre - reach).ceil().max(0.0) as usize;
        low..(((centre + reach).floor() + 1.0).clamp(0.0, n as f64) as usize)
    };
    let drawn: Vec<Star<'_>> = near.iter().map(|o| psf.star_at(o.x_px, o.y_px)).collect();
    let mut pixels = Vec::new();
    let (mut all, mut usable) = (0.0, 0.0);
    for row in range(y, line.half.1, ny) {
        for column in range(x, line.half.0, nx) {
            let (px, py) = (column as f64, row as f64);
            if line.distance(px - x, py - y) > line.reach_px {
                continue;
            }
            let share = line.light(px - x, py - y).share;
            all += share;
            if scene.mask.at(column, row).is_any(UNUSABLE) {
                continue;
            }
            usable += share;
            let (mut near_e, mut wrong) = (0.0, 0.0);
            for (other, star) in near.iter().zip(&drawn) {
                let light = other.flux_e * star.light(px - other.x_px, py - other.y_px).share;
                near_e += light;
                wrong += (NEIGHBOUR_MODEL_ERR * light).powi(2);
            }
            pixels.push(Pixel {
                x: px,
                y: py,
                value_e: f64::from(scene.signal_e.at(column, row)) - near_e,
                near_e,
                variance_e2: sky_rms_e * sky_rms_e + near_e + wrong,
            });
        }
    }
    (pixels, if all > 0.0 { usable / all } else { 0.0 })
}

/// Light and, with its prior, place.
fn fit(pixels: &[Pixel], line: &Line<'_>, target: &Target) -> Option<Forced> {
    let start = target.place_px;
    let is_held = target.place_err_px <= 0.0;
    let prior = if is_held { 0.0 } else { target.place_err_px.powi(-2) };
    let (mut x, mut y) = start;
    let mut flux = 0.0_f64;
    for round in 0..STEPS_MAX {
        // The first round knows no light: its weights are the sky's, and the place is held.
        let is_free = !is_held && round > 0;
        let mut normal = NormalEquations::new(if is_free { 3 } else { 1 });
        let mut chi2 = 0.0;
        for pixel in pixels {
            let light = line.light(pixel.x - x, pixel.y - y);
            let weight = 1.0 / (pixel.variance_e2 + flux.max(0.0) * light.share);
            let rest = pixel.value_e - flux * light.share;
            chi2 += weight * rest * rest;
            let row = [light.share, flux * light.by_x, flux * light.by_y];
            let n = if is_free { 3 } else { 1 };
            normal.add(&row[..n], [rest, 0.0], weight);
        }
        if is_free {
            normal.add(&[0.0, 1.0, 0.0], [start.0 - x, 0.0], prior);
            normal.add(&[0.0, 0.0, 1.0], [start.1 - y, 0.0], prior);
        }
        let covariance = normal.clone().covariance()?;
        let [step, _] = normal.solve()?;
        let (step_x, step_y) =
            (step.get(1).copied().unwrap_or(0.0), step.get(2).copied().unwrap_or(0.0));
        let length = step_x.hypot(step_y);
        let damping = if length > 0.5 { 0.5 / length } else { 1.0 };
        x += damping * step_x;
        y += damping * step_y;
        let change = damping * step[0];
        flux += change;
        let variance = *covariance.first()?;
        if !(flux.is_finite() && variance > 0.0) {
            return None;
        }
        let has_settled =
            round > 1 && length < STEP_MIN_PX && change.abs() < 1e-3 * variance.sqrt();
        if has_settled || round + 1 == STEPS_MAX {
            let free = (pixels.len() as f64 - 1.0).max(1.0);
            return Some(Forced {
                place_px: (x, y),
                flux_e: flux,
                flux_err_e: variance.sqrt(),
                near_e: 0.0,
                near_err_e: 0.0,
                light_share: 1.0,
                chi2: chi2 / free,
            });
        }
    }
    None
}

/// What an electron in each pixel adds to the light.
fn weights(pixels: &[Pixel], line: &Line<'_>, found: &Forced) -> Vec<f64> {
    let (x, y) = found.place_px;
    let mut bottom = 0.0;
    let mut tops: Vec<f64> = pixels
        .iter()
        .map(|pixel| {
            let share = line.light(pixel.x - x, pixel.y - y).share;
            // As noisy as if the neighbours had not been there.
            let variance = pixel.variance_e2 - pixel.near_e.min(0.5 * pixel.variance_e2);
            let weight = 1.0 / (variance + found.flux_e.max(0.0) * share);
            bottom += weight * share * share;
            weight * share
        })
        .collect();
    if bottom > 0.0 {
        tops.iter_mut().for_each(|top| *top /= bottom);
    }
    tops
}

#[cfg(test)]
mod tests;
