//! Why something is held back from the Minor Planet Center.

use std::fmt;

use serde::Serialize;

/// A reason; the text is for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "hold", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Hold {
    /// The telescope has no observatory code.
    NoStation,
    /// No sky was seen: a simulator made the frames.
    Simulated,
    /// Nobody looked at it.
    NotVetted,
    /// People disagree.
    Disputed {
        /// How many opinions there are.
        n_opinions: usize,
    },
    /// It was judged an artefact.
    Artefact,
    /// It was judged unsure.
    Unsure,
    /// It is too near to a star.
    NearStar {
        /// Distance to the nearest one [seeing].
        distance_fwhm: f64,
    },
    /// No list of known objects was there, so that it may be a known one.
    NotCompared,
    /// The known object's predicted place is too far.
    UncertainIdentity {
        /// Distance [arcsec].
        separation_arcsec: f64,
    },
    /// The known object's name cannot be turned into a number or designation.
    UnreadableName,
    /// Another candidate of the night bears the same name.
    NameTwice {
        /// That candidate.
        other: String,
    },
    /// No free name could be made.
    NoTrackName,
    /// Too few observations are left.
    FewObservations {
        /// How many.
        n_left: usize,
        /// How many are needed.
        n_min: usize,
    },
    /// The frame is not in the report, or was not used.
    FrameNotUsed,
    /// The frame's time is unknown or cannot be.
    NoTime,
    /// The place or its error is unknown.
    NoPlace,
    /// The signal is too weak.
    LowSnr {
        /// Signal-to-noise ratio.
        snr: f64,
    },
    /// The place is far from the motion's line.
    Outlier {
        /// Distance [arcsec].
        residual_arcsec: f64,
    },
    /// Another observation of the object has the same instant.
    SameInstant,
    /// Another candidate that goes claims the same source.
    Shared {
        /// That candidate.
        other: String,
    },
    /// It was written before.
    AlreadyWritten,
    /// A value does not fit the format.
    Unfit {
        /// Which.
        field: &'static str,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStation => f.write_str("the telescope has no observatory code (site.mpc_code)"),
            Self::Simulated => f.write_str("simulated: no sky was seen"),
            Self::NotVetted => f.write_str("nobody has looked at it yet"),
            Self::Disputed { n_opinions } => {
                write!(f, "people disagree ({n_opinions} opinions): settle it first")
            }
            Self::Artefact => f.write_str("judged an artefact"),
            Self::Unsure => f.write_str("judged unsure"),
            Self::NearStar { distance_fwhm } => {
                write!(f, "{distance_fwhm:.1} FWHM from a star: the place may be the blend's")
            }
            Self::NotCompared => {
                f.write_str("not compared with known objects: give a list and process again")
            }
            Self::UncertainIdentity { separation_arcsec } => {
                write!(f, "{separation_arcsec:.1}\" from the place predicted for its name")
            }
            Self::UnreadableName => f.write_str("its name is no number or designation"),
            Self::NameTwice { other } => write!(f, "candidate {other} has the same name"),
            Self::NoTrackName => f.write_str("no free name could be made for it"),
            Self::FewObservations { n_left, n_min } => {
                write!(f, "{n_left} observations are left, {n_min} are needed")
            }
            Self::FrameNotUsed => f.write_str("the frame was not used"),
            Self::NoTime => f.write_str("the time of the frame is unknown or cannot be"),
            Self::NoPlace => f.write_str("the place or its error is unknown"),
            Self::LowSnr { snr } => write!(f, "signal-to-noise ratio {snr:.1}"),
            Self::Outlier { residual_arcsec } => {
                write!(f, "{residual_arcsec:.1}\" off the line of its motion")
            }
            Self::SameInstant => f.write_str("a second observation of the same instant"),
            Self::Shared { other } => write!(f, "candidate {other} claims the same source"),
            Self::AlreadyWritten => f.write_str("written before; never a second time"),
            Self::Unfit { field } => write!(f, "its {field} does not fit the format"),
        }
    }
}
