//! Columns of a science frame that shine or sink by themselves.
//!
//! A defect that grows with the exposure shows neither in biases nor in flats. In blocks of
//! rows the median of each column is compared with those beside it; stars cover too few rows
//! of a block to move its median.

use rayon::prelude::*;

use super::apply::CalibratedPixels;
use crate::science::image::mask::MaskBits;
use crate::science::image::stats::{median_and_scatter, median_in_place};

/// Rows of a block [px].
const BLOCK_ROWS: usize = 128;
/// Columns whose medians are taken together [px].
const STRIP_PX: usize = 32;
/// Columns on each side that a column is compared with [px].
const SIDE_PX: usize = 8;
/// A column this far off its neighbours is bad, in units of the scatter of all columns.
const DEVIATION_MIN: f64 = 7.0;
/// A column bad in this share of the blocks is bad throughout.
const WHOLE_SHARE: f64 = 0.5;

/// Marks bad columns; gives how many columns are touched.
pub fn mark_bad_columns(frame: &mut CalibratedPixels) -> usize {
    let (nx, ny) = (frame.pixels_e.nx(), frame.pixels_e.ny());
    if nx < 4 * SIDE_PX || ny < BLOCK_ROWS / 2 {
        return 0;
    }
    let n_blocks = (ny / BLOCK_ROWS).max(1);
    let rows_of = |block: usize| {
        let end = if block + 1 == n_blocks { ny } else { (block + 1) * BLOCK_ROWS };
        block * BLOCK_ROWS..end
    };
    let found: Vec<Vec<usize>> =
        (0..n_blocks).into_par_iter().map(|block| bad_in_block(frame, rows_of(block))).collect();
    let mut counts = vec![0_usize; nx];
    for &x in found.iter().flatten() {
        counts[x] += 1;
    }
    let is_whole = |x: usize| counts[x] as f64 >= (WHOLE_SHARE * n_blocks as f64).max(1.5);
    for (block, columns) in found.iter().enumerate() {
        for y in rows_of(block) {
            for &x in columns {
                mark(frame, x, y);
            }
        }
    }
    for x in (0..nx).filter(|&x| is_whole(x)) {
        for y in 0..ny {
            mark(frame, x, y);
        }
    }
    counts.iter().filter(|&&n| n > 0).count()
}

fn mark(frame: &mut CalibratedPixels, x: usize, y: usize) {
    let bits = &mut frame.mask.row_mut(y)[x];
    *bits = bits.with(MaskBits::BAD);
}

/// Columns of a block whose median leaves that of their neighbours.
fn bad_in_block(frame: &CalibratedPixels, rows: std::ops::Range<usize>) -> Vec<usize> {
    let nx = frame.pixels_e.nx();
    let medians: Vec<f64> = (0..nx)
        .step_by(STRIP_PX)
        .flat_map(|x0| strip_medians(frame, x0..(x0 + STRIP_PX).min(nx), rows.clone()))
        .collect();
    let residuals: Vec<f64> = (0..nx)
        .map(|x| {
            let low = x.saturating_sub(SIDE_PX);
            let high = (x + SIDE_PX + 1).min(nx);
            let mut beside: Vec<f64> = (low..high)
                .filter(|&k| k.abs_diff(x) > 1)
                .map(|k| medians[k])
                .filter(|m| m.is_finite())
                .collect();
            median_in_place(&mut beside).map_or(f64::NAN, |level| medians[x] - level)
        })
        .collect();
    let finite: Vec<f64> = residuals.iter().copied().filter(|r| r.is_finite()).collect();
    let Some((middle, scatter)) = median_and_scatter(&finite) else {
        return Vec::new();
    };
    let limit = DEVIATION_MIN * scatter;
    (0..nx).filter(|&x| limit > 0.0 && (residuals[x] - middle).abs() > limit).collect()
}

/// Medians of the good pixels of some columns of a block; NaN for a column with less than half.
///
/// Few columns at a time, so that their values stay in the nearest cache.
fn strip_medians(
    frame: &CalibratedPixels,
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
) -> Vec<f64> {
    let height = rows.len();
    let mut values = vec![0.0_f32; columns.len() * height];
    let mut counts = vec![0_usize; columns.len()];
    for y in rows {
        let row = &frame.pixels_e.row(y)[columns.clone()];
        let mask = &frame.mask.row(y)[columns.clone()];
        for (x, (&value, bits)) in row.iter().zip(mask).enumerate() {
            if bits.is_good() {
                values[x * height + counts[x]] = value;
                counts[x] += 1;
            }
        }
    }
    let median = |(column, &n): (&mut [f32], &usize)| {
        if 2 * n < height { f64::NAN } else { median_of(&mut column[..n]) }
    };
    values.chunks_mut(height).zip(&counts).map(median).collect()
}

/// Median, for an even number the mean of the two middle values; NaN for none.
fn median_of(values: &mut [f32]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let (middle, is_even) = (values.len() / 2, values.len().is_multiple_of(2));
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(*upper);
    if !is_even {
        return upper;
    }
    let lower = below.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    0.5 * (f64::from(lower) + upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::image::Image;

    /// A noisy flat sky with stars, whose column 40 shines from row 200 up and column 90 wholly.
    fn frame() -> CalibratedPixels {
        let (nx, ny) = (200, 512);
        let mut state = 7_u64;
        let mut pixels = Image::filled(nx, ny, 0.0_f32);
        for value in pixels.pixels_mut() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *value = 500.0 + ((state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5) * 60.0;
        }
        for y in 0..ny {
            pixels.row_mut(y)[90] -= 30.0;
            if y >= 200 {
                pixels.row_mut(y)[40] += 40.0;
            }
        }
        for y in 100..110 {
            pixels.row_mut(y)[150] += 20_000.0;
        }
        CalibratedPixels {
            variance_e2: Image::filled(nx, ny, 300.0),
            mask: Image::filled(nx, ny, MaskBits::GOOD),
            pixels_e: pixels,
        }
    }

    #[test]
    fn bad_columns_are_marked_and_stars_are_not() {
        let mut frame = frame();
        assert_eq!(mark_bad_columns(&mut frame), 2);
        let is_bad = |x: usize, y: usize| frame.mask.at(x, y).is_any(MaskBits::BAD);
        assert!((0..512).all(|y| is_bad(90, y)));
        assert!((256..512).all(|y| is_bad(40, y)));
        assert!(!(0..512).any(|y| is_bad(150, y)));
    }
}
