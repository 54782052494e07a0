//! One night predicts the next: two-body orbits here, JPL Horizons in `tests/it/ephemeris.rs`.

use super::*;
use crate::science::orbit::kepler::{Arc, Elements};
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

#[test]
fn orbits_of_all_kinds_are_inside_the_region_of_one_night() {
    let observer = Observer::at_place(37.2, -2.5, 2_000.0);
    let planets = Planets::covering(60_980.0, 61_020.0).expect("a span");
    for (axis_au, e, inclination_deg, anomaly_rad) in [
        (2.3, 0.10, 3.0, 0.5),
        (2.7, 0.25, 14.0, 1.9),
        (3.1, 0.05, 9.0, 3.0),
        (1.8, 0.35, 22.0, 0.2),
        (5.2, 0.05, 10.0, 4.0),
        (1.3, 0.30, 6.0, 1.0),
    ] {
        let elements = Elements {
            axis_au,
            eccentricity_ratio: e,
            inclination_rad: inclination_deg * DEG_RAD,
            node_rad: 0.8,
            perihelion_rad: 1.4,
            anomaly_rad,
        };
        let start = elements.state().expect("an ellipse");
        let place = |mid_mjd_utc: f64| {
            let sight = Sight::new(&observer, Epoch::from_mjd_utc(mid_mjd_utc), &planets);
            let arc = Arc::new(&start).expect("an arc");
            let state = arc.at(sight.mjd_tdb() - 61_000.0, &mut 0.0).expect("a state");
            ra_dec_rad(sight.direction(&state, 0.0).expect("seen"))
        };
        let sightings: Vec<Sighting> = (0..5)
            .map(|i| {
                let mid_mjd_utc = 61_000.0 + 0.02 * f64::from(i);
                let (ra_rad, dec_rad) = place(mid_mjd_utc);
                Sighting { mid_mjd_utc, ra_rad, dec_rad, err_rad: 0.1 * ARCSEC_RAD }
            })
            .collect();
        let arcs = VaisalaArcs::new(&sightings, &observer, &planets).expect("arcs");
        let mut last = 0.0;
        for days in [1.0, 3.0, 10.0] {
            let mjd = 61_000.04 + days;
            let region = arcs.region((mjd, 0.02), &observer, &planets).expect("a region");
            let outside = region.distance_rad(place(mjd)) / ARCSEC_RAD;
            assert!(region.contains(place(mjd)), "{axis_au} {e} {days}: {outside}");
            assert!(region.middle().err_rad > last);
            last = region.middle().err_rad;
            // A place three degrees away is not.
            let (ra_rad, dec_rad) = place(mjd);
            assert!(axis_au < 1.5 || !region.contains((ra_rad, dec_rad + 3.0 * DEG_RAD)));
        }
    }
}
