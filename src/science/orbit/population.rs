//! Motions on the sky of whole belts of asteroids, seen from Earth at one place.
//!
//! A belt is a distribution of semi-major axis, eccentricity and inclination; mean anomaly, node
//! and perihelion are uniform. How many of its objects are at a point of space is then known in
//! closed form (Kessler 1981, Icarus 48, 39, after Öpik 1951): an orbit (a, e, i) spends
//!
//!   S(r, b) = 1 / (2 pi^3 r a sqrt((sin^2 i - sin^2 b) (r - q) (Q - r)))
//!
//! of its time per volume at the distance r and ecliptic latitude b, and there its velocity is one
//! of four: outwards or inwards, northwards or southwards. So the line of sight is integrated by a
//! fixed sequence of quasi-random points (Halton 1960) without solving any orbit:
//! r = a (1 - e cos E) with E uniform takes away the square root's poles in r, and i drawn beyond
//! the latitude those in b. The Earth's orbit is a circle; the observer sits in its centre.
//!
//! A survey sees the brighter ones: with 10^(alpha H) objects brighter than H, those above its
//! limit at a point are proportional to (r delta)^(-5 alpha); the phase is left out.

use std::f64::consts::PI;

use crate::science::sky::vector::{UnitVector, dot, norm};
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Gaussian gravitational constant: speed on a circular orbit at 1 au [au/d].
const EARTH_SPEED_AU_PER_D: f64 = 0.017_202_098_95;
/// Minutes of a day [min].
const MINUTES_PER_DAY: f64 = 1440.0;
/// Points of the sequence; each gives four velocities.
const POINTS: u64 = 2048;

/// A range of semi-major axes and the share of the population in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zone {
    /// Smallest semi-major axis [au].
    pub a_min_au: f64,
    /// Largest semi-major axis [au].
    pub a_max_au: f64,
    /// Share of the objects, to the same absolute magnitude.
    pub share: f64,
}

/// A belt of asteroids.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Population {
    /// Semi-major axes, uniform in each zone.
    pub zones: &'static [Zone],
    /// Eccentricities follow a Rayleigh distribution of this mode.
    pub eccentricity_spread: f64,
    /// Inclinations follow a Rayleigh distribution of this mode [deg].
    pub inclination_mode_deg: f64,
    /// No object is steeper [deg].
    pub inclination_max_deg: f64,
    /// No object comes nearer to the Sun [au].
    pub perihelion_min_au: f64,
    /// Growth alpha of the number with the absolute magnitude H; 0 sees all of them [dex/mag].
    pub slope_dex_per_mag: f64,
}

/// The main belt between the 4:1 and 2:1 resonances with Jupiter, and what is just beyond.
///
/// Shares, widths: the 1488 objects of H < 11.5 and perihelion > 1.67 au (outside the orbit of
/// Mars) among the asteroids of JPL's small-body database; fainter ones have the same distribution
/// of a and i (Jedicke & Metcalfe 1998). Their root mean squares, over the root of two, are 0.106
/// and 8.5 deg; Rayleigh's quantiles at 10, 50, 90, 99 % are theirs to 0.01 and 1.5 deg.
pub const MAIN_BELT: Population = Population {
    zones: &[
        Zone { a_min_au: 2.10, a_max_au: 2.50, share: 0.10 },
        Zone { a_min_au: 2.50, a_max_au: 2.82, share: 0.29 },
        Zone { a_min_au: 2.82, a_max_au: 3.28, share: 0.57 },
        Zone { a_min_au: 3.28, a_max_au: 3.60, share: 0.04 },
    ],
    eccentricity_spread: 0.106,
    inclination_mode_deg: 8.5,
    inclination_max_deg: 40.0,
    perihelion_min_au: 1.67,
    // 0.3 to 0.5 in the parts of the belt (Jedicke & Metcalfe 1998, Icarus 131, 245).
    slope_dex_per_mag: 0.4,
};

/// What moves slower: Hildas, Trojans of Jupiter, Centaurs, objects beyond Neptune.
///
/// The shares only spread the sample over all distances; they claim nothing about numbers, so the
/// far ones are not seen less. Widths: root mean squares of the Trojans (13 deg) and the objects
/// beyond Neptune (0.16, 13 deg) of the same database.
pub const BEYOND: Population = Population {
    zones: &[
        Zone { a_min_au: 3.7, a_max_au: 4.2, share: 0.15 },
        Zone { a_min_au: 5.0, a_max_au: 5.4, share: 0.45 },
        Zone { a_min_au: 5.4, a_max_au: 12.0, share: 0.15 },
        Zone { a_min_au: 12.0, a_max_au: 30.0, share: 0.1 },
        Zone { a_min_au: 30.0, a_max_au: 50.0, share: 0.15 },
    ],
    eccentricity_spread: 0.1,
    inclination_mode_deg: 13.0,
    inclination_max_deg: 50.0,
    perihelion_min_au: 2.5,
    slope_dex_per_mag: 0.0,
};

/// A place of the sky relative to the Sun, in ecliptic coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SunPlace {
    /// Ecliptic longitude less that of the Sun: 180 deg is opposition [rad].
    pub longitude_rad: f64,
    /// Ecliptic latitude [rad].
    pub latitude_rad: f64,
}

/// A motion of the belt at a place, and how common it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeltRate {
    /// Along the great circle towards growing ecliptic longitude [arcsec/min].
    pub longitude_arcsec_per_min: f64,
    /// Towards the ecliptic's north pole [arcsec/min].
    pub latitude_arcsec_per_min: f64,
    /// Relative number of objects that move so.
    pub weight: f64,
}

/// The motions that a belt's objects show at a place; empty where the belt has none.
pub fn rates_at(place: SunPlace, population: &Population) -> Vec<BeltRate> {
    (1..=POINTS).flat_map(|k| rates_of_point(k, place, population)).collect()
}

/// One point of the sequence: a distance on the line of sight and an orbit through it.
fn rates_of_point(k: u64, place: SunPlace, population: &Population) -> Vec<BeltRate> {
    let a_au = semi_major_axis(halton(k, 2), population.zones);
    let e = population.eccentricity_spread * (-2.0 * (1.0 - halton(k, 3)).ln()).sqrt();
    if a_au * (1.0 - e) < population.perihelion_min_au {
        return Vec::new();
    }
    let (sin_lat, cos_lat) = place.latitude_rad.sin_cos();
    let (sin_lon, cos_lon) = place.longitude_rad.sin_cos();
    let sight: UnitVector = [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat];
    // The Sun is at +x from the Earth. Distance from the Sun r gives that from the Earth, delta.
    let r_au = a_au * (1.0 - e * (PI * halton(k, 5)).cos());
    let cos_elongation = sight[0];
    let depth = (r_au * r_au - (1.0 - cos_elongation * cos_elongation)).sqrt();
    let delta_au = cos_elongation + depth;
    let sun: UnitVector = std::array::from_fn(|j| delta_au * sight[j] - f64::from(j == 0));
    let sin_b = sun[2] / r_au;
    let Some(orbit) = inclined(halton(k, 7), sin_b.asin(), population) else {
        return Vec::new();
    };
    let seen = (r_au * delta_au).powf(-5.0 * population.slope_dex_per_mag);
    let weight = seen * delta_au * delta_au / (a_au * depth) * orbit.weight;
    velocities(a_au, e, sun, orbit.cos_i)
        .into_iter()
        .map(|velocity| seen_from_earth(velocity, place, delta_au, weight))
        .collect()
}

/// Semi-major axis at a share 0..1 of the population [au].
fn semi_major_axis(share: f64, zones: &[Zone]) -> f64 {
    let mut rest = share * zones.iter().map(|zone| zone.share).sum::<f64>();
    let mut a_au = 0.0;
    for zone in zones {
        a_au = zone.a_min_au + (zone.a_max_au - zone.a_min_au) * (rest / zone.share).min(1.0);
        if rest <= zone.share {
            break;
        }
        rest -= zone.share;
    }
    a_au
}

struct Inclined {
    cos_i: f64,
    /// Share of steep enough orbits times 1 / sqrt(sin^2 i - sin^2 b).
    weight: f64,
}

/// An inclination steep enough for a latitude; `None` beyond the belt's steepest.
fn inclined(share: f64, b_rad: f64, population: &Population) -> Option<Inclined> {
    let mode = population.inclination_mode_deg * DEG_RAD;
    // Rayleigh's law beyond b: i^2 = b^2 - 2 mode^2 ln(1 - u); u = w^2 takes the pole at i = b.
    let u = share * share;
    let steep = (-0.5 * (b_rad / mode).powi(2)).exp();
    let i_rad = (b_rad * b_rad - 2.0 * mode * mode * (1.0 - u).ln()).sqrt();
    if i_rad > population.inclination_max_deg * DEG_RAD {
        return None;
    }
    let root = (i_rad.sin().powi(2) - b_rad.sin().powi(2)).sqrt();
    (root > 0.0).then(|| Inclined { cos_i: i_rad.cos(), weight: steep * 2.0 * share / root })
}

/// The four velocities of an orbit through a point [au/d].
fn velocities(a_au: f64, e: f64, place_au: UnitVector, cos_i: f64) -> [UnitVector; 4] {
    let k2 = EARTH_SPEED_AU_PER_D * EARTH_SPEED_AU_PER_D;
    let r = norm(place_au);
    let along = (k2 * a_au * (1.0 - e * e)).sqrt() / r;
    let outwards = (k2 * (2.0 / r - 1.0 / a_au) - along * along).max(0.0).sqrt();
    let (sin_b, sin_l_cos_b, cos_l_cos_b) = (place_au[2] / r, place_au[1] / r, place_au[0] / r);
    let cos_b = sin_l_cos_b.hypot(cos_l_cos_b);
    let (sin_l, cos_l) = (sin_l_cos_b / cos_b, cos_l_cos_b / cos_b);
    let (east, north) = ([-sin_l, cos_l, 0.0], [-sin_b * cos_l, -sin_b * sin_l, cos_b]);
    let cos_course = (cos_i / cos_b).min(1.0);
    let sin_course = (1.0 - cos_course * cos_course).sqrt();
    [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)].map(|(out, up)| {
        std::array::from_fn(|j| {
            out * outwards * place_au[j] / r
                + along * (cos_course * east[j] + up * sin_course * north[j])
        })
    })
}

/// The motion on the sky of an object with a heliocentric velocity [au/d].
fn seen_from_earth(velocity: UnitVector, place: SunPlace, delta_au: f64, weight: f64) -> BeltRate {
    // The Earth stands at -x from the Sun and moves towards -y.
    let relative = [velocity[0], velocity[1] + EARTH_SPEED_AU_PER_D, velocity[2]];
    let (sin_lat, cos_lat) = place.latitude_rad.sin_cos();
    let (sin_lon, cos_lon) = place.longitude_rad.sin_cos();
    let per_min = 1.0 / (delta_au * MINUTES_PER_DAY * ARCSEC_RAD);
    BeltRate {
        longitude_arcsec_per_min: dot(relative, [-sin_lon, cos_lon, 0.0]) * per_min,
        latitude_arcsec_per_min: per_min
            * dot(relative, [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat]),
        weight,
    }
}

/// The k-th number of Halton's sequence in 0..1.
fn halton(k: u64, base: u64) -> f64 {
    let (mut rest, mut step, mut value) = (k, 1.0, 0.0);
    while rest > 0 {
        step /= base as f64;
        value += step * (rest % base) as f64;
        rest /= base;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPPOSITION: SunPlace = SunPlace { longitude_rad: PI, latitude_rad: 0.0 };

    #[test]
    fn circular_orbits_at_opposition_move_as_the_closed_form() {
        // Both move along -y: the object at k / sqrt(a), the Earth at k, a - 1 apart.
        let circle = Population {
            zones: &[Zone { a_min_au: 2.5, a_max_au: 2.5, share: 1.0 }],
            eccentricity_spread: 0.0,
            inclination_mode_deg: 1e-6,
            ..MAIN_BELT
        };
        let k = EARTH_SPEED_AU_PER_D / (MINUTES_PER_DAY * ARCSEC_RAD);
        let expected = k * (1.0 / 2.5_f64.sqrt() - 1.0) / 1.5;
        assert!((expected + 0.604).abs() < 1e-3, "0.6 arcsec/min backwards: {expected}");
        let rates = rates_at(OPPOSITION, &circle);
        assert!(!rates.is_empty());
        for rate in rates {
            assert!((rate.longitude_arcsec_per_min - expected).abs() < 1e-6, "{rate:?}");
            assert!(rate.latitude_arcsec_per_min.abs() < 1e-6, "{rate:?}");
        }
    }

    #[test]
    fn velocities_keep_energy_and_angular_momentum() {
        let (a, e, cos_i) = (2.6, 0.2, 0.9);
        let place: UnitVector = [-1.9, 1.2, 0.5];
        let k2 = EARTH_SPEED_AU_PER_D.powi(2);
        for v in velocities(a, e, place, cos_i) {
            let energy = 0.5 * dot(v, v) - k2 / norm(place);
            assert!((energy / (-0.5 * k2 / a) - 1.0).abs() < 1e-12);
            let h = crate::science::sky::vector::cross(place, v);
            assert!((norm(h) / (k2 * a * (1.0 - e * e)).sqrt() - 1.0).abs() < 1e-12);
            assert!((h[2] / norm(h) - cos_i).abs() < 1e-12);
        }
    }

    #[test]
    fn the_sky_is_the_same_north_and_south_and_where_no_orbit_goes_it_is_empty() {
        let at = |latitude_deg: f64| SunPlace {
            longitude_rad: 2.5,
            latitude_rad: latitude_deg * DEG_RAD,
        };
        let north = rates_at(at(12.0), &MAIN_BELT);
        let south = rates_at(at(-12.0), &MAIN_BELT);
        let mean = |rates: &[BeltRate], of: fn(&BeltRate) -> f64| {
            let total: f64 = rates.iter().map(|r| r.weight).sum();
            rates.iter().map(|r| r.weight * of(r)).sum::<f64>() / total
        };
        let (up, down) = (
            mean(&north, |r| r.latitude_arcsec_per_min),
            mean(&south, |r| r.latitude_arcsec_per_min),
        );
        assert!((up + down).abs() < 1e-9, "{up} {down}");
        assert!(rates_at(at(85.0), &MAIN_BELT).is_empty());
    }

    #[test]
    fn haltons_sequence_in_base_three() {
        let found: Vec<f64> = (1..=4).map(|k| halton(k, 3)).collect();
        for (found, expected) in found.iter().zip([1.0 / 3.0, 2.0 / 3.0, 1.0 / 9.0, 4.0 / 9.0]) {
            assert!((found - expected).abs() < 1e-15);
        }
    }
}
