//! Orbits known in closed form come back from their places.

use super::*;
use crate::science::orbit::kepler::Elements;
use crate::science::sky::vector::{ra_dec_rad, separation_rad};
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Places of a two-body orbit, exact, at the times [MJD UTC].
fn places(
    elements: &Elements,
    epoch_mjd: f64,
    times: &[f64],
    observer: &Observer,
) -> Vec<Sighting> {
    let planets = Planets::covering(epoch_mjd - 30.0, epoch_mjd + 30.0).expect("a span");
    let start = elements.state().expect("an ellipse");
    times
        .iter()
        .map(|&mid_mjd_utc| {
            let sight = Sight::new(observer, Epoch::from_mjd_utc(mid_mjd_utc), &planets);
            let days = sight.mjd_tdb() - epoch_mjd;
            let state = Arc::new(&start).expect("arc").at(days, &mut 0.0).expect("state");
            let u = sight.direction(&state, 0.0).expect("seen");
            let (ra_rad, dec_rad) = ra_dec_rad(u);
            Sighting { mid_mjd_utc, ra_rad, dec_rad, err_rad: 0.05 * ARCSEC_RAD }
        })
        .collect()
}

fn main_belt() -> Elements {
    Elements {
        axis_au: 2.6,
        eccentricity_ratio: 0.15,
        inclination_rad: 8.0 * DEG_RAD,
        node_rad: 1.0,
        perihelion_rad: 2.0,
        anomaly_rad: 0.7,
    }
}

#[test]
fn attributables_are_what_the_observer_sees() {
    let observer = Observer::at_place(37.2, -2.5, 2_000.0);
    let times: Vec<f64> = (0..5).map(|i| 61_000.0 + 0.02 * f64::from(i)).collect();
    let seen = places(&main_belt(), 61_000.0, &times, &observer);
    let planets = Planets::covering(60_980.0, 61_020.0).expect("a span");
    let motion = Motion::fit(&seen).expect("a motion");
    let origin = Origin::new(&motion, &observer, &planets);
    let [x, y] = motion.rate_rad_per_d;
    let (state, mjd) = origin.state(&[0.0, 0.0, x, y, 0.5, 0.001]);
    let sight = Sight::new(&observer, Epoch::from_mjd_utc(motion.mean_mjd_utc), &planets);
    let found = sight.see(&state, sight.mjd_tdb() - mjd).expect("seen");
    let off = separation_rad((found.ra_rad, found.dec_rad), (motion.ra_rad, motion.dec_rad));
    // The Sun's motion about the barycentre within the light time: 1e-7 au.
    assert!(off < 0.05 * ARCSEC_RAD, "{}", off / ARCSEC_RAD);
    assert!((found.distance_au / 0.5_f64.exp() - 1.0).abs() < 1e-6);
    let rate_rad_per_d = found.east_arcsec_per_h * 24.0 * ARCSEC_RAD;
    // The rate is of the time of emission: 1 + rho'/c.
    assert!((rate_rad_per_d / x - 1.0).abs() < 1e-4);
}

#[test]
fn three_nights_give_the_orbit_back() {
    let observer = Observer::at_place(37.2, -2.5, 2_000.0);
    let night = |day: f64| -> Vec<Sighting> {
        let times: Vec<f64> = (0..4).map(|i| day + 0.03 * f64::from(i)).collect();
        places(&main_belt(), 61_000.0, &times, &observer)
    };
    let planets = Planets::covering(60_970.0, 61_030.0).expect("a span");
    let all = [night(61_000.0), night(61_002.0), night(61_005.0)];
    let sights: Vec<NightSights> =
        all.iter().map(|n| NightSights::new(n, 8, (&observer, &planets))).collect();
    let nights: Vec<&NightSights> = sights.iter().collect();
    let motion = Motion::fit(&all[0]).expect("a motion");
    let origin = Origin::new(&motion, &observer, &planets);
    let problem = ArcFit { origin: &origin, nights: &nights, planets: &planets, pull: Pull::Sun };
    let [x, y] = motion.rate_rad_per_d;
    let fitted = problem.fit(&[0.0, 0.0, x, y, 0.4, 0.0], Free::All).expect("a fit");
    assert!(fitted.chi2 < 1.0 && fitted.n_sightings == 12, "{}", fitted.chi2);
    let (state, mjd) = origin.state(&fitted.seen);
    let start = main_belt().state().expect("an ellipse");
    let truth = Arc::new(&start).expect("arc").at(mjd - 61_000.0, &mut 0.0).expect("state");
    let sight = Sight::new(&observer, Epoch::from_mjd_utc(61_000.0), &planets);
    let distance = |s: &State| sight.see(s, 0.0).expect("seen").distance_au;
    let off = distance(&state) - distance(&truth);
    let err = fitted.covariance[4][4].sqrt() * distance(&truth);
    assert!(off.abs() < 3.0 * err && err < 0.2, "{off} +- {err}");
    assert!(is_bound(&state));
}

#[test]
fn what_is_no_orbit_is_no_fit() {
    let observer = Observer::GEOCENTRE;
    let planets = Planets::covering(60_990.0, 61_010.0).expect("a span");
    let seen = places(&main_belt(), 61_000.0, &[61_000.0, 61_000.1], &observer);
    let night = NightSights::new(&seen, 8, (&observer, &planets));
    let motion = Motion::fit(&seen).expect("a motion");
    let origin = Origin::new(&motion, &observer, &planets);
    let nights = [&night];
    let problem = ArcFit { origin: &origin, nights: &nights, planets: &planets, pull: Pull::Sun };
    assert!(problem.fit(&[f64::NAN; 6], Free::All).is_none());
    // A rate of 10 deg/d at 5 au is faster than the Sun can hold.
    let fast = [0.0, 0.0, 10.0 * DEG_RAD, 0.0, 5.0_f64.ln(), 0.0];
    assert_eq!(origin.distance_rates(&fast), None);
}
