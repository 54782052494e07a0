//! Sky level and noise of a frame from a mesh of clipped cells.
//!
//! Each cell gives a clipped mode (2.5 median - 1.5 mean, Bertin & Arnouts 1996, A&AS 117, 393)
//! and a clipped standard deviation; `mesh` takes out cells under bright stars and draws a surface
//! through the others.

mod clip;

use multiversion::multiversion;
use rayon::prelude::*;

use super::mesh::{Grid, filled, median_filtered, of_averages, outliers_replaced};
use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::median_in_place;
use clip::Bins;

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
    levels: Vec<f64>,
    /// Levels of the cells before those that stand out were replaced [e-].
    measured: Vec<f64>,
    filter_cells: usize,
    pub(super) noises: Vec<f64>,
    noise_floor: f64,
    /// Noise of each pixel over that of the mesh there; `None` when it is not told.
    relative: Option<Image<f32>>,
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
    let measured = levels;
    let levels = outliers_replaced(&measured, &noises, &grid, params.filter_cells);
    let level_median_e = median_in_place(&mut levels.clone())?;
    let rms_median_e = median_in_place(&mut noises.clone())?;
    Some(Background {
        levels: of_averages(&levels, &grid),
        measured,
        filter_cells: params.filter_cells,
        grid,
        noises,
        noise_floor: noise_floor(rms_median_e),
        relative: None,
        level_median_e,
        rms_median_e: rms_median_e.max(1e-3),
    })
}

/// A cell of equal pixels has no scatter; the floor keeps ratios finite [e-].
fn noise_floor(rms_median_e: f64) -> f64 {
    (rms_median_e * 0.1).max(1e-3)
}

impl Background {
    /// Makes the noise follow what is known of single pixels.
    ///
    /// * `ratio`: noise of each pixel over a typical one's.
    ///
    /// The mesh saw the scatter of noisy and quiet pixels together. It is measured again on pixels
    /// in units of their own ratio, and each pixel's noise is the mesh's times its ratio: what the
    /// map tells of large pieces of the frame counts once, whether or not it is right.
    pub(super) fn follow(
        &mut self,
        pixels_e: &Image<f32>,
        mask: &Mask,
        ratio: &Image<f32>,
        params: &BackgroundParams,
    ) {
        let mut even = pixels_e.clone();
        let nx = even.nx();
        even.pixels_mut().par_chunks_mut(nx).enumerate().for_each(|(y, row)| {
            let mut level = vec![0.0_f32; nx];
            self.level_row(y, &mut level);
            for ((value, level), ratio) in row.iter_mut().zip(level).zip(ratio.row(y)) {
                *value = (*value - level) / ratio;
            }
        });
        let Some(again) = estimate_background(&even, mask, params) else { return };
        self.noises = again.noises;
        self.rms_median_e = again.rms_median_e;
        self.noise_floor = noise_floor(again.rms_median_e);
        self.relative = Some(ratio.clone());
    }

    /// Sky level of row `y` [e-], for as many columns as the frame has.
    pub fn level_row(&self, y: usize, row: &mut [f32]) {
        self.grid.cubic_row(&self.levels, y, row);
    }

    /// Noise of the sky's pixels of row `y`, one standard deviation [e-].
    pub fn rms_row(&self, y: usize, row: &mut [f32]) {
        self.filtered_rms_row(y, self.relative.as_ref(), row);
    }

    /// The same with these ratios instead of the pixels' own, of typical noise without any.
    pub(super) fn filtered_rms_row(&self, y: usize, ratio: Option<&Image<f32>>, row: &mut [f32]) {
        self.mesh_rms_row(y, row);
        if let Some(ratio) = ratio {
            row.iter_mut().zip(ratio.row(y)).for_each(|(v, ratio)| *v *= ratio);
        }
    }

    fn mesh_rms_row(&self, y: usize, row: &mut [f32]) {
        self.grid.linear_row(&self.noises, y, row);
        let floor = self.noise_floor as f32;
        row.iter_mut().for_each(|v| *v = if *v > floor { *v } else { floor });
    }

    /// Takes what stars lifted the cells by out of them; by how much the surface sank, as its
    /// cells' values [e-].
    ///
    /// A cell that stood out, and was replaced, may follow its neighbours now.
    pub(super) fn lower(&mut self, lift: &[f64]) -> Vec<f64> {
        let lowered: Vec<f64> = self.measured.iter().zip(lift).map(|(m, l)| m - l).collect();
        let healed = outliers_replaced(&lowered, &self.noises, &self.grid, self.filter_cells);
        let levels = of_averages(&healed, &self.grid);
        let sunk = self.levels.iter().zip(&levels).map(|(old, new)| old - new).collect();
        self.levels = levels;
        sunk
    }

    /// Sky level at a pixel [e-].
    pub fn level_at(&self, x: usize, y: usize) -> f64 {
        self.grid.cubic(&self.levels, x, y)
    }

    /// Noise of the sky at a pixel, one standard deviation [e-].
    pub fn rms_at(&self, x: usize, y: usize) -> f64 {
        let ratio = self.relative.as_ref().map_or(1.0, |relative| f64::from(relative.at(x, y)));
        self.grid.linear(&self.noises, x, y).max(self.noise_floor) * ratio
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

fn measure_cell(
    pixels_e: &Image<f32>,
    mask: &Mask,
    grid: &Grid,
    cell: usize,
    (params, bins): (&BackgroundParams, &mut Bins),
) -> Option<(f64, f64)> {
    let (columns, rows) = (grid.columns(cell % grid.n_x), grid.rows(cell / grid.n_x));
    let n_all = columns.len() * rows.len();
    bins.values.resize(n_all, 0.0);
    let mut n = 0;
    for y in rows {
        let (row, bits) = (&pixels_e.row(y)[columns.clone()], &mask.row(y)[columns.clone()]);
        n += copy_good(&mut bins.values[n..], row, bits);
    }
    bins.values.truncate(n);
    if (n as f64) < params.good_share_min * n_all as f64 || n < 16 {
        return None;
    }
    let stats = bins.clipped(params.clip_sigma)?;
    // In a crowded cell the mode estimate overshoots downwards; the median is safer there.
    const SKEW_MAX: f64 = 0.3;
    let is_crowded = (stats.mean - stats.median).abs() > SKEW_MAX * stats.sigma;
    let level = if is_crowded { stats.median } else { 2.5 * stats.median - 1.5 * stats.mean };
    Some((level, stats.sigma))
}

/// Copies the good values to the front of `values`; gives their number.
#[multiversion(targets("x86_64+avx2"))]
fn copy_good(values: &mut [f32], row: &[f32], mask: &[MaskBits]) -> usize {
    let is_good = |value: f32, bits: MaskBits| bits.is_good() & value.is_finite();
    let mut all_good = true;
    for (&value, &bits) in row.iter().zip(mask) {
        all_good &= is_good(value, bits);
    }
    if all_good {
        values[..row.len()].copy_from_slice(row);
        return row.len();
    }
    let mut n = 0;
    for (&value, &bits) in row.iter().zip(mask) {
        // Written always, counted when good: no jump for the processor to guess.
        values[n] = value;
        n += usize::from(is_good(value, bits));
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn good_values_are_copied_in_order() {
        let row: Vec<f32> = (0..131).map(|i| i as f32).collect();
        for (bad, not_finite) in [(vec![], vec![]), (vec![0, 7, 130], vec![8]), (vec![], vec![64])]
        {
            let (mut row, mut mask) = (row.clone(), vec![MaskBits::GOOD; 131]);
            bad.iter().for_each(|&i: &usize| mask[i] = MaskBits::TRAIL);
            not_finite.iter().for_each(|&i: &usize| row[i] = f32::INFINITY);
            let mut values = vec![0.0_f32; 131];
            let n = copy_good(&mut values, &row, &mask);
            let is_kept = |i: &usize| !bad.contains(i) && !not_finite.contains(i);
            let expected: Vec<f32> = (0..131).filter(is_kept).map(|i| i as f32).collect();
            assert_eq!(values[..n], expected);
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
