//! The test for straight and even motion: weighted R^2 of both coordinates against time.

use super::{FilterPoint, scaled_mad};
use crate::science::units::ARCSEC_RAD;

/// Limits of the test.
#[derive(Debug, Clone, PartialEq)]
pub struct MotionTest {
    /// Least coefficient of determination.
    pub r2_ratio_min: f64,
    /// Gaps longer than this many scaled median deviations of the times split the detections into
    /// groups that are tested apart; `None` tests all together.
    pub gap_factor: Option<f64>,
}

/// Fewest detections of a group.
const GROUP_MIN: usize = 3;

impl MotionTest {
    /// `None` when a tracklet moves evenly, else why it does not.
    ///
    /// With groups one good group suffices, as in the code of ssos.
    pub fn objection(&self, points: &[FilterPoint]) -> Option<String> {
        let times: Vec<f64> = points.iter().map(|p| p.t_d).collect();
        let groups = match self.gap_factor {
            Some(threshold) => epoch_groups(&times, threshold),
            None => std::iter::once(0..points.len()).collect(),
        };
        let is_alone = groups.len() == 1;
        let mut best = f64::NEG_INFINITY;
        for group in groups {
            let members = &points[group];
            if members.len() < GROUP_MIN && !is_alone {
                continue;
            }
            let r2 = self.evenness(members);
            if r2 >= self.r2_ratio_min {
                return None;
            }
            best = best.max(r2);
        }
        let told = if best.is_finite() { format!("R2 {best:.3}") } else { "groups of two".into() };
        Some(format!("motion is not even: {told}, wanted {}", self.r2_ratio_min))
    }

    /// R^2 of both coordinates together: it does not depend on where the motion points, nor does
    /// the noise of an axis along which little moves spoil it.
    fn evenness(&self, points: &[FilterPoint]) -> f64 {
        let Some(first) = points.first() else { return f64::NEG_INFINITY };
        let turn = std::f64::consts::TAU;
        let cos = first.dec_rad.cos();
        let east = |p: &FilterPoint| {
            cos * ((p.ra_rad - first.ra_rad + 0.5 * turn).rem_euclid(turn) - 0.5 * turn)
                / ARCSEC_RAD
        };
        let north = |p: &FilterPoint| (p.dec_rad - first.dec_rad) / ARCSEC_RAD;
        let sums = |of: &dyn Fn(&FilterPoint) -> f64| {
            let rows: Vec<_> = points.iter().map(|p| (p.t_d, of(p), p.sigma_arcsec)).collect();
            line_sums(&rows)
        };
        let ((ra_line, ra_all), (dec_line, dec_all)) = (sums(&east), sums(&north));
        let explained = (ra_line + dec_line) / (ra_all + dec_all);
        if explained.is_finite() { explained } else { 0.0 }
    }
}

/// Coefficient of determination of a weighted straight line through (t, value, sigma).
///
/// 1 - sum w (x - fit)^2 / sum w (x - mean)^2 with w = 1 / sigma^2 and the weighted mean; times are
/// centred first. NaN-free: a constant has R^2 = 0.
pub fn weighted_r2(rows: &[(f64, f64, f64)]) -> f64 {
    let (line, all) = line_sums(rows);
    let explained = line / all;
    if explained.is_finite() { explained } else { 0.0 }
}

/// Weighted squares about the mean that the line through (t, value, sigma) explains, and all.
fn line_sums(rows: &[(f64, f64, f64)]) -> (f64, f64) {
    let weight = |r: &(f64, f64, f64)| r.2.powi(-2);
    let w: f64 = rows.iter().map(weight).sum();
    let mt = rows.iter().map(|r| weight(r) * r.0).sum::<f64>() / w;
    let mx = rows.iter().map(|r| weight(r) * r.1).sum::<f64>() / w;
    let (mut tt, mut tx, mut xx) = (0.0, 0.0, 0.0);
    for r in rows {
        let (t, x) = (r.0 - mt, r.1 - mx);
        tt += weight(r) * t * t;
        tx += weight(r) * t * x;
        xx += weight(r) * x * x;
    }
    (tx * tx / tt, xx)
}

/// Groups of times (in order) between gaps longer than `threshold` scaled median deviations.
///
/// Without such a gap the last time is left out and the search repeated, as ssos does for
/// detections at the edges; without any the whole is one group.
pub fn epoch_groups(times: &[f64], threshold: f64) -> Vec<std::ops::Range<usize>> {
    let split = |of: &[f64]| -> Vec<usize> {
        let limit = scaled_mad(of) * threshold;
        (1..times.len()).filter(|&i| times[i] - times[i - 1] > limit).collect()
    };
    let mut cuts = split(times);
    if cuts.is_empty() && times.len() > 1 {
        cuts = split(&times[..times.len() - 1]);
    }
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([times.len()]);
    starts.zip(ends).map(|(start, end)| start..end).collect()
}
