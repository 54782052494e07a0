//! Simulated objects over three nights among others, and nights without any.

use super::*;
use crate::science::orbit::kepler::{Elements, State};
use crate::science::orbit::place::Sight;
use crate::science::orbit::propagate::propagate;
use crate::science::sky::vector::{displaced, ra_dec_rad};
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

const EPOCH: f64 = 61_000.0;
const ERR_ARCSEC: f64 = 0.12;
/// Half the side of the square field [rad].
const HALF_RAD: f64 = 0.4 * DEG_RAD;

/// A linear congruential generator (Knuth's MMIX) and Gaussian numbers by sums of twelve.
struct Dice(u64);

impl Dice {
    fn even(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn gauss(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

fn observer() -> Observer {
    Observer::at_place(37.2, -2.5, 2_000.0)
}

fn planets() -> Planets {
    Planets::covering(EPOCH - 20.0, EPOCH + 20.0).expect("a span")
}

/// Elements by axis, eccentricity, inclination, node, perihelion and anomaly [au, deg].
fn body(values: [f64; 6]) -> State {
    let [axis_au, eccentricity_ratio, inclination, node, perihelion, anomaly] = values;
    let elements = Elements {
        axis_au,
        eccentricity_ratio,
        inclination_rad: inclination * DEG_RAD,
        node_rad: node * DEG_RAD,
        perihelion_rad: perihelion * DEG_RAD,
        anomaly_rad: anomaly * DEG_RAD,
    };
    elements.state().expect("an ellipse")
}

/// Exact place (RA, Dec) of a body whose state is that of the epoch.
fn place(state: &State, mjd_utc: f64, planets: &Planets) -> (f64, f64) {
    let sight = Sight::new(&observer(), Epoch::from_mjd_utc(mjd_utc), planets);
    let there = propagate(state, EPOCH, sight.mjd_tdb(), planets).expect("a state");
    ra_dec_rad(sight.direction(&there, 0.0).expect("seen"))
}

fn sighting((ra_rad, dec_rad): (f64, f64), mid_mjd_utc: f64, dice: &mut Dice) -> Sighting {
    let err_rad = ERR_ARCSEC * ARCSEC_RAD;
    let (x, y) = (dice.gauss() * err_rad, dice.gauss() * err_rad);
    Sighting { mid_mjd_utc, ra_rad: ra_rad + x / dec_rad.cos(), dec_rad: dec_rad + y, err_rad }
}

fn times(night_mjd: f64) -> [f64; 4] {
    [0.0, 0.022, 0.045, 0.07].map(|t| night_mjd + t)
}

fn square(centre_rad: (f64, f64), half_rad: f64) -> Field {
    Field {
        centre_rad,
        radius_rad: half_rad * std::f64::consts::SQRT_2,
        area_sr: 4.0 * half_rad * half_rad,
    }
}

/// Mean motion of the strangers, to the east and to the north [arcsec/h].
const MEAN_ARCSEC_PER_H: [f64; 2] = [-33.0, 12.0];

/// A candidate anywhere in the field, moving as the belt does or anyhow.
fn stranger(
    id: String,
    (centre, half_rad): ((f64, f64), f64),
    night_mjd: f64,
    dice: &mut Dice,
) -> Unnamed {
    let (x, y) = ((2.0 * dice.even() - 1.0) * half_rad, (2.0 * dice.even() - 1.0) * half_rad);
    let start = displaced(centre, x.hypot(y), x.atan2(y));
    let per_d = 24.0 * ARCSEC_RAD;
    let rate = if dice.even() < 0.7 {
        MEAN_ARCSEC_PER_H.map(|mean| (mean + 5.0 * dice.gauss()) * per_d)
    } else {
        [80.0 * (dice.even() - 0.5) * per_d, 80.0 * (dice.even() - 0.5) * per_d]
    };
    let sightings = times(night_mjd).map(|mjd| {
        let (x, y) = (rate[0] * (mjd - night_mjd), rate[1] * (mjd - night_mjd));
        sighting(displaced(start, x.hypot(y), x.atan2(y)), mjd, dice)
    });
    Unnamed { id, sightings: sightings.to_vec(), mag: Some(20.0 + dice.even()) }
}

/// A night with a body and strangers around it.
fn night(name: &str, mjd: f64, state: &State, n_others: usize, dice: &mut Dice) -> JoinNight {
    let planets = planets();
    let seen = times(mjd).map(|t| sighting(place(state, t, &planets), t, dice));
    let centre = displaced((seen[0].ra_rad, seen[0].dec_rad), 0.2 * HALF_RAD, 1.0);
    let mut unnamed = vec![Unnamed {
        id: format!("{name}-it"),
        sightings: seen.to_vec(),
        mag: Some(20.3 + 0.1 * dice.gauss()),
    }];
    for n in 0..n_others {
        unnamed.push(stranger(format!("{name}-{n}"), (centre, HALF_RAD), mjd, dice));
    }
    JoinNight { night: name.to_owned(), fields: vec![square(centre, HALF_RAD)], unnamed }
}

/// Identifiers of the members of each object.
fn names(nights: &[JoinNight], objects: &[JoinedObject]) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = objects
        .iter()
        .map(|o| o.members.iter().map(|&(n, c)| nights[n].unnamed[c].id.clone()).collect())
        .collect();
    all.sort();
    all
}

#[test]
fn an_object_over_three_nights_is_one_in_any_order_of_nights() {
    // Main belt (near the descending node's opposition and off it), Mars crosser, near-Earth.
    let bodies = [
        ("main belt", [2.6, 0.15, 8.0, 20.0, 50.0, 5.0]),
        ("outer belt", [3.1, 0.08, 14.0, 200.0, 150.0, 40.0]),
        ("Mars crosser", [2.3, 0.36, 6.0, 80.0, 10.0, 10.0]),
        ("near-Earth", [1.6, 0.35, 12.0, 75.0, 5.0, 12.0]),
        ("Trojan", [5.2, 0.05, 10.0, 100.0, 200.0, 120.0]),
    ];
    for (k, (kind, values)) in bodies.into_iter().enumerate() {
        let state = body(values);
        let mut dice = Dice(k as u64 + 1);
        let nights = [("a", 0.0), ("b", 1.02), ("c", 3.05)]
            .map(|(name, d)| night(name, EPOCH + d, &state, 10, &mut dice));
        let rate = Motion::fit(&nights[0].unnamed[0].sightings).expect("moves").speed_rad_per_d();
        let objects = join(&nights, &observer(), &JoinParams::default()).expect("in the span");
        let found = names(&nights, &objects);
        println!("{kind}: {:.3} deg/d, {objects:?}", rate / DEG_RAD);
        assert_eq!(found, [["a-it", "b-it", "c-it"]], "{kind}");
        assert!(objects[0].chance < 1e-3 && objects[0].chi2_reduced < 3.0, "{kind}");
        for order in [[2, 0, 1], [1, 2, 0]] {
            let other = order.map(|i: usize| nights[i].clone());
            let objects = join(&other, &observer(), &JoinParams::default()).expect("in the span");
            assert_eq!(names(&other, &objects), found, "{kind} {order:?}");
        }
    }
}

#[test]
fn magnitude_and_place_must_agree_too() {
    let state = body([2.6, 0.15, 8.0, 20.0, 50.0, 5.0]);
    let mut dice = Dice(77);
    let nights = [("a", 0.0), ("b", 2.0)].map(|(n, d)| night(n, EPOCH + d, &state, 0, &mut dice));
    let joins = |nights: &[JoinNight]| {
        join(nights, &observer(), &JoinParams::default()).expect("in the span").len()
    };
    assert_eq!(joins(&nights), 1);
    let mut bright = nights.clone();
    bright[1].unnamed[0].mag = Some(17.0);
    assert_eq!(joins(&bright), 0);
    // Two arcminutes off the sheet's length, across the motion of the belt.
    let mut beside = nights.clone();
    beside[1].unnamed[0].sightings.iter_mut().for_each(|s| s.dec_rad += 600.0 * ARCSEC_RAD);
    assert_eq!(joins(&beside), 0);
    let mut broken = nights.clone();
    broken[1].unnamed[0].sightings.iter_mut().for_each(|s| s.ra_rad = f64::NAN);
    assert_eq!(joins(&broken), 0);
    assert_eq!(joins(&[]), 0);
}

/// Chances of all joins of strangers in fields that follow their mean motion, and the number of
/// those asked.
fn joins_of_strangers(n_trials: u32, n: usize, half_rad: f64) -> (f64, Vec<f64>) {
    let mut dice = Dice(4242);
    let centre = (1.0, 0.3);
    // Joins at any chance are looked at, so that there are some to count.
    let params = JoinParams { chance_max: 10.0, ..JoinParams::default() };
    let (mut n_asked, mut chances) = (0, Vec::new());
    for trial in 0..n_trials {
        let nights = [("a", 0.0), ("b", 1.0 + f64::from(trial % 3))].map(|(name, days)| {
            let [x, y] = MEAN_ARCSEC_PER_H.map(|mean| mean * 24.0 * ARCSEC_RAD * days);
            let there = displaced(centre, x.hypot(y), x.atan2(y));
            let one =
                |k| stranger(format!("{name}{k}"), (there, half_rad), EPOCH + days, &mut dice);
            JoinNight {
                night: name.to_owned(),
                fields: vec![square(there, half_rad)],
                unnamed: (0..n).map(one).collect(),
            }
        });
        n_asked += nights[0].unnamed.len();
        let objects = join(&nights, &observer(), &params).expect("in the span");
        chances.extend(objects.into_iter().map(|o| o.chance));
    }
    (f64::from(u32::try_from(n_asked).expect("few")), chances)
}

#[test]
fn strangers_are_joined_no_more_often_than_claimed() {
    let slow = std::env::var("AUTOSSOS_SLOW").as_deref() == Ok("1");
    // Eleven in a field as usual, and a crowd in which many must be joined by accident.
    for (n_trials, n, half_rad) in [
        (if slow { 1000 } else { 40 }, 11, HALF_RAD),
        (if slow { 60 } else { 12 }, 40, 0.1 * HALF_RAD),
    ] {
        let (n_asked, chances) = joins_of_strangers(n_trials, n, half_rad);
        println!(
            "{n_trials} trials of {n}: {n_asked} asked, {} joined at any chance",
            chances.len()
        );
        for claimed in [1e-3, 1e-2, 1e-1, 1.0] {
            let found = chances.iter().filter(|c| **c <= claimed).count() as f64;
            let expected = claimed * n_asked;
            println!("  chance <= {claimed}: {found}, claimed {expected:.1}");
            assert!(found <= expected + 3.0 * expected.sqrt() + 1.0, "{claimed}: {found}");
        }
        // The crowd shows that accidents are seen at all.
        assert!(half_rad > 0.5 * HALF_RAD || !chances.is_empty());
    }
}
