//! Pixels to grey levels: limits that show the sky's noise, asinh above it.
//!
//! Limits follow IRAF's zscale: a line through the sorted sample over its rank, clipped, its slope
//! divided by the contrast (NOAO IRAF 2.16, pkg/images/tv/display/zscale.x, and the help page of
//! `display`). The bright end follows Lupton et al. 2004 (PASP 116, 133), so that faint movers and
//! bright stars show in one picture.

use crate::pipeline::artifact::cutouts::{Cutouts, View};
use crate::science::image::stats::{median_in_place, quantile_of_sorted};

/// Most pixels the limits are taken from.
const SAMPLE_MAX: usize = 20_000;
/// zscale's contrast: how much flatter than the sorted sample the ramp is.
const CONTRAST: f64 = 0.25;
/// Clipping of the line's residuals [sigma] and most rounds; the neighbours by rank of a clipped
/// value go with it, within this share of the sample.
const CLIP_SIGMA: f64 = 2.5;
const CLIP_ROUNDS: usize = 5;
const CLIP_NEIGHBOURS: f64 = 0.01;
/// Share of pixels below white, and the most white may be above black in units of the ramp; a
/// bright star may burn out, a faint mover must not drown.
const WHITE_QUANTILE: f64 = 0.998;
const WHITE_RAMPS_MAX: f64 = 2.0;

/// The mapping from pixel values to grey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    black: f64,
    soft: f64,
    white_asinh: f64,
}

/// A stretch in plain numbers, for a player that stretches by itself.
///
/// grey = asinh((value - black_e) / soft_e) / asinh((white_e - black_e) / soft_e), from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StretchLimits {
    /// Value that is black [e-].
    pub black_e: f64,
    /// Value above black from which on the scale bends [e-].
    pub soft_e: f64,
    /// Value that is white [e-].
    pub white_e: f64,
}

impl Stretch {
    /// Chooses limits common to all stamps of a view; `None` without a finite pixel.
    pub fn of(cutouts: &Cutouts, view: View) -> Option<Self> {
        let stamps = cutouts.frames.iter().filter_map(|frame| frame.stamp(view));
        Self::from_pixels(stamps.flat_map(|stamp| stamp.pixels()))
    }

    /// The limits as numbers.
    pub fn limits(&self) -> StretchLimits {
        let white_e = self.black + self.soft * self.white_asinh.sinh();
        StretchLimits { black_e: self.black, soft_e: self.soft, white_e }
    }

    /// Chooses limits from pixels; values that are not finite are left out.
    ///
    /// `None` without a finite pixel.
    pub fn from_pixels<'a>(pixels: impl Iterator<Item = &'a f32>) -> Option<Self> {
        let mut sorted: Vec<f64> =
            pixels.filter(|value| value.is_finite()).map(|&value| f64::from(value)).collect();
        sorted.sort_by(f64::total_cmp);
        let step = sorted.len().div_ceil(SAMPLE_MAX).max(1);
        let sample: Vec<f64> = sorted.iter().copied().step_by(step).collect();
        let (z1, z2) = zscale(&sample)?;
        let soft = (z2 - z1).max(f64::EPSILON * z2.abs()).max(f64::MIN_POSITIVE);
        let white = quantile_of_sorted(&sample, WHITE_QUANTILE)?;
        let white = white.min(z1 + WHITE_RAMPS_MAX * soft).max(z2);
        Some(Self { black: z1, soft, white_asinh: ((white - z1) / soft).max(1e-9).asinh() })
    }

    /// The grey of a pixel in 0..=`levels - 1`; black for values that are not finite.
    pub fn grey(&self, value: f32, levels: u8) -> u8 {
        if !value.is_finite() {
            return 0;
        }
        let share = ((f64::from(value) - self.black) / self.soft).asinh() / self.white_asinh;
        let top = f64::from(levels.saturating_sub(1));
        // Clamped to a byte's range just before.
        (share.clamp(0.0, 1.0) * top).round() as u8
    }
}

/// Limits (z1, z2) of a sorted sample after IRAF's zscale; `None` for an empty one.
fn zscale(sorted: &[f64]) -> Option<(f64, f64)> {
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let n = sorted.len();
    let middle = (n - 1) as f64 / 2.0;
    let median = median_in_place(&mut sorted.to_vec())?;
    let mut is_kept = vec![true; n];
    let mut slope = 0.0;
    for _ in 0..CLIP_ROUNDS {
        let (fitted, offset) = line(sorted, &is_kept, middle)?;
        slope = fitted;
        let residual = |i: usize| sorted[i] - offset - slope * (i as f64 - middle);
        let kept = || (0..n).filter(|&i| is_kept[i]);
        let sum: f64 = kept().map(|i| residual(i).powi(2)).sum();
        let limit = CLIP_SIGMA * (sum / kept().count().max(1) as f64).sqrt();
        let next = clipped(n, |i| residual(i).abs() <= limit);
        if next == is_kept || next.iter().filter(|kept| **kept).count() < n / 2 {
            break;
        }
        is_kept = next;
    }
    let steepened = slope / CONTRAST;
    let z1 = (median - middle * steepened).max(first);
    let z2 = (median + middle * steepened).min(last);
    if z2 > z1 { Some((z1, z2)) } else { Some((first, last)) }
}

/// Which of `n` values stay: those that fit and have no neighbour that does not.
fn clipped(n: usize, fits: impl Fn(usize) -> bool) -> Vec<bool> {
    let reach = ((n as f64 * CLIP_NEIGHBOURS) as usize).max(1) / 2;
    let mut stays = vec![true; n];
    for i in (0..n).filter(|&i| !fits(i)) {
        stays[i.saturating_sub(reach)..(i + reach + 1).min(n)].fill(false);
    }
    stays
}

/// Slope and offset of the least-squares line through kept values over their rank - `middle`.
fn line(values: &[f64], is_kept: &[bool], middle: f64) -> Option<(f64, f64)> {
    let (mut n, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (i, (&y, _)) in values.iter().zip(is_kept).enumerate().filter(|(_, (_, kept))| **kept) {
        let x = i as f64 - middle;
        n += 1.0;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    if n < 1.0 {
        return None;
    }
    let spread = n * sxx - sx * sx;
    let slope = if spread > 0.0 { (n * sxy - sx * sy) / spread } else { 0.0 };
    Some((slope, (sy - slope * sx) / n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_keeps_its_ends() {
        // A straight ramp has slope 1 per rank: z1, z2 reach beyond it and are cut at its ends.
        let ramp: Vec<f64> = (0..101).map(f64::from).collect();
        let (z1, z2) = zscale(&ramp).expect("values");
        assert!((z1 - 0.0).abs() < 1e-9 && (z2 - 100.0).abs() < 1e-9);
    }

    #[test]
    fn stars_do_not_lift_the_limits() {
        // 1000 sky values 0..1 evenly, 20 stars at 10000: the line's slope is the sky's, 1/1000
        // per rank, so z2 - z1 < 1 / CONTRAST * 1.1.
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        values.extend([10_000.0; 20]);
        let (z1, z2) = zscale(&values).expect("values");
        assert!((z1 - 0.0).abs() < 1e-9);
        assert!(z2 < 4.4, "{z2}");
    }

    #[test]
    fn grey_grows_with_the_value_and_hostile_pixels_are_black() {
        let pixels: Vec<f32> = (0..500).map(|i| (i % 50) as f32).chain([5000.0]).collect();
        let stretch = Stretch::from_pixels(pixels.iter()).expect("values");
        let greys: Vec<u8> =
            [-1e30, 0.0, 20.0, 49.0, 5000.0, 1e30].map(|v| stretch.grey(v, 200)).to_vec();
        assert!(greys.is_sorted(), "{greys:?}");
        assert_eq!((greys[0], greys[5]), (0, 199));
        assert_eq!(stretch.grey(f32::NAN, 200), 0);
        assert!(Stretch::from_pixels([f32::NAN].iter()).is_none());
        let flat = Stretch::from_pixels([7.0_f32; 9].iter()).expect("values");
        assert!(flat.grey(7.0, 200) < 200);
    }
}
