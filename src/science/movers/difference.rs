//! What a frame holds around a star that the static sky does not explain: movers in its blend.
//!
//! The static sky is fitted to the stamp as in [`super::hidden`], without a mover; pixels that
//! stand out are left out of a second fit. What remains is asked for stars by their matched filter;
//! where one may be, mover and static sky are fitted together ([`measure_hidden`]).
//! The variance holds the photons of the star and the scatter of the frames behind the static sky,
//! and grows with what the fit leaves unexplained, in the star's light and beside it: near a bright
//! star only bright movers stand out.

use super::hidden::{HiddenLight, HiddenMover, Mismatch, Row, StillSky, measure_hidden, rows};
use crate::science::detect::psf_model::Star;
use crate::science::image::Image;
use crate::science::sky::least_squares::NormalEquations;

/// Least signal-to-noise ratio: a thousand stars with some fifty independent places each give one
/// accident of Gaussian noise in 70 frames; at 4, imperfect subtractions gave ten a frame in a
/// rough night, and no mover more.
const SNR_MIN: f64 = 5.0;
/// What the fit without a mover leaves of one may be worse than it by this factor.
const SEED_SHARE: f64 = 0.7;
/// Pixels below this cannot be the highest of a mover [sigma].
const PIXEL_SIGMA: f64 = 1.5;
/// Pixels that stand out by more are left out of the second fit [sigma].
const CLIP_SIGMA: f64 = 4.0;
/// A mover gives at least this share of the static sky's light in its highest pixel.
const CONTRAST_MIN: f64 = 0.15;
/// Worst chi-squared per pixel around a peak.
const CHI2_MAX: f64 = 2.5;
/// Pixels of a peak lie within this [FWHM].
const CORE_FWHM: f64 = 1.2;
/// Light above this many errors of the sky is a star's.
const STAR_SIGMA: f64 = 3.0;
/// How far a mover may lie from its seed, and how little the seed's place weighs [FWHM].
const REACH_FWHM: f64 = 1.0;
const START_ERR_FWHM: f64 = 2.0;
/// Most seeds of a stamp that are looked at.
const SEEDS_MAX: usize = 4;
/// Fewest pixels.
const PIXELS_MIN: usize = 40;

/// Finds what a stamp holds beyond the static sky, most certain first.
///
/// * `stamp_e`: NaN where it cannot be used; `sky_e2`: variance of its sky in a pixel [e-^2].
/// * `star`: a star of the frame, whose full width is `fwhm_px`.
///
/// Accuracy: light and place scatter by their errors beside a star three magnitudes brighter, as
/// asserted by `a_mover_beside_a_star_is_found`.
pub fn difference_peaks(
    (stamp_e, sky_e2): (&Image<f32>, f64),
    still: &StillSky,
    (star, fwhm_px): (&Star<'_>, f64),
    mismatch: &Mismatch,
) -> Vec<HiddenLight> {
    let mut rows = rows((stamp_e, sky_e2), still);
    if rows.len() < PIXELS_MIN || subtract_still(&mut rows, mismatch).is_none() {
        return Vec::new();
    }
    widen_errors(&mut rows, sky_e2);
    let core_px = CORE_FWHM * fwhm_px;
    let mut peaks: Vec<HiddenLight> = Vec::new();
    let mut seen: Vec<(f64, f64)> = Vec::new();
    for seed in seeds(&rows, (stamp_e.nx(), stamp_e.ny()), star, core_px) {
        let is_near = |(u, v): (f64, f64)| (seed.x_px - u).hypot(seed.y_px - v) < core_px;
        if seen.iter().copied().any(is_near) || peaks.iter().any(|p| is_near((p.x_px, p.y_px))) {
            continue;
        }
        seen.push((seed.x_px, seed.y_px));
        let peak = settled((stamp_e, sky_e2), still, &seed, (star, fwhm_px), mismatch);
        let is_new = |peak: &HiddenLight| {
            peaks.iter().all(|p| (p.x_px - peak.x_px).hypot(p.y_px - peak.y_px) >= core_px)
        };
        peaks.extend(peak.filter(is_new));
        if seen.len() >= SEEDS_MAX {
            break;
        }
    }
    peaks
}

/// Takes the fitted static sky off the rows' values; `None` when it cannot be fitted.
fn subtract_still(rows: &mut [Row], mismatch: &Mismatch) -> Option<()> {
    let basis = |row: &Row| {
        let [s, width, sx, sy] = row.still;
        [1.0, s, width, sx, sy]
    };
    let model = |v: &[f64], row: &Row| v.iter().zip(basis(row)).map(|(v, b)| v * b).sum::<f64>();
    let sigmas = [mismatch.scale_share, mismatch.width_px2, mismatch.shift_px, mismatch.shift_px];
    let mut fitted: Option<Vec<f64>> = None;
    for _ in 0..2 {
        let mut normal = NormalEquations::new(5);
        for row in rows.iter() {
            let rest = row.value - row.still[0];
            let is_out = fitted.as_ref().is_some_and(|v| {
                (rest - model(v, row)).powi(2) * row.weight > CLIP_SIGMA * CLIP_SIGMA
            });
            if !is_out {
                normal.add(&basis(row), [rest, 0.0], row.weight);
            }
        }
        for (i, sigma) in sigmas.into_iter().enumerate() {
            normal.damp(i + 1, 1.0 / (sigma * sigma).max(f64::MIN_POSITIVE));
        }
        let [values, _] = normal.solve()?;
        fitted = Some(values);
    }
    let values = fitted?;
    for row in rows {
        row.value -= row.still[0] + model(&values, row);
    }
    Some(())
}

/// Grows the variances to what the fit left, in the stars' light and beside it.
fn widen_errors(rows: &mut [Row], sky_e2: f64) {
    let edge_e = STAR_SIGMA * sky_e2.sqrt();
    for is_star in [true, false] {
        let is_part = |row: &Row| (row.still[0] > edge_e) == is_star;
        let pulls = rows.iter().filter(|row| is_part(row));
        let clipped = pulls.map(|row| (row.value * row.value * row.weight).min(CLIP_SIGMA.powi(2)));
        let (sum, n) = clipped.fold((0.0, 0.0), |(sum, n), p| (sum + p, n + 1.0));
        let growth = if n > 0.0 { (sum / n).max(1.0) } else { 1.0 };
        for row in rows.iter_mut().filter(|row| is_part(row)) {
            row.weight /= growth;
        }
    }
}

/// A pixel that may be the highest of a mover: its place, light, and how certain.
struct Seed {
    x_px: f64,
    y_px: f64,
    flux_e: f64,
    snr: f64,
}

/// Pixels that may be the highest of a mover, most certain first: the matched filter at whole
/// pixels.
fn seeds(rows: &[Row], (nx, ny): (usize, usize), star: &Star<'_>, core_px: f64) -> Vec<Seed> {
    // Weighted value and weight of each pixel; nothing where there is none.
    let mut grid = vec![(0.0_f64, 0.0_f64); nx * ny];
    for row in rows {
        grid[row.y as usize * nx + row.x as usize] = (row.weight * row.value, row.weight);
    }
    let reach = core_px.floor() as i64;
    let taps: Vec<(i64, i64, f64)> = (-reach..=reach)
        .flat_map(|v| (-reach..=reach).map(move |u| (u, v)))
        .filter(|(u, v)| ((u * u + v * v) as f64) <= core_px * core_px)
        .map(|(u, v)| (u, v, star.light(u as f64, v as f64).share))
        .collect();
    let mut found: Vec<Seed> = Vec::new();
    for row in rows {
        if row.value * row.weight.sqrt() < PIXEL_SIGMA {
            continue;
        }
        let (mut top, mut bottom) = (0.0, 0.0);
        for &(u, v, share) in &taps {
            let (x, y) = (row.x as i64 + u, row.y as i64 + v);
            if (0..nx as i64).contains(&x) && (0..ny as i64).contains(&y) {
                let (value, weight) = grid[y as usize * nx + x as usize];
                top += share * value;
                bottom += share * share * weight;
            }
        }
        let snr = if bottom > 0.0 { top / bottom.sqrt() } else { 0.0 };
        if snr > SEED_SHARE * SNR_MIN {
            found.push(Seed { x_px: row.x, y_px: row.y, flux_e: top / bottom, snr });
        }
    }
    found.sort_by(|a, b| {
        let place = a.y_px.total_cmp(&b.y_px).then(a.x_px.total_cmp(&b.x_px));
        b.snr.total_cmp(&a.snr).then(place)
    });
    found
}

/// Fits the light of a mover at a seed together with the static sky; `None` when it is no star or
/// too faint.
///
/// The static sky alone would explain most of a mover that is near a star's middle as a shift of
/// the star.
fn settled(
    (stamp_e, sky_e2): (&Image<f32>, f64),
    still: &StillSky,
    seed: &Seed,
    (star, fwhm_px): (&Star<'_>, f64),
    mismatch: &Mismatch,
) -> Option<HiddenLight> {
    let mover = HiddenMover {
        star: *star,
        start_px: (seed.x_px, seed.y_px),
        start_err_px: START_ERR_FWHM * fwhm_px,
        light_e: seed.flux_e,
        trail_px: (0.0, 0.0),
        reach_px: REACH_FWHM * fwhm_px,
        core_px: CORE_FWHM * fwhm_px,
    };
    let found = measure_hidden((stamp_e, sky_e2), still, &mover, mismatch)?;
    let pixel = |v: f64, n: usize| (v.round().max(0.0) as usize).min(n - 1);
    let (x, y) = (pixel(found.x_px, stamp_e.nx()), pixel(found.y_px, stamp_e.ny()));
    let still_e = f64::from(still.light_e.at(x, y));
    let is_mover = found.flux_e >= SNR_MIN * found.flux_err_e
        && found.chi2 <= CHI2_MAX
        && found.flux_e * star.light(0.0, 0.0).share >= CONTRAST_MIN * still_e;
    is_mover.then_some(found)
}

#[cfg(test)]
mod tests;
