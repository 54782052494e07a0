//! The rotation period: every frequency, every order, and how probable each is.
//!
//! 1. The grid's frequencies are scanned with series of orders 1 to 6 and zero points per session.
//! 2. Errors are scaled to the residuals of the best curve, outliers taken out, and it is scanned
//!    again: what is left is compared by BIC, with chi2 divided by how long residuals last.
//! 3. Peaks are refined and weighed with what is known of asteroids' curves: as a rule two maxima a
//!    rotation, the more certainly the larger the range (`shape`).
//! 4. `verdict` publishes the best or says why not.

use rayon::prelude::*;

use super::curve::Curve;
use super::harmonics::{ORDER_MAX, sunk_chi2};
use super::noise;
use super::shape::{shape_log_prior, strongest};
use super::{Grid, PeriodError, Series};

/// What is sought and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// Steps of the grid per width 1/span of a peak of order 1.
    pub steps_per_peak_count: f64,
    /// Highest order, 1 to 6.
    pub order_max: usize,
    /// Shortest period [h]; longer when the sampling cannot see it.
    pub period_min_h: f64,
    /// Longest period, as a multiple of the time span.
    pub period_longest_spans_count: f64,
    /// Most frequencies; with more, the shortest periods are left out.
    pub frequencies_max: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            steps_per_peak_count: 14.0,
            order_max: ORDER_MAX,
            period_min_h: 0.02,
            period_longest_spans_count: 2.0,
            frequencies_max: 500_000,
        }
    }
}

/// A period that fits, and how well.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The curve, for the scaled errors.
    pub curve: Curve,
    /// Logarithm of its probability up to a constant of all.
    pub log_odds: f64,
    /// Bayesian information criterion.
    pub bic_score: f64,
    /// Share of the probability of all candidates, with its neighbours within a cluster.
    pub probability_share: f64,
}

/// What a search gives.
#[derive(Debug, Clone)]
pub struct Found {
    /// The points used, with scaled errors.
    pub series: Series,
    /// How many points residuals last.
    pub lasting_count: f64,
    /// The grid.
    pub grid: Grid,
    /// BIC of the best order by frequency, relative to none.
    pub bic_score: Vec<f64>,
    /// Candidates, most probable first.
    pub candidates: Vec<Candidate>,
    /// Points left out as outliers: places in the list the series came from.
    pub outliers: Vec<usize>,
    order_max: usize,
    comparison: Comparison,
}

/// Peaks that are refined, for each order.
const PEAKS_MAX: usize = 30;
/// How often the halves of a curve with two maxima are alike within usual errors.
const LIKE_HALVES_CHANCE: f64 = 0.2;
/// Candidates this far below the best in logarithm of odds are not looked at.
const DEPTH: f64 = 25.0;
/// Rounds of scanning: the errors of one come from the curve of the round before.
const ROUNDS: usize = 2;

/// The grid of rotations a series can show.
pub fn rotation_grid(series: &Series, params: &Params) -> Result<Grid, PeriodError> {
    let span = series.span_h();
    let step = 1.0 / (params.steps_per_peak_count * span);
    let cadence = series.cadence_h().unwrap_or(span / series.len() as f64);
    // Two maxima, each seen by two points at least.
    let shortest = params.period_min_h.max(4.0 * cadence);
    let start = 1.0 / (params.period_longest_spans_count * span);
    let longest_grid = start + params.frequencies_max as f64 * step;
    Grid::new(start, (1.0 / shortest).min(longest_grid), step)
}

/// Searches for rotation periods.
pub fn search(series: &Series, params: &Params) -> Result<Found, PeriodError> {
    let grid = rotation_grid(series, params)?;
    let order_max = params.order_max.clamp(1, ORDER_MAX);
    let mut current = series.with_errors(noise::first_errors(series));
    let (mut lasting, mut order) = (1.0_f64, order_max);
    let mut candidates = Vec::new();
    let mut bic_score = Vec::new();
    let mut comparison = Comparison::new(&current, lasting, order);
    for round in 0..ROUNDS {
        let sunk = sunk_chi2(&current, grid, order_max);
        comparison = Comparison::new(&current, lasting, order);
        bic_score = sunk
            .chunks_exact(order_max)
            .map(|by_order| comparison.best_order(by_order).1)
            .collect();
        candidates = peaks(&current, grid, (&sunk, order_max), comparison);
        let Some(best) = candidates.first() else { break };
        if round + 1 < ROUNDS {
            let residuals = &best.curve.residuals_mag;
            let keep = noise::kept(&current, residuals);
            let n_free = 2.0 * best.curve.order as f64 + 1.0;
            lasting = noise::lasting(&current, residuals);
            order = best.curve.order;
            // Lasting noise as larger errors: then errors of all that follows are right.
            let scaled = noise::scaled_errors(&current, residuals, n_free);
            current = current.with_errors(scaled.into_iter().map(|e| e * lasting.sqrt()).collect());
            current = current.kept(&keep);
        }
    }
    let used = current.sources();
    let outliers = series.sources().iter().copied().filter(|s| !used.contains(s)).collect();
    share_out(&mut candidates);
    Ok(Found {
        series: current,
        lasting_count: lasting,
        grid,
        bic_score,
        candidates,
        outliers,
        order_max,
        comparison,
    })
}

/// How fits of different orders are compared.
#[derive(Debug, Clone, Copy)]
struct Comparison {
    /// chi2 without a curve.
    chi2_null: f64,
    /// Points that count for themselves, less zero points and unknowns.
    freedom: f64,
    /// What an order costs: half of BIC's k ln n with k = 2.
    cost: f64,
}

impl Comparison {
    /// * `order`: of the best curve so far.
    fn new(series: &Series, lasting: f64, order: usize) -> Self {
        let weights = series.weights();
        let centred = series.centred(&weights);
        let n_free = (series.n_sessions() + 2 * order) as f64;
        let n = series.len() as f64;
        Self {
            chi2_null: centred.iter().zip(&weights).map(|(y, w)| w * y * y).sum(),
            freedom: ((n - n_free) / lasting).max(1.0),
            cost: (n / lasting).max(2.0).ln(),
        }
    }

    /// -BIC/2 relative to no curve, of an order (1..) that lowers chi2 by `sunk`.
    ///
    /// The scale of the errors is as unknown as the curve: BIC with n ln chi2.
    fn score(&self, sunk: f64, order: usize) -> f64 {
        let left = (1.0 - sunk / self.chi2_null).max(1e-12);
        -0.5 * self.freedom * left.ln() - self.cost * order as f64
    }

    /// The best order at a frequency and its score.
    fn best_order(&self, sunk: &[f64]) -> (usize, f64) {
        let scored = sunk.iter().enumerate().map(|(i, s)| (i + 1, self.score(*s, i + 1)));
        scored.fold((1, f64::MIN), |best, next| if next.1 > best.1 { next } else { best })
    }
}

/// Local maxima of each order, refined, weighed and sorted.
fn peaks(
    series: &Series,
    grid: Grid,
    (sunk, order_max): (&[f64], usize),
    comparison: Comparison,
) -> Vec<Candidate> {
    let places: Vec<(usize, usize)> = (1..=order_max)
        .flat_map(|order| {
            let of_order = |i: usize| sunk[i * order_max + order - 1];
            highest_peaks(grid.n, of_order).into_iter().map(move |i| (i, order))
        })
        .collect();
    // The grid is too coarse to compare good fits: chi2 beside the peak is a multiple of the best.
    let refine = |&(i, order): &(usize, usize)| {
        Curve::fit_near(series, grid.frequency_per_h(i), grid.step_per_h, order)
    };
    let curves: Vec<Curve> = places.par_iter().map(refine).collect();
    let mut candidates: Vec<Candidate> =
        curves.into_iter().flat_map(|curve| weighed(series, comparison, curve)).collect();
    candidates.sort_by(|a, b| b.log_odds.total_cmp(&a.log_odds));
    let top = candidates.first().map_or(0.0, |c| c.log_odds);
    candidates.retain(|c| c.log_odds > top - DEPTH);
    candidates
}

/// Places of the highest local maxima.
fn highest_peaks(n: usize, value: impl Fn(usize) -> f64) -> Vec<usize> {
    let is_peak = |i: &usize| {
        let here = value(*i);
        (*i == 0 || value(i - 1) < here) && (i + 1 == n || value(i + 1) <= here)
    };
    let mut places: Vec<usize> = (0..n).filter(is_peak).collect();
    places.sort_by(|&a, &b| value(b).total_cmp(&value(a)).then(a.cmp(&b)));
    places.truncate(PEAKS_MAX);
    places
}

/// A curve as a candidate; one with a single maximum also as the double period with like halves.
///
/// The two are the same curve, so neither BIC nor more points of the same quality tell them apart:
/// the odds are those of the shapes, times how often halves are alike.
fn weighed(series: &Series, comparison: Comparison, curve: Curve) -> Vec<Candidate> {
    let score = comparison.score(curve.sunk_chi2, curve.order);
    let candidate = |curve: Curve, prior: f64| Candidate {
        log_odds: score + prior,
        bic_score: -2.0 * score,
        curve,
        probability_share: 0.0,
    };
    let mut candidates = Vec::new();
    if strongest(&curve) == 1 {
        let order = (2 * curve.order).min(ORDER_MAX);
        let double = Curve::fit(series, 0.5 * curve.frequency_per_h, order);
        let prior = shape_log_prior(&double) + LIKE_HALVES_CHANCE.ln();
        candidates.push(candidate(double, prior));
    }
    let prior = shape_log_prior(&curve);
    candidates.push(candidate(curve, prior));
    candidates
}

/// The best candidate near a frequency that was not among the peaks; its probability is left zero.
///
/// * `reach_per_h`: how far from it [1/h].
pub(super) fn evaluate(found: &Found, frequency_per_h: f64, reach_per_h: f64) -> Option<Candidate> {
    let step = found.grid.step_per_h;
    let start = (frequency_per_h - reach_per_h).max(step);
    let grid = Grid::new(start, frequency_per_h + reach_per_h + step, step).ok()?;
    let order_max = found.order_max;
    let sunk = sunk_chi2(&found.series, grid, order_max);
    let best = |(i, by_order): (usize, &[f64])| {
        let (order, score) = found.comparison.best_order(by_order);
        (score, i, order)
    };
    let (score, i, order) =
        sunk.chunks_exact(order_max).enumerate().map(best).max_by(|a, b| a.0.total_cmp(&b.0))?;
    let curve = Curve::fit_near(&found.series, grid.frequency_per_h(i), step, order);
    let score = found.comparison.score(curve.sunk_chi2, order).max(score);
    let log_odds = score + shape_log_prior(&curve);
    Some(Candidate { curve, log_odds, bic_score: -2.0 * score, probability_share: 0.0 })
}

/// Periods closer than this share are one.
const SAME_SHARE: f64 = 0.003;

/// Joins neighbours and gives each its share of the probability.
fn share_out(candidates: &mut Vec<Candidate>) {
    let Some(top) = candidates.first().map(|c| c.log_odds) else { return };
    let mut joined: Vec<Candidate> = Vec::new();
    for mut candidate in candidates.drain(..) {
        candidate.probability_share = (candidate.log_odds - top).exp();
        let f = candidate.curve.frequency_per_h;
        let same = |c: &&mut Candidate| (c.curve.frequency_per_h / f - 1.0).abs() < SAME_SHARE;
        match joined.iter_mut().find(same) {
            Some(first) => first.probability_share += candidate.probability_share,
            None => joined.push(candidate),
        }
    }
    let total: f64 = joined.iter().map(|c| c.probability_share).sum();
    joined.iter_mut().for_each(|c| c.probability_share /= total);
    joined.sort_by(|a, b| b.probability_share.total_cmp(&a.probability_share));
    *candidates = joined;
}
