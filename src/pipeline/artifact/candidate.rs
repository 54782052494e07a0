//! A moving object of the night and its detections.

use serde::{Deserialize, Serialize};

use super::photometric_point::PhotometricPoint;
use super::rating::Rating;

/// Who a candidate is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Identity {
    /// A catalogued object: designation and offset from its predicted place.
    Known {
        /// Number and name as the list gives them, e.g. `22767 Sim22767`.
        name: String,
        /// Median separation from the predicted places [arcsec].
        separation_arcsec: f64,
    },
    /// No object of the list fits.
    Unknown,
    /// No list was there to compare with.
    Unchecked,
}

/// One detection of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateDetection {
    /// Name of the frame's file.
    pub frame: String,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Right ascension, ICRS [deg].
    pub ra_deg: f64,
    /// Declination, ICRS [deg].
    pub dec_deg: f64,
    /// Column on the calibrated frame [px, 0-based].
    pub x_px: f64,
    /// Row on the calibrated frame [px, 0-based].
    pub y_px: f64,
    /// Error of the place per axis [arcsec].
    pub position_err_arcsec: f64,
    /// Residual from the motion fit, east and north [arcsec].
    pub residual_arcsec: (f64, f64),
    /// Gaia G for a solar colour [mag].
    pub mag: Option<f64>,
    /// Its error [mag].
    pub mag_err: Option<f64>,
    /// Signal-to-noise ratio.
    pub snr: f64,
    /// Whether it is no source of the frame's catalogue but of its difference: the static sky was
    /// taken off.
    #[serde(default)]
    pub is_recovered: bool,
    /// Whether it was measured because the motion leads there.
    #[serde(default)]
    pub is_foreseen: bool,
}

/// A moving object of the night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Identifier made from content, stable over runs, e.g. `K7Q2MA`.
    pub id: String,
    /// Who it is.
    pub identity: Identity,
    /// Expected number of chance alignments as good as this one in the night.
    pub false_alarms: f64,
    /// Speed on the sky [arcsec/min].
    pub rate_arcsec_per_min: f64,
    /// Error of the speed [arcsec/min].
    pub rate_err_arcsec_per_min: f64,
    /// Position angle of the motion, north through east [deg].
    pub pa_deg: f64,
    /// Reduced chi-square of the motion fit.
    pub chi2_reduced: f64,
    /// Root mean square of the residuals per axis [arcsec].
    pub rms_arcsec: f64,
    /// Median magnitude, Gaia G [mag].
    pub mag: Option<f64>,
    /// Detections in order of time.
    pub detections: Vec<CandidateDetection>,
    /// In how many frames it should have been seen (inside the frame and above the limit).
    pub n_expected: u64,
    /// How many usable frames cover its path.
    pub n_covered: u64,
    /// Its light in all frames that cover its path, in order of time: detections measured once
    /// more, forced measurements and limits.
    #[serde(default)]
    pub photometry: Vec<PhotometricPoint>,
    /// How it is rated; `None` from programs that did not rate.
    #[serde(default)]
    pub rating: Option<Rating>,
}

impl Candidate {
    /// Tells whether it was detected in at least half of the frames that cover its path.
    ///
    /// What flickers at the limit of detection is kept, but not reported as an object. What was
    /// measured because it was looked for is no witness of its own.
    pub fn is_steady(&self) -> bool {
        let n_detected = self.detections.iter().filter(|d| !d.is_foreseen).count();
        2 * n_detected as u64 >= self.n_covered
    }
}
