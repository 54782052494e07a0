//! Pairs of free detections that others confirm: the starts of tracklets.
//!
//! A pair fixes a motion. Most pairs are accidents, so each is asked at once whether the frames
//! nearest in time hold a third detection where the motion leads, or, where detections lie so
//! dense that chance puts one there, a fourth and a fifth; only then is it worth a fit. The error
//! of that place is that of a line through two measured points plus the swing an object may have
//! (see [`super::motion`]).

use rayon::prelude::*;

use super::field::{FieldFrame, Streak};
use super::free::{FreeFrame, FreePoint};
use super::motion::acceleration_prior_arcsec_per_h2;

/// Range of rates searched together, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// Slowest motion [arcsec/h].
    pub rate_min_arcsec_per_h: f64,
    /// Fastest motion [arcsec/h].
    pub rate_max_arcsec_per_h: f64,
    /// The two detections are 1, 2, 4, ... steps of frames apart, at most this many.
    pub gaps_max: usize,
    /// Frames asked for a third detection.
    pub frames_asked: usize,
}

/// A confirming detection lies within this of a pair's line [sigma per axis]: 99 % of true ones.
const CONFIRMED_SIGMA: f64 = 3.0;

/// A pair has moved by at least this many errors.
const MOVED_SIGMA: f64 = 2.5;

/// Limits on what belongs to one object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Largest misfit of a detection [sigma per axis].
    pub pull_max: f64,
    /// Largest difference in magnitude of two detections [mag].
    pub mag_difference: f64,
}

/// A confirmed pair: indices of the detections in their frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Index in the earlier frame.
    pub first: u32,
    /// Index in the later frame.
    pub second: u32,
}

/// A search over the frames of a field.
pub struct PairSearch<'a> {
    /// The frames.
    pub frames: &'a [FieldFrame],
    /// Their free detections.
    pub free: &'a [FreeFrame],
    /// Rates.
    pub tier: Tier,
    /// Limits.
    pub likeness: Likeness,
}

impl PairSearch<'_> {
    /// Number of pairs that a search between two frames would look at, from the density.
    pub fn expected(&self, i: usize, j: usize) -> f64 {
        let dt = self.free[j].t_h - self.free[i].t_h;
        let area = self.frames[j].area_arcsec2().max(1.0);
        let share = |a: &FreePoint| {
            (std::f64::consts::PI * (self.rate_max(a, i) * dt).powi(2) / area).min(1.0)
        };
        let partners: f64 = self.free[i].points().iter().map(share).sum();
        partners * self.free[j].points().len() as f64
    }

    /// Pairs between two frames, the first the earlier, that a third detection confirms.
    ///
    /// * `is_done`: tells of two detections whether they need not be tried again.
    /// * `n_max`: more pairs are not given.
    pub fn confirmed(
        &self,
        (i, j): (usize, usize),
        is_done: impl Fn(u32, u32) -> bool + Sync,
        n_max: usize,
    ) -> Vec<Pair> {
        /// Detections whose pairs one thread looks for at a time.
        const BATCH: usize = 64;
        let (first, second) = (&self.free[i], &self.free[j]);
        let dt = second.t_h - first.t_h;
        if dt <= 0.0 {
            return Vec::new();
        }
        let asked = self.asked(i, j);
        let pairs_of = |a: &FreePoint| -> Vec<Pair> {
            second
                .near(a.east_arcsec, a.north_arcsec, self.rate_max(a, i) * dt)
                .filter(|b| self.is_like(a, b, (i, j)) && !is_done(a.index, b.index))
                .filter(|b| self.is_confirmed((first.t_h, a), (second.t_h, b), &asked))
                .map(|b| Pair { first: a.index, second: b.index })
                .take(n_max)
                .collect()
        };
        let mut pairs = Vec::new();
        for batch in first.points().chunks(BATCH * rayon::current_num_threads().max(1)) {
            let found: Vec<Vec<Pair>> =
                batch.par_iter().with_min_len(BATCH / 4).map(pairs_of).collect();
            pairs.extend(found.into_iter().flatten());
            if pairs.len() >= n_max {
                break;
            }
        }
        pairs.truncate(n_max);
        pairs
    }

    /// The fastest motion that a detection's shape allows [arcsec/h].
    fn rate_max(&self, a: &FreePoint, i: usize) -> f64 {
        let fastest = self.tier.rate_max_arcsec_per_h;
        let frame = &self.frames[i];
        if a.streak.is_some() || frame.exposure_h <= 0.0 {
            return fastest;
        }
        fastest.min(POINT_FWHM * frame.fwhm_arcsec / frame.exposure_h)
    }

    /// The frames nearest in time to a pair.
    fn asked(&self, i: usize, j: usize) -> Vec<usize> {
        let middle = 0.5 * (self.free[i].t_h + self.free[j].t_h);
        let distance = |k: usize| (self.free[k].t_h - middle).abs();
        let mut order: Vec<usize> = (0..self.free.len()).filter(|&k| k != i && k != j).collect();
        order.sort_by(|&k, &l| distance(k).total_cmp(&distance(l)).then(k.cmp(&l)));
        order.truncate(self.tier.frames_asked);
        order
    }

    /// Tells whether two detections may be one object, by brightness, rate and shape.
    fn is_like(&self, a: &FreePoint, b: &FreePoint, (i, j): (usize, usize)) -> bool {
        let mag_slack = self.likeness.mag_difference + 2.0 * length(a.mag_sigma, b.mag_sigma);
        if (a.mag - b.mag).abs() > mag_slack {
            return false;
        }
        let dt = self.free[j].t_h - self.free[i].t_h;
        let (de, dn) = (b.east_arcsec - a.east_arcsec, b.north_arcsec - a.north_arcsec);
        let moved = length(de, dn);
        let err = length(a.sigma_arcsec, b.sigma_arcsec);
        let rate = (de / dt, dn / dt);
        // What stays within its errors shows no motion yet; a later frame does.
        moved >= MOVED_SIGMA * err
            && moved + 2.0 * err >= self.tier.rate_min_arcsec_per_h * dt
            && is_drawn_by(rate, (a.streak, a.snr), &self.frames[i])
            && is_drawn_by(rate, (b.streak, b.snr), &self.frames[j])
    }

    /// Tells whether one of the frames asked holds a third detection on the pair's line.
    fn is_confirmed(
        &self,
        (t_a, a): (f64, &FreePoint),
        (t_b, b): (f64, &FreePoint),
        asked: &[usize],
    ) -> bool {
        let dt = t_b - t_a;
        let (de, dn) = (b.east_arcsec - a.east_arcsec, b.north_arcsec - a.north_arcsec);
        let swing = 0.5 * acceleration_prior_arcsec_per_h2(length(de, dn) / dt);
        let mag = 0.5 * (a.mag + b.mag);
        let pull2_max = CONFIRMED_SIGMA * CONFIRMED_SIGMA;
        let (mut n_confirming, mut by_chance) = (0, 0.0);
        for &k in asked {
            let frame = &self.free[k];
            let f = (frame.t_h - t_a) / dt;
            let (east, north) = (a.east_arcsec + f * de, a.north_arcsec + f * dn);
            let bend = swing * (frame.t_h - t_a) * (frame.t_h - t_b);
            let variance =
                ((1.0 - f) * a.sigma_arcsec).powi(2) + (f * b.sigma_arcsec).powi(2) + bend * bend;
            let widest = variance + frame.sigma_max_arcsec().powi(2);
            let reach = (pull2_max * widest).sqrt().min(reach_max_arcsec(&self.frames[k]));
            let is_confirming = frame.near(east, north, reach).any(|p| {
                let (pe, pn) = (p.east_arcsec - east, p.north_arcsec - north);
                let sigma2 = variance + p.sigma_arcsec * p.sigma_arcsec;
                pe * pe + pn * pn <= pull2_max * sigma2
                    && (p.mag - mag).abs() < MAG_PULL_MAX * mag_sigma(p.mag_sigma)
            });
            n_confirming += usize::from(is_confirming);
            let typical = variance + a.sigma_arcsec * a.sigma_arcsec;
            by_chance += std::f64::consts::PI * pull2_max * typical * frame.per_arcsec2();
        }
        n_confirming >= n_needed(by_chance).min(asked.len().div_ceil(2)).max(1)
    }
}

/// Confirming frames that chance gives too rarely where it gives `mean` on average.
fn n_needed(mean: f64) -> usize {
    const CHANCE_MAX: f64 = 0.02;
    const MOST: usize = 3;
    let mut chance = 1.0;
    (1..MOST)
        .find(|&n| {
            chance *= mean / n as f64;
            chance <= CHANCE_MAX
        })
        .unwrap_or(MOST)
}

/// Beyond this a predicted place decides nothing [arcsec].
pub fn reach_max_arcsec(frame: &FieldFrame) -> f64 {
    const REACH_ARCSEC: f64 = 15.0;
    const REACH_FWHM: f64 = 4.0;
    REACH_ARCSEC.max(REACH_FWHM * frame.fwhm_arcsec)
}

/// Largest difference to the mean magnitude in units of [`mag_sigma`].
pub const MAG_PULL_MAX: f64 = 3.0;

/// Scatter of a detection's magnitude: its own error and the object's rotation [mag].
pub fn mag_sigma(own_mag: f64) -> f64 {
    const ROTATION_MAG: f64 = 0.5;
    length(own_mag, ROTATION_MAG)
}

/// Length of a vector; not as careful with huge numbers as `hypot`, which takes much longer.
fn length(a: f64, b: f64) -> f64 {
    (a * a + b * b).sqrt()
}

/// What draws a longer line than this during its exposure is seen as a streak [FWHM].
const POINT_FWHM: f64 = 5.0;

/// Tells whether a detection's shape is what a motion [arcsec/h] draws during its exposure.
///
/// A fitted streak must have the motion's length and direction. What was not seen as a streak
/// may still be one when it is short or faint.
pub fn is_drawn_by(
    (east, north): (f64, f64),
    (streak, snr): (Option<Streak>, f64),
    frame: &FieldFrame,
) -> bool {
    const LENGTH_SLACK: f64 = 0.4;
    const ANGLE_SLACK_RAD: f64 = 0.35;
    /// ... a bright one from this length on.
    const BRIGHT_FWHM: f64 = 3.0;
    const BRIGHT_SNR: f64 = 15.0;
    if frame.exposure_h <= 0.0 {
        return true;
    }
    let drawn = length(east, north) * frame.exposure_h;
    let fwhm = frame.fwhm_arcsec;
    let Some(streak) = streak else {
        let longest = if snr < BRIGHT_SNR { POINT_FWHM } else { BRIGHT_FWHM };
        return drawn <= longest * fwhm;
    };
    let turn = (streak.pa_rad - east.atan2(north)).rem_euclid(std::f64::consts::PI);
    let turn = turn.min(std::f64::consts::PI - turn);
    (streak.length_arcsec - drawn).abs() <= fwhm + LENGTH_SLACK * drawn
        && (drawn < fwhm || turn <= ANGLE_SLACK_RAD + (0.5 * fwhm).atan2(drawn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::movers::field::PlaneDetection;

    const TIER: Tier = Tier {
        rate_min_arcsec_per_h: 2.0,
        rate_max_arcsec_per_h: 300.0,
        gaps_max: 4,
        frames_asked: 6,
    };
    const LIKENESS: Likeness = Likeness { pull_max: 3.5, mag_difference: 1.2 };

    /// Frames a quarter of an hour apart with a mover at 60 arcsec/h and a third detection off
    /// its line by `off_arcsec`.
    fn frames(off_arcsec: f64) -> Vec<FieldFrame> {
        let places = [(0.0, 0.0), (15.0, 0.0), (30.0, off_arcsec)];
        let frame = |(k, (east_arcsec, north_arcsec)): (usize, (f64, f64))| FieldFrame {
            t_h: 0.25 * k as f64,
            detections: vec![PlaneDetection {
                east_arcsec,
                north_arcsec,
                ..PlaneDetection::example()
            }],
            ..FieldFrame::example()
        };
        places.into_iter().enumerate().map(frame).collect()
    }

    fn n_confirmed(frames: &[FieldFrame], tier: Tier) -> usize {
        let free: Vec<FreeFrame> = frames.iter().map(FreeFrame::of).collect();
        let search = PairSearch { frames, free: &free, tier, likeness: LIKENESS };
        search.confirmed((0, 1), |_, _| false, 10).len()
    }

    #[test]
    fn a_third_detection_on_the_line_confirms() {
        assert_eq!(n_confirmed(&frames(0.0), TIER), 1);
        // sigma 0.3 each: 0.3 sqrt(1 + 4 + 1) = 0.735; three of it are 2.2 arcsec, and the swing
        // of 0.375 arcsec/h^2 adds 0.02 arcsec.
        assert_eq!(n_confirmed(&frames(2.15), TIER), 1);
        assert_eq!(n_confirmed(&frames(2.3), TIER), 0);
        assert_eq!(n_confirmed(&frames(0.0)[..2], TIER), 0);
        assert_eq!(n_confirmed(&frames(0.0), Tier { rate_max_arcsec_per_h: 50.0, ..TIER }), 0);
        assert_eq!(n_confirmed(&frames(0.0), Tier { rate_min_arcsec_per_h: 70.0, ..TIER }), 0);
    }

    #[test]
    fn dense_accidents_ask_for_more_confirmation() {
        assert_eq!([0.0, 0.02, 0.03, 0.19, 0.21, 9.0].map(n_needed), [1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_streak_has_the_length_and_direction_of_the_motion() {
        let frame = FieldFrame { exposure_h: 0.01, fwhm_arcsec: 3.0, ..FieldFrame::example() };
        let streak = |length_arcsec: f64, pa_deg: f64| {
            (Some(Streak { length_arcsec, pa_rad: pa_deg.to_radians() }), 30.0)
        };
        // 3000 arcsec/h east draw 30 arcsec; either end of a line may be its first.
        let motion = (3000.0, 0.0);
        assert!(is_drawn_by(motion, streak(31.0, 92.0), &frame));
        assert!(is_drawn_by(motion, streak(31.0, -88.0), &frame));
        assert!(!is_drawn_by(motion, streak(31.0, 40.0), &frame));
        assert!(!is_drawn_by(motion, streak(80.0, 90.0), &frame));
        assert!(!is_drawn_by(motion, (None, 30.0), &frame));
        assert!(!is_drawn_by(motion, (None, 6.0), &frame));
        assert!(is_drawn_by((1200.0, 0.0), (None, 6.0), &frame));
        assert!(!is_drawn_by((1200.0, 0.0), (None, 20.0), &frame));
        assert!(!is_drawn_by((30.0, 0.0), streak(31.0, 90.0), &frame));
        assert!(is_drawn_by((30.0, 0.0), (None, 30.0), &frame));
    }
}
