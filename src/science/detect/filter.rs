//! Matched filter: each pixel's signal-to-noise ratio for a point source centred there.
//!
//! For white noise the best linear detector of a known shape is its correlation with that shape
//! (Irwin 1985, MNRAS 214, 575). The shape is a Gaussian of the frame's seeing, which separates
//! into one pass along the rows and one along the columns.

use rayon::prelude::*;

use crate::science::image::Image;
use crate::science::units::FWHM_PER_SIGMA;

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
}

/// Convolves a frame with the kernel; outside the frame counts as zero.
pub fn smoothed(image: &Image<f32>, kernel: &GaussianKernel) -> Image<f32> {
    let (nx, ny) = (image.nx(), image.ny());
    let radius = kernel.radius();
    let mut along_rows = Image::filled(nx, ny, 0.0_f32);
    along_rows.pixels_mut().par_chunks_mut(nx).enumerate().for_each(|(y, out)| {
        let mut padded = vec![0.0_f32; nx + 2 * radius];
        padded[radius..radius + nx].copy_from_slice(image.row(y));
        for (k, &weight) in kernel.weights.iter().enumerate() {
            for (pixel, &value) in out.iter_mut().zip(&padded[k..k + nx]) {
                *pixel += weight * value;
            }
        }
    });
    let mut result = Image::filled(nx, ny, 0.0_f32);
    result.pixels_mut().par_chunks_mut(nx).enumerate().for_each(|(y, out)| {
        for (k, &weight) in kernel.weights.iter().enumerate() {
            let Some(source) = (y + k).checked_sub(radius).filter(|&s| s < ny) else {
                continue;
            };
            for (pixel, &value) in out.iter_mut().zip(along_rows.row(source)) {
                *pixel += weight * value;
            }
        }
    });
    result
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
}
