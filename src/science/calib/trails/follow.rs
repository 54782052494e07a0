//! Follows a line on the full pixels: is it a trail, from where to where, how wide.
//!
//! Along pieces of the line the median of the pixels is taken at each distance from it. A star
//! covers few pixels of a piece and moves no median; a trail lifts those on it above those on
//! both sides. Place and direction are moved until most pieces show it, and the ends are where
//! the sum of (significance - 1) over pieces in between is largest.

use rayon::prelude::*;

use super::radon::Stretch;
use super::run::{Extent, Run};
use super::side_by_side::{self, Block, LANES, LENGTH};
use super::{Trail, TrailParams};
use crate::science::calib::apply::CalibratedPixels;
use crate::science::calib::median_of;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::{SIGMA_PER_MAD, median};

/// Length of a piece [px].
const PIECE_PX: usize = LENGTH;
/// Fewest good pixels of a piece whose median counts [px].
const PIECE_GOOD_MIN: usize = 12;
/// Distance on either side up to which medians are taken [px].
const REACH_PX: i64 = 20;
/// Distance from which pixels are beside the trail [px].
const SIDE_PX: i64 = 12;
/// Parallel lines on either side that a trail must exceed.
const BESIDE_LINES: i64 = 6;
/// Farthest that the line is moved at either end in one step [px].
const MOVE_PX: i64 = 8;
/// Limits of a piece's significance, so that no piece decides alone.
const SIGNIFICANCE: (f64, f64) = (-2.0, 5.0);
/// Most steps of moving and extending the line.
const STEPS_MAX: usize = 5;
/// A line that shows less than this share of what a trail must is given up after a step.
const HOPE_SHARE: f64 = 0.6;
/// Distance up to which the trail's width is measured [px].
const WIDTH_REACH_PX: i64 = 48;
/// Half the width of the widest trail; the halo of a star and the rim of the field are wider [px].
const HALF_WIDTH_MAX_PX: i64 = 24;
/// Surface brightness that is left unmasked, in units of a pixel's noise.
const LEFT_SIGMA: f64 = 0.15;
/// A line nearly along the columns is one of the detector when one column has this share of its
/// light; those that leave it by more than twice the reach of a move have not [px].
const COLUMN_SHARE: f64 = 0.85;
/// Noise of a median in units of that of a mean.
const MEDIAN_PENALTY: f64 = 1.253_314_137_315_5;

/// A line, by its place across the frame as a function of that along it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Path {
    /// Whether the line runs along the rows (x is the place along it) or along the columns.
    is_flat: bool,
    /// Place across where that along is 0 [px].
    at_zero: f64,
    /// Change of the place across per pixel along.
    slope: f64,
    /// First and last place along [px].
    ends: (f64, f64),
    /// Pixels masked on either side, across.
    half_px: i64,
}

impl Path {
    fn of(stretch: &Stretch) -> Self {
        let (from, to) = (stretch.from_px, stretch.to_px);
        let is_flat = (to.0 - from.0).abs() > (to.1 - from.1).abs();
        let turned = |p: (f64, f64)| if is_flat { p } else { (p.1, p.0) };
        let (a, b) = (turned(from), turned(to));
        let slope = (b.1 - a.1) / (b.0 - a.0);
        let ends = (a.0.min(b.0), a.0.max(b.0));
        Self { is_flat, at_zero: a.1 - slope * a.0, slope, ends, half_px: 0 }
    }

    fn across(&self, along: f64) -> f64 {
        self.at_zero + self.slope * along
    }

    /// Length of the frame along and across the line [px].
    fn sizes(&self, mask: &Mask) -> (f64, f64) {
        let (nx, ny) = (mask.nx() as f64, mask.ny() as f64);
        if self.is_flat { (nx, ny) } else { (ny, nx) }
    }

    /// Places along at which the line enters and leaves the frame [px].
    fn inside(&self, mask: &Mask) -> (f64, f64) {
        let (n_along, n_across) = self.sizes(mask);
        let mut range = (0.0_f64, n_along - 1.0);
        if self.slope.abs() > 1e-9 {
            let a = -self.at_zero / self.slope;
            let b = (n_across - 1.0 - self.at_zero) / self.slope;
            range = (range.0.max(a.min(b)), range.1.min(a.max(b)));
        }
        range
    }

    /// The pixel at a place along and some pixels beside the line, if it is in the frame.
    fn pixel(&self, along: usize, beside: i64, mask: &Mask) -> Option<(usize, usize)> {
        let across = self.across(along as f64).round() as i64 + beside;
        let (x, y) = if self.is_flat { (along as i64, across) } else { (across, along as i64) };
        let is_inside = x >= 0 && y >= 0 && x < mask.nx() as i64 && y < mask.ny() as i64;
        is_inside.then_some((x as usize, y as usize))
    }

    /// Gives the pixels of the trail a reason.
    pub(super) fn mark(&self, mask: &mut Mask, reason: MaskBits) {
        let n_along = self.sizes(mask).0;
        let first = self.ends.0.max(0.0) as usize;
        let last = self.ends.1.min(n_along - 1.0).max(0.0) as usize;
        for along in first..=last {
            for beside in -self.half_px..=self.half_px {
                if let Some((x, y)) = self.pixel(along, beside, mask) {
                    let bits = &mut mask.row_mut(y)[x];
                    *bits = bits.with(reason);
                }
            }
        }
    }

    /// Whether the line keeps to the frame's edge, as its shadow does.
    fn is_rim(&self, mask: &Mask) -> bool {
        let n_across = self.sizes(mask).1;
        let (a, b) = (self.across(self.ends.0), self.across(self.ends.1));
        let reach = REACH_PX as f64;
        a.max(b) < reach || a.min(b) > n_across - 1.0 - reach
    }

    fn place(&self, along: f64) -> (f64, f64) {
        let across = self.across(along);
        if self.is_flat { (along, across) } else { (across, along) }
    }

    fn trail(&self) -> Trail {
        let width_px = (2 * self.half_px + 1) as f64 / self.slope.hypot(1.0);
        Trail { from_px: self.place(self.ends.0), to_px: self.place(self.ends.1), width_px }
    }
}

/// Follows a candidate; `None` when it is no trail.
pub(super) fn follow(
    frame: &CalibratedPixels,
    stretch: &Stretch,
    params: &TrailParams,
) -> Option<(Path, Trail)> {
    let mut path = Path::of(stretch);
    let mut last_ends = None;
    let mut run = None;
    for _ in 0..STEPS_MAX {
        let range = extended(&path, &frame.mask);
        let pieces = Pieces::measure(frame, &path, range, REACH_PX)?;
        let moved = pieces.best_line()?;
        path = moved.apply(&path, &pieces);
        let found = moved.run(&pieces)?;
        if found.strength() < HOPE_SHARE * params.pieces_snr_min {
            return None;
        }
        path.ends = pieces.ends(&found);
        run = Some(found);
        if last_ends == Some(path.ends) {
            break;
        }
        last_ends = Some(path.ends);
    }
    let run = run?;
    let limits = path.inside(&frame.mask);
    let margin = 2.0 * PIECE_PX as f64;
    let at_edge = (path.ends.0 < limits.0 + margin, path.ends.1 > limits.1 - margin);
    let length_px = (path.ends.1 - path.ends.0 + 1.0) * path.slope.hypot(1.0);
    let extent = Extent { length_px, is_across: at_edge.0 && at_edge.1 };
    if path.is_rim(&frame.mask)
        || !run.is_trail(extent, params)
        || is_column(frame, &path)
        || !run.exceeds(&strengths_beside(frame, &path))
    {
        return None;
    }
    path.half_px = half_width(frame, &path)?;
    let n_along = path.sizes(&frame.mask).0;
    // Past the edge there may still be half of the trail's width; inside, half a piece.
    path.ends.0 = if at_edge.0 { 0.0 } else { (path.ends.0 - 0.25 * margin).max(0.0) };
    path.ends.1 = if at_edge.1 { n_along - 1.0 } else { path.ends.1 + 0.25 * margin };
    let mut shown = path;
    shown.ends = (path.ends.0.max(limits.0), path.ends.1.min(limits.1));
    Some((path, shown.trail()))
}

/// Whether one column shines as much as the line, as a bad one of the detector does.
fn is_column(frame: &CalibratedPixels, path: &Path) -> bool {
    let (from, to) = (path.across(path.ends.0), path.across(path.ends.1));
    if path.is_flat || (to - from).abs() > 2.0 * MOVE_PX as f64 {
        return false;
    }
    let column = Path { at_zero: (0.5 * (from + to)).round(), slope: 0.0, ..*path };
    let measure = |path: &Path| Pieces::measure(frame, path, path.ends, REACH_PX);
    let (Some(own), Some(columns)) = (measure(path), measure(&column)) else {
        return false;
    };
    let light = |pieces: &Pieces, beside: i64| {
        let seen = (0..pieces.len()).map(|k| pieces.excess(k, beside)).filter(|v| v.is_finite());
        median(&seen.collect::<Vec<_>>())
    };
    let highest = |pieces: &Pieces| {
        (-MOVE_PX..=MOVE_PX).filter_map(|beside| light(pieces, beside)).fold(0.0, f64::max)
    };
    highest(&columns) >= COLUMN_SHARE * highest(&own)
}

/// Strengths of the best lines near parallel ones on either side.
fn strengths_beside(frame: &CalibratedPixels, path: &Path) -> Vec<f64> {
    let shifts = (1..=BESIDE_LINES).flat_map(|k| [k, -k]);
    let strength = |shift: i64| {
        let at_zero = path.at_zero + (shift * 3 * REACH_PX) as f64;
        let shifted = Path { at_zero, ..*path };
        let range = extended(&shifted, &frame.mask);
        let pieces = Pieces::measure(frame, &shifted, range, REACH_PX)?;
        Some(pieces.best_line()?.run(&pieces)?.strength())
    };
    shifts.filter_map(strength).collect()
}

/// The path's ends and half its length beyond each, inside the frame.
fn extended(path: &Path, mask: &Mask) -> (f64, f64) {
    let more = (0.5 * (path.ends.1 - path.ends.0)).max(3.0 * PIECE_PX as f64);
    let limits = path.inside(mask);
    ((path.ends.0 - more).max(limits.0), (path.ends.1 + more).min(limits.1))
}

/// Medians along pieces of a line, at each distance from it.
struct Pieces {
    /// Place along of the first piece [px].
    first: f64,
    reach: i64,
    /// By piece and distance; NaN where too few pixels are good.
    medians: Vec<Vec<f64>>,
    /// Level beside each piece.
    bases: Vec<f64>,
    /// Typical noise of a median.
    noise: f64,
}

impl Pieces {
    fn measure(
        frame: &CalibratedPixels,
        path: &Path,
        (first, last): (f64, f64),
        reach: i64,
    ) -> Option<Self> {
        let first = first.max(0.0).ceil();
        let n = ((last - first + 1.0) / PIECE_PX as f64).floor();
        if n < 3.0 || !n.is_finite() {
            return None;
        }
        let medians: Vec<Vec<f64>> = (0..n as usize)
            .into_par_iter()
            .map(|k| piece(frame, path, first as usize + k * PIECE_PX, reach))
            .collect();
        let beside = |line: &[f64]| -> Vec<f64> {
            let is_side =
                |i: &usize| (*i as i64 - reach).abs() >= reach.min(SIDE_PX + reach - REACH_PX);
            (0..line.len()).filter(is_side).map(|i| line[i]).filter(|v| v.is_finite()).collect()
        };
        let sides: Vec<Vec<f64>> = medians.iter().map(|line| beside(line)).collect();
        let bases: Vec<f64> = sides.iter().map(|s| median(s).unwrap_or(f64::NAN)).collect();
        let scatters: Vec<f64> = sides
            .iter()
            .zip(&bases)
            .filter(|(_, base)| base.is_finite())
            .filter_map(|(s, base)| median(&s.iter().map(|v| (v - base).abs()).collect::<Vec<_>>()))
            .collect();
        let noise = SIGMA_PER_MAD * median(&scatters)?;
        (noise > 0.0).then_some(Self { first, reach, medians, bases, noise })
    }

    fn len(&self) -> usize {
        self.medians.len()
    }

    /// Excess of three neighbouring medians over the sides; NaN where there are no data.
    fn excess(&self, piece: usize, beside: i64) -> f64 {
        let at = (beside + self.reach) as usize;
        let line = &self.medians[piece];
        line[at - 1..=at + 1].iter().sum::<f64>() / 3.0 - self.bases[piece]
    }

    /// The excess in units of its noise.
    fn snr(&self, piece: usize, beside: i64) -> f64 {
        self.excess(piece, beside) / (self.noise / 3.0_f64.sqrt())
    }

    /// The excess in units of its noise, limited.
    fn significance(&self, piece: usize, beside: i64) -> f64 {
        self.snr(piece, beside).clamp(SIGNIFICANCE.0, SIGNIFICANCE.1)
    }

    /// How well a piece of a line fits at each place across, so that the middle of a bright trail
    /// is better than its flank. Where the mask may hide the trail it fits as well as anywhere:
    /// nothing is won by evading a saturated star along its flank.
    fn fits(&self, piece: usize) -> Vec<f64> {
        let fit = |beside: i64| {
            let snr = self.snr(piece, beside);
            let more = (snr / SIGNIFICANCE.1).ln().max(0.0);
            snr.clamp(SIGNIFICANCE.0, SIGNIFICANCE.1) + more
        };
        let fits: Vec<f64> = (-MOVE_PX..=MOVE_PX).map(fit).collect();
        let best = fits.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
        fits.into_iter().map(|v| if v.is_finite() { v } else { best }).collect()
    }

    /// First and last place along of some of the pieces [px].
    fn ends(&self, run: &Run) -> (f64, f64) {
        let place = |piece: usize| self.first + (piece * PIECE_PX) as f64;
        (place(run.first), place(run.end) - 1.0)
    }

    /// How far the ends must be moved across for most signal; `None` when there is none.
    fn best_line(&self) -> Option<Moved> {
        let n = self.len();
        let table: Vec<Vec<f64>> = (0..n).map(|k| self.fits(k)).collect();
        let mut best: Option<(f64, Moved)> = None;
        for low in -MOVE_PX..=MOVE_PX {
            for high in -MOVE_PX..=MOVE_PX {
                let moved = Moved { low, high };
                let value = |k: usize| table[k][(moved.at(k, n) + MOVE_PX) as usize];
                let sum: f64 = (0..n).map(value).sum();
                if best.is_none_or(|(highest, _)| sum > highest) {
                    best = Some((sum, moved));
                }
            }
        }
        best.filter(|(sum, _)| *sum > 0.0).map(|(_, moved)| moved)
    }
}

/// Medians at each distance of one piece of a line; NaN where too few pixels are good.
fn piece(frame: &CalibratedPixels, path: &Path, first: usize, reach: i64) -> Vec<f64> {
    let across: [i64; PIECE_PX] =
        std::array::from_fn(|k| path.across((first + k) as f64).round() as i64);
    let n = (2 * reach + 1) as usize;
    let mut medians = Vec::with_capacity(n);
    let mut block = [[0.0; LANES]; LENGTH];
    while medians.len() < n {
        let from = medians.len() as i64 - reach;
        let is_complete = block_of(frame, path, (first, from), &across, &mut block);
        let n_lanes = LANES.min(n - medians.len());
        let all = side_by_side::medians(&mut block);
        medians.extend((0..n_lanes).map(|lane| {
            let beside = from + lane as i64;
            if is_complete[lane] {
                all[lane]
            } else {
                median_beside(frame, path, (first, beside), &across)
            }
        }));
    }
    medians
}

/// Fills a block with the pixels at 16 distances from a piece; tells which lines have all theirs.
fn block_of(
    frame: &CalibratedPixels,
    path: &Path,
    (first, from): (usize, i64),
    across: &[i64; PIECE_PX],
    block: &mut Block,
) -> [bool; LANES] {
    let (n_along, n_across) = path.sizes(&frame.mask);
    let (n_along, n_across) = (n_along as usize, n_across as i64);
    let mut is_complete = [true; LANES];
    for ((along, across), row) in (first..).zip(across).zip(block.iter_mut()) {
        for (lane, (value, is_complete)) in row.iter_mut().zip(&mut is_complete).enumerate() {
            let across = across + from + lane as i64;
            *value = 0.0;
            if along >= n_along || across < 0 || across >= n_across {
                *is_complete = false;
                continue;
            }
            let across = across as usize;
            let (x, y) = if path.is_flat { (along, across) } else { (across, along) };
            *value = frame.pixels_e.at(x, y);
            *is_complete &= frame.mask.at(x, y).is_good();
        }
    }
    is_complete
}

/// Median of the good pixels at a distance from a piece; NaN where too few are good.
fn median_beside(
    frame: &CalibratedPixels,
    path: &Path,
    (first, beside): (usize, i64),
    across: &[i64; PIECE_PX],
) -> f64 {
    let (n_along, n_across) = path.sizes(&frame.mask);
    let mut values = Vec::with_capacity(PIECE_PX);
    for (along, across) in (first..n_along as usize).zip(across) {
        let across = across + beside;
        if across < 0 || across >= n_across as i64 {
            continue;
        }
        let across = across as usize;
        let (x, y) = if path.is_flat { (along, across) } else { (across, along) };
        if frame.mask.at(x, y).is_good() {
            values.push(frame.pixels_e.at(x, y));
        }
    }
    if values.len() < PIECE_GOOD_MIN { f64::NAN } else { median_of(&mut values) }
}

/// A line moved across at its two ends [px].
#[derive(Debug, Clone, Copy)]
struct Moved {
    low: i64,
    high: i64,
}

impl Moved {
    /// The move at a piece.
    fn at(self, piece: usize, n: usize) -> i64 {
        let (piece, last) = (piece as i64, (n as i64 - 1).max(1));
        // To the nearest whole number.
        self.low + (2 * (self.high - self.low) * piece + last).div_euclid(2 * last)
    }

    fn apply(self, path: &Path, pieces: &Pieces) -> Path {
        let half = 0.5 * PIECE_PX as f64;
        let low = pieces.first + half;
        let span = ((pieces.len() - 1) * PIECE_PX).max(1) as f64;
        let turn = (self.high - self.low) as f64 / span;
        let at_zero = path.at_zero + self.low as f64 - turn * low;
        Path { at_zero, slope: path.slope + turn, ..*path }
    }

    /// The pieces between the ends: the run with the largest sum of significance less one.
    fn run(self, pieces: &Pieces) -> Option<Run> {
        let n = pieces.len();
        let values: Vec<f64> = (0..n).map(|k| pieces.significance(k, self.at(k, n))).collect();
        let mut best = (0.0, 0, 0);
        let (mut sum, mut start) = (0.0, 0);
        for (k, value) in values.iter().enumerate() {
            // Masked pieces say little.
            sum += if value.is_finite() { value - 1.0 } else { -0.2 };
            if sum > best.0 {
                best = (sum, start, k + 1);
            }
            if sum <= 0.0 {
                (sum, start) = (0.0, k + 1);
            }
        }
        let (_, first, end) = best;
        if end <= first {
            return None;
        }
        let seen = (first..end).filter(|&k| values[k].is_finite());
        let excess = seen.clone().map(|k| pieces.excess(k, self.at(k, n))).collect();
        let significance = seen.map(|k| values[k]).collect();
        Some(Run { first, end, significance, excess })
    }
}

/// Pixels on either side that the trail still lifts visibly, across; `None` for what is as wide as
/// the halo of a star.
fn half_width(frame: &CalibratedPixels, path: &Path) -> Option<i64> {
    let pieces = Pieces::measure(frame, path, path.ends, WIDTH_REACH_PX)?;
    let mean = |beside: i64| -> f64 {
        let values: Vec<f64> =
            (0..pieces.len()).map(|k| pieces.excess(k, beside)).filter(|v| v.is_finite()).collect();
        median(&values).unwrap_or(0.0)
    };
    let of_stack = MEDIAN_PENALTY * pieces.noise / (3.0 * pieces.len() as f64).sqrt();
    let of_pixel = pieces.noise * (PIECE_PX as f64).sqrt() / MEDIAN_PENALTY;
    let limit = (3.0 * of_stack).max(LEFT_SIGMA * of_pixel);
    let is_dark = |beside: i64| mean(beside) < limit && mean(-beside) < limit;
    let half = (1..=HALF_WIDTH_MAX_PX).find(|&k| is_dark(k) && is_dark(k + 1))?;
    Some(half + 1)
}
