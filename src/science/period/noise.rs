//! How well the points are known: errors by session, outliers, and noise that lasts.
//!
//! Quoted errors of light curves are wrong by factors, differently in each session. They are kept
//! as relative weights inside a session and scaled so that the residuals of the best curve agree.
//! Residuals that keep their sign from point to point carry less than their number: chi2 is divided
//! by the length over which they do (Schwarzenberg-Czerny 1991, MNRAS 253, 198).

use super::series::{Series, median};

/// Points of prior weight with which a session's scale is drawn to that of all.
const PRIOR_POINTS: f64 = 10.0;
/// Least error [mag], as a share of the typical one: none outweighs all others.
const FLOOR_SHARE: f64 = 0.3;
/// Residuals beyond so many robust standard deviations of their session are outliers.
const CLIP_SIGMA: f64 = 5.0;
/// Largest share of points that may be outliers.
const CLIPPED_SHARE_MAX: f64 = 0.05;
/// Standard deviations per median absolute deviation, normal.
const SIGMA_PER_MAD: f64 = 1.4826;
/// Longest time over which residuals are compared [points].
const LAG_MAX: usize = 60;
/// Largest factor by which lasting residuals lower chi2.
const LASTING_MAX: f64 = 30.0;

/// Errors before any curve is known: as quoted, the smallest lifted to a share of the typical one.
pub(super) fn first_errors(series: &Series) -> Vec<f64> {
    let mut errors = series.errors_mag().to_vec();
    let typical = median(&mut errors).unwrap_or(0.0);
    series.errors_mag().iter().map(|e| e.max(FLOOR_SHARE * typical)).collect()
}

/// Errors scaled, session by session, to the residuals of a curve with `n_free` parameters.
pub(super) fn scaled_errors(series: &Series, residuals: &[f64], n_free: f64) -> Vec<f64> {
    let errors = series.errors_mag();
    let pull2 = |j: usize| (residuals[j] / errors[j]).powi(2);
    let n = series.len() as f64;
    let zero_points = series.n_sessions() as f64;
    let freedom = (n - n_free - zero_points).max(1.0);
    let typical: f64 = (0..series.len()).map(pull2).sum::<f64>() / freedom;
    let mut scaled = errors.to_vec();
    for range in series.sessions() {
        // The curve's parameters are spread over the points.
        let own = (range.len() as f64 * (1.0 - n_free / n) - 1.0).max(0.0);
        let sum: f64 = range.clone().map(pull2).sum();
        let scale = ((sum + PRIOR_POINTS * typical) / (own + PRIOR_POINTS)).sqrt();
        scaled[range].iter_mut().for_each(|e| *e *= scale);
    }
    scaled
}

/// Which points are kept: all but those far beyond their session's residuals.
pub(super) fn kept(series: &Series, residuals: &[f64]) -> Vec<bool> {
    let errors = series.errors_mag();
    let mut all: Vec<f64> = residuals.iter().zip(errors).map(|(r, e)| (r / e).abs()).collect();
    let pulls = all.clone();
    let limit = CLIP_SIGMA * SIGMA_PER_MAD * median(&mut all).unwrap_or(f64::MAX);
    let keep: Vec<bool> = pulls.iter().map(|pull| *pull <= limit).collect();
    let n_out = keep.iter().filter(|kept| !**kept).count();
    // Many outliers are no outliers: the curve is wrong there.
    if n_out as f64 > CLIPPED_SHARE_MAX * series.len() as f64 {
        vec![true; keep.len()]
    } else {
        keep
    }
}

/// Over how many points residuals last: 1 + 2 sum of their autocorrelation inside sessions, up to
/// where it is no longer significant; at least 1.
pub(super) fn lasting(series: &Series, residuals: &[f64]) -> f64 {
    let pulls: Vec<f64> = residuals.iter().zip(series.errors_mag()).map(|(r, e)| r / e).collect();
    let variance = pulls.iter().map(|p| p * p).sum::<f64>() / pulls.len() as f64;
    let mut lasting = 1.0;
    for lag in 1..=LAG_MAX {
        let (mut sum, mut n) = (0.0, 0.0);
        for range in series.sessions().filter(|range| range.len() > lag) {
            let own = &pulls[range];
            sum += own.iter().zip(&own[lag..]).map(|(a, b)| a * b).sum::<f64>();
            n += (own.len() - lag) as f64;
        }
        if n < 1.0 || variance <= 0.0 {
            break;
        }
        let correlation = sum / n / variance;
        if correlation < 1.0 / n.sqrt() {
            break;
        }
        lasting += 2.0 * correlation;
    }
    lasting.min(LASTING_MAX)
}
