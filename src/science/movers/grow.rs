//! Grows a pair of detections into a tracklet over all frames of a field.
//!
//! The motion takes in frame after frame, nearest in time first, the free detection that fits it
//! best in place, brightness and shape, and is fitted anew as it grows. At the end every frame is
//! asked again by the motion as a whole, and the odds are computed.

use super::field::{DetectionId, FieldFrame};
use super::free::FreeFrame;
use super::link::{LinkParams, Tracklet};
use super::motion::{Motion, PlanePoint};
use super::pairs::{MAG_PULL_MAX, is_drawn_by, mag_sigma, reach_max_arcsec};
use super::score::Scorer;

/// Frames around a pair of which one must confirm it.
const FRAMES_TRIED: usize = 6;
/// Up to this many detections the motion is fitted after each one, later after a fifth more.
const FITTED_EACH: usize = 8;

/// Motions up to this may be two places where something flickers [arcsec/h].
const SLOW_ARCSEC_PER_H: f64 = 30.0;

/// What growing needs.
pub struct Grower<'a> {
    /// The frames, ordered by time.
    pub frames: &'a [FieldFrame],
    /// Their detections that may join.
    pub free: Vec<FreeFrame>,
    /// Limits.
    pub params: &'a LinkParams,
    /// Odds.
    pub scorer: Scorer<'a>,
}

/// A motion and the detections it came from while it grows.
struct Growing {
    members: Vec<DetectionId>,
    motion: Motion,
    n_fitted: usize,
    mag_sum: f64,
}

impl Grower<'_> {
    /// Grows a pair; `None` when too few detections join or chance explains them as well.
    pub fn grow(&self, first: DetectionId, second: DetectionId) -> Option<Tracklet> {
        let members = vec![first, second];
        let motion = Motion::fit(&self.points(&members))?;
        let mag_sum = members.iter().map(|m| self.mag(*m)).sum();
        let mut growing = Growing { members, motion, n_fitted: 2, mag_sum };
        let mut n_tried = 0;
        for k in self.outward((first.frame as usize, second.frame as usize)) {
            let frame = &self.frames[k];
            let (east, north) = growing.motion.place(frame.t_h);
            if !frame.contains(east, north, 0.0) {
                continue;
            }
            n_tried += 1;
            let mag = growing.mag_sum / growing.members.len() as f64;
            if let Some(index) = self.best_in_frame(k, &growing.motion, mag) {
                self.join(&mut growing, DetectionId { frame: k as u32, index })?;
            } else if growing.members.len() == 2 && n_tried >= FRAMES_TRIED {
                return None;
            }
        }
        if growing.members.len() < self.params.detections_min {
            return None;
        }
        let (members, motion) = self.polished(growing.members)?;
        self.scored(members, motion)
    }

    /// Frames other than those of a pair, nearest in time first.
    fn outward(&self, (i, j): (usize, usize)) -> impl Iterator<Item = usize> {
        let middle = 0.5 * (self.frames[i].t_h + self.frames[j].t_h);
        let n = self.frames.len();
        let mut later = self.frames.partition_point(|f| f.t_h < middle);
        let mut earlier = later;
        let times: Vec<f64> = self.frames.iter().map(|f| f.t_h).collect();
        std::iter::from_fn(move || {
            let before = (earlier > 0).then(|| middle - times[earlier - 1]);
            let after = (later < n).then(|| times[later] - middle);
            match (before, after) {
                (None, None) => None,
                (Some(b), a) if a.is_none_or(|a| b <= a) => {
                    earlier -= 1;
                    Some(earlier)
                }
                _ => {
                    later += 1;
                    Some(later - 1)
                }
            }
        })
        .filter(move |&k| k != i && k != j)
    }

    /// Adds a detection and fits the motion anew when it is worth it.
    fn join(&self, growing: &mut Growing, member: DetectionId) -> Option<()> {
        growing.mag_sum += self.mag(member);
        growing.members.push(member);
        let n = growing.members.len();
        if n <= FITTED_EACH || 5 * n >= 6 * growing.n_fitted {
            growing.motion = Motion::fit(&self.points(&growing.members))?;
            growing.n_fitted = n;
        }
        Some(())
    }

    /// Detections as points of a motion.
    pub fn points(&self, members: &[DetectionId]) -> Vec<PlanePoint> {
        members.iter().map(|m| self.frames[m.frame as usize].point(m.index as usize)).collect()
    }

    /// The free detection of a frame that fits place, brightness and shape best.
    fn best_in_frame(&self, k: usize, motion: &Motion, mag: f64) -> Option<u32> {
        let frame = &self.frames[k];
        let (east, north) = motion.place(frame.t_h);
        let place_err = motion.place_err(frame.t_h);
        let rate = motion.rates_arcsec_per_h(frame.t_h);
        let pull_max = self.params.likeness.pull_max * std::f64::consts::SQRT_2;
        let widest = place_err.hypot(self.free[k].sigma_max_arcsec());
        let reach = (pull_max * widest).min(reach_max_arcsec(frame));
        self.free[k]
            .near(east, north, reach)
            .filter_map(|p| {
                let sigma = place_err.hypot(p.sigma_arcsec);
                let pull = (p.east_arcsec - east).hypot(p.north_arcsec - north) / sigma;
                let mag_pull = (p.mag - mag) / mag_sigma(p.mag_sigma);
                let fits = pull <= pull_max
                    && mag_pull.abs() < MAG_PULL_MAX
                    && is_drawn_by(rate, (p.streak, p.snr), frame);
                fits.then_some((pull * pull + mag_pull * mag_pull, p.index))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, index)| index)
    }

    fn mag(&self, m: DetectionId) -> f64 {
        self.frames[m.frame as usize].detections[m.index as usize].mag
    }

    /// Drops what the whole motion does not confirm, then asks every frame again.
    fn polished(&self, members: Vec<DetectionId>) -> Option<(Vec<DetectionId>, Motion)> {
        const ROUNDS: usize = 3;
        let mut members = members;
        members.sort_unstable();
        let mut motion = Motion::fit(&self.points(&members))?;
        for _ in 0..ROUNDS {
            let mag = members.iter().map(|m| self.mag(*m)).sum::<f64>() / members.len() as f64;
            let next: Vec<DetectionId> = (0..self.frames.len())
                .filter(|&k| {
                    let (east, north) = motion.place(self.frames[k].t_h);
                    self.frames[k].contains(east, north, 0.0)
                })
                .filter_map(|k| {
                    let index = self.best_in_frame(k, &motion, mag)?;
                    Some(DetectionId { frame: k as u32, index })
                })
                .collect();
            if next.len() < self.params.detections_min {
                return None;
            }
            motion = Motion::fit(&self.points(&next))?;
            let is_settled = next == members;
            members = next;
            if is_settled {
                break;
            }
        }
        Some((members, motion))
    }

    /// The tracklet with its odds; `None` when out of the rates allowed or likelier chance.
    pub fn scored(&self, members: Vec<DetectionId>, motion: Motion) -> Option<Tracklet> {
        let rate = motion.rate_arcsec_per_h();
        if rate < self.params.rate_min_arcsec_per_h
            || rate > self.params.score.rate_max_arcsec_per_h
        {
            return None;
        }
        if is_two_places(&self.points(&members), &motion) {
            return None;
        }
        let score = self.scorer.score(&members, &motion);
        let is_likely = score.log_odds > -self.params.chance_odds_max.ln();
        is_likely.then_some(Tracklet { members, motion, score })
    }
}

/// Tells whether two places, one after the other, explain points in order of time nearly as well
/// as a slow motion does.
///
/// A faint star that crosses the limit a few times in a row, and one accident or another star
/// later, line up with a slow motion; what moves has left its first place.
pub fn is_two_places(points: &[PlanePoint], motion: &Motion) -> bool {
    const BETTER_BY: f64 = 15.0;
    if motion.rate_arcsec_per_h() > SLOW_ARCSEC_PER_H {
        return false;
    }
    let still = |group: &[PlanePoint]| {
        let (mut w, mut east, mut north, mut squares) = (0.0, 0.0, 0.0, 0.0);
        // Places are counted from the first one: the sums lose no digits.
        let origin = group.first().map_or((0.0, 0.0), |p| (p.east_arcsec, p.north_arcsec));
        for p in group {
            let weight = 1.0 / (p.sigma_arcsec * p.sigma_arcsec);
            let (de, dn) = (p.east_arcsec - origin.0, p.north_arcsec - origin.1);
            w += weight;
            east += weight * de;
            north += weight * dn;
            squares += weight * (de * de + dn * dn);
        }
        if w > 0.0 { squares - (east * east + north * north) / w } else { 0.0 }
    };
    (1..=points.len())
        .any(|cut| still(&points[..cut]) + still(&points[cut..]) < motion.chi2 + BETTER_BY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(places: &[f64]) -> Vec<PlanePoint> {
        let point = |(k, &east_arcsec): (usize, &f64)| PlanePoint {
            t_h: 0.2 * k as f64,
            east_arcsec,
            north_arcsec: 0.0,
            sigma_arcsec: 0.3,
        };
        places.iter().enumerate().map(point).collect()
    }

    #[test]
    fn two_flickering_places_are_no_motion() {
        let is_two = |places: &[f64]| {
            let points = points(places);
            is_two_places(&points, &Motion::fit(&points).expect("a motion"))
        };
        assert!(is_two(&[0.0, 0.2, -0.1, 0.1, 4.0, 4.1]));
        assert!(is_two(&[0.0, 0.2, -0.1]));
        assert!(!is_two(&[0.0, 1.5, 3.0, 4.5, 6.0]));
        assert!(!is_two(&[0.0, 2.0, 4.0]));
    }
}
