//! Links free detections of a field into tracklets.
//!
//! Pairs of detections in frames close in time that a third one confirms ([`super::pairs`]) start
//! a motion; it grows frame by frame ([`super::grow`]). Slow motions are searched first, over
//! several steps of frames; fast ones, which may end anywhere after a long gap, only between
//! neighbouring frames and among what the slow ones left. Tracklets are taken in order of their
//! odds; each detection serves one. Pairs are tried in parallel and joined in their order, so that
//! the result does not depend on the number of threads.

use std::collections::HashSet;

use rayon::prelude::*;

use super::field::{DetectionId, FieldFrame};
use super::free::FreeFrame;
use super::grow::{Grower, is_two_places};
use super::motion::Motion;
use super::pairs::{Likeness, Pair, PairSearch, Tier};
use super::score::{Score, ScoreParams, Scorer};

/// Motions up to this are searched over all gaps [arcsec/h].
const SLOW_ARCSEC_PER_H: f64 = 300.0;
/// The reach of slow ones grows up to this many steps, that of fast ones too when frames are few.
const REACH_STEPS: usize = 2;
/// With this many frames fast motions show in neighbouring ones.
const MANY_FRAMES: usize = 6;
/// Frames asked to confirm a pair.
const SLOW_FRAMES_ASKED: usize = 6;
/// See [`SLOW_FRAMES_ASKED`].
const FAST_FRAMES_ASKED: usize = 4;
/// A step of frames is at least this long [h]: what moved less shows no motion.
const STEP_MIN_H: f64 = 0.02;
/// Tracklets of better odds keep their detections to themselves.
const BEYOND_DOUBT_LOG_ODDS: f64 = 12.0;

/// How tracklets are built and which are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkParams {
    /// Slowest motion [arcsec/h].
    pub rate_min_arcsec_per_h: f64,
    /// The two detections that start a slow tracklet are 1, 2, 4, ... steps of frames apart, at
    /// most this many.
    pub seed_gap_frames: usize,
    /// What belongs to one object.
    pub likeness: Likeness,
    /// Fewest detections, each in its own frame.
    pub detections_min: usize,
    /// A tracklet is kept when its odds of being chance are below this.
    pub chance_odds_max: f64,
    /// Most pairs looked at; faster motions are given up first.
    pub pair_count_max: f64,
    /// Most confirmed pairs grown.
    pub seeds_max: usize,
    /// Prior knowledge of the odds.
    pub score: ScoreParams,
}

impl Default for LinkParams {
    fn default() -> Self {
        Self {
            rate_min_arcsec_per_h: 2.0,
            seed_gap_frames: 8,
            likeness: Likeness { pull_max: 3.5, mag_difference: 1.2 },
            detections_min: 3,
            chance_odds_max: 0.02,
            pair_count_max: 2e9,
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
    /// Number of confirmed pairs grown.
    pub n_seeds: usize,
    /// Whether the limit on grown pairs cut the search.
    pub is_cut: bool,
    /// Motions faster than this were not searched, for the number of pairs [arcsec/h].
    pub rate_limit_arcsec_per_h: Option<f64>,
}

/// Links the free detections of a field; `frames` are ordered by time.
pub fn link(frames: &[FieldFrame], params: &LinkParams) -> Linked {
    let free: Vec<FreeFrame> = frames.iter().map(FreeFrame::of).collect();
    let mut search = Search {
        grower: Grower { frames, free, params, scorer: Scorer::new(frames, &params.score) },
        owner: frames.iter().map(|f| vec![NOBODY; f.detections.len()]).collect(),
        n_owners: 0,
        linked: Linked::default(),
        found: Vec::new(),
    };
    let slow = params.score.rate_max_arcsec_per_h.min(SLOW_ARCSEC_PER_H);
    search.run(Tier {
        rate_min_arcsec_per_h: params.rate_min_arcsec_per_h,
        rate_max_arcsec_per_h: slow,
        gaps_max: params.seed_gap_frames,
        frames_asked: SLOW_FRAMES_ASKED,
    });
    if params.score.rate_max_arcsec_per_h > slow {
        search.free_the_rest();
        search.run(Tier {
            rate_min_arcsec_per_h: slow,
            rate_max_arcsec_per_h: params.score.rate_max_arcsec_per_h,
            gaps_max: if frames.len() < MANY_FRAMES { REACH_STEPS } else { 1 },
            frames_asked: FAST_FRAMES_ASKED,
        });
    }
    search.linked.tracklets = search.grower.assign(search.found);
    search.linked
}

/// What the rules say of given detections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighed {
    /// The fitted motion; `None` without two different times.
    pub motion: Option<Motion>,
    /// Its odds, in a field of these detections alone.
    pub score: Option<Score>,
    /// Whether two places explain them nearly as well.
    pub is_two_places: bool,
}

/// Weighs detections, in order of frames, as a tracklet without asking whether it would be kept.
pub fn weigh(frames: &[FieldFrame], members: &[DetectionId], params: &LinkParams) -> Weighed {
    let scorer = Scorer::new(frames, &params.score);
    let grower = Grower { frames, free: Vec::new(), params, scorer };
    let points = grower.points(members);
    let motion = Motion::fit(&points);
    Weighed {
        motion,
        score: motion.map(|motion| grower.scorer.score(members, &motion)),
        is_two_places: motion.is_some_and(|motion| is_two_places(&points, &motion)),
    }
}

/// A detection that no tracklet beyond doubt holds.
const NOBODY: u32 = u32::MAX;

struct Search<'a> {
    grower: Grower<'a>,
    /// For each detection the tracklet beyond doubt that holds it.
    owner: Vec<Vec<u32>>,
    n_owners: u32,
    linked: Linked,
    found: Vec<Tracklet>,
}

impl Search<'_> {
    /// Searches a range of rates, one gap after another.
    fn run(&mut self, tier: Tier) {
        let tier = self.affordable(tier);
        if tier.rate_max_arcsec_per_h <= tier.rate_min_arcsec_per_h {
            return;
        }
        for (tier, (i, j)) in self.grower.steps(tier) {
            let pairs = self.pairs(tier, (i, j));
            self.grow(&pairs, (i, j));
            if self.linked.is_cut {
                return;
            }
        }
    }

    /// The tier with its rates cut to what the limit on pairs allows.
    fn affordable(&mut self, mut tier: Tier) -> Tier {
        const STEP: f64 = 0.8;
        const STEPS_MAX: usize = 60;
        for _ in 0..STEPS_MAX {
            let steps = self.grower.steps(tier);
            let expected = |(tier, (i, j))| self.grower.search(tier).expected(i, j);
            let expected: f64 = steps.into_iter().map(expected).sum();
            if expected <= self.grower.params.pair_count_max {
                break;
            }
            tier.rate_max_arcsec_per_h *= STEP;
            self.linked.rate_limit_arcsec_per_h = Some(tier.rate_max_arcsec_per_h);
        }
        tier
    }

    /// Confirmed pairs of two frames.
    fn pairs(&self, tier: Tier, (i, j): (usize, usize)) -> Vec<Pair> {
        let is_done = |a: u32, b: u32| {
            let owner = self.owner[i][a as usize];
            owner != NOBODY && owner == self.owner[j][b as usize]
        };
        let room = self.grower.params.seeds_max - self.linked.n_seeds;
        self.grower.search(tier).confirmed((i, j), is_done, room + 1)
    }

    /// Grows pairs of frames `i` and `j`.
    fn grow(&mut self, pairs: &[Pair], (i, j): (usize, usize)) {
        let room = self.grower.params.seeds_max - self.linked.n_seeds;
        self.linked.is_cut = pairs.len() > room;
        let pairs = &pairs[..pairs.len().min(room)];
        self.linked.n_seeds += pairs.len();
        let grower = &self.grower;
        let grown: Vec<Tracklet> =
            pairs.par_iter().filter_map(|p| grower.grow(id(i, p.first), id(j, p.second))).collect();
        for tracklet in grown {
            if tracklet.score.log_odds > BEYOND_DOUBT_LOG_ODDS {
                for m in &tracklet.members {
                    self.owner[m.frame as usize][m.index as usize] = self.n_owners;
                }
                self.n_owners += 1;
            }
            self.found.push(tracklet);
        }
    }

    /// Leaves out of the further search what tracklets beyond doubt hold.
    fn free_the_rest(&mut self) {
        let frames = self.grower.frames;
        let rest = |(frame, owner): (&FieldFrame, &Vec<u32>)| {
            FreeFrame::with(frame, |index| owner[index as usize] == NOBODY)
        };
        self.grower.free = frames.iter().zip(&self.owner).map(rest).collect();
    }
}

impl Grower<'_> {
    fn search(&self, tier: Tier) -> PairSearch<'_> {
        let likeness = self.params.likeness;
        PairSearch { frames: self.frames, free: &self.free, tier, likeness }
    }

    /// Pairs of frames, narrow ones first: a frame and those one, two, four ... steps later.
    ///
    /// Beyond two steps the rates are cut so that the reach stays the same: a fast object shows in
    /// frames that are near in time, a slow one needs those that are not.
    fn steps(&self, tier: Tier) -> Vec<(Tier, (usize, usize))> {
        let gaps = std::iter::successors(Some(1), |gap| Some(2 * gap));
        let mut steps = Vec::new();
        for gap in gaps.take_while(|gap| *gap <= tier.gaps_max) {
            let share = (REACH_STEPS as f64 / gap as f64).min(1.0);
            let rate_max_arcsec_per_h = share * tier.rate_max_arcsec_per_h;
            for i in 0..self.frames.len() {
                let later = (0..gap).try_fold(i, |j, _| self.a_step_later(j));
                steps.extend(later.map(|j| (Tier { rate_max_arcsec_per_h, ..tier }, (i, j))));
            }
        }
        steps
    }

    /// The first frame a step after frame `i`, or the last one.
    fn a_step_later(&self, i: usize) -> Option<usize> {
        let after = self.frames[i].t_h + STEP_MIN_H;
        let last = self.frames.len() - 1;
        (i < last).then(|| self.frames.partition_point(|f| f.t_h < after).clamp(i + 1, last))
    }

    /// Takes tracklets in order of their odds; later ones lose the detections already used.
    fn assign(&self, mut found: Vec<Tracklet>) -> Vec<Tracklet> {
        let by_odds = |a: &Tracklet, b: &Tracklet| {
            b.score.log_odds.total_cmp(&a.score.log_odds).then_with(|| a.members.cmp(&b.members))
        };
        found.sort_by(by_odds);
        found.dedup_by(|a, b| a.members == b.members);
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

fn id(frame: usize, index: u32) -> DetectionId {
    DetectionId { frame: frame as u32, index }
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
        let snr = 5.0 * 10_f64.powf(0.4 * (20.0 - mag));
        PlaneDetection { east_arcsec, north_arcsec, mag, snr, ..PlaneDetection::example() }
    }

    /// Seven frames, ten minutes apart, each with `n_noise` faint accidents.
    fn night(n_noise: usize) -> Vec<FieldFrame> {
        (0..7_usize)
            .map(|k| FieldFrame {
                t_h: k as f64 / 6.0,
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
                ..FieldFrame::example()
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
