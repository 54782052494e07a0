//! The known objects of a night from the stored orbits.
//!
//! Orbits are first brought to a day that is a multiple of 64 (MJD), the one nearest to the night;
//! each on its own way over all such days between its epoch and that one, whichever of them are
//! stored. So the numbers depend on orbit and night only, not on what was asked before, and one
//! night takes no more than a month of integration once its day is there.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{OnCount, OrbitsError};
use crate::science::orbit::kepler::State;
use crate::science::orbit::known::{KnownBody, KnownError, KnownNight, KnownParams};
use crate::science::orbit::observer::Observer;
use crate::science::orbit::place::Seen;
use crate::science::orbit::planets::Planets;
use crate::science::orbit::propagate::propagate;
use crate::science::time::Epoch;
use crate::store::orbits::{OrbitFolder, StoredOrbits, StoredStates};

/// Days between the days to which orbits are brought [d].
const GRID_D: i32 = 64;
/// Orbits between two tellings of progress.
const TELL_EVERY: usize = 1024;

/// Where a known object is at a frame's time.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictedPlace {
    /// Number, when it has one.
    pub number: Option<u32>,
    /// Name, or provisional designation; empty for a number without a name.
    pub name: String,
    /// Number or provisional designation.
    pub designation: String,
    /// Place, motion and distances.
    pub seen: Seen,
    /// How far from there it may be [arcsec].
    pub err_arcsec: f64,
    /// Magnitude [mag, V], when H is known.
    pub v_mag: Option<f64>,
}

/// The known objects of a night.
#[derive(Debug)]
pub struct OrbitNight {
    table: StoredOrbits,
    known: KnownNight,
}

impl OrbitNight {
    /// Brings the stored orbits to a night; `None` when none are stored.
    ///
    /// The first night after an import integrates from the orbits' epochs (minutes for a million
    /// orbits and a year), later ones take seconds.
    pub fn open(
        data_dir: &Path,
        (first, last): (Epoch, Epoch),
        params: KnownParams,
        on_count: OnCount<'_>,
    ) -> Result<Option<Self>, OrbitsError> {
        let folder = OrbitFolder::below(data_dir);
        let Some(table) = folder.open()? else { return Ok(None) };
        let middle = (first.mjd_tt() + last.mjd_tt()) / 2.0;
        let states = brought(&folder, &table, grid_day(middle), on_count)?;
        let body = |k: usize| {
            let state = states.state(k)?;
            let body = table.body(k)?;
            Some(KnownBody { mjd_tdb: states.mjd_tdb(), state, growth: body.growth })
        };
        let known = KnownNight::new((first, last), params, table.count(), body)?;
        Ok(Some(Self { table, known }))
    }

    /// Objects that an observer may see within `radius_rad` of `centre_rad` (RA, Dec) [rad], the
    /// errors of their places included; in the table's order.
    ///
    /// Errors: the time is outside the night.
    pub fn objects_in(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        at: Epoch,
        observer: &Observer,
    ) -> Result<Vec<PredictedPlace>, KnownError> {
        let found = self.known.within(centre_rad, radius_rad, observer, at)?;
        let place = |index: u32| self.table.label(index as usize);
        let named = found.into_iter().filter_map(|known| {
            let label = place(known.index)?;
            let number = label.designation.parse().ok();
            let name = if number.is_none() { label.designation.clone() } else { label.name };
            Some(PredictedPlace {
                number,
                name,
                designation: label.designation,
                v_mag: label.brightness.map(|brightness| known.seen.v_mag(brightness)),
                err_arcsec: known.err_arcsec,
                seen: known.seen,
            })
        });
        Ok(named.collect())
    }

    /// Objects of the night, and how many of them move too fast or are too uncertain to be sorted.
    pub fn counts(&self) -> (usize, usize) {
        self.known.counts()
    }
}

/// The day of the grid that is nearest to an instant [MJD].
fn grid_day(mjd: f64) -> i32 {
    (mjd / f64::from(GRID_D)).round() as i32 * GRID_D
}

/// The states of a day of the grid: stored ones, or integrated now and stored.
fn brought(
    folder: &OrbitFolder,
    table: &StoredOrbits,
    day_mjd: i32,
    on_count: OnCount<'_>,
) -> Result<StoredStates, OrbitsError> {
    let stored = folder.states(table.checksum());
    let is_day = |states: &StoredStates| (states.mjd_tdb() - f64::from(day_mjd)).abs() < 0.5;
    if let Some(at) = stored.iter().position(is_day) {
        return stored.into_iter().nth(at).ok_or(OrbitsError::None);
    }
    let (low, high) = table.epochs_mjd();
    let day = f64::from(day_mjd);
    let planets = Planets::covering(low.min(day), high.max(day))?;
    let count = table.count();
    let (done, is_stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let states: Vec<Option<State>> = (0..count)
        .into_par_iter()
        .map(|k| {
            let n = done.fetch_add(1, Ordering::Relaxed);
            if n.is_multiple_of(TELL_EVERY) && on_count(n, Some(count)) == ControlFlow::Break(()) {
                is_stopped.store(true, Ordering::Relaxed);
            }
            if is_stopped.load(Ordering::Relaxed) {
                return None;
            }
            let body = table.body(k)?;
            let (from, state) = start(&body, &stored, day, k)?;
            along_grid(state, from, day, &planets)
        })
        .collect();
    if is_stopped.into_inner() {
        return Err(OrbitsError::Stopped);
    }
    folder.put_states(day_mjd, table.checksum(), &states)?;
    let again = folder.states(table.checksum()).into_iter().find(is_day);
    again.ok_or(OrbitsError::None)
}

/// From where a body is integrated: the stored day between its epoch and the goal that is nearest
/// to the goal, or its epoch. `None` when it was lost before.
fn start(body: &KnownBody, stored: &[StoredStates], day: f64, k: usize) -> Option<(f64, State)> {
    let (low, high) = (body.mjd_tdb.min(day), body.mjd_tdb.max(day));
    let nearest = stored
        .iter()
        .filter(|states| (low..=high).contains(&states.mjd_tdb()))
        .min_by(|a, b| (a.mjd_tdb() - day).abs().total_cmp(&(b.mjd_tdb() - day).abs()));
    match nearest {
        Some(states) => Some((states.mjd_tdb(), states.state(k)?)),
        None => Some((body.mjd_tdb, body.state)),
    }
}

/// Integrates over the days of the grid, a new begin at each.
fn along_grid(mut state: State, from: f64, day: f64, planets: &Planets) -> Option<State> {
    let grid = f64::from(GRID_D);
    let mut at = from;
    // Every turn goes one day of the grid on: 300 years are 1712 of them.
    for _ in 0..4096 {
        if (at - day).abs() <= 0.0 {
            return Some(state);
        }
        let next = if at < day {
            (((at / grid).floor() + 1.0) * grid).min(day)
        } else {
            (((at / grid).ceil() - 1.0) * grid).max(day)
        };
        state = propagate(&state, at, next, planets)?;
        at = next;
    }
    None
}
