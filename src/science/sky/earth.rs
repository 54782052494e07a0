//! Where the Earth is, for the parallax of stars.
//!
//! Mean Keplerian orbits of the Earth-Moon barycentre and of the four planets that move the Sun
//! most (Standish & Williams, "Approximate positions of the planets", table 1, JPL Solar System
//! Dynamics; valid 1800-2050, fair for decades beyond). The Earth is taken to be at its
//! barycentre with the Moon (off by 3e-5 au at most).

use crate::science::units::DEG_RAD;

/// Obliquity of the ecliptic of J2000 [deg].
const OBLIQUITY_DEG: f64 = 23.439_291_1;
/// Steps of Newton's method for Kepler's equation; three give 1e-12 at these eccentricities.
const KEPLER_STEPS: usize = 4;

/// An orbit: values at J2000 and their rates per Julian century.
struct Orbit {
    /// Mass of the Sun in units of the planet's.
    sun_mass_ratio: f64,
    /// Semi-major axis [au].
    axis_au: (f64, f64),
    /// Eccentricity.
    eccentricity: (f64, f64),
    /// Inclination to the ecliptic [deg].
    inclination_deg: (f64, f64),
    /// Mean longitude [deg].
    longitude_deg: (f64, f64),
    /// Longitude of the perihelion [deg].
    perihelion_deg: (f64, f64),
    /// Longitude of the ascending node [deg].
    node_deg: (f64, f64),
}

/// The barycentre of Earth and Moon.
const EARTH: Orbit = Orbit {
    sun_mass_ratio: 328_900.56,
    axis_au: (1.000_002_61, 0.000_005_62),
    eccentricity: (0.016_711_23, -0.000_043_92),
    inclination_deg: (-0.000_015_31, -0.012_946_68),
    longitude_deg: (100.464_571_66, 35_999.372_449_81),
    perihelion_deg: (102.937_681_93, 0.323_273_64),
    node_deg: (0.0, 0.0),
};

/// Jupiter, Saturn, Uranus and Neptune: together they move the Sun by up to 0.01 au.
const GIANTS: [Orbit; 4] = [
    Orbit {
        sun_mass_ratio: 1_047.348_6,
        axis_au: (5.202_887_00, -0.000_116_07),
        eccentricity: (0.048_386_24, -0.000_132_53),
        inclination_deg: (1.304_396_95, -0.001_837_14),
        longitude_deg: (34.396_440_51, 3_034.746_127_75),
        perihelion_deg: (14.728_479_83, 0.212_526_68),
        node_deg: (100.473_909_09, 0.204_691_06),
    },
    Orbit {
        sun_mass_ratio: 3_497.898,
        axis_au: (9.536_675_94, -0.001_250_60),
        eccentricity: (0.053_861_79, -0.000_509_91),
        inclination_deg: (2.485_991_87, 0.001_936_09),
        longitude_deg: (49.954_244_23, 1_222.493_622_01),
        perihelion_deg: (92.598_878_31, -0.418_972_16),
        node_deg: (113.662_424_48, -0.288_677_94),
    },
    Orbit {
        sun_mass_ratio: 22_902.98,
        axis_au: (19.189_164_64, -0.001_961_76),
        eccentricity: (0.047_257_44, -0.000_043_97),
        inclination_deg: (0.772_637_83, -0.002_429_39),
        longitude_deg: (313.238_104_51, 428.482_027_85),
        perihelion_deg: (170.954_276_30, 0.408_052_81),
        node_deg: (74.016_925_03, 0.042_405_89),
    },
    Orbit {
        sun_mass_ratio: 19_412.24,
        axis_au: (30.069_922_76, 0.000_262_91),
        eccentricity: (0.008_590_48, 0.000_051_05),
        inclination_deg: (1.770_043_47, 0.000_353_72),
        longitude_deg: (-55.120_029_69, 218.459_453_25),
        perihelion_deg: (44.964_762_27, -0.322_414_64),
        node_deg: (131.784_225_74, -0.005_086_64),
    },
];

/// The Earth's place from the barycentre of the Solar System at an epoch [Julian year], in the
/// directions of the ICRS [au].
///
/// Accuracy: 5e-4 au from 1995 to 2046, as asserted by `places_agree_with_astropy`: that is 0.4 mas
/// for a parallax of 0.8 arcsec.
pub fn earth_au(epoch_yr: f64) -> [f64; 3] {
    let centuries = (epoch_yr - 2000.0) / 100.0;
    let earth = EARTH.place_au(centuries);
    let mut sun = [0.0; 3];
    for planet in &GIANTS {
        let place = planet.place_au(centuries);
        for (s, p) in sun.iter_mut().zip(place) {
            *s -= p / (1.0 + planet.sun_mass_ratio);
        }
    }
    let (x, y, z) = (earth[0] + sun[0], earth[1] + sun[1], earth[2] + sun[2]);
    let (sine, cosine) = (OBLIQUITY_DEG * DEG_RAD).sin_cos();
    [x, y * cosine - z * sine, y * sine + z * cosine]
}

impl Orbit {
    /// Place from the Sun in the ecliptic of J2000 [au].
    fn place_au(&self, centuries: f64) -> [f64; 3] {
        let at = |(value, rate): (f64, f64)| value + rate * centuries;
        let eccentricity = at(self.eccentricity);
        let perihelion_rad = at(self.perihelion_deg) * DEG_RAD;
        let node_rad = at(self.node_deg) * DEG_RAD;
        let anomaly_rad = at(self.longitude_deg) * DEG_RAD - perihelion_rad;
        // Kepler's equation E - e sin E = M.
        let mut eccentric_rad = anomaly_rad + eccentricity * anomaly_rad.sin();
        for _ in 0..KEPLER_STEPS {
            let off = eccentric_rad - eccentricity * eccentric_rad.sin() - anomaly_rad;
            eccentric_rad -= off / (1.0 - eccentricity * eccentric_rad.cos());
        }
        let axis_au = at(self.axis_au);
        let along = axis_au * (eccentric_rad.cos() - eccentricity);
        let across = axis_au * (1.0 - eccentricity * eccentricity).sqrt() * eccentric_rad.sin();
        let (sin_w, cos_w) = (perihelion_rad - node_rad).sin_cos();
        let (sin_n, cos_n) = node_rad.sin_cos();
        let (sin_i, cos_i) = (at(self.inclination_deg) * DEG_RAD).sin_cos();
        // In the plane of the orbit from the node, then tilted and turned.
        let (u, v) = (along * cos_w - across * sin_w, along * sin_w + across * cos_w);
        [u * cos_n - v * cos_i * sin_n, u * sin_n + v * cos_i * cos_n, v * sin_i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_agree_with_astropy() {
        // astropy 8.0.2: get_body_barycentric("earth", Time(.., format="jyear", scale="tdb")),
        // built-in ephemeris; made once.
        let known = [
            (1995.1, [-0.729_207, 0.617_174, 0.267_596]),
            (2000.0, [-0.184_272, 0.884_782, 0.383_820]),
            (2008.33, [-0.762_097, -0.600_918, -0.260_578]),
            (2016.0, [-0.171_633, 0.889_072, 0.385_247]),
            (2019.2314, [-0.994_321, -0.081_488, -0.035_366]),
            (2026.75, [0.989_114, 0.129_255, 0.056_123]),
            (2034.5, [0.177_456, -0.921_082, -0.399_099]),
            (2045.9, [0.444_692, 0.808_912, 0.350_659]),
        ];
        for (epoch_yr, expected) in known {
            let found = earth_au(epoch_yr);
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 5e-4, "{epoch_yr}: {found:?} against {expected:?}");
            }
        }
    }
}
