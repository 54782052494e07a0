//! Is a new master like the last accepted one of its kind?
//!
//! A bias with light on it, a dark with a warm detector or flats of another set-up agree well
//! among each other; only the memory of earlier nights tells. Compared are the noise of single
//! frames, the level, and the shape on an 8 x 8 grid, all by medians. What small dust or a new
//! hot pixel changes passes.

use thiserror::Error;

use crate::science::image::Image;
use crate::science::image::stats::median;

use super::qualify::cell_medians;

/// Largest changes that pass.
#[derive(Debug, Clone, PartialEq)]
pub struct ContinuityParams {
    /// Change of a bias or dark level, in units of the noise of a single frame.
    pub level_sigma: f64,
    /// Change of a cell of a bias or dark beyond that of its level, in the same unit.
    pub structure_sigma: f64,
    /// Ratio of the noise of single frames, either way.
    pub noise_ratio_max: f64,
    /// Change of a flat's shape (relative).
    pub flat_change_share_max: f64,
}

impl Default for ContinuityParams {
    fn default() -> Self {
        Self {
            level_sigma: 10.0,
            structure_sigma: 3.0,
            noise_ratio_max: 1.5,
            flat_change_share_max: 0.05,
        }
    }
}

/// A master as far as it is compared.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// The combined frame.
    pub pixels: &'a Image<f32>,
    /// Noise of a pixel of one of its frames, in the unit of the pixels.
    pub frame_noise: f64,
}

/// How a master differs from the last accepted one.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum Change {
    /// Another number of pixels.
    #[error("another size")]
    Size,
    /// The noise of single frames.
    #[error("noise of a frame {noise:.2} ADU, formerly {last:.2} ADU")]
    Noise {
        /// Measured [ADU].
        noise: f64,
        /// That of the last accepted master [ADU].
        last: f64,
    },
    /// The level.
    #[error("level {change_adu:+.1} ADU against the former (limit {limit_adu:.1} ADU)")]
    Level {
        /// New less former [ADU].
        change_adu: f64,
        /// Largest that passes [ADU].
        limit_adu: f64,
    },
    /// The shape of a bias or dark.
    #[error("shape changed by {change_adu:.1} ADU against the former (limit {limit_adu:.1} ADU)")]
    Structure {
        /// Largest deviation of a cell [ADU].
        change_adu: f64,
        /// Largest that passes [ADU].
        limit_adu: f64,
    },
    /// The shape of a flat.
    #[error("shape changed by {change:.3} against the former (limit {limit:.3})")]
    Shape {
        /// Largest deviation of a cell (relative).
        change: f64,
        /// Largest that passes.
        limit: f64,
    },
}

/// Compares biases, or darks of one exposure; `None` = alike.
pub fn level_change(
    new: Compared<'_>,
    last: Compared<'_>,
    params: &ContinuityParams,
) -> Option<Change> {
    if !new.pixels.same_shape(last.pixels) {
        return Some(Change::Size);
    }
    let (noise, former) = (new.frame_noise, last.frame_noise);
    let ratio = params.noise_ratio_max;
    // One ADU of grace for quantised, quiet cameras.
    if noise > ratio * former + 1.0 || noise < former / ratio - 1.0 {
        return Some(Change::Noise { noise, last: former });
    }
    let shape = (new.pixels.nx(), new.pixels.ny());
    let cells = cell_medians(shape, |x, y| new.pixels.at(x, y) - last.pixels.at(x, y));
    let finite: Vec<f64> = cells.into_iter().filter(|c| c.is_finite()).collect();
    let change_adu = median(&finite)?;
    let scale = former.max(noise).max(0.5);
    let limit_adu = params.level_sigma * scale;
    if change_adu.abs() > limit_adu {
        return Some(Change::Level { change_adu, limit_adu });
    }
    let limit_adu = params.structure_sigma * scale;
    let worst = finite.iter().map(|c| (c - change_adu).abs()).fold(0.0, f64::max);
    (worst > limit_adu).then_some(Change::Structure { change_adu: worst, limit_adu })
}

/// Compares flats; `None` = alike.
pub fn flat_change(
    new: &Image<f32>,
    last: &Image<f32>,
    params: &ContinuityParams,
) -> Option<Change> {
    if !new.same_shape(last) {
        return Some(Change::Size);
    }
    let cells = cell_medians((new.nx(), new.ny()), |x, y| new.at(x, y) / last.at(x, y));
    let finite: Vec<f64> = cells.into_iter().filter(|c| c.is_finite()).collect();
    let level = median(&finite).filter(|level| *level > 0.0)?;
    let change = finite.iter().map(|c| (c / level - 1.0).abs()).fold(0.0, f64::max);
    let limit = params.flat_change_share_max;
    (change > limit).then_some(Change::Shape { change, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::calib::synthetic::Noise;

    fn compare(new: &Image<f32>, noise: f64, last: &Image<f32>) -> Option<Change> {
        let new = Compared { pixels: new, frame_noise: noise };
        let last = Compared { pixels: last, frame_noise: 4.0 };
        level_change(new, last, &ContinuityParams::default())
    }

    #[test]
    fn a_bias_may_drift_but_not_jump() {
        let mut noise = Noise::seeded(71);
        let last = noise.frame(128, 1000.0, 1.3);
        assert_eq!(compare(&noise.frame(128, 1020.0, 1.3), 4.2, &last), None);
        let jump = compare(&noise.frame(128, 1050.0, 1.3), 4.0, &last);
        assert!(matches!(jump, Some(Change::Level { change_adu, .. }) if change_adu > 45.0));
        let loud = compare(&noise.frame(128, 1000.0, 1.3), 8.0, &last);
        assert!(matches!(loud, Some(Change::Noise { .. })), "{loud:?}");
        // Light through a gap: 0 to 60 ADU across the frame, 30 of it level.
        let lit = noise.frame_of(128, |x, _| (1000.0 + 60.0 * x as f32 / 128.0, 1.3));
        let change = compare(&lit, 4.0, &last);
        assert!(matches!(change, Some(Change::Structure { .. })), "{change:?}");
        let small = noise.frame(64, 1000.0, 1.3);
        assert_eq!(compare(&small, 4.0, &last), Some(Change::Size));
    }

    #[test]
    fn flats_of_another_shape_are_told() {
        let mut noise = Noise::seeded(72);
        let last = noise.frame(128, 1.0, 0.004);
        let params = ContinuityParams::default();
        let mut dusty = noise.frame(128, 1.0, 0.004);
        for y in 20..28 {
            dusty.row_mut(y)[60..68].iter_mut().for_each(|v| *v *= 0.9);
        }
        assert_eq!(flat_change(&dusty, &last, &params), None);
        let tilted = noise.frame_of(128, |x, _| (0.9 + 0.2 * x as f32 / 128.0, 0.004));
        assert!(matches!(flat_change(&tilted, &last, &params), Some(Change::Shape { .. })));
    }
}
