//! From raw pixels to electrons: masters, bad pixels, and the arithmetic of calibration.
//!
//! Order of a frame: overscan and trim, bias, dark scaled by exposure, flat, gain. Masters hold
//! ADU above the overscan (or above zero without one) in the trimmed shape; a flat is 1 at its
//! smoothed centre. Nothing here knows files or headers: `pipeline::masters` decides which
//! frames go together.

pub mod apply;
pub mod columns;
pub mod combine;
pub mod continuity;
pub mod cosmic;
pub mod defects;
pub mod gain;
pub mod overscan;
pub mod qualify;
#[cfg(test)]
pub(crate) mod synthetic;
pub mod trails;
pub mod weights;

use crate::science::image::Image;
use crate::science::image::stats::{ClippedStats, clipped_of_sorted, median_in_place};

/// Side of the central square whose median normalises a flat [px].
pub const CENTRE_SIDE_PX: usize = 64;

/// About how many pixels a robust level or noise of a whole frame is taken from.
const SAMPLE_PIXELS: usize = 65_536;

/// Median of the finite pixels of the inner 64 x 64 px (all of a smaller frame).
///
/// `None` when there is none. This is the "smoothed centre" at which a flat is 1.
pub fn centre_level(frame: &Image<f32>) -> Option<f64> {
    let (nx, ny) = (frame.nx(), frame.ny());
    let (side_x, side_y) = (nx.min(CENTRE_SIDE_PX), ny.min(CENTRE_SIDE_PX));
    let (x0, y0) = ((nx - side_x) / 2, (ny - side_y) / 2);
    let mut values: Vec<f64> = (y0..y0 + side_y)
        .flat_map(|y| frame.row(y)[x0..x0 + side_x].iter())
        .filter(|v| v.is_finite())
        .map(|&v| f64::from(v))
        .collect();
    median_in_place(&mut values)
}

/// Clipped statistics of the finite values; reorders and shortens the list.
fn clipped(values: &mut Vec<f32>, n_sigma: f64) -> Option<ClippedStats> {
    values.retain(|v| v.is_finite());
    values.sort_unstable_by(f32::total_cmp);
    clipped_of_sorted(values, n_sigma)
}

/// Median of pixels, for an even number the mean of the two middle values; NaN for none.
fn median_of(values: &mut [f32]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let (middle, is_even) = (values.len() / 2, values.len().is_multiple_of(2));
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(*upper);
    if !is_even {
        return upper;
    }
    let lower = below.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    0.5 * (f64::from(lower) + upper)
}

/// Noise of one pixel of a frame from differences of horizontal neighbours.
///
/// Gradients and shape drop out; a cosmic ray or a star is clipped (4 sigma). Given two frames
/// the noise is that of one of them, from their difference, so that fixed structure drops out
/// too. `None` for frames without two finite pixels side by side.
pub fn neighbour_noise(frame: &Image<f32>, other: Option<&Image<f32>>) -> Option<f64> {
    let (nx, ny) = (frame.nx(), frame.ny());
    if other.is_some_and(|o| !o.same_shape(frame)) || nx < 2 {
        return None;
    }
    let row_step = (nx * ny).div_ceil(SAMPLE_PIXELS).max(1);
    let mut steps = Vec::with_capacity(SAMPLE_PIXELS);
    for y in (0..ny).step_by(row_step) {
        let a = frame.row(y);
        match other {
            None => steps.extend(a.windows(2).map(|p| p[1] - p[0])),
            Some(other) => steps.extend(
                a.windows(2)
                    .zip(other.row(y).windows(2))
                    .map(|(p, q)| (p[1] - q[1]) - (p[0] - q[0])),
            ),
        }
    }
    let n_terms: f64 = if other.is_some() { 4.0 } else { 2.0 };
    Some(clipped(&mut steps, 4.0)?.sigma / n_terms.sqrt())
}

#[cfg(test)]
mod tests {
    use super::synthetic::Noise;
    use super::*;

    #[test]
    fn neighbour_noise_ignores_a_gradient() {
        // Gaussian noise of 3 on a slope of 0.5 per pixel: 3 within 1 %.
        let mut noise = Noise::seeded(5);
        let (nx, ny) = (256, 256);
        let make = |noise: &mut Noise| {
            let pixels =
                (0..nx * ny).map(|i| (i % nx) as f32 * 0.5 + 3.0 * noise.gauss()).collect();
            Image::from_pixels(nx, ny, pixels).expect("counted")
        };
        let (a, b) = (make(&mut noise), make(&mut noise));
        for got in [neighbour_noise(&a, None), neighbour_noise(&a, Some(&b))] {
            let got = got.expect("enough pixels");
            assert!((got - 3.0).abs() < 0.04, "{got}");
        }
    }

    #[test]
    fn centre_is_the_inner_square() {
        let mut frame = Image::filled(200, 100, 1.0_f32);
        for y in 18..82 {
            frame.row_mut(y)[68..132].fill(7.0);
        }
        assert!((centre_level(&frame).expect("finite") - 7.0).abs() < 1e-12);
        assert_eq!(centre_level(&Image::filled(5, 5, f32::NAN)), None);
    }
}
