//! Statistics of a frame's sky with its sources masked, as Automatic-SSOs makes them.
//!
//! Sources are pixels above mean + 2 SD of the clipped frame in groups of at least five (eight
//! neighbours), widened by five pixels. Of the other good pixels clipped mean, median and standard
//! deviation (3 sigma about the median, five rounds at most) are taken; the median absolute
//! deviation is that of all good pixels from that median. Pixels without data count nowhere, unlike
//! there, where the zeros of masked borders do.

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};

/// Detection threshold above the mean [standard deviations].
const THRESHOLD_SIGMA: f64 = 2.0;
/// Fewest pixels of a source.
const GROUP_MIN: usize = 5;
/// By how much sources are widened on each side [px].
const WIDEN_PX: usize = 5;
/// Clipping about the median, and its rounds.
const CLIP_SIGMA: f64 = 3.0;
const CLIP_ROUNDS: usize = 5;

/// Statistics in the unit of the pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkyStatistics {
    /// Clipped mean.
    pub mean: f64,
    /// Clipped standard deviation.
    pub sd: f64,
    /// Clipped median.
    pub median: f64,
    /// Median absolute deviation from that median, of all good pixels, not scaled.
    pub mad: f64,
    /// Share of the good pixels that the source mask takes.
    pub masked_share: f64,
}

/// Measures a frame; `None` without good pixels outside its sources.
pub fn sky_statistics(pixels: &Image<f32>, mask: &Mask) -> Option<SkyStatistics> {
    let unusable = MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC);
    let is_good: Vec<bool> = pixels
        .pixels()
        .iter()
        .zip(mask.pixels())
        .map(|(value, bits)| value.is_finite() && !bits.is_any(unusable))
        .collect();
    let (nx, ny) = (pixels.nx(), pixels.ny());
    let of = |keep: &dyn Fn(usize) -> bool| -> Vec<f32> {
        let values = pixels.pixels().iter().enumerate();
        values.filter(|(i, _)| keep(*i)).map(|(_, value)| *value).collect()
    };
    let mut all = of(&|i| is_good[i]);
    let first = clipped(&mut all)?;
    let threshold = first.mean + THRESHOLD_SIGMA * first.sd;
    let is_high: Vec<bool> = pixels
        .pixels()
        .iter()
        .zip(&is_good)
        .map(|(value, good)| *good && f64::from(*value) > threshold)
        .collect();
    let is_source = widened(&groups(&is_high, (nx, ny)), (nx, ny));
    let mut sky = of(&|i| is_good[i] && !is_source[i]);
    let n_good = all.len() as f64;
    let masked_share = 1.0 - sky.len() as f64 / n_good;
    let found = clipped(&mut sky)?;
    let mut distances: Vec<f32> =
        all.iter().map(|v| (f64::from(*v) - found.median).abs() as f32).collect();
    let mad = middle(&mut distances)?;
    Some(SkyStatistics { mean: found.mean, sd: found.sd, median: found.median, mad, masked_share })
}

struct Clipped {
    mean: f64,
    sd: f64,
    median: f64,
}

/// Median, the mean of both middle values; reorders.
fn middle(values: &mut [f32]) -> Option<f64> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let (low, high, _) = values.select_nth_unstable_by(n / 2, f32::total_cmp);
    let high = f64::from(*high);
    if n % 2 == 1 {
        return Some(high);
    }
    let below = low.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Some(0.5 * (high + f64::from(below)))
}

/// Clipped statistics; reorders, keeps all values.
fn clipped(values: &mut [f32]) -> Option<Clipped> {
    let mut n = values.len();
    let mut found = None;
    for _ in 0..=CLIP_ROUNDS {
        let kept = values.get_mut(..n)?;
        let median = middle(kept)?;
        let count = kept.len() as f64;
        let mean = kept.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
        let square = kept.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;
        let sd = square.sqrt();
        found = Some(Clipped { mean, sd, median });
        // Those kept go to the front.
        let mut next = 0;
        for i in 0..n {
            if (f64::from(values[i]) - median).abs() <= CLIP_SIGMA * sd {
                values.swap(i, next);
                next += 1;
            }
        }
        if next == n || next == 0 {
            break;
        }
        n = next;
    }
    found
}

/// High pixels in groups of at least five.
fn groups(is_high: &[bool], (nx, ny): (usize, usize)) -> Vec<bool> {
    let mut is_seen = vec![false; is_high.len()];
    let mut is_source = vec![false; is_high.len()];
    let mut group: Vec<usize> = Vec::new();
    for start in 0..is_high.len() {
        if !is_high[start] || is_seen[start] {
            continue;
        }
        group.clear();
        group.push(start);
        is_seen[start] = true;
        let mut next = 0;
        while next < group.len() {
            let (x, y) = (group[next] % nx, group[next] / nx);
            next += 1;
            for yy in y.saturating_sub(1)..(y + 2).min(ny) {
                for xx in x.saturating_sub(1)..(x + 2).min(nx) {
                    let i = yy * nx + xx;
                    if is_high[i] && !is_seen[i] {
                        is_seen[i] = true;
                        group.push(i);
                    }
                }
            }
        }
        if group.len() >= GROUP_MIN {
            group.iter().for_each(|i| is_source[*i] = true);
        }
    }
    is_source
}

/// Sources widened to all sides: along the rows, then along the columns.
fn widened(is_source: &[bool], (nx, ny): (usize, usize)) -> Vec<bool> {
    let mut rows = vec![false; is_source.len()];
    for i in (0..is_source.len()).filter(|i| is_source[*i]) {
        let (x, start) = (i % nx, i - i % nx);
        let low = x.saturating_sub(WIDEN_PX);
        rows[start + low..start + (x + WIDEN_PX + 1).min(nx)].fill(true);
    }
    let mut both = vec![false; is_source.len()];
    for y in 0..ny {
        for yy in y.saturating_sub(WIDEN_PX)..(y + WIDEN_PX + 1).min(ny) {
            for x in 0..nx {
                both[y * nx + x] |= rows[yy * nx + x];
            }
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sky of 100 with a wave of amplitude 3, and a square source of 8 x 8 pixels of 400.
    fn frame() -> (Image<f32>, Mask) {
        let mut pixels = Image::filled(120, 90, 0.0_f32);
        for y in 0..90 {
            for (x, value) in pixels.row_mut(y).iter_mut().enumerate() {
                *value = 100.0 + 3.0 * ((x * 7 + y * 13) as f32).sin();
            }
        }
        for y in 40..48 {
            pixels.row_mut(y)[50..58].fill(400.0);
        }
        let mut mask = Image::filled(120, 90, MaskBits::GOOD);
        mask.row_mut(0).fill(MaskBits::NO_DATA);
        pixels.row_mut(0).fill(0.0);
        (pixels, mask)
    }

    #[test]
    fn sources_and_borders_count_nowhere() {
        let (pixels, mask) = frame();
        let stats = sky_statistics(&pixels, &mask).expect("sky");
        // Of a sine the mean is zero, the standard deviation a root-half of the amplitude, and the
        // median of its absolute values half the angle's: sin(45 deg).
        let root_half = std::f64::consts::FRAC_1_SQRT_2;
        assert!((stats.mean - 100.0).abs() < 0.1, "{stats:?}");
        assert!((stats.median - 100.0).abs() < 0.2, "{stats:?}");
        assert!((stats.sd - 3.0 * root_half).abs() < 0.05, "{stats:?}");
        assert!((stats.mad - 3.0 * root_half).abs() < 0.1, "{stats:?}");
        // 18 x 18 pixels of 120 x 89.
        assert!((stats.masked_share - 324.0 / 10_680.0).abs() < 1e-9, "{stats:?}");
    }

    #[test]
    fn lonely_high_pixels_are_no_source_and_no_pixels_no_sky() {
        let (mut pixels, mask) = frame();
        for y in 40..48 {
            pixels.row_mut(y)[50..58].fill(100.0);
        }
        pixels.row_mut(20)[20] = 900.0;
        let stats = sky_statistics(&pixels, &mask).expect("sky");
        assert!(stats.masked_share.abs() < 1e-12, "{stats:?}");
        let nothing = Image::filled(120, 90, MaskBits::NO_DATA);
        assert_eq!(sky_statistics(&pixels, &nothing), None);
    }
}
