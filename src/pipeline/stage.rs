//! Names and versions of the stages, and why a frame may not get through one.

use std::fmt;

use super::agree::Disagreement;
use super::calibrate::CalibrateError;
use crate::science::astrometry::NoSolution;

/// A stage of the pipeline with the version of its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageName {
    /// Name, as in the database and on the command line.
    pub name: &'static str,
    /// Raised whenever the same input gives another result; results of old versions are redone.
    pub version: u32,
}

/// Stages of a frame, in order.
pub const FRAME_STAGES: [StageName; 5] = [
    StageName { name: "ingest", version: 1 },
    StageName { name: "calibrate", version: 5 },
    StageName { name: "extract", version: 4 },
    StageName { name: "solve", version: 5 },
    StageName { name: "calibrate-flux", version: 4 },
];

/// Stages of a night, in order.
pub const NIGHT_STAGES: [StageName; 10] = [
    StageName { name: "share-astrometry", version: 2 },
    StageName { name: "judge-astrometry", version: 2 },
    StageName { name: "share-photometry", version: 1 },
    StageName { name: "judge-photometry", version: 1 },
    StageName { name: "link", version: 3 },
    StageName { name: "measure-movers", version: 1 },
    StageName { name: "identify", version: 2 },
    StageName { name: "rate", version: 1 },
    StageName { name: "summarize", version: 1 },
    StageName { name: "cut-outs", version: 1 },
];

/// Why a frame is not used: what was measured and what was needed.
#[derive(Debug)]
pub enum Refusal {
    /// The header has no usable time.
    NoTime,
    /// Masters or sections do not fit the frame.
    NotCalibrated {
        /// What calibration says.
        why: CalibrateError,
    },
    /// No part of the frame has a measurable sky.
    NoSky,
    /// Too few sources to recognise the field.
    FewSources {
        /// Sources found.
        found: usize,
        /// Sources needed.
        needed: usize,
    },
    /// The field was not recognised.
    NotSolved {
        /// What the solver says.
        why: NoSolution,
        /// Sources given to it.
        n_sources: usize,
        /// Seeing [px], when it could be measured.
        fwhm_px: Option<f64>,
        /// Elongation of the stars, 1 - b/a.
        ellipticity: Option<f64>,
    },
    /// No reference catalogue was given.
    NoReference,
    /// Too few reference stars with a magnitude were measured.
    NoZeroPoint {
        /// Stars measured.
        n_stars: usize,
    },
    /// A solution of few stars contradicts the night's other frames.
    Disagrees {
        /// In what.
        how: Disagreement,
    },
    /// The time allowed for the frame is over.
    Overdue,
    /// The frame's stars are drawn out.
    Trailed {
        /// 1 - b/a.
        ellipticity: f64,
        /// Largest value allowed.
        ellipticity_max: f64,
    },
    /// The frame is much less sharp than the night.
    Blurred {
        /// Seeing [arcsec].
        fwhm_arcsec: f64,
        /// Median of the night [arcsec].
        night_arcsec: f64,
    },
    /// The frame's sources lie much farther from the catalogue than the night's.
    BadAstrometry {
        /// Median separation [arcsec]; `None` where no source has a catalogue star.
        separation_arcsec: Option<f64>,
        /// Largest that is no outlier [arcsec].
        fence_arcsec: f64,
        /// Median of the night [arcsec].
        night_arcsec: f64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTime => write!(f, "no usable time of observation in the header"),
            Self::NotCalibrated { why } => write!(f, "cannot be calibrated: {why}"),
            Self::NoSky => write!(f, "no part of the frame has a measurable sky"),
            Self::FewSources { found, needed } => {
                write!(f, "too few sources: {found} found, {needed} needed (clouds, closed dome?)")
            }
            Self::NotSolved { why, n_sources, fwhm_px, ellipticity } => {
                write!(f, "field not recognised: {why}; {n_sources} sources")?;
                if let Some(fwhm) = fwhm_px {
                    write!(f, ", FWHM {fwhm:.1} px")?;
                }
                if let Some(e) = ellipticity {
                    write!(f, ", ellipticity {e:.2}")?;
                }
                Ok(())
            }
            Self::NoReference => {
                write!(
                    f,
                    "no reference stars: name a catalogue with --reference (or see [reference])"
                )
            }
            Self::NoZeroPoint { n_stars } => {
                write!(f, "no zero point: {n_stars} usable reference stars")
            }
            Self::Disagrees { how } => write!(f, "plate solution not believed: {how}"),
            Self::Overdue => write!(f, "the time allowed for the frame is over"),
            Self::Trailed { ellipticity, ellipticity_max } => {
                write!(
                    f,
                    "trailed: stars of ellipticity {ellipticity:.2}, allowed {ellipticity_max:.2}"
                )
            }
            Self::Blurred { fwhm_arcsec, night_arcsec } => {
                write!(
                    f,
                    "out of focus: FWHM {fwhm_arcsec:.1}\", \
                     the night's median is {night_arcsec:.1}\""
                )
            }
            Self::BadAstrometry { separation_arcsec, fence_arcsec, night_arcsec } => {
                write!(f, "bad astrometry: ")?;
                match separation_arcsec {
                    Some(separation) => {
                        write!(f, "{separation:.3}\" from the catalogue in the median")?;
                    }
                    None => write!(f, "no source at a catalogue star")?,
                }
                write!(
                    f,
                    ", the night's frames {night_arcsec:.3}\", outliers above {fence_arcsec:.3}\""
                )
            }
        }
    }
}

/// How a stage of a frame ended.
pub type Outcome<T> = Result<T, Refusal>;
