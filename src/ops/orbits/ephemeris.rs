//! Places of one object at a row of times.

use std::path::Path;

use super::OrbitsError;
use crate::formats::designation::Designation;
use crate::formats::obscodes::read_obscodes;
use crate::formats::orbit_table::OrbitLabel;
use crate::science::orbit::observer::Observer;
use crate::science::orbit::place::{Seen, Sight};
use crate::science::orbit::planets::Planets;
use crate::science::orbit::propagate::propagate;
use crate::science::time::Epoch;
use crate::store::orbits::{OrbitFolder, StoredOrbits};

/// Most rows of a table.
pub const ROWS_MAX: usize = 100_000;
/// The code of the Earth's centre.
const GEOCENTRE_CODE: &str = "500";

/// Times of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EphemerisTimes {
    /// First.
    pub start: Epoch,
    /// From one to the next [d].
    pub step_d: f64,
    /// How many; at most [`ROWS_MAX`].
    pub count: usize,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct EphemerisRow {
    /// Its time.
    pub at: Epoch,
    /// Place, motion and distances.
    pub seen: Seen,
    /// How far from there the object may be [arcsec].
    pub err_arcsec: f64,
    /// Magnitude [mag, V], when H is known.
    pub v_mag: Option<f64>,
}

/// Where a stored object is at some times, seen by an observer.
///
/// * `name`: number, designation (plain or packed) or name, as `433`, `2014 AA`, `Eros`.
pub fn ephemeris(
    data_dir: &Path,
    name: &str,
    times: &EphemerisTimes,
    observer: &Observer,
) -> Result<(OrbitLabel, Vec<EphemerisRow>), OrbitsError> {
    let at = |k: usize| Epoch::from_mjd_utc(times.start.mjd_utc() + times.step_d * k as f64);
    let instants: Vec<Epoch> = (0..times.count.min(ROWS_MAX)).map(at).collect();
    ephemeris_at(data_dir, name, &instants, observer)
}

/// The same at given instants, best in order of time.
pub fn ephemeris_at(
    data_dir: &Path,
    name: &str,
    instants: &[Epoch],
    observer: &Observer,
) -> Result<(OrbitLabel, Vec<EphemerisRow>), OrbitsError> {
    let table = OrbitFolder::below(data_dir).open()?.ok_or(OrbitsError::None)?;
    let no_object = || OrbitsError::NoObject { name: name.to_owned() };
    let index = find(&table, name).ok_or_else(no_object)?;
    let body = table.body(index).ok_or_else(no_object)?;
    let label = table.label(index).ok_or_else(no_object)?;
    let lost = || OrbitsError::Lost { name: name.to_owned() };
    let times = instants.iter().map(|at| at.mjd_tt()).chain([body.mjd_tdb]);
    let (low, high) = times.fold((f64::MAX, f64::MIN), |(a, b), mjd| (a.min(mjd), b.max(mjd)));
    let planets = Planets::covering(low, high)?;
    let mut rows = Vec::with_capacity(instants.len().min(ROWS_MAX));
    let (mut state, mut mjd) = (body.state, body.mjd_tdb);
    for &at in instants.iter().take(ROWS_MAX) {
        let sight = Sight::new(observer, at, &planets);
        state = propagate(&state, mjd, sight.mjd_tdb(), &planets).ok_or_else(lost)?;
        mjd = sight.mjd_tdb();
        let seen = sight.see(&state, 0.0).ok_or_else(lost)?;
        rows.push(EphemerisRow {
            at,
            err_arcsec: body.growth.error_arcsec(mjd, seen.sun_distance_au, seen.distance_au),
            v_mag: label.brightness.map(|brightness| seen.v_mag(brightness)),
            seen,
        });
    }
    Ok((label, rows))
}

/// The observer with a code of the Minor Planet Center, from the stored list.
pub fn observer_of(data_dir: &Path, code: &str) -> Result<Observer, OrbitsError> {
    if code == GEOCENTRE_CODE {
        return Ok(Observer::GEOCENTRE);
    }
    let bytes = OrbitFolder::below(data_dir).codes()?;
    let codes = bytes.map(|bytes| read_obscodes(&bytes)).transpose()?.unwrap_or_default();
    codes.get(code).copied().ok_or_else(|| OrbitsError::NoSite { code: code.to_owned() })
}

/// The index of an object.
fn find(table: &StoredOrbits, name: &str) -> Option<usize> {
    let name = name.trim();
    let by_label = |is_it: &dyn Fn(&OrbitLabel) -> bool| {
        (0..table.count()).find(|k| table.label(*k).is_some_and(|label| is_it(&label)))
    };
    let designation = Designation::from_name(name).or_else(|| Designation::from_packed(name));
    let text = designation.map(|designation| designation.to_string());
    let designated = text.and_then(|text| by_label(&|label| label.designation == text));
    designated
        .or_else(|| by_label(&|label| label.name.eq_ignore_ascii_case(name) && !name.is_empty()))
}
