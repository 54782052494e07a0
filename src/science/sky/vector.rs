//! Directions as unit vectors: separations, offsets and position angles that stay exact at any
//! distance, at the poles and across RA 0h.
//!
//! Unit vectors avoid the cosines of small angles; separations come from the arctangent of
//! cross and dot product (Vincenty's form), good from 1e-16 rad to 180 degrees.

use crate::science::units::wrap_positive_rad;

/// A direction: x towards (RA 0, Dec 0), y towards (RA 90 deg, Dec 0), z towards the north pole.
pub type UnitVector = [f64; 3];

/// The unit vector of a direction given as (RA, Dec) [rad].
pub fn unit_vector(ra_rad: f64, dec_rad: f64) -> UnitVector {
    let (sin_ra, cos_ra) = ra_rad.sin_cos();
    let (sin_dec, cos_dec) = dec_rad.sin_cos();
    [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec]
}

/// The direction (RA in [0, 2 pi), Dec) [rad] of a vector of any positive length.
pub fn ra_dec_rad(v: UnitVector) -> (f64, f64) {
    (wrap_positive_rad(v[1].atan2(v[0])), v[2].atan2(v[0].hypot(v[1])))
}

/// Scalar product.
#[inline]
pub fn dot(a: UnitVector, b: UnitVector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Vector product.
pub fn cross(a: UnitVector, b: UnitVector) -> UnitVector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Length of a vector.
pub fn norm(v: UnitVector) -> f64 {
    dot(v, v).sqrt()
}

/// The local directions (east, north) at (RA, Dec) [rad].
///
/// At a pole they follow the given RA.
pub fn east_north(ra_rad: f64, dec_rad: f64) -> (UnitVector, UnitVector) {
    let (sin_ra, cos_ra) = ra_rad.sin_cos();
    let (sin_dec, cos_dec) = dec_rad.sin_cos();
    ([-sin_ra, cos_ra, 0.0], [-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec])
}

/// Angle between two unit vectors [rad], exact for small and large angles.
pub fn vector_separation_rad(a: UnitVector, b: UnitVector) -> f64 {
    norm(cross(a, b)).atan2(dot(a, b))
}

/// Angle between two directions (RA, Dec) [rad].
pub fn separation_rad(a: (f64, f64), b: (f64, f64)) -> f64 {
    vector_separation_rad(unit_vector(a.0, a.1), unit_vector(b.0, b.1))
}

/// Offsets (east, north) [rad] of `to` as seen from `from`, both (RA, Dec) [rad].
///
/// The length is the separation on the sphere, the direction that of the great circle.
pub fn offset_rad(from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (angle_rad, separation_rad) = (position_angle_rad(from, to), separation_rad(from, to));
    (separation_rad * angle_rad.sin(), separation_rad * angle_rad.cos())
}

/// Position angle of `to` from `from` [rad], north through east, in [0, 2 pi).
pub fn position_angle_rad(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (east, north) = east_north(from.0, from.1);
    let v = unit_vector(to.0, to.1);
    wrap_positive_rad(dot(v, east).atan2(dot(v, north)))
}

/// The direction (RA, Dec) [rad] at a separation and position angle [rad] from another.
pub fn displaced(from: (f64, f64), separation_rad: f64, position_angle_rad: f64) -> (f64, f64) {
    let (east, north) = east_north(from.0, from.1);
    let centre = unit_vector(from.0, from.1);
    let (sin_s, cos_s) = separation_rad.sin_cos();
    let (sin_p, cos_p) = position_angle_rad.sin_cos();
    ra_dec_rad(std::array::from_fn(|k| {
        centre[k] * cos_s + (east[k] * sin_p + north[k] * cos_p) * sin_s
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::units::{ARCSEC_RAD, DEG_RAD};

    #[test]
    fn separation_holds_from_micro_arcseconds_to_antipodes() {
        // Two places of one meridian: the separation is the difference of declinations.
        let small_rad = 1e-6 * ARCSEC_RAD;
        let sep = separation_rad((1.0, 0.5), (1.0, 0.5 + small_rad));
        assert!((sep / small_rad - 1.0).abs() < 1e-4);
        // Antipodes.
        let sep = separation_rad((1.0, 0.5), (1.0 + std::f64::consts::PI, -0.5));
        assert!((sep - std::f64::consts::PI).abs() < 1e-7);
        // Over the pole: 1 deg on either side.
        let sep = separation_rad((0.0, 89.0 * DEG_RAD), (std::f64::consts::PI, 89.0 * DEG_RAD));
        assert!((sep - 2.0 * DEG_RAD).abs() < 1e-14);
    }

    #[test]
    fn offsets_cross_ra_zero_and_point_east() {
        let from = (359.9995 * DEG_RAD, 0.0);
        let (east, north) = offset_rad(from, (0.0005 * DEG_RAD, 0.0));
        assert!((east - 0.001 * DEG_RAD).abs() < 1e-15 && north.abs() < 1e-15);
        let angle = position_angle_rad((1.0, 0.2), (1.0, 0.1));
        assert!((angle - std::f64::consts::PI).abs() < 1e-12);
    }

    #[test]
    fn displacement_inverts_separation_and_angle() {
        for (ra, dec) in [(0.001, 0.3), (6.27, -1.55), (3.0, 1.5)] {
            let to = displaced((ra, dec), 0.02, 2.1);
            assert!((separation_rad((ra, dec), to) - 0.02).abs() < 1e-14);
            assert!((position_angle_rad((ra, dec), to) - 2.1).abs() < 1e-11);
            let (ra2, dec2) = ra_dec_rad(unit_vector(ra, dec));
            assert!((ra2 - ra).abs() < 1e-12 && (dec2 - dec).abs() < 1e-14);
        }
    }
}
