//! Orbits of small bodies under the pull of Sun, planets and Moon.
//!
//! Encke's method, begun anew with each step: the body moves on the conic of its present state, and
//! what the planets (and the Sun's relativistic term) change is integrated beside it, at eight
//! Gauss points per step ([`super::collocation`]). As that is five orders smaller than the motion,
//! a main-belt object takes steps of about two months. The length follows from how fast the
//! coefficients of the disturbing acceleration fall off, and a step must be short compared with
//! the time in which the nearest planet is passed.
//!
//! Left out: asteroids as perturbers, forces other than gravity, the planets' figures.

use multiversion::multiversion;

use super::collocation::{COLLOCATION, NODES};
use super::kepler::{Arc, GM_SUN, State};
use super::planet_motion::{BODIES, relativistic};
use super::planets::{GM_LANES, Instant, LANES, Planets};
use crate::science::sky::vector::dot;

/// Longest step [d].
const STEP_MAX_D: f64 = 64.0;
/// Shortest step [d]: 9 s. Nothing but a collision asks for a shorter one.
const STEP_MIN_D: f64 = 1e-4;
/// First step: this share of the time that the Sun's pull needs to turn the motion.
const FIRST_SHARE: f64 = 0.7;
/// Most steps of one call.
const STEPS_MAX: usize = 20_000;
/// Iterations of a step.
const ITERATIONS_MAX: usize = 8;
/// Change of a place at which the iteration ends [au].
const CHANGE_MIN_AU: f64 = 1e-12;
/// Largest last coefficient of the disturbance, as a place [au]. The error of the step's end is
/// of the order of its square.
const LAST_TERM_MAX_AU: f64 = 1e-10;
/// A step may be this many times the time in which the body, at its speed, would reach the
/// nearest planet that counts.
const PASSAGE_SHARE: f64 = 1.5;
/// A planet counts when it pulls with more than this [au/d^2]: 1e-8 au in 30 d.
const PULL_MIN: f64 = 2e-11;

/// The state at `to_mjd` of a body whose state at `from_mjd` is known [MJD, TDB].
///
/// `planets` must cover both. `None` when the state is no number, or the body runs into the Sun
/// or a planet.
///
/// Accuracy: 1e-9 au after 1000 d without close approaches, as asserted by the tests; against JPL
/// Horizons see `tests/it/ephemeris.rs`.
#[multiversion(targets("x86_64+avx2"))]
pub fn propagate(state: &State, from_mjd: f64, to_mjd: f64, planets: &Planets) -> Option<State> {
    let direction = if to_mjd < from_mjd { -1.0 } else { 1.0 };
    let mut body = *state;
    let mut at = from_mjd;
    let mut length = first_length(state);
    for _ in 0..STEPS_MAX {
        let left = (to_mjd - at).abs();
        if left <= 0.0 {
            return Some(body);
        }
        // Two equal steps rather than a long and a tiny one.
        let tried = if length >= left { left } else { length.min(0.5 * left.max(length)) };
        match step(&body, at, direction * tried, planets) {
            Trial::Taken { end, factor } => {
                body = end;
                at = if tried >= left { to_mjd } else { at + direction * tried };
                length = (tried * factor).min(STEP_MAX_D).max(length.min(tried));
            }
            Trial::Shorter { factor } => {
                length = tried * factor;
                if length < STEP_MIN_D {
                    return None;
                }
            }
            Trial::Lost => return None,
        }
    }
    None
}

/// The first step [d].
fn first_length(state: &State) -> f64 {
    let r2 = dot(state.place_au, state.place_au);
    (FIRST_SHARE * (r2 * r2.sqrt() / GM_SUN).sqrt()).clamp(0.01, STEP_MAX_D)
}

/// What became of a step.
enum Trial {
    /// Good; the next may be this much longer or shorter.
    Taken { end: State, factor: f64 },
    /// Too long.
    Shorter { factor: f64 },
    /// No conic goes through the state.
    Lost,
}

#[inline(always)]
fn step(body: &State, mjd: f64, h: f64, planets: &Planets) -> Trial {
    let c = &*COLLOCATION;
    let Some(arc) = Arc::new(body) else { return Trial::Lost };
    let mut chi = 0.0;
    let mut conic = [[0.0; 3]; NODES];
    let mut steady = [[0.0; 3]; NODES];
    let mut instants = [Instant::ZERO; NODES];
    for i in 0..NODES {
        let Some(at) = arc.at(c.nodes[i] * h, &mut chi) else { return Trial::Lost };
        let beyond = relativistic(at.place_au, at.velocity_au_per_d);
        instants[i] = planets.at(mjd + c.nodes[i] * h);
        let pull = instants[i].sun_pull();
        conic[i] = at.place_au;
        steady[i] = [beyond[0] + pull[0], beyond[1] + pull[1], beyond[2] + pull[2]];
    }
    let Some(mut end) = arc.at(h, &mut chi) else { return Trial::Lost };
    let mut force = [[0.0; 3]; NODES];
    let mut off = [[0.0; 3]; NODES];
    let mut nearest = f64::INFINITY;
    let mut is_settled = false;
    for _ in 0..ITERATIONS_MAX {
        for i in 0..NODES {
            let place = [0, 1, 2].map(|k| conic[i][k] + off[i][k]);
            let (pull, near) = pulls(&instants[i], place);
            nearest = nearest.min(near);
            let tidal = sun_difference(conic[i], place);
            force[i] = [0, 1, 2].map(|k| steady[i][k] + pull[k] + tidal[k]);
        }
        let mut change: f64 = 0.0;
        for (at, weights) in off.iter_mut().zip(&c.position) {
            let moved = sum(weights, &force).map(|v| v * h * h);
            for k in 0..3 {
                change = change.max((moved[k] - at[k]).abs());
            }
            *at = moved;
        }
        if change < CHANGE_MIN_AU {
            is_settled = true;
            break;
        }
        if !change.is_finite() {
            break;
        }
    }
    if !is_settled {
        return Trial::Shorter { factor: 0.4 };
    }
    let passage = nearest.sqrt() / dot(body.velocity_au_per_d, body.velocity_au_per_d).sqrt();
    let share = PASSAGE_SHARE * passage / h.abs();
    let term = last_term_au(h, &force);
    let factor = 0.9 * (LAST_TERM_MAX_AU / term.max(1e-30)).powf(1.0 / 9.0).min(2.5).min(share);
    if term > LAST_TERM_MAX_AU || share < 1.0 {
        return Trial::Shorter { factor: factor.clamp(0.1, 0.8) };
    }
    let (moved, hurried) = (sum(&c.end_position, &force), sum(&c.end_velocity, &force));
    for k in 0..3 {
        end.place_au[k] += h * h * moved[k];
        end.velocity_au_per_d[k] += h * hurried[k];
    }
    Trial::Taken { end, factor }
}

/// What the last coefficients of the disturbance make of the place [au].
#[inline(always)]
fn last_term_au(h: f64, force: &[[f64; 3]; NODES]) -> f64 {
    let rows = [&COLLOCATION.legendre[NODES - 1], &COLLOCATION.legendre[NODES - 2]];
    let most = rows
        .map(|row| sum(row, force).iter().fold(0.0_f64, |most, v| most.max(v.abs())))
        .into_iter()
        .fold(0.0, f64::max);
    // The double integral of P_7 on [0, 1] is below 1/200.
    h * h * most / 200.0
}

#[inline(always)]
fn sum(weights: &[f64; NODES], force: &[[f64; 3]; NODES]) -> [f64; 3] {
    let mut total = [0.0; 3];
    for (weight, at) in weights.iter().zip(force) {
        for k in 0..3 {
            total[k] += weight * at[k];
        }
    }
    total
}

/// What the Sun pulls more at `place` than at `conic` [au/d^2].
#[inline(always)]
fn sun_difference(conic: [f64; 3], place: [f64; 3]) -> [f64; 3] {
    let cube = |r: [f64; 3]| {
        let r2 = dot(r, r);
        GM_SUN / (r2 * r2.sqrt())
    };
    let (there, here) = (cube(conic), cube(place));
    [0, 1, 2].map(|k| there * conic[k] - here * place[k])
}

/// The pull of planets and Moon at `place` [au/d^2], and the square of the distance to the nearest
/// that counts [au^2].
#[inline(always)]
fn pulls(bodies: &Instant, place: [f64; 3]) -> ([f64; 3], f64) {
    let (mut ax, mut ay, mut az) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    let mut near = [f64::INFINITY; LANES];
    for k in 0..LANES {
        let (x, y, z) = (bodies.x[k] - place[0], bodies.y[k] - place[1], bodies.z[k] - place[2]);
        let d2 = x * x + y * y + z * z;
        let cube = GM_LANES[k] / (d2 * d2.sqrt());
        ax[k] = cube * x;
        ay[k] = cube * y;
        az[k] = cube * z;
        near[k] = if d2 * PULL_MIN < GM_LANES[k] { d2 } else { f64::INFINITY };
    }
    let mut total = [0.0; 3];
    let mut nearest = f64::INFINITY;
    for k in 0..BODIES {
        total[0] += ax[k];
        total[1] += ay[k];
        total[2] += az[k];
        nearest = nearest.min(near[k]);
    }
    (total, nearest)
}

#[cfg(test)]
mod tests;
