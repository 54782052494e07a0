//! The best sine of a periodogram, as GLS tells it, and prewhitening.
//!
//! The sine at the highest power of the grid, not refined, with the closed-form errors of `gls.py`
//! (Zechmeister & Kuerster's program; after Montgomery & O'Donoghue 1999). Errors hold for white
//! noise of the residuals' size.

use std::f64::consts::TAU;

use super::gls::{highest, power};
use super::{Grid, Search, Series};

/// Most iterations of prewhitening.
pub const ITERATIONS_MAX: usize = 20;

/// A sine `amplitude sin(2 pi f (t - t0)) + offset` fitted to the points.
#[derive(Debug, Clone, PartialEq)]
pub struct Sine {
    /// Frequency [1/h].
    pub frequency_per_h: f64,
    /// Its error [1/h]; `None` at the edge of the grid.
    pub frequency_err_per_h: Option<f64>,
    /// Half the range [mag].
    pub amplitude_mag: f64,
    /// Its error [mag].
    pub amplitude_err_mag: f64,
    /// Phase at the first point [cycles].
    pub phase_share: f64,
    /// Its error [cycles].
    pub phase_err_share: f64,
    /// Time of the first rise through the offset near the first point [h], in the times given.
    pub t0_h: f64,
    /// Its error [h].
    pub t0_err_h: f64,
    /// Mean by session [mag].
    pub offsets_mag: Vec<f64>,
    /// Error of the mean of all points [mag].
    pub offset_err_mag: f64,
    /// Power: share of the variance.
    pub power_share: f64,
    /// Weighted rms of the residuals [mag].
    pub rms_mag: f64,
    /// Chance that white noise reaches the power: GLS's count of frequencies.
    pub chance: f64,
    /// Residuals in the order of the series [mag].
    pub residuals_mag: Vec<f64>,
}

impl Sine {
    /// Period [h].
    pub fn period_h(&self) -> f64 {
        self.frequency_per_h.recip()
    }

    /// Error of the period [h].
    pub fn period_err_h(&self) -> Option<f64> {
        self.frequency_err_per_h.map(|e| e / self.frequency_per_h.powi(2))
    }

    /// The sine at the highest of a grid's powers; `None` without a power.
    pub fn highest(series: &Series, grid: Grid, powers: &[f64]) -> Option<Self> {
        let (i, p) = highest(powers)?;
        let search = Search::new(series, grid, p);
        let frequency = grid.frequency_per_h(i);
        let fit = Fit::new(series, frequency);
        let weights = series.weights();
        let weight: f64 = weights.iter().sum();
        let n = series.len() as f64;
        let squares = fit.residuals.iter().zip(&weights).map(|(r, w)| r * r * w).sum::<f64>();
        let rms = (squares / weight).sqrt();
        let amplitude = fit.cosine.hypot(fit.sine);
        // From the middle of the times to the first point.
        let first = series.first_h() - series.middle_h();
        let phase = (fit.cosine.atan2(fit.sine) / TAU + frequency * first).rem_euclid(1.0);
        let phase = if phase > 0.5 { phase - 1.0 } else { phase };
        let phase_err = (2.0 / n).sqrt() * rms / (TAU * amplitude);
        Some(Self {
            frequency_per_h: frequency,
            frequency_err_per_h: frequency_error(grid, powers, i, n),
            amplitude_mag: amplitude,
            amplitude_err_mag: (2.0 / n).sqrt() * rms,
            phase_share: phase,
            phase_err_share: phase_err,
            t0_h: series.first_h() - phase / frequency,
            t0_err_h: phase_err / frequency,
            offsets_mag: fit.offsets,
            offset_err_mag: rms / n.sqrt(),
            power_share: p,
            rms_mag: rms,
            chance: search.chance(p),
            residuals_mag: fit.residuals,
        })
    }
}

/// GLS's error of the frequency: a parabola through the highest power and its neighbours.
fn frequency_error(grid: Grid, powers: &[f64], i: usize, n: f64) -> Option<f64> {
    if i < 2 || i + 2 >= powers.len() {
        return None;
    }
    let square = grid.step_per_h.powi(2);
    // Least squares of dy = aa dx^2 through two points at one distance.
    let bend = ((powers[i - 1] - powers[i]) + (powers[i + 1] - powers[i])) / (2.0 * square);
    let error2 = -2.0 / (n * bend) * (1.0 - powers[i]);
    (error2 > 0.0 && error2.is_finite()).then(|| error2.sqrt())
}

/// Cosine, sine and zero points by the sums themselves, without any prior.
struct Fit {
    cosine: f64,
    sine: f64,
    offsets: Vec<f64>,
    residuals: Vec<f64>,
}

impl Fit {
    fn new(series: &Series, frequency_per_h: f64) -> Self {
        let weights = series.weights();
        let angles = series.times_h().iter().map(|t| TAU * (frequency_per_h * t).fract());
        let (mut cos, mut sin): (Vec<f64>, Vec<f64>) = angles.map(|a| (a.cos(), a.sin())).unzip();
        let plain: Vec<(f64, f64)> = cos.iter().copied().zip(sin.iter().copied()).collect();
        series.centre(&mut cos, &weights);
        series.centre(&mut sin, &weights);
        let y = series.centred(&weights);
        let sum = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().zip(b).zip(&weights).map(|((a, b), w)| a * b * w).sum()
        };
        let (cc, ss, cs) = (sum(&cos, &cos), sum(&sin, &sin), sum(&cos, &sin));
        let (yc, ys) = (sum(&y, &cos), sum(&y, &sin));
        let determinant = cc * ss - cs * cs;
        let is_fit = determinant > 1e-12 * (cc + ss).powi(2);
        let solve = |value: f64| if is_fit { value / determinant } else { 0.0 };
        let (a, b) = (solve(yc * ss - ys * cs), solve(ys * cc - yc * cs));
        let model: Vec<f64> = plain.iter().map(|(cos, sin)| a * cos + b * sin).collect();
        let mut residuals: Vec<f64> =
            series.mags().iter().zip(&model).map(|(y, model)| y - model).collect();
        let before = residuals.clone();
        series.centre(&mut residuals, &weights);
        let offset = |range: std::ops::Range<usize>| before[range.start] - residuals[range.start];
        let offsets = series.sessions().map(offset).collect();
        Self { cosine: a, sine: b, offsets, residuals }
    }
}

/// Takes sine after sine out of the points, each the best of what the one before left.
///
/// * `iterations`: at most [`ITERATIONS_MAX`]. Successive, as the seeds do it: chances of all but
///   the first are those of noise, and a poorly taken sine leaves a peak beside its place.
pub fn prewhiten(series: &Series, grid: Grid, iterations: usize) -> Vec<Sine> {
    let mut sines: Vec<Sine> = Vec::new();
    let mut left = series.clone();
    for _ in 0..iterations.clamp(1, ITERATIONS_MAX) {
        let Some(sine) = Sine::highest(&left, grid, &power(&left, grid)) else { break };
        left = left.with_mags(sine.residuals_mag.clone());
        sines.push(sine);
    }
    sines
}
