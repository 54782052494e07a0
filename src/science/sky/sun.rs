//! Where the Sun stands over a site: for the ends of nights, not for astrometry.
//!
//! The Sun's apparent place to 0.01 deg, Meeus, "Astronomical Algorithms" (2nd edition, 1998),
//! chapter 25 (low accuracy); sidereal time of his equation 12.4. UT1 and TT are taken as UTC
//! (0.004 deg and 0.0008 deg at most), parallax (0.0024 deg) and refraction are left out.

use crate::science::time::Epoch;

/// MJD of J2000.0 [d].
const MJD_J2000: f64 = 51_544.5;
/// Days of a Julian century [d].
const DAYS_PER_CENTURY: f64 = 36_525.0;

/// Altitude of the Sun's centre above the horizon, without refraction [deg].
///
/// * `latitude_deg`: north positive; `longitude_deg`: east positive.
///
/// Accuracy: 0.02 deg from 1950 to 2100, as asserted by `altitudes_agree_with_astropy`.
pub fn sun_altitude_deg(at: Epoch, latitude_deg: f64, longitude_deg: f64) -> f64 {
    let (ra_rad, dec_rad) = sun_place_rad(at);
    let hour_angle_rad = (mean_sidereal_deg(at) + longitude_deg).to_radians() - ra_rad;
    let (sin_latitude, cos_latitude) = latitude_deg.to_radians().sin_cos();
    let (sin_dec, cos_dec) = dec_rad.sin_cos();
    let sine = sin_latitude * sin_dec + cos_latitude * cos_dec * hour_angle_rad.cos();
    sine.clamp(-1.0, 1.0).asin().to_degrees()
}

/// Julian centuries since J2000.0.
fn centuries(at: Epoch) -> f64 {
    (at.mjd_utc() - MJD_J2000) / DAYS_PER_CENTURY
}

/// Apparent right ascension and declination of the Sun [rad], equinox of date; symbols and numbers
/// of chapter 25.
pub fn sun_place_rad(at: Epoch) -> (f64, f64) {
    let t = centuries(at);
    let mean_longitude_deg = 280.466_46 + t * (36_000.769_83 + t * 0.000_303_2);
    let anomaly_rad = (357.529_11 + t * (35_999.050_29 - t * 0.000_153_7)).to_radians();
    let centre_deg = (1.914_602 - t * (0.004_817 + t * 0.000_014)) * anomaly_rad.sin()
        + (0.019_993 - t * 0.000_101) * (2.0 * anomaly_rad).sin()
        + 0.000_289 * (3.0 * anomaly_rad).sin();
    // The Moon's ascending node: nutation.
    let node_rad = (125.04 - 1934.136 * t).to_radians();
    // 0.00569 deg is the aberration.
    let longitude_rad =
        (mean_longitude_deg + centre_deg - 0.005_69 - 0.004_78 * node_rad.sin()).to_radians();
    let obliquity_rad = (23.439_291 - 0.013_004 * t + 0.002_56 * node_rad.cos()).to_radians();
    let (sine, cosine) = longitude_rad.sin_cos();
    ((obliquity_rad.cos() * sine).atan2(cosine), (obliquity_rad.sin() * sine).asin())
}

/// Mean sidereal time at Greenwich [deg] (equation 12.4 without its last terms, 0.0004 deg).
pub fn mean_sidereal_deg(at: Epoch) -> f64 {
    let days = at.mjd_utc() - MJD_J2000;
    (280.460_618_37 + 360.985_647_366_29 * days).rem_euclid(360.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn altitudes_agree_with_astropy() {
        // astropy 8.0.2: get_body("sun", t, site), AltAz with pressure = 0, height 0; made once.
        // Year, month, day, hour, minute (UTC), latitude, longitude, altitude [deg].
        let known = [
            (1950, 1, 1, 0, 0, 51.4779, 0.0, -61.5872),
            (1962, 6, 21, 12, 0, -33.27, 149.06, -60.8692),
            (1975, 3, 20, 18, 30, 37.98, -2.57, -2.5086),
            (1988, 12, 22, 5, 15, 69.65, 18.96, -19.1663),
            (2000, 1, 1, 12, 0, 0.0, 0.0, 66.9528),
            (2008, 9, 22, 6, 45, -30.24, -70.74, -46.9817),
            (2016, 2, 29, 4, 0, 19.82, -155.47, 5.3402),
            (2024, 6, 20, 23, 59, 69.65, 18.96, 4.0078),
            (2026, 3, 1, 17, 42, 46.68, 7.87, -5.5797),
            (2035, 10, 15, 20, 10, -43.99, 170.46, 24.9876),
            (2060, 7, 4, 9, 30, 89.9, 0.0, 22.8560),
            (2099, 12, 31, 15, 20, -75.1, 123.35, 8.2456),
        ];
        for (year, month, day, hour, minute, latitude_deg, longitude_deg, expected_deg) in known {
            let at = Epoch::from_date(year, month, day, f64::from(hour * 3600 + minute * 60));
            let found_deg = sun_altitude_deg(at, latitude_deg, longitude_deg);
            let difference_deg: f64 = found_deg - expected_deg;
            // The sum of what the method leaves out, see the head of this file.
            assert!(difference_deg.abs() < 0.02, "{year}: {found_deg} against {expected_deg}");
        }
    }

    #[test]
    fn wrong_places_give_no_wrong_number() {
        let at = Epoch::from_date(2026, 3, 1, 0.0);
        assert!(sun_altitude_deg(at, f64::NAN, 0.0).is_nan());
        assert!(sun_altitude_deg(at, 90.0, 0.0).is_finite());
    }
}
