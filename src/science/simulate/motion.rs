//! Moving objects: straight, slightly accelerated paths on the tangent plane of the field.
//!
//! A straight line of the gnomonic plane is a great circle of the sky. Rates are those seen near
//! opposition: main belt 25 to 55, Trojans 10 to 18, near-Earth objects 100 to 250 arcsec/h.

use super::projection::TangentPlane;
use super::random::{Random, Stream};
use super::scenario::Scenario;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use std::f64::consts::TAU;

/// Class of a moving object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MoverClass {
    MainBelt,
    Trojan,
    NearEarth,
}

impl MoverClass {
    /// Name of the class in SkyBoT's words.
    pub(super) fn skybot(self) -> &'static str {
        match self {
            Self::MainBelt => "MB>Middle",
            Self::Trojan => "Trojan",
            Self::NearEarth => "NEA>Apollo",
        }
    }

    /// A plausible distance from the observer [au].
    pub(super) fn distance_au(self) -> f64 {
        match self {
            Self::MainBelt => 1.7,
            Self::Trojan => 4.3,
            Self::NearEarth => 0.35,
        }
    }

    fn rate_arcsec_per_h(self, random: &mut Random) -> f64 {
        match self {
            Self::MainBelt => random.range(25.0, 55.0),
            Self::Trojan => random.range(10.0, 18.0),
            Self::NearEarth => random.range(100.0, 250.0),
        }
    }

    /// Position angle of motion, north through east [rad].
    fn direction_rad(self, random: &mut Random) -> f64 {
        match self {
            Self::MainBelt => (285.0 + 15.0 * random.normal()) * DEG_RAD,
            Self::Trojan => (288.0 + 6.0 * random.normal()) * DEG_RAD,
            Self::NearEarth => random.angle_rad(),
        }
    }
}

/// A moving object as it is.
#[derive(Debug, Clone)]
pub(super) struct Mover {
    /// Identifier in the truth.
    pub(super) id: String,
    /// Its class.
    pub(super) class: MoverClass,
    /// Number, when it is known.
    pub(super) number: Option<u32>,
    /// Mean Gaia G [mag].
    pub(super) g_mag: f64,
    /// Gaia BP-RP [mag].
    pub(super) bp_rp_mag: f64,
    /// Error of the listed place, east and north [arcsec].
    pub(super) listed_offset_arcsec: (f64, f64),
    /// Error the list claims [arcsec].
    pub(super) listed_err_arcsec: f64,
    plane: TangentPlane,
    reference: Epoch,
    place_arcsec: (f64, f64),
    rate_arcsec_per_h: (f64, f64),
    acceleration_arcsec_per_h2: (f64, f64),
    amplitude_mag: f64,
    period_h: f64,
    phase_rad: f64,
}

impl Mover {
    /// Name, when it is known.
    pub(super) fn name(&self) -> Option<String> {
        self.number.map(|number| format!("Sim{number}"))
    }

    fn hours(&self, at: Epoch) -> f64 {
        (at.mjd_utc() - self.reference.mjd_utc()) * 24.0
    }

    /// Right ascension and declination [rad].
    pub(super) fn place_rad(&self, at: Epoch) -> (f64, f64) {
        let hours = self.hours(at);
        let along = |place: f64, rate: f64, acceleration: f64| {
            (place + rate * hours + 0.5 * acceleration * hours * hours) * ARCSEC_RAD
        };
        let (place, rate) = (self.place_arcsec, self.rate_arcsec_per_h);
        let acceleration = self.acceleration_arcsec_per_h2;
        self.plane.deproject(
            along(place.0, rate.0, acceleration.0),
            along(place.1, rate.1, acceleration.1),
        )
    }

    /// Rates east and north [arcsec/h].
    pub(super) fn rates_arcsec_per_h(&self, at: Epoch) -> (f64, f64) {
        let (rate, acceleration) = (self.rate_arcsec_per_h, self.acceleration_arcsec_per_h2);
        let hours = self.hours(at);
        (rate.0 + acceleration.0 * hours, rate.1 + acceleration.1 * hours)
    }

    /// Gaia G of the moment [mag]: two maxima per turn.
    pub(super) fn g_mag_at(&self, at: Epoch) -> f64 {
        let turn = TAU * self.hours(at) / self.period_h;
        self.g_mag + 0.5 * self.amplitude_mag * (2.0 * turn + self.phase_rad).cos()
    }
}

/// The middle of the science frames.
fn middle(scenario: &Scenario) -> Epoch {
    let last_s = scenario.n_science.saturating_sub(1) as f64 * scenario.step_s;
    scenario.start.plus_seconds(0.5 * (last_s + scenario.exposure_s))
}

/// Draws the movers: inside the frame in the middle of the night, magnitudes evenly spread.
pub(super) fn movers(scenario: &Scenario) -> Vec<Mover> {
    let model = &scenario.movers;
    let mut random = Random::new(scenario.seed, Stream::Movers, 0, 0);
    let classes: Vec<MoverClass> = std::iter::repeat_n(MoverClass::MainBelt, model.n_main_belt)
        .chain(std::iter::repeat_n(MoverClass::Trojan, model.n_trojan))
        .chain(std::iter::repeat_n(MoverClass::NearEarth, model.n_near_earth))
        .collect();
    let n = classes.len();
    let mut magnitudes: Vec<f64> = (0..n)
        .map(|i| {
            let part = (i as f64 + random.uniform()) / n as f64;
            model.g_min_mag + part * (model.g_max_mag - model.g_min_mag)
        })
        .collect();
    for i in (1..n).rev() {
        magnitudes.swap(i, random.index(i + 1));
    }
    let plane = TangentPlane::new(scenario.ra_deg * DEG_RAD, scenario.dec_deg * DEG_RAD);
    let share = model.known_fraction;
    classes
        .into_iter()
        .zip(magnitudes)
        .enumerate()
        .map(|(i, (class, g_mag))| {
            let mut mover = draw(scenario, plane, class, &mut random);
            mover.id = format!("M{:02}", i + 1);
            mover.g_mag = g_mag;
            // Spreads the known ones evenly over the list.
            if ((i as f64 + 1.0) * share).floor() <= (i as f64 * share).floor() {
                mover.number = None;
            }
            mover
        })
        .collect()
}

/// Draws path, colour and light curve of one mover.
fn draw(scenario: &Scenario, plane: TangentPlane, class: MoverClass, random: &mut Random) -> Mover {
    const REACH: f64 = 0.38; // of the frame's side, around its centre, in the night's middle
    let camera = &scenario.camera;
    let side_arcsec = |n: usize| n as f64 * camera.scale_arcsec_per_px;
    let rate = class.rate_arcsec_per_h(random);
    let (sin, cos) = class.direction_rad(random).sin_cos();
    let bend = 2e-3 * rate;
    Mover {
        id: String::new(),
        class,
        number: Some(10_000 + random.index(89_999) as u32),
        g_mag: 0.0,
        bp_rp_mag: 0.85 + 0.06 * random.normal(),
        listed_offset_arcsec: (0.25 * random.normal(), 0.25 * random.normal()),
        listed_err_arcsec: random.range(0.3, 0.9),
        plane,
        reference: middle(scenario),
        place_arcsec: (
            side_arcsec(camera.nx) * random.range(-REACH, REACH),
            side_arcsec(camera.ny) * random.range(-REACH, REACH),
        ),
        rate_arcsec_per_h: (rate * sin, rate * cos),
        acceleration_arcsec_per_h2: (bend * random.normal(), bend * random.normal()),
        amplitude_mag: scenario.movers.amplitude_max_mag * random.range(0.2, 1.0),
        period_h: random.range(3.0, 12.0),
        phase_rad: random.angle_rad(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_move_by_the_rate() {
        for mover in movers(&Scenario::demo(11)) {
            let start = mover.reference;
            let (ra0, dec0) = mover.place_rad(start);
            let (ra1, dec1) = mover.place_rad(start.plus_seconds(360.0));
            let (east, north) = mover.rates_arcsec_per_h(start.plus_seconds(180.0));
            let d_east = (ra1 - ra0) * dec0.cos() / ARCSEC_RAD;
            let d_north = (dec1 - dec0) / ARCSEC_RAD;
            // The plane's scale differs from the sphere's by less than 1e-4 within half a degree.
            assert!((d_east - 0.1 * east).abs() < 0.01, "{d_east} {east}");
            assert!((d_north - 0.1 * north).abs() < 0.01, "{d_north} {north}");
        }
    }

    #[test]
    fn the_demo_has_known_and_unknown_movers_of_all_magnitudes() {
        let movers = movers(&Scenario::demo(11));
        assert_eq!(movers.len(), 9);
        assert_eq!(movers.iter().filter(|m| m.number.is_some()).count(), 5);
        let mut magnitudes: Vec<f64> = movers.iter().map(|m| m.g_mag).collect();
        magnitudes.sort_by(f64::total_cmp);
        assert!(magnitudes.windows(2).all(|pair| pair[1] - pair[0] < 2.0 * 3.2 / 9.0));
    }
}
