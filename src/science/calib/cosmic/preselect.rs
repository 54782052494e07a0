//! Pixels that may be hit: sharper than the least noise around them allows.
//!
//! The sharpness is a few operations per pixel in vector registers; everything that needs a
//! median is left to the few pixels found here.

use rayon::prelude::*;

use super::Limits;
use crate::science::calib::apply::CalibratedPixels;
use crate::science::image::Image;
use crate::science::image::mask::MaskBits;

/// Columns and rows of the tiles whose least variance preselects pixels [px].
const TILE_X_PX: usize = 128;
const TILE_Y_PX: usize = 32;
/// Numbers worked on side by side, so that compilers use vector registers.
const LANES: usize = 16;

/// Positive part of the Laplacian at twice the resolution, averaged over a pixel.
///
/// Of the four neighbours of a quarter pixel two are its own pixel.
#[inline(always)]
fn sharpness(centre: f32, left: f32, right: f32, below: f32, above: f32) -> f32 {
    let positive = |v: f32| if v > 0.0 { v } else { 0.0 };
    let twice = 2.0 * centre;
    let low = positive(twice - left - below) + positive(twice - right - below);
    let high = positive(twice - left - above) + positive(twice - right - above);
    0.25 * (low + high)
}

/// The sharpness at a place; beyond the edge the frame goes on as it ends.
#[inline]
pub(super) fn sharpness_at(pixels: &Image<f32>, x: usize, y: usize) -> f32 {
    let (nx, ny) = (pixels.nx(), pixels.ny());
    let row = pixels.row(y);
    let below = pixels.row(y.saturating_sub(1))[x];
    let above = pixels.row((y + 1).min(ny - 1))[x];
    sharpness(row[x], row[x.saturating_sub(1)], row[(x + 1).min(nx - 1)], below, above)
}

/// Sharpness that a pixel must exceed before its medians are worth evaluating, by tile.
pub(super) struct Floors {
    n_x: usize,
    limits: Vec<f32>,
}

impl Floors {
    pub(super) fn measure(frame: &CalibratedPixels, limits: &Limits) -> Self {
        let (nx, ny) = (frame.pixels_e.nx(), frame.pixels_e.ny());
        let (n_x, n_y) = (nx.div_ceil(TILE_X_PX), ny.div_ceil(TILE_Y_PX));
        let scale = 2.0 * limits.threshold * limits.roughness;
        let limits: Vec<f32> = (0..n_x * n_y)
            .into_par_iter()
            .map(|tile| {
                // Wider by the median's reach: no median of good pixels is below their least.
                let (x0, y0) = (tile % n_x * TILE_X_PX, tile / n_x * TILE_Y_PX);
                let columns = x0.saturating_sub(2)..(x0 + TILE_X_PX + 2).min(nx);
                let rows = y0.saturating_sub(2)..(y0 + TILE_Y_PX + 2).min(ny);
                let least = rows
                    .map(|y| {
                        let variance = &frame.variance_e2.row(y)[columns.clone()];
                        least_good(variance, &frame.mask.row(y)[columns.clone()])
                    })
                    .fold(f32::INFINITY, f32::min);
                scale * least.sqrt()
            })
            .collect();
        Self { n_x, limits }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        self.limits[y / TILE_Y_PX * self.n_x + x / TILE_X_PX]
    }

    pub(super) fn is_above(&self, frame: &CalibratedPixels, x: usize, y: usize) -> bool {
        frame.mask.at(x, y).is_good() && sharpness_at(&frame.pixels_e, x, y) > self.at(x, y)
    }
}

/// Least variance of the good pixels of a piece of a row; infinity without any.
fn least_good(variance: &[f32], mask: &[MaskBits]) -> f32 {
    let mut least = [f32::INFINITY; LANES];
    let lower = |least: &mut f32, v: f32, bits: MaskBits| {
        let v = if bits.is_good() { v } else { f32::INFINITY };
        *least = if v < *least { v } else { *least };
    };
    let (blocks, rest) = variance.as_chunks::<LANES>();
    let (mask_blocks, mask_rest) = mask.as_chunks::<LANES>();
    for (block, bits) in blocks.iter().zip(mask_blocks) {
        for lane in 0..LANES {
            lower(&mut least[lane], block[lane], bits[lane]);
        }
    }
    for (&v, &bits) in rest.iter().zip(mask_rest) {
        lower(&mut least[0], v, bits);
    }
    least.into_iter().fold(f32::INFINITY, f32::min)
}

/// Places of good pixels whose sharpness exceeds their tile's limit, in order.
pub(super) fn candidates(frame: &CalibratedPixels, floors: &Floors) -> Vec<u32> {
    let ny = frame.pixels_e.ny();
    let strips = ny.div_ceil(TILE_Y_PX);
    let found: Vec<Vec<u32>> = (0..strips)
        .into_par_iter()
        .map(|strip| {
            let mut found = Vec::new();
            let mut line = vec![0.0_f32; frame.pixels_e.nx()];
            for y in strip * TILE_Y_PX..((strip + 1) * TILE_Y_PX).min(ny) {
                sharpness_line(&frame.pixels_e, y, &mut line);
                candidates_of_line(frame, floors, y, &line, &mut found);
            }
            found
        })
        .collect();
    found.concat()
}

/// The sharpness of a whole row.
fn sharpness_line(pixels: &Image<f32>, y: usize, line: &mut [f32]) {
    let (nx, ny) = (pixels.nx(), pixels.ny());
    if nx > 2 {
        let n = nx - 2;
        let row = pixels.row(y);
        let (left, centre, right) = (&row[..n], &row[1..=n], &row[2..n + 2]);
        let below = &pixels.row(y.saturating_sub(1))[1..=n];
        let above = &pixels.row((y + 1).min(ny - 1))[1..=n];
        let out = &mut line[1..=n];
        for x in 0..n {
            out[x] = sharpness(centre[x], left[x], right[x], below[x], above[x]);
        }
    }
    line[0] = sharpness_at(pixels, 0, y);
    line[nx - 1] = sharpness_at(pixels, nx - 1, y);
}

fn candidates_of_line(
    frame: &CalibratedPixels,
    floors: &Floors,
    y: usize,
    line: &[f32],
    found: &mut Vec<u32>,
) {
    let nx = line.len();
    let mask = frame.mask.row(y);
    for (tile, piece) in line.chunks(TILE_X_PX).enumerate() {
        let limit = floors.at(tile * TILE_X_PX, y);
        for (block, values) in piece.chunks(LANES).enumerate() {
            // Most blocks have none: one test for all.
            if !values.iter().fold(false, |any, &v| any | (v > limit)) {
                continue;
            }
            let x0 = tile * TILE_X_PX + block * LANES;
            let here = values.iter().enumerate().filter(|(_, v)| **v > limit);
            let good = here.map(|(i, _)| x0 + i).filter(|&x| mask[x].is_good());
            found.extend(good.map(|x| (y * nx + x) as u32));
        }
    }
}
