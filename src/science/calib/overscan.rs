//! The electronic zero point of a frame, from its overscan region.
//!
//! Where the region runs along all rows each row has its own level, since amplifiers settle
//! during the first rows by hundreds of ADU. A row's level is the clipped mean of its overscan
//! pixels; where it agrees with the mean of its neighbours that mean is taken instead, which
//! keeps the row noise of a short overscan out of the frame.

use std::ops::Range;

use crate::science::image::Image;
use crate::science::image::stats::median_in_place;

use super::clipped;

/// How levels are clipped and smoothed.
#[derive(Debug, Clone, PartialEq)]
pub struct OverscanParams {
    /// Clipping limit around the median [sigma].
    pub clip_sigma: f64,
    /// Rows on either side over which levels are averaged [px].
    pub smooth_rows: usize,
    /// A row further than this from its neighbours keeps its own level [sigma of a row's level].
    pub keep_sigma: f64,
    /// Fewest overscan pixels in a row for levels by row [px].
    pub row_pixels_min: usize,
}

impl Default for OverscanParams {
    fn default() -> Self {
        Self { clip_sigma: 3.0, smooth_rows: 8, keep_sigma: 4.0, row_pixels_min: 8 }
    }
}

/// Level of a frame's overscan.
#[derive(Debug, Clone, PartialEq)]
pub struct Overscan {
    /// Level to subtract from each row of the raw frame [ADU].
    pub per_row_adu: Vec<f32>,
    /// Median level [ADU].
    pub level_adu: f64,
    /// Noise of an overscan pixel, one standard deviation [ADU].
    pub noise_adu: f64,
    /// Whether rows have levels of their own.
    pub is_by_row: bool,
}

/// Measures the overscan in a window of columns and rows of the raw frame.
///
/// `None` when the window is empty, leaves the frame, or holds no finite pixels.
pub fn measure_overscan(
    raw: &Image<f32>,
    columns: Range<usize>,
    rows: Range<usize>,
    params: &OverscanParams,
) -> Option<Overscan> {
    let (nx, ny) = (raw.nx(), raw.ny());
    if columns.is_empty() || rows.is_empty() || columns.end > nx || rows.end > ny {
        return None;
    }
    let is_by_row = rows.len() * 10 >= ny * 9 && columns.len() >= params.row_pixels_min;
    if !is_by_row {
        let mut values: Vec<f32> =
            rows.flat_map(|y| raw.row(y)[columns.clone()].iter().copied()).collect();
        let stats = clipped(&mut values, params.clip_sigma)?;
        let per_row_adu = vec![stats.mean as f32; ny];
        let (level_adu, noise_adu) = (stats.mean, stats.sigma);
        return Some(Overscan { per_row_adu, level_adu, noise_adu, is_by_row });
    }
    let measured: Vec<Option<(f64, f64)>> = rows
        .clone()
        .map(|y| {
            let mut values = raw.row(y)[columns.clone()].to_vec();
            clipped(&mut values, params.clip_sigma).map(|s| (s.mean, s.sigma))
        })
        .collect();
    let level_adu =
        median_in_place(&mut measured.iter().flatten().map(|m| m.0).collect::<Vec<_>>())?;
    let noise_adu =
        median_in_place(&mut measured.iter().flatten().map(|m| m.1).collect::<Vec<_>>())?;
    let own: Vec<f64> = measured.iter().map(|m| m.map_or(level_adu, |m| m.0)).collect();
    let row_sigma = (noise_adu / (columns.len() as f64).sqrt()).max(0.01);
    let smooth = smoothed(&own, params, row_sigma);
    let last = rows.len() - 1;
    let per_row_adu =
        (0..ny).map(|y| smooth[y.saturating_sub(rows.start).min(last)] as f32).collect();
    Some(Overscan { per_row_adu, level_adu, noise_adu, is_by_row })
}

/// Means over windows symmetric about each row, where the row agrees with its window.
fn smoothed(own: &[f64], params: &OverscanParams, row_sigma: f64) -> Vec<f64> {
    (0..own.len())
        .map(|y| {
            let reach = params.smooth_rows.min(y).min(own.len() - 1 - y);
            let window = &own[y - reach..=y + reach];
            let Some(middle) = median_in_place(&mut window.to_vec()) else {
                return own[y];
            };
            let limit = params.keep_sigma * row_sigma;
            let (sum, n) = window
                .iter()
                .filter(|v| (*v - middle).abs() <= limit)
                .fold((0.0, 0_usize), |(sum, n), v| (sum + v, n + 1));
            let mean = if n > 0 { sum / n as f64 } else { middle };
            if (own[y] - mean).abs() <= limit { mean } else { own[y] }
        })
        .collect()
}

/// Cuts a window out of the raw frame, minus the overscan level of each row if there is one.
///
/// The window must lie inside the frame.
pub fn trimmed(
    raw: &Image<f32>,
    overscan: Option<&Overscan>,
    columns: Range<usize>,
    rows: Range<usize>,
) -> Image<f32> {
    let mut frame = raw.window(columns.start, columns.end, rows.start, rows.end);
    if let Some(overscan) = overscan {
        for (y, &level) in overscan.per_row_adu[rows].iter().enumerate() {
            frame.row_mut(y).iter_mut().for_each(|v| *v -= level);
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::calib::synthetic::Noise;

    /// Level 1600 - 900 exp(-y / 4), noise 2, columns 180..200 are overscan, sky 500 elsewhere.
    fn settling_frame() -> Image<f32> {
        Noise::seeded(12).frame_of(200, |x, y| {
            let level = 1600.0 - 900.0 * (-(y as f32) / 4.0).exp();
            (level + if x < 180 { 500.0 } else { 0.0 }, 2.0)
        })
    }

    #[test]
    fn rows_of_a_settling_amplifier_are_followed() {
        let raw = settling_frame();
        let overscan = measure_overscan(&raw, 180..200, 0..200, &OverscanParams::default())
            .expect("there is an overscan");
        assert!(overscan.is_by_row);
        assert!((overscan.noise_adu - 2.0).abs() < 0.15, "{}", overscan.noise_adu);
        // A row's own level has an error of 2 / sqrt(20) = 0.45, a smoothed one of 0.11.
        for (y, &level) in overscan.per_row_adu.iter().enumerate() {
            let truth = 1600.0 - 900.0 * (-(y as f32) / 4.0).exp();
            let limit = if (60..190).contains(&y) { 0.45 } else { 2.5 };
            assert!((level - truth).abs() < limit, "row {y}: {level} for {truth}");
        }
        let frame = trimmed(&raw, Some(&overscan), 0..180, 10..200);
        assert_eq!((frame.nx(), frame.ny()), (180, 190));
        let mean = frame.pixels().iter().sum::<f32>() / frame.pixels().len() as f32;
        assert!((mean - 500.0).abs() < 0.2, "{mean}");
    }

    #[test]
    fn a_block_gives_one_level_and_a_bad_window_none() {
        let raw = Noise::seeded(3).frame(100, 300.0, 4.0);
        let params = OverscanParams::default();
        let overscan = measure_overscan(&raw, 0..100, 90..100, &params).expect("a block");
        assert!(!overscan.is_by_row);
        assert!((overscan.level_adu - 300.0).abs() < 0.5);
        assert!(measure_overscan(&raw, 90..101, 0..100, &params).is_none());
        assert!(measure_overscan(&raw, 9..9, 0..100, &params).is_none());
        let empty = Image::filled(20, 20, f32::NAN);
        assert!(measure_overscan(&empty, 0..20, 0..20, &params).is_none());
    }
}
