//! An orbit through the sightings of one or a few nights, by least squares.
//!
//! The orbit is told as an observer sees it at one instant: place and rate on the sky, distance
//! rho, and its change rho' (the attributable elements of Milani et al. 2005, Celest. Mech. 90,
//! 59). The first four are what a night measures; the last two are hardly known from a short arc,
//! so they are held by what is known of bodies: Vaisala (1939, Astron. Nachr. 269, 1) took the body
//! to be at its perihelion, with no velocity towards the Sun. Here that is soft: the radial
//! velocity is 0 with a spread of 0.004 au/d, that of eccentricities up to 0.5, and ln rho has a
//! spread of 2 about 1.5 au. Both count as observations and lose their weight as soon as the arc
//! knows better.
//!
//! Method: Levenberg's damped least squares with differences as derivatives.

use super::kepler::{Arc, GM_SUN, State};
use super::observer::Observer;
use super::place::Sight;
use super::planet_motion::LIGHT_AU_PER_D;
use super::planets::Planets;
use super::propagate::propagate;
use super::short_arc::{Motion, Sighting, off_plane};
use crate::science::sky::vector::{UnitVector, dot, east_north, norm, unit_vector};
use crate::science::time::Epoch;

/// Spread of the velocity towards or from the Sun [au/d].
pub(super) const RADIAL_SPREAD_AU_PER_D: f64 = 0.004;
/// Middle and spread of ln rho [au].
const DISTANCE_PRIOR: (f64, f64) = (0.405, 2.0);
/// Steps of the differences: place [rad], rate [rad/d], ln rho, rho' [au/d].
const STEPS: [f64; 6] = [1e-6, 1e-6, 1e-6, 1e-6, 1e-4, 1e-6];
/// Most iterations.
const ITERATIONS_MAX: usize = 25;
/// Relative change of chi-square at which the fit ends.
const CHANGE_MIN: f64 = 1e-4;
/// Half the time over which the observer's velocity is taken [s].
const VELOCITY_HALF_S: f64 = 60.0;
/// Seconds of a day [s].
const DAY_S: f64 = 86_400.0;
/// Range of distances [au, natural logarithm].
const LN_DISTANCE: (f64, f64) = (-6.9, 5.3);

/// How a body is moved from one night to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// The Sun alone: fast, good to an arcsecond over days unless it passes a planet.
    Sun,
    /// Sun, planets and Moon.
    All,
}

/// The place from which an orbit is told.
#[derive(Debug, Clone)]
pub struct Origin {
    mjd_tdb: f64,
    observer_au: [f64; 3],
    velocity_au_per_d: [f64; 3],
    middle: UnitVector,
    basis: (UnitVector, UnitVector),
}

/// What the observer sees at the origin: east, north [rad], their rates [rad/d], ln rho [au],
/// rho' [au/d].
pub type Attributable = [f64; 6];

impl Origin {
    /// The origin at the mean time and place of a night's motion.
    pub fn new(motion: &Motion, observer: &Observer, planets: &Planets) -> Self {
        let at = Epoch::from_mjd_utc(motion.mean_mjd_utc);
        let stand = |seconds: f64| -> [f64; 3] {
            let epoch = at.plus_seconds(seconds);
            let (earth, place) = (planets.earth_au(epoch.mjd_tt()), observer.place_au(epoch));
            std::array::from_fn(|k| earth[k] + place[k])
        };
        let (before, after) = (stand(-VELOCITY_HALF_S), stand(VELOCITY_HALF_S));
        let span_d = 2.0 * VELOCITY_HALF_S / DAY_S;
        Self {
            mjd_tdb: at.mjd_tt(),
            observer_au: stand(0.0),
            velocity_au_per_d: std::array::from_fn(|k| (after[k] - before[k]) / span_d),
            middle: unit_vector(motion.ra_rad, motion.dec_rad),
            basis: east_north(motion.ra_rad, motion.dec_rad),
        }
    }

    /// State from the Sun and its instant [MJD, TDB]: when the light left the body.
    pub fn state(&self, seen: &Attributable) -> (State, f64) {
        let [x, y, x_rate, y_rate, ln_distance, distance_rate] = *seen;
        let distance = ln_distance.clamp(LN_DISTANCE.0, LN_DISTANCE.1).exp();
        let line = off_plane([x, y], self.middle, self.basis);
        let length = norm(line);
        let u = line.map(|v| v / length);
        let (east, north) = self.basis;
        let across: [f64; 3] =
            std::array::from_fn(|k| (x_rate * east[k] + y_rate * north[k]) / length);
        let along = dot(across, u);
        let state = State {
            place_au: std::array::from_fn(|k| self.observer_au[k] + distance * u[k]),
            velocity_au_per_d: std::array::from_fn(|k| {
                self.velocity_au_per_d[k]
                    + distance_rate * u[k]
                    + distance * (across[k] - along * u[k])
            }),
        };
        (state, self.mjd_tdb - distance / LIGHT_AU_PER_D)
    }

    /// Range of rho' [au/d] for which the body is bound to the Sun and its radial velocity is
    /// within three spreads of none; `None` when there is none.
    pub(super) fn distance_rates(&self, seen: &Attributable) -> Option<(f64, f64)> {
        let mut still = *seen;
        still[5] = 0.0;
        let (state, _) = self.state(&still);
        let (r, v) = (state.place_au, state.velocity_au_per_d);
        let mut moved = still;
        moved[5] = 1.0;
        let (other, _) = self.state(&moved);
        let u: [f64; 3] = std::array::from_fn(|k| other.velocity_au_per_d[k] - v[k]);
        let (distance, along) = (norm(r), dot(v, u));
        // |v + rho' u|^2 < 0.98 (2 GM / r).
        let root2 = along * along - dot(v, v) + 0.98 * 2.0 * GM_SUN / distance;
        if root2.is_nan() || root2 <= 0.0 {
            return None;
        }
        let root = root2.sqrt();
        let (mut low, mut high) = (-along - root, -along + root);
        let (slope, start) = (dot(r, u) / distance, dot(r, v) / distance);
        if slope.abs() > 1e-6 {
            let limit = 3.0 * RADIAL_SPREAD_AU_PER_D;
            let (a, b) = ((-limit - start) / slope, (limit - start) / slope);
            (low, high) = (low.max(a.min(b)), high.min(a.max(b)));
        }
        (low < high).then_some((low, high))
    }
}

/// Velocity towards or from the Sun [au/d].
pub(super) fn radial_velocity(state: &State) -> f64 {
    dot(state.place_au, state.velocity_au_per_d) / norm(state.place_au)
}

/// Whether a body stays with the Sun.
pub fn is_bound(state: &State) -> bool {
    let v = state.velocity_au_per_d;
    dot(v, v) < 2.0 * GM_SUN / norm(state.place_au)
}

/// Sightings of one night, made ready.
#[derive(Debug, Clone)]
pub struct NightSights {
    middle_mjd_tdb: f64,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    sight: Sight,
    east: UnitVector,
    north: UnitVector,
    seen: UnitVector,
    err_rad: f64,
}

impl NightSights {
    /// The usable ones of a night's sightings; at most `n_max`, spread over the night.
    pub fn new(
        sightings: &[Sighting],
        n_max: usize,
        (observer, planets): (&Observer, &Planets),
    ) -> Self {
        let usable: Vec<&Sighting> = sightings.iter().filter(|s| s.is_usable()).collect();
        let n = usable.len();
        let kept = n.min(n_max.max(2));
        let pick = |i: usize| if kept < 2 { 0 } else { i * (n - 1) / (kept - 1) };
        let rows: Vec<Row> = (0..kept)
            .map(|i| {
                let s = usable[pick(i)];
                let (east, north) = east_north(s.ra_rad, s.dec_rad);
                // Those left out count by the weight of those kept.
                let err_rad = s.err_rad * (kept as f64 / n as f64).sqrt();
                let at = Epoch::from_mjd_utc(s.mid_mjd_utc);
                let sight = Sight::new(observer, at, planets);
                Row { sight, east, north, seen: unit_vector(s.ra_rad, s.dec_rad), err_rad }
            })
            .collect();
        let sum: f64 = rows.iter().map(|row| row.sight.mjd_tdb()).sum();
        Self { middle_mjd_tdb: sum / rows.len().max(1) as f64, rows }
    }
}

/// Moves a state to another instant.
pub(super) fn moved(
    (state, from_mjd): (&State, f64),
    to_mjd: f64,
    (pull, planets): (Pull, &Planets),
) -> Option<State> {
    match pull {
        Pull::Sun => Arc::new(state)?.at(to_mjd - from_mjd, &mut 0.0),
        Pull::All => propagate(state, from_mjd, to_mjd, planets),
    }
}

/// A fitted orbit.
#[derive(Debug, Clone)]
pub struct FittedArc {
    /// As seen from the origin.
    pub seen: Attributable,
    /// Chi-square of the sightings, two each.
    pub chi2: f64,
    /// Number of sightings.
    pub n_sightings: usize,
    /// What the two soft limits add to chi-square.
    pub prior_chi2: f64,
    /// Inverse of the normal matrix; zero where a value was held.
    pub covariance: [[f64; 6]; 6],
}

/// Which elements are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Free {
    /// Place and rate; distance and its change are held.
    OnSky,
    /// All six.
    All,
}

impl Free {
    fn n(self) -> usize {
        match self {
            Self::OnSky => 4,
            Self::All => 6,
        }
    }
}

/// A least-squares problem: sightings of nights by one observer.
#[derive(Debug, Clone, Copy)]
pub struct ArcFit<'a> {
    /// Where the orbit is told from.
    pub origin: &'a Origin,
    /// The nights.
    pub nights: &'a [&'a NightSights],
    /// The planets, over all of them.
    pub planets: &'a Planets,
    /// What moves the body.
    pub pull: Pull,
}

impl ArcFit<'_> {
    /// Fits from a start; `None` when the start shows nothing.
    pub fn fit(&self, start: &Attributable, free: Free) -> Option<FittedArc> {
        let n = free.n();
        let mut seen = *start;
        let mut residuals = self.residuals(&seen)?;
        let mut cost = square(&residuals);
        let mut damping = 1e-4;
        let mut normal = self.normal(&seen, &residuals, n)?;
        for _ in 0..ITERATIONS_MAX {
            let Some(step) = solve(&normal, n, damping) else { break };
            let mut tried = seen;
            for k in 0..n {
                tried[k] -= step[k];
            }
            let next = self.residuals(&tried).filter(|r| square(r) < cost);
            let Some(better) = next else {
                damping *= 10.0;
                if damping > 1e6 {
                    break;
                }
                continue;
            };
            let gain = cost - square(&better);
            (seen, residuals) = (tried, better);
            cost = square(&residuals);
            damping = (damping * 0.1_f64).max(1e-9);
            normal = self.normal(&seen, &residuals, n)?;
            if gain < CHANGE_MIN * (1.0 + cost) {
                break;
            }
        }
        let n_rows = residuals.len() - 2;
        Some(FittedArc {
            seen,
            chi2: square(&residuals[..n_rows]),
            n_sightings: n_rows / 2,
            prior_chi2: square(&residuals[n_rows..]),
            covariance: inverse(&normal, n),
        })
    }

    /// Residuals in units of their errors: east and north of each sighting, then the soft limits.
    fn residuals(&self, seen: &Attributable) -> Option<Vec<f64>> {
        let (state, mjd) = self.origin.state(seen);
        let mut all = Vec::new();
        for night in self.nights {
            let to = night.middle_mjd_tdb;
            let there = moved((&state, mjd), to, (self.pull, self.planets))?;
            for row in &night.rows {
                let u = row.sight.direction(&there, row.sight.mjd_tdb() - to)?;
                let off: [f64; 3] = std::array::from_fn(|k| row.seen[k] - u[k]);
                all.push(dot(off, row.east) / row.err_rad);
                all.push(dot(off, row.north) / row.err_rad);
            }
        }
        all.push(radial_velocity(&state) / RADIAL_SPREAD_AU_PER_D);
        all.push((seen[4] - DISTANCE_PRIOR.0) / DISTANCE_PRIOR.1);
        all.iter().all(|r| r.is_finite()).then_some(all)
    }

    /// Normal matrix and, in its last column, the gradient.
    fn normal(&self, seen: &Attributable, residuals: &[f64], n: usize) -> Option<[[f64; 7]; 6]> {
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(n);
        for k in 0..n {
            let mut beside = *seen;
            beside[k] += STEPS[k];
            let there = self.residuals(&beside)?;
            columns.push(there.iter().zip(residuals).map(|(a, b)| (a - b) / STEPS[k]).collect());
        }
        let mut normal = [[0.0; 7]; 6];
        for i in 0..n {
            for j in 0..n {
                normal[i][j] = product(&columns[i], &columns[j]);
            }
            normal[i][6] = product(&columns[i], residuals);
        }
        Some(normal)
    }
}

fn square(values: &[f64]) -> f64 {
    product(values, values)
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves the damped normal equations of the first `n` unknowns (Cholesky on a matrix scaled to a
/// diagonal of ones).
fn solve(normal: &[[f64; 7]; 6], n: usize, damping: f64) -> Option<[f64; 6]> {
    let scale: [f64; 6] = std::array::from_fn(|k| normal[k][k].max(0.0).sqrt());
    if !scale[..n].iter().all(|s| *s > 0.0 && s.is_finite()) {
        return None;
    }
    let mut lower = [[0.0; 6]; 6];
    for i in 0..n {
        for j in 0..=i {
            let scaled = normal[i][j] / (scale[i] * scale[j]) + if i == j { damping } else { 0.0 };
            let sum = scaled - product(&lower[i][..j], &lower[j][..j]);
            if i != j {
                lower[i][j] = sum / lower[j][j];
            } else if sum > 0.0 {
                lower[i][i] = sum.sqrt();
            } else {
                return None;
            }
        }
    }
    let mut x = [0.0; 6];
    for i in 0..n {
        let done: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
        x[i] = (normal[i][6] / scale[i] - done) / lower[i][i];
    }
    for i in (0..n).rev() {
        let done: f64 = (i + 1..n).map(|k| lower[k][i] * x[k]).sum();
        x[i] = (x[i] - done) / lower[i][i];
    }
    Some(std::array::from_fn(|k| if k < n { x[k] / scale[k] } else { 0.0 }))
}

/// The inverse of the first `n` unknowns' equations, symmetric as they are.
fn inverse(normal: &[[f64; 7]; 6], n: usize) -> [[f64; 6]; 6] {
    let mut inverse = [[0.0; 6]; 6];
    // The matrix is symmetric: rows are columns.
    for (k, column) in inverse.iter_mut().enumerate().take(n) {
        let mut unit = *normal;
        for (i, row) in unit.iter_mut().enumerate() {
            row[6] = if i == k { 1.0 } else { 0.0 };
        }
        *column = solve(&unit, n, 1e-12).unwrap_or([0.0; 6]);
    }
    inverse
}

#[cfg(test)]
mod tests;
