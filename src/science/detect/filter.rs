//! Matched filter: each pixel's signal-to-noise ratio for a point source centred there.
//!
//! For white noise the best linear detector of a known shape is its correlation with that shape
//! (Irwin 1985, MNRAS 214, 575). The shape is a Gaussian of the frame's seeing, which separates
//! into one pass along the rows and one along the columns. The rows that a sum down the columns
//! needs are kept in a ring, which stays in the processor's cache; every pixel is one sum in one
//! order, whatever the threads and the width of the processor's registers.

use multiversion::multiversion;
use rayon::prelude::*;

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::units::FWHM_PER_SIGMA;

/// Rows that one thread takes at a time.
const BAND_ROWS: usize = 128;
/// Pixels whose sums stay at hand while the weights are gone through.
const PIECE: usize = 1024;

/// A Gaussian sampled at whole pixels, normalised to sum one.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianKernel {
    weights: Vec<f32>,
}

impl GaussianKernel {
    /// The kernel of a full width at half maximum [px], cut at 3 sigma; width limited to 0.8..=20.
    pub fn with_fwhm_px(fwhm_px: f64) -> Self {
        let sigma = fwhm_px.clamp(0.8, 20.0) / FWHM_PER_SIGMA;
        let radius = (3.0 * sigma).ceil().max(1.0) as i64;
        let raw: Vec<f64> =
            (-radius..=radius).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
        let sum: f64 = raw.iter().sum();
        Self { weights: raw.iter().map(|w| (w / sum) as f32).collect() }
    }

    /// Number of pixels on each side of the centre.
    pub fn radius(&self) -> usize {
        self.weights.len() / 2
    }

    /// Sum of the squared weights of the two-dimensional kernel: variance of filtered unit noise.
    pub fn noise_variance(&self) -> f64 {
        self.weights.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().powi(2)
    }

    /// Weights from the centre outwards.
    fn half(&self) -> &[f32] {
        &self.weights[self.radius()..]
    }
}

/// Convolves a frame with the kernel; outside the frame counts as zero.
pub fn smoothed(image: &Image<f32>, kernel: &GaussianKernel) -> Image<f32> {
    filtered(image, kernel, |_, _, _| ())
}

/// Noise of the filtered frame over that of one of even noise, from the ratios of its pixels.
///
/// The filter sums variances by the squares of its weights, which are those of a Gaussian narrower
/// by the root of two.
pub fn filtered_noise(ratio: &Image<f32>, fwhm_px: f64) -> Image<f32> {
    let mut variance = ratio.clone();
    variance.pixels_mut().iter_mut().for_each(|v| *v *= *v);
    let kernel = GaussianKernel::with_fwhm_px(fwhm_px / std::f64::consts::SQRT_2);
    let mut noise = smoothed(&variance, &kernel);
    // Outside the frame counts as zero: what is missing at the edge is missing in the signal too,
    // but an even frame is to keep its even noise.
    let ones = Image::filled(ratio.nx(), ratio.ny(), 1.0_f32);
    let share = smoothed(&ones, &kernel);
    for (noise, share) in noise.pixels_mut().iter_mut().zip(share.pixels()) {
        *noise = (*noise / share).sqrt();
    }
    noise
}

/// Signal-to-noise ratio of a point source at each pixel, scaled to unit noise in empty sky.
///
/// Pixels without data and those under a trail become minus infinity.
///
/// * `rms_row`: writes the sky's noise along a row.
pub fn snr_map(
    signal: &Image<f32>,
    mask: &Mask,
    rms_row: impl Fn(usize, &mut [f32]) + Sync,
    kernel: &GaussianKernel,
) -> Image<f32> {
    let scale = (1.0 / kernel.noise_variance().sqrt()) as f32;
    let out_of_question = MaskBits::NO_DATA.with(MaskBits::TRAIL);
    filtered(signal, kernel, |y, row, rms| {
        rms_row(y, rms);
        in_units_of(row, rms, scale);
        for (pixel, bits) in row.iter_mut().zip(mask.row(y)) {
            *pixel = if bits.is_any(out_of_question) { f32::NEG_INFINITY } else { *pixel };
        }
    })
}

/// Convolves and calls `finish(y, row, spare)` on each finished row; `spare` is as long.
fn filtered(
    image: &Image<f32>,
    kernel: &GaussianKernel,
    finish: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
) -> Image<f32> {
    let (nx, ny, radius) = (image.nx(), image.ny(), kernel.radius());
    let mut result = Image::filled(nx, ny, 0.0_f32);
    result.pixels_mut().par_chunks_mut(nx * BAND_ROWS).enumerate().for_each(|(band, out)| {
        let first = band * BAND_ROWS;
        // Rows smoothed along x; the one at first + i - radius stands in place i, turning round.
        let n_ring = 2 * radius + 1;
        let mut ring = vec![0.0_f32; nx * n_ring];
        let mut padded = vec![0.0_f32; nx + 2 * radius];
        let mut spare = vec![0.0_f32; nx];
        for (k, row) in out.chunks_mut(nx).enumerate() {
            let missing = if k == 0 { 0 } else { k + 2 * radius };
            for i in missing..=k + 2 * radius {
                let line = &mut ring[i % n_ring * nx..][..nx];
                match (first + i).checked_sub(radius).filter(|&y| y < ny) {
                    Some(y) => {
                        padded[radius..radius + nx].copy_from_slice(image.row(y));
                        smooth_along(line, &padded, kernel.half());
                    }
                    None => line.fill(0.0),
                }
            }
            let lines: Vec<&[f32]> =
                (k..k + n_ring).map(|i| &ring[i % n_ring * nx..][..nx]).collect();
            smooth_across(row, &lines, kernel.half());
            finish(first + k, row, &mut spare);
        }
    });
    result
}

/// Divides a row by `rms / scale`.
#[multiversion(targets("x86_64+avx2"))]
fn in_units_of(row: &mut [f32], rms: &[f32], scale: f32) {
    for (pixel, rms) in row.iter_mut().zip(rms) {
        *pixel *= scale / rms;
    }
}

/// Smooths a row that has a radius of zeros at both ends.
#[multiversion(targets("x86_64+avx2"))]
fn smooth_along(out: &mut [f32], padded: &[f32], half: &[f32]) {
    let n = out.len();
    weighted_sum(out, half, |k| &padded[k..k + n]);
}

/// Smooths down the columns of as many rows as the kernel has.
#[multiversion(targets("x86_64+avx2"))]
fn smooth_across(out: &mut [f32], rows: &[&[f32]], half: &[f32]) {
    weighted_sum(out, half, |k| rows[k]);
}

/// `out = half[0] of(r) + sum_k half[k] (of(r - k) + of(r + k))` with r the radius, `of` giving
/// slices as long as `out`.
#[inline(always)]
fn weighted_sum<'a>(out: &mut [f32], half: &[f32], of: impl Fn(usize) -> &'a [f32]) {
    let radius = half.len() - 1;
    let n = out.len();
    for start in (0..n).step_by(PIECE) {
        let end = (start + PIECE).min(n);
        let (out, of) = (&mut out[start..end], |k: usize| &of(k)[start..end]);
        for (sum, value) in out.iter_mut().zip(of(radius)) {
            *sum = half[0] * value;
        }
        // Two pairs at a time: half the ways to the sums and back.
        let mut k = 1;
        while k < radius {
            let (near, far) = (half[k], half[k + 1]);
            add_pairs(
                out,
                (near, of(radius - k), of(radius + k)),
                (far, of(radius - k - 1), of(radius + k + 1)),
            );
            k += 2;
        }
        if k == radius {
            let pairs = of(0).iter().zip(of(2 * radius));
            for (sum, (before, after)) in out.iter_mut().zip(pairs) {
                *sum += half[k] * (before + after);
            }
        }
    }
}

/// Adds two weighted pairs of rows, the nearer one first.
#[inline(always)]
fn add_pairs(out: &mut [f32], near: (f32, &[f32], &[f32]), far: (f32, &[f32], &[f32])) {
    let n = out.len();
    let (near_before, near_after) = (&near.1[..n], &near.2[..n]);
    let (far_before, far_after) = (&far.1[..n], &far.2[..n]);
    for i in 0..n {
        let sum = out[i] + near.0 * (near_before[i] + near_after[i]);
        out[i] = sum + far.0 * (far_before[i] + far_after[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_the_kernel() {
        let mut image = Image::filled(41, 41, 0.0_f32);
        image.row_mut(20)[20] = 1.0;
        let kernel = GaussianKernel::with_fwhm_px(4.0);
        let out = smoothed(&image, &kernel);
        let sum: f64 = out.pixels().iter().map(|&v| f64::from(v)).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        // Half the peak at half the FWHM from the centre.
        assert!((f64::from(out.at(22, 20) / out.at(20, 20)) - 0.5).abs() < 1e-4);
        // A filtered point's squares add up to the kernel's noise variance.
        let squares: f64 = out.pixels().iter().map(|&v| f64::from(v).powi(2)).sum();
        assert!((squares / kernel.noise_variance() - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_frame_smaller_than_the_kernel_is_no_fault() {
        let out = smoothed(&Image::filled(2, 1, 1.0_f32), &GaussianKernel::with_fwhm_px(20.0));
        assert!(out.pixels().iter().all(|v| v.is_finite() && *v > 0.0));
    }

    #[test]
    fn bands_and_pieces_give_the_plain_double_sum() {
        // Wider than the lanes and higher than a band, by odd numbers.
        let (nx, ny) = (77, 131);
        let pixels = (0..nx * ny).map(|i| ((i * 7919) % 1013) as f32 - 500.0).collect();
        let image = Image::from_pixels(nx, ny, pixels).expect("counted");
        let kernel = GaussianKernel::with_fwhm_px(3.1);
        let out = smoothed(&image, &kernel);
        let radius = kernel.radius() as i64;
        for (x, y) in [(0, 0), (76, 130), (31, 63), (32, 64), (64, 128), (70, 5), (40, 66)] {
            let mut expected = 0.0;
            for j in -radius..=radius {
                for i in -radius..=radius {
                    let (xx, yy) = (x + i, y + j);
                    if (0..nx as i64).contains(&xx) && (0..ny as i64).contains(&yy) {
                        let weight = |k: i64| f64::from(kernel.weights[(k + radius) as usize]);
                        let value = f64::from(image.at(xx as usize, yy as usize));
                        expected += weight(i) * weight(j) * value;
                    }
                }
            }
            let got = f64::from(out.at(x as usize, y as usize));
            assert!((got - expected).abs() < 1e-3, "({x}, {y}): {got} {expected}");
        }
    }
}
