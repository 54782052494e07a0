//! The gnomonic projection: great circles become straight lines on the tangent plane.
//!
//! Source: Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3 (TAN, LONPOLE 180 deg).

use super::vector::{UnitVector, dot, east_north, ra_dec_rad, unit_vector};

/// Smallest cosine of the distance from the tangent point that is still projected.
///
/// At 0.01 (89.4 deg) a place lies 100 radii away; beyond it the plane is of no use.
const COSINE_MIN: f64 = 0.01;

/// A tangent plane: the point it touches and the directions east and north there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TangentPlane {
    centre: UnitVector,
    east: UnitVector,
    north: UnitVector,
}

impl TangentPlane {
    /// The plane that touches the sphere at (RA, Dec) [rad].
    pub fn at(centre_rad: (f64, f64)) -> Self {
        let (east, north) = east_north(centre_rad.0, centre_rad.1);
        Self { centre: unit_vector(centre_rad.0, centre_rad.1), east, north }
    }

    /// Standard coordinates (xi east, eta north) [rad] of a direction (RA, Dec) [rad].
    ///
    /// `None` on the far hemisphere and within 0.6 deg of its edge.
    pub fn project(&self, ra_rad: f64, dec_rad: f64) -> Option<(f64, f64)> {
        self.project_vector(unit_vector(ra_rad, dec_rad))
    }

    /// The same for a unit vector.
    #[inline]
    pub fn project_vector(&self, v: UnitVector) -> Option<(f64, f64)> {
        let cosine = dot(v, self.centre);
        // Written so that NaN is refused too.
        if cosine >= COSINE_MIN {
            return Some((dot(v, self.east) / cosine, dot(v, self.north) / cosine));
        }
        None
    }

    /// The direction (RA, Dec) [rad] of standard coordinates [rad].
    pub fn deproject(&self, xi_rad: f64, eta_rad: f64) -> (f64, f64) {
        ra_dec_rad(std::array::from_fn(|k| {
            self.centre[k] + xi_rad * self.east[k] + eta_rad * self.north[k]
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::units::DEG_RAD;

    #[test]
    fn meridian_offset_is_the_tangent() {
        // A place 10 deg north of the tangent point has eta = tan(10 deg), xi = 0.
        let plane = TangentPlane::at((0.0, 20.0 * DEG_RAD));
        let (xi, eta) = plane.project(0.0, 30.0 * DEG_RAD).expect("near the tangent point");
        assert!(xi.abs() < 1e-15);
        assert!((eta - (10.0 * DEG_RAD).tan()).abs() < 1e-14);
    }

    #[test]
    fn round_trip_at_the_pole_and_over_ra_zero() {
        for centre in [(0.0, 1.5703), (6.2821, -0.3), (2.0, -1.5703)] {
            let plane = TangentPlane::at(centre);
            for (xi, eta) in [(0.03, -0.02), (-0.4, 0.3), (1e-9, 0.0)] {
                let (ra, dec) = plane.deproject(xi, eta);
                let (x, y) = plane.project(ra, dec).expect("near hemisphere");
                assert!((x - xi).abs() < 1e-13 && (y - eta).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn far_hemisphere_and_nan_are_refused() {
        let plane = TangentPlane::at((1.0, 0.2));
        assert_eq!(plane.project(1.0 + std::f64::consts::PI, -0.2), None);
        assert_eq!(plane.project(1.0 + 90.0 * DEG_RAD, 0.0), None);
        assert_eq!(plane.project(f64::NAN, 0.0), None);
    }
}
