//! Several frames of the same thing into one master: the mean of each pixel after clipping.
//!
//! Clipping is around the pixel's median, with the larger of the frames' own noise (from their
//! differences) and the pixel's scaled median absolute deviation: with five frames the sample's
//! standard deviation can never call a value a 3 sigma outlier (its largest deviation is
//! (n - 1) / sqrt(n) sigma), the frames' noise can. Stars of twilight flats, cosmic rays and
//! telegraph pixels go that way. Work runs in strips of 256 columns, small enough for the
//! nearest cache, sorted by an odd-even transposition network over whole strips (Knuth,
//! TAOCP vol. 3, 5.3.4), which compilers turn into vector instructions.

use rayon::prelude::*;
use thiserror::Error;

use crate::science::image::Image;
use crate::science::image::stats::SIGMA_PER_MAD;

use super::{centre_level, neighbour_noise};

/// Columns of a strip [px].
const STRIP_PX: usize = 256;
/// Rows of a unit of parallel work; fixed, so that results never depend on threads [px].
const CHUNK_ROWS: usize = 16;

/// How frames are combined.
#[derive(Debug, Clone, PartialEq)]
pub struct CombineParams {
    /// Clipping limit around the median [sigma].
    pub clip_sigma: f64,
}

impl Default for CombineParams {
    fn default() -> Self {
        Self { clip_sigma: 3.0 }
    }
}

/// A combined frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Combined {
    /// The mean after clipping; NaN where no frame had a finite value.
    pub pixels: Image<f32>,
    /// Noise of a pixel of the combined frame, in its unit.
    pub noise: f64,
    /// Noise of a pixel of one frame (root mean square over the frames), in the same unit.
    pub frame_noise: f64,
    /// Number of frames combined.
    pub n_frames: usize,
    /// Number of single values clipped.
    pub n_clipped: u64,
}

/// Why frames could not be combined.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CombineError {
    /// There was nothing to combine.
    #[error("no frames to combine")]
    NoFrames,
    /// A frame has another number of columns or rows than the first.
    #[error("frame {index} is {nx} x {ny} px unlike the first")]
    ShapeDiffers {
        /// Place of the frame in the list.
        index: usize,
        /// Its columns [px].
        nx: usize,
        /// Its rows [px].
        ny: usize,
    },
    /// A frame has no finite pixels to measure noise from.
    #[error("frame {index} has no usable pixels")]
    NoPixels {
        /// Place of the frame in the list.
        index: usize,
    },
    /// The centre of a flat has no light.
    #[error("flat {index} has a centre level of {level} and cannot be normalised")]
    DarkCentre {
        /// Place of the frame in the list.
        index: usize,
        /// Median of its inner 64 x 64 px [ADU].
        level: f64,
    },
}

/// Combines biases, or darks of one exposure, as they are [ADU].
pub fn combine_level(
    frames: &[&Image<f32>],
    params: &CombineParams,
) -> Result<Combined, CombineError> {
    combine_scaled(frames, &vec![1.0; frames.len()], params)
}

/// Combines flats from which bias and dark are gone; the result is 1 at its smoothed centre.
///
/// Each frame is divided by its own centre level first, the result by its own again.
pub fn combine_flat(
    frames: &[&Image<f32>],
    params: &CombineParams,
) -> Result<Combined, CombineError> {
    let mut scales = Vec::with_capacity(frames.len());
    for (index, frame) in frames.iter().enumerate() {
        let level = centre_level(frame).ok_or(CombineError::NoPixels { index })?;
        if level <= 0.0 {
            return Err(CombineError::DarkCentre { index, level });
        }
        scales.push((1.0 / level) as f32);
    }
    let mut combined = combine_scaled(frames, &scales, params)?;
    let level = centre_level(&combined.pixels).ok_or(CombineError::NoPixels { index: 0 })?;
    if level <= 0.0 {
        return Err(CombineError::DarkCentre { index: 0, level });
    }
    combined.pixels.pixels_mut().par_iter_mut().for_each(|v| *v /= level as f32);
    combined.noise /= level;
    combined.frame_noise /= level;
    Ok(combined)
}

/// Combines frames after multiplying each by its scale.
fn combine_scaled(
    frames: &[&Image<f32>],
    scales: &[f32],
    params: &CombineParams,
) -> Result<Combined, CombineError> {
    let first = frames.first().ok_or(CombineError::NoFrames)?;
    for (index, frame) in frames.iter().enumerate() {
        if !frame.same_shape(first) {
            let (nx, ny) = (frame.nx(), frame.ny());
            return Err(CombineError::ShapeDiffers { index, nx, ny });
        }
    }
    let n_frames = frames.len();
    let frame_noise = noise_of_one(frames, scales)?;
    let (nx, ny) = (first.nx(), first.ny());
    let mut pixels = vec![0.0_f32; nx * ny];
    let limit_floor = (params.clip_sigma * frame_noise) as f32;
    let limit_per_mad = (params.clip_sigma * SIGMA_PER_MAD) as f32;
    let n_clipped = pixels
        .par_chunks_mut((nx * CHUNK_ROWS).max(1))
        .enumerate()
        .map(|(chunk, out)| {
            let mut strip = Strip::new(n_frames, limit_floor, limit_per_mad);
            let start = chunk * CHUNK_ROWS * nx;
            let mut n_clipped = 0;
            for (block, out) in out.chunks_mut(STRIP_PX).enumerate() {
                let from = start + block * STRIP_PX;
                for (row, (frame, &scale)) in frames.iter().zip(scales).enumerate() {
                    strip.load(row, &frame.pixels()[from..from + out.len()], scale);
                }
                n_clipped += strip.combine(out);
            }
            n_clipped
        })
        .sum();
    let pixels = Image::from_pixels(nx, ny, pixels).expect("counted by the first frame");
    let noise = frame_noise / (n_frames as f64).sqrt();
    Ok(Combined { pixels, noise, frame_noise, n_frames, n_clipped })
}

/// Root mean square over the frames of the noise of one scaled pixel.
fn noise_of_one(frames: &[&Image<f32>], scales: &[f32]) -> Result<f64, CombineError> {
    // A frame is compared with the next at equal weight. Scales differ by the level of the
    // light, so the pair is brought to a common scale by scaling one of them first.
    let mut sum = 0.0;
    for index in 0..frames.len() {
        let other = (index + 1) % frames.len();
        let noise = if other == index {
            neighbour_noise(frames[index], None).map(|n| n * f64::from(scales[index]))
        } else {
            let own = scaled_copy(frames[index], scales[index]);
            let next = scaled_copy(frames[other], scales[other]);
            neighbour_noise(&own, Some(&next))
        };
        let noise = noise.ok_or(CombineError::NoPixels { index })?;
        sum += noise * noise;
    }
    Ok((sum / frames.len() as f64).sqrt())
}

/// A thinned copy of a frame: full rows, about 65,000 pixels, scaled.
fn scaled_copy(frame: &Image<f32>, scale: f32) -> Image<f32> {
    let (nx, ny) = (frame.nx(), frame.ny());
    let step = (nx * ny).div_ceil(super::SAMPLE_PIXELS).max(1);
    let rows: Vec<usize> = (0..ny).step_by(step).collect();
    let pixels = rows.iter().flat_map(|&y| frame.row(y).iter().map(|v| v * scale)).collect();
    Image::from_pixels(nx, rows.len(), pixels).expect("counted by the rows")
}

/// Working memory for one strip of all frames.
struct Strip {
    values: Vec<f32>,
    sorted: Vec<f32>,
    median: [f32; STRIP_PX],
    n_frames: usize,
    limit_floor: f32,
    limit_per_mad: f32,
    is_finite: bool,
}

impl Strip {
    fn new(n_frames: usize, limit_floor: f32, limit_per_mad: f32) -> Self {
        let zeros = || vec![0.0; n_frames * STRIP_PX];
        let (values, sorted) = (zeros(), zeros());
        let median = [0.0; STRIP_PX];
        Self { values, sorted, median, n_frames, limit_floor, limit_per_mad, is_finite: true }
    }

    fn load(&mut self, row: usize, pixels: &[f32], scale: f32) {
        if row == 0 {
            self.is_finite = true;
        }
        let to = &mut self.values[row * STRIP_PX..row * STRIP_PX + pixels.len()];
        let mut sum = 0.0;
        for (to, from) in to.iter_mut().zip(pixels) {
            *to = from * scale;
            sum += *to * 0.0;
        }
        // Zero times a finite number is zero; NaN and infinity give NaN.
        self.is_finite &= sum == 0.0;
    }

    /// Fills `out` with clipped means; returns how many values were clipped.
    fn combine(&mut self, out: &mut [f32]) -> u64 {
        let width = out.len();
        if !self.is_finite || self.n_frames < 3 {
            return self.combine_one_by_one(out);
        }
        self.sorted.copy_from_slice(&self.values);
        sort_columns(&mut self.sorted, self.n_frames, width);
        let (low, high) = ((self.n_frames - 1) / 2, self.n_frames / 2);
        for x in 0..width {
            let pair = self.sorted[low * STRIP_PX + x] + self.sorted[high * STRIP_PX + x];
            self.median[x] = 0.5 * pair;
        }
        for row in 0..self.n_frames {
            let values = &self.values[row * STRIP_PX..row * STRIP_PX + width];
            let to = &mut self.sorted[row * STRIP_PX..row * STRIP_PX + width];
            for ((to, v), m) in to.iter_mut().zip(values).zip(&self.median) {
                *to = (v - m).abs();
            }
        }
        sort_columns(&mut self.sorted, self.n_frames, width);
        let mut limit = [0.0_f32; STRIP_PX];
        for (x, limit) in limit.iter_mut().enumerate().take(width) {
            let pair = self.sorted[low * STRIP_PX + x] + self.sorted[high * STRIP_PX + x];
            *limit = larger(self.limit_floor, self.limit_per_mad * 0.5 * pair);
        }
        let mut count = [0.0_f32; STRIP_PX];
        out.fill(0.0);
        for row in 0..self.n_frames {
            let values = &self.values[row * STRIP_PX..row * STRIP_PX + width];
            for x in 0..width {
                let deviation = values[x] - self.median[x];
                let keep = if deviation.abs() <= limit[x] { 1.0 } else { 0.0 };
                out[x] += deviation * keep;
                count[x] += keep;
            }
        }
        let mut kept = 0.0;
        for x in 0..width {
            out[x] = self.median[x] + out[x] / larger(count[x], 1.0);
            kept += count[x];
        }
        (width * self.n_frames) as u64 - kept as u64
    }

    /// The same for each pixel alone: for one or two frames, and where values are not finite.
    fn combine_one_by_one(&self, out: &mut [f32]) -> u64 {
        let mut n_clipped = 0;
        let mut column = Vec::with_capacity(self.n_frames);
        for (x, out) in out.iter_mut().enumerate() {
            column.clear();
            column.extend(
                (0..self.n_frames).map(|r| self.values[r * STRIP_PX + x]).filter(|v| v.is_finite()),
            );
            let (value, n) = clipped_mean(&mut column, self.limit_floor, self.limit_per_mad);
            *out = value;
            n_clipped += n;
        }
        n_clipped
    }
}

/// Clipped mean of one pixel's finite values and how many were clipped; NaN for none.
///
/// Of two values too far apart the lower is taken: light and cosmic rays only add.
fn clipped_mean(column: &mut [f32], limit_floor: f32, limit_per_mad: f32) -> (f32, u64) {
    column.sort_unstable_by(f32::total_cmp);
    let n = column.len();
    match n {
        0 => return (f32::NAN, 0),
        1 => return (column[0], 0),
        2 if column[1] - column[0] > limit_floor * std::f32::consts::SQRT_2 => {
            return (column[0], 1);
        }
        2 => return (0.5 * (column[0] + column[1]), 0),
        _ => {}
    }
    let middle_of = |sorted: &[f32]| 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]);
    let median = middle_of(column);
    let mut deviations: Vec<f32> = column.iter().map(|v| (v - median).abs()).collect();
    deviations.sort_unstable_by(f32::total_cmp);
    let limit = larger(limit_floor, limit_per_mad * middle_of(&deviations));
    let kept = column.iter().map(|v| v - median).filter(|d| d.abs() <= limit);
    let (sum, count) = kept.fold((0.0, 0_u16), |(sum, count), d| (sum + d, count + 1));
    (median + sum / larger(f32::from(count), 1.0), n as u64 - u64::from(count))
}

/// Sorts each column of `n_rows` strips ascending.
fn sort_columns(values: &mut [f32], n_rows: usize, width: usize) {
    for round in 0..n_rows {
        for row in (round % 2..n_rows - 1).step_by(2) {
            let (upper, lower) = values.split_at_mut((row + 1) * STRIP_PX);
            let upper = &mut upper[row * STRIP_PX..row * STRIP_PX + width];
            for (a, b) in upper.iter_mut().zip(&mut lower[..width]) {
                let (small, large) = (smaller(*a, *b), larger(*a, *b));
                *a = small;
                *b = large;
            }
        }
    }
}

/// The smaller of two finite numbers; one instruction, unlike `f32::min`.
#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The larger of two finite numbers; one instruction, unlike `f32::max`.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests;
