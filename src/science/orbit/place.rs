//! The astrometric place of a body as an observer sees it, its motion and brightness.
//!
//! Astrometric: where the body was when the light left it, from where the observer is when it
//! comes; no aberration and no bending of light, for a frame solved against catalogue stars has
//! them in common with its stars.

use super::kepler::{Arc, State};
use super::observer::Observer;
use super::planet_motion::LIGHT_AU_PER_D;
use super::planets::Planets;
use crate::science::sky::vector::{UnitVector, dot, east_north, norm, ra_dec_rad};
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, wrap_positive_rad};

/// Half of the time over which the motion is taken [s].
const MOTION_HALF_S: f64 = 60.0;
/// Iterations for the light time; each gains four digits.
const LIGHT_STEPS: usize = 3;
/// Hours of a day [h].
const HOURS_PER_DAY: f64 = 24.0;
/// Seconds of an hour [s].
const SECONDS_PER_HOUR: f64 = 3_600.0;
/// Constants of the two phase functions (A, B) of the H, G system (Bowell et al. 1989,
/// "Asteroids II", p. 524).
const PHASE_1: (f64, f64) = (3.33, 0.63);
const PHASE_2: (f64, f64) = (1.87, 1.22);

/// Slope of bodies of which none was measured (Bowell et al. 1989).
pub const SLOPE_USUAL_RATIO: f64 = 0.15;

/// Brightness of a body: absolute magnitude and slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brightness {
    /// Absolute magnitude [mag, V].
    pub h_mag: f64,
    /// Slope of the phase function.
    pub slope_ratio: f64,
}

/// What an observer sees of a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Astrometric right ascension, ICRS [rad].
    pub ra_rad: f64,
    /// Astrometric declination [rad].
    pub dec_rad: f64,
    /// Motion to the east, cos(Dec) included [arcsec/h].
    pub east_arcsec_per_h: f64,
    /// Motion to the north [arcsec/h].
    pub north_arcsec_per_h: f64,
    /// Distance from the Sun [au].
    pub sun_distance_au: f64,
    /// Distance from the observer [au].
    pub distance_au: f64,
    /// Angle Sun - body - observer [rad].
    pub phase_rad: f64,
}

impl Seen {
    /// Magnitude [mag, V] in the H, G system.
    pub fn v_mag(&self, brightness: Brightness) -> f64 {
        brightness.h_mag
            + 5.0 * (self.sun_distance_au * self.distance_au).log10()
            + phase_dimming_mag(self.phase_rad, brightness.slope_ratio)
    }
}

/// How much fainter than in opposition a body is at a phase angle [mag]: the H, G system.
pub fn phase_dimming_mag(phase_rad: f64, slope_ratio: f64) -> f64 {
    let tangent = (phase_rad / 2.0).tan();
    let phase = |(a, b): (f64, f64)| (-a * tangent.powf(b)).exp();
    let lit = (1.0 - slope_ratio) * phase(PHASE_1) + slope_ratio * phase(PHASE_2);
    -2.5 * lit.log10()
}

/// An observer at an instant.
#[derive(Debug, Clone)]
pub struct Sight {
    mjd_tdb: f64,
    middle: Stand,
    before: Stand,
    after: Stand,
}

/// Sun and observer from the barycentre at an instant.
#[derive(Debug, Clone)]
struct Stand {
    /// Days from the instant of the sight [d].
    offset: f64,
    observer: [f64; 3],
    sun: [f64; 3],
    /// Velocity of the Sun [au/d].
    sun_velocity: [f64; 3],
}

impl Sight {
    /// An observer at an instant that `planets` cover.
    pub fn new(observer: &Observer, at: Epoch, planets: &Planets) -> Self {
        let mjd_tdb = at.mjd_tt();
        let stand = |seconds: f64| {
            let epoch = at.plus_seconds(seconds);
            let mjd = epoch.mjd_tt();
            let (sun, earth) = (planets.sun_au(mjd), planets.earth_au(mjd));
            let (earlier, place) = (planets.sun_au(mjd - 1.0), observer.place_au(epoch));
            Stand {
                offset: mjd - mjd_tdb,
                observer: std::array::from_fn(|k| sun[k] + earth[k] + place[k]),
                sun,
                sun_velocity: std::array::from_fn(|k| sun[k] - earlier[k]),
            }
        };
        Self {
            mjd_tdb,
            middle: stand(0.0),
            before: stand(-MOTION_HALF_S),
            after: stand(MOTION_HALF_S),
        }
    }

    /// The instant [MJD, TDB].
    pub fn mjd_tdb(&self) -> f64 {
        self.mjd_tdb
    }

    /// What is seen of a body whose state is that of the sight's instant, or of one so near
    /// that planets do not count: it lies `offset_d` before the sight [d].
    ///
    /// `None` when the state is no number, or the observer sits in the body.
    pub fn see(&self, state: &State, offset_d: f64) -> Option<Seen> {
        let arc = Arc::new(state)?;
        let (from_sun, line) = self.middle.line(&arc, offset_d)?;
        let (_, before) = self.before.line(&arc, offset_d)?;
        let (_, after) = self.after.line(&arc, offset_d)?;
        let (ra_rad, dec_rad) = ra_dec_rad(line);
        let (east, north) = east_north(ra_rad, dec_rad);
        let (here, from, to) = (norm(line), norm(before), norm(after));
        let moved: [f64; 3] = std::array::from_fn(|k| after[k] / to - before[k] / from);
        let per_h = SECONDS_PER_HOUR / (2.0 * MOTION_HALF_S) / ARCSEC_RAD;
        let sun_distance_au = norm(from_sun);
        let cosine = dot(from_sun, line) / (sun_distance_au * here);
        Some(Seen {
            ra_rad: wrap_positive_rad(ra_rad),
            dec_rad,
            east_arcsec_per_h: dot(moved, east) * per_h,
            north_arcsec_per_h: dot(moved, north) * per_h,
            sun_distance_au,
            distance_au: here,
            phase_rad: cosine.clamp(-1.0, 1.0).acos(),
        })
    }
}

impl Sight {
    /// Direction in which a body is seen; times and `None` as in [`Sight::see`].
    pub fn direction(&self, state: &State, offset_d: f64) -> Option<UnitVector> {
        let (_, line) = self.middle.line(&Arc::new(state)?, offset_d)?;
        let distance = norm(line);
        Some(line.map(|v| v / distance))
    }
}

impl Stand {
    /// Body from the Sun and from the observer [au] when its light left it.
    fn line(&self, arc: &Arc, offset_d: f64) -> Option<([f64; 3], [f64; 3])> {
        let mut light_d = 0.0;
        let (mut from_sun, mut line) = ([0.0; 3], [0.0; 3]);
        let mut chi = 0.0;
        for _ in 0..=LIGHT_STEPS {
            from_sun = arc.at(offset_d + self.offset - light_d, &mut chi)?.place_au;
            line = std::array::from_fn(|k| {
                from_sun[k] + self.sun[k] - light_d * self.sun_velocity[k] - self.observer[k]
            });
            let distance = norm(line);
            if !(distance > 0.0 && distance.is_finite()) {
                return None;
            }
            light_d = distance / LIGHT_AU_PER_D;
        }
        Some((from_sun, line))
    }
}

/// Degrees a day of a motion in arcseconds an hour.
pub fn deg_per_day(arcsec_per_h: f64) -> f64 {
    arcsec_per_h * HOURS_PER_DAY / SECONDS_PER_HOUR
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::vector::separation_rad;

    #[test]
    fn magnitudes_follow_the_two_phase_functions() {
        let seen = |phase_deg: f64| Seen {
            ra_rad: 0.0,
            dec_rad: 0.0,
            east_arcsec_per_h: 0.0,
            north_arcsec_per_h: 0.0,
            sun_distance_au: 2.0,
            distance_au: 5.0,
            phase_rad: phase_deg.to_radians(),
        };
        let brightness = Brightness { h_mag: 15.0, slope_ratio: 0.15 };
        // In opposition H + 5 log10(2 x 5).
        assert!((seen(0.0).v_mag(brightness) - 20.0).abs() < 1e-12);
        // At 90 deg tan(45 deg) = 1: phi_1 = exp(-3.33), phi_2 = exp(-1.87).
        let lit = 0.85 * (-3.33_f64).exp() + 0.15 * (-1.87_f64).exp();
        assert!((seen(90.0).v_mag(brightness) - 20.0 + 2.5 * lit.log10()).abs() < 1e-12);
    }

    #[test]
    fn light_shows_the_body_where_it_was() {
        // 10 au from the Sun, moving at right angles at 0.01 au/d: seen from near the Sun the light
        // takes about 10 au / 173.14 au/d, in which the body moves by 5.8e-5 rad.
        let planets = Planets::covering(61_000.0, 61_001.0).expect("a span");
        let at = Epoch::from_mjd_utc(61_000.5);
        let sight = Sight::new(&Observer::GEOCENTRE, at, &planets);
        let state = State { place_au: [10.0, 0.0, 0.0], velocity_au_per_d: [0.0, 0.01, 0.0] };
        let seen = sight.see(&state, 0.0).expect("seen");
        let earth = planets.earth_au(sight.mjd_tdb());
        let straight: [f64; 3] = std::array::from_fn(|k| state.place_au[k] - earth[k]);
        let off_rad = separation_rad(ra_dec_rad(straight), (seen.ra_rad, seen.dec_rad));
        let light_d = seen.distance_au / LIGHT_AU_PER_D;
        // The Earth is up to 6 deg beside the line, which takes up to 0.6 % away.
        assert!((off_rad * seen.distance_au / (0.01 * light_d) - 1.0).abs() < 7e-3, "{off_rad}");
        // The same body told half a day earlier is the same.
        let arc = Arc::new(&state).expect("an arc");
        let earlier = arc.at(-0.5, &mut 0.0).expect("a state");
        let again = sight.see(&earlier, 0.5).expect("seen");
        assert!((again.ra_rad - seen.ra_rad).abs() < 1e-12);
        // Its motion is what half a minute on either side shows.
        assert!((seen.sun_distance_au - 10.0).abs() < 1e-4);
        let state = State { place_au: [f64::NAN; 3], ..state };
        assert_eq!(sight.see(&state, 0.0), None);
    }
}
