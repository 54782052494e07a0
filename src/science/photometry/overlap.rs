//! How much of a neighbour's light a star fitted beside it takes for its own.
//!
//! A fit of profile P in noise of the sky weighs the pixels by P / sum(P^2): of a neighbour of unit
//! light at a distance d it takes sum(P(x) P(x - d)) / sum(P^2), 1 at d = 0. Tabulated for a round
//! Moffat profile.

/// Steps of the table per full width at half maximum, and its end.
const STEPS_PER_FWHM: usize = 8;
const END_FWHM: f64 = 4.0;
/// Spacing of the sums over the profile, and their half side, in full widths.
const SPACING_FWHM: f64 = 0.2;
const HALF_SIDE_FWHM: f64 = 3.0;

/// The table of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    table: Vec<f64>,
}

impl Overlap {
    /// The table of a Moffat profile of an exponent.
    pub fn new(beta: f64) -> Self {
        let alpha = 0.5 / (2.0_f64.powf(1.0 / beta) - 1.0).sqrt();
        let profile = |x: f64, y: f64| (1.0 + (x * x + y * y) / (alpha * alpha)).powf(-beta);
        let half = (HALF_SIDE_FWHM / SPACING_FWHM) as i32;
        let sum = |d: f64| -> f64 {
            let mut sum = 0.0;
            for i in -half..=half {
                for j in -half..=half {
                    let (x, y) = (f64::from(i) * SPACING_FWHM, f64::from(j) * SPACING_FWHM);
                    sum += profile(x, y) * profile(x - d, y);
                }
            }
            sum
        };
        let own = sum(0.0);
        let n = (END_FWHM * STEPS_PER_FWHM as f64) as usize;
        let at = |k: usize| sum(k as f64 / STEPS_PER_FWHM as f64) / own;
        Self { table: (0..=n).map(at).collect() }
    }

    /// Distance up to which it is known, in full widths at half maximum.
    pub fn reach_fwhm(&self) -> f64 {
        END_FWHM
    }

    /// Share of a neighbour's light at a distance in full widths at half maximum; 0 beyond reach.
    pub fn share(&self, distance_fwhm: f64) -> f64 {
        let place = distance_fwhm.max(0.0) * STEPS_PER_FWHM as f64;
        let k = place as usize;
        match self.table.get(k..k + 2) {
            Some([low, high]) => low + (place - k as f64) * (high - low),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steep_profile_overlaps_as_a_gaussian_does() {
        // Of Gaussians of sigma s the overlap is exp(-d^2 / (4 s^2)); at d of one full width
        // 2.3548^2 / 4 = 1.386: exactly a quarter.
        let overlap = Overlap::new(200.0);
        assert!((overlap.share(0.0) - 1.0).abs() < 1e-12);
        assert!((overlap.share(1.0) - 0.25).abs() < 0.01, "{}", overlap.share(1.0));
        assert!((overlap.share(0.5) - 0.707).abs() < 0.01, "{}", overlap.share(0.5));
    }

    #[test]
    fn wings_reach_further_and_nothing_comes_from_beyond() {
        let (steep, flat) = (Overlap::new(5.0), Overlap::new(2.5));
        assert!(flat.share(2.0) > 1.5 * steep.share(2.0));
        assert!(flat.share(10.0) <= 0.0 && flat.share(3.9) > 0.0);
    }
}
