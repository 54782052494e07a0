//! Rotation periods from light curves, published only when the data decide.
//!
//! `analyse` is the whole of it. A [`Series`] holds the points by session, each session with a zero
//! point of its own. [`power`] is the generalised Lomb-Scargle periodogram, [`Sine`] its best sine
//! as GLS tells it, [`prewhiten`] takes one after the other away; [`Search`] says what a power
//! means, [`chance_peaks`] the same by bootstrap. `search` looks for the rotation itself with
//! Fourier series of orders 1 to 6, `shape` knows how asteroids' curves look, `alias` names how
//! rivals lie to the first choice, and `verdict` tells what speaks against publishing it. All sums
//! over frequencies come from `sums`. Times are in hours, from any origin.

mod alias;
mod analyse;
mod bootstrap;
mod curve;
mod false_alarm;
mod gls;
mod grid;
mod harmonics;
mod noise;
mod search;
mod series;
mod sessions;
mod shape;
mod sine;
mod sums;
#[cfg(test)]
mod tests;
mod verdict;

pub use alias::{Relation, relation};
pub use analyse::{Analysis, Rival, Wanted, analyse};
pub use bootstrap::{chance, chance_peaks, level};
pub use curve::Curve;
pub use false_alarm::{Normalisation, Search};
pub use gls::{highest, power};
pub use grid::Grid;
pub use harmonics::{ORDER_MAX, sunk_chi2};
pub use search::{Candidate, Found, Params, rotation_grid, search};
pub use series::{POINTS_MAX, POINTS_MIN, Point, Series};
pub use sine::{ITERATIONS_MAX, Sine, prewhiten};
pub use verdict::{Demands, Doubt, doubts};

/// Why no period can be sought.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// Too few points.
    #[error("{found} points with time and magnitude are too few for a period: {needed} are needed")]
    TooFewPoints {
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Too many points.
    #[error("{found} points are too many: at most {allowed}; take means of neighbours first")]
    TooManyPoints {
        /// How many there are.
        found: usize,
        /// How many may be.
        allowed: usize,
    },
    /// All at one time, or times that are none.
    #[error("the points span {span_h} h: times must differ, by less than a thousand years")]
    NoTimeSpan {
        /// From the first to the last [h].
        span_h: f64,
    },
    /// Frequencies that make no grid.
    #[error(
        "no grid of frequencies from {start_per_h} to {end_per_h} by {step_per_h} per hour: the \
         start must be above zero, below the end, and the steps at most twenty million"
    )]
    BadGrid {
        /// Start [1/h].
        start_per_h: f64,
        /// End [1/h].
        end_per_h: f64,
        /// Step [1/h].
        step_per_h: f64,
    },
}
