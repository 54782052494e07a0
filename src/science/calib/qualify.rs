//! Is this calibration frame, or this master, good enough to be used?
//!
//! A frame is compared with the others of its group by robust numbers: level, spread of its
//! pixels, and for flats its shape on an 8 x 8 grid. The comparison needs three frames; one or
//! two are held only against absolute limits, since nobody can say which of two is wrong. A
//! verdict carries the measured numbers.

use thiserror::Error;

use crate::science::image::Image;
use crate::science::image::stats::{median, median_and_scatter, median_in_place};

use super::{CENTRE_SIDE_PX, centre_level, neighbour_noise};

/// Cells per axis of the grid on which the shapes of flats are compared.
const GRID: usize = 8;
/// Fewest frames among which one can be called the odd one out.
const GROUP_MIN: usize = 3;

/// Limits of acceptance.
#[derive(Debug, Clone, PartialEq)]
pub struct QualifyParams {
    /// Largest deviation of a bias or dark level, in robust sigmas of the group.
    pub level_sigma: f64,
    /// Deviations of level smaller than this share of the pixel noise always pass.
    pub level_noise_share: f64,
    /// Largest ratio of spread or noise to the group's median, and of that to it.
    pub spread_ratio: f64,
    /// Largest level of a flat, as a share of the saturation level.
    pub flat_saturation_share: f64,
    /// Smallest level of a flat [ADU].
    pub flat_level_min_adu: f64,
    /// Largest deviation of a flat's shape from the others' (relative).
    pub flat_change_share_max: f64,
    /// Largest noise of a pixel of a master flat (relative).
    pub master_flat_noise_max: f64,
    /// Smallest share of finite pixels of any frame.
    pub finite_share_min: f64,
    /// Largest ratio of measured noise to that expected from the header's numbers.
    pub header_noise_ratio_max: f64,
}

impl Default for QualifyParams {
    fn default() -> Self {
        Self {
            level_sigma: 6.0,
            level_noise_share: 1.0,
            spread_ratio: 1.5,
            flat_saturation_share: 0.85,
            flat_level_min_adu: 1000.0,
            flat_change_share_max: 0.05,
            master_flat_noise_max: 0.05,
            finite_share_min: 0.95,
            header_noise_ratio_max: 3.0,
        }
    }
}

/// What a frame is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameStats {
    /// Median [ADU].
    pub level_adu: f64,
    /// Median of the inner 64 x 64 px [ADU].
    pub centre_adu: f64,
    /// Noise between neighbouring pixels [ADU].
    pub noise_adu: f64,
    /// Half the distance between the 16 % and the 84 % quantile [ADU].
    pub spread_adu: f64,
    /// Share of finite pixels.
    pub finite_share: f64,
    /// Medians of 8 x 8 cells in units of the centre, row by row.
    pub shape: Vec<f64>,
}

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Too few finite pixels.
    #[error("only {share:.3} of the pixels are finite")]
    NotFinite {
        /// Their share.
        share: f64,
    },
    /// The level does not fit the other frames.
    #[error("level {level_adu:.1} ADU, the others have {expected_adu:.1} +- {limit_adu:.1} ADU")]
    Level {
        /// Measured [ADU].
        level_adu: f64,
        /// Median of the group [ADU].
        expected_adu: f64,
        /// Accepted deviation [ADU].
        limit_adu: f64,
    },
    /// The spread of the pixels does not fit the other frames.
    #[error("spread of the pixels {spread_adu:.2} ADU, the others have {expected_adu:.2} ADU")]
    Spread {
        /// Measured [ADU].
        spread_adu: f64,
        /// Median of the group [ADU].
        expected_adu: f64,
    },
    /// A flat is too near to saturation to be linear.
    #[error("level {level_adu:.0} ADU is above the limit of {limit_adu:.0} ADU for a flat")]
    TooBright {
        /// Measured on the raw frame [ADU].
        level_adu: f64,
        /// Largest accepted [ADU].
        limit_adu: f64,
    },
    /// A flat has too little light.
    #[error("level {level_adu:.0} ADU is below the {limit_adu:.0} ADU a flat needs")]
    TooFaint {
        /// Measured above the bias [ADU].
        level_adu: f64,
        /// Smallest accepted [ADU].
        limit_adu: f64,
    },
    /// A flat has another shape than the others.
    #[error("shape deviates by {deviation:.3} from the others (limit {limit:.3})")]
    Shape {
        /// Largest deviation of a cell (relative).
        deviation: f64,
        /// Largest accepted.
        limit: f64,
    },
    /// The noise is not what read noise and photons explain.
    #[error("noise of a frame {noise:.3}, expected {expected:.3}")]
    UnexpectedNoise {
        /// Measured between frames, in the frames' unit.
        noise: f64,
        /// Expected, in the same unit.
        expected: f64,
    },
    /// A master flat is too noisy to help.
    #[error("noise of a pixel {noise:.3} is above {limit:.3}")]
    Noisy {
        /// Measured (relative).
        noise: f64,
        /// Largest accepted.
        limit: f64,
    },
}

/// Measures a frame; `None` when it has no finite pixel at its centre or too few anywhere.
pub fn frame_stats(frame: &Image<f32>) -> Option<FrameStats> {
    let (nx, ny) = (frame.nx(), frame.ny());
    let n_finite = frame.pixels().iter().filter(|v| v.is_finite()).count();
    let step = (nx * ny).div_ceil(super::SAMPLE_PIXELS).max(1) | 1;
    let mut sample: Vec<f64> = frame
        .pixels()
        .iter()
        .step_by(step)
        .filter(|v| v.is_finite())
        .map(|&v| f64::from(v))
        .collect();
    sample.sort_unstable_by(f64::total_cmp);
    let quantile = |q| crate::science::image::stats::quantile_of_sorted(&sample, q);
    let centre_adu = centre_level(frame)?;
    Some(FrameStats {
        level_adu: quantile(0.5)?,
        centre_adu,
        noise_adu: neighbour_noise(frame, None)?,
        spread_adu: 0.5 * (quantile(0.84)? - quantile(0.16)?),
        finite_share: n_finite as f64 / (nx * ny) as f64,
        shape: shape(frame, centre_adu),
    })
}

/// Medians of 8 x 8 cells over the frame in units of its centre; empty for tiny frames.
fn shape(frame: &Image<f32>, centre_adu: f64) -> Vec<f64> {
    let (nx, ny) = (frame.nx(), frame.ny());
    if nx < 2 * GRID || ny < 2 * GRID || centre_adu <= 0.0 {
        return Vec::new();
    }
    cell_medians((nx, ny), |x, y| frame.at(x, y)).into_iter().map(|m| m / centre_adu).collect()
}

/// Medians of the finite values in each of 8 x 8 cells, row by row; NaN for a cell without.
pub(super) fn cell_medians(
    (nx, ny): (usize, usize),
    value: impl Fn(usize, usize) -> f32,
) -> Vec<f64> {
    let median_of = |cell: usize| {
        let (cx, cy) = (cell % GRID, cell / GRID);
        let (x0, x1) = (cx * nx / GRID, (cx + 1) * nx / GRID);
        let (y0, y1) = (cy * ny / GRID, (cy + 1) * ny / GRID);
        let step = ((x1 - x0) * (y1 - y0) / CENTRE_SIDE_PX.pow(2)).max(1);
        let mut values: Vec<f64> = (y0..y1)
            .step_by(step)
            .flat_map(|y| (x0..x1).map(move |x| (x, y)))
            .map(|(x, y)| f64::from(value(x, y)))
            .filter(|v| v.is_finite())
            .collect();
        median_in_place(&mut values).unwrap_or(f64::NAN)
    };
    (0..GRID * GRID).map(median_of).collect()
}

/// Judges biases, or darks of one exposure, among each other; `None` = good.
pub fn judge_levels(group: &[FrameStats], params: &QualifyParams) -> Vec<Option<Fault>> {
    let levels: Vec<f64> = group.iter().map(|s| s.level_adu).collect();
    let Some((expected_adu, scatter)) = median_and_scatter(&levels) else {
        return Vec::new();
    };
    let noise = median(&group.iter().map(|s| s.noise_adu).collect::<Vec<_>>()).unwrap_or(0.0);
    let spread = median(&group.iter().map(|s| s.spread_adu).collect::<Vec<_>>()).unwrap_or(0.0);
    let limit_adu = (params.level_sigma * scatter).max(params.level_noise_share * noise).max(1.0);
    let judge = |stats: &FrameStats| {
        if let Some(fault) = not_finite(stats, params) {
            return Some(fault);
        }
        if group.len() < GROUP_MIN {
            return None;
        }
        let level_adu = stats.level_adu;
        if (level_adu - expected_adu).abs() > limit_adu {
            return Some(Fault::Level { level_adu, expected_adu, limit_adu });
        }
        // One ADU of grace: quantised levels make the spread of quiet cameras jump.
        let (low, high) = (spread / params.spread_ratio - 1.0, spread * params.spread_ratio + 1.0);
        let spread_adu = stats.spread_adu;
        let is_off = spread_adu < low || spread_adu > high;
        is_off.then_some(Fault::Spread { spread_adu, expected_adu: spread })
    };
    group.iter().map(judge).collect()
}

/// Judges flats of one filter (bias subtracted) among each other; `None` = good.
///
/// * `pedestal_adu`: what was subtracted, so that saturation is asked of the raw level.
pub fn judge_flats(
    group: &[FrameStats],
    pedestal_adu: f64,
    saturation_adu: Option<f64>,
    params: &QualifyParams,
) -> Vec<Option<Fault>> {
    let absolute: Vec<Option<Fault>> =
        group.iter().map(|s| judge_flat_level(s, pedestal_adu, saturation_adu, params)).collect();
    let good: Vec<&FrameStats> =
        group.iter().zip(&absolute).filter(|(_, f)| f.is_none()).map(|(s, _)| s).collect();
    if good.len() < GROUP_MIN {
        return absolute;
    }
    let n_cells = good.iter().map(|s| s.shape.len()).min().unwrap_or(0);
    let typical: Vec<f64> = (0..n_cells)
        .map(|c| median(&good.iter().map(|s| s.shape[c]).collect::<Vec<_>>()).unwrap_or(f64::NAN))
        .collect();
    let limit = params.flat_change_share_max;
    let judge = |(stats, fault): (&FrameStats, Option<Fault>)| {
        let deviation = stats
            .shape
            .iter()
            .zip(&typical)
            .filter(|(_, t)| **t > 0.0)
            .map(|(s, t)| (s / t - 1.0).abs())
            .fold(0.0, f64::max);
        fault.or_else(|| (deviation > limit).then_some(Fault::Shape { deviation, limit }))
    };
    group.iter().zip(absolute).map(judge).collect()
}

fn judge_flat_level(
    stats: &FrameStats,
    pedestal_adu: f64,
    saturation_adu: Option<f64>,
    params: &QualifyParams,
) -> Option<Fault> {
    let level_adu = stats.centre_adu + pedestal_adu;
    let limit_adu = params.flat_saturation_share * saturation_adu.unwrap_or(f64::INFINITY);
    if level_adu > limit_adu {
        return Some(Fault::TooBright { level_adu, limit_adu });
    }
    let limit_adu = params.flat_level_min_adu;
    if stats.centre_adu < limit_adu {
        return Some(Fault::TooFaint { level_adu: stats.centre_adu, limit_adu });
    }
    not_finite(stats, params)
}

/// Judges a master bias or dark by itself; `None` = good.
pub fn judge_master_level(stats: &FrameStats, params: &QualifyParams) -> Option<Fault> {
    not_finite(stats, params)
}

/// Judges a master flat by itself (1 at its centre); `None` = good.
///
/// * `noise`: noise of a pixel, relative; that of neighbours when `None`.
pub fn judge_master_flat(
    stats: &FrameStats,
    noise: Option<f64>,
    params: &QualifyParams,
) -> Option<Fault> {
    let noise = noise.unwrap_or(stats.noise_adu);
    let limit = params.master_flat_noise_max;
    not_finite(stats, params).or_else(|| (noise > limit).then_some(Fault::Noisy { noise, limit }))
}

/// Compares the noise of biases (or darks) with the read noise that the header states [ADU].
///
/// Headers err by a factor, seldom by more; 1 ADU of grace for quantised, quiet cameras.
pub fn judge_read_noise(
    noise_adu: f64,
    expected_adu: f64,
    params: &QualifyParams,
) -> Option<Fault> {
    let ratio = params.header_noise_ratio_max;
    let is_off = noise_adu > ratio * expected_adu + 1.0 || noise_adu < expected_adu / ratio - 1.0;
    is_off.then_some(Fault::UnexpectedNoise { noise: noise_adu, expected: expected_adu })
}

/// Compares the noise of flats (relative) with that of their photons and the read noise.
pub fn judge_photon_noise(noise: f64, expected: f64, params: &QualifyParams) -> Option<Fault> {
    let is_off = noise > params.header_noise_ratio_max * expected;
    is_off.then_some(Fault::UnexpectedNoise { noise, expected })
}

fn not_finite(stats: &FrameStats, params: &QualifyParams) -> Option<Fault> {
    let share = stats.finite_share;
    (share < params.finite_share_min).then_some(Fault::NotFinite { share })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::calib::synthetic::Noise;

    fn stats_of(noise: &mut Noise, level: f32, sigma: f32) -> FrameStats {
        frame_stats(&noise.frame(128, level, sigma)).expect("finite")
    }

    #[test]
    fn the_odd_bias_is_named_and_pairs_pass() {
        let mut noise = Noise::seeded(21);
        let mut group: Vec<_> =
            [1000.0, 1000.6, 999.5, 1000.2, 1010.0].map(|l| stats_of(&mut noise, l, 5.0)).into();
        group.push(stats_of(&mut noise, 1000.0, 9.0));
        let faults = judge_levels(&group, &QualifyParams::default());
        assert!(faults[..4].iter().all(Option::is_none), "{faults:?}");
        let is_near = |level_adu: f64| (level_adu - 1010.0).abs() < 0.3;
        assert!(matches!(faults[4], Some(Fault::Level { level_adu, .. }) if is_near(level_adu)));
        assert!(matches!(faults[5], Some(Fault::Spread { .. })));
        let pair = [group[0].clone(), group[4].clone()];
        assert_eq!(judge_levels(&pair, &QualifyParams::default()), vec![None, None]);
        assert!(judge_levels(&[], &QualifyParams::default()).is_empty());
    }

    #[test]
    fn flats_are_judged_by_level_and_shape() {
        let mut noise = Noise::seeded(22);
        let mut group: Vec<_> = [20_000.0, 55_000.0, 400.0, 25_000.0, 30_000.0]
            .map(|l| stats_of(&mut noise, l, 100.0))
            .into();
        let tilted = noise.frame_of(128, |x, _| (20_000.0 + 40.0 * x as f32, 100.0));
        group.push(frame_stats(&tilted).expect("finite"));
        let faults = judge_flats(&group, 1000.0, Some(62_000.0), &QualifyParams::default());
        assert!(faults[0].is_none() && faults[3].is_none() && faults[4].is_none(), "{faults:?}");
        assert!(matches!(faults[1], Some(Fault::TooBright { .. })));
        assert!(matches!(faults[2], Some(Fault::TooFaint { .. })));
        assert!(matches!(faults[5], Some(Fault::Shape { deviation, .. }) if deviation > 0.08));
        let alone = judge_flats(&group[..1], 1000.0, None, &QualifyParams::default());
        assert_eq!(alone, vec![None]);
    }

    #[test]
    fn a_hollow_frame_has_no_statistics() {
        assert_eq!(frame_stats(&Image::filled(64, 64, f32::NAN)), None);
        let mut half = Image::filled(64, 64, 5.0_f32);
        half.pixels_mut()[..1024].fill(f32::NAN);
        let stats = frame_stats(&half).expect("the centre is finite");
        assert!(matches!(
            judge_master_level(&stats, &QualifyParams::default()),
            Some(Fault::NotFinite { .. })
        ));
    }
}
