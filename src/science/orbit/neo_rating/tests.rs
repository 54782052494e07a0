//! The belt is low, fast objects are high, slow ones are beyond; axes and errors.

use super::*;

/// New Year 2025, 0h UTC: the Sun is at ecliptic longitude 280.7 deg (Astronomical Almanac).
const NEW_YEAR: Epoch = Epoch::from_mjd_utc(60_676.0);

/// The direction (RA, Dec) [rad] at a longitude from the Sun and a latitude [deg].
fn at_sun_place(from_sun_deg: f64, latitude_deg: f64) -> (f64, f64) {
    let (sun, _) = to_ecliptic(unit_vector_of(sun_place_rad(NEW_YEAR)));
    let v = unit_vector(sun + from_sun_deg * DEG_RAD, latitude_deg * DEG_RAD);
    let axes = ecliptic_axes();
    crate::science::sky::vector::ra_dec_rad(std::array::from_fn(|k| {
        (0..3).map(|j| v[j] * axes[j][k]).sum()
    }))
}

/// The rating of a motion along and across the ecliptic [arcsec/min].
fn rated(from_sun_deg: f64, latitude_deg: f64, velocity: (f64, f64)) -> NeoRating {
    let place = at_sun_place(from_sun_deg, latitude_deg);
    let (east, north) = east_north(place.0, place.1);
    let (longitude, latitude) = to_ecliptic(unit_vector_of(place));
    let (along, up) = east_north(longitude, latitude);
    let axes = ecliptic_axes();
    let v: UnitVector = std::array::from_fn(|k| {
        (0..3).map(|j| (velocity.0 * along[j] + velocity.1 * up[j]) * axes[j][k]).sum()
    });
    let motion = SkyMotion {
        east_arcsec_per_min: dot(v, east),
        north_arcsec_per_min: dot(v, north),
        err_arcsec_per_min: 0.005,
    };
    NeoRater::default().rate(NEW_YEAR, place, &motion).expect("well measured")
}

#[test]
fn the_belt_at_opposition_is_low_and_a_fast_object_is_at_the_top() {
    // Circular orbits at 2.3 and 3.1 au go back by 0.65 and 0.51 arcsec/min (closed form, see
    // `population`).
    for along in [-0.65, -0.6, -0.55, -0.51] {
        let found = rated(180.0, 0.0, (along, 0.02));
        assert!(found.rating < 20.0, "{along}: {found:?}");
        assert_eq!(found.like, Like::MainBelt);
        assert!((found.sun_distance_deg - 180.0).abs() < 1e-6);
    }
    for velocity in [(3.0, 0.0), (-3.0, 0.0), (0.0, 2.0), (-0.6, 1.2), (0.6, 0.0)] {
        let found = rated(180.0, 0.0, velocity);
        assert!(found.rating > 99.0, "{velocity:?}: {found:?}");
    }
}

#[test]
fn the_rating_grows_away_from_the_belt() {
    let mut last = 0.0;
    for along in [-0.62, -0.8, -0.9, -1.0, -1.2, -1.5] {
        let found = rated(180.0, 0.0, (along, 0.0)).rating;
        assert!(found >= last, "{along}: {found} after {last}");
        last = found;
    }
    assert!(last > 99.0, "{last}");
}

#[test]
fn slow_objects_are_beyond_and_not_near() {
    // Circular orbits at 5.2 and 39.5 au: -0.328 and -0.054 arcsec/min by the same closed form.
    for along in [-0.328, -0.054] {
        let found = rated(180.0, 0.0, (along, 0.0));
        assert!(found.rating < 50.0, "{along}: {found:?}");
        assert_eq!(found.like, Like::Beyond);
    }
}

#[test]
fn the_same_motion_means_another_thing_at_another_place() {
    // Near quadrature the belt has turned to direct motion: 0.6 backwards is never seen there.
    assert!(rated(180.0, 0.0, (-0.6, 0.0)).rating < 20.0);
    assert!(rated(75.0, 0.0, (-0.6, 0.0)).rating > 99.0);
    assert!(rated(75.0, 0.0, (0.9, 0.1)).rating < 40.0);
    assert!(rated(285.0, 0.0, (0.9, 0.1)).rating < 40.0);
}

#[test]
fn poor_motions_are_not_rated_and_blurred_ones_are_rated_lower() {
    let place = at_sun_place(180.0, 0.0);
    let mut rater = NeoRater::default();
    let mut rate = |speed, err| {
        rater.rate(NEW_YEAR, place, &SkyMotion::of(speed, 275.0, err)).map(|found| found.rating)
    };
    assert_eq!(rate(0.6, 0.2), None);
    assert_eq!(rate(f64::NAN, 0.01), None);
    assert!(rate(9.0, 0.5).is_some_and(|found| found > 99.0));
    let (sharp, blurred) = (rate(0.85, 0.005), rate(0.85, 0.099));
    assert!(sharp > blurred, "{sharp:?} {blurred:?}");
}

#[test]
fn axes_of_the_ecliptic_turn_places_and_motions_alike() {
    // The summer solstice: longitude 90 deg is RA 6h, Dec = obliquity; east is along there.
    let place = (90.0 * DEG_RAD, OBLIQUITY_DEG * DEG_RAD);
    let (longitude, latitude) = to_ecliptic(unit_vector_of(place));
    assert!((longitude - 90.0 * DEG_RAD).abs() < 1e-12 && latitude.abs() < 1e-12);
    let (along, up) = ecliptic_motion(place, &SkyMotion::of(1.0, 90.0, 0.0));
    assert!((along - 1.0).abs() < 1e-12 && up.abs() < 1e-12);
    // The vernal equinox: the ecliptic climbs north by the obliquity.
    let (along, up) = ecliptic_motion((0.0, 0.0), &SkyMotion::of(1.0, 90.0 - OBLIQUITY_DEG, 0.0));
    assert!((along - 1.0).abs() < 1e-12 && up.abs() < 1e-12);
}
