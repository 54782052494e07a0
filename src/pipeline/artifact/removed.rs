//! A tracklet that the configured cuts took away, and why.

use serde::{Deserialize, Serialize};

/// A tracklet that a filter removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    /// Identifier it would have had as a candidate.
    pub id: String,
    /// Name of the filter.
    pub filter: String,
    /// Why, with the numbers.
    pub why: String,
    /// Number of detections.
    pub n_detections: u64,
    /// Right ascension of the first detection [deg].
    pub ra_deg: f64,
    /// Declination of the first detection [deg].
    pub dec_deg: f64,
    /// Time of the first detection [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Rate [arcsec/min].
    pub rate_arcsec_per_min: f64,
    /// Direction, north through east [deg].
    pub pa_deg: f64,
    /// Median magnitude [mag].
    pub mag: Option<f64>,
}
