//! Chance peaks by shuffling: how high the highest power gets when the magnitudes are put to other
//! times.
//!
//! What is shuffled are the magnitudes counted from their session's mean, in units of their errors,
//! so that each time keeps its weight. Sums over weights are made once per block of frequencies and
//! serve all trials. The numbers are drawn from the seed and the trial alone.

use rayon::prelude::*;

use super::gls::Gls;
use super::sums::Room;
use super::{Grid, Series};

/// Most trials.
pub const TRIALS_MAX: usize = 100_000;

/// The highest power of each trial, ascending.
///
/// * `trials`: how many, at most [`TRIALS_MAX`].
pub fn chance_peaks(series: &Series, grid: Grid, trials: usize, seed: u64) -> Vec<f64> {
    let gls = Gls::new(series, grid);
    let (once, twice) = (gls.plan(1.0), gls.plan(2.0));
    let pulls: Vec<f64> =
        series.centred(&gls.weights).iter().zip(series.errors_mag()).map(|(y, e)| y / e).collect();
    let trials = trials.min(TRIALS_MAX);
    let mut peaks = vec![0.0_f64; trials];
    for block in 0..gls.n_blocks() {
        let normals = gls.normals(block, &once, &twice);
        peaks.par_iter_mut().enumerate().for_each_init(
            || (Room::default(), Vec::new()),
            |room, (trial, peak)| {
                let shuffled = shuffled(series, &gls.weights, &pulls, Draws::new(seed, trial));
                let keep = |p: f64| *peak = peak.max(p);
                gls.powers(block, &once, (&normals, &shuffled), keep, room);
            },
        );
    }
    peaks.sort_by(f64::total_cmp);
    peaks
}

/// The chance of a peak at least as high: (1 + those) / (1 + trials), never zero.
pub fn chance(peaks: &[f64], power: f64) -> f64 {
    let below = peaks.partition_point(|peak| *peak < power);
    (1 + peaks.len() - below) as f64 / (1 + peaks.len()) as f64
}

/// The power that a share of the trials exceeds; `None` with fewer than ten trials beyond it.
pub fn level(peaks: &[f64], chance: f64) -> Option<f64> {
    let beyond = chance * peaks.len() as f64;
    (beyond >= 1.0).then(|| peaks[peaks.len().saturating_sub(beyond.round() as usize)])
}

/// Magnitudes of a trial, counted from their session's mean.
fn shuffled(series: &Series, weights: &[f64], pulls: &[f64], mut draws: Draws) -> Vec<f64> {
    let mut order: Vec<f64> = pulls.to_vec();
    for last in (1..order.len()).rev() {
        order.swap(last, draws.below(last + 1));
    }
    order.iter_mut().zip(series.errors_mag()).for_each(|(pull, err)| *pull *= err);
    series.centre(&mut order, weights);
    order
}

/// Numbers by chance: splitmix64 (Steele, Lea & Flood 2014, OOPSLA 453), a stream for each trial.
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64, stream: usize) -> Self {
        let mut draws = Self(seed ^ (stream as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
        draws.next();
        draws
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in 0..1.
    #[cfg(test)]
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of the normal distribution (Box & Muller 1958).
    #[cfg(test)]
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A whole number below `n`; the product's upper half, biased by n / 2^64 at most.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}
