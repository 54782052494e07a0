//! Conversions between the units of the field.

/// One arcsecond [rad].
pub const ARCSEC_RAD: f64 = std::f64::consts::PI / 648_000.0;
/// One degree [rad].
pub const DEG_RAD: f64 = std::f64::consts::PI / 180.0;
/// Magnitudes per natural logarithm of a flux ratio, 2.5 / ln(10) [mag].
pub const MAG_PER_LN_FLUX: f64 = 1.085_736_204_758_129_6;
/// Full width at half maximum of a Gaussian in units of its sigma, 2 sqrt(2 ln 2).
pub const FWHM_PER_SIGMA: f64 = 2.354_820_045_030_949_3;

/// An angle brought into [0, 2 pi) [rad].
pub fn wrap_positive_rad(angle_rad: f64) -> f64 {
    angle_rad.rem_euclid(std::f64::consts::TAU)
}

/// An angle brought into [-pi, pi) [rad].
pub fn wrap_signed_rad(angle_rad: f64) -> f64 {
    (angle_rad + std::f64::consts::PI).rem_euclid(std::f64::consts::TAU) - std::f64::consts::PI
}
