//! Bad pixels of the detector, read from the masters.
//!
//! A pixel is compared with the medians of its block and those around it: in a flat by ratio, in
//! a bias or dark by difference in units of the block's robust scatter. A column (in a bias also a
//! row: amplifiers settle during the first ones) is bad as a whole when its median is off or when
//! most of its pixels are. Conservative: what calibrates well, such as dust or mild hot pixels,
//! stays.

use rayon::prelude::*;

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::{median, median_and_scatter, median_in_place};

/// Fewest neighbours on either side by which a column is judged [px].
const LINE_REACH_MIN_PX: usize = 3;

/// Limits beyond which a pixel is bad.
#[derive(Debug, Clone, PartialEq)]
pub struct DefectParams {
    /// Side of the blocks for flats; vignetting may not halve the light within one [px].
    pub flat_block_px: usize,
    /// Smallest response in units of the faintest block around.
    pub response_min: f32,
    /// Largest response in units of the brightest block around.
    pub response_max: f32,
    /// Largest deviation of a column's median response from its neighbours' (relative).
    pub column_response_max: f64,
    /// Side of the blocks for biases and darks [px].
    pub level_block_px: usize,
    /// Excess of a hot pixel over its block [robust sigma].
    pub hot_sigma: f64,
    /// Share of bad pixels at which a whole column is bad.
    pub column_share: f64,
    /// Columns, or rows, on either side that a column's or row's median is held against [px].
    pub line_reach_px: usize,
}

impl Default for DefectParams {
    fn default() -> Self {
        Self {
            flat_block_px: 16,
            response_min: 0.5,
            response_max: 1.5,
            column_response_max: 0.25,
            level_block_px: 64,
            hot_sigma: 7.0,
            column_share: 0.5,
            line_reach_px: 15,
        }
    }
}

/// Finds dead and badly responding pixels in a master flat.
pub fn flat_defects(flat: &Image<f32>, params: &DefectParams) -> Mask {
    let blocks = Blocks::measure(flat, params.flat_block_px);
    let around = blocks.extremes_around();
    let mut mask = mark_pixels(flat, |x, y, value| {
        let (low, high) = around[blocks.index(x, y)];
        // Written so that NaN is bad.
        !(value >= params.response_min * low && value <= params.response_max * high) || high <= 0.0
    });
    let medians = column_medians(flat);
    for x in 0..flat.nx() {
        let Some(expected) = expected_line(&medians, x, params.line_reach_px) else {
            continue;
        };
        if (medians[x] - expected).abs() > params.column_response_max * expected.abs() {
            mark_column(&mut mask, x);
        }
    }
    mark_poor_columns(&mut mask, params.column_share);
    mask
}

/// Finds hot pixels and columns in a master dark (bias subtracted or not).
///
/// * `noise_adu`: noise of a pixel of the master, the least the scatter can be.
pub fn dark_defects(dark: &Image<f32>, noise_adu: f64, params: &DefectParams) -> Mask {
    let mut mask = level_defects(dark, noise_adu, params);
    mark_poor_columns(&mut mask, params.column_share);
    mask
}

/// Finds pixels, columns and rows of a master bias that no constant level describes.
///
/// * `frame_noise_adu`: noise of a pixel of a single bias; offsets below some of it subtract
///   well.
pub fn bias_defects(bias: &Image<f32>, frame_noise_adu: f64, params: &DefectParams) -> Mask {
    let mut mask = level_defects(bias, frame_noise_adu, params);
    let limit = params.hot_sigma * frame_noise_adu.max(1.0);
    let columns = column_medians(bias);
    for x in 0..bias.nx() {
        let expected = expected_line(&columns, x, params.line_reach_px);
        if expected.is_some_and(|e| (columns[x] - e).abs() > limit) {
            mark_column(&mut mask, x);
        }
    }
    let rows = row_medians(bias);
    let level = median_in_place(&mut rows.clone()).unwrap_or(0.0);
    for (y, row) in rows.iter().enumerate() {
        if (row - level).abs() > limit {
            mask.row_mut(y).fill(MaskBits::BAD);
        }
    }
    mark_poor_columns(&mut mask, params.column_share);
    mask
}

/// Share of the pixels of a mask that are not good.
pub fn bad_share(mask: &Mask) -> f64 {
    let n_bad = mask.pixels().iter().filter(|m| !m.is_good()).count();
    n_bad as f64 / mask.pixels().len().max(1) as f64
}

/// Adds the reasons of one mask to another of the same shape.
pub fn add_mask(to: &mut Mask, from: &Mask) {
    for (to, from) in to.pixels_mut().iter_mut().zip(from.pixels()) {
        *to = to.with(*from);
    }
}

fn level_defects(frame: &Image<f32>, noise_adu: f64, params: &DefectParams) -> Mask {
    let blocks = Blocks::measure(frame, params.level_block_px);
    mark_pixels(frame, |x, y, value| {
        let (level, scatter) = blocks.values[blocks.index(x, y)];
        let excess = (f64::from(value) - level).abs();
        excess.is_nan() || excess > params.hot_sigma * scatter.max(noise_adu).max(1e-6)
    })
}

fn mark_pixels(frame: &Image<f32>, is_bad: impl Fn(usize, usize, f32) -> bool + Sync) -> Mask {
    let nx = frame.nx();
    let mut mask = Mask::filled(nx, frame.ny(), MaskBits::GOOD);
    mask.pixels_mut().par_chunks_mut(nx.max(1)).enumerate().for_each(|(y, row)| {
        for (x, (bits, &value)) in row.iter_mut().zip(frame.row(y)).enumerate() {
            if is_bad(x, y, value) {
                *bits = MaskBits::BAD;
            }
        }
    });
    mask
}

fn mark_column(mask: &mut Mask, x: usize) {
    for y in 0..mask.ny() {
        mask.row_mut(y)[x] = MaskBits::BAD;
    }
}

fn mark_poor_columns(mask: &mut Mask, share: f64) {
    let mut n_bad = vec![0_usize; mask.nx()];
    for y in 0..mask.ny() {
        for (n, bits) in n_bad.iter_mut().zip(mask.row(y)) {
            *n += usize::from(!bits.is_good());
        }
    }
    for (x, &n) in n_bad.iter().enumerate() {
        if n as f64 > share * mask.ny() as f64 {
            mark_column(mask, x);
        }
    }
}

fn column_medians(frame: &Image<f32>) -> Vec<f64> {
    (0..frame.nx())
        .into_par_iter()
        .map(|x| finite_median((0..frame.ny()).map(|y| frame.at(x, y))))
        .collect()
}

fn row_medians(frame: &Image<f32>) -> Vec<f64> {
    (0..frame.ny()).into_par_iter().map(|y| finite_median(frame.row(y).iter().copied())).collect()
}

/// Median of the finite values; 0 when there is none (such pixels are bad on their own).
fn finite_median(values: impl Iterator<Item = f32>) -> f64 {
    let mut values: Vec<f64> = values.filter(|v| v.is_finite()).map(f64::from).collect();
    median_in_place(&mut values).unwrap_or(0.0)
}

/// What a line should have by the medians of as many neighbours on either side, so that a
/// gradient does not matter; `None` at the very edge.
fn expected_line(medians: &[f64], at: usize, reach: usize) -> Option<f64> {
    let reach = reach.min(at).min(medians.len() - 1 - at);
    if reach < LINE_REACH_MIN_PX {
        return None;
    }
    let before = median(&medians[at - reach..at])?;
    let after = median(&medians[at + 1..=at + reach])?;
    Some(0.5 * (before + after))
}

/// Median and robust scatter by block.
struct Blocks {
    side: usize,
    n_x: usize,
    values: Vec<(f64, f64)>,
}

impl Blocks {
    fn measure(frame: &Image<f32>, side: usize) -> Self {
        let side = side.max(4);
        let (n_x, n_y) = (frame.nx().div_ceil(side), frame.ny().div_ceil(side));
        let values = (0..n_x * n_y)
            .into_par_iter()
            .map(|block| {
                let (x0, y0) = (block % n_x * side, block / n_x * side);
                let (x1, y1) = ((x0 + side).min(frame.nx()), (y0 + side).min(frame.ny()));
                let values: Vec<f64> = (y0..y1)
                    .flat_map(|y| frame.row(y)[x0..x1].iter())
                    .filter(|v| v.is_finite())
                    .map(|&v| f64::from(v))
                    .collect();
                median_and_scatter(&values).unwrap_or((0.0, 0.0))
            })
            .collect();
        Self { side, n_x, values }
    }

    fn index(&self, x: usize, y: usize) -> usize {
        y / self.side * self.n_x + x / self.side
    }

    /// Smallest and largest median of each block and its eight neighbours.
    fn extremes_around(&self) -> Vec<(f32, f32)> {
        let n_y = self.values.len() / self.n_x.max(1);
        let extremes = |block: usize| {
            let (bx, by) = (block % self.n_x, block / self.n_x);
            let mut range = (f64::INFINITY, f64::NEG_INFINITY);
            for y in by.saturating_sub(1)..(by + 2).min(n_y) {
                for x in bx.saturating_sub(1)..(bx + 2).min(self.n_x) {
                    let level = self.values[y * self.n_x + x].0;
                    range = (range.0.min(level), range.1.max(level));
                }
            }
            (range.0 as f32, range.1 as f32)
        };
        (0..self.values.len()).map(extremes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::calib::synthetic::Noise;

    fn bad_places(mask: &Mask) -> Vec<(usize, usize)> {
        (0..mask.pixels().len())
            .filter(|&i| !mask.pixels()[i].is_good())
            .map(|i| (i % mask.nx(), i / mask.nx()))
            .collect()
    }

    #[test]
    fn a_flat_shows_dead_pixels_and_columns_only() {
        let mut flat = Noise::seeded(31).frame_of(256, |x, y| {
            let r2 = ((x as f32 - 128.0).powi(2) + (y as f32 - 128.0).powi(2)) / 32_768.0;
            (1.0 - 0.4 * r2, 0.004)
        });
        flat.row_mut(50)[60] = 0.3;
        flat.row_mut(51)[61] = f32::NAN;
        flat.row_mut(80)[90] *= 0.8; // dust stays
        for y in 0..256 {
            flat.row_mut(y)[200] *= 0.6;
        }
        let mask = flat_defects(&flat, &DefectParams::default());
        let mut expected = vec![(60, 50), (61, 51)];
        expected.extend((0..256).map(|y| (200, y)));
        expected.sort_by_key(|&(x, y)| (y, x));
        assert_eq!(bad_places(&mask), expected);
        assert!((bad_share(&mask) - 258.0 / 65_536.0).abs() < 1e-12);
    }

    #[test]
    fn a_dark_shows_hot_pixels_and_a_hot_column() {
        let mut dark = Noise::seeded(32).frame(256, 30.0, 3.0);
        dark.row_mut(9)[7] = 200.0;
        for y in 0..200 {
            dark.row_mut(y)[100] = 900.0;
        }
        let mask = dark_defects(&dark, 3.0, &DefectParams::default());
        let bad = bad_places(&mask);
        // The column is bad over its whole length: more than half of it is hot.
        assert_eq!(bad.len(), 257);
        assert!(bad.contains(&(7, 9)) && bad.contains(&(100, 255)));
    }

    #[test]
    fn a_bias_shows_rows_of_a_settling_amplifier() {
        let bias = Noise::seeded(33)
            .frame_of(128, |_, y| (1000.0 - 800.0 * (-(y as f32) / 1.5).exp(), 1.0));
        let mask = bias_defects(&bias, 3.0, &DefectParams::default());
        let rows: Vec<usize> =
            (0..128).filter(|&y| mask.row(y).iter().all(|m| !m.is_good())).collect();
        // 800 exp(-y / 1.5) > 7 * 3 for y < 5.46.
        assert_eq!(rows, vec![0, 1, 2, 3, 4, 5]);
        assert_eq!(bad_places(&mask).len(), 6 * 128);
    }
}
