//! Is a followed line a trail? By the brightness of its pieces, and by the lines beside it.
//!
//! Stars and galaxies in a row are brighter in some pieces than in others, and no brighter than
//! those on lines nearby; the spikes of a bright star fade away from it; a trail is as bright at
//! one end as at the other.

use super::TrailParams;
use crate::science::image::stats::quantile_of_sorted;

/// Scatter of the pieces' significance that a trail may have; one as even as its noise has 1. More
/// is asked of one that scatters more.
const SCATTER_FREE: f64 = 1.4;
/// Fewest pieces whose fading can be told.
const FADING_PIECES_MIN: usize = 6;
/// A line whose parts far from its brightest piece shine less than this share of the near ones may
/// be a spike.
const FADING_SHARE: f64 = 0.5;
/// Strength of a trail in units of that of the strongest line beside it, at least.
const BESIDE_RATIO: f64 = 1.4;

/// Pieces that show a trail.
pub(super) struct Run {
    /// The first piece.
    pub(super) first: usize,
    /// The piece after the last.
    pub(super) end: usize,
    /// Significance of the pieces that are not masked, limited.
    pub(super) significance: Vec<f64>,
    /// Their excess over the sides [e-].
    pub(super) excess: Vec<f64>,
}

/// How far a followed line goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Distance between its ends [px].
    pub(super) length_px: f64,
    /// Whether both ends are at the frame's edge.
    pub(super) is_across: bool,
}

impl Run {
    /// Significance of all pieces together, by the mean of the three quarters that show least.
    ///
    /// A trail loses little by that, a row of stars and galaxies most of what it has.
    pub(super) fn strength(&self) -> f64 {
        let mut sorted = self.significance.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        mean(&sorted[..n - n / 4]) * (n as f64).sqrt()
    }

    /// Standard deviation of the significance of the pieces.
    fn scatter(&self) -> f64 {
        let middle = mean(&self.significance);
        let squares: Vec<f64> = self.significance.iter().map(|s| (s - middle).powi(2)).collect();
        (squares.iter().sum::<f64>() / squares.len().saturating_sub(1).max(1) as f64).sqrt()
    }

    /// Whether the pieces are those of a trail.
    pub(super) fn is_trail(&self, extent: Extent, params: &TrailParams) -> bool {
        let n = self.significance.len();
        let n_showing = self.significance.iter().filter(|s| **s > 1.0).count() as f64;
        if n < 3
            || self.strength() < params.pieces_snr_min * (self.scatter() / SCATTER_FREE).max(1.0)
            || n_showing < params.pieces_share_min * (self.end - self.first) as f64
            || self.fades(params)
        {
            return false;
        }
        if extent.is_across {
            return extent.length_px >= params.across_length_min_px;
        }
        let mut excess = self.excess.clone();
        excess.sort_by(f64::total_cmp);
        let quantile = |q| quantile_of_sorted(&excess, q).unwrap_or(0.0);
        extent.length_px >= params.inside_length_min_px
            && self.is_balanced(params.balance_share_min)
            && quantile(0.2) >= params.evenness_share_min * quantile(0.8)
    }

    /// Whether the line exceeds those beside it.
    pub(super) fn exceeds(&self, beside: &[f64]) -> bool {
        let strongest = beside.iter().copied().fold(0.0, f64::max);
        self.strength() > BESIDE_RATIO * strongest
    }

    /// Whether neither half outshines the other, nor the middle both ends.
    fn is_balanced(&self, least: f64) -> bool {
        let n = self.excess.len();
        let (first, second) = (mean(&self.excess[..n / 2]), mean(&self.excess[n.div_ceil(2)..]));
        let quarter = n.div_ceil(4);
        let middle = mean(&self.excess[quarter..n - quarter]);
        let outer = 0.5 * (mean(&self.excess[..quarter]) + mean(&self.excess[n - quarter..]));
        first.min(second) >= least * first.max(second) && outer >= least * middle
    }

    /// Whether the line fades away from its brightest piece, or from one that is masked.
    fn fades(&self, params: &TrailParams) -> bool {
        let n = self.excess.len();
        if self.is_balanced(params.balance_share_min) {
            return false;
        }
        let is_partly_hidden = n < self.end - self.first;
        if is_partly_hidden || n < FADING_PIECES_MIN {
            return true;
        }
        let brightest = (0..n).max_by(|&a, &b| self.excess[a].total_cmp(&self.excess[b]));
        let Some(brightest) = brightest else {
            return false;
        };
        // The brightest and its neighbours may show a star that a trail passes.
        let mut others: Vec<(usize, f64)> = (0..n)
            .filter(|k| k.abs_diff(brightest) > 1)
            .map(|k| (k.abs_diff(brightest), self.excess[k]))
            .collect();
        others.sort_by_key(|(distance, _)| *distance);
        let third = others.len().div_ceil(3);
        let part = |part: &[(usize, f64)]| mean(&part.iter().map(|p| p.1).collect::<Vec<_>>());
        let (near, far) = (part(&others[..third]), part(&others[others.len() - third..]));
        far < FADING_SHARE * near
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
