//! Trails of satellites and aircraft: found as lines on the pixels and masked.
//!
//! Sums along all straight lines of the frame in bins of 4 x 4 px ([`radon`]) show trails far
//! fainter than a pixel's noise; what stands out is followed on the full pixels ([`follow`]),
//! where medians along pieces of the line tell a trail from a row of stars or the halo of one
//! ([`run`]).
//! Short trails are left alone: they may be an asteroid. So are lines that fade from one end or
//! from their middle, the spikes of a bright star.

mod bins;
mod follow;
mod radon;
mod run;
mod side_by_side;

use crate::science::image::mask::MaskBits;

use super::apply::CalibratedPixels;
use bins::{BIN_PX, Bins};
use radon::{Stretch, bright_stretches};

/// Most candidates followed on the pixels in one search.
const FOLLOWED_MAX: usize = 24;
/// Of these, most at the same rim of the frame, where fields are lit unevenly.
const RIM_FOLLOWED_MAX: usize = 2;
/// Distance from the frame's edge up to which a line is at its rim [px].
const RIM_PX: f64 = 64.0;
/// Most searches; each begins without the trails found before.
const SEARCHES_MAX: usize = 3;
/// Candidates whose ends are this near to another's line are the same [px].
const SAME_PX: f64 = 10.0;

/// Which lines are trails.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailParams {
    /// Least signal-to-noise ratio of a line's sum over the binned frame.
    pub line_snr_min: f64,
    /// Least signal-to-noise ratio of its pieces together, each limited, the brightest left out.
    pub pieces_snr_min: f64,
    /// Least share of the pieces between the ends that show it.
    pub pieces_share_min: f64,
    /// Least length of a trail that begins or ends inside the frame [px].
    pub inside_length_min_px: f64,
    /// Least length of a trail from edge to edge [px].
    pub across_length_min_px: f64,
    /// Least brightness of the faint parts of a trail that ends inside, in units of the bright.
    pub evenness_share_min: f64,
    /// Least brightness of either half, and of the outer parts, in units of the rest.
    pub balance_share_min: f64,
    /// Most trails masked.
    pub trails_max: usize,
}

impl Default for TrailParams {
    fn default() -> Self {
        Self {
            line_snr_min: 6.5,
            pieces_snr_min: 8.5,
            pieces_share_min: 0.6,
            inside_length_min_px: 250.0,
            across_length_min_px: 120.0,
            evenness_share_min: 0.35,
            balance_share_min: 0.5,
            trails_max: 8,
        }
    }
}

/// A trail on a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trail {
    /// One end (x, y) [px].
    pub from_px: (f64, f64),
    /// The other end (x, y) [px].
    pub to_px: (f64, f64),
    /// Width masked, at right angles to the trail [px].
    pub width_px: f64,
}

impl Trail {
    /// Distance between the ends [px].
    pub fn length_px(&self) -> f64 {
        (self.to_px.0 - self.from_px.0).hypot(self.to_px.1 - self.from_px.1)
    }
}

/// Finds trails and marks their pixels; gives the trails, the brightest lines first.
pub fn mark_trails(frame: &mut CalibratedPixels, params: &TrailParams) -> Vec<Trail> {
    let mut trails: Vec<Trail> = Vec::new();
    let Some(mut bins) = Bins::of(frame) else {
        return trails;
    };
    let mut seen = Vec::new();
    for _ in 0..SEARCHES_MAX {
        let n_max = params.trails_max - trails.len();
        let found = search(frame, &bins, params, (&mut seen, n_max));
        for trail in &found {
            bins.blank(trail);
        }
        let is_done = found.is_empty();
        trails.extend(found);
        if is_done || trails.len() >= params.trails_max {
            break;
        }
    }
    trails
}

/// Follows the brightest lines of the binned frame and marks those that are trails.
///
/// * `seen`: lines that were followed, now and in earlier searches; none is followed twice.
fn search(
    frame: &mut CalibratedPixels,
    bins: &Bins,
    params: &TrailParams,
    (seen, n_max): (&mut Vec<Stretch>, usize),
) -> Vec<Trail> {
    let stretches = bright_stretches(&bins.signal, params.line_snr_min as f32);
    let mut found: Vec<Trail> = Vec::new();
    let shape = (frame.mask.nx(), frame.mask.ny());
    let mut n_at_rim = [0_usize; 4];
    let mut n_followed = 0;
    for stretch in stretches {
        if n_followed >= FOLLOWED_MAX || found.len() >= n_max {
            break;
        }
        let is_seen = seen.iter().any(|s| lies_on(&stretch, s.from_px, s.to_px))
            || found.iter().any(|t| lies_on(&stretch, t.from_px, t.to_px));
        if is_seen {
            continue;
        }
        if let Some(rim) = rim_of(&stretch, shape) {
            n_at_rim[rim] += 1;
            if n_at_rim[rim] > RIM_FOLLOWED_MAX {
                continue;
            }
        }
        seen.push(stretch);
        n_followed += 1;
        if let Some((path, trail)) = follow::follow(frame, &stretch, params) {
            // At once, so that no other candidate ends on it.
            path.mark(&mut frame.mask, MaskBits::TRAIL);
            found.push(trail);
        }
    }
    found
}

/// The edge of the frame that both ends of a stretch are near: left, right, lower, upper.
fn rim_of(stretch: &Stretch, (nx, ny): (usize, usize)) -> Option<usize> {
    let ends = [stretch.from_px, stretch.to_px];
    let (right, upper) = (nx as f64 - RIM_PX, ny as f64 - RIM_PX);
    let sides = [
        ends.iter().all(|p| p.0 < RIM_PX),
        ends.iter().all(|p| p.0 > right),
        ends.iter().all(|p| p.1 < RIM_PX),
        ends.iter().all(|p| p.1 > upper),
    ];
    sides.iter().position(|is_near| *is_near)
}

/// Whether both ends of a stretch lie near the straight line through two points.
fn lies_on(stretch: &Stretch, from: (f64, f64), to: (f64, f64)) -> bool {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1e-9);
    let distance = |p: (f64, f64)| ((p.0 - from.0) * dy - (p.1 - from.1) * dx).abs() / length;
    let along = |p: (f64, f64)| ((p.0 - from.0) * dx + (p.1 - from.1) * dy) / length;
    let margin = length * 0.5;
    [stretch.from_px, stretch.to_px].into_iter().all(|p| {
        distance(p) < SAME_PX + 0.02 * (along(p) - 0.5 * length).abs()
            && along(p) > -margin
            && along(p) < length + margin
    })
}

#[cfg(test)]
mod tests;
