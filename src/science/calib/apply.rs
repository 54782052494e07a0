//! One raw frame into electrons, variance and mask, in one pass over the pixels.
//!
//! With raw value r, overscan level o, bias b, dark d scaled by the ratio t of exposures, flat
//! f and gain g:
//!
//! ```text
//! electrons = g (r - o - b - t d) / f
//! variance  = (R^2 + M^2 + max(g (r - o - b), 0)) / f^2 + (electrons s_f)^2 / f
//! ```
//!
//! R is the read noise, M the noise of bias and scaled dark, s_f the relative noise of the flat
//! where it is 1; it comes from photons, of which a darker corner had fewer. The photons counted
//! are those before the dark is taken off, since its noise stays. Raw values at or above saturation
//! are marked, with a ring of one pixel and the bleeding along the column.

use std::ops::Range;

use rayon::prelude::*;

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::median_in_place;

/// Rows of a unit of parallel work [px].
const CHUNK_ROWS: usize = 16;
/// A response below this cannot be corrected; the pixel is bad and taken as it is.
const RESPONSE_MIN: f32 = 0.05;
/// Shortest run of saturated pixels along a column that may bleed [px].
const BLEED_RUN_MIN_PX: usize = 3;
/// Farthest that bleeding is followed beyond such a run [px].
const BLEED_REACH_PX: usize = 200;
/// How far to the side the frame is compared with to tell bleeding from a star's wing [px].
const BLEED_SIDE_PX: usize = 4;
/// Excess over the frame's level relative to that at the sides which is bleeding.
const BLEED_RATIO: f32 = 2.0;
/// Largest reach for the neighbours that replace a bad pixel [px].
const FILL_REACH_PX: usize = 3;
/// Fewest good neighbours for a replacement [px].
const FILL_NEIGHBOURS_MIN: usize = 3;

/// The part of the raw frame that becomes the calibrated frame, 0-based and half open [px].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrimWindow {
    /// Columns of the raw frame.
    pub columns: Range<usize>,
    /// Rows of the raw frame.
    pub rows: Range<usize>,
}

/// What is taken off and divided by; all frames have the trimmed shape.
#[derive(Debug, Clone, Default)]
pub struct Corrections<'a> {
    /// Level of each row of the raw frame [ADU].
    pub overscan_adu: Option<&'a [f32]>,
    /// Master bias [ADU].
    pub bias_adu: Option<&'a Image<f32>>,
    /// Master dark [ADU] and the ratio of exposures it is multiplied with.
    pub dark_adu: Option<(&'a Image<f32>, f32)>,
    /// Master flat, 1 at its centre.
    pub flat: Option<&'a Image<f32>>,
    /// Bad pixels of the detector.
    pub bad: Option<&'a Mask>,
    /// Noise of a pixel of bias and scaled dark together [ADU].
    pub master_noise_adu: f32,
    /// Relative noise of a pixel of the flat.
    pub flat_noise: f32,
}

/// Properties of the detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detector {
    /// Gain [e-/ADU].
    pub gain_e_per_adu: f32,
    /// Read noise [e-].
    pub read_noise_e: f32,
    /// Raw level from which a pixel is saturated [ADU]; infinity when there is none.
    pub saturation_adu: f32,
}

/// A frame in electrons.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedPixels {
    /// Electrons per pixel, finite everywhere [e-].
    pub pixels_e: Image<f32>,
    /// Variance per pixel, finite and positive everywhere [e-^2].
    pub variance_e2: Image<f32>,
    /// What is wrong with each pixel.
    pub mask: Mask,
}

/// Calibrates a frame; `None` when window or corrections do not fit its shape.
///
/// Bad pixels and those without data get the median of their good neighbours, for the
/// convenience of detection; saturated ones keep their value. The mask tells all of them.
pub fn calibrate_pixels(
    raw: &Image<f32>,
    window: &TrimWindow,
    corrections: &Corrections<'_>,
    detector: &Detector,
) -> Option<CalibratedPixels> {
    let (columns, rows) = (&window.columns, &window.rows);
    let (nx, ny) = (columns.len(), rows.len());
    if nx == 0 || ny == 0 || columns.end > raw.nx() || rows.end > raw.ny() {
        return None;
    }
    let fits = |frame: &Image<f32>| frame.nx() == nx && frame.ny() == ny;
    let all_fit = corrections.bias_adu.is_none_or(fits)
        && corrections.dark_adu.is_none_or(|d| fits(d.0))
        && corrections.flat.is_none_or(fits)
        && corrections.bad.is_none_or(|m| m.nx() == nx && m.ny() == ny)
        && corrections.overscan_adu.is_none_or(|o| o.len() == raw.ny());
    if !all_fit {
        return None;
    }
    let mut pixels = vec![0.0_f32; nx * ny];
    let mut variance = vec![0.0_f32; nx * ny];
    let mut mask = vec![MaskBits::GOOD; nx * ny];
    let chunk = nx * CHUNK_ROWS;
    pixels
        .par_chunks_mut(chunk)
        .zip(variance.par_chunks_mut(chunk))
        .zip(mask.par_chunks_mut(chunk))
        .enumerate()
        .for_each(|(index, ((pixels, variance), mask))| {
            let lines = pixels.chunks_mut(nx).zip(variance.chunks_mut(nx)).zip(mask.chunks_mut(nx));
            let plain = Plain { zeros: vec![0.0; nx], ones: vec![1.0; nx] };
            for (line, ((pixels, variance), mask)) in lines.enumerate() {
                let y = index * CHUNK_ROWS + line;
                let raw_line = &raw.row(rows.start + y)[columns.clone()];
                let level = corrections.overscan_adu.map_or(0.0, |o| o[rows.start + y]);
                let input = Line::at(raw_line, level, corrections, &plain, y);
                calibrate_line(&input, corrections, detector, Output { pixels, variance, mask });
            }
        });
    let pixels_e = Image::from_pixels(nx, ny, pixels).expect("counted by the window");
    let variance_e2 = Image::from_pixels(nx, ny, variance).expect("counted by the window");
    let mut mask = Image::from_pixels(nx, ny, mask).expect("counted by the window");
    if let Some(bad) = corrections.bad {
        super::defects::add_mask(&mut mask, bad);
    }
    let mut frame = CalibratedPixels { pixels_e, variance_e2, mask };
    grow_saturation(&mut frame);
    fill_bad(&mut frame);
    Some(frame)
}

/// Rows standing in for corrections that are not there.
struct Plain {
    zeros: Vec<f32>,
    ones: Vec<f32>,
}

/// One row of everything that enters.
struct Line<'a> {
    raw: &'a [f32],
    level: f32,
    bias: &'a [f32],
    dark: &'a [f32],
    dark_ratio: f32,
    flat: &'a [f32],
}

impl<'a> Line<'a> {
    fn at(
        raw: &'a [f32],
        level: f32,
        corrections: &Corrections<'a>,
        plain: &'a Plain,
        y: usize,
    ) -> Self {
        let bias = corrections.bias_adu.map_or(plain.zeros.as_slice(), |b| b.row(y));
        let (dark, dark_ratio) =
            corrections.dark_adu.map_or((plain.zeros.as_slice(), 0.0), |(d, t)| (d.row(y), t));
        let flat = corrections.flat.map_or(plain.ones.as_slice(), |f| f.row(y));
        Self { raw, level, bias, dark, dark_ratio, flat }
    }
}

/// One row of everything that comes out.
struct Output<'a> {
    pixels: &'a mut [f32],
    variance: &'a mut [f32],
    mask: &'a mut [MaskBits],
}

/// The arithmetic of the head comment for one row.
fn calibrate_line(
    input: &Line<'_>,
    corrections: &Corrections<'_>,
    detector: &Detector,
    output: Output<'_>,
) {
    let gain = detector.gain_e_per_adu;
    let master_noise_e = corrections.master_noise_adu * gain;
    let floor_e2 = detector.read_noise_e.powi(2) + master_noise_e.powi(2);
    let floor_e2 = if floor_e2 > 0.0 { floor_e2 } else { f32::MIN_POSITIVE.sqrt() };
    let n = output.pixels.len();
    // Slices of one known length: the compiler drops the bounds checks.
    let (raw, bias, dark, flat) =
        (&input.raw[..n], &input.bias[..n], &input.dark[..n], &input.flat[..n]);
    let (variance, mask) = (&mut output.variance[..n], &mut output.mask[..n]);
    for x in 0..n {
        let counted = raw[x] - input.level - bias[x];
        let net = counted - input.dark_ratio * dark[x];
        let has_response = flat[x] > RESPONSE_MIN && flat[x] < f32::INFINITY;
        let per_flat = if has_response { 1.0 / flat[x] } else { 1.0 };
        let electrons = gain * net * per_flat;
        let photons = gain * counted;
        let photons = if photons > 0.0 { photons } else { 0.0 };
        let flat_part = electrons * corrections.flat_noise;
        let spread = ((floor_e2 + photons) * per_flat + flat_part * flat_part) * per_flat;
        let is_usable = electrons.abs() < f32::INFINITY && spread < f32::INFINITY;
        output.pixels[x] = if is_usable { electrons } else { 0.0 };
        variance[x] = if is_usable { spread } else { floor_e2 };
        let bits = bits_if(!is_usable, MaskBits::NO_DATA)
            | bits_if(!has_response, MaskBits::BAD)
            | bits_if(raw[x] >= detector.saturation_adu, MaskBits::SATURATED);
        mask[x] = MaskBits::from_bits(bits);
    }
}

/// The bits of a reason, if it holds.
#[inline(always)]
fn bits_if(holds: bool, reason: MaskBits) -> u8 {
    if holds { reason.bits() } else { 0 }
}

/// Marks a ring of one pixel around saturated ones and the bleeding above and below.
fn grow_saturation(frame: &mut CalibratedPixels) {
    let (nx, ny) = (frame.mask.nx(), frame.mask.ny());
    let seeds: Vec<usize> = frame
        .mask
        .pixels()
        .iter()
        .enumerate()
        .filter(|(_, m)| m.is_any(MaskBits::SATURATED))
        .map(|(i, _)| i)
        .collect();
    if seeds.is_empty() {
        return;
    }
    let level = frame_level(&frame.pixels_e);
    let bleeding = bleeding_pixels(frame, &seeds, level);
    for &seed in seeds.iter().chain(&bleeding) {
        let (x, y) = (seed % nx, seed / nx);
        for y in y.saturating_sub(1)..(y + 2).min(ny) {
            for bits in &mut frame.mask.row_mut(y)[x.saturating_sub(1)..(x + 2).min(nx)] {
                *bits = bits.with(MaskBits::SATURATED);
            }
        }
    }
}

/// Pixels beyond the ends of saturated runs along columns that outshine both their sides.
fn bleeding_pixels(frame: &CalibratedPixels, seeds: &[usize], level: f32) -> Vec<usize> {
    let (nx, ny) = (frame.mask.nx(), frame.mask.ny());
    let is_saturated = |x: usize, y: usize| frame.mask.at(x, y).is_any(MaskBits::SATURATED);
    let excess = |x: usize, y: usize| frame.pixels_e.at(x, y) - level;
    let outshines = |x: usize, y: usize| {
        let left = excess(x.saturating_sub(BLEED_SIDE_PX), y);
        let right = excess((x + BLEED_SIDE_PX).min(nx - 1), y);
        let noise = frame.variance_e2.at(x, y).sqrt();
        excess(x, y) > BLEED_RATIO * left.max(right).max(0.0) + 5.0 * noise
    };
    let mut found = Vec::new();
    for &seed in seeds {
        let (x, y) = (seed % nx, seed / nx);
        if y > 0 && is_saturated(x, y - 1) {
            continue; // not the lower end of a run
        }
        let top = (y..ny).find(|&y| !is_saturated(x, y)).unwrap_or(ny);
        if top - y < BLEED_RUN_MIN_PX {
            continue;
        }
        let above = (top..ny).take(BLEED_REACH_PX).take_while(|&y| outshines(x, y));
        found.extend(above.map(|y| y * nx + x));
        let below = (0..y).rev().take(BLEED_REACH_PX).take_while(|&y| outshines(x, y));
        found.extend(below.map(|y| y * nx + x));
    }
    found
}

/// Median of about 4,000 pixels spread over the frame.
fn frame_level(frame: &Image<f32>) -> f32 {
    let step = (frame.pixels().len() / 4096).max(1) | 1;
    let mut sample: Vec<f64> = frame.pixels().iter().step_by(step).map(|&v| f64::from(v)).collect();
    median_in_place(&mut sample).unwrap_or(0.0) as f32
}

/// Gives bad pixels and those without data the median of their nearest good neighbours, or
/// the frame's level far from any.
fn fill_bad(frame: &mut CalibratedPixels) {
    let reasons = MaskBits::BAD.with(MaskBits::NO_DATA);
    let bad: Vec<usize> = frame
        .mask
        .pixels()
        .iter()
        .enumerate()
        .filter(|(_, m)| m.is_any(reasons))
        .map(|(i, _)| i)
        .collect();
    if bad.is_empty() {
        return;
    }
    let level = frame_level(&frame.pixels_e);
    let values: Vec<f32> = bad
        .par_iter()
        .with_min_len(256)
        .map(|&i| neighbour_median(frame, i).unwrap_or(level))
        .collect();
    for (&i, &value) in bad.iter().zip(&values) {
        frame.pixels_e.pixels_mut()[i] = value;
    }
}

fn neighbour_median(frame: &CalibratedPixels, index: usize) -> Option<f32> {
    let (nx, ny) = (frame.mask.nx(), frame.mask.ny());
    let (x, y) = (index % nx, index / nx);
    let mut values = Vec::with_capacity((2 * FILL_REACH_PX + 1).pow(2));
    for reach in 1..=FILL_REACH_PX {
        values.clear();
        let (x0, x1) = (x.saturating_sub(reach), (x + reach + 1).min(nx));
        for y in y.saturating_sub(reach)..(y + reach + 1).min(ny) {
            let line = frame.pixels_e.row(y)[x0..x1].iter().zip(&frame.mask.row(y)[x0..x1]);
            values.extend(line.filter(|(_, m)| m.is_good()).map(|(&v, _)| f64::from(v)));
        }
        if values.len() >= FILL_NEIGHBOURS_MIN {
            return median_in_place(&mut values).map(|v| v as f32);
        }
    }
    None
}

#[cfg(test)]
mod tests;
