//! What was measured of a moving object in one frame: a point of its light curve.

use serde::{Deserialize, Serialize};

/// A measurement of an object in a frame, or the limit that the frame sets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhotometricPoint {
    /// Name of the frame's file.
    pub frame: String,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Right ascension of the measured place, ICRS [deg].
    pub ra_deg: f64,
    /// Declination, ICRS [deg].
    pub dec_deg: f64,
    /// Column on the calibrated frame [px, 0-based].
    pub x_px: f64,
    /// Row on the calibrated frame [px, 0-based].
    pub y_px: f64,
    /// Whether the frame detected it by itself; if not, the place is that of its motion.
    pub is_detected: bool,
    /// All its light; may be negative where it was not detected [e-].
    pub flux_e: f64,
    /// Error of the light [e-].
    pub flux_err_e: f64,
    /// Instrumental magnitude, -2.5 log10(all its light in electrons per second) [mag].
    pub instrumental_mag: Option<f64>,
    /// Its error: photons, place, neighbours [mag].
    pub instrumental_err_mag: Option<f64>,
    /// Gaia G for a solar colour; `None` where only a limit is known [mag].
    pub mag: Option<f64>,
    /// Its error, that of the magnitude scale and of the unknown colour included [mag].
    pub mag_err: Option<f64>,
    /// The part of the unknown colour, the same in all frames of a filter [mag].
    pub colour_err_mag: f64,
    /// It is fainter than this, at three sigma; where no magnitude is given [mag].
    pub limit_mag: Option<f64>,
    /// Light of stars and other sources that was taken off, over its own.
    pub near_share: f64,
    /// Whether that, or pixels that tell nothing, is of account.
    pub is_contaminated: bool,
    /// Whether the frame's photometry is valid.
    pub photometry_valid: bool,
    /// The same through the object's own aperture, where these are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aperture: Option<AperturePoint>,
}

/// Light of an object through a circle that is the same in all its frames.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AperturePoint {
    /// Radius [arcsec].
    pub radius_arcsec: f64,
    /// Whether this is the frame that gave the radius.
    pub is_reference: bool,
    /// All its light, that outside the circle by the frame's stars; may be negative [e-].
    pub flux_e: f64,
    /// Error of that [e-].
    pub flux_err_e: f64,
    /// Instrumental magnitude, -2.5 log10(electrons per second); `None` below three sigma [mag].
    pub instrumental_mag: Option<f64>,
    /// Its error [mag].
    pub instrumental_err_mag: Option<f64>,
    /// Gaia G for a solar colour [mag].
    pub mag: Option<f64>,
    /// Its error, the magnitude scale's included, the unknown colour's not [mag].
    pub mag_err: Option<f64>,
}
