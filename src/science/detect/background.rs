//! Sky level and noise of a frame from a mesh of clipped cells.
//!
//! Each cell gives a clipped mode (2.5 median - 1.5 mean, Bertin & Arnouts 1996, A&AS 117, 393)
//! and a clipped standard deviation; a 3 x 3 median over the mesh removes cells under bright
//! stars; between cell centres both are interpolated linearly, beyond them extrapolated.

use rayon::prelude::*;

use crate::science::image::Image;
use crate::science::image::mask::Mask;
use crate::science::image::stats::{clipped_of_sorted, median_in_place};

/// How the mesh is laid and clipped.
#[derive(Debug, Clone, PartialEq)]
pub struct BackgroundParams {
    /// Side of a cell [px].
    pub cell_px: usize,
    /// Clipping limit around the cell's median [sigma].
    pub clip_sigma: f64,
    /// A cell with less than this share of good pixels takes its neighbours' value.
    pub good_share_min: f64,
}

impl Default for BackgroundParams {
    fn default() -> Self {
        Self { cell_px: 64, clip_sigma: 3.0, good_share_min: 0.2 }
    }
}

/// Sky level and noise per pixel.
#[derive(Debug, Clone)]
pub struct Background {
    /// Sky level [e-].
    pub level_e: Image<f32>,
    /// Noise of a background pixel, one standard deviation [e-].
    pub rms_e: Image<f32>,
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
        .map(|cell| measure_cell(pixels_e, mask, &grid, cell, params))
        .collect();
    let levels = filled(&cells.iter().map(|c| c.map(|c| c.0)).collect::<Vec<_>>(), &grid)?;
    let noises = filled(&cells.iter().map(|c| c.map(|c| c.1)).collect::<Vec<_>>(), &grid)?;
    let levels = median_filtered(&levels, &grid);
    let noises = median_filtered(&noises, &grid);
    let level_median_e = median_in_place(&mut levels.clone())?;
    let rms_median_e = median_in_place(&mut noises.clone())?;
    // A cell of equal pixels has no scatter; the floor keeps ratios finite.
    let floor = (rms_median_e * 0.1).max(1e-3);
    Some(Background {
        level_e: interpolated(&levels, &grid, nx, ny, f64::NEG_INFINITY),
        rms_e: interpolated(&noises, &grid, nx, ny, floor),
        level_median_e,
        rms_median_e: rms_median_e.max(1e-3),
    })
}

/// Equal division of a frame into about square cells.
struct Grid {
    n_x: usize,
    n_y: usize,
    step_x: f64,
    step_y: f64,
}

impl Grid {
    fn over(nx: usize, ny: usize, cell_px: usize) -> Self {
        let n_x = ((nx as f64 / cell_px as f64).round() as usize).max(1);
        let n_y = ((ny as f64 / cell_px as f64).round() as usize).max(1);
        Self { n_x, n_y, step_x: nx as f64 / n_x as f64, step_y: ny as f64 / n_y as f64 }
    }

    fn columns(&self, i: usize) -> std::ops::Range<usize> {
        (i as f64 * self.step_x).round() as usize..((i + 1) as f64 * self.step_x).round() as usize
    }

    fn rows(&self, j: usize) -> std::ops::Range<usize> {
        (j as f64 * self.step_y).round() as usize..((j + 1) as f64 * self.step_y).round() as usize
    }
}

fn measure_cell(
    pixels_e: &Image<f32>,
    mask: &Mask,
    grid: &Grid,
    cell: usize,
    params: &BackgroundParams,
) -> Option<(f64, f64)> {
    let (columns, rows) = (grid.columns(cell % grid.n_x), grid.rows(cell / grid.n_x));
    let n_all = columns.len() * rows.len();
    let mut values = Vec::with_capacity(n_all);
    for y in rows {
        let (row, mask_row) = (pixels_e.row(y), mask.row(y));
        for x in columns.clone() {
            if mask_row[x].is_good() && row[x].is_finite() {
                values.push(row[x]);
            }
        }
    }
    if (values.len() as f64) < params.good_share_min * n_all as f64 || values.len() < 16 {
        return None;
    }
    values.sort_unstable_by(f32::total_cmp);
    let stats = clipped_of_sorted(&values, params.clip_sigma)?;
    // In a crowded cell the mode estimate overshoots downwards; the median is safer there.
    const SKEW_MAX: f64 = 0.3;
    let is_crowded = (stats.mean - stats.median).abs() > SKEW_MAX * stats.sigma;
    let level = if is_crowded { stats.median } else { 2.5 * stats.median - 1.5 * stats.mean };
    Some((level, stats.sigma))
}

/// Fills empty cells with the mean of their nearest filled ones, ring by ring.
fn filled(cells: &[Option<f64>], grid: &Grid) -> Option<Vec<f64>> {
    if cells.iter().all(Option::is_none) {
        return None;
    }
    let rings = grid.n_x.max(grid.n_y);
    let fill = |i: usize| -> f64 {
        if let Some(value) = cells[i] {
            return value;
        }
        let (cx, cy) = ((i % grid.n_x) as i64, (i / grid.n_x) as i64);
        for ring in 1..=rings as i64 {
            let (mut sum, mut n) = (0.0, 0);
            for (k, cell) in cells.iter().enumerate() {
                let (x, y) = ((k % grid.n_x) as i64, (k / grid.n_x) as i64);
                if let Some(value) = cell
                    && (x - cx).abs().max((y - cy).abs()) == ring
                {
                    sum += value;
                    n += 1;
                }
            }
            if n > 0 {
                return sum / f64::from(n);
            }
        }
        0.0
    };
    Some((0..cells.len()).map(fill).collect())
}

fn median_filtered(cells: &[f64], grid: &Grid) -> Vec<f64> {
    let at = |x: usize, y: usize| cells[y * grid.n_x + x];
    let mut out = Vec::with_capacity(cells.len());
    for y in 0..grid.n_y {
        for x in 0..grid.n_x {
            let mut near = Vec::with_capacity(9);
            for yy in y.saturating_sub(1)..(y + 2).min(grid.n_y) {
                for xx in x.saturating_sub(1)..(x + 2).min(grid.n_x) {
                    near.push(at(xx, yy));
                }
            }
            let is_inner = near.len() == 9;
            let median = median_in_place(&mut near).unwrap_or_else(|| at(x, y));
            // At the rim a median pulls a sloping sky inwards; there only outliers are replaced.
            let is_outlier = (at(x, y) - median).abs() > 0.2 * median.abs().max(1.0);
            out.push(if is_inner || is_outlier { median } else { at(x, y) });
        }
    }
    out
}

fn interpolated(cells: &[f64], grid: &Grid, nx: usize, ny: usize, floor: f64) -> Image<f32> {
    // Cell index and weight of the next cell for each column; edges extrapolate.
    let places = |n: usize, n_cells: usize, step: f64| -> Vec<(usize, f64)> {
        (0..n)
            .map(|i| {
                let place = (i as f64 + 0.5) / step - 0.5;
                let low = (place.floor().max(0.0) as usize).min(n_cells.saturating_sub(2));
                (low, if n_cells == 1 { 0.0 } else { place - low as f64 })
            })
            .collect()
    };
    let columns = places(nx, grid.n_x, grid.step_x);
    let rows = places(ny, grid.n_y, grid.step_y);
    let mut image = Image::filled(nx, ny, 0.0_f32);
    image.pixels_mut().par_chunks_mut(nx).zip(&rows).for_each(|(row, &(j, v))| {
        let upper = (j + 1).min(grid.n_y - 1);
        let line: Vec<f64> = (0..grid.n_x)
            .map(|i| (1.0 - v) * cells[j * grid.n_x + i] + v * cells[upper * grid.n_x + i])
            .collect();
        for (pixel, &(i, u)) in row.iter_mut().zip(&columns) {
            let right = (i + 1).min(grid.n_x - 1);
            *pixel = ((1.0 - u) * line[i] + u * line[right]).max(floor) as f32;
        }
    });
    image
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
            let got = f64::from(found.level_e.at(x, y));
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
}
