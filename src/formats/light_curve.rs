//! A light curve as files hold it, and its reduction to one distance and time at the object.

use crate::science::orbit::place::{SLOPE_USUAL_RATIO, phase_dimming_mag};
use crate::science::units::DEG_RAD;

/// Most points read from a file.
pub const ROWS_MAX: usize = 1_000_000;
/// Light time of one astronomical unit [s] (IAU 2012 unit, speed of light).
const LIGHT_TIME_S_PER_AU: f64 = 499.004_783_8;
/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// A measured magnitude as a file holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Magnitude [mag].
    pub mag: f64,
    /// Its error [mag].
    pub err_mag: Option<f64>,
    /// Place of its session in [`LightCurve::sessions`].
    pub session: u32,
    /// Distance from the sun [au].
    pub sun_au: Option<f64>,
    /// Distance from the observer [au].
    pub observer_au: Option<f64>,
    /// Angle at the object between sun and observer [deg].
    pub phase_deg: Option<f64>,
}

/// What the points of a session share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    /// Name or number.
    pub name: String,
    /// Filter, or the band of the magnitudes.
    pub filter: String,
    /// Whether magnitudes are relative to comparison stars only.
    pub is_differential: bool,
    /// Whether times are those at the object already.
    pub is_light_time_applied: bool,
    /// Whether magnitudes are for one distance already.
    pub is_distance_applied: bool,
    /// Observatory code.
    pub observatory: String,
    /// Observers.
    pub observers: String,
}

/// The light curve of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LightCurve {
    /// Its name or number, when the file tells.
    pub object: String,
    /// The sessions.
    pub sessions: Vec<Session>,
    /// The points in the order of the file.
    pub points: Vec<Measured>,
    /// Slope of its phase function (H, G), when known.
    pub slope_ratio: Option<f64>,
    /// Rows that could not be used.
    pub n_bad: usize,
}

/// Why a light curve cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LightCurveError {
    /// A column that is needed is missing.
    #[error("the light curve has no column `{column}`: name time (or mjd, jd) and mag")]
    MissingColumn {
        /// Its name.
        column: &'static str,
    },
    /// No row has a time and a magnitude.
    #[error("the light curve has no row with a time and a magnitude")]
    NoPoints,
    /// More rows than are read.
    #[error("the light curve has more than {allowed} points: split it")]
    TooLong {
        /// Most that are read.
        allowed: usize,
    },
}

impl LightCurve {
    /// Time at the object [h, MJD UTC x 24] and magnitude at one au from sun and observer and in
    /// opposition (H, G system; the usual slope when none is known), where the distances are known
    /// and not applied before.
    pub fn reduced(&self, point: &Measured) -> (f64, f64) {
        let session = self.sessions.get(point.session as usize);
        let has_time = session.is_some_and(|s| s.is_light_time_applied);
        let has_distance = session.is_some_and(|s| s.is_distance_applied);
        let late_s = match point.observer_au {
            Some(delta) if !has_time => delta * LIGHT_TIME_S_PER_AU,
            _ => 0.0,
        };
        let dimming = match point.sun_au.zip(point.observer_au) {
            Some((r, delta)) if !has_distance && r * delta > 0.0 => {
                let slope = self.slope_ratio.unwrap_or(SLOPE_USUAL_RATIO);
                let phase = point.phase_deg.map(|deg| phase_dimming_mag(deg * DEG_RAD, slope));
                5.0 * (r * delta).log10() + phase.unwrap_or(0.0)
            }
            _ => 0.0,
        };
        (24.0 * (point.mid_mjd_utc - late_s / DAY_S), point.mag - dimming)
    }
}
