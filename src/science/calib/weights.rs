//! Maps of weights: how much each pixel tells, relative to the others.
//!
//! A weight is a relative inverse variance, as SExtractor's MAP_WEIGHT. Only ratios count: a map is
//! scaled so that its median is one, because the detector's own noise tells the absolute scale. A
//! pixel of weight zero, of none or of next to none tells nothing and is masked.

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::median_in_place;

/// A pixel of less than this share of the median weight tells nothing.
const WEIGHT_SHARE_MIN: f32 = 1e-4;

/// A map of weights as noise.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeNoise {
    /// Noise of each pixel over that of one of median weight; 1 where nothing is told.
    pub ratio: Image<f32>,
    /// Pixels that tell nothing.
    pub dead: Mask,
    /// How many these are.
    pub n_dead: usize,
}

/// Turns weights into noise; `None` when no pixel has a weight.
pub fn relative_noise(weights: &Image<f32>) -> Option<RelativeNoise> {
    let is_positive = |w: &&f32| w.is_finite() && **w > 0.0;
    let mut known: Vec<f64> =
        weights.pixels().iter().filter(is_positive).map(|w| f64::from(*w)).collect();
    let typical = median_in_place(&mut known)? as f32;
    let mut ratio = Image::filled(weights.nx(), weights.ny(), 1.0_f32);
    let mut dead = Image::filled(weights.nx(), weights.ny(), MaskBits::GOOD);
    let mut n_dead = 0;
    let pixels = ratio.pixels_mut().iter_mut().zip(dead.pixels_mut());
    for ((ratio, bits), weight) in pixels.zip(weights.pixels()) {
        let share = weight / typical;
        if share.is_finite() && share >= WEIGHT_SHARE_MIN {
            *ratio = share.sqrt().recip();
        } else {
            *bits = MaskBits::BAD;
            n_dead += 1;
        }
    }
    Some(RelativeNoise { ratio, dead, n_dead })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_inverse_variances_and_nothing_is_dead() {
        let weights = vec![2.0, 8.0, 2.0, 0.5, 0.0, f32::NAN, -1.0, 2.0, f32::INFINITY];
        let found = relative_noise(&Image::from_pixels(3, 3, weights).expect("nine"));
        let found = found.expect("weights");
        // Against the median of 2: noises of 1, 1/2, 1, 2.
        let expected = [1.0, 0.5, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        for (got, expected) in found.ratio.pixels().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{:?}", found.ratio);
        }
        let dead: Vec<bool> = found.dead.pixels().iter().map(|bits| !bits.is_good()).collect();
        assert_eq!(dead, [false, false, false, false, true, true, true, false, true]);
        assert_eq!(found.n_dead, 4);
        assert_eq!(relative_noise(&Image::filled(4, 4, 0.0)), None);
    }
}
