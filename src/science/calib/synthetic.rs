//! Seeded noise for the tests of calibration.

use crate::science::image::Image;

/// Reproducible Gaussian numbers: SplitMix64 (Steele et al. 2014) through Box and Muller (1958).
pub(crate) struct Noise {
    state: u64,
}

impl Noise {
    /// Starts the sequence that belongs to a seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Uniform in (0, 1].
    pub(crate) fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }

    /// Gaussian of mean 0 and standard deviation 1.
    pub(crate) fn gauss(&mut self) -> f32 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.uniform()).cos()) as f32
    }

    /// A frame of Gaussian pixels.
    pub(crate) fn frame(&mut self, side_px: usize, level: f32, sigma: f32) -> Image<f32> {
        self.frame_of(side_px, |_, _| (level, sigma))
    }

    /// A frame of Gaussian pixels whose level and noise depend on the place.
    pub(crate) fn frame_of(
        &mut self,
        side_px: usize,
        level_and_sigma: impl Fn(usize, usize) -> (f32, f32),
    ) -> Image<f32> {
        let pixels = (0..side_px * side_px)
            .map(|i| {
                let (level, sigma) = level_and_sigma(i % side_px, i / side_px);
                level + sigma * self.gauss()
            })
            .collect();
        Image::from_pixels(side_px, side_px, pixels).expect("counted by the side")
    }
}
