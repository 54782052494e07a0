//! Links free detections of a field into tracklets.
//!
//! Pairs of detections in frames close in time, inside the range of rates, start a motion; it
//! grows frame by frame, nearest in time first, by the detection that fits best, and is refitted
//! at every step. Tracklets are taken in order of their odds; each detection serves one.

use std::collections::HashSet;

use super::field::{DetectionId, FieldFrame, Role};
use super::motion::{Motion, PlanePoint};
use super::score::{LeftOverDensity, Score, ScoreParams, score};

/// Motions faster than this start from frames at most [`FAST_GAP_FRAMES`] apart [arcsec/h].
const FAST_ARCSEC_PER_H: f64 = 300.0;
/// See [`FAST_ARCSEC_PER_H`].
const FAST_GAP_FRAMES: usize = 2;

/// How tracklets are built and which are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkParams {
    /// Slowest motion [arcsec/h].
    pub rate_min_arcsec_per_h: f64,
    /// The two detections that start a tracklet are at most this many frames apart.
    pub seed_gap_frames: usize,
    /// Largest misfit of a detection [sigma per axis].
    pub pull_max: f64,
    /// Largest difference in magnitude of two detections that start a tracklet [mag].
    pub seed_mag_difference: f64,
    /// Fewest detections, each in its own frame.
    pub detections_min: usize,
    /// A tracklet is kept when its odds of being chance are below this.
    pub chance_odds_max: f64,
    /// Most starting pairs tried; the brightest detections come first.
    pub seeds_max: usize,
    /// Prior knowledge of the odds.
    pub score: ScoreParams,
}

impl Default for LinkParams {
    fn default() -> Self {
        Self {
            rate_min_arcsec_per_h: 5.0,
            seed_gap_frames: 4,
            pull_max: 3.5,
            seed_mag_difference: 1.2,
            detections_min: 3,
            chance_odds_max: 0.02,
            seeds_max: 4_000_000,
            score: ScoreParams::default(),
        }
    }
}

/// Detections of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracklet {
    /// Its detections in order of frames.
    pub members: Vec<DetectionId>,
    /// The fitted motion.
    pub motion: Motion,
    /// Its odds.
    pub score: Score,
}

/// What linking gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Linked {
    /// Tracklets, best first; no detection is in two.
    pub tracklets: Vec<Tracklet>,
    /// Number of starting pairs tried.
    pub n_seeds: usize,
    /// Whether the limit on pairs cut the search.
    pub is_cut: bool,
}

/// Links the free detections of a field; `frames` are ordered by time.
pub fn link(frames: &[FieldFrame], params: &LinkParams) -> Linked {
    let density = LeftOverDensity::measure(frames);
    let mut linker = Linker { frames, params, density, seen: HashSet::new(), done: HashSet::new() };
    let mut linked = Linked::default();
    let mut found = Vec::new();
    'pairs: for gap in 1..=params.seed_gap_frames {
        for i in 0..frames.len().saturating_sub(gap) {
            for a in linker.free_by_brightness(i) {
                for b in linker.partners(i, a, i + gap) {
                    if linked.n_seeds >= params.seeds_max {
                        linked.is_cut = true;
                        break 'pairs;
                    }
                    linked.n_seeds += 1;
                    if let Some(tracklet) = linker.grow(i, a, i + gap, b) {
                        found.push(tracklet);
                    }
                }
            }
        }
    }
    linked.tracklets = linker.assign(found);
    linked
}

struct Linker<'a> {
    frames: &'a [FieldFrame],
    params: &'a LinkParams,
    density: LeftOverDensity,
    /// Sets of detections already made into tracklets.
    seen: HashSet<Vec<DetectionId>>,
    /// Pairs inside tracklets beyond doubt; they start no other.
    done: HashSet<(DetectionId, DetectionId)>,
}

impl Linker<'_> {
    fn free_by_brightness(&self, frame: usize) -> Vec<usize> {
        let detections = &self.frames[frame].detections;
        let mut free: Vec<usize> =
            (0..detections.len()).filter(|&i| detections[i].role == Role::Free).collect();
        free.sort_by(|&a, &b| detections[a].mag.total_cmp(&detections[b].mag).then(a.cmp(&b)));
        free
    }

    /// Free detections of frame `j` that detection `a` of frame `i` may have become.
    fn partners(&self, i: usize, a: usize, j: usize) -> Vec<usize> {
        let (first, second) = (&self.frames[i], &self.frames[j]);
        let start = &first.detections[a];
        let dt = second.t_h - first.t_h;
        if dt <= 0.0 {
            return Vec::new();
        }
        // Over long gaps a fast motion could end anywhere; it shows in neighbouring frames.
        let is_near = j - i <= FAST_GAP_FRAMES;
        let fastest = self.params.score.rate_max_arcsec_per_h;
        let reach = if is_near { fastest } else { fastest.min(FAST_ARCSEC_PER_H) } * dt;
        let least = self.params.rate_min_arcsec_per_h * dt;
        second
            .near(start.east_arcsec, start.north_arcsec, reach)
            .filter(|&b| {
                let d = &second.detections[b];
                let moved =
                    (d.east_arcsec - start.east_arcsec).hypot(d.north_arcsec - start.north_arcsec);
                let slack = 2.0 * d.sigma_arcsec.hypot(start.sigma_arcsec);
                let mag_slack =
                    self.params.seed_mag_difference + 2.0 * (1.0 / d.snr).hypot(1.0 / start.snr);
                d.role == Role::Free
                    && moved + slack >= least
                    && (d.mag - start.mag).abs() <= mag_slack
                    && !self.done.contains(&(id(i, a), id(j, b)))
            })
            .collect()
    }

    /// Grows a pair over all frames; `None` when too few detections join or it was seen before.
    fn grow(&mut self, i: usize, a: usize, j: usize, b: usize) -> Option<Tracklet> {
        let mut members = vec![id(i, a), id(j, b)];
        let mut motion = Motion::fit(&self.points(&members))?;
        let middle = 0.5 * (self.frames[i].t_h + self.frames[j].t_h);
        let mut order: Vec<usize> = (0..self.frames.len()).filter(|&k| k != i && k != j).collect();
        order.sort_by(|&k, &l| {
            let distance = |m: usize| (self.frames[m].t_h - middle).abs();
            distance(k).total_cmp(&distance(l)).then(k.cmp(&l))
        });
        let mut n_tried = 0;
        for k in order {
            let (east, north) = motion.place(self.frames[k].t_h);
            if !self.frames[k].contains(east, north, 0.0) {
                continue;
            }
            n_tried += 1;
            if let Some(index) = self.best_in_frame(k, &motion, &members) {
                members.push(id(k, index));
                motion = Motion::fit(&self.points(&members))?;
            } else if members.len() == 2 && n_tried >= 6 {
                // A pair that six frames around it do not confirm.
                return None;
            }
        }
        if members.len() < self.params.detections_min {
            return None;
        }
        let (members, motion) = self.polished(members)?;
        if !self.seen.insert(members.clone()) {
            return None;
        }
        let tracklet = self.scored(members, motion)?;
        const BEYOND_DOUBT_LOG_ODDS: f64 = 12.0;
        if tracklet.score.log_odds > BEYOND_DOUBT_LOG_ODDS {
            for (n, &first) in tracklet.members.iter().enumerate() {
                for &second in &tracklet.members[n + 1..] {
                    self.done.insert((first, second));
                }
            }
        }
        Some(tracklet)
    }

    fn points(&self, members: &[DetectionId]) -> Vec<PlanePoint> {
        members.iter().map(|m| self.frames[m.frame as usize].point(m.index as usize)).collect()
    }

    /// The free detection of a frame that fits place and brightness best.
    fn best_in_frame(&self, k: usize, motion: &Motion, members: &[DetectionId]) -> Option<usize> {
        /// Beyond this a prediction decides nothing [arcsec].
        const REACH_MAX_ARCSEC: f64 = 15.0;
        let frame = &self.frames[k];
        let (east, north) = motion.place(frame.t_h);
        let place_err = motion.place_err(frame.t_h);
        let mags: f64 = members.iter().map(|m| self.detection_mag(*m)).sum::<f64>();
        let mag = mags / members.len() as f64;
        frame
            .near(east, north, REACH_MAX_ARCSEC)
            .filter(|&n| frame.detections[n].role == Role::Free)
            .filter_map(|n| {
                let d = &frame.detections[n];
                let sigma = place_err.hypot(d.sigma_arcsec);
                let pull = (d.east_arcsec - east).hypot(d.north_arcsec - north) / sigma;
                let mag_sigma = (1.0857 / d.snr).hypot(0.5);
                let mag_pull = (d.mag - mag) / mag_sigma;
                let is_near = pull <= self.params.pull_max * std::f64::consts::SQRT_2;
                (is_near && mag_pull.abs() < 3.0).then_some((pull * pull + mag_pull * mag_pull, n))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, n)| n)
    }

    fn detection_mag(&self, m: DetectionId) -> f64 {
        self.frames[m.frame as usize].detections[m.index as usize].mag
    }

    /// Drops what the whole motion does not confirm, then asks every frame again.
    fn polished(&self, members: Vec<DetectionId>) -> Option<(Vec<DetectionId>, Motion)> {
        const ROUNDS: usize = 3;
        let mut members = members;
        let mut motion = Motion::fit(&self.points(&members))?;
        for _ in 0..ROUNDS {
            let mut next = Vec::with_capacity(members.len());
            for k in 0..self.frames.len() {
                let (east, north) = motion.place(self.frames[k].t_h);
                if self.frames[k].contains(east, north, 0.0)
                    && let Some(index) = self.best_in_frame(k, &motion, &members)
                {
                    next.push(id(k, index));
                }
            }
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

    /// The tracklet with its odds; `None` when slower than allowed or likelier chance.
    fn scored(&self, members: Vec<DetectionId>, motion: Motion) -> Option<Tracklet> {
        let rate = motion.rate_arcsec_per_h();
        if rate < self.params.rate_min_arcsec_per_h
            || rate > self.params.score.rate_max_arcsec_per_h
        {
            return None;
        }
        let score = score(self.frames, &self.density, &members, &motion, &self.params.score);
        let is_likely = score.log_odds > -self.params.chance_odds_max.ln();
        is_likely.then_some(Tracklet { members, motion, score })
    }

    /// Takes tracklets in order of their odds; later ones lose the detections already used.
    fn assign(&mut self, mut found: Vec<Tracklet>) -> Vec<Tracklet> {
        let by_odds = |a: &Tracklet, b: &Tracklet| {
            b.score.log_odds.total_cmp(&a.score.log_odds).then_with(|| a.members.cmp(&b.members))
        };
        found.sort_by(by_odds);
        let mut taken: Vec<Tracklet> = Vec::new();
        let mut used: HashSet<DetectionId> = HashSet::new();
        for tracklet in found {
            let free: Vec<DetectionId> =
                tracklet.members.iter().copied().filter(|m| !used.contains(m)).collect();
            if free.len() < self.params.detections_min {
                continue;
            }
            let is_whole = free.len() == tracklet.members.len();
            let rest = if is_whole {
                Some(tracklet)
            } else {
                Motion::fit(&self.points(&free)).and_then(|motion| self.scored(free, motion))
            };
            let Some(rest) = rest else { continue };
            if taken.iter().any(|other| self.is_same_object(other, &rest)) {
                continue;
            }
            used.extend(rest.members.iter().copied());
            taken.push(rest);
        }
        taken.sort_by(by_odds);
        taken
    }

    /// Tells whether a weaker tracklet follows a stronger one over its whole arc.
    fn is_same_object(&self, strong: &Tracklet, weak: &Tracklet) -> bool {
        const NEAR_FWHM: f64 = 2.0;
        weak.members.iter().all(|m| {
            let frame = &self.frames[m.frame as usize];
            let d = &frame.detections[m.index as usize];
            let (east, north) = strong.motion.place(frame.t_h);
            let reach = NEAR_FWHM * frame.fwhm_arcsec + strong.motion.place_err(frame.t_h);
            (d.east_arcsec - east).hypot(d.north_arcsec - north) < reach
        })
    }
}

fn id(frame: usize, index: usize) -> DetectionId {
    DetectionId { frame: frame as u32, index: index as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::movers::field::PlaneDetection;

    /// Pseudo-random number in 0..1 for a pair of numbers (splitmix64's mixing).
    fn uniform(i: usize, k: u64) -> f64 {
        let mut z = (i as u64 * 3 + k).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn detection(east_arcsec: f64, north_arcsec: f64, mag: f64) -> PlaneDetection {
        PlaneDetection {
            east_arcsec,
            north_arcsec,
            sigma_arcsec: 0.3,
            mag,
            snr: 5.0 * 10_f64.powf(0.4 * (20.0 - mag)),
            detector_x_px: 0.0,
            detector_y_px: 0.0,
            role: Role::Free,
        }
    }

    /// Seven frames, ten minutes apart, each with `n_noise` faint accidents.
    fn night(n_noise: usize) -> Vec<FieldFrame> {
        (0..7_usize)
            .map(|k| FieldFrame {
                t_h: k as f64 / 6.0,
                limiting_mag: 20.0,
                fwhm_arcsec: 3.5,
                outline_arcsec: [(-600., -600.), (600., -600.), (600., 600.), (-600., 600.)],
                detections: (0..n_noise)
                    .map(|i| {
                        let n = k * 1000 + i;
                        detection(
                            1200.0 * uniform(n, 0) - 600.0,
                            1200.0 * uniform(n, 1) - 600.0,
                            20.2 - 0.5 * uniform(n, 2),
                        )
                    })
                    .collect(),
            })
            .collect()
    }

    fn add_mover(frames: &mut [FieldFrame], start: (f64, f64), rate: (f64, f64), mag: f64) {
        for (k, frame) in frames.iter_mut().enumerate() {
            // A fixed, small scatter of a third of the errors.
            let jitter = 0.1 * (k as f64 * 2.3).sin();
            frame.detections.push(detection(
                start.0 + rate.0 * frame.t_h + jitter,
                start.1 + rate.1 * frame.t_h - jitter,
                mag,
            ));
        }
    }

    fn ordered(mut frames: Vec<FieldFrame>) -> Vec<FieldFrame> {
        for frame in &mut frames {
            frame.detections.sort_by(|a, b| a.east_arcsec.total_cmp(&b.east_arcsec));
        }
        frames
    }

    #[test]
    fn movers_are_linked_and_accidents_are_not() {
        let mut frames = night(40);
        add_mover(&mut frames, (-300.0, 100.0), (-35.0, 12.0), 19.4);
        add_mover(&mut frames, (200.0, -250.0), (20.0, -15.0), 18.0);
        add_mover(&mut frames, (0.0, 400.0), (300.0, -220.0), 17.5);
        let linked = link(&ordered(frames), &LinkParams::default());
        assert_eq!(linked.tracklets.len(), 3, "{:#?}", linked.tracklets);
        for tracklet in &linked.tracklets {
            assert_eq!(tracklet.members.len(), 7);
        }
        let rates: Vec<i64> =
            linked.tracklets.iter().map(|t| t.motion.rate_arcsec_per_h().round() as i64).collect();
        for expected in [37, 25, 372] {
            assert!(rates.iter().any(|r| (r - expected).abs() <= 1), "{rates:?}");
        }
    }

    #[test]
    fn accidents_alone_give_nothing() {
        assert!(link(&ordered(night(60)), &LinkParams::default()).tracklets.is_empty());
        assert!(link(&[], &LinkParams::default()).tracklets.is_empty());
    }

    #[test]
    fn a_mover_lost_in_two_frames_is_one_tracklet() {
        let mut frames = night(20);
        add_mover(&mut frames, (-300.0, 100.0), (-35.0, 12.0), 18.5);
        for k in [2, 3] {
            frames[k].detections.pop();
        }
        let linked = link(&ordered(frames), &LinkParams::default());
        assert_eq!(linked.tracklets.len(), 1);
        assert_eq!(linked.tracklets[0].members.len(), 5);
        assert_eq!(linked.tracklets[0].score.n_expected, 7);
    }
}
