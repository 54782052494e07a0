//! Takes the stars' own light out of the measured sky.
//!
//! A clipped estimate of the sky keeps every pixel to which a star adds less than the noise: the
//! wings of all stars together lift it, and each star loses that much light. Once the stars are
//! fitted their wings are known, and so is what they added: each pixel shifts the estimate by the
//! estimator's influence function (Huber 1981, Robust Statistics, ch. 1) of the light on it.

use rayon::prelude::*;

use super::background::Background;
use super::erf::erfc;
use super::mesh::Grid;
use super::psf_fit::Fitted;
use super::psf_model::PsfModel;
use crate::science::image::Image;

/// Light below this share of the sky's noise is no matter.
const LIGHT_MIN_SIGMA: f64 = 2e-3;
/// A lift that is nowhere above this share of the noise is left alone.
const LIFT_MIN_SIGMA: f64 = 0.01;
/// Largest distance at which a star's wings are counted [px].
const REACH_MAX_PX: f64 = 80.0;
/// Limit of the sky's clipping [sigma].
const CLIP_SIGMA: f64 = 3.0;
/// Steps of the influence functions' table per unit of noise, and its end.
const STEPS_PER_SIGMA: f64 = 32.0;
const TABLE_END_SIGMA: f64 = 8.0;

/// Influence of a pixel with so much star light on a cell's mean and median, clipped; in sigma.
struct Influence {
    table: Vec<[f64; 2]>,
}

impl Influence {
    fn new() -> Self {
        let n = (TABLE_END_SIGMA * STEPS_PER_SIGMA) as usize;
        Self { table: (0..n).map(|i| influence((i as f64 + 0.5) / STEPS_PER_SIGMA)).collect() }
    }

    #[inline]
    fn at(&self, light_sigma: f64) -> [f64; 2] {
        // Brighter pixels are clipped away.
        let place = (light_sigma * STEPS_PER_SIGMA) as usize;
        self.table.get(place).copied().unwrap_or([0.0; 2])
    }
}

/// For Gaussian noise: of y = x + t with x of unit variance the means of y and of its sign, each
/// of what is not clipped; the sign's in units of the density in the middle.
fn influence(t: f64) -> [f64; 2] {
    let below = |z: f64| {
        let tail = 0.5 * erfc(z.abs() / std::f64::consts::SQRT_2);
        if z > 0.0 { 1.0 - tail } else { tail }
    };
    let density = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    let kept = below(CLIP_SIGMA - t) - below(-CLIP_SIGMA - t);
    let mean = t * kept + density(-CLIP_SIGMA - t) - density(CLIP_SIGMA - t);
    let positive = below(CLIP_SIGMA - t) - below(-t);
    let negative = below(-t) - below(-CLIP_SIGMA - t);
    [mean, (std::f64::consts::PI / 2.0).sqrt() * (positive - negative)]
}

/// What the stars lifted the sky by, per cell [e-]; `None` when it is nowhere of account.
pub(super) fn lift(
    sky: &Background,
    psf: &PsfModel,
    fitted: &[Option<Fitted>],
) -> Option<Vec<f64>> {
    let grid = &sky.grid;
    let table = Influence::new();
    let n_cells = grid.n_x * grid.n_y;
    // By row of cells, each with the stars that reach it, so that sums keep their order.
    let stars: Vec<(&Fitted, f64)> = fitted
        .iter()
        .flatten()
        .filter(|star| star.flux_e > 0.0 && star.flux_e.is_finite())
        .map(|star| (star, reach(star, psf, sky)))
        .collect();
    let sums: Vec<Vec<[f64; 2]>> = (0..grid.n_y)
        .into_par_iter()
        .map(|j| row_of_cells(j, &stars, (sky, psf), &table))
        .collect();
    let sums: Vec<[f64; 2]> = sums.concat();
    let lifts: Vec<f64> = (0..n_cells)
        .map(|k| {
            let n = (grid.columns(k % grid.n_x).len() * grid.rows(k / grid.n_x).len()) as f64;
            let [mean, median] = sums[k].map(|sum| sum / n);
            sky.noises[k] * estimate(mean, median)
        })
        .collect();
    let counts = lifts.iter().zip(&sky.noises).any(|(lift, noise)| *lift > LIFT_MIN_SIGMA * noise);
    counts.then_some(lifts)
}

/// What the sky's estimate makes of a mean and a median, as in `background`.
fn estimate(mean: f64, median: f64) -> f64 {
    const SKEW_MAX: f64 = 0.3;
    let lift = if mean - median > SKEW_MAX { median } else { 2.5 * median - 1.5 * mean };
    lift.max(0.0)
}

fn reach(star: &Fitted, psf: &PsfModel, sky: &Background) -> f64 {
    let share = LIGHT_MIN_SIGMA * sky.rms_median_e / star.flux_e;
    psf.star_at(star.x_px, star.y_px).reach_px(share).min(REACH_MAX_PX)
}

/// Sums of the influences on mean and median for one row of cells.
fn row_of_cells(
    j: usize,
    stars: &[(&Fitted, f64)],
    (sky, psf): (&Background, &PsfModel),
    table: &Influence,
) -> Vec<[f64; 2]> {
    let grid: &Grid = &sky.grid;
    let rows = grid.rows(j);
    let cell_of: Vec<usize> =
        (0..grid.n_x).flat_map(|i| std::iter::repeat_n(i, grid.columns(i).len())).collect();
    let mut sums = vec![[0.0; 2]; grid.n_x];
    for (star, reach_px) in stars {
        let low = (star.y_px - reach_px).ceil().max(rows.start as f64) as usize;
        let high = ((star.y_px + reach_px).floor() + 1.0).clamp(0.0, rows.end as f64) as usize;
        if low >= high {
            continue;
        }
        let drawn = psf.star_at(star.x_px, star.y_px);
        for y in low..high {
            let dy = y as f64 - star.y_px;
            let half = (reach_px * reach_px - dy * dy).max(0.0).sqrt();
            let first = (star.x_px - half).ceil().max(0.0) as usize;
            let last = ((star.x_px + half).floor() + 1.0).clamp(0.0, grid.nx as f64) as usize;
            for (x, &cell) in (first..last).zip(cell_of.get(first..last).unwrap_or_default()) {
                let light_e = star.flux_e * drawn.density(x as f64 - star.x_px, dy);
                let [mean, median] = table.at(light_e / sky.noises[j * grid.n_x + cell]);
                sums[cell][0] += mean;
                sums[cell][1] += median;
            }
        }
    }
    sums
}

/// Lowers the sky by the lift and gives signal and fits back what they missed.
pub(super) fn give_back(
    lift: &[f64],
    sky: &mut Background,
    signal_e: &mut Image<f32>,
    fitted: &mut [Option<Fitted>],
) {
    let lift = sky.lower(lift);
    let grid = &sky.grid;
    signal_e.pixels_mut().par_chunks_mut(grid.nx).enumerate().for_each(|(y, row)| {
        let mut missing = vec![0.0_f32; row.len()];
        grid.cubic_row(&lift, y, &mut missing);
        for (pixel, missing) in row.iter_mut().zip(&missing) {
            // Pixels without data are exactly zero and stay so.
            *pixel = if pixel.to_bits() == 0 { *pixel } else { *pixel + missing };
        }
    });
    let inside = |v: f64, n: usize| v.round().clamp(0.0, (n - 1) as f64) as usize;
    for star in fitted.iter_mut().flatten() {
        let place = (inside(star.x_px, grid.nx), inside(star.y_px, grid.ny));
        star.flux_e += star.sky_area_px2 * grid.cubic(&lift, place.0, place.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faint_light_lifts_by_itself_and_bright_light_not_at_all() {
        let [mean, median] = influence(0.01);
        // Of a Gaussian clipped at three sigma 0.9973 stay, and the slopes lose little more.
        assert!((mean / 0.01 - 0.971).abs() < 2e-3, "{mean}");
        assert!((median / 0.01 - 0.989).abs() < 2e-3, "{median}");
        let [mean, median] = influence(7.9);
        assert!(mean.abs() < 1e-4 && median.abs() < 1e-4, "{mean} {median}");
        // The mode estimate takes the skew of mid-bright pixels for none.
        let [mean, median] = influence(2.0);
        assert!(estimate(mean / 100.0, median / 100.0) < 0.01 * mean);
    }
}
