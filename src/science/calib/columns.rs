//! Columns of a science frame that shine or sink by themselves.
//!
//! A defect that grows with the exposure shows neither in biases nor in flats. In blocks of
//! rows the median of each column is compared with those beside it; stars cover too few rows
//! of a block to move its median.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::apply::CalibratedPixels;
use super::median_of;
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

/// What was done about bad columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BadColumns {
    /// Columns marked, wholly or in part.
    pub n_marked: usize,
    /// Columns that stand out in some rows, but with too many beside them.
    pub n_left: usize,
}

/// Marks bad columns in groups of at most `width_max_px` side by side.
///
/// More columns that stand out together may be the trail of a satellite along them.
pub fn mark_bad_columns(frame: &mut CalibratedPixels, width_max_px: usize) -> BadColumns {
    let (nx, ny) = (frame.pixels_e.nx(), frame.pixels_e.ny());
    if nx < 4 * SIDE_PX || ny < BLOCK_ROWS / 2 {
        return BadColumns::default();
    }
    let n_blocks = (ny / BLOCK_ROWS).max(1);
    let rows_of = |block: usize| {
        let end = if block + 1 == n_blocks { ny } else { (block + 1) * BLOCK_ROWS };
        block * BLOCK_ROWS..end
    };
    let found: Vec<Vec<usize>> =
        (0..n_blocks).into_par_iter().map(|block| bad_in_block(frame, rows_of(block))).collect();
    let all: BTreeSet<usize> = found.iter().flatten().copied().collect();
    let found: Vec<Vec<usize>> = found.iter().map(|xs| narrow(xs, width_max_px)).collect();
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
    let n_marked = counts.iter().filter(|&&n| n > 0).count();
    BadColumns { n_marked, n_left: all.len() - n_marked }
}

/// The columns of those groups that are not too wide.
fn narrow(columns: &[usize], width_max_px: usize) -> Vec<usize> {
    let groups = columns.chunk_by(|a, b| a + 1 == *b);
    groups.filter(|group| group.len() <= width_max_px).flatten().copied().collect()
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
    fn a_broad_band_is_left_until_it_is_asked_for() {
        let mut frame = frame();
        for y in 0..256 {
            frame.pixels_e.row_mut(y)[120..125].iter_mut().for_each(|v| *v += 40.0);
        }
        let done = mark_bad_columns(&mut frame, 2);
        assert_eq!(done, BadColumns { n_marked: 2, n_left: 5 });
        assert!(frame.mask.at(122, 100).is_good());
        assert_eq!(mark_bad_columns(&mut frame, usize::MAX), BadColumns { n_marked: 5, n_left: 0 });
        assert!(!frame.mask.at(122, 100).is_good());
    }

    #[test]
    fn bad_columns_are_marked_and_stars_are_not() {
        let mut frame = frame();
        let done = mark_bad_columns(&mut frame, 2);
        assert_eq!(done, BadColumns { n_marked: 2, n_left: 0 });
        let is_bad = |x: usize, y: usize| frame.mask.at(x, y).is_any(MaskBits::BAD);
        assert!((0..512).all(|y| is_bad(90, y)));
        assert!((256..512).all(|y| is_bad(40, y)));
        assert!(!(0..512).any(|y| is_bad(150, y)));
    }
}
