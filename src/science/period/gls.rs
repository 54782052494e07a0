//! The generalised Lomb-Scargle periodogram: the best sine with floating mean at each frequency.
//!
//! Zechmeister & Kuerster 2009 (A&A 496, 577), equations 4 to 20, with a mean for each session
//! instead of one: sums over cos and sin lose their session's part, `CC = sum w cos^2 - sum_s
//! (sum_s w cos)^2 / W_s` and so on, and magnitudes are counted from their session's mean. With one
//! session it is theirs. Sums are made in blocks by `sums`; blocks are independent and of fixed
//! size, so the result does not depend on the number of threads.

use rayon::prelude::*;

use super::sums::{Block, Complex, Plan, Room};
use super::{Grid, Series};

/// Frequencies of a block.
const BLOCK: usize = 16_384;
/// Determinant of the cosine and sine, relative to the largest possible (1/4), below which a
/// frequency cannot be fitted: all points at the same phase, or two.
const DETERMINANT_MIN: f64 = 1e-11;

/// The normal equations of cosine and sine at a frequency, weights normalised to one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Normal {
    cc: f64,
    ss: f64,
    cs: f64,
}

impl Normal {
    /// The share of the variance a sine explains, 0..1; 0 where none can be fitted.
    ///
    /// * `y`: sum of w (y - mean) e^(i w t); `yy`: sum of w (y - mean)^2.
    fn power(&self, y: Complex, yy: f64) -> f64 {
        let determinant = self.cc * self.ss - self.cs * self.cs;
        if determinant < 0.25 * DETERMINANT_MIN || yy <= 0.0 {
            return 0.0;
        }
        let (yc, ys) = (y.re, y.im);
        let explained = self.ss * yc * yc + self.cc * ys * ys - 2.0 * self.cs * yc * ys;
        (explained / (determinant * yy)).clamp(0.0, 1.0)
    }
}

/// Prepared sums of a series over a grid.
pub(super) struct Gls<'a> {
    series: &'a Series,
    grid: Grid,
    /// Weights, sum one.
    pub(super) weights: Vec<f64>,
    block: Block,
}

impl<'a> Gls<'a> {
    pub(super) fn new(series: &'a Series, grid: Grid) -> Self {
        let mut weights = series.weights();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= sum);
        Self { series, grid, weights, block: Block::new(BLOCK.min(grid.n)) }
    }

    /// Number of blocks.
    pub(super) fn n_blocks(&self) -> usize {
        self.grid.n.div_ceil(self.block.n())
    }

    /// First frequency of a block [1/h] and how many of it are on the grid.
    fn part(&self, block: usize) -> (f64, usize) {
        let first = block * self.block.n();
        (self.grid.frequency_per_h(first), self.block.n().min(self.grid.n - first))
    }

    /// The transform of steps of the grid, times a factor.
    pub(super) fn plan(&self, factor: f64) -> Plan<'_> {
        Plan::new(&self.block, self.series.times_h(), factor * self.grid.step_per_h)
    }

    /// The normal equations at the frequencies of a block.
    ///
    /// * `once`, `twice`: plans of steps of the grid and of twice that.
    pub(super) fn normals(&self, block: usize, once: &Plan<'_>, twice: &Plan<'_>) -> Vec<Normal> {
        let (start, n) = self.part(block);
        let mut room = Room::default();
        let mut sums = vec![Complex::new(0.0, 0.0); self.block.n()];
        let all = 0..self.series.len();
        twice.sums(2.0 * start, all, &self.weights, &mut sums, &mut room);
        let of_double =
            |s: &Complex| Normal { cc: 0.5 * (1.0 + s.re), ss: 0.5 * (1.0 - s.re), cs: 0.5 * s.im };
        let mut normals: Vec<Normal> = sums[..n].iter().map(of_double).collect();
        for range in self.series.sessions() {
            let weight: f64 = self.weights[range.clone()].iter().sum();
            once.sums(start, range, &self.weights, &mut sums, &mut room);
            for (normal, s) in normals.iter_mut().zip(&sums) {
                normal.cc -= s.re * s.re / weight;
                normal.ss -= s.im * s.im / weight;
                normal.cs -= s.re * s.im / weight;
            }
        }
        normals
    }

    /// Powers at the frequencies of a block, for magnitudes centred by session.
    pub(super) fn powers(
        &self,
        block: usize,
        once: &Plan<'_>,
        (normals, centred): (&[Normal], &[f64]),
        mut use_power: impl FnMut(f64),
        room: &mut (Room, Vec<Complex>),
    ) {
        let (start, _) = self.part(block);
        let weighted: Vec<f64> = centred.iter().zip(&self.weights).map(|(y, w)| y * w).collect();
        let yy: f64 = weighted.iter().zip(centred).map(|(wy, y)| wy * y).sum();
        room.1.resize(self.block.n(), Complex::new(0.0, 0.0));
        once.sums(start, 0..centred.len(), &weighted, &mut room.1, &mut room.0);
        for (normal, y) in normals.iter().zip(&room.1) {
            use_power(normal.power(*y, yy));
        }
    }
}

/// The power of a series at each frequency of a grid, 0..1: (chi2_0 - chi2) / chi2_0, where chi2_0
/// is that of the sessions' means alone.
///
/// Accuracy: 1e-9 against the sums term by term (test `power_is_that_of_the_naive_twin`).
pub fn power(series: &Series, grid: Grid) -> Vec<f64> {
    let gls = Gls::new(series, grid);
    let (once, twice) = (gls.plan(1.0), gls.plan(2.0));
    let centred = series.centred(&gls.weights);
    let blocks: Vec<Vec<f64>> = (0..gls.n_blocks())
        .into_par_iter()
        .map(|block| {
            let normals = gls.normals(block, &once, &twice);
            let mut powers = Vec::with_capacity(normals.len());
            let mut room = (Room::default(), Vec::new());
            gls.powers(block, &once, (&normals, &centred), |p| powers.push(p), &mut room);
            powers
        })
        .collect();
    blocks.concat()
}

/// The place and value of the highest power; the first of equal ones. `None` without any.
pub fn highest(powers: &[f64]) -> Option<(usize, f64)> {
    let higher = |best: Option<(usize, f64)>, (i, p): (usize, f64)| match best {
        Some((_, high)) if high >= p => best,
        _ => Some((i, p)),
    };
    powers.iter().copied().enumerate().filter(|(_, p)| p.is_finite()).fold(None, higher)
}
