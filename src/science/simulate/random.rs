//! Random numbers of the simulator: same seed, same numbers, on every machine and thread count.
//!
//! Generator: xoshiro256++ (Blackman & Vigna 2021, ACM TOMS 47, 36), its state filled by
//! splitmix64.
//! Every use draws from a stream of its own, named by purpose and index (frame, row), so no
//! result depends on the order in which frames or rows are made.

use std::f64::consts::TAU;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// Response, hot pixels and bias pattern of the detector.
    Detector = 1,
    /// Places, magnitudes and colours of the stars.
    Stars = 2,
    /// Galaxies.
    Galaxies = 3,
    /// Moving objects.
    Movers = 4,
    /// Times, seeing and pointing of the frames.
    Plan = 5,
    /// Errors of the reference catalogue.
    Catalogue = 6,
    /// Air of one frame: scatter of places.
    Air = 7,
    /// Photons of one row of one frame.
    Photons = 8,
    /// Read noise of one row of one frame.
    Readout = 9,
    /// Cosmic rays of one frame.
    CosmicRays = 10,
    /// Star trails in one flat.
    FlatTrails = 11,
}

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: [u64; 4],
    spare_normal: Option<f64>,
}

/// One step of splitmix64 (Steele, Lea & Flood 2014).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Random {
    /// Opens the stream of one purpose; `index` and `row` number its users.
    pub(super) fn new(seed: u64, stream: Stream, index: usize, row: usize) -> Self {
        let mut mix = seed;
        for word in [stream as u64, index as u64, row as u64] {
            mix = splitmix(&mut mix) ^ word;
        }
        let state = std::array::from_fn(|_| splitmix(&mut mix));
        Self { state, spare_normal: None }
    }

    fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub(super) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform angle in [0, 2 pi) [rad].
    pub(super) fn angle_rad(&mut self) -> f64 {
        TAU * self.uniform()
    }

    /// Uniform in 0..n; 0 for n = 0.
    pub(super) fn index(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// Normal with mean 0 and standard deviation 1 (Marsaglia's polar method).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let (a, b) = (self.range(-1.0, 1.0), self.range(-1.0, 1.0));
            let s = a * a + b * b;
            if s > 0.0 && s < 1.0 {
                let factor = (-2.0 * s.ln() / s).sqrt();
                self.spare_normal = Some(b * factor);
                return a * factor;
            }
        }
    }

    /// Poisson with a mean; a mean that is not positive gives 0.
    ///
    /// Below 12 by products of uniforms (Knuth), above from a normal by the Cornish-Fisher
    /// expansion to third order, whose quantiles are good to about 0.01 counts there.
    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        if mean.is_nan() || mean <= 0.0 {
            return 0.0;
        }
        if mean >= 12.0 {
            let (root, z) = (mean.sqrt(), self.normal());
            let quantile = mean + root * z + (z * z - 1.0) / 6.0 + (z - z * z * z) / (72.0 * root);
            return quantile.round().max(0.0);
        }
        let floor = (-mean).exp();
        let (mut count, mut product) = (0.0, self.uniform());
        while product > floor {
            count += 1.0;
            product *= self.uniform();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn uniform_numbers_have_their_moments() {
        let mut random = Random::new(1, Stream::Stars, 0, 0);
        let values: Vec<f64> = (0..200_000).map(|_| random.uniform()).collect();
        let (mean, variance) = moments(&values);
        // Standard error of the mean is 0.2887 / sqrt(200000) = 0.00065.
        assert!((mean - 0.5).abs() < 0.003, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.001, "{variance}");
    }

    #[test]
    fn poisson_mean_and_variance_equal_the_mean() {
        for (index, mean) in [0.3, 3.0, 11.9, 12.1, 50.0, 1150.0].into_iter().enumerate() {
            let mut random = Random::new(7, Stream::Photons, index, 0);
            let n = 200_000;
            let values: Vec<f64> = (0..n).map(|_| random.poisson(mean)).collect();
            let (got_mean, got_variance) = moments(&values);
            let mean_err = (mean / n as f64).sqrt();
            // Var(s^2) = (mu4 - sigma^4)/n with mu4 = m + 3 m^2; rounding adds up to 1/12.
            let variance_err = ((mean + 2.0 * mean * mean) / n as f64).sqrt();
            assert!((got_mean - mean).abs() < 5.0 * mean_err, "{mean}: {got_mean}");
            assert!((got_variance - mean).abs() < 5.0 * variance_err + 0.09, "{mean}");
        }
    }

    #[test]
    fn streams_are_repeatable_and_differ() {
        let first = |seed, index, row| Random::new(seed, Stream::Air, index, row).next_u64();
        assert_eq!(first(3, 1, 2), first(3, 1, 2));
        for other in [first(4, 1, 2), first(3, 2, 1), first(3, 1, 3)] {
            assert_ne!(first(3, 1, 2), other);
        }
        assert_eq!(Random::new(3, Stream::Air, 0, 0).poisson(f64::NAN).to_bits(), 0);
    }
}
