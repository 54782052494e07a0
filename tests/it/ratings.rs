//! Ratings against real objects, their places by JPL Horizons, and against simulated nights.

use std::collections::BTreeMap;
use std::path::PathBuf;

use autossos::config::Config;
use autossos::ops::Silent;
use autossos::ops::run::run_night;
use autossos::pipeline::artifact::report::NightReport;
use autossos::science::orbit::neo_rating::{NeoRater, SkyMotion};
use autossos::science::simulate::{Scenario, Truth};
use autossos::science::sky::sun::sun_place_rad;
use autossos::science::sky::vector::{offset_rad, ra_dec_rad, separation_rad, unit_vector};
use autossos::science::time::Epoch;
use autossos::science::units::{ARCSEC_RAD, DEG_RAD};

use crate::simulated::{NightOnDisk, mover_of};

/// A place of an object by Horizons.
struct Row {
    mjd_utc: f64,
    place_rad: (f64, f64),
    elongation_deg: f64,
}

/// The rows per object; `None` without the data.
fn ephemerides() -> Option<BTreeMap<String, Vec<Row>>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/ephemeris");
    let text = std::fs::read_to_string(path.join("horizons.csv")).ok()?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut objects: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("a table");
        let number = |i: usize| row[i].parse::<f64>().expect("a number");
        objects.entry(row[0].to_owned()).or_default().push(Row {
            mjd_utc: number(1),
            place_rad: (number(5) * DEG_RAD, number(6) * DEG_RAD),
            elongation_deg: number(13),
        });
    }
    Some(objects)
}

/// Ratings of consecutive rows less than two hours apart, seen in the night sky.
fn ratings(rows: &[Row], rater: &mut NeoRater) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    for pair in rows.windows(2) {
        let minutes = (pair[1].mjd_utc - pair[0].mjd_utc) * 1440.0;
        if minutes <= 0.0 || minutes > 120.0 || pair[0].elongation_deg < 60.0 {
            continue;
        }
        let (east, north) = offset_rad(pair[0].place_rad, pair[1].place_rad);
        let motion = SkyMotion {
            east_arcsec_per_min: east / ARCSEC_RAD / minutes,
            north_arcsec_per_min: north / ARCSEC_RAD / minutes,
            err_arcsec_per_min: 0.01,
        };
        let at = Epoch::from_mjd_utc(pair[0].mjd_utc);
        let rated = rater.rate(at, pair[0].place_rad, &motion).expect("well known");
        found.push((rated.rating, rated.sun_distance_deg));
    }
    found
}

#[test]
fn real_objects_are_rated_by_their_class() {
    let Some(objects) = ephemerides() else {
        println!("skipped: no ../shared/data/ephemeris/horizons.csv");
        return;
    };
    let mut rater = NeoRater::default();
    let mut medians: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, rows) in &objects {
        let mut found: Vec<f64> = ratings(rows, &mut rater).iter().map(|r| r.0).collect();
        found.sort_by(f64::total_cmp);
        if let (Some(low), Some(high)) = (found.first(), found.last()) {
            let median = found[found.len() / 2];
            println!("{name}: {low:.0} .. {median:.0} .. {high:.0} of {}", found.len());
            medians.insert(name, median);
        }
    }
    let median = |start: &str| {
        let found = medians.iter().find(|(name, _)| name.starts_with(start));
        *found.unwrap_or_else(|| panic!("{start} in the night sky")).1
    };
    // Measured: Eros 100, Bacchus 73 (near-Earth); Hebe 7, Lynnejones 19 (main belt); Paris 15
    // (Trojan); 1993 SB 0 (beyond Neptune); Einstein 87 (a Hungaria: outside the model's belt).
    assert!(median("433 Eros") > 90.0 && median("2063 Bacchus") > 60.0);
    assert!(median("6 Hebe") < 20.0 && median("10297 Lynnejones") < 33.0);
    assert!(median("3317 Paris") < 33.0 && median("15788 (1993 SB)") < 10.0);
}

/// An orbit of the database's sample: its elements at an epoch.
struct Orbit {
    epoch_mjd: f64,
    a_au: f64,
    e: f64,
    /// Inclination, node, argument of perihelion, mean anomaly [rad].
    angles_rad: [f64; 4],
    mean_motion_rad_per_d: f64,
}

/// The asteroids of the main belt in the sample; `None` without the data.
fn belt() -> Option<Vec<Orbit>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/orbits");
    let text = std::fs::read_to_string(path.join("mpcorb_sample.dat")).ok()?;
    let orbit = |line: &str| -> Option<Orbit> {
        let number = |columns: std::ops::Range<usize>| line.get(columns)?.trim().parse().ok();
        // K2289: 2022-08-09; all of the sample have it.
        let epoch_mjd = (line.get(20..25)? == "K2289").then_some(59_800.0)?;
        let angle = |columns| Some(number(columns)? * DEG_RAD);
        Some(Orbit {
            epoch_mjd,
            a_au: number(92..103)?,
            e: number(70..79)?,
            angles_rad: [angle(59..68)?, angle(48..57)?, angle(37..46)?, angle(26..35)?],
            mean_motion_rad_per_d: number(80..91)? * DEG_RAD,
        })
    };
    let is_belt = |o: &Orbit| (2.1..3.6).contains(&o.a_au) && o.a_au * (1.0 - o.e) > 1.67;
    Some(text.lines().filter_map(orbit).filter(is_belt).collect())
}

impl Orbit {
    /// Heliocentric place in the ecliptic [au], by Kepler's equation.
    fn place_au(&self, mjd: f64) -> [f64; 3] {
        let [i, node, peri, m0] = self.angles_rad;
        let m = m0 + self.mean_motion_rad_per_d * (mjd - self.epoch_mjd);
        let mut anomaly = m;
        for _ in 0..50 {
            anomaly -= (anomaly - self.e * anomaly.sin() - m) / (1.0 - self.e * anomaly.cos());
        }
        let (x, y) = (
            self.a_au * (anomaly.cos() - self.e),
            self.a_au * (1.0 - self.e * self.e).sqrt() * anomaly.sin(),
        );
        let (along, across) = (x * peri.cos() - y * peri.sin(), x * peri.sin() + y * peri.cos());
        [
            along * node.cos() - across * node.sin() * i.cos(),
            along * node.sin() + across * node.cos() * i.cos(),
            across * i.sin(),
        ]
    }

    /// Equatorial direction (RA, Dec) [rad] from an Earth on a circle; obliquity 23.4393 deg.
    fn seen_rad(&self, mjd: f64) -> (f64, f64) {
        let (ra, dec) = sun_place_rad(Epoch::from_mjd_utc(mjd));
        let (sine, cosine) = (23.4393 * DEG_RAD).sin_cos();
        let [x, y, z] = self.place_au(mjd);
        let equatorial = [x, y * cosine - z * sine, y * sine + z * cosine];
        let sun = unit_vector(ra, dec);
        ra_dec_rad(std::array::from_fn(|k| equatorial[k] + sun[k]))
    }
}

#[test]
fn real_orbits_of_the_belt_are_rated_as_the_belt() {
    let Some(belt) = belt() else {
        println!("skipped: no ../shared/data/orbits/mpcorb_sample.dat");
        return;
    };
    let mut rater = NeoRater::default();
    // Near opposition and towards quadrature, over a year.
    for (low_deg, high_deg) in [(150.0, 180.0), (110.0, 150.0), (70.0, 110.0)] {
        let mut found = Vec::new();
        for (n, orbit) in belt.iter().enumerate().step_by(3) {
            for month in 0..6 {
                let mjd = 59_800.0 + 61.0 * f64::from(month) + n as f64 * 0.01;
                let (from, to) = (orbit.seen_rad(mjd), orbit.seen_rad(mjd + 1.0 / 24.0));
                let sun = sun_place_rad(Epoch::from_mjd_utc(mjd));
                let elongation_deg = separation_rad(from, sun) / DEG_RAD;
                if !(low_deg..high_deg).contains(&elongation_deg) {
                    continue;
                }
                let (east, north) = offset_rad(from, to);
                let motion = SkyMotion {
                    east_arcsec_per_min: east / ARCSEC_RAD / 60.0,
                    north_arcsec_per_min: north / ARCSEC_RAD / 60.0,
                    err_arcsec_per_min: 0.01,
                };
                let rated = rater.rate(Epoch::from_mjd_utc(mjd), from, &motion).expect("known");
                found.push(rated.rating);
            }
        }
        found.sort_by(f64::total_cmp);
        let n = found.len();
        let share = |limit: f64| found.iter().filter(|r| **r > limit).count() as f64 / n as f64;
        println!(
            "{low_deg} to {high_deg} deg from the Sun: {n} places, median {:.0}, above 33: {:.3}, \
             above 67: {:.4}, above 99: {:.4}",
            found[n / 2],
            share(33.3),
            share(66.7),
            share(99.0)
        );
        assert!(n > 300, "{n}");
        assert!(found[n / 2] < 20.0, "{}", found[n / 2]);
        assert!(share(33.3) < 0.2 && share(66.7) < 0.05, "{} {}", share(33.3), share(66.7));
    }
}

/// Scores of the true movers and of everything else of a night.
fn scores(report: &NightReport, truth: &Truth) -> (Vec<f64>, Vec<f64>) {
    let (mut real, mut accidental) = (Vec::new(), Vec::new());
    for candidate in report.candidates.iter().chain(&report.faint) {
        let rating = candidate.rating.as_ref().expect("every candidate is rated");
        assert!((0.0..=1.0).contains(&rating.chance_probability), "{rating:?}");
        assert!(rating.neo_rating.is_none_or(|r| (0.0..=100.0).contains(&r)), "{rating:?}");
        let is_true = mover_of(candidate, truth).is_some();
        if is_true { &mut real } else { &mut accidental }.push(rating.real_score);
    }
    real.sort_by(f64::total_cmp);
    accidental.sort_by(f64::total_cmp);
    (real, accidental)
}

#[test]
fn movers_of_a_night_score_above_its_accidents() {
    let night = NightOnDisk::new(&Scenario::demo(7));
    let mut config = Config::default();
    // Noise is detected, and what is a billion times likelier an accident linked: what a real
    // night would never report.
    config.extract.threshold_sigma = 2.7;
    config.link.chance_odds_max = 1e9;
    let summary = run_night(&night.request("loose"), &config, &Silent).expect("the night");
    let (real, accidental) = scores(&summary.report, &night.truth);
    println!("movers {real:.3?}\naccidents {accidental:.3?}");
    assert!(real.len() >= 4, "the night must test something: {real:?}");
    assert!(real[real.len() / 2] > 0.9, "{real:?}");
    assert!(accidental.len() >= 4, "the night must test something: {accidental:?}");
    assert!(accidental[accidental.len() / 2] < 0.5, "{accidental:?} against {real:?}");
}
