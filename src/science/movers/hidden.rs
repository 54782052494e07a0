//! Light of a mover in front of a star: what a frame holds beyond what stands still there.
//!
//! The static sky of a place is the median of other frames in which the mover is elsewhere
//! ([`StillSky`]). Its subtraction is never exact: transparency, seeing and registration differ a
//! little. Instead of guessing these differences they are fitted together with the mover,
//!
//! d = F P(x - x0) + sky + a S + b Laplacian(S) + c dS/dx + e dS/dy,
//!
//! with Gaussian priors on a (about 1), b, c and e (about 0), so that light which a slightly
//! wider or shifted star explains as well is not claimed for the mover, and the error of F says
//! so. The terms are those of difference imaging with a fitted kernel (Alard & Lupton 1998, ApJ
//! 503, 325), cut to second order. The variance of a pixel is that of sky and photons, of the
//! median, and of what the other frames scatter beyond their noise.
//!
//! The place the motion predicts is a prior, too: beside a star, light and distance would else
//! pull each other along. The place that is told is what the pixels alone say, the prior taken out.

use crate::science::detect::psf_model::Star;
use crate::science::image::Image;
use crate::science::image::stats::{SIGMA_PER_MAD, median_in_place};

/// Fewest frames that make a static sky.
pub const STILL_FRAMES_MIN: usize = 3;
/// Scale of the static sky's own errors: flat field and interpolation, as a share of its light.
const STILL_ERR_SHARE: f64 = 0.01;
/// The variance of a median is this much larger than that of a mean.
const MEDIAN_VARIANCE: f64 = std::f64::consts::FRAC_PI_2;
/// Parameters: light, light times shift (2), sky, scale, width, shift (2).
const N: usize = 8;
/// Steps of the place.
const STEPS_MAX: usize = 8;
/// A longer step of the place leaves the range where slopes are straight [px].
const STEP_MAX_PX: f64 = 0.5;
/// A place that moves by less has settled [px].
const STEP_MIN_PX: f64 = 0.01;
/// Pixels of a trail are lit from points at most this far apart [px].
const TRAIL_STEP_PX: f64 = 0.5;
/// Most points of a trail.
const TRAIL_POINTS_MAX: usize = 64;

/// What stands still at a place, on the pixels of the frame that is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct StillSky {
    /// Light without the sky [e- of the frame that is asked]; NaN where unknown.
    pub light_e: Image<f32>,
    /// Squared scatter of the frames it is made of [e-^2].
    pub scatter_e2: Image<f32>,
    /// Number of frames.
    pub n_frames: usize,
}

impl StillSky {
    /// The median of stamps of one shape, their sky taken off; `None` of too few.
    pub fn median(stamps: &[Image<f32>]) -> Option<Self> {
        let first = stamps.first().filter(|_| stamps.len() >= STILL_FRAMES_MIN)?;
        if !stamps.iter().all(|s| s.same_shape(first)) {
            return None;
        }
        let (nx, ny) = (first.nx(), first.ny());
        let mut light_e = Image::filled(nx, ny, f32::NAN);
        let mut rough = Image::filled(nx, ny, f32::NAN);
        let mut values = Vec::with_capacity(stamps.len());
        for i in 0..nx * ny {
            values.clear();
            values
                .extend(stamps.iter().map(|s| f64::from(s.pixels()[i])).filter(|v| v.is_finite()));
            if values.len() < STILL_FRAMES_MIN {
                continue;
            }
            let Some(median) = median_in_place(&mut values) else { continue };
            values.iter_mut().for_each(|v| *v = (*v - median).abs());
            let scatter = SIGMA_PER_MAD * median_in_place(&mut values).unwrap_or(0.0);
            light_e.pixels_mut()[i] = median as f32;
            rough.pixels_mut()[i] = (scatter * scatter) as f32;
        }
        // The scatter of a few values is uncertain; nine pixels together know it better.
        let mut scatter_e2 = Image::filled(nx, ny, f32::NAN);
        for y in 0..ny {
            for x in 0..nx {
                let around = (y.saturating_sub(1)..(y + 2).min(ny))
                    .flat_map(|v| (x.saturating_sub(1)..(x + 2).min(nx)).map(move |u| (u, v)));
                let (sum, n) = around
                    .map(|(u, v)| rough.at(u, v))
                    .filter(|v| v.is_finite())
                    .fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
                scatter_e2.row_mut(y)[x] = sum / n;
            }
        }
        Some(Self { light_e, scatter_e2, n_frames: stamps.len() })
    }
}

/// How far the static sky may differ from the frame that is asked: widths of the priors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mismatch {
    /// Of its scale, as a share.
    pub scale_share: f64,
    /// Of half the variance of its point spread function [px^2].
    pub width_px2: f64,
    /// Of its place per axis [px].
    pub shift_px: f64,
}

/// Where a mover is looked for.
#[derive(Debug, Clone, Copy)]
pub struct HiddenMover<'a> {
    /// The frame's stars there.
    pub star: Star<'a>,
    /// Predicted place on the stamp [px].
    pub start_px: (f64, f64),
    /// Its error per axis [px].
    pub start_err_px: f64,
    /// Predicted light [e-]: what a place weighs against pixels.
    pub light_e: f64,
    /// What it moves during the exposure, along x and y [px].
    pub trail_px: (f64, f64),
    /// It is not looked for farther from the predicted place [px].
    pub reach_px: f64,
    /// Pixels within this of it must be explained [px].
    pub core_px: f64,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HiddenLight {
    /// Column on the stamp [px].
    pub x_px: f64,
    /// Row on the stamp [px].
    pub y_px: f64,
    /// Its error per axis [px].
    pub place_err_px: f64,
    /// Light [e-].
    pub flux_e: f64,
    /// Its error, that of the static sky included [e-].
    pub flux_err_e: f64,
    /// Chi-squared per pixel around it. Errors are already those of a fit where it is 1.
    pub chi2: f64,
}

/// Measures light and place of a mover on a stamp; `None` where there is none, or nothing to tell.
///
/// * `stamp_e`: the frame, its sky included; NaN where it cannot be used.
/// * `sky_e2`: variance of the sky in a pixel [e-^2].
///
/// Accuracy: light and place scatter by their errors on a star three magnitudes brighter, as
/// asserted by `a_mover_on_a_star_is_measured`.
pub fn measure_hidden(
    (stamp_e, sky_e2): (&Image<f32>, f64),
    still: &StillSky,
    mover: &HiddenMover<'_>,
    mismatch: &Mismatch,
) -> Option<HiddenLight> {
    let rows = rows((stamp_e, sky_e2), still);
    if rows.len() < 3 * N {
        return None;
    }
    let (mut x, mut y) = mover.start_px;
    for _ in 0..STEPS_MAX {
        let fit = fit(&rows, mover, mismatch, (x, y))?;
        let flux = fit.values[0];
        if !(flux > 0.0 && flux.is_finite()) {
            return None;
        }
        let (step_x, step_y) = (fit.values[1] / flux, fit.values[2] / flux);
        let length = step_x.hypot(step_y);
        if length < STEP_MIN_PX {
            return settled(&rows, mover, &fit, (x, y));
        }
        let damping = (STEP_MAX_PX / length).min(1.0);
        x += damping * step_x;
        y += damping * step_y;
        if (x - mover.start_px.0).hypot(y - mover.start_px.1) > mover.reach_px {
            return None;
        }
    }
    None
}

/// A pixel: place, value, weight, the static sky with its Laplacian and slopes.
pub(super) struct Row {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) value: f64,
    pub(super) weight: f64,
    pub(super) still: [f64; 4],
}

pub(super) fn rows((stamp_e, sky_e2): (&Image<f32>, f64), still: &StillSky) -> Vec<Row> {
    let light = &still.light_e;
    let (nx, ny) = (light.nx(), light.ny());
    let mut rows = Vec::new();
    if !stamp_e.same_shape(light) {
        return rows;
    }
    let smooth = smoothed(light);
    let at = |x: usize, y: usize| f64::from(smooth.at(x, y));
    for y in 2..ny.saturating_sub(2) {
        for x in 2..nx.saturating_sub(2) {
            let (s, centre) = (f64::from(light.at(x, y)), at(x, y));
            let (left, right) = (at(x - 1, y), at(x + 1, y));
            let (below, above) = (at(x, y - 1), at(x, y + 1));
            let own_e2 = sky_e2 + centre.max(0.0);
            let scatter_e2 = f64::from(still.scatter_e2.at(x, y));
            let variance = own_e2
                + MEDIAN_VARIANCE * scatter_e2 / still.n_frames as f64
                + (scatter_e2 - own_e2).max(0.0)
                + (STILL_ERR_SHARE * centre).powi(2);
            let row = Row {
                x: x as f64,
                y: y as f64,
                value: f64::from(stamp_e.at(x, y)),
                weight: 1.0 / variance,
                still: [
                    s,
                    left + right + below + above - 4.0 * centre,
                    0.5 * (right - left),
                    0.5 * (above - below),
                ],
            };
            let slopes: f64 = row.still.iter().sum();
            if row.value.is_finite() && slopes.is_finite() && row.weight > 0.0 {
                rows.push(row);
            }
        }
    }
    rows
}

/// Folded with (1, 2, 1) / 4 along both axes; NaN where a pixel is missing.
///
/// Slopes and weights are taken from this one. The Laplacian of a noisy image holds its noise with
/// the opposite sign: the fit would smooth the static sky by it instead of widening its stars, and
/// find light missing beside them.
fn smoothed(image: &Image<f32>) -> Image<f32> {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    let mut result = Image::filled(image.nx(), image.ny(), f32::NAN);
    for y in 1..image.ny().saturating_sub(1) {
        for x in 1..image.nx().saturating_sub(1) {
            let along = |v: usize| (0..3).map(|i| WEIGHTS[i] * image.at(x + i - 1, v)).sum::<f32>();
            result.row_mut(y)[x] = (0..3).map(|j| WEIGHTS[j] * along(y + j - 1)).sum();
        }
    }
    result
}

/// A linear fit at a place.
struct Fit {
    values: [f64; N],
    covariance: [[f64; N]; N],
}

/// Share of the light in a pixel and its slopes by the mover's place.
fn light(mover: &HiddenMover<'_>, dx: f64, dy: f64) -> [f64; 3] {
    let (tx, ty) = mover.trail_px;
    let n = ((tx.hypot(ty) / TRAIL_STEP_PX).ceil() as usize + 1).min(TRAIL_POINTS_MAX);
    let mut sums = [0.0; 3];
    for k in 0..n {
        let along = if n > 1 { k as f64 / (n - 1) as f64 - 0.5 } else { 0.0 };
        let light = mover.star.light(dx - along * tx, dy - along * ty);
        sums[0] += light.share;
        sums[1] += light.by_x;
        sums[2] += light.by_y;
    }
    sums.map(|v| v / n as f64)
}

fn fit(
    rows: &[Row],
    mover: &HiddenMover<'_>,
    mismatch: &Mismatch,
    (x0, y0): (f64, f64),
) -> Option<Fit> {
    let mut normal = [[0.0; N]; N];
    let mut right = [0.0; N];
    for row in rows {
        let [p, px, py] = light(mover, row.x - x0, row.y - y0);
        let [s, width, sx, sy] = row.still;
        let basis = [p, px, py, 1.0, s, width, sx, sy];
        for i in 0..N {
            let weighted = row.weight * basis[i];
            right[i] += weighted * row.value;
            for j in 0..=i {
                normal[i][j] += weighted * basis[j];
            }
        }
    }
    // The second and third parameter are light times shift from here.
    let (from_x, from_y) = (mover.start_px.0 - x0, mover.start_px.1 - y0);
    let place_err = mover.light_e * mover.start_err_px;
    let priors = [
        (1, mover.light_e * from_x, place_err),
        (2, mover.light_e * from_y, place_err),
        (4, 1.0, mismatch.scale_share),
        (5, 0.0, mismatch.width_px2),
        (6, 0.0, mismatch.shift_px),
        (7, 0.0, mismatch.shift_px),
    ];
    for (i, mean, sigma) in priors {
        let weight = 1.0 / (sigma * sigma).max(f64::MIN_POSITIVE);
        normal[i][i] += weight;
        right[i] += weight * mean;
    }
    let covariance = inverse(&normal)?;
    let values = std::array::from_fn(|i| (0..N).map(|j| covariance[i][j] * right[j]).sum());
    Some(Fit { values, covariance })
}

/// What a settled fit tells: errors grow with what it leaves unexplained.
fn settled(
    rows: &[Row],
    mover: &HiddenMover<'_>,
    fit: &Fit,
    (x, y): (f64, f64),
) -> Option<HiddenLight> {
    let (mut all, mut core) = ((0.0, 0.0), (0.0, 0.0));
    for row in rows {
        let (dx, dy) = (row.x - x, row.y - y);
        let [p, _, _] = light(mover, dx, dy);
        let [s, width, sx, sy] = row.still;
        let v = &fit.values;
        let model = v[0] * p + v[3] + v[4] * s + v[5] * width + v[6] * sx + v[7] * sy;
        let pull2 = row.weight * (row.value - model).powi(2);
        all = (all.0 + pull2, all.1 + 1.0);
        if dx.hypot(dy) <= mover.core_px {
            core = (core.0 + pull2, core.1 + 1.0);
        }
    }
    // Too few pixels around the place: it lies on masked ones or beyond the edge.
    let core_px2 = std::f64::consts::PI * mover.core_px * mover.core_px;
    if core.1 < 0.7 * core_px2 {
        return None;
    }
    let chi2 = core.0 / core.1;
    let widening = chi2.max(all.0 / (all.1 - N as f64)).max(1.0).sqrt();
    let flux_e = fit.values[0];
    let flux_err_e = widening * fit.covariance[0][0].sqrt();
    let both_px2 = 0.5 * (fit.covariance[1][1] + fit.covariance[2][2]) / mover.light_e.powi(2);
    let (x_px, y_px, place_err_px) = by_pixels_alone((x, y), both_px2, mover)?;
    (flux_err_e.is_finite() && flux_err_e > 0.0).then_some(HiddenLight {
        x_px,
        y_px,
        place_err_px: widening * place_err_px,
        flux_e,
        flux_err_e,
        chi2,
    })
}

/// Takes the predicted place out of a fitted one; `None` where the pixels add nothing to it.
///
/// Gaussians: the weights of prediction and pixels add up to that of both.
fn by_pixels_alone(
    (x, y): (f64, f64),
    both_px2: f64,
    mover: &HiddenMover<'_>,
) -> Option<(f64, f64, f64)> {
    /// Share of the prediction's variance that the pixels must take away.
    const GAIN_MIN: f64 = 0.02;
    let prior_px2 = mover.start_err_px * mover.start_err_px;
    let gain = 1.0 - both_px2 / prior_px2;
    if gain.is_nan() || gain < GAIN_MIN {
        return None;
    }
    let (x0, y0) = mover.start_px;
    Some((x0 + (x - x0) / gain, y0 + (y - y0) / gain, (both_px2 / gain).sqrt()))
}

/// The inverse of a symmetric positive definite matrix of which the lower half is given, by its
/// Cholesky factor; `None` when it has none.
///
/// Rows are scaled to a unit diagonal first: light and slopes differ by orders of magnitude.
fn inverse(lower: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let scale: [f64; N] = std::array::from_fn(|i| lower[i][i].sqrt());
    if !scale.iter().all(|s| s.is_finite() && *s > 0.0) {
        return None;
    }
    const PIVOT_MIN: f64 = 1e-10;
    let mut factor = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let below: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = lower[i][j] / (scale[i] * scale[j]) - below;
            factor[i][j] = if i == j {
                if rest.is_nan() || rest < PIVOT_MIN {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / factor[j][j]
            };
        }
    }
    let mut inverse = [[0.0; N]; N];
    for column in 0..N {
        let mut solved = [0.0; N];
        for i in 0..N {
            let unit = if i == column { 1.0 } else { 0.0 };
            let known: f64 = (0..i).map(|k| factor[i][k] * solved[k]).sum();
            solved[i] = (unit - known) / factor[i][i];
        }
        for i in (0..N).rev() {
            let known: f64 = (i + 1..N).map(|k| factor[k][i] * solved[k]).sum();
            solved[i] = (solved[i] - known) / factor[i][i];
        }
        for (i, row) in inverse.iter_mut().enumerate() {
            row[column] = solved[i] / (scale[i] * scale[column]);
        }
    }
    Some(inverse)
}

#[cfg(test)]
pub(super) mod tests;
