//! The known bodies of a night against the exact propagation.

use std::f64::consts::TAU;

use super::*;
use crate::science::orbit::kepler::Elements;
use crate::science::units::wrap_positive_rad;

/// MJD of the night's begin.
const NIGHT_MJD: f64 = 61_000.2;

fn night() -> (Epoch, Epoch) {
    (Epoch::from_mjd_utc(NIGHT_MJD), Epoch::from_mjd_utc(NIGHT_MJD + 0.4))
}

/// Orbits of all kinds, spread by a fixed sequence (Weyl); every fifth comes near the Earth.
fn bodies(n: usize) -> Vec<KnownBody> {
    let spread = |k: usize, step: f64| (k as f64 * step).fract();
    (0..n)
        .map(|k| {
            let near = k % 5 == 0;
            let elements = Elements {
                axis_au: if near {
                    1.0 + 0.3 * spread(k, 0.754_877)
                } else {
                    2.0 + 2.0 * spread(k, 0.569_840)
                },
                eccentricity_ratio: 0.4 * spread(k, 0.819_173),
                inclination_rad: if k % 3 == 0 { 1.6 } else { 0.3 } * spread(k, 0.671_044),
                node_rad: TAU * spread(k, 0.549_700),
                perihelion_rad: TAU * spread(k, 0.450_318),
                anomaly_rad: TAU * spread(k, 0.618_034),
            };
            KnownBody {
                mjd_tdb: 60_992.0,
                state: elements.state().expect("an ellipse"),
                growth: Growth { runoff_arcsec_per_d: 0.5 * (k % 7) as f64, since_mjd: 60_700.0 },
            }
        })
        .collect()
}

#[test]
fn a_circle_gives_what_looking_at_every_body_gives() {
    let all = bodies(3_000);
    let params = KnownParams::default();
    let known = KnownNight::new(night(), params, all.len(), |k| Some(all[k])).expect("a night");
    let observer = Observer::at_place(-30.2, -70.7, 2_200.0);
    let mut n_found = 0;
    let circles = [
        ((0.001, 0.1), 0.05),
        ((6.27, -0.3), 0.2),
        ((3.0, 1.5), 0.2),
        ((2.0, -1.55), 0.1),
        ((1.2, 0.4), 0.02),
        ((4.4, -0.2), 1.0),
    ];
    for (centre_rad, radius_rad) in circles {
        for at in [NIGHT_MJD, NIGHT_MJD + 0.31] {
            let at = Epoch::from_mjd_utc(at);
            let found = known.within(centre_rad, radius_rad, &observer, at).expect("in the night");
            let sight = Sight::new(&observer, at, known.planets());
            let expected: Vec<u32> = (0..all.len())
                .filter(|k| {
                    let body = &all[*k];
                    let to = sight.mjd_tdb();
                    let state = propagate(&body.state, body.mjd_tdb, to, known.planets());
                    let seen = sight.see(&state.expect("a state"), 0.0).expect("seen");
                    let err = body.growth.error_arcsec(to, seen.sun_distance_au, seen.distance_au);
                    let apart_rad = separation_rad(centre_rad, (seen.ra_rad, seen.dec_rad));
                    err <= params.error_max_arcsec && apart_rad <= radius_rad + err * ARCSEC_RAD
                })
                .map(|k| k as u32)
                .collect();
            let found: Vec<u32> = found.iter().map(|known| known.index).collect();
            assert_eq!(found, expected, "{centre_rad:?}");
            n_found += found.len();
        }
    }
    // The circles cover a tenth of the sky.
    assert!(n_found > 200, "{n_found}");
    assert!(
        known.counts().0 <= all.len() && known.counts().1 < all.len() / 5,
        "{:?}",
        known.counts()
    );
}

#[test]
fn lost_bodies_are_left_out_and_other_nights_refused() {
    let mut all = bodies(20);
    all.iter_mut().for_each(|body| body.growth.runoff_arcsec_per_d = 0.01);
    all[3].growth.runoff_arcsec_per_d = 100.0;
    all[4].state.place_au = [f64::NAN; 3];
    all[5].mjd_tdb = 60_000.0;
    let body = |k: usize| (k != 6).then(|| all[k]);
    let known = KnownNight::new(night(), KnownParams::default(), all.len(), body).expect("a night");
    assert_eq!(known.counts().0, 16);
    let within = |mjd| {
        known
            .within((0.0, 0.0), 4.0, &Observer::GEOCENTRE, Epoch::from_mjd_utc(mjd))
            .map(|f| f.len())
    };
    assert_eq!(within(NIGHT_MJD + 0.2), Ok(16));
    assert!(matches!(within(NIGHT_MJD + 1.0), Err(KnownError::Outside { .. })));
    let (first, last) = night();
    for span in [(last, first), (first, first.plus_seconds(4.0 * 86_400.0))] {
        let night = KnownNight::new(span, KnownParams::default(), 0, |_| None);
        assert!(matches!(night, Err(KnownError::Span { .. })));
    }
}

#[test]
fn ranges_of_right_ascension_cross_zero_and_hold_poles() {
    let width = half_width_rad(1.0, 0.1);
    // The circle touches the meridian where sin(width) = sin(radius) / cos(dec).
    assert!((width.sin() - 0.1_f64.sin() / 1.0_f64.cos()).abs() < 1e-5);
    assert!((half_width_rad(1.5, 0.1) - std::f64::consts::PI).abs() < 1e-12);
    for ra_rad in [0.01, 3.0, 6.27] {
        let ranges = ra_ranges(ra_rad, 0.1);
        let holds = |ra: f64| ranges.iter().any(|(from, to)| (*from..=*to).contains(&ra));
        assert!(holds(wrap_positive_rad(ra_rad + 0.09)) && holds(wrap_positive_rad(ra_rad - 0.09)));
        assert!(!holds(wrap_positive_rad(ra_rad + 0.11)));
    }
}
