//! The seam to orbits on disk: who else can tell where known objects are.

use crate::formats::skybot::ConeRequest;
use crate::ops::error::OpsError;
use crate::science::movers::known::KnownPlace;

/// Orbits on disk that places can be computed from.
pub trait OrbitPlaces: Send + Sync {
    /// The objects in a cone at its time, as the observer sees them (astrometric, ICRS), with
    /// rates, errors and magnitudes; `mid_mjd_utc` is the time of the request.
    fn objects_in(&self, cone: &ConeRequest) -> Result<Vec<KnownPlace>, OpsError>;

    /// Date of the orbits in words, as `2026-03-01`.
    fn date(&self) -> String;

    /// Changes when the answers would.
    fn key(&self) -> String;
}
