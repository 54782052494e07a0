//! How Sun, planets and Moon move under each other's pull, for a year or so.
//!
//! Newton's law between all ten and the relativistic pull of the Sun (first post-Newtonian term of
//! a small body); the flattening of the Earth, tides and asteroids are left out: over 384 days
//! they move the Moon by up to 30 km, the Earth by 400 m and nothing else by more. Steps of two
//! days by [`super::collocation`].

use super::collocation::{COLLOCATION, NODES};
use super::kepler::GM_SUN;
use crate::science::sky::vector::dot;

/// Bodies beside the Sun.
pub(super) const BODIES: usize = 9;
/// GM of Mercury, Venus, Earth, Moon, Mars, Jupiter, Saturn, Uranus, Neptune (with their moons)
/// [au^3/d^2]: header of DE440.
pub(super) const GM: [f64; BODIES] = [
    4.912_500_194_889_318e-11,
    7.243_452_332_644_119e-10,
    8.887_692_446_707_102e-10,
    1.093_189_462_402_435e-11,
    9.549_548_829_725_812e-11,
    2.825_345_825_225_792e-7,
    8.459_705_993_376_29e-8,
    1.292_026_564_968_24e-8,
    1.524_357_347_885_194e-8,
];
/// Speed of light [au/d].
pub(super) const LIGHT_AU_PER_D: f64 = 173.144_632_674_240_3;
/// Length of a step [d]: a fourteenth of the Moon's revolution.
const STEP_D: f64 = 2.0;
/// Iterations of a step.
const ITERATIONS_MAX: usize = 12;
/// Change of a place at which the iteration ends [au].
const CHANGE_MIN_AU: f64 = 1e-16;

type Vectors = [[f64; 3]; BODIES + 1];

/// Sun, then the others: places [au] and velocities [au/d] from the barycentre.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bodies {
    pub(super) place: Vectors,
    pub(super) velocity: Vectors,
}

/// One step, kept so that any instant of it can be looked up.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    mjd: f64,
    length: f64,
    start: Bodies,
    accelerations: [Vectors; NODES],
}

impl Leg {
    /// Whether an instant [MJD] lies in the step.
    pub(super) fn covers(&self, mjd: f64) -> bool {
        (0.0..=1.0).contains(&((mjd - self.mjd) / self.length))
    }

    /// Places at an instant [MJD].
    pub(super) fn places(&self, mjd: f64) -> Vectors {
        let u = (mjd - self.mjd) / self.length;
        let weights = COLLOCATION.position_weights(u);
        self.start.moved(self.length, (u, &weights), &self.accelerations)
    }
}

impl Bodies {
    /// Goes `span` days from `mjd` on; the steps of the way.
    pub(super) fn run(&mut self, mjd: f64, span: f64) -> Vec<Leg> {
        let n = (span.abs() / STEP_D).ceil().max(1.0);
        let length = span / n;
        (0..n as usize).map(|k| self.step(mjd + k as f64 * length, length)).collect()
    }

    fn step(&mut self, mjd: f64, length: f64) -> Leg {
        let c = &*COLLOCATION;
        let mut accelerations = [self.accelerations(); NODES];
        let mut last = [self.place; NODES];
        for _ in 0..ITERATIONS_MAX {
            let mut change: f64 = 0.0;
            let old = accelerations;
            for i in 0..NODES {
                let place = self.moved(length, (c.nodes[i], &c.position[i]), &old);
                let velocity = self.hurried(length, &c.velocity[i], &old);
                for (a, b) in place.iter().flatten().zip(last[i].iter().flatten()) {
                    change = change.max((a - b).abs());
                }
                last[i] = place;
                accelerations[i] = Self { place, velocity }.accelerations();
            }
            if change < CHANGE_MIN_AU {
                break;
            }
        }
        let start = self.clone();
        self.place = start.moved(length, (1.0, &c.end_position), &accelerations);
        self.velocity = start.hurried(length, &c.end_velocity, &accelerations);
        Leg { mjd, length, start, accelerations }
    }

    /// Places after the share `u` of a step.
    fn moved(&self, h: f64, (u, w): (f64, &[f64; NODES]), accelerations: &[Vectors]) -> Vectors {
        let mut place = self.place;
        for (b, at) in place.iter_mut().enumerate() {
            for (axis, value) in at.iter_mut().enumerate() {
                let sum: f64 = w.iter().zip(accelerations).map(|(w, a)| w * a[b][axis]).sum();
                *value += u * h * self.velocity[b][axis] + h * h * sum;
            }
        }
        place
    }

    fn hurried(&self, h: f64, w: &[f64; NODES], accelerations: &[Vectors]) -> Vectors {
        let mut velocity = self.velocity;
        for (b, at) in velocity.iter_mut().enumerate() {
            for (axis, value) in at.iter_mut().enumerate() {
                *value += h * w.iter().zip(accelerations).map(|(w, a)| w * a[b][axis]).sum::<f64>();
            }
        }
        velocity
    }

    fn accelerations(&self) -> Vectors {
        let gm = |b: usize| if b == 0 { GM_SUN } else { GM[b - 1] };
        let mut found = [[0.0; 3]; BODIES + 1];
        for i in 0..=BODIES {
            for j in i + 1..=BODIES {
                let d: [f64; 3] = std::array::from_fn(|k| self.place[j][k] - self.place[i][k]);
                let d2 = dot(d, d);
                let cube = 1.0 / (d2 * d2.sqrt());
                for k in 0..3 {
                    found[i][k] += gm(j) * cube * d[k];
                    found[j][k] -= gm(i) * cube * d[k];
                }
            }
        }
        for (i, sums) in found.iter_mut().enumerate().skip(1) {
            let r = std::array::from_fn(|k| self.place[i][k] - self.place[0][k]);
            let v = std::array::from_fn(|k| self.velocity[i][k] - self.velocity[0][k]);
            for (sum, term) in sums.iter_mut().zip(relativistic(r, v)) {
                *sum += term;
            }
        }
        found
    }
}

/// The Sun's pull beyond Newton's on a small body at `r` [au] from it with velocity `v` [au/d],
/// in [au/d^2]: first post-Newtonian order, harmonic coordinates (Moyer 2003, eq. 4-26 with one
/// mass).
#[inline(always)]
pub(super) fn relativistic(r: [f64; 3], v: [f64; 3]) -> [f64; 3] {
    let distance2 = dot(r, r);
    let distance = distance2.sqrt();
    let scale = GM_SUN / (LIGHT_AU_PER_D * LIGHT_AU_PER_D * distance2 * distance);
    let radial = scale * (4.0 * GM_SUN / distance - dot(v, v));
    let along = scale * 4.0 * dot(r, v);
    std::array::from_fn(|k| radial * r[k] + along * v[k])
}
