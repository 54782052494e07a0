//! Tells whether an outline is a trail: a source that moved while the shutter was open.

use rayon::prelude::*;

use super::aperture::Scene;
use super::background::Background;
use super::psf_fit::{Fitted, Stamp, fit_light};
use super::psf_model::PsfModel;
use super::segment::Segment;
use super::shape::{Shape, isophotal_shape};
use super::stars::{fill_stamp, seen_fwhm};
use super::trail::{Belief, LENGTH_MAX_PX, Trail, TrailGuess, fit_trail};
use crate::science::image::mask::MaskBits;

/// Chi-squared that a star leaves beyond noise where a trail is thought of.
pub(super) const MISFIT_MIN: f64 = 15.0;
/// Outlines rounder than this are not tried.
const ELONGATION_MIN: f64 = 1.4;
/// Most outlines of a frame that are tried, the brightest first: in a crowd nearly all are pairs.
pub(super) const TRIED_MAX: usize = 600;
/// Pixels beyond the line's ends and sides that are fitted, in units of the seeing.
const MARGIN_FWHM: f64 = 2.2;

/// A trail and the pixels it was fitted to.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The trail.
    pub(super) trail: Trail,
    /// Its pixels.
    pub(super) stamp: Stamp,
}

/// Chi-squared that the fitted star leaves beyond noise; infinite without a fit.
pub(super) fn misfit(fitted: Option<&Fitted>) -> f64 {
    fitted.filter(|f| f.n_pixels > 0).map_or(f64::INFINITY, |f| (f.chi2 - 1.0) * f.n_pixels as f64)
}

/// The trail of an elongated outline; `None` when it is none, or a star explains it as well.
pub(super) fn line_of(
    scene: Scene<'_>,
    (sky, psf): (&Background, &PsfModel),
    shape: &Shape,
) -> Option<Line> {
    let fwhm_px = seen_fwhm(psf, shape.x_px, shape.y_px);
    let is_tried = shape.a_px > ELONGATION_MIN * shape.b_px
        && shape.a_px > 0.6 * fwhm_px
        && !shape.reasons.is_any(MaskBits::SATURATED.with(MaskBits::TRAIL));
    // The variance of an even line is a twelfth of its length squared.
    let length_px = (12.0 * (shape.a_px.powi(2) - shape.b_px.powi(2)).max(0.0)).sqrt();
    if !is_tried || length_px > LENGTH_MAX_PX {
        return None;
    }
    let (x_px, y_px) = (shape.x_px, shape.y_px);
    let guess = TrailGuess { x_px, y_px, length_px, angle_rad: shape.theta_rad };
    let stamp = stamp_along(scene, (sky, psf), &guess);
    let star = psf.star_at(x_px, y_px);
    let n = stamp.values_e.len() as f64;
    let (_, _, star_chi2) = fit_light(&stamp, &star, (x_px, y_px))?;
    let star_chi2 = star_chi2 * (n - 1.0);
    let trail = fit_trail(&stamp, &star, fwhm_px, &guess, (star_chi2, Belief::OUTLINE))?;
    Some(Line { trail, stamp })
}

/// The pixels around a line.
pub(super) fn stamp_along(
    scene: Scene<'_>,
    (sky, psf): (&Background, &PsfModel),
    guess: &TrailGuess,
) -> Stamp {
    let mut stamp = Stamp::default();
    let (x_px, y_px) = (guess.x_px, guess.y_px);
    let margin = MARGIN_FWHM * seen_fwhm(psf, x_px, y_px);
    fill_stamp(scene, sky, (x_px, y_px), 0.5 * guess.length_px + margin, &mut stamp);
    let (sin, cos) = guess.angle_rad.sin_cos();
    let is_near = |&(px, py): &(f32, f32)| {
        let (dx, dy) = (f64::from(px) - x_px, f64::from(py) - y_px);
        (dy * cos - dx * sin).abs() <= margin
    };
    let keep: Vec<bool> = stamp.places.iter().map(is_near).collect();
    let mut kept = keep.iter();
    stamp.values_e.retain(|_| *kept.next().unwrap_or(&false));
    let mut kept = keep.iter();
    stamp.places.retain(|_| *kept.next().unwrap_or(&false));
    stamp
}

/// The trails among a frame's sources, in step with them; brightest first.
pub(super) fn trails(
    scene: Scene<'_>,
    (sky, psf): (&Background, &PsfModel),
    segments: &[Segment],
    fitted: &[Option<Fitted>],
) -> Vec<Option<Trail>> {
    let mut trails = vec![None; segments.len()];
    let shapes: Vec<(usize, Shape)> = (0..segments.len())
        .filter(|&i| misfit(fitted[i].as_ref()) > MISFIT_MIN)
        .filter_map(|i| Some((i, isophotal_shape(scene, &segments[i])?)))
        .filter(|(_, shape)| shape.a_px > ELONGATION_MIN * shape.b_px)
        .take(TRIED_MAX)
        .collect();
    let found: Vec<Option<Trail>> = shapes
        .par_iter()
        .map(|(_, shape)| line_of(scene, (sky, psf), shape).map(|line| line.trail))
        .collect();
    for ((i, _), trail) in shapes.iter().zip(found) {
        trails[*i] = trail;
    }
    trails
}

/// Chi-squared that several stars together leave on a trail's pixels.
pub(super) fn stars_chi2(stamp: &Stamp, psf: &PsfModel, stars: &[Fitted]) -> f64 {
    let drawn: Vec<_> = stars.iter().map(|s| (s, psf.star_at(s.x_px, s.y_px))).collect();
    let pixels = stamp.places.iter().zip(&stamp.values_e);
    pixels
        .map(|(&(px, py), &value)| {
            let light = |(s, star): &(&Fitted, super::psf_model::Star<'_>)| {
                s.flux_e * star.light(f64::from(px) - s.x_px, f64::from(py) - s.y_px).share
            };
            let light: f64 = drawn.iter().map(light).sum();
            (f64::from(value) - light).powi(2) / (stamp.sky_e2 + light.max(0.0))
        })
        .sum()
}
