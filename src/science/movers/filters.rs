//! The cuts of ssos on tracklets, one after another, each with its reason.
//!
//! Our search weighs odds and needs none of them; they are here for people whose way of working
//! rests on them, and for the limits of what a survey publishes. Meaning and default values are
//! those of ssos 1.3 (Mahlke et al. 2019, Astronomy and Computing 28, 100289); what its code
//! does otherwise than its manual says is mended: the rate is not 0.18 % high, right ascension is
//! unwrapped, an object that moves along one axis only is kept whichever axis it is, distances to
//! stars are along the sphere, and filters can be used together.

mod linear;

pub use linear::{MotionTest, epoch_groups, weighted_r2};

use crate::science::image::stats::median;
use crate::science::sky::vector::separation_rad;
use crate::science::units::ARCSEC_RAD;

/// One filter of the chain with its limits.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Removes tracklets with these numbers of detections.
    Detections {
        /// Numbers not kept.
        unwanted: Vec<usize>,
    },
    /// Keeps rates inside a range that are significant.
    ProperMotion {
        /// Slowest [arcsec/h].
        low_arcsec_per_h: f64,
        /// Fastest [arcsec/h].
        up_arcsec_per_h: f64,
        /// Least rate in units of its error.
        snr_min: f64,
    },
    /// Keeps straight and even motion.
    Motion(MotionTest),
    /// Removes what stays on the same detector pixels.
    Pixel {
        /// Least shift in columns or rows [px].
        shift_min_px: f64,
    },
    /// Keeps sources whose axes are the same in all frames within their errors.
    Trail {
        /// Least ratio of the error of the mean to the scatter.
        ratio_min: f64,
    },
    /// Removes what lies near bright stars.
    BrightSources {
        /// Magnitudes of the stars [mag].
        mag_range: (f64, f64),
        /// Distance [arcsec].
        distance_arcsec: f64,
    },
}

impl Filter {
    /// Name in the configuration and in lists.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Detections { .. } => "detections",
            Self::ProperMotion { .. } => "proper_motion",
            Self::Motion(_) => "motion",
            Self::Pixel { .. } => "pixel",
            Self::Trail { .. } => "trail",
            Self::BrightSources { .. } => "bright_sources",
        }
    }
}

/// A detection as the filters ask it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilterPoint {
    /// Time [d, any zero].
    pub t_d: f64,
    /// Right ascension [rad].
    pub ra_rad: f64,
    /// Declination [rad].
    pub dec_rad: f64,
    /// Error per axis [arcsec].
    pub sigma_arcsec: f64,
    /// Column on the detector [px].
    pub x_px: f64,
    /// Row on the detector [px].
    pub y_px: f64,
    /// Semi-axes [px], when measured.
    pub axes_px: Option<(f64, f64)>,
    /// Error of the place [px].
    pub place_err_px: f64,
}

/// A tracklet as the filters ask it.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterTracklet {
    /// Its detections in order of time.
    pub points: Vec<FilterPoint>,
    /// Rate [arcsec/h].
    pub rate_arcsec_per_h: f64,
    /// Error of the rate [arcsec/h].
    pub rate_err_arcsec_per_h: f64,
}

/// Stars of a range of magnitudes [mag] within a radius of a place [rad].
pub type BrightStars<'a> = dyn Fn((f64, f64), f64, (f64, f64)) -> Vec<(f64, f64)> + 'a;

impl Filter {
    /// `None` when the tracklet passes, else why it does not.
    pub fn objection(&self, tracklet: &FilterTracklet, stars: &BrightStars<'_>) -> Option<String> {
        let n = tracklet.points.len();
        match self {
            Self::Detections { unwanted } => {
                unwanted.contains(&n).then(|| format!("{n} detections are not wanted"))
            }
            Self::ProperMotion { low_arcsec_per_h, up_arcsec_per_h, snr_min } => {
                let (rate, err) = (tracklet.rate_arcsec_per_h, tracklet.rate_err_arcsec_per_h);
                if !(*low_arcsec_per_h..=*up_arcsec_per_h).contains(&rate) {
                    let range = format!("{low_arcsec_per_h} to {up_arcsec_per_h}\"/h");
                    return Some(format!("rate of {rate:.1}\"/h, wanted {range}"));
                }
                let snr = rate / err.max(f64::MIN_POSITIVE);
                (snr < *snr_min)
                    .then(|| format!("rate of {snr:.1} times its error, wanted {snr_min}"))
            }
            Self::Motion(test) => test.objection(&tracklet.points),
            Self::Pixel { shift_min_px } => pixel(&tracklet.points, *shift_min_px),
            Self::Trail { ratio_min } => trail(&tracklet.points, *ratio_min),
            Self::BrightSources { mag_range, distance_arcsec } => {
                bright(&tracklet.points, (*mag_range, *distance_arcsec), stars)
            }
        }
    }
}

fn pixel(points: &[FilterPoint], shift_min_px: f64) -> Option<String> {
    let range = |of: fn(&FilterPoint) -> f64| {
        let least = points.iter().map(of).fold(f64::INFINITY, f64::min);
        points.iter().map(of).fold(f64::NEG_INFINITY, f64::max) - least
    };
    let (dx, dy) = (range(|p| p.x_px), range(|p| p.y_px));
    (dx < shift_min_px && dy < shift_min_px)
        .then(|| format!("stays within {dx:.1} x {dy:.1} px of the detector"))
}

/// Error of the mean in units of the scatter: [sum 1/err^2]^(-1/2) / std, the deviation that of a
/// population.
pub fn constancy(values: &[(f64, f64)]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v.0).sum::<f64>() / n;
    let squares = values.iter().map(|v| (v.0 - mean).powi(2)).sum::<f64>();
    let scatter = (squares / n).sqrt();
    let weight = values.iter().map(|v| v.1.powi(-2)).sum::<f64>();
    1.0 / (weight.sqrt() * scatter.max(f64::MIN_POSITIVE))
}

fn trail(points: &[FilterPoint], ratio_min: f64) -> Option<String> {
    let axis = |of: fn((f64, f64)) -> f64| -> Vec<(f64, f64)> {
        let measured = points.iter().filter_map(|p| Some((of(p.axes_px?), p.place_err_px)));
        measured.collect()
    };
    let (long, short) = (axis(|a| a.0), axis(|a| a.1));
    [("long", long), ("short", short)].into_iter().find_map(|(name, values)| {
        let ratio = if values.len() < 2 { f64::INFINITY } else { constancy(&values) };
        (ratio < ratio_min).then(|| format!("its {name} axis changes ({ratio:.2} < {ratio_min})"))
    })
}

fn bright(
    points: &[FilterPoint],
    (mag_range, distance_arcsec): ((f64, f64), f64),
    stars: &BrightStars<'_>,
) -> Option<String> {
    let first = points.first()?;
    let wrapped = |p: &FilterPoint| {
        let turn = std::f64::consts::TAU;
        first.ra_rad + (p.ra_rad - first.ra_rad + 0.5 * turn).rem_euclid(turn) - 0.5 * turn
    };
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let middle = (
        mean(points.iter().map(wrapped).collect()),
        mean(points.iter().map(|p| p.dec_rad).collect()),
    );
    let near = stars(middle, distance_arcsec * ARCSEC_RAD, mag_range);
    let distances = near.iter().map(|star| separation_rad(middle, *star) / ARCSEC_RAD);
    let nearest = distances.fold(f64::INFINITY, f64::min);
    (nearest < distance_arcsec).then(|| format!("{nearest:.0}\" from a bright star"))
}

/// Deviation from the median in units of a normal distribution's sigma.
pub fn scaled_mad(values: &[f64]) -> f64 {
    const MAD_PER_SIGMA: f64 = 0.674_489_750_196_081_7;
    let Some(middle) = median(values) else { return 0.0 };
    let deviations: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    median(&deviations).unwrap_or(0.0) / MAD_PER_SIGMA
}

#[cfg(test)]
mod tests;
