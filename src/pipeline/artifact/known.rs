//! Known objects that were predicted inside a night's frames, found or not.

use serde::{Deserialize, Serialize};

/// Frames in which an object must be inside and bright enough to count as missed.
const MISSED_FRAMES_MIN: u64 = 3;

/// A known object inside the frames of a night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownObject {
    /// Number and name, e.g. `22767 Sim22767`.
    pub name: String,
    /// Class of its orbit in the source's words.
    pub class: Option<String>,
    /// Predicted magnitude [mag, V].
    pub v_mag: Option<f64>,
    /// Error of its place [arcsec].
    pub err_arcsec: f64,
    /// Time of the middle one of the frames that it is in [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Right ascension then, ICRS [deg].
    pub ra_deg: f64,
    /// Declination then [deg].
    pub dec_deg: f64,
    /// Rates east and north [arcsec/h].
    pub rate_arcsec_per_h: Option<(f64, f64)>,
    /// Usable frames that it is in.
    pub n_frames: u64,
    /// ... and in which it is bright enough to be seen.
    pub n_bright: u64,
    /// The candidate that it is.
    pub found: Option<KnownFit>,
}

/// How a candidate fits the known object that it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownFit {
    /// Identifier of the candidate.
    pub candidate: String,
    /// Median separation from the predicted places [arcsec].
    pub separation_arcsec: f64,
    /// Observed minus predicted, east and north, the median [arcsec].
    pub offset_arcsec: (f64, f64),
    /// Predicted rates east and north [arcsec/h].
    pub predicted_rate_arcsec_per_h: Option<(f64, f64)>,
    /// Observed minus predicted rates [arcsec/h].
    pub rate_arcsec_per_h_difference: Option<(f64, f64)>,
    /// Chi-square of place, rate and brightness.
    pub chi2: f64,
    /// Predicted places (RA, Dec) at each detection [deg].
    pub predicted_deg: Vec<Option<(f64, f64)>>,
    /// Observed minus predicted at each detection: RA times cos(Dec), and Dec [arcsec].
    pub offsets_arcsec: Vec<Option<(f64, f64)>>,
}

impl KnownObject {
    /// Tells whether it should have been found and was not.
    pub fn is_missed(&self) -> bool {
        self.found.is_none() && self.n_bright >= MISSED_FRAMES_MIN
    }
}
