//! From pixel places of stars to a verified world coordinate system.
//!
//! [`solve`] finds which stars a frame shows, whatever its rotation, parity and, within limits,
//! scale and pointing, then fits the distortion. The way: triangles of bright stars propose,
//! the other stars decide ([`search`], [`asterism`], [`verify`]); pairs grow while the model
//! does ([`refine`]); a clipped, weighted fit ends it ([`fit`]) and must hold for stars kept out
//! of it ([`accept`]).

pub mod accept;
pub mod asterism;
pub mod blind;
pub mod confirm;
pub mod crowding;
pub mod fit;
pub mod matching;
pub mod refine;
pub mod region;
pub mod regions;
pub mod search;
pub mod shared;
pub mod similarity;
pub mod trends;
pub mod verify;

pub use blind::{BlindSky, Skies};
pub use search::{solve, solve_in};

use super::reference::motion::StarAtEpoch;
use super::reference::tiles::ReferenceError;
use super::sky::wcs::Wcs;

/// A star of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageStar {
    /// Column [px, 0-based].
    pub x_px: f64,
    /// Row [px, 0-based].
    pub y_px: f64,
    /// Brightness in any linear unit; lists are sorted by it, brightest first.
    pub flux: f64,
    /// Error of the place per axis [px].
    pub position_err_px: f64,
}

/// Number of columns and rows of a frame [px].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameSize {
    /// Columns [px].
    pub nx: usize,
    /// Rows [px].
    pub ny: usize,
}

impl FrameSize {
    /// Half the diagonal [px].
    pub fn half_diagonal_px(self) -> f64 {
        0.5 * (self.nx as f64).hypot(self.ny as f64)
    }

    /// Number of pixels.
    pub fn area_px(self) -> f64 {
        self.nx as f64 * self.ny as f64
    }

    /// The middle of the frame [px, 0-based].
    pub fn centre_px(self) -> (f64, f64) {
        (0.5 * (self.nx as f64 - 1.0), 0.5 * (self.ny as f64 - 1.0))
    }

    /// Tells whether a place lies on the frame's pixels.
    #[inline]
    pub fn holds(self, x_px: f64, y_px: f64) -> bool {
        x_px >= -0.5 && y_px >= -0.5 && x_px < self.nx as f64 - 0.5 && y_px < self.ny as f64 - 0.5
    }
}

/// The stars of one frame and what is surely known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StarField<'a> {
    /// Stars, brightest first.
    pub stars: &'a [ImageStar],
    /// Size of the frame.
    pub size: FrameSize,
    /// Epoch of the exposure [Julian year], for proper motions.
    pub epoch_yr: f64,
    /// Seeing [px], when it is known: how far stars draw each other's centroids.
    pub fwhm_px: Option<f64>,
}

/// What is believed of a frame before it is solved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hint {
    /// Nominal pointing (RA, Dec), ICRS [rad]; may be missing or false.
    pub pointing_rad: Option<(f64, f64)>,
    /// How far the pointing is usually off [rad].
    pub pointing_err_rad: f64,
    /// Nominal scale [arcsec/px]; without it 0.1 to 60 are tried.
    pub scale_arcsec: Option<f64>,
    /// How far the scale may be off, as a fraction: 0.25 is from 1/1.25 to 1.25 of it.
    pub scale_range: f64,
}

/// Limits and thresholds of the solver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SolveParams {
    /// Natural logarithm of the odds against chance at which a match is believed.
    ///
    /// ln(1e9): one false solution in 10^9 frames, as far as stars lie at random.
    pub log_odds_min: f64,
    /// Fraction by which the scale may be off in the first, quick attempt.
    pub scale_range_first: f64,
    /// Most work for a frame, in hypotheses; some 0.6 microseconds each on two cores.
    pub hypotheses_max: u64,
    /// Most parts of the sky that are looked at.
    pub regions_max: usize,
    /// Highest order of a frame's own distortion (1 to 5), of which the stars choose.
    pub order_max: usize,
    /// Highest order of a distortion that a night's frames share (1 to 5).
    pub shared_order_max: usize,
    /// Scatter of star places that no centroid error explains (turbulence), per axis [mas].
    pub floor_mas: f64,
    /// Most reference stars that enter the final fit.
    pub fit_stars_max: usize,
}

impl Default for SolveParams {
    fn default() -> Self {
        Self {
            log_odds_min: 20.7,
            scale_range_first: 0.03,
            hypotheses_max: 600_000,
            regions_max: 20_000,
            order_max: 5,
            shared_order_max: 5,
            floor_mas: 25.0,
            fit_stars_max: 8_000,
        }
    }
}

/// A verified plate solution.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// From pixels to the sky.
    pub wcs: Wcs,
    /// Index of the image star and its reference star, for all stars used in the fit.
    pub pairs: Vec<(usize, StarAtEpoch)>,
    /// Root mean square residual of the used stars per axis [arcsec].
    pub rms_arcsec: f64,
    /// The same for stars kept out of the fit, where 20 or more are there [arcsec].
    pub held_out_rms_arcsec: Option<f64>,
    /// Number of stars used in the fit.
    pub n_used: usize,
    /// Order of the distortion polynomial; 1 is none, 0 a similarity (fewer than 6 stars).
    pub order: usize,
    /// Natural logarithm of the odds that the match is no chance, all attempts counted.
    pub log_odds: f64,
    /// The same for a second match on disjoint stars, where 20 or more pairs are there.
    pub second_log_odds: Option<f64>,
    /// Number of hypotheses that were tested.
    pub n_hypotheses: u64,
    /// Which stars it was fitted to.
    pub star_source: StarSource,
}

/// Which stars a solution rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StarSource {
    /// The reference stars.
    Reference,
    /// The bright stars of the whole-sky index: there were no reference stars of the place.
    BlindIndex,
}

/// Why a frame has no solution.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoSolution {
    /// The frame shows too few stars.
    #[error("{found} stars in the frame, {needed} are needed")]
    TooFewStars {
        /// Stars found.
        found: usize,
        /// Stars needed.
        needed: usize,
    },
    /// The catalogue holds too few stars wherever the frame could be.
    #[error("the reference catalogue ({n_catalogue} stars) has no {needed} stars in one frame")]
    NoReference {
        /// Stars of the catalogue.
        n_catalogue: usize,
        /// Stars needed in a frame.
        needed: usize,
    },
    /// No hypothesis was better than chance.
    #[error(
        "no match: best {best_matches} stars with log-odds {best_log_odds:.1} \
         after {n_hypotheses} hypotheses in {n_regions} regions"
    )]
    NoMatch {
        /// Stars matched by the best hypothesis.
        best_matches: usize,
        /// Its log-odds, trials counted.
        best_log_odds: f64,
        /// Number of hypotheses tested.
        n_hypotheses: u64,
        /// Number of regions of the sky looked at.
        n_regions: usize,
        /// Whether the search ended at a limit of [`SolveParams`] instead of its end.
        is_cut_off: bool,
    },
    /// A match was better than chance, but its fit is too poor to be trusted.
    #[error(
        "a match of {n_pairs} stars with residuals of {rms_arcsec:.2} arcsec is not confirmed\
         {}", told(*second_log_odds)
    )]
    Unverified {
        /// Stars in the fit.
        n_pairs: usize,
        /// Residuals of the fit [arcsec].
        rms_arcsec: f64,
        /// Log-odds of a second match on disjoint stars, where 20 or more pairs are there.
        second_log_odds: Option<f64>,
    },
    /// The catalogue could not answer.
    #[error("the reference catalogue failed")]
    Reference(#[from] ReferenceError),
}

fn told(second_log_odds: Option<f64>) -> String {
    second_log_odds.map_or_else(String::new, |odds| {
        format!(" (a second match on disjoint stars has log-odds of {odds:.1})")
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trials;
