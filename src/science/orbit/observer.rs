//! Where an observer stands in space: on the turning Earth.
//!
//! Sidereal time and precession after IAU 2006 (Capitaine et al. 2003, A&A 412, 567), the largest
//! terms of nutation; polar motion (10 m) and UT1 - UTC (up to 0.9 s, 0.4 km) are left out. An
//! object at 0.1 au is displaced by 0.006 arcsec by the latter.

use crate::science::time::Epoch;
use crate::science::units::ARCSEC_RAD;

/// Radius of the Earth's equator [au]: 6378.137 km (WGS 84), as the observatory codes take it.
const EARTH_RADIUS_AU: f64 = 6_378.137 / 149_597_870.7;
/// Radius of the Earth's equator [m].
const EARTH_RADIUS_M: f64 = 6_378_137.0;
/// Square of the eccentricity of the Earth's ellipse (WGS 84).
const EARTH_E2: f64 = 6.694_379_990_14e-3;
/// MJD of J2000.0 [d].
const MJD_J2000: f64 = 51_544.5;
/// Days of a Julian century [d].
const DAYS_PER_CENTURY: f64 = 36_525.0;

/// A place on Earth, or its centre.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Observer {
    /// East longitude [rad].
    longitude_rad: f64,
    /// Distance from the axis, and from the plane of the equator to the north [au].
    from_axis_au: f64,
    from_equator_au: f64,
}

impl Observer {
    /// The Earth's centre.
    pub const GEOCENTRE: Self =
        Self { longitude_rad: 0.0, from_axis_au: 0.0, from_equator_au: 0.0 };

    /// A place by latitude and east longitude [deg] and height above the ellipsoid [m].
    pub fn at_place(latitude_deg: f64, longitude_deg: f64, height_m: f64) -> Self {
        let (sine, cosine) = latitude_deg.to_radians().sin_cos();
        let curvature = 1.0 / (1.0 - EARTH_E2 * sine * sine).sqrt();
        let height = height_m / EARTH_RADIUS_M;
        Self::at_parallax(
            longitude_deg,
            (curvature + height) * cosine,
            (curvature * (1.0 - EARTH_E2) + height) * sine,
        )
    }

    /// A place by east longitude [deg] and the parallax constants of the Minor Planet Center:
    /// rho cos phi' and rho sin phi' in radii of the Earth's equator.
    pub fn at_parallax(longitude_deg: f64, rho_cos_ratio: f64, rho_sin_ratio: f64) -> Self {
        Self {
            longitude_rad: longitude_deg.to_radians(),
            from_axis_au: rho_cos_ratio * EARTH_RADIUS_AU,
            from_equator_au: rho_sin_ratio * EARTH_RADIUS_AU,
        }
    }

    /// Place from the Earth's centre, axes of the ICRS [au].
    ///
    /// Accuracy: 20 m beside UT1 - UTC, as asserted by `places_agree_with_astropy`.
    pub fn place_au(&self, at: Epoch) -> [f64; 3] {
        let t = (at.mjd_tt() - MJD_J2000) / DAYS_PER_CENTURY;
        let (longitude_rad, obliquity_rad, mean_obliquity_rad) = nutation(t);
        let angle_rad = sidereal_rad(at, t) + longitude_rad * obliquity_rad.cos();
        let (sine, cosine) = (angle_rad + self.longitude_rad).sin_cos();
        let of_date = [self.from_axis_au * cosine, self.from_axis_au * sine, self.from_equator_au];
        // True equator of date -> ecliptic -> mean equator of date -> J2000.
        let ecliptic = about_x(of_date, -obliquity_rad);
        let mean = about_x(about_z(ecliptic, -longitude_rad), mean_obliquity_rad);
        let arcsec = |a: f64, b: f64, c: f64, d: f64| (a + t * (b + t * (c + t * d))) * ARCSEC_RAD;
        let zeta_rad = arcsec(2.650_545, 2_306.083_227, 0.298_849_9, 0.018_018_28);
        let z_rad = arcsec(-2.650_545, 2_306.077_181, 1.092_734_8, 0.018_268_37);
        let theta_rad = arcsec(0.0, 2_004.191_903, -0.429_493_4, -0.041_822_64);
        about_z(about_y(about_z(mean, -z_rad), theta_rad), -zeta_rad)
    }
}

/// Greenwich mean sidereal time [rad] (IAU 2006) with UT1 taken as UTC.
fn sidereal_rad(at: Epoch, t: f64) -> f64 {
    let days = at.mjd_utc() - MJD_J2000;
    let turns = 0.779_057_273_264 + 0.002_737_811_911_354_48 * days + days.rem_euclid(1.0);
    let accumulated_arcsec = 0.014_506 + t * (4_612.156_534 + t * 1.391_581_7);
    turns * std::f64::consts::TAU + accumulated_arcsec * ARCSEC_RAD
}

/// Nutation in longitude, true and mean obliquity [rad]: the terms above 0.1 arcsec (IAU 1980).
fn nutation(t: f64) -> (f64, f64, f64) {
    let node_rad = (125.045 - 1_934.136 * t).to_radians();
    let sun_rad = (2.0 * (280.466 + 36_000.770 * t)).to_radians();
    let moon_rad = (2.0 * (218.317 + 481_267.881 * t)).to_radians();
    let longitude_arcsec = -17.20 * node_rad.sin() - 1.32 * sun_rad.sin() - 0.23 * moon_rad.sin()
        + 0.21 * (2.0 * node_rad).sin();
    let obliquity_arcsec = 9.20 * node_rad.cos() + 0.57 * sun_rad.cos() + 0.10 * moon_rad.cos()
        - 0.09 * (2.0 * node_rad).cos();
    let mean_rad = (84_381.406 - 46.836_769 * t) * ARCSEC_RAD;
    (longitude_arcsec * ARCSEC_RAD, mean_rad + obliquity_arcsec * ARCSEC_RAD, mean_rad)
}

/// A vector turned about an axis by an angle, the axes standing still.
fn about_x(v: [f64; 3], angle_rad: f64) -> [f64; 3] {
    let (s, c) = angle_rad.sin_cos();
    [v[0], c * v[1] - s * v[2], s * v[1] + c * v[2]]
}

fn about_y(v: [f64; 3], angle_rad: f64) -> [f64; 3] {
    let (s, c) = angle_rad.sin_cos();
    [c * v[0] + s * v[2], v[1], c * v[2] - s * v[0]]
}

fn about_z(v: [f64; 3], angle_rad: f64) -> [f64; 3] {
    let (s, c) = angle_rad.sin_cos();
    [c * v[0] - s * v[1], s * v[0] + c * v[1], v[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_agree_with_astropy() {
        // astropy 8.0.2: EarthLocation.from_geodetic(..).get_gcrs_posvel(t) with UT1 = UTC; made
        // once. MJD, latitude, longitude [deg], height [m], place [km].
        let known = [
            (49_786.166_666_666_664, 51.4779, 0.0, 40.0, [-2_695.262, -2_931.488, 4_965.564]),
            (53_278.0, -30.24, -70.74, 2_200.0, [2_612.308, -4_858.492, -3_195.443]),
            (58_568.3, 35.2, -111.66, 2_200.0, [-5_212.567, 41.456, 3_666.880]),
            (61_365.979_166_666_664, 69.65, 18.96, 100.0, [699.723, 2_116.990, 5_955.791]),
        ];
        for (mjd, latitude_deg, longitude_deg, height_m, expected_km) in known {
            let observer = Observer::at_place(latitude_deg, longitude_deg, height_m);
            let found = observer.place_au(Epoch::from_mjd_utc(mjd));
            for (found_au, expected_km) in found.into_iter().zip(expected_km) {
                let off_km: f64 = found_au * 149_597_870.7 - expected_km;
                // Nutation is cut at 0.1 arcsec: 3 m each; the rest is the text's rounding.
                assert!(off_km.abs() < 0.02, "{mjd}: off by {off_km} km");
            }
        }
    }

    #[test]
    fn parallax_constants_and_coordinates_name_the_same_place() {
        // Codes of the Minor Planet Center: 000 Greenwich has 0.62411 and 0.77873.
        let by_code = Observer::at_parallax(0.0, 0.624_11, 0.778_73);
        let by_place = Observer::at_place(51.4774, 0.0, 67.0);
        let at = Epoch::from_mjd_utc(60_000.0);
        for (a, b) in by_code.place_au(at).into_iter().zip(by_place.place_au(at)) {
            assert!((a - b).abs() < 1e-5 * EARTH_RADIUS_AU * 2.0, "{a} {b}");
        }
        assert!(Observer::GEOCENTRE.place_au(at).iter().all(|v| v.abs() < 1e-20));
    }
}
