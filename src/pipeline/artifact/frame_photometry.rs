//! A frame's magnitude scale and what it rests on: part of its record.

use serde::{Deserialize, Serialize};

use crate::science::photometry::regression::Line;
use crate::science::photometry::shared::{SPATIAL_TERMS, Spatial};

/// Statistics of a frame's sky, sources masked.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SkyStats {
    /// Clipped mean [ADU].
    pub mean_adu: f64,
    /// Clipped standard deviation [ADU].
    pub sd_adu: f64,
    /// Clipped median [ADU].
    pub median_adu: f64,
    /// Median absolute deviation from that median, of all good pixels, not scaled [ADU].
    pub mad_adu: f64,
    /// Share of the good pixels that the source mask takes.
    pub masked_share: f64,
}

/// How instrumental magnitudes become Gaia G.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhotometryMethod {
    /// Slope one, colour term of the night, flat's error.
    #[default]
    Robust,
    /// Slope free, as Automatic-SSOs.
    Regression,
}

/// The magnitude scale that the night gave a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhotometricSolution {
    /// By which method.
    pub method: PhotometryMethod,
    /// Gaia G of a source of solar colour that gives one electron per second in all, the mean over
    /// the detector; by regression the intercept of `line` [mag].
    pub zero_point_mag: f64,
    /// Error of the zero point from stars, without that of the aperture's share [mag].
    pub zero_point_err_mag: f64,
    /// Intercept, slope, R2 of the regression; `None` with too few stars in its range.
    pub line: Option<StoredLine>,
    /// Stars in the range.
    pub n_in_range: u64,
    /// Stars kept.
    pub n_used: u64,
    /// Robust scatter of the stars kept [mag].
    pub scatter_mag: f64,
    /// Scatter that no photon noise explains [mag].
    pub floor_mag: f64,
    /// Colour term of the night: change of G minus instrumental magnitude per BP-RP [mag/mag].
    pub colour_term: f64,
    /// Error of the colour term; `None` when it could not be fitted.
    pub colour_term_err: Option<f64>,
    /// Error of an object's magnitude because its colour is not known, and taken as solar [mag].
    pub colour_err_mag: f64,
    /// Terms of the flat's error in u, v, u^2 - 1/3, uv, v^2 - 1/3 of the detector, where
    /// significant [mag].
    pub spatial_terms_mag: Option<[f64; SPATIAL_TERMS]>,
}

/// A regression line as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StoredLine {
    /// G at an instrumental magnitude of zero [mag].
    pub intercept_mag: f64,
    /// Its error [mag].
    pub intercept_err_mag: f64,
    /// Slope.
    pub slope: f64,
    /// Its error.
    pub slope_err: f64,
    /// Covariance of both [mag].
    pub covariance_mag: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// Stars in the regression's range.
    pub n_in_range: u64,
    /// Stars it kept.
    pub n_used: u64,
}

impl StoredLine {
    /// The line.
    pub fn line(&self) -> Line {
        Line {
            intercept_mag: self.intercept_mag,
            intercept_err_mag: self.intercept_err_mag,
            slope: self.slope,
            slope_err: self.slope_err,
            covariance_mag: self.covariance_mag,
            r2: self.r2,
        }
    }
}

impl PhotometricSolution {
    /// Gaia G of an instrumental magnitude at a place on the detector, -1..1 over each side [mag].
    pub fn mag(&self, instrumental_mag: f64, place: (f64, f64)) -> f64 {
        match (self.method, &self.line) {
            (PhotometryMethod::Regression, Some(line)) => line.line().mag(instrumental_mag),
            _ => {
                let flat = self.spatial_terms_mag.map(|terms_mag| Spatial { terms_mag });
                instrumental_mag + self.zero_point_mag + flat.map_or(0.0, |flat| flat.at(place))
            }
        }
    }

    /// Error of that, the scale's included, the colour's not [mag].
    pub fn mag_err(&self, instrumental_mag: f64, instrumental_err_mag: f64) -> f64 {
        match (self.method, &self.line) {
            (PhotometryMethod::Regression, Some(line)) => {
                line.line().mag_err(instrumental_mag, instrumental_err_mag)
            }
            _ => instrumental_err_mag.hypot(self.zero_point_err_mag),
        }
    }
}

/// What a frame tells of its photometry.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FramePhotometry {
    /// Gain used [e-/ADU].
    pub gain_e_per_adu: f64,
    /// Radius of the photometric aperture [px].
    pub aperture_px: f64,
    /// Share of a star's light inside it.
    pub share: f64,
    /// Relative error of the share.
    pub share_err: f64,
    /// Light in the aperture over the fitted light of a star.
    pub circle_share: f64,
    /// Seeing [px].
    pub fwhm_px: f64,
    /// Exponent of the Moffat profile of the stars' cores, where it was measured.
    pub core_beta: Option<f64>,
    /// The magnitude scale of the night; `None` before the night is closed or without stars.
    pub solution: Option<PhotometricSolution>,
    /// Zero point of the frame against the median of its night and filter [mag].
    pub transparency_mag: Option<f64>,
    /// Whether its sky's statistics lie outside the fences of the night's box plots.
    #[serde(default)]
    pub is_sky_outlier: bool,
    /// Why its photometry is not valid, with numbers; empty when it is.
    pub faults: Vec<String>,
}
