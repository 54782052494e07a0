//! Where Sun, planets and Moon are, and how they pull: computed, no file to fetch.
//!
//! Barycentric states of JPL's DE440 (Park et al. 2021, AJ 161, 105) stand every 768 days from 1850
//! to 2150 in `de440_states.bin`; between them [`super::planet_motion`] integrates, never further
//! than 384 days. What is asked for is kept as Chebyshev polynomials over 16 days, all bodies side
//! by side, for one evaluation serves every orbit.
//!
//! The file: f64, little endian; for each epoch (MJD -3072, -2304, ... TDB) and body (Sun, then as
//! [`BODIES`]) x, y, z [au], their rates [au/d]. It was made with jplephem 2 from NAIF's de440.bsp.

use std::f64::consts::PI;

use super::planet_motion::{BODIES, Bodies, GM, Leg};
use crate::science::sky::vector::dot;

/// Values that are interpolated together: nine bodies from the Sun, the Sun from the barycentre,
/// the pull of the bodies on the Sun, and one that fills up four lanes.
pub(super) const LANES: usize = 12;
/// The lane of the Sun's place from the barycentre.
const SUN_LANE: usize = 9;
/// The lane of the Sun's acceleration.
const PULL_LANE: usize = 10;
/// The lane of the Earth.
const EARTH_LANE: usize = 2;
/// Values of an instant.
const WIDTH: usize = 3 * LANES;
/// Length of a polynomial's interval [d].
const INTERVAL_D: f64 = 16.0;
/// Coefficients of a polynomial.
const TERMS: usize = 16;
/// Intervals from one stored state to the next: 768 d.
const INTERVALS_PER_ANCHOR: i64 = 48;
/// Number of the first stored state: its epoch is -4 x 768 d.
const ANCHOR_FIRST: i64 = -4;
/// The stored states.
static STATES: &[u8] = include_bytes!("de440_states.bin");
/// Bytes of one stored epoch.
const EPOCH_BYTES: usize = (BODIES + 1) * 6 * 8;

/// GM by lane [au^3/d^2]; none where the lane is no body.
pub(super) const GM_LANES: [f64; LANES] = {
    let mut lanes = [0.0; LANES];
    let mut k = 0;
    while k < BODIES {
        lanes[k] = GM[k];
        k += 1;
    }
    lanes
};

/// The time asked for is outside the years that are stored.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the planets are known from 1852 to 2148, not at MJD {first_mjd:.1} to {last_mjd:.1}")]
pub struct SpanError {
    /// Begin of what was asked for [MJD].
    pub first_mjd: f64,
    /// Its end [MJD].
    pub last_mjd: f64,
}

/// Sun, planets and Moon over a span of time.
#[derive(Debug, Clone)]
pub struct Planets {
    first: i64,
    coefficients: Vec<[[f64; WIDTH]; TERMS]>,
}

/// The bodies at an instant, lane by lane [au].
#[derive(Debug, Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Instant {
    pub(super) x: [f64; LANES],
    pub(super) y: [f64; LANES],
    pub(super) z: [f64; LANES],
}

impl Instant {
    pub(super) const ZERO: Self = Self { x: [0.0; LANES], y: [0.0; LANES], z: [0.0; LANES] };

    fn lane(&self, k: usize) -> [f64; 3] {
        [self.x[k], self.y[k], self.z[k]]
    }

    /// What an orbit about the Sun feels because the Sun itself is pulled [au/d^2].
    #[inline(always)]
    pub(super) fn sun_pull(&self) -> [f64; 3] {
        self.lane(PULL_LANE)
    }
}

impl Planets {
    /// The bodies from `first_mjd` to `last_mjd` [d, TDB] and at least 16 d beyond.
    ///
    /// Takes about 7 ms a year. Accuracy: 2e-7 au for the Moon, 3e-9 au (450 m) for the others, as
    /// asserted by `places_agree_with_de440`.
    pub fn covering(first_mjd: f64, last_mjd: f64) -> Result<Self, SpanError> {
        let error = SpanError { first_mjd, last_mjd };
        let interval = |mjd: f64| (mjd / INTERVAL_D).floor() as i64;
        let n_anchors = (STATES.len() / EPOCH_BYTES) as i64;
        let lowest = ANCHOR_FIRST * INTERVALS_PER_ANCHOR;
        let highest = (ANCHOR_FIRST + n_anchors - 1) * INTERVALS_PER_ANCHOR;
        if !(first_mjd <= last_mjd && first_mjd.abs() < 1e6 && last_mjd.abs() < 1e6) {
            return Err(error);
        }
        let (first, last) = (interval(first_mjd) - 1, interval(last_mjd) + 1);
        if first < lowest || last >= highest {
            return Err(error);
        }
        let mut coefficients = vec![[[0.0; WIDTH]; TERMS]; (last - first + 1) as usize];
        let half = INTERVALS_PER_ANCHOR / 2;
        let nearest = |i: i64| (i + half).div_euclid(INTERVALS_PER_ANCHOR);
        for anchor in nearest(first)..=nearest(last) {
            let start = anchor * INTERVALS_PER_ANCHOR;
            let bodies = stored(anchor).ok_or(error)?;
            let mut keep = |i: i64, leg: &[Leg]| {
                if let Ok(k) = usize::try_from(i - first)
                    && let Some(place) = coefficients.get_mut(k)
                {
                    *place = fit(i as f64 * INTERVAL_D, leg);
                }
            };
            let mut forward = bodies.clone();
            for i in start..(start + half).min(last + 1) {
                keep(i, &forward.run(i as f64 * INTERVAL_D, INTERVAL_D));
            }
            let mut backward = bodies;
            for i in ((start - half).max(first)..start).rev() {
                keep(i, &backward.run((i + 1) as f64 * INTERVAL_D, -INTERVAL_D));
            }
        }
        Ok(Self { first, coefficients })
    }

    /// Whether an instant [MJD, TDB] is inside.
    pub fn covers(&self, mjd_tdb: f64) -> bool {
        let first = self.first as f64 * INTERVAL_D;
        let last = (self.first + self.coefficients.len() as i64) as f64 * INTERVAL_D;
        (first..=last).contains(&mjd_tdb)
    }

    /// The bodies at an instant [MJD, TDB]; outside the span the nearest interval is continued.
    #[inline(always)]
    pub(super) fn at(&self, mjd_tdb: f64) -> Instant {
        let scaled = mjd_tdb / INTERVAL_D;
        let last = self.coefficients.len() - 1;
        let k = (scaled.floor() - self.first as f64).clamp(0.0, last as f64) as usize;
        let x = 2.0 * (scaled - (self.first + k as i64) as f64) - 1.0;
        let terms = &self.coefficients[k];
        // Clenshaw's sum.
        let (mut b1, mut b2) = ([0.0; WIDTH], [0.0; WIDTH]);
        for row in terms[1..].iter().rev() {
            for lane in 0..WIDTH {
                let b = 2.0 * x * b1[lane] - b2[lane] + row[lane];
                b2[lane] = b1[lane];
                b1[lane] = b;
            }
        }
        let mut found = Instant::ZERO;
        for lane in 0..LANES {
            let sum = |lane: usize| x * b1[lane] - b2[lane] + terms[0][lane];
            found.x[lane] = sum(lane);
            found.y[lane] = sum(lane + LANES);
            found.z[lane] = sum(lane + 2 * LANES);
        }
        found
    }

    /// Place of the Earth's centre from the Sun's [au].
    pub fn earth_au(&self, mjd_tdb: f64) -> [f64; 3] {
        self.at(mjd_tdb).lane(EARTH_LANE)
    }

    /// Place of the Sun's centre from the barycentre of the Solar System [au].
    pub fn sun_au(&self, mjd_tdb: f64) -> [f64; 3] {
        self.at(mjd_tdb).lane(SUN_LANE)
    }
}

/// The bodies of a stored epoch.
fn stored(anchor: i64) -> Option<Bodies> {
    let k = usize::try_from(anchor - ANCHOR_FIRST).ok()?;
    let bytes = STATES.get(k * EPOCH_BYTES..(k + 1) * EPOCH_BYTES)?;
    let mut values = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8")));
    let mut bodies = Bodies { place: [[0.0; 3]; BODIES + 1], velocity: [[0.0; 3]; BODIES + 1] };
    for (place, velocity) in bodies.place.iter_mut().zip(&mut bodies.velocity) {
        for value in place.iter_mut().chain(velocity.iter_mut()) {
            *value = values.next()?;
        }
    }
    Some(bodies)
}

/// Chebyshev polynomials over the interval that begins at `begin` [MJD] and that `legs` cover.
fn fit(begin: f64, legs: &[Leg]) -> [[f64; WIDTH]; TERMS] {
    let angle = |m: usize| PI * (m as f64 + 0.5) / TERMS as f64;
    let mut coefficients = [[0.0; WIDTH]; TERMS];
    for m in 0..TERMS {
        let mjd = begin + INTERVAL_D * (angle(m).cos() + 1.0) / 2.0;
        let values = lanes(&legs_at(legs, mjd));
        for (k, row) in coefficients.iter_mut().enumerate() {
            let weight = (k as f64 * angle(m)).cos() * if k == 0 { 1.0 } else { 2.0 };
            for (sum, value) in row.iter_mut().zip(values) {
                *sum += weight / TERMS as f64 * value;
            }
        }
    }
    coefficients
}

/// Places at an instant that one of the legs covers.
fn legs_at(legs: &[Leg], mjd: f64) -> [[f64; 3]; BODIES + 1] {
    let leg = legs.iter().find(|leg| leg.covers(mjd)).or(legs.last());
    leg.map_or([[0.0; 3]; BODIES + 1], |leg| leg.places(mjd))
}

/// What is interpolated, from places about the barycentre.
fn lanes(places: &[[f64; 3]; BODIES + 1]) -> [f64; WIDTH] {
    let sun = places[0];
    let mut values = [0.0; WIDTH];
    for k in 0..BODIES {
        let place: [f64; 3] = std::array::from_fn(|axis| places[k + 1][axis] - sun[axis]);
        let distance = dot(place, place).sqrt();
        for axis in 0..3 {
            values[axis * LANES + k] = place[axis];
            values[axis * LANES + PULL_LANE] -= GM[k] * place[axis] / distance.powi(3);
        }
    }
    for axis in 0..3 {
        values[axis * LANES + SUN_LANE] = sun[axis];
    }
    values
}

#[cfg(test)]
mod tests;
