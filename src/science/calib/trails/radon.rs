//! Sums along all straight lines of an image, by halves.
//!
//! The discrete Radon transform of Goetz & Druckmueller (1996, Pattern Recognition 29, 711) and
//! Brady (1998, SIAM J. Comput. 27, 107), used for streaks by Nir, Zackay & Ofek (2018, AJ 156,
//! 229): the sum along a line through 2n rows is that through the upper n plus that through the
//! lower n, so N log N additions give all slopes, and the halves give the lines of part of the
//! frame. Lines steeper than 45 degrees are summed over rows, the others over columns.

use rayon::prelude::*;

use super::BIN_PX;
use crate::science::image::Image;

/// Fewest rows of a line that is looked at [bins].
const ROWS_MIN: usize = 32;
/// Numbers compared side by side.
const LANES: usize = 16;

/// Part of a straight line that stands out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    /// Sum over it in units of its noise.
    pub(super) snr: f32,
    /// One end (x, y) on the full frame [px].
    pub(super) from_px: (f64, f64),
    /// The other end (x, y) on the full frame [px].
    pub(super) to_px: (f64, f64),
}

/// How lines of a quarter of all directions lie in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quarter {
    /// Whether rows and columns are exchanged.
    is_transposed: bool,
    /// Whether the lines run to smaller columns with growing row.
    is_mirrored: bool,
}

const QUARTERS: [Quarter; 4] = [
    Quarter { is_transposed: false, is_mirrored: false },
    Quarter { is_transposed: false, is_mirrored: true },
    Quarter { is_transposed: true, is_mirrored: false },
    Quarter { is_transposed: true, is_mirrored: true },
];

/// The best line of each block of rows and each quarter that exceeds a limit, best first.
///
/// * `bins`: values of unit noise.
pub(super) fn bright_stretches(bins: &Image<f32>, snr_min: f32) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = QUARTERS
        .par_iter()
        .flat_map_iter(|quarter| quarter_stretches(bins, *quarter, snr_min))
        .collect();
    found.sort_by(|a, b| {
        let by_place =
            a.from_px.0.total_cmp(&b.from_px.0).then(a.from_px.1.total_cmp(&b.from_px.1));
        b.snr.total_cmp(&a.snr).then(by_place)
    });
    found
}

/// Sums over `rows` rows: for each block of rows and each slope a line of starts, the first of
/// them `rows` columns left of the image.
struct Level {
    rows: usize,
    width: usize,
    sums: Vec<f32>,
}

impl Level {
    fn stride(&self) -> usize {
        self.width + self.rows
    }

    fn line(&self, block: usize, slope: usize) -> &[f32] {
        let start = (block * self.rows + slope) * self.stride();
        &self.sums[start..start + self.stride()]
    }

    /// The single rows of an image, as they lie in a quarter.
    fn first(bins: &Image<f32>, quarter: Quarter) -> (Self, usize) {
        let (nx, ny) = (bins.nx(), bins.ny());
        let (width, height) = if quarter.is_transposed { (ny, nx) } else { (nx, ny) };
        let n_rows = height.next_power_of_two();
        let stride = width + 1;
        let mut sums = vec![0.0_f32; n_rows * stride];
        for (y, line) in sums.chunks_exact_mut(stride).enumerate().take(height) {
            let line = &mut line[1..];
            if quarter.is_transposed {
                line.iter_mut().enumerate().for_each(|(x, v)| *v = bins.at(y, x));
            } else {
                line.copy_from_slice(bins.row(y));
            }
            if quarter.is_mirrored {
                line.reverse();
            }
        }
        (Self { rows: 1, width, sums }, n_rows)
    }

    /// Sums over twice as many rows.
    fn doubled(&self, n_rows: usize) -> Self {
        let rows = 2 * self.rows;
        let mut next =
            Self { rows, width: self.width, sums: vec![0.0; n_rows * (self.width + rows)] };
        let (half, stride) = (self.rows, next.stride());
        for (index, out) in next.sums.chunks_exact_mut(stride).enumerate() {
            let (block, slope) = (index / rows, index % rows);
            let upper = self.line(2 * block, slope / 2);
            let lower = self.line(2 * block + 1, slope / 2);
            // Starts are counted from `rows` left of the image here, from half as far there.
            let shift = half - slope.div_ceil(2);
            out[half..half + upper.len()].copy_from_slice(upper);
            for (sum, v) in out[shift..shift + lower.len()].iter_mut().zip(lower) {
                *sum += v;
            }
        }
        next
    }
}

fn quarter_stretches(bins: &Image<f32>, quarter: Quarter, snr_min: f32) -> Vec<Stretch> {
    let (mut level, n_rows) = Level::first(bins, quarter);
    let mut found = Vec::new();
    while level.rows < n_rows {
        level = level.doubled(n_rows);
        if level.rows < ROWS_MIN {
            continue;
        }
        let limit = snr_min * (level.rows as f32).sqrt();
        for block in 0..n_rows / level.rows {
            let mut best = (limit, None);
            for slope in 0..level.rows {
                let line = level.line(block, slope);
                if largest(line) > best.0 {
                    let highest = line.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                    if let Some((start, &sum)) = highest {
                        best = (sum, Some((slope, start)));
                    }
                }
            }
            if let (sum, Some((slope, start))) = best {
                let snr = sum / (level.rows as f32).sqrt();
                found.push(stretch(&level, quarter, (block, slope, start), snr));
            }
        }
    }
    found
}

/// The largest of many numbers.
fn largest(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, &v) in lanes.iter_mut().zip(block) {
            *lane = if v > *lane { v } else { *lane };
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, f32::max)
}

/// Where a sum's line lies on the full frame.
fn stretch(
    level: &Level,
    quarter: Quarter,
    (block, slope, start): (usize, usize, usize),
    snr: f32,
) -> Stretch {
    let first = start as f64 - level.rows as f64;
    let centre = |v: f64| (v + 0.5) * BIN_PX as f64 - 0.5;
    let place = |column: f64, row: f64| {
        let column = if quarter.is_mirrored { level.width as f64 - 1.0 - column } else { column };
        let (column, row) = (centre(column), centre(row));
        if quarter.is_transposed { (row, column) } else { (column, row) }
    };
    let top = (block * level.rows) as f64;
    Stretch {
        snr,
        from_px: place(first, top),
        to_px: place(first + slope as f64, top + (level.rows - 1) as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line of the transform by its own definition, for one block of all rows.
    fn naive_sum(image: &Image<f32>, slope: usize, start: i64) -> f32 {
        // The recursion's line: the lower half begins ceil(slope / 2) further on.
        fn places(rows: usize, slope: usize, start: i64, top: usize, out: &mut Vec<(i64, usize)>) {
            if rows == 1 {
                out.push((start, top));
                return;
            }
            places(rows / 2, slope / 2, start, top, out);
            let shift = slope.div_ceil(2) as i64;
            places(rows / 2, slope / 2, start + shift, top + rows / 2, out);
        }
        let mut all = Vec::new();
        places(image.ny(), slope, start, 0, &mut all);
        let inside = |x: &i64| (0..image.nx() as i64).contains(x);
        all.iter().filter(|(x, _)| inside(x)).map(|&(x, y)| image.at(x as usize, y)).sum()
    }

    #[test]
    fn sums_equal_the_naive_ones() {
        let pixels = (0..40 * 32).map(|i| ((i * 37) % 101) as f32).collect();
        let image = Image::from_pixels(40, 32, pixels).expect("counted");
        let (mut level, n_rows) = Level::first(&image, QUARTERS[0]);
        while level.rows < n_rows {
            level = level.doubled(n_rows);
        }
        for slope in 0..32 {
            for (start, sum) in level.line(0, slope).iter().enumerate() {
                let expected = naive_sum(&image, slope, start as i64 - 32);
                assert!((sum - expected).abs() < 1e-2, "{slope} {start}: {sum} {expected}");
            }
        }
    }

    #[test]
    fn a_line_is_found_where_it_lies_in_every_quarter() {
        for (from, to) in [
            ((10.0, 0.0), (70.0, 127.0)),
            ((90.0, 0.0), (20.0, 127.0)),
            ((0.0, 15.0), (127.0, 60.0)),
            ((0.0, 99.0), (127.0, 40.0)),
        ] {
            let (from, to): ((f64, f64), (f64, f64)) = (from, to);
            let mut image = Image::filled(128, 128, 0.0_f32);
            for step in 0..1280 {
                let share = f64::from(step) / 1279.0;
                let x = (from.0 + share * (to.0 - from.0)).round() as usize;
                let y = (from.1 + share * (to.1 - from.1)).round() as usize;
                image.row_mut(y)[x] = 2.0;
            }
            let best = bright_stretches(&image, 5.0)[0];
            let px = |bins: f64| (bins + 0.5) * 4.0 - 0.5;
            let off = |p: (f64, f64), q: (f64, f64)| (p.0 - px(q.0)).hypot(p.1 - px(q.1));
            let ends = (off(best.from_px, from), off(best.to_px, to));
            assert!(ends.0 < 9.0 && ends.1 < 9.0, "{best:?} for {from:?} {to:?}");
        }
    }
}
