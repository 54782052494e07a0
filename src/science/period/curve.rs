//! One Fourier series at one frequency, by the sums themselves: coefficients, zero points,
//! residuals, errors, and the frequency where it fits best.

use std::f64::consts::TAU;

use super::harmonics::{Equations, N_MAX, ORDER_MAX, at};
use super::series::Series;

/// Steps of the search for the best frequency; each narrows it to 0.62.
const GOLDEN_STEPS: usize = 30;
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// Phases at which a curve is looked at for its maxima and its range.
pub const PHASES: usize = 400;

/// A fitted Fourier series; phases count from the series' middle time.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Frequency of the rotation [1/h].
    pub frequency_per_h: f64,
    /// Order of the series.
    pub order: usize,
    /// Cosine and sine of each order [mag].
    pub coefficients_mag: Vec<(f64, f64)>,
    /// Zero point of each session: the mean of its curve [mag].
    pub zero_points_mag: Vec<f64>,
    /// chi2 of the residuals for the series' errors.
    pub chi2: f64,
    /// How much chi2 sinks by the curve, the prior's part included.
    pub sunk_chi2: f64,
    /// Measured less fitted, in the order of the series [mag].
    pub residuals_mag: Vec<f64>,
    /// Covariance of the coefficients in the order cos 1, sin 1, cos 2, ... by rows [mag^2], for
    /// the series' errors as they are.
    pub(super) covariance: Vec<f64>,
}

/// Cosines and sines of orders 1 to `order` at a phase [rad].
fn waves(phase: f64, order: usize) -> [f64; N_MAX] {
    let mut waves = [0.0; N_MAX];
    let (sin, cos) = phase.sin_cos();
    let (mut re, mut im) = (1.0, 0.0);
    for pair in waves.chunks_exact_mut(2).take(order) {
        (re, im) = (re * cos - im * sin, re * sin + im * cos);
        pair[0] = re;
        pair[1] = im;
    }
    waves
}

/// The normal equations at a frequency, term by term.
pub(super) fn equations(series: &Series, frequency_per_h: f64, order: usize) -> Equations {
    let weights = series.weights();
    let centred = series.centred(&weights);
    let mut equations = Equations::ZERO;
    for range in series.sessions() {
        let (mut v, mut total) = ([0.0; N_MAX], 0.0);
        for j in range {
            let waves = waves(TAU * (frequency_per_h * series.times_h()[j]).fract(), order);
            let w = weights[j];
            total += w;
            for row in 0..2 * order {
                let weighted = w * waves[row];
                v[row] += weighted;
                equations.right[row] += weighted * centred[j];
                for (column, wave) in waves[..=row].iter().enumerate() {
                    equations.matrix[at(row, column)] += weighted * wave;
                }
            }
        }
        equations.project(&v[..2 * order], total);
    }
    equations.add_prior(order);
    equations
}

impl Curve {
    /// Fits a series of an order (1 to 6) at a frequency.
    pub fn fit(series: &Series, frequency_per_h: f64, order: usize) -> Self {
        let order = order.clamp(1, ORDER_MAX);
        let mut equations = equations(series, frequency_per_h, order);
        let sunk = equations.factorise(order);
        let solution = equations.solve(order);
        let covariance = covariance(&equations, order);
        let weights = series.weights();
        let model = |j: usize| -> f64 {
            let waves = waves(TAU * (frequency_per_h * series.times_h()[j]).fract(), order);
            waves.iter().zip(&solution).map(|(wave, c)| wave * c).sum()
        };
        let mut residuals: Vec<f64> =
            series.mags().iter().enumerate().map(|(j, mag)| mag - model(j)).collect();
        let before = residuals.clone();
        series.centre(&mut residuals, &weights);
        let zero_points =
            series.sessions().map(|range| before[range.start] - residuals[range.start]).collect();
        Self {
            frequency_per_h,
            order,
            coefficients_mag: solution.chunks_exact(2).take(order).map(|c| (c[0], c[1])).collect(),
            zero_points_mag: zero_points,
            chi2: residuals.iter().zip(&weights).map(|(r, w)| r * r * w).sum(),
            sunk_chi2: sunk[order - 1],
            residuals_mag: residuals,
            covariance,
        }
    }

    /// Fits at the best frequency within `reach` of one [1/h], by golden section.
    pub fn fit_near(series: &Series, frequency_per_h: f64, reach_per_h: f64, order: usize) -> Self {
        let sunk = |f: f64| equations(series, f, order).factorise(order)[order - 1];
        let (mut low, mut high) = (frequency_per_h - reach_per_h, frequency_per_h + reach_per_h);
        let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (mut at_left, mut at_right) = (sunk(left), sunk(right));
        for _ in 0..GOLDEN_STEPS {
            if at_left > at_right {
                (high, right, at_right) = (right, left, at_left);
                left = high - GOLDEN * (high - low);
                at_left = sunk(left);
            } else {
                (low, left, at_left) = (left, right, at_right);
                right = low + GOLDEN * (high - low);
                at_right = sunk(right);
            }
        }
        Self::fit(series, 0.5 * (low + high), order)
    }

    /// The curve at a phase [rotations], without zero point [mag].
    pub fn at_phase(&self, phase: f64) -> f64 {
        let waves = waves(TAU * phase, self.order);
        let pairs = waves.chunks_exact(2).zip(&self.coefficients_mag);
        pairs.map(|(wave, (cos, sin))| wave[0] * cos + wave[1] * sin).sum()
    }

    /// Error of the curve at a phase for the series' errors [mag].
    pub fn error_at_phase_mag(&self, phase: f64) -> f64 {
        self.variance(&waves(TAU * phase, self.order)).sqrt()
    }

    /// Variance of a linear combination of the coefficients [mag^2].
    pub(super) fn variance(&self, combination: &[f64; N_MAX]) -> f64 {
        let n = 2 * self.order;
        let row = |i: usize| -> f64 {
            (0..n).map(|k| self.covariance[i * n + k] * combination[k]).sum::<f64>()
        };
        (0..n).map(|i| combination[i] * row(i)).sum::<f64>().max(0.0)
    }

    /// Phases of the brightest and the faintest place [rotations].
    pub fn extremes(&self) -> (f64, f64) {
        let phase = |i: usize| i as f64 / PHASES as f64;
        let by_mag =
            |a: &usize, b: &usize| self.at_phase(phase(*a)).total_cmp(&self.at_phase(phase(*b)));
        let brightest = (0..PHASES).min_by(by_mag).map_or(0.0, phase);
        let faintest = (0..PHASES).max_by(by_mag).map_or(0.0, phase);
        (self.sharpen(brightest), self.sharpen(faintest))
    }

    /// The extreme near a phase by a parabola through three places.
    fn sharpen(&self, phase: f64) -> f64 {
        let h = 1.0 / PHASES as f64;
        let [before, here, after] = [-h, 0.0, h].map(|d| self.at_phase(phase + d));
        let bend = before - 2.0 * here + after;
        let shift = if bend == 0.0 { 0.0 } else { 0.5 * (before - after) / bend };
        phase + h * shift.clamp(-1.0, 1.0)
    }

    /// Time of the brightest place nearest to the middle of the times [h], from that middle, and
    /// its error for the series' errors: how far the slope's error moves the place where it is
    /// zero.
    pub fn brightest_h(&self) -> (f64, f64) {
        let (phase, _) = self.extremes();
        let nearest = phase - phase.round();
        let (mut slope, mut bend) = ([0.0; N_MAX], 0.0);
        let waves = waves(TAU * phase, self.order);
        for (k, (cos, sin)) in self.coefficients_mag.iter().enumerate() {
            let rate = TAU * (k + 1) as f64 * self.frequency_per_h;
            slope[2 * k] = -rate * waves[2 * k + 1];
            slope[2 * k + 1] = rate * waves[2 * k];
            bend -= rate * rate * (cos * waves[2 * k] + sin * waves[2 * k + 1]);
        }
        (nearest / self.frequency_per_h, self.variance(&slope).sqrt() / bend.abs())
    }

    /// From the brightest to the faintest place [mag], and its error for the series' errors.
    pub fn range_mag(&self) -> (f64, f64) {
        let (bright, faint) = self.extremes();
        let (mut difference, b) = (waves(TAU * faint, self.order), waves(TAU * bright, self.order));
        difference.iter_mut().zip(b).for_each(|(d, b)| *d -= b);
        let range = self.at_phase(faint) - self.at_phase(bright);
        (range, self.variance(&difference).sqrt())
    }

    /// Error of the frequency for the series' errors [1/h]: from how fast chi2 grows beside it.
    ///
    /// `None` where it does not grow.
    pub fn frequency_error_per_h(&self, series: &Series) -> Option<f64> {
        // Far enough for digits, near enough to be a parabola: a fiftieth of a cycle over the span.
        let h = 0.02 / (self.order as f64 * series.span_h());
        let sunk = |f: f64| equations(series, f, self.order).factorise(self.order)[self.order - 1];
        let f = self.frequency_per_h;
        let bend = (2.0 * sunk(f) - sunk(f - h) - sunk(f + h)) / (h * h);
        (bend > 0.0).then(|| (2.0 / bend).sqrt())
    }
}

/// The inverse of the factorised matrix, by rows.
fn covariance(equations: &Equations, order: usize) -> Vec<f64> {
    let n = 2 * order;
    let mut covariance = Vec::with_capacity(n * n);
    for i in 0..n {
        // A column of the unit matrix through both triangles; the factor's diagonal is inverted.
        let mut unit = Equations { right: [0.0; N_MAX], ..*equations };
        for row in i..n {
            let mut value = if row == i { 1.0 } else { 0.0 };
            for k in i..row {
                value -= equations.matrix[at(row, k)] * unit.right[k];
            }
            unit.right[row] = value * equations.matrix[at(row, row)];
        }
        covariance.extend_from_slice(&unit.solve(order)[..n]);
    }
    covariance
}
