//! How much likelier a tracklet is a mover than an accident of unrelated detections.
//!
//! The odds compare two explanations of the same detections (Jaynes 2003, ch. 4 and 20):
//! * a mover: its places scatter about one motion with their errors, its magnitudes about one
//!   value, and it is missed in a frame with the probability that its brightness gives;
//! * chance: each detection is one of the field's unrelated ones, whose density per area and
//!   magnitude is measured from all that was left over.
//!
//! The motion is integrated out by Laplace's method with a broad prior on place and rate.

use super::field::{DetectionId, FieldFrame, Role};
use super::motion::Motion;

/// Width of the magnitude range objects come from [mag].
const MAG_RANGE: f64 = 8.0;
/// Share of objects with main-belt rates.
const MAIN_BELT_SHARE: f64 = 0.9;
/// Rates of the main belt lie below this [arcsec/h].
const MAIN_BELT_RATE_ARCSEC_PER_H: f64 = 80.0;
/// Chance to detect even a bright object: blends and defects take the rest.
const DETECTION_CHANCE_MAX: f64 = 0.93;
/// ... and the least for a faint one.
const DETECTION_CHANCE_MIN: f64 = 0.01;

/// A frame this much shallower than the field's median is clouded and covers nothing [mag].
const SHALLOW_MAG: f64 = 1.0;

/// Prior knowledge and limits of the odds.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreParams {
    /// Number of detectable objects expected on a square degree.
    pub objects_per_deg2: f64,
    /// Fastest motion considered [arcsec/h].
    pub rate_max_arcsec_per_h: f64,
    /// Signal-to-noise ratio at which half of the sources are detected.
    pub snr_half: f64,
    /// Scatter of an object's magnitudes beyond their errors: rotation [mag].
    pub mag_scatter: f64,
}

impl Default for ScoreParams {
    fn default() -> Self {
        Self {
            objects_per_deg2: 40.0,
            rate_max_arcsec_per_h: 6000.0,
            snr_half: 4.0,
            mag_scatter: 0.25,
        }
    }
}

/// Density of unrelated detections in each frame by magnitude.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOverDensity {
    /// Free detections per area, per frame [1/arcsec^2].
    per_arcsec2: Vec<f64>,
    /// Distribution of (magnitude - limiting magnitude), pooled [1/mag], from `OFFSET_MIN`.
    by_offset: Vec<f64>,
}

const OFFSET_MIN: f64 = -12.0;
const OFFSET_STEP: f64 = 0.1;
const OFFSET_BINS: usize = 140;

impl LeftOverDensity {
    /// Measures the density from the free detections of a field's frames.
    pub fn measure(frames: &[FieldFrame]) -> Self {
        let per_arcsec2 =
            frames.iter().map(|f| (f.n_free() as f64 + 1.0) / f.area_arcsec2().max(1.0)).collect();
        let mut counts = vec![0.0; OFFSET_BINS];
        let mut n = 0.0;
        for frame in frames {
            for d in frame.detections.iter().filter(|d| d.role == Role::Free) {
                counts[offset_bin(d.mag - frame.limiting_mag)] += 1.0;
                n += 1.0;
            }
        }
        // A Gaussian of 0.3 mag smooths; a floor of one detection per frame over the whole
        // range stands for what has not been seen yet.
        let floor = 0.3 / (OFFSET_BINS as f64 * OFFSET_STEP);
        let by_offset = (0..OFFSET_BINS)
            .map(|i| {
                let (mut sum, mut norm) = (0.0, 0.0);
                for (j, count) in counts.iter().enumerate() {
                    let z = (i as f64 - j as f64) * OFFSET_STEP / 0.3;
                    let weight = (-0.5 * z * z).exp();
                    sum += weight * count;
                    norm += weight * OFFSET_STEP;
                }
                if n > 0.0 { 0.7 * sum / (norm * n) + floor } else { floor }
            })
            .collect();
        Self { per_arcsec2, by_offset }
    }

    /// Density in a frame near a magnitude [1/(arcsec^2 mag)].
    pub fn at(&self, frame: usize, mag: f64, limiting_mag: f64) -> f64 {
        self.per_arcsec2[frame] * self.by_offset[offset_bin(mag - limiting_mag)]
    }
}

fn offset_bin(offset_mag: f64) -> usize {
    (((offset_mag - OFFSET_MIN) / OFFSET_STEP).max(0.0) as usize).min(OFFSET_BINS - 1)
}

/// Chance that a source of a magnitude is detected in a frame.
pub fn detection_chance(mag: f64, limiting_mag: f64, params: &ScoreParams) -> f64 {
    let snr = 5.0 * 10_f64.powf(0.4 * (limiting_mag - mag));
    // A unit Gaussian of noise about the expected S/N, in the logistic approximation.
    let chance = 1.0 / (1.0 + (-1.702 * (snr - params.snr_half)).exp());
    (DETECTION_CHANCE_MAX * chance).clamp(DETECTION_CHANCE_MIN, DETECTION_CHANCE_MAX)
}

/// Odds and by-products of a tracklet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Natural logarithm of the odds mover : chance.
    pub log_odds: f64,
    /// Weighted mean magnitude [mag].
    pub mag: f64,
    /// Number of frames in which it should have been seen, the hits included.
    pub n_expected: usize,
    /// Number of frames that cover its path, clouded ones left out, the hits included.
    pub n_covered: usize,
}

/// Light measured where a tracklet should have been seen and was not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// Index of the frame in the field.
    pub frame: usize,
    /// Magnitude [mag].
    pub mag: f64,
    /// Signal-to-noise ratio.
    pub snr: f64,
    /// Squared distance from the predicted place in units of its variance per axis.
    pub pull_chi2: f64,
}

impl Score {
    /// The odds after light was found at predicted places.
    ///
    /// * `motion`: that which predicted them.
    ///
    /// In each such frame "missed" is taken back, and the light is compared: as that of a mover of
    /// the tracklet's magnitude, or as noise that a remainder of a star may exceed.
    pub fn with_recovered(
        &self,
        recoveries: &[Recovery],
        frames: &[FieldFrame],
        motion: &Motion,
    ) -> Self {
        /// Chance of a remainder, spread over this many signal-to-noise ratios.
        const REMAINDER_CHANCE: f64 = 1e-3;
        const REMAINDER_SNR: f64 = 20.0;
        /// Share of movers whose light is anything: long trails, blended magnitudes.
        const UNLIKE_SHARE: f64 = 0.1;
        /// Area that was searched around the place, in units of its variance.
        const SEARCHED: f64 = std::f64::consts::PI * 9.0;
        let params = ScoreParams::default();
        let two_pi = std::f64::consts::TAU;
        let mut score = *self;
        for r in recoveries {
            let frame = &frames[r.frame];
            let (east, north) = motion.place(frame.t_h);
            let chance = detection_chance(self.mag, frame.limiting_mag, &params);
            let expected_snr = r.snr * 10_f64.powf(0.4 * (r.mag - self.mag));
            let sigma = 1.0_f64.hypot(params.mag_scatter / 1.0857 * expected_snr);
            let pull = (r.snr - expected_snr) / sigma;
            let alike = (-0.5 * pull * pull).exp() / (two_pi.sqrt() * sigma);
            let light = (1.0 - UNLIKE_SHARE) * alike + UNLIKE_SHARE / REMAINDER_SNR;
            let as_mover = light.ln() - 0.5 * r.pull_chi2 - two_pi.ln();
            let noise = (-0.5 * r.snr * r.snr).exp() / two_pi.sqrt();
            let as_chance = (noise + REMAINDER_CHANCE / REMAINDER_SNR).ln() - SEARCHED.ln();
            score.log_odds += as_mover - as_chance;
            let is_hidden = Obstacles::of(frame).hide(east, north);
            if !is_hidden {
                score.log_odds -= (1.0 - chance).ln();
            }
            score.n_expected += usize::from(chance <= 0.5 || is_hidden);
        }
        score
    }
}

/// Computes odds in a field.
#[derive(Debug, Clone)]
pub struct Scorer<'a> {
    frames: &'a [FieldFrame],
    params: &'a ScoreParams,
    density: LeftOverDensity,
    /// What may hide a mover in each frame.
    obstacles: Vec<Obstacles>,
    /// Frames shallower than this are clouded [mag].
    depth_needed_mag: f64,
}

impl<'a> Scorer<'a> {
    /// Measures what the odds need from a field's frames.
    pub fn new(frames: &'a [FieldFrame], params: &'a ScoreParams) -> Self {
        Self {
            frames,
            params,
            density: LeftOverDensity::measure(frames),
            obstacles: frames.iter().map(Obstacles::of).collect(),
            depth_needed_mag: median_depth(frames) - SHALLOW_MAG,
        }
    }

    /// Odds of a tracklet.
    pub fn score(&self, members: &[DetectionId], motion: &Motion) -> Score {
        let (mag, mut log_odds) = self.seen(members, motion);
        let (mut n_expected, mut n_covered) = (members.len(), members.len());
        let mut hits = members.iter().map(|m| m.frame as usize).peekable();
        for (k, frame) in self.frames.iter().enumerate() {
            if hits.next_if_eq(&k).is_some() {
                continue;
            }
            let (east, north) = motion.place(frame.t_h);
            if !frame.contains(east, north, 2.0 * frame.fwhm_arcsec) {
                continue;
            }
            n_covered += usize::from(frame.limiting_mag >= self.depth_needed_mag);
            if self.obstacles[k].hide(east, north) {
                continue;
            }
            let chance = detection_chance(mag, frame.limiting_mag, self.params);
            n_expected += usize::from(chance > 0.5);
            log_odds += (1.0 - chance).ln();
        }
        Score { log_odds, mag, n_expected, n_covered }
    }

    /// The mean magnitude [mag], and the odds by the frames where it was seen.
    fn seen(&self, members: &[DetectionId], motion: &Motion) -> (f64, f64) {
        let (frames, params) = (self.frames, self.params);
        let sigma_mag = |snr: f64| (1.0857 / snr).hypot(params.mag_scatter);
        let (mut weight, mut weighted) = (0.0, 0.0);
        for id in members {
            let d = &frames[id.frame as usize].detections[id.index as usize];
            let w = sigma_mag(d.snr).powi(-2);
            weight += w;
            weighted += w * d.mag;
        }
        let mag = weighted / weight;
        let two_pi = std::f64::consts::TAU;
        let mut log_odds = -0.5 * motion.chi2;
        for id in members {
            let frame = &frames[id.frame as usize];
            let d = &frame.detections[id.index as usize];
            let sigma = sigma_mag(d.snr);
            log_odds += detection_chance(mag, frame.limiting_mag, params).max(0.05).ln();
            log_odds -= (two_pi * d.sigma_arcsec * d.sigma_arcsec).ln();
            log_odds -= 0.5 * ((d.mag - mag) / sigma).powi(2) + (two_pi.sqrt() * sigma).ln();
            log_odds -= self.density.at(id.frame as usize, d.mag, frame.limiting_mag).ln();
        }
        // The mean magnitude integrated over its range, place and rate over their prior.
        log_odds += (two_pi.sqrt() / (weight.sqrt() * MAG_RANGE)).ln();
        log_odds += 2.0 * two_pi.ln() + 2.0 * motion.ln_volume();
        log_odds += ln_prior(motion.rate_arcsec_per_h(), params);
        (mag, log_odds)
    }
}

/// What is no mover and hides one next to it.
#[derive(Debug, Clone)]
struct Obstacles {
    /// Those that hide no more than their own image.
    faint: Discs,
    /// Bright ones, with their wings.
    bright: Discs,
}

impl Obstacles {
    /// A source hides within two widths of the seeing; a bright one as far as its wings outshine
    /// the noise. Wings fall as r^-5 (Moffat's profile with beta 2.5; Racine 1996, PASP 108, 699),
    /// so the radius grows by 10^(0.08 dm) with the magnitudes above the limit.
    fn of(frame: &FieldFrame) -> Self {
        const LEAST_FWHM: f64 = 2.0;
        const MOST_FWHM: f64 = 12.0;
        const DEX_PER_MAG: f64 = 0.08;
        let hidden = frame.detections.iter().filter(|d| d.role != Role::Free);
        let discs = hidden.map(|d| {
            let wing = 10_f64.powf(DEX_PER_MAG * (frame.limiting_mag - d.mag));
            let widths = if wing.is_finite() { wing } else { LEAST_FWHM };
            let radius = widths.clamp(LEAST_FWHM, MOST_FWHM) * frame.fwhm_arcsec;
            (d.east_arcsec, d.north_arcsec, radius)
        });
        let least_arcsec = LEAST_FWHM * frame.fwhm_arcsec;
        let (faint, bright) = discs.partition(|d| d.2 <= least_arcsec);
        Self { faint: Discs::of(faint), bright: Discs::of(bright) }
    }

    fn hide(&self, east_arcsec: f64, north_arcsec: f64) -> bool {
        self.faint.cover(east_arcsec, north_arcsec) || self.bright.cover(east_arcsec, north_arcsec)
    }
}

/// Discs of the plane.
#[derive(Debug, Clone)]
struct Discs {
    /// East, north and radius [arcsec], ordered by east.
    discs_arcsec: Vec<(f64, f64, f64)>,
    widest_arcsec: f64,
}

impl Discs {
    fn of(discs_arcsec: Vec<(f64, f64, f64)>) -> Self {
        let widest_arcsec = discs_arcsec.iter().map(|d| d.2).fold(0.0, f64::max);
        Self { discs_arcsec, widest_arcsec }
    }

    fn cover(&self, east_arcsec: f64, north_arcsec: f64) -> bool {
        let first = self.discs_arcsec.partition_point(|d| d.0 < east_arcsec - self.widest_arcsec);
        self.discs_arcsec[first..]
            .iter()
            .take_while(|d| d.0 <= east_arcsec + self.widest_arcsec)
            .any(|d| (d.0 - east_arcsec).powi(2) + (d.1 - north_arcsec).powi(2) <= d.2 * d.2)
    }
}

fn median_depth(frames: &[FieldFrame]) -> f64 {
    let depths: Vec<f64> = frames.iter().map(|f| f.limiting_mag).collect();
    crate::science::image::stats::median(&depths).unwrap_or(f64::NEG_INFINITY)
}

/// Prior density of objects at a place with a rate [ln(1/(arcsec^2 (arcsec/h)^2))].
fn ln_prior(rate_arcsec_per_h: f64, params: &ScoreParams) -> f64 {
    let disc = |radius: f64| 1.0 / (std::f64::consts::PI * radius * radius);
    let fast = (1.0 - MAIN_BELT_SHARE) * disc(params.rate_max_arcsec_per_h);
    let slow = if rate_arcsec_per_h < MAIN_BELT_RATE_ARCSEC_PER_H {
        MAIN_BELT_SHARE * disc(MAIN_BELT_RATE_ARCSEC_PER_H)
    } else {
        0.0
    };
    (params.objects_per_deg2 / 3600.0_f64.powi(2)).ln() + (fast + slow).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detection_chance_is_half_at_the_threshold() {
        let params = ScoreParams::default();
        // S/N 4 is 2.5 log10(5/4) = 0.2423 mag below the S/N 5 limit.
        let chance = detection_chance(20.0 + 0.242_275, 20.0, &params);
        assert!((chance - 0.5 * DETECTION_CHANCE_MAX).abs() < 1e-3, "{chance}");
        assert!(detection_chance(15.0, 20.0, &params) > 0.92);
        assert!(detection_chance(23.0, 20.0, &params) <= DETECTION_CHANCE_MIN + 1e-9);
    }

    #[test]
    fn light_at_the_predicted_place_raises_the_odds() {
        use crate::science::movers::motion::PlanePoint;
        let at = |t_h: f64| PlanePoint {
            t_h,
            east_arcsec: 30.0 * t_h,
            north_arcsec: 0.0,
            sigma_arcsec: 0.2,
        };
        let motion = Motion::fit(&[at(0.0), at(0.5), at(1.0)]).expect("three places");
        let frames = [FieldFrame { t_h: 0.7, ..FieldFrame::example() }];
        // S/N 10 where the limit of S/N 5 is at 20 mag.
        let mag = 20.0 - 2.5 * 2.0_f64.log10();
        let before = Score { log_odds: 4.0, mag, n_expected: 3, n_covered: 4 };
        let found = Recovery { frame: 0, mag, snr: 10.0, pull_chi2: 0.0 };
        let after = before.with_recovered(&[found], &frames, &motion);
        // Scatter hypot(1, 0.25 / 1.0857 x 10) = 2.5105; as mover ln(0.9 / (sqrt(2 pi) 2.5105)
        // + 0.1 / 20) - ln(2 pi) = ln(0.14802) - 1.8379 = -3.7483; as remainder ln(1e-3 / 20)
        // - ln(9 pi) = -13.2455; taken back -ln(0.07) = 2.659.
        assert!((after.log_odds - 4.0 - 12.156).abs() < 0.01, "{after:?}");
        assert_eq!((after.n_expected, after.n_covered), (3, 4));
        // What lies off, or is much brighter than the mover, says less.
        let far = Recovery { pull_chi2: 8.0, ..found };
        let off = before.with_recovered(&[far], &frames, &motion);
        assert!((after.log_odds - off.log_odds - 4.0).abs() < 1e-9);
        // Light of 30 errors where 10 were expected is still no remainder.
        let bright = Recovery { mag: mag - 2.5 * 3.0_f64.log10(), snr: 30.0, ..found };
        assert!(before.with_recovered(&[bright], &frames, &motion).log_odds > before.log_odds);
    }
}
