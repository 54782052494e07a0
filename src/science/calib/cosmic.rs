//! Cosmic rays on a single frame, by their edges: no star is sharper than its seeing.
//!
//! L.A.Cosmic (van Dokkum 2001, PASP 113, 1420). L is the positive part of the Laplacian of the
//! frame drawn at twice the resolution, in closed form per pixel; N the local noise; a hit has
//!
//! ```text
//! S = (L - median5(L)) / 2N > threshold             sharper than noise
//! S > contrast F                                    sharper than what is around it
//! S - s F > 3.5 sqrt(1.25 + 0.18 s^2)               sharper than the frame's sharpest stars
//! F = (median3 - quartile7(median3)) / N            the light around the pixel, at least 0
//! ```
//!
//! and takes its neighbours with S above a lower threshold along. Differences to the original:
//! N is the median of the variance that calibration carried along, good pixels only, and is
//! scaled up where the frame is rougher than that; the light around is counted from the lower
//! quartile within 7 x 7 px, since a bright neighbour lifts the median. The sharpest stars' S/F
//! is s, measured on the frame (1.5 at a seeing of 2 px, but 6.5 at 1.3 px), and the right side
//! of the third line is the noise of its left side (S of a peak has one of sqrt(5)/2, a median
//! of nine pixels one of 0.42), so that noise makes no hit out of a faint star. The medians are
//! evaluated only where L alone exceeds the threshold at the least noise around; later rounds
//! look only at what the last one changed. A pixel hit gets its bit and the median of its good
//! neighbours.

mod preselect;

use rayon::prelude::*;

use super::apply::CalibratedPixels;
use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::{SIGMA_PER_MAD, median_in_place};
use preselect::{Floors, candidates, sharpness_at};

/// Reach of everything that a pixel's judgement depends on [px].
const REACH_PX: usize = 4;
/// Fewest good neighbours that give a hit pixel its value [px].
const FILL_NEIGHBOURS_MIN: usize = 3;
/// Variance of S at a peak: that of 2 times the pixel less half of each neighbour, over 4.
const SHARPNESS_VARIANCE: f32 = 1.25;
/// Variance of F, mostly that of a median of nine: pi / 18.
const STRUCTURE_VARIANCE: f32 = 0.175;
/// Noise by which a hit must exceed the sharpest star [sigma].
const STAR_GUARD_SIGMA: f32 = 3.5;
/// Sharpness S and structure F from which a peak shows how sharp the frame's stars are.
const STAR_SHARPNESS: f32 = 20.0;
const STAR_STRUCTURE: f32 = 3.0;
/// Fewest such peaks.
const STARS_MIN: usize = 20;
/// The sharpest stars' S/F in units of its upper quartile: 2.0 to 2.1 at seeings of 1.3 to 2 px
/// (reached by stars on the corner of four pixels), and a tenth more.
const SHARPEST_STARS: f32 = 2.3;
/// Largest S/F that stars may have.
const STAR_RATIO_MAX: f32 = 30.0;
/// About how many pairs of pixels the frame's own noise is measured on.
const NOISE_PAIRS: usize = 32_768;

/// How cosmic rays are told from noise and stars.
#[derive(Debug, Clone, PartialEq)]
pub struct CosmicParams {
    /// Least sharpness S of a hit [sigma].
    pub threshold_sigma: f64,
    /// Least sharpness of a hit's neighbours, as a share of that.
    pub neighbour_share: f64,
    /// Least sharpness of a hit in units of the light around it.
    pub contrast_ratio: f64,
    /// Most rounds; each finds what the last one's removal uncovered.
    pub rounds_max: usize,
    /// A frame with more than this share of preselected pixels is given up.
    pub candidate_share_max: f64,
}

impl Default for CosmicParams {
    fn default() -> Self {
        Self {
            threshold_sigma: 5.0,
            neighbour_share: 0.4,
            contrast_ratio: 5.0,
            rounds_max: 4,
            candidate_share_max: 0.1,
        }
    }
}

/// What was done about cosmic rays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CosmicRays {
    /// They are marked.
    Marked {
        /// Pixels marked.
        n_pixels: usize,
    },
    /// The frame is too rough everywhere to tell.
    GivenUp,
}

/// Marks cosmic rays and gives their pixels the median of their neighbours.
pub fn mark_cosmic_rays(frame: &mut CalibratedPixels, params: &CosmicParams) -> CosmicRays {
    let (nx, ny) = (frame.pixels_e.nx(), frame.pixels_e.ny());
    let mut limits = Limits::of(frame, params);
    let floors = Floors::measure(frame, &limits);
    let n_max = (params.candidate_share_max * (nx * ny) as f64) as usize;
    let mut candidates = candidates(frame, &floors);
    if candidates.len() > n_max.max(1000) {
        return CosmicRays::GivenUp;
    }
    let mut n_pixels = 0;
    for round in 0..params.rounds_max {
        let judged: Vec<Peak> = candidates
            .par_iter()
            .with_min_len(64)
            .filter_map(|&i| Scene { frame, limits }.peak(i))
            .collect();
        if round == 0 {
            limits.respect_stars(&judged);
        }
        let scene = Scene { frame, limits };
        let peaks: Vec<u32> = judged.iter().filter(|p| limits.is_hit(p)).map(|p| p.place).collect();
        let hits = scene.with_neighbours(&peaks);
        if hits.is_empty() {
            break;
        }
        n_pixels += hits.len();
        remove(frame, &hits);
        candidates = around(&hits, (nx, ny));
        candidates.retain(|&i| floors.is_above(frame, i as usize % nx, i as usize / nx));
    }
    CosmicRays::Marked { n_pixels }
}

/// The parameters in the units of the arithmetic.
#[derive(Debug, Clone, Copy)]
struct Limits {
    threshold: f32,
    neighbour: f32,
    contrast: f32,
    /// S/F of the frame's sharpest stars; the contrast as long as there are too few to tell.
    star_ratio: f32,
    /// The frame's own noise in units of that its variance says, at least 1.
    roughness: f32,
}

impl Limits {
    fn of(frame: &CalibratedPixels, params: &CosmicParams) -> Self {
        let threshold = params.threshold_sigma as f32;
        Self {
            threshold,
            neighbour: threshold * params.neighbour_share as f32,
            contrast: params.contrast_ratio as f32,
            star_ratio: params.contrast_ratio as f32,
            roughness: roughness(frame),
        }
    }

    /// Measures how sharp the frame's own stars are.
    fn respect_stars(&mut self, peaks: &[Peak]) {
        let is_star = |p: &&Peak| p.sharpness > STAR_SHARPNESS && p.structure > STAR_STRUCTURE;
        let mut ratios: Vec<f32> =
            peaks.iter().filter(is_star).map(|p| p.sharpness / p.structure).collect();
        if ratios.len() < STARS_MIN {
            return;
        }
        let upper = 3 * ratios.len() / 4;
        let upper = *ratios.select_nth_unstable_by(upper, f32::total_cmp).1;
        self.star_ratio = (SHARPEST_STARS * upper).min(STAR_RATIO_MAX);
    }

    fn is_hit(&self, peak: &Peak) -> bool {
        let variance = SHARPNESS_VARIANCE + STRUCTURE_VARIANCE * self.star_ratio.powi(2);
        peak.sharpness > self.contrast * peak.structure
            && peak.sharpness - self.star_ratio * peak.structure
                > STAR_GUARD_SIGMA * variance.sqrt()
    }
}

/// A pixel sharper than the noise.
#[derive(Debug, Clone, Copy)]
struct Peak {
    /// Its place, `y * nx + x`.
    place: u32,
    /// S of the head comment.
    sharpness: f32,
    /// F of the head comment.
    structure: f32,
}

/// Noise between pixels two apart in units of what the variance says; at least 1.
fn roughness(frame: &CalibratedPixels) -> f32 {
    let (nx, ny) = (frame.pixels_e.nx(), frame.pixels_e.ny());
    let row_step = (nx * ny / NOISE_PAIRS).max(1);
    let mut steps: Vec<f64> = Vec::with_capacity(NOISE_PAIRS + nx);
    for y in (0..ny).step_by(row_step) {
        let (row, variance) = (frame.pixels_e.row(y), frame.variance_e2.row(y));
        let mask = frame.mask.row(y);
        for x in 2..nx {
            if mask[x].is_good() && mask[x - 2].is_good() {
                let sigma = (variance[x] + variance[x - 2]).sqrt();
                steps.push(f64::from(((row[x] - row[x - 2]) / sigma).abs()));
            }
        }
    }
    median_in_place(&mut steps).map_or(1.0, |m| (SIGMA_PER_MAD * m).max(1.0) as f32)
}

/// A frame as its pixels are judged.
struct Scene<'a> {
    frame: &'a CalibratedPixels,
    limits: Limits,
}

impl Scene<'_> {
    /// Sharpness S and noise N of a good pixel, when S exceeds a limit.
    fn significance(&self, x: usize, y: usize, limit: f32) -> Option<(f32, f32)> {
        let own = sharpness_at(&self.frame.pixels_e, x, y);
        let noise = self.limits.roughness * self.variance(x, y)?.sqrt();
        let per_noise = 0.5 / noise;
        // The median of what is never negative only lowers S.
        if own * per_noise <= limit {
            return None;
        }
        let pixels = &self.frame.pixels_e;
        let around = window_rank::<25>(pixels, (x, y), (2, 2), |x, y| sharpness_at(pixels, x, y));
        let significance = (own - around) * per_noise;
        (significance > limit).then_some((significance, noise))
    }

    /// Median of the variance of the good pixels around.
    fn variance(&self, x: usize, y: usize) -> Option<f32> {
        let (nx, ny) = (self.frame.mask.nx(), self.frame.mask.ny());
        let (mut values, mut n) = ([0.0_f32; 25], 0);
        for y in y.saturating_sub(2)..(y + 3).min(ny) {
            let (variance, mask) = (self.frame.variance_e2.row(y), self.frame.mask.row(y));
            for x in x.saturating_sub(2)..(x + 3).min(nx) {
                if mask[x].is_good() {
                    values[n] = variance[x];
                    n += 1;
                }
            }
        }
        (n > 0).then(|| middle(&mut values[..n]))
    }

    /// The numbers of a good pixel that is sharper than the noise.
    fn peak(&self, place: u32) -> Option<Peak> {
        let (x, y) = (place as usize % self.frame.mask.nx(), place as usize / self.frame.mask.nx());
        let (sharpness, noise) = self.significance(x, y, self.limits.threshold)?;
        let pixels = &self.frame.pixels_e;
        let median3 =
            |x: usize, y: usize| window_rank::<9>(pixels, (x, y), (1, 2), |x, y| pixels.row(y)[x]);
        let beneath = window_rank::<49>(pixels, (x, y), (3, 4), median3);
        let structure = (median3(x, y) - beneath) / noise;
        Some(Peak { place, sharpness, structure: structure.max(0.0) })
    }

    /// Hits and what belongs to them: neighbours as sharp, and those of these less sharp.
    fn with_neighbours(&self, peaks: &[u32]) -> Vec<u32> {
        let mut hits = peaks.to_vec();
        for limit in [self.limits.threshold, self.limits.neighbour] {
            let mut near = neighbours(&hits, 1, (self.frame.mask.nx(), self.frame.mask.ny()));
            let nx = self.frame.mask.nx();
            near.retain(|&i| {
                let (x, y) = (i as usize % nx, i as usize / nx);
                hits.binary_search(&i).is_err()
                    && self.frame.mask.at(x, y).is_good()
                    && self.significance(x, y, limit).is_some()
            });
            hits.extend(near);
            hits.sort_unstable();
        }
        hits
    }
}

/// Marks pixels and gives them the median of the good pixels around.
fn remove(frame: &mut CalibratedPixels, hits: &[u32]) {
    let nx = frame.mask.nx();
    for &i in hits {
        let bits = &mut frame.mask.pixels_mut()[i as usize];
        *bits = bits.with(MaskBits::COSMIC);
    }
    let values: Vec<Option<f32>> = hits
        .par_iter()
        .with_min_len(256)
        .map(|&i| good_median(&frame.pixels_e, &frame.mask, (i as usize % nx, i as usize / nx)))
        .collect();
    for (&i, value) in hits.iter().zip(values) {
        if let Some(value) = value {
            frame.pixels_e.pixels_mut()[i as usize] = value;
        }
    }
}

/// Median of the good pixels within two of a place.
fn good_median(pixels: &Image<f32>, mask: &Mask, (x, y): (usize, usize)) -> Option<f32> {
    let (mut values, mut n) = ([0.0_f32; 25], 0);
    for y in y.saturating_sub(2)..(y + 3).min(pixels.ny()) {
        for x in x.saturating_sub(2)..(x + 3).min(pixels.nx()) {
            if mask.at(x, y).is_good() {
                values[n] = pixels.at(x, y);
                n += 1;
            }
        }
    }
    (n >= FILL_NEIGHBOURS_MIN).then(|| middle(&mut values[..n]))
}

/// Places within the reach of a judgement around hits.
fn around(hits: &[u32], shape: (usize, usize)) -> Vec<u32> {
    neighbours(hits, REACH_PX, shape)
}

/// Places within some pixels of others, each once, in order.
fn neighbours(places: &[u32], reach: usize, (nx, ny): (usize, usize)) -> Vec<u32> {
    let mut near = Vec::with_capacity(places.len() * (2 * reach + 1).pow(2));
    for &i in places {
        let (x, y) = (i as usize % nx, i as usize / nx);
        for y in y.saturating_sub(reach)..(y + reach + 1).min(ny) {
            let row = x.saturating_sub(reach)..(x + reach + 1).min(nx);
            near.extend(row.map(|x| (y * nx + x) as u32));
        }
    }
    near.sort_unstable();
    near.dedup();
    near
}

/// The value that one in `part` is below, over the square within `reach` of a place, cut at the
/// frame's edge; the median for a `part` of 2.
fn window_rank<const N: usize>(
    pixels: &Image<f32>,
    (x, y): (usize, usize),
    (reach, part): (usize, usize),
    value: impl Fn(usize, usize) -> f32,
) -> f32 {
    let (mut values, mut n) = ([0.0_f32; N], 0);
    for y in y.saturating_sub(reach)..(y + reach + 1).min(pixels.ny()) {
        for x in x.saturating_sub(reach)..(x + reach + 1).min(pixels.nx()) {
            values[n] = value(x, y);
            n += 1;
        }
    }
    *values[..n].select_nth_unstable_by(n / part, f32::total_cmp).1
}

/// The middle value, the upper one of two; the list must not be empty.
fn middle(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests;
