//! Whether a period may be published: the reasons against it.
//!
//! A period is told as the object's only when nothing speaks against it. Each reason is a fact with
//! its number, so that an observer knows what to observe next.

use std::fmt;

use super::curve::Curve;
use super::search::Found;
use super::series::Series;
use super::sessions::{Contradiction, contradiction};

/// What must hold for a period to be published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demands {
    /// Largest chance that noise made the highest peak.
    pub chance_max: f64,
    /// Least probability of the first choice among all.
    pub probability_least_share: f64,
    /// Least number of rotations from the first to the last point.
    pub rotations_least_count: f64,
    /// Least share of the phases that was seen.
    pub seen_least_share: f64,
    /// Least share of the phases that was seen in two rotations.
    pub repeated_least_share: f64,
    /// Largest error of the period, as a share of it.
    pub period_err_share: f64,
    /// Least range of the curve in units of its error.
    pub range_least_sigma: f64,
}

impl Default for Demands {
    fn default() -> Self {
        Self {
            chance_max: 1e-3,
            probability_least_share: 0.99,
            rotations_least_count: 1.5,
            seen_least_share: 0.8,
            repeated_least_share: 0.3,
            period_err_share: 0.005,
            range_least_sigma: 5.0,
        }
    }
}

/// Why a period is not published.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// Noise may have made it.
    Noise {
        /// Chance that noise makes such a peak.
        chance: f64,
    },
    /// Another period is nearly as probable.
    Rival {
        /// Its period [h].
        period_h: f64,
        /// How many times more probable the first choice is than all others together.
        odds: f64,
    },
    /// Sessions that can tell by themselves take another period.
    Contradicted {
        /// That period [h].
        period_h: f64,
        /// Number of such sessions.
        n_sessions: usize,
    },
    /// Too few rotations were covered.
    Short {
        /// Rotations from the first to the last point.
        rotations: f64,
    },
    /// Part of the rotation was not seen.
    Unseen {
        /// Share of the phases that was seen.
        share: f64,
    },
    /// Too little was seen twice.
    NotRepeated {
        /// Share of the phases seen in at least two rotations.
        share: f64,
    },
    /// The period is not known well.
    Imprecise {
        /// Its error as a share of it.
        share: f64,
    },
    /// The curve's range is not well above its error.
    Flat {
        /// Range [mag].
        range_mag: f64,
        /// Its error [mag].
        range_err_mag: f64,
    },
    /// Nothing was found at all.
    Nothing,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noise { chance } => {
                write!(f, "noise alone makes such a peak with a chance of {chance:.1e}")
            }
            Self::Rival { period_h, odds } => write!(
                f,
                "other periods fit as well (odds {odds:.2} to 1 for the first choice; next: \
                 {period_h:.4} h): observe again so that the nights tell them apart"
            ),
            Self::Contradicted { period_h, n_sessions } => write!(
                f,
                "the sessions contradict each other: taken alone, {n_sessions} of them favour \
                 {period_h:.4} h with odds above 1000 to 1: look at their times and errors"
            ),
            Self::Short { rotations } => write!(
                f,
                "the points span {rotations:.2} rotations only: a curve must be seen to repeat"
            ),
            Self::Unseen { share } => {
                write!(f, "only {:.0} % of the rotation was seen", 100.0 * share)
            }
            Self::NotRepeated { share } => write!(
                f,
                "only {:.0} % of the rotation was seen in two rotations or more",
                100.0 * share
            ),
            Self::Imprecise { share } => {
                write!(f, "the period is known to {:.1} % only", 100.0 * share)
            }
            Self::Flat { range_mag, range_err_mag } => write!(
                f,
                "the curve's range, {range_mag:.3} mag, is not well above its error, \
                 {range_err_mag:.3} mag"
            ),
            Self::Nothing => f.write_str("no frequency could be fitted"),
        }
    }
}

/// Bins of phase for what was seen.
const BINS: usize = 20;

/// Shares of the phases seen at all and seen in two rotations or more.
pub(super) fn seen(series: &Series, curve: &Curve) -> (f64, f64) {
    // First and last rotation in which each bin was seen.
    let mut bins: [Option<(f64, f64)>; BINS] = [None; BINS];
    for time in series.times_h() {
        let turns = time * curve.frequency_per_h;
        let bin = ((turns.rem_euclid(1.0) * BINS as f64) as usize).min(BINS - 1);
        let (first, last) = bins[bin].unwrap_or((turns, turns));
        bins[bin] = Some((first.min(turns), last.max(turns)));
    }
    let share = |n: usize| n as f64 / BINS as f64;
    let n_seen = bins.iter().flatten().count();
    // In the same bin and half a rotation apart: two rotations.
    let n_repeated = bins.iter().flatten().filter(|(first, last)| last - first > 0.5).count();
    (share(n_seen), share(n_repeated))
}

/// What speaks against the first choice; nothing when it may be published.
///
/// * `chance`: that noise makes the highest power.
pub fn doubts(found: &Found, chance: f64, demands: &Demands) -> Vec<Doubt> {
    let (series, candidates) = (&found.series, &found.candidates);
    let Some(first) = candidates.first() else { return vec![Doubt::Nothing] };
    let curve = &first.curve;
    let mut doubts = Vec::new();
    if chance.is_nan() || chance > demands.chance_max {
        doubts.push(Doubt::Noise { chance });
    }
    if first.probability_share < demands.probability_least_share {
        let odds = first.probability_share / (1.0 - first.probability_share);
        let next = candidates.get(1).map_or(curve.frequency_per_h, |c| c.curve.frequency_per_h);
        doubts.push(Doubt::Rival { period_h: next.recip(), odds });
    }
    if let Some(Contradiction { period_h, n_sessions }) =
        contradiction(series, curve.frequency_per_h, found.lasting_count)
    {
        doubts.push(Doubt::Contradicted { period_h, n_sessions });
    }
    let rotations = series.span_h() * curve.frequency_per_h;
    if rotations < demands.rotations_least_count {
        doubts.push(Doubt::Short { rotations });
    }
    let (share, repeated) = seen(series, curve);
    if share < demands.seen_least_share {
        doubts.push(Doubt::Unseen { share });
    }
    if repeated < demands.repeated_least_share {
        doubts.push(Doubt::NotRepeated { share: repeated });
    }
    let error = curve.frequency_error_per_h(series).unwrap_or(f64::INFINITY);
    let share = error / curve.frequency_per_h;
    if share > demands.period_err_share {
        doubts.push(Doubt::Imprecise { share });
    }
    let (range_mag, range_err_mag) = curve.range_mag();
    if range_mag < demands.range_least_sigma * range_err_mag {
        doubts.push(Doubt::Flat { range_mag, range_err_mag });
    }
    doubts
}
