//! What is known of one science file after the night: a row of the frame table.

use serde::{Deserialize, Serialize};

use super::frame_info::FileImage;
use super::frame_photometry::{FramePhotometry, SkyStats};
use crate::pipeline::fields::Pointing;
use crate::science::sky::wcs::Wcs;
use crate::science::units::DEG_RAD;

/// How far a science file came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameStatus {
    /// Solved and used.
    Ok,
    /// Readable, but not used.
    Rejected,
    /// Could not be processed.
    Failed,
}

/// One science file of a night; `None` where a number is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameRecord {
    /// The file's name on disk, and `[2]` behind it for HDU 2 of a file with several images.
    pub frame: String,
    /// Content hash of the file (and of the HDU's number where it has several), hexadecimal.
    pub content_hash: String,
    /// Which image of the file it is, where that has several: `frame` ends with its HDU then.
    #[serde(default)]
    pub image: Option<FileImage>,
    /// How far it came.
    pub status: FrameStatus,
    /// Why it is not `ok`, with the measured numbers.
    pub reason: Option<String>,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: Option<f64>,
    /// Error of that instant, by the instrument profile [s].
    #[serde(default)]
    pub mid_err_s: Option<f64>,
    /// Whether a simulator made it: what was seen on it never goes to the Minor Planet Center.
    #[serde(default)]
    pub is_simulated: bool,
    /// Exposure time [s].
    pub exposure_s: Option<f64>,
    /// Filter, `NONE` when the header has none.
    pub filter: Option<String>,
    /// Number of sources extracted.
    pub n_sources: Option<u64>,
    /// Number of reference stars in the astrometric fit.
    pub n_reference: Option<u64>,
    /// Root mean square of the fit's residuals per axis [arcsec].
    pub rms_arcsec: Option<f64>,
    /// Median separation of sources and their catalogue stars [arcsec].
    #[serde(default)]
    pub separation_arcsec: Option<f64>,
    /// Largest separation that is no outlier's in its night [arcsec], when the frame is above it.
    #[serde(default)]
    pub separation_fence_arcsec: Option<f64>,
    /// Gaia G of a source of BP-RP 0.82 giving 1 ADU/s in all [mag].
    pub zero_point_mag: Option<f64>,
    /// Error of the zero point [mag].
    pub zero_point_err_mag: Option<f64>,
    /// Colour term: change of G minus instrumental magnitude per BP-RP [mag/mag].
    pub colour_term: Option<f64>,
    /// Full width at half maximum of stars [arcsec].
    pub fwhm_arcsec: Option<f64>,
    /// Magnitude of a point source at a signal-to-noise ratio of 5 [mag].
    pub limiting_mag: Option<f64>,
    /// Sky level [e-/px].
    pub sky_e: Option<f64>,
    /// Statistics of the sky with its sources masked.
    #[serde(default)]
    pub sky_stats: Option<SkyStats>,
    /// Magnitude scale and what it rests on; `None` for frames that did not come that far.
    #[serde(default)]
    pub photometry: Option<Box<FramePhotometry>>,
    /// The WCS of the calibrated frame as FITS keywords in order (1-based pixels, degrees).
    pub wcs: Vec<(String, WcsKeyword)>,
    /// Calibrated pixel = raw pixel + ltv, per axis [px].
    pub ltv_px: Option<(f64, f64)>,
    /// Calibration steps taken, in words with the masters' names.
    pub steps: Vec<String>,
    /// Remarks for the report: what was guessed, missing or unusual.
    pub notes: Vec<String>,
}

/// Where a solved frame lies on the sky.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outline {
    /// Its centre (RA, Dec), ICRS [deg].
    pub centre_deg: (f64, f64),
    /// Its corners in order round it [deg].
    pub corners_deg: [(f64, f64); 4],
    /// Scale of its pixels [deg].
    pub pixel_deg: f64,
}

impl FrameRecord {
    /// The name of its file.
    pub fn file_name(&self) -> &str {
        let suffix = self.image.as_ref().map(FileImage::suffix).unwrap_or_default();
        self.frame.strip_suffix(suffix.as_str()).unwrap_or(&self.frame)
    }

    /// The plate solution.
    pub fn solution(&self) -> Option<Wcs> {
        Wcs::from_fits_keywords(|key| {
            self.wcs.iter().find(|(k, _)| k == key).and_then(|(_, value)| match value {
                WcsKeyword::Integer(v) => Some(*v as f64),
                WcsKeyword::Real(v) => Some(*v),
                WcsKeyword::Text(_) => None,
            })
        })
    }

    /// Columns and rows of the calibrated frame [px]; the solutions' tangent points are the frames'
    /// centres (`science::astrometry::fit`).
    pub fn size_px(&self) -> Option<(usize, usize)> {
        let (x, y) = self.solution()?.crpix_px;
        // Casts of negative numbers give 0.
        let side = |middle: f64| (2.0 * middle + 1.0).round() as usize;
        let size = (side(x), side(y));
        (size.0 > 0 && size.1 > 0).then_some(size)
    }

    /// Where and when it looked; `None` without a plate solution or a time.
    pub fn pointing(&self) -> Option<Pointing<'_>> {
        let outline = self.outline_deg()?;
        let (nx, ny) = self.size_px()?;
        let (ra_deg, dec_deg) = outline.centre_deg;
        Some(Pointing {
            centre_rad: (ra_deg * DEG_RAD, dec_deg * DEG_RAD),
            side_rad: nx.min(ny) as f64 * outline.pixel_deg * DEG_RAD,
            mid_mjd_utc: self.mid_mjd_utc?,
            content_hash: &self.content_hash,
        })
    }

    /// Whether its photometry counts; frames without any have none that could be wrong.
    pub fn is_photometry_valid(&self) -> bool {
        self.photometry.as_ref().is_none_or(|photometry| photometry.faults.is_empty())
    }

    /// Where the frame lies on the sky. The solutions' tangent points are the frames' centres
    /// (`science::astrometry::fit`), which gives the size.
    pub fn outline_deg(&self) -> Option<Outline> {
        let wcs = self.solution()?;
        let (right, top) = (2.0 * wcs.crpix_px.0 + 0.5, 2.0 * wcs.crpix_px.1 + 0.5);
        if !(right > 0.0 && top > 0.0) {
            return None;
        }
        let sky_deg = |(x, y): (f64, f64)| {
            let (ra_rad, dec_rad) = wcs.to_sky(x, y);
            (ra_rad.to_degrees(), dec_rad.to_degrees())
        };
        Some(Outline {
            centre_deg: sky_deg(wcs.crpix_px),
            corners_deg: [(-0.5, -0.5), (right, -0.5), (right, top), (-0.5, top)].map(sky_deg),
            pixel_deg: wcs.pixel_scale_arcsec() / 3600.0,
        })
    }
}

/// Value of a FITS keyword of a WCS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WcsKeyword {
    /// Integer, as `A_ORDER`.
    Integer(i64),
    /// Floating point, as `CRVAL1`.
    Real(f64),
    /// Text, as `CTYPE1`.
    Text(String),
}
