//! Fourier series of orders 1 to 6 at each frequency, with a zero point for each session.
//!
//! An asteroid's curve has two maxima a rotation as a rule, so a sine finds half the period; a
//! series of higher order at the rotation's frequency describes the whole. For all orders at once:
//! the normal equations of `cos k w t, sin k w t` (k = 1..K, cosine and sine of an order side by
//! side) are built from the transforms of `sums`, zero points are projected out as in `gls`, and
//! one Cholesky factorisation gives what every lower order explains, since it goes row by row
//! (Palmer 2009, ApJ 695, 496, has the same sums). Coefficients have a prior about zero, as wide as
//! asteroids need, so that a series does not swing where no point holds it.

use rayon::prelude::*;

use super::sums::{Block, Complex, Plan, Room};
use super::{Grid, Series};

/// Highest order of a Fourier series.
pub const ORDER_MAX: usize = 6;
/// Unknowns of the highest order.
pub(super) const N_MAX: usize = 2 * ORDER_MAX;
/// Elements of a lower triangle.
const TRIANGLE: usize = N_MAX * (N_MAX + 1) / 2;
/// Frequencies of a block: matrices of a block stay in the cache.
const BLOCK: usize = 4096;
/// Prior scatter of cosine and sine by order [mag]: what shapes of asteroids give.
///
/// An elongated body makes the second harmonic, without bound for us; the others come from what is
/// uneven or hollow, and stay small: Harris et al. 2014 (Icarus 235, 55) find at most about 0.1 mag
/// for the odd ones, 0.2 mag for the fourth. About that is taken, for any phase angle.
const PRIOR_MAG: [f64; ORDER_MAX] = [0.12, 1.0, 0.06, 0.2, 0.06, 0.08];

/// One over the prior variance of the unknown `i` [1/mag^2].
pub(super) fn prior_weight(i: usize) -> f64 {
    PRIOR_MAG[i / 2].powi(-2)
}

/// Normal equations of the highest order: the lower triangle by rows, and the right side.
#[derive(Clone, Copy)]
pub(super) struct Equations {
    pub(super) matrix: [f64; TRIANGLE],
    pub(super) right: [f64; N_MAX],
}

/// Place of an element of a lower triangle.
pub(super) const fn at(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

impl Equations {
    pub(super) const ZERO: Self = Self { matrix: [0.0; TRIANGLE], right: [0.0; N_MAX] };

    /// Turns the matrix into its Cholesky factor and the right side into `L^-1 right`; tells how
    /// much chi2 sinks by each order (ascending). The prior makes the matrix positive.
    pub(super) fn factorise(&mut self, order: usize) -> [f64; ORDER_MAX] {
        let mut sunk = [0.0; ORDER_MAX];
        let mut total = 0.0;
        for row in 0..2 * order {
            let mut value = self.right[row];
            for column in 0..row {
                let mut sum = self.matrix[at(row, column)];
                for k in 0..column {
                    sum -= self.matrix[at(row, k)] * self.matrix[at(column, k)];
                }
                let element = sum * self.matrix[at(column, column)];
                self.matrix[at(row, column)] = element;
                value -= element * self.right[column];
            }
            let mut diagonal = self.matrix[at(row, row)];
            for k in 0..row {
                diagonal -= self.matrix[at(row, k)].powi(2);
            }
            // One over the root, as it is needed; rounding may eat all but the prior.
            let inverse = diagonal.max(0.5 * prior_weight(row)).sqrt().recip();
            self.matrix[at(row, row)] = inverse;
            self.right[row] = value * inverse;
            total += self.right[row].powi(2);
            sunk[row / 2] = total;
        }
        sunk
    }

    /// The unknowns after [`Self::factorise`], for a series of an order.
    pub(super) fn solve(&self, order: usize) -> [f64; N_MAX] {
        let mut solution = [0.0; N_MAX];
        for row in (0..2 * order).rev() {
            let mut value = self.right[row];
            for (below, known) in solution.iter().enumerate().take(2 * order).skip(row + 1) {
                value -= self.matrix[at(below, row)] * known;
            }
            solution[row] = value * self.matrix[at(row, row)];
        }
        solution
    }

    /// Adds to the matrix the sums of `w cos, sin` of two orders by those of their difference and
    /// sum.
    fn add_products(&mut self, (k, l): (usize, usize), difference: Complex, sum: Complex) {
        let (row, column) = (2 * k, 2 * l);
        self.matrix[at(row, column)] += 0.5 * (difference.re + sum.re);
        self.matrix[at(row + 1, column)] += 0.5 * (sum.im + difference.im);
        self.matrix[at(row + 1, column + 1)] += 0.5 * (difference.re - sum.re);
        if k > l {
            self.matrix[at(row, column + 1)] += 0.5 * (sum.im - difference.im);
        }
    }

    /// Takes a session's zero point out of the matrix: less `v v^T / weight`.
    pub(super) fn project(&mut self, v: &[f64], weight: f64) {
        let inverse = weight.recip();
        for (row, a) in v.iter().enumerate() {
            let scaled = a * inverse;
            for (column, b) in v[..=row].iter().enumerate() {
                self.matrix[at(row, column)] -= scaled * b;
            }
        }
    }

    /// Adds the prior.
    pub(super) fn add_prior(&mut self, order: usize) {
        for i in 0..2 * order {
            self.matrix[at(i, i)] += prior_weight(i);
        }
    }
}

/// How much chi2 sinks at each frequency of a grid by series of orders 1 to `order`.
///
/// * Returns `order` values a frequency, one after the other; chi2 includes the prior's part.
/// * Memory: 8 `order` bytes a frequency and 8 MB a thread.
pub fn sunk_chi2(series: &Series, grid: Grid, order: usize) -> Vec<f64> {
    let order = order.clamp(1, ORDER_MAX);
    let weights = series.weights();
    let block = Block::new(BLOCK.min(grid.n));
    // Step k of the grid serves the k-th harmonic.
    let plans: Vec<Plan<'_>> = (1..=2 * order)
        .map(|k| Plan::new(&block, series.times_h(), k as f64 * grid.step_per_h))
        .collect();
    let centred = series.centred(&weights);
    let weighted: Vec<f64> = centred.iter().zip(&weights).map(|(y, w)| y * w).collect();
    let scan = Scanner { series, grid, order, block: &block, plans, weights, weighted };
    let blocks: Vec<Vec<f64>> = (0..grid.n.div_ceil(block.n()))
        .into_par_iter()
        .map_init(|| (Room::default(), Vec::new()), |room, b| scan.block(b * block.n(), room))
        .collect();
    blocks.concat()
}

/// What all blocks share.
struct Scanner<'a> {
    series: &'a Series,
    grid: Grid,
    order: usize,
    block: &'a Block,
    plans: Vec<Plan<'a>>,
    weights: Vec<f64>,
    /// Weight times centred magnitude.
    weighted: Vec<f64>,
}

impl Scanner<'_> {
    /// The frequencies of a block from `first` on.
    fn block(&self, first: usize, (room, equations): &mut (Room, Vec<Equations>)) -> Vec<f64> {
        let start = self.grid.frequency_per_h(first);
        let n = self.block.n().min(self.grid.n - first);
        equations.clear();
        equations.resize(n, Equations::ZERO);
        let order = self.order;
        let width = self.block.n();
        let all = 0..self.weights.len();
        let total: f64 = self.weights.iter().sum();
        let mut sums = vec![Complex::new(0.0, 0.0); 2 * order * width];
        for (k, (plan, sums)) in self.plans.iter().zip(sums.chunks_mut(width)).enumerate() {
            plan.sums((k + 1) as f64 * start, all.clone(), &self.weights, sums, room);
        }
        for (m, equations) in equations.iter_mut().enumerate() {
            for k in 0..order {
                for l in 0..=k {
                    let difference = match k - l {
                        0 => Complex::new(total, 0.0),
                        d => sums[(d - 1) * width + m],
                    };
                    let sum = sums[(k + l + 1) * width + m];
                    equations.add_products((k, l), difference, sum);
                }
            }
            equations.add_prior(order);
        }
        for (k, (plan, sums)) in
            self.plans.iter().zip(sums.chunks_mut(width)).enumerate().take(order)
        {
            plan.sums((k + 1) as f64 * start, all.clone(), &self.weighted, sums, room);
            for (equations, sum) in equations.iter_mut().zip(sums.iter()) {
                equations.right[2 * k] = sum.re;
                equations.right[2 * k + 1] = sum.im;
            }
        }
        self.take_zero_points(start, equations, &mut sums, room);
        equations.iter_mut().flat_map(|e| e.factorise(order).into_iter().take(order)).collect()
    }

    /// Projects the zero point of each session out.
    fn take_zero_points(
        &self,
        start: f64,
        equations: &mut [Equations],
        sums: &mut [Complex],
        room: &mut Room,
    ) {
        let (order, width) = (self.order, self.block.n());
        for range in self.series.sessions() {
            let weight: f64 = self.weights[range.clone()].iter().sum();
            for (k, (plan, sums)) in
                self.plans.iter().zip(sums.chunks_mut(width)).enumerate().take(order)
            {
                plan.sums((k + 1) as f64 * start, range.clone(), &self.weights, sums, room);
            }
            let mut v = [0.0; N_MAX];
            for (m, equations) in equations.iter_mut().enumerate() {
                for k in 0..order {
                    v[2 * k] = sums[k * width + m].re;
                    v[2 * k + 1] = sums[k * width + m].im;
                }
                equations.project(&v[..2 * order], weight);
            }
        }
    }
}
