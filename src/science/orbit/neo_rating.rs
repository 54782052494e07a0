//! How unlike the asteroids of the belt an object moves: a rating of near-Earth objects.
//!
//! The measured motion is laid on a map of the motions that the main belt shows at the same place
//! relative to the Sun ([`super::population`]), blurred by the measurement's own error. The share
//! of the belt that moves at least as rarely (all motions where the map is not denser) tells how
//! unusual it is, and
//!
//!   rating = 100/3 x log10(1 / share), at most 100:
//!
//! 0 is where the belt is densest, 33 as rare as one object in ten, 67 one in a hundred, 100 one in
//! a thousand or never. The same is done with what lies beyond the belt, and the smaller rating
//! counts: a slow Trojan is unlike the belt, but nothing near.
//!
//! It rates a motion. It is no probability, for it does not ask how many near-Earth objects there
//! are, and it is not the Minor Planet Center's digest2, which fits orbits of all classes. A
//! near-Earth object far away moves like the belt and gets a low rating; Hungarias, Phocaeas on
//! eccentric orbits and Mars-crossers may get a high one.

use std::collections::BTreeMap;

use super::population::{BEYOND, BeltRate, MAIN_BELT, Population, SunPlace, rates_at};
use crate::science::sky::sun::sun_place_rad;
use crate::science::sky::vector::{UnitVector, dot, east_north, unit_vector};
use crate::science::time::Epoch;
use crate::science::units::{DEG_RAD, wrap_positive_rad};

/// Obliquity of the ecliptic [deg]; its change, 0.013 deg a century, is left out.
const OBLIQUITY_DEG: f64 = 23.4393;
/// What the model leaves out: the observer's turn about the Earth's axis (0.025 arcsec/min at 1.5
/// au), the Earth's eccentricity, the width of a cell of the map [arcsec/min].
const MODEL_ERR_ARCSEC_PER_MIN: f64 = 0.03;
/// A motion less sure than this says nothing, unless it is fast [arcsec/min].
const RATE_ERR_MAX_ARCSEC_PER_MIN: f64 = 0.1;
/// ... faster than this many of its errors.
const FAST_SIGMA: f64 = 10.0;
/// Share of the belt at which the rating reaches 100.
const SHARE_MIN: f64 = 1e-3;
/// Cells of the map per error.
const CELLS_PER_SIGMA: f64 = 2.0;
/// Most cells of the map's side.
const SIDE_MAX: usize = 256;
/// The blur reaches this far [sigma].
const REACH_SIGMA: f64 = 4.0;
/// Places nearer than this share a map [deg].
const PLACE_STEP_DEG: f64 = 1.0;
/// Errors of this ratio share a map.
const ERR_STEP_RATIO: f64 = 1.4;

/// A motion on the sky, east and north.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkyMotion {
    /// Along the great circle towards east [arcsec/min].
    pub east_arcsec_per_min: f64,
    /// Towards north [arcsec/min].
    pub north_arcsec_per_min: f64,
    /// Error per axis [arcsec/min].
    pub err_arcsec_per_min: f64,
}

impl SkyMotion {
    /// The motion of a speed and a position angle, north through east.
    pub fn of(rate_arcsec_per_min: f64, pa_deg: f64, err_arcsec_per_min: f64) -> Self {
        let (sine, cosine) = (pa_deg * DEG_RAD).sin_cos();
        Self {
            east_arcsec_per_min: rate_arcsec_per_min * sine,
            north_arcsec_per_min: rate_arcsec_per_min * cosine,
            err_arcsec_per_min,
        }
    }

    fn rate(&self) -> f64 {
        self.east_arcsec_per_min.hypot(self.north_arcsec_per_min)
    }

    fn is_known_well(&self) -> bool {
        let (rate, err) = (self.rate(), self.err_arcsec_per_min);
        rate.is_finite()
            && err.is_finite()
            && err >= 0.0
            && (err <= RATE_ERR_MAX_ARCSEC_PER_MIN || rate >= FAST_SIGMA * err)
    }
}

/// Which objects a motion is most like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Like {
    /// The main belt.
    MainBelt,
    /// Hildas, Trojans and what is farther.
    Beyond,
}

/// How a motion is rated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeoRating {
    /// 0 (as the belt) to 100 (never seen there).
    pub rating: f64,
    /// Which objects it is most like.
    pub like: Like,
    /// Distance in ecliptic longitude from the Sun, 0..180 [deg].
    pub sun_distance_deg: f64,
}

/// Rates motions; keeps the maps of places it has seen.
#[derive(Debug, Default)]
pub struct NeoRater {
    rates: BTreeMap<(i64, i64), [Vec<BeltRate>; 2]>,
    maps: BTreeMap<(i64, i64, i64), [RateMap; 2]>,
}

impl NeoRater {
    /// Rates a motion at a place (RA, Dec) [rad]; `None` when it is not known well enough.
    pub fn rate(
        &mut self,
        at: Epoch,
        place_rad: (f64, f64),
        motion: &SkyMotion,
    ) -> Option<NeoRating> {
        let is_place = place_rad.0.is_finite() && place_rad.1.is_finite();
        if !is_place || !motion.is_known_well() {
            return None;
        }
        let (sun_longitude_rad, _) = to_ecliptic(unit_vector_of(sun_place_rad(at)));
        let (longitude_rad, latitude_rad) = to_ecliptic(unit_vector_of(place_rad));
        let from_sun_deg = wrap_positive_rad(longitude_rad - sun_longitude_rad) / DEG_RAD;
        let err = motion.err_arcsec_per_min.hypot(MODEL_ERR_ARCSEC_PER_MIN);
        let cell = (
            (from_sun_deg / PLACE_STEP_DEG).round() as i64,
            (latitude_rad / DEG_RAD / PLACE_STEP_DEG).round() as i64,
        );
        let level = ((err / MODEL_ERR_ARCSEC_PER_MIN).ln() / ERR_STEP_RATIO.ln()).ceil() as i64;
        let [belt, beyond] = self.maps(cell, level);
        let velocity = ecliptic_motion(place_rad, motion);
        let (belt, beyond) = (rating_of(belt, velocity), rating_of(beyond, velocity));
        let like = if beyond < belt { Like::Beyond } else { Like::MainBelt };
        Some(NeoRating {
            rating: belt.min(beyond),
            like,
            sun_distance_deg: from_sun_deg.min(360.0 - from_sun_deg),
        })
    }

    /// The maps of belt and beyond at a place, blurred by an error of a level.
    fn maps(&mut self, cell: (i64, i64), level: i64) -> &[RateMap; 2] {
        let rates = self.rates.entry(cell).or_insert_with(|| {
            let place = SunPlace {
                longitude_rad: cell.0 as f64 * PLACE_STEP_DEG * DEG_RAD,
                latitude_rad: cell.1 as f64 * PLACE_STEP_DEG * DEG_RAD,
            };
            let at = |population: &Population| rates_at(place, population);
            [at(&MAIN_BELT), at(&BEYOND)]
        });
        let err = MODEL_ERR_ARCSEC_PER_MIN * ERR_STEP_RATIO.powf(level as f64);
        self.maps
            .entry((cell.0, cell.1, level))
            .or_insert_with(|| [RateMap::new(&rates[0], err), RateMap::new(&rates[1], err)])
    }
}

fn rating_of(map: &RateMap, velocity: (f64, f64)) -> f64 {
    let share = map.share_as_rare(velocity).clamp(SHARE_MIN, 1.0);
    100.0 * share.log10() / SHARE_MIN.log10()
}

fn unit_vector_of((ra_rad, dec_rad): (f64, f64)) -> UnitVector {
    unit_vector(ra_rad, dec_rad)
}

/// Unit vectors of the ecliptic's axes in equatorial coordinates.
fn ecliptic_axes() -> [UnitVector; 3] {
    let (sine, cosine) = (OBLIQUITY_DEG * DEG_RAD).sin_cos();
    [[1.0, 0.0, 0.0], [0.0, cosine, sine], [0.0, -sine, cosine]]
}

/// Ecliptic longitude and latitude [rad] of an equatorial direction.
fn to_ecliptic(v: UnitVector) -> (f64, f64) {
    let [x, y, z] = ecliptic_axes().map(|axis| dot(v, axis));
    (wrap_positive_rad(y.atan2(x)), z.atan2(x.hypot(y)))
}

/// The motion towards growing ecliptic longitude and latitude [arcsec/min].
fn ecliptic_motion(place_rad: (f64, f64), motion: &SkyMotion) -> (f64, f64) {
    let (east, north) = east_north(place_rad.0, place_rad.1);
    let velocity: UnitVector = std::array::from_fn(|k| {
        motion.east_arcsec_per_min * east[k] + motion.north_arcsec_per_min * north[k]
    });
    let (longitude, latitude) = to_ecliptic(unit_vector_of(place_rad));
    let (along, up) = east_north(longitude, latitude);
    let in_ecliptic: UnitVector = ecliptic_axes().map(|axis| dot(velocity, axis));
    (dot(in_ecliptic, along), dot(in_ecliptic, up))
}

/// Density of motions on a grid, blurred by a Gaussian.
#[derive(Debug, Clone)]
struct RateMap {
    /// Motion at the middle of the first cell [arcsec/min].
    start: (f64, f64),
    cell_arcsec_per_min: f64,
    nx: usize,
    ny: usize,
    /// Share of the objects per cell; sums to 1, or all zero for an empty belt.
    density: Vec<f64>,
}

impl RateMap {
    fn new(rates: &[BeltRate], err_arcsec_per_min: f64) -> Self {
        let reach = REACH_SIGMA * err_arcsec_per_min;
        let range = |of: fn(&BeltRate) -> f64| {
            let low = rates.iter().map(of).fold(f64::INFINITY, f64::min) - reach;
            let high = rates.iter().map(of).fold(f64::NEG_INFINITY, f64::max) + reach;
            (low, high)
        };
        if rates.is_empty() {
            let density = Vec::new();
            return Self { start: (0.0, 0.0), cell_arcsec_per_min: 1.0, nx: 0, ny: 0, density };
        }
        let x = range(|r| r.longitude_arcsec_per_min);
        let y = range(|r| r.latitude_arcsec_per_min);
        let widest = (x.1 - x.0).max(y.1 - y.0);
        let cell = (err_arcsec_per_min / CELLS_PER_SIGMA).max(widest / (SIDE_MAX - 1) as f64);
        let n = |(low, high): (f64, f64)| ((high - low) / cell) as usize + 1;
        let mut map = Self {
            start: (x.0 + 0.5 * cell, y.0 + 0.5 * cell),
            cell_arcsec_per_min: cell,
            nx: n(x),
            ny: n(y),
            density: vec![0.0; n(x) * n(y)],
        };
        let total: f64 = rates.iter().map(|r| r.weight).sum();
        for rate in rates {
            let place = (rate.longitude_arcsec_per_min, rate.latitude_arcsec_per_min);
            if let Some(i) = map.index(place) {
                map.density[i] += rate.weight / total;
            }
        }
        map.blur(err_arcsec_per_min / cell);
        map
    }

    /// The cell of a motion; `None` outside the map.
    fn index(&self, (x, y): (f64, f64)) -> Option<usize> {
        let column = ((x - self.start.0) / self.cell_arcsec_per_min).round();
        let row = ((y - self.start.1) / self.cell_arcsec_per_min).round();
        let is_inside =
            (0.0..self.nx as f64).contains(&column) && (0.0..self.ny as f64).contains(&row);
        is_inside.then(|| row as usize * self.nx + column as usize)
    }

    fn blur(&mut self, sigma_cells: f64) {
        let reach = (REACH_SIGMA * sigma_cells).ceil() as usize;
        let mut kernel: Vec<f64> = (0..=2 * reach)
            .map(|i| (-0.5 * ((i as f64 - reach as f64) / sigma_cells).powi(2)).exp())
            .collect();
        let sum: f64 = kernel.iter().sum();
        kernel.iter_mut().for_each(|value| *value /= sum);
        let (nx, ny) = (self.nx, self.ny);
        let along_x = blurred(&self.density, &kernel, (nx, 1), (ny, nx));
        self.density = blurred(&along_x, &kernel, (ny, nx), (nx, 1));
    }

    /// Share of the objects in cells that are not denser than that of a motion.
    fn share_as_rare(&self, velocity: (f64, f64)) -> f64 {
        let Some(here) = self.index(velocity).map(|i| self.density[i]) else {
            return 0.0;
        };
        self.density.iter().filter(|density| **density <= here).sum()
    }
}

/// Blurs along one axis; (n, stride) of that axis and of the other.
fn blurred(
    values: &[f64],
    kernel: &[f64],
    (n, stride): (usize, usize),
    (n_lines, line_stride): (usize, usize),
) -> Vec<f64> {
    let reach = kernel.len() / 2;
    let mut result = vec![0.0; values.len()];
    for line in 0..n_lines {
        for i in 0..n {
            let value = values[line * line_stride + i * stride];
            if value > 0.0 {
                let first = i.saturating_sub(reach);
                for j in first..(i + reach + 1).min(n) {
                    let weight = kernel[j + reach - i];
                    result[line * line_stride + j * stride] += weight * value;
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests;
