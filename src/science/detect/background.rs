//! Sky level and noise of a frame from a mesh of clipped cells.
//!
//! Each cell gives a clipped mode (2.5 median - 1.5 mean, Bertin & Arnouts 1996, A&AS 117, 393)
//! and a clipped standard deviation; `mesh` takes out cells under bright stars and draws a surface
//! through the others. A cell is clipped on a histogram with bins of 1/170 of its noise, which is
//! as good as sorting.

use rayon::prelude::*;

use super::mesh::{Grid, filled, median_filtered, of_averages, outliers_replaced};
use crate::science::image::Image;
use crate::science::image::mask::Mask;
use crate::science::image::stats::{ClippedStats, clipped_of_sorted, median_in_place};

/// How the mesh is laid and clipped.
#[derive(Debug, Clone, PartialEq)]
pub struct BackgroundParams {
    /// Side of a cell [px].
    pub cell_px: usize,
    /// Cells on each side of the median over the mesh; odd.
    pub filter_cells: usize,
    /// Clipping limit around the cell's median [sigma].
    pub clip_sigma: f64,
    /// A cell with less than this share of good pixels takes its neighbours' value.
    pub good_share_min: f64,
}

impl Default for BackgroundParams {
    fn default() -> Self {
        Self { cell_px: 64, filter_cells: 3, clip_sigma: 3.0, good_share_min: 0.2 }
    }
}

/// Sky level and noise at any place of a frame.
#[derive(Debug, Clone)]
pub struct Background {
    pub(super) grid: Grid,
    pub(super) levels: Vec<f64>,
    pub(super) noises: Vec<f64>,
    noise_floor: f64,
    /// Median of the mesh's levels [e-].
    pub level_median_e: f64,
    /// Median of the mesh's noise [e-].
    pub rms_median_e: f64,
}

/// Measures sky level and noise; `None` when no cell has enough good pixels.
pub fn estimate_background(
    pixels_e: &Image<f32>,
    mask: &Mask,
    params: &BackgroundParams,
) -> Option<Background> {
    let (nx, ny) = (pixels_e.nx(), pixels_e.ny());
    let grid = Grid::over(nx, ny, params.cell_px.max(8));
    let cells: Vec<Option<(f64, f64)>> = (0..grid.n_x * grid.n_y)
        .into_par_iter()
        .map_init(Bins::default, |bins, cell| {
            measure_cell(pixels_e, mask, &grid, cell, (params, bins))
        })
        .collect();
    let levels = filled(&cells.iter().map(|c| c.map(|c| c.0)).collect::<Vec<_>>(), &grid)?;
    let noises = filled(&cells.iter().map(|c| c.map(|c| c.1)).collect::<Vec<_>>(), &grid)?;
    let noises = median_filtered(&noises, &grid, params.filter_cells);
    let levels = outliers_replaced(&levels, &noises, &grid, params.filter_cells);
    let level_median_e = median_in_place(&mut levels.clone())?;
    let rms_median_e = median_in_place(&mut noises.clone())?;
    Some(Background {
        levels: of_averages(&levels, &grid),
        grid,
        noises,
        // A cell of equal pixels has no scatter; the floor keeps ratios finite.
        noise_floor: (rms_median_e * 0.1).max(1e-3),
        level_median_e,
        rms_median_e: rms_median_e.max(1e-3),
    })
}

impl Background {
    /// Sky level of row `y` [e-], for as many columns as the frame has.
    pub fn level_row(&self, y: usize, row: &mut [f32]) {
        self.grid.cubic_row(&self.levels, y, row);
    }

    /// Noise of the sky's pixels of row `y`, one standard deviation [e-].
    pub fn rms_row(&self, y: usize, row: &mut [f32]) {
        self.grid.linear_row(&self.noises, y, row);
        let floor = self.noise_floor as f32;
        row.iter_mut().for_each(|v| *v = if *v > floor { *v } else { floor });
    }

    /// Sky level at a pixel [e-].
    pub fn level_at(&self, x: usize, y: usize) -> f64 {
        self.grid.cubic(&self.levels, x, y)
    }

    /// Noise of the sky at a pixel, one standard deviation [e-].
    pub fn rms_at(&self, x: usize, y: usize) -> f64 {
        self.grid.linear(&self.noises, x, y).max(self.noise_floor)
    }

    /// The frame of the sky's noise [e-].
    pub fn rms_image(&self) -> Image<f32> {
        let (nx, ny) = (self.grid.nx, self.grid.ny);
        let mut image = Image::filled(nx, ny, 0.0_f32);
        let rows = image.pixels_mut().par_chunks_mut(nx).enumerate();
        rows.for_each(|(y, row)| self.rms_row(y, row));
        image
    }
}

/// Work space of a cell: its values and their histogram.
#[derive(Default)]
struct Bins {
    values: Vec<f32>,
    sample: Vec<f32>,
    counts: Vec<u32>,
}

/// Bins of the histogram, which reaches six times the first guess of the noise to each side.
const BINS: usize = 2048;
const REACH_SIGMA: f32 = 6.0;

fn measure_cell(
    pixels_e: &Image<f32>,
    mask: &Mask,
    grid: &Grid,
    cell: usize,
    (params, bins): (&BackgroundParams, &mut Bins),
) -> Option<(f64, f64)> {
    let (columns, rows) = (grid.columns(cell % grid.n_x), grid.rows(cell / grid.n_x));
    let n_all = columns.len() * rows.len();
    bins.values.clear();
    bins.values.resize(n_all, 0.0);
    let mut n = 0;
    for y in rows {
        let (row, bits) = (&pixels_e.row(y)[columns.clone()], &mask.row(y)[columns.clone()]);
        for (&value, bits) in row.iter().zip(bits) {
            // Written always, counted when good: no jump for the processor to guess.
            bins.values[n] = value;
            n += usize::from(bits.is_good() & value.is_finite());
        }
    }
    bins.values.truncate(n);
    if (n as f64) < params.good_share_min * n_all as f64 || n < 16 {
        return None;
    }
    let stats = clipped(bins, params.clip_sigma)?;
    // In a crowded cell the mode estimate overshoots downwards; the median is safer there.
    const SKEW_MAX: f64 = 0.3;
    let is_crowded = (stats.mean - stats.median).abs() > SKEW_MAX * stats.sigma;
    let level = if is_crowded { stats.median } else { 2.5 * stats.median - 1.5 * stats.mean };
    Some((level, stats.sigma))
}

/// Clipped statistics of the values; few or nearly equal ones are sorted instead.
fn clipped(bins: &mut Bins, n_sigma: f64) -> Option<ClippedStats> {
    const SAMPLE_STEP: usize = 4;
    bins.sample.clear();
    bins.sample.extend(bins.values.iter().step_by(SAMPLE_STEP));
    let n = bins.sample.len();
    let (sixth, five_sixths) = (n / 6, n - 1 - n / 6);
    let low = *bins.sample.select_nth_unstable_by(sixth, f32::total_cmp).1;
    let high = *bins.sample.select_nth_unstable_by(five_sixths, f32::total_cmp).1;
    let middle = 0.5 * (low + high);
    // Two thirds of a Gaussian lie within 0.97 sigma.
    let reach = REACH_SIGMA * 0.5 * (high - low);
    let per_value = BINS as f32 / (2.0 * reach);
    if n < 64 || !(per_value.is_finite() && reach > 1e-5 * middle.abs()) {
        bins.values.sort_unstable_by(f32::total_cmp);
        return clipped_of_sorted(&bins.values, n_sigma);
    }
    bins.counts.clear();
    bins.counts.resize(BINS + 2, 0);
    let start = middle - reach;
    for &value in &bins.values {
        // First and last bin take what lies outside.
        let place = ((value - start) * per_value + 1.0).clamp(0.0, (BINS + 1) as f32);
        bins.counts[place as usize] += 1;
    }
    clipped_of_bins(&bins.counts, n_sigma).map(|s| {
        let width = 1.0 / f64::from(per_value);
        let value = |bin: f64| f64::from(start) + (bin - 1.0) * width;
        let (mean, median) = (value(s.mean), value(s.median));
        ClippedStats { mean, median, sigma: s.sigma * width, n_kept: s.n_kept }
    })
}

/// Clips a histogram around its median; results in bins, bin `i` holding i..i+1.
fn clipped_of_bins(counts: &[u32], n_sigma: f64) -> Option<ClippedStats> {
    const ROUNDS_MAX: usize = 20;
    let (mut low, mut high) = (1, counts.len() - 1);
    let mut stats = None;
    for _ in 0..ROUNDS_MAX {
        let kept = &counts[low..high];
        let (mut n, mut first, mut second) = (0_u64, 0_u64, 0_u64);
        for (i, &count) in kept.iter().enumerate() {
            let (i, count) = (i as u64, u64::from(count));
            n += count;
            first += count * i;
            second += count * i * i;
        }
        if n < 2 {
            break;
        }
        let mean = first as f64 / n as f64;
        let sigma = (second as f64 / n as f64 - mean * mean).max(0.0).sqrt();
        let median = low as f64 + middle_of(kept, n);
        stats =
            Some(ClippedStats { mean: low as f64 + mean + 0.5, median, sigma, n_kept: n as usize });
        let new_low = ((median - n_sigma * sigma).round().max(1.0) as usize).max(low);
        let new_high = ((median + n_sigma * sigma).round() as usize).min(high);
        if (new_low, new_high) == (low, high) || new_high <= new_low {
            break;
        }
        (low, high) = (new_low, new_high);
    }
    stats
}

/// Place of the middle of `n` counts, evenly spread within each bin.
fn middle_of(counts: &[u32], n: u64) -> f64 {
    let half = 0.5 * n as f64;
    let mut below = 0.0;
    for (i, &count) in counts.iter().enumerate() {
        let count = f64::from(count);
        if below + count >= half && count > 0.0 {
            return i as f64 + (half - below) / count;
        }
        below += count;
    }
    counts.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::image::mask::MaskBits;

    /// A plane of sky with a reproducible triangular noise of standard deviation 5.
    fn sloping_sky(nx: usize, ny: usize) -> Image<f32> {
        let mut state = 1_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f64 / (1_u64 << 24) as f64
        };
        let pixels = (0..nx * ny)
            .map(|i| {
                let (x, y) = ((i % nx) as f64, (i / nx) as f64);
                // The sum of two uniform numbers has a standard deviation of sqrt(1/6).
                let noise = (uniform() + uniform() - 1.0) * 5.0 * 6.0_f64.sqrt();
                (1000.0 + 0.2 * x + 0.1 * y + noise) as f32
            })
            .collect();
        Image::from_pixels(nx, ny, pixels).expect("counted")
    }

    #[test]
    fn a_plane_is_recovered_up_to_the_corners() {
        let sky = sloping_sky(320, 256);
        let mask = Image::filled(320, 256, MaskBits::GOOD);
        let found = estimate_background(&sky, &mask, &BackgroundParams::default()).expect("sky");
        for (x, y) in [(0, 0), (319, 255), (160, 128), (0, 255), (319, 0)] {
            let expected = 1000.0 + 0.2 * x as f64 + 0.1 * y as f64;
            let got = found.level_at(x, y);
            assert!((got - expected).abs() < 4.0, "({x}, {y}): {got} not {expected}");
        }
        // The slope inside a cell adds 64 (0.2^2 + 0.1^2)^0.5 / sqrt(12) = 4.1 in quadrature.
        assert!((found.rms_median_e - 6.5).abs() < 0.5, "{}", found.rms_median_e);
    }

    #[test]
    fn a_fully_masked_frame_has_no_background() {
        let sky = sloping_sky(64, 64);
        let mask = Image::filled(64, 64, MaskBits::BAD);
        assert!(estimate_background(&sky, &mask, &BackgroundParams::default()).is_none());
    }

    #[test]
    fn the_histogram_clips_as_sorting_does() {
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f64 / (1_u64 << 24) as f64
        };
        for tail in [0.0, 0.02, 0.2] {
            let mut values: Vec<f32> = (0..4096)
                .map(|_| {
                    let noise: f64 = (0..6).map(|_| uniform() - 0.5).sum();
                    let star = if uniform() < tail { 30.0 * uniform() } else { 0.0 };
                    (500.0 + 5.0 * noise + star) as f32
                })
                .collect();
            let mut bins = Bins { values: values.clone(), ..Bins::default() };
            let fast = clipped(&mut bins, 3.0).expect("values");
            values.sort_unstable_by(f32::total_cmp);
            let slow = clipped_of_sorted(&values, 3.0).expect("values");
            // A value at the limit may fall to either side: its weight is 3 sigma / n.
            let near = |a: f64, b: f64| (a - b).abs() < 0.01 * slow.sigma;
            assert!(near(fast.mean, slow.mean) && near(fast.median, slow.median), "{tail}");
            assert!(near(fast.sigma, slow.sigma), "{} {}", fast.sigma, slow.sigma);
        }
    }

    #[test]
    fn a_row_is_its_pixels() {
        let sky = sloping_sky(331, 200);
        let mask = Image::filled(331, 200, MaskBits::GOOD);
        let found = estimate_background(&sky, &mask, &BackgroundParams::default()).expect("sky");
        let mut row = vec![0.0_f32; 331];
        for y in [0, 31, 100, 199] {
            found.level_row(y, &mut row);
            for (x, &v) in row.iter().enumerate() {
                assert!((f64::from(v) - found.level_at(x, y)).abs() < 1e-2, "{x} {y}");
            }
        }
    }
}
