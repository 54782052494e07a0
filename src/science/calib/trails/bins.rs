//! The frame in bins of 4 x 4 px, above its sky and in units of its noise.
//!
//! A bin is about as wide as a trail, so summing bins along a line loses little; what shines
//! more than a few sigmas is cut, so that a star counts no more than a bright bin of a trail.

use rayon::prelude::*;

use super::Trail;
use crate::science::calib::apply::CalibratedPixels;
use crate::science::image::Image;
use crate::science::image::stats::{SIGMA_PER_MAD, median_in_place};

/// Side of a bin [px].
pub(super) const BIN_PX: usize = 4;
/// Fewest good pixels of a bin with a value.
const GOOD_MIN: f32 = 8.0;
/// Side of the cells whose medians are the sky [bins].
const CELL_BINS: usize = 16;
/// Largest value of a bin, either way [sigma].
const CLIP_SIGMA: f32 = 3.0;
/// Smallest frame in which trails are looked for [bins].
const SIDE_MIN_BINS: usize = 24;

/// The binned frame.
pub(super) struct Bins {
    /// Signal of each bin in units of the noise of a line's bins; 0 where there are no data.
    pub(super) signal: Image<f32>,
}

impl Bins {
    /// Bins a frame; `None` when it is too small or has no noise to measure by.
    pub(super) fn of(frame: &CalibratedPixels) -> Option<Self> {
        let (nx, ny) = (frame.pixels_e.nx() / BIN_PX, frame.pixels_e.ny() / BIN_PX);
        if nx < SIDE_MIN_BINS || ny < SIDE_MIN_BINS {
            return None;
        }
        let mut signal = Image::filled(nx, ny, f32::NAN);
        signal
            .pixels_mut()
            .par_chunks_mut(nx * CELL_BINS)
            .enumerate()
            .for_each(|(band, out)| bin_rows(frame, band * CELL_BINS, nx, out));
        let sky = Sky::measure(&signal)?;
        signal.pixels_mut().par_chunks_mut(nx).enumerate().for_each(|(y, row)| {
            for (x, value) in row.iter_mut().enumerate() {
                let (level, sigma) = sky.at(x, y);
                let scaled = ((*value - level) / sigma).clamp(-CLIP_SIGMA, CLIP_SIGMA);
                *value = if scaled.is_finite() { scaled } else { 0.0 };
            }
        });
        let sum: f64 = signal.pixels().iter().map(|&v| f64::from(v * v)).sum();
        let n = signal.pixels().iter().filter(|v| v.abs() > 0.0).count().max(1);
        let rms = (sum / n as f64).sqrt().max(0.5) as f32;
        signal.pixels_mut().iter_mut().for_each(|v| *v /= rms);
        Some(Self { signal })
    }

    /// Takes a trail out.
    pub(super) fn blank(&mut self, trail: &Trail) {
        let per_px = 1.0 / BIN_PX as f64;
        let (nx, ny) = (self.signal.nx(), self.signal.ny());
        let half_bins = 0.5 * trail.width_px * per_px + 2.0;
        let (from, to) = (trail.from_px, trail.to_px);
        let n_steps = (2.0 * trail.length_px() * per_px).ceil().max(1.0) as usize;
        for step in 0..=n_steps {
            let share = step as f64 / n_steps as f64;
            let x = (from.0 + share * (to.0 - from.0)) * per_px;
            let y = (from.1 + share * (to.1 - from.1)) * per_px;
            let low = |v: f64| (v - half_bins).max(0.0) as usize;
            let high = |v: f64, n: usize| ((v + half_bins).max(0.0) as usize + 1).min(n);
            for y in low(y)..high(y, ny) {
                let columns = low(x).min(nx)..high(x, nx).max(low(x).min(nx));
                self.signal.row_mut(y)[columns].fill(0.0);
            }
        }
    }
}

/// Means of the good pixels of each bin of some rows of bins; NaN where too few are good.
fn bin_rows(frame: &CalibratedPixels, first: usize, nx: usize, out: &mut [f32]) {
    let width = nx * BIN_PX;
    let (mut sums, mut counts) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    for (line, out) in out.chunks_mut(nx).enumerate() {
        sums.fill(0.0);
        counts.fill(0.0);
        for y in (first + line) * BIN_PX..(first + line + 1) * BIN_PX {
            let (pixels, mask) = (&frame.pixels_e.row(y)[..width], &frame.mask.row(y)[..width]);
            for x in 0..width {
                let weight = if mask[x].is_good() { 1.0 } else { 0.0 };
                sums[x] += weight * pixels[x];
                counts[x] += weight;
            }
        }
        let pairs = sums.chunks_exact(BIN_PX).zip(counts.chunks_exact(BIN_PX));
        for (value, (sums, counts)) in out.iter_mut().zip(pairs) {
            let n: f32 = counts.iter().sum();
            *value = if n >= GOOD_MIN { sums.iter().sum::<f32>() / n } else { f32::NAN };
        }
    }
}

/// Median and robust scatter of cells of bins.
struct Sky {
    n_x: usize,
    n_y: usize,
    cells: Vec<(f32, f32)>,
}

impl Sky {
    fn measure(bins: &Image<f32>) -> Option<Self> {
        let (n_x, n_y) = ((bins.nx() / CELL_BINS).max(1), (bins.ny() / CELL_BINS).max(1));
        let edge =
            |i: usize, n: usize, all: usize| if i + 1 == n { all } else { (i + 1) * CELL_BINS };
        let cells: Vec<Option<(f32, f32)>> = (0..n_x * n_y)
            .into_par_iter()
            .map(|cell| {
                let (i, j) = (cell % n_x, cell / n_x);
                let columns = i * CELL_BINS..edge(i, n_x, bins.nx());
                let rows = j * CELL_BINS..edge(j, n_y, bins.ny());
                let mut values: Vec<f64> = rows
                    .flat_map(|y| bins.row(y)[columns.clone()].iter())
                    .filter(|v| v.is_finite())
                    .map(|&v| f64::from(v))
                    .collect();
                let level = median_in_place(&mut values)?;
                values.iter_mut().for_each(|v| *v = (*v - level).abs());
                let sigma = SIGMA_PER_MAD * median_in_place(&mut values)?;
                (sigma > 0.0).then_some((level as f32, sigma as f32))
            })
            .collect();
        // A cell without data or without scatter gets what is typical.
        let typical = |part: fn(&(f32, f32)) -> f32| {
            let mut values: Vec<f64> = cells.iter().flatten().map(|c| f64::from(part(c))).collect();
            median_in_place(&mut values)
        };
        let usual = (typical(|c| c.0)? as f32, typical(|c| c.1)? as f32);
        let cells = cells.into_iter().map(|c| c.unwrap_or(usual)).collect();
        Some(Self { n_x, n_y, cells })
    }

    /// Level between the cells' centres, and noise of the cell.
    fn at(&self, x: usize, y: usize) -> (f32, f32) {
        let place = |v: usize, n: usize| {
            let place = (v as f32 + 0.5) / CELL_BINS as f32 - 0.5;
            let low = (place.max(0.0) as usize).min(n.saturating_sub(2));
            let share = if n == 1 { 0.0 } else { (place - low as f32).clamp(-0.5, 1.5) };
            (low, (low + 1).min(n - 1), share)
        };
        let ((x0, x1, u), (y0, y1, v)) = (place(x, self.n_x), place(y, self.n_y));
        let level = |x: usize, y: usize| self.cells[y * self.n_x + x].0;
        let low = (1.0 - u) * level(x0, y0) + u * level(x1, y0);
        let high = (1.0 - u) * level(x0, y1) + u * level(x1, y1);
        let own = (y / CELL_BINS).min(self.n_y - 1) * self.n_x + (x / CELL_BINS).min(self.n_x - 1);
        ((1.0 - v) * low + v * high, self.cells[own].1)
    }
}
