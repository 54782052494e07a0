//! Nearest places on the sphere, as the seeds match detections with catalogue stars.
//!
//! Places are kept in order of declination: what is near in declination is looked at, and the true
//! separation decides, so that poles and RA 0h are no special cases.

use super::vector::separation_rad;

/// Places on the sky, to be asked for the nearest one.
#[derive(Debug, Clone, Default)]
pub struct SkyIndex {
    /// Declination, right ascension [rad] and the number of the place, in order.
    places: Vec<(f64, f64, usize)>,
}

impl SkyIndex {
    /// Sorts places (RA, Dec) [rad]; those that are not finite are never found.
    pub fn new(places_rad: &[(f64, f64)]) -> Self {
        let finite = places_rad.iter().enumerate();
        let mut places: Vec<(f64, f64, usize)> = finite
            .filter(|(_, (ra, dec))| ra.is_finite() && dec.is_finite())
            .map(|(number, (ra, dec))| (*dec, *ra, number))
            .collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        Self { places }
    }

    /// Number of the nearest place within a radius, that one included, and its separation [rad].
    ///
    /// Of equally near ones the first counts. Several may ask for the same place: the rule of
    /// Automatic-SSOs (../shared/spec/seeds.md 1.6).
    pub fn nearest(&self, at_rad: (f64, f64), radius_rad: f64) -> Option<(usize, f64)> {
        let first = self.places.partition_point(|place| place.0 < at_rad.1 - radius_rad);
        self.places[first..]
            .iter()
            .take_while(|place| place.0 <= at_rad.1 + radius_rad)
            .map(|(dec, ra, number)| (*number, separation_rad(at_rad, (*ra, *dec))))
            .filter(|(_, separation)| *separation <= radius_rad)
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::units::{ARCSEC_RAD, DEG_RAD};

    #[test]
    fn the_nearest_is_found_across_ra_zero_and_at_the_pole() {
        let places = [
            (0.0001 / 3600.0 * DEG_RAD, 0.3),
            (1.0, 0.3 + 0.4 * ARCSEC_RAD),
            (1.0, 0.3 - 0.3 * ARCSEC_RAD),
            (f64::NAN, 0.3),
            (2.0, 90.0 * DEG_RAD - 0.2 * ARCSEC_RAD),
        ];
        let index = SkyIndex::new(&places);
        let near = |ra, dec| index.nearest((ra, dec), ARCSEC_RAD).map(|(i, _)| i);
        assert_eq!(near(std::f64::consts::TAU - 0.1 * ARCSEC_RAD, 0.3), Some(0));
        assert_eq!(near(1.0, 0.3), Some(2));
        assert_eq!(near(1.0, 0.3 + 0.2 * ARCSEC_RAD), Some(1));
        assert_eq!(near(1.0, 0.3 + 1.5 * ARCSEC_RAD), None);
        // Half way round the pole: 0.2 arcsec on either side of it.
        let (found, separation) = index
            .nearest((2.0 + std::f64::consts::PI, 90.0 * DEG_RAD - 0.2 * ARCSEC_RAD), ARCSEC_RAD)
            .expect("near");
        assert!(found == 4 && (separation / ARCSEC_RAD - 0.4).abs() < 1e-6);
    }
}
