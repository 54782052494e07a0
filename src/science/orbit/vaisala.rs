//! Where the unknown object of one night is in another: the orbits it may be on, and their places.
//!
//! A night gives place and rate; distance and radial velocity are open. Each pair of them on a grid
//! is an orbit: distances from 0.01 to 60 au, and velocities along the line of sight so that the
//! body is bound and about as near to an apse as Vaisala's condition wants it (r.v = 0, softened;
//! see [`super::arc_fit`]). With each pair held, place and rate are fitted to the sightings, light
//! time and the observer's turn included: orbits that do not bend as the sightings do drop out.
//! What is left is a sheet of possible orbits; its places at another time are the region to look at.

use super::arc_fit::{
    ArcFit, Attributable, Free, NightSights, Origin, Pull, RADIAL_SPREAD_AU_PER_D, moved,
    radial_velocity,
};
use super::kepler::State;
use super::observer::Observer;
use super::place::Sight;
use super::planets::Planets;
use super::short_arc::{Motion, Predicted, Sighting, frame_at, off_plane, on_plane};
use crate::science::sky::vector::{UnitVector, ra_dec_rad, unit_vector};
use crate::science::time::Epoch;
use crate::science::units::wrap_positive_rad;

/// Nearest and farthest distance [au].
const DISTANCES_AU: (f64, f64) = (0.01, 60.0);
/// Distances of the grid: factors of 1.36.
const N_DISTANCES: usize = 29;
/// Velocities along the line of sight.
const N_VELOCITIES: usize = 7;
/// Chi-square above the best one at which an orbit drops out: 3 sigma of one unknown and some.
const CHI2_ABOVE_MAX: f64 = 11.8;
/// Sightings that the orbits are fitted to.
const SIGHTINGS_MAX: usize = 8;
/// Points into which each mesh of the sheet is divided per side when a place is looked up.
const DIVISIONS: usize = 6;

/// An orbit that the night allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hypothesis {
    /// As seen from the origin.
    pub seen: Attributable,
    /// State from the Sun ...
    pub state: State,
    /// ... and its instant [MJD, TDB].
    pub mjd_tdb: f64,
    /// Chi-square above that of the best one, Vaisala's condition included.
    pub chi2_above: f64,
}

/// The orbits that a night's sightings of an object allow.
#[derive(Debug, Clone)]
pub struct VaisalaArcs {
    motion: Motion,
    origin: Origin,
    /// Row by row: distances, and in each the velocities; `None` where no orbit is.
    sheet: Vec<[Option<Hypothesis>; N_VELOCITIES]>,
}

/// Place and rate of a hypothesis in another night.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foreseen {
    /// East and north in the plane at the region's middle [rad], their rates [rad/d].
    pub values: [f64; 4],
    /// As of the hypothesis.
    pub chi2_above: f64,
}

/// The sheet of possible places and rates at another time.
#[derive(Debug, Clone)]
pub struct Region {
    middle: UnitVector,
    basis: (UnitVector, UnitVector),
    /// Error of each place by the errors of the sightings [rad].
    pub err_rad: f64,
    /// The same of the rates [rad/d].
    pub rate_err_rad_per_d: f64,
    rows: Vec<[Option<Foreseen>; N_VELOCITIES]>,
}

impl VaisalaArcs {
    /// The orbits through a night's sightings; `None` when they show no motion.
    pub fn new(sightings: &[Sighting], observer: &Observer, planets: &Planets) -> Option<Self> {
        let motion = Motion::fit(sightings)?;
        let origin = Origin::new(&motion, observer, planets);
        let night = NightSights::new(sightings, SIGHTINGS_MAX, (observer, planets));
        let nights = [&night];
        let problem = ArcFit { origin: &origin, nights: &nights, planets, pull: Pull::Sun };
        let [x_rate, y_rate] = motion.rate_rad_per_d;
        let step = (DISTANCES_AU.1 / DISTANCES_AU.0).ln() / (N_DISTANCES - 1) as f64;
        let mut sheet = Vec::with_capacity(N_DISTANCES);
        for i in 0..N_DISTANCES {
            let ln_distance = DISTANCES_AU.0.ln() + step * i as f64;
            let mut start = [0.0, 0.0, x_rate, y_rate, ln_distance, 0.0];
            let mut row = [None; N_VELOCITIES];
            let Some((low, high)) = origin.distance_rates(&start) else {
                sheet.push(row);
                continue;
            };
            for (j, place) in row.iter_mut().enumerate() {
                start[5] = low + (high - low) * (j as f64 + 0.5) / N_VELOCITIES as f64;
                *place = problem.fit(&start, Free::OnSky).map(|fitted| {
                    let (state, mjd_tdb) = origin.state(&fitted.seen);
                    let condition = radial_velocity(&state) / RADIAL_SPREAD_AU_PER_D;
                    let chi2_above = fitted.chi2 + condition * condition;
                    Hypothesis { seen: fitted.seen, state, mjd_tdb, chi2_above }
                });
            }
            sheet.push(row);
        }
        let all = || sheet.iter().flatten().flatten();
        let best = all().map(|h| h.chi2_above).fold(f64::INFINITY, f64::min);
        for place in sheet.iter_mut().flatten() {
            *place = place.map(|h| Hypothesis { chi2_above: h.chi2_above - best, ..h });
            place.take_if(|h| h.chi2_above.is_nan() || h.chi2_above > CHI2_ABOVE_MAX);
        }
        Some(Self { motion, origin, sheet })
    }

    /// The motion of the night.
    pub fn motion(&self) -> &Motion {
        &self.motion
    }

    /// Where the orbits are told from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The orbits, nearest first.
    pub fn hypotheses(&self) -> impl Iterator<Item = &Hypothesis> {
        self.sheet.iter().flatten().flatten()
    }

    /// Places and rates in another night, taken as the mean of two instants `spread_d` before and
    /// after `mjd_utc`, as a night's fitted line has them; `None` when no orbit is left.
    pub fn region(
        &self,
        (mjd_utc, spread_d): (f64, f64),
        observer: &Observer,
        planets: &Planets,
    ) -> Option<Region> {
        let spread_d = spread_d.max(1e-4);
        let sight = |mjd| Sight::new(observer, Epoch::from_mjd_utc(mjd), planets);
        let (before, after) = (sight(mjd_utc - spread_d), sight(mjd_utc + spread_d));
        let middle_mjd = 0.5 * (before.mjd_tdb() + after.mjd_tdb());
        let directions = |h: &Hypothesis| {
            let there = moved((&h.state, h.mjd_tdb), middle_mjd, (Pull::Sun, planets))?;
            let at = |s: &Sight| s.direction(&there, s.mjd_tdb() - middle_mjd);
            at(&before).zip(at(&after))
        };
        let seen: Vec<Vec<Option<(UnitVector, UnitVector)>>> = self
            .sheet
            .iter()
            .map(|row| row.iter().map(|h| directions(h.as_ref()?)).collect())
            .collect();
        let mut sum = [0.0; 3];
        let mut total = 0.0;
        for (row, hypotheses) in seen.iter().zip(&self.sheet) {
            for (pair, hypothesis) in row.iter().zip(hypotheses) {
                if let (Some((a, b)), Some(h)) = (pair, hypothesis) {
                    let weight = (-0.5 * h.chi2_above).exp();
                    total += weight;
                    sum = std::array::from_fn(|k| sum[k] + 0.5 * weight * (a[k] + b[k]));
                }
            }
        }
        let (middle, basis) = frame_at(sum.map(|v| v / f64::max(total, 1e-300)))?;
        let rows = seen.iter().zip(&self.sheet).map(|(row, hypotheses)| {
            std::array::from_fn(|j| {
                let (a, b) = row[j]?;
                let (a, b) = (on_plane(a, middle, basis)?, on_plane(b, middle, basis)?);
                let rate = |k: usize| (b[k] - a[k]) / (2.0 * spread_d);
                let values = [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1]), rate(0), rate(1)];
                Some(Foreseen { values, chi2_above: hypotheses[j]?.chi2_above })
            })
        });
        let days = mjd_utc - self.motion.mean_mjd_utc;
        Some(Region {
            middle,
            basis,
            err_rad: self.motion.place_err_rad.hypot(self.motion.rate_err_rad_per_d * days),
            rate_err_rad_per_d: self.motion.rate_err_rad_per_d,
            rows: rows.collect(),
        })
    }
}

impl Region {
    /// A place (RA, Dec) and rate [rad, rad/d] in the region's plane; `None` behind it.
    pub fn on_plane(&self, (ra_rad, dec_rad): (f64, f64)) -> Option<[f64; 2]> {
        on_plane(unit_vector(ra_rad, dec_rad), self.middle, self.basis)
    }

    /// The place (RA, Dec) [rad] of a point of the plane.
    pub fn off_plane(&self, place: [f64; 2]) -> (f64, f64) {
        let (ra_rad, dec_rad) = ra_dec_rad(off_plane(place, self.middle, self.basis));
        (wrap_positive_rad(ra_rad), dec_rad)
    }

    /// The likeliest place; its error is that of the whole region, as if it were a Gaussian.
    pub fn middle(&self) -> Predicted {
        let points = || self.rows.iter().flatten().flatten();
        let total: f64 = points().map(|f| (-0.5 * f.chi2_above).exp()).sum();
        let square: f64 = points()
            .map(|f| {
                (-0.5 * f.chi2_above).exp() * (f.values[0].powi(2) + f.values[1].powi(2)) / 2.0
            })
            .sum();
        let (ra_rad, dec_rad) = ra_dec_rad(self.middle);
        let err_rad = (square / total.max(1e-300) + self.err_rad.powi(2)).sqrt();
        Predicted { ra_rad: wrap_positive_rad(ra_rad), dec_rad, err_rad }
    }

    /// Meshes of the sheet: corners (distance, velocity), (next, velocity), (distance, next) and
    /// (next, next).
    pub fn meshes(&self) -> impl Iterator<Item = [Foreseen; 4]> + '_ {
        self.rows.windows(2).flat_map(|pair| {
            (0..N_VELOCITIES - 1).filter_map(move |j| {
                Some([pair[0][j]?, pair[1][j]?, pair[0][j + 1]?, pair[1][j + 1]?])
            })
        })
    }

    /// The points with the orbits they come from.
    pub fn labelled<'a>(
        &'a self,
        arcs: &'a VaisalaArcs,
    ) -> impl Iterator<Item = (&'a Foreseen, &'a Hypothesis)> {
        let both = self.rows.iter().flatten().zip(arcs.sheet.iter().flatten());
        both.filter_map(|(foreseen, hypothesis)| foreseen.as_ref().zip(hypothesis.as_ref()))
    }

    /// Number of velocities of each distance of the sheet.
    pub const fn n_velocities(&self) -> usize {
        N_VELOCITIES
    }

    /// How far a place (RA, Dec) [rad] is outside the sheet [rad]: 0 within it but for the
    /// fineness of the meshes, which counts as inside.
    pub fn distance_rad(&self, place: (f64, f64)) -> f64 {
        let Some([x, y]) = self.on_plane(place) else { return f64::INFINITY };
        let mut nearest = f64::INFINITY;
        for mesh in self.meshes() {
            let step = 1.0 / DIVISIONS as f64;
            let side = |a: usize, b: usize| {
                (mesh[a].values[0] - mesh[b].values[0]).hypot(mesh[a].values[1] - mesh[b].values[1])
            };
            let fineness = 0.5 * step * (side(0, 1).max(side(2, 3)) + side(0, 2).max(side(1, 3)));
            for i in 0..=DIVISIONS {
                for j in 0..=DIVISIONS {
                    let (p, q) = (i as f64 * step, j as f64 * step);
                    let at = |k: usize| {
                        let [a, b, c, d] = mesh.map(|f| f.values[k]);
                        (1.0 - q) * ((1.0 - p) * a + p * b) + q * ((1.0 - p) * c + p * d)
                    };
                    let off = (at(0) - x).hypot(at(1) - y) - fineness;
                    nearest = nearest.min(off.max(0.0));
                }
            }
        }
        nearest
    }

    /// Whether a place (RA, Dec) [rad] is inside the region: within three errors of the sheet.
    pub fn contains(&self, place: (f64, f64)) -> bool {
        self.distance_rad(place) <= 3.0 * self.err_rad
    }
}

#[cfg(test)]
mod tests;
