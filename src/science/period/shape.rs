//! What is known of asteroids' curves before looking: how many maxima a rotation has.
//!
//! A body that is longer than wide shows its long side twice a rotation: two maxima. Nearly round
//! bodies, of small range, may have one or three or more by what is uneven on them; a large range
//! with one maximum, or four, is no shape (Harris et al. 2014, Icarus 235, 55). The number is read
//! from the strongest harmonic. A half or double of the true period differs from it in this only,
//! when the curve's halves are alike.

use super::curve::Curve;

/// Prior chance that the strongest harmonic is the first, second, ... at small range; about the
/// shares of curves of the lightcurve database with one, two, ... maxima.
const CHANCES: [f64; 6] = [0.1, 0.8, 0.06, 0.03, 0.005, 0.005];
/// Range above which a strongest harmonic other than the second becomes improbable [mag].
const RANGES_MAG: [f64; 6] = [0.25, f64::INFINITY, 0.25, 0.25, 0.2, 0.2];

/// The strongest harmonic of a curve, 1 to 6.
pub(super) fn strongest(curve: &Curve) -> usize {
    let powers = curve.coefficients_mag.iter().map(|(cos, sin)| cos * cos + sin * sin);
    let stronger = |best: (usize, f64), (i, power): (usize, f64)| {
        if power > best.1 { (i + 1, power) } else { best }
    };
    powers.enumerate().fold((1, f64::MIN), stronger).0
}

/// Logarithm of the prior chance of a curve's strongest harmonic at its range.
pub(super) fn shape_log_prior(curve: &Curve) -> f64 {
    let i = strongest(curve) - 1;
    let (range, _) = curve.range_mag();
    CHANCES[i].ln() - (range / RANGES_MAG[i]).powi(2)
}
