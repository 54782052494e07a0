//! Points of a light curve that lie off it.
//!
//! The rule: through up to eight neighbours in time of a point (four on either side where there are
//! so many) goes the line of median slope and median offset (Theil 1950, Sen 1968, "Estimates of
//! the regression coefficient based on Kendall's tau"). A point is off the curve when it lies
//! farther from its line than five times the larger of its error and the scatter (from the median
//! absolute deviation) of all points about theirs. Variation that neighbours share is never cut.

use crate::science::image::stats::{median, median_and_scatter};

/// Neighbours of a point on either side.
const SIDE: usize = 4;
/// Fewest neighbours by which a point is judged.
const NEIGHBOURS_MIN: usize = 4;
/// Distance from which a point is off, in units of error and scatter.
const OFF_SIGMA: f64 = 5.0;

/// A point of a light curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedMag {
    /// Time [h].
    pub time_h: f64,
    /// Magnitude [mag].
    pub mag: f64,
    /// Its error, zero when unknown [mag].
    pub err_mag: f64,
}

/// How far each point of one session is off the curve [mag]; `None` for those on it.
///
/// * `points`: in order of time. With fewer than five all are taken to be on it.
pub fn off_curve_mag(points: &[TimedMag]) -> Vec<Option<f64>> {
    let offsets: Vec<Option<f64>> = (0..points.len()).map(|i| offset_mag(points, i)).collect();
    let known: Vec<f64> = offsets.iter().flatten().copied().collect();
    let scatter = median_and_scatter(&known).map_or(0.0, |(_, scatter)| scatter);
    let is_off = |point: &TimedMag, offset: f64| {
        offset.abs() > OFF_SIGMA * scatter.max(point.err_mag) && offset != 0.0
    };
    let judged = points.iter().zip(offsets);
    judged.map(|(point, offset)| offset.filter(|o| is_off(point, *o))).collect()
}

/// How far a point lies from the line through its neighbours [mag].
fn offset_mag(points: &[TimedMag], i: usize) -> Option<f64> {
    let n = points.len();
    // At the ends the window keeps its width.
    let width = (2 * SIDE + 1).min(n);
    let first = i.saturating_sub(SIDE).min(n - width);
    let others: Vec<&TimedMag> =
        (first..first + width).filter(|j| *j != i).map(|j| &points[j]).collect();
    if others.len() < NEIGHBOURS_MIN {
        return None;
    }
    let mut slopes = Vec::with_capacity(others.len() * others.len() / 2);
    for (k, a) in others.iter().enumerate() {
        for b in &others[k + 1..] {
            let apart_h = b.time_h - a.time_h;
            if apart_h > 0.0 {
                slopes.push((b.mag - a.mag) / apart_h);
            }
        }
    }
    let slope = median(&slopes)?;
    let at = points[i];
    let carried: Vec<f64> = others.iter().map(|p| p.mag - slope * (p.time_h - at.time_h)).collect();
    Some(at.mag - median(&carried)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rotation of 3 h, amplitude 0.2 mag, with a regular small disturbance.
    fn curve(n: usize) -> Vec<TimedMag> {
        let mag = |k: usize| {
            let phase = std::f64::consts::TAU * k as f64 * 0.1 / 3.0;
            let disturbance = [0.004, -0.007, 0.002, 0.006, -0.005][k % 5];
            18.0 + 0.2 * phase.sin() + disturbance
        };
        (0..n).map(|k| TimedMag { time_h: 0.1 * k as f64, mag: mag(k), err_mag: 0.01 }).collect()
    }

    #[test]
    fn a_star_under_the_aperture_is_off_and_the_rotation_is_not() {
        let mut points = curve(40);
        assert!(off_curve_mag(&points).iter().all(Option::is_none));
        points[17].mag -= 0.3;
        points[39].mag += 0.25;
        let off = off_curve_mag(&points);
        let found: Vec<usize> = (0..40).filter(|&i| off[i].is_some()).collect();
        assert_eq!(found, [17, 39]);
        assert!((off[17].expect("off") + 0.3).abs() < 0.05);
        // With a large error the same point may well be on the curve.
        points[17].err_mag = 0.1;
        assert_eq!(off_curve_mag(&points)[17], None);
    }

    #[test]
    fn few_points_and_equal_times_are_not_judged() {
        assert!(off_curve_mag(&curve(4)).iter().all(Option::is_none));
        let same = vec![TimedMag { time_h: 1.0, mag: 18.0, err_mag: 0.0 }; 9];
        assert!(off_curve_mag(&same).iter().all(Option::is_none));
        assert!(off_curve_mag(&[]).is_empty());
    }
}
