//! Sections that steer the science: `[calibrate]`, `[astrometry]`, `[photometry]`, `[link]`.

use std::path::PathBuf;

use super::check::Checker;
use super::error::ConfigError;
use super::raw::{RawAstrometry, RawCalibrate, RawLink, RawPhotometry};
use crate::pipeline::artifact::frame_photometry::PhotometryMethod;
use crate::pipeline::judge_astrometry::OutlierRule;
use crate::pipeline::measure_movers::FixedApertures;
use crate::pipeline::share_photometry::SharePhotometryParams;
use crate::science::sky::keywords::Convention;

/// Cleaning of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrate {
    /// Whether cosmic rays are masked.
    pub is_cosmic_masked: bool,
    /// Sharpness of a cosmic ray [sigma].
    pub cosmic_threshold_sigma: f64,
    /// Whether trails of satellites and aircraft are masked.
    pub is_trail_masked: bool,
    /// Folder with maps of weights; without one every pixel counts alike.
    pub weight_dir: Option<PathBuf>,
}

impl Default for Calibrate {
    fn default() -> Self {
        let (is_cosmic_masked, is_trail_masked) = (true, true);
        Self { is_cosmic_masked, cosmic_threshold_sigma: 5.0, is_trail_masked, weight_dir: None }
    }
}

/// Trust in the header's pointing and scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Astrometry {
    /// Error of the header's pointing within which a match is looked for first [deg].
    pub pointing_err_deg: f64,
    /// Error of the header's pixel scale, as a share of it.
    pub scale_range: f64,
    /// How distortion is written to headers and tables.
    pub convention: Convention,
    /// Whether frames of bad astrometry are solved anew.
    pub is_recalibrated: bool,
    /// What becomes of those that stay bad.
    pub outliers: OutlierRule,
    /// File of the whole-sky index; that of the data folder, if it is there, when not set.
    pub blind_index: Option<PathBuf>,
}

impl Default for Astrometry {
    fn default() -> Self {
        Self {
            pointing_err_deg: 0.5,
            scale_range: 0.25,
            convention: Convention::Sip,
            is_recalibrated: true,
            outliers: OutlierRule::default(),
            blind_index: None,
        }
    }
}

/// Apertures and zero points.
#[derive(Debug, Clone, PartialEq)]
pub struct Photometry {
    /// Radius of the photometric aperture in units of the seeing.
    pub aperture_fwhm: f64,
    /// Whether objects are measured through one aperture in all their frames.
    pub is_aperture_fixed: bool,
    /// Filters in which the frame that gives it is looked for, the first one first.
    pub reference_filters: Vec<String>,
    /// How zero points are found.
    pub zero_points: SharePhotometryParams,
}

impl Default for Photometry {
    fn default() -> Self {
        Self {
            aperture_fwhm: 1.5,
            is_aperture_fixed: false,
            reference_filters: Vec::new(),
            zero_points: SharePhotometryParams::default(),
        }
    }
}

impl Photometry {
    /// How an object's aperture is chosen, where one is wanted.
    pub fn fixed_apertures(&self) -> Option<FixedApertures> {
        let (filters, radius_fwhm) = (self.reference_filters.clone(), self.aperture_fwhm);
        self.is_aperture_fixed.then_some(FixedApertures { filters, radius_fwhm })
    }
}

/// Moving objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Slowest motion [arcsec/h].
    pub rate_min_arcsec_per_h: f64,
    /// Fastest motion [arcsec/h].
    pub rate_max_arcsec_per_h: f64,
    /// Fewest detections of an object.
    pub detections_min: usize,
    /// Largest odds of being an accident.
    pub chance_odds_max: f64,
    /// Nights before and after in which unknown objects are looked for [d]; 0 for none.
    pub nights_joined: u32,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            rate_min_arcsec_per_h: 2.0,
            rate_max_arcsec_per_h: 6000.0,
            detections_min: 3,
            chance_odds_max: 0.02,
            nights_joined: 5,
        }
    }
}

pub(super) fn calibrate(
    raw: &RawCalibrate,
    checker: &Checker<'_>,
) -> Result<Calibrate, ConfigError> {
    let default = Calibrate::default();
    Ok(Calibrate {
        is_cosmic_masked: raw.cosmic_rays.unwrap_or(default.is_cosmic_masked),
        cosmic_threshold_sigma: checker.number(
            "calibrate.cosmic_threshold_sigma",
            raw.cosmic_threshold_sigma,
            default.cosmic_threshold_sigma,
            3.0..=100.0,
        )?,
        is_trail_masked: raw.trails.unwrap_or(default.is_trail_masked),
        weight_dir: checker.optional_path("calibrate.weight_dir", raw.weight_dir.clone()),
    })
}

pub(super) fn astrometry(
    raw: &RawAstrometry,
    checker: &Checker<'_>,
) -> Result<Astrometry, ConfigError> {
    let default = Astrometry::default();
    Ok(Astrometry {
        pointing_err_deg: checker.number(
            "astrometry.pointing_err_deg",
            raw.pointing_err_deg,
            default.pointing_err_deg,
            0.001..=180.0,
        )?,
        scale_range: checker.number(
            "astrometry.scale_range",
            raw.scale_range,
            default.scale_range,
            0.01..=1.0,
        )?,
        convention: checker.word(
            "astrometry.convention",
            raw.convention.clone(),
            default.convention,
            &[("sip", Convention::Sip), ("tpv", Convention::Tpv)],
        )?,
        is_recalibrated: raw.recalibrate.unwrap_or(default.is_recalibrated),
        outliers: checker.word(
            "astrometry.outliers",
            raw.outliers.clone(),
            default.outliers,
            &[
                ("spoiled", OutlierRule::Spoiled),
                ("keep", OutlierRule::Keep),
                ("drop", OutlierRule::Drop),
            ],
        )?,
        blind_index: checker.optional_path("astrometry.blind_index", raw.blind_index.clone()),
    })
}

pub(super) fn photometry(
    raw: &RawPhotometry,
    checker: &Checker<'_>,
) -> Result<Photometry, ConfigError> {
    let default = Photometry::default();
    let mut zero_points = default.zero_points;
    zero_points.method = checker.word(
        "photometry.method",
        raw.method.clone(),
        zero_points.method,
        &[("robust", PhotometryMethod::Robust), ("regression", PhotometryMethod::Regression)],
    )?;
    let robust = &mut zero_points.robust;
    let (key, limits) = ("photometry.clip_sigma", 2.0..=10.0);
    robust.clip_sigma = checker.number(key, raw.clip_sigma, robust.clip_sigma, limits)?;
    robust.is_spatial = raw.flat.unwrap_or(robust.is_spatial);
    let line = &mut zero_points.regression;
    let number =
        |key: &'static str, value, default, limits| checker.number(key, value, default, limits);
    let (key, value) = ("photometry.regression_mag_min", raw.regression_mag_min);
    line.min_mag = number(key, value, line.min_mag, -5.0..=30.0)?;
    let (key, value) = ("photometry.regression_mag_max", raw.regression_mag_max);
    line.max_mag = number(key, value, line.max_mag, -5.0..=30.0)?;
    let (key, value) = ("photometry.regression_err_max_mag", raw.regression_err_max_mag);
    line.max_magerr_mag = number(key, value, line.max_magerr_mag, 0.001..=1.0)?;
    let (key, value) = ("photometry.regression_sigma", raw.regression_sigma);
    line.sigma = number(key, value, line.sigma, 1.0..=20.0)?;
    let (key, value) = ("photometry.r2_ratio_min", raw.r2_ratio_min);
    line.r2_min = number(key, value, line.r2_min, 0.0..=1.0)?;
    Ok(Photometry {
        aperture_fwhm: checker.number(
            "photometry.aperture_fwhm",
            raw.aperture_fwhm,
            default.aperture_fwhm,
            0.5..=5.0,
        )?,
        is_aperture_fixed: raw.fixed_apertures.unwrap_or(default.is_aperture_fixed),
        reference_filters: raw.reference_filters.clone().unwrap_or_default(),
        zero_points,
    })
}

pub(super) fn link(raw: &RawLink, checker: &Checker<'_>) -> Result<Link, ConfigError> {
    let default = Link::default();
    Ok(Link {
        rate_min_arcsec_per_h: checker.number(
            "link.rate_min_arcsec_per_h",
            raw.rate_min_arcsec_per_h,
            default.rate_min_arcsec_per_h,
            0.1..=1000.0,
        )?,
        rate_max_arcsec_per_h: checker.number(
            "link.rate_max_arcsec_per_h",
            raw.rate_max_arcsec_per_h,
            default.rate_max_arcsec_per_h,
            1.0..=36_000.0,
        )?,
        detections_min: checker.whole(
            "link.detections_min",
            raw.detections_min,
            default.detections_min,
            3..=1000,
        )?,
        chance_odds_max: checker.number(
            "link.chance_odds_max",
            raw.chance_odds_max,
            default.chance_odds_max,
            1e-12..=1.0,
        )?,

        nights_joined: checker.whole(
            "link.nights_joined",
            raw.nights_joined,
            default.nights_joined,
            0..=15,
        )?,
    })
}
